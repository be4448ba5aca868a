//! Replication: how logs become equal, and when an entry is committed (paper §5.3 and §5.4.2).

use tribunal_histories::{NodeId, NodeSet, Role};

use super::log::{Index, Payload, Term, Write};
use super::message::{Message, Response, Timer};
use super::{Cx, Raft, RaftBug, probes};
use crate::state_machine::Output;

impl Raft {
    /// Sends every follower what it lacks, or an empty message.
    pub(super) fn send_to_all(&mut self, cx: &mut Cx<'_>) {
        let members = self.voters(cx).all().or(self.leadership.learners);
        for peer in members.without(NodeSet::of(cx.me())).iter() {
            self.send_entries(peer, cx);
        }
    }

    /// Sends a follower what it lacks. The next message goes on behind these entries: if they are lost, the
    /// follower refuses that one and the leader backs up.
    pub(super) fn send_entries(&mut self, to: NodeId, cx: &mut Cx<'_>) {
        let log = &cx.durable().log;
        let progress = &mut self.leadership.peers[to.index()];
        let on_boundary = progress.next_index == log.start() && log.start() > 0;
        let forgotten = progress.next_index <= log.start();
        if forgotten && !(on_boundary && cx.has(RaftBug::EntriesAtBoundary)) {
            return self.send_snapshot(to, cx);
        }
        let prev_index = progress.next_index - 1;
        let entries = log
            .entries_from(progress.next_index, cx.config().entries_per_message)
            .to_vec();
        progress.next_index += entries.len() as u64;
        let message = Message::Append {
            term: cx.durable().term,
            prev_index,
            prev_term: log.term_at(prev_index).unwrap_or(log.view().base.term),
            entries,
            commit: self.commit,
            round: self.leadership.round,
        };
        cx.send(to, message);
    }

    /// A leader's message: the log takes its entries if it has the entry before them.
    pub(super) fn accept_entries(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        let Message::Append {
            term,
            prev_index,
            prev_term,
            mut entries,
            commit,
            round,
        } = message
        else {
            return;
        };
        if !self.heeds(from, term, prev_index, round, cx) {
            return;
        }
        let log = &cx.durable().log;
        let last_new = prev_index + entries.len() as u64;
        let begins = prev_index.max(log.start());
        let fits = match log.term_at(prev_index) {
            // What the log has forgotten is committed: the leader has the same.
            None if prev_index < log.start() => true,
            Some(own_term) => own_term == prev_term || cx.has(RaftBug::PreviousTermIgnored),
            None => false,
        };
        if !fits {
            cx.note(probes::ENTRIES_REFUSED);
            return self.refuse(from, prev_index, round, cx);
        }
        if begins > prev_index {
            cx.note(probes::ENTRIES_IN_SNAPSHOT);
            let known = usize::try_from(begins - prev_index).unwrap_or(usize::MAX);
            if !(prev_index == 0 && cx.has(RaftBug::FirstEntriesAlwaysFit)) {
                entries.drain(..known.min(entries.len()));
            }
        }
        let write = missing_entries(cx, begins, &entries);
        if let Some(Write::Append { after, .. }) = &write {
            self.recalled = self.recalled.min(*after);
        }
        let match_index = if cx.has(RaftBug::OwnLastIndexReported) {
            cx.durable().log.last_index().max(last_new)
        } else {
            last_new
        };
        let answer = Message::Appended {
            term,
            match_index,
            round,
        };
        if cx.has(RaftBug::AckBeforeSync) {
            cx.send(from, answer);
            write.into_iter().for_each(|write| cx.write(write));
        } else {
            write.into_iter().for_each(|write| cx.write(write));
            cx.send(from, answer);
        }
        let known = if cx.has(RaftBug::CommitToLastIndex) {
            cx.durable().log.last_index()
        } else {
            last_new
        };
        self.commit_to(commit.min(known), cx);
    }

