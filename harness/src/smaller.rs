//! Making a failing plan small, where runs have no steps that could be taken out: whether a run with fewer nodes, clients,
//! operations or families of faults fails for the same reason.
//!
//! Greedy. One thing at a time is made less; the plan that comes of it is run with the seed and some that follow, and is
//! kept if one of them fails so. What the swarm had drawn of the configuration stays at first, and is then given back to
//! its usual values, field by field. Another plan gives another run of a seed, so what is found is no part of the first
//! run: it is a smaller one that fails too.

use std::num::NonZero;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use crate::engine::engine;
use crate::judge::Outcomes;
use crate::nemesis::{FAMILIES, Selection};
use crate::plan::Plan;
use crate::sweep::{self, sweep};

/// A plan that fails as another does, with less.
#[derive(Clone, Debug)]
pub struct Smaller {
    /// The plan.
    pub plan: Plan,
    /// The seed with which it fails.
    pub seed: u64,
    /// How many runs were tried.
    pub tried: usize,
    /// Whether with one thing less none of [`SEEDS`] fails; otherwise the search was stopped.
    pub minimal: bool,
}

/// So many seeds a plan is run with: that of the failure, and those that follow.
pub const SEEDS: u64 = 32;
/// After so many runs the search ends.
const RUNS_MAX: usize = 10_000;
/// A run that takes longer counts as one that does not fail.
const RUN_LIMIT: Duration = Duration::from_secs(10);

struct Search<'a> {
    violated: &'a str,
    first_seed: u64,
    stop: &'a dyn Fn() -> bool,
    tried: usize,
}

/// Searches for a smaller plan that fails as this run did, which was recorded; nothing if there is none. `stop` ends it
/// early, with the smallest so far.
pub fn smaller(plan: &Plan, outcomes: &Outcomes, stop: &dyn Fn() -> bool) -> Option<Smaller> {
    let mut search = Search {
        violated: &outcomes.violated,
        first_seed: outcomes.seed,
        stop,
        tried: 0,
    };
    let (mut best, mut seed) = (as_drawn(plan, outcomes), None);
    while let Some((found, its_seed)) = search.next(&best, plan) {
        (best, seed) = (found, Some(its_seed));
    }
    let minimal = !search.is_over();
    seed.map(|seed| Smaller {
        plan: best,
        seed,
        tried: search.tried,
        minimal,
    })
}

impl Search<'_> {
    fn is_over(&self) -> bool {
        self.tried >= RUNS_MAX || (self.stop)()
    }

    /// A plan with one thing less that fails, with its seed.
    fn next(&mut self, plan: &Plan, first: &Plan) -> Option<(Plan, u64)> {
        let candidates = lesser(plan, first).into_iter();
        let mut candidates =
            candidates.filter(|candidate| engine(plan.protocol).check(candidate).is_ok());
        candidates.find_map(|candidate| {
            let seed = self.fails(&candidate)?;
            Some((candidate, seed))
        })
    }

    /// The seed, of those that are tried, whose run fails with the fewest events.
    fn fails(&mut self, plan: &Plan) -> Option<u64> {
        let options = sweep::Options {
            seeds: self.first_seed..self.first_seed.saturating_add(SEEDS),
            jobs: thread::available_parallelism().map_or(1, NonZero::get),
            run_limit: RUN_LIMIT,
            budget: None,
            twice_every: 0,
            until: None,
            until_violated: None,
        };
        let mut failing = Vec::new();
        let swept = sweep(
            std::slice::from_ref(plan),
            &options,
            &AtomicBool::new(false),
            |ended, _| {
                self.tried += 1;
                let outcomes = ended.outcomes.as_ref();
                if let Ok(outcomes) = outcomes
                    && outcomes.violated == self.violated
                {
                    failing.push((outcomes.history.len(), outcomes.seed));
                }
                if self.is_over() { Err(()) } else { Ok(()) }
            },
        );
        // What was cut short says nothing.
        swept.ok()?;
        failing.into_iter().min().map(|(_, seed)| seed)
    }
}

/// The plan with what the swarm drew of the configuration for this run, so that it stays when the swarm goes.
fn as_drawn(plan: &Plan, outcomes: &Outcomes) -> Plan {
    let mut plan = plan.clone();
    let header = outcomes.trace.as_ref().map(|trace| &trace.header);
    // Of runs that have steps, a trace has the configuration with what else the steps need.
    let config = header.map(|header| header.config.get("config").unwrap_or(&header.config));
    let fields = config.and_then(|config| config.as_object());
    for (name, value) in fields.into_iter().flatten() {
        // These have flags of their own.
        let has_flag = ["nodes", "bugs"].contains(&name.as_str());
        if !has_flag && !plan.set.iter().any(|(field, _)| field == name) {
            plan.set.push((name.clone(), value.to_string()));
        }
    }
    plan
}

