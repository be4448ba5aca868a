//! The flags of `tribunal explore`, and the question that they ask.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use tribunal_checkers::explore::{Asked, Budget, Grain, Limits, Reductions, Strategy, Timeouts};
use tribunal_protocols::explored::Expedition;
use tribunal_protocols::registry::Protocol;
use tribunal_protocols::world::SyncMode;

use super::{Watcher, bounds};
use crate::cli::exit::Failure;
use crate::cli::list::MessageFormat;
use crate::cli::{plan, quantity};
use crate::explore::Inquiry;

/// Visit every state of a small cluster within bounds: a model checker
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tribunal explore paxos
  tribunal explore all --grid
  tribunal explore raft --nodes 3 --terms 2 --grain exchanges --op 'write x 1'
  tribunal explore raft --bugs RF5 --crashes 1 --terms 1 --timeouts 2
  tribunal explore raft --strategy dfs --time 10m --memory 4GiB
  tribunal explore raft --terms 2 --grain exchanges --op 'write x 1' --finally 'read x'
                                                        from every state: would the cluster still answer?
  tribunal explore --from target/tribunal/latest/failures/9c1e27/trace.full.jsonl
                                                        the shortest way to that failure
  tribunal explore raft --terms 2 --op 'write x 1' --serve

Without bounds it is the first of the protocol's recommended searches (`tribunal list expeditions`).

Bounds decide what is found. The answer is VALID only if every state within the bounds was visited; a search that
was cut short is UNKNOWN, and says by what.")]
pub struct Args {
    /// The protocol: see `tribunal list protocols`
    #[arg(value_name = "PROTOCOL", default_value = "raft")]
    pub(super) protocol: String,

    /// Search the neighbourhood of a failure instead, for the shortest trace: the same nodes, operations and faults
    #[arg(long, value_name = "TRACE", conflicts_with_all = NOT_OF_A_TRACE)]
    pub(super) from: Option<PathBuf>,

