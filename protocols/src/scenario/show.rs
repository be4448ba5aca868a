//! Nodes and clients as a scenario's text shows them: one line each.

use std::fmt::Write;

use tribunal_histories::{EventRecord, Facet, Kind, MembersView, NodeId, Process, Role};

use super::Staged;
use crate::contract::Node;
use crate::world::World;

/// `n1 leader t2 vote n1 log 1 1 2 commit 2`: the log by the terms of its entries. `compacted 3@1` stands before it
/// if the entries up to the third, which is of term 1, are forgotten.
pub(super) fn node<N: Staged>(world: &World<N>, node: NodeId) -> String {
    let told = N::told(world.node(node), world.disk(node).written());
    let mut line = match told {
        Some(told) => format!("{node} {told}"),
        None => by_role_and_log(world, node),
    };
    let unsynced = world.disk(node).unsynced_count();
    if unsynced > 0 {
        let _ = write!(line, " unsynced {unsynced}");
    }
    line
}

fn by_role_and_log<N: Node>(world: &World<N>, node: NodeId) -> String {
    let view = world.view(node);
    if let Facet::Members(members) = view.facet {
        return format!("{node} knows {}", members_of(&members));
    }
    let mut line = format!("{node} {} t{}", role(world, node), view.term);
    if let Some(vote) = view.voted_for {
        let _ = write!(line, " vote {vote}");
    }
    if view.log.start > 0 {
        let _ = write!(line, " compacted {}@{}", view.log.start, view.log.base.term);
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
    line
}

/// `n1 g1.0 alive, n2 g1.0 suspect; reports of n2 by n3; slots n1@1`
fn members_of(view: &MembersView<'_>) -> String {
    let listed = |items: &mut dyn Iterator<Item = String>| items.collect::<Vec<_>>().join(", ");
    let mut line = listed(&mut view.members.iter().map(ToString::to_string));
    if !view.reports.is_empty() {
        let reports = view.reports.iter();
        let mut reports = reports.map(|report| format!("of {} by {}", report.about, report.by));
        let _ = write!(line, "; reports {}", listed(&mut reports));
    }
    if !view.slots.is_empty() {
        let slots = view.slots.iter();
        let mut slots = slots.map(|slot| format!("{}@{}", slot.owner, slot.epoch));
        let _ = write!(line, "; slots {}", listed(&mut slots));
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
    let mut line = format!("{client} {} {}", outcome(event.kind), event.function);
    if let Some(key) = event.key.as_name() {
        let _ = write!(line, " {key}");
    }
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
