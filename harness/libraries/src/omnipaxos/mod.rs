//! omnipaxos: Sequence Paxos with ballot leader election, with an application around it.
//!
//! The library is sans-IO and draws nothing at random: runs are the same to the last message, and replay. It writes to
//! its storage while it handles a message and takes every write for done, so the application gives it nothing more
//! until the disk has caught up, and its messages wait for that too.
//!
//! A node that starts from a disk on which there is a promise recovers by itself (`Phase::Recover`). The library assumes
//! links that keep the order of messages. Packets here are lost, doubled and reordered, so the application numbers its
//! messages, and throws away what comes late or twice; what is lost the library has to find out by its own sequence
//! numbers.

pub(crate) mod config;
pub(crate) mod held;

use std::collections::{BTreeSet, VecDeque};
use std::fmt;

use omnipaxos::messages::Message;
use omnipaxos::messages::sequence_paxos::PaxosMsg;
use omnipaxos::util::LogEntry;
use omnipaxos::{ClusterConfig, OmniPaxos, OmniPaxosConfig, ServerConfig};
use tribunal_histories::{NodeId, Role, View};
use tribunal_protocols::contract::ClientId;
use tribunal_protocols::state_machine::{Command, StateMachine};

use self::config::{Config, Misuse};
use self::held::{Held, Item, Operation, Store, node_of, number_of, pid_of};
use crate::journal::{Journal, State};
use crate::recalled::{Deed, Given, Library, Recalled};
use crate::service::{Proposal, Response};
use crate::wire::{Says, Wire};

/// omnipaxos.
pub(crate) type Omnipaxos = Recalled<Application<true>>;
/// The same, with entries whose type says that snapshots are not used.
pub(crate) type OmnipaxosWithoutSnapshots = Recalled<Application<false>>;

/// A node's application: the library, the service, and whom it owes an answer.
pub(crate) struct Application<const SNAPSHOTS: bool> {
    me: NodeId,
    library: OmniPaxos<Item<SNAPSHOTS>, Store>,
    store: Store,
    machine: StateMachine,
    applied: usize,
    asked: BTreeSet<(ClientId, u32)>,
    /// So many changes were written since ever.
    changes: u64,
    /// So many of them have reached the disk.
    synced: u64,
    inbox: VecDeque<Given>,
    life: u64,
    /// By node, how many messages were sent to it.
    sent: Vec<u64>,
    /// By node, the life and the number of the last message from it.
    received: Vec<(u64, u64)>,
    shown: Shown,
}

/// What it shows of itself.
#[derive(Clone, Copy, Debug, Default)]
struct Shown {
    role: Role,
    term: u64,
    promised_to: Option<NodeId>,
    decided: usize,
}

impl<const SNAPSHOTS: bool> fmt::Debug for Application<SNAPSHOTS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("omnipaxos")
            .field("applied", &self.applied)
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

/// The name with the release.
#[cfg(not(feature = "omnipaxos-0-2-3"))]
pub(crate) const NAME: &str = "omnipaxos-0.2.4";
/// The name with the release, of one that uses no snapshots.
#[cfg(not(feature = "omnipaxos-0-2-3"))]
pub(crate) const WITHOUT_SNAPSHOTS: &str = "omnipaxos-0.2.4-without-snapshots";
/// The name with the release.
#[cfg(feature = "omnipaxos-0-2-3")]
pub(crate) const NAME: &str = "omnipaxos-0.2.3";
/// The name with the release, of one that uses no snapshots.
#[cfg(feature = "omnipaxos-0-2-3")]
pub(crate) const WITHOUT_SNAPSHOTS: &str = "omnipaxos-0.2.3-without-snapshots";

type Deeds = Vec<Deed<Held>>;

