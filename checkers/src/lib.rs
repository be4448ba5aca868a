//! Checkers: they judge histories, and the views of a cluster, and give evidence for every verdict.
//!
//! [`check_history`] is the entrance for histories: it looks a checker up by name in the [`registry`] and answers
//! with a [`Verdict`]. Checkers know no simulator, no socket and no clock: what bounds a search is counted, or is
//! asked of the caller. A checker's panic or limit is [`Answer::Unknown`], never [`Answer::Valid`].

mod bank;
pub mod check;
mod convergence;
mod counter;
mod echo;
pub mod explore;
mod final_reads;
mod linearizability;
mod meanings;
mod membership;
pub mod model;
mod pn_counter;
pub mod properties;
mod set;
mod set_full;
mod total_order;
mod unique_ids;
pub mod verdict;

pub use check::{
    CheckError, CheckRequest, CheckerEntry, Limits, check_by, check_history, follower, registry,
};
pub use linearizability::follow::{Follow, FollowError, Follower, Violation};
pub use meanings::Meanings;
pub use model::{FailedCas, NilRead, Semantics};
pub use verdict::{
    Answer, Core, Counterexample, Evidence, Judgement, Method, PartitionOrder, Statistics, Verdict,
    guarded,
};
