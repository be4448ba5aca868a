//! Judging a history by the name of a checker.

use serde::Serialize;
use tribunal_histories::{Format, History, Operation, ProcessReuse, Value};

use crate::linearizability;
use crate::linearizability::follow::{Follow, Follower};
use crate::meanings::{self, Meanings};
use crate::model::{
    Bank, CasRegister, Consensus, FailedCas, FencedLock, FifoQueue, Kv, LinearizableCounter,
    LinearizableSet, ListAppend, Log, Misfit, Model, MultiRegister, Multiset, Mutex, NilRead,
    PowerSet, PriorityQueue, Register, Semantics, Semaphore, Shape, Stack, UnorderedQueue,
    VersionedRegister,
};
use crate::verdict::{Verdict, guarded};
use crate::{
    bank, convergence, counter, echo, membership, pn_counter, set, set_full, total_order,
    unique_ids,
};

/// How far a search may go. Both are counted, not timed: the same answer on a fast machine and a slow one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// The most configurations that the search of one key may look at.
    pub states_max: u64,
    /// About how much memory the search of one key may hold.
    pub memory_bytes_max: usize,
}

impl Default for Limits {
    /// Twenty million configurations, one gibibyte.
    fn default() -> Self {
        Self {
            states_max: 20_000_000,
            memory_bytes_max: 1 << 30,
        }
    }
}

/// What is asked about a history.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckRequest {
    /// The name or alias of a checker of the [`registry`].
    pub checker: String,
    /// The value that the object, or every register or key, begins with; without one it is absent or empty.
    pub initial: Option<Value>,
    /// What a read of nil says; by default [`NilRead::Absent`] without an initial value, for the object can then be
    /// absent, and [`NilRead::Unconstrained`] with one.
    pub nil_read: Option<NilRead>,
    /// What a failed compare-and-set says.
    pub failed_cas: FailedCas,
    /// How far to search.
    pub limits: Limits,
}

impl CheckRequest {
    /// A request with every default.
    pub fn new(checker: impl Into<String>) -> Self {
        Self {
            checker: checker.into(),
            initial: None,
            nil_read: None,
            failed_cas: FailedCas::default(),
            limits: Limits::default(),
        }
    }

    /// The same request about an object with an initial value; nil is none.
    #[must_use]
    pub fn with_initial(self, initial: Value) -> Self {
        let initial = Some(initial).filter(|initial| !initial.is_nil());
        Self { initial, ..self }
    }

    /// The same request about a history of a format, with what that format means where nothing else was asked: see
    /// `docs/linearizability.md`.
    #[must_use]
    pub fn of_format(self, format: Format) -> Self {
        let name = CheckerEntry::named(&self.checker).map_or(&*self.checker, |entry| entry.name);
        let nil_read = self.nil_read.or(meanings::nil_read_of(format, name));
        Self { nil_read, ..self }
    }

    /// The initial value, nil when there is none.
    pub fn initial(&self) -> Value {
        self.initial.clone().unwrap_or_default()
    }

    /// The meanings asked for, defaults filled in.
    pub fn semantics(&self) -> Semantics {
        let nil_read = self.nil_read.unwrap_or(if self.initial().is_nil() {
            NilRead::Absent
        } else {
            NilRead::Unconstrained
        });
        Semantics {
            nil_read,
            failed_cas: self.failed_cas,
        }
    }
}

/// Why a history cannot be judged as asked. That is a mistake of the question and says nothing about the history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// No checker has that name.
    #[error("there is no checker `{name}`; there are {known}")]
    UnknownChecker {
        /// The name asked for.
        name: String,
        /// All names, with commas.
        known: String,
    },
    /// The initial value has the wrong shape.
    #[error("{checker} cannot begin with {initial}: its initial value is {expected}")]
    Initial {
        /// The checker.
        checker: &'static str,
        /// The initial value.
        initial: Value,
        /// What it should be.
        expected: &'static str,
    },
    /// The checker cannot judge a history while it grows.
    #[error("{checker} judges whole histories only: leave --follow away")]
    WholeOnly {
        /// The checker.
        checker: &'static str,
    },
    /// An operation is not one of the checker's.
    #[error(
        "event {event}: process {process}'s `{function}`{what} does not fit {checker}, which has {expected}"
    )]
    Misfit {
        /// The checker.
        checker: &'static str,
        /// The place of the event in the history, counted from 1.
        event: usize,
        /// Who did it.
        process: String,
        /// The operation's name.
        function: String,
        /// Which part does not fit.
        what: String,
        /// The operations that the checker has.
        expected: String,
    },
}

