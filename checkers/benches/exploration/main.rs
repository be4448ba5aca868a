//! States and transitions per CPU-second: our explorer beside hand-packed stateright models and stateright's actors.
//!
//! Two systems are searched to the end by each design in turn, each in a process of its own, so that what it holds at most
//! is its own too: our Paxos ([`paxos`]) and `Paxos.tla` ([`specifications`]). Times are CPU time, so other load on the
//! machine matters little. A design that is to have the same states as another is checked for it.
//!
//! `cargo bench -p tribunal-checkers --bench exploration`; with `-- NAME`, only the designs whose name contains that:
//! `-- '4 ballots'` for those that take minutes.

#![expect(
    clippy::print_stdout,
    unreachable_pub,
    reason = "a benchmark is a program that prints, not a library"
)]

mod actors;
mod packed_paxos;
mod packed_specification;
mod paxos;
#[path = "../../tests/it/specifications/mod.rs"]
mod specifications;

use std::io;
use std::process::Command;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use specifications::two_phase::TwoPhase;
use specifications::{Encoding, Specified};
use stateright::{Checker, HasDiscoveries, Model};
use tribunal_checkers::explore::{Question, Reductions, Strategy, explore};
use tribunal_protocols::explored::Explored;

/// A design: what searches which system.
struct Design {
    name: &'static str,
    /// The design to whose speed and time its own are a ratio, and with which it is to have the same states if so said.
    peer: &'static str,
    same_states: bool,
    /// How many distinct states it must have, where that is known from elsewhere.
    known: Option<u64>,
    /// Runs only when it is asked for by name.
    long: bool,
    search: fn() -> Reached,
}

impl Design {
    const fn new(name: &'static str, peer: &'static str, search: fn() -> Reached) -> Self {
        Self {
            name,
            peer,
            same_states: false,
            known: None,
            long: false,
            search,
        }
    }

    /// It has the same states and transitions as its peer.
    const fn with_the_same_states(self) -> Self {
        Self {
            same_states: true,
            ..self
        }
    }

    const fn with_states(self, distinct: u64) -> Self {
        Self {
            known: Some(distinct),
            ..self
        }
    }

    const fn long(self) -> Self {
        Self { long: true, ..self }
    }
}

const PACKED: &str = "paxos, packed by hand";
const PACKED_SPECIFICATION: &str = "Paxos.tla, packed by hand";

const TWO_PHASE: &str = "TwoPhase.tla, 7 RMs, explorer";
const FOUR_BALLOTS: &str = "Paxos.tla, 4 ballots, packed";

const DESIGNS: &[Design] = &[
    Design::new(PACKED, PACKED, || searched(packed_paxos::Packed)),
    Design::new("paxos, explorer, no properties", PACKED, || {
        ours(paxos::question(
            false,
            Reductions::NONE,
            Strategy::DepthFirst,
        ))
    })
    .with_the_same_states(),
    Design::new("paxos, explorer", PACKED, || {
        ours(paxos::question(
            true,
            Reductions::NONE,
            Strategy::DepthFirst,
        ))
    }),
    Design::new("paxos, explorer, reduced", PACKED, || {
        ours(paxos::question(true, Reductions::ALL, Strategy::DepthFirst))
    }),
    Design::new("paxos, stateright's actors", PACKED, || {
        searched(actors::model())
    }),
    Design::new(PACKED_SPECIFICATION, PACKED_SPECIFICATION, || {
        searched(packed_specification::Packed(3))
    })
    .with_states(185_369),
    Design::new("Paxos.tla, explorer", PACKED_SPECIFICATION, || {
        ours(specification(3))
    })
    .with_the_same_states(),
    Design::new(TWO_PHASE, TWO_PHASE, || {
        let (packets, depth_first) = (Encoding::Packets, Strategy::DepthFirst);
        ours(Specified::<TwoPhase>::question(7, packets, depth_first))
    })
    .with_states(296_448),
    Design::new(FOUR_BALLOTS, FOUR_BALLOTS, || {
        searched(packed_specification::Packed(4))
    })
    .with_states(8_220_065)
    .long(),
    Design::new("Paxos.tla, 4 ballots, explorer", FOUR_BALLOTS, || {
        ours(specification(4))
    })
    .with_the_same_states()
    .with_states(8_220_065)
    .long(),
];

fn specification(ballots: u8) -> Question<Specified<specifications::paxos::Paxos>> {
    Specified::question(ballots, Encoding::Choices, Strategy::DepthFirst)
}

/// What a search came to.
#[derive(Clone, Copy)]
struct Reached {
    generated: u64,
    distinct: u64,
    cpu_ms: u64,
    /// The most that the process held, in kilobytes, and what it held before the search.
    most_kb: u64,
    before_kb: u64,
}

fn cpu_ms() -> u64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let used = Duration::try_from(used).expect("time goes forwards");
    u64::try_from(used.as_millis()).expect("not so long")
}

