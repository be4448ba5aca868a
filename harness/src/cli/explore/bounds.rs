//! Bounds of a search as they are written on the command line, and as they are told.

use tribunal_checkers::explore::{Asked, Budget, Grain, KINDS_MAX, Reductions, Timeouts};

/// `2`, `any`, `election=3,heartbeat=any,0`: a number without a kind is for all kinds that are not named.
pub(super) fn timeouts(text: &str) -> Result<Timeouts, String> {
    let many = |text: &str| match text.trim() {
        "any" => Ok(None),
        number => number
            .parse()
            .map(Some)
            .map_err(|_| format!("`{number}` is not a number up to 255, nor `any`")),
    };
    let mut timeouts = Timeouts::of(0);
    for part in text.split(',') {
        match part.split_once('=') {
            None => timeouts.others = many(part)?,
            Some((kind, number)) => timeouts.named.push((kind.trim().to_owned(), many(number)?)),
        }
    }
    if timeouts.named.len() > KINDS_MAX {
        return Err(format!("at most {KINDS_MAX} kinds of timers can be named"));
    }
    Ok(timeouts)
}

/// Which node a client asks.
pub(super) fn asked(text: &str) -> Result<Asked, String> {
    match text {
        "any" => Ok(Asked::Any),
        "own" => Ok(Asked::Own),
        _ => Err("a client asks `any` node, or its `own`".to_owned()),
    }
}

/// What is one step.
pub(super) fn grain(text: &str) -> Result<Grain, String> {
    match text {
        "packets" => Ok(Grain::Packets),
        "answers" => Ok(Grain::Answers),
        "elections" => Ok(Grain::Elections),
        "exchanges" => Ok(Grain::Exchanges),
        "rounds" => Ok(Grain::Rounds),
        _ => Err(
            "the grain of a search is `packets`, `answers`, `elections`, `exchanges` or `rounds`"
                .to_owned(),
        ),
    }
}

/// `all`, `none`, `nodes,moot`, `-moot`.
pub(super) fn reductions(text: &str) -> Result<Reductions, String> {
    match text {
        "all" => return Ok(Reductions::ALL),
        "none" => return Ok(Reductions::NONE),
        _ => {}
    }
    let without = text.starts_with('-');
    let mut chosen = if without {
        Reductions::ALL
    } else {
        Reductions::NONE
    };
    for name in text.split(',') {
        let name = name.trim().trim_start_matches('-');
        let reduction = chosen.named(name).ok_or_else(|| {
            let names = Reductions::NAMES.join(", ");
            format!("there is no reduction `{name}`; there are {names}, all and none")
        })?;
        *reduction = !without;
    }
    Ok(chosen)
}

/// What was left out of a search because it makes no difference, in words.
pub(super) fn left_out(reductions: Reductions, renamings: usize) -> String {
    let Reductions {
        nodes,
        clients,
        absorb,
        moot,
        inert,
        history,
    } = reductions;
    let names = format!("other names for nodes ({renamings} tried a state)");
    let parts = [
        (nodes && renamings > 1, names.as_str()),
        (clients, "other orders of clients that are alike"),
        (
            absorb,
            "delays of requests, answers and messages to oneself",
        ),
        (moot, "packets that can no longer matter"),
        (inert, "what nodes remember to no effect"),
        (history, "the order of what clients saw at once"),
    ];
    let told: Vec<_> = parts
        .into_iter()
        .filter_map(|(is_on, what)| is_on.then_some(what))
        .collect();
    match told.is_empty() {
        true => "nothing".to_owned(),
        false => told.join("; "),
    }
}

/// The bounds of a search in words.
pub(super) fn told(budget: &Budget) -> String {
    let mut parts = Vec::new();
    parts.push(match budget.term {
        None => "any term".to_owned(),
        Some(term) => format!("terms up to {term}"),
    });
    let many = |count: Option<u8>| count.map_or("any".to_owned(), |count| count.to_string());
    let timeouts = &budget.timeouts;
    let named = timeouts.named.iter();
    let named: Vec<_> = named
        .map(|(kind, count)| format!("{} {kind}", many(*count)))
        .chain([many(timeouts.others)])
        .collect();
    parts.push(format!("{} timeouts", named.join(", ")));
    let within = if budget.crash_within_steps {
        " (also within steps)"
    } else {
        ""
    };
    parts.push(format!("{} crashes{within}", budget.crashes));
    let counted = [
        (budget.duplicates, "duplicates"),
        (budget.drops, "losses"),
        (budget.cuts, "cuts"),
        (budget.resends, "resends"),
        (budget.late, "late packets at once"),
    ];
    for (count, what) in counted {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    if let Some(restarts) = budget.restarts {
        parts.push(format!("{restarts} restarts"));
    }
    if let Some(actors) = budget.actors {
        parts.push(format!("{actors} nodes that act"));
    }
    if budget.silent_start {
        parts.push("what is said at the start is lost".to_owned());
    }
    if !budget.begin.is_empty() {
        parts.push(format!("beginning with {}", budget.begin.join(", ")));
    }
    if budget.in_order {
        parts.push("links keep their order".to_owned());
    }
    parts.push(
        match budget.grain {
            Grain::Packets => "packet by packet",
            Grain::Answers => "answers at once or never",
            Grain::Elections => "elections in one step",
            Grain::Exchanges => "exchanges in one step",
            Grain::Rounds => "rounds in one step",
        }
        .to_owned(),
    );
    let clients: Vec<_> = budget
        .operations
        .iter()
        .map(|client| client.join("; "))
        .collect();
    parts.push(match clients.is_empty() {
        true => "no clients".to_owned(),
        false => format!("clients: {}", clients.join(" | ")),
    });
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_for_all_kinds_or_by_kind() {
        assert_eq!(timeouts("3"), Ok(Timeouts::of(3)));
        assert_eq!(timeouts("any").unwrap().others, None);
        let both = timeouts("election=3,heartbeat=any,1").unwrap();
        assert_eq!(both.others, Some(1));
        let named = [
            ("election".to_owned(), Some(3)),
            ("heartbeat".to_owned(), None),
        ];
        assert_eq!(both.named, named);
        assert_eq!(timeouts("election=3").unwrap().others, Some(0));
        assert!(timeouts("few").is_err());
        assert!(timeouts("a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1").is_err());
    }

    #[test]
    fn reductions_are_named_or_left_out() {
        assert_eq!(reductions("all"), Ok(Reductions::ALL));
        let moot = Reductions {
            moot: true,
            ..Reductions::NONE
        };
        assert_eq!(reductions("moot"), Ok(moot));
        let but = Reductions {
            moot: false,
            nodes: false,
            ..Reductions::ALL
        };
        assert_eq!(reductions("-moot,-nodes"), Ok(but));
        assert!(reductions("magic").is_err());
    }
}
