//! Sweeps: many seeds of one or several plans, in parallel, added up as they end.
//!
//! Every worker thread runs one seed at a time, on a runtime of its own. Results come to the caller's thread, which
//! alone reads the clock (inside a simulation time is simulated) and asks a run that takes too long to stop. What is
//! added up does not depend on the order in which runs end.

use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tribunal_checkers::Answer;

use crate::experiment::{Experiment, Pace};
use crate::judge::Outcomes;
use crate::totals::Totals;

/// How a sweep goes about it.
#[derive(Clone, Debug)]
pub struct Options {
    /// The seeds; every plan runs with each.
    pub seeds: Range<u64>,
    /// How many runs at a time.
    pub jobs: usize,
    /// After how long a run is stopped; its verdict is then Unknown.
    pub run_limit: Duration,
    /// After how long no further run begins.
    pub budget: Option<Duration>,
    /// Every so many seeds one runs twice, and the two must be the same; 0 for none.
    pub twice_every: u64,
    /// No further run begins after one with this answer.
    pub until: Option<Answer>,
    /// No further run begins after one that violates this: what it finds, every other would find too.
    pub until_violated: Option<&'static str>,
}

/// A seed of a plan, by the plan's place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Run {
    /// The seed.
    pub seed: u64,
    /// The plan's place.
    pub plan: usize,
}

/// A run that is over.
#[derive(Debug)]
pub struct Ended {
    /// Which.
    pub run: Run,
    /// What it came to, or the message of its panic.
    pub outcomes: Result<Box<Outcomes>, String>,
    /// What came of running it a second time.
    pub repeated: Option<Repeated>,
}

/// A second run of a seed.
#[derive(Clone, Copy, Debug)]
pub struct Repeated {
    /// Whether another runtime drove it.
    pub on_other_runtime: bool,
    /// Whether it was the first one step by step, with the same verdict.
    pub same: bool,
}

/// Why a sweep is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finish {
    /// All runs are.
    Complete,
    /// A run had the answer that was waited for.
    Found,
    /// The budget is used up.
    Budget,
    /// The user wished it.
    Interrupted,
}

/// A sweep that is over.
#[derive(Debug)]
pub struct Sweep {
    /// Everything added up.
    pub totals: Totals,
    /// Why it is over.
    pub finish: Finish,
    /// How long it took.
    pub elapsed: Duration,
}

enum Message {
    Began { worker: usize, number: u64 },
    Ended { worker: usize, ended: Ended },
}

/// What the workers and the caller's thread share.
struct Shared<'a, P> {
    plans: &'a [P],
    options: &'a Options,
    interrupted: &'a AtomicBool,
    /// The number of the next run.
    next: AtomicU64,
    /// No further run begins.
    closed: AtomicBool,
    /// By worker, the number of the run that is to stop; numbers count from 1.
    overdue: Vec<AtomicU64>,
}

/// How often the caller's thread looks at the clock when nothing else happens.
const TICK: Duration = Duration::from_millis(50);
/// Deep recursion in a checker must not end the process.
const STACK_BYTES: usize = 16 << 20;

/// Runs every seed with every plan, and shows each run that ends to `watch`.
///
/// # Errors
/// Those of `watch`: they end the sweep.
///
/// # Panics
/// If the operating system refuses a thread.
pub fn sweep<P: Experiment, E>(
    plans: &[P],
    options: &Options,
    interrupted: &AtomicBool,
    watch: impl FnMut(&Ended, &Totals) -> Result<(), E>,
) -> Result<Sweep, E> {
    let jobs = options.jobs.max(1);
    let shared = &Shared {
        plans,
        options,
        interrupted,
        next: AtomicU64::new(0),
        closed: AtomicBool::new(false),
        overdue: (0..jobs).map(|_| AtomicU64::new(0)).collect(),
    };
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(4 * jobs);
        for worker in 0..jobs {
            let sender = sender.clone();
            thread::Builder::new()
                .name(WORKER.to_owned())
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, move || work(shared, worker, &sender))
                .expect("the operating system has a thread for us");
        }
        drop(sender);
        let sweep = collect(shared, &receiver, watch);
        shared.closed.store(true, Ordering::Relaxed);
        sweep
    })
}

/// The name of threads whose panics are results of runs.
pub const WORKER: &str = "worker";

