//! The simulated runtime: a whole cluster in one thread, deterministic by seed.
//!
//! [`cluster::Cluster`] is everything around the nodes: network, disks, timers, clients and faults, on simulated
//! time. [`plain`] drives it as a loop, [`madsim`](mod@madsim) under the madsim runtime; a seed gives the same
//! steps in both. [`scripted`] takes the steps of `World` with nodes under madsim.

mod agenda;
mod clients;
mod cluster;
mod faults;
mod network;
mod place;
mod settings;
mod witness;

#[cfg(madsim)]
pub mod madsim;
pub mod plain;
#[cfg(madsim)]
pub mod scripted;

pub use agenda::Choice;
pub use clients::Clients;
pub use cluster::{Cluster, End, Recorded, Remains, Tally};
pub use faults::Faults;
pub use settings::Settings;
pub use witness::Witness;
