//! How a node comes back that lost its disk (*Paxos Made Live*, §5.1; *Viewstamped Replication Revisited*, §4.3).
//!
//! It has forgotten what it promised and accepted, so it takes no part as an acceptor until that cannot matter any
//! more. Its election timer lets it run phase 1 of a ballot of its own, in which it will propose nothing, over enough
//! of the others. From then on:
//!
//! - whatever was chosen with its lost vote was also voted for by one of them. Its vote came before its promise, and
//!   is reported; or it promised not to cast it any more. The node takes the reported votes for its own;
//! - whoever was to lead with its lost promise hears from one of them that the promise was made on an old disk, and
//!   does not count it ([`Candidacy::promised`](super::election::Candidacy::promised)). Neither paper has this: a
//!   promise that is on its way when the disk is lost can decide an election, and the node, asking others, cannot
//!   learn of it.
//!
//! At most a minority of the nodes may be without their memory at a time.

use tribunal_histories::Role;

use super::stable::Write;
use super::{Cx, MultiPaxos, probes};
use crate::quorum::{NodeSet, Quorum};

impl MultiPaxos {
    /// Takes part again if these nodes' promises are enough: no quorum, this node's lost vote or promise in it, may
    /// have been reached without any of them.
    pub(super) fn recover(&mut self, promised: NodeSet, cx: &mut Cx<'_>) {
        let others = NodeSet::all(cx.config().nodes).without(promised);
        if Quorum::Majority.is_reached(others, cx.config().nodes) {
            return;
        }
        cx.note(probes::RECOVERED);
        let candidacy = std::mem::take(&mut self.candidacy);
        let votes = candidacy.highest_votes(promised, cx);
        cx.write(Write::Recover {
            ballot: candidacy.ballot,
            votes: votes.into_iter().collect(),
            disks: candidacy.knows_disks(),
        });
        self.role = Role::Follower;
    }
}
