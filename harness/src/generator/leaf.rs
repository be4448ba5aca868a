//! The generators at the leaves: one call, or one made anew each time.

use super::{Call, Context, Generator, Next, Update};
use crate::draw::Draw;

/// One call, then nothing: Jepsen's plain map.
#[derive(Clone, Debug)]
pub struct Once {
    call: Option<Call>,
}

/// One call by any thread, then nothing. Jepsen's `once`.
pub fn once(call: Call) -> Once {
    Once { call: Some(call) }
}

impl Generator for Once {
    fn op(&mut self, context: &mut Context) -> Next {
        let Some(call) = &self.call else {
            return Next::Done;
        };
        let next = context.invoke(|_| call.clone());
        if matches!(next, Next::Operation(_)) {
            self.call = None;
        }
        next
    }

    fn update(&mut self, _: &mut Context, _: &Update<'_>) {}
}

/// A call made anew each time, for ever: Jepsen's plain function.
#[derive(Clone, Debug)]
pub struct Calls<F> {
    make: F,
}

/// A call made anew for each operation, for ever. What the function remembers is part of the generator's value.
pub fn calls<F: FnMut(&mut Draw) -> Call + Clone + Send + 'static>(make: F) -> Calls<F> {
    Calls { make }
}

impl<F: FnMut(&mut Draw) -> Call + Clone + Send + 'static> Generator for Calls<F> {
    fn op(&mut self, context: &mut Context) -> Next {
        context.invoke(&mut self.make)
    }

    fn update(&mut self, _: &mut Context, _: &Update<'_>) {}
}

#[cfg(test)]
mod tests {
    use tribunal_histories::Value;

    use super::*;
    use crate::generator::simulate::perfect;

    #[test]
    fn once_is_one_operation() {
        insta::assert_snapshot!(perfect(2, once(Call::new("read", 0_i64, Value::Nil))), @"
        0    1 invoke read 0 nil
        10   1 ok     read 0 nil
        ");
    }

    #[test]
    fn calls_remember_and_draw() {
        let mut next = 0_i64;
        let writes = calls(move |draw| {
            next += 1;
            Call::new("write", *draw.pick(&[7_i64, 8, 9]), next)
        });
        insta::assert_snapshot!(perfect(2, writes.limit(4)), @"
        0    1 invoke write 8 1
        0    0 invoke write 8 2
        10   1 ok     write 8 1
        10   1 invoke write 8 3
        10   0 ok     write 8 2
        10   0 invoke write 8 4
        20   1 ok     write 8 3
        20   0 ok     write 8 4
        ");
    }
}
