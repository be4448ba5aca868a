//! Audits: systems that somebody else wrote, driven by the same workloads and nemeses, judged by the same checkers.
//!
//! A [`Subject`] is such a system while it runs: it is called, time passes, answers come. What can be done to it is a
//! small trait each ([`Kill`], [`Pause`], [`Cut`], [`Disturb`]), and a fault asks for what it needs ([`inject`]).
//! [`drive`](drive::drive) lets clients and a nemesis loose on any subject; everything that happens goes into its
//! [`Ledger`].
//!
//! [`maelstrom`] has the first kind of subject: programs that speak Maelstrom's protocol on standard input and output.
//! [`file`] has the second: whatever a file says how to start, with a relay before its ports, in real time.

pub mod drive;
mod ending;
pub mod file;
mod ledger;
pub mod maelstrom;
pub mod subject;

pub use ending::Availability;
pub use ledger::Ledger;
pub use subject::{CannotInject, Cut, Disturb, Kill, Pause, Subject, inject};
