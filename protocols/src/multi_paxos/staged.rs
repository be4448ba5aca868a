//! Multi-Paxos in scenarios: a disk is described by a promise, by how many slots are known chosen, and by votes.

use super::MultiPaxos;
use super::stable::{Ballot, Proposal, Slot, Stable, Write};
use crate::contract::Durable;
use crate::scenario::Staged;

impl Staged for MultiPaxos {
    const MODEL: &'static str = "kv";

    /// `promised 3 chosen 134 votes 135@1=7 138@1=no-op`: the first 134 slots were decided for no-ops; of the vote in
    /// slot 135, the ballot is 1 and the value c7's first command, which writes 7 to x.
    fn disk(words: &str) -> Option<Stable> {
        let (head, votes) = words.split_once(" votes ").unwrap_or((words, ""));
        let head: Vec<_> = head.split_whitespace().collect();
        let ["promised", promised, "chosen", chosen] = head[..] else {
            return None;
        };
        let chosen = chosen.parse().ok()?;
        let mut stable = Stable {
            promised: promised.parse().ok()?,
            ..Stable::default()
        };
        for slot in 1..=chosen {
            let votes = vec![(slot, Proposal::Noop)];
            stable.apply(&Write::Votes { ballot: 1, votes });
        }
        let values = vec![Proposal::Noop; usize::try_from(chosen).ok()?];
        stable.apply(&Write::Learn {
            after: 0,
            ballot: 1,
            values,
        });
        for vote in votes.split_whitespace() {
            let (ballot, slot, value) = vote_of(vote)?;
            let votes = vec![(slot, value)];
            stable.apply(&Write::Votes { ballot, votes });
        }
        Some(stable)
    }

    fn value(&self, object: &str) -> Option<String> {
        Some(self.machine().read(object.parse().ok()?).to_string())
    }
}

fn vote_of(words: &str) -> Option<(Ballot, Slot, Proposal)> {
    let (place, value) = words.split_once('=')?;
    let (slot, ballot) = place.split_once('@')?;
    let value = match value {
        "no-op" => Proposal::Noop,
        number => Proposal::Command {
            client: number.parse().ok()?,
            sequence: 1,
            command: format!("write x {number}").parse().ok()?,
        },
    };
    Some((ballot.parse().ok()?, slot.parse().ok()?, value))
}
