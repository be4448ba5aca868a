//! The meanings that tools disagree about, where they mattered to a file.

use serde::Serialize;
use tribunal_checkers::{CheckerEntry, FailedCas, NilRead};
use tribunal_histories::{EqualTimes, ProcessReuse};

use super::Checked;
use super::options::{EQUAL_TIMES, FAILED_CAS, NIL_READS, PROCESS_REUSES, name_of};
use crate::cli::quantity::counted;

/// A meaning of which there was a choice.
#[derive(Debug, Serialize)]
pub(super) struct Meaning {
    /// The flag that chooses it, without its dashes.
    option: &'static str,
    /// What was chosen, by the user or by default.
    value: String,
    /// In how many places it mattered.
    count: u64,
    /// What there was, and how it was taken.
    #[serde(skip)]
    sentence: String,
}

impl Meaning {
    fn new(option: &'static str, value: &str, count: u64, sentence: String) -> Self {
        Self {
            option,
            value: value.to_owned(),
            count,
            sentence,
        }
    }

    /// For people.
    pub(super) fn line(&self) -> String {
        format!("{} (--{} {})", self.sentence, self.option, self.value)
    }
}

/// All that mattered.
pub(super) fn of(checked: &Checked) -> Vec<Meaning> {
    let Checked {
        loaded,
        request,
        reading,
        ..
    } = checked;
    let semantics = request.semantics();
    let counts = CheckerEntry::named(&request.checker)
        .map(|entry| entry.meanings(&loaded.history, request))
        .unwrap_or_default();
    let begins = u64::from(request.initial.is_some());
    let begins_with = request.initial().to_string();
    let nil = match semantics.nil_read {
        NilRead::Absent => "the object was absent",
        NilRead::Unconstrained => "nobody knows what was read",
    };
    let failed = match semantics.failed_cas {
        FailedCas::DidNotHappen => "nothing happened, and nothing was seen",
        FailedCas::ObservedOther => "another value was seen",
    };
    let times = match reading.equal_times {
        EqualTimes::ByLine => "the invocation in a later line came after the return",
        EqualTimes::Concurrent => "the operations overlap",
    };
    let reuse = match reading.process_reuse {
        ProcessReuse::Allow => "what had ended in info may still happen",
        ProcessReuse::Reject => "",
    };
    let nil_read = name_of(&NIL_READS, &semantics.nil_read);
    let failed_cas = name_of(&FAILED_CAS, &semantics.failed_cas);
    let equal_times = name_of(&EQUAL_TIMES, &reading.equal_times);
    let process_reuse = name_of(&PROCESS_REUSES, &reading.process_reuse);
    let told = |count, what: &str, how: &str| format!("{}: {how}", counted(count, what));
    let meanings = [
        Meaning::new(
            "initial",
            &begins_with,
            begins,
            format!("first value: {begins_with}"),
        ),
        Meaning::new(
            "nil-read",
            nil_read,
            counts.nil_reads,
            told(counts.nil_reads, "nil read", nil),
        ),
        Meaning::new(
            "failed-cas",
            failed_cas,
            counts.failed_cas,
            told(counts.failed_cas, "failed compare-and-set", failed),
        ),
        Meaning::new(
            "equal-times",
            equal_times,
            reading.at_equal_times,
            told(reading.at_equal_times, "equal time", times),
        ),
        Meaning::new(
            "process-reuse",
            process_reuse,
            reading.reuses,
            told(reading.reuses, "process reuse", reuse),
        ),
    ];
    let mattered = meanings.into_iter().filter(|meaning| meaning.count > 0);
    mattered.collect()
}
