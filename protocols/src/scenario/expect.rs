//! Expectations: what must be so at a point of a scenario, however its text is rewritten.

use tribunal_histories::{NodeId, Process};

use super::play::Stage;
use super::{Staged, Wrong, show};
use crate::world::Address;

const USAGE: Wrong = Wrong::NotUnderstood(
    "expect n1 n2 follower in term 3, expect n1 commit 4, expect logs equal, expect value x = 8 at all, \
     expect c0 open",
);

/// Checks what the words behind `expect` say.
pub(super) fn check<N: Staged>(stage: &Stage<N>, words: &str) -> Result<(), Wrong> {
    let words: Vec<_> = words.split_whitespace().collect();
    if let Some(Ok(Address::Client(client))) = words.first().map(|word| word.parse()) {
        return client_stands(stage, Process::Client(client), &words[1..]);
    }
    match words[..] {
        ["nemesis", ref rest @ ..] => client_stands(stage, Process::Nemesis, rest),
        ["logs", "equal"] => logs_equal(stage),
        ["value", object, "=", value, "at", ref nodes @ ..] => {
            value_is(stage, object, value, &nodes.join(" "))
        }
        _ => {
            let names = words
                .iter()
                .take_while(|word| word.parse::<NodeId>().is_ok());
            let (nodes, rest) = words.split_at(names.count());
            if nodes.is_empty() {
                return Err(USAGE);
            }
            let nodes = stage.nodes(&nodes.join(" "))?;
            nodes
                .into_iter()
                .try_for_each(|node| node_is(stage, node, rest))
        }
    }
}

fn met(holds: bool, instead: impl FnOnce() -> String) -> Result<(), Wrong> {
    if holds {
        return Ok(());
    }
    Err(Wrong::Unmet(instead()))
}

fn number(word: &str) -> Result<u64, Wrong> {
    word.parse().map_err(|_| USAGE)
}

fn node_is<N: Staged>(stage: &Stage<N>, node: NodeId, words: &[&str]) -> Result<(), Wrong> {
    let (view, role) = (stage.world.view(node), show::role(&stage.world, node));
    let holds = match *words {
        ["commit", index] => view.commit_index == number(index)?,
        [expected] => role == expected,
        [expected, "in", "term", term] => role == expected && view.term == number(term)?,
        _ => return Err(USAGE),
    };
    met(holds, || show::node(&stage.world, node))
}

fn client_stands<N: Staged>(
    stage: &Stage<N>,
    process: Process,
    words: &[&str],
) -> Result<(), Wrong> {
    let Some(event) = stage.latest().find(|event| event.process == process) else {
        let name = match process {
            Process::Client(client) => format!("c{client}"),
            Process::Nemesis => process.to_string(),
        };
        return Err(Wrong::Unmet(format!("{name} has done nothing")));
    };
    let outcome = show::outcome(event.kind);
    let holds = match *words {
        [expected] => outcome == expected,
        [expected, value] => outcome == expected && event.value.to_string() == value,
        _ => return Err(USAGE),
    };
    met(holds, || show::event(event))
}

fn logs_equal<N: Staged>(stage: &Stage<N>) -> Result<(), Wrong> {
    let log = |node| {
        let log = stage.world.view(node).log;
        (log.last_index(), log.last().prefix)
    };
    let nodes = stage.all_nodes();
    let other = nodes.iter().find(|node| log(**node) != log(nodes[0]));
    let shown = |node| show::node(&stage.world, node);
    other.map_or(Ok(()), |other| {
        Err(Wrong::Unmet(format!(
            "{}; {}",
            shown(nodes[0]),
            shown(*other)
        )))
    })
}

fn value_is<N: Staged>(
    stage: &Stage<N>,
    object: &str,
    value: &str,
    nodes: &str,
) -> Result<(), Wrong> {
    let nodes = stage.nodes(if nodes == "all" { "" } else { nodes })?;
    for node in nodes {
        let Some(state) = stage.world.node(node) else {
            continue;
        };
        let found = state
            .value_on(stage.world.disk(node).written(), object)
            .ok_or(USAGE)?;
        met(found == value, || format!("{object} = {found} at {node}"))?;
    }
    Ok(())
}
