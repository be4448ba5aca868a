//! Views: what one node shows of itself, and all that a cluster property may look at.
//!
//! A view borrows from the node, so that taking one costs nothing: properties are asked after every step.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::node::NodeId;
use crate::node_set::NodeSet;
use crate::primaries::{HistoryClaim, PrimariesView};
use crate::quorum::Quorum;
use crate::transaction::{CommitmentView, TransactionId};
use crate::value::Value;
use crate::voters::{Voters, VotersRecord};

/// What a node is doing in its group.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It follows a leader or waits for one.
    #[default]
    Follower,
    /// It asks whether it could win an election, without starting one.
    PreCandidate,
    /// It asks for votes.
    Candidate,
    /// It leads.
    Leader,
    /// It lost its disk, and takes no part before it has re-learned what it needs (Viewstamped Replication Revisited,
    /// §4.3: status *recovering*).
    Recovering,
}

/// A log entry as a property sees it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct LogRecord {
    /// The term (epoch, ballot) under which the entry was created.
    pub term: u64,
    /// A digest of this entry and all before it: equal digests mean equal prefixes.
    pub prefix: Digest,
}

/// A log: entries `start + 1 ..= start + records.len()`, what precedes them being compacted into `base`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogView<'a> {
    /// The index of the last compacted entry; 0 when nothing was compacted.
    pub start: u64,
    /// The last compacted entry.
    pub base: LogRecord,
    /// The entries after it.
    pub records: &'a [LogRecord],
}

impl LogView<'_> {
    /// The index of the last entry; 0 when the log is empty.
    pub fn last_index(&self) -> u64 {
        self.start + self.records.len() as u64
    }

    /// The last entry.
    pub fn last(&self) -> LogRecord {
        self.records.last().copied().unwrap_or(self.base)
    }

    /// The entry at an index; the compacted base counts, what lies before it is gone.
    pub fn at(&self, index: u64) -> Option<LogRecord> {
        if index == self.start {
            return Some(self.base);
        }
        let offset = index.checked_sub(self.start + 1)?;
        self.records.get(usize::try_from(offset).ok()?).copied()
    }
}

/// What a leader believes of a peer.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct PeerProgress {
    /// The peer's log is known to equal the leader's up to here.
    pub match_index: u64,
    /// The next entry to send to it.
    pub next_index: u64,
}

/// What a node shows of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View<'a> {
    /// What it is doing.
    pub role: Role,
    /// Its term, epoch or ballot.
    pub term: u64,
    /// For whom it voted in this term.
    pub voted_for: Option<NodeId>,
    /// Its log.
    pub log: LogView<'a>,
    /// It knows that entries up to here are committed.
    pub commit_index: u64,
    /// Its state machine has applied entries up to here.
    pub applied_index: u64,
    /// By node, what it believes of its peers; empty unless it leads.
    pub peers: &'a [PeerProgress],
    /// A digest of its state machine's state at `applied_index`; the default, if it does not tell.
    pub state: Digest,
    /// What it shows besides, by the family of its protocol.
    pub facet: Facet<'a>,
}

/// What a node shows of itself that is no log: a variant for each family of protocols.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Facet<'a> {
    /// Nothing.
    #[default]
    None,
    /// Whom it knows, and what it believes of each.
    Members(MembersView<'a>),
    /// What it knows of a table that all nodes have a copy of, in the order of its cells.
    Table(&'a [TableEntry]),
    /// Whom its group consists of, as far as its log says, and what it does as a member of it.
    Group(GroupView<'a>),
    /// A replica of a state machine.
    Replica(ReplicaView<'a>),
    /// By which quorums it goes, and what it has learned (Paxos and its kin).
    Ballots(BallotView<'a>),
    /// Where it stands in transactions that several nodes commit together or not at all.
    Commitment(CommitmentView<'a>),
    /// As the primary of a view: its members, all of which must have an operation on their disks before it is
    /// acknowledged.
    Replicas(NodeSet),
    /// Where it stands with primaries, each of which broadcasts in an epoch of its own.
    Primaries(PrimariesView<'a>),
}

/// A record of a table that spreads from node to node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableEntry {
    /// The number of the object that it is about.
    pub key: u32,
    /// The one node that may write it, where there is one: a share of a counter.
    pub owner: Option<NodeId>,
    /// When it was written, by its author's clock.
    pub time: u64,
    /// Who wrote it.
    pub author: NodeId,
    /// A digest of the value; `None` if it says that there is none any more.
    pub value: Option<Digest>,
}

/// What a member of a replicated group shows of the group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupView<'a> {
    /// Whom it takes for the leader, as far as it has heard of it of late; itself, if it leads.
    pub leader: Option<NodeId>,
    /// The configuration before any in the log.
    pub initial: Voters,
    /// The configurations in its log, oldest first.
    pub changes: &'a [VotersRecord],
    /// The configuration that it acts by.
    pub voters: Voters,
    /// The reads that it has received and not yet answered.
    pub reads: &'a [PendingRead],
    /// Whether it holds a lease: it answers reads without asking anybody.
    pub lease: bool,
}

/// A read that waits for what makes its answer linearizable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PendingRead {
    /// The client that asks.
    pub client: u32,
    /// Which of its operations it is.
    pub sequence: u32,
    /// The number of the object's key.
    pub key: u32,
    /// What is applied must cover this entry.
    pub index: u64,
    /// A quorum must have answered this round of questions whether the node still leads.
    pub round: u64,
}

/// What a replica shows of its state machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplicaView<'a> {
    /// The commands that it has executed since it started, in order: repetitions that were only answered again are
    /// not among them.
    pub executed: &'a [Execution],
    /// It holds a lease: it may answer reads and ask nobody.
    pub holds_lease: bool,
}

/// That a replica executed a client's command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Execution {
    /// The entry or slot of the log that it executed.
    pub index: u64,
    /// Who asked.
    pub client: u32,
    /// Which of the client's operations it is.
    pub sequence: u32,
}

/// What a node of the Paxos family shows: how it counts, and what it takes for chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BallotView<'a> {
    /// Which sets of acceptors let a ballot go on with their promises (phase 1).
    pub prepare_quorum: &'a Quorum,
    /// Which sets of acceptors choose a value with their acceptances (phase 2).
    pub accept_quorum: &'a Quorum,
    /// What it has learned, in the order in which it has since it started. Where values are told by claims alone
    /// ([`Claim::Learned`]) it stays empty.
    pub learned: &'a [Learned],
}

