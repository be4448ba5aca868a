//! The coordinator: it begins transactions for the clients whose home it is, collects votes, decides, and sees to it
//! that all participants learn (Gray, *Notes on Data Base Operating Systems*, 1978; `TwoPhase.tla`: the `TM` actions).

use std::collections::BTreeMap;

use tribunal_histories::{DecisionView, NodeId, TransactionId};

use super::config::Scheme;
use super::ledger::Write;
use super::message::{Answer, Message, Response, Timer};
use super::request::{Account, Request};
use super::{Cx, TwoPhaseCommit, TwoPhaseCommitBug as Bug, probes};
use crate::contract::ClientId;
use crate::quorum::NodeSet;

/// A transaction that is not decided.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Open {
    pub(super) request: Request,
    yes: NodeSet,
    balances: BTreeMap<Account, i64>,
    /// What the backup is asked to write down; `None` while votes come in.
    pub(super) proposed: Option<bool>,
}

impl Open {
    fn new(request: Request) -> Self {
        Self {
            request,
            yes: NodeSet::EMPTY,
            balances: BTreeMap::new(),
            proposed: None,
        }
    }

    /// What the client of a decided transaction is told. What a read found is in memory only until then: a
    /// coordinator that crashed in between does not have it.
    fn answer(&self, commit: bool, cx: &Cx<'_>) -> Answer {
        let accounts = cx.config().all_accounts().count();
        match self.request {
            Request::Transfer { .. } if commit => Answer::Moved,
            // TP1: a read without all votes has the balances that it has.
            Request::Read
                if commit && (self.balances.len() == accounts || cx.has(Bug::MajorityIsEnough)) =>
            {
                let balances = self.balances.iter();
                Answer::Balances(
                    balances
                        .map(|(account, balance)| (*account, *balance))
                        .collect(),
                )
            }
            _ => Answer::Aborted,
        }
    }
}

impl TwoPhaseCommit {
    /// Serves a client. Each of its operations is begun at most once, whatever the network repeats.
    pub(super) fn serve(
        &mut self,
        client: ClientId,
        sequence: u32,
        request: Request,
        cx: &mut Cx<'_>,
    ) {
        let transaction = TransactionId {
            client,
            sequence,
            attempt: 0,
        };
        let home = cx.config().coordinator(transaction);
        if home != cx.me() {
            cx.note(probes::SENT_ELSEWHERE);
            return cx.reply(client, sequence, Response::NotHere(home));
        }
        if !request.fits(cx.config()) {
            return cx.reply(client, sequence, Response::Answer(Answer::Aborted));
        }
        let session = cx.durable().session(client).cloned();
        let Some(session) = session.filter(|session| session.transaction.sequence >= sequence)
        else {
            return self.begin(transaction, request, cx);
        };
        if session.transaction.sequence > sequence || self.open.contains_key(&session.transaction) {
            return;
        }
        cx.note(probes::ASKED_AGAIN);
        match session.answer.unwrap_or(Answer::Aborted) {
            Answer::Aborted if request == Request::Read => self.try_again(session.transaction, cx),
            answer => cx.reply(client, sequence, Response::Answer(answer)),
        }
    }

    /// Begins the next attempt at a read that was aborted.
    pub(super) fn try_again(&mut self, aborted: TransactionId, cx: &mut Cx<'_>) {
        let session = cx.durable().session(aborted.client);
        let latest = session.is_some_and(|session| session.transaction == aborted);
        if latest && !self.open.contains_key(&aborted) {
            cx.note(probes::READ_AGAIN);
            let attempt = aborted.attempt + 1;
            self.begin(TransactionId { attempt, ..aborted }, Request::Read, cx);
        }
    }

    fn begin(&mut self, transaction: TransactionId, request: Request, cx: &mut Cx<'_>) {
        let kept = cx.config().scheme != Scheme::PresumedAbort;
        cx.write(Write::Begin {
            transaction,
            request: kept.then_some(request),
        });
        let (participants, arbiter) = (
            request.participants(cx.config()),
            cx.config().arbiter(transaction),
        );
        for node in participants.iter() {
            cx.send(
                node,
                Message::Prepare {
                    transaction,
                    participants,
                    arbiter,
                    request,
                },
            );
        }
        self.open.insert(transaction, Open::new(request));
        cx.set_timer(Timer::Votes(transaction), cx.config().votes_timeout());
    }

