//! openraft's storage over the simulated disk.

use std::fmt::Debug;
use std::io::Cursor;
use std::ops::{Bound, RangeBounds};
use std::time::Duration;

use openraft::storage::{LogFlushed, RaftLogStorage, RaftStateMachine};
use openraft::{
    EntryPayload, LogState, OptionalSend, RaftLogReader, RaftSnapshotBuilder, SnapshotMeta,
};
use tribunal_histories::{Cause, NodeId};

use crate::disk::{Snapshot, Write, after};
use crate::types::{Answer, Entry, LogId, StorageError, StoredMembership, Types, Vote};
use crate::world::Shared;

/// The storage of one node in one of its lives.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) world: Shared,
    pub(crate) node: NodeId,
    pub(crate) life: u64,
}

impl Store {
    /// Whether the node still lives the life that this is of.
    fn lives(&self) -> bool {
        let mut world = self.world.lock();
        let site = world.site(self.node);
        site.life == self.life
    }

    fn write(&self, write: Write) -> (u64, Duration) {
        self.world.lock().write(self.node, write)
    }

    fn synced(&self, number: u64) {
        if self.lives() {
            self.world.lock().sync(self.node, number);
        }
    }

    /// Whether entries are not to be purged yet, for the snapshot that has them is not on disk.
    fn waits_with_purging(&self, upto: &LogId) -> bool {
        let mut world = self.world.lock();
        let is_careful = world.config.purges_after_snapshots;
        is_careful && !world.site(self.node).disk.synced.covers(upto)
    }

    /// Writes, and waits until that is on disk.
    async fn write_through(&self, write: Write) {
        let (number, after) = self.write(write);
        madsim::time::sleep(after).await;
        self.synced(number);
    }
}

impl RaftLogReader<Types> for Store {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, StorageError> {
        let from = match range.start_bound() {
            Bound::Included(first) => *first,
            Bound::Excluded(before) => before + 1,
            Bound::Unbounded => 0,
        };
        let to = match range.end_bound() {
            Bound::Included(last) => last + 1,
            Bound::Excluded(end) => *end,
            Bound::Unbounded => u64::MAX,
        };
        Ok(self
            .world
            .lock()
            .site(self.node)
            .disk
            .written
            .slice(from, to))
    }
}

impl RaftLogStorage<Types> for Store {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, StorageError> {
        let mut world = self.world.lock();
        let state = &world.site(self.node).disk.written;
        Ok(LogState {
            last_purged_log_id: state.purged,
            last_log_id: state.last(),
        })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        self.write_through(Write::Vote(*vote)).await;
        Ok(())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        Ok(self.world.lock().site(self.node).disk.written.vote)
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError> {
        let saves = self.world.lock().config.saves_committed;
        if saves {
            self.write_through(Write::Committed(committed)).await;
        }
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, StorageError> {
        Ok(self.world.lock().site(self.node).disk.written.committed)
    }

    async fn append<I>(
        &mut self,
        entries: I,
        callback: LogFlushed<Types>,
    ) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let (number, after) = self.write(Write::Append(entries.into_iter().collect()));
        let store = self.clone();
        madsim::task::spawn(async move {
            madsim::time::sleep(after).await;
            store.synced(number);
            callback.log_io_completed(Ok(()));
        });
        Ok(())
    }

    async fn truncate(&mut self, log_id: LogId) -> Result<(), StorageError> {
        self.write_through(Write::Truncate(log_id.index)).await;
        Ok(())
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), StorageError> {
        // The library asks for this as soon as it has told its state machine to install a snapshot (docs/findings.md).
        while self.waits_with_purging(&log_id) {
            madsim::time::sleep(Duration::from_millis(1)).await;
        }
        let record = self.world.lock().record_of(self.node, &log_id);
        self.write_through(Write::Purge(log_id, record)).await;
        Ok(())
    }
}

fn described(snapshot: &Snapshot) -> openraft::Snapshot<Types> {
    let bytes = serde_json::to_vec(snapshot).expect("a snapshot is plain data");
    openraft::Snapshot {
        meta: SnapshotMeta {
            last_log_id: Some(snapshot.last),
            last_membership: snapshot.membership.clone(),
            snapshot_id: snapshot.id.clone(),
        },
        snapshot: Box::new(Cursor::new(bytes)),
    }
}

impl RaftSnapshotBuilder<Types> for Store {
    async fn build_snapshot(&mut self) -> Result<openraft::Snapshot<Types>, StorageError> {
        let snapshot = {
            let mut world = self.world.lock();
            let site = world.site(self.node);
            let last = site
                .applied
                .expect("the library takes a snapshot of something");
            Snapshot {
                last,
                record: site.applied_record,
                membership: site.membership.clone(),
                machine: site.machine.clone(),
                id: format!("{last}"),
            }
        };
        self.write_through(Write::Snapshot(snapshot.clone())).await;
        Ok(described(&snapshot))
    }
}

impl RaftStateMachine<Types> for Store {
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), StorageError> {
        let mut world = self.world.lock();
        let site = world.site(self.node);
        Ok((site.applied, site.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Answer>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut world = self.world.lock();
        let mut answers = Vec::new();
        for entry in entries {
            let site = world.site(self.node);
            site.applied = Some(entry.log_id);
            site.applied_record = after(site.applied_record, &entry);
            answers.push(match entry.payload {
                EntryPayload::Blank => Answer(None),
                EntryPayload::Normal(proposal) => Answer(site.machine.apply(
                    proposal.client,
                    proposal.sequence,
                    proposal.command,
                )),
                EntryPayload::Membership(membership) => {
                    site.membership = StoredMembership::new(Some(entry.log_id), membership);
                    Answer(None)
                }
            });
            world.observe(self.node, Cause::Step);
        }
        Ok(answers)
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<Cursor<Vec<u8>>>, StorageError> {
        Ok(Box::default())
    }

    async fn install_snapshot(
        &mut self,
        _meta: &SnapshotMeta<u64, openraft::BasicNode>,
        snapshot: Box<Cursor<Vec<u8>>>,
    ) -> Result<(), StorageError> {
        let snapshot: Snapshot = serde_json::from_slice(snapshot.get_ref())
            .expect("what is in a snapshot was put there by `described`");
        // At once: a snapshot that is built meanwhile must not be of what was before, and take this one's place.
        self.world.lock().site(self.node).load(&snapshot);
        self.write_through(Write::Snapshot(snapshot)).await;
        Ok(())
    }

    async fn get_current_snapshot(
        &mut self,
    ) -> Result<Option<openraft::Snapshot<Types>>, StorageError> {
        let mut world = self.world.lock();
        let snapshot = world.site(self.node).disk.written.snapshot.as_ref();
        Ok(snapshot.map(described))
    }
}
