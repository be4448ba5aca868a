//! `tribunal doctor`: the tool tests itself on this machine, in a few seconds.
//!
//! A tool that finds nothing must show that it can find something: the doctor plants bugs and looks for them, judges
//! a good and a bad history whose verdicts are known, and runs seeds twice.

use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

use anstyle::AnsiColor;
use tribunal_checkers::{
    Answer, CheckRequest, Counterexample, Evidence, Judgement, Limits, check_history,
};
use tribunal_histories::{BuildOptions, Format, Operation, format};
use tribunal_protocols::Bugs;
use tribunal_protocols::registry::PROTOCOLS;

use super::exit::Exit;
use super::quantity::{counted, size};
use crate::engine::engine;
use crate::plan::{Driver, Plan};
use crate::workload;

/// Test this tool itself, on this machine: determinism, planted bugs, verdicts, sockets, files.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Ends with 0 if all is well, 70 if the tool itself is wrong (please report it), 69 if this machine or build lacks
something, 74 if the run directory cannot be written.")]
pub struct Args {
    /// Where runs are written
    #[arg(long, value_name = "DIR", default_value = "target/tribunal")]
    pub out: PathBuf,
}

/// Something that is not well.
struct Trouble {
    exit: Exit,
    what: String,
    remedy: &'static str,
}

impl Trouble {
    /// The tool is wrong.
    fn internal(what: impl Into<String>) -> Self {
        Self {
            exit: Exit::Internal,
            what: what.into(),
            remedy: "do not trust the verdicts of this build; please report this with the output of \
                     `tribunal --version`",
        }
    }
}

/// A test: what it shows if it passes, and how.
struct Test {
    name: &'static str,
    run: fn(&Args) -> Result<String, Trouble>,
}

const TESTS: &[Test] = &[
    Test {
        name: "simulator",
        run: simulator,
    },
    Test {
        name: "determinism",
        run: determinism,
    },
    Test {
        name: "planted bugs",
        run: planted_bugs,
    },
    Test {
        name: "sound protocols",
        run: sound_protocols,
    },
    Test {
        name: "verdicts",
        run: verdicts,
    },
    Test {
        name: "loopback",
        run: loopback,
    },
    Test {
        name: "run directory",
        run: |args| run_directory(&args.out),
    },
    Test {
        name: "machine",
        run: |_| Ok(machine()),
    },
];

/// Runs every test, each with a line of its own; the first kind of trouble in the order of the tests ends the tool.
///
/// # Errors
/// When standard output could not be written.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut output = anstream::stdout();
    let mut exit = Exit::Valid;
    for test in TESTS {
        let (mark, color, text) = match (test.run)(args) {
            Ok(text) => ("✓", AnsiColor::Green, text),
            Err(trouble) => {
                if exit != Exit::Internal {
                    exit = trouble.exit;
                }
                let text = format!("{}\n{:19}what to do: {}", trouble.what, "", trouble.remedy);
                ("✗", AnsiColor::Red, text)
            }
        };
        let style = color.on_default().bold();
        writeln!(output, "{style}{mark}{style:#} {:<15}  {text}", test.name)?;
        output.flush()?;
    }
    Ok(exit)
}

fn simulator(_: &Args) -> Result<String, Trouble> {
    if cfg!(madsim) {
        Ok("this build has the madsim runtime".to_owned())
    } else {
        Err(Trouble {
            exit: Exit::Unavailable,
            what: "this build has the plain simulator only, not the madsim runtime".to_owned(),
            remedy: "build inside the repository, or with RUSTFLAGS=\"--cfg madsim\"",
        })
    }
}

/// A short run of five nodes under everything that can go wrong.
fn plan(protocol: &'static tribunal_protocols::registry::Protocol, bugs: Bugs) -> Plan {
    let workload = workload::Entry::find(engine(protocol).workloads()[0])
        .expect("every protocol serves a workload that there is");
    Plan {
        bugs,
        driver: Driver::Plain,
        ..Plan::usual(protocol, workload)
    }
}

/// How many seeds are run in different ways and compared.
const SEEDS_COMPARED: u64 = 5;