/// A value that is taken for chosen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Learned {
    /// The slot of the log; 0 where there is only one decision.
    pub slot: u64,
    /// The value.
    pub value: Value,
}

/// What a node shows of the membership of its cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MembersView<'a> {
    /// Whom it knows, itself included, in the order of their names.
    pub members: &'a [MemberView],
    /// How a suspicion is taken back.
    pub retraction: Retraction,
    /// What others have reported to it of members that they suspect, and that it has kept.
    pub reports: &'a [Report],
    /// Its own count of time, in ticks since it started.
    pub now: u64,
    /// How many ticks a report counts.
    pub window: u64,
    /// By slot, who owns it.
    pub slots: &'a [Ownership],
}

/// How it is taken back that a member is suspected or gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retraction {
    /// By the member alone, with a higher incarnation (SWIM).
    #[default]
    Incarnation,
    /// By whoever hears from it (Redis Cluster).
    Contact,
}

/// What a node believes of a member of its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MemberView {
    /// Of whom.
    pub member: NodeId,
    /// Which of its lives: a member that was removed and joins again lives anew.
    pub generation: u64,
    /// How often it has taken back, in this life, that it is suspected, as far as the node knows.
    pub incarnation: u64,
    /// How that incarnation is.
    pub status: MemberStatus,
    /// Whether it has a vote on who is gone (Redis Cluster: a master).
    pub votes: bool,
}

/// `n2 g1.0 alive`: name, life and incarnation, status; and `replica` for a member without a vote.
impl fmt::Display for MemberView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (member, generation, incarnation) = (self.member, self.generation, self.incarnation);
        let role = if self.votes { "" } else { " replica" };
        write!(
            f,
            "{member} g{generation}.{incarnation} {}{role}",
            self.status.name()
        )
    }
}

/// How a member is believed to be.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum MemberStatus {
    /// It answers.
    #[default]
    Alive,
    /// It does not answer (SWIM: suspect; Redis Cluster: PFAIL).
    Suspect,
    /// It is agreed to be gone (SWIM: dead; Redis Cluster: FAIL).
    Dead,
    /// It was removed, or left: this life of it is over.
    Removed,
}

impl MemberStatus {
    /// Its name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Suspect => "suspect",
            Self::Dead => "dead",
            Self::Removed => "removed",
        }
    }
}

/// Someone told this node that it suspects a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Report {
    /// Whom.
    pub about: NodeId,
    /// Who told.
    pub by: NodeId,
    /// When it was last told, by this node's own count of ticks.
    pub at: u64,
}

/// Who owns a slot, a share of a cluster's keys, and since which epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ownership {
    /// The configuration epoch of the owner's claim.
    pub epoch: u64,
    /// The owner.
    pub owner: NodeId,
}

/// A message as a property sees it: who claims what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageView {
    /// To whom.
    pub to: NodeId,
    /// The sender's term in it.
    pub term: u64,
    /// Whether it binds its sender to a vote for the receiver in that term. A pre-vote does not.
    pub grants_vote: bool,
    /// What else its sender claims or binds itself to in it.
    pub claims: Vec<Claim>,
}

