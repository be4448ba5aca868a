//! From a failure that was found by chance to the shortest one that is like it.
//!
//! Delta debugging ([`shrink`](crate::shrink)) takes steps out, and ends where no single one can go. Two that do not stand
//! together may still go: that is tried first. What neither can do is to take another way. So the neighbourhood of the small trace is searched, breadth-first and no deeper than the trace
//! is long: the same timers, crashes and requests, in any order ([`Neighbourhood`]). Near [reaches](Reach) come first:
//! they are small, and the shorter trace that they find is the bound of the next.

use std::time::Duration;

use serde::Serialize;
use tribunal_checkers::explore::{
    Budget, Cut, Found, Limits as Bounds, Neighbourhood, Progress, Question, Reach, Reductions,
    Strategy, WRONG_HISTORY, explore,
};
use tribunal_checkers::properties::{PropertyInfo, properties_for};
use tribunal_checkers::{Limits, registry};
use tribunal_histories::Trace;
use tribunal_protocols::Step;
use tribunal_protocols::explored::Explored;

use crate::engine::Engine;
use crate::replay::ReplayError;
use crate::shrink::{Shrinker, Shrunk};

/// Of longer traces, pairs of steps are too many to be tried.
const PAIRS_MAX: usize = 64;

/// How a search is watched: it is shown the progress, and ends when a reason is given.
pub type Watch<'a> = &'a mut dyn FnMut(&Progress) -> Option<String>;

/// One search, of one reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Searched {
    /// Which messages could arrive.
    pub reach: Reach,
    /// How many steps a path could have.
    pub depth: usize,
    /// How long the shortest failing path is, if there is one.
    pub found: Option<usize>,
    /// How far the search came.
    pub progress: Progress,
    /// Why it did not see every path up to that length, if it did not.
    pub cut: Option<Cut>,
}

/// What a search of neighbourhoods came to.
#[derive(Debug)]
pub struct Nearest {
    /// The shortest trace that was found, or the one that was known.
    pub trace: Trace,
    /// The searches, the nearest first; after one that was cut short there are no more.
    pub searches: Vec<Searched>,
}

/// The furthest reach within which no shorter failure exists; `None` if not even the nearest was searched to the end.
pub fn shortest_within(searches: &[Searched]) -> Option<Reach> {
    let complete = searches.iter().take_while(|search| search.cut.is_none());
    complete.last().map(|search| search.reach)
}

/// Searches the neighbourhood of a failing trace for a shorter one that violates the same, up to so many states a reach.
///
/// # Errors
/// When the trace cannot be replayed.
pub(crate) fn nearest<N: Explored>(
    trace: &Trace,
    limits: Limits,
    states: Option<usize>,
    watch: Watch<'_>,
) -> Result<Nearest, ReplayError> {
    let never = || false;
    let (mut shrinker, known) = Shrinker::<N>::of(trace, limits, &never)?;
    let mut nearest = Nearest {
        trace: trace.clone(),
        searches: Vec::new(),
    };
    let Some(mut failing) = shrinker.fails(&known) else {
        return Ok(nearest);
    };
    if failing.len() <= PAIRS_MAX {
        shrinker.without_pairs(&mut failing);
    }
    let known = failing.steps().to_vec();
    let mut length = known.len();
    if length < trace.end.steps {
        nearest.trace = shrinker.trace_of(failing, trace);
    }
    for reach in Reach::ALL {
        let depth = length.saturating_sub(1);
        let quest = Quest {
            known: &known,
            reach,
            depth,
            states,
        };
        let alone = property_of::<N>(&shrinker.violated);
        let mut found = quest.search(&shrinker, alone.into_iter().collect(), watch);
        let way = found.counterexample.take();
        let mut failing = way.as_ref().and_then(|way| shrinker.fails(&way.steps));
        if way.is_some() && failing.is_none() {
            // Something else is violated before: whoever looks for that too does not go this way.
            found = quest.search(&shrinker, all_properties::<N>(&shrinker), watch);
            let way = found.counterexample.take();
            failing = way.as_ref().and_then(|way| shrinker.fails(&way.steps));
        }
        let shorter = failing.map(|failing| {
            length = failing.len();
            nearest.trace = shrinker.trace_of(failing, trace);
            length
        });
        // Paths that end at the bound of depth are longer than what is known.
        let cut = found.cut.filter(|cut| !matches!(cut, Cut::Depth(_)));
        let is_cut = cut.is_some();
        nearest.searches.push(Searched {
            reach,
            depth,
            found: shorter,
            progress: found.progress,
            cut,
        });
        if is_cut {
            break;
        }
    }
    Ok(nearest)
}

