//! The steps of an audit, by name: what a trace lists, and what can be taken again.

use std::fmt;

use serde_json::Value as Json;
use tribunal_histories::{NodeId, Value};

use super::message::Endpoint;
use crate::generator::Call;

/// A message on its way, by its link and its place on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) from: Endpoint,
    pub(super) to: Endpoint,
    pub(super) ordinal: u32,
    /// The whole body.
    pub(super) body: String,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            from,
            to,
            ordinal,
            body,
        } = self;
        write!(f, "{from}→{to} #{ordinal} {body}")
    }
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A node's process starts, and is given `init`.
    Start(NodeId),
    /// A node's process is killed.
    Kill(NodeId),
    /// A client calls something.
    Invoke { process: u32, call: Call },
    /// A client waits no longer.
    GiveUp { process: u32 },
    /// A message arrives.
    Deliver(Named),
    /// A message arrives, and will once more.
    Duplicate(Named),
    /// A message never arrives.
    Lose(Named),
    /// Something that changes nothing by itself.
    Note(String),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(node) => write!(f, "start {node}"),
            Self::Kill(node) => write!(f, "kill {node}"),
            Self::Invoke { process, call } => {
                let client = Endpoint::of_process(*process);
                let arguments = serde_json::json!([call.key, call.value]);
                write!(f, "invoke {client} {} {arguments}", call.function)
            }
            Self::GiveUp { process } => write!(f, "give up {}", Endpoint::of_process(*process)),
            Self::Deliver(letter) => write!(f, "deliver {letter}"),
            Self::Duplicate(letter) => write!(f, "deliver one copy of {letter}"),
            Self::Lose(letter) => write!(f, "lose {letter}"),
            Self::Note(text) => write!(f, "note {text}"),
        }
    }
}

impl Step {
    /// The step of that name, in a cluster of so many nodes whose clients call these functions.
    pub(super) fn parse(name: &str, nodes: usize, functions: &[&'static str]) -> Option<Self> {
        let endpoint = |text: &str| Endpoint::named(text, nodes);
        let node = |text: &str| match endpoint(text)? {
            Endpoint::Node(node) => Some(node),
            _ => None,
        };
        let process = |text: &str| match endpoint(text)? {
            Endpoint::Client(number) => number.checked_sub(1),
            _ => None,
        };
        let letter = |text: &str| {
            let (link, rest) = text.split_once(" #")?;
            let (from, to) = link.split_once('→')?;
            let (ordinal, body) = rest.split_once(' ')?;
            Some(Named {
                from: endpoint(from)?,
                to: endpoint(to)?,
                ordinal: ordinal.parse().ok()?,
                body: body.to_owned(),
            })
        };
        let (verb, rest) = name.split_once(' ')?;
        Some(match verb {
            "start" => Self::Start(node(rest)?),
            "kill" => Self::Kill(node(rest)?),
            "invoke" => {
                let (client, rest) = rest.split_once(' ')?;
                let (function, arguments) = rest.split_once(' ')?;
                let function = functions.iter().find(|known| **known == function)?;
                let [key, value]: [Json; 2] = serde_json::from_str(arguments).ok()?;
                let value_of = |json| serde_json::from_value::<Value>(json).ok();
                Self::Invoke {
                    process: process(client)?,
                    call: Call::new(function, value_of(key)?, value_of(value)?),
                }
            }
            "give" => Self::GiveUp {
                process: process(rest.strip_prefix("up ")?)?,
            },
            "deliver" => match rest.strip_prefix("one copy of ") {
                Some(rest) => Self::Duplicate(letter(rest)?),
                None => Self::Deliver(letter(rest)?),
            },
            "lose" => Self::Lose(letter(rest)?),
            "note" => Self::Note(rest.to_owned()),
            _ => return None,
        })
    }

    /// The node that it is about, if there is one.
    pub(super) fn node(&self) -> Option<NodeId> {
        match self {
            Self::Start(node) | Self::Kill(node) => Some(*node),
            Self::Deliver(letter) | Self::Duplicate(letter) => match letter.to {
                Endpoint::Node(node) => Some(node),
                _ => None,
            },
            _ => None,
        }
    }

    /// The client that it is about, if there is one.
    pub(super) fn client(&self) -> Option<u32> {
        match self {
            Self::Invoke { process, .. } | Self::GiveUp { process } => Some(*process),
            Self::Deliver(letter) | Self::Duplicate(letter) | Self::Lose(letter) => {
                [letter.from, letter.to].iter().find_map(|end| match end {
                    Endpoint::Client(number) => number.checked_sub(1),
                    _ => None,
                })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_found_by_its_name() {
        let body = r#"{"type":"echo #7 a→b","echo":"x y"}"#;
        for name in [
            "start n1".to_owned(),
            "kill n3".to_owned(),
            r#"invoke c5 cas ["x",[1,null]]"#.to_owned(),
            "give up c1".to_owned(),
            format!("deliver n1→lin-kv #12 {body}"),
            format!("deliver one copy of n1→n2 #1 {body}"),
            format!("lose c1→n2 #3 {body}"),
            "note partition n1 | n2 n3".to_owned(),
        ] {
            let step = Step::parse(&name, 3, &["read", "cas"]);
            let step = step.unwrap_or_else(|| panic!("{name}"));
            assert_eq!(step.to_string(), name);
        }
        for name in [
            "start n4",
            "invoke c1 write [null,1]",
            "give up c0",
            "dance",
            "deliver n1→n2 1 {}",
        ] {
            assert_eq!(Step::parse(name, 3, &["read"]), None, "{name}");
        }
    }
}
