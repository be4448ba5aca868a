//! Views: who is primary, and how a majority agrees to another (Oki and Liskov 1988; the vote is given to who has all
//! that the voter has, as in Raft, so that the new primary need not collect logs).

use tribunal_histories::{NodeId, Role};

use super::log::{Index, ViewNumber, Write};
use super::message::{Message, Timer};
use super::{Cx, PrimaryBackup, PrimaryBackupBug as Bug, Reign, probes};
use crate::quorum::{NodeSet, Quorum};

impl PrimaryBackup {
    /// No primary was heard for a while.
    pub(super) fn miss_the_primary(&mut self, cx: &mut Cx<'_>) {
        if cx.has(Bug::OldPrimaryReturns)
            && let Some(before) = self.before.take()
        {
            (self.acting, self.reign) = (Some(before.0), before.1);
            self.role = Role::Leader;
            return cx.set_timer(Timer::Heartbeat, cx.config().heartbeat());
        }
        if cx.has(Bug::MinorityView) && self.role == Role::Candidate {
            return self.begin_view(cx);
        }
        self.ask_for_view(cx);
    }

    /// Asks all nodes for a new view with this node as its primary.
    pub(super) fn ask_for_view(&mut self, cx: &mut Cx<'_>) {
        cx.note(probes::VIEW_ASKED_FOR);
        self.step_down(None, cx);
        let view = cx.durable().view + 1;
        cx.write(Write::View {
            view,
            voted_for: Some(cx.me()),
        });
        self.role = Role::Candidate;
        self.votes = NodeSet::of(cx.me());
        cx.set_timer(Timer::View, cx.config().view_timeout());
        let (synchronised, last_index) = how_far(cx);
        for node in others(cx) {
            cx.send(
                node,
                Message::RequestView {
                    view,
                    synchronised,
                    last_index,
                },
            );
        }
        self.count_votes(cx);
    }

    /// Agrees to a view, unless its primary would lack what this node has. How far logs are is compared by the view
    /// that they were last in step with, then by length: the view of the last operation would not do.
    pub(super) fn answer_request(
        &mut self,
        from: NodeId,
        view: ViewNumber,
        theirs: (ViewNumber, Index),
        cx: &mut Cx<'_>,
    ) {
        let free = cx.durable().voted_for.is_none_or(|node| node == from);
        if theirs < how_far(cx) && !cx.has(Bug::StaleBackupPromoted) {
            return cx.note(probes::STALE_REFUSED);
        }
        if free && self.role == Role::Follower {
            cx.write(Write::View {
                view,
                voted_for: Some(from),
            });
            cx.set_timer(Timer::View, cx.config().view_timeout());
            cx.send(from, Message::Granted { view });
        }
    }

    pub(super) fn count_vote(&mut self, from: NodeId, cx: &mut Cx<'_>) {
        if self.role == Role::Candidate {
            self.votes.insert(from);
            self.count_votes(cx);
        }
    }

    fn count_votes(&mut self, cx: &mut Cx<'_>) {
        if Quorum::Majority.is_reached(self.votes, cx.config().nodes) {
            self.begin_view(cx);
        }
    }

    /// A majority has agreed: this node's log is the log of the view, and those who agreed are its members.
    fn begin_view(&mut self, cx: &mut Cx<'_>) {
        cx.note(probes::VIEW_BEGAN);
        cx.cancel_timer(Timer::View);
        let store = cx.durable();
        let (view, after, follows) = (store.view, store.log.last_index(), store.log.last());
        cx.write(Write::Synchronise {
            view,
            after,
            follows,
            entries: Vec::new(),
        });
        self.reign(self.votes, cx);
    }

    /// Without view changes: n1 is primary of the only view, and waits for everybody.
    pub(super) fn reign_for_ever(&mut self, cx: &mut Cx<'_>) {
        let (after, follows) = (cx.durable().log.last_index(), cx.durable().log.last());
        cx.write(Write::Synchronise {
            view: 1,
            after,
            follows,
            entries: Vec::new(),
        });
        self.reign(NodeSet::all(cx.config().nodes), cx);
    }

    fn reign(&mut self, members: NodeSet, cx: &mut Cx<'_>) {
        let nodes = cx.config().nodes;
        self.role = Role::Leader;
        self.primary = Some(cx.me());
        self.votes = NodeSet::EMPTY;
        self.reign = Reign {
            members,
            matched: vec![None; nodes],
            silent: vec![0; nodes],
            start: cx.durable().log.last_index(),
            answered: vec![0; nodes],
            ..Reign::default()
        };
        cx.set_timer(Timer::Heartbeat, cx.config().heartbeat());
        self.stream_to_all(cx);
        self.advance_commit(cx);
    }

    /// A newer view is known: this node is a backup, and takes nothing from earlier views.
    pub(super) fn adopt(&mut self, view: ViewNumber, cx: &mut Cx<'_>) {
        let was_primary = self.role == Role::Leader;
        if was_primary {
            cx.note(probes::PRIMARY_DEPOSED);
            if cx.has(Bug::OldPrimaryReturns) {
                let number = self.view_number(cx);
                let reign = self.reign.clone();
                self.before = Some(Box::new((number, reign)));
            }
        }
        self.step_down(None, cx);
        if cx.has(Bug::RollsBackOnViewChange) && cx.durable().log.last_index() > self.commit {
            cx.write(Write::Truncate { after: self.commit });
        }
        if view > cx.durable().view {
            cx.write(Write::View {
                view,
                voted_for: None,
            });
        }
        if was_primary {
            cx.set_timer(Timer::View, cx.config().view_timeout());
        }
    }

    /// Stops being primary or wanting to be.
    pub(super) fn step_down(&mut self, primary: Option<NodeId>, cx: &mut Cx<'_>) {
        if self.role == Role::Leader {
            cx.cancel_timer(Timer::Heartbeat);
            self.give_up_reads(cx);
        }
        self.role = Role::Follower;
        self.primary = primary;
        self.votes = NodeSet::EMPTY;
        self.reign = Reign::default();
        self.acting = None;
    }
}

/// The view that this node's log was last in step with, and its length.
fn how_far(cx: &Cx<'_>) -> (ViewNumber, Index) {
    let store = cx.durable();
    (store.synchronised, store.log.last_index())
}

/// All nodes but this one.
pub(super) fn others(cx: &Cx<'_>) -> impl Iterator<Item = NodeId> + use<> {
    let me = cx.me();
    NodeId::all(cx.config().nodes).filter(move |node| *node != me)
}
