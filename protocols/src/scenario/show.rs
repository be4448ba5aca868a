//! Nodes and clients as a scenario's text shows them: one line each.

use std::fmt::Write;

use tribunal_histories::{EventRecord, Kind, NodeId, Process, Role};

use crate::contract::Node;
use crate::world::World;

/// `n1 leader t2 vote n1 log 1 1 2 commit 2`: the log by the terms of its entries.
pub(super) fn node<N: Node>(world: &World<N>, node: NodeId) -> String {
    let view = world.view(node);
    let mut line = format!("{node} {} t{}", role(world, node), view.term);
    if let Some(vote) = view.voted_for {
        let _ = write!(line, " vote {vote}");
    }
    line.push_str(if view.log.records.is_empty() {
        " log empty"
    } else {
        " log"
    });
    for record in view.log.records {
        let _ = write!(line, " {}", record.term);
    }
    if view.commit_index > 0 {
        let _ = write!(line, " commit {}", view.commit_index);
    }
    let unsynced = world.disk(node).unsynced_count();
    if unsynced > 0 {
        let _ = write!(line, " unsynced {unsynced}");
    }
    line
}

/// `leader`, `follower`, …, or `down`.
pub(super) fn role<N: Node>(world: &World<N>, node: NodeId) -> &'static str {
    if world.node(node).is_none() {
        return "down";
    }
    match world.view(node).role {
        Role::Follower => "follower",
        Role::PreCandidate => "pre-candidate",
        Role::Candidate => "candidate",
        Role::Leader => "leader",
        Role::Recovering => "recovering",
    }
}

/// `c0 ok read x 5`: how a client's operation stands.
pub(super) fn event(event: &EventRecord) -> String {
    let client = match event.process {
        Process::Client(client) => format!("c{client}"),
        Process::Nemesis => "nemesis".to_owned(),
    };
    let key = event.key.as_name().unwrap_or_default();
    let mut line = format!("{client} {} {} {key}", outcome(event.kind), event.function);
    if event.kind == Kind::Ok || !event.value.is_nil() {
        let _ = write!(line, " {}", event.value);
    }
    if !event.error.is_nil() {
        let _ = write!(line, ": {}", event.error);
    }
    line
}

/// `open`, `ok`, `fail` or `info`.
pub(super) fn outcome(kind: Kind) -> &'static str {
    match kind {
        Kind::Invoke => "open",
        completed => completed.name(),
    }
}
