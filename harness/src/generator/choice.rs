//! Which of several generators goes next.

use super::{Context, Generator, Next, Update};

/// Generators that each take their share at random.
#[derive(Clone)]
pub struct Mix {
    generators: Vec<Box<dyn Generator>>,
    weights: Vec<u32>,
}

/// Each operation from one of the generators, drawn by weight; those that are done drop out. Jepsen's `mix`.
///
/// Which generator the n-th operation comes from is drawn once: if that one is pending, so is the mix, and the
/// shares do not depend on how often it was asked.
pub fn mix(generators: impl IntoIterator<Item = (u32, Box<dyn Generator>)>) -> Mix {
    let (weights, generators) = generators
        .into_iter()
        .filter(|(weight, _)| *weight > 0)
        .unzip();
    Mix {
        generators,
        weights,
    }
}

impl Generator for Mix {
    fn op(&mut self, context: &mut Context) -> Next {
        while !self.generators.is_empty() {
            let place = context.draw.weighted(&self.weights);
            match self.generators[place].op(context) {
                Next::Done => {
                    self.generators.remove(place);
                    self.weights.remove(place);
                }
                next => return next,
            }
        }
        Next::Done
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        for generator in &mut self.generators {
            generator.update(context, event);
        }
    }
}

/// Generators of which the first that is ready goes.
#[derive(Clone)]
pub struct Any {
    generators: Vec<Box<dyn Generator>>,
}

/// Each operation from a generator that has one now, beginning with a random one. Jepsen's `any`.
pub fn any(generators: impl IntoIterator<Item = Box<dyn Generator>>) -> Any {
    let generators = generators.into_iter().collect();
    Any { generators }
}

impl Generator for Any {
    fn op(&mut self, context: &mut Context) -> Next {
        let start = context.draw.index(self.generators.len());
        let (before, from) = self.generators.split_at_mut(start);
        let order = from.iter_mut().chain(before);
        Next::first_of(order.map(|generator| generator.op(context)))
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        for generator in &mut self.generators {
            generator.update(context, event);
        }
    }
}

/// Two generators in turn.
#[derive(Clone, Debug)]
pub struct FlipFlop<A, B> {
    flip: A,
    flop: B,
    flop_next: bool,
}

/// One operation of each in turn, until either is done. Jepsen's `flip-flop`.
pub fn flip_flop<A: Generator, B: Generator>(flip: A, flop: B) -> FlipFlop<A, B> {
    FlipFlop {
        flip,
        flop,
        flop_next: false,
    }
}

impl<A: Generator + Clone + 'static, B: Generator + Clone + 'static> Generator for FlipFlop<A, B> {
    fn op(&mut self, context: &mut Context) -> Next {
        let next = if self.flop_next {
            self.flop.op(context)
        } else {
            self.flip.op(context)
        };
        if matches!(next, Next::Operation(_)) {
            self.flop_next = !self.flop_next;
        }
        next
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        self.flip.update(context, event);
        self.flop.update(context, event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::simulate::{perfect, write};

    #[test]
    fn a_mix_keeps_its_weights_and_outlives_its_parts() {
        let schedule = mix([
            (0, write(0).boxed()),
            (3, write(1).repeat().boxed()),
            (1, write(2).repeat().limit(2).boxed()),
        ]);
        insta::assert_snapshot!(perfect(1, schedule.limit(12)), @"
        0    0 invoke write 2
        10   0 ok     write 2
        10   0 invoke write 1
        20   0 ok     write 1
        20   0 invoke write 1
        30   0 ok     write 1
        30   0 invoke write 2
        40   0 ok     write 2
        40   0 invoke write 1
        50   0 ok     write 1
        50   0 invoke write 1
        60   0 ok     write 1
        60   0 invoke write 1
        70   0 ok     write 1
        70   0 invoke write 1
        80   0 ok     write 1
        80   0 invoke write 1
        90   0 ok     write 1
        90   0 invoke write 1
        100  0 ok     write 1
        100  0 invoke write 1
        110  0 ok     write 1
        110  0 invoke write 1
        120  0 ok     write 1
        ");
    }

    #[test]
    fn any_takes_whoever_is_ready() {
        let slow = write(1).repeat().limit(2).delay(25);
        let fast = write(2).repeat().limit(4);
        insta::assert_snapshot!(perfect(2, any([slow.boxed(), fast.boxed()])), @"
        0    0 invoke write 2
        0    1 invoke write 2
        10   0 ok     write 2
        10   0 invoke write 1
        10   1 ok     write 2
        10   1 invoke write 2
        20   0 ok     write 1
        20   0 invoke write 2
        20   1 ok     write 2
        30   0 ok     write 2
        35   1 invoke write 1
        45   1 ok     write 1
        ");
    }

    #[test]
    fn flip_flop_alternates_until_one_is_done() {
        let schedule = flip_flop(write(1).repeat(), write(2).repeat().limit(1));
        insta::assert_snapshot!(perfect(1, schedule), @"
        0    0 invoke write 1
        10   0 ok     write 1
        10   0 invoke write 2
        20   0 ok     write 2
        20   0 invoke write 1
        30   0 ok     write 1
        ");
    }
}
