//! One generator after another, or the same one again.

use std::collections::VecDeque;

use super::{Context, Generator, Next, Update};

/// Generators in order: the next begins when the one before it has no more operations.
#[derive(Clone)]
pub struct Seq {
    generators: VecDeque<Box<dyn Generator>>,
}

/// Each generator when the one before it has no more operations, though some of those may still be in flight.
/// Jepsen's sequences and `concat`.
pub fn seq(generators: impl IntoIterator<Item = Box<dyn Generator>>) -> Seq {
    Seq {
        generators: generators.into_iter().collect(),
    }
}

/// Each generator when all operations of the one before it have completed. Jepsen's `phases` and `then`.
pub fn phases(generators: impl IntoIterator<Item = Box<dyn Generator>>) -> Seq {
    seq(generators
        .into_iter()
        .map(|phase| phase.synchronize().boxed()))
}

impl Generator for Seq {
    fn op(&mut self, context: &mut Context) -> Next {
        while let Some(generator) = self.generators.front_mut() {
            match generator.op(context) {
                Next::Done => self.generators.pop_front(),
                next => return next,
            };
        }
        Next::Done
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        if let Some(generator) = self.generators.front_mut() {
            generator.update(context, event);
        }
    }
}

/// A barrier before a generator.
#[derive(Clone, Debug)]
pub struct Synchronize<G> {
    generator: G,
    passed: bool,
}

impl<G> Synchronize<G> {
    pub(super) fn new(generator: G) -> Self {
        let passed = false;
        Self { generator, passed }
    }
}

impl<G: Generator + Clone + 'static> Generator for Synchronize<G> {
    fn op(&mut self, context: &mut Context) -> Next {
        self.passed |= context.free() == context.threads();
        if self.passed {
            self.generator.op(context)
        } else {
            Next::BLOCKED
        }
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        self.generator.update(context, event);
    }
}

/// The first operation of a generator, again and again.
#[derive(Clone, Debug)]
pub struct Repeat<G> {
    generator: G,
}

impl<G> Repeat<G> {
    pub(super) fn new(generator: G) -> Self {
        Self { generator }
    }
}

impl<G: Generator + Clone + 'static> Generator for Repeat<G> {
    fn op(&mut self, context: &mut Context) -> Next {
        self.generator.clone().op(context)
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        self.generator.update(context, event);
    }
}

/// A generator from its beginning whenever it is done.
#[derive(Clone, Debug)]
pub struct Cycle<G> {
    generator: G,
    beginning: G,
}

impl<G: Clone> Cycle<G> {
    pub(super) fn new(generator: G) -> Self {
        Self {
            beginning: generator.clone(),
            generator,
        }
    }
}

impl<G: Generator + Clone + 'static> Generator for Cycle<G> {
    /// Done only if the generator is done from its very beginning.
    fn op(&mut self, context: &mut Context) -> Next {
        match self.generator.op(context) {
            Next::Done => {
                self.generator = self.beginning.clone();
                self.generator.op(context)
            }
            next => next,
        }
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        self.generator.update(context, event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::simulate::{perfect, write};

    #[test]
    fn a_sequence_goes_on_while_operations_are_in_flight() {
        let schedule = seq([write(1).boxed(), write(2).boxed(), write(3).boxed()]);
        insta::assert_snapshot!(perfect(2, schedule), @"
        0    1 invoke write 1
        0    0 invoke write 2
        10   1 ok     write 1
        10   1 invoke write 3
        10   0 ok     write 2
        20   1 ok     write 3
        ");
    }

    #[test]
    fn a_phase_waits_for_the_one_before_it() {
        let schedule = phases([
            seq([write(1).boxed(), write(2).boxed()]).boxed(),
            write(3).boxed(),
        ]);
        insta::assert_snapshot!(perfect(3, schedule), @"
        0    2 invoke write 1
        0    1 invoke write 2
        10   2 ok     write 1
        10   1 ok     write 2
        10   0 invoke write 3
        20   0 ok     write 3
        ");
    }

    #[test]
    fn repeat_does_not_advance_and_cycle_begins_anew() {
        let two = || seq([write(1).boxed(), write(2).boxed()]);
        insta::assert_snapshot!(perfect(1, two().repeat().limit(3)), @"
        0    0 invoke write 1
        10   0 ok     write 1
        10   0 invoke write 1
        20   0 ok     write 1
        20   0 invoke write 1
        30   0 ok     write 1
        ");
        insta::assert_snapshot!(perfect(1, two().cycle().limit(3)), @"
        0    0 invoke write 1
        10   0 ok     write 1
        10   0 invoke write 2
        20   0 ok     write 2
        20   0 invoke write 1
        30   0 ok     write 1
        ");
        insta::assert_snapshot!(perfect(1, seq([]).cycle()), @"");
    }
}
