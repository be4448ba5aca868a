//! Multi-Paxos in exploration: ballots belong to nodes.

use tribunal_histories::{ByNode, Role};

use super::election::Candidacy;
use super::{Config, Message, MultiPaxos, config::Reads, stable::Stable};
use crate::explored::{Expedition, Explored, Names, set};

impl Explored for MultiPaxos {
    const NAMES_MATTER: Names = Names::OfActors;

    const GRID: &'static [Expedition] = &[
        Expedition {
            name: "2-leaders",
            about: "2 slots, 2 nodes that lead, 3 ballots",
            flags: "--ballots 4 --timeouts any --grain exchanges --actors 2 --asks own --op 'write x 1' --op 'write x 2' --strategy dfs",
        },
        Expedition {
            name: "crash",
            about: "the same with a crash, 2 ballots",
            flags: "--ballots 2 --timeouts any --grain exchanges --actors 2 --asks own --op 'write x 1' --op 'write x 2' --crashes 1 --strategy dfs",
        },
        Expedition {
            name: "answers-lost",
            about: "votes that are cast and not heard of",
            flags: "--ballots 2 --timeouts any --grain exchanges --actors 2 --asks own --op 'write x 1' --op 'write x 2' --drops 2 --strategy dfs",
        },
    ];

    fn is_of_election(message: &Message) -> bool {
        matches!(
            message,
            Message::Prepare { .. } | Message::Promise { .. } | Message::Nack { .. }
        )
    }

    /// How often a leader let itself be heard matters to reads and to leases. A candidate whose answers are all in or lost
    /// has not been elected.
    fn settled(config: &Config, node: &Self, _disk: &Stable, quiet: bool) -> Option<Self> {
        let mut settled = node.clone();
        let mut changed = false;
        let counts = config.reads != Reads::Quorum || !node.leadership.reads.is_empty();
        if quiet && !counts {
            changed |= set(&mut settled.round, 0);
            let none = ByNode(vec![0; node.leadership.answered_rounds.len()]);
            changed |= set(&mut settled.leadership.answered_rounds, none);
        }
        if quiet && node.role == Role::Candidate {
            changed |= set(&mut settled.role, Role::Follower);
            changed |= set(&mut settled.candidacy, Candidacy::default());
        }
        changed.then_some(settled)
    }
}
