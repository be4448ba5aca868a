//! Subjects that a file describes: any program, without a line of Rust.
//!
//! | file | what is there |
//! |---|---|
//! | `settings`, `document`, `template` | the file, and what its placeholders stand for |
//! | `words` | what clients are told, and what they may answer |
//! | `program`, `node`, `client`, `ports` | processes, and where they listen |
//! | `owner`, `relay` | whose a process is; the relay in front of the nodes' ports |
//! | `cluster`, `trouble` | all of it while it runs, and what keeps it from going on |
//! | `plan`, `run` | what is to be run, and one run of it |

mod client;
mod cluster;
mod document;
mod node;
mod owner;
mod plan;
mod ports;
mod program;
mod relay;
mod run;
mod settings;
mod template;
mod trouble;
mod words;

pub use plan::{CAPABILITIES, Plan, SUBJECT};
pub use settings::{NODES_MAX, Settings, SettingsError};
pub use trouble::PROCESSES;
pub use words::{REGISTRY, Words};
