//! Where nodes run: under simulated time, and as real processes. One host loop serves both: see [`env`](mod@env).

pub mod env;
pub mod live;
pub(crate) mod scene;
pub mod sim;
