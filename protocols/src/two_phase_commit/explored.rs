//! Two-phase commit in exploration: accounts lie on nodes by their names.

use super::{Message, TwoPhaseCommit};
use crate::explored::{Expedition, Explored, Names};

impl Explored for TwoPhaseCommit {
    const NAMES_MATTER: Names = Names::OfActors;

    const GRID: &'static [Expedition] = &[
        Expedition {
            name: "5-participants",
            about: "a read of all accounts on 5 nodes, a crash, timeouts",
            flags: "--nodes 5 --grain exchanges --timeouts votes=1,doubt=2,resend=1 --asks own --op read --crashes 1 --strategy dfs",
        },
        Expedition {
            name: "transfer",
            about: "a transfer beside a read, a crash",
            flags: "--nodes 5 --grain exchanges --timeouts votes=1,doubt=2,resend=1 --asks own --op 'transfer a b 5' --op read --crashes 1 --strategy dfs",
        },
        Expedition {
            name: "packets",
            about: "a transfer between 2 of 3 nodes, packet by packet, a crash anywhere",
            flags: "--timeouts votes=1,doubt=1,resend=1 --asks own --actors 1 --op 'transfer a b 5' --crashes 1 --crash-within-steps --strategy dfs",
        },
    ];

    fn is_of_election(message: &Message) -> bool {
        {
            let _ = message;
            false
        }
    }
}
