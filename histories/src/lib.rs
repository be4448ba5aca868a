//! What a client saw and what a cluster did: operations, histories, traces and views.
//!
//! This crate knows no protocol, no checker and no clock. A [`History`] is what clients saw of a system; a
//! [`Trace`] is the list of named steps that produced it; a [`View`] is what one node shows of itself to the
//! properties. [`format`](mod@format) reads and writes histories in the formats of the field.

pub mod builder;
pub mod digest;
pub mod event;
pub mod format;
pub mod history;
mod invocations;
pub mod json;
pub mod node;
pub mod node_set;
pub mod partition;
pub mod primaries;
pub mod quorum;
mod renamings;
pub mod rule;
pub mod stats;
pub mod symmetry;
pub mod synthetic;
pub mod times;
pub mod trace;
pub mod transaction;
pub mod value;
pub mod view;
pub mod voters;

pub use builder::{BuildOptions, HistoryBuilder, ProcessReuse};
pub use digest::Digest;
pub use event::{Event, EventRecord, Kind, Process};
pub use format::{EventWriter, Format, LoadError, Loaded, ReadError, Truncation};
pub use history::{History, Operation, Outcome};
pub use node::NodeId;
pub use node_set::{NODES_MAX, NodeSet};
pub use partition::{NoObject, PartitionBy, Partitioner};
pub use primaries::{HistoryClaim, Phase, PrimariesView, Zxid};
pub use quorum::Quorum;
pub use renamings::{Fingerprints, Renamings};
pub use rule::RuleBroken;
pub use stats::{OutcomeCounts, Statistics};
pub use symmetry::{Bag, ByNode, Renaming, fingerprint};
pub use synthetic::{Invalid, Synthesis, SyntheticModel};
pub use times::EqualTimes;
pub use trace::{Trace, TraceEnd, TraceError, TraceHeader, TraceLine};
pub use transaction::{CommitmentView, DecisionView, OutcomeView, TransactionId};
pub use value::{Value, ValueId, Values};
pub use view::{
    BallotView, Cause, Claim, Execution, Facet, GroupView, Learned, LogRecord, LogView, Logs,
    MemberStatus, MemberView, MembersView, MessageView, Observation, Ownership, PeerProgress,
    PendingRead, ReplicaView, Report, Retraction, Role, TableEntry, View, Vote,
};
pub use voters::{Voters, VotersRecord};
