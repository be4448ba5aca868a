//! Protocols as pure state machines, and the cluster as a value.
//!
//! A protocol is written once, against [`contract::Node`]: it knows no clock, no socket, no disk and no
//! randomness. [`host`] executes its ordered effects against a [`disk::Disk`]; [`world::World`] is a whole
//! cluster as one cloneable value with named steps; the simulator and the live runtime of the harness drive
//! the very same node. Each protocol is a folder with its planted bugs, and `scenarios/` has its golden
//! scenarios. [`registry`] names them all.
//!
//! Three nodes elect a leader, step by named step:
//!
//! ```
//! use tribunal_histories::{NodeId, Role};
//! use tribunal_protocols::contract::Configuration;
//! use tribunal_protocols::raft::{Config, Raft};
//! use tribunal_protocols::world::{SyncMode, World};
//!
//! let mut world = World::<Raft>::fresh(Config::of(3), SyncMode::Immediate, &mut ());
//! for name in [
//!     "fire n1 election",
//!     "deliver n1→n2 PreRequestVote t1 log 0@0",
//!     "deliver n2→n1 PreVote t1 granted",
//!     "deliver n1→n2 RequestVote t1 log 0@0",
//!     "deliver n2→n1 Vote t1 granted",
//! ] {
//!     let step = world.find(name)?;
//!     world.take(&step, &mut ())?;
//! }
//! assert_eq!(world.view(NodeId(0)).role, Role::Leader);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod bugs;
pub mod contract;
pub mod disk;
pub mod explored;
pub mod gossip;
pub mod host;
pub mod membership;
pub mod multi_paxos;
pub mod paxos;
pub mod primary_backup;
pub mod quorum;
pub mod raft;
pub mod registry;
pub mod scenario;
pub mod state_machine;
pub mod two_phase_commit;
pub mod world;
pub mod zab;

pub use bugs::{Bug, Bugs, FoundBy};
pub use contract::{ClientId, Context, Datum, Durable, Effect, Input, Node, Reply, TimerRange};
pub use disk::{Disk, Loss};
pub use host::Host;
pub use world::{Address, Step, World};
