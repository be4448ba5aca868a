//! Scenarios: what happens to a small cluster, told step by step in a text that runs.
//!
//! A scenario is a golden file: commands, one a line, each followed by what came of it in lines that begin with
//! `>`. It is told once more by every test, and its steps are a trace that replays. After the habit of
//! etcd-io/raft's `testdata`.
//!
//! The first line is `# ID name: what it shows`. Prose (`#`) follows, with the source and the expected
//! `# Verdict:`, then the cluster and what its disks hold:
//!
//! - `cluster raft nodes=3 [bugs=RF4] [sync=explicit] [pre_vote=false …]`: a protocol, its planted bugs, when writes
//!   reach disks (`immediate` if not said), and any field of its configuration;
//! - `disk n1 term 7 log 1 1 4`: in the protocol's own words ([`Staged::disk`]).
//!
//! Then what happens. Every name of a [`Step`](crate::Step) is a command: `fire n1 election`, `crash n3`,
//! `restart n3`, `invoke c0→n1 #1 write x 5`, `give up c0`, `cut n1 → n2`, `heal`. These are short for several, or
//! for a long name:
//!
//! - `deliver n1→n2 Append t2`: the one packet on that way whose text begins so;
//! - `campaign n1 [with n2 n3]`: its timer `election` fires, and what it asks of these nodes (all, if not said) and
//!   what they answer arrives, until it leads or nothing is left; older packets stay where they are;
//! - `elect n1 [with n2 n3]`: the same, and it must lead then;
//! - `settle [n1 n2]`: everything among these nodes (all, if not said), their clients and their disks arrives, until
//!   nothing is on its way; no timer fires;
//! - `partition n1 n2 | n3 n4 n5`: a cut both ways.
//!
//! What never arrives is lost. `show` shows all nodes and clients. And what must be so:
//!
//! - `expect n1 n2 follower [in term 3]`, `expect n3 down`, `expect n1 commit 4`;
//! - `expect logs equal`, `expect value x = 8 at n1 n2` (or `at all`: all that are up);
//! - `expect c0 open`, `expect c0 ok [5]`, `expect c0 fail`, `expect c0 info`: its latest operation; and
//!   `expect nemesis …`: the latest request to change the cluster.
//!
//! The verdict is that of the protocol's properties and of the clients' history. If no client does anything, there is
//! no history to judge, and a scenario that violates nothing has the verdict `unknown`.

mod expect;
mod play;
mod setup;
mod show;
mod verbs;

pub use play::{Play, ScenarioError, Wrong, play};

use crate::contract::Node;

/// A protocol that scenarios can be told about.
pub trait Staged: Node {
    /// The model that its clients' histories are judged by.
    const MODEL: &'static str;

    /// A disk from the words that describe it; `None` if they describe none.
    fn disk(words: &str) -> Option<Self::Durable>;

    /// The value of an object as this node knows it; `None` if nothing has that name.
    fn value(&self, object: &str) -> Option<String>;

    /// The same, where objects are on the node's disk.
    fn value_on(&self, _disk: &Self::Durable, object: &str) -> Option<String> {
        self.value(object)
    }

    /// A node in the protocol's own words, where it has no log to show; without its volatile half it is down. `None` to
    /// show its role, term and log.
    fn told(_node: Option<&Self>, _disk: &Self::Durable) -> Option<String> {
        None
    }
}

/// A scenario: its text, and what the text's first lines say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario<'a> {
    /// Its identifier: `S-R6`.
    pub id: &'a str,
    /// A name that says what happens: `partition`.
    pub name: &'a str,
    /// What it shows, in a sentence.
    pub about: &'a str,
    /// The protocol, by its name in the registry.
    pub protocol: &'a str,
    /// What the checkers must say: `valid`, or `invalid` and what is violated.
    pub verdict: &'a str,
    /// The whole text.
    pub text: &'a str,
}

/// The text is not a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a scenario: it begins with `# ID name: what it shows`, and has a line `# Verdict: …` and then a line \
     `cluster PROTOCOL nodes=…`"
)]
pub struct NotAScenario;

