//! Exploration (draft).
#![expect(clippy::print_stdout, unreachable_pub, reason = "a program")]
#[path = "../../tests/it/specifications/mod.rs"]
mod specifications;

use specifications::{Encoding, Specified};
use tribunal_checkers::explore::{Budget, Limits, Question, Strategy, explore};
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::paxos::{Config, Paxos};
use tribunal_protocols::world::{Setup, SyncMode};

fn cpu() -> f64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    t.tv_sec as f64 + t.tv_nsec as f64 / 1e9
}

fn run<N: tribunal_protocols::Node>(name: &str, question: Question<N>) {
    let begin = cpu();
    let explored = explore(question, &mut |_| {
        #[expect(clippy::disallowed_methods, reason = "waits")]
        std::thread::sleep(std::time::Duration::from_millis(20));
        None
    })
    .unwrap();
    let took = cpu() - begin;
    let p = explored.progress;
    println!(
        "{name}: generated {} distinct {} depth {} cpu {took:.3} gen/s {:.0} distinct/s {:.0} {:?} {:?}",
        p.generated,
        p.distinct,
        p.depth,
        p.generated as f64 / took,
        p.distinct as f64 / took,
        explored.cut,
        explored.steps
    );
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let number = |place: usize, default: u64| {
        args.get(place)
            .and_then(|a| a.parse().ok())
            .unwrap_or(default)
    };
    let which = args.get(1).map_or("paxos", |s| &**s);
    match which {
        "paxos" => run(
            "paxos",
            Question::<Paxos> {
                setup: Setup::fresh(
                    Config {
                        votes_to_all: number(5, 1) & 1 == 1,
                        refusals: number(5, 1) & 2 == 0,
                        ..Config::of(3)
                    },
                    SyncMode::Immediate,
                ),
                budget: Budget {
                    operations: (1..=number(6, 2))
                        .map(|c| vec![format!("propose {c}")])
                        .collect(),
                    term: Some(number(3, 4)),
                    timeouts: number(2, 0) as u8,
                    ..Budget::default()
                },
                limits: Limits {
                    states: Some(number(4, 1_000_000) as usize),
                    ..Limits::default()
                },
                strategy: Strategy::DepthFirst,
                threads: 1,
                model: "consensus".into(),
            },
        ),
        other => {
            let encoding = if number(3, 0) == 0 {
                Encoding::Choices
            } else {
                Encoding::Packets
            };
            let size = number(2, 2) as u8;
            let budget = Budget {
                timeouts: u8::MAX,
                ..Budget::default()
            };
            let (limits, strategy, threads, model) = (
                Limits::default(),
                Strategy::DepthFirst,
                1,
                "consensus".to_owned(),
            );
            if other == "tla" {
                run(
                    "tla paxos",
                    Question {
                        setup: Specified::<specifications::paxos::Paxos>::setup(size, encoding),
                        budget,
                        limits,
                        strategy,
                        threads,
                        model,
                    },
                );
            } else {
                run(
                    "tla 2pc",
                    Question {
                        setup: Specified::<specifications::two_phase::TwoPhase>::setup(
                            size, encoding,
                        ),
                        budget,
                        limits,
                        strategy,
                        threads,
                        model,
                    },
                );
            }
        }
    }
}
