//! Cross-replay: the steps of a trace, taken in `World` and by nodes that something else runs, side by side.
//!
//! Under madsim and as real processes the nodes run in the host loop of [`env`](mod@crate::runtime::env). What they show
//! and what clients see must be what `World` shows; otherwise one of them does not do what the contract says.

use std::path::PathBuf;

use serde::Serialize;
use tribunal_histories::Trace;
use tribunal_protocols::{Node, Step};

use crate::replay::{ReplayError, Stage, setup_of};
use crate::runtime::live::scripted::{self, ScriptError};
use crate::runtime::live::{ClusterOptions, LiveError};

/// Who runs the nodes, besides `World`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Performer {
    /// madsim.
    Madsim,
    /// Real processes, with their files in this directory.
    Live(PathBuf),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// How many steps were taken.
    pub steps: usize,
    /// How many times a node showed what it shows in `World`.
    pub views: usize,
    /// How many events clients saw, the same ones in both.
    pub events: usize,
    /// How many log files hold what `World`'s disks hold; `None` where there are none.
    pub disks: Option<usize>,
    /// Where the two first differ, if they do.
    pub parting: Option<String>,
}

/// The steps cannot be taken there.
#[derive(Debug, thiserror::Error)]
pub enum CrossError {
    /// Not even in `World`.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// Not as real processes.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// Processes cannot be started.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// This build does not have madsim.
    #[error("this build does not have the madsim runtime: it was compiled without `--cfg madsim`")]
    NoMadsim,
}

/// Takes a trace's steps in `World` and elsewhere, and compares.
///
/// # Errors
/// When the trace does not fit this build's protocol, or the steps cannot be taken there at all.
pub(crate) fn cross_replay<N: Node>(
    trace: &Trace,
    performer: &Performer,
) -> Result<Agreement, CrossError> {
    let setup = setup_of::<N>(&trace.header)?;
    let mut stage = Stage::new(&setup, false);
    let names = trace.steps().enumerate();
    let steps: Vec<Step<N>> = names
        .map(|(place, name)| stage.take_named(place + 1, name))
        .collect::<Result<_, _>>()?;
    match performer {
        Performer::Madsim => under_madsim::under_madsim(&setup, steps),
        Performer::Live(directory) => {
            let seed = trace.header.seed.unwrap_or(0);
            scripted::check(&setup, &steps)?;
            let options = ClusterOptions::of::<N>(&setup.config, seed, directory.clone())?;
            let played = scripted::run(options, &setup, &steps)?;
            Ok(Agreement {
                steps: played.steps,
                views: played.views,
                events: played.events,
                disks: Some(played.disks),
                parting: played.parting,
            })
        }
    }
}

#[cfg(not(madsim))]
mod under_madsim {
    use tribunal_protocols::world::Setup;

    use super::{Agreement, CrossError, Node, Step};

    /// A build without madsim cannot.
    pub(super) fn under_madsim<N: Node>(
        _: &Setup<N>,
        _: Vec<Step<N>>,
    ) -> Result<Agreement, CrossError> {
        Err(CrossError::NoMadsim)
    }
}

#[cfg(madsim)]
mod under_madsim {
    use tribunal_histories::{EventRecord, Observation};
    use tribunal_protocols::world::{Observer, Setup};

    use super::{Agreement, CrossError, Node, Step};
    use crate::runtime::sim::scripted;

    /// All that was to be seen, in order.
    #[derive(Debug, Default)]
    struct Seen {
        views: Vec<String>,
        events: Vec<EventRecord>,
    }

    impl Observer for Seen {
        fn observe(&mut self, now: &Observation<'_>) {
            let durable = now.logs.durable_log(now.node);
            self.views.push(format!(
                "{} after a {:?}: {:?}, sent {:?}, on disk {durable:?}",
                now.node, now.cause, now.view, now.sent
            ));
        }

        fn client_event(&mut self, event: EventRecord) {
            self.events.push(event);
        }

        fn note(&mut self, _: &'static str) {}
    }

    /// Takes steps in `World` and with nodes under madsim.
    pub(super) fn under_madsim<N: Node>(
        setup: &Setup<N>,
        steps: Vec<Step<N>>,
    ) -> Result<Agreement, CrossError> {
        let mut ours = Seen::default();
        let mut world = setup.start(&mut ours);
        for step in &steps {
            let taken = world.take(step, &mut ours);
            taken.expect("the step was taken once, in an equal world");
        }
        let count = steps.len();
        let theirs = match scripted::run(setup, steps, Seen::default()) {
            Ok(theirs) => theirs,
            Err(error) => {
                return Ok(Agreement {
                    steps: count,
                    views: 0,
                    events: 0,
                    disks: None,
                    parting: Some(error.to_string()),
                });
            }
        };
        Ok(Agreement {
            steps: count,
            views: same(&ours.views, &theirs.views),
            events: same(&ours.events, &theirs.events),
            disks: None,
            parting: parting(&ours.views, &theirs.views)
                .or_else(|| parting(&ours.events, &theirs.events)),
        })
    }

    fn same<T: PartialEq>(ours: &[T], theirs: &[T]) -> usize {
        let pairs = ours.iter().zip(theirs);
        pairs.take_while(|(ours, theirs)| ours == theirs).count()
    }

    fn parting<T: PartialEq + std::fmt::Debug>(ours: &[T], theirs: &[T]) -> Option<String> {
        let same = same(ours, theirs);
        let differ = same < ours.len().max(theirs.len());
        differ.then(|| {
            format!(
                "in World\n    {:?}\n  and under madsim\n    {:?}",
                ours.get(same),
                theirs.get(same)
            )
        })
    }
}
