//! The `tribunal` binary: see `tribunal --help`.

use std::panic::catch_unwind;
use std::process::ExitCode;

use tribunal::cli::exit::Exit;

fn main() -> ExitCode {
    // The panic has been reported when it comes here.
    catch_unwind(tribunal::cli::main).unwrap_or_else(|_| Exit::Internal.into())
}
