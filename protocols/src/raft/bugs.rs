//! Raft's planted bugs: each was a bug of a real system, or follows from a sentence of the papers left out.
//!
//! `[MC]` after a minimum: found with these bounds by exhaustive search.

use crate::bugs::{FoundBy, Hunt, planted_bugs};
use FoundBy::{Exploration, History, Liveness, Scenario, Simulation};

/// Snapshots after every few entries, and no entries kept behind them.
const SMALL: &[(&str, &str)] = &[("snapshot_after", "3"), ("entries_kept", "0")];

planted_bugs! {
    /// A planted bug of Raft; see [`BUGS`] for what each does.
    RaftBug:
    VoteWithoutLogCheck "RF1" "vote-without-log-check"
        "A voter does not compare logs: it votes for whoever asks first."
        breaks ["RI5"], minimum "3 nodes, 2 terms, 1 entry [MC]",
        source "paper §5.4.1 left out; the common belief that a higher term is enough", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--terms 2 --grain exchanges --op 'write x 1' --set pre_vote=false";
    VoteByLengthOnly "RF2" "vote-by-length-only"
        "A voter compares the lengths of logs and not their last terms."
        breaks ["RI5"], minimum "3 nodes, depth 7 [MC]",
        source "paper §5.4.1, half of it", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, seeds: 20, ..Hunt::USUAL },
        explore "--terms 3 --timeouts 3 --grain exchanges --op 'write x 1' --op 'write x 2' --set pre_vote=false";
    VoteByLastTermOnly "RF3" "vote-by-last-term-only"
        "A voter compares the last terms of logs and not their lengths."
        breaks ["RI5"], minimum "3 nodes, depth 8 [MC]",
        source "paper §5.4.1, half of it", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--terms 2 --grain exchanges --op 'write x 1' --set pre_vote=false";
    OldTermCommittedByCounting "RF4" "old-term-committed-by-counting"
        "A leader commits an entry of an older term because a majority has it."
        breaks ["RI5", "RI8"], minimum "3 nodes, 4 terms, 2 entries [MC]",
        source "paper §5.4.2, Figure 8; PySyncObj#169; CCF (NSDI 2025) bug 2", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "\
            --terms 4 --timeouts election=4 --grain elections --set pre_vote=false \
            --set entries_per_message=1 --properties RI5";
    VoteNotDurable "RF5" "vote-not-durable"
        "A vote is remembered in memory only: after a restart the node votes again in the same term."
        breaks ["RI1", "RI2"], minimum "3 nodes, 1 restart [MC]",
        source "datatechnology/cornerstone#65, tikv#1610", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--terms 1 --crashes 1 --timeouts 3 --grain packets --set pre_vote=false";
    TermReset "RF6" "term-reset"
        "A node that restarts begins in term 0 again: its term and vote were in memory only."
        breaks ["RI9"], minimum "3 nodes, 1 restart",
        source "bakwc/PySyncObj#202", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--terms 1 --crashes 1 --timeouts 2 --grain exchanges --set pre_vote=false";
    VoteClearedOnStepDown "RF7" "vote-cleared-on-step-down"
        "A candidate that steps down for the leader of its term forgets that it voted for itself."
        breaks ["RI2", "RI1"], minimum "3 nodes, a delayed request",
        source "microsoft/CCF PR#8094; xraft#29", found by [Simulation, Exploration],
        hunt Hunt { nemesis: "packet,partition,kill", set: &[("pre_vote", "false"), ("election_max_us", "160000")], seeds: 400, ..Hunt::USUAL },
        explore "--terms 2 --timeouts 3 --grain packets --set pre_vote=false";
    StaleVoteCounted "RF8" "stale-vote-counted"
        "A candidate counts votes that were given in an earlier term."
        breaks ["RI14", "RI1"], minimum "3 nodes, a delayed answer [MC]",
        source "xnnyygn/xraft#33", found by [Simulation, Exploration],
        hunt Hunt { nodes: 3, workload: "append", seeds: 200, ..Hunt::USUAL },
        explore "--terms 2 --timeouts 3 --grain exchanges --late 1 --set pre_vote=false";
    HalfIsEnough "RF10" "half-is-enough"
        "A candidate with half of the votes wins: of four nodes, two."
        breaks ["RI14", "RI1"], minimum "4 nodes [MC]",
        source "derived", found by [Simulation, Exploration],
        hunt Hunt { nodes: 4, seeds: 20, ..Hunt::USUAL },
        explore "--nodes 4 --terms 1 --timeouts 2 --grain exchanges --set pre_vote=false";
    CommitToLastIndex "RF11" "commit-to-last-index"
        "A follower commits up to the end of its log instead of the last entry that the leader's message covered."
        breaks ["RI6"], minimum "3 nodes, 3 terms [MC]",
        source "copycat#265, scylladb#9965, rabbitmq/ra#508, etcd#1203", found by [Simulation, Exploration],
        hunt Hunt { workload: "append", seeds: 20, ..Hunt::USUAL },
        explore "\
            --terms 3 --timeouts election=3 --grain exchanges --op 'write x 1' --set pre_vote=false \
            --set exact_back_up=false --set entries_per_message=1 --reduce=-nodes";
    TruncatesAlways "RF12" "truncates-always"
        "A follower cuts its log behind every message, also where nothing conflicts: an old message undoes a newer one."
        breaks ["RI7", "RI5", "RI6", "RI11", "RI13"], minimum "3 nodes, reordered messages [MC]",
        source "RaftOS#26", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "\
            --nodes 2 --terms 1 --timeouts election=1,heartbeat=1 --grain exchanges --late 1 \
            --op 'write x 1; write x 2' --set pre_vote=false";
    NeverTruncates "RF13" "never-truncates"
        "A follower keeps its own entries where the leader's differ."
        breaks ["RI5", "RI6", "RI11", "RI4", "RI7"], minimum "3 nodes, depth 7 [MC]",
        source "WRaft#118.2", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--terms 2 --grain exchanges --op 'write x 1' --set pre_vote=false";
    PreviousTermIgnored "RF14" "previous-term-ignored"
        "A follower looks whether it has an entry before the new ones, not whether it is the leader's."
        breaks ["RI4", "RI6", "RI7", "RI11"], minimum "3 nodes, depth 6 [MC]",
        source "paper §5.3, rule 2 of AppendEntries, half of it", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--terms 3 --timeouts 3 --grain exchanges --op 'write x 1' --op 'write x 2' --set pre_vote=false";
    FirstEntriesAlwaysFit "RF15" "first-entries-always-fit"
        "A follower takes entries that begin at index 1 without a look at its log, also when it has compacted it: they end up behind its snapshot."
        breaks ["RI4", "RI10", "RI6", "RI7", "RI11"], minimum "2 nodes, a duplicate, a snapshot",
        source "WRaft#118.1", found by [Simulation, Scenario, Exploration],
        hunt Hunt { nodes: 2, nemesis: "packet,kill", set: SMALL, seeds: 150, ..Hunt::USUAL },
        explore "\
            --nodes 2 --terms 1 --timeouts election=1,heartbeat=1 --grain packets --duplicates 1 \
            --op 'write x 1; write x 2' --set pre_vote=false --set snapshot_after=1 --set entries_kept=0";
    MatchIndexDecreases "RF16" "match-index-decreases"
        "A leader believes the latest answer, though an earlier one, overtaken by it, said more."
        breaks ["RI9"], minimum "2 nodes, reordered answers",
        source "RaftOS#25, PySyncObj#167", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "\
            --nodes 2 --terms 1 --timeouts election=1,heartbeat=1 --grain exchanges --late 1 \
            --op 'write x 1; write x 2' --set pre_vote=false";
    LeaderOverwrites "RF17" "leader-overwrites"
        "A leader puts a command in the place of its last entry if that is not committed yet."
        breaks ["RI3", "RI4", "RI11"], minimum "1 node, 2 commands",
        source "derived: paper §5.3, Leader Append-Only left out", found by [Simulation, Scenario, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--terms 3 --timeouts 3 --grain exchanges --op 'write x 1' --op 'write x 2' --set pre_vote=false";
    RefusalCounted "RF18" "refusal-counted"
        "A leader takes what a follower says when it refuses for what it holds."
        breaks ["RI11", "RI6"], minimum "3 nodes",
        source "CCF (NSDI 2025) bug 3", found by [Simulation, Exploration],
        hunt Hunt { seeds: 60, ..Hunt::USUAL },
        explore "--terms 3 --timeouts 3 --grain exchanges --op 'write x 1' --op 'write x 2' --set pre_vote=false";
    OwnLastIndexReported "RF19" "own-last-index-reported"
        "A follower answers with the end of its log instead of the last entry that the message covered."
        breaks ["RI11"], minimum "3 nodes, 2 terms",
        source "CCF (NSDI 2025) bug 5", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "\
            --terms 3 --timeouts election=3 --grain exchanges --op 'write x 1' --set pre_vote=false \
            --set exact_back_up=false --set entries_per_message=1";
    HeartbeatTruncates "RF20" "heartbeat-truncates"
        "A follower takes a message without entries to say that the log ends there, though it may be old."
        breaks ["RI6", "RI7", "RI11", "RI13"], minimum "3 nodes, reordered messages",
        source "CCF (NSDI 2025) bug 4", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "\
            --nodes 2 --terms 1 --timeouts election=1,heartbeat=1 --grain exchanges --late 1 \
            --op 'write x 1; write x 2' --set pre_vote=false";
    CommitStopsAtOldTerm "RF22" "commit-stops-at-old-term"
        "A leader looks for entries to commit from the first uncommitted one upwards and stops at one of an older term: it never commits again."
        breaks ["liveness"], minimum "2 nodes, 2 terms",
        source "RaftOS#30", found by [Liveness, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "\
            --nodes 2 --terms 2 --timeouts election=2 --grain exchanges --op 'write x 1' --set pre_vote=false \
            --finally 'read x'";
    FakeLeader "RF24" "fake-leader"
        "A leader that learns of a newer term leads on, in that term."
        breaks ["RI14", "RI1"], minimum "3 nodes, 2 terms",
        source "nebula#2419", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--terms 2 --grain exchanges --op 'write x 1' --set pre_vote=false";
    LeaderCommitsBeforeSync "RF25" "leader-commits-before-sync"
        "A leader counts its own copy of an entry before that is on its disk."
        breaks ["RI7"], minimum "1 node",
        source "etcd#14370, etcd#10508", found by [Simulation, Exploration],
        hunt Hunt { nodes: 1, seeds: 20, ..Hunt::USUAL },
        explore "--nodes 1 --terms 1 --timeouts 1 --sync explicit --op 'write x 1' --set pre_vote=false";
    AckBeforeSync "RF26" "ack-before-sync"
        "A follower answers that it has entries before they are on its disk."
        breaks ["RI7", "RI11"], minimum "3 nodes, 2 crashes that lose unsynced writes",
        source "camunda#4160, etcd#14140", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "\
            --nodes 2 --terms 1 --timeouts 1 --grain exchanges --sync explicit --op 'write x 1' \
            --set pre_vote=false";
    EmptyNodeForgets "RF27" "empty-node-forgets"
        "A node whose log is empty restarts as if it were new: its term and vote are gone."
        breaks ["RI9"], minimum "3 nodes, 1 restart",
        source "tikv#3572, tikv#8381", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--terms 1 --crashes 1 --timeouts 2 --grain exchanges --set pre_vote=false";
    IndexAheadOfState "RF28" "index-ahead-of-state"
        "The index in a snapshot is ahead of its state by the entry that is being applied: that entry is skipped after a restart."
        breaks ["RI16", "RI20", "linearizability"], minimum "1 node, 1 crash",
        source "etcd#13766, etcd#13514", found by [Simulation, History, Exploration],
        hunt Hunt { workload: "append", set: SMALL, seeds: 20, ..Hunt::USUAL },
        explore "\
            --nodes 1 --terms 1 --timeouts 1 --crashes 1 --crash-within-steps --op 'write x 1; write x 2' \
            --set pre_vote=false --set snapshot_after=1 --set entries_kept=0";
    WaitsByIndexOnly "RF30" "waits-by-index-only"
        "A leader remembers which client waits for which index, not for which entry: after it stepped down the client is told that another leader's entry was its own."
        breaks ["linearizability"], minimum "3 nodes, a change of leader",
        source "Hoverbear/old-raft-rs#115", found by [History, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "\
            --terms 3 --timeouts election=3 --grain exchanges --op 'write x 1' --op 'read x' \
            --set pre_vote=false";
    NeverBacksUp "RF31" "never-backs-up"
        "A leader that is refused sends the same entries again."
        breaks ["liveness"], minimum "2 nodes",
        source "xraft; PySyncObj#167", found by [Liveness],
        hunt Hunt { seeds: 20, ..Hunt::USUAL };
    EntriesAtBoundary "SN1" "entries-at-boundary"
        "A leader that has just forgotten the entry that a follower lacks next sends the entries behind it instead of its snapshot."
        breaks ["RI6", "RI4", "RI11"], minimum "2 nodes, a snapshot",
        source "WRaft#118.2", found by [Simulation, Scenario, Exploration],
        hunt Hunt { set: SMALL, seeds: 20, ..Hunt::USUAL },
        explore "\
            --terms 1 --timeouts election=1 --grain exchanges --op 'write x 1' --op 'write x 2' \
            --set pre_vote=false --set snapshot_after=2 --set entries_kept=0";
    SnapshotTermTaken "SN2" "snapshot-term-taken"
        "A follower that installs a snapshot takes the term of its last entry for the current term."
        breaks ["RI9"], minimum "3 nodes, 2 terms, a snapshot",
        source "WRaft#118.4", found by [Simulation, Exploration],
        hunt Hunt { set: SMALL, seeds: 20, ..Hunt::USUAL },
        explore "\
            --terms 2 --timeouts election=2,heartbeat=2 --grain exchanges --op 'write x 1; write x 2' \
            --set pre_vote=false --set snapshot_after=1 --set entries_kept=0";
    OldSnapshotInstalled "SN3" "old-snapshot-installed"
        "A snapshot that comes late takes the place of a state that has gone on since."
        breaks ["RI20", "linearizability"], minimum "2 nodes, a delayed snapshot",
        source "eBay/NuRaft#407, openraft#1894, openraft#1930", found by [Simulation, History, Scenario],
        hunt Hunt { nodes: 3, workload: "append", set: SMALL, seeds: 20, ..Hunt::USUAL };
    AppliesBeforeSnapshot "SN5" "applies-before-snapshot"
        "A follower applies entries behind a snapshot while that is still on its way to the disk: to its old state."
        breaks ["RI20", "RI16", "linearizability"], minimum "2 nodes, a slow disk",
        source "tikv PR#1287", found by [Simulation, History],
        hunt Hunt { nodes: 3, workload: "append", set: SMALL, seeds: 20, ..Hunt::USUAL };
    CommitForgottenInSnapshot "SN6" "commit-forgotten-in-snapshot"
        "A node that restarts takes nothing for committed, not even what is in its snapshot."
        breaks ["RI12"], minimum "1 node, 1 restart",
        source "sofa-jraft#1092", found by [Simulation, Exploration],
        hunt Hunt { set: SMALL, seeds: 20, ..Hunt::USUAL },
        explore "\
            --nodes 1 --terms 1 --timeouts 1 --crashes 1 --op 'write x 1; write x 2' --set pre_vote=false \
            --set snapshot_after=1 --set entries_kept=0";
    SnapshotWithoutSessions "SN7" "snapshot-without-sessions"
        "A snapshot has the objects and not the sessions."
        breaks ["RI16", "linearizability"], minimum "2 nodes, a snapshot, a lost answer",
        source "dissertation §5 and §6.3", found by [Simulation, History, Scenario, Exploration],
        hunt Hunt { nodes: 3, workload: "append", set: SMALL, seeds: 20, ..Hunt::USUAL },
        explore "\
            --terms 1 --timeouts election=1 --grain exchanges --op 'write x 1' --op 'write x 2' \
            --set pre_vote=false --set snapshot_after=2 --set entries_kept=0";
    ConflictingSnapshotRefused "SN8" "conflicting-snapshot-refused"
        "A follower refuses a snapshot whose last entry differs from what its log has there, for ever."
        breaks ["liveness"], minimum "3 nodes, a snapshot, a conflicting entry",
        source "WRaft#3, nebula#1769", found by [Liveness],
        hunt Hunt { nodes: 3, workload: "membership", set: SMALL, seeds: 120, ..Hunt::USUAL };
    ChangeBeforeOwnCommit "MC1" "change-before-own-commit"
        "A leader changes the voters by one before an entry of its own term is committed."
        breaks ["RI14"], minimum "4 nodes, two removals, 3 terms, depth 6 [MC]",
        source "D. Ongaro, raft-dev, July 2015: the rule that he added to single-server changes", found by [Simulation, Scenario, Exploration],
        hunt Hunt { nodes: 5, workload: "membership", seeds: 100, ..Hunt::USUAL },
        explore "\
            --terms 3 --timeouts election=3 --grain elections --op 'remove-node n2' --op 'remove-node n3' \
            --set pre_vote=false";
    JumpsConfigurations "MC2" "jumps-configurations"
        "A leader goes from one set of voters to another in one step, whatever they have in common."
        breaks ["RI14"], minimum "3 nodes to 1, depth 7 [MC]",
        source "dissertation figure 4.2", found by [Simulation, Exploration],
        hunt Hunt { nodes: 5, workload: "membership", seeds: 100, ..Hunt::USUAL },
        explore "--terms 2 --timeouts election=2 --grain exchanges --op 'reconfigure n1' --set pre_vote=false";
    UncommittedChanges "MC3" "uncommitted-changes"
        "A leader appends the next configuration before the last one is committed."
        breaks ["RI14"], minimum "3 nodes, depth 8 [MC]",
        source "dissertation §4.1", found by [Simulation, Exploration],
        hunt Hunt { nodes: 5, workload: "membership", seeds: 100, ..Hunt::USUAL },
        explore "\
            --terms 2 --timeouts election=2 --grain exchanges --op 'remove-node n2' --op 'remove-node n3' \
            --set pre_vote=false";
    UnionQuorum "MC4" "union-quorum"
        "In a joint configuration a majority of all nodes of both sets decides."
        breaks ["RI14", "RI7"], minimum "5 nodes",
        source "CCF (NSDI 2025) bug 1: 48 hours on 128 cores", found by [Simulation, Exploration],
        hunt Hunt { workload: "membership", set: &[("membership_change", "joint")], seeds: 200, ..Hunt::USUAL },
        explore "\
            --terms 2 --timeouts election=2 --grain exchanges --op 'reconfigure n1' --set pre_vote=false \
            --set 'membership_change=\"joint\"'";
    ConfigurationOnApply "MC6" "configuration-on-apply"
        "A configuration is in force when it is applied, not as soon as it is in the log."
        breaks ["RI14"], minimum "5 nodes",
        source "etcd#11284, etcd-io/raft#234", found by [Simulation, Exploration],
        hunt Hunt { nodes: 5, workload: "membership", seeds: 100, ..Hunt::USUAL },
        explore "\
            --nodes 5 --actors 3 --asks own --terms 2 --timeouts election=2 --contacts 2 --grain exchanges \
            --op 'remove-node n5; remove-node n4' --op '' --op '' --set pre_vote=false --properties RI14";
    JointLeftEarly "MC7" "joint-left-early"
        "A leader leaves a joint configuration before that is committed."
        breaks ["RI14"], minimum "3 nodes",
        source "dissertation §4.3: C_new only after C_old,new is committed", found by [Simulation, Exploration],
        hunt Hunt { workload: "membership", set: &[("membership_change", "joint")], seeds: 100, ..Hunt::USUAL },
        explore "\
            --terms 2 --timeouts election=2 --grain exchanges --op 'reconfigure n1' --set pre_vote=false \
            --set 'membership_change=\"joint\"'";
    StrangersVote "MC8" "strangers-vote"
        "A candidate asks nodes for votes, and counts them, that are not in its configuration."
        breaks ["RI14"], minimum "5 nodes",
        source "ktoso/akka-raft#49", found by [Simulation, Exploration],
        hunt Hunt { workload: "membership", seeds: 100, ..Hunt::USUAL },
        explore "\
            --terms 2 --timeouts election=2 --grain exchanges --op 'remove-node n2' --op 'remove-node n3' \
            --set pre_vote=false";
    EmptyNodeVotes "MC9" "empty-node-votes"
        "A new member is a voter before it has caught up."
        breaks ["RI14"], minimum "3 nodes and a dead one",
        source "async-raft#113; dissertation §4.2.1", found by [Simulation, Exploration],
        hunt Hunt { nodes: 5, workload: "membership", seeds: 100, ..Hunt::USUAL },
        explore "\
            --nodes 4 --terms 2 --timeouts election=1 --grain exchanges --op 'add-node n4' \
            --set pre_vote=false --set members=3";
    PrematureRetirement "MC10" "premature-retirement"
        "A node takes part no more once its log says that it is to go, before that is committed."
        breaks ["liveness"], minimum "3 nodes",
        source "CCF (NSDI 2025) bug 6", found by [Liveness, Exploration],
        hunt Hunt { nodes: 3, workload: "membership", seeds: 100, ..Hunt::USUAL },
        explore "\
            --terms 2 --timeouts election=2,heartbeat=1 --grain exchanges --op 'remove-node n1; remove-node n2' \
            --set pre_vote=false --finally 'read x'";
    RemovedNodeDisrupts "MC11" "removed-node-disrupts"
        "A node that hears from a leader helps whoever wants another: one that was removed, and waits in vain for its leader."
        breaks ["RI15"], minimum "3 nodes",
        source "dissertation §4.2.3", found by [Simulation, Exploration],
        hunt Hunt { workload: "membership", seeds: 40, ..Hunt::USUAL },
        explore "--terms 2 --timeouts election=2 --grain exchanges --set pre_vote=true --set check_quorum=true";
    ConfigurationNotRolledBack "MC12" "configuration-not-rolled-back"
        "A configuration stays in force when its entry was cut off the log."
        breaks ["RI14"], minimum "3 nodes, a change of leader",
        source "derived: dissertation §4.1, a server must be prepared to fall back", found by [Simulation, Exploration],
        hunt Hunt { nodes: 5, workload: "membership", seeds: 100, ..Hunt::USUAL },
        explore "\
            --terms 2 --timeouts election=2 --grain exchanges --op 'remove-node n2' --op 'remove-node n3' \
            --set pre_vote=false";
    RemovedLeaderCounts "MC13" "removed-leader-counts"
        "A leader that is not among the voters any more counts itself when it commits."
        breaks ["RI7", "RI14", "RI13"], minimum "3 nodes",
        source "dissertation §4.2.2", found by [Simulation, Exploration],
        hunt Hunt { nodes: 5, workload: "membership", seeds: 100, ..Hunt::USUAL },
        explore "\
            --terms 2 --timeouts election=2 --grain exchanges --op 'remove-node n2' --op 'remove-node n3' \
            --set pre_vote=false";
    LeaderGrantsPreVote "PV1" "leader-grants-pre-vote"
        "A leader tells a node that it would vote for it."
        breaks ["RI15"], minimum "3 nodes",
        source "daos-stack/raft#70", found by [Simulation, Exploration],
        hunt Hunt { seeds: 40, ..Hunt::USUAL },
        explore "--terms 2 --timeouts 3 --grain exchanges --late 1 --set pre_vote=true";
    LeaderNeverForgotten "PV2" "leader-never-forgotten"
        "A node refuses pre-votes as long as it remembers a leader, and remembers it until there is another."
        breaks ["liveness"], minimum "3 nodes, a crash of the leader",
        source "hashicorp/raft#605, #606", found by [Liveness],
        hunt Hunt { nodes: 3, seeds: 40, ..Hunt::USUAL };
    PreVoteRaisesTerm "PV4" "pre-vote-raises-term"
        "A node raises its term when it asks whether it would be voted for."
        breaks ["RI15"], minimum "2 nodes",
        source "derived: dissertation §9.6", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--terms 2 --timeouts 3 --grain exchanges --late 1 --set pre_vote=true";
    LocalRead "RD1" "local-read"
        "A node that believes it leads answers reads from its own memory, asking nobody."
        breaks ["RI17", "linearizability"], minimum "3 nodes, a partition",
        source "etcd#741; dissertation §6.4", found by [Simulation, History, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "\
            --terms 2 --timeouts election=2 --grain exchanges --op 'write x 1' --op 'read x' \
            --set pre_vote=false";
    ReadBeforeOwnCommit "RD2" "read-before-own-commit"
        "A new leader serves reads before an entry of its own term is committed: it may not know the latest ones."
        breaks ["RI17", "linearizability"], minimum "3 nodes, a change of leader",
        source "etcd#7331, tikv#1634, tikv#6340", found by [Simulation, History, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "\
            --terms 2 --timeouts election=2 --grain elections --op 'write x 1' --op 'read x' \
            --set pre_vote=false";
    ReadWithoutQuorum "RD3" "read-without-quorum"
        "A leader remembers the commit index for a read but does not ask whether it still leads."
        breaks ["RI17", "linearizability"], minimum "3 nodes, a partition",
        source "dissertation §6.4, step 3 left out", found by [Simulation, History, Exploration],
        hunt Hunt { seeds: 70, ..Hunt::USUAL },
        explore "\
            --terms 2 --timeouts election=2 --grain exchanges --op 'write x 1' --op 'read x' \
            --set pre_vote=false";
    LeaseWithoutDrift "RD4" "lease-without-drift"
        "A lease lasts as long as an election timeout may: nothing is allowed for clocks that differ."
        breaks ["RI18", "RI17", "linearizability"], minimum "3 nodes, a slow clock or a pause",
        source "tikv#964, etcd#6005, etcd#20418", found by [Simulation, History, Scenario],
        hunt Hunt { nodes: 3, nemesis: "clock,partition", set: &[("lease_reads", "true")], seeds: 200, ..Hunt::USUAL };
    LeaseSurvivesTransfer "RD5" "lease-survives-transfer"
        "A leader keeps its lease while another takes over from it."
        breaks ["RI18", "RI17", "linearizability"], minimum "3 nodes, a transfer",
        source "tikv#1593, raft-rs#234, openraft#1748", found by [Simulation],
        hunt Hunt { nodes: 3, workload: "membership", nemesis: "packet,partition", set: &[("lease_reads", "true"), ("lease_drift", "1")], seeds: 100 };
    ReadContextDropped "RD7" "read-context-dropped"
        "A leader that is deposed answers the reads that wait, from what it has."
        breaks ["RI17", "linearizability"], minimum "3 nodes, a change of leader",
        source "tikv#12109", found by [Simulation, History, Exploration],
        hunt Hunt { seeds: 100, ..Hunt::USUAL },
        explore "\
            --terms 2 --timeouts election=2 --grain exchanges --op 'write x 1' --op 'read x' \
            --set pre_vote=false";
    PromiseForgotten "RD8" "promise-forgotten"
        "A node that has restarted votes at once, though it may have promised a leader not to."
        breaks ["RI18"], minimum "3 nodes, a crash",
        source "derived: dissertation §6.4.1", found by [Scenario];
    TransferTrusted "TR1" "transfer-trusted"
        "A leader hands over to a node that lacks entries, and nodes vote for it all the same."
        breaks ["RI5"], minimum "3 nodes, 1 entry",
        source "dissertation §3.10, steps 2 and 3 left out", found by [Simulation, Exploration],
        hunt Hunt { workload: "membership", seeds: 100, ..Hunt::USUAL },
        explore "\
            --terms 2 --timeouts election=1 --grain exchanges --op 'transfer-leadership n3' --op 'write x 1' \
            --set pre_vote=false";
    NoSessions "CL1" "no-sessions"
        "A command that a client sent twice is applied twice."
        breaks ["linearizability"], minimum "3 nodes, a lost answer",
        source "dissertation §6.3; etcd#18424; rabbitmq/ra#145", found by [History],
        hunt Hunt { seeds: 20, ..Hunt::USUAL };
    ExpiredSessionIsNew "CL3" "expired-session-is-new"
        "There is room for one session only, and the command of a client whose session was dropped counts as new."
        breaks ["linearizability"], minimum "3 nodes, a lost answer, 2 clients",
        source "dissertation §6.3", found by [History],
        hunt Hunt { nodes: 3, workload: "append", nemesis: "packet", seeds: 20, ..Hunt::USUAL };
    TimeoutIsFailure "CL4" "timeout-is-failure"
        "A leader that steps down tells clients that their commands failed, though the next leader may commit them."
        breaks ["linearizability"], minimum "3 nodes, a change of leader",
        source "Jepsen: Redis-Raft 1b3fbf6", found by [History, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "\
            --terms 3 --timeouts election=3 --grain exchanges --op 'write x 1' --op 'read x' \
            --set pre_vote=false";
    ReplyBeforeCommit "CL5" "reply-before-commit"
        "A leader answers a command as soon as it has it in its own log."
        breaks ["linearizability"], minimum "3 nodes, a crash or partition of the leader",
        source "derived from paper §5.3", found by [History, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "\
            --terms 2 --timeouts election=2 --grain exchanges --op 'write x 1' --op 'read x' \
            --set pre_vote=false";
    AnyNodeServesReads "CL7" "any-node-serves-reads"
        "Every node answers reads from its own memory, whether it leads or not."
        breaks ["linearizability"], minimum "2 nodes",
        source "Xraft-KV#40", found by [History, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "\
            --nodes 2 --terms 1 --timeouts 1 --grain exchanges --op 'write x 1' --op 'read x' \
            --set pre_vote=false";
    FailoverLosesState "CL8" "failover-loses-state"
        "A new leader begins with an empty state machine."
        breaks ["RI20", "linearizability"], minimum "2 nodes, a change of leader",
        source "Jepsen: Redis-Raft 1b3fbf6 (data loss on any failover)", found by [Simulation, History, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "\
            --terms 2 --timeouts election=2 --grain exchanges --op 'write x 1' --op 'read x' \
            --set pre_vote=false";
}
