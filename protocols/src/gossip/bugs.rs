//! Gossip's planted bugs: each was a bug of a real system, or follows from how gossip is often told.

use crate::bugs::{FoundBy, Hunt, planted_bugs};
use FoundBy::{Exploration, History, Scenario, Simulation, Statistics};

planted_bugs! {
    /// A planted bug of gossip; see [`BUGS`] for what each does.
    GossipBug:
    TiesNotBroken "GD1" "ties-not-broken"
        "Of two records of the same time neither is newer: whoever has one keeps it."
        breaks ["convergence"], minimum "2 nodes, 2 concurrent writes",
        source "note 000: `if P.time > Q.time`, and nothing for equal times", found by [History, Scenario],
        hunt Hunt { nodes: 3, nemesis: "none", seeds: 40, ..Hunt::USUAL };
    ElseBranchCopies "GD2" "else-branch-copies"
        "What a peer answers is copied whatever has come in the meantime, also where the times are equal: two exchanges \
         at once swap two values, and an old value comes back over a new one."
        breaks ["GI2", "GI5", "convergence"], minimum "2 nodes, 2 exchanges at once",
        source "note 000: `else P.value = Q.value`", found by [Simulation, Scenario, Exploration],
        hunt Hunt { nodes: 3, nemesis: "none", seeds: 20, ..Hunt::USUAL },
        explore "--nodes 2 --grain exchanges --op 'write x 1' --op 'write x 2' --timeouts 3";
    NoAntiEntropy "GD3" "no-anti-entropy"
        "Updates are forwarded once by each node, and that is all: who is missed is missed for ever."
        breaks ["convergence", "GI3"], minimum "5 nodes, fan-out 2",
        source "note 004, \"in theory all nodes receive it\"; Demers et al. §1.4", found by [History, Statistics],
        hunt Hunt { seeds: 20, ..Hunt::USUAL };
    SamePeerAlways "GD4" "same-peer-always"
        "The peer is the same in every round, as with a seed that is a constant: the nodes form a ring, and an update \
         takes as many rounds as there are nodes."
        breaks ["GI3"], minimum "64 nodes",
        source "derived", found by [Statistics];
    WrongPeerExcluded "GD5" "wrong-peer-excluded"
        "By an index that is off by one, a rumour is not told the node after the one that told it; the teller and the \
         node itself may be chosen."
        breaks ["GI6"], minimum "10 nodes, fan-out 3",
        source "derived", found by [Statistics];
    SeenBeforeApplied "GD6" "seen-before-applied"
        "A record is marked as seen before it is written: a crash between the two, and the node never takes it again."
        breaks ["convergence", "GI2"], minimum "2 nodes, a crash between two writes",
        source "derived", found by [History, Scenario],
        hunt Hunt { nodes: 3, seeds: 100, ..Hunt::USUAL };
    NoTombstone "GD7" "no-tombstone"
        "A delete removes the record and leaves nothing: the next exchange brings it back."
        breaks ["GI5", "convergence"], minimum "2 nodes, a write, a delete",
        source "zalando/bifrost#1867 (review), quickwit-oss/chitchat#122",
        found by [Simulation, Scenario, Exploration],
        hunt Hunt { nodes: 3, nemesis: "none", seeds: 20, ..Hunt::USUAL },
        explore "--nodes 2 --grain exchanges --op 'write x 1; delete x' --timeouts 4";
    CollectsEarly "GD8" "collects-early"
        "A tombstone is thrown away when one other node holds it, and not when all do."
        breaks ["GI5", "convergence"], minimum "3 nodes, one of them cut off",
        source "scylladb#3560, scylladb#8970, akka.net#8484", found by [Simulation, Scenario, Exploration],
        hunt Hunt { nodes: 3, seeds: 100, ..Hunt::USUAL },
        explore "--grain exchanges --op 'write x 1; delete x' --timeouts 4";
    ClockHearsNothing "GD9" "clock-hears-nothing"
        "Times come from each node's own clock, whatever stamps it has seen: what a node with a slow clock writes loses \
         to what it has just read."
        breaks ["convergence", "GI5"], minimum "2 nodes, clocks that differ",
        source "ekv#7; note 000 compares times as if there were one clock",
        found by [Simulation, History, Scenario],
        hunt Hunt { nodes: 3, nemesis: "kill,clock", seeds: 40, ..Hunt::USUAL };
    SharesAdded "GD10" "shares-added"
        "A node's share of a counter is added to what is known of it, not put in its place: who hears twice counts twice."
        breaks ["GI1", "GI4"], minimum "2 nodes, 2 increments",
        source "derived: a merge that is not idempotent", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, nemesis: "none", seeds: 20, ..Hunt::USUAL },
        explore "--nodes 2 --grain exchanges --op 'add +x 1' --op 'add +x 2' --timeouts 3";
    ValueWithoutItsTime "GD11" "value-without-its-time"
        "A newer value is copied without its time, as note 000 is written: it looks as old as what it replaced."
        breaks ["GI4", "GI1"], minimum "2 nodes, 2 writes",
        source "note 000: `Q.value = P.value`", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, nemesis: "none", seeds: 20, ..Hunt::USUAL },
        explore "--nodes 2 --grain exchanges --op 'write x 1' --op 'write x 2' --timeouts 3";
    OwnWritesNotDurable "GD12" "own-writes-not-durable"
        "What clients change is kept in memory only: after a crash it is gone, and its stamp is given to another value."
        breaks ["GI4", "GI5", "convergence"], minimum "2 nodes, 1 restart",
        source "derived; basho/riak_kv#679 is such a reuse of an actor's counter", found by [Simulation, History, Exploration],
        hunt Hunt { nodes: 3, nemesis: "kill", seeds: 20, ..Hunt::USUAL },
        explore "\
            --nodes 2 --grain exchanges --op 'write x 1' --op 'write x 2' --timeouts 2 --crashes 1 \
            --set rumours=off";
    RetriesMadeAgain "GD13" "retries-made-again"
        "A change that a client sends again is made again: an increment counts twice."
        breaks ["convergence"], minimum "1 node, a lost answer",
        source "derived; Ongaro's dissertation §6.3 for logs", found by [History],
        hunt Hunt { nodes: 3, nemesis: "packet", seeds: 20, ..Hunt::USUAL };
}
