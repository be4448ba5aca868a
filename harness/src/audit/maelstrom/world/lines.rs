//! What nodes write: lines become messages on their way, answers to us, or misbehaviour.

use serde_json::Value as Json;
use tribunal_histories::NodeId;

use super::super::error_code::NODE_NOT_FOUND;
use super::super::message::{Endpoint, HARNESS, Written};
use super::super::misbehaviour::Wrong;
use super::super::process::Output;
use super::super::service;
use super::{Stage, World};

impl World {
    /// Takes what a node wrote.
    pub(in super::super) fn accept_all(&mut self, node: NodeId, output: &Output) {
        for line in &output.lines {
            if self.is_over() {
                return;
            }
            if let Err(what) = self.accept(node, line) {
                self.blame(node, what);
            }
        }
        if !self.setup.is_virtual {
            self.give(node);
        }
    }

    fn accept(&mut self, node: NodeId, line: &[u8]) -> Result<(), Wrong> {
        let malformed = |why: String| Wrong::Malformed {
            line: String::from_utf8_lossy(line).into_owned(),
            why,
        };
        let text = std::str::from_utf8(line).map_err(|error| malformed(error.to_string()))?;
        let written = Written::parse(text).map_err(malformed)?;
        if written.src != node.to_string() {
            return Err(Wrong::Impostor {
                line: text.to_owned(),
                src: written.src,
            });
        }
        match Endpoint::named(&written.dest, self.places.len()) {
            Some(to) if to == HARNESS => self.answer_to_us(node, &written),
            Some(to) => {
                self.send(Endpoint::Node(node), to, written.head, written.body);
                Ok(())
            }
            None => {
                if let Some(msg_id) = written.head.msg_id {
                    let text = format!("there is no {:?}", written.dest);
                    let body = service::error(msg_id, NODE_NOT_FOUND, &text);
                    self.tell(node, serde_json::from_str(&body).unwrap_or_default());
                }
                Ok(())
            }
        }
    }

    /// A node answers `init`, or the workload's greeting.
    fn answer_to_us(&mut self, node: NodeId, written: &Written) -> Result<(), Wrong> {
        let Some(in_reply_to) = written.head.in_reply_to else {
            return Ok(());
        };
        let kind = &*written.head.kind;
        let place = &mut self.places[node.index()];
        match (place.stage, in_reply_to) {
            (Stage::Starting, 1) if kind == "init_ok" => {
                let Some(greeting) = self.setup.dialogue.greeting else {
                    place.stage = Stage::Ready;
                    return Ok(());
                };
                place.stage = Stage::Greeted;
                let mut fields = greeting(&self.setup.cluster);
                fields.insert("msg_id".to_owned(), 2.into());
                self.tell(node, Json::Object(fields));
                Ok(())
            }
            (Stage::Starting, 1) => Err(Wrong::NoInit {
                why: format!("it answered {}", written.body),
            }),
            (Stage::Greeted, 2) if kind.ends_with("_ok") => {
                place.stage = Stage::Ready;
                Ok(())
            }
            (Stage::Greeted, 2) => Err(Wrong::NotAReply {
                request: place.last_given.clone().unwrap_or_default(),
                reply: written.body.clone(),
                why: "the workload begins when every node has taken this".to_owned(),
            }),
            _ => Ok(()),
        }
    }
}
