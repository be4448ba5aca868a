//! Bounds: what a search is over, and where it ends.
//!
//! Bounds decide what is found: Raft's Figure 8 needs four terms, some of Paxos's bugs four ballots. Faults come from
//! budgets, so that every path ends, and a search that reaches no bound but these has seen everything within them.

use std::time::Duration;

use serde::Serialize;

/// What a search is over. Counts are for a whole path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// By client, the operations that it invokes one after another, each as the protocol's requests are written.
    pub operations: Vec<Vec<String>>,
    /// How often clients send an operation again, to any node.
    pub resends: u8,
    /// The highest term, ballot or epoch of any node; `None` for any.
    pub term: Option<u64>,
    /// How many timers fire.
    pub timeouts: u8,
    /// How many nodes crash; each may start again at any time.
    pub crashes: u8,
    /// Whether a crash may come in the middle of a step, between two of its effects.
    pub crash_within_steps: bool,
    /// How many packets arrive twice.
    pub duplicates: u8,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            operations: Vec::new(),
            resends: 0,
            term: None,
            timeouts: 2,
            crashes: 0,
            crash_within_steps: false,
            duplicates: 0,
        }
    }
}

/// Where a search ends though there is more: its verdict is then Unknown, unless it has found something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// After so many steps of a path; breadth-first only.
    pub depth: Option<usize>,
    /// After so many distinct states.
    pub states: Option<usize>,
    /// When the process holds so much memory.
    pub memory_bytes: Option<usize>,
    /// After so long.
    pub time: Option<Duration>,
}

/// In which order states are visited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Nearest first: with one thread, a counterexample is as short as can be.
    #[default]
    BreadthFirst,
    /// Deepest first: little memory.
    DepthFirst,
    /// Random paths, for as long as there is time: for what cannot be exhausted.
    RandomWalks {
        /// Names the walks.
        seed: u64,
    },
}