/// A figure that the kernel tells of this process, in kilobytes.
fn memory_kb(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let figure = line.and_then(|line| line.split_whitespace().nth(1));
    figure
        .and_then(|figure| figure.parse().ok())
        .unwrap_or_default()
}

/// Measures a search, which tells how many states it generated and how many were distinct.
fn measured(search: impl FnOnce() -> (usize, usize)) -> Reached {
    let (begin_ms, before_kb) = (cpu_ms(), memory_kb("VmRSS"));
    let (generated, distinct) = search();
    Reached {
        generated: generated as u64,
        distinct: distinct as u64,
        cpu_ms: cpu_ms() - begin_ms,
        most_kb: memory_kb("VmHWM"),
        before_kb,
    }
}

/// Waits a little for a search in another thread.
#[expect(clippy::disallowed_methods, reason = "a benchmark waits in real time")]
fn wait() {
    thread::sleep(Duration::from_millis(5));
}

fn ours<N: Explored>(question: Question<N>) -> Reached {
    measured(|| {
        let found = explore(question, &mut |_| {
            wait();
            None
        });
        let found = found.expect("the operations are the protocol's");
        assert!(found.counterexample.is_none() && found.cut.is_none());
        (found.progress.generated, found.progress.distinct)
    })
}

fn searched<M>(model: M) -> Reached
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + PartialEq + std::fmt::Debug + std::hash::Hash + Send + Sync + 'static,
    M::Action: Clone + PartialEq + std::fmt::Debug + Send + Sync + 'static,
{
    measured(|| {
        let checker = model
            .checker()
            .finish_when(HasDiscoveries::AnyFailures)
            .spawn_dfs();
        while !checker.is_done() {
            wait();
        }
        let checker = checker.join();
        checker.assert_properties();
        (checker.state_count(), checker.unique_state_count())
    })
}

/// Searches in a process of its own.
fn apart(design: &Design) -> io::Result<Reached> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--alone", design.name])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<_> = text.split_whitespace().map(u64::from_str).collect();
    let [
        Ok(generated),
        Ok(distinct),
        Ok(cpu_ms),
        Ok(most_kb),
        Ok(before_kb),
    ] = figures[..]
    else {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("{}: {why}", design.name)));
    };
    Ok(Reached {
        generated,
        distinct,
        cpu_ms,
        most_kb,
        before_kb,
    })
}

fn per_second(count: u64, cpu_ms: u64) -> f64 {
    count as f64 * 1e3 / cpu_ms.max(1) as f64
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [alone, name] = &arguments[..]
        && alone == "--alone"
    {
        let design = DESIGNS.iter().find(|design| design.name == *name);
        let reached = (design.expect("a design of that name").search)();
        let Reached {
            generated,
            distinct,
            cpu_ms,
            most_kb,
            before_kb,
        } = reached;
        println!("{generated} {distinct} {cpu_ms} {most_kb} {before_kb}");
        return Ok(());
    }
    let wanted = arguments
        .iter()
        .find(|argument| !argument.starts_with("--"));
    println!(
        "{:<32} {:>11} {:>10} {:>7} {:>12} {:>11} {:>6} {:>7} {:>8}",
        "design",
        "generated",
        "distinct",
        "CPU s",
        "generated/s",
        "distinct/s",
        "speed",
        "time",
        "B/state"
    );
    let mut done: Vec<(&str, Reached)> = Vec::new();
    for design in DESIGNS {
        let runs = wanted.map_or(!design.long, |part| design.name.contains(&**part));
        if !runs {
            continue;
        }
        let reached = apart(design)?;
        done.push((design.name, reached));
        let peer = done.iter().find(|(name, _)| *name == design.peer);
        let peer = peer.map_or(reached, |(_, peer)| *peer);
        if design.same_states {
            let counts = |of: Reached| (of.generated, of.distinct);
            assert_eq!(counts(reached), counts(peer), "{}", design.name);
        }
        if let Some(known) = design.known {
            assert_eq!(reached.distinct, known, "{}", design.name);
        }
        show(design.name, reached, peer);
    }
    println!(
        "\nspeed: generated states per CPU-second as a ratio to the system packed by hand; time: to the same complete \
         verdict, as a ratio to it.\nB/state: what the process held at most beyond what it held before the search."
    );
    Ok(())
}

/// A line of the table.
fn show(name: &str, reached: Reached, peer: Reached) {
    let generated_s = per_second(reached.generated, reached.cpu_ms);
    let held_kb = reached.most_kb.saturating_sub(reached.before_kb);
    println!(
        "{:<32} {:>11} {:>10} {:>7.2} {:>12.0} {:>11.0} {:>5.2}x {:>6.2}x {:>8.1}",
        name,
        reached.generated,
        reached.distinct,
        reached.cpu_ms as f64 / 1e3,
        generated_s,
        per_second(reached.distinct, reached.cpu_ms),
        generated_s / per_second(peer.generated, peer.cpu_ms),
        reached.cpu_ms as f64 / peer.cpu_ms.max(1) as f64,
        held_kb as f64 * 1024.0 / reached.distinct.max(1) as f64,
    );
}
