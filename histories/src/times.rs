//! What events of equal times say about each other, and processes that go on after an operation of unknown outcome.

use rustc_hash::FxHashSet;

use crate::event::{Kind, Process};
use crate::format::Loaded;
use crate::history::{History, NO_PAIR};

/// How a return and an invocation that have the same time, the return in an earlier line, lie in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EqualTimes {
    /// In the order of their lines: the return came before.
    #[default]
    ByLine,
    /// At once: the two operations overlap, also those of one process (Porcupine's closed intervals).
    Concurrent,
}

impl History {
    /// The runs of events that follow each other and have the same time.
    fn runs(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        let mut start = 0;
        std::iter::from_fn(move || {
            let first = self.events.get(start)?.time_ns();
            let mut end = start + 1;
            while first.is_some()
                && (self.events.get(end)).is_some_and(|event| event.time_ns() == first)
            {
                end += 1;
            }
            let run = start..end;
            start = end;
            Some(run)
        })
    }

    /// How many returns have the time of an invocation in a later line.
    pub fn equal_times(&self) -> u64 {
        let mut count = 0;
        for run in self.runs() {
            let mut returns = 0;
            for event in &self.events[run] {
                match event.kind {
                    _ if event.process() == Process::Nemesis => {}
                    Kind::Invoke => count += std::mem::take(&mut returns),
                    Kind::Ok | Kind::Fail => returns += 1,
                    Kind::Info => {}
                }
            }
        }
        count
    }

    /// How many operations were begun by a process after one of its operations had ended in `info`.
    pub fn reuses(&self) -> u64 {
        let mut retired = FxHashSet::default();
        let mut count = 0;
        for event in &self.events {
            match event.kind {
                _ if event.process() == Process::Nemesis => {}
                Kind::Info => _ = retired.insert(event.process()),
                Kind::Invoke => count += u64::from(retired.contains(&event.process())),
                Kind::Ok | Kind::Fail => {}
            }
        }
        count
    }

    /// The same history with the invocations of each moment before its returns, and where each event was before.
    fn with_closed_intervals(&self) -> (Self, Vec<usize>) {
        let is_return = |place: &usize| {
            let event = &self.events[*place];
            event.kind != Kind::Invoke && event.process() != Process::Nemesis
        };
        let mut order = Vec::with_capacity(self.len());
        for run in self.runs() {
            order.extend(run.clone().filter(|place| !is_return(place)));
            order.extend(run.filter(is_return));
        }
        let mut places = vec![NO_PAIR; self.len()];
        for (place, before) in (0..).zip(&order) {
            places[*before] = place;
        }
        let mut history = self.clone();
        for (place, before) in order.iter().enumerate() {
            history.events[place] = self.events[*before];
            let pair = self.pairs[*before];
            history.pairs[place] = places.get(pair as usize).copied().unwrap_or(NO_PAIR);
        }
        for (place, _) in &mut history.remarks {
            *place = places[*place as usize];
        }
        history.remarks.sort_unstable_by_key(|(place, _)| *place);
        (history, order)
    }
}

impl Loaded {
    /// The same with events of equal times as they are to be taken. The events are then in another order than in the
    /// file, and know their lines.
    #[must_use]
    pub fn with_equal_times(self, equal_times: EqualTimes) -> Self {
        if equal_times == EqualTimes::ByLine || self.history.equal_times() == 0 {
            return self;
        }
        let (history, order) = self.history.with_closed_intervals();
        let lines = order.iter();
        let lines = lines.filter_map(|before| self.lines.get(*before).copied());
        Self {
            history,
            lines: lines.collect(),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::{BuildOptions, ProcessReuse};
    use crate::format::read_history;

    const TEXT: &str = r#"{"time":1,"process":0,"type":"invoke","f":"write","value":1}
{"time":5,"process":0,"type":"ok","f":"write","value":1}
{"time":5,"process":"nemesis","type":"info","f":"kill","value":null}
{"time":5,"process":0,"type":"invoke","f":"read","value":null}
{"time":5,"process":1,"type":"invoke","f":"write","value":2,"error":"slow"}
{"time":7,"process":0,"type":"ok","f":"read","value":2}
{"time":7,"process":1,"type":"info","f":"write","value":2}
{"time":8,"process":1,"type":"invoke","f":"read","value":null}
"#;

    fn loaded() -> Loaded {
        let options = BuildOptions {
            process_reuse: ProcessReuse::Allow,
        };
        read_history(TEXT.as_bytes(), None, options).unwrap()
    }

    #[test]
    fn invocations_of_a_moment_come_before_its_returns() {
        let by_line = loaded();
        assert_eq!(by_line.history.equal_times(), 1);
        let closed = loaded().with_equal_times(EqualTimes::Concurrent);
        assert_eq!(closed.lines, [1, 3, 4, 5, 2, 6, 7, 8]);
        let spans = |history: &History| -> Vec<_> {
            let operations = history.operations();
            operations
                .map(|operation| (operation.invoked, operation.returned))
                .collect()
        };
        let before = [(0, Some(1)), (3, Some(5)), (4, None), (7, None)];
        assert_eq!(spans(&by_line.history), before);
        let after = [(0, Some(4)), (2, Some(5)), (3, None), (7, None)];
        assert_eq!(spans(&closed.history), after);
        assert_eq!(closed.history.record(3).error, "slow".into());
        assert!(closed.history.record(4).error.is_nil());
        assert_eq!(closed.history.equal_times(), 0);
        let same = loaded().with_equal_times(EqualTimes::ByLine);
        assert_eq!(same.lines, by_line.lines);
    }

    #[test]
    fn operations_after_an_unknown_outcome_are_counted() {
        assert_eq!(loaded().history.reuses(), 1);
    }
}
