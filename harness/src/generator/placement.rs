//! Which threads a generator has.

use super::{Context, Generator, Next, Threads, Update};

/// A generator for some threads only.
#[derive(Clone, Debug)]
pub struct OnThreads<G> {
    generator: G,
    threads: Threads,
}

impl<G> OnThreads<G> {
    pub(super) fn new(generator: G, threads: Threads) -> Self {
        Self { generator, threads }
    }
}

impl<G: Generator + Clone + 'static> Generator for OnThreads<G> {
    fn op(&mut self, context: &mut Context) -> Next {
        context.within(self.threads, |part| self.generator.op(part))
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        if self.threads.contains(event.invocation.thread) {
            context.within(self.threads, |part| self.generator.update(part, event));
        }
    }
}

/// Generators that have threads of their own.
#[derive(Clone)]
pub struct Reserve {
    /// The last one has all threads that are left.
    generators: Vec<(usize, Box<dyn Generator>)>,
}

/// The first `n` threads for the first generator, the next for the second and so on; the rest for the last.
/// Jepsen's `reserve`: so readers go on while writers wait, and the reverse.
pub fn reserve(
    reserved: impl IntoIterator<Item = (usize, Box<dyn Generator>)>,
    rest: Box<dyn Generator>,
) -> Reserve {
    let rest = (Threads::MAX, rest);
    Reserve {
        generators: reserved.into_iter().chain([rest]).collect(),
    }
}

impl Reserve {
    /// The generators with the threads of each, of those that take part.
    fn shares(&mut self, mut left: Threads) -> Vec<(Threads, &mut Box<dyn Generator>)> {
        let mut share = |count| {
            let share = left.lowest(count);
            left = left.difference(share);
            share
        };
        self.generators
            .iter_mut()
            .map(|(count, generator)| (share(*count), generator))
            .collect()
    }
}

impl Generator for Reserve {
    fn op(&mut self, context: &mut Context) -> Next {
        let mut shares = self.shares(context.threads());
        shares.retain(|(threads, _)| !threads.is_empty());
        // Begin with one drawn by its number of free threads, so that no share starves another.
        let free = shares
            .iter()
            .map(|(threads, _)| context.free().intersection(*threads).len());
        let free: Vec<u32> = free
            .map(|count| u32::try_from(count).unwrap_or(u32::MAX))
            .collect();
        if free.iter().any(|count| *count > 0) {
            let start = context.draw.weighted(&free);
            shares.rotate_left(start);
        }
        let asks = shares
            .into_iter()
            .map(|(threads, generator)| context.within(threads, |part| generator.op(part)));
        Next::first_of(asks)
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        for (threads, generator) in self.shares(context.threads()) {
            if threads.contains(event.invocation.thread) {
                context.within(threads, |part| generator.update(part, event));
            }
        }
    }
}

/// A copy of a generator for each thread.
#[derive(Clone, Debug)]
pub struct EachThread<G> {
    beginning: G,
    /// By thread; absent until the thread is first free.
    copies: Vec<Option<G>>,
}

impl<G> EachThread<G> {
    pub(super) fn new(beginning: G) -> Self {
        Self {
            beginning,
            copies: Vec::new(),
        }
    }
}

impl<G: Generator + Clone + 'static> Generator for EachThread<G> {
    fn op(&mut self, context: &mut Context) -> Next {
        let mut threads: Vec<usize> = context.threads().iter().collect();
        let start = context.draw.index(threads.len());
        threads.rotate_left(start);
        self.copies.resize(Threads::MAX, None);
        let asks = threads.into_iter().map(|thread| {
            let copy = self.copies[thread].get_or_insert_with(|| self.beginning.clone());
            context.within(Threads::default().with(thread), |alone| copy.op(alone))
        });
        Next::first_of(asks)
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        let thread = event.invocation.thread;
        if let Some(Some(copy)) = self.copies.get_mut(thread) {
            context.within(Threads::default().with(thread), |alone| {
                copy.update(alone, event)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::seq;
    use crate::generator::simulate::{imperfect, perfect, write};

    #[test]
    fn only_the_chosen_threads_take_part() {
        let schedule = write(1)
            .repeat()
            .limit(3)
            .on_threads(Threads::default().with(2));
        insta::assert_snapshot!(perfect(3, schedule), @"
        0    2 invoke write 1
        10   2 ok     write 1
        10   2 invoke write 1
        20   2 ok     write 1
        20   2 invoke write 1
        30   2 ok     write 1
        ");
    }

    #[test]
    fn reserved_threads_are_not_taken_by_others() {
        let schedule = reserve(
            [
                (1, write(1).repeat().limit(2).boxed()),
                (2, write(2).repeat().boxed()),
            ],
            write(3).repeat().limit(1).boxed(),
        );
        insta::assert_snapshot!(perfect(4, schedule.limit(8)), @"
        0    3 invoke write 3
        0    2 invoke write 2
        0    0 invoke write 1
        0    1 invoke write 2
        10   3 ok     write 3
        10   2 ok     write 2
        10   2 invoke write 2
        10   0 ok     write 1
        10   0 invoke write 1
        10   1 ok     write 2
        10   1 invoke write 2
        20   2 ok     write 2
        20   2 invoke write 2
        20   0 ok     write 1
        20   1 ok     write 2
        30   2 ok     write 2
        ");
    }

    #[test]
    fn a_reserve_with_too_few_threads_still_ends() {
        let schedule = reserve([(2, write(1).boxed())], write(2).boxed());
        insta::assert_snapshot!(perfect(2, schedule), @"
        0    0 invoke write 1
        10   0 ok     write 1
        ");
    }

    #[test]
    fn each_thread_does_everything() {
        let schedule = seq([write(1).boxed(), write(2).boxed()]).each_thread();
        insta::assert_snapshot!(perfect(2, schedule), @"
        0    1 invoke write 1
        0    0 invoke write 1
        10   1 ok     write 1
        10   1 invoke write 2
        10   0 ok     write 1
        10   0 invoke write 2
        20   1 ok     write 2
        20   0 ok     write 2
        ");
    }

    #[test]
    fn each_thread_learns_of_its_own_operations() {
        insta::assert_snapshot!(imperfect(2, write(1).repeat().until_ok().each_thread()), @"
        0    1 invoke write 1
        0    0 invoke write 1
        10   1 fail   write 1
        10   1 invoke write 1
        10   0 info   write 1
        10   2 invoke write 1
        20   1 ok     write 1
        20   2 fail   write 1
        20   2 invoke write 1
        30   2 info   write 1
        30   4 invoke write 1
        40   4 ok     write 1
        ");
    }
}
