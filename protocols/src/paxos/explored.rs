//! Paxos in exploration: ballots belong to nodes, and grow; what speaks of a lower one is soon of no matter.

use tribunal_histories::NodeId;

use super::proposer::Phase;
use super::{Config, HardState, Message, Paxos, PaxosBug};
use crate::explored::{Expedition, Explored};

impl Explored for Paxos {
    const NAMES_MATTER: bool = true;

    const GRID: &'static [Expedition] = &[];

    /// A ballot is all that there is.
    fn is_of_election(_message: &Message) -> bool {
        false
    }

    /// Of acceptors: what asks below their promise, if nobody is told of refusals. Promises and votes last, but for
    /// planted bugs. Of proposers: promises of ballots that they have left, for a ballot is never begun again.
    fn is_moot(
        config: &Config,
        node: Option<&Self>,
        disk: &HardState,
        _from: NodeId,
        message: &Message,
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
            // Whoever knows what is chosen says so instead of promising; and it makes a proposer's next ballot higher.
            Message::Prepare { ballot } => {
                let heard = node.is_none_or(|node| node.proposer.has_heard_of(*ballot));
                !knows && !config.refusals && *ballot < disk.promised() && heard
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
            _ => false,
        }
    }
}
