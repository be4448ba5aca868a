//! The command line: parses, calls the library, shows what came of it, and returns an exit code.
//!
//! Standard output is the answer, standard error the progress. One file a subcommand.

pub mod exit;
