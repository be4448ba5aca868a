//! Where histories come from: a file, or standard input for `-`.

use std::io;
use std::path::Path;

use tribunal_histories::{BuildOptions, Format, LoadError, Loaded, format};

use super::exit::Failure;

/// Loads a history from a file, or from standard input for `-`.
///
/// # Errors
/// When it cannot be read, or is no history.
pub(crate) fn load(
    path: &Path,
    from: Option<Format>,
    options: BuildOptions,
) -> Result<Loaded, Failure> {
    let loaded = if path.as_os_str() == "-" {
        format::read_history(io::stdin().lock(), from, options)
    } else {
        format::load(path, from, options)
    };
    loaded.map_err(|error| refused(&error))
}

/// The end of the tool that an error deserves.
pub(crate) fn refused(error: &LoadError) -> Failure {
    if error.is_io() {
        Failure::io(error)
    } else {
        Failure::usage(error)
    }
}
