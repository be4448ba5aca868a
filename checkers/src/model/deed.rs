//! Operations in a language that several models share, so that one monitor serves all of them.

use tribunal_histories::Value;

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
