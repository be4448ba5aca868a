//! Cores of what was refuted: from the reason that a monitor or the search gave to the few operations that show it.

use super::minimal::{Disagreement, Minimizer, Prefix};
use super::monitor::{self, Act, Answer, Conflict, Deeds, Mark, NEVER, Question};
use super::partition::{Partition, calls, known_at, position_of};
use super::{Judge, Reason, Stuck};
use crate::model::{Discipline, Model};
use crate::verdict::Core;

/// Beyond so many operations the search is not asked for what a monitor does not know about prefixes.
const LONG: usize = 10_000;

/// After so many states no more partitions are asked whether they fail earlier.
const ASKED_STATES_MAX: u64 = 1_000_000;

impl<M: Model> Judge<'_, M> {
    /// The core of the one of several partitions without order that fails first, as far as that can be found out; and
    /// how many states it took to find it. Others were given up that do not fail before a position.
    pub(super) fn earliest_core(
        &self,
        mut stuck: Vec<Stuck<'_>>,
        decided: Option<usize>,
    ) -> (Result<Core, Disagreement>, u64) {
        // Most often the one fails first of which that was noticed first.
        stuck.sort_by_key(|one| one.position);
        let mut stuck = stuck.into_iter();
        let first = stuck.next().expect("some partition is stuck");
        let parts = matches!(&first.reason, Reason::Search { operations, .. }
            if operations.len() < self.split.marks(first.partition).len());
        let whole = parts.then_some(first.partition);
        let (core, mut states) = self.core(first);
        let mut core = match core {
            Ok(core) => core,
            disagreement => return (disagreement, states),
        };
        let mut is_sure = core.earliest;
        for other in stuck {
            match self.fails_before(other.partition, core.prefix - 1, &mut states) {
                Some(false) => {}
                None => is_sure = false,
                Some(true) => {
                    let (earlier, more) = self.core(other);
                    states += more;
                    match earlier {
                        Ok(earlier) if earlier.prefix < core.prefix => {
                            is_sure &= earlier.earliest;
                            core = earlier;
                        }
                        _ => is_sure = false,
                    }
                }
            }
        }
        // Of a partition in parts only the one was looked at that was noticed first.
        if let Some(whole) = whole {
            is_sure &= self.fails_before(whole, core.prefix - 1, &mut states) == Some(false);
        }
        is_sure &= decided.is_none_or(|decided| decided >= core.prefix - 1);
        core.earliest = is_sure;
        (Ok(core), states)
    }

    /// Whether the operations of a partition have no legal order when only the events before a position have happened,
    /// if that can be found out.
    fn fails_before(&self, partition: &Partition, end: usize, states: &mut u64) -> Option<bool> {
        if let Some(discipline) = &self.discipline {
            let deeds = Deeds {
                end: position_of(end),
                ..self.split.deeds(partition)
            };
            match monitor::ask(discipline, deeds, Question::Existence) {
                Answer::Order(_) => return Some(false),
                Answer::Conflict(_) => return Some(true),
                Answer::Undecided(_) => {}
            }
        }
        if *states > ASKED_STATES_MAX {
            return None;
        }
        let Self {
            model,
            history,
            request,
            ..
        } = self;
        let calls = calls(model, history, self.positions(partition));
        let mut minimizer = Minimizer::new(model, history, request.limits, self.stop);
        let fails = minimizer.fails(&known_at(model, history, &calls, end));
        *states += minimizer.states;
        fails
    }

    /// The core of a partition that has no legal order; and how many states it took to find it.
    fn core(&self, stuck: Stuck<'_>) -> (Result<Core, Disagreement>, u64) {
        let Stuck {
            partition,
            position: stuck,
            reason,
        } = stuck;
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
                    let core = self.core_of(&mut minimizer, partition, earliest, is_exact);
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
            (None, Some(earliest)) => self.core_of(&mut minimizer, partition, earliest, false),
            (stuck, _) => {
                let stuck = stuck.unwrap_or_default();
                let prefix = minimizer.earliest(&calls, stuck, is_stuck_exact);
                minimizer.core(&partition.key, &calls, prefix, |_| true)
            }
        };
        (core, minimizer.states)
    }

    /// The core of a conflict that there is at a position; whether there is none before is known or not.
    fn core_of(
        &self,
        minimizer: &mut Minimizer<'_, M>,
        partition: &Partition,
        (end, conflict): (u32, Conflict),
        is_earliest: bool,
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
            let puts = puts.filter(|mark| mark.is(Act::Put) && mark.value == last.value);
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
        let prefix = Prefix {
            end: end as usize,
            is_earliest,
        };
        minimizer.core(&partition.key, &calls, prefix, is_suspect)
    }

    /// The position of the return by which a monitor first finds a conflict, and that conflict; and whether it is
    /// known that there is none before.
    ///
    /// It is looked for among the last values first: without the others there are only more orders.
    fn earliest(&self, partition: &Partition, conflict: Conflict) -> ((u32, Conflict), bool) {
        let all = self.split.deeds(partition);
        let Some(discipline) = &self.discipline else {
            return ((last_return(all, &conflict), conflict), false);
        };
        let from = conflict.operations.first().copied().unwrap_or(0);
        let Some((marks, values)) = recent(all, from) else {
            return first(discipline, all, conflict);
        };
        let few = Deeds {
            marks: &marks,
            values,
            ..all
        };
        let (found, _) = first(discipline, few, conflict.clone());
        let before = Deeds {
            end: found.0,
            ..all
        };
        match monitor::ask(discipline, before, Question::Existence) {
            Answer::Order(_) => (found, true),
            Answer::Undecided(_) => (found, false),
            Answer::Conflict(_) => first(discipline, all, conflict),
        }
    }
}

