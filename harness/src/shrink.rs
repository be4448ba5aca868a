//! Making a failing trace small: steps are taken out as long as what is left fails for the same reason.
//!
//! Delta debugging (Zeller and Hildebrandt, *Simplifying and Isolating Failure-Inducing Input*, TSE 2002) over
//! named steps: a step whose packet is no longer on the network is replaced by the most similar one that is, or
//! skipped. What comes out is a trace that was really taken, from which no single step can be left out.

use tribunal_checkers::{Answer, Limits};
use tribunal_histories::{Trace, TraceLine};
use tribunal_protocols::world::{Setup, SyncMode};
use tribunal_protocols::{Loss, Node, Step};

use crate::judge::{Judged, history_of, violated_by};
use crate::replay::{ReplayError, Stage, finish, header, setup_of};

/// A smaller trace.
#[derive(Debug)]
pub struct Shrunk {
    /// The trace; it fails for the reason for which the first one did.
    pub trace: Trace,
    /// How many steps there were.
    pub from: usize,
    /// How many are left.
    pub to: usize,
    /// How many candidates were tried.
    pub tried: usize,
    /// Whether no single step can be left out any more; otherwise shrinking was stopped.
    pub minimal: bool,
}

/// Steps, taken from the beginning, that fail.
pub(crate) struct Failing<N: Node> {
    steps: Vec<Step<N>>,
    lines: Vec<TraceLine>,
    stage: Stage<N>,
    judged: Judged,
}

impl<N: Node> Failing<N> {
    /// How many steps there are.
    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    /// The steps.
    pub(crate) fn steps(&self) -> &[Step<N>] {
        &self.steps
    }
}

/// A failure, and what tells whether other steps fail for the same reason.
pub(crate) struct Shrinker<'a, N: Node> {
    pub(crate) setup: Setup<N>,
    pub(crate) violated: String,
    pub(crate) model: String,
    pub(crate) properties: bool,
    limits: Limits,
    stop: &'a dyn Fn() -> bool,
    tried: usize,
}

/// Shrinks a failing trace. `stop` ends it early, with the smallest trace so far.
///
/// # Errors
/// When the trace cannot be replayed.
///
/// A trace that does not fail, or fails in a way that steps do not show (liveness), comes back as it is.
pub fn shrink<N: Node>(
    trace: &Trace,
    limits: Limits,
    stop: &dyn Fn() -> bool,
) -> Result<Shrunk, ReplayError> {
    let (mut shrinker, steps) = Shrinker::<N>::of(trace, limits, stop)?;
    let from = steps.len();
    let Some(mut best) = shrinker.fails(&steps) else {
        return Ok(Shrunk {
            trace: trace.clone(),
            from,
            to: from,
            tried: 1,
            minimal: false,
        });
    };
    shrinker.sync_at_once(&mut best);
    let minimal = shrinker.minimise(&mut best);
    Ok(Shrunk {
        from,
        to: best.len(),
        tried: shrinker.tried,
        minimal,
        trace: shrinker.trace_of(best, trace),
    })
}

impl<'a, N: Node> Shrinker<'a, N> {
    /// The failure of a trace, and its steps.
    ///
    /// # Errors
    /// When the trace cannot be replayed.
    pub(crate) fn of(
        trace: &Trace,
        limits: Limits,
        stop: &'a dyn Fn() -> bool,
    ) -> Result<(Self, Vec<Step<N>>), ReplayError> {
        let setup = setup_of::<N>(&trace.header)?;
        let mut stage = Stage::new(&setup, trace.header.properties);
        let mut steps = Vec::new();
        for (place, name) in trace.steps().enumerate() {
            steps.push(stage.take_named(place + 1, name)?);
        }
        let shrinker = Self {
            setup,
            violated: trace.end.violated.clone(),
            model: trace.header.model.clone().unwrap_or_default(),
            properties: trace.header.properties,
            limits,
            stop,
            tried: 0,
        };
        Ok((shrinker, steps))
    }

    /// The trace of steps that fail, made from another.
    pub(crate) fn trace_of(&self, failing: Failing<N>, from: &Trace) -> Trace {
        let header = tribunal_histories::TraceHeader {
            command: from.header.command.clone(),
            ..header(&self.setup, from.header.seed, &self.model, self.properties)
        };
        finish(header, failing.lines, failing.stage.digest, &failing.judged)
    }

    /// Takes what can be taken of these steps, up to the failure; `None` if it does not come.
    pub(crate) fn fails(&mut self, steps: &[Step<N>]) -> Option<Failing<N>> {
        self.tried += 1;
        let mut stage = Stage::new(&self.setup, self.properties);
        let (mut taken, mut lines) = (Vec::with_capacity(steps.len()), Vec::new());
        for step in steps {
            let step = stage.world.like(step);
            if !stage.record(&step, &mut lines) {
                continue;
            }
            taken.push(step);
            if stage.witness.has_seen_enough() {
                break;
            }
        }
        let history = history_of(stage.witness.events.clone());
        let judged = Judged::of(
            stage.witness.monitor.as_ref(),
            &history,
            &self.model,
            self.limits,
            self.stop,
        );
        let fails = judged.answer() == Answer::Invalid && judged.violated == self.violated;
        fails.then(|| Failing {
            steps: taken,
            lines,
            stage,
            judged,
        })
    }

