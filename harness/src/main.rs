//! The `tribunal` binary: see `tribunal --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tribunal::cli::main()
}
