//! Multi-Paxos in exploration: ballots belong to nodes.

use super::{Message, MultiPaxos};
use crate::explored::{Expedition, Explored};

impl Explored for MultiPaxos {
    const NAMES_MATTER: bool = true;

    const GRID: &'static [Expedition] = &[];

    fn is_of_election(message: &Message) -> bool {
        matches!(
            message,
            Message::Prepare { .. } | Message::Promise { .. } | Message::Nack { .. }
        )
    }
}
