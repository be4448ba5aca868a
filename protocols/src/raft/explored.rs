//! Raft in exploration: only who votes for whom depends on names, so nodes are alike.

use tribunal_histories::{ByNode, NodeSet, Role};

use super::{Config, HardState, Message, Raft};
use crate::explored::{Expedition, Explored, Names, set};

impl Explored for Raft {
    const NAMES_MATTER: Names = Names::Nobodys;

    const GRID: &'static [Expedition] = &[
        Expedition {
            name: "3-terms",
            about: "all but who voted for whom: 3 terms, 2 entries of a client",
            flags: "--terms 3 --timeouts any --grain exchanges --set pre_vote=false --strategy dfs --op 'write x 1; write x 2' --properties=-RI2,-RI9,-RI14",
        },
        Expedition {
            name: "4-terms",
            about: "log matching and state machine safety: 4 terms, 2 entries of a client, 1 restart",
            flags: "--terms 4 --timeouts any --grain exchanges --set pre_vote=false --strategy dfs --op 'write x 1; write x 2' --crashes 1 --properties RI1,RI4,RI5,RI6,RI8",
        },
        Expedition {
            name: "votes",
            about: "every property, 2 terms, a crash anywhere",
            flags: "--terms 2 --timeouts any --grain exchanges --set pre_vote=false --strategy dfs --op 'write x 1' --crashes 1 --crash-within-steps",
        },
        Expedition {
            name: "reads",
            about: "linearizable reads beside writes",
            flags: "--terms 2 --timeouts any --grain exchanges --set pre_vote=false --strategy dfs --op 'write x 1' --op 'read x'",
        },
        Expedition {
            name: "packets",
            about: "one term, packet by packet, an answer lost or late",
            flags: "--terms 1 --timeouts election=1,heartbeat=1,0 --set pre_vote=false --op 'write x 1' --strategy dfs --properties=-RI2,-RI9,-RI14",
        },
    ];

    fn is_of_election(message: &Message) -> bool {
        matches!(
            message,
            Message::RequestVote { .. } | Message::Vote { .. } | Message::TimeoutNow { .. }
        )
    }

    /// Whom a node takes for the leader, and whether it has heard from it, matters to pre-votes and to who stands by a
    /// leader; who answered a leader of late, to one that counts on a quorum. A campaign whose answers are all in or lost
    /// is over: its candidate is a follower that has voted for itself.
    fn settled(config: &Config, node: &Self, _disk: &HardState, quiet: bool) -> Option<Self> {
        let mut settled = node.clone();
        let mut changed = false;
        if !config.pre_vote && !config.sticks_to_leaders() {
            if node.role != Role::Leader {
                changed |= set(&mut settled.leader, None);
            }
            changed |= set(&mut settled.loyal, false);
        }
        let leadership = &mut settled.leadership;
        if !config.check_quorum {
            changed |= set(&mut leadership.heard, NodeSet::EMPTY);
        }
        if quiet && leadership.reads.is_empty() && !config.lease_reads {
            changed |= set(&mut leadership.round, 0);
            let none = ByNode(vec![0; leadership.answered_rounds.len()]);
            changed |= set(&mut leadership.answered_rounds, none);
        }
        if quiet && node.role == Role::Candidate {
            changed |= set(&mut settled.role, Role::Follower);
            changed |= set(&mut settled.votes, NodeSet::EMPTY);
        }
        changed.then_some(settled)
    }
}
