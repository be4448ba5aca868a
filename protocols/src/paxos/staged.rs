//! Paxos in scenarios: a disk is described by what the acceptor promised and the proposer used. (No votes: properties
//! know only those that were cast before their eyes.)

use std::fmt::Write as _;

use super::Paxos;
use super::disk::HardState;
use super::proposer::Phase;
use crate::scenario::Staged;

impl Staged for Paxos {
    const MODEL: &'static str = "consensus";

    /// `promised 3 used 4`, or one of the two.
    fn disk(words: &str) -> Option<HardState> {
        let mut state = HardState::default();
        let words: Vec<_> = words.split_whitespace().collect();
        let (pairs, rest) = words.as_chunks::<2>();
        for [name, ballot] in pairs {
            let place = match *name {
                "promised" => &mut state.promise,
                "used" => &mut state.ballot,
                _ => return None,
            };
            *place = ballot.parse().ok()?;
        }
        (rest.is_empty() && !pairs.is_empty()).then_some(state)
    }

    /// `decision`: what the node has learned.
    fn value(&self, object: &str) -> Option<String> {
        let known = self.learner.value();
        let known = known.map_or_else(|| "nil".to_owned(), |value| value.to_string());
        (object == "decision").then_some(known)
    }

    /// `n1 preparing b4, promised b4, voted 5 of b1, learned 5`
    fn told(node: Option<&Self>, disk: &HardState) -> Option<String> {
        let mut line = match node.map(|node| &node.proposer.phase) {
            None => "down".to_owned(),
            Some(Phase::Idle) => "idle".to_owned(),
            Some(Phase::Preparing { ballot, .. }) => format!("preparing b{ballot}"),
            Some(Phase::Proposing(proposal)) => format!("proposing {proposal}"),
        };
        if disk.promised() > 0 {
            let _ = write!(line, ", promised b{}", disk.promised());
        }
        if let Some(vote) = disk.accepted {
            let _ = write!(line, ", voted {vote}");
        }
        if let Some(value) = node.and_then(|node| node.learner.value()) {
            let _ = write!(line, ", learned {value}");
        }
        Some(line)
    }
}
