//! Gossip in exploration: ties are broken by names.

use super::{Gossip, Message};
use crate::explored::{Expedition, Explored, Names};

impl Explored for Gossip {
    const NAMES_MATTER: Names = Names::OfActors;

    const GRID: &'static [Expedition] = &[Expedition {
        name: "3-nodes",
        about: "2 writes of one object on 3 nodes, packet by packet",
        flags: "--timeouts 2 --op 'write x 1' --op 'write x 2' --asks own --strategy dfs",
    }];

    fn is_of_election(message: &Message) -> bool {
        {
            let _ = message;
            false
        }
    }
}
