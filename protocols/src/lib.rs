//! Protocols as pure state machines, and the cluster as a value.
//!
//! A protocol is written once, against [`contract::Node`]: it knows no clock, no socket, no disk and no
//! randomness. [`host`] executes its ordered effects against a [`disk::Disk`]; [`world::World`] is a whole
//! cluster as one cloneable value with named steps; the simulator and the live runtime of the harness drive
//! the very same node. Each protocol is a folder with its planted bugs, and `scenarios/` has its golden
//! scenarios. [`registry`] names them all.

pub mod bugs;
pub mod contract;
pub mod disk;
pub mod host;
pub mod raft;
pub mod registry;
pub mod scenario;
pub mod state_machine;
pub mod world;

pub use bugs::{Bug, Bugs, FoundBy};
pub use contract::{ClientId, Context, Datum, Durable, Effect, Input, Node, Reply, TimerRange};
pub use disk::{Disk, Loss};
pub use host::Host;
pub use world::{Address, Step, World};
