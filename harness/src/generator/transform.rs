//! The calls of a generator, changed or left out.

use super::{Call, Context, Generator, Next, Update};

/// A generator whose calls are rewritten.
#[derive(Clone, Debug)]
pub struct Map<G, F> {
    generator: G,
    rewrite: F,
}

impl<G, F> Map<G, F> {
    pub(super) fn new(generator: G, rewrite: F) -> Self {
        Self { generator, rewrite }
    }
}

impl<G, F> Generator for Map<G, F>
where
    G: Generator + Clone + 'static,
    F: FnMut(Call) -> Call + Clone + Send + 'static,
{
    fn op(&mut self, context: &mut Context) -> Next {
        match self.generator.op(context) {
            Next::Operation(mut invocation) => {
                invocation.call = (self.rewrite)(invocation.call);
                Next::Operation(invocation)
            }
            next => next,
        }
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        self.generator.update(context, event);
    }
}

/// A generator some of whose calls are left out.
#[derive(Clone, Debug)]
pub struct Filter<G, F> {
    generator: G,
    pass: F,
}

impl<G, F> Filter<G, F> {
    pub(super) fn new(generator: G, pass: F) -> Self {
        Self { generator, pass }
    }
}

impl<G, F> Generator for Filter<G, F>
where
    G: Generator + Clone + 'static,
    F: FnMut(&Call) -> bool + Clone + Send + 'static,
{
    fn op(&mut self, context: &mut Context) -> Next {
        loop {
            match self.generator.op(context) {
                Next::Operation(invocation) if !(self.pass)(&invocation.call) => {}
                next => return next,
            }
        }
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        self.generator.update(context, event);
    }
}

#[cfg(test)]
mod tests {
    use tribunal_histories::Value;

    use super::*;
    use crate::generator::calls;
    use crate::generator::simulate::{perfect, write};

    #[test]
    fn a_map_rewrites_calls() {
        let schedule = write(1).map(|call| Call {
            key: Value::Int(9),
            ..call
        });
        insta::assert_snapshot!(perfect(1, schedule), @"
        0    0 invoke write 9 1
        10   0 ok     write 9 1
        ");
    }

    #[test]
    fn a_filter_leaves_calls_out() {
        let mut next = 0_i64;
        let numbers = calls(move |_| {
            next += 1;
            Call::new("write", Value::Nil, next)
        });
        let even = numbers.filter(|call| call.value.as_int().is_some_and(|value| value % 2 == 0));
        insta::assert_snapshot!(perfect(1, even.limit(2)), @"
        0    0 invoke write 2
        10   0 ok     write 2
        10   0 invoke write 4
        20   0 ok     write 4
        ");
    }
}
