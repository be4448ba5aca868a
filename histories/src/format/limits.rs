//! How much of one event the readers take before they say that the file is no history.

/// Collections within collections; serde_json stops at the same depth.
pub(super) const DEPTH_MAX: usize = 127;

/// The bytes of one event. The whole set that a final read returns fits; an unclosed quote at the head of a long
/// file does not fill the memory.
pub(super) const EVENT_BYTES_MAX: usize = 256 << 20;