/// Each seed gives the same run on both drivers, and twice on the first.
fn determinism(_: &Args) -> Result<String, Trouble> {
    for protocol in PROTOCOLS {
        for seed in 0..SEEDS_COMPARED {
            let digest = |driver| {
                let plan = Plan {
                    driver,
                    ..plan(protocol, Bugs::NONE)
                };
                engine(protocol).run(&plan, seed, false, &|| false).digest
            };
            let digests = [Driver::Madsim, Driver::Plain, Driver::Plain].map(digest);
            if digests.iter().any(|digest| *digest != digests[0]) {
                return Err(Trouble::internal(format!(
                    "seed {seed} of {} gave different runs: {digests:?}",
                    protocol.name
                )));
            }
        }
    }
    Ok(format!(
        "{} gave the same run on both drivers, and twice on one",
        counted(SEEDS_COMPARED, "seed")
    ))
}

/// The planted bugs that are looked for: one that a lost write shows, one that only a certain order of elections does.
const PLANTED: [(&str, &str); 2] = [("raft", "RD1"), ("raft", "RF4")];

/// Within how many seeds.
const SEEDS_PLANTED: u64 = 200;

/// Each of [`PLANTED`] is found, and its trace does the same again.
fn planted_bugs(_: &Args) -> Result<String, Trouble> {
    let mut found = Vec::new();
    for (name, id) in PLANTED {
        let missing = || Trouble::internal(format!("{name} has no planted bug {id}"));
        let protocol = PROTOCOLS.iter().find(|protocol| protocol.name == name);
        let protocol = protocol.ok_or_else(missing)?;
        let bugs = protocol.bugs_named([id]).map_err(|_| missing())?;
        let (plan, engine) = (plan(protocol, bugs), engine(protocol));
        let fails = |seed: &u64| {
            engine.run(&plan, *seed, false, &|| false).verdict.answer() == Answer::Invalid
        };
        let seed = (0..SEEDS_PLANTED).find(fails).ok_or_else(|| {
            Trouble::internal(format!(
                "planted bug {id} was not found in {SEEDS_PLANTED} seeds"
            ))
        })?;
        let run = engine.run(&plan, seed, true, &|| false);
        let trace = run
            .trace
            .ok_or_else(|| Trouble::internal("a run that was recorded has no trace"))?;
        let replayed = engine
            .replay(&trace, plan.limits, &mut |_| {})
            .map_err(|error| {
                Trouble::internal(format!("{id}, seed {seed} does not replay: {error}"))
            })?;
        if !replayed.faithful || replayed.violated != run.violated {
            return Err(Trouble::internal(format!(
                "{id}, seed {seed} violated {}, and its replay something else",
                run.violated
            )));
        }
        found.push(format!("{id} (seed {seed}, {})", run.violated));
    }
    Ok(format!("found, and replayed exactly: {}", found.join(", ")))
}

/// How many seeds of a protocol without planted bugs are run.
const SEEDS_SOUND: u64 = 20;

/// Nothing is found where nothing is wrong.
fn sound_protocols(_: &Args) -> Result<String, Trouble> {
    let mut operations = 0;
    for protocol in PROTOCOLS {
        let plan = plan(protocol, Bugs::NONE);
        for seed in 0..SEEDS_SOUND {
            let run = engine(protocol).run(&plan, seed, false, &|| false);
            if run.verdict.answer() != Answer::Valid {
                return Err(Trouble::internal(format!(
                    "{} without planted bugs, seed {seed}, is {}: {}",
                    protocol.name,
                    run.verdict.answer().name(),
                    run.verdict.sentences.join(" ")
                )));
            }
            operations += run.operations.total();
        }
    }
    let names: Vec<_> = PROTOCOLS.iter().map(|protocol| protocol.name).collect();
    Ok(format!(
        "{} of {}, {}: all valid",
        counted(SEEDS_SOUND, "seed"),
        names.join(", "),
        counted(operations, "operation")
    ))
}

/// A write and a read that overlap, and the read that may see either value: sees the new one, then it is seen again.
const GOOD: &str = r#"
{"process":0,"type":"invoke","f":"write","value":1}
{"process":0,"type":"ok","f":"write","value":1}
{"process":0,"type":"invoke","f":"write","value":2}
{"process":1,"type":"invoke","f":"read"}
{"process":1,"type":"ok","f":"read","value":2}
{"process":0,"type":"info","f":"write","value":2}
{"process":1,"type":"invoke","f":"read"}
{"process":1,"type":"ok","f":"read","value":2}
"#;

/// The same, but the second read sees the old value again.
const BAD: &str = r#"
{"process":0,"type":"invoke","f":"write","value":1}
{"process":0,"type":"ok","f":"write","value":1}
{"process":0,"type":"invoke","f":"write","value":2}
{"process":1,"type":"invoke","f":"read"}
{"process":1,"type":"ok","f":"read","value":2}
{"process":0,"type":"info","f":"write","value":2}
{"process":1,"type":"invoke","f":"read"}
{"process":1,"type":"ok","f":"read","value":1}
"#;

