//! Linearizability: is there an order of the operations, in keeping with real time, that the specification allows?
//!
//! Herlihy and Wing, *Linearizability: A Correctness Condition for Concurrent Objects*, TOPLAS 12(3), 1990. Every key
//! is judged on its own. Every answer is verified by code apart from the search: an order by [`certificate`], the
//! core of a refutation by [`brute_force`].

mod automaton;
mod brute_force;
mod certificate;
mod configuration;
mod explanation;
pub(crate) mod follow;
mod minimal;
mod partition;
mod search;
#[cfg(test)]
mod tests;

use tribunal_histories::{History, Value};

use crate::check::{CheckError, CheckRequest, Stop};
use crate::model::Model;
use crate::verdict::{
    Core, Counterexample, Evidence, Judgement, PartitionOrder, Statistics, Verdict,
};
use minimal::{Disagreement, Minimizer};
use partition::{Partition, split};
use search::{Outcome, search};

/// Judges whether a history is linearizable with respect to a model.
///
/// # Errors
/// When the history or the initial value does not fit the model.
pub(crate) fn check<M: Model>(
    history: &History,
    request: &CheckRequest,
    stop: Stop<'_>,
) -> Result<Verdict, CheckError> {
    let initial = request.initial();
    let model = M::new(&initial, request.semantics()).map_err(|expected| CheckError::Initial {
        checker: M::NAME,
        initial,
        expected,
    })?;
    let partitions = split(&model, history)?;
    let mut statistics = Statistics {
        operations: history.operations().count() as u64,
        partitions: partitions.len() as u64,
        states: 0,
    };
    let mut orders = Vec::new();
    let mut undecided = Undecided::default();
    let mut stuck: Option<(usize, &Partition<M::Op>)> = None;
    for partition in &partitions {
        let Partition { key, calls } = partition;
        let found = search(&model, calls, request.limits, stop);
        statistics.states += found.states;
        match found.outcome {
            Outcome::Order(operations) => match certificate::verify(&model, calls, &operations) {
                Ok(()) => orders.push(PartitionOrder {
                    key: key.clone(),
                    operations,
                }),
                Err(refused) => {
                    let why = format!("the linearization found was refused: {refused}");
                    undecided.add(key, why, 0);
                }
            },
            Outcome::Stuck(position) => {
                if stuck.is_none_or(|(earliest, _)| position < earliest) {
                    stuck = Some((position, partition));
                }
            }
            Outcome::GivenUp { why, decided } => undecided.add(key, why, decided),
        }
    }
    let verdict = match (stuck, undecided.why) {
        (Some((position, partition)), _) => {
            let mut minimizer = Minimizer::new(&model, history, request.limits, stop);
            let core = minimizer.core(partition, position);
            statistics.states += minimizer.states;
            refutation(M::NAME, history, core)
        }
        (None, Some(why)) => Verdict::unknown(M::NAME, why, undecided.parts),
        (None, None) => {
            let sentence = valid_sentence(&statistics);
            let evidence = Evidence::Linearization { orders };
            Verdict::new(M::NAME, Judgement::Valid { evidence }, vec![sentence])
        }
    };
    Ok(verdict.with_statistics(statistics))
}

/// What follows from a core, or from the failure to confirm it.
fn refutation(checker: &str, history: &History, core: Result<Core, Disagreement>) -> Verdict {
    match core {
        Ok(core) => {
            let sentences = explanation::sentences(history, &core);
            let counterexample = Counterexample::Core(core);
            Verdict::new(checker, Judgement::Invalid { counterexample }, sentences)
        }
        Err(Disagreement(core)) => {
            let why = format!(
                "the search found no order of the operations invoked at positions {:?}, but there is one",
                core.operations
            );
            Verdict::unknown(checker, why, vec![named(&core.key)])
        }
    }
}

/// The partitions that were given up.
#[derive(Default)]
struct Undecided {
    why: Option<String>,
    parts: Vec<String>,
}

impl Undecided {
    fn add(&mut self, key: &Value, why: String, decided: usize) {
        let before = match decided {
            0 => "all of it".to_owned(),
            _ => format!("from event {} on; before, it is linearizable", decided + 1),
        };
        self.parts.push(format!("{}: {before}", named(key)));
        self.why.get_or_insert(why);
    }
}

/// A partition in a sentence.
fn named(key: &Value) -> String {
    if key.is_nil() {
        "the object".to_owned()
    } else {
        format!("key {key}")
    }
}

fn valid_sentence(statistics: &Statistics) -> String {
    let Statistics {
        operations,
        partitions,
        ..
    } = statistics;
    let objects = match partitions {
        1 => String::new(),
        _ => format!(" on {partitions} keys"),
    };
    format!(
        "linearizable: a legal order of the {operations} operations{objects} was found, and verified"
    )
}
