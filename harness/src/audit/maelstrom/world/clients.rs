//! Clients: what they ask becomes messages, and messages to them end what they asked.

use serde_json::Value as Json;
use tribunal_histories::{Kind, Value};

use super::super::error_code::ErrorCode;
use super::super::message::{Endpoint, Letter};
use super::super::misbehaviour::Wrong;
use super::super::workload::{Dialogue, Fields};
use super::{Open, World};
use crate::audit::subject::Completion;
use crate::generator::Call;

impl World {
    pub(super) fn invoke(&mut self, process: u32, call: &Call) {
        let thread = self.thread_of(process);
        self.asked[thread] += 1;
        let msg_id = self.asked[thread];
        let mut fields = (self.setup.dialogue.request)(call);
        fields.insert("msg_id".to_owned(), msg_id.into());
        let body = Json::Object(fields.clone()).to_string();
        let head =
            serde_json::from_value(Json::Object(fields)).expect("our own requests are messages");
        self.ledger.invoke(process, call);
        self.open[thread] = Some(Open {
            process,
            msg_id,
            call: call.clone(),
            body: body.clone(),
        });
        let node = Endpoint::Node(self.node_of(thread));
        self.send(Endpoint::of_process(process), node, head, body);
    }

    pub(super) fn give_up(&mut self, process: u32) -> Vec<Completion> {
        let thread = self.thread_of(process);
        let Some(open) = &self.open[thread] else {
            return Vec::new();
        };
        // Nobody can tell whether a read that was not answered was carried out, and it makes no difference.
        let kind = match self.setup.dialogue.is_idempotent(&open.call) {
            true => Kind::Fail,
            false => Kind::Info,
        };
        vec![self.complete(thread, kind, Value::text("timeout"))]
    }

    fn complete(&mut self, thread: usize, kind: Kind, value: Value) -> Completion {
        if let Some(Open { process, call, .. }) = self.open[thread].take() {
            self.ledger.complete(process, kind, &call, &value);
        }
        Completion {
            thread,
            kind,
            value,
        }
    }

    /// A message arrives at a client: the answer to its operation, or to one that it no longer waits for.
    pub(super) fn respond(&mut self, letter: &Letter) -> Vec<Completion> {
        let (Endpoint::Client(number), Endpoint::Node(node)) = (letter.to, letter.from) else {
            return Vec::new();
        };
        let waits = |open: &Open| {
            open.process.checked_add(1) == Some(number)
                && Some(open.msg_id) == letter.head.in_reply_to
        };
        let thread = self
            .open
            .iter()
            .position(|open| open.as_ref().is_some_and(waits));
        let Some((thread, open)) =
            thread.and_then(|thread| Some((thread, self.open[thread].clone()?)))
        else {
            return Vec::new();
        };
        match read_reply(self.setup.dialogue, &open, letter) {
            Ok((kind, value)) => vec![self.complete(thread, kind, value)],
            Err(why) => {
                let what = Wrong::NotAReply {
                    request: open.body,
                    reply: letter.body.clone(),
                    why,
                };
                self.blame(node, what);
                Vec::new()
            }
        }
    }
}

/// What a reply says of the operation that it answers.
fn read_reply(dialogue: &Dialogue, open: &Open, letter: &Letter) -> Result<(Kind, Value), String> {
    let reply: Fields = serde_json::from_str(&letter.body).map_err(|error| error.to_string())?;
    let request = (dialogue.request)(&open.call);
    let kind = request
        .get("type")
        .and_then(Json::as_str)
        .unwrap_or_default();
    let expected = format!("{kind}_ok");
    if letter.head.kind == expected {
        let result = (dialogue.result)(&reply)?;
        return Ok((Kind::Ok, result.unwrap_or_else(|| open.call.value.clone())));
    }
    if letter.head.kind != "error" {
        return Err(format!(
            "a {kind} is answered by {expected}, or by an error"
        ));
    }
    let code = reply.get("code").and_then(Json::as_i64);
    let code = ErrorCode::of(code.ok_or("an error has an integer code")?);
    if let Some(value) = (dialogue.refusal)(&open.call, code) {
        return Ok((Kind::Ok, value));
    }
    let text = reply.get("text").and_then(Json::as_str).unwrap_or_default();
    let why = Value::text(format!("{} {} {text}", code.code, code.name).trim_end());
    Ok(match code.is_definite {
        true => (Kind::Fail, why),
        false => (Kind::Info, why),
    })
}
