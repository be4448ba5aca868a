//! Two exact searches at once, with one cancel.
//!
//! Both decide the same question, so that it does not matter for the answer which of them ends first; but the evidence
//! may differ, and a run must be the same on a fast machine and a slow one. So what counts is not time but states, as if
//! both looked at one in turn from where the competitor begins: the one wins that decided first by this clock, and each
//! stops as soon as the other must have won. Unknown is said only when neither decided within its own limit.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::search::{Found, Rival, Search, is_final};
use super::wing_gong_lowe::{self, WingGongLowe};
use crate::model::Model;

/// The competitor begins when the search has looked at so many states, and so many for each call: before, a thread is
/// not worth it.
const HEAD_START: u64 = 100_000;
const HEAD_START_PER_CALL: u64 = 32;

/// The competitor finds an order soon or not at all: it looks at no more states than this, and so many for each call.
const RIVAL_STATES: u64 = 300_000;
const RIVAL_STATES_PER_CALL: u64 = 4;

/// What both know of each other.
#[derive(Debug)]
struct Race {
    /// The earliest moment at which one of them decided.
    earliest: AtomicU64,
    is_over: AtomicBool,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entrant<'r> {
    race: Option<&'r Race>,
    /// When it began. A moment later for each state.
    began: u64,
}

impl Entrant<'_> {
    /// One that has no rival.
    pub(super) const ALONE: Self = Self {
        race: None,
        began: 0,
    };

    /// Whether the other decided before this one, which has looked at so many states.
    #[inline]
    pub(super) fn is_beaten(&self, states: u64) -> bool {
        self.race.is_some_and(|race| {
            race.earliest.load(Ordering::Relaxed) < self.moment(states)
                || race.is_over.load(Ordering::Relaxed)
        })
    }

    /// When it has looked at so many states.
    fn moment(&self, states: u64) -> u64 {
        self.began.saturating_add(states)
    }

    fn decided(&self, found: &Found) {
        if let Some(race) = self.race
            && is_final(&found.outcome)
        {
            let moment = self.moment(found.states);
            race.earliest.fetch_min(moment, Ordering::Relaxed);
        }
    }
}

/// When the competitor of a search of so many calls begins.
fn head_start(calls: usize) -> u64 {
    HEAD_START + HEAD_START_PER_CALL * calls as u64
}

/// Decides, with a competitor from some point on.
pub(super) fn decide<M: Model>(search: Search<'_, M>) -> Found {
    let starts_at = head_start(search.calls.len());
    decide_from(search, starts_at)
}

/// The same; the competitor begins after so many states.
pub(super) fn decide_from<M: Model>(search: Search<'_, M>, starts_at: u64) -> Found {
    let race = Race {
        earliest: AtomicU64::new(u64::MAX),
        is_over: AtomicBool::new(false),
    };
    let began_at = |began| Entrant {
        race: Some(&race),
        began,
    };
    let entrant = began_at(0);
    thread::scope(|scope| {
        let running = RefCell::new(None);
        let start = |rival: Rival<M>, began: u64| {
            let competitor = began_at(began);
            let thread = scope.spawn(move || (compete(rival, competitor), competitor));
            *running.borrow_mut() = Some(thread);
        };
        let mut search = search;
        search.entrant = entrant;
        search.challenge = Some((starts_at, Box::new(start)));
        let found = search.decide();
        entrant.decided(&found);
        let Some(thread) = running.take() else {
            return found;
        };
        // Where a limit was reached the other goes on; where the user wants an end, not.
        if !is_final(&found.outcome) && (search.stop)() {
            race.is_over.store(true, Ordering::Relaxed);
        }
        let Ok((Some(rival), competitor)) = thread.join() else {
            return found;
        };
        let is_first = competitor.moment(rival.states) < entrant.moment(found.states);
        if is_final(&rival.outcome) && (is_first || !is_final(&found.outcome)) {
            rival
        } else {
            found
        }
    })
}

/// What the competitor comes to, if it may compete.
fn compete<M: Model>(rival: Rival<M>, entrant: Entrant<'_>) -> Option<Found> {
    let never = || false;
    let mut search = rival.search(&never);
    // What it remembers is not to come on top of what the search may hold.
    search.limits.memory_bytes_max /= 4;
    let states_max = RIVAL_STATES + RIVAL_STATES_PER_CALL * search.calls.len() as u64;
    let states_max = states_max.min(search.limits.states_max);
    let mut rival = WingGongLowe::new(&mut search)?;
    let outcome = rival.run(&entrant, states_max);
    let found = Found {
        outcome,
        states: rival.states(),
        method: wing_gong_lowe::NAME,
    };
    entrant.decided(&found);
    Some(found)
}

#[cfg(test)]
mod tests {
    use tribunal_histories::{Invalid, Synthesis, SyntheticModel};

    use super::*;
    use crate::check::{CheckRequest, Limits};
    use crate::linearizability::partition::calls;
    use crate::linearizability::search::{self, Outcome};
    use crate::model::CasRegister;

    /// What comes of a race over a synthetic history that begins at once, and of the search alone.
    fn raced(seed: u64, limits: Limits) -> (Found, Found) {
        let synthesis = Synthesis {
            concurrency: 12,
            unique: false,
            crashed: seed % 3,
            invalid: (seed % 2 == 1).then_some(Invalid::Late),
            seed,
            ..Synthesis::new(SyntheticModel::named("cas-register").unwrap(), 300)
        };
        let history = synthesis.history();
        let request = CheckRequest::new("cas-register");
        let model = CasRegister::new(&request.initial(), request.semantics()).unwrap();
        let positions: Vec<_> = history.invocations().collect();
        let calls = calls(&model, &history, positions.into_iter());
        let never = || false;
        let new = || search::of(&model, &calls, limits, &never);
        let alone = new().decide();
        (decide_from(new(), 0), alone)
    }

    #[test]
    fn who_wins_is_the_same_every_time_and_so_is_the_answer() {
        let mut winners = std::collections::BTreeSet::new();
        for seed in 0..30 {
            let (found, alone) = raced(seed, Limits::default());
            let is_order = |found: &Found| matches!(found.outcome, Outcome::Order(_));
            assert!(is_final(&found.outcome) && is_final(&alone.outcome));
            assert_eq!(is_order(&found), is_order(&alone), "{seed}");
            for _ in 0..3 {
                assert_eq!(raced(seed, Limits::default()).0, found, "{seed}");
            }
            winners.insert(found.method);
        }
        assert!(
            winners.contains(wing_gong_lowe::NAME) && winners.contains(search::EXACT),
            "{winners:?}"
        );
    }

    #[test]
    fn where_both_reach_their_limits_nobody_knows_every_time() {
        let limits = Limits {
            states_max: 300,
            ..Limits::default()
        };
        let mut undecided = 0;
        for seed in 0..10 {
            let (found, _) = raced(seed, limits);
            undecided += u32::from(!is_final(&found.outcome));
            assert_eq!(raced(seed, limits).0, found, "{seed}");
        }
        assert!(undecided > 0);
    }
}
