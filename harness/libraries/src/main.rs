//! `tribunal-libraries`: the command line of Tribunal, with consensus libraries that others wrote beside our protocols.
//!
//! Every library is a protocol like any other: `tribunal-libraries simulate raft-rs-0.7.0`, `list protocols`, `replay`,
//! `shrink`. A file or folder a library; `recalled` makes a node of ours of a library's, `journal` is the disk under it,
//! `service` what runs over it, `wire` what it sends.

mod journal;
mod omnipaxos;
mod raft_rs;
mod recalled;
mod service;
mod wire;

use std::panic::catch_unwind;
use std::process::ExitCode;

use tribunal::cli::exit::Exit;
use tribunal::command::program_is;
use tribunal::engine::{Brought, Of, bring, serving};
use tribunal_checkers::properties::{PropertyInfo, raft};
use tribunal_protocols::bugs::Bug;
use tribunal_protocols::registry::Protocol;

/// What every library's service serves.
const WORKLOADS: &[&str] = &["register", "kv", "append"];

/// What there is to know about a library.
const fn library(name: &'static str, about: &'static str, bugs: &'static [Bug]) -> Protocol {
    Protocol {
        name,
        about,
        bugs,
        probes: &[],
    }
}

/// The properties of Raft that these libraries show enough of themselves for. That who has a leader helps nobody to replace
/// it (RI15) is not what raft-rs promises: there a pre-vote may be granted as soon as an election timeout's least has passed,
/// or at any time without `check_quorum`.
const RAFT: &[&PropertyInfo] = &[
    &raft::election_safety::INFO,
    &raft::vote_once::INFO,
    &raft::leader_append_only::INFO,
    &raft::log_matching::INFO,
    &raft::leader_completeness::INFO,
    &raft::state_machine_safety::INFO,
    &raft::commit_durable::INFO,
    &raft::current_term_commit::INFO,
    &raft::monotonic::INFO,
    &raft::term_bounds::INFO,
    &raft::match_index_sound::INFO,
    &raft::index_bounds::INFO,
    &raft::quorum_log::INFO,
    &raft::snapshot::INFO,
    &raft::same_state::INFO,
];

/// Those that are about what any replicated log with a leader for a ballot has, and so Sequence Paxos too: an entry there
/// has no term of its own.
const SEQUENCE_PAXOS: &[&PropertyInfo] = &[
    &raft::election_safety::INFO,
    &raft::vote_once::INFO,
    &raft::leader_append_only::INFO,
    &raft::leader_completeness::INFO,
    &raft::state_machine_safety::INFO,
    &raft::commit_durable::INFO,
    &raft::monotonic::INFO,
    &raft::index_bounds::INFO,
    &raft::quorum_log::INFO,
    &raft::same_state::INFO,
];

static RAFT_0_7: Protocol = library(
    "raft-rs-0.7.0",
    "raft-rs (crate `raft`), the current release, behind an application that does what its documentation demands.",
    raft_rs::config::MISUSES,
);
static RAFT_0_6: Protocol = library(
    "raft-rs-0.6.0",
    "raft-rs (crate `raft`), an old release, behind the same application.",
    raft_rs::config::MISUSES,
);
static RAFT_0_4: Protocol = library(
    "raft-rs-0.4.3",
    "raft-rs (crate `raft`), a release of 2018, behind the same application.",
    raft_rs::config::MISUSES,
);

static OMNIPAXOS: Protocol = library(
    omnipaxos::NAME,
    "omnipaxos: Sequence Paxos with ballot leader election. A ballot is a term, a promise a vote.",
    omnipaxos::config::MISUSES,
);

static WITHOUT_SNAPSHOTS: Protocol = library(
    omnipaxos::WITHOUT_SNAPSHOTS,
    "The same, with entries whose type says that snapshots are not used: nodes are brought up to date by entries.",
    omnipaxos::config::MISUSES,
);

static WITHOUT_SNAPSHOTS_ENGINE: Of<omnipaxos::OmnipaxosWithoutSnapshots> = serving(WORKLOADS);
static OMNIPAXOS_ENGINE: Of<omnipaxos::Omnipaxos> = serving(WORKLOADS);
static RAFT_0_7_ENGINE: Of<raft_rs::Raft0_7> = serving(WORKLOADS);
static RAFT_0_6_ENGINE: Of<raft_rs::Raft0_6> = serving(WORKLOADS);
static RAFT_0_4_ENGINE: Of<raft_rs::Raft0_4> = serving(WORKLOADS);

fn main() -> ExitCode {
    program_is(env!("CARGO_BIN_NAME"));
    bring(&[
        Brought {
            protocol: &OMNIPAXOS,
            engine: &OMNIPAXOS_ENGINE,
            properties: SEQUENCE_PAXOS,
        },
        Brought {
            protocol: &WITHOUT_SNAPSHOTS,
            engine: &WITHOUT_SNAPSHOTS_ENGINE,
            properties: SEQUENCE_PAXOS,
        },
        Brought {
            protocol: &RAFT_0_7,
            engine: &RAFT_0_7_ENGINE,
            properties: RAFT,
        },
        Brought {
            protocol: &RAFT_0_6,
            engine: &RAFT_0_6_ENGINE,
            properties: RAFT,
        },
        Brought {
            protocol: &RAFT_0_4,
            engine: &RAFT_0_4_ENGINE,
            properties: RAFT,
        },
    ]);
    // The panic has been reported when it comes here.
    catch_unwind(tribunal::cli::main).unwrap_or_else(|_| Exit::Internal.into())
}
