//! The planted bugs of primary-backup.

use crate::bugs::{FoundBy, Hunt, planted_bugs};
use FoundBy::{Exploration, History, Simulation};

planted_bugs! {
    /// A planted bug of primary-backup; see [`BUGS`] for what each does.
    PrimaryBackupBug:
    AcknowledgesAlone "PB1" "acknowledges-alone"
        "A primary acknowledges an operation that no backup has: asynchronous replication."
        breaks ["PB-I1"], minimum "2 nodes, 1 crash",
        source "Jepsen: Redis Sentinel lost 56 % of the acknowledged writes", found by [Simulation, Exploration],
        explore "--nodes 2 --grain exchanges --op 'write x 1' --timeouts view=1,heartbeat=1";
    StaleBackupPromoted "PB2" "stale-backup-promoted"
        "A node agrees to any primary, though that one lacks operations that the node has."
        breaks ["PB-I3", "PB-I7"], minimum "3 nodes, 2 views",
        source "derived: the comparison of logs left out", found by [Simulation, Exploration],
        explore "--grain exchanges --op 'write x 1' --timeouts view=2 --late 1";
    NoFence "PB3" "no-fence"
        "A backup takes operations of an earlier view though it has agreed to a newer one."
        breaks ["PB-I2"], minimum "3 nodes, a delayed message",
        source "repmgr#42, repmgr#212, repmgr#439", found by [Simulation, Exploration],
        explore "--grain exchanges --op 'write x 1' --timeouts view=2";
    TruncatesToHighWatermark "PB4" "truncates-to-high-watermark"
        "A node that starts again cuts its log off where it last knew operations to be committed, not where it parts \
         from the primary's."
        breaks ["PB-I7"], minimum "2 nodes, 2 crashes",
        source "Kafka KIP-101 (PR#2743, PR#2808)", found by [Simulation, Exploration],
        explore "--grain exchanges --op 'write x 1' --timeouts view=2 --crashes 2";
    DegradesSilently "PB6" "degrades-silently"
        "A primary that waits too long for a backup goes on without it, in the same view, even alone."
        breaks ["PB-I1"], minimum "3 nodes, a partition",
        source "semi-synchronous replication's timeout; pg_auto_failover#1149", found by [Simulation, Exploration],
        explore "--grain exchanges --op 'write x 1' --timeouts view=1,heartbeat=3 --set silent_heartbeats_max=1";
    StreamUnchecked "PB7" "stream-unchecked"
        "A backup appends what the stream brings without looking where it belongs."
        breaks ["PB-I4"], minimum "2 nodes, a repeated message",
        source "derived: full synchronisation, then a stream with a gap", found by [Simulation, Exploration],
        explore "\
            --nodes 2 --grain packets --op 'write x 1' --op 'write x 2' --timeouts view=2,heartbeat=1 \
            --duplicates 1";
    NotDeterministic "PB8" "not-deterministic"
        "An operation does something else on every node, as if it asked a clock or for a random number."
        breaks ["PB-I5", "linearizability"], minimum "2 nodes",
        source "note 004's claim; Ongaro's dissertation, chapter 11", found by [Simulation, Exploration],
        explore "--nodes 2 --grain exchanges --op 'write x 1' --timeouts view=1,heartbeat=1";
    BackupsServeReads "PB10" "backups-serve-reads"
        "Any node answers reads from its own state, and clients take the answers for current."
        breaks ["linearizability"], minimum "2 nodes",
        source "derived: replica reads", found by [History, Exploration],
        explore "--grain exchanges --op 'write x 1' --op 'read x' --timeouts view=2,heartbeat=2";
    RollsBackOnViewChange "PB11" "rolls-back-on-view-change"
        "A node that hears of a new view drops the operations that it does not know to be acknowledged."
        breaks ["PB-I7", "PB-I3"], minimum "3 nodes, a change of view",
        source "Expensify/Bedrock#919", found by [Simulation, Exploration],
        explore "--grain exchanges --op 'write x 1' --timeouts view=2";
    MinorityView "PB12" "minority-view"
        "A node that no majority answers becomes primary with those who did, even alone."
        breaks ["PB-I1", "PB-I2", "PB-I3"], minimum "3 nodes, a partition",
        source "derived: unclean leader election, min.insync.replicas ignored", found by [Simulation, Exploration],
        explore "--grain exchanges --op 'write x 1' --timeouts view=2";
    OldPrimaryReturns "PB13" "old-primary-returns"
        "A deposed primary that hears nothing of the new one resumes its old view."
        breaks ["PB-I2"], minimum "2 nodes, a lost message",
        source "kubeblocks-addons#3066", found by [Simulation, Exploration],
        explore "--grain exchanges --timeouts view=3,heartbeat=1";
    ShowsUncommitted "PB14" "shows-uncommitted"
        "A primary answers reads with operations that are not acknowledged yet."
        breaks ["linearizability"], minimum "3 nodes, a crash of the primary",
        source "derived: primary copy (Ongaro's dissertation, chapter 11)", found by [History, Exploration],
        hunt Hunt { workload: "append", ..Hunt::USUAL },
        explore "--grain exchanges --op 'write x 1' --op 'read x' --timeouts view=2,heartbeat=2";
}
