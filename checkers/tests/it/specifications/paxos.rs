//! `Paxos.tla` (L. Lamport; tlaplus/Examples, `specifications/Paxos`), action by action: three acceptors, two values.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Specification;

const ACCEPTORS: u8 = 3;
const VALUES: u8 = 2;
/// Any two acceptors of three are a quorum.
const QUORUM: usize = 2;

/// The state: the four variables of the specification.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Paxos {
    /// `maxBal`, `maxVBal` and `maxVal`, by acceptor.
    acceptors: [Acceptor; ACCEPTORS as usize],
    /// `msgs`: no message is ever removed.
    messages: BTreeSet<Message>,
    /// The constant `Ballot`, which the specification leaves to the model: the ballots below this one.
    ballots: u8,
}

/// An acceptor's variables; `None` stands for -1 and for no value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Acceptor {
    promised: Option<u8>,
    vote: Option<Vote>,
}

/// A value that was accepted under a ballot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Vote {
    ballot: u8,
    value: u8,
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Message {
    /// `[type |-> "1a", bal |-> b]`
    Prepare(u8),
    /// `[type |-> "1b", acc |-> a, bal |-> b, mbal |-> …, mval |-> …]`
    Promise(u8, u8, Option<Vote>),
    /// `[type |-> "2a", bal |-> b, val |-> v]`
    Propose(u8, u8),
    /// `[type |-> "2b", acc |-> a, bal |-> b, val |-> v]`
    Accepted(u8, u8, u8),
}

/// The disjuncts of `Next`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Action {
    /// `Phase1a(b)`
    Prepare(u8),
    /// `Phase2a(b, v)`
    Propose(u8, u8),
    /// `Phase1b(a)`, on the receipt of 1a of ballot `b`
    Promise(u8, u8),
    /// `Phase2b(a)`, on the receipt of 2a of ballot `b` and value `v`
    Accept(u8, u8, u8),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Paxos {
    fn acceptor(&self, acceptor: u8) -> &Acceptor {
        &self.acceptors[usize::from(acceptor)]
    }

    /// `Phase2a(b, v)` without its effect.
    fn may_propose(&self, ballot: u8, value: u8) -> bool {
        let proposed =
            (0..VALUES).any(|any| self.messages.contains(&Message::Propose(ballot, any)));
        let promises: Vec<Option<Vote>> = self
            .messages
            .iter()
            .filter_map(|message| match message {
                Message::Promise(_, promised, vote) if *promised == ballot => Some(*vote),
                _ => None,
            })
            .collect();
        // A quorum without votes, or one whose highest vote is for this value: it can do with the votes of at most
        // that ballot.
        let reached = |highest: Option<u8>| {
            let lower = promises
                .iter()
                .filter(|vote| vote.map(|vote| vote.ballot) <= highest);
            lower.count() >= QUORUM
        };
        let for_value = promises.iter().flatten().filter(|vote| vote.value == value);
        !proposed && (reached(None) || for_value.into_iter().any(|vote| reached(Some(vote.ballot))))
    }
}

impl Specification for Paxos {
    const NAME: &'static str = "Paxos.tla";

    type Action = Action;

    fn initial(size: u8) -> Self {
        Self {
            acceptors: Default::default(),
            messages: BTreeSet::new(),
            ballots: size,
        }
    }

    fn internal(&self, actions: &mut Vec<Action>) {
        let all = (0..self.ballots).flat_map(|ballot| {
            let proposals = (0..VALUES).map(move |value| Action::Propose(ballot, value));
            std::iter::once(Action::Prepare(ballot)).chain(proposals)
        });
        actions.extend(all.filter(|action| self.is_enabled(*action)));
    }

    fn receipts(&self, actions: &mut Vec<Action>) {
        for message in &self.messages {
            match *message {
                Message::Prepare(ballot) => {
                    actions.extend((0..ACCEPTORS).map(|who| Action::Promise(who, ballot)));
                }
                Message::Propose(ballot, value) => {
                    actions.extend((0..ACCEPTORS).map(|who| Action::Accept(who, ballot, value)));
                }
                Message::Promise(..) | Message::Accepted(..) => {}
            }
        }
    }

    fn is_enabled(&self, action: Action) -> bool {
        match action {
            Action::Prepare(ballot) => !self.messages.contains(&Message::Prepare(ballot)),
            Action::Propose(ballot, value) => self.may_propose(ballot, value),
            Action::Promise(acceptor, ballot) => {
                let sent = self.messages.contains(&Message::Prepare(ballot));
                sent && Some(ballot) > self.acceptor(acceptor).promised
            }
            Action::Accept(acceptor, ballot, value) => {
                let sent = self.messages.contains(&Message::Propose(ballot, value));
                let vote = Vote { ballot, value };
                let Acceptor {
                    promised,
                    vote: last,
                } = *self.acceptor(acceptor);
                sent && Some(ballot) >= promised && last != Some(vote)
            }
        }
    }

    fn take(&mut self, action: Action) {
        let message = match action {
            Action::Prepare(ballot) => Message::Prepare(ballot),
            Action::Propose(ballot, value) => Message::Propose(ballot, value),
            Action::Promise(who, ballot) => {
                let acceptor = &mut self.acceptors[usize::from(who)];
                acceptor.promised = Some(ballot);
                Message::Promise(who, ballot, acceptor.vote)
            }
            Action::Accept(who, ballot, value) => {
                self.acceptors[usize::from(who)] = Acceptor {
                    promised: Some(ballot),
                    vote: Some(Vote { ballot, value }),
                };
                Message::Accepted(who, ballot, value)
            }
        };
        self.messages.insert(message);
    }
}
