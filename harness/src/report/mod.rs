//! Reports: what a sweep found, for people and for programs.
//!
//! Whatever is told is told once: a [`Finding`] and a [`Conclusion`] hold the text, and terminal, files, JUnit and
//! Markdown show the same one.

mod conclusion;
mod directory;
mod event;
mod finding;
pub mod html;
pub mod junit;
pub mod markdown;
mod narrative;
pub mod picture;
mod progress;
pub mod terminal;

pub use conclusion::{Conclusion, PROBES_FROM_RUNS};
pub use directory::{Directory, write_whole};
pub use event::{Event, EventLog, SCHEMA};
pub use finding::{Finding, RunRecord, Shrinking, SmallerRun, fingerprint};
pub use narrative::{Row, heading, listed};
pub(crate) use progress::note;
pub use progress::{Progress, Ticker};