/// One search to be made.
struct Quest<'a, N: Explored> {
    known: &'a [Step<N>],
    reach: Reach,
    depth: usize,
    states: Option<usize>,
}

impl<N: Explored> Quest<'_, N> {
    fn search(
        &self,
        shrinker: &Shrinker<'_, N>,
        properties: Vec<&'static PropertyInfo>,
        watch: Watch<'_>,
    ) -> Found<N> {
        let violated = match property_of::<N>(&shrinker.violated) {
            Some(info) => info.id,
            None => WRONG_HISTORY,
        };
        let of_linearizability = registry()
            .iter()
            .any(|entry| entry.name == shrinker.model && entry.is_linearizability);
        let question = Question {
            setup: shrinker.setup.clone(),
            budget: Budget::default(),
            neighbourhood: Some(Neighbourhood::of(self.known, violated, self.reach)),
            reductions: Reductions {
                moot: true,
                // A plain checker may look at more than what was over before what else began.
                history: of_linearizability,
                ..Reductions::NONE
            },
            properties,
            limits: Bounds {
                depth: Some(self.depth),
                states: self.states,
                ..Bounds::default()
            },
            strategy: Strategy::BreadthFirst,
            threads: 1,
            model: shrinker.model.clone(),
        };
        explore(question, watch).expect("a neighbourhood has no operations to be understood")
    }
}

/// All properties, if they are to be judged.
fn all_properties<N: Explored>(shrinker: &Shrinker<'_, N>) -> Vec<&'static PropertyInfo> {
    let all = properties_for(N::NAME).filter(|_| shrinker.properties);
    all.unwrap_or_default().to_vec()
}

/// The property that is violated; none for clients' histories.
fn property_of<N: Explored>(violated: &str) -> Option<&'static PropertyInfo> {
    let all = properties_for(N::NAME).unwrap_or_default();
    all.iter().find(|info| info.id == violated).copied()
}

/// How often a search is looked at that nobody watches.
const TICK: Duration = Duration::from_millis(10);

/// How many states of a reach are visited, where nobody says how many.
pub const STATES_MAX: usize = 1_000_000;

/// Watches a search that nobody else watches, and ends it when it is to stop.
pub fn until(stop: &dyn Fn() -> bool) -> impl FnMut(&Progress) -> Option<String> + '_ {
    move |_| {
        #[expect(
            clippy::disallowed_methods,
            reason = "the search has threads of its own; this one only waits for them"
        )]
        std::thread::sleep(TICK);
        stop().then(|| "its time was over".to_owned())
    }
}

/// A trace made as short as could be.
#[derive(Debug)]
pub struct Shortened {
    /// The trace; it fails for the reason for which the first one did.
    pub trace: Trace,
    /// How many steps there were.
    pub from: usize,
    /// How many were left after steps had been taken out.
    pub shrunk: usize,
    /// How many are left.
    pub to: usize,
    /// How many candidates were tried.
    pub tried: usize,
    /// Whether no single step can be left out any more.
    pub minimal: bool,
    /// The searches of the neighbourhood.
    pub searches: Vec<Searched>,
}

impl From<Shrunk> for Shortened {
    fn from(shrunk: Shrunk) -> Self {
        Self {
            from: shrunk.from,
            shrunk: shrunk.to,
            to: shrunk.to,
            tried: shrunk.tried,
            minimal: shrunk.minimal,
            trace: shrunk.trace,
            searches: Vec::new(),
        }
    }
}

/// Takes steps out of a failing trace, searches the neighbourhood of what is left, up to so many states a reach, and
/// takes steps out again.
///
/// # Errors
/// When the trace does not fit this build's protocol.
pub fn shorten(
    engine: &dyn Engine,
    trace: &Trace,
    limits: Limits,
    states: Option<usize>,
    stop: &dyn Fn() -> bool,
    watch: Watch<'_>,
) -> Result<Shortened, ReplayError> {
    let first = engine.shrink(trace, limits, stop)?;
    let nearest = engine.nearest(&first.trace, limits, states, watch)?;
    let mut shortened = Shortened {
        searches: nearest.searches,
        ..Shortened::from(first)
    };
    if nearest.trace.end.steps < shortened.to {
        // It is short: this takes no time that would have to be bounded.
        let last = engine.shrink(&nearest.trace, limits, &|| false)?;
        shortened.to = last.to;
        shortened.tried += last.tried;
        shortened.minimal = last.minimal;
        shortened.trace = last.trace;
    }
    Ok(shortened)
}