impl CheckError {
    /// The error for an operation that does not fit.
    pub(crate) fn misfit(
        entry: (&'static str, &[Shape]),
        history: &History,
        operation: &Operation,
        misfit: Misfit,
    ) -> Self {
        let (event, what) = match misfit {
            Misfit::Function => (operation.invoked, String::new()),
            Misfit::Input => {
                let input = history.value(operation.input);
                (operation.invoked, format!(" of {input}"))
            }
            Misfit::Output => {
                let output = history.value(operation.output);
                let returned = operation.returned.unwrap_or(operation.invoked);
                (returned, format!(" returning {output}"))
            }
        };
        Self::Misfit {
            checker: entry.0,
            event: event + 1,
            process: operation.process.to_string(),
            function: history.function(operation.function).to_owned(),
            what,
            expected: describe(entry.1),
        }
    }
}

/// `read → value, write value, cas [from to]`.
pub(crate) fn describe(shapes: &[Shape]) -> String {
    let one = |shape: &Shape| {
        let mut text = shape.names[0].to_owned();
        if !shape.input.is_empty() {
            text = text + " " + shape.input;
        }
        if !shape.output.is_empty() {
            text = text + " → " + shape.output;
        }
        text
    };
    shapes.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Tells a checker to stop: asked often, from the thread that checks. The caller owns the clock and the keyboard.
pub type Stop<'a> = &'a dyn Fn() -> bool;

type NewFollower = fn(&CheckRequest, ProcessReuse) -> Result<Box<dyn Follow>, CheckError>;

type CountMeanings = fn(&History, &CheckRequest) -> Meanings;

type Check = fn(&History, &CheckRequest, Stop<'_>) -> Result<Verdict, CheckError>;

/// A checker of histories: its name, and what `tribunal list checkers` says about it.
#[derive(Clone, Copy, Debug)]
pub struct CheckerEntry {
    /// Its name.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// A paragraph.
    pub about: &'static str,
    /// The operations it knows.
    pub operations: &'static [Shape],
    /// Whether it asks for a legal order of all operations; a plain checker has a question of its own.
    pub is_linearizability: bool,
    check: Check,
    follow: Option<NewFollower>,
    meanings: Option<CountMeanings>,
}

impl CheckerEntry {
    /// The checker of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        REGISTRY
            .iter()
            .find(|entry| entry.name == name || entry.aliases.contains(&name))
    }

    /// Whether it judges what has come of the operations after some time: what it refutes does not stay so, or stays
    /// so for no reason, when steps are left out.
    pub fn takes_time(&self) -> bool {
        EVENTUAL.contains(&self.name)
    }

    /// How many operations of a history would say something else to it if their meanings were chosen otherwise.
    pub fn meanings(&self, history: &History, request: &CheckRequest) -> Meanings {
        let count = self.meanings.map(|count| count(history, request));
        count.unwrap_or_default()
    }

    /// Linearizability with respect to a model.
    const fn linearizable<M: Model + 'static>() -> Self {
        Self {
            name: M::NAME,
            aliases: M::ALIASES,
            about: M::ABOUT,
            operations: M::OPERATIONS,
            is_linearizability: true,
            check: linearizability::check::<M>,
            follow: Some(|request, process_reuse| {
                Ok(Box::new(Follower::<M>::new(request, process_reuse)?))
            }),
            meanings: Some(meanings::of_model::<M>),
        }
    }
}

/// The checkers of what has to come about in time.
const EVENTUAL: &[&str] = &[membership::NAME, pn_counter::NAME, set_full::NAME];

static REGISTRY: &[CheckerEntry] = &[
    CheckerEntry::linearizable::<Register>(),
    CheckerEntry::linearizable::<CasRegister>(),
    CheckerEntry::linearizable::<MultiRegister>(),
    CheckerEntry::linearizable::<Kv>(),
    CheckerEntry::linearizable::<VersionedRegister>(),
    CheckerEntry::linearizable::<ListAppend>(),
    CheckerEntry::linearizable::<Log>(),
    CheckerEntry::linearizable::<Mutex>(),
    CheckerEntry::linearizable::<FencedLock>(),
    CheckerEntry::linearizable::<Semaphore>(),
    CheckerEntry::linearizable::<FifoQueue>(),
    CheckerEntry::linearizable::<Stack>(),
    CheckerEntry::linearizable::<PriorityQueue>(),
    CheckerEntry::linearizable::<PowerSet<UnorderedQueue>>(),
    CheckerEntry::linearizable::<LinearizableSet>(),
    CheckerEntry::linearizable::<Multiset>(),
    CheckerEntry::linearizable::<LinearizableCounter>(),
    CheckerEntry::linearizable::<Consensus>(),
    CheckerEntry {
        check: bank::check_linearizable,
        follow: None,
        ..CheckerEntry::linearizable::<Bank>()
    },
    CheckerEntry {
        name: bank::NAME,
        is_linearizability: false,
        aliases: &[],
        about: bank::ABOUT,
        operations: bank::OPERATIONS,
        check: bank::check,
        follow: None,
        meanings: None,
    },
    CheckerEntry {
        name: set::NAME,
        aliases: &[],
        about: set::ABOUT,
        operations: set::OPERATIONS,
        is_linearizability: false,
        check: set::check,
        follow: None,
        meanings: None,
    },
    CheckerEntry {
        name: counter::NAME,
        aliases: &[],
        about: counter::ABOUT,
        operations: counter::OPERATIONS,
        is_linearizability: false,
        check: counter::check,
        follow: None,
        meanings: None,
    },
    CheckerEntry {
        name: convergence::NAME,
        aliases: &[],
        about: convergence::ABOUT,
        operations: convergence::OPERATIONS,
        is_linearizability: false,
        check: convergence::check,
        follow: None,
        meanings: None,
    },
    CheckerEntry {
        name: membership::NAME,
        aliases: &[],
        about: membership::ABOUT,
        operations: membership::OPERATIONS,
        is_linearizability: false,
        check: membership::check,
        follow: None,
        meanings: None,
    },
    CheckerEntry {
        name: total_order::NAME,
        aliases: &["broadcast"],
        about: total_order::ABOUT,
        operations: total_order::OPERATIONS,
        is_linearizability: false,
        check: total_order::check,
        follow: None,
        meanings: None,
    },
    CheckerEntry {
        name: set_full::NAME,
        aliases: &[],
        about: set_full::ABOUT,
        operations: set_full::OPERATIONS,
        is_linearizability: false,
        check: set_full::check,
        follow: None,
        meanings: None,
    },
    CheckerEntry {
        name: pn_counter::NAME,
        aliases: &["g-counter"],
        about: pn_counter::ABOUT,
        operations: pn_counter::OPERATIONS,
        is_linearizability: false,
        check: pn_counter::check,
        follow: None,
        meanings: None,
    },
    CheckerEntry {
        name: unique_ids::NAME,
        aliases: &[],
        about: unique_ids::ABOUT,
        operations: unique_ids::OPERATIONS,
        is_linearizability: false,
        check: unique_ids::check,
        follow: None,
        meanings: None,
    },
    CheckerEntry {
        name: echo::NAME,
        aliases: &[],
        about: echo::ABOUT,
        operations: echo::OPERATIONS,
        is_linearizability: false,
        check: echo::check,
        follow: None,
        meanings: None,
    },
];

/// Every checker of histories.
pub fn registry() -> &'static [CheckerEntry] {
    REGISTRY
}

