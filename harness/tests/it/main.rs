//! The harness, as its users meet it.

mod check;
mod doctor;
mod list;
mod live;
mod program;
mod transcripts;
