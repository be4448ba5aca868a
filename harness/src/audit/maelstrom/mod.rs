//! Programs that speak Maelstrom's protocol: newline JSON on standard input and output, unchanged.
//!
//! | file | what is there |
//! |---|---|
//! | `message`, `error_code`, `service/` | the protocol: messages, errors, and the services that nodes may use |
//! | `process`, `rest`, `pinned` | a node's process, how it is known to be at rest, and where it runs |
//! | `world`, `step` | all nodes and what is on its way between them, moved by named steps |
//! | `network`, `cluster`, `virtual_time`, `wall_clock` | when which step is taken |
//! | `misbehaviour` | what a node must not do, and how it is told |
//! | `workload/`, `topology` | what clients say and what answers mean |
//! | `plan`, `run` | what is to be run, and one run of it |
//! | `script`, `shrink`, `tale`, `investigate` | a run's steps: taken again, made fewer, told |

mod cluster;
mod error_code;
mod investigate;
mod message;
mod misbehaviour;
mod network;
mod pinned;
mod plan;
mod process;
mod rest;
mod run;
mod script;
mod service;
mod shrink;
mod step;
mod tale;
mod topology;
mod virtual_time;
mod wall_clock;
pub mod workload;
mod world;

pub use misbehaviour::PROTOCOL;
pub use network::{Distribution, Latency};
pub use plan::{CAPABILITIES, Plan, timeout_us};
pub use process::Patience;
pub use script::{Replayed, SUBJECT, ScriptError, replay, story};
pub use shrink::shrink;
pub use topology::Topology;
