//! ZAB's planted bugs: most were bugs of ZooKeeper, by their numbers in its tracker.
//!
//! `[MC]` after a minimum: found with these bounds by exhaustive search.

use crate::bugs::{FoundBy, Hunt, planted_bugs};
use FoundBy::{Exploration, History, Liveness, Scenario, Simulation};

planted_bugs! {
    /// A planted bug of ZAB; see [`BUGS`] for what each does.
    ZabBug:
    AckNewLeaderBeforeSync "ZB1" "ack-newleader-before-sync"
        "A follower acknowledges NEWLEADER before the leader's history and epoch are on its disk."
        breaks ["ZI12"], minimum "3 nodes, 2 crashes [MC]",
        source "ZOOKEEPER-4646, ZOOKEEPER-3911", found by [Simulation, Scenario, Exploration],
        hunt Hunt { nodes: 3, seeds: 20, ..Hunt::USUAL },
        explore "--epochs 1 --timeouts decide=2 --grain exchanges --op 'write x 1'";
    EpochBeforeHistory "ZB2" "epoch-before-history"
        "A follower writes the leader's epoch before the leader's history."
        breaks ["ZI12"], minimum "3 nodes, 1 crash [MC]",
        source "ZOOKEEPER-4643", found by [Simulation, Scenario, Exploration],
        hunt Hunt { nodes: 3, workload: "append", nemesis: "kill,partition,disk", seeds: 100, ..Hunt::USUAL },
        explore "\
            --epochs 2 --timeouts retry=1,decide=4,leader=1 --crashes 1 --crash-within-steps \
            --grain exchanges --silent-start --asks own --op '' --op '' --op 'write x 1'";
    AckBeforeSync "ZB3" "ack-before-sync"
        "A follower acknowledges a proposal before it is on its disk."
        breaks ["ZI11"], minimum "3 nodes, 2 crashes that lose unsynced writes",
        source "ZOOKEEPER-3023, ZOOKEEPER-4685", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, seeds: 20, ..Hunt::USUAL },
        explore "--epochs 1 --timeouts decide=2 --grain exchanges --op 'write x 1'";
    NewLeaderBeforeHistory "ZB5" "newleader-before-history"
        "A follower takes NEWLEADER for the end of what it is sent, though the history may come after it."
        breaks ["ZI12", "ZI11"], minimum "3 nodes, reordered messages",
        source "ZOOKEEPER-3104", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, seeds: 20, ..Hunt::USUAL },
        explore "--epochs 1 --timeouts decide=2 --grain elections --op 'write x 1; write x 2'";
    NoTruncation "ZB6" "no-truncation"
        "A follower keeps what its history has more than the leader's."
        breaks ["ZI12", "liveness"], minimum "3 nodes, depth 14 [MC]",
        source "ZOOKEEPER-1154, ZOOKEEPER-2832", found by [Simulation, Liveness, Exploration],
        hunt Hunt { nodes: 3, seeds: 20, ..Hunt::USUAL },
        explore "\
            --epochs 2 --timeouts retry=1,decide=4,leader=1,quorum=2 --grain exchanges --silent-start \
            --asks own --op '' --op 'write x 2' --op 'write x 1'";
    VotesTie "ZB7" "votes-tie"
        "Votes are not totally ordered: of two nodes with equal histories neither is preferred, and each votes for \
         itself."
        breaks ["liveness"], minimum "3 nodes",
        source "ZOOKEEPER-1419", found by [Liveness, Exploration],
        hunt Hunt { nodes: 3, seeds: 5, ..Hunt::USUAL },
        explore "--epochs 1 --timeouts decide=2 --grain exchanges --op 'write x 1' --finally 'read x'";
    SnapshotOfUncommitted "ZB8" "snapshot-of-uncommitted"
        "A snapshot for a follower has all that the leader has, committed or not."
        breaks ["ZI3"], minimum "3 nodes, a crash",
        source "ZOOKEEPER-1549", found by [Simulation],
        hunt Hunt { nodes: 3, workload: "append", nemesis: "kill,partition", set: &[("window", "1")], seeds: 100 };
    SnapshotNotDurable "ZB9" "snapshot-not-durable"
        "A follower has a snapshot in memory only, and acknowledges it."
        breaks ["ZI12", "ZI11"], minimum "3 nodes, a late follower",
        source "ZOOKEEPER-3642", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, seeds: 20, ..Hunt::USUAL },
        explore "\
            --epochs 2 --timeouts retry=2,decide=3 --grain exchanges --silent-start --asks own --op '' \
            --op '' --op 'write x 1; write x 2; write x 3' --set window=1";
    LogsAfterShutdown "ZB10" "logs-after-shutdown"
        "A node that looks for another leader goes on to log and acknowledge what its former one proposes."
        breaks ["ZI7", "ZI3", "ZI8"], minimum "3 nodes, a change of leader",
        source "ZOOKEEPER-4712", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, workload: "append", nemesis: "kill,partition", seeds: 200, ..Hunt::USUAL },
        explore "\
            --epochs 2 --timeouts leader=2,decide=2,retry=1,0 --contacts 1 --grain elections --asks own \
            --begin 'fire n3 decide' --begin 'fire n2 decide' --begin 'fire n1 decide' \
            --op '' --op 'write y 1' --op 'write x 2' --properties ZI7";
    DiffWithHole "ZB12" "diff-with-hole"
        "A leader that has compacted what a follower lacks sends it what it still has, as if that followed."
        breaks ["ZI12", "ZI3"], minimum "3 nodes, a late follower",
        source "ZOOKEEPER-4925", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, seeds: 20, ..Hunt::USUAL },
        explore "\
            --epochs 2 --timeouts retry=2,decide=3 --grain exchanges --silent-start --asks own --op '' \
            --op '' --op 'write x 1; write x 2; write x 3' --set window=1";
    AckDiffBeforeSync "ZB13" "ack-diff-before-sync"
        "A follower that is sent what its history lacks (DIFF) acknowledges NEWLEADER before that is on its disk."
        breaks ["ZI12"], minimum "3 nodes, a late follower",
        source "ZOOKEEPER-4785", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, seeds: 20, ..Hunt::USUAL },
        explore "\
            --epochs 1 --timeouts retry=2,decide=3 --grain exchanges --silent-start --asks own --op '' \
            --op '' --op 'write x 1'";
    NewestByZxid "ZB15" "newest-by-zxid"
        "The newest history is that with the last transaction, whoever's history it was taken over from."
        breaks ["ZI7", "ZI8"], minimum "3 nodes, 3 epochs [MC]",
        source "paper §5, phase 1, half of it", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, workload: "append", nemesis: "kill,partition", seeds: 50, ..Hunt::USUAL },
        explore "\
            --epochs 3 --timeouts retry=2,decide=6,leader=2,quorum=2 --contacts 1 --grain exchanges \
            --silent-start --asks own --op '' --op 'write x 2' --op 'write x 1' --properties ZI7";
    NewestByAcceptedEpoch "ZB16" "newest-by-accepted-epoch"
        "Histories are compared by the epoch that was promised, not by that whose history was taken over."
        breaks ["ZI7", "ZI8"], minimum "3 nodes [MC]",
        source "paper §5, f.p in place of f.a", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, workload: "append", nemesis: "kill,partition", seeds: 50, ..Hunt::USUAL },
        explore "\
            --epochs 4 --timeouts retry=1,decide=8,leader=3,quorum=2 --contacts 1 --grain exchanges \
            --silent-start --asks own --op '' --op 'write x 2' --op 'write x 1' --properties ZI7";
    OwnHistoryKept "ZB17" "own-history-kept"
        "A leader is elected by its name, and keeps its own history though a follower has a newer one."
        breaks ["ZI7", "ZI8"], minimum "3 nodes, depth 10 [MC]",
        source "paper §5, phase 1 left out", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, workload: "append", nemesis: "kill,partition", seeds: 50, ..Hunt::USUAL },
        explore "\
            --epochs 2 --timeouts retry=2,decide=4,leader=1 --grain exchanges --silent-start --asks own \
            --op 'write x 1' --op 'write x 2' --op 'write x 3'";
    NewestByCounter "ZB18" "newest-by-counter"
        "The newest history is that whose last transaction has the highest counter, of whatever epoch."
        breaks ["ZI7", "ZI8", "ZI3"], minimum "3 nodes [MC]",
        source "derived: histories compared by length", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, seeds: 20, ..Hunt::USUAL },
        explore "\
            --epochs 3 --timeouts retry=2,decide=6,leader=2,quorum=2 --contacts 1 --grain exchanges \
            --silent-start --asks own --op '' --op 'write x 2' --op 'write x 1' --properties ZI7";
    AcceptedEpochNotDurable "ZB19" "accepted-epoch-not-durable"
        "A promise is remembered in memory only: after a restart the node takes part in the same epoch again."
        breaks ["ZI12"], minimum "3 nodes, 1 crash [MC]",
        source "paper §5, f.p is persistent", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, seeds: 20, ..Hunt::USUAL },
        explore "--epochs 1 --timeouts retry=1,decide=3 --crashes 1 --grain exchanges --silent-start";
    ServesBeforeQuorum "ZB21" "serves-before-quorum"
        "A leader begins to broadcast before a quorum has acknowledged NEWLEADER."
        breaks ["ZI8", "ZI11"], minimum "3 nodes, depth 10 [MC]",
        source "paper §5, step l.2.2 left out", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, seeds: 40, ..Hunt::USUAL },
        explore "\
            --epochs 3 --timeouts retry=2,decide=5,leader=2,quorum=1 --contacts 1 --grain elections \
            --silent-start --asks own --op '' --op '' --op 'write x 1' --properties ZI8";
    GapAccepted "ZB22" "gap-accepted"
        "A follower accepts a proposal though it lacks the one before it."
        breaks ["ZI10", "ZI11"], minimum "3 nodes, depth 8 [MC]",
        source "issues.md #1 of ZooKeeper's specifications", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, seeds: 20, ..Hunt::USUAL },
        explore "\
            --epochs 1 --timeouts retry=1,decide=2 --grain elections --contacts 1 --silent-start --asks own \
            --op '' --op '' --op 'write x 1' --op '' --op '' --op 'write x 2'";
    CommitsOutOfOrder "ZB24" "commits-out-of-order"
        "A follower that hears that a transaction is committed delivers that one, and not those before it."
        breaks ["ZI5"], minimum "3 nodes, depth 8 [MC]",
        source "paper §5, step f.3.3, half of it", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, seeds: 20, ..Hunt::USUAL },
        explore "\
            --epochs 1 --timeouts retry=1,decide=2 --grain elections --silent-start --asks own --op '' \
            --op '' --op 'write x 1; write x 2'";
    CounterOverflows "ZB25" "counter-overflows"
        "The transaction after the last of an epoch counts as the first of the next epoch, which has another primary."
        breaks ["ZI5", "ZI6"], minimum "3 nodes, a small counter",
        source "ZOOKEEPER-1277", found by [Simulation, Scenario, Exploration],
        hunt Hunt { nodes: 3, set: &[("counter_max", "3")], seeds: 20, ..Hunt::USUAL },
        explore "\
            --nodes 2 --epochs 2 --timeouts retry=2,decide=4,leader=1,quorum=2 --grain exchanges \
            --silent-start --asks own --op '' --op 'write x 1; write x 2; write x 3; write x 4' \
            --set counter_max=1";
    DeliversProposals "ZB26" "delivers-proposals"
        "A follower delivers a transaction when it is proposed."
        breaks ["ZI7", "ZI3"], minimum "4 nodes [MC]",
        source "paper §5, steps f.3.2 and f.3.3 as one", found by [Simulation, Exploration],
        hunt Hunt { nodes: 5, seeds: 40, ..Hunt::USUAL },
        explore "\
            --nodes 5 --epochs 2 --timeouts retry=1,decide=6,leader=1 --grain exchanges --silent-start \
            --asks own --op '' --op 'write x 2' --op 'write x 1' --properties ZI3";
    LaterEpochIgnored "ZB28" "later-epoch-ignored"
        "A leader goes on though a node has promised a later epoch, and can never follow it."
        breaks ["liveness"], minimum "3 nodes, a leader that was not established",
        source "derived: ZooKeeper's getEpochToPropose once the epoch is settled", found by [Liveness],
        hunt Hunt { nodes: 3, seeds: 500, ..Hunt::USUAL };
    ReadNotOrdered "ZB29" "read-not-ordered"
        "A leader answers a read from what it has delivered, asking nobody."
        breaks ["linearizability"], minimum "3 nodes, a partition",
        source "ZooKeeper's guide on sync: not a quorum operation", found by [History, Exploration],
        hunt Hunt { nodes: 3, workload: "register", seeds: 40, ..Hunt::USUAL },
        explore "\
            --epochs 2 --timeouts retry=2,decide=4,leader=1 --grain exchanges --silent-start --asks own \
            --op '' --op 'write x 1' --op 'read x'";
    NoSessions "ZB30" "no-sessions"
        "A command that a client sent twice is delivered twice."
        breaks ["total-order", "linearizability"], minimum "3 nodes, a lost answer",
        source "ZOOKEEPER-22 (requests retried after a connection loss)", found by [History],
        hunt Hunt { nodes: 3, seeds: 20, ..Hunt::USUAL };
    HistoryRenamed "ZB31" "history-renamed"
        "A new leader gives what it does not know to be committed names of its own epoch."
        breaks ["ZI2"], minimum "3 nodes, 2 epochs",
        source "derived: paper §3, a transaction keeps the identifier of its primary", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, seeds: 20, ..Hunt::USUAL },
        explore "\
            --epochs 2 --timeouts retry=1,decide=4,quorum=2 --grain exchanges --silent-start --asks own \
            --op '' --op '' --op 'write x 1'";
    DeliversNewestFirst "ZB32" "delivers-newest-first"
        "Transactions that are committed together are delivered in the order opposite to that of their proposals."
        breaks ["ZI4", "total-order"], minimum "3 nodes, 2 transactions",
        source "derived: paper §4, Total order left out", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, seeds: 20, ..Hunt::USUAL },
        explore "\
            --epochs 1 --timeouts retry=1,decide=2 --grain elections --silent-start --asks own --op '' \
            --op '' --op 'write x 1; write x 2'";
    ServesBeforeUpToDate "ZB33" "serves-before-uptodate"
        "A follower serves when it has acknowledged NEWLEADER, before it is told what is committed."
        breaks ["ZI9"], minimum "3 nodes, a late follower",
        source "derived: ZooKeeper's Learner without UPTODATE", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, seeds: 20, ..Hunt::USUAL },
        explore "\
            --epochs 2 --timeouts retry=2,decide=4,leader=1 --grain exchanges --silent-start --asks own \
            --op 'write x 1' --op 'write x 2' --op 'write x 3'";
    HalfIsEnough "ZB34" "half-is-enough"
        "Half of the nodes are a quorum: of four nodes, two."
        breaks ["ZI1"], minimum "4 nodes",
        source "derived: QuorumMaj with `>=` for `>`", found by [Simulation, Exploration],
        hunt Hunt { nodes: 4, seeds: 20, ..Hunt::USUAL },
        explore "--nodes 4 --epochs 1 --timeouts retry=2,decide=4 --grain exchanges --silent-start";
    ProposalsDuringSyncLost "ZB35" "proposals-during-sync-lost"
        "What a leader proposes while a follower synchronises is never sent to that follower."
        breaks ["total-order", "liveness"], minimum "3 nodes, a late follower",
        source "derived: LearnerHandler without startForwarding", found by [History],
        hunt Hunt { nodes: 3, seeds: 40, ..Hunt::USUAL };
}
