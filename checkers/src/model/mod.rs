//! Sequential specifications: what an object does when its operations come one after the other.
//!
//! One file each; the registry of [`check`](crate::check) has a line for each. A model says which operations it
//! has, what an operation with an unknown outcome may have done, and how a state steps. Histories over many
//! objects are split by the key of their events before a model sees them: a history is linearizable if and only if
//! it is for each object (Herlihy and Wing 1990, theorem 1; as partitioning, Horn and Kroening, FORTE 2015).

mod bank;
mod calls;
mod cas_register;
mod consensus;
mod container;
mod counter;
mod deed;
mod fenced_lock;
mod fifo_queue;
mod kv;
mod list_append;
mod log;
mod multi_register;
mod multiset;
mod mutex;
mod nondeterministic;
mod prefixes;
mod priority_queue;
mod register;
mod semaphore;
mod set;
mod shared_list;
mod stack;
mod unordered_queue;
mod versioned_register;

use std::fmt::Debug;
use std::hash::Hash;

use tribunal_histories::Value;

pub use bank::Bank;
pub use calls::{Call, Calls};
pub use cas_register::CasRegister;
pub use consensus::Consensus;
pub use container::ContainerOp;
pub use counter::LinearizableCounter;
pub use deed::{Deed, Discipline, Verb};
pub use fenced_lock::{Fence, FencedLock, FencedLockOp};
pub use fifo_queue::FifoQueue;
pub use kv::Kv;
pub use list_append::ListAppend;
pub use log::{Entries, Log, LogOp};
pub use multi_register::MultiRegister;
pub use multiset::{Multiset, MultisetOp};
pub use mutex::Mutex;
pub use nondeterministic::{NondeterministicModel, Possible, PowerSet};
pub use priority_queue::PriorityQueue;
pub use register::Register;
pub use semaphore::{Semaphore, SemaphoreOp};
pub use set::LinearizableSet;
pub use shared_list::SharedList;
pub use stack::Stack;
pub use unordered_queue::UnorderedQueue;
pub use versioned_register::{VersionedOp, VersionedRegister};

pub(crate) use bank::{Banking, OPERATIONS as BANK_OPERATIONS, Opening, banking};
pub(crate) use counter::{Change, OPERATIONS as COUNTER_OPERATIONS, change, first};

/// What a read that returned nil says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NilRead {
    /// The object was absent (etcd, Dragonboat). The default while objects begin absent.
    Absent,
    /// Nothing: the client did not record what it read (Knossos). The default when an initial value is given.
    Unconstrained,
}

/// What a compare-and-set that failed says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FailedCas {
    /// It did not happen (Knossos, and what `fail` means everywhere else).
    #[default]
    DidNotHappen,
    /// It found another value than it expected (Porcupine's etcd model).
    ObservedOther,
}

/// The meanings that tools disagree about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Semantics {
    /// Of a read that returned nil.
    pub nil_read: NilRead,
    /// Of a compare-and-set that failed.
    pub failed_cas: FailedCas,
}

/// An operation that a model has, for messages and documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Its names, the usual one first.
    pub names: &'static [&'static str],
    /// The shape of the invocation's value; empty when it is not looked at.
    pub input: &'static str,
    /// The shape of the value of its `ok`; empty when it is not looked at.
    pub output: &'static str,
}

/// An operation as a history records it, for a model to read.
#[derive(Clone, Debug)]
pub struct Recorded<'a> {
    /// Its name.
    pub function: &'a str,
    /// The value of its invocation.
    pub input: Value,
    /// The value of its completion; `None` when the outcome is unknown.
    pub output: Option<Value>,
}

impl Recorded<'_> {
    /// What it returned, as a reader sees it: `None` when that constrains nothing, because nobody knows it or
    /// because it is nil and nil says nothing.
    fn read(&self, semantics: Semantics) -> Option<Value> {
        self.output
            .clone()
            .filter(|value| !value.is_nil() || semantics.nil_read == NilRead::Absent)
    }
}

