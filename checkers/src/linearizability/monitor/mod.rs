//! Monitors: deciding linearizability in polynomial time, where every value is written or put in once.
//!
//! One file a kind of object. A monitor sees *deeds* only ([`Deed`](crate::model::Deed)): what operations do in terms
//! that several models share, their values as numbers. It answers with a linearization, or with a few operations that
//! exclude each other whatever the others did, or that it does not know, and then the search decides.
//!
//! All of them follow the same thought. A value that is put in once and taken out once is an interval of time in which
//! it is certainly there, and what may and may not overlap is a question about intervals: Gibbons and Korach, *Testing
//! Shared Memories*, SIAM J. Comput. 26(4), 1997; Bouajjani, Emmi, Enea and Hamza, *On Reducing Linearizability to State
//! Reachability*, ICALP 2015; Lee and Mathur, *Efficient Decrease-and-Conquer Linearizability Monitoring*, OOPSLA 2025;
//! Abdulla, Grahn, Jonsson, Krishna and Mishra, *Efficient Linearizability Monitoring*, PLDI 2025.

mod contents;
mod ordering;
mod priority_queue;
mod queue;
mod ready;
mod register;
mod stack;

pub(super) use ordering::by_key;

use tribunal_histories::ValueId;

use crate::model::Discipline;

/// The position of an event that never comes.
pub(super) const NEVER: u32 = u32::MAX;

/// What an operation does; its values are in its [`Mark`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Read,
    Write,
    Put,
    Take,
    TakeSome,
    TakeNone,
    Other,
    Cas,
}

impl Act {
    /// All but the compare-and-set, each at its number.
    const PLAIN: [Self; 7] = [
        Self::Read,
        Self::Write,
        Self::Put,
        Self::Take,
        Self::TakeSome,
        Self::TakeNone,
        Self::Other,
    ];
}

/// An operation in 16 bytes: in a long history what fresh memory costs is most of what a monitor costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The position of its invocation in the history, which names it.
    pub(super) invoked: u32,
    /// The position of its completion, or [`NEVER`].
    pub(super) returned: u32,
    /// Its value; of a compare-and-set the one that it found.
    pub(super) value: u32,
    /// The value that a compare-and-set stored; what else an operation does is a number that no value has.
    deed: u32,
}

const _: () = assert!(Act::PLAIN.len() < ValueId::SPARE as usize);

impl Mark {
    /// The number of the first act, where those of values end.
    const ACTS: u32 = u32::MAX - ValueId::SPARE + 1;

    /// No operation.
    pub(super) const NOTHING: Self = Self::new(Act::Other, NEVER);

    /// An operation that is not a compare-and-set, at no position yet.
    #[inline]
    pub(super) const fn new(act: Act, value: u32) -> Self {
        Self {
            invoked: NEVER,
            returned: NEVER,
            value,
            deed: Self::ACTS + act as u32,
        }
    }

    /// A compare-and-set.
    pub(super) const fn cas(found: u32, stored: u32) -> Self {
        Self {
            deed: stored,
            ..Self::new(Act::Other, found)
        }
    }

    /// The same between these positions.
    #[inline]
    #[must_use]
    pub(super) fn between(self, invoked: u32, returned: u32) -> Self {
        Self {
            invoked,
            returned,
            ..self
        }
    }

    /// What it does.
    #[inline]
    pub(super) fn act(&self) -> Act {
        let number = self.deed.checked_sub(Self::ACTS);
        let plain = number.and_then(|number| Act::PLAIN.get(number as usize));
        plain.copied().unwrap_or(Act::Cas)
    }

    /// Whether it does this.
    #[inline]
    pub(super) fn is(&self, act: Act) -> bool {
        match act {
            Act::Cas => self.deed < Self::ACTS,
            plain => self.deed == Self::ACTS + plain as u32,
        }
    }

