//! Integration tests of histories: files from outside, round trips, hostile input, and the words of errors.

mod corpus;
mod errors;
mod hostile;
mod records;
mod round_trip;
mod shared_files;
