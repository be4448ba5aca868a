//! The harness, as its users meet it.

mod audit;
mod audit_file;
mod check;
mod claims;
mod conformance;
mod cross_replay;
mod doctor;
mod exploration;
mod failures;
mod follow;
mod generate;
mod invocation;
mod list;
mod live;
mod meanings;
mod nearest;
mod picture;
mod program;
mod replay;
mod simulate;
mod simulation;
mod spread;
mod transcripts;
