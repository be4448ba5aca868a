//! Virtual time: from one event to the next, as soon as every node is at rest.
//!
//! Nothing waits. A node is given a message, comes to rest ([`rest`](super::rest)), and what it wrote is put on its way
//! with a latency from the seed; then it is the turn of the earliest message, wherever it is. So the order of all
//! messages is the seed's, a second of simulated time takes as long as the programs need for what happens in it, and
//! a program whose answers depend on its input alone does the same in every run of a seed.

use super::cluster::{Clock, Cluster};
use crate::audit::Subject;
use crate::audit::subject::Completion;

impl Cluster {
    /// Goes on until then, or until operations have ended.
    pub(super) fn advance_in_virtual_time(&mut self, until_us: Option<u64>) -> Vec<Completion> {
        let until_ns = until_us.map_or(u64::MAX, |until_us| until_us.saturating_mul(1_000));
        while !self.is_broken() {
            let Some(entry) = self
                .agenda
                .first_entry()
                .filter(|entry| entry.key().0 <= until_ns)
            else {
                if until_us.is_some() {
                    self.set_time(until_ns);
                }
                break;
            };
            let at_ns = entry.key().0;
            let number = entry.remove();
            self.set_time(at_ns);
            let completions = self.arrive(number);
            if !completions.is_empty() {
                return completions;
            }
        }
        Vec::new()
    }

    fn set_time(&mut self, to_ns: u64) {
        if let Clock::Virtual { now_ns } = &mut self.clock {
            *now_ns = to_ns.max(*now_ns);
        }
    }
}
