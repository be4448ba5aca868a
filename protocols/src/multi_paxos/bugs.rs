//! Multi-Paxos's planted bugs: what deployed systems got wrong, or what follows from a sentence of the papers left out.

use crate::bugs::{FoundBy, Hunt, planted_bugs};
use FoundBy::{Exploration, History, Scenario, Simulation};

planted_bugs! {
    /// A planted bug of Multi-Paxos; see [`BUGS`] for what each does.
    MultiPaxosBug:
    PreparesOneSlot "MP1" "prepares-one-slot"
        "A new leader runs phase 1 for the first open slot only, and proposes in all that follow."
        breaks ["MP3"], minimum "3 nodes, a change of leader, 1 slot in flight",
        source "Paxos Made Simple §3, \"phase 1 for all instances\" left out", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--terms 6 --timeouts election=2 --grain exchanges --op 'write x 1' --op 'write x 2'";
    FillsWithoutAdopting "MP2" "fills-without-adopting"
        "A new leader fills every open slot with a no-op, whatever the promises tell."
        breaks ["PX5"], minimum "3 nodes, a change of leader",
        source "Paxos Made Simple §3", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--terms 6 --timeouts election=2 --grain exchanges --op 'write x 1' --op 'write x 2'";
    BallotNotChecked "MP3" "ballot-not-checked"
        "A deposed leader goes on, and acceptors vote without a look at the ballot: a leader has no competitor."
        breaks ["PX3"], minimum "3 nodes, a partition",
        source "the common belief that a leader needs no check", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--terms 6 --timeouts election=2 --grain exchanges --op 'write x 1' --op 'write x 2'";
    OldVotesTakenForChosen "MP5" "old-votes-taken-for-chosen"
        "Told that all slots up to one are chosen, a node takes its votes of any ballot for what was chosen."
        breaks ["MP2"], minimum "3 nodes, 2 leaders, a lost proposal",
        source "derived, as Raft's RF11; atomix/copycat#265", found by [Simulation, Exploration],
        hunt Hunt { seeds: 100, ..Hunt::USUAL },
        explore "--terms 5 --timeouts election=2,heartbeat=1 --grain exchanges --op 'write x 1' --op 'write x 2'";
    AppliesPastAHole "MP6" "applies-past-a-hole"
        "A node applies what is chosen in the order in which it learns of it, past slots that are open."
        breaks ["MP2"], minimum "3 nodes, reordered messages",
        source "apache/iggy#4073, oxia-db/oxia#1239", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--terms 6 --timeouts election=2 --grain exchanges --op 'write x 1' --op 'write x 2'";
    MergedByPlace "MP7" "merged-by-place"
        "A new leader merges the promises by the place of a vote in the list, not by its slot: behind a hole all shift."
        breaks ["PX5", "PX4"], minimum "3 nodes, a hole in one acceptor's votes",
        source "Cjen1/OCons#21", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--terms 6 --timeouts election=2 --grain exchanges --op 'write x 1' --op 'write x 2'";
    LeaderReadsAlone "MP9" "leader-reads-alone"
        "A node that believes it leads answers reads from its own memory, without a lease and asking nobody."
        breaks ["linearizability"], minimum "3 nodes, a partition",
        source "Paxos Made Live §5.2; Burrows, Chubby (OSDI 2006)", found by [History, Exploration],
        hunt Hunt { nodes: 3, nemesis: "partition", set: &[("reads", "quorum")], seeds: 20, ..Hunt::USUAL },
        explore "\
            --terms 5 --timeouts election=2 --grain exchanges --op 'write x 1' --op 'read x' \
            --set reads=quorum";
    FollowerServesReads "MP10" "follower-serves-reads"
        "A node that hears a leader answers reads from what it has applied itself, which may be old."
        breaks ["linearizability"], minimum "3 nodes, a delayed message",
        source "Ceph's monitors: a peon served state before the leader had invalidated it (commit fa1d957)",
        found by [History, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "\
            --terms 5 --timeouts election=2 --grain exchanges --op 'write x 1' --op 'read x' \
            --set reads=quorum";
    WipedRejoinsAtOnce "MP11" "wiped-rejoins-at-once"
        "A node whose disk was lost takes part as an acceptor at once, with all its promises and votes forgotten."
        breaks ["PX3", "PX4", "PX1"], minimum "3 nodes, a lost disk",
        source "Paxos Made Live §5.1; palantir/atlasdb#1504, #1508", found by [Simulation],
        hunt Hunt { nodes: 3, nemesis: "wipe", seeds: 40, ..Hunt::USUAL };
    NoSessions "MP13" "no-sessions"
        "A command that was chosen in two slots, sent twice or proposed again by a new leader, is executed twice."
        breaks ["MP4", "linearizability"], minimum "3 nodes, a lost answer",
        source "Ongaro's dissertation §6.3; derived", found by [Simulation, History, Exploration],
        hunt Hunt { seeds: 60, ..Hunt::USUAL },
        explore "--terms 5 --timeouts election=2 --resends 1 --grain exchanges --op 'append x 1'";
    ReplyBeforeChosen "MP14" "reply-before-chosen"
        "A leader answers a command as soon as it has proposed it."
        breaks ["linearizability"], minimum "3 nodes, a crash or partition of the leader",
        source "derived from Paxos Made Simple §3", found by [History, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "\
            --terms 5 --timeouts election=2 --grain exchanges --op 'write x 1' --op 'read x' \
            --set reads=quorum";
    PromiseNotDurable "MP15" "promise-not-durable"
        "A promise is remembered in memory only: after a restart the acceptor votes in lower ballots."
        breaks ["PX3"], minimum "3 nodes, 1 restart",
        source "Paxos Made Live §5.1", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, nemesis: "disk,partition", seeds: 40, ..Hunt::USUAL },
        explore "--terms 6 --timeouts election=2 --crashes 1 --grain exchanges --op 'write x 1'";
    ReadsBeforeInherited "MP16" "reads-before-inherited"
        "A new leader serves reads before what it inherited from its predecessors is chosen and applied."
        breaks ["linearizability"], minimum "3 nodes, a change of leader",
        source "derived, as Raft's RD2", found by [History],
        hunt Hunt { nodes: 3, nemesis: "kill,partition", set: &[("reads", "quorum")], seeds: 40, ..Hunt::USUAL };
    LeaseTooLong "MP17" "lease-too-long"
        "A leader's lease lasts as long as the longest election timeout, though a follower may wait the shortest only."
        breaks ["MP5"], minimum "3 nodes, a partition",
        source "derived from Paxos Made Live §5.2", found by [Simulation],
        hunt Hunt { nodes: 3, nemesis: "partition", set: &[("reads", "lease")], seeds: 20, ..Hunt::USUAL };
    SessionsForgotten "MP18" "sessions-forgotten"
        "A node that restarts has its objects again but not its clients' sessions, and executes repeated commands."
        breaks ["MP4", "MP6"], minimum "3 nodes, a restart, a lost answer",
        source "derived; Ongaro's dissertation §6.3: sessions are part of the replicated state", found by [Simulation],
        hunt Hunt { nodes: 3, nemesis: "kill,packet", seeds: 40, ..Hunt::USUAL };
    OldDiskCounts "MP19" "old-disk-counts"
        "A candidate counts a promise that was made on a disk that is lost, as the published recoveries do."
        breaks ["PX1"], minimum "3 nodes, a lost disk, a delayed promise",
        source "Michael, Ports, Sharma and Szekeres, DISC 2017, of Viewstamped Replication Revisited and others",
        found by [Scenario];
}
