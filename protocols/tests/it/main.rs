//! The tests of the protocols crate: one binary.

mod availability;
mod random_walk;
mod scenarios;
