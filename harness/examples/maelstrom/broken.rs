//! Broken programs: each has one mistake that real programs have had, and passes in fair weather or by luck.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::Program;
use crate::node::{Handler, Node, load, on, save};

/// By their mistakes.
pub(crate) const PROGRAMS: &[Program] = &[
    ("kv-from-local-memory", kv_from_local_memory),
    ("broadcast-that-forgets", broadcast_that_forgets),
    ("ids-that-repeat", ids_that_repeat),
    ("counter-that-loses", counter_that_loses),
    ("set-that-duplicates", set_that_duplicates),
];

/// Writes go to the service, and reads are answered from what this node saw last: another node's write is not in it.
fn kv_from_local_memory(node: Node) {
    let memory: Rc<RefCell<BTreeMap<String, Value>>> = Rc::default();
    let change = |memory: &Rc<RefCell<BTreeMap<String, Value>>>, field: &'static str| {
        let memory = memory.clone();
        on(move |node: &mut Node, message: &Value| {
            let (message, memory) = (message.clone(), memory.clone());
            node.call("lin-kv", message["body"].clone(), move |node, answer| {
                if answer["type"] != "error" {
                    let key = message["body"]["key"].to_string();
                    memory
                        .borrow_mut()
                        .insert(key, message["body"][field].clone());
                }
                node.reply(&message, answer.clone());
            });
        })
    };
    let remembered = memory.clone();
    node.run(BTreeMap::from([
        ("write", change(&memory, "value")),
        ("cas", change(&memory, "to")),
        (
            "read",
            on(move |node, message| {
                let answer = match remembered.borrow().get(&message["body"]["key"].to_string()) {
                    Some(value) => json!({"type": "read_ok", "value": value}),
                    None => json!({"type": "error", "code": 20, "text": "not here"}),
                };
                node.reply(message, answer);
            }),
        ),
    ]));
}

/// A list of numbers that handlers share.
type Numbers = Rc<RefCell<Vec<i64>>>;

/// A reply to `read` with the numbers in a field.
fn told(numbers: &Numbers, field: &'static str) -> Handler {
    let numbers = numbers.clone();
    on(move |node, message| {
        let mut answer = json!({"type": "read_ok"});
        answer[field] = json!(*numbers.borrow());
        node.reply(message, answer);
    })
}

/// A message is sent to every other node once, when it comes, and never again: what a partition swallows is gone.
fn broadcast_that_forgets(node: Node) {
    let messages: Numbers = Rc::default();
    let (ours, theirs) = (messages.clone(), messages.clone());
    node.run(BTreeMap::from([
        (
            "topology",
            on(|node, message| node.reply(message, json!({"type": "topology_ok"}))),
        ),
        (
            "broadcast",
            on(move |node, message| {
                let value = message["body"]["message"].as_i64();
                ours.borrow_mut().extend(value);
                node.tell_the_others(&json!({"type": "gossip", "message": value}));
                node.reply(message, json!({"type": "broadcast_ok"}));
            }),
        ),
        (
            "gossip",
            on(move |_, message| {
                theirs
                    .borrow_mut()
                    .extend(message["body"]["message"].as_i64())
            }),
        ),
        ("read", told(&messages, "messages")),
    ]));
}

/// The count is in memory only: after a restart it begins again.
fn ids_that_repeat(node: Node) {
    let mut count = 0;
    node.run(BTreeMap::from([(
        "generate",
        on(move |node, message| {
            count += 1;
            let id = format!("{}-{count}", node.id);
            node.reply(message, json!({"type": "generate_ok", "id": id}));
        }),
    )]));
}

/// The count is in the service seq-kv. It is read there and then written, and what another node wrote in between is gone.
fn counter_that_loses(node: Node) {
    let read = || json!({"type": "read", "key": "count"});
    let value = |answer: &Value| answer["value"].as_i64().unwrap_or(0);
    node.run(BTreeMap::from([
        (
            "add",
            on(move |node, message| {
                let message = message.clone();
                node.call("seq-kv", read(), move |node, answer| {
                    let sum = value(answer) + message["body"]["delta"].as_i64().unwrap_or(0);
                    let write = json!({"type": "write", "key": "count", "value": sum});
                    node.call("seq-kv", write, move |node, _| {
                        node.reply(&message, json!({"type": "add_ok"}));
                    });
                });
            }),
        ),
        (
            "read",
            on(move |node, message| {
                let message = message.clone();
                node.call("seq-kv", read(), move |node, answer| {
                    node.reply(&message, json!({"type": "read_ok", "value": value(answer)}));
                });
            }),
        ),
    ]));
}

/// What another node tells is appended without a look at what is there: a message that arrives twice is in it twice.
fn set_that_duplicates(node: Node) {
    let elements: Vec<i64> = serde_json::from_value(load("elements")).unwrap_or_default();
    let elements = Rc::new(RefCell::new(elements));
    let (ours, theirs) = (elements.clone(), elements.clone());
    let keep = |elements: &RefCell<Vec<i64>>, element: Option<i64>| {
        elements.borrow_mut().extend(element);
        save("elements", &json!(*elements.borrow()));
    };
    node.run(BTreeMap::from([
        (
            "add",
            on(move |node, message| {
                let element = message["body"]["element"].as_i64();
                keep(&ours, element);
                node.tell_the_others(&json!({"type": "added", "element": element}));
                node.reply(message, json!({"type": "add_ok"}));
            }),
        ),
        (
            "added",
            on(move |_, message| keep(&theirs, message["body"]["element"].as_i64())),
        ),
        ("read", told(&elements, "value")),
    ]));
}
