//! Ghost state: what is remembered of a run, so that properties can speak of change and of history.
//!
//! What changed is found once for all properties, in the time of what changed: a log is compared with its mirror
//! from the end backwards until the prefix digests agree.

use std::sync::Arc;

use tribunal_histories::{
    Cause, Claim, Digest, Facet, GroupView, LogRecord, LogView, NodeId, NodeSet, Observation,
    PeerProgress, Renamings, Role, View, Voters,
};

use super::committed::Committed;
use super::states::States;

/// What a node showed when it was last observed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Past {
    /// Its role; a node that is down follows.
    pub role: Role,
    /// Its term.
    pub term: u64,
    /// Its commit index.
    pub commit_index: u64,
    /// Its applied index.
    pub applied_index: u64,
    /// For whom it had voted in its term.
    pub voted_for: Option<NodeId>,
    /// Whom it took for the leader.
    pub leader: Option<NodeId>,
    /// The configuration that it acted by, if it has shown one.
    pub voters: Option<Voters>,
    /// A digest of its state machine's state.
    pub state: Digest,
    /// What it believed of its peers.
    pub peers: Vec<PeerProgress>,
    start: u64,
    base: LogRecord,
    records: Vec<LogRecord>,
    disk_end: (u64, LogRecord),
}

impl Past {
    /// The log as it was.
    pub fn log(&self) -> LogView<'_> {
        LogView {
            start: self.start,
            base: self.base,
            records: &self.records,
        }
    }

    /// The last index up to which a log is what it was. What the log has compacted since is taken as kept.
    fn kept_in(&self, log: &LogView<'_>) -> u64 {
        let old = self.log();
        let mut kept = old.last_index().min(log.last_index());
        while kept > log.start && old.at(kept) != log.at(kept) {
            kept -= 1;
        }
        kept
    }

    fn remember(&mut self, now: &Observation<'_>, kept: u64) {
        let view = &now.view;
        self.role = role_of(now);
        self.term = view.term;
        self.commit_index = view.commit_index;
        self.applied_index = view.applied_index;
        self.voted_for = view.voted_for;
        let group = group_of(view);
        self.leader = group.and_then(|group| group.leader);
        // A node that is down shows none: what it acted by then is the best that is known.
        self.voters = group.map(|group| group.voters).or(self.voters);
        self.state = view.state;
        self.peers.clear();
        self.peers.extend_from_slice(view.peers);
        self.remember_log(&view.log, kept);
        self.disk_end = disk_end(now);
    }

    /// Whether an observation shows what is remembered already.
    fn is_shown_by(&self, now: &Observation<'_>, kept: u64) -> bool {
        let (view, group) = (&now.view, group_of(&now.view));
        let log = self.log();
        self.role == role_of(now)
            && self.term == view.term
            && self.commit_index == view.commit_index
            && self.applied_index == view.applied_index
            && self.voted_for == view.voted_for
            && self.leader == group.and_then(|group| group.leader)
            && self.voters == group.map(|group| group.voters).or(self.voters)
            && self.state == view.state
            && *self.peers == *view.peers
            && (log.start, log.base) == (view.log.start, view.log.base)
            && (kept, kept) == (log.last_index(), view.log.last_index())
            && self.disk_end == disk_end(now)
    }

    fn remember_log(&mut self, log: &LogView<'_>, kept: u64) {
        if log.start != self.start {
            let compacted = log.start.checked_sub(self.start);
            match compacted.and_then(|count| usize::try_from(count).ok()) {
                Some(count) if count <= self.records.len() => drop(self.records.drain(..count)),
                _ => self.records.clear(),
            }
            self.start = log.start;
        }
        self.base = log.base;
        let kept = usize::try_from(kept.saturating_sub(log.start)).unwrap_or(usize::MAX);
        self.records.truncate(kept);
        self.records
            .extend_from_slice(&log.records[self.records.len()..]);
    }
}

/// What a node shows of the group that it is a member of.
pub(super) fn group_of<'a>(view: &View<'a>) -> Option<GroupView<'a>> {
    match view.facet {
        Facet::Group(group) => Some(group),
        _ => None,
    }
}

/// The role of the observed node; one that is down follows.
fn role_of(now: &Observation<'_>) -> Role {
    match now.cause {
        Cause::Crash => Role::Follower,
        _ => now.view.role,
    }
}

