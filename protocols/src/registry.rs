//! All protocols, for help texts and look-ups by name. Adding one is a line here and a line in the harness's
//! table of what runs them. A program that brings protocols of its own adds them with [`extend`].

use std::sync::OnceLock;

use crate::bugs::{Bug, Bugs, by_id};
use crate::{gossip, membership, multi_paxos, paxos, primary_backup, raft, two_phase_commit, zab};

/// What there is to know about a protocol.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    /// Its name on the command line and in traces.
    pub name: &'static str,
    /// What it does and what must hold, in a few sentences.
    pub about: &'static str,
    /// Its planted bugs.
    pub bugs: &'static [Bug],
    /// The probes that its nodes can hit ([`Effect::Note`](crate::Effect::Note)).
    pub probes: &'static [&'static str],
}

/// The protocols of this crate.
pub const PROTOCOLS: &[Protocol] = &[
    Protocol {
        name: "primary_backup",
        about: "One primary orders the operations and acknowledges each when all members of its view have it. A \
                majority agrees to another view; who was left out joins again, its log cut off by view. Or, with \
                view_change=false, one view for ever, which one dead backup blocks. (Alsberg and Day, 1976; Oki and \
                Liskov, 1988; Kafka's KIP-101.)",
        bugs: primary_backup::bugs::BUGS,
        probes: primary_backup::PROBES,
    },
    Protocol {
        name: "raft",
        about: "A replicated log with one elected leader: elections with pre-vote, replication with fast back-up, \
                client sessions, linearizable reads by ReadIndex. (Ongaro and Ousterhout, ATC 2014; Ongaro's \
                dissertation, 2014.)",
        bugs: raft::bugs::BUGS,
        probes: raft::PROBES,
    },
    Protocol {
        name: "paxos",
        about: "Agreement on one value: proposers, acceptors and learners on every node, ballots that are on disk before \
            they are used, quorums of the two phases that may differ, random back-off. A client is told what was \
            chosen, whoever proposed it. (Lamport, Paxos Made Simple, 2001; Howard, Malkhi and Spiegelman, Flexible \
            Paxos, OPODIS 2016.)",
        bugs: paxos::bugs::BUGS,
        probes: paxos::PROBES,
    },
    Protocol {
        name: "multi_paxos",
        about: "A replicated log, each slot of which is an instance of Paxos: phase 1 once for all open slots, phase 2 for \
            several at once, client sessions, linearizable reads by a quorum or (if clocks keep a bound) a lease, \
            recovery of a node whose disk was lost. (Lamport, Paxos Made Simple, 2001; Chandra and others, Paxos Made \
            Live, PODC 2007.)",
        bugs: multi_paxos::bugs::BUGS,
        probes: multi_paxos::PROBES,
    },
    Protocol {
        name: "gossip",
        about: "Updates spread from node to node: anti-entropy (push, pull, push-pull) and rumour mongering, over \
                last-writer-wins registers and counters that lose nothing. Nodes agree in the end; that is all they \
                promise. `tribunal spread` measures how fast. (Demers et al., PODC 1987.)",
        bugs: gossip::bugs::BUGS,
        probes: gossip::PROBES,
    },
    Protocol {
        name: "two_phase_commit",
        about: "A bank whose accounts lie on several nodes: transfers commit on all of them or on none, reads see all \
                accounts at one time. Locks, a durable vote, a durable decision (logged, presumed abort, or by a \
                backup coordinator), recovery. It blocks when the one node that can decide is down. (Gray, 1978; \
                Gray and Lamport, TODS 2006.)",
        bugs: two_phase_commit::bugs::BUGS,
        probes: two_phase_commit::PROBES,
    },
    Protocol {
        name: "membership",
        about: "Who is a member and who has failed, by gossip, in two styles: as Redis Cluster (a majority of masters agrees \
            on who is gone; slots with configuration epochs) and as SWIM (direct and indirect pings, suspicion, \
            refutation by incarnations). (cluster_legacy.c of Redis; Das, Gupta and Motivala, DSN 2002.)",
        bugs: membership::bugs::BUGS,
        probes: membership::PROBES,
    },
    Protocol {
        name: "zab",
        about: "Atomic broadcast of primaries that succeed each other: fast leader election, discovery of an epoch, \
                synchronisation of histories (DIFF, TRUNC, SNAP), broadcast; snapshots, weighted and hierarchical \
                quorums, ordered reads. (Junqueira, Reed and Serafini, DSN 2011; ZooKeeper.)",
        bugs: zab::bugs::BUGS,
        probes: zab::PROBES,
    },
];

/// The protocols that the program brings along.
static BROUGHT: OnceLock<Vec<&'static Protocol>> = OnceLock::new();

/// Adds protocols of another crate's. That can be done once, before anything is looked up.
///
/// # Panics
/// If it was done before.
pub fn extend(protocols: Vec<&'static Protocol>) {
    assert!(
        BROUGHT.set(protocols).is_ok(),
        "protocols are brought along once"
    );
}

/// All protocols that there are: those of this crate, then those that the program brings along.
pub fn protocols() -> impl Iterator<Item = &'static Protocol> + Clone {
    PROTOCOLS
        .iter()
        .chain(BROUGHT.get().into_iter().flatten().copied())
}

/// A planted bug that a protocol does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{protocol} has no planted bug `{bug}`; see `tribunal list bugs`")]
pub struct NoSuchBug {
    /// The protocol.
    pub protocol: &'static str,
    /// What was asked for.
    pub bug: String,
}

impl Protocol {
    /// The protocol of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        protocols().find(|protocol| protocol.name == name)
    }

    /// The set of planted bugs with these ids (`RF1`, in any case) or names (`vote-without-log-check`).
    ///
    /// # Errors
    /// The first that the protocol does not have.
    pub fn bugs_named<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a str>,
    ) -> Result<Bugs, NoSuchBug> {
        ids.into_iter().try_fold(Bugs::NONE, |bugs, id| {
            let found = by_id::find(self.bugs, id);
            let missing = || NoSuchBug {
                protocol: self.name,
                bug: id.to_owned(),
            };
            found.map(|bug| bugs.with(bug.number)).ok_or_else(missing)
        })
    }

    /// The planted bugs of a set.
    pub fn bugs_in(&self, bugs: Bugs) -> impl Iterator<Item = &'static Bug> {
        by_id::listed(self.bugs, bugs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bugs_are_numbered_by_their_place_and_named_once() {
        for protocol in PROTOCOLS {
            for (place, bug) in protocol.bugs.iter().enumerate() {
                assert_eq!(usize::from(bug.number), place);
                let same = |other: &&Bug| other.id == bug.id || other.name == bug.name;
                assert_eq!(protocol.bugs.iter().filter(same).count(), 1, "{}", bug.id);
            }
        }
    }

    #[test]
    fn bugs_are_found_by_id_and_by_name() {
        let raft = Protocol::named("raft").unwrap();
        let bugs = raft.bugs_named(["rf1", "reply-before-commit"]).unwrap();
        assert_eq!(
            raft.bugs_in(bugs).map(|bug| bug.id).collect::<Vec<_>>(),
            ["RF1", "CL5"]
        );
        assert!(
            raft.bugs_named(["RF999"])
                .unwrap_err()
                .to_string()
                .contains("raft has no planted bug `RF999`")
        );
    }
}
