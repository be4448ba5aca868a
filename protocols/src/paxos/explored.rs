//! Paxos in exploration: ballots belong to nodes, and grow; what speaks of a lower one is soon of no matter.

use tribunal_histories::NodeId;

use super::proposer::Phase;
use super::{Config, HardState, Message, Paxos, PaxosBug};
use crate::explored::{Expedition, Explored, Names};

impl Explored for Paxos {
    const NAMES_MATTER: Names = Names::OfActors;

    const GRID: &'static [Expedition] = &[
        Expedition {
            name: "3-ballots",
            about: "every step of the proof, 3 acceptors, 2 proposers",
            flags: "--ballots 4 --asks own --actors 2 --op 'propose 1' --op 'propose 2' --timeouts round=any,0 --set refusals=false --set votes_to_all=false --strategy dfs --properties=-FPX",
        },
        Expedition {
            name: "4-ballots",
            about: "agreement, 3 acceptors, 2 proposers; what some wrong rules need to show",
            flags: "--ballots 5 --asks own --actors 2 --op 'propose 1' --op 'propose 2' --timeouts round=any,0 --set refusals=false --set votes_to_all=false --strategy dfs --properties PX1,PX2,PX6,PX7,PX8",
        },
        Expedition {
            name: "5-acceptors",
            about: "agreement, 5 acceptors, 2 proposers, 3 ballots",
            flags: "--nodes 5 --ballots 6 --grain rounds --contacts 2 --asks own --actors 2 --op 'propose 1' --op 'propose 2' --timeouts round=any,0 --set refusals=false --set votes_to_all=false --strategy dfs --properties PX1,PX7",
        },
        Expedition {
            name: "crash",
            about: "a crash anywhere, also between two effects of a step",
            flags: "--ballots 2 --asks own --actors 2 --op 'propose 1' --op 'propose 2' --timeouts round=any,0 --set refusals=false --set votes_to_all=false --strategy dfs --crashes 1 --crash-within-steps --properties=-FPX",
        },
        Expedition {
            name: "refusals",
            about: "acceptors that say so when they refuse, and votes that are told to all learners",
            flags: "--ballots 2 --asks own --actors 2 --op 'propose 1' --op 'propose 2' --timeouts round=1,0 --strategy dfs --properties PX1,PX3,PX7",
        },
    ];

    /// Phase 1. What was promised and not heard of only keeps votes of earlier ballots from being cast, and they may as well
    /// never be asked for. No step of a ballot hangs on one of a higher ballot, so that all steps may be brought into the
    /// order of their ballots (communication-closed rounds: Elrad and Francez 1982; Chaouch-Saad, Charron-Bost and Merz
    /// 2009): a ballot is then one step, if phase 2 may reach any nodes, its own or not.
    fn is_of_election(message: &Message) -> bool {
        matches!(
            message,
            Message::Prepare { .. } | Message::Promise { .. } | Message::Refused { .. }
        )
    }

    /// Of acceptors: what asks below their promise, if nobody is told of refusals. Promises and votes last, but for
    /// planted bugs. Of proposers: promises of ballots that they have left, for a ballot is never begun again.
    fn is_moot(
        config: &Config,
        node: Option<&Self>,
        disk: &HardState,
        _from: NodeId,
        message: &Message,
        may_crash: bool,
    ) -> bool {
        let has = |bug: PaxosBug| config.bugs.contains(bug.into());
        let forgets = has(PaxosBug::PromiseNotDurable)
            || has(PaxosBug::VoteNotDurable)
            || has(PaxosBug::VoteIsNoPromise)
            || has(PaxosBug::BallotNotDurable)
            || has(PaxosBug::BallotsShared);
        if forgets {
            return false;
        }
        let knows = node.and_then(|node| node.learner.value()).is_some() && !config.fresh_ballots;
        match message {
            // Whoever knows what is chosen, now or later, says so instead of promising, unless ballots are to be fresh.
            Message::Prepare { ballot } => {
                // Whoever starts has heard of what it had promised.
                let heard = node.is_none_or(|node| node.proposer.has_heard_of(*ballot));
                config.fresh_ballots && !config.refusals && *ballot < disk.promised() && heard
            }
            Message::Accept(proposal) => {
                !config.refusals
                    && proposal.ballot < disk.promised()
                    && !has(PaxosBug::AcceptUnchecked)
            }
            Message::Promise { ballot, .. } => {
                let prepares = node.is_some_and(|node| match &node.proposer.phase {
                    Phase::Preparing { ballot: begun, .. } => ballot == begun,
                    Phase::Idle | Phase::Proposing(_) => false,
                });
                !prepares && !has(PaxosBug::StalePromiseCounted)
            }
            // Who knows what is chosen has answered its clients, and learns nothing more while it lives.
            Message::Accepted(_) | Message::Chosen { .. } => {
                knows && !may_crash && node.is_some_and(|node| node.waiting.is_empty())
            }
            _ => false,
        }
    }

    /// How often a proposer failed makes it wait longer, and in exploration nobody waits. Who knows what is chosen need
    /// not count votes.
    fn settled(_config: &Config, node: &Self, _disk: &HardState, _quiet: bool) -> Option<Self> {
        let mut settled = node.clone();
        let counted = settled.proposer.forget_failures();
        let heard = settled.learner.forget_votes();
        (counted || heard).then_some(settled)
    }
}