/// Follows a history that grows, by a model of linearizability.
///
/// # Errors
/// When the question makes no sense: no such checker, one that judges whole histories only, or an initial value that is
/// not of its kind.
pub fn follower(
    request: &CheckRequest,
    process_reuse: ProcessReuse,
) -> Result<Box<dyn Follow>, CheckError> {
    let entry = entry_of(request)?;
    let follow = entry.follow.ok_or(CheckError::WholeOnly {
        checker: entry.name,
    })?;
    follow(request, process_reuse)
}

/// Judges a history.
///
/// # Errors
/// When the question makes no sense: no such checker, or operations or an initial value that are not of its kind.
pub fn check_history(
    history: &History,
    request: &CheckRequest,
    stop: Stop<'_>,
) -> Result<Verdict, CheckError> {
    let entry = entry_of(request)?;
    if history.operations().next().is_none() {
        return Ok(nothing_to_check(entry.name));
    }
    guarded(entry.name, || (entry.check)(history, request, stop))
}

/// Judges a history by a model of one's own; the request's checker is not looked at.
///
/// ```
/// use std::collections::BTreeSet;
///
/// use tribunal_checkers::model::{Misfit, Model, Recorded, Semantics, Shape};
/// use tribunal_checkers::{Answer, CheckRequest, check_by};
/// use tribunal_histories::{BuildOptions, EventRecord, History, Kind, Process, Value};
///
/// /// Lamps that are switched on and off.
/// #[derive(Clone)]
/// struct Lamps;
///
/// impl Model for Lamps {
///     const NAME: &'static str = "lamps";
///     const ABOUT: &'static str = "Lamps by name. All are dark in the beginning.";
///     const OPERATIONS: &'static [Shape] = &[Shape { names: &["on", "off"], input: "lamp", output: "" }];
///     type State = BTreeSet<Value>;
///     type Op = (Value, bool);
///
///     fn new(_: &Value, _: Semantics) -> Result<Self, &'static str> {
///         Ok(Self)
///     }
///     fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<Self::Op>, Misfit> {
///         Ok(Some((recorded.input.clone(), recorded.function == "on")))
///     }
///     /// The lamps that are on.
///     fn initial(&self) -> Self::State {
///         BTreeSet::new()
///     }
///     fn step(&self, on: &Self::State, (lamp, goes_on): &Self::Op) -> Option<Self::State> {
///         let mut on = on.clone();
///         let changes = if *goes_on { on.insert(lamp.clone()) } else { on.remove(lamp) };
///         changes.then_some(on)
///     }
///     fn observes_only(&self, _: &Self::Op) -> bool {
///         false
///     }
///     /// The partition: operations on different lamps have nothing to do with each other.
///     fn part<'a>(&self, op: &'a Self::Op) -> Option<&'a Value> {
///         Some(&op.0)
///     }
/// }
///
/// let switch = |function, lamp: &str| {
///     [Kind::Invoke, Kind::Ok]
///         .map(|kind| EventRecord::new(Process::Client(0), kind, function, Value::Nil, lamp.into()))
/// };
/// let judge = |records: Vec<EventRecord>| {
///     let history = History::from_records(records, BuildOptions::default()).unwrap();
///     let verdict = check_by::<Lamps>(&history, &CheckRequest::new(Lamps::NAME), &|| false);
///     verdict.unwrap().answer()
/// };
/// let right = [switch("on", "hall"), switch("on", "stairs"), switch("off", "hall")];
/// assert_eq!(judge(right.concat()), Answer::Valid);
/// let wrong = [switch("on", "hall"), switch("on", "hall")];
/// assert_eq!(judge(wrong.concat()), Answer::Invalid);
/// ```
///
/// # Errors
/// When the operations or the initial value are not of the model's kind.
pub fn check_by<M: Model>(
    history: &History,
    request: &CheckRequest,
    stop: Stop<'_>,
) -> Result<Verdict, CheckError> {
    if history.operations().next().is_none() {
        return Ok(nothing_to_check(M::NAME));
    }
    guarded(M::NAME, || {
        linearizability::check::<M>(history, request, stop)
    })
}

fn nothing_to_check(checker: &'static str) -> Verdict {
    let why = "the history has no client operation, so there is nothing to check";
    Verdict::unknown(checker, why, Vec::new())
}

/// The checker that is asked for.
fn entry_of(request: &CheckRequest) -> Result<&'static CheckerEntry, CheckError> {
    let name = request.checker.as_str();
    CheckerEntry::named(name).ok_or_else(|| {
        let known: Vec<_> = REGISTRY.iter().map(|entry| entry.name).collect();
        CheckError::UnknownChecker {
            name: name.to_owned(),
            known: known.join(", "),
        }
    })
}
