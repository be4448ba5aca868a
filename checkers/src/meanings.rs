//! Which meanings that tools disagree about mattered to a history, and what each format means by default.

use serde::Serialize;
use tribunal_histories::{Format, History, Operation, Outcome, Value};

use crate::check::CheckRequest;
use crate::model::{FailedCas, Model, NilRead, Recorded, Semantics};

/// The models that Knossos has too, and in which a read of nil says nothing to it.
const KNOSSOS_REGISTERS: [&str; 3] = ["cas-register", "multi-register", "register"];

/// What a read of nil means in histories of a format to a checker, where the format decides that: to Knossos, which
/// judges what Jepsen writes, it says nothing. (In Jepsen's text logs it says that the object was absent, as Porcupine
/// takes those of etcd.)
pub(crate) fn nil_read_of(format: Format, checker: &str) -> Option<NilRead> {
    let is_jepsens = matches!(format, Format::Edn | Format::JepsenJson);
    let is_register = KNOSSOS_REGISTERS.contains(&checker);
    (is_jepsens && is_register).then_some(NilRead::Unconstrained)
}

/// How many operations would say something else if it were chosen otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Meanings {
    /// Reads of nil: see [`NilRead`].
    pub nil_reads: u64,
    /// Compare-and-sets that failed: see [`FailedCas`].
    pub failed_cas: u64,
}

/// Counts them for a model.
pub(crate) fn of_model<M: Model>(history: &History, request: &CheckRequest) -> Meanings {
    let semantics = request.semantics();
    let nil_read = match semantics.nil_read {
        NilRead::Absent => NilRead::Unconstrained,
        NilRead::Unconstrained => NilRead::Absent,
    };
    let failed_cas = match semantics.failed_cas {
        FailedCas::DidNotHappen => FailedCas::ObservedOther,
        FailedCas::ObservedOther => FailedCas::DidNotHappen,
    };
    let make = |semantics| M::new(&request.initial(), semantics).ok();
    let models = (
        make(semantics),
        make(Semantics {
            nil_read,
            ..semantics
        }),
        make(Semantics {
            failed_cas,
            ..semantics
        }),
    );
    let mut meanings = Meanings::default();
    let (Some(chosen), Some(other_nil), Some(other_cas)) = models else {
        return meanings;
    };
    for operation in history.operations() {
        match operation.outcome {
            Outcome::Ok if has_nil(&history.value(operation.output)) => {
                let recorded = recorded(history, &operation);
                let differs = chosen.operation(&recorded) != other_nil.operation(&recorded);
                meanings.nil_reads += u64::from(differs);
            }
            Outcome::Fail => {
                let recorded = recorded(history, &operation);
                let differs = chosen.failed(&recorded) != other_cas.failed(&recorded);
                meanings.failed_cas += u64::from(differs);
            }
            Outcome::Ok | Outcome::Info => {}
        }
    }
    meanings
}

fn recorded<'a>(history: &'a History, operation: &Operation) -> Recorded<'a> {
    Recorded {
        function: history.function(operation.function),
        input: history.value(operation.input),
        output: Some(history.value(operation.output)),
    }
}

/// Whether a value is nil, or a list that has one somewhere: a transaction with a read of nil.
fn has_nil(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::List(items) => items.iter().any(has_nil),
        _ => false,
    }
}