    /// Whether a message comes from the leader of this node's term, which it then follows. One of an older term is
    /// told so.
    pub(super) fn heeds(
        &mut self,
        from: NodeId,
        term: Term,
        prev_index: Index,
        round: u64,
        cx: &mut Cx<'_>,
    ) -> bool {
        let current = cx.durable().term;
        if term < current || self.role == Role::Leader {
            let refusal = Message::Refused {
                term: current,
                prev_index,
                conflict_index: 0,
                conflict_term: 0,
                round,
            };
            cx.send(from, refusal);
            return false;
        }
        self.loyal = true;
        if self.role == Role::Follower {
            self.leader = Some(from);
        } else {
            if cx.has(RaftBug::VoteClearedOnStepDown) {
                let voted_for = None;
                cx.write(Write::Vote { term, voted_for });
            }
            self.follow(term, Some(from), cx);
        }
        cx.set_timer(Timer::Election, cx.config().election_timeout());
        true
    }

    /// Tells the leader where to look next.
    pub(super) fn refuse(&self, to: NodeId, prev_index: Index, round: u64, cx: &mut Cx<'_>) {
        let log = &cx.durable().log;
        let (conflict_index, conflict_term) = match log.term_at(prev_index) {
            Some(term) => (log.first_of_term(prev_index), term),
            None => (log.last_index() + 1, 0),
        };
        let refusal = Message::Refused {
            term: cx.durable().term,
            prev_index,
            conflict_index,
            conflict_term,
            round,
        };
        cx.send(to, refusal);
    }

    /// A follower has the leader's log up to `match_index`. Answers may come late and out of order: what is
    /// known never shrinks.
    pub(super) fn note_progress(
        &mut self,
        from: NodeId,
        term: Term,
        match_index: Index,
        round: u64,
        cx: &mut Cx<'_>,
    ) {
        if !self.leads_in(term, cx) {
            return;
        }
        self.answered_round(from, round, cx);
        let progress = &mut self.leadership.peers[from.index()];
        if cx.has(RaftBug::MatchIndexDecreases) {
            progress.match_index = match_index;
        } else {
            progress.match_index = progress.match_index.max(match_index);
        }
        progress.next_index = progress.next_index.max(progress.match_index + 1);
        let behind = progress.next_index <= cx.durable().log.last_index();
        self.advance_commit(cx);
        if behind && self.role == Role::Leader {
            self.send_entries(from, cx);
        }
        self.hand_over(cx);
        self.serve_reads(cx);
    }

    /// A follower refused: goes back by a term at a time (paper §5.3, last paragraphs), but never behind what
    /// the follower is known to have.
    pub(super) fn back_up(
        &mut self,
        from: NodeId,
        prev_index: Index,
        conflict_index: Index,
        conflict_term: Term,
        cx: &mut Cx<'_>,
    ) {
        let progress = &mut self.leadership.peers[from.index()];
        if prev_index <= progress.match_index {
            return;
        }
        if cx.has(RaftBug::RefusalCounted) {
            progress.match_index = progress.match_index.max(conflict_index.max(1) - 1);
        }
        let log = &cx.durable().log;
        let shared_end = (conflict_term > 0 && cx.config().exact_back_up)
            .then(|| log.last_of_term(conflict_term))
            .flatten();
        let next = shared_end
            .map_or(conflict_index, |end| end + 1)
            .min(prev_index);
        progress.next_index = next.max(progress.match_index + 1);
        if cx.has(RaftBug::NeverBacksUp) {
            progress.next_index = prev_index + 1;
            return;
        }
        cx.note(probes::LEADER_BACKED_UP);
        self.send_entries(from, cx);
    }

