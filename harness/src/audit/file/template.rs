//! Placeholders: what `{…}` stands for in the texts of a subject's file.

use std::path::Path;

use tribunal_histories::NodeId;

use super::settings::is_node_name;

/// What a text is for: there are placeholders that not all of them can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A node's command, environment or health.
    Node,
    /// A client's.
    Client,
    /// The setup's.
    Setup,
}

/// The placeholders, as they are told.
const NAMES: [&str; 12] = [
    "{node}",
    "{index}",
    "{nodes}",
    "{seed}",
    "{workload}",
    "{here}",
    "{data}",
    "{host}",
    "{listen}",
    "{port}",
    "{peers}",
    "{all}",
];

/// Where everything is. Nodes and clients are on this machine.
pub(super) const HOST: &str = "127.0.0.1";

/// What the placeholders of one text stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    pub(super) kind: Kind,
    /// Whose text it is; of a client, the node that it is beside.
    pub(super) node: NodeId,
    pub(super) seed: u64,
    pub(super) workload: &'a str,
    pub(super) here: &'a Path,
    pub(super) data: &'a Path,
    /// The names of the ports.
    pub(super) ports: &'a [String],
    /// By node and port, where it listens.
    pub(super) listen: &'a [Vec<u16>],
    /// By node and port, where others reach it.
    pub(super) doors: &'a [Vec<u16>],
}

impl Scene<'_> {
    /// A text with everything in place of its placeholders.
    ///
    /// # Errors
    /// A placeholder stands for nothing.
    pub(super) fn fill(&self, text: &str) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some(place) = rest.find(['{', '}']) {
            filled.push_str(&rest[..place]);
            rest = &rest[place..];
            if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
                filled.push_str(&rest[..1]);
                rest = after;
                continue;
            }
            let inside = rest
                .strip_prefix('{')
                .and_then(|inside| inside.split_once('}'));
            let Some((name, after)) = inside else {
                return Err(format!(
                    "`{text}` has a brace without another; for a brace alone write it twice"
                ));
            };
            filled.push_str(&self.value(name)?);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// All of them filled.
    pub(super) fn fill_all(&self, texts: &[String]) -> Result<Vec<String>, String> {
        texts.iter().map(|text| self.fill(text)).collect()
    }

    fn value(&self, name: &str) -> Result<String, String> {
        let mut parts = name.split('.');
        let first = parts.next().unwrap_or_default();
        let parts: Vec<_> = parts.collect();
        let nodes = NodeId::all(self.doors.len());
        match (first, &*parts) {
            ("nodes", []) => Ok(self.doors.len().to_string()),
            ("seed", []) => Ok(self.seed.to_string()),
            ("workload", []) => Ok(self.workload.to_owned()),
            ("here", []) => Ok(self.here.display().to_string()),
            ("host", []) => Ok(HOST.to_owned()),
            ("node", []) if self.kind != Kind::Setup => Ok(self.node.to_string()),
            ("index", []) if self.kind != Kind::Setup => Ok(self.node.index().to_string()),
            ("data", []) if self.kind == Kind::Node => Ok(self.data.display().to_string()),
            ("listen", port @ ([] | [_])) if self.kind == Kind::Node => {
                let port = self.port(name, port.first().copied())?;
                Ok(self.listen[self.node.index()][port].to_string())
            }
            ("port", [node, port @ ..]) if is_node_name(node) && port.len() < 2 => {
                let number: usize = node[1..].parse().unwrap_or(0);
                if number == 0 || number > self.doors.len() {
                    return Err(format!(
                        "{{{name}}} wants a node {node}, and there are {}; say `nodes = {number}`, or --node-count \
                         {number}",
                        self.doors.len()
                    ));
                }
                let port = self.port(name, port.first().copied())?;
                Ok(self.doors[number - 1][port].to_string())
            }
            ("port", port @ ([] | [_])) if self.kind != Kind::Setup => {
                let port = self.port(name, port.first().copied())?;
                Ok(self.doors[self.node.index()][port].to_string())
            }
            ("all", port @ ([] | [_])) => self.addresses(name, port.first().copied(), nodes),
            ("peers", port @ ([] | [_])) if self.kind != Kind::Setup => {
                let others = nodes.filter(|node| *node != self.node);
                self.addresses(name, port.first().copied(), others)
            }
            _ if NAMES.contains(&&*format!("{{{first}}}")) => Err(format!(
                "{{{name}}} stands for nothing here: {}",
                match self.kind {
                    Kind::Node => "a node's texts take no such part",
                    Kind::Client => "a client has no {listen} and no {data}",
                    Kind::Setup => "the setup is no node's: name one, as in {port.n1}",
                }
            )),
            _ => Err(format!(
                "there is no placeholder {{{name}}}; there are: {}; for a brace alone write it twice",
                NAMES.join(", ")
            )),
        }
    }

    fn port(&self, whole: &str, name: Option<&str>) -> Result<usize, String> {
        let Some(name) = name else {
            return match self.ports {
                [] => Err(format!("{{{whole}}} wants a port, and node.ports has none")),
                _ => Ok(0),
            };
        };
        self.ports
            .iter()
            .position(|port| port == name)
            .ok_or_else(|| {
                format!(
                    "{{{whole}}} wants a port `{name}`; node.ports has: {}",
                    self.ports.join(", ")
                )
            })
    }

    fn addresses(
        &self,
        whole: &str,
        port: Option<&str>,
        nodes: impl Iterator<Item = NodeId>,
    ) -> Result<String, String> {
        let port = self.port(whole, port)?;
        let address = |node: NodeId| format!("{HOST}:{}", self.doors[node.index()][port]);
        Ok(nodes.map(address).collect::<Vec<_>>().join(","))
    }
}

