//! Making a failing audit small: steps are taken out as long as what is left fails for the same reason.
//!
//! As for our own protocols (`crate::shrink`), with one care more. What is wrong in the end (an element that a node lacks)
//! is wrong only if everything that was sent and not lost had arrived. So before the first read at the end all that is
//! still on its way is delivered, and every node must be up: leaving a delivery out explains nothing.

use std::path::PathBuf;

use tribunal_checkers::Limits;
use tribunal_histories::{Trace, TraceLine};

use super::pinned::Pinned;
use super::script::{ScriptError, header, is_invalid, judge, setup_of, trace_of};
use super::step::Step;
use super::world::{Setup, World};
use crate::judge::{Judged, history_of, takes_time};
use crate::shrink::Shrunk;

/// More deliveries than this at the end are a storm, and no end.
const DELIVERIES_MAX: usize = 5_000;

/// Steps, taken from the beginning, that fail.
struct Failing {
    steps: Vec<Step>,
    lines: Vec<TraceLine>,
    digest: tribunal_histories::Digest,
    judged: Judged,
}

struct Shrinker<'a> {
    setup: Setup,
    violated: String,
    limits: Limits,
    stop: &'a dyn Fn() -> bool,
    tried: usize,
}

/// Shrinks a failing trace. `stop` ends it early, with the smallest trace so far.
///
/// # Errors
/// When the trace does not fit this build.
pub fn shrink(
    trace: &Trace,
    folder: PathBuf,
    limits: Limits,
    stop: &dyn Fn() -> bool,
) -> Result<Shrunk, ScriptError> {
    let (setup, steps) = setup_of(trace, folder)?;
    let _pinned = Pinned::to_one();
    let from = steps.len();
    let mut shrinker = Shrinker {
        setup,
        violated: trace.end.violated.clone(),
        limits,
        stop,
        tried: 0,
    };
    let Some(mut best) = shrinker.fails(&steps) else {
        return Ok(Shrunk {
            trace: trace.clone(),
            from,
            to: from,
            tried: 1,
            minimal: false,
        });
    };
    let minimal = shrinker.minimise(&mut best);
    let mut header = header(&shrinker.setup);
    header.command.clone_from(&trace.header.command);
    Ok(Shrunk {
        to: best.steps.len(),
        trace: trace_of(header, best.lines, best.digest, &best.judged),
        from,
        tried: shrinker.tried,
        minimal,
    })
}

impl Shrinker<'_> {
    /// Takes what can be taken of these steps, up to the failure; nothing if it does not come.
    fn fails(&mut self, steps: &[Step]) -> Option<Failing> {
        self.tried += 1;
        let mut world = World::new(self.setup.clone(), true);
        world.clear().ok()?;
        let mut taken = Vec::with_capacity(steps.len());
        let mut is_at_the_end = !takes_time(&self.violated);
        for step in steps {
            let is_final =
                matches!(step, Step::Invoke { call, .. } if call.function == "final-read");
            if is_final && !is_at_the_end {
                is_at_the_end = true;
                deliver_all(&mut world, &mut taken)?;
            }
            if world.is_over() {
                break;
            }
            let Some(step) = like(&world, step) else {
                continue;
            };
            world.take(&step);
            taken.push(step);
        }
        let history = history_of(world.ledger.events().to_vec());
        let judged = judge(&world, &history, self.limits, self.stop);
        if !is_invalid(&judged) || judged.violated != self.violated {
            return None;
        }
        let digest = world.ledger.digest();
        let ledger = std::mem::take(&mut world.ledger);
        Some(Failing {
            steps: taken,
            lines: ledger.into_parts().1.unwrap_or_default(),
            digest,
            judged,
        })
    }

    /// Takes out what belongs together, then ever smaller runs of steps, until nothing more can be taken out.
    fn minimise(&mut self, best: &mut Failing) -> bool {
        loop {
            let before = best.steps.len();
            self.without_clients(best);
            if !self.without_runs(best) {
                return false;
            }
            if best.steps.len() == before {
                return true;
            }
        }
    }

    /// Goes on with these steps, if they fail and are fewer.
    fn attempt(&mut self, best: &mut Failing, steps: &[Step]) -> bool {
        let smaller = self
            .fails(steps)
            .filter(|failing| failing.steps.len() < best.steps.len());
        smaller.map(|failing| *best = failing).is_some()
    }

    /// Takes out client by client, with all that was said to it and by it.
    fn without_clients(&mut self, best: &mut Failing) {
        let mut clients: Vec<_> = best.steps.iter().filter_map(Step::client).collect();
        clients.sort_unstable();
        clients.dedup();
        for client in clients {
            if (self.stop)() {
                return;
            }
            let is_other = |step: &&Step| step.client() != Some(client);
            let rest: Vec<_> = best.steps.iter().filter(is_other).cloned().collect();
            self.attempt(best, &rest);
        }
    }

    /// Takes out runs of neighbouring steps, of half the trace to a single one. False if it was stopped.
    fn without_runs(&mut self, best: &mut Failing) -> bool {
        let mut size = best.steps.len().div_ceil(2);
        loop {
            let mut is_smaller = false;
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
                is_smaller |= self.attempt(best, &rest);
                end = start.min(best.steps.len());
            }
            if size == 1 && !is_smaller {
                return true;
            }
            size = if is_smaller && size == 1 {
                1
            } else {
                (size / 2).max(1)
            };
        }
    }
}

/// The step that does the same here, if there is one.
fn like(world: &World, step: &Step) -> Option<Step> {
    let step = match step {
        Step::Deliver(named) => Step::Deliver(world.like(named)?),
        Step::Duplicate(named) => Step::Duplicate(world.like(named)?),
        Step::Lose(named) => Step::Lose(world.like(named)?),
        other => other.clone(),
    };
    world.is_enabled(&step).then_some(step)
}

/// Delivers all that is on its way; nothing if some node is down, or there is no end to it.
fn deliver_all(world: &mut World, taken: &mut Vec<Step>) -> Option<()> {
    if !world.nodes().all(|node| world.is_ready(node)) {
        return None;
    }
    for _ in 0..DELIVERIES_MAX {
        let next = world.letters().next().map(|letter| super::step::Named {
            from: letter.from,
            to: letter.to,
            ordinal: letter.ordinal,
            body: letter.body.clone(),
        });
        let Some(named) = next else { return Some(()) };
        let step = Step::Deliver(named);
        world.take(&step);
        taken.push(step);
        if world.is_over() {
            return Some(());
        }
    }
    None
}