fn disk_end(now: &Observation<'_>) -> (u64, LogRecord) {
    let log = now.logs.durable_log(now.node);
    (log.last_index(), log.last())
}

/// One observation, with what was before it.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// What is observed.
    pub now: &'a Observation<'a>,
    /// The observed node as it was.
    pub before: &'a Past,
    /// The observed node's log is what it was up to here.
    pub kept: u64,
    /// Whether what is on the observed node's disk changed at its end.
    pub disk_changed: bool,
    /// All that was ever committed, this moment included.
    pub committed: &'a Committed,
    /// The states that nodes showed before this moment, by what they had applied.
    pub states: &'a States,
    /// The index of the last entry that was committed before this moment.
    pub committed_before: u64,
    past: &'a [Arc<Past>],
}

impl<'a> Moment<'a> {
    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.past.len()
    }

    /// What the observed node shows of its group.
    pub fn group(&self) -> Option<GroupView<'a>> {
        group_of(&self.now.view)
    }

    /// The configuration that a node acts by, the observed node included: all nodes, if it has shown none.
    pub fn voters(&self, node: NodeId) -> Voters {
        let shown = match self.group() {
            Some(group) if node == self.now.node => Some(group.voters),
            _ => self.past[node.index()].voters,
        };
        shown.unwrap_or_else(|| everybody(self.nodes()))
    }

    /// The commit index of a node, the observed node included.
    pub fn commit_index(&self, node: NodeId) -> u64 {
        if node == self.now.node {
            return self.now.view.commit_index;
        }
        self.past[node.index()].commit_index
    }

    /// Whether the observed node sent something of a kind.
    pub fn claims(&self, of_kind: impl Fn(&Claim) -> bool) -> bool {
        let sent = self.now.sent.iter();
        sent.flat_map(|sent| &sent.claims).any(of_kind)
    }

    /// All nodes as they were before this moment.
    pub fn past(&self) -> impl Iterator<Item = (NodeId, &'a Past)> {
        NodeId::all(self.past.len()).zip(self.past.iter().map(|past| &**past))
    }

    /// Whether the observed node lost what is volatile: what it showed before does not bind it.
    pub fn restarted(&self) -> bool {
        matches!(self.now.cause, Cause::Boot | Cause::Crash)
    }

    /// Whether the observed node has just re-learned what it lost with its disk. It is a new acceptor from now on:
    /// what it promised and accepted before does not bind it. That the others can do without is for properties that
    /// speak of all.
    pub fn recovered(&self) -> bool {
        let recovering = self.before.role == Role::Recovering && !self.restarted();
        recovering && self.now.view.role != Role::Recovering
    }

    /// Whether the observed node leads.
    pub fn leads(&self) -> bool {
        self.now.view.role == Role::Leader && self.now.cause != Cause::Crash
    }

    /// Whether the observed node leads as it did before, in the same term and the same life.
    pub fn leads_on(&self) -> bool {
        self.leads()
            && !self.restarted()
            && self.before.role == Role::Leader
            && self.before.term == self.now.view.term
    }

    /// Whether the observed node was just elected.
    pub fn was_elected(&self) -> bool {
        self.leads() && !self.leads_on()
    }

    /// Whether the observed node's log changed, other than by compaction.
    pub fn log_changed(&self) -> bool {
        let (before, now) = (self.before.log(), &self.now.view.log);
        before.last_index() != now.last_index() || before.last() != now.last()
    }

    /// Whether what the observed node has applied comes from a snapshot: it started from one, or got one for entries
    /// that it had not applied.
    pub fn loaded_snapshot(&self) -> bool {
        let view = &self.now.view;
        let applied = if self.restarted() {
            0
        } else {
            self.before.applied_index
        };
        view.applied_index > applied && (self.restarted() || view.log.start > applied)
    }

    /// Whether entries were removed from the end of the observed node's log, replaced or not.
    pub fn dropped_entries(&self) -> bool {
        self.kept < self.before.log().last_index()
    }

    /// The entries that are new in the observed node's log, with their indexes.
    pub fn appended(&self) -> impl Iterator<Item = (u64, LogRecord)> {
        entries_above(self.kept, self.now.view.log)
    }

    /// The entries that were removed from the end of the observed node's log, with their indexes.
    pub fn removed(&self) -> impl Iterator<Item = (u64, LogRecord)> {
        entries_above(self.kept, self.before.log())
    }
}

