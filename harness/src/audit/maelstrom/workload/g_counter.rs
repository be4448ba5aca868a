//! A counter that only grows.

use super::Dialogue;
use super::pn_counter::{self, PROBES, additions};
use crate::workload::Entry;

/// The registry's line.
pub(super) const DIALOGUE: Dialogue = Dialogue {
    workload: Entry {
        name: "g-counter",
        about: "A grow-only counter: as pn-counter, with additions from 0 to 4 only.",
        probes: PROBES,
        operations: |_| additions(|draw| draw.below(5).cast_signed()),
        ..pn_counter::DIALOGUE.workload
    },
    ..pn_counter::DIALOGUE
};