    /// A participant voted yes.
    pub(super) fn count_yes(
        &mut self,
        from: NodeId,
        transaction: TransactionId,
        balances: Vec<(Account, i64)>,
        cx: &mut Cx<'_>,
    ) {
        let Some(open) = self
            .open
            .get_mut(&transaction)
            .filter(|open| open.proposed.is_none())
        else {
            return;
        };
        open.yes.insert(from);
        open.balances.extend(balances);
        let participants = open.request.participants(cx.config());
        let mut counted = open.yes;
        if cx.has(Bug::OwnVoteNotCounted) {
            counted.remove(cx.me());
        }
        let all_agree = if cx.has(Bug::MajorityIsEnough) {
            participants.has_majority_in(counted)
        } else {
            participants.without(counted).is_empty()
        };
        if all_agree {
            self.propose(transaction, true, cx);
        }
    }

    /// A participant voted no.
    pub(super) fn count_no(&mut self, transaction: TransactionId, cx: &mut Cx<'_>) {
        if self.is_voting(transaction) {
            cx.note(probes::ABORTED_BY_NO);
            self.propose(transaction, false, cx);
        }
    }

    /// Votes are still missing: a participant may be down, so the transaction is aborted.
    pub(super) fn give_up_on_votes(&mut self, transaction: TransactionId, cx: &mut Cx<'_>) {
        if self.is_voting(transaction) {
            cx.note(probes::VOTES_TIMED_OUT);
            self.propose(transaction, false, cx);
        }
    }

    fn is_voting(&self, transaction: TransactionId) -> bool {
        self.open
            .get(&transaction)
            .is_some_and(|open| open.proposed.is_none())
    }

    /// Decides, or has the backup decide.
    fn propose(&mut self, transaction: TransactionId, commit: bool, cx: &mut Cx<'_>) {
        cx.cancel_timer(Timer::Votes(transaction));
        if let Some(open) = self.open.get_mut(&transaction) {
            open.proposed = Some(commit);
        }
        if cx.config().scheme == Scheme::Backup {
            self.ask_backup(transaction, cx);
            cx.set_timer(Timer::Resend, cx.config().resend());
            if !cx.has(Bug::BackupTrustsSilence) {
                return;
            }
        }
        self.decide(transaction, commit, true, cx);
    }

    fn ask_backup(&self, transaction: TransactionId, cx: &mut Cx<'_>) {
        let Some(open) = self.open.get(&transaction) else {
            return;
        };
        cx.send(
            cx.config().arbiter(transaction),
            Message::Record {
                transaction,
                commit: open.proposed.unwrap_or(false),
                participants: open.request.participants(cx.config()),
                yes: open.yes,
            },
        );
    }

    /// The backup has written down a decision, which is final: perhaps not the one that it was asked for.
    pub(super) fn take_over(&mut self, transaction: TransactionId, commit: bool, cx: &mut Cx<'_>) {
        let Some(open) = self.open.get(&transaction) else {
            return;
        };
        let proposed = open.proposed == Some(commit);
        if !proposed {
            cx.note(probes::BACKUP_DECIDED_OTHERWISE);
        }
        self.decide(transaction, commit, proposed, cx);
    }

