//! The rules that every history keeps.

use std::sync::Arc;

use crate::event::{Kind, Process};
use crate::value::Value;

/// A rule that every history keeps, broken, with the line that broke it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleBroken {
    /// A process began an operation before its last one ended.
    #[error(
        "line {line}: process {process} invokes `{function}` while its `{pending}` of line {pending_line} is in \
         flight; a process has at most one operation in flight (use another process number)"
    )]
    InvokedTwice {
        /// Where.
        line: u64,
        /// Who.
        process: Process,
        /// What it began.
        function: Arc<str>,
        /// What was in flight.
        pending: Arc<str>,
        /// Where that began.
        pending_line: u64,
    },
    /// A completion without an invocation, or a second completion.
    #[error(
        "line {line}: process {process} completes `{function}` ({kind}) with no operation in flight; \
         every ok, fail or info follows its invoke, once", kind = kind.name()
    )]
    NotInvoked {
        /// Where.
        line: u64,
        /// Who.
        process: Process,
        /// What it completed.
        function: Arc<str>,
        /// How.
        kind: Kind,
    },
    /// A completion of another operation than the one in flight.
    #[error(
        "line {line}: process {process} completes `{function}` but invoked `{pending}` (line {pending_line}); \
         a completion has the name of its invocation"
    )]
    OtherFunction {
        /// Where.
        line: u64,
        /// Who.
        process: Process,
        /// What it completed.
        function: Arc<str>,
        /// What was in flight.
        pending: Arc<str>,
        /// Where that began.
        pending_line: u64,
    },
    /// A completion with another key than its invocation's.
    #[error(
        "line {line}: process {process} completes key {key} but invoked key {pending} (line {pending_line})"
    )]
    OtherKey {
        /// Where.
        line: u64,
        /// Who.
        process: Process,
        /// The completion's key.
        key: Value,
        /// The invocation's key.
        pending: Value,
        /// Where that began.
        pending_line: u64,
    },
    /// A process went on after `info`.
    #[error(
        "line {line}: process {process} invokes `{function}` after its operation of line {info_line} ended in info; \
         such a process is retired (allow it with --process-reuse allow)"
    )]
    Retired {
        /// Where.
        line: u64,
        /// Who.
        process: Process,
        /// What it began.
        function: Arc<str>,
        /// Where its operation ended in `info`.
        info_line: u64,
    },
    /// More distinct operation names than any workload has.
    #[error(
        "line {line}: more than 65,535 different operation names; is `f` really the operation's name?"
    )]
    TooManyFunctions {
        /// Where.
        line: u64,
    },
    /// More events than the pair index can number.
    #[error("line {line}: more than 4,294,967,294 events; split the history by key")]
    TooLong {
        /// Where.
        line: u64,
    },
}
