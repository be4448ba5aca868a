//! Where a search begins: what the cluster is like when nodes have started, or further on, after some steps.

use tribunal_histories::NodeSet;
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::explored::Explored;
use tribunal_protocols::world::{Observer, Setup};
use tribunal_protocols::{Step, World};

use super::QuestionError;
use super::bounds::{Budget, Grain, Reductions};
use super::moves::{Move, Mover};

/// More steps are not taken before what was said has arrived: nodes that are wrong may answer each other without end.
const STEPS_MAX: usize = 10_000;

/// The cluster at the start of a search, and the steps that lead there.
#[derive(Clone, Debug)]
pub(super) struct Beginning<N: Explored> {
    pub(super) world: World<N>,
    pub(super) steps: Vec<Step<N>>,
}

impl<N: Explored> Beginning<N> {
    /// Starts a cluster and takes the steps that a search is to begin with.
    ///
    /// # Errors
    /// One of them cannot be taken.
    pub(super) fn of(setup: &Setup<N>, budget: &Budget) -> Result<Self, QuestionError> {
        let mut beginning = Self {
            world: started(setup, budget, &mut ()),
            steps: Vec::new(),
        };
        if !budget.begin.is_empty() {
            beginning.arrive()?;
        }
        for name in &budget.begin {
            let step = beginning.world.find(name);
            let step = step.map_err(|why| beginning.refuses(&why))?;
            beginning.take(step)?;
            beginning.arrive()?;
        }
        Ok(beginning)
    }

    /// All that is on its way arrives, and all that is written reaches the disks.
    fn arrive(&mut self) -> Result<(), QuestionError> {
        let happens_alone = |step: &Step<N>| matches!(step, Step::Deliver(_) | Step::Sync { .. });
        for _ in 0..STEPS_MAX {
            match self.world.enabled().into_iter().find(happens_alone) {
                Some(step) => self.take(step)?,
                None => return Ok(()),
            }
        }
        Err(self.refuses(&"nodes answer each other without end"))
    }

    /// Takes a step, and all that comes of it.
    fn take(&mut self, step: Step<N>) -> Result<(), QuestionError> {
        let mover = Mover {
            grain: Grain::Exchanges,
            reductions: Reductions {
                absorb: true,
                ..Reductions::NONE
            },
            may_crash: false,
        };
        let name = step.to_string();
        let whole = Move {
            contact: NodeSet::all(self.world.config().nodes()),
            ..Move::of(step)
        };
        let mut taken = |step: &Step<N>| self.steps.push(step.clone());
        let carried = mover.carry_out(&mut self.world, &whole, &mut (), false, &mut taken);
        match carried {
            Ok(_) => Ok(()),
            Err(why) => Err(self.refuses(&format!("`{name}`: {why}"))),
        }
    }

    fn refuses(&self, why: &dyn std::fmt::Display) -> QuestionError {
        let enabled: Vec<_> = self.world.enabled().iter().map(Step::to_string).collect();
        QuestionError::Begin {
            why: why.to_string(),
            enabled: enabled.join(", "),
        }
    }

    /// Shows all of it to an observer.
    pub(super) fn show(&self, setup: &Setup<N>, budget: &Budget, observer: &mut dyn Observer) {
        let mut world = started(setup, budget, observer);
        for step in &self.steps {
            world
                .take(step, observer)
                .expect("steps that were taken once are taken again");
        }
    }
}

/// The cluster when its nodes have started, as a search has it.
fn started<N: Explored>(
    setup: &Setup<N>,
    budget: &Budget,
    observer: &mut dyn Observer,
) -> World<N> {
    let mut world = setup.start(observer);
    if budget.in_order {
        world.keep_order_of_packets();
    }
    world.remember_deeds();
    world.take_sent();
    if budget.silent_start {
        world.retain_packets(|packet| packet.from == packet.to);
    }
    world
}
