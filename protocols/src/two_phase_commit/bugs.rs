//! The planted bugs of two-phase commit.
//!
//! `[MC]` after a minimum: found with these bounds by exhaustive search.

use crate::bugs::{FoundBy, Hunt, planted_bugs};
use FoundBy::{Exploration, History, Simulation};

planted_bugs! {
    /// A planted bug of two-phase commit; see [`BUGS`] for what each does.
    TwoPhaseCommitBug:
    MajorityIsEnough "TP1" "majority-is-enough"
        "A coordinator commits when a majority of the participants voted yes."
        breaks ["TC2"], minimum "3 participants, 1 missing vote [MC]",
        source "the habit of consensus; note 002, \"an optimised two-phase commit\"", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--op read --timeouts 1";
    DecisionNotLogged "TP2" "decision-not-logged"
        "A coordinator keeps its decision in memory and aborts after a restart what it had committed."
        breaks ["TC6"], minimum "2 participants, 1 crash [MC]",
        source "Gray 1978: the commit record is the decision", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--nodes 2 --grain exchanges --op 'transfer a b 5' --timeouts 1 --crashes 1 --crash-within-steps";
    LogAfterSend "TP3" "log-after-send"
        "A coordinator tells its decision before it is on its disk."
        breaks ["TC6"], minimum "2 participants, 1 crash that loses unsynced writes [MC]",
        source "derived: write-ahead, the other way round", found by [Simulation, Exploration],
        hunt Hunt { seeds: 40, ..Hunt::USUAL },
        explore "--nodes 2 --grain exchanges --op 'transfer a b 5' --timeouts 1 --crashes 1 --crash-within-steps";
    AbortsInDoubt "TP4" "aborts-in-doubt"
        "A participant that voted yes and hears nothing aborts on its own."
        breaks ["TC8", "TC1", "linearizability"], minimum "2 participants, a lost message [MC]",
        source "Gray and Lamport 2006, §3", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--nodes 2 --grain packets --op 'transfer a b 5' --timeouts 1";
    CommitsInDoubt "TP5" "commits-in-doubt"
        "A participant that voted yes and hears nothing commits on its own."
        breaks ["TC2", "TC1", "TC8"], minimum "2 participants, a lost vote [MC]",
        source "Gray and Lamport 2006, §3", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--nodes 2 --grain packets --op 'transfer a b 5' --timeouts 1";
    PreparedInMemoryOnly "TP6" "prepared-in-memory-only"
        "A participant votes yes and does not write down what it is prepared for."
        breaks ["TC5"], minimum "2 participants, 1 crash [MC]",
        source "horizontal-scaling-convex#101", found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--nodes 2 --grain exchanges --op 'transfer a b 5' --timeouts 1 --crashes 1 --crash-within-steps";
    BackupTrustsSilence "TP7" "backup-trusts-silence"
        "A coordinator tells its decision without waiting for its backup, which aborts what it has not heard of."
        breaks ["TC8", "TC4"], minimum "2 participants, a slow message [MC]",
        source "2PCwithBTM.tla (Demirbas): a backup cannot tell slow from dead", found by [Simulation, Exploration],
        hunt Hunt { set: &[("scheme", "backup")], seeds: 20, ..Hunt::USUAL },
        explore "--nodes 2 --grain packets --op 'transfer a b 5' --timeouts 2 --set scheme=backup";
    BackupDoesNotLook "TP8" "backup-does-not-look"
        "A backup that is asked aborts without reading what it has written down."
        breaks ["TC4"], minimum "2 participants, a lost outcome [MC]",
        source "2PCwithBTM.tla (Demirbas)", found by [Simulation, Exploration],
        hunt Hunt { set: &[("scheme", "backup")], seeds: 20, ..Hunt::USUAL },
        explore "--nodes 2 --grain packets --op 'transfer a b 5' --timeouts 2 --set scheme=backup";
    AbortUnderAnotherKey "TP9" "abort-under-another-key"
        "A backup that aborts for a participant in doubt writes that down under another transaction's name: the \
         coordinator's commit finds nothing in its way."
        breaks ["TC1", "linearizability"], minimum "2 participants, a slow coordinator",
        source "scalardb#2135, found by Jepsen: lazy recovery", found by [Simulation, Exploration],
        hunt Hunt { set: &[("scheme", "backup")], seeds: 20, ..Hunt::USUAL },
        explore "--grain packets --op 'transfer a b 5' --timeouts 2 --set scheme=backup";
    ForgetsTooEarly "TP10" "forgets-too-early"
        "A coordinator forgets a commit at the first acknowledgement; what it does not know is presumed aborted."
        breaks ["TC1"], minimum "2 participants, a lost outcome",
        source "derived: Mohan, Lindsay and Obermarck 1986, §3", found by [Simulation, Exploration],
        hunt Hunt { set: &[("scheme", "presumed-abort")], seeds: 20, ..Hunt::USUAL },
        explore "--grain packets --op 'transfer b c 5' --timeouts 2 --set scheme=presumed-abort";
    ReadsPreparedData "TP12" "reads-prepared-data"
        "A read takes no heed of locks and sees what is prepared as if it were committed."
        breaks ["linearizability"], minimum "2 participants, a transfer that is aborted or half prepared",
        source "derived: dirty reads (Gray 1978)", found by [History, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--nodes 2 --grain packets --op 'transfer a b 5' --op read --timeouts 1";
    OwnVoteNotCounted "TP13" "own-vote-not-counted"
        "A coordinator that takes part itself does not count its own yes, and aborts when its patience ends."
        breaks ["TC3"], minimum "2 participants",
        source "derived: TCommit.tla demands nothing that an abort of everything would not satisfy",
        found by [Simulation, Exploration],
        hunt Hunt { seeds: 20, ..Hunt::USUAL },
        explore "--nodes 2 --grain packets --op 'transfer a b 5' --timeouts 2";
}
