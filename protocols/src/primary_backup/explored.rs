//! Primary-backup in exploration: views belong to nodes.

use tribunal_histories::Role;

use super::{Config, Message, PrimaryBackup, Store};
use crate::explored::{Expedition, Explored, Names, set};
use crate::quorum::NodeSet;

impl Explored for PrimaryBackup {
    const NAMES_MATTER: Names = Names::OfActors;

    const GRID: &'static [Expedition] = &[
        Expedition {
            name: "2-crashes",
            about: "2 views, 2 crashes",
            flags: "--terms 2 --timeouts any --grain exchanges --op 'write x 1' --set silent_heartbeats_max=1 --crashes 2 --strategy dfs",
        },
        Expedition {
            name: "views",
            about: "3 views, 2 writes",
            flags: "--terms 3 --timeouts any --grain exchanges --op 'write x 1; write x 2' --asks own --set silent_heartbeats_max=1 --strategy dfs",
        },
    ];

    fn is_of_election(message: &Message) -> bool {
        matches!(
            message,
            Message::RequestView { .. } | Message::Granted { .. }
        )
    }

    /// How often a primary asked whether it still is one matters to reads. Who wanted to be primary and whose answers are
    /// all in or lost does not become it.
    fn settled(config: &Config, node: &Self, _disk: &Store, quiet: bool) -> Option<Self> {
        let mut settled = node.clone();
        let mut changed = false;
        if quiet && node.reign.reads.is_empty() {
            changed |= set(&mut settled.reign.round, 0);
            changed |= set(
                &mut settled.reign.answered,
                vec![0; node.reign.answered.len()],
            );
        }
        if quiet && node.role == Role::Candidate && config.bugs.is_empty() {
            changed |= set(&mut settled.role, Role::Follower);
            changed |= set(&mut settled.votes, NodeSet::EMPTY);
        }
        changed.then_some(settled)
    }
}
