//! The question about our Paxos that all designs are asked: three nodes, two clients that each propose a value to a
//! node of its own, ballots up to the first, no timeouts, no faults.

use tribunal_checkers::explore::{Asked, Budget, Question, Reductions, Strategy, Timeouts};
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::paxos::{Config, Paxos};
use tribunal_protocols::world::{Setup, SyncMode};

/// How many nodes.
pub const NODES: usize = 3;
/// How many clients.
pub const CLIENTS: usize = 2;
/// The highest ballot.
pub const BOUND: u64 = 1;

/// Acceptors that refuse keep silent.
pub fn config() -> Config {
    Config {
        refusals: false,
        fresh_ballots: false,
        votes_to_all: true,
        ..Config::of(NODES)
    }
}

/// The question to our explorer.
pub fn question(properties: bool, reductions: Reductions, strategy: Strategy) -> Question<Paxos> {
    let setup = Setup::fresh(config(), SyncMode::Immediate);
    let budget = Budget {
        operations: (1..=CLIENTS)
            .map(|value| vec![format!("propose {value}")])
            .collect(),
        asked: Asked::Own,
        term: Some(BOUND),
        timeouts: Timeouts::of(0),
        ..Budget::default()
    };
    let mut question = Question {
        reductions,
        strategy,
        ..Question::of(setup, budget)
    };
    if !properties {
        question.properties.clear();
    }
    question
}
