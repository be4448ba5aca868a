//! The harness, as its users meet it.

mod check;
mod claims;
mod conformance;
mod doctor;
mod failures;
mod generate;
mod invocation;
mod list;
mod live;
mod program;
mod replay;
mod simulate;
mod simulation;
mod spread;
mod transcripts;
