//! What omnipaxos keeps on disk, by the operations of its `Storage` trait.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use omnipaxos::ballot_leader_election::Ballot;
use omnipaxos::storage::{Entry, Snapshot, StopSign, Storage, StorageOp, StorageResult};
use serde::{Deserialize, Serialize};
use tribunal_histories::{Digest, LogRecord, LogView, NodeId, View};
use tribunal_protocols::state_machine::StateMachine;

use crate::journal::State;
use crate::service::Proposal;

/// A snapshot: all that it stands for. It takes the place of the log's beginning, and can be added to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Past(pub(crate) Vec<Proposal>);

/// An entry of the library's log. The library decides by its type whether snapshots are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Item<const SNAPSHOTS: bool>(pub(crate) Proposal);

impl<const SNAPSHOTS: bool> Snapshot<Item<SNAPSHOTS>> for Past {
    fn create(entries: &[Item<SNAPSHOTS>]) -> Self {
        Self(entries.iter().map(|item| item.0).collect())
    }

    fn merge(&mut self, delta: Self) {
        self.0.extend(delta.0);
    }

    fn use_snapshots() -> bool {
        SNAPSHOTS
    }
}

impl Past {
    /// The state that it comes to.
    pub(crate) fn machine(&self) -> StateMachine {
        let mut machine = StateMachine::default();
        for proposal in &self.0 {
            machine.apply(proposal.client, proposal.sequence, proposal.command);
        }
        machine
    }

    fn digest(&self) -> Digest {
        self.0
            .iter()
            .fold(Digest::default(), |digest, entry| digest.then(entry))
    }
}

impl<const SNAPSHOTS: bool> Entry for Item<SNAPSHOTS> {
    type Snapshot = Past;
}

fn proposals<const S: bool>(items: Vec<Item<S>>) -> Vec<Proposal> {
    items.into_iter().map(|item| item.0).collect()
}

fn items<const S: bool>(proposals: Option<&[Proposal]>) -> Vec<Item<S>> {
    proposals
        .unwrap_or_default()
        .iter()
        .copied()
        .map(Item)
        .collect()
}

/// A ballot, as our files have it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub(crate) struct Round {
    n: u32,
    priority: u32,
    pid: u64,
    config_id: u32,
}

impl From<Ballot> for Round {
    fn from(ballot: Ballot) -> Self {
        Self {
            n: ballot.n,
            priority: ballot.priority,
            pid: ballot.pid,
            config_id: ballot.config_id,
        }
    }
}

impl From<Round> for Ballot {
    fn from(round: Round) -> Self {
        Self::with(round.config_id, round.n, round.priority, round.pid)
    }
}

/// A ballot as one number, in the order of ballots: who has it last of all.
pub(crate) fn number_of(ballot: Ballot) -> u64 {
    u64::from(ballot.n) << 8 | ballot.pid & 0xff
}

/// One operation on the storage.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Operation {
    /// Entries take the place of those from an index on.
    Append(usize, Vec<Proposal>),
    /// A promise.
    Promise(Round),
    /// The decided index.
    Decided(usize),
    /// The round in which the last entries were accepted.
    AcceptedRound(Round),
    /// The index before which the log is gone.
    Compacted(usize),
    /// Entries before an index are to go.
    Trim(usize),
    /// A snapshot.
    Snapshot(Option<Past>),
    /// The application starts.
    Started,
}

/// What is written at once: one call of the library's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Change(pub(crate) Vec<Operation>);

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |operation: &Operation| match operation {
            Operation::Append(from, entries) => format!("{} entries from {from}", entries.len()),
            Operation::Promise(round) => format!("promise {}.{}", round.n, round.pid),
            Operation::Decided(index) => format!("decided {index}"),
            Operation::AcceptedRound(round) => format!("accepted in {}.{}", round.n, round.pid),
            Operation::Compacted(index) => format!("compacted {index}"),
            Operation::Trim(index) => format!("trim {index}"),
            Operation::Started => "started".to_owned(),
            Operation::Snapshot(past) => {
                format!(
                    "snapshot of {}",
                    past.as_ref().map_or(0, |past| past.0.len())
                )
            }
        };
        f.write_str(&self.0.iter().map(told).collect::<Vec<_>>().join(", "))
    }
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) promise: Option<Round>,
    pub(crate) accepted_round: Option<Round>,
    pub(crate) decided: usize,
    pub(crate) compacted: usize,
    pub(crate) past: Option<Past>,
    /// How often the application was started.
    pub(crate) life: u64,
    entries: Vec<Proposal>,
    base: LogRecord,
    records: Vec<LogRecord>,
}

