//! Membership in exploration: epochs collide by names.

use super::{Membership, Message};
use crate::explored::{Expedition, Explored};

impl Explored for Membership {
    const NAMES_MATTER: bool = true;

    const GRID: &'static [Expedition] = &[];

    fn is_of_election(message: &Message) -> bool {
        matches!(message, Message::VoteRequest { .. } | Message::Vote { .. })
    }
}
