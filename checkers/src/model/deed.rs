//! Operations in a language that several models share, so that one monitor serves all of them.

use tribunal_histories::Value;

use super::{NilRead, Semantics};

/// The kind of object that a model is, if it is one for which linearizability is decided in polynomial time while
/// values are unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discipline {
    /// A register that begins with this value.
    Register(Value),
    /// A container that gives the element back first that was put in first.
    Fifo,
    /// A container that gives the element back first that was put in last.
    Lifo,
    /// A container that gives the least element back first.
    Priority,
}

/// What an operation does, in these terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed<'a> {
    /// A register held this value.
    Read(&'a Value),
    /// A register holds this value now.
    Write(&'a Value),
    /// A register held the first value, and holds the second now.
    Cas(&'a Value, &'a Value),
    /// This element was put into a container.
    Put(&'a Value),
    /// This element was taken out of it.
    Take(&'a Value),
    /// An element was taken out; which, nobody knows.
    TakeSome,
    /// There was none to be taken out.
    TakeNone,
    /// Something else, about which monitors know nothing.
    Other,
}

/// What all operations of a name do, in these terms: so that nothing has to be made of the values of a long history but
/// their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// [`Deed::Read`] of what it returned.
    Read,
    /// The same; nothing if it returned nil.
    ReadUnlessNil,
    /// [`Deed::Write`] of its argument.
    Write,
    /// [`Deed::Put`] of its argument, which is not nil.
    Put,
    /// [`Deed::Take`] of what it returned; [`Deed::TakeNone`] if that is nil, and [`Deed::TakeSome`] if nobody knows it.
    Take,
}

impl Verb {
    /// What reads do.
    pub(super) fn read(semantics: Semantics) -> Self {
        match semantics.nil_read {
            NilRead::Absent => Self::Read,
            NilRead::Unconstrained => Self::ReadUnlessNil,
        }
    }
}