/// A message in words, with its ballot and what it binds its sender to.
fn wire<const S: bool>(message: &Message<Item<S>>) -> Wire {
    let bytes = serde_json::to_vec(message).expect("a message is plain data");
    let (text, term, says) = match message {
        Message::BLE(message) => (format!("Heartbeat {:?}", message.msg), 0, Says::Nothing),
        Message::SequencePaxos(message) => match &message.msg {
            PaxosMsg::PrepareReq(ask) => ("PrepareReq".to_owned(), number_of(ask.n), Says::Asks),
            PaxosMsg::Prepare(ask) => (
                format!(
                    "Prepare decided {} accepted {}",
                    ask.decided_idx, ask.accepted_idx
                ),
                number_of(ask.n),
                Says::Nothing,
            ),
            PaxosMsg::Promise(promise) => (
                format!(
                    "Promise decided {} accepted {}",
                    promise.decided_idx, promise.accepted_idx
                ),
                number_of(promise.n),
                Says::Vote,
            ),
            PaxosMsg::AcceptSync(sync) => (
                format!(
                    "AcceptSync at {} +{} decided {}",
                    sync.log_sync.sync_idx,
                    sync.log_sync.suffix.len(),
                    sync.decided_idx
                ),
                number_of(sync.n),
                Says::Nothing,
            ),
            PaxosMsg::AcceptDecide(accept) => (
                format!(
                    "AcceptDecide +{} decided {}",
                    accept.entries.len(),
                    accept.decided_idx
                ),
                number_of(accept.n),
                Says::Nothing,
            ),
            PaxosMsg::Accepted(accepted) => (
                format!("Accepted {}", accepted.accepted_idx),
                number_of(accepted.n),
                Says::Nothing,
            ),
            PaxosMsg::NotAccepted(not) => {
                ("NotAccepted".to_owned(), number_of(not.n), Says::Nothing)
            }
            PaxosMsg::Decide(decide) => (
                format!("Decide {}", decide.decided_idx),
                number_of(decide.n),
                Says::Nothing,
            ),
            PaxosMsg::ProposalForward(entries) => (
                format!("ProposalForward +{}", entries.len()),
                0,
                Says::Nothing,
            ),
            other => (format!("{other:?}"), 0, Says::Nothing),
        },
    };
    let text = match term {
        0 => text,
        ballot => format!("{text} b{}.{}", ballot >> 8, ballot & 0xff),
    };
    Wire {
        text,
        term,
        says,
        place: (0, 0),
        bytes,
    }
}

impl<const SNAPSHOTS: bool> Application<SNAPSHOTS> {
    fn give(&mut self, config: &Config, given: &Given, deeds: &mut Deeds) {
        match given {
            Given::Message(from, message) => {
                let last = &mut self.received[from.index()];
                if config.ordered_links && message.place <= *last {
                    return;
                }
                *last = message.place;
                let message = serde_json::from_slice(&message.bytes)
                    .expect("the bytes are those of a message");
                self.library.handle_incoming(message);
            }
            Given::Tick(_) => self.library.tick(),
            Given::Request(client, sequence, command) => {
                self.serve(config, *client, *sequence, *command, deeds);
            }
            Given::Synced(_) => {}
        }
        self.finish(config, deeds);
    }

    fn serve(
        &mut self,
        config: &Config,
        client: ClientId,
        sequence: u32,
        command: Command,
        deeds: &mut Deeds,
    ) {
        if self.shown.role != Role::Leader && !config.forwards {
            let leader = self.shown.promised_to.filter(|leader| *leader != self.me);
            return deeds.push(Deed::Reply(client, sequence, Response::Elsewhere(leader)));
        }
        let proposal = Proposal {
            client,
            sequence,
            command,
        };
        match self.library.append(Item(proposal)) {
            Ok(()) => {
                self.asked.insert((client, sequence));
            }
            Err(_) => deeds.push(Deed::Reply(client, sequence, Response::Elsewhere(None))),
        }
    }