/// How an operation does not fit a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The model has no operation of that name.
    Function,
    /// The invocation's value has another shape.
    Input,
    /// The value of its `ok` has another shape.
    Output,
}

/// About how many bytes a value holds.
fn value_bytes(value: &Value) -> usize {
    let held = match value {
        Value::Text(text) | Value::Keyword(text) | Value::Number(text) => text.len(),
        Value::List(items) | Value::Set(items) => size_of_val(&**items),
        Value::Map(entries) => size_of_val(&**entries),
        Value::Nil | Value::Bool(_) | Value::Int(_) => 0,
    };
    size_of::<Value>() + held
}

/// A deterministic sequential specification. Of one that is not, [`PowerSet`] makes one.
pub trait Model: Clone + Send + Sync {
    /// The name in the registry.
    const NAME: &'static str;
    /// Other names for it.
    const ALIASES: &'static [&'static str] = &[];
    /// A paragraph for `tribunal list checkers`.
    const ABOUT: &'static str;
    /// Its operations.
    const OPERATIONS: &'static [Shape];

    /// The object's state.
    type State: Clone + Eq + Hash + Debug + Send;
    /// An operation with its arguments and, where known, its result. Equal operations are interchangeable.
    type Op: Clone + Eq + Hash + Debug + Send + Sync;

    /// The specification of an object that begins with this value; nil is an absent or empty object.
    ///
    /// # Errors
    /// The shape that the initial value should have.
    fn new(initial: &Value, semantics: Semantics) -> Result<Self, &'static str>;

    /// What an operation that happened (`ok`) or may have happened (`info`) does; `None` if it constrains nothing
    /// and changes nothing.
    ///
    /// # Errors
    /// How it does not fit.
    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<Self::Op>, Misfit>;

    /// What an operation that failed says; as a rule nothing, for it did not happen.
    ///
    /// # Errors
    /// How it does not fit.
    fn failed(&self, _recorded: &Recorded<'_>) -> Result<Option<Self::Op>, Misfit> {
        Ok(None)
    }

    /// The state in the beginning.
    fn initial(&self) -> Self::State;

    /// The state after an operation, or `None` if the operation cannot happen in this state with its result.
    fn step(&self, state: &Self::State, op: &Self::Op) -> Option<Self::State>;

    /// The same in place. Returns whether the operation can happen; if not, the state is of no use any more.
    fn advance(&self, state: &mut Self::State, op: &Self::Op) -> bool {
        let after = self.step(state, op);
        let happens = after.is_some();
        if let Some(after) = after {
            *state = after;
        }
        happens
    }

    /// The part of the object that an operation is about, if it neither sees nor changes any other part. Where this
    /// holds of all operations, each part is an object of its own (Herlihy and Wing 1990, theorem 1).
    fn part<'a>(&self, _op: &'a Self::Op) -> Option<&'a Value> {
        None
    }

    /// The kind of object that this is, if a monitor may decide about it.
    fn discipline(&self) -> Option<Discipline> {
        None
    }

    /// What an operation does in the terms of monitors.
    fn deed<'a>(&self, _op: &'a Self::Op) -> Deed<'a> {
        Deed::Other
    }

    /// What operations of this name that did not fail do in the terms of monitors, if the name tells.
    fn verb(&self, _function: &str) -> Option<Verb> {
        None
    }

    /// Whether the operation leaves every state as it is.
    fn observes_only(&self, op: &Self::Op) -> bool;

    /// About how many bytes a state holds, for the bound on memory.
    fn bytes(&self, state: &Self::State) -> usize {
        size_of_val(state)
    }

    /// The same specification as far as these calls can tell, with fewer states or fewer distinct operations: it may
    /// merge values that nobody observes, and drop calls that are not required and could only matter to an observer
    /// that does not exist; it may require calls that cannot but have taken effect. All calls are linearizable under
    /// it exactly if they were before, and a prefix of them only if it was before.
    fn reduce(&self, _calls: &mut Calls<Self::Op>) -> Self {
        self.clone()
    }
}
