//! When a generator ends.

use std::collections::BTreeSet;

use tribunal_histories::Kind;

use super::{Context, Generator, Next, Update};

/// A generator with a number of operations.
#[derive(Clone, Debug)]
pub struct Limit<G> {
    generator: G,
    left: usize,
}

impl<G> Limit<G> {
    pub(super) fn new(generator: G, left: usize) -> Self {
        Self { generator, left }
    }
}

impl<G: Generator + Clone + 'static> Generator for Limit<G> {
    fn op(&mut self, context: &mut Context) -> Next {
        if self.left == 0 {
            return Next::Done;
        }
        let next = self.generator.op(context);
        if matches!(next, Next::Operation(_)) {
            self.left -= 1;
        }
        next
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        self.generator.update(context, event);
    }
}

/// A generator with a number of processes.
#[derive(Clone, Debug)]
pub struct ProcessLimit<G> {
    generator: G,
    count: usize,
    seen: BTreeSet<u32>,
}

impl<G> ProcessLimit<G> {
    pub(super) fn new(generator: G, count: usize) -> Self {
        Self {
            generator,
            count,
            seen: BTreeSet::new(),
        }
    }
}

impl<G: Generator + Clone + 'static> Generator for ProcessLimit<G> {
    fn op(&mut self, context: &mut Context) -> Next {
        self.seen.extend(context.processes());
        if self.seen.len() > self.count {
            return Next::Done;
        }
        self.generator.op(context)
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        self.generator.update(context, event);
    }
}

/// A generator with a deadline.
#[derive(Clone, Debug)]
pub struct TimeLimit<G> {
    generator: G,
    duration_us: u64,
    deadline_us: Option<u64>,
}

impl<G> TimeLimit<G> {
    pub(super) fn new(generator: G, duration_us: u64) -> Self {
        Self {
            generator,
            duration_us,
            deadline_us: None,
        }
    }
}

impl<G: Generator + Clone + 'static> Generator for TimeLimit<G> {
    fn op(&mut self, context: &mut Context) -> Next {
        let deadline_us = *self
            .deadline_us
            .get_or_insert(context.time_us.saturating_add(self.duration_us));
        if context.time_us >= deadline_us {
            return Next::Done;
        }
        match self.generator.op(context) {
            // So that the end is noticed when it comes, and not when the next operation completes.
            Next::Pending { until_us } => Next::Pending {
                until_us: Some(until_us.map_or(deadline_us, |until_us| until_us.min(deadline_us))),
            },
            next => next,
        }
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        self.generator.update(context, event);
    }
}

/// A generator that ends with its first success.
#[derive(Clone, Debug)]
pub struct UntilOk<G> {
    generator: G,
    succeeded: bool,
    /// The processes that have an operation of this generator in flight.
    active: BTreeSet<u32>,
}

impl<G> UntilOk<G> {
    pub(super) fn new(generator: G) -> Self {
        Self {
            generator,
            succeeded: false,
            active: BTreeSet::new(),
        }
    }
}

impl<G: Generator + Clone + 'static> Generator for UntilOk<G> {
    fn op(&mut self, context: &mut Context) -> Next {
        if self.succeeded {
            return Next::Done;
        }
        let next = self.generator.op(context);
        if let Next::Operation(invocation) = &next {
            self.active.insert(invocation.process);
        }
        next
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        if event.kind != Kind::Invoke && self.active.remove(&event.invocation.process) {
            self.succeeded |= event.kind == Kind::Ok;
        }
        self.generator.update(context, event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::simulate::{imperfect, perfect, perfect_info, write};
    use crate::generator::{seq, sleep};

    #[test]
    fn a_limit_counts_operations() {
        insta::assert_snapshot!(perfect(2, write(1).repeat().limit(3)), @"
        0    1 invoke write 1
        0    0 invoke write 1
        10   1 ok     write 1
        10   1 invoke write 1
        10   0 ok     write 1
        20   1 ok     write 1
        ");
        insta::assert_snapshot!(perfect(2, write(1).repeat().limit(0)), @"");
    }

    #[test]
    fn a_process_limit_ends_when_too_many_are_retired() {
        let schedule = write(1).repeat().process_limit(4);
        insta::assert_snapshot!(perfect_info(2, schedule), @"
        0    1 invoke write 1
        0    0 invoke write 1
        10   1 info   write 1
        10   3 invoke write 1
        10   0 info   write 1
        10   2 invoke write 1
        20   3 info   write 1
        20   2 info   write 1
        ");
    }

    #[test]
    fn a_time_limit_ends_a_generator_that_waits() {
        let waits = seq([sleep(1_000).boxed(), write(1).boxed()]).time_limit(30);
        insta::assert_snapshot!(perfect(1, seq([waits.boxed(), write(2).boxed()])), @"
        30   0 invoke write 2
        40   0 ok     write 2
        ");
        insta::assert_snapshot!(perfect(1, write(1).repeat().time_limit(30)), @"
        0    0 invoke write 1
        10   0 ok     write 1
        10   0 invoke write 1
        20   0 ok     write 1
        20   0 invoke write 1
        30   0 ok     write 1
        ");
    }

    #[test]
    fn until_ok_ends_with_the_first_success() {
        // Every third completion of this simulation is ok.
        insta::assert_snapshot!(imperfect(1, write(1).repeat().until_ok()), @"
        0    0 invoke write 1
        10   0 fail   write 1
        10   0 invoke write 1
        20   0 info   write 1
        20   1 invoke write 1
        30   1 ok     write 1
        ");
    }

    #[test]
    fn until_ok_ignores_the_success_of_others() {
        // The third operation ends in ok, but is not one of those repeated: they go on to the sixth.
        let others = [write(7).boxed(), write(8).boxed(), write(9).boxed()];
        let until_ok = write(1).repeat().until_ok().boxed();
        insta::assert_snapshot!(imperfect(4, seq(others.into_iter().chain([until_ok]))), @"
        0    3 invoke write 7
        0    2 invoke write 8
        0    0 invoke write 9
        0    1 invoke write 1
        10   3 fail   write 7
        10   3 invoke write 1
        10   2 info   write 8
        10   6 invoke write 1
        10   0 ok     write 9
        10   0 invoke write 1
        10   1 fail   write 1
        10   1 invoke write 1
        20   3 info   write 1
        20   7 invoke write 1
        20   6 ok     write 1
        20   0 fail   write 1
        20   1 info   write 1
        30   7 ok     write 1
        ");
    }
}
