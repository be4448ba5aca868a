//! The error codes of Maelstrom's protocol, and which of them say for sure that nothing happened.

/// A code that a reply of type `error` may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ErrorCode {
    /// Its number on the wire.
    pub(super) code: i64,
    /// Its name.
    pub(super) name: &'static str,
    /// Whether the operation did not happen and never will; otherwise it may have.
    pub(super) is_definite: bool,
}

const fn definite(code: i64, name: &'static str) -> ErrorCode {
    ErrorCode {
        code,
        name,
        is_definite: true,
    }
}

const fn indefinite(code: i64, name: &'static str) -> ErrorCode {
    ErrorCode {
        code,
        name,
        is_definite: false,
    }
}

pub(super) const TIMEOUT: ErrorCode = indefinite(0, "timeout");
pub(super) const NODE_NOT_FOUND: ErrorCode = definite(1, "node-not-found");
pub(super) const NOT_SUPPORTED: ErrorCode = definite(10, "not-supported");
pub(super) const MALFORMED_REQUEST: ErrorCode = definite(12, "malformed-request");
pub(super) const KEY_DOES_NOT_EXIST: ErrorCode = definite(20, "key-does-not-exist");
pub(super) const PRECONDITION_FAILED: ErrorCode = definite(22, "precondition-failed");

/// All codes that the protocol names.
const ALL: &[ErrorCode] = &[
    TIMEOUT,
    NODE_NOT_FOUND,
    NOT_SUPPORTED,
    definite(11, "temporarily-unavailable"),
    MALFORMED_REQUEST,
    indefinite(13, "crash"),
    definite(14, "abort"),
    KEY_DOES_NOT_EXIST,
    definite(21, "key-already-exists"),
    PRECONDITION_FAILED,
    definite(30, "txn-conflict"),
];

impl ErrorCode {
    /// What a number says. One that the protocol does not name (its own are below 1000, everybody's from there on)
    /// says nothing for sure.
    pub(super) fn of(code: i64) -> Self {
        let known = ALL.iter().find(|known| known.code == code);
        known.copied().unwrap_or(indefinite(code, "unknown"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_definite_but_those_that_are_not() {
        let indefinite: Vec<_> = (0..2000)
            .filter(|code| !ErrorCode::of(*code).is_definite)
            .filter(|code| ErrorCode::of(*code).name != "unknown")
            .collect();
        assert_eq!(indefinite, [0, 13]);
        assert!(!ErrorCode::of(1000).is_definite && !ErrorCode::of(15).is_definite);
    }
}
