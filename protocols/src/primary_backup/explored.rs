//! Primary-backup in exploration: views belong to nodes.

use super::{Message, PrimaryBackup};
use crate::explored::{Expedition, Explored};

impl Explored for PrimaryBackup {
    const NAMES_MATTER: bool = true;

    const GRID: &'static [Expedition] = &[];

    fn is_of_election(message: &Message) -> bool {
        matches!(
            message,
            Message::RequestView { .. } | Message::Granted { .. }
        )
    }
}
