//! Paxos's planted bugs: each was a bug of a real system, or is what a description of Paxos says when it is taken at its
//! word.
//!
//! `[MC]` after a minimum: found with these bounds by exhaustive search.

use crate::bugs::{FoundBy, Hunt, planted_bugs};
use FoundBy::{Exploration, History, Liveness, Scenario, Simulation};

planted_bugs! {
    /// A planted bug of Paxos; see [`BUGS`] for what each does.
    PaxosBug:
    MajorityOfReportsOrOwn "BP1" "majority-of-reports-or-own"
        "A proposer takes over a vote only if most of the promises tell of the same, and else proposes its own value."
        breaks ["PX5", "linearizability"], minimum "3 nodes, 2 ballots [MC]",
        source "a reading of lecture notes: \"find the reply that more than half of all replies have\"", found by [Simulation, Scenario, Exploration],
        explore "\
            --nodes 2 --actors 2 --asks own --op 'propose 1' --op 'propose 2' --timeouts 0 \
            --set refusals=false --set votes_to_all=false";
    MajorityOfReportsOrNone "BP2" "majority-of-reports-or-none"
        "A proposer takes over a vote only if most of the promises tell of the same, and else waits for more of them."
        breaks ["PX5", "liveness"], minimum "5 nodes, 3 ballots [MC]; with 3 and 4 nodes it is only stuck",
        source "the other reading of the same notes", found by [Liveness, Scenario, Exploration],
        explore "\
            --nodes 5 --actors 2 --asks own --grain exchanges --late 1 --op 'propose 1' --op 'propose 2' \
            --ballots 6 --timeouts round=1 --set refusals=false --set votes_to_all=false --properties PX5";
    ReportsIgnored "BP3" "reports-ignored"
        "A proposer proposes its own value, whatever the promises tell."
        breaks ["PX5"], minimum "3 nodes, 2 ballots [MC]",
        source "Paxos Made Simple §2.2, P2c left out", found by [Simulation, Exploration],
        explore "\
            --nodes 2 --actors 2 --asks own --op 'propose 1' --op 'propose 2' --timeouts 0 \
            --set refusals=false --set votes_to_all=false";
    LowestReport "BP4" "lowest-report"
        "A proposer takes over the vote of the lowest ballot that the promises tell, not of the highest."
        breaks ["PX5"], minimum "3 nodes, 3 ballots [MC]",
        source "Paxos Made Simple §2.2, P2c, half of it", found by [Simulation, Exploration],
        explore "\
            --actors 2 --asks own --op 'propose 1' --op 'propose 2' --ballots 4 --timeouts round=1 \
            --set refusals=false --set votes_to_all=false";
    AcceptUnchecked "BP5" "accept-unchecked"
        "An acceptor votes without looking at its promise."
        breaks ["PX3"], minimum "3 nodes, 2 ballots [MC]",
        source "Paxos Made Simple §2.2, P1a left out", found by [Simulation, Exploration],
        explore "\
            --nodes 2 --actors 2 --asks own --op 'propose 1' --op 'propose 2' --timeouts 0 \
            --set refusals=false --set votes_to_all=false";
    VoteIsNoPromise "BP6" "vote-is-no-promise"
        "An acceptor compares ballots with its promises alone: it votes below its last vote, which it then forgets."
        breaks ["PX4"], minimum "3 nodes, 3 ballots [MC]",
        source "scylladb#6139; the words of Paxos Made Simple §2.2 (\"unless it has already responded to a prepare request\")",
        found by [Simulation, Scenario, Exploration],
        explore "\
            --actors 2 --asks own --op 'propose 1' --op 'propose 2' --ballots 4 --timeouts round=1 \
            --set refusals=false --set votes_to_all=false";
    PromiseNotDurable "BP7" "promise-not-durable"
        "A promise is remembered in memory only: after a restart the acceptor votes below it."
        breaks ["PX3"], minimum "3 nodes, 2 ballots, 1 crash [MC]",
        source "Chandra, Griesemer and Redstone, Paxos Made Live (PODC 2007) §5.1", found by [Simulation, Exploration],
        explore "\
            --actors 2 --asks own --op 'propose 1' --op 'propose 2' --timeouts 0 --crashes 1 \
            --set refusals=false --set votes_to_all=false";
    VoteNotDurable "BP8" "vote-not-durable"
        "A vote is remembered in memory only: after a restart the acceptor does not tell of it."
        breaks ["PX4"], minimum "3 nodes, 2 ballots, 1 crash [MC]",
        source "scylladb#6149, scylladb#6154, palantir/atlasdb#1508", found by [Simulation, Exploration],
        explore "\
            --actors 2 --asks own --op 'propose 1' --op 'propose 2' --timeouts 0 --crashes 1 \
            --set refusals=false --set votes_to_all=false";
    BallotNotDurable "BP9" "ballot-not-durable"
        "A proposer does not write down which ballots it has used, and uses one again after a restart."
        breaks ["PX8", "liveness"], minimum "3 nodes, 1 ballot, 1 crash [MC]",
        source "Tencent/phxpaxos#145", found by [Simulation, Exploration],
        explore "\
            --actors 1 --op 'propose 1' --op 'propose 2' --timeouts 0 --crashes 1 --set refusals=false \
            --set votes_to_all=false";
    BallotsShared "BP10" "ballots-shared"
        "A proposer takes the next number, whoever else may take it."
        breaks ["PX8"], minimum "3 nodes, 1 ballot [MC]",
        source "Paxos Made Simple §2.5 left out: disjoint sets of numbers", found by [Simulation, Exploration],
        explore "\
            --nodes 2 --actors 2 --asks own --op 'propose 1' --op 'propose 2' --timeouts 0 \
            --set refusals=false --set votes_to_all=false";
    StalePromiseCounted "BP11" "stale-promise-counted"
        "A proposer counts promises of its earlier ballots."
        breaks ["PX5"], minimum "3 nodes, 2 ballots, a delayed answer [MC]",
        source "luohaha/MyPaxos#18", found by [Simulation, Exploration],
        explore "\
            --actors 2 --asks own --op 'propose 1' --op 'propose 2' --ballots 4 --timeouts round=1 \
            --set refusals=false --set votes_to_all=false";
    VotesAddedAcrossBallots "BP12" "votes-added-across-ballots"
        "A learner counts all votes for a value, though they are of different ballots."
        breaks ["PX7"], minimum "3 nodes, 2 ballots; for two decisions 4 ballots [MC]",
        source "derived: Paxos Made Simple §2.3", found by [Simulation, Exploration],
        explore "\
            --actors 2 --asks own --op 'propose 1' --op 'propose 2' --timeouts 0 --set refusals=false \
            --set votes_to_all=true";
    OneBallotForBoth "BP13" "one-ballot-for-both"
        "An acceptor has one variable for the ballots of its promise and its vote, and tells its vote under the ballot that it promised."
        breaks ["PX4"], minimum "3 nodes, 3 ballots; for two decisions 4 ballots [MC]",
        source "Sutra, On the correctness of Egalitarian Paxos (IPL 2020, arXiv:1906.10917)", found by [Simulation, Exploration],
        explore "\
            --actors 2 --asks own --op 'propose 1' --op 'propose 2' --ballots 4 --timeouts round=1 \
            --set refusals=false --set votes_to_all=false";
    HalfIsEnough "BP14" "half-is-enough"
        "Half of the acceptors are taken for a quorum: of four, two."
        breaks ["PX5", "PX7"], minimum "2 nodes [MC]",
        source "lecture notes that ask \"2/n + 1\" of the participants", found by [Simulation, Scenario, Exploration],
        hunt Hunt { nodes: 4, ..Hunt::USUAL },
        explore "\
            --nodes 2 --actors 2 --asks own --op 'propose 1' --op 'propose 2' --timeouts 0 \
            --set refusals=false --set votes_to_all=false";
    QuorumsThatDoNotMeet "BP17" "quorums-that-do-not-meet"
        "A majority promises, and one vote less chooses: quorums of five need not share an acceptor."
        breaks ["FPX", "PX1"], minimum "5 nodes, 2 ballots [MC]",
        source "Flexible Paxos (OPODIS 2016) without its condition", found by [Simulation, Scenario, Exploration],
        explore "\
            --nodes 5 --actors 2 --asks own --op 'propose 1' --op 'propose 2' --timeouts 0 \
            --set refusals=false --set votes_to_all=false";
    AcceptAbovePromiseOnly "BP19" "accept-above-promise-only"
        "An acceptor votes only above the ballot that it promised: nothing is ever chosen."
        breaks ["liveness"], minimum "1 node, 1 proposal [MC]",
        source "luohaha/MyPaxos#19; a wrong comparison", found by [Liveness];
    NoBackOff "BP20" "no-back-off"
        "A proposer begins its next ballot after a fixed time, however often that came to nothing."
        breaks ["liveness"], minimum "2 proposers, or an answer that takes longer than the time",
        source "Paxos Made Simple §2.4: progress needs a distinguished proposer", found by [Liveness],
        hunt Hunt { set: &[("round_min_us", "20000"), ("round_max_us", "20000")], seeds: 20, ..Hunt::USUAL };
    ValueChangedWithinBallot "BP21" "value-changed-within-ballot"
        "A proposer that waits for votes proposes what the next client wants under the same ballot."
        breaks ["PX2", "PX5"], minimum "2 nodes, 1 ballot, 2 clients",
        source "derived: Paxos Made Simple §2.2, a proposal is one number and one value", found by [Simulation, Exploration],
        explore "\
            --nodes 2 --actors 1 --op 'propose 1' --op 'propose 2' --timeouts 1 --set refusals=false \
            --set votes_to_all=false";
    OldValueKept "BP22" "old-value-kept"
        "An acceptor that has voted keeps its value when it votes again, and raises only the ballot."
        breaks ["PX6", "PX2"], minimum "3 nodes, 2 ballots",
        source "derived: the belief that an acceptor's value is final", found by [Simulation, Exploration],
        explore "\
            --actors 2 --asks own --op 'propose 1' --op 'propose 2' --timeouts 0 --set refusals=false \
            --set votes_to_all=false";
    ReadFromMemory "BP23" "read-from-memory"
        "A node answers a read with what it has learned, asking nobody."
        breaks ["linearizability"], minimum "2 nodes, a lost vote",
        source "derived: Paxos Made Simple §2.3, learning that a value has been chosen may take a proposal", found by [History, Exploration],
        explore "--nodes 2 --grain packets --op 'propose 1' --op 'read' --timeouts 0 --set votes_to_all=true";
    OneVoteIsEnough "BP24" "one-vote-is-enough"
        "A learner takes a value for chosen when the first acceptor has voted for it."
        breaks ["PX7"], minimum "2 nodes, 1 ballot",
        source "derived: Paxos Made Simple §2.1, a single acceptor", found by [Simulation, Exploration],
        explore "\
            --nodes 2 --actors 2 --asks own --op 'propose 1' --op 'propose 2' --timeouts 0 \
            --set refusals=false --set votes_to_all=false";
    SilenceIsRejection "BP25" "silence-is-rejection"
        "A node whose ballot got too few answers tells its client that the value was not accepted."
        breaks ["linearizability"], minimum "1 node, a lost answer",
        source "lecture notes: \"fewer answers than a majority: V1 was not accepted\"", found by [History, Scenario, Exploration],
        explore "\
            --nodes 2 --actors 2 --op 'propose 1' --op 'propose 2' --timeouts 1 --set refusals=false \
            --set votes_to_all=false";
    OwnValueConfirmed "BP26" "own-value-confirmed"
        "A node tells its client that its value was chosen when its ballot succeeded, though with the value of an older vote."
        breaks ["linearizability"], minimum "1 node, 2 clients",
        source "lecture notes: \"answers of a majority: V1 is accepted\"", found by [History, Exploration],
        explore "\
            --nodes 2 --actors 2 --op 'propose 1' --op 'propose 2' --timeouts 1 --set refusals=false \
            --set votes_to_all=false";
    ReadByEarlierBallot "BP27" "read-by-earlier-ballot"
        "A read is answered by a ballot that began before it came, whose promises may be older than a decision."
        breaks ["linearizability"], minimum "3 nodes, 2 ballots, a delayed promise",
        source "derived: dissertation of D. Ongaro §6.4 has the same for Raft", found by [Scenario];
}