fn entries_above(index: u64, log: LogView<'_>) -> impl Iterator<Item = (u64, LogRecord)> {
    let first = index.max(log.start);
    let below = usize::try_from(first - log.start).unwrap_or(usize::MAX);
    (first + 1..).zip(log.records.iter().skip(below).copied())
}

fn everybody(nodes: usize) -> Voters {
    Voters::of(NodeSet::all(nodes.min(tribunal_histories::NODES_MAX)))
}

/// What is remembered of all nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Ghost {
    /// By node. Clones share what has not changed since.
    past: Vec<Arc<Past>>,
    committed: Arc<Committed>,
    states: Arc<States>,
}

impl Ghost {
    /// Shows an observation together with what was before it.
    pub(super) fn moment<'a>(&'a mut self, now: &'a Observation<'a>) -> Moment<'a> {
        let nodes = now.logs.nodes().max(now.node.index() + 1);
        if self.past.len() < nodes {
            self.past.resize_with(nodes, Arc::default);
        }
        let committed_before = self.committed.last_index();
        let before = &self.past[now.node.index()];
        if self.committed.lacks(&now.view) {
            // What a leader commits in a step it commits by the configuration in which the step began: it may append
            // the next one in the same step.
            let shown = before
                .voters
                .or(group_of(&now.view).map(|group| group.voters));
            let voters = shown.unwrap_or_else(|| everybody(nodes));
            Arc::make_mut(&mut self.committed).cover(now.node, voters, &now.view);
        }
        Moment {
            now,
            before,
            kept: before.kept_in(&now.view.log),
            disk_changed: before.disk_end != disk_end(now),
            committed: &self.committed,
            states: &self.states,
            committed_before,
            past: &self.past,
        }
    }

    /// A number that equal memories share: of what was ever committed. What nodes showed last is what they show now.
    pub(super) fn fingerprint(&self, renamings: &Renamings, which: usize) -> u64 {
        let remembered = (&*self.committed, &*self.states);
        renamings.fingerprints(&remembered).under(which)
    }

    /// Remembers an observation whose log is unchanged up to `kept`.
    pub(super) fn remember(&mut self, now: &Observation<'_>, kept: u64) {
        let past = &mut self.past[now.node.index()];
        if past.is_shown_by(now, kept) {
            return;
        }
        if now.view.applied_index != past.applied_index {
            Arc::make_mut(&mut self.states).remember(now.node, &now.view);
        }
        Arc::make_mut(past).remember(now, kept);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::properties::script::Log;

    use super::*;

    proptest! {
        /// Whatever happens to a log, its mirror follows, and what is told to be kept is what is equal.
        #[test]
        fn the_mirror_follows_the_log(edits in proptest::collection::vec((0..3, 0..6_u64, 0..3_u64), 1..40)) {
            let (mut log, mut past) = (Log::default(), Past::default());
            for (round, (edit, amount, term)) in (0_u8..).zip(edits) {
                let before = log.view().last_index();
                let lowest = log.view().start;
                match edit {
                    0 => log.append(term, &char::from(b'a' + round).to_string().repeat(amount as usize)),
                    1 => log.truncate(before.saturating_sub(amount).max(lowest)),
                    _ => log.compact((lowest + amount).min(before)),
                }
                let kept = past.kept_in(&log.view());
                prop_assert_eq!(kept, before.min(log.view().last_index()));
                past.remember_log(&log.view(), kept);
                prop_assert_eq!(past.log(), log.view());
            }
        }

        /// Of two logs that part somewhere, what is kept is what they share.
        #[test]
        fn what_is_kept_is_what_is_shared(shared in "[a-c]{0,6}", old in "[a-c]{0,6}", new in "[d-f]{0,6}") {
            let (mut log, mut other) = (Log::default(), Log::default());
            log.append(1, &format!("{shared}{old}"));
            other.append(1, &format!("{shared}{new}"));
            let mut past = Past::default();
            past.remember_log(&log.view(), 0);
            let kept = past.kept_in(&other.view());
            prop_assert_eq!(kept, shared.len() as u64);
            past.remember_log(&other.view(), kept);
            prop_assert_eq!(past.log(), other.view());
        }
    }
}
