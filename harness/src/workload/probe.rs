//! Probes: facts that a history must show, or it has tested nothing.
//!
//! A verdict without them is vacuous: a register that nobody managed to write is linearizable. They are
//! "sometimes" properties, evaluated over the history; a campaign has hit a probe when one of its runs has.

use std::collections::BTreeMap;
use std::fmt;

use tribunal_histories::{History, Kind, Outcome, Process, ValueId};

/// A fact that must have been seen.
#[derive(Clone, Copy)]
pub struct Probe {
    /// The fact, as a sentence.
    pub name: &'static str,
    /// Whether it can only be seen when there are faults: not to be asked of a run without.
    pub needs_faults: bool,
    seen: fn(&History) -> bool,
}

impl Probe {
    /// A fact that every run of some length shows.
    pub(crate) const fn new(name: &'static str, seen: fn(&History) -> bool) -> Self {
        Self {
            name,
            needs_faults: false,
            seen,
        }
    }

    /// Whether the history shows it.
    pub fn seen_in(&self, history: &History) -> bool {
        (self.seen)(history)
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Probe({})", self.name)
    }
}

/// Some compare-and-set found what it expected.
pub(crate) const CAS_SUCCEEDED: Probe = Probe::new("a cas succeeded", |history| {
    ended(history, "cas", Outcome::Ok)
});

/// Some compare-and-set did not.
pub(crate) const CAS_FAILED: Probe = Probe::new("a cas failed", |history| {
    ended(history, "cas", Outcome::Fail)
});

/// Some operation's outcome is not known.
pub(crate) const ENDED_IN_INFO: Probe = Probe {
    needs_faults: true,
    ..Probe::new("an operation ended in info", |history| {
        history
            .operations()
            .any(|operation| operation.outcome == Outcome::Info)
    })
};

/// Some read found something.
pub(crate) const READ_SAW_A_VALUE: Probe = Probe::new("a read saw a value", |history| {
    history.operations().any(|operation| {
        history.function(operation.function) == "read"
            && operation.outcome == Outcome::Ok
            && !operation.output.is_nil()
    })
});

/// Some read was concurrent with a change of the same object.
pub(crate) const READ_OVERLAPPED_A_CHANGE: Probe =
    Probe::new("a read overlapped a change", read_overlapped_a_change);

/// Whether some operation of that name ended so.
pub(crate) fn ended(history: &History, function: &str, outcome: Outcome) -> bool {
    history.operations().any(|operation| {
        operation.outcome == outcome && history.function(operation.function) == function
    })
}

fn read_overlapped_a_change(history: &History) -> bool {
    // By key, how many reads and how many changes are in flight; what ended in info stays so for ever.
    let mut in_flight: BTreeMap<ValueId, [i64; 2]> = BTreeMap::new();
    history.events().iter().any(|event| {
        if event.process() == Process::Nemesis || event.kind == Kind::Info {
            return false;
        }
        let is_change = history.function(event.function) != "read";
        let counts = in_flight.entry(event.key).or_default();
        counts[usize::from(is_change)] += if event.kind == Kind::Invoke { 1 } else { -1 };
        counts.iter().all(|count| *count > 0)
    })
}

#[cfg(test)]
mod tests {
    use tribunal_histories::{BuildOptions, EventRecord, Value};

    use super::*;

    fn history(events: &[(u32, Kind, &str, i64)]) -> History {
        let records = events.iter().map(|(process, kind, function, key)| {
            let process = Process::Client(*process);
            EventRecord::new(process, *kind, function, Value::Int(*key), Value::Nil)
        });
        History::from_records(records, BuildOptions::default()).expect("it is well-formed")
    }

    #[test]
    fn reads_overlap_changes_of_their_own_key() {
        use Kind::{Info, Invoke, Ok};
        let overlap = |events: &[_]| READ_OVERLAPPED_A_CHANGE.seen_in(&history(events));
        assert!(overlap(&[(0, Invoke, "write", 1), (1, Invoke, "read", 1)]));
        assert!(overlap(&[(1, Invoke, "read", 1), (0, Invoke, "cas", 1)]));
        assert!(!overlap(&[(0, Invoke, "write", 2), (1, Invoke, "read", 1)]));
        assert!(!overlap(&[
            (0, Invoke, "write", 1),
            (0, Ok, "write", 1),
            (1, Invoke, "read", 1)
        ]));
        assert!(overlap(&[
            (0, Invoke, "write", 1),
            (0, Info, "write", 1),
            (1, Invoke, "read", 1)
        ]));
    }

    #[test]
    fn outcomes_are_told_apart() {
        use Kind::{Fail, Info, Invoke};
        let failed = history(&[(0, Invoke, "cas", 1), (0, Fail, "cas", 1)]);
        assert!(ended(&failed, "cas", Outcome::Fail));
        assert!(!ended(&failed, "cas", Outcome::Ok));
        assert!(!ended(&failed, "write", Outcome::Fail));
        assert!(!ENDED_IN_INFO.seen_in(&failed));
        assert!(ENDED_IN_INFO.seen_in(&history(&[(0, Invoke, "cas", 1), (0, Info, "cas", 1)])));
        assert!(!READ_SAW_A_VALUE.seen_in(&failed));
    }
}
