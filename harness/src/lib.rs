//! Tribunal: workloads against clusters under faults, judged by checkers.
//!
//! This library is everything behind the `tribunal` binary: generators, workloads and nemeses (pure values), the
//! runtimes that drive protocol nodes with them, shrinking, reports and the command line.

pub mod audit;
pub mod claims;
pub mod cli;
pub mod command;
pub mod cross_replay;
pub mod draw;
pub mod engine;
pub mod experiment;
pub mod explore;
pub mod generator;
pub mod hunt;
pub mod investigate;
pub mod judge;
pub mod live_run;
pub mod nearest;
pub mod nemesis;
pub mod plan;
pub mod replay;
pub mod report;
pub mod run;
pub mod runtime;
pub mod scenario;
pub mod shrink;
pub mod smaller;
pub mod spread;
pub mod sweep;
pub mod totals;
pub mod workload;