/// What the sender of a message claims, or binds itself to: the steps of a protocol as its proof names them.
///
/// A message to oneself makes its claims as well: what the protocols' roles tell each other on one node counts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// An acceptor promises to take part in no ballot below this one (Paxos, phase 1b), and says what it has accepted.
    Promised {
        /// The ballot.
        ballot: u64,
        /// It tells of this slot and those after it; 0 where it tells of all, or there is only one decision.
        first_slot: u64,
        /// Its acceptances in these slots: of each slot the one of the highest ballot.
        accepted: Vec<Vote>,
    },
    /// Of which slots a promise tells the acceptances (Multi-Paxos, phase 1b for many slots at once).
    Covers {
        /// The ballot.
        ballot: u64,
        /// The first slot.
        first: u64,
        /// The last; `None` where it tells of all that follow.
        last: Option<u64>,
    },
    /// A proposer asks acceptors to accept (phase 2a).
    Proposed(Vote),
    /// An acceptor has accepted (phase 2b).
    Accepted(Vote),
    /// A leader tells its initial history of an epoch (ZAB: NEWLEADER).
    Leads(HistoryClaim),
    /// A follower has taken over the leader's history and epoch, on its disk (ZAB: the acknowledgement of NEWLEADER).
    Follows(HistoryClaim),
    /// A primary broadcasts a transaction, perhaps again (ZAB: PROPOSE).
    Broadcasts(HistoryClaim),
    /// A follower has its leader's history up to a transaction on its disk (ZAB: ACK).
    Stored(HistoryClaim),
    /// A leader tells that transactions are committed up to one (ZAB: COMMIT).
    Commits(HistoryClaim),
    /// A node says that it would vote for the receiver in this term; that binds it to nothing (a pre-vote).
    WouldVote {
        /// The term.
        term: u64,
    },
    /// A leader asks the receiver to take over the lead from it.
    HandedOver,
    /// A leader answers a client's read; a claim about a message to oneself, for clients are not nodes.
    ReadServed {
        /// The client.
        client: u32,
        /// Which of its operations.
        sequence: u32,
        /// The term in which the leader leads.
        term: u64,
        /// All entries up to here are in what was read.
        index: u64,
    },
    /// A learner takes a value for chosen, and says so.
    Learned(Learned),
    /// A coordinator asks a participant to prepare a transaction.
    Asked {
        /// The transaction.
        transaction: TransactionId,
        /// The nodes that take part.
        participants: NodeSet,
        /// The one node that can decide.
        arbiter: NodeId,
    },
    /// A participant says whether it can commit a transaction; a yes binds it to whatever is decided.
    Prepared {
        /// The transaction.
        transaction: TransactionId,
        /// Whether it can.
        yes: bool,
    },
    /// A transaction is decided.
    Decided {
        /// The transaction.
        transaction: TransactionId,
        /// Whether it is to commit.
        commit: bool,
    },
    /// A node says what it believes of a member of its cluster.
    Member(MemberView),
    /// A node tells another that a member is agreed to be gone: a verdict, where [`Claim::Member`] is an opinion.
    Gone {
        /// The member.
        member: NodeId,
        /// Which of its lives.
        generation: u64,
    },
    /// A node asks another to reach a member on its behalf.
    AskedToReach(NodeId),
}

/// A value in a slot under a ballot: what Paxos votes are about (`Voting.tla`: `votes`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Vote {
    /// The ballot.
    pub ballot: u64,
    /// The slot of the log; 0 where there is only one decision.
    pub slot: u64,
    /// The value.
    pub value: Value,
}

/// Why a node is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It started, for the first time or after a crash: what is volatile begins anew.
    Boot,
    /// It took a step.
    Step,
    /// What it had written reached its disk.
    Sync,
    /// It crashed: the view is that of a node that has only its disk.
    Crash,
}

/// The logs of the whole group, for properties that compare nodes.
pub trait Logs {
    /// How many nodes there are.
    fn nodes(&self) -> usize;

    /// The log as the node works with it. Of a node that is down: what its disk kept.
    fn log(&self, node: NodeId) -> LogView<'_>;

    /// The part of the log that survives a crash now.
    fn durable_log(&self, node: NodeId) -> LogView<'_>;
}

/// What is to be seen after one node did one thing.
///
/// Properties are asked about every observation of a run, in order; what they must remember (ghost state) they
/// keep themselves.
#[derive(Clone, Copy)]
pub struct Observation<'a> {
    /// Who did something.
    pub node: NodeId,
    /// Why it is observed.
    pub cause: Cause,
    /// What it shows now.
    pub view: View<'a>,
    /// What it put on the network just now, in order.
    pub sent: &'a [MessageView],
    /// The logs of all.
    pub logs: &'a dyn Logs,
}
