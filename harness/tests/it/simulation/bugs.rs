//! Every planted bug is found, within a stated number of seeds and for a reason that the registry states.

use tribunal::plan::{Driver, Plan};
use tribunal_checkers::Answer;

use super::{on_two_threads, plan, raft, run};

/// How a planted bug is looked for: id, nodes, workload, and within how many seeds it must be found. The numbers are
/// about twice the seed that was first when they were measured.
const HUNTS: &[(&str, usize, &str, u64)] = &[
    ("RF1", 5, "register", 20),
    ("RF2", 5, "append", 100),
    ("RF3", 5, "register", 20),
    ("RF4", 5, "register", 20),
    ("RF5", 5, "register", 20),
    ("RF8", 3, "append", 200),
    ("RF10", 4, "register", 20),
    ("RF11", 5, "append", 20),
    ("RF12", 5, "register", 20),
    ("RF13", 5, "register", 20),
    ("RF14", 5, "register", 20),
    ("RF16", 5, "register", 20),
    ("RF17", 5, "register", 20),
    ("RF26", 5, "register", 20),
    ("RD1", 5, "register", 20),
    ("RD2", 5, "register", 20),
    ("RD3", 5, "register", 70),
    ("CL1", 5, "register", 20),
    ("CL5", 5, "register", 20),
];

#[test]
fn every_planted_bug_is_hunted() {
    let hunted: Vec<_> = HUNTS.iter().map(|hunt| hunt.0).collect();
    let planted: Vec<_> = raft().bugs.iter().map(|bug| bug.id).collect();
    assert_eq!(hunted, planted);
}

#[test]
fn every_planted_bug_is_found() {
    let missed: Vec<String> = on_two_threads(HUNTS, |(id, nodes, workload, seeds)| {
        let plan = Plan {
            nodes,
            bugs: raft().bugs_named([id]).unwrap(),
            ..plan(workload, Driver::Plain)
        };
        let breaks = raft()
            .bugs_in(plan.bugs)
            .next()
            .expect("the bug is planted")
            .breaks;
        let found = (0..seeds)
            .map(|seed| (seed, run(&plan, seed)))
            .find(|(_, outcomes)| outcomes.verdict.answer() != Answer::Valid);
        match found {
            None => Some(format!("{id}: not in {seeds} seeds")),
            Some((seed, outcomes)) => {
                let right = outcomes.verdict.answer() == Answer::Invalid
                    && breaks.contains(&outcomes.violated.as_str());
                (!right).then(|| format!("{id}, seed {seed}: {:?}", outcomes.verdict.sentences))
            }
        }
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}