    /// Writes the decision down, then tells the participants and the client. `own` says whether it rests on the votes
    /// collected here.
    fn decide(&mut self, transaction: TransactionId, commit: bool, own: bool, cx: &mut Cx<'_>) {
        let Some(open) = self.open.remove(&transaction) else {
            return;
        };
        let participants = open.request.participants(cx.config());
        let yes = if own { open.yes } else { NodeSet::EMPTY };
        let decision = DecisionView {
            transaction,
            commit,
            participants,
            yes,
        };
        self.decisions.push(decision);
        let answer = open.answer(commit, cx);
        let logged = commit || cx.config().scheme != Scheme::PresumedAbort;
        let write = Write::Decide {
            decision,
            answer: answer.clone(),
        };
        if cx.has(Bug::LogAfterSend) {
            tell(transaction, commit, participants, cx);
        }
        if logged && cx.has(Bug::DecisionNotLogged) {
            cx.write_but_forget_to_persist(&write);
        } else if logged {
            cx.write(write);
        }
        if !cx.has(Bug::LogAfterSend) {
            tell(transaction, commit, participants, cx);
        }
        if logged {
            self.acknowledged.insert(transaction, NodeSet::EMPTY);
            cx.set_timer(Timer::Resend, cx.config().resend());
        }
        cx.note(if commit {
            probes::COMMITTED
        } else {
            probes::ABORTED
        });
        match answer {
            Answer::Aborted if open.request == Request::Read => {
                cx.set_timer(Timer::Again(transaction), cx.config().again());
            }
            answer => {
                let TransactionId {
                    client, sequence, ..
                } = transaction;
                cx.reply(client, sequence, Response::Answer(answer));
            }
        }
    }

    /// A participant has written an outcome down. When all have, nobody will ask.
    pub(super) fn count_acknowledgement(
        &mut self,
        from: NodeId,
        transaction: TransactionId,
        cx: &mut Cx<'_>,
    ) {
        let Some(decision) = cx.durable().untold().get(&transaction) else {
            return;
        };
        let missing = decision.participants;
        let acknowledged = self.acknowledged.entry(transaction).or_default();
        acknowledged.insert(from);
        if missing.without(*acknowledged).is_empty() || cx.has(Bug::ForgetsTooEarly) {
            cx.note(probes::FORGOTTEN);
            self.acknowledged.remove(&transaction);
            cx.write(Write::Forget { transaction });
        }
    }

    /// A participant in doubt asks.
    pub(super) fn answer_inquiry(&self, from: NodeId, transaction: TransactionId, cx: &mut Cx<'_>) {
        let decided = cx.durable().untold().get(&transaction);
        let commit = decided.map(|decision| decision.commit);
        if commit.is_none() && self.open.contains_key(&transaction) {
            return;
        }
        match (commit, cx.config().scheme) {
            (Some(commit), _) => cx.send(
                from,
                Message::Outcome {
                    transaction,
                    commit,
                },
            ),
            (None, Scheme::PresumedAbort) => {
                cx.note(probes::PRESUMED_ABORTED);
                cx.send(
                    from,
                    Message::Outcome {
                        transaction,
                        commit: false,
                    },
                );
            }
            // All have acknowledged: who asks has learned since.
            (None, Scheme::Logged | Scheme::Backup) => {}
        }
    }

    /// Says again what was not acknowledged, and asks the backup again.
    pub(super) fn resend(&mut self, cx: &mut Cx<'_>) {
        let untold: Vec<DecisionView> = cx.durable().untold().values().copied().collect();
        for decision in &untold {
            let acknowledged = self.acknowledged.get(&decision.transaction).copied();
            let missing = decision
                .participants
                .without(acknowledged.unwrap_or_default());
            tell(decision.transaction, decision.commit, missing, cx);
        }
        let mut waits = !untold.is_empty();
        for (transaction, open) in &self.open {
            if open.proposed.is_some() {
                waits = true;
                self.ask_backup(*transaction, cx);
            }
        }
        if waits {
            cx.set_timer(Timer::Resend, cx.config().resend());
        }
    }

    /// After a restart: what was begun and is not decided is aborted, unless the backup knows better.
    pub(super) fn recover_as_coordinator(&mut self, cx: &mut Cx<'_>) {
        self.decisions = cx.durable().decisions().to_vec();
        for (transaction, request) in cx.durable().begun().clone() {
            cx.note(probes::RECOVERED);
            self.open.insert(transaction, Open::new(request));
            self.propose(transaction, false, cx);
        }
        if !cx.durable().untold().is_empty() {
            cx.set_timer(Timer::Resend, cx.config().resend());
        }
    }
}

fn tell(transaction: TransactionId, commit: bool, participants: NodeSet, cx: &mut Cx<'_>) {
    for node in participants.iter() {
        cx.send(
            node,
            Message::Outcome {
                transaction,
                commit,
            },
        );
    }
}
