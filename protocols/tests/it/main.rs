//! The tests of the protocols crate: one binary.

mod random_walk;
mod scenarios;
