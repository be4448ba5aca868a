//! Correct programs, one for each workload: small, without timers, with their state on disk.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Value, json};

use crate::Program;
use crate::node::{Node, load, on, save};

/// By the names of the workloads.
pub(crate) const PROGRAMS: &[Program] = &[
    ("echo", echo),
    ("unique-ids", unique_ids),
    ("broadcast", broadcast),
    ("g-set", g_set),
    ("g-counter", counter),
    ("pn-counter", counter),
    ("lin-kv", lin_kv),
];

fn echo(node: Node) {
    node.run(BTreeMap::from([(
        "echo",
        on(|node, message| {
            let echo = &message["body"]["echo"];
            node.reply(message, json!({"type": "echo_ok", "echo": echo}));
        }),
    )]));
}

/// The node's name, how often it was started, and a count.
fn unique_ids(node: Node) {
    let starts = load("starts").as_u64().unwrap_or(0) + 1;
    save("starts", &starts.into());
    let mut count = 0;
    node.run(BTreeMap::from([(
        "generate",
        on(move |node, message| {
            count += 1;
            let id = format!("{}-{starts}-{count}", node.id);
            node.reply(message, json!({"type": "generate_ok", "id": id}));
        }),
    )]));
}

/// A set that is on disk, and that nodes tell one another when something happens.
fn merging_set(node: Node, add: &'static str, field: &'static str, list: &'static str) {
    let elements: BTreeSet<i64> = serde_json::from_value(load("elements")).unwrap_or_default();
    let elements = Rc::new(RefCell::new(elements));
    let (added, merged, read) = (elements.clone(), elements.clone(), elements);
    let tell = |node: &Node, elements: &BTreeSet<i64>| {
        node.tell_the_others(&json!({"type": "merge", "elements": elements}));
    };
    node.run(BTreeMap::from([
        (
            add,
            on(move |node, message| {
                let mut elements = added.borrow_mut();
                elements.extend(message["body"][field].as_i64());
                save("elements", &json!(*elements));
                node.reply(message, json!({"type": format!("{add}_ok")}));
                tell(node, &elements);
            }),
        ),
        (
            "merge",
            on(move |_, message| {
                let theirs =
                    serde_json::from_value::<BTreeSet<i64>>(message["body"]["elements"].clone());
                let mut elements = merged.borrow_mut();
                elements.extend(theirs.unwrap_or_default());
                save("elements", &json!(*elements));
            }),
        ),
        (
            "read",
            on(move |node, message| {
                let elements = read.borrow();
                let mut answer = json!({"type": "read_ok"});
                answer[list] = json!(*elements);
                node.reply(message, answer);
                tell(node, &elements);
            }),
        ),
        (
            "topology",
            on(|node, message| node.reply(message, json!({"type": "topology_ok"}))),
        ),
    ]));
}

fn broadcast(node: Node) {
    merging_set(node, "broadcast", "message", "messages");
}

fn g_set(node: Node) {
    merging_set(node, "add", "element", "value");
}

/// By node, what was added there and what was taken away, in all: the greater count is the newer.
type Counts = BTreeMap<String, (i64, i64)>;

fn counter(node: Node) {
    let counts: Counts = serde_json::from_value(load("counts")).unwrap_or_default();
    let counts = Rc::new(RefCell::new(counts));
    let (added, merged, read) = (counts.clone(), counts.clone(), counts);
    let tell = |node: &Node, counts: &Counts| {
        node.tell_the_others(&json!({"type": "merge", "counts": counts}));
    };
    node.run(BTreeMap::from([
        (
            "add",
            on(move |node, message| {
                let delta = message["body"]["delta"].as_i64().unwrap_or(0);
                let mut counts = added.borrow_mut();
                let own = counts.entry(node.id.clone()).or_default();
                *own = (own.0 + delta.max(0), own.1 + (-delta).max(0));
                save("counts", &json!(*counts));
                node.reply(message, json!({"type": "add_ok"}));
                tell(node, &counts);
            }),
        ),
        (
            "merge",
            on(move |_, message| {
                let theirs = serde_json::from_value::<Counts>(message["body"]["counts"].clone());
                let mut counts = merged.borrow_mut();
                for (name, (up, down)) in theirs.unwrap_or_default() {
                    let ours = counts.entry(name).or_default();
                    *ours = (ours.0.max(up), ours.1.max(down));
                }
                save("counts", &json!(*counts));
            }),
        ),
        (
            "read",
            on(move |node, message| {
                let counts = read.borrow();
                let value: i64 = counts.values().map(|(up, down)| up - down).sum();
                node.reply(message, json!({"type": "read_ok", "value": value}));
                tell(node, &counts);
            }),
        ),
    ]));
}

/// Every request is passed on to the service lin-kv, and its answer back.
fn lin_kv(node: Node) {
    let pass_on = || {
        on(|node: &mut Node, message: &Value| {
            let message = message.clone();
            let request = message["body"].clone();
            node.call("lin-kv", request, move |node, answer| {
                node.reply(&message, answer.clone());
            });
        })
    };
    node.run(BTreeMap::from([
        ("read", pass_on()),
        ("write", pass_on()),
        ("cas", pass_on()),
    ]));
}
