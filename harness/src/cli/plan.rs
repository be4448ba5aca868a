//! The flags that determine a run, and the plans that they make.

use std::time::Duration;

use tribunal_protocols::registry::{Protocol, protocols};

use super::exit::Failure;
use super::{OnOff, quantity};
use crate::engine::engine;
use crate::nemesis::Selection;
use crate::plan::{Driver, Live, Plan, Schedule};
use crate::workload;

/// What drives a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Runtime {
    /// The madsim runtime: nodes run the same host loop as real processes
    Madsim,
    /// A plain loop: the same steps, several times faster
    Plain,
    /// Real processes on this machine, killed, paused and cut off for real
    Live,
}

/// The flags that, with a seed, determine a run.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What runs")]
pub(crate) struct PlanArgs {
    /// The protocol: see `tribunal list protocols`; `--protocol NAME` is the same
    #[arg(value_name = "PROTOCOL", conflicts_with = "protocol")]
    which: Option<String>,

    /// The protocol, in profiles and the environment
    #[arg(
        long,
        value_name = "NAME",
        default_value = "raft",
        env = "TRIBUNAL_PROTOCOL",
        hide_short_help = true
    )]
    protocol: String,

    /// How many nodes
    #[arg(long, value_name = "N", default_value = "5", env = "TRIBUNAL_NODES", value_parser = clap::value_parser!(u8).range(1..=15))]
    nodes: u8,

    /// What clients do, several with commas: see `tribunal list workloads` [default: the protocol's first]
    #[arg(
        long,
        value_name = "NAMES",
        env = "TRIBUNAL_WORKLOAD",
        value_delimiter = ','
    )]
    workload: Vec<String>,

    /// What goes wrong: families of faults with commas, or all, swarm, none: see `tribunal list nemeses`
    #[arg(
        long,
        value_name = "NAMES",
        default_value = "swarm",
        env = "TRIBUNAL_NEMESIS"
    )]
    nemesis: Selection,

    /// How the next event is chosen: swarm, latency, random, pct: see `tribunal list schedules`
    #[arg(
        long,
        value_name = "NAME",
        default_value = "swarm",
        env = "TRIBUNAL_SCHEDULE"
    )]
    schedule: Schedule,

    /// What drives the cluster
    #[arg(long, value_name = "NAME", default_value = DEFAULT_RUNTIME, env = "TRIBUNAL_RUNTIME")]
    runtime: Runtime,

    /// With `--runtime live`: operations and faults for so long
    #[arg(long, value_name = "TIME", default_value = "10s", env = "TRIBUNAL_LIVE_TIME", value_parser = quantity::duration)]
    pub(crate) live_time: Duration,

    /// Planted bugs to turn on, with commas: see `tribunal list bugs`
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    bugs: Vec<String>,

    /// A field of the protocol's configuration and its value, as in the header of a trace: pre_vote=false
    #[arg(long, value_name = "FIELD=VALUE", value_parser = field)]
    set: Vec<(String, String)>,

    /// Whether the cluster properties are judged; without them, what clients see decides
    #[arg(
        long,
        value_name = "WHETHER",
        default_value = "on",
        env = "TRIBUNAL_PROPERTIES"
    )]
    properties: OnOff,

    /// At most so many operations a run, final reads not counted
    /// (with `--runtime live`: as many as the rate and the time allow)
    #[arg(long, value_name = "N", default_value = "150", env = "TRIBUNAL_OPS")]
    ops: usize,

    /// So many clients at a time
    #[arg(long, value_name = "N", default_value = "5", env = "TRIBUNAL_CONCURRENCY", value_parser = at_least_one)]
    concurrency: usize,

    /// So many objects, for workloads over several
    #[arg(long, value_name = "N", default_value = "3", env = "TRIBUNAL_KEYS")]
    keys: u32,

    /// So many operations a second, all clients together
    #[arg(long, value_name = "N", default_value = "100", env = "TRIBUNAL_RATE")]
    rate: u32,

    /// A run is stopped, and Unknown, after so many events
    #[arg(
        long,
        value_name = "N",
        default_value = "300000",
        env = "TRIBUNAL_EVENTS_MAX"
    )]
    events_max: u64,
}

/// A build without madsim cannot run it, and says so when it is asked to.
const DEFAULT_RUNTIME: &str = "madsim";

/// A field of a configuration, and its value.
pub(crate) fn field(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a field is set as NAME=VALUE, for instance pre_vote=false".to_owned()),
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least one is needed".to_owned()),
        Ok(count) => Ok(count),
        Err(error) => Err(format!("{error}")),
    }
}

impl PlanArgs {
    /// Whether real processes run.
    pub(crate) fn is_live(&self) -> bool {
        self.runtime == Runtime::Live
    }

