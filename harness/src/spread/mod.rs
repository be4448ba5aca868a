//! How fast gossip spreads, and whom it misses: statistics over many clusters of the real protocol.
//!
//! No single run can be wrong about that. [`rounds`] drives nodes in synchronous rounds, [`measure`] does so often
//! enough to say something, and [`reference`] has what theory and others' measurements say, with the tolerance within
//! which a measurement must lie: one that does not is a counterexample.

pub mod measure;
pub mod plot;
pub mod reference;
pub mod rounds;
pub mod sample;

use std::fmt;

use serde::Serialize;
use tribunal_protocols::Bugs;
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::gossip::{Config, Mode, Rumours};

use measure::{Measurement, Trials, measure};
use reference::Reference;

/// What is measured: a row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// S-G1, anti-entropy: until all know one update.
    AntiEntropy(Mode, usize),
    /// S-G2 and S-G3, rumour mongering without anti-entropy: variant, nodes, `k`.
    Rumour(Rumours, usize, u64),
}

impl Case {
    /// How many nodes there are.
    pub fn nodes(self) -> usize {
        match self {
            Self::AntiEntropy(_, nodes) | Self::Rumour(_, nodes, _) => nodes,
        }
    }

    /// The nodes' configuration.
    pub fn config(self, bugs: Bugs) -> Config {
        let config = Config::of(self.nodes()).with_bugs(bugs);
        match self {
            Self::AntiEntropy(mode, _) => Config {
                mode,
                rumours: Rumours::Off,
                ..config
            },
            Self::Rumour(rumours, _, fan_out) => Config {
                mode: Mode::Off,
                rumours,
                fan_out,
                ..config
            },
        }
    }

    /// What a row violates that is not as it should be: GI3, convergence within so many rounds, or GI6, the coverage of
    /// rumours.
    pub fn property(self) -> &'static str {
        match self {
            Self::AntiEntropy(..) => "GI3",
            Self::Rumour(..) => "GI6",
        }
    }

    /// What it is called: `push`, `forward-once k=3`.
    pub fn name(self) -> String {
        let mode = |mode| match mode {
            Mode::Off => "off",
            Mode::Push => "push",
            Mode::Pull => "pull",
            Mode::PushPull => "push-pull",
        };
        match self {
            Self::AntiEntropy(which, _) => mode(which).to_owned(),
            Self::Rumour(variant, _, k) => {
                let variant = match variant {
                    Rumours::Off => "off",
                    Rumours::ForwardOnce => "forward-once",
                    Rumours::BlindCoin => "blind-coin",
                    Rumours::BlindCounter => "blind-counter",
                    Rumours::FeedbackCoin => "feedback-coin",
                    Rumours::FeedbackCounter => "feedback-counter",
                };
                format!("{variant} k={k}")
            }
        }
    }
}

/// How a measurement stands to what was expected.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Judged {
    /// Everything that there is a reference for lies within its tolerance.
    Within,
    /// Something does not.
    Outside {
        /// Why; it begins with "Because".
        because: String,
    },
    /// There is nothing to compare it with.
    NoReference,
    /// Too few trials were made before the user stopped it.
    Incomplete,
}

/// A row of the table: a case, what was measured, and what to think of it.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The case's name.
    pub name: String,
    /// How many nodes.
    pub nodes: usize,
    /// What it is about.
    pub property: &'static str,
    /// What was measured.
    pub measured: Measurement,
    /// What was expected, in words.
    pub expected: String,
    /// Whether it is as expected.
    pub judged: Judged,
    /// The case.
    #[serde(skip)]
    pub case: Case,
}

impl Row {
    /// Measures a case and judges it.
    pub fn of(case: Case, bugs: Bugs, trials: &Trials<'_>) -> Self {
        let reference = Reference::of(case);
        let outcomes = measure(case, bugs, trials);
        let measured = Measurement::of(case.nodes(), &outcomes);
        let judged = if (outcomes.len() as u64) < trials.count {
            Judged::Incomplete
        } else {
            reference.judge(case, &measured, &outcomes)
        };
        Self {
            name: case.name(),
            nodes: case.nodes(),
            property: case.property(),
            expected: reference.to_string(),
            measured,
            judged,
            case,
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measurement {
            trials,
            rounds,
            p99,
            residue,
            reached_all,
            contacts,
            messages,
            ..
        } = self.measured;
        let mark = match self.judged {
            Judged::Within => "ok",
            Judged::Outside { .. } => "OUTSIDE",
            Judged::NoReference => "-",
            Judged::Incomplete => "incomplete",
        };
        write!(
            f,
            "{:<22}{:>7}{trials:>8}{:>9.2}{p99:>5}{:>10.5}{:>8.3}{:>10.2}{:>10.2}  {:<42}{mark}",
            self.name,
            self.nodes,
            rounds.mean,
            residue.mean,
            reached_all,
            contacts,
            messages,
            self.expected,
        )
    }
}

/// The head of the table.
pub const HEAD: &str = "spread by               nodes  trials   rounds  p99   residue  P(all)  contacts  messages  \
                        expected";

/// What to measure, and how often: as much as a few minutes allow.
pub fn usual_trials(case: Case) -> u64 {
    match (case, case.nodes()) {
        (Case::Rumour(..), ..=100) => 10_000,
        (Case::Rumour(Rumours::ForwardOnce, ..), _) => 2_000,
        (Case::Rumour(..), _) => 1_000,
        (_, ..=256) => 4_000,
        (_, ..=1024) => 2_000,
        (_, ..=4096) => 500,
        _ => 150,
    }
}

/// S-G1: three ways for each size.
pub fn anti_entropy(nodes: &[usize]) -> Vec<Case> {
    let of = |mode| move |nodes: &usize| Case::AntiEntropy(mode, *nodes);
    let modes = [Mode::Push, Mode::Pull, Mode::PushPull];
    modes
        .into_iter()
        .flat_map(|mode| nodes.iter().map(of(mode)))
        .collect()
}

/// S-G2: forward-once to k others, and small clusters where it can be seen whom it leaves out.
pub fn fan_out() -> Vec<Case> {
    let large = (2..=8).map(|k| (1000, k));
    let small = [(10, 3), (10, 5), (100, 5), (100, 8)];
    let case = |(nodes, k)| Case::Rumour(Rumours::ForwardOnce, nodes, k);
    large.chain(small).map(case).collect()
}

/// S-G3: when Demers' nodes lose interest.
pub fn demers() -> Vec<Case> {
    let variants = [
        Rumours::BlindCoin,
        Rumours::FeedbackCoin,
        Rumours::FeedbackCounter,
        Rumours::BlindCounter,
    ];
    let of = |variant| move |k| Case::Rumour(variant, 1000, k);
    variants
        .into_iter()
        .flat_map(|variant| (1..=5).map(of(variant)))
        .collect()
}

/// Looks for a planted bug by statistics: the first row that it puts outside of its tolerance, with the bug on.
pub fn hunt_by_statistics(bugs: Bugs) -> Option<Row> {
    let cases = [
        (Case::AntiEntropy(Mode::Push, 64), 300),
        (Case::AntiEntropy(Mode::PushPull, 64), 300),
        (Case::Rumour(Rumours::ForwardOnce, 10, 3), 6_000),
    ];
    cases.into_iter().find_map(|(case, count)| {
        let trials = Trials {
            count,
            seed: 0,
            jobs: 1,
            stop: &|| false,
            ended: &|| {},
        };
        let row = Row::of(case, bugs, &trials);
        matches!(row.judged, Judged::Outside { .. }).then_some(row)
    })
}