impl Held {
    fn end(&self) -> usize {
        self.compacted + self.entries.len()
    }

    fn perform(&mut self, operation: &Operation) {
        match operation {
            Operation::Append(from, entries) => {
                let place = from.saturating_sub(self.compacted);
                self.entries.truncate(place);
                self.records.truncate(place);
                for entry in entries {
                    let before = self.records.last().copied().unwrap_or(self.base);
                    self.records.push(LogRecord {
                        term: 0,
                        prefix: before.prefix.then(entry),
                    });
                    self.entries.push(*entry);
                }
            }
            Operation::Promise(round) => self.promise = Some(*round),
            Operation::Decided(index) => self.decided = *index,
            Operation::AcceptedRound(round) => self.accepted_round = Some(*round),
            Operation::Compacted(index) => self.compacted = *index,
            Operation::Trim(index) => {
                let count = index.saturating_sub(self.compacted).min(self.entries.len());
                self.entries.drain(..count);
                self.records.drain(..count);
            }
            Operation::Started => self.life += 1,
            Operation::Snapshot(past) => {
                let prefix = past.as_ref().map_or_else(Digest::default, Past::digest);
                self.base = LogRecord { term: 0, prefix };
                self.past.clone_from(past);
            }
        }
    }
}

impl State for Held {
    type Change = Change;

    fn change(&mut self, change: &Change) {
        for operation in &change.0 {
            self.perform(operation);
        }
    }

    fn log(&self) -> LogView<'_> {
        LogView {
            start: self.compacted as u64,
            base: self.base,
            records: &self.records,
        }
    }

    fn view(&self) -> View<'_> {
        let promise = self.promise.map(Ballot::from);
        let past = self.past.as_ref();
        View {
            term: promise.map_or(0, number_of),
            voted_for: promise.and_then(|ballot| node_of(ballot.pid)),
            log: self.log(),
            commit_index: self.decided as u64,
            applied_index: self.compacted as u64,
            state: past.map_or_else(Digest::default, |past| past.machine().digest()),
            ..View::default()
        }
    }
}

/// The node that the library knows by this number; 0 is none.
pub(crate) fn node_of(pid: u64) -> Option<NodeId> {
    let index = usize::try_from(pid).ok()?.checked_sub(1)?;
    Some(NodeId::from_index(index))
}

/// The library's number of a node.
pub(crate) fn pid_of(node: NodeId) -> u64 {
    node.index() as u64 + 1
}

/// What the library reads and writes, and what of that has yet to be written down.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    /// With every write so far.
    pub(crate) held: Held,
    /// The writes since this was last taken.
    pub(crate) changes: Vec<Change>,
}

/// The library's storage. It is the library's, so what is in it is shared with the application.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store(pub(crate) Arc<Mutex<Shelf>>);

impl Store {
    /// Looks at what is in it, or changes it.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Shelf) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes.
    pub(crate) fn write(&self, operations: Vec<Operation>) {
        let change = Change(operations);
        self.with(|shelf| {
            shelf.held.change(&change);
            shelf.changes.push(change);
        });
    }
}

/// The operation that the library names so; nothing for stop signs, which end a configuration and are not used here.
fn operation<const S: bool>(op: StorageOp<Item<S>>, end: &RefCell<usize>) -> Option<Operation> {
    Some(match op {
        StorageOp::AppendEntry(entry) => {
            let from = end.replace_with(|end| *end + 1);
            Operation::Append(from, vec![entry.0])
        }
        StorageOp::AppendEntries(entries) => {
            let from = end.replace_with(|end| *end + entries.len());
            Operation::Append(from, proposals(entries))
        }
        StorageOp::AppendOnPrefix(from, entries) => {
            end.replace(from + entries.len());
            Operation::Append(from, proposals(entries))
        }
        StorageOp::SetPromise(ballot) => Operation::Promise(ballot.into()),
        StorageOp::SetDecidedIndex(index) => Operation::Decided(index),
        StorageOp::SetAcceptedRound(ballot) => Operation::AcceptedRound(ballot.into()),
        StorageOp::SetCompactedIdx(index) => Operation::Compacted(index),
        StorageOp::Trim(index) => Operation::Trim(index),
        StorageOp::SetSnapshot(past) => Operation::Snapshot(past),
        StorageOp::SetStopsign(_) => return None,
    })
}

