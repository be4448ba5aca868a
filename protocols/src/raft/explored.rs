//! Raft in exploration: only who votes for whom depends on names, so nodes are alike.

use super::{Message, Raft};
use crate::explored::{Expedition, Explored};

impl Explored for Raft {
    const NAMES_MATTER: bool = false;

    const GRID: &'static [Expedition] = &[];

    fn is_of_election(message: &Message) -> bool {
        matches!(
            message,
            Message::RequestVote { .. } | Message::Vote { .. } | Message::TimeoutNow { .. }
        )
    }
}