/// The operations on values that any of them is about which had not returned before a position, and how many values
/// there are then. `None` where values depend on each other, or if there are hardly fewer.
fn recent(all: Deeds<'_>, from: u32) -> Option<(Vec<Mark>, usize)> {
    let mut is_recent = vec![false; all.values];
    for mark in all.marks {
        if mark.is(Act::Cas) {
            return None;
        }
        if mark.returned >= from && mark.value != NEVER {
            is_recent[mark.value as usize] = true;
        }
    }
    let is_kept = |mark: &Mark| match mark.value {
        NEVER => mark.returned >= from,
        value => is_recent[value as usize],
    };
    let kept = all.marks.iter().filter(|mark| is_kept(mark)).copied();
    let mut marks: Vec<_> = kept.collect();
    if marks.len() >= all.marks.len() / 4 {
        return None;
    }
    // The first value stays what it is; the others follow on it in their order.
    let mut values = is_recent.iter().skip(1);
    let gap = values.position(|is_recent| *is_recent).unwrap_or(0);
    for value in marks.iter_mut().flat_map(Mark::values_mut) {
        *value = value.saturating_sub(u32::try_from(gap).unwrap_or(0));
    }
    Some((marks, all.values - gap))
}

/// The position of the return by which a monitor first finds a conflict in these operations, and that conflict; and
/// whether it is known that there is none before.
fn first(
    discipline: &Discipline,
    all: Deeds<'_>,
    mut conflict: Conflict,
) -> ((u32, Conflict), bool) {
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
        let answer = monitor::ask(discipline, deeds, Question::Existence);
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

/// The last return of these operations.
pub(super) fn last_return(deeds: Deeds<'_>, conflict: &Conflict) -> u32 {
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

#[cfg(test)]
mod tests {
    use tribunal_histories::{
        BuildOptions, EventRecord, History, Invalid, Kind, Process, Synthesis, SyntheticModel,
        Value,
    };

    use super::*;
    use crate::check::CheckRequest;
    use crate::linearizability::check;
    use crate::linearizability::partition::split;
    use crate::model::{FifoQueue, PriorityQueue, Register, Stack};
    use crate::verdict::{Counterexample, Judgement, Verdict};

    /// Compares what is found among the last values with what is found among all. Whether there was something to compare.
    fn compare<M: Model>(seed: u64) -> bool {
        let request = CheckRequest::new(M::NAME);
        let model = M::new(&request.initial(), request.semantics()).unwrap();
        let synthesis = Synthesis {
            concurrency: 2 + u32::try_from(seed % 9).unwrap(),
            crashed: seed % 3 * 4,
            invalid: Some(Invalid::Late),
            seed,
            ..Synthesis::new(SyntheticModel::named(M::NAME).unwrap(), 600)
        };
        let history = synthesis.history();
        let split = split(&model, &history).unwrap();
        let discipline = model.discipline().unwrap();
        let partition = &split.partitions[0];
        let all = split.deeds(partition);
        let Answer::Conflict(conflict) = monitor::ask(&discipline, all, Question::Order) else {
            return false;
        };
        let judge = Judge {
            discipline: Some(discipline.clone()),
            model,
            history: &history,
            split: &split,
            request: &request,
            stop: &|| false,
        };
        let from = conflict.operations[0];
        let is_compared = recent(all, from).is_some();
        let ((end, _), is_exact) = judge.earliest(partition, conflict.clone());
        if is_exact {
            // Among all, the monitor does not always know.
            let ((expected, _), is_known) = first(&discipline, all, conflict);
            assert!(end <= expected, "{} {seed}", M::NAME);
            assert!(end == expected || !is_known, "{} {seed}", M::NAME);
            let before = monitor::ask(&discipline, Deeds { end, ..all }, Question::Order);
            assert!(matches!(before, Answer::Order(_)), "{} {seed}", M::NAME);
        }
        let by = Deeds {
            end: end + 1,
            ..all
        };
        let by = monitor::ask(&discipline, by, Question::Existence);
        assert!(!matches!(by, Answer::Order(_)), "{} {seed}", M::NAME);
        is_compared && is_exact
    }

    #[test]
    fn the_earliest_conflict_is_found_among_the_last_values() {
        let compared = |compare: fn(u64) -> bool| (0..40).filter(|seed| compare(*seed)).count();
        let counts = [
            compared(compare::<Register>),
            compared(compare::<FifoQueue>),
            compared(compare::<Stack>),
            compared(compare::<PriorityQueue>),
        ];
        assert!(counts.iter().all(|count| *count > 10), "{counts:?}");
    }

    /// What operations one after the other on two keys come to, by a model.
    fn judged<M: Model>(operations: &[(&str, i64, i64)]) -> Core {
        let events = operations.iter().flat_map(|(function, key, value)| {
            [Kind::Invoke, Kind::Ok].map(|kind| {
                let [key, value] = [*key, *value].map(Value::Int);
                EventRecord::new(Process::Client(0), kind, function, key, value)
            })
        });
        let history = History::from_records(events, BuildOptions::default()).unwrap();
        core_of(check::<M>(&history, &CheckRequest::new(M::NAME), &|| false).unwrap())
    }

    fn core_of(verdict: Verdict) -> Core {
        match verdict.judgement {
            Judgement::Invalid {
                counterexample: Counterexample::Core(core),
            } => core,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_prefix_is_not_called_the_earliest_where_nobody_knows() {
        let synthesis = Synthesis {
            concurrency: 10,
            unique: true,
            invalid: Some(Invalid::Late),
            seed: 3,
            ..Synthesis::new(SyntheticModel::named("stack").unwrap(), 20_000)
        };
        let history = synthesis.history();
        let request = CheckRequest::new(Stack::NAME);
        let verdict = check::<Stack>(&history, &request, &|| false).unwrap();
        let core = core_of(verdict);
        assert!(core.confirmed && core.minimal && !core.earliest, "{core:?}");
    }

    #[test]
    fn of_several_objects_the_one_is_shown_that_fails_first() {
        // What is wrong with the first is noticed with its last read only.
        let operations = [
            ("write", 0, 1),
            ("write", 0, 2),
            ("read", 0, 1),
            ("write", 1, 1),
            ("write", 1, 2),
            ("read", 1, 1),
            ("read", 0, 2),
            ("read", 0, 1),
        ];
        let core = judged::<Register>(&operations);
        assert_eq!((core.prefix, core.earliest), (6, true), "{core:?}");
        // Values that are written again are searched for.
        let again = [&operations[..], &[("write", 0, 1), ("write", 1, 2)]].concat();
        let core = judged::<Register>(&again);
        assert_eq!((core.prefix, core.earliest), (6, true), "{core:?}");
    }
}
