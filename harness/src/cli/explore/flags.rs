//! The flags of `tribunal explore`, and the question that they ask.

use std::path::PathBuf;
use std::time::Duration;

use tribunal_checkers::explore::{Asked, Budget, Grain, Limits, Reductions, Strategy, Timeouts};
use tribunal_protocols::registry::Protocol;
use tribunal_protocols::world::SyncMode;

use super::bounds;
use crate::cli::exit::Failure;
use crate::cli::list::MessageFormat;
use crate::cli::{plan, quantity};
use crate::explore::Inquiry;

/// Visit every state of a small cluster within bounds: a model checker
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tribunal explore raft --nodes 3 --terms 2 --grain exchanges --op 'write x 1'
  tribunal explore raft --bugs RF5 --crashes 1 --terms 1 --timeouts 2
  tribunal explore raft --strategy dfs --time 10m --memory 4GiB

Bounds decide what is found. The answer is VALID only if every state within the bounds was visited; a search that
was cut short is UNKNOWN, and says by what.")]
pub struct Args {
    /// The protocol: see `tribunal list protocols`
    #[arg(value_name = "PROTOCOL", default_value = "raft")]
    pub(super) protocol: String,

    /// How many nodes
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u8).range(1..=15), help_heading = BOUNDS)]
    pub(super) nodes: u8,

    /// Planted bugs to turn on, with commas: see `tribunal list bugs`
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub(super) bugs: Vec<String>,

    /// A field of the protocol's configuration and its value: pre_vote=false
    #[arg(long, value_name = "FIELD=VALUE", value_parser = plan::field)]
    pub(super) set: Vec<(String, String)>,

    /// The properties to judge, with commas; `none` for the clients' history alone
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
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

    /// What is one step: that a packet arrives; or an election; or all that comes of what a node begins
    #[arg(long, value_name = "GRAIN", default_value = "packets", value_parser = bounds::grain, help_heading = BOUNDS)]
    pub(super) grain: Grain,

    /// How many packets at once may outlive the exchange that they belong to
    #[arg(long, value_name = "N", default_value = "0", help_heading = BOUNDS)]
    pub(super) late: u8,

    /// Writes reach disks at once, or in steps of their own
    #[arg(long, value_name = "WHEN", default_value = "immediate", help_heading = BOUNDS)]
    pub(super) sync: Sync,

    /// What is left out because it makes no difference: `all`, `none`, some of nodes, clients, absorb, moot, history
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

    /// Text for people, or one line of JSON
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(super) message_format: MessageFormat,

    /// No progress
    #[arg(short, long)]
    pub(super) quiet: bool,
}

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
            late: self.late,
        }
    }
}
