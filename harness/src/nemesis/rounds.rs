//! A nemesis over time: rounds of faults with calm between them, and the end of all.

use std::collections::{BTreeSet, VecDeque};

use super::{Fault, NemesisContext, Plan, Round, Variant};
use crate::draw::{Domain, Draw};

/// How long faults and the calm between them last; each time is drawn between two bounds, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pace {
    /// The shortest and the longest time without a fault of a family.
    pub calm_us: (u64, u64),
    /// The shortest and the longest duration of a fault.
    pub fault_us: (u64, u64),
}

impl Default for Pace {
    /// For election timeouts of some hundred milliseconds: faults that are over before anyone notices, and faults
    /// that outlast several elections.
    fn default() -> Self {
        Self {
            calm_us: (50_000, 400_000),
            fault_us: (50_000, 600_000),
        }
    }
}

/// What a nemesis answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextFault {
    /// Inject this now, then ask again.
    Inject(Fault),
    /// Nothing now: ask again at that time in microseconds.
    Wait {
        /// When; `None` for never.
        until_us: Option<u64>,
    },
}

/// Faults over time: a pure value, which goes on identically when it is cloned.
#[derive(Clone, Debug, Default)]
pub struct Nemesis {
    lanes: Vec<Lane>,
    /// What ends the faults that are not known to have ended.
    remedies: BTreeSet<Fault>,
}

impl Nemesis {
    /// A nemesis that injects these faults at these times, if they are possible then: a run's faults again, or
    /// fewer of them.
    pub fn scripted(faults: impl IntoIterator<Item = (u64, Fault)>) -> Self {
        let mut plan: VecDeque<(u64, Fault)> = faults.into_iter().collect();
        plan.make_contiguous().sort_by_key(|(at_us, _)| *at_us);
        let lane = Lane { plan, rounds: None };
        Self {
            lanes: vec![lane],
            remedies: BTreeSet::new(),
        }
    }

    /// A nemesis of several families at once, each at its own rounds.
    pub(super) fn of(rounds: impl IntoIterator<Item = Rounds>) -> Self {
        let lane = |rounds| Lane {
            plan: VecDeque::new(),
            rounds: Some(rounds),
        };
        Self {
            lanes: rounds.into_iter().map(lane).collect(),
            remedies: BTreeSet::new(),
        }
    }

    /// The fault to inject at the context's time, or when to ask again.
    pub fn next(&mut self, context: &NemesisContext) -> NextFault {
        let mut earliest_us: Option<u64> = None;
        for lane in &mut self.lanes {
            match lane.next(context) {
                NextFault::Inject(fault) => {
                    self.remedies.remove(&fault);
                    self.remedies.extend(fault.remedy());
                    return NextFault::Inject(fault);
                }
                NextFault::Wait { until_us } => {
                    earliest_us = earliest_us.into_iter().chain(until_us).min();
                }
            }
        }
        NextFault::Wait {
            until_us: earliest_us,
        }
    }

    /// The end: what brings everything back, in order. There are no faults after it.
    pub fn heal(&mut self, context: &NemesisContext) -> Vec<Fault> {
        self.lanes.clear();
        let down = super::NodeId::all(context.nodes).filter(|node| !context.up.contains(node));
        let [resume, restart] = [
            Fault::Resume {
                nodes: context.paused.clone(),
            },
            Fault::Restart {
                nodes: down.collect(),
            },
        ];
        std::mem::take(&mut self.remedies)
            .into_iter()
            .chain([resume, restart])
            .filter_map(|fault| fault.possible(context))
            .collect()
    }
}

/// One family's faults, or a script.
#[derive(Clone, Debug)]
struct Lane {
    /// What is still to come of the round that has begun; its times count from the start of the run.
    plan: VecDeque<(u64, Fault)>,
    rounds: Option<Rounds>,
}

impl Lane {
    fn next(&mut self, context: &NemesisContext) -> NextFault {
        loop {
            while let Some((at_us, fault)) = self.plan.pop_front() {
                if at_us > context.time_us {
                    self.plan.push_front((at_us, fault));
                    return NextFault::Wait {
                        until_us: Some(at_us),
                    };
                }
                if let Some(fault) = fault.possible(context) {
                    return NextFault::Inject(fault);
                }
            }
            let until_us = match &mut self.rounds {
                None => None,
                Some(rounds) if rounds.due_us > context.time_us => Some(rounds.due_us),
                Some(rounds) => {
                    self.plan = rounds.begin(context).into();
                    continue;
                }
            };
            return NextFault::Wait { until_us };
        }
    }
}

/// The rounds of one family.
#[derive(Clone, Debug)]
pub(super) struct Rounds {
    variants: Vec<&'static Variant>,
    pace: Pace,
    seed: u64,
    /// What tells the family's decisions from those of others.
    key: u64,
    /// The number of the next round, from 1.
    number: u64,
    due_us: u64,
}

impl Rounds {
    pub(super) fn new(seed: u64, key: u64, pace: Pace, variants: Vec<&'static Variant>) -> Self {
        let mut rounds = Self {
            variants,
            pace,
            seed,
            key,
            number: 0,
            due_us: 0,
        };
        rounds.due_us = rounds.next_calm_us();
        rounds
    }

    /// Plans a round that begins now.
    fn begin(&mut self, context: &NemesisContext) -> Plan {
        let mut draw = Draw::keyed(self.seed, Domain::Nemesis, self.key, self.number);
        let (shortest, longest) = self.pace.fault_us;
        let duration_us = draw.between(shortest, longest).max(1);
        let variant = *draw.pick(&self.variants);
        let mut round = Round {
            context,
            draw,
            duration_us,
        };
        let mut plan = (variant.plan)(&mut round);
        for (at_us, _) in &mut plan {
            *at_us += context.time_us;
        }
        let end_us = plan.last().map_or(context.time_us, |(at_us, _)| *at_us);
        self.due_us = end_us + self.next_calm_us();
        plan
    }

    /// Goes on to the next round: the calm before it, which is never nothing, so that rounds end.
    fn next_calm_us(&mut self) -> u64 {
        self.number += 1;
        let mut draw = Draw::keyed(self.seed, Domain::Nemesis, self.key, self.number).fork(0);
        let (shortest, longest) = self.pace.calm_us;
        draw.between(shortest, longest).max(1)
    }
}