impl<const S: bool> Storage<Item<S>> for Store {
    fn write_atomically(&mut self, ops: Vec<StorageOp<Item<S>>>) -> StorageResult<()> {
        let end = RefCell::new(self.with(|shelf| shelf.held.end()));
        let operations = ops.into_iter().filter_map(|op| operation(op, &end));
        self.write(operations.collect());
        Ok(())
    }

    fn append_entry(&mut self, entry: Item<S>) -> StorageResult<()> {
        Storage::<Item<S>>::append_entries(self, vec![entry])
    }

    fn append_entries(&mut self, entries: Vec<Item<S>>) -> StorageResult<()> {
        Storage::<Item<S>>::write_atomically(self, vec![StorageOp::AppendEntries(entries)])
    }

    fn append_on_prefix(&mut self, from_idx: usize, entries: Vec<Item<S>>) -> StorageResult<()> {
        Storage::<Item<S>>::write_atomically(
            self,
            vec![StorageOp::AppendOnPrefix(from_idx, entries)],
        )
    }

    fn set_promise(&mut self, n_prom: Ballot) -> StorageResult<()> {
        Storage::<Item<S>>::write_atomically(self, vec![StorageOp::SetPromise(n_prom)])
    }

    fn set_decided_idx(&mut self, ld: usize) -> StorageResult<()> {
        Storage::<Item<S>>::write_atomically(self, vec![StorageOp::SetDecidedIndex(ld)])
    }

    fn get_decided_idx(&self) -> StorageResult<usize> {
        Ok(self.with(|shelf| shelf.held.decided))
    }

    fn set_accepted_round(&mut self, na: Ballot) -> StorageResult<()> {
        Storage::<Item<S>>::write_atomically(self, vec![StorageOp::SetAcceptedRound(na)])
    }

    fn get_accepted_round(&self) -> StorageResult<Option<Ballot>> {
        Ok(self.with(|shelf| shelf.held.accepted_round.map(Ballot::from)))
    }

    fn get_entries(&self, from: usize, to: usize) -> StorageResult<Vec<Item<S>>> {
        Ok(self.with(|shelf| {
            let held = &shelf.held;
            let place = |index: usize| index.saturating_sub(held.compacted);
            let slice = held.entries.get(place(from)..place(to));
            items(slice)
        }))
    }

    fn get_log_len(&self) -> StorageResult<usize> {
        Ok(self.with(|shelf| shelf.held.entries.len()))
    }

    fn get_suffix(&self, from: usize) -> StorageResult<Vec<Item<S>>> {
        Ok(self.with(|shelf| {
            let place = from.saturating_sub(shelf.held.compacted);
            let slice = shelf.held.entries.get(place..);
            items(slice)
        }))
    }

    fn get_promise(&self) -> StorageResult<Option<Ballot>> {
        Ok(self.with(|shelf| shelf.held.promise.map(Ballot::from)))
    }

    fn set_stopsign(&mut self, _s: Option<StopSign>) -> StorageResult<()> {
        Ok(())
    }

    fn get_stopsign(&self) -> StorageResult<Option<StopSign>> {
        Ok(None)
    }

    fn trim(&mut self, idx: usize) -> StorageResult<()> {
        Storage::<Item<S>>::write_atomically(self, vec![StorageOp::Trim(idx)])
    }

    fn set_compacted_idx(&mut self, idx: usize) -> StorageResult<()> {
        Storage::<Item<S>>::write_atomically(self, vec![StorageOp::SetCompactedIdx(idx)])
    }

    fn get_compacted_idx(&self) -> StorageResult<usize> {
        Ok(self.with(|shelf| shelf.held.compacted))
    }

    fn set_snapshot(&mut self, snapshot: Option<Past>) -> StorageResult<()> {
        Storage::<Item<S>>::write_atomically(self, vec![StorageOp::SetSnapshot(snapshot)])
    }

    fn get_snapshot(&self) -> StorageResult<Option<Past>> {
        Ok(self.with(|shelf| shelf.held.past.clone()))
    }
}
