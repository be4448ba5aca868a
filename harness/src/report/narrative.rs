//! The story of a trace: a line a step, with the nodes as columns and what the step changed.

use std::fmt;

use tribunal_histories::{EventRecord, Kind, NodeId, Process, Role, Trace, TraceLine, Value};

use crate::replay::{Glimpse, Moment};

/// A step as a line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which step, from 1.
    pub step: usize,
    /// A mark for each node: `L3` leads in term 3, `C3` asks for votes, `P3` asks whether to, `x` is down.
    pub marks: Vec<String>,
    /// The step's name.
    pub name: String,
    /// What it changed, and what clients saw in it.
    pub changes: Vec<String>,
    /// Whether something was violated by it.
    pub violated: bool,
}

impl Row {
    /// The line for a moment of a replay.
    pub fn of(moment: &Moment<'_>) -> Self {
        let nodes = NodeId::all(moment.after.len());
        let mut changes: Vec<_> = nodes
            .flat_map(|node| {
                let (before, after) = (&moment.before[node.index()], &moment.after[node.index()]);
                changes(before, after)
                    .into_iter()
                    .map(move |change| format!("{node} {change}"))
            })
            .collect();
        changes.extend(moment.events.iter().filter_map(seen));
        Self {
            step: moment.step,
            marks: moment.after.iter().map(mark).collect(),
            name: moment.name.to_owned(),
            changes,
            violated: moment.violation.is_some(),
        }
    }
}

/// The line above the table.
pub fn heading(nodes: usize) -> String {
    let names: Vec<_> = NodeId::all(nodes)
        .map(|node| format!("{:<3}", node.to_string()))
        .collect();
    format!("  step  {} what happens", names.join(" "))
}

/// A step's name is cut here when the step has changed something: the trace has all of it.
const NAME_COLUMNS: usize = 64;

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marks: Vec<_> = self.marks.iter().map(|mark| format!("{mark:<3}")).collect();
        let flag = if self.violated { '✗' } else { ' ' };
        write!(f, "{flag}{:>5}  {} ", self.step, marks.join(" "))?;
        if self.changes.is_empty() {
            return f.write_str(&self.name);
        }
        let short: String = self.name.chars().take(NAME_COLUMNS).collect();
        let dots = if short.len() < self.name.len() {
            "…"
        } else {
            ""
        };
        write!(f, "{short}{dots}  ⇒ {}", self.changes.join(", "))
    }
}

/// A trace as a table whose steps cannot be taken again: what happened, in order, without columns for nodes.
pub fn listed(trace: &Trace) -> Vec<String> {
    let mut rows = vec!["  step  what happens".to_owned()];
    let mut step = 0;
    for line in &trace.lines {
        match line {
            TraceLine::Step(name) => {
                step += 1;
                rows.push(format!("{step:>6}  {name}"));
            }
            TraceLine::Event(event) => {
                let told = seen(event).or_else(|| asked(event));
                rows.extend(told.map(|told| format!("        {told}")));
            }
            TraceLine::End(_) => {}
        }
    }
    rows
}

fn mark(glimpse: &Glimpse) -> String {
    let letter = match glimpse.role {
        _ if !glimpse.up => return "x".to_owned(),
        Role::Follower => return "·".to_owned(),
        Role::PreCandidate => 'P',
        Role::Candidate => 'C',
        Role::Leader => 'L',
        Role::Recovering => 'R',
    };
    format!("{letter}{}", glimpse.term)
}

