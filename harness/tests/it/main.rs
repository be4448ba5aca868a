//! Tests of the harness as a whole.

mod conformance;
mod simulation;