    /// If it also fails when writes reach the disk at once, half of the steps are not needed.
    fn sync_at_once(&mut self, best: &mut Failing<N>) {
        if self.setup.sync == SyncMode::Immediate {
            return;
        }
        let kept = best
            .steps
            .iter()
            .filter(|step| !matches!(step, Step::Sync { .. } | Step::Remark(_)));
        let steps: Vec<_> = kept
            .map(|step| match step {
                Step::Crash { node, .. } => Step::Crash {
                    node: *node,
                    loss: Loss::All,
                },
                other => other.clone(),
            })
            .collect();
        self.setup.sync = SyncMode::Immediate;
        match self.fails(&steps) {
            Some(failing) => *best = failing,
            None => self.setup.sync = SyncMode::Explicit,
        }
    }

    /// Takes out what belongs together, then ever smaller runs of steps, until nothing more can be taken out.
    fn minimise(&mut self, best: &mut Failing<N>) -> bool {
        loop {
            let before = best.steps.len();
            self.without_clients(best);
            self.without_operations(best);
            if !self.without_runs(best) {
                return false;
            }
            if best.steps.len() == before {
                return true;
            }
        }
    }

    /// Takes the steps out that are not kept, if the rest still fails and is shorter.
    fn keep(&mut self, best: &mut Failing<N>, kept: impl Fn(&Step<N>) -> bool) -> bool {
        let rest: Vec<_> = best
            .steps
            .iter()
            .filter(|step| kept(step))
            .cloned()
            .collect();
        let smaller = self
            .fails(&rest)
            .filter(|failing| failing.steps.len() < best.steps.len());
        smaller.map(|failing| *best = failing).is_some()
    }

    /// Takes out runs of neighbouring steps, of half the trace to a single one. False if it was stopped.
    fn without_runs(&mut self, best: &mut Failing<N>) -> bool {
        let mut size = best.steps.len().div_ceil(2);
        loop {
            let mut smaller = false;
            // From the end: later steps depend on earlier ones.
            let mut end = best.steps.len();
            while end > 0 {
                if (self.stop)() {
                    return false;
                }
                let start = end.saturating_sub(size);
                let rest: Vec<_> = best.steps[..start]
                    .iter()
                    .chain(&best.steps[end..])
                    .cloned()
                    .collect();
                if let Some(failing) = self
                    .fails(&rest)
                    .filter(|failing| failing.steps.len() < best.steps.len())
                {
                    *best = failing;
                    smaller = true;
                }
                end = start.min(best.steps.len());
            }
            if size == 1 && !smaller {
                return true;
            }
            size = if smaller && size == 1 {
                1
            } else {
                (size / 2).max(1)
            };
        }
    }

    /// Takes out two steps at a time that need not be neighbours, as long as any two can be taken out.
    pub(crate) fn without_pairs(&mut self, best: &mut Failing<N>) {
        let mut second = best.steps.len();
        while second > 0 {
            second = second.min(best.steps.len()) - 1;
            let smaller = (0..second).rev().find_map(|first| {
                let rest = best.steps.iter().enumerate();
                let rest = rest.filter(|(place, _)| *place != first && *place != second);
                let rest: Vec<_> = rest.map(|(_, step)| step.clone()).collect();
                self.fails(&rest)
                    .filter(|failing| failing.steps.len() < best.steps.len())
            });
            if let Some(smaller) = smaller {
                *best = smaller;
                second = best.steps.len();
            }
        }
    }

    /// Takes out all that clients did, then client by client. Violations of cluster properties mostly need none.
    fn without_clients(&mut self, best: &mut Failing<N>) {
        let is_of_history = self.violated == violated_by(&self.model);
        if !is_of_history && self.keep(best, |step| step.client().is_none()) {
            return;
        }
        let mut clients: Vec<_> = best.steps.iter().filter_map(Step::client).collect();
        clients.sort_unstable();
        clients.dedup();
        for client in clients {
            if (self.stop)() {
                return;
            }
            self.keep(best, |step| step.client() != Some(client));
        }
    }

    /// Takes out operation by operation, the last first.
    fn without_operations(&mut self, best: &mut Failing<N>) {
        let mut operations: Vec<_> = best.steps.iter().filter_map(Step::operation).collect();
        operations.sort_unstable();
        operations.dedup();
        for operation in operations.into_iter().rev() {
            if (self.stop)() {
                return;
            }
            self.keep(best, |step| step.operation() != Some(operation));
        }
    }
}
