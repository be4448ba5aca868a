//! Exit codes: what a run of the tool says to a script.

use std::process::ExitCode;

use tribunal_checkers::Answer;

/// How the tool ended. The numbers are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for was decided, and holds.
    Valid,
    /// There is a counterexample.
    Invalid,
    /// Not decided: a bound, a time limit, a probe that nothing hit.
    Unknown,
    /// The same seed gave two different runs: nothing that was found can be trusted.
    Nondeterministic,
    /// The selection matched nothing.
    NothingRan,
    /// The arguments, a file's content or the configuration are wrong.
    Usage,
    /// A system could not be started or reached.
    Unavailable,
    /// A bug of the tool.
    Internal,
    /// A file could not be read or written.
    Io,
    /// Ctrl-C: what was found so far was kept.
    Interrupted,
}

/// The table of exit codes, as `--help` shows it.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    valid: everything asked for was decided, and holds
  1    invalid: there is a counterexample
  2    unknown: a bound or time was reached, a probe was not hit, the checker gave up
  3    nondeterministic: the same seed gave two different runs
  4    nothing ran
  64   usage: wrong arguments, configuration, or content of a file
  69   unavailable: a system could not be started or reached
  70   internal error: a bug of this tool
  74   a file could not be read or written
  130  interrupted: what was found so far was kept, marked incomplete";

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Invalid => 1,
            Self::Unknown => 2,
            Self::Nondeterministic => 3,
            Self::NothingRan => 4,
            Self::Usage => 64,
            Self::Unavailable => 69,
            Self::Internal => 70,
            Self::Io => 74,
            Self::Interrupted => 130,
        }
    }
}

impl From<Answer> for Exit {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Valid => Self::Valid,
            Answer::Unknown => Self::Unknown,
            Answer::Invalid => Self::Invalid,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error with the exit code that it deserves; errors without one are bugs of the tool.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// How the tool ends.
    pub exit: Exit,
    /// What was wrong, where, and what to do.
    pub message: String,
}

impl Failure {
    /// Wrong arguments, configuration or content of a file.
    pub fn usage(message: impl ToString) -> Self {
        Self {
            exit: Exit::Usage,
            message: message.to_string(),
        }
    }

    /// A file that could not be read or written.
    pub fn io(message: impl ToString) -> Self {
        Self {
            exit: Exit::Io,
            message: message.to_string(),
        }
    }

    /// A system that could not be started or reached.
    pub fn unavailable(message: impl ToString) -> Self {
        Self {
            exit: Exit::Unavailable,
            message: message.to_string(),
        }
    }
}
