//! raft-rs (`raft` on crates.io, by TiKV): a `RawNode` with an application around it.
//!
//! The library is sans-IO and deterministic but for one thing: it draws its election timeouts from
//! `rand::thread_rng`. Every tick therefore comes with a number that our driver draws from the seed, and after every
//! event that number becomes the timeout (`set_randomized_election_timeout`, public and hidden from the
//! documentation). Runs are then the same to the last message, and replay.
//!
//! The application does what the crate's documentation demands: a leader's messages go out at once, a follower's when
//! the entries, the hard state and the snapshot of their `Ready` are on disk. Releases from 0.6 on are told of that
//! afterwards (`advance_append_async`, `on_persist_ready`); older ones are given nothing in between.

pub(crate) mod config;
pub(crate) mod core;
pub(crate) mod held;
mod modern;
mod old;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use tribunal_histories::{Facet, GroupView, NodeId, NodeSet, PeerProgress, Role, View, Voters};
use tribunal_protocols::contract::ClientId;
use tribunal_protocols::state_machine::{Action, Command, Key, Output, StateMachine};

use self::config::{Config, Misuse, Reads};
use self::core::{Core, Due, Shown};
use self::held::{Change, Held};
use crate::journal::Journal;
use crate::recalled::{Deed, Given, Library, Recalled};
use crate::service::{Proposal, Response};

/// raft-rs 0.7.0, the current release.
pub(crate) type Raft0_7 = Recalled<Application<modern::V0_7>>;
/// raft-rs 0.6.0.
pub(crate) type Raft0_6 = Recalled<Application<modern::V0_6>>;
/// raft-rs 0.4.3.
pub(crate) type Raft0_4 = Recalled<Application<old::V0_4>>;

/// A node's application: the library, the service, and whom it owes an answer.
pub(crate) struct Application<C> {
    core: C,
    nodes: usize,
    machine: StateMachine,
    applied: u64,
    /// The number that came with the first tick since the election timer last began.
    drawn: u64,
    /// Clients' commands that were proposed here and are not applied.
    asked: BTreeSet<(ClientId, u32)>,
    /// Reads that the library was asked about, by context.
    reads: BTreeMap<Vec<u8>, (ClientId, u32, Key)>,
    /// Reads that wait for an entry to be applied.
    due_reads: Vec<(u64, ClientId, u32, Key)>,
    /// So many reads were asked for.
    read_count: u64,
    /// So many changes were written since ever.
    changes: u64,
    /// So many of them have reached the disk.
    synced: u64,
    /// So many things were due.
    dues: u64,
    /// Of the things that were due and are not on disk: how many changes must be, and the index of the snapshot, if there
    /// is one among them. The library may hear that a snapshot is applied only when it is on disk.
    unsynced: VecDeque<(u64, Option<u64>)>,
    /// What arrived while the library could be given nothing.
    inbox: VecDeque<Given>,
    peers: Vec<PeerProgress>,
    shown: Shown,
}

impl<C: Core> fmt::Debug for Application<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(C::NAME)
            .field("applied", &self.applied)
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

type Deeds = Vec<Deed<Held>>;

impl<C: Core> Application<C> {
    fn give(&mut self, config: &Config, given: &Given, deeds: &mut Deeds) {
        match given {
            Given::Message(_, message) => self.core.step(&message.bytes),
            Given::Tick(drawn) => {
                if self.core.elapsed() == 0 {
                    self.drawn = *drawn;
                    self.settle(config);
                }
                self.core.tick();
            }
            Given::Request(client, sequence, command) => {
                self.serve(config, *client, *sequence, *command, deeds);
            }
            Given::Synced(_) => {}
        }
        self.settle(config);
    }

    /// Puts our election timeout in the place of the library's.
    fn settle(&mut self, config: &Config) {
        let ticks = config.election_ticks + self.drawn % config.election_ticks;
        self.core.set_election_timeout(ticks);
    }

