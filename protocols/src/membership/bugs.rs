//! The planted bugs of membership: each was a bug of a real system, or follows from a rule left out.

use crate::bugs::{FoundBy, Hunt, planted_bugs};
use FoundBy::{Exploration, History, Scenario, Simulation};

const REDIS: &[(&str, &str)] = &[("style", "redis")];
const SWIM: &[(&str, &str)] = &[("style", "swim")];

planted_bugs! {
    /// A planted bug of membership; see [`BUGS`] for what each does.
    MembershipBug:
    FailAlone "GM1" "fail-alone"
        "A node that cannot reach a member tells everyone that it is gone, and everyone believes it."
        breaks ["GM-I1"], minimum "3 nodes, one link cut",
        source "the sentence of many tutorials: who cannot ping a node broadcasts that it is down", found by [Simulation, Scenario, Exploration],
        hunt Hunt { set: REDIS, seeds: 20, ..Hunt::USUAL },
        explore "--grain exchanges --timeouts tick=4 --set timeout_ticks=1 --set ping_ticks=1";
    ReportsNeverExpire "GM2" "reports-never-expire"
        "Failure reports count for ever: a majority may have suspected a member, but never at about the same time."
        breaks ["GM-I1"], minimum "5 masters, 2 cuts one after the other",
        source "Redis Cluster: CLUSTER_FAIL_REPORT_VALIDITY_MULT left out", found by [Simulation, Scenario, Exploration],
        hunt Hunt { set: REDIS, seeds: 300, ..Hunt::USUAL },
        explore "--grain exchanges --timeouts tick=8 --set timeout_ticks=1 --set ping_ticks=1";
    ReplicasCounted "GM3" "replicas-counted"
        "Reports of replicas count towards the majority of masters."
        breaks ["GM-I1"], minimum "3 masters, 2 replicas, 2 links cut",
        source "Redis Cluster: cluster_legacy.c, only masters report", found by [Simulation, Scenario, Exploration],
        hunt Hunt { set: &[("style", "redis"), ("replicas", "2")], seeds: 100, ..Hunt::USUAL },
        explore "--grain exchanges --timeouts tick=6 --set timeout_ticks=1 --set ping_ticks=1 --set replicas=1";
    FailNeverCleared "GM5" "fail-never-cleared"
        "A member that was marked FAIL stays so, though it answers again."
        breaks ["membership"], minimum "3 nodes, one isolated for a while",
        source "Redis Cluster: clearNodeFailureIfNeeded left out", found by [Simulation, History],
        hunt Hunt { set: REDIS, seeds: 100, ..Hunt::USUAL };
    IncarnationNotAdvanced "GM6" "incarnation-not-advanced"
        "A node believes a refutation but keeps the old incarnation, so that what was refuted can be believed again."
        breaks ["GM-I3"], minimum "2 nodes, a suspicion and its refutation",
        source "al8n/memberlist#197", found by [Simulation, Scenario, Exploration],
        hunt Hunt { set: SWIM, seeds: 50, ..Hunt::USUAL },
        explore "--nodes 2 --grain exchanges --timeouts 6 --set style=swim";
    RestartsFromNothing "GM7" "restarts-from-nothing"
        "After a restart a node begins at incarnation 0 again: what it says is older than what others know."
        breaks ["GM-I3"], minimum "2 nodes, a refutation and a restart",
        source "hashicorp/memberlist#311, #345", found by [Simulation, Scenario, Exploration],
        hunt Hunt { set: SWIM, seeds: 100, ..Hunt::USUAL },
        explore "--grain exchanges --timeouts 4 --crashes 1 --set 'style=\"swim\"'";
    RefutesWithoutIncarnation "GM8" "refutes-without-incarnation"
        "A suspected node says that it is alive without taking a new incarnation: nobody believes it."
        breaks ["membership"], minimum "3 nodes, a suspicion",
        source "SWIM §4.2, half of it", found by [Simulation, History, Scenario],
        hunt Hunt { set: SWIM, seeds: 50, ..Hunt::USUAL };
    NoIndirectPing "GM10" "no-indirect-ping"
        "A node suspects whoever does not answer it directly: one bad link makes a healthy member suspected."
        breaks ["GM-I6"], minimum "3 nodes, one link cut",
        source "SWIM §3.1, ping-req left out", found by [Simulation, Scenario, Exploration],
        hunt Hunt { set: SWIM, seeds: 20, ..Hunt::USUAL },
        explore "--grain exchanges --timeouts 3 --set style=swim";
    EpochWithoutVotes "GM11" "epoch-without-votes"
        "A node takes the next epoch without asking anybody; of two with the same epoch the one with the lesser name \
         owns the slot, be it the old one."
        breaks ["GM-I5"], minimum "2 masters, 2 takeovers at once",
        source "valkey#974; redis#1547, #1799", found by [Simulation, Scenario, Exploration],
        hunt Hunt { set: REDIS, seeds: 50, ..Hunt::USUAL },
        explore "--nodes 2 --grain exchanges --op 'take s0' --op 'take s1' --op 'take s0' --timeouts 2";
    RemovedComesBack "GM12" "removed-comes-back"
        "A member that was removed is taken back when someone who has not heard of that tells of it."
        breaks ["GM-I3"], minimum "3 nodes, one removal",
        source "akka.net#8484", found by [Simulation, Scenario, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--grain exchanges --op 'remove n3' --timeouts tick=2 --set timeout_ticks=8 --set ping_ticks=1";
    AccuserRaisesIncarnation "GM13" "accuser-raises-incarnation"
        "Who suspects a member does so under an incarnation that the member has not taken, so that everyone believes it."
        breaks ["GM-I4"], minimum "2 nodes, a suspicion",
        source "derived: SWIM §4.2, the incarnation is the member's own", found by [Simulation, Exploration],
        hunt Hunt { set: SWIM, seeds: 20, ..Hunt::USUAL },
        explore "--grain exchanges --timeouts 3 --set 'style=\"swim\"'";
}
