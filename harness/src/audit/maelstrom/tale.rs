//! The story of an audit's trace: a line a step, with the nodes as columns.

use tribunal_histories::{EventRecord, Kind, NodeId, Process, Trace, TraceLine, Value};

use super::step::Step;

/// A step's name is cut here: the trace has all of it.
const NAME_COLUMNS: usize = 100;

/// The heading and the lines of a trace's table.
pub(super) fn table(trace: &Trace, nodes: usize, functions: &[&'static str]) -> Vec<String> {
    let mut up = vec![false; nodes];
    let mut rows = vec![crate::report::heading(nodes)];
    let mut number = 0;
    for line in &trace.lines {
        match line {
            TraceLine::Step(name) => {
                number += 1;
                let step = Step::parse(name, nodes, functions);
                match step {
                    Some(Step::Start(node)) => up[node.index()] = true,
                    Some(Step::Kill(node)) => up[node.index()] = false,
                    _ => {}
                }
                let at = step.as_ref().and_then(Step::node);
                let marks: Vec<_> = NodeId::all(nodes)
                    .map(|node| match (up[node.index()], at == Some(node)) {
                        (false, _) => "x  ",
                        (true, true) => "*  ",
                        (true, false) => "·  ",
                    })
                    .collect();
                rows.push(format!(" {number:>5}  {} {}", marks.join(" "), cut(name)));
            }
            TraceLine::Event(event) => {
                if let (Some(seen), Some(row)) = (seen(event), rows.last_mut()) {
                    row.push_str(&format!("  ⇒ {seen}"));
                }
            }
            TraceLine::End(_) => {}
        }
    }
    rows
}

fn cut(name: &str) -> String {
    let short: String = name.chars().take(NAME_COLUMNS).collect();
    if short.len() < name.len() {
        short + "…"
    } else {
        short
    }
}

/// What a client saw.
fn seen(event: &EventRecord) -> Option<String> {
    let Process::Client(process) = event.process else {
        return None;
    };
    let client = process + 1;
    let bare = |value: &Value| match value {
        Value::Nil => String::new(),
        other => format!(" {other}"),
    };
    let what = format!(
        "{}{}{}",
        event.function,
        bare(&event.key),
        bare(&event.value)
    );
    let why = bare(&event.error);
    Some(match event.kind {
        Kind::Invoke => return None,
        Kind::Ok => format!("c{client} gets ok: {}", cut(&what)),
        Kind::Fail => format!("c{client}'s {} failed{why}", cut(&what)),
        Kind::Info => format!("c{client} never learns the outcome of {}{why}", cut(&what)),
    })
}