    /// How many nodes
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u8).range(1..=15), help_heading = BOUNDS)]
    pub(super) nodes: u8,

    /// Planted bugs to turn on, with commas: see `tribunal list bugs`
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub(super) bugs: Vec<String>,

    /// A field of the protocol's configuration and its value: pre_vote=false
    #[arg(long, value_name = "FIELD=VALUE", value_parser = plan::field)]
    pub(super) set: Vec<(String, String)>,

    /// The properties to judge, with commas; `-RI2` for all but that; `none` for the clients' history alone
    #[arg(
        long,
        value_name = "IDS",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    pub(super) properties: Vec<String>,

    /// What a client does, one operation after another with semicolons; once for each client
    #[arg(long = "op", value_name = "OPERATIONS", help_heading = BOUNDS)]
    pub(super) operations: Vec<String>,

    /// Which node a client asks: any, or one of its own
    #[arg(long, value_name = "WHICH", default_value = "any", value_parser = bounds::asked, help_heading = BOUNDS)]
    pub(super) asks: Asked,

    /// Only so many nodes, the first, are asked by clients and have timers fire: proposers, say, among acceptors
    #[arg(long, value_name = "N", help_heading = BOUNDS)]
    pub(super) actors: Option<u8>,

    /// The highest term, ballot or epoch of any node
    #[arg(long, visible_aliases = ["ballots", "epochs"], value_name = "N", help_heading = BOUNDS)]
    pub(super) terms: Option<u64>,

    /// How many timers fire: of all kinds together, or also by kind: `2`, `any`, `election=3,heartbeat=any,0`
    #[arg(long, value_name = "N", default_value = "2", value_parser = bounds::timeouts, help_heading = BOUNDS)]
    pub(super) timeouts: Timeouts,

    /// How many nodes crash
    #[arg(long, value_name = "N", default_value = "0", help_heading = BOUNDS)]
    pub(super) crashes: u8,

    /// How many of them start again [default: all]
    #[arg(long, value_name = "N", help_heading = BOUNDS)]
    pub(super) restarts: Option<u8>,

    /// Whether a crash may come in the middle of a step
    #[arg(long, help_heading = BOUNDS)]
    pub(super) crash_within_steps: bool,

    /// How many packets arrive twice
    #[arg(long, value_name = "N", default_value = "0", help_heading = BOUNDS)]
    pub(super) duplicates: u8,

    /// How many packets are lost where what is not lost must arrive: before others on a link with `--order fifo`, and
    /// answers within an exchange. Any other packet may be late for ever, which is as good as lost
    #[arg(long, value_name = "N", default_value = "0", help_heading = BOUNDS)]
    pub(super) drops: u8,

    /// How often a link between two nodes is cut; each may be mended at any time
    #[arg(long, visible_alias = "partitions", value_name = "N", default_value = "0", help_heading = BOUNDS)]
    pub(super) cuts: u8,

    /// How often clients send an operation again
    #[arg(long, value_name = "N", default_value = "0", help_heading = BOUNDS)]
    pub(super) resends: u8,

    /// In which order packets of one link arrive: any, or as they were sent
    #[arg(long, value_name = "ORDER", default_value = "any", help_heading = BOUNDS)]
    pub(super) order: Arrival,

    /// What is one step: that one of the packets arrives; or with its answers; or elections; or exchanges, all that comes of what a node begins
    #[arg(long, value_name = "GRAIN", default_value = "packets", value_parser = bounds::grain, help_heading = BOUNDS)]
    pub(super) grain: Grain,

    /// With how many others an exchange is at most; with 2 on 5 nodes, quorums and no more
    #[arg(long, value_name = "N", help_heading = BOUNDS)]
    pub(super) contacts: Option<u8>,

    /// How many packets at once may outlive the exchange that they belong to
    #[arg(long, value_name = "N", default_value = "0", help_heading = BOUNDS)]
    pub(super) late: u8,

    /// Whether what nodes say to each other when they start, before anything else happens, is lost
    #[arg(long, help_heading = BOUNDS)]
    pub(super) silent_start: bool,

    /// A step, by its name in a trace, that is taken before the search, and all that comes of it: `fire n1 election` begins
    /// where n1 leads. Once for each step, in order; they count against no bound but that of terms
    #[arg(long, value_name = "STEP", help_heading = BOUNDS)]
    pub(super) begin: Vec<String>,

    /// In every state: if nothing went wrong from here on, would the cluster answer this operation? A cluster that is healed
    /// and does not within 20 of its longest timeouts breaks `liveness`
    #[arg(long, value_name = "OPERATION")]
    pub(super) finally: Option<String>,

    /// Writes reach disks at once, or in steps of their own
    #[arg(long, value_name = "WHEN", default_value = "immediate", help_heading = BOUNDS)]
    pub(super) sync: Sync,

    /// What is left out because it makes no difference: `all`, `none`, some of nodes, clients, absorb, moot, inert, history
    /// with commas, or `-moot` for all but that
    #[arg(long, value_name = "WHICH", default_value = "all", value_parser = bounds::reductions, allow_hyphen_values = true)]
    pub(super) reduce: Reductions,

    /// In which order: breadth-first finds the shortest counterexample, depth-first needs little memory
    #[arg(long, value_name = "ORDER", default_value = "bfs")]
    pub(super) strategy: Order,

    /// Names the walks of `--strategy random`
    #[arg(long, value_name = "S", default_value = "0", value_parser = plan::seed)]
    pub(super) seed: u64,

    /// No further moves after so many; breadth-first only
    #[arg(long, value_name = "N", help_heading = LIMITS)]
    pub(super) depth: Option<usize>,

    /// End after so many distinct states
    #[arg(long, value_name = "N", help_heading = LIMITS)]
    pub(super) states: Option<usize>,

    /// End when the process holds so much memory
    #[arg(long, value_name = "SIZE", default_value = "8GiB", value_parser = quantity::bytes, help_heading = LIMITS)]
    pub(super) memory: usize,

    /// End after so long
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = quantity::duration, help_heading = LIMITS)]
    pub(super) time: Duration,

    /// How many threads search; with one, a breadth-first counterexample is as short as can be
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u8).range(1..))]
    pub(super) threads: u8,

    /// Where the trace of a counterexample goes
    #[arg(
        short,
        long,
        value_name = "FILE",
        default_value = "target/tribunal/explore.jsonl"
    )]
    pub(super) output: PathBuf,

    /// Run the recommended searches of the protocol, or of all with `all` as the protocol, one after another
    #[arg(long, conflicts_with_all = ["from_row", "serve"])]
    pub(super) grid: bool,

    /// The recommended search of that name, instead of the first: see `tribunal list expeditions`
    #[arg(long = "row", id = "from_row", value_name = "NAME")]
    pub(super) row: Option<String>,

    /// Show the states to a browser, step by step and on demand, instead of searching
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:3000")]
    pub(super) serve: Option<SocketAddr>,

    /// Text for people, or one line of JSON
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(super) message_format: MessageFormat,

    /// No progress
    #[arg(short, long)]
    pub(super) quiet: bool,
}

/// The command alone, to parse what is written of it elsewhere.
#[derive(Debug, clap::Parser)]
struct Alone {
    #[command(flatten)]
    args: Args,
}

/// How many nodes there are if nothing is said.
const NODES: u8 = 3;

/// What a failure brings with it.
const NOT_OF_A_TRACE: [&str; 32] = [
    "grid",
    "from_row",
    "serve",
    "protocol",
    "nodes",
    "bugs",
    "set",
    "properties",
    "operations",
    "asks",
    "actors",
    "terms",
    "timeouts",
    "crashes",
    "restarts",
    "crash_within_steps",
    "duplicates",
    "drops",
    "cuts",
    "resends",
    "order",
    "grain",
    "contacts",
    "late",
    "silent_start",
    "begin",
    "finally",
    "sync",
    "reduce",
    "strategy",
    "depth",
    "threads",
];

