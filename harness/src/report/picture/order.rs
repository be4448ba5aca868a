//! The order that is drawn: one that explains all operations, or the longest before the violation.

use tribunal_checkers::verdict::{Counterexample, Evidence, Judgement, Verdict};
use tribunal_checkers::{CheckRequest, check_history};
use tribunal_histories::{BuildOptions, History, ProcessReuse, Value};

use super::{Object, Subject};

/// An order of operations.
pub(super) struct Order {
    /// Each by the position of its invocation.
    pub(super) operations: Vec<usize>,
    /// Whether it ends where the history stops being explained.
    pub(super) is_partial: bool,
}

impl Order {
    /// The order that a verdict found; of an invalid history, one of the longest prefix that has any.
    pub(super) fn of(subject: &Subject<'_>, object: &Object) -> Self {
        let operations = match &subject.verdict.judgement {
            Judgement::Valid { .. } => order_in(subject.verdict, object.key.as_ref()),
            Judgement::Invalid {
                counterexample: Counterexample::Core(core),
            } => {
                let before = core.prefix.saturating_sub(1);
                before_violation(subject.history, subject.request, &core.key, before)
            }
            Judgement::Invalid { .. } | Judgement::Unknown { .. } => None,
        };
        Self {
            operations: operations.unwrap_or_default(),
            is_partial: !matches!(subject.verdict.judgement, Judgement::Valid { .. }),
        }
    }
}

fn order_in(verdict: &Verdict, key: Option<&Value>) -> Option<Vec<usize>> {
    let Judgement::Valid {
        evidence: Evidence::Linearization { orders },
    } = &verdict.judgement
    else {
        return None;
    };
    let of_key = orders.iter().find(|order| Some(&order.key) == key);
    of_key.map(|order| order.operations.iter().map(|at| *at as usize).collect())
}

/// The order of one object's operations up to an event.
fn before_violation(
    history: &History,
    request: &CheckRequest,
    key: &Value,
    events: usize,
) -> Option<Vec<usize>> {
    let id = history.values().find(key)?;
    let all = history.events().iter().enumerate().take(events);
    let positions: Vec<_> = all
        .filter(|(_, event)| event.key == id)
        .map(|(at, _)| at)
        .collect();
    let options = BuildOptions {
        process_reuse: ProcessReuse::Allow,
    };
    let records = positions.iter().map(|at| history.record(*at));
    let prefix = History::from_records(records, options).ok()?;
    let verdict = check_history(&prefix, request, &|| false).ok()?;
    let order = order_in(&verdict, Some(key))?;
    Some(order.into_iter().map(|at| positions[at]).collect())
}
