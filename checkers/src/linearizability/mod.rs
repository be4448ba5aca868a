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
mod partition;
mod parts;
mod paths;
mod run;
mod search;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use tribunal_histories::{History, Value};

use crate::check::{CheckError, CheckRequest, Stop};
use crate::model::{Discipline, Model};
use crate::verdict::{
    Core, Counterexample, Evidence, Judgement, Method, PartitionOrder, Statistics, Verdict,
};
use minimal::{Disagreement, Minimizer};
use monitor::{Act, Answer, Conflict, Deeds};
use partition::{Partition, Split, calls, split};
use search::{Outcome, search};

/// Beyond so many operations the search is not asked for what a monitor does not know about prefixes.
const LONG: usize = 10_000;

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
    Order(Vec<usize>),
    /// There is none, as was noticed at this position.
    Stuck(usize, Reason),
    /// It was given up.
    GivenUp { why: String, decided: usize },
}

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
        let mut stuck: Option<(usize, Reason, &Partition)> = None;
        for partition in &self.split.partitions {
            let (found, method, states) = self.partition(partition);
            statistics.states += states;
            *methods.entry(method).or_default() += 1;
            match found {
                Found::Order(operations) => {
                    let marks = self.split.marks(partition);
                    match certificate::verify(&self.model, self.history, marks, &operations) {
                        Ok(()) => orders.push(PartitionOrder {
                            key: partition.key.clone(),
                            operations,
                        }),
                        Err(refused) => {
                            let why = format!("the linearization found was refused: {refused}");
                            undecided.add(&partition.key, why, 0);
                        }
                    }
                }
                Found::Stuck(position, reason) => {
                    if stuck
                        .as_ref()
                        .is_none_or(|(earliest, _, _)| position < *earliest)
                    {
                        stuck = Some((position, reason, partition));
                    }
                }
                Found::GivenUp { why, decided } => undecided.add(&partition.key, why, decided),
            }
        }
        let verdict = match (stuck, undecided.why) {
            (Some((position, reason, partition)), _) => {
                let (core, states) = self.core(partition, position, reason);
                statistics.states += states;
                refutation(M::NAME, self.history, core)
            }
            (None, Some(why)) => Verdict::unknown(M::NAME, why, undecided.parts),
            (None, None) => {
                let sentence = valid_sentence(&statistics);
                let evidence = Evidence::Linearization { orders };
                Verdict::new(M::NAME, Judgement::Valid { evidence }, vec![sentence])
            }
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

    /// Judges a partition by the cheapest method that decides it; which that was, and how many states it looked at.
    fn partition(&self, partition: &Partition) -> (Found, &'static str, u64) {
        if let Some(discipline) = &self.discipline {
            let deeds = self.split.deeds(partition);
            let method = monitor::method(discipline);
            match monitor::ask(discipline, deeds, self.split.initial) {
                Answer::Order(order) => {
                    let order = order.into_iter().map(|position| position as usize);
                    return (Found::Order(order.collect()), method, 0);
                }
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
        for part in parts::split(&self.model, calls) {
            let found = search(&self.model, &part, self.request.limits, self.stop);
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
                        let operations = part.iter().map(|call| call.invoked).collect();
                        let reason = Reason::Search {
                            is_exact,
                            operations,
                        };
                        stuck = Some((position, reason));
                    }
                }
                Outcome::GivenUp { why, decided } => {
                    return (Found::GivenUp { why, decided }, method, states);
                }
            }
        }
        let found = match stuck {
            Some((position, reason)) => Found::Stuck(position, reason),
            None => Found::Order(parts::merge(orders)),
        };
        (found, method, states)
    }

    fn positions(&self, partition: &Partition) -> impl Iterator<Item = usize> + '_ {
        let marks = self.split.marks(partition).iter();
        marks.map(|mark| mark.invoked as usize)
    }

    /// The core of a partition that has no legal order; and how many states it took to find it.
    fn core(
        &self,
        partition: &Partition,
        stuck: usize,
        reason: Reason,
    ) -> (Result<Core, Disagreement>, u64) {
        let Self {
            model,
            history,
            request,
            ..
        } = self;
        let mut minimizer = Minimizer::new(model, history, request.limits, self.stop);
        let mut known = None;
        let mut is_stuck_exact = false;
        let mut positions: Vec<_> = Vec::new();
        match reason {
            Reason::Search {
                is_exact,
                operations,
            } => {
                is_stuck_exact = is_exact;
                positions = operations;
            }
            Reason::Conflict(conflict) => {
                let (earliest, is_exact) = self.earliest(partition, conflict);
                let is_long = self.split.marks(partition).len() > LONG;
                if is_exact || is_long {
                    let core = self.core_of(&mut minimizer, partition, earliest);
                    return (core, minimizer.states);
                }
                known = Some(earliest);
            }
        }
        if known.is_some() {
            positions = self.positions(partition).collect();
        }
        let calls = calls(model, history, positions.into_iter());
        let stuck = match known {
            None => Some(stuck),
            // Just before the conflict the monitor does not know.
            Some(_) => minimizer.stuck(&calls),
        };
        let core = match (stuck, known) {
            (None, Some(earliest)) => self.core_of(&mut minimizer, partition, earliest),
            (stuck, _) => {
                let end = minimizer.earliest(&calls, stuck.unwrap_or_default(), is_stuck_exact);
                minimizer.core(&partition.key, &calls, end, |_| true)
            }
        };
        (core, minimizer.states)
    }

    /// The core of a conflict.
    fn core_of(
        &self,
        minimizer: &mut Minimizer<'_, M>,
        partition: &Partition,
        (end, conflict): (u32, Conflict),
    ) -> Result<Core, Disagreement> {
        let Conflict {
            mut operations,
            mut helpers,
        } = conflict;
        // Before it returned, this operation may have taken out anything; now it is known what, and who put that in.
        let deeds = self.split.deeds(partition);
        let last = deeds.marks.iter().find(|mark| mark.returned == end);
        if let Some(last) = last.filter(|last| !operations.contains(&last.invoked)) {
            operations.push(last.invoked);
            operations.sort_unstable();
            let puts = deeds.marks.iter();
            let puts = puts.filter(|mark| mark.act == Act::Put && mark.value == last.value);
            helpers.extend(puts.map(|put| put.invoked));
        }
        let mut positions = [&operations[..], &helpers].concat();
        positions.sort_unstable();
        positions.dedup();
        let positions = positions.iter().map(|position| *position as usize);
        let calls = calls(&self.model, self.history, positions);
        let is_suspect = |position: usize| {
            let is_it = |operation: &u32| (*operation as usize).cmp(&position);
            operations.binary_search_by(is_it).is_ok()
        };
        minimizer.core(&partition.key, &calls, end as usize, is_suspect)
    }

    /// The position of the return by which a monitor first finds a conflict, and that conflict; and whether it is
    /// known that there is none before.
    fn earliest(&self, partition: &Partition, mut conflict: Conflict) -> ((u32, Conflict), bool) {
        let all = self.split.deeds(partition);
        let Some(discipline) = &self.discipline else {
            return ((last_return(all, &conflict), conflict), false);
        };
        // There is a conflict when this event has happened, and none was found before the other.
        let mut last = all.last_return();
        let mut none = 0;
        let mut is_exact = true;
        // Most often it is there as soon as its operations have returned, and not before. From there, by strides.
        let mut ask_before = last_return(all, &conflict) + 1;
        let mut stride = 1;
        while none < last {
            let deeds = Deeds {
                end: ask_before,
                ..all
            };
            let answer = monitor::ask(discipline, deeds, self.split.initial);
            if !matches!(answer, Answer::Conflict(_)) {
                is_exact = matches!(answer, Answer::Order(_));
            }
            if let Answer::Conflict(earlier) = answer {
                // What returned last of those is part of the conflict, but perhaps not the last of all that matters.
                last = ask_before - 1;
                conflict = earlier;
                ask_before = last.saturating_sub(stride - 1).max(none + 1);
            } else {
                none = ask_before;
                ask_before = none.saturating_add(stride).min(last);
            }
            stride *= 2;
            if stride > last - none {
                stride = 1;
                ask_before = none + (last - none).div_ceil(2);
            }
        }
        ((last, conflict), is_exact)
    }
}

/// The last return of these operations.
fn last_return(deeds: Deeds<'_>, conflict: &Conflict) -> u32 {
    let returned = |operation: &u32| {
        let place = deeds
            .marks
            .binary_search_by_key(operation, |mark| mark.invoked);
        place.map_or(0, |place| deeds.marks[place].returned)
    };
    let finite = conflict
        .operations
        .iter()
        .map(returned)
        .filter(|at| *at < deeds.end);
    finite.max().unwrap_or(0)
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
