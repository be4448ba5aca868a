//! A node of the protocol: messages in on standard input, messages out on standard output.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::{env, fs};

use serde_json::{Value, json};

/// What is done with a message of some type.
pub(crate) type Handler = Box<dyn FnMut(&mut Node, &Value)>;

/// What is done with the body of an answer.
type Callback = Box<dyn FnOnce(&mut Node, &Value)>;

/// A node, as far as the protocol goes.
#[derive(Default)]
pub(crate) struct Node {
    /// Its name.
    pub(crate) id: String,
    /// The names of the other nodes.
    pub(crate) others: Vec<String>,
    last_msg_id: u64,
    callbacks: BTreeMap<u64, Callback>,
}

impl Node {
    /// Reads messages until there are no more, and hands each to the handler of its type. `init` is answered here; its
    /// handler, if there is one, comes before the answer.
    pub(crate) fn run(mut self, mut handlers: BTreeMap<&'static str, Handler>) {
        for line in io::stdin().lock().lines() {
            let line = line.expect("standard input can be read");
            let message: Value = serde_json::from_str(&line).expect("the harness speaks JSON");
            let body = &message["body"];
            if let Some(callback) = body["in_reply_to"]
                .as_u64()
                .and_then(|request| self.callbacks.remove(&request))
            {
                callback(&mut self, body);
                continue;
            }
            let kind = body["type"].as_str().unwrap_or_default();
            if kind == "init" {
                self.id = text(&body["node_id"]);
                let all = body["node_ids"].as_array().into_iter().flatten();
                self.others = all.map(text).filter(|name| *name != self.id).collect();
            }
            if let Some(handler) = handlers.get_mut(kind) {
                handler(&mut self, &message);
            }
            if kind == "init" {
                self.reply(&message, json!({"type": "init_ok"}));
            }
        }
    }

    /// Sends a message.
    pub(crate) fn send(&self, dest: &str, body: Value) {
        let line = json!({"src": self.id, "dest": dest, "body": body}).to_string() + "\n";
        // One write for the whole line: standard output is flushed at its end.
        let written = io::stdout().write_all(line.as_bytes());
        written.expect("the harness listens");
    }

    /// Answers a message.
    pub(crate) fn reply(&self, request: &Value, mut body: Value) {
        body["in_reply_to"] = request["body"]["msg_id"].clone();
        self.send(request["src"].as_str().unwrap_or_default(), body);
    }

    /// Sends a request, and does something with the body of the answer, whenever it comes.
    pub(crate) fn call(
        &mut self,
        dest: &str,
        mut body: Value,
        callback: impl FnOnce(&mut Self, &Value) + 'static,
    ) {
        self.last_msg_id += 1;
        body["msg_id"] = self.last_msg_id.into();
        self.callbacks.insert(self.last_msg_id, Box::new(callback));
        self.send(dest, body);
    }

    /// Sends the same to all other nodes.
    pub(crate) fn tell_the_others(&self, body: &Value) {
        for other in &self.others {
            self.send(other, body.clone());
        }
    }
}

/// A handler, boxed.
pub(crate) fn on(handler: impl FnMut(&mut Node, &Value) + 'static) -> Handler {
    Box::new(handler)
}

/// The text of a JSON string.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A file of the node's own, which outlives its process.
pub(crate) fn file(name: &str) -> PathBuf {
    PathBuf::from(env::var_os("TRIBUNAL_NODE_DIR").unwrap_or_default()).join(name)
}

/// What a file has, or nothing where there is none yet.
pub(crate) fn load(name: &str) -> Value {
    let text = fs::read_to_string(file(name)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Writes a file whole: a kill in the middle leaves the old one.
pub(crate) fn save(name: &str, value: &Value) {
    let new = file(&format!("{name}.new"));
    fs::write(&new, value.to_string()).expect("the folder is there");
    fs::rename(new, file(name)).expect("the folder is there");
}
