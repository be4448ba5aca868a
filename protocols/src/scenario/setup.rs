//! The first lines of a scenario: the cluster, and what its disks hold.

use super::{Staged, Wrong};
use crate::contract::{Configuration, Node, with_fields};
use crate::quorum::NODES_MAX;
use crate::registry::Protocol;
use crate::world::{Setup, SyncMode};

/// A cluster from the words behind `cluster`: the protocol's name, then fields as `key=value`.
pub(super) fn cluster<N: Node>(words: &str) -> Result<Setup<N>, Wrong> {
    let (protocol, fields) = words.split_once(' ').unwrap_or((words, ""));
    if protocol != N::NAME {
        return Err(Wrong::Cluster(format!("`{protocol}` is not {}", N::NAME)));
    }
    let fields: Vec<_> = fields
        .split_whitespace()
        .map(|field| field.split_once('=').unwrap_or((field, "true")))
        .collect();
    let field = |name| {
        fields
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| *value)
    };
    let nodes = field("nodes").and_then(|nodes| nodes.parse().ok());
    let nodes = nodes
        .filter(|nodes| (1..=NODES_MAX).contains(nodes))
        .ok_or_else(|| Wrong::Cluster(format!("it needs nodes=N, N from 1 to {NODES_MAX}")))?;
    let sync = match field("sync") {
        None | Some("immediate") => SyncMode::Immediate,
        Some("explicit") => SyncMode::Explicit,
        Some(_) => return Err(Wrong::Cluster("sync is immediate or explicit".to_owned())),
    };
    let others = fields
        .iter()
        .filter(|(key, _)| !["nodes", "sync", "bugs"].contains(key));
    let wrong = |error: serde_json::Error| Wrong::Cluster(error.to_string());
    let config: N::Config = with_fields(&N::Config::of(nodes), others.copied()).map_err(wrong)?;
    let bugs = field("bugs").unwrap_or_default();
    let bugs = Protocol::named(N::NAME)
        .ok_or_else(|| Wrong::Cluster(format!("{} is not in the registry", N::NAME)))?
        .bugs_named(bugs.split(',').filter(|bug| !bug.is_empty()))
        .map_err(|error| Wrong::Cluster(error.to_string()))?;
    Ok(Setup::fresh(config.with_bugs(bugs), sync))
}

/// Puts on a disk what the words behind `disk` say: a node, then the protocol's own words.
pub(super) fn disk<N: Staged>(words: &str, setup: &mut Setup<N>) -> Result<(), Wrong> {
    let wrong = || Wrong::Disk(N::NAME);
    let (node, words) = words.split_once(' ').ok_or_else(wrong)?;
    let node: tribunal_histories::NodeId = node.parse().map_err(|_| wrong())?;
    if node.index() >= setup.config.nodes() {
        return Err(wrong());
    }
    setup
        .disks
        .resize_with(setup.config.nodes(), Default::default);
    setup.disks[node.index()] = N::disk(words).ok_or_else(wrong)?;
    Ok(())
}
