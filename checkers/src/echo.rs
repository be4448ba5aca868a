//! The check of an echo: what comes back is what was sent.

use tribunal_histories::{History, Outcome, Value};

use crate::check::{CheckError, CheckRequest, Stop};
use crate::model::{Misfit, Shape};
use crate::verdict::{Counterexample, Evidence, Judgement, Statistics, Verdict};

pub(crate) const NAME: &str = "echo";
pub(crate) const ABOUT: &str =
    "An echo: every answer is what was sent, to the letter. (After Maelstrom's echo.)";
pub(crate) const OPERATIONS: &[Shape] = &[Shape {
    names: &["echo"],
    input: "value",
    output: "value",
}];

/// Judges every answer.
pub(crate) fn check(
    history: &History,
    _request: &CheckRequest,
    _stop: Stop<'_>,
) -> Result<Verdict, CheckError> {
    let mut statistics = Statistics {
        partitions: 1,
        ..Statistics::default()
    };
    let mut count = 0;
    for operation in history.operations() {
        if history.function(operation.function) != "echo" {
            let misfit = Misfit::Function;
            return Err(CheckError::misfit(
                (NAME, OPERATIONS),
                history,
                &operation,
                misfit,
            ));
        }
        statistics.operations += 1;
        if operation.outcome != Outcome::Ok {
            continue;
        }
        count += 1;
        let (sent, came) = (
            history.value(operation.input),
            history.value(operation.output),
        );
        if sent != came {
            let process = operation.process;
            let headline = format!("process {process} sent {sent} and got {came} back");
            let because = format!("Because an echo of {sent} is {sent}.");
            let counterexample = Counterexample::Contradiction {
                key: Value::Nil,
                operations: vec![operation.invoked],
            };
            let judgement = Judgement::Invalid { counterexample };
            let verdict = Verdict::new(NAME, judgement, vec![headline, because]);
            return Ok(verdict.with_statistics(statistics));
        }
    }
    if count == 0 {
        let why = "no echo was answered";
        return Ok(Verdict::unknown(NAME, why, Vec::new()).with_statistics(statistics));
    }
    let evidence = Evidence::Observations { count };
    let sentence = format!("each of the {count} answers is what was sent");
    Ok(
        Verdict::new(NAME, Judgement::Valid { evidence }, vec![sentence])
            .with_statistics(statistics),
    )
}
