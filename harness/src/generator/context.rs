//! What a generator may look at: the time, the threads, the processes they are, and randomness.

use crate::draw::Draw;

/// A set of threads, numbered from 0 to 127.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Threads(u128);

impl Threads {
    /// The most threads that there can be.
    pub const MAX: usize = 128;

    /// The threads 0 to `count - 1`.
    ///
    /// # Panics
    /// Beyond [`Threads::MAX`].
    pub fn first(count: usize) -> Self {
        (0..count).fold(Self::default(), Self::with)
    }

    /// This set and one thread more.
    ///
    /// # Panics
    /// Beyond [`Threads::MAX`].
    #[must_use]
    pub fn with(self, thread: usize) -> Self {
        assert!(
            thread < Self::MAX,
            "thread {thread}: there are at most {}",
            Self::MAX
        );
        Self(self.0 | 1 << thread)
    }

    /// This set without one thread.
    #[must_use]
    pub fn without(self, thread: usize) -> Self {
        self.difference(Self::default().with(thread))
    }

    /// The threads of both.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The threads of this set that the other does not have.
    #[must_use]
    pub fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the thread is one of them.
    pub fn contains(self, thread: usize) -> bool {
        thread < Self::MAX && self.0 >> thread & 1 == 1
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The threads in order.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..Self::MAX).filter(move |thread| self.contains(*thread))
    }

    /// The lowest `count` of them, or all if they are fewer.
    #[must_use]
    pub fn lowest(self, count: usize) -> Self {
        self.iter().take(count).fold(Self::default(), Self::with)
    }
}

/// The moment at which a generator is asked.
///
/// A thread is a place for one client; the process that it is changes whenever an operation of its ends in
/// `info`. A generator inside `on_threads`, `reserve`, `each_thread` or `independent` sees only its own threads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Context {
    /// Microseconds since the start of the run.
    pub time_us: u64,
    /// Where random decisions come from. It is keyed anew for each operation, so what the n-th operation is does
    /// not depend on how often a generator was asked before.
    pub draw: Draw,
    threads: Threads,
    free: Threads,
    processes: Vec<u32>,
}

impl Context {
    /// `concurrency` free threads at time 0, each the process of its own number.
    ///
    /// # Panics
    /// Beyond [`Threads::MAX`].
    pub(super) fn new(concurrency: usize, draw: Draw) -> Self {
        Self {
            time_us: 0,
            draw,
            threads: Threads::first(concurrency),
            free: Threads::first(concurrency),
            processes: (0..).take(concurrency).collect(),
        }
    }

    /// The threads that take part.
    pub fn threads(&self) -> Threads {
        self.threads
    }

    /// Those of them that have no operation in flight.
    pub fn free(&self) -> Threads {
        self.free
    }

    /// The processes that the threads are now.
    pub fn processes(&self) -> impl Iterator<Item = u32> + '_ {
        self.threads.iter().map(|thread| self.processes[thread])
    }

    /// A call by a free thread, drawn at random, or [`Next::Pending`](super::Next) if all are busy.
    pub fn invoke(&mut self, call: impl FnOnce(&mut Draw) -> super::Call) -> super::Next {
        let place = self.draw.index(self.free.len());
        let Some(thread) = self.free.iter().nth(place) else {
            return super::Next::BLOCKED;
        };
        super::Next::Operation(super::Invocation {
            thread,
            process: self.processes[thread],
            call: call(&mut self.draw),
        })
    }

    /// What `see` sees when only these threads exist.
    pub(super) fn within<R>(&mut self, threads: Threads, see: impl FnOnce(&mut Self) -> R) -> R {
        let whole = (self.threads, self.free);
        self.threads = self.threads.intersection(threads);
        self.free = self.free.intersection(threads);
        let result = see(self);
        (self.threads, self.free) = whole;
        result
    }

    /// The thread begins an operation.
    pub(super) fn occupy(&mut self, thread: usize) {
        self.free = self.free.without(thread);
    }

    /// The thread's operation ended.
    pub(super) fn release(&mut self, thread: usize) {
        self.free = self.free.with(thread);
    }

    /// The thread's process ended in doubt: the thread becomes a new process, its number higher by the
    /// concurrency, as in Jepsen.
    pub(super) fn retire(&mut self, thread: usize) {
        let concurrency = u32::try_from(self.processes.len()).unwrap_or(u32::MAX);
        self.processes[thread] += concurrency;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Domain;

    #[test]
    fn sets_of_threads() {
        let some = Threads::first(3).with(127);
        assert_eq!(some.iter().collect::<Vec<_>>(), [0, 1, 2, 127]);
        assert_eq!(some.without(1).len(), 3);
        assert_eq!(some.lowest(2), Threads::first(2));
        assert_eq!(some.lowest(9), some);
        assert_eq!(
            some.difference(Threads::first(3)),
            Threads::default().with(127)
        );
        assert!(some.intersection(Threads::default()).is_empty());
        assert!(!some.contains(128));
    }

    #[test]
    fn a_part_of_the_context_is_seen_and_the_whole_comes_back() {
        let mut context = Context::new(4, Draw::keyed(0, Domain::Generator, 0, 0));
        context.occupy(1);
        context.retire(2);
        let whole = context.clone();
        let (free, processes) = context.within(Threads::first(3).without(0), |part| {
            (part.free(), part.processes().collect::<Vec<_>>())
        });
        assert_eq!(free, Threads::default().with(2));
        assert_eq!(processes, [1, 6]);
        assert_eq!(context, whole);
    }
}