/// How much a selection of faults is, for what it is less than.
fn weight(selection: &Selection) -> usize {
    match selection {
        Selection::None => 0,
        Selection::Families(families) => families.len(),
        Selection::All => FAMILIES.len(),
        Selection::Swarm => FAMILIES.len() + 1,
    }
}

/// Selections of at most two families that are less than this one, the least first.
fn fewer_faults(selection: &Selection) -> Vec<Selection> {
    let families = match selection {
        Selection::Families(families) => families.clone(),
        Selection::None | Selection::All | Selection::Swarm => FAMILIES.iter().collect(),
    };
    let mut fewer = vec![Selection::None];
    fewer.extend(families.iter().map(|one| Selection::Families(vec![one])));
    for (place, one) in families.iter().enumerate() {
        let others = families[place + 1..].iter();
        fewer.extend(others.map(|other| Selection::Families(vec![one, other])));
    }
    fewer.retain(|candidate| weight(candidate) < weight(selection));
    fewer
}

/// Counts less than this one, the least first.
fn less(count: usize, least: usize) -> Vec<usize> {
    let mut counts = vec![
        least,
        count / 4,
        count / 2,
        count * 3 / 4,
        count.saturating_sub(1),
    ];
    counts.retain(|candidate| (least..count).contains(candidate));
    counts.dedup();
    counts
}

/// Plans with one thing less than this one, which came of `first`.
fn lesser(plan: &Plan, first: &Plan) -> Vec<Plan> {
    let with = |change: &dyn Fn(&mut Plan)| {
        let mut lesser = plan.clone();
        change(&mut lesser);
        lesser
    };
    let mut plans = Vec::new();
    for nemesis in fewer_faults(&plan.nemesis) {
        plans.push(with(&|plan| plan.nemesis = nemesis.clone()));
    }
    plans.extend((3..plan.nodes).map(|nodes| with(&|plan| plan.nodes = nodes)));
    for concurrency in less(plan.options.concurrency, 1) {
        plans.push(with(&|plan| plan.options.concurrency = concurrency));
    }
    for operations in less(plan.options.operations, 1) {
        plans.push(with(&|plan| plan.options.operations = operations));
    }
    // While there is a swarm, it would draw anew what is not set.
    if !matches!(plan.nemesis, Selection::Swarm) {
        let drawn = plan.set.iter().filter(|field| !first.set.contains(field));
        for field in drawn {
            plans.push(with(&|plan| plan.set.retain(|kept| kept != field)));
        }
    }
    plans
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tribunal_protocols::registry::Protocol;

    use super::*;
    use crate::plan::Driver;
    use crate::workload;

    #[test]
    fn a_failing_plan_becomes_less_and_fails_alike() {
        let raft = Protocol::named("raft").expect("it is one of ours");
        let register = workload::Entry::find("register").expect("it is one of ours");
        let plan = Plan {
            bugs: raft.bugs_named(["RD1"]).expect("it is planted"),
            properties: false,
            driver: Driver::Plain,
            ..Plan::usual(raft, register)
        };
        let run = |plan: &Plan, seed| engine(raft).run(plan, seed, true, &|| false);
        let outcomes = (0..50)
            .map(|seed| run(&plan, seed))
            .find(|outcomes| !outcomes.violated.is_empty())
            .expect("it is found");

        let asked = Cell::new(0);
        let stop = || asked.replace(asked.get() + 1) > 800;
        let found = smaller(&plan, &outcomes, &stop).expect("there is a smaller one");

        let options = &found.plan.options;
        assert!(options.operations < plan.options.operations, "{options:?}");
        assert!(!matches!(found.plan.nemesis, Selection::Swarm));
        assert_eq!(run(&found.plan, found.seed).violated, outcomes.violated);
    }

    #[test]
    fn what_is_less_is_less_and_nothing_twice() {
        assert_eq!(less(150, 1), [1, 37, 75, 112, 149]);
        assert_eq!(less(2, 1), [1]);
        assert!(less(1, 1).is_empty());
        let names = |selection| -> Vec<String> {
            let fewer = fewer_faults(&selection);
            fewer.iter().map(ToString::to_string).collect()
        };
        assert!(names(Selection::None).is_empty());
        assert!(names(Selection::Swarm).contains(&"kill,pause".to_owned()));
        let pair = "kill,pause".parse().expect("these are families");
        assert_eq!(names(pair), ["none", "kill", "pause"]);
    }
}
