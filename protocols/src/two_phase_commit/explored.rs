//! Two-phase commit in exploration: accounts lie on nodes by their names.

use super::{Message, TwoPhaseCommit};
use crate::explored::{Expedition, Explored};

impl Explored for TwoPhaseCommit {
    const NAMES_MATTER: bool = true;

    const GRID: &'static [Expedition] = &[];

    fn is_of_election(message: &Message) -> bool {
        {
            let _ = message;
            false
        }
    }
}
