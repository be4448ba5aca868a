//! The checkers from outside: histories in, verdicts out.

mod beginnings;
mod convergence;
mod eventual;
mod explanations;
mod limits;
mod models;
mod plain;
mod recorded;
mod recovery;
mod reductions;
mod script;
mod searched;
mod simulated;
mod specifications;
mod state_counts;
mod symmetry;
mod total_order;