    /// What drives the cluster.
    pub(crate) fn runtime(&self) -> Runtime {
        self.runtime
    }

    /// A plan for each workload.
    ///
    /// # Errors
    /// A name that names nothing; a runtime that this build does not have.
    pub(crate) fn plans(&self) -> Result<Vec<Plan>, Failure> {
        let name = self.which.as_ref().unwrap_or(&self.protocol);
        let protocol = Protocol::named(name).ok_or_else(|| {
            let names: Vec<_> = protocols().map(|protocol| protocol.name).collect();
            Failure::usage(format!(
                "there is no protocol `{name}`; there are: {}",
                names.join(", ")
            ))
        })?;
        let bugs = self
            .bugs
            .iter()
            .map(|bug| bug.trim())
            .filter(|bug| !bug.is_empty());
        let bugs = protocol.bugs_named(bugs).map_err(Failure::usage)?;
        let defaults = workload::Options::default();
        let mut options = workload::Options {
            operations: self.ops,
            concurrency: self.concurrency,
            keys: self.keys,
            rate_per_s: self.rate,
            ..defaults
        };
        if self.is_live() {
            options.operations = usize::MAX;
            options.processes = usize::MAX;
            options.time_limit_us = u64::try_from(self.live_time.as_micros()).unwrap_or(u64::MAX);
        }
        let engine = engine(protocol);
        let plan = |name: &str| {
            let entry = workload::Entry::find(name.trim()).map_err(Failure::usage)?;
            let plan = Plan {
                nodes: usize::from(self.nodes),
                bugs,
                set: self.set.clone(),
                options,
                nemesis: self.nemesis.clone(),
                schedule: self.schedule,
                driver: driver(self.runtime)?,
                live: Live {
                    time: self.live_time,
                    ..Live::default()
                },
                properties: self.properties == OnOff::On,
                events_max: self.events_max,
                ..Plan::usual(protocol, entry)
            };
            engine.check(&plan).map_err(Failure::usage)?;
            Ok(plan)
        };
        match &self.workload[..] {
            [] => Ok(vec![plan(engine.workloads()[0])?]),
            names => names.iter().map(|name| plan(name)).collect(),
        }
    }
}

fn driver(runtime: Runtime) -> Result<Driver, Failure> {
    match runtime {
        Runtime::Plain => Ok(Driver::Plain),
        Runtime::Live => Ok(Driver::Live),
        Runtime::Madsim if cfg!(madsim) => Ok(Driver::Madsim),
        Runtime::Madsim => Err(Failure::unavailable(
            "this build does not have the madsim runtime: it was compiled without `--cfg madsim`.\n\
             Build inside the repository, whose .cargo/config.toml sets it, or with \
             RUSTFLAGS=\"--cfg madsim\"; or use `--runtime plain`, which takes the same steps",
        )),
    }
}

/// What plans run, in words.
pub(crate) fn described(plans: &[Plan]) -> String {
    let Some(plan) = plans.first() else {
        return "nothing".to_owned();
    };
    let workloads: Vec<_> = plans.iter().map(|plan| plan.workload.name).collect();
    format!(
        "{}, {} nodes, workload {}, nemesis {}, schedule {}, runtime {}",
        plan.protocol.name,
        plan.nodes,
        workloads.join(","),
        plan.nemesis,
        plan.schedule,
        crate::totals::driver_name(plan.driver),
    )
}

/// A seed: decimal, or hexadecimal after `0x`.
pub(crate) fn seed(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|error| format!("a seed is a number, or 0x and hexadecimal digits: {error}"))
}

/// A range of seeds: `0..200`; `0..` goes on until the budget ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seeds {
    /// The first.
    pub(crate) start: u64,
    /// The one after the last, if there is a last.
    pub(crate) end: Option<u64>,
}

/// Reads a range of seeds.
pub(crate) fn seeds(text: &str) -> Result<Seeds, String> {
    let (start, end) = text
        .split_once("..")
        .ok_or("a range of seeds is written A..B, without B; A.. goes on until the budget ends")?;
    let end = if end.is_empty() {
        None
    } else {
        Some(seed(end)?)
    };
    Ok(Seeds {
        start: seed(start)?,
        end,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_decimal_or_hexadecimal() {
        assert_eq!(seed("0x5f3a"), Ok(0x5f3a));
        assert_eq!(seed("17"), Ok(17));
        assert!(seed("x").is_err());
        let range = |start, end| Ok(Seeds { start, end });
        assert_eq!(seeds("0..0x10"), range(0, Some(16)));
        assert_eq!(seeds("5.."), range(5, None));
        assert!(seeds("5").is_err());
    }
}
