//! Messages of Maelstrom's protocol: lines of JSON, and who sends them to whom.
//!
//! After Maelstrom's `doc/protocol.md`: `{"src", "dest", "body": {"type", "msg_id"?, "in_reply_to"?, …}}`, one object a
//! line; what is delivered to a node has an `"id"` too. A body is kept as the node wrote it, to the letter.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;
use tribunal_histories::NodeId;

use super::service::ServiceName;

/// Who sends and receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Endpoint {
    /// A node: `n1`, `n2`, …
    Node(NodeId),
    /// A client: `c0` is the harness itself, and a process of the history has its number and one more.
    Client(u32),
    /// A service that nodes may use.
    Service(ServiceName),
}

/// The harness itself, as nodes see it: it sends `init`, and what a workload begins with.
pub(super) const HARNESS: Endpoint = Endpoint::Client(0);

impl Endpoint {
    /// Who a name names, in a cluster of so many nodes.
    pub(super) fn named(name: &str, nodes: usize) -> Option<Self> {
        if let Some(service) = ServiceName::named(name) {
            return Some(Self::Service(service));
        }
        let (kind, digits) = name.split_at_checked(1)?;
        let number: u32 = digits
            .parse()
            .ok()
            .filter(|number: &u32| number.to_string() == digits)?;
        match kind {
            "c" => Some(Self::Client(number)),
            "n" => NodeId::all(nodes)
                .nth((number as usize).checked_sub(1)?)
                .map(Self::Node),
            _ => None,
        }
    }

    /// The client that a process of the history is.
    pub(super) fn of_process(process: u32) -> Self {
        Self::Client(process + 1)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => node.fmt(f),
            Self::Client(number) => write!(f, "c{number}"),
            Self::Service(service) => service.fmt(f),
        }
    }
}

/// What the protocol has in every body.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Head {
    /// What the message is about.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// The sender's own number for it, if it wants a reply.
    #[serde(default)]
    pub(super) msg_id: Option<i64>,
    /// The number of the message that this one answers.
    #[serde(default)]
    pub(super) in_reply_to: Option<i64>,
}

/// A line that a node wrote.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) src: String,
    pub(super) dest: String,
    pub(super) head: Head,
    /// The body, as it was written.
    pub(super) body: String,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    src: Cow<'a, str>,
    #[serde(borrow)]
    dest: Cow<'a, str>,
    #[serde(borrow)]
    body: &'a RawValue,
}

impl Written {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let envelope: Envelope<'_> = serde_json::from_str(line).map_err(|error| told(&error))?;
        let body = envelope.body.get();
        let head: Head =
            serde_json::from_str(body).map_err(|error| format!("its body: {}", told(&error)))?;
        Ok(Self {
            src: envelope.src.into_owned(),
            dest: envelope.dest.into_owned(),
            head,
            body: body.to_owned(),
        })
    }
}

/// A parser's complaint, without the number of the line: there is only one.
fn told(error: &serde_json::Error) -> String {
    error
        .to_string()
        .replace(" at line 1 column ", " at column ")
}

/// A message on its way.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) from: Endpoint,
    pub(super) to: Endpoint,
    /// How many were sent from there to there before it, and itself.
    pub(super) ordinal: u32,
    pub(super) head: Head,
    pub(super) body: String,
}

impl Letter {
    /// The line for a node to read; `id` is the message's own number.
    pub(super) fn line(&self, id: u64) -> String {
        let Self { from, to, body, .. } = self;
        format!("{{\"id\":{id},\"src\":\"{from}\",\"dest\":\"{to}\",\"body\":{body}}}\n")
    }

    /// The body without the numbers that tie requests to replies: what remains the same when messages before it are
    /// left out.
    pub(super) fn gist(&self) -> String {
        gist(&self.body)
    }
}

/// See [`Letter::gist`].
pub(super) fn gist(body: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(body) {
        Ok(serde_json::Value::Object(mut fields)) => {
            fields.remove("msg_id");
            fields.remove("in_reply_to");
            serde_json::Value::Object(fields).to_string()
        }
        _ => body.to_owned(),
    }
}

/// The letter as traces name it: `n1→n2 #3 {"type":…}`.
impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            from,
            to,
            ordinal,
            body,
            ..
        } = self;
        write!(f, "{from}→{to} #{ordinal} {body}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_named_and_found() {
        let found = |name: &str| Endpoint::named(name, 3).map(|endpoint| endpoint.to_string());
        for name in [
            "n1", "n3", "c0", "c17", "lin-kv", "seq-kv", "lww-kv", "lin-tso",
        ] {
            assert_eq!(found(name).as_deref(), Some(name));
        }
        for name in ["n0", "n4", "n01", "c", "c-1", "x1", "", "é"] {
            assert_eq!(found(name), None, "{name}");
        }
    }

    #[test]
    fn a_line_says_what_is_wrong_with_it() {
        let line =
            r#"{"src":"n1","dest":"c2","body":{"type":"echo_ok","in_reply_to":4,"echo":"a  b"}}"#;
        let written = Written::parse(line).unwrap();
        assert_eq!(
            (&*written.src, &*written.dest, &*written.head.kind),
            ("n1", "c2", "echo_ok")
        );
        assert_eq!(
            (written.head.msg_id, written.head.in_reply_to),
            (None, Some(4))
        );
        assert!(written.body.contains("a  b"));
        let wrong = |line: &str| Written::parse(line).unwrap_err();
        insta::assert_snapshot!(wrong("hello"), @"expected value at column 1");
        insta::assert_snapshot!(wrong(r#"{"src":"n1","dest":"n2"}"#), @"missing field `body` at column 24");
        insta::assert_snapshot!(wrong(r#"{"src":"n1","dest":"n2","body":7}"#), @"its body: invalid type: integer `7`, expected struct Head at column 1");
        insta::assert_snapshot!(wrong(r#"{"src":"n1","dest":"n2","body":{}}"#), @"its body: missing field `type` at column 2");
    }

    #[test]
    fn a_gist_has_no_numbers_of_messages() {
        assert_eq!(
            gist(r#"{"type":"a","msg_id":3,"x":[1]}"#),
            gist(r#"{"x":[1],"type":"a","in_reply_to":9}"#)
        );
    }
}