impl<'a> Scenario<'a> {
    /// The scenario that a text tells.
    ///
    /// # Errors
    /// When the lines are missing that every scenario has.
    pub const fn parse(text: &'a str) -> Result<Self, NotAScenario> {
        let (Some((before, title)), Some((_, verdict)), Some((_, cluster))) = (
            split(text, "# "),
            split(text, "\n# Verdict: "),
            split(text, "\ncluster "),
        ) else {
            return Err(NotAScenario);
        };
        let Some((title, _)) = split(title, "\n") else {
            return Err(NotAScenario);
        };
        let Some((names, about)) = split(title, ": ") else {
            return Err(NotAScenario);
        };
        match (split(names, " "), split(verdict, "\n"), split(cluster, " ")) {
            (Some((id, name)), Some((verdict, _)), Some((protocol, _))) if before.is_empty() => {
                Ok(Self {
                    id,
                    name,
                    about,
                    protocol,
                    verdict,
                    text,
                })
            }
            _ => Err(NotAScenario),
        }
    }

    /// The planted bugs that its cluster has on, as it names them.
    pub fn bugs(&self) -> impl Iterator<Item = &'a str> {
        let cluster = self.text.lines().find(|line| line.starts_with("cluster "));
        let words = cluster.into_iter().flat_map(str::split_whitespace);
        words
            .filter_map(|word| word.strip_prefix("bugs="))
            .flat_map(|bugs| bugs.split(','))
    }

    /// A scenario that comes with the tool. It is read when the tool is compiled.
    const fn of(text: &'a str) -> Self {
        match Self::parse(text) {
            Ok(scenario) => scenario,
            Err(_) => panic!("a scenario lacks a line that every scenario has"),
        }
    }
}

impl Scenario<'static> {
    /// The scenario that comes with the tool and has this id (in any case) or name.
    pub fn named(which: &str) -> Option<&'static Self> {
        SCENARIOS
            .iter()
            .find(|scenario| scenario.id.eq_ignore_ascii_case(which) || scenario.name == which)
    }
}

/// What stands before and after the first `mark` of a text.
const fn split<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    let (bytes, mark) = (text.as_bytes(), mark.as_bytes());
    let mut start = 0;
    while start + mark.len() <= bytes.len() {
        let mut same = 0;
        while same < mark.len() && bytes[start + same] == mark[same] {
            same += 1;
        }
        if same == mark.len() {
            let (before, rest) = text.split_at(start);
            return Some((before, rest.split_at(mark.len()).1));
        }
        start += 1;
    }
    None
}

