//! The proposer: ballot after ballot, until one chooses a value (Paxos Made Simple §2.2, phases 1a and 2a, and §2.4).
//!
//! Two proposers may go on refusing each other for ever; so who was refused rests for a random time, which grows.

use std::collections::BTreeMap;

use tribunal_histories::{Bag, NodeId};

use super::ballot::{self, Ballot};
use super::disk::{Proposal, Write};
use super::message::{Message, Timer};
use super::{Cx, Paxos, PaxosBug, nodes, probes, reached};
use crate::contract::TimerRange;

/// What a proposer is at, and what it has heard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Proposer {
    pub(super) phase: Phase,
    /// The highest ballot that it has heard of: an acceptor refused it for that, or it was prepared on this node.
    heard_of: Ballot,
    /// How many ballots in a row came to nothing.
    failures: u32,
}

impl Proposer {
    /// A proposer that has just started, on a node that has promised this ballot: it need not try one below.
    pub(super) fn above(promised: Ballot) -> Self {
        Self {
            heard_of: promised,
            ..Self::default()
        }
    }

    /// Its next ballot must be above this one, or it will be refused.
    pub(super) fn hear_of(&mut self, ballot: Ballot) {
        self.heard_of = self.heard_of.max(ballot);
    }

    /// Begins to count its failures anew; whether there were any.
    pub(super) fn forget_failures(&mut self) -> bool {
        std::mem::take(&mut self.failures) > 0
    }

    /// Whether to hear of a ballot would be no news.
    pub(super) fn has_heard_of(&self, ballot: Ballot) -> bool {
        ballot <= self.heard_of
    }
}

/// What a proposer is at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// Nothing, or it rests.
    #[default]
    Idle,
    /// Phase 1: it gathers promises.
    Preparing {
        ballot: Ballot,
        /// By acceptor, the vote that its promise told.
        promises: Bag<BTreeMap<NodeId, Option<Proposal>>>,
    },
    /// Phase 2: it waits for votes.
    Proposing(Proposal),
}

impl Phase {
    fn ballot(&self) -> Option<Ballot> {
        match self {
            Self::Idle => None,
            Self::Preparing { ballot, .. } => Some(*ballot),
            Self::Proposing(proposal) => Some(proposal.ballot),
        }
    }
}

/// What the promises of a quorum leave a proposer.
enum Choice {
    /// Any value.
    Free,
    /// This one.
    Bound(i64),
    /// None, in this ballot. Only a planted bug does not know what to do.
    Stuck,
}

impl Paxos {
    /// Phase 1a: begins a ballot above all that this node has used or been refused for. The ballot is on the disk
    /// before anybody hears of it.
    pub(super) fn begin_ballot(&mut self, cx: &mut Cx<'_>) {
        let last = cx.durable().ballot;
        let above = last.max(self.proposer.heard_of);
        let ballot = match cx.has(PaxosBug::BallotsShared) {
            true => above + 1,
            false => ballot::next(above, cx.me(), cx.config().nodes),
        };
        if cx.has(PaxosBug::BallotNotDurable) {
            cx.write_but_forget_to_persist(&Write::Use(ballot));
        } else {
            cx.write(Write::Use(ballot));
        }
        self.proposer.phase = Phase::Preparing {
            ballot,
            promises: Bag::default(),
        };
        let range = cx.config().round(self.proposer.failures);
        self.wait_for_next_ballot(range, cx);
        self.proposer.failures += 1;
        for acceptor in nodes(cx) {
            cx.send(acceptor, Message::Prepare { ballot });
        }
    }

    fn wait_for_next_ballot(&self, range: TimerRange, cx: &mut Cx<'_>) {
        let min_us = cx.config().round_min_us;
        let range = match cx.has(PaxosBug::NoBackOff) {
            true => TimerRange {
                min_us,
                max_us: min_us,
            },
            false => range,
        };
        cx.set_timer(Timer::Round, range);
    }

    /// The ballot did not succeed in time, or the rest is over.
    pub(super) fn next_ballot(&mut self, cx: &mut Cx<'_>) {
        if self.proposer.phase != Phase::Idle {
            cx.note(probes::ROUND_IN_VAIN);
            if cx.has(PaxosBug::SilenceIsRejection) {
                self.reject_proposals(cx);
            }
        }
        self.proposer.phase = Phase::Idle;
        if !self.waiting.is_empty() {
            self.begin_ballot(cx);
        }
    }

