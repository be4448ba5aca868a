//! Where the clients' operations begin, found out for many events at once.
//!
//! Event by event no processor can predict which are invocations. And it is found out before anybody looks at the
//! completions of any: in a history of many clients those are far ahead, and a processor fetches ahead what is read in
//! order.

use crate::event::Event;

/// How many events are looked at together: a bit each.
const BITS: usize = u64::BITS as usize;
const WORDS: usize = 64;

/// The positions of the clients' invocations, in order.
#[derive(Clone, Debug)]
pub(crate) struct Invocations<'a> {
    /// The events that were not looked at yet.
    rest: &'a [Event],
    /// A bit for each of those that were, last.
    words: [u64; WORDS],
    /// The words that are still to come.
    next: usize,
    end: usize,
    /// The bits of the word in hand that are still to come, and the position of its first.
    left: u64,
    begin: usize,
}

impl<'a> Invocations<'a> {
    pub(crate) fn new(events: &'a [Event]) -> Self {
        Self {
            rest: events,
            words: [0; WORDS],
            next: 0,
            end: 0,
            left: 0,
            begin: 0_usize.wrapping_sub(BITS),
        }
    }

    /// Looks at more events, if there are more.
    fn look(&mut self) -> Option<()> {
        let (block, rest) = self.rest.split_at(self.rest.len().min(WORDS * BITS));
        self.rest = rest;
        self.next = 0;
        self.end = block.len().div_ceil(BITS);
        for (word, events) in self.words.iter_mut().zip(block.chunks(BITS)) {
            *word = (0..).zip(events).fold(0, |word, (place, event)| {
                word | u64::from(event.is_invocation_of_client()) << place
            });
        }
        (self.end > 0).then_some(())
    }
}

impl Iterator for Invocations<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.left == 0 {
            if self.next == self.end {
                self.look()?;
            }
            self.left = self.words[self.next];
            self.next += 1;
            self.begin = self.begin.wrapping_add(BITS);
        }
        let place = self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        Some(self.begin + place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{FunctionId, Kind, Process};

    #[test]
    fn every_invocation_of_a_client_is_found_and_nothing_else() {
        for len in [0, 1, 63, 64, 65, 4095, 4096, 4097, 9000] {
            let event = |at: usize| {
                let process = match at % 7 {
                    3 => Process::Nemesis,
                    _ => Process::Client(0),
                };
                let kinds = [Kind::Ok, Kind::Invoke, Kind::Fail, Kind::Info, Kind::Invoke];
                // Some words have none.
                let kind = if at / 100 % 3 == 1 {
                    Kind::Ok
                } else {
                    kinds[at % 5]
                };
                Event::new(process, kind, FunctionId(0))
            };
            let events: Vec<_> = (0..len).map(event).collect();
            let is_one = |at: &usize| {
                events[*at].kind == Kind::Invoke && events[*at].process() != Process::Nemesis
            };
            let expected: Vec<_> = (0..len).filter(is_one).collect();
            assert_eq!(Invocations::new(&events).collect::<Vec<_>>(), expected);
        }
    }
}
