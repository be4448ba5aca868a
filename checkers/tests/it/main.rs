//! The checkers from outside: histories in, verdicts out.

mod convergence;
mod eventual;
mod explanations;
mod limits;
mod models;
mod plain;
mod recorded;
mod script;
mod simulated;
mod total_order;