    /// An acceptor promised. With a quorum, phase 2a: proposes the value of the highest vote that the promises tell, or
    /// else any (P2c).
    pub(super) fn gather(
        &mut self,
        acceptor: NodeId,
        promised: Ballot,
        accepted: Option<Proposal>,
        cx: &mut Cx<'_>,
    ) {
        let own = self.own_value();
        let Phase::Preparing { ballot, promises } = &mut self.proposer.phase else {
            return;
        };
        if promised != *ballot && !cx.has(PaxosBug::StalePromiseCounted) {
            cx.note(probes::STALE_PROMISE);
            return;
        }
        let ballot = *ballot;
        promises.insert(acceptor, accepted);
        if !reached(
            &self.quorums.prepare,
            promises.keys().copied().collect(),
            cx,
        ) {
            return;
        }
        let value = match choose(promises, own.is_some(), cx) {
            Choice::Bound(value) => {
                if own != Some(value) {
                    let has_own = own.is_some();
                    cx.note(if has_own {
                        probes::VALUE_ADOPTED
                    } else {
                        probes::READ_DECIDED
                    });
                }
                value
            }
            Choice::Free => match own {
                Some(value) => {
                    cx.note(probes::FREE_CHOICE);
                    value
                }
                None => return self.nothing_is_chosen(ballot, cx),
            },
            Choice::Stuck => return,
        };
        self.propose(Proposal { ballot, value }, cx);
    }

    /// Phase 2a.
    pub(super) fn propose(&mut self, proposal: Proposal, cx: &mut Cx<'_>) {
        self.proposer.phase = Phase::Proposing(proposal);
        for acceptor in nodes(cx) {
            cx.send(acceptor, Message::Accept(proposal));
        }
    }

    /// No quorum can have chosen anything below this ballot: so it was when the reads came that are older than it.
    fn nothing_is_chosen(&mut self, ballot: Ballot, cx: &mut Cx<'_>) {
        self.proposer.phase = Phase::Idle;
        self.proposer.failures = 0;
        self.answer_undecided(ballot, cx);
        if self.waiting.is_empty() {
            cx.cancel_timer(Timer::Round);
        } else {
            self.wait_for_next_ballot(cx.config().back_off(0), cx);
        }
    }

    /// An acceptor has promised a higher ballot: this one may as well be given up.
    pub(super) fn be_refused(&mut self, refused: Ballot, promised: Ballot, cx: &mut Cx<'_>) {
        self.proposer.hear_of(promised);
        if self.proposer.phase.ballot() != Some(refused) {
            return;
        }
        self.proposer.phase = Phase::Idle;
        let range = cx.config().back_off(self.proposer.failures);
        self.wait_for_next_ballot(range, cx);
    }

    /// A value is chosen: every client that waits gets its answer, and there is no need to go on.
    pub(super) fn decided(&mut self, value: i64, cx: &mut Cx<'_>) {
        self.answer_chosen(value, cx);
        self.proposer.phase = Phase::Idle;
        self.proposer.failures = 0;
        cx.cancel_timer(Timer::Round);
    }
}

/// The rule by which promises bind a proposer: to the value of the highest vote that they tell.
fn choose(promises: &BTreeMap<NodeId, Option<Proposal>>, has_own: bool, cx: &mut Cx<'_>) -> Choice {
    let votes: Vec<Proposal> = promises.values().copied().flatten().collect();
    if votes.windows(2).any(|pair| pair[0].value != pair[1].value) {
        cx.note(probes::VOTES_DIFFERED);
    }
    if cx.has(PaxosBug::ReportsIgnored) && has_own {
        return Choice::Free;
    }
    let by_majority = cx.has(PaxosBug::MajorityOfReportsOrOwn);
    if (by_majority || cx.has(PaxosBug::MajorityOfReportsOrNone)) && !votes.is_empty() {
        let held = |vote: &Proposal| votes.iter().filter(|other| *other == vote).count();
        let held_by_most = votes.iter().find(|vote| 2 * held(vote) > promises.len());
        return match held_by_most {
            Some(vote) => Choice::Bound(vote.value),
            None if by_majority => Choice::Free,
            None => Choice::Stuck,
        };
    }
    let vote = match cx.has(PaxosBug::LowestReport) {
        true => votes.iter().min(),
        false => votes.iter().max(),
    };
    vote.map_or(Choice::Free, |vote| Choice::Bound(vote.value))
}
