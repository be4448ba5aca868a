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
    /// Which node a client asks.
    pub asked: Asked,
    /// Only so many nodes, the first, are asked by clients and have timers fire; `None` for all.
    pub actors: Option<usize>,
    /// How often clients send an operation again, to any node that they may ask.
    pub resends: u8,
    /// The highest term, ballot or epoch of any node; `None` for any.
    pub term: Option<u64>,
    /// How many timers fire.
    pub timeouts: Timeouts,
    /// How many nodes crash.
    pub crashes: u8,
    /// How many of them start again; `None` for all.
    pub restarts: Option<u8>,
    /// Whether a crash may come in the middle of a step, between two of its effects.
    pub crash_within_steps: bool,
    /// How many packets arrive twice.
    pub duplicates: u8,
    /// How many packets are lost that would otherwise have to arrive: those before others on a link that keeps its order,
    /// and answers within an exchange. All else may be late for ever, which is as good as lost.
    pub drops: u8,
    /// How often a link between two nodes is cut, both ways; each may be mended at any time.
    pub cuts: u8,
    /// Whether packets from one node to another arrive in the order in which they were sent.
    pub in_order: bool,
    /// What is one step.
    pub grain: Grain,
    /// With how many others an exchange is at most; `None` for any number.
    pub contacts: Option<u8>,
    /// How many packets at once may outlive the exchange that they belong to, and arrive later.
    pub late: u8,
    /// Whether what nodes say to each other when they start, before anything else happens, is lost.
    pub silent_start: bool,
    /// Steps that are taken before the search, by their names in a trace, and after each all that comes of it: for a search that
    /// begins where a leader is established. Nothing of it counts against a budget, but for terms.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub begin: Vec<String>,
    /// The operation that the cluster must answer if nothing goes wrong from a state on, asked of every state; `None` where
    /// nothing is asked. See [`recovery`](super::recovery).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finally: Option<String>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            operations: Vec::new(),
            asked: Asked::Any,
            actors: None,
            resends: 0,
            term: None,
            timeouts: Timeouts::of(2),
            crashes: 0,
            restarts: None,
            crash_within_steps: false,
            duplicates: 0,
            drops: 0,
            cuts: 0,
            in_order: false,
            grain: Grain::Packets,
            contacts: None,
            late: 0,
            silent_start: false,
            begin: Vec::new(),
            finally: None,
        }
    }
}

/// Which node a client asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// Any.
    #[default]
    Any,
    /// The first client the first node, the second the second.
    Own,
}

/// What is one step of a search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grain {
    /// That one packet arrives.
    #[default]
    Packets,
    /// The same, but what a node answers at once to a packet arrives with it or never: a request and its answer are one
    /// step.
    Answers,
    /// That one packet arrives, but what nodes say to each other to choose a leader, or so that it finds out what was before it, arrives
    /// at once or is lost: an election among some of the nodes is one step. What comes of it for the node itself
    /// may be late, for the answers might have been.
    Elections,
    /// Whatever nodes say to each other arrives at once or is lost: what a node begins, and all that comes of it among
    /// some of the nodes, is one step.
    Exchanges,
    /// The same, but what follows an election within an exchange reaches other nodes than took part in it, or not even the
    /// node itself, and is answered to it or is not.
    Rounds,
}

/// How many timers fire, by kind: the first word of a timer's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Timeouts {
    /// Of all kinds together that are not named; `None` for any number, which is then not counted.
    pub others: Option<u8>,
    /// Of these kinds.
    pub named: Vec<(String, Option<u8>)>,
}

/// The most kinds of timers that can be named.
pub const KINDS_MAX: usize = 7;

impl Timeouts {
    /// So many, of whatever kind.
    pub const fn of(others: u8) -> Self {
        Self {
            others: Some(others),
            named: Vec::new(),
        }
    }

    /// How many timers of a kind may fire, by its place: 0 for all that are not named.
    pub(super) fn allowed(&self, kind: usize) -> Option<u8> {
        match kind.checked_sub(1) {
            None => self.others,
            Some(named) => self.named[named].1,
        }
    }

    /// The place of a timer's kind.
    pub(super) fn kind_of(&self, timer: &str) -> usize {
        let kind = timer.split_whitespace().next().unwrap_or_default();
        let named = self.named.iter().position(|(name, _)| name == kind);
        named.map_or(0, |place| place + 1)
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

/// What is left out of a search because it makes no difference. The verdict is the same with and without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Reductions {
    /// Nodes that are alike change names.
    pub nodes: bool,
    /// Of clients that will do the same, the first begins first.
    pub clients: bool,
    /// What a node says to itself, what a client asks and what it is answered arrives at once.
    pub absorb: bool,
    /// Packets that can no longer matter are lost at once.
    pub moot: bool,
    /// What a node remembers and can make no difference any more is forgotten.
    pub inert: bool,
    /// Of what clients saw, only what was over before what else began is kept.
    pub history: bool,
}

impl Reductions {
    /// All of them.
    pub const ALL: Self = Self {
        nodes: true,
        clients: true,
        absorb: true,
        moot: true,
        inert: true,
        history: true,
    };

    /// None of them.
    pub const NONE: Self = Self {
        nodes: false,
        clients: false,
        absorb: false,
        moot: false,
        inert: false,
        history: false,
    };

    /// Their names, in the order of the fields.
    pub const NAMES: [&'static str; 6] = ["nodes", "clients", "absorb", "moot", "inert", "history"];

    /// Whether the reduction of that name is on, to change it; `None` if there is none.
    pub fn named(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "nodes" => &mut self.nodes,
            "clients" => &mut self.clients,
            "absorb" => &mut self.absorb,
            "moot" => &mut self.moot,
            "inert" => &mut self.inert,
            "history" => &mut self.history,
            _ => return None,
        })
    }
}
