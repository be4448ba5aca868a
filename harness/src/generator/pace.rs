//! How fast operations come.

use super::{Context, Generator, Next, Update};

/// A generator with random gaps between its operations.
#[derive(Clone, Debug)]
pub struct Stagger<G> {
    generator: G,
    mean_us: u64,
    due_us: u64,
}

impl<G> Stagger<G> {
    pub(super) fn new(generator: G, mean_us: u64) -> Self {
        Self {
            generator,
            mean_us,
            due_us: 0,
        }
    }
}

impl<G: Generator + Clone + 'static> Generator for Stagger<G> {
    fn op(&mut self, context: &mut Context) -> Next {
        let next = paced(&mut self.generator, context, self.due_us);
        if matches!(next, Next::Operation(_)) {
            self.due_us = context.time_us + context.draw.between(0, self.mean_us.saturating_mul(2));
        }
        next
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        self.generator.update(context, event);
    }
}

/// A generator with the same gap between any two operations.
#[derive(Clone, Debug)]
pub struct Delay<G> {
    generator: G,
    gap_us: u64,
    due_us: u64,
}

impl<G> Delay<G> {
    pub(super) fn new(generator: G, gap_us: u64) -> Self {
        Self {
            generator,
            gap_us,
            due_us: 0,
        }
    }
}

impl<G: Generator + Clone + 'static> Generator for Delay<G> {
    fn op(&mut self, context: &mut Context) -> Next {
        let next = paced(&mut self.generator, context, self.due_us);
        if matches!(next, Next::Operation(_)) {
            self.due_us = context.time_us.saturating_add(self.gap_us);
        }
        next
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        self.generator.update(context, event);
    }
}

/// The generator is not asked before its operation is due: to ask is to commit.
fn paced(generator: &mut impl Generator, context: &mut Context, due_us: u64) -> Next {
    if context.time_us < due_us {
        return Next::Pending {
            until_us: Some(due_us),
        };
    }
    generator.op(context)
}

/// A pause between generators.
#[derive(Clone, Debug)]
pub struct Sleep {
    duration_us: u64,
    until_us: Option<u64>,
}

/// No operation for that long, then done. Jepsen's `sleep`, for use in [`seq`](super::seq).
pub fn sleep(duration_us: u64) -> Sleep {
    Sleep {
        duration_us,
        until_us: None,
    }
}

impl Generator for Sleep {
    fn op(&mut self, context: &mut Context) -> Next {
        let until_us = *self
            .until_us
            .get_or_insert(context.time_us.saturating_add(self.duration_us));
        if context.time_us < until_us {
            return Next::Pending {
                until_us: Some(until_us),
            };
        }
        Next::Done
    }

    fn update(&mut self, _: &mut Context, _: &Update<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::seq;
    use crate::generator::simulate::{perfect, write};

    #[test]
    fn staggered_operations_come_at_random_moments() {
        insta::assert_snapshot!(perfect(3, write(1).repeat().limit(5).stagger(20)), @"
        0    2 invoke write 1
        10   2 ok     write 1
        19   2 invoke write 1
        29   2 ok     write 1
        41   0 invoke write 1
        51   0 ok     write 1
        58   2 invoke write 1
        68   2 ok     write 1
        77   0 invoke write 1
        87   0 ok     write 1
        ");
    }

    #[test]
    fn delayed_operations_come_at_even_moments() {
        insta::assert_snapshot!(perfect(3, write(1).repeat().limit(3).delay(4)), @"
        0    2 invoke write 1
        4    1 invoke write 1
        8    0 invoke write 1
        10   2 ok     write 1
        14   1 ok     write 1
        18   0 ok     write 1
        ");
    }

    #[test]
    fn a_sleep_is_a_pause() {
        let schedule = seq([write(1).boxed(), sleep(50).boxed(), write(2).boxed()]);
        insta::assert_snapshot!(perfect(1, schedule), @"
        0    0 invoke write 1
        10   0 ok     write 1
        50   0 invoke write 2
        60   0 ok     write 2
        ");
    }
}
