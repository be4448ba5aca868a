//! The `tribunal` binary: see `tribunal --help`.
fn main() {}