    /// Writes, sends and applies what came of an event.
    fn finish(&mut self, config: &Config, deeds: &mut Deeds) {
        if SNAPSHOTS
            && self.library.get_decided_idx()
                >= self.store.with(|shelf| shelf.held.compacted) + config.snapshot_after
        {
            // It refuses where there is nothing to be taken.
            let _ = self.library.snapshot(None, true);
        }
        let has = |misuse: Misuse| config.bugs.contains(misuse.into());
        let mut outgoing = Vec::new();
        self.library.take_outgoing_messages(&mut outgoing);
        let (life, sent) = (self.life, &mut self.sent);
        let sends = outgoing.iter().filter_map(|message| {
            let to = node_of(message.get_receiver())?;
            sent[to.index()] += 1;
            let place = (life, sent[to.index()]);
            Some(Deed::Send(
                to,
                Wire {
                    place,
                    ..wire(message)
                },
            ))
        });
        let mut changes = self.store.with(|shelf| std::mem::take(&mut shelf.changes));
        if has(Misuse::PromiseForgotten) {
            for change in &mut changes {
                change
                    .0
                    .retain(|operation| !matches!(operation, Operation::Promise(_)));
            }
        }
        self.changes += changes.len() as u64;
        let writes = changes.into_iter().map(Deed::Write);
        if has(Misuse::SendsBeforePersisting) {
            deeds.extend(sends);
            deeds.extend(writes);
        } else {
            deeds.extend(writes);
            deeds.extend(sends);
        }
        self.apply(deeds);
        self.show();
    }

    fn apply(&mut self, deeds: &mut Deeds) {
        let Some(decided) = self.library.read_decided_suffix(self.applied) else {
            return;
        };
        for entry in decided {
            match entry {
                LogEntry::Decided(Item(proposal)) => {
                    self.applied += 1;
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
                LogEntry::Snapshotted(snapshot) => {
                    self.machine = snapshot.snapshot.machine();
                    self.applied = snapshot.trimmed_idx;
                }
                LogEntry::Trimmed(_) | LogEntry::Undecided(_) | LogEntry::StopSign(..) => {}
            }
        }
    }

    fn show(&mut self) {
        let promise = self.library.get_promise();
        let leads = self.library.get_current_leader() == Some((pid_of(self.me), true));
        self.shown = Shown {
            role: if leads { Role::Leader } else { Role::Follower },
            term: number_of(promise),
            promised_to: node_of(promise.pid),
            decided: self.library.get_decided_idx(),
        };
    }

    fn pump(&mut self, config: &Config, deeds: &mut Deeds) {
        let trusts = config.bugs.contains(Misuse::SendsBeforePersisting.into());
        while self.synced >= self.changes || trusts {
            let Some(given) = self.inbox.pop_front() else {
                break;
            };
            self.give(config, &given, deeds);
        }
    }
}

impl<const SNAPSHOTS: bool> Library for Application<SNAPSHOTS> {
    const NAME: &'static str = if SNAPSHOTS { NAME } else { WITHOUT_SNAPSHOTS };
    type Config = Config;
    type State = Held;
    type Bug = Misuse;

    fn tick(config: &Config) -> (u64, u64) {
        (config.tick_us, 1)
    }

    fn start(me: NodeId, config: &Config, disk: &Journal<Held>, deeds: &mut Deeds) -> Self {
        let store = Store::default();
        store.with(|shelf| shelf.held = disk.state.clone());
        store.write(vec![Operation::Started]);
        let past = disk.state.past.clone().unwrap_or_default();
        let cluster_config = ClusterConfig {
            configuration_id: 1,
            nodes: NodeId::all(config.nodes).map(pid_of).collect(),
            flexible_quorum: None,
        };
        let server_config = ServerConfig {
            pid: pid_of(me),
            election_tick_timeout: config.election_ticks,
            resend_message_tick_timeout: config.resend_ticks,
            flush_batch_tick_timeout: 2,
            batch_size: config.batch_size,
            ..ServerConfig::default()
        };
        let set_up = OmniPaxosConfig {
            cluster_config,
            server_config,
        };
        let library = set_up
            .build(store.clone())
            .expect("the configuration is one that the library takes");
        let mut node = Self {
            me,
            library,
            store,
            machine: past.machine(),
            applied: disk.state.compacted,
            asked: BTreeSet::new(),
            changes: disk.changes,
            synced: disk.changes,
            inbox: VecDeque::new(),
            life: disk.state.life + 1,
            sent: vec![0; config.nodes],
            received: vec![(0, 0); config.nodes],
            shown: Shown::default(),
        };
        node.finish(config, deeds);
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
        View {
            role: self.shown.role,
            term: self.shown.term,
            voted_for: self.shown.promised_to,
            log: disk.log(),
            commit_index: self.shown.decided as u64,
            applied_index: self.applied as u64,
            state: self.machine.digest(),
            ..View::default()
        }
    }

    fn machine(&self) -> &StateMachine {
        &self.machine
    }
}
