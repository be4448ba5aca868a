//! The harness, as its users meet it.

mod live;
