//! Membership in exploration: epochs collide by names.

use super::{Membership, Message};
use crate::explored::{Expedition, Explored, Names};

impl Explored for Membership {
    const NAMES_MATTER: Names = Names::OfActors;

    const GRID: &'static [Expedition] = &[
        Expedition {
            name: "lost-link",
            about: "4 masters, one link cut at any time, in the style of Redis Cluster",
            flags: "--nodes 4 --grain exchanges --timeouts 8 --cuts 1 --strategy dfs",
        },
        Expedition {
            name: "swim",
            about: "3 members, one link cut at any time, in the style of SWIM",
            flags: "--nodes 3 --grain exchanges --timeouts 6 --cuts 1 --set style=swim --strategy dfs",
        },
    ];

    fn is_of_election(message: &Message) -> bool {
        matches!(message, Message::VoteRequest { .. } | Message::Vote { .. })
    }
}