/// A good and a bad history are told apart, and the evidence for both is what it must be.
fn verdicts(_: &Args) -> Result<String, Trouble> {
    let (good, order) = judged(GOOD)?;
    let Judgement::Valid {
        evidence: Evidence::Linearization { orders },
    } = order
    else {
        return Err(Trouble::internal("a linearizable history is not valid"));
    };
    let order = orders.iter().flat_map(|order| &order.operations);
    let order: Vec<_> = order
        .filter_map(|at| good.operation(*at as usize))
        .collect();
    if !explains(&good, &order) {
        return Err(Trouble::internal(
            "the order that was found for a linearizable history is none",
        ));
    }
    let (_, core) = judged(BAD)?;
    match core {
        Judgement::Invalid {
            counterexample: Counterexample::Core(core),
        } if core.operations == [3, 6] && core.minimal && core.confirmed => Ok(
            "a good and a bad history were told apart, with an order and a minimal core that hold"
                .to_owned(),
        ),
        other => Err(Trouble::internal(format!(
            "a history that is not linearizable was judged as {other:?}"
        ))),
    }
}

fn judged(text: &str) -> Result<(tribunal_histories::History, Judgement), Trouble> {
    let loaded = format::read_history(
        text.as_bytes(),
        Some(Format::Jsonl),
        BuildOptions::default(),
    )
    .map_err(|error| Trouble::internal(error.to_string()))?;
    let verdict = check_history(&loaded.history, &CheckRequest::new("register"), &|| false)
        .map_err(|error| Trouble::internal(error.to_string()))?;
    Ok((loaded.history, verdict.judgement))
}

/// Whether this order of a register's operations has all that returned, keeps to real time, and lets every read see
/// the last write. It knows nothing of the checker.
fn explains(history: &tribunal_histories::History, order: &[Operation]) -> bool {
    let returned = |operation: &Operation| operation.returned.is_some();
    let whole = history
        .operations()
        .filter(returned)
        .all(|operation| order.contains(&operation));
    let in_time = order.iter().enumerate().all(|(place, later)| {
        let mut before = order[..place].iter();
        before.all(|earlier| later.returned.is_none_or(|end| earlier.invoked < end))
    });
    let mut last = None;
    let legal = order
        .iter()
        .all(|operation| match history.function(operation.function) {
            "write" => {
                last = Some(operation.input);
                true
            }
            _ => last == Some(operation.output),
        });
    whole && in_time && legal
}

/// A connection to this machine itself, as live clusters need.
fn loopback(_: &Args) -> Result<String, Trouble> {
    let connected = || -> io::Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        TcpStream::connect(listener.local_addr()?)?;
        listener.accept()?;
        Ok(())
    };
    let failed = |error| Trouble {
        exit: Exit::Unavailable,
        what: format!("no TCP connection over 127.0.0.1: {error}"),
        remedy: "allow sockets on the loopback interface; simulation and check work without, live clusters do not",
    };
    connected().map_err(failed)?;
    Ok("TCP over 127.0.0.1 works: live clusters can be run".to_owned())
}

/// A file in the directory of runs, written, renamed and removed.
fn run_directory(out: &Path) -> Result<String, Trouble> {
    let written = || -> io::Result<()> {
        fs::create_dir_all(out)?;
        let name = format!("doctor-{}", std::process::id());
        let (draft, file) = (out.join(format!("{name}.tmp")), out.join(name));
        fs::write(&draft, "a file of `tribunal doctor`\n")?;
        fs::rename(&draft, &file)?;
        fs::remove_file(&file)
    };
    let failed = |error| Trouble {
        exit: Exit::Io,
        what: format!("cannot write to {}: {error}", out.display()),
        remedy: "choose another directory with --out",
    };
    written().map_err(failed)?;
    Ok(format!("{} can be written", out.display()))
}

/// What the machine has.
fn machine() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let cores = counted(cores as u64, "core");
    let search = size(Limits::default().memory_bytes_max as u64);
    match memory_bytes() {
        Some(bytes) => format!(
            "{cores}, {} of memory free; the search of one key may take {search}",
            size(bytes)
        ),
        None => format!("{cores}; the search of one key may take {search} of memory"),
    }
}

/// The memory that programs can still have, where the operating system says so.
fn memory_bytes() -> Option<u64> {
    let table = fs::read_to_string("/proc/meminfo").ok()?;
    let line = table
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes << 10)
}