fn work<P: Experiment>(shared: &Shared<'_, P>, worker: usize, sender: &SyncSender<Message>) {
    let plans = shared.plans.len() as u64;
    while !shared.closed.load(Ordering::Relaxed) && !shared.interrupted.load(Ordering::Relaxed) {
        let place = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some(seed) = shared.options.seeds.start.checked_add(place / plans) else {
            return;
        };
        if seed >= shared.options.seeds.end {
            return;
        }
        let run = Run {
            seed,
            plan: usize::try_from(place % plans).unwrap_or_default(),
        };
        let number = place + 1;
        if sender.send(Message::Began { worker, number }).is_err() {
            return;
        }
        let stop = || {
            shared.interrupted.load(Ordering::Relaxed)
                || shared.overdue[worker].load(Ordering::Relaxed) == number
        };
        let ended = attempt(
            &shared.plans[run.plan],
            run,
            shared.options.twice_every,
            &stop,
        );
        // Said here too, so that this worker does not begin another run before it is heard of.
        if shared.options.is_enough(&ended) {
            shared.closed.store(true, Ordering::Relaxed);
        }
        if sender.send(Message::Ended { worker, ended }).is_err() {
            return;
        }
    }
}

impl Options {
    /// Whether no further run is to begin after this one.
    fn is_enough(&self, ended: &Ended) -> bool {
        ended.outcomes.as_ref().is_ok_and(|outcomes| {
            self.until == Some(outcomes.verdict.answer())
                || self.until_violated == Some(&outcomes.violated)
        })
    }
}

/// Runs a seed, and again if it is one of those that are run twice.
fn attempt<P: Experiment>(plan: &P, run: Run, twice_every: u64, stop: &dyn Fn() -> bool) -> Ended {
    let once = |plan: &P| {
        catch_unwind(AssertUnwindSafe(|| plan.run(run.seed, false, stop)))
            .map_err(|payload| panic_message(&*payload))
    };
    let outcomes = once(plan);
    let repeated = match &outcomes {
        Ok(first) => plan
            .second(run.seed, twice_every)
            .map(|again| Repeated {
                on_other_runtime: again.on_other_runtime,
                same: once(&again.experiment).is_ok_and(|second| {
                    second.digest == first.digest && second.violated == first.violated
                }),
            })
            // A run that was stopped in the middle says nothing about another.
            .filter(|repeated| repeated.same || !stop()),
        Err(_) => None,
    };
    Ended {
        run,
        outcomes: outcomes.map(Box::new),
        repeated,
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
        .to_owned()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the watchdog, the budget and the rate are about real time; this thread simulates nothing"
)]
fn now() -> Instant {
    Instant::now()
}

fn collect<P: Experiment, E>(
    shared: &Shared<'_, P>,
    receiver: &Receiver<Message>,
    mut watch: impl FnMut(&Ended, &Totals) -> Result<(), E>,
) -> Result<Sweep, E> {
    let Options {
        run_limit, budget, ..
    } = *shared.options;
    let start = now();
    let mut totals = Totals::default();
    let mut finish = Finish::Complete;
    let mut running: Vec<Option<(u64, Instant)>> = vec![None; shared.overdue.len()];
    loop {
        match receiver.recv_timeout(TICK) {
            Ok(Message::Began { worker, number }) => running[worker] = Some((number, now())),
            Ok(Message::Ended { worker, ended }) => {
                running[worker] = None;
                if is_cut_short(shared, &ended) {
                    continue;
                }
                totals.add(&shared.plans[ended.run.plan], &ended);
                watch(&ended, &totals)?;
                if shared.options.is_enough(&ended) {
                    finish = Finish::Found;
                    shared.closed.store(true, Ordering::Relaxed);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        for (overdue, running) in shared.overdue.iter().zip(&running) {
            if let Some((number, _)) = running.filter(|(_, began)| began.elapsed() > run_limit) {
                overdue.store(number, Ordering::Relaxed);
            }
        }
        if finish == Finish::Complete && budget.is_some_and(|budget| start.elapsed() > budget) {
            finish = Finish::Budget;
            shared.closed.store(true, Ordering::Relaxed);
        }
    }
    if shared.interrupted.load(Ordering::Relaxed) {
        finish = Finish::Interrupted;
    }
    Ok(Sweep {
        totals,
        finish,
        elapsed: start.elapsed(),
    })
}

/// Whether the user's interrupt ended this run: it then is not one of those that were run. One of real processes
/// cannot be made again, so it counts as far as it came.
fn is_cut_short<P: Experiment>(shared: &Shared<'_, P>, ended: &Ended) -> bool {
    if shared.plans[ended.run.plan].pace() == Pace::RealTime {
        return false;
    }
    let undecided = ended
        .outcomes
        .as_ref()
        .is_ok_and(|outcomes| outcomes.verdict.answer() == Answer::Unknown);
    undecided && shared.interrupted.load(Ordering::Relaxed)
}
