//! The check of a generator of identifiers: no two calls return the same one.
//!
//! After `jepsen.checker/unique-ids`.

use std::collections::BTreeMap;

use tribunal_histories::{History, Operation, Outcome, Value};

use crate::check::{CheckError, CheckRequest, Stop};
use crate::model::{Misfit, Shape};
use crate::verdict::{Counterexample, Evidence, Judgement, Statistics, Verdict};

pub(crate) const NAME: &str = "unique-ids";
pub(crate) const ABOUT: &str =
    "A generator of identifiers: no two calls that were answered returned the same one.";
pub(crate) const OPERATIONS: &[Shape] = &[Shape {
    names: &["generate"],
    input: "",
    output: "id",
}];

/// Judges all calls, whatever their keys.
pub(crate) fn check(
    history: &History,
    _request: &CheckRequest,
    _stop: Stop<'_>,
) -> Result<Verdict, CheckError> {
    let mut given: BTreeMap<Value, Operation> = BTreeMap::new();
    let mut statistics = Statistics {
        partitions: 1,
        ..Statistics::default()
    };
    for operation in history.operations() {
        let misfit = |misfit| CheckError::misfit((NAME, OPERATIONS), history, &operation, misfit);
        if history.function(operation.function) != "generate" {
            return Err(misfit(Misfit::Function));
        }
        statistics.operations += 1;
        if operation.outcome != Outcome::Ok {
            continue;
        }
        let id = history.value(operation.output);
        if id.is_nil() {
            return Err(misfit(Misfit::Output));
        }
        if let Some(first) = given.insert(id.clone(), operation) {
            return Ok(refuted(&id, &first, &operation).with_statistics(statistics));
        }
    }
    let count = given.len();
    if count == 0 {
        let why = "no call was answered, so there is no identifier to compare";
        return Ok(Verdict::unknown(NAME, why, Vec::new()).with_statistics(statistics));
    }
    let evidence = Evidence::Observations { count };
    let sentence = format!("all {count} identifiers are different");
    Ok(
        Verdict::new(NAME, Judgement::Valid { evidence }, vec![sentence])
            .with_statistics(statistics),
    )
}

fn refuted(id: &Value, first: &Operation, second: &Operation) -> Verdict {
    let (one, two) = (first.process, second.process);
    let headline = format!("the identifier {id} was given twice");
    let because = format!(
        "Because process {one} and later process {two} were both given {id}: an identifier is given once."
    );
    let counterexample = Counterexample::Contradiction {
        key: Value::Nil,
        operations: vec![first.invoked, second.invoked],
    };
    let judgement = Judgement::Invalid { counterexample };
    Verdict::new(NAME, judgement, vec![headline, because])
}
