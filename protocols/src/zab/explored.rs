//! ZAB in exploration: votes compare names.

use super::{Message, Zab};
use crate::explored::{Expedition, Explored};

impl Explored for Zab {
    const NAMES_MATTER: bool = true;

    const GRID: &'static [Expedition] = &[];

    fn is_of_election(message: &Message) -> bool {
        matches!(
            message,
            Message::Notification { .. }
                | Message::FollowerInfo { .. }
                | Message::NewEpoch { .. }
                | Message::AckEpoch { .. }
        )
    }
}