    fn serve(
        &mut self,
        config: &Config,
        client: ClientId,
        sequence: u32,
        command: Command,
        deeds: &mut Deeds,
    ) {
        let shown = self.core.shown();
        let leads = shown.role == Role::Leader;
        if !leads && !config.forwards {
            let leader = shown.leader;
            return deeds.push(Deed::Reply(client, sequence, Response::Elsewhere(leader)));
        }
        if leads && command.action == Action::Read && config.reads != Reads::Log {
            self.read_count += 1;
            let context = format!("{}.{}", shown.term, self.read_count).into_bytes();
            self.reads
                .insert(context.clone(), (client, sequence, command.key));
            return self.core.read_index(context);
        }
        let proposal = Proposal {
            client,
            sequence,
            command,
        };
        if self.core.propose(proposal.encoded()) {
            self.asked.insert((client, sequence));
        } else {
            deeds.push(Deed::Reply(client, sequence, Response::Elsewhere(None)));
        }
    }

    /// Does what the library wants done, until it wants no more.
    fn pump(&mut self, config: &Config, deeds: &mut Deeds) {
        loop {
            self.acknowledge();
            // Between a snapshot that is written and one that is on disk an election would ask 0.7.0 for entries that the
            // snapshot has replaced, and it panics (docs/findings.md): nothing is given to it then either.
            let blocks = C::BLOCKS || self.unsynced.iter().any(|due| due.1.is_some());
            if blocks && !self.unsynced.is_empty() {
                break;
            }
            if let Some(due) = self.core.ready() {
                self.carry_out(due, config, deeds);
            } else if let Some(given) = self.inbox.pop_front() {
                self.give(config, &given, deeds);
            } else {
                break;
            }
        }
        self.shown = self.core.shown();
        self.peers.clear();
        if self.shown.role == Role::Leader {
            self.peers = self.core.progress(self.nodes);
            for peer in self.peers.iter_mut().filter(|_| !config.shows_next_index) {
                peer.next_index = peer.next_index.max(peer.match_index + 1);
            }
        }
    }

    /// Tells the library what is on disk.
    fn acknowledge(&mut self) {
        while let Some((_, snapshot)) = self
            .unsynced
            .pop_front_if(|(changes, _)| *changes <= self.synced)
        {
            self.core.persisted(self.dues - self.unsynced.len() as u64);
            if let Some(index) = snapshot {
                self.core.applied(index);
            }
        }
    }

    fn carry_out(&mut self, due: Due, config: &Config, deeds: &mut Deeds) {
        let has = |misuse: Misuse| config.bugs.contains(misuse.into());
        let waits = due.must_sync || !config.trusts_must_sync;
        let writes_first = waits && !has(Misuse::SendsBeforePersisting);
        let send = |messages: Vec<_>, deeds: &mut Deeds| {
            deeds.extend(messages.into_iter().map(|(to, wire)| Deed::Send(to, wire)));
        };
        send(due.messages, deeds);
        let snapshot = due.snapshot.as_ref().map(|snapshot| snapshot.index);
        if let Some(snapshot) = &due.snapshot {
            self.machine = (*snapshot.machine).clone();
            self.applied = snapshot.index;
        }
        let change = Change {
            snapshot: due.snapshot,
            entries: due.entries,
            hard: due.hard.filter(|_| !has(Misuse::HardStateForgotten)),
        };
        let mut persisted_messages = due.persisted_messages;
        if !writes_first {
            send(std::mem::take(&mut persisted_messages), deeds);
        }
        let before = self.unsynced.back().map_or(self.synced, |last| last.0);
        if !change.is_empty() {
            self.write(change, deeds);
        }
        send(persisted_messages, deeds);
        self.dues += 1;
        self.unsynced
            .push_back((if waits { self.changes } else { before }, snapshot));
        self.core.written();
        if !due.committed.is_empty() {
            for (index, data) in due.committed {
                self.apply(index, &data, deeds);
            }
            self.core.applied(self.applied);
        }
        for (index, context) in due.reads {
            if let Some((client, sequence, key)) = self.reads.remove(&context) {
                self.due_reads.push((index, client, sequence, key));
            }
        }
        self.answer_reads(deeds);
        self.compact_when_due(config, deeds);
    }

