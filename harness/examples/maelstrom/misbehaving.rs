//! Programs that break the protocol itself, each in one way: an auditor must say which, and not wait for ever.

#![expect(
    clippy::disallowed_methods,
    reason = "what an auditor must notice is done here on purpose"
)]

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;
use std::{process, thread};

use serde_json::json;

use crate::Program;
use crate::node::{Handler, Node, on};

/// By what they do when they are asked for an echo.
pub(crate) const PROGRAMS: &[Program] = &[
    ("writes-no-json", |node| {
        when_asked(node, |_| println!("Thank you for your message!"));
    }),
    ("ends", |node| {
        when_asked(node, |_| {
            eprintln!("panic: I cannot go on");
            process::exit(7)
        });
    }),
    ("floods", |node| {
        when_asked(node, |node| {
            loop {
                node.send("c1", json!({"type": "echo_ok", "echo": "and again"}));
            }
        });
    }),
    ("stops-reading", |node| {
        when_asked(node, |_| thread::sleep(Duration::from_secs(3_600)));
    }),
    ("does-not-answer-init", |_| {
        say_when();
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
    }),
    ("is-an-impostor", |node| {
        when_asked(node, |_| {
            println!(
                "{}",
                json!({"src": "n9", "dest": "c1", "body": {"type": "echo_ok"}})
            );
        });
    }),
    ("answers-something-else", |node| {
        node.run(BTreeMap::from([(
            "echo",
            on(|node, message| {
                say_when();
                node.reply(message, json!({"type": "read_ok", "value": 1}));
            }),
        )]));
    }),
    ("is-not-deterministic", |node| {
        node.run(BTreeMap::from([(
            "generate",
            on(|node, message| {
                let id = format!("{:?}-{}", since_1970(), node.id);
                node.reply(message, json!({"type": "generate_ok", "id": id}));
            }),
        )]));
    }),
    ("uses-a-timer", uses_a_timer),
];

/// Says on standard error that what is wrong happens now: `ci/audit.sh` measures how long it takes to be reported.
fn say_when() {
    eprintln!("it happens at {} ms", since_1970().as_millis());
}

fn since_1970() -> Duration {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
}

/// Answers `init`, and does this at the first echo.
fn when_asked(node: Node, deed: impl Fn(&Node) + 'static) {
    let handler: Handler = on(move |node, _| {
        say_when();
        deed(node);
        let _ = io::stdout().flush();
    });
    node.run(BTreeMap::from([("echo", handler)]));
}

/// Answers every echo a little later, from another thread: nothing is wrong with that, but virtual time cannot wait for it.
fn uses_a_timer(node: Node) {
    let handler = on(|node: &mut Node, message| {
        let echo = &message["body"]["echo"];
        let answer =
            json!({"type": "echo_ok", "echo": echo, "in_reply_to": message["body"]["msg_id"]});
        let line = json!({"src": node.id, "dest": message["src"], "body": answer}).to_string();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            println!("{line}");
        });
    });
    node.run(BTreeMap::from([("echo", handler)]));
}