/// Whether every placeholder of a text stands for something, with so many nodes.
///
/// # Errors
/// What does not.
pub(super) fn check(text: &str, kind: Kind, ports: &[String], nodes: usize) -> Result<(), String> {
    let numbers = vec![vec![1; ports.len()]; nodes];
    let scene = Scene {
        kind,
        node: NodeId(0),
        seed: 0,
        workload: "",
        here: Path::new("/"),
        data: Path::new("/"),
        ports,
        listen: &numbers,
        doors: &numbers,
    };
    scene.fill(text).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_stand_for_ports_and_places() {
        let ports = ["client".to_owned(), "bus".to_owned()];
        let scene = Scene {
            kind: Kind::Node,
            node: NodeId(1),
            seed: 7,
            workload: "set",
            here: Path::new("/here"),
            data: Path::new("/data"),
            ports: &ports,
            listen: &[vec![1, 2], vec![3, 4], vec![5, 6]],
            doors: &[vec![11, 12], vec![13, 14], vec![15, 16]],
        };
        let filled = |text| scene.fill(text).unwrap();
        assert_eq!(
            filled("{node} {index} {nodes} {seed} {workload}"),
            "n2 1 3 7 set"
        );
        assert_eq!(filled("{listen} {listen.bus} {port.bus}"), "3 4 14");
        assert_eq!(filled("{port.n3} {port.n1.bus}"), "15 12");
        assert_eq!(filled("{peers.bus}"), "127.0.0.1:12,127.0.0.1:16");
        assert_eq!(filled("{all}"), "127.0.0.1:11,127.0.0.1:13,127.0.0.1:15");
        assert_eq!(filled("{{\"a\": {here}/{data}}}"), "{\"a\": /here//data}");
        let wrong = |text| scene.fill(text).unwrap_err();
        assert_eq!(
            wrong("{port.raft}"),
            "{port.raft} wants a port `raft`; node.ports has: client, bus"
        );
        assert!(wrong("{").contains("a brace without another"));
        let scene = Scene {
            kind: Kind::Setup,
            ..scene
        };
        assert!(
            scene
                .fill("{port}")
                .unwrap_err()
                .contains("name one, as in {port.n1}")
        );
    }
}