macro_rules! scenarios {
    ($($file:literal)*) => {
        /// The scenarios that come with the tool.
        pub const SCENARIOS: &[Scenario<'static>] =
            &[$(Scenario::of(include_str!(concat!("../../scenarios/", $file))),)*];
    };
}

scenarios! {
    "paxos/majority-of-reports.txt"
    "paxos/value-adoption.txt"
    "paxos/majority-of-reports-of-five.txt"
    "paxos/highest-vote-of-five.txt"
    "paxos/duel.txt"
    "paxos/duel-without-rest.txt"
    "paxos/crash-after-prepare.txt"
    "paxos/indeterminate.txt"
    "paxos/indeterminate-rejected.txt"
    "paxos/vote-is-a-promise.txt"
    "paxos/vote-overwritten.txt"
    "paxos/weighted.txt"
    "paxos/four-acceptors.txt"
    "paxos/half-of-four.txt"
    "paxos/flexible.txt"
    "paxos/quorums-apart.txt"
    "paxos/read-of-nothing.txt"
    "paxos/read-of-the-past.txt"
    "primary_backup/all-ack-blocks.txt"
    "primary_backup/all-ack-left-out.txt"
    "primary_backup/high-watermark.txt"
    "primary_backup/cut-by-view.txt"
    "primary_backup/no-fence.txt"
    "primary_backup/asynchronous.txt"
    "primary_backup/not-deterministic.txt"
    "membership/one-link.txt"
    "membership/fail-alone.txt"
    "membership/isolated.txt"
    "membership/old-report.txt"
    "membership/old-report-counts.txt"
    "membership/replicas.txt"
    "membership/replicas-counted.txt"
    "membership/asymmetric-cut.txt"
    "membership/meet.txt"
    "membership/removed-comes-back.txt"
    "membership/takeover.txt"
    "membership/takeover-unasked.txt"
    "membership/swim-tour.txt"
    "membership/swim-indirect.txt"
    "membership/swim-direct-only.txt"
    "membership/swim-refutation.txt"
    "membership/swim-refutation-unheard.txt"
    "membership/swim-stale.txt"
    "membership/swim-restart.txt"
    "raft/tour.txt"
    "raft/stale-candidate.txt"
    "raft/stale-candidate-wins.txt"
    "raft/stale-candidate-asks-first.txt"
    "raft/split-vote.txt"
    "raft/figure-7.txt"
    "raft/figure-8.txt"
    "raft/figure-8-counted.txt"
    "raft/figure-8-committed.txt"
    "raft/figure-8-small.txt"
    "raft/figure-8-small-counted.txt"
    "raft/partition.txt"
    "raft/partition-local-read.txt"
    "gossip/tie.txt"
    "gossip/tie-broken.txt"
    "gossip/swapped.txt"
    "gossip/line.txt"
    "gossip/no-tombstone.txt"
    "gossip/early-collection.txt"
    "gossip/collected.txt"
    "gossip/seed-stops.txt"
    "gossip/duplicates.txt"
    "gossip/slow-clock.txt"
    "gossip/seen-before-applied.txt"
    "raft/snapshot.txt"
    "raft/snapshot-restart.txt"
    "raft/old-snapshot.txt"
    "raft/old-snapshot-installed.txt"
    "raft/snapshot-boundary.txt"
    "raft/snapshot-boundary-missed.txt"
    "raft/snapshot-sessions.txt"
    "raft/snapshot-without-sessions.txt"
    "raft/first-entries.txt"
    "raft/first-entries-again.txt"
    "raft/one-way.txt"
    "raft/one-way-overwritten.txt"
    "raft/ongaro-2015.txt"
    "raft/ongaro-2015-corrected.txt"
    "raft/lease-drift.txt"
    "raft/lease-drift-read-index.txt"
    "raft/promise-forgotten.txt"
    "raft/promise-kept.txt"
    "raft/transfer.txt"
    "raft/joint.txt"
    "raft/dead-follower.txt"
    "raft/removed-node.txt"
    "raft/empty-node-votes.txt"
    "raft/empty-node-waits.txt"
    "multi_paxos/leader-gap.txt"
    "multi_paxos/two-leaders.txt"
    "multi_paxos/two-leaders-unchecked.txt"
    "multi_paxos/primary-order.txt"
    "multi_paxos/one-dead.txt"
    "multi_paxos/wiped.txt"
    "multi_paxos/wiped-rejoins-at-once.txt"
    "multi_paxos/old-disk.txt"
    "multi_paxos/old-disk-counts.txt"
    "multi_paxos/one-slot-prepared.txt"
    "two_phase_commit/two-phase-blocking.txt"
    "two_phase_commit/two-phase-one-dead.txt"
    "two_phase_commit/two-phase-majority.txt"
    "two_phase_commit/two-phase-guess.txt"
    "two_phase_commit/two-phase-backup.txt"
    "two_phase_commit/two-phase-backup-suspects.txt"
    "zab/recovery.txt"
    "zab/election.txt"
    "zab/pings.txt"
    "zab/no-connected-quorum.txt"
    "zab/roll-over.txt"
    "zab/roll-over-overflow.txt"
    "zab/history-first.txt"
    "zab/acknowledged-too-early.txt"
    "zab/epoch-too-early.txt"
    "zab/newest-history.txt"
    "zab/newest-by-zxid.txt"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_are_found_by_id_and_by_name_and_no_two_share_one() {
        for scenario in SCENARIOS {
            assert_eq!(Scenario::named(scenario.name), Some(scenario));
            assert_eq!(Scenario::named(&scenario.id.to_lowercase()), Some(scenario));
        }
        assert_eq!(Scenario::named("S-R99"), None);
    }

    #[test]
    fn a_text_without_what_every_scenario_has_is_none() {
        assert_eq!(Scenario::parse(""), Err(NotAScenario));
        assert_eq!(
            Scenario::parse("# S-1 x\ncluster raft nodes=3\n"),
            Err(NotAScenario)
        );
    }
}