/// What is different about a node.
fn changes(before: &Glimpse, after: &Glimpse) -> Vec<String> {
    let mut changes = Vec::new();
    match (before.up, after.up) {
        (true, false) => changes.push("goes down".to_owned()),
        (false, true) => changes.push(format!("is up again in term {}", after.term)),
        _ => {}
    }
    if after.up && before.role != after.role {
        changes.push(match after.role {
            Role::Leader => format!("becomes leader in term {}", after.term),
            Role::Candidate => format!("asks for votes in term {}", after.term),
            Role::PreCandidate => format!("asks whether it could win term {}", after.term + 1),
            Role::Follower if before.role == Role::Leader => {
                format!("steps down in term {}", after.term)
            }
            Role::Follower => format!("follows in term {}", after.term),
            Role::Recovering => "recovers from the loss of its disk".to_owned(),
        });
    } else if after.up && before.up && before.term != after.term {
        changes.push(format!("moves to term {}", after.term));
    }
    if let Some(candidate) = after.voted_for
        && before.voted_for != after.voted_for
        && after.role != Role::Candidate
    {
        changes.push(format!("votes for {candidate}"));
    }
    if after.last_index < before.last_index {
        changes.push(format!(
            "has its log cut back to {}",
            entries(after.last_index)
        ));
    } else if after.last_index > before.last_index {
        changes.push(format!("has {}", entries(after.last_index)));
    } else if after.last != before.last {
        changes.push(format!("has another entry {}", after.last_index));
    }
    if after.commit_index > before.commit_index {
        changes.push(format!("commits up to {}", after.commit_index));
    }
    changes
}

fn entries(count: u64) -> String {
    let plural = if count == 1 { "y" } else { "ies" };
    format!("{count} entr{plural}")
}

/// What a client saw, if it is worth a word: its request is the name of the step already.
fn seen(event: &EventRecord) -> Option<String> {
    let Process::Client(client) = event.process else {
        return None;
    };
    let what = objects(event);
    let function = &event.function;
    Some(match event.kind {
        Kind::Invoke => return None,
        Kind::Ok if &**function == "read" && event.value.is_nil() => {
            format!("client {client} gets ok: read{what} found nothing")
        }
        Kind::Ok => format!("client {client} gets ok: {function}{what}"),
        Kind::Fail => format!("client {client} is told that it failed: {function}{what}"),
        Kind::Info => format!("client {client} never learns the outcome of {function}{what}"),
    })
}

/// What a client asks for.
fn asked(event: &EventRecord) -> Option<String> {
    let Process::Client(client) = event.process else {
        return None;
    };
    let (function, what) = (&event.function, objects(event));
    Some(format!("client {client} asks: {function}{what}"))
}

/// Key and value as the steps write them: text without quotes.
fn objects(event: &EventRecord) -> String {
    let bare = |value: &Value| match value {
        Value::Nil => String::new(),
        Value::Text(text) => format!(" {text}"),
        other => format!(" {other}"),
    };
    bare(&event.key) + &bare(&event.value)
}

#[cfg(test)]
mod tests {
    use tribunal_histories::LogRecord;

    use super::*;

    #[test]
    fn a_row_says_what_a_step_changed() {
        let follower = Glimpse {
            up: true,
            term: 1,
            ..Glimpse::default()
        };
        let leader = Glimpse {
            role: Role::Leader,
            term: 2,
            last_index: 3,
            last: LogRecord {
                term: 2,
                ..LogRecord::default()
            },
            commit_index: 2,
            ..follower
        };
        let down = Glimpse::default();
        let event = EventRecord::new(
            Process::Client(4),
            Kind::Ok,
            "read",
            Value::Nil,
            Value::Int(7),
        );
        let row = Row::of(&Moment {
            step: 12,
            name: "deliver n2→n1 Vote t2 yes",
            before: &[follower, follower, down],
            after: &[leader, down, follower],
            events: &[event],
            violation: Some("Because …"),
        });
        assert_eq!(heading(3), "  step  n1  n2  n3  what happens");
        assert_eq!(
            row.to_string(),
            "✗   12  L2  x   ·   deliver n2→n1 Vote t2 yes  ⇒ n1 becomes leader in term 2, n1 has 3 entries, \
             n1 commits up to 2, n2 goes down, n3 is up again in term 1, client 4 gets ok: read 7"
        );
    }
}