const BOUNDS: &str = "Bounds";
const LIMITS: &str = "Limits";

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Sync {
    Immediate,
    Explicit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Arrival {
    /// Any packet may arrive next
    Any,
    /// Packets of one link arrive as they were sent
    Fifo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Order {
    /// Nearest first
    Bfs,
    /// Deepest first
    Dfs,
    /// Random paths, until the time is up
    Random,
}

impl Args {
    /// Whether nothing is said of what is to be searched.
    pub(super) fn has_no_bounds(&self) -> bool {
        let bounds = Budget {
            finally: None,
            ..self.budget()
        };
        bounds == Budget::default() && self.set.is_empty() && self.nodes == NODES
    }

    /// Who looks on while these searches go on.
    pub(super) fn watcher(&self) -> io::Result<Watcher> {
        let quiet = self.quiet || self.message_format == MessageFormat::Json;
        Watcher::new(quiet, self.time, self.memory)
    }

    /// These arguments with the bounds of a recommended search, its options and its properties.
    pub(super) fn with_row(&self, protocol: &str, row: &Expedition) -> Result<Self, Failure> {
        let wrong = |why: String| {
            Failure::usage(format!(
                "the flags of {protocol}'s search `{}`: {why}",
                row.name
            ))
        };
        let words = shell_words::split(row.flags).map_err(|error| wrong(error.to_string()))?;
        let words = ["explore", protocol]
            .into_iter()
            .map(str::to_owned)
            .chain(words);
        let parsed = Alone::try_parse_from(words).map_err(|error| wrong(error.to_string()))?;
        let told = !self.properties.is_empty();
        let properties = if told {
            &self.properties
        } else {
            &parsed.args.properties
        };
        let order = match self.strategy {
            Order::Bfs => parsed.args.strategy,
            other => other,
        };
        Ok(Self {
            protocol: protocol.to_owned(),
            bugs: self.bugs.clone(),
            properties: properties.clone(),
            strategy: order,
            seed: self.seed,
            reduce: self.reduce,
            finally: self.finally.clone(),
            depth: self.depth,
            states: self.states,
            memory: self.memory,
            time: self.time,
            threads: self.threads,
            output: self.output.clone(),
            grid: false,
            row: None,
            serve: self.serve,
            from: None,
            message_format: self.message_format,
            quiet: self.quiet,
            ..parsed.args
        })
    }

    pub(super) fn inquiry(&self, protocol: &'static Protocol) -> Result<Inquiry, Failure> {
        let named = |names: &[String]| -> Vec<String> {
            let names = names.iter().map(|name| name.trim().to_owned());
            names.filter(|name| !name.is_empty()).collect()
        };
        if self.depth.is_some() && self.strategy != Order::Bfs {
            return Err(Failure::usage(
                "--depth needs --strategy bfs: depth-first, a state that was first reached deep would not be looked at \
                 again when it is reached early, and states would be missed",
            ));
        }
        let bugs = named(&self.bugs);
        let properties = named(&self.properties);
        Ok(Inquiry {
            nodes: usize::from(self.nodes),
            bugs: protocol
                .bugs_named(bugs.iter().map(String::as_str))
                .map_err(Failure::usage)?,
            set: self.set.clone(),
            sync: match self.sync {
                Sync::Immediate => SyncMode::Immediate,
                Sync::Explicit => SyncMode::Explicit,
            },
            budget: self.budget(),
            reductions: self.reduce,
            properties: match &properties[..] {
                [] => None,
                [none] if none == "none" => Some(Vec::new()),
                _ => Some(properties),
            },
            limits: Limits {
                depth: self.depth,
                states: self.states,
                memory_bytes: Some(self.memory),
                time: Some(self.time),
            },
            strategy: match self.strategy {
                Order::Bfs => Strategy::BreadthFirst,
                Order::Dfs => Strategy::DepthFirst,
                Order::Random => Strategy::RandomWalks { seed: self.seed },
            },
            threads: usize::from(self.threads),
        })
    }

    fn budget(&self) -> Budget {
        let clients = self.operations.iter().map(|operations| {
            let each = operations
                .split(';')
                .map(|operation| operation.trim().to_owned());
            each.filter(|operation| !operation.is_empty()).collect()
        });
        Budget {
            operations: clients.collect(),
            asked: self.asks,
            actors: self.actors.map(usize::from),
            resends: self.resends,
            term: self.terms,
            timeouts: self.timeouts.clone(),
            crashes: self.crashes,
            restarts: self.restarts,
            crash_within_steps: self.crash_within_steps,
            duplicates: self.duplicates,
            drops: self.drops,
            cuts: self.cuts,
            in_order: self.order == Arrival::Fifo,
            grain: self.grain,
            contacts: self.contacts,
            late: self.late,
            silent_start: self.silent_start,
            begin: self.begin.clone(),
            finally: self.finally.clone(),
        }
    }
}
