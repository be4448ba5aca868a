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
mod monitor;
mod moves;
mod numbers;
mod partition;
mod parts;
mod paths;
mod race;
mod refuted;
mod run;
mod search;
mod share;
#[cfg(test)]
mod tests;
mod wing_gong_lowe;

use std::collections::BTreeMap;

use tribunal_histories::{History, Value};

use crate::check::{CheckError, CheckRequest, Stop};
use crate::model::{Call, Discipline, Model};
use crate::verdict::{
    Core, Counterexample, Evidence, Judgement, Method, PartitionOrder, Statistics, Verdict,
};
use minimal::Disagreement;
use monitor::{Answer, Conflict, Question};
use partition::{Partition, Split, calls, split};
use refuted::last_return;
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
    let split = split(&model, history)?;
    let judge = Judge {
        discipline: model.discipline(),
        model,
        history,
        split: &split,
        request,
        stop,
    };
    Ok(judge.verdict())
}

/// Everything that a history is judged by.
struct Judge<'a, M: Model> {
    model: M,
    discipline: Option<Discipline>,
    history: &'a History,
    split: &'a Split,
    request: &'a CheckRequest,
    stop: Stop<'a>,
}

/// Why a partition has no order.
enum Reason {
    /// These operations exclude each other.
    Conflict(Conflict),
    /// The search was stuck; if it is exact, not any later than it had to be.
    Search {
        is_exact: bool,
        /// The operations on the part of the object where it was.
        operations: Vec<usize>,
    },
}

/// What came of a partition.
enum Found {
    /// This order of it is legal.
    Order(Vec<u32>),
    /// There is none, as was noticed at this position.
    Stuck(usize, Reason),
    /// It was given up.
    GivenUp { why: String, decided: usize },
}

/// A partition that has no order, as was noticed at a position.
struct Stuck<'a> {
    partition: &'a Partition,
    position: usize,
    reason: Reason,
}

/// What came of a partition, by which method, and how many states that looked at.
type Judged = (Found, &'static str, u64);

impl<M: Model> Judge<'_, M> {
    fn verdict(&self) -> Verdict {
        let mut statistics = Statistics {
            operations: self.split.operations,
            partitions: self.split.partitions.len() as u64,
            states: 0,
        };
        let mut methods: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut orders = Vec::new();
        let mut undecided = Undecided::default();
        let mut stuck = Vec::new();
        let mut all = self.judge_all();
        self.verify(&mut all);
        for (partition, judged) in self.split.partitions.iter().zip(all) {
            let (found, method, states) = judged;
            statistics.states += states;
            *methods.entry(method).or_default() += 1;
            match found {
                Found::Order(operations) => orders.push(PartitionOrder {
                    key: partition.key.clone(),
                    operations,
                }),
                Found::Stuck(position, reason) => stuck.push(Stuck {
                    partition,
                    position,
                    reason,
                }),
                Found::GivenUp { why, decided } => undecided.add(&partition.key, why, decided),
            }
        }
        let verdict = if !stuck.is_empty() {
            let (core, states) = self.earliest_core(stuck, undecided.decided);
            statistics.states += states;
            refutation(M::NAME, self.history, core)
        } else if let Some(why) = undecided.why {
            Verdict::unknown(M::NAME, why, undecided.parts)
        } else {
            let sentence = valid_sentence(&statistics);
            let evidence = Evidence::Linearization { orders };
            Verdict::new(M::NAME, Judgement::Valid { evidence }, vec![sentence])
        };
        let methods = methods.into_iter().map(|(name, partitions)| Method {
            name: name.to_owned(),
            partitions,
        });
        Verdict {
            methods: methods.collect(),
            ..verdict.with_statistics(statistics)
        }
    }

    /// Gives up partitions of which the orders are refused.
    fn verify(&self, all: &mut [Judged]) {
        let orders = all.iter().zip(&self.split.partitions);
        let orders = orders
            .enumerate()
            .filter_map(|(place, ((found, ..), partition))| {
                let Found::Order(order) = found else {
                    return None;
                };
                Some((place, (self.split.marks(partition), &order[..])))
            });
        let (places, claims): (Vec<_>, Vec<_>) = orders.unzip();
        for (place, verified) in places.into_iter().zip(self.verify_all(&claims)) {
            if let Err(refused) = verified {
                all[place].0 = Found::GivenUp {
                    why: format!("the linearization found was refused: {refused}"),
                    decided: 0,
                };
            }
        }
    }

    /// Judges a partition by the cheapest method that decides it.
    fn decide(&self, partition: &Partition) -> Judged {
        if let Some(discipline) = &self.discipline {
            let deeds = self.split.deeds(partition);
            let method = monitor::method(discipline);
            match monitor::ask(discipline, deeds, Question::Order) {
                Answer::Order(order) => return (Found::Order(order), method, 0),
                Answer::Conflict(conflict) => {
                    let by = last_return(deeds, &conflict) as usize;
                    return (Found::Stuck(by, Reason::Conflict(conflict)), method, 0);
                }
                Answer::Undecided(_) => {}
            }
        }
        let calls = calls(&self.model, self.history, self.positions(partition));
        let mut orders = Vec::new();
        let (mut method, mut states) = (search::EXACT, 0);
        let mut stuck: Option<(usize, Reason)> = None;
        let mut given_up = None;
        let parts = parts::split(&self.model, calls);
        let is_whole = parts.len() == 1;
        for part in parts {
            let invoked = part.as_slice().iter().map(Call::invoked);
            let some: Vec<_> = invoked.filter(|_| !is_whole).collect();
            let found = search(&self.model, part, self.request.limits, self.stop);
            states += found.states;
            method = found.method;
            match found.outcome {
                Outcome::Order(order) => orders.push(order),
                Outcome::Stuck(position) => {
                    if stuck
                        .as_ref()
                        .is_none_or(|(earliest, _)| position < *earliest)
                    {
                        let is_exact = method == search::EXACT;
                        let operations = if is_whole {
                            self.positions(partition).collect()
                        } else {
                            some
                        };
                        let reason = Reason::Search {
                            is_exact,
                            operations,
                        };
                        stuck = Some((position, reason));
                    }
                }
                Outcome::GivenUp { why, decided } => {
                    given_up.get_or_insert(Found::GivenUp { why, decided });
                }
            }
        }
        let found = match (stuck, given_up) {
            (Some((position, reason)), _) => Found::Stuck(position, reason),
            (None, Some(given_up)) => given_up,
            (None, None) => Found::Order(parts::merge(orders)),
        };
        (found, method, states)
    }

    fn positions(&self, partition: &Partition) -> impl ExactSizeIterator<Item = usize> + '_ {
        let marks = self.split.marks(partition).iter();
        marks.map(|mark| mark.invoked as usize)
    }
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
    /// Before this position none of them fails.
    decided: Option<usize>,
}

impl Undecided {
    fn add(&mut self, key: &Value, why: String, decided: usize) {
        let before = match decided {
            0 => "all of it".to_owned(),
            _ => format!("from event {} on; before, it is linearizable", decided + 1),
        };
        self.parts.push(format!("{}: {before}", named(key)));
        self.why.get_or_insert(why);
        let least = self.decided.map_or(decided, |least| least.min(decided));
        self.decided = Some(least);
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