    fn write(&mut self, change: Change, deeds: &mut Deeds) {
        use crate::journal::State;
        self.core.held().change(&change);
        self.changes += 1;
        deeds.push(Deed::Write(change));
    }

    fn apply(&mut self, index: u64, data: &[u8], deeds: &mut Deeds) {
        self.applied = index;
        let Some(proposal) = Proposal::decoded(data) else {
            return;
        };
        let Proposal {
            client,
            sequence,
            command,
        } = proposal;
        let output = self.machine.apply(client, sequence, command);
        if self.asked.remove(&(client, sequence))
            && let Some(output) = output
        {
            deeds.push(Deed::Reply(client, sequence, Response::Answer(output)));
        }
    }

    fn answer_reads(&mut self, deeds: &mut Deeds) {
        let (applied, machine) = (self.applied, &self.machine);
        self.due_reads.retain(|(index, client, sequence, key)| {
            if *index <= applied {
                let output = Output::Value(machine.read(*key));
                deeds.push(Deed::Reply(*client, *sequence, Response::Answer(output)));
            }
            *index > applied
        });
    }

    fn compact_when_due(&mut self, config: &Config, deeds: &mut Deeds) {
        let (applied, machine) = (self.applied, &self.machine);
        let held = self.core.held();
        if applied - held.snapshot.index < config.snapshot_after {
            return;
        }
        if let Some(snapshot) = held.compacted(applied, machine) {
            let change = Change {
                snapshot: Some(snapshot),
                ..Change::default()
            };
            self.write(change, deeds);
        }
    }
}

impl<C: Core> Library for Application<C> {
    const NAME: &'static str = C::NAME;
    type Config = Config;
    type State = Held;
    type Bug = Misuse;

    fn tick(config: &Config) -> (u64, u64) {
        // The number is for an election timeout to be drawn from.
        (config.tick_us, config.election_ticks)
    }

    fn start(me: NodeId, config: &Config, disk: &Journal<Held>, deeds: &mut Deeds) -> Self {
        let held = disk.state.clone();
        let (machine, applied) = ((*held.snapshot.machine).clone(), held.snapshot.index);
        let core = C::start(me, config, held);
        let shown = core.shown();
        let mut node = Self {
            core,
            nodes: config.nodes,
            machine,
            applied,
            drawn: 0,
            asked: BTreeSet::new(),
            reads: BTreeMap::new(),
            due_reads: Vec::new(),
            read_count: 0,
            changes: disk.changes,
            synced: disk.changes,
            dues: 0,
            unsynced: VecDeque::new(),
            inbox: VecDeque::new(),
            peers: Vec::new(),
            shown,
        };
        node.settle(config);
        node.pump(config, deeds);
        node
    }

    fn take(&mut self, config: &Config, given: &Given, deeds: &mut Deeds) {
        if let Given::Synced(changes) = given {
            self.synced = *changes;
        } else {
            self.inbox.push_back(given.clone());
        }
        self.pump(config, deeds);
    }

    fn view<'a>(&'a self, disk: &'a Held) -> View<'a> {
        use crate::journal::State;
        let voters = Voters::of(NodeSet::all(self.nodes));
        View {
            role: self.shown.role,
            term: self.shown.term,
            voted_for: self.shown.vote,
            log: disk.log(),
            commit_index: self.shown.commit,
            applied_index: self.applied,
            peers: &self.peers,
            state: self.machine.digest(),
            facet: Facet::Group(GroupView {
                leader: self.shown.leader,
                initial: voters,
                voters,
                ..GroupView::default()
            }),
        }
    }

    fn machine(&self) -> &StateMachine {
        &self.machine
    }
}