    /// The value that a compare-and-set stored.
    #[inline]
    pub(super) fn stored(&self) -> Option<u32> {
        self.is(Act::Cas).then_some(self.deed)
    }

    /// Its values, to be numbered anew.
    #[inline]
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut u32> {
        let stored = Some(&mut self.deed).filter(|deed| **deed < Self::ACTS);
        let value = Some(&mut self.value).filter(|value| **value != NEVER);
        value.into_iter().chain(stored)
    }
}

/// The operations on one object, up to some event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deeds<'a> {
    /// In the order of their invocations.
    pub(super) marks: &'a [Mark],
    /// The values are less than this.
    pub(super) values: usize,
    /// Only the events before this position have happened.
    pub(super) end: u32,
}

impl<'a> Deeds<'a> {
    /// The operations that have begun; what has not returned yet has an unknown result. Reads with unknown results are
    /// left out: they constrain nothing.
    pub(super) fn iter(self) -> impl Iterator<Item = Mark> + 'a {
        let end = self.end;
        let begun = self.marks.iter().take_while(move |mark| mark.invoked < end);
        begun.filter_map(move |mark| {
            if mark.returned < end {
                return Some(*mark);
            }
            let unreturned = match mark.act() {
                Act::Read => return None,
                Act::Take | Act::TakeNone => Mark::new(Act::TakeSome, NEVER),
                _ => *mark,
            };
            Some(unreturned.between(mark.invoked, NEVER))
        })
    }

    /// The position of the last return.
    pub(super) fn last_return(self) -> u32 {
        let returns = self.marks.iter().map(|mark| mark.returned);
        returns.filter(|at| *at < self.end).max().unwrap_or(0)
    }

    /// The operation that returned at a position, by the position of its invocation.
    pub(super) fn returning_at(self, position: u32) -> Option<u32> {
        let mut marks = self.marks.iter();
        let found = marks.find(|mark| mark.returned == position);
        found.map(|mark| mark.invoked)
    }
}

/// What a monitor is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// A linearization.
    Order,
    /// Whether there is one.
    Existence,
}

/// What a monitor came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A linearization: operations by the positions of their invocations. None of them if only its existence was asked for.
    Order(Vec<u32>),
    /// Some operations exclude each other.
    Conflict(Conflict),
    /// It does not know, for this reason.
    Undecided(&'static str),
}

/// Operations, by the positions of their invocations, that exclude each other whatever the others did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conflict {
    /// These.
    pub(super) operations: Vec<u32>,
    /// With fewer of them, these might matter, had their results been others; no other operation could.
    pub(super) helpers: Vec<u32>,
}

impl Conflict {
    fn new(operations: Vec<u32>, helpers: Vec<u32>) -> Self {
        let [mut operations, mut helpers] = [operations, helpers].map(|mut list| {
            list.retain(|operation| *operation != NEVER);
            list.sort_unstable();
            list.dedup();
            list
        });
        operations.shrink_to_fit();
        helpers.retain(|operation| operations.binary_search(operation).is_err());
        Self {
            operations,
            helpers,
        }
    }
}

/// The name of the method by which a monitor decides.
pub(super) fn method(discipline: &Discipline) -> &'static str {
    match discipline {
        Discipline::Register(_) => "zones",
        Discipline::Fifo => "queue-monitor",
        Discipline::Lifo => "stack-monitor",
        Discipline::Priority => "priority-queue-monitor",
    }
}

/// Asks the monitor for a kind of object; a register's first value is the number 0.
pub(super) fn ask(discipline: &Discipline, deeds: Deeds<'_>, question: Question) -> Answer {
    match discipline {
        Discipline::Register(_) => register::judge(deeds, question),
        Discipline::Fifo => contents::judge(deeds, |all| queue::arrange(all, question)),
        Discipline::Lifo => contents::judge(deeds, |all| stack::arrange(all, question)),
        Discipline::Priority => {
            contents::judge(deeds, |all| priority_queue::arrange(all, question))
        }
    }
}