    /// Commits what a majority has on its disks: entries of the current term by counting, older ones with them
    /// (paper §5.4.2, Figure 8).
    pub(super) fn advance_commit(&mut self, cx: &mut Cx<'_>) {
        // Its own copy counts once it is on its disk.
        let own = if cx.has(RaftBug::LeaderCommitsBeforeSync) {
            cx.durable().log.last_index()
        } else {
            let synced = cx.synced().log.last_index();
            synced.min(cx.durable().log.last_index())
        };
        let Some(on_quorum) = self.stored_on_quorum(own, cx) else {
            return;
        };
        let counted = cx.durable().log.term_at(on_quorum) == Some(cx.durable().term);
        // The loop of Figure 2's last rule, from the first uncommitted entry upwards instead of from the end down.
        let stuck = cx.has(RaftBug::CommitStopsAtOldTerm)
            && cx.durable().log.term_at(self.commit + 1) != Some(cx.durable().term);
        if counted && !stuck || cx.has(RaftBug::OldTermCommittedByCounting) {
            self.commit_to(on_quorum, cx);
        }
        self.advance_change(cx);
        self.serve_reads(cx);
    }

    /// The last index up to which a quorum has the log on its disks, this node up to `own`.
    fn stored_on_quorum(&self, own: Index, cx: &Cx<'_>) -> Option<Index> {
        let me = cx.me();
        let stored = |node: NodeId| match node {
            node if node == me => own,
            node => self.leadership.peers[node.index()].match_index,
        };
        let nodes = NodeSet::all(cx.config().nodes);
        let on_quorum = |index: &Index| {
            let holders = nodes.iter().filter(|node| stored(*node) >= *index);
            self.is_quorum(holders.collect(), cx)
        };
        nodes.iter().map(stored).filter(on_quorum).max()
    }

    /// Learns that entries up to `index` are committed, and applies them.
    pub(super) fn commit_to(&mut self, index: Index, cx: &mut Cx<'_>) {
        self.commit = self.commit.max(index);
        if cx.has(RaftBug::AppliesBeforeSnapshot) && self.commit > cx.durable().snapshot.index {
            self.applied = self.applied.max(cx.durable().log.start());
        }
        while self.applied < self.commit {
            let Some(entry) = cx.durable().log.entry(self.applied + 1).copied() else {
                break;
            };
            self.applied += 1;
            if cx.has(RaftBug::IndexAheadOfState) {
                self.compact_when_due(cx);
            }
            self.answer_by_index(cx);
            let Payload::Command {
                client,
                sequence,
                command,
            } = entry.payload
            else {
                continue;
            };
            let output = if cx.has(RaftBug::NoSessions) {
                Some(self.machine.apply_again(command))
            } else if cx.has(RaftBug::ExpiredSessionIsNew) {
                self.machine.forget_sessions_but(client);
                self.machine.apply(client, sequence, command)
            } else {
                self.machine.apply(client, sequence, command)
            };
            if self.role == Role::Leader
                && let Some(output) = output
            {
                if output == Output::Mismatch {
                    cx.note(probes::CAS_MISMATCH);
                }
                cx.reply(client, sequence, Response::Answer(output));
            }
        }
    }
}

/// What must be written so that the log has these entries behind `prev_index`. What already agrees stays: a
/// message may be old, and entries behind it may be committed (paper §5.3, Figure 2 "AppendEntries", rules 3, 4).
fn missing_entries(cx: &mut Cx<'_>, prev_index: Index, entries: &[super::Entry]) -> Option<Write> {
    let log = &cx.durable().log;
    let ends_log = entries.is_empty() && cx.has(RaftBug::HeartbeatTruncates);
    if cx.has(RaftBug::TruncatesAlways) || ends_log {
        return Some(log.append(prev_index, entries.to_vec()));
    }
    let indexed = (prev_index + 1..).zip(entries);
    let agreeing = if cx.has(RaftBug::NeverTruncates) {
        indexed
            .take_while(|(index, _)| *index <= log.last_index())
            .count()
    } else {
        indexed
            .take_while(|(index, entry)| log.term_at(*index) == Some(entry.term))
            .count()
    };
    if agreeing == entries.len() {
        return None;
    }
    let after = prev_index + agreeing as u64;
    let write = log.append(after, entries[agreeing..].to_vec());
    if after < log.last_index() {
        cx.note(probes::SUFFIX_CUT_OFF);
    }
    Some(write)
}
