//! What Raft's clients ask for: commands for the objects, and changes of the cluster.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tribunal_histories::{NodeId, NodeSet, Value};

use crate::contract::Recorded;
use crate::state_machine::{Command, NotACommand};

/// What a client asks a Raft node for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Request {
    /// A command for the replicated state machine.
    Command(Command),
    /// A change of the cluster.
    Change(Change),
}

/// A change of the cluster. Asked for again it changes nothing: clients try until it is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Change {
    /// These nodes are to be the voters (dissertation §4).
    Reconfigure(NodeSet),
    /// This node is to be a voter.
    Add(NodeId),
    /// This node is to be a voter no longer.
    Remove(NodeId),
    /// This node is to lead (dissertation §3.10).
    Transfer(NodeId),
}

impl Change {
    fn function(self) -> &'static str {
        match self {
            Self::Reconfigure(_) => "reconfigure",
            Self::Add(_) => "add-node",
            Self::Remove(_) => "remove-node",
            Self::Transfer(_) => "transfer-leadership",
        }
    }

    fn nodes(self) -> NodeSet {
        match self {
            Self::Reconfigure(nodes) => nodes,
            Self::Add(node) | Self::Remove(node) | Self::Transfer(node) => NodeSet::of(node),
        }
    }

    fn named(function: &str, nodes: NodeSet) -> Option<Self> {
        let only = || Some(nodes).filter(|nodes| nodes.len() == 1)?.iter().next();
        match function {
            "reconfigure" => Some(Self::Reconfigure(nodes)),
            "add-node" => only().map(Self::Add),
            "remove-node" => only().map(Self::Remove),
            "transfer-leadership" => only().map(Self::Transfer),
            _ => None,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.function())?;
        self.nodes()
            .iter()
            .try_for_each(|node| write!(f, " {node}"))
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => command.fmt(f),
            Self::Change(change) => change.fmt(f),
        }
    }
}

impl FromStr for Request {
    type Err = NotACommand;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (function, nodes) = text.split_once(' ').unwrap_or((text, ""));
        let nodes = nodes.split_whitespace().map(|node| node.parse().ok());
        let change = nodes
            .collect::<Option<NodeSet>>()
            .and_then(|nodes| Change::named(function, nodes));
        match change {
            Some(change) => Ok(Self::Change(change)),
            None => text.parse().map(Self::Command),
        }
    }
}

impl Recorded for Request {
    fn record(&self) -> (&'static str, Value, Value) {
        match self {
            Self::Command(command) => command.record(),
            Self::Change(change) => {
                let nodes = change.nodes();
                let names = nodes.iter().map(|node| Value::text(&node.to_string()));
                (change.function(), Value::Nil, Value::list(names))
            }
        }
    }

    fn from_record(function: &str, key: &Value, value: &Value) -> Option<Self> {
        let names = value.as_items().unwrap_or_default().iter();
        let nodes = names.map(|name| name.as_name()?.parse().ok());
        let change = nodes
            .collect::<Option<NodeSet>>()
            .and_then(|nodes| Change::named(function, nodes));
        match change {
            Some(change) => Some(Self::Change(change)),
            None => Command::from_record(function, key, value).map(Self::Command),
        }
    }

    fn is_local(&self) -> bool {
        matches!(self, Self::Command(command) if command.is_local())
    }

    fn is_administrative(&self) -> bool {
        matches!(self, Self::Change(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_read_back_as_they_print_and_as_they_are_recorded() {
        for text in [
            "write x 5",
            "cas y 1 2",
            "reconfigure n1 n3",
            "add-node n4",
            "remove-node n1",
            "transfer-leadership n2",
        ] {
            let request: Request = text.parse().unwrap();
            assert_eq!(request.to_string(), text);
            let (function, key, value) = request.record();
            let again = Request::from_record(function, &key, &value);
            assert_eq!(again, Some(request), "{text}");
        }
        assert!("add-node n1 n2".parse::<Request>().is_err());
        assert!("add-node".parse::<Request>().is_err());
    }
}
