//! The harness, as its users meet it.

mod audit;
mod check;
mod claims;
mod conformance;
mod doctor;
mod failures;
mod invocation;
mod list;
mod live;
mod program;
mod replay;
mod simulate;
mod simulation;
mod spread;
mod transcripts;
