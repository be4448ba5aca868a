//! Quorums, by which every consensus protocol here counts. They stand with the views, for properties count by them too.

pub use tribunal_histories::{NODES_MAX, NodeSet, Quorum};
