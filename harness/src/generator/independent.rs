//! A test of one object, lifted to many: groups of threads, each at one key at a time.

use std::collections::VecDeque;

use tribunal_histories::Value;

use super::{Context, Generator, Next, Threads, Update};

/// Groups of threads that go from key to key.
#[derive(Clone)]
pub struct Independent<F> {
    threads_per_key: usize,
    keys: VecDeque<Value>,
    make: F,
    /// What each group does now; `None` when it found no key left.
    groups: Vec<Option<(Value, Box<dyn Generator>)>>,
}

/// A generator of its own for each key, made by `make`. The threads are divided into groups of
/// `threads_per_key` (those left over join the last one); each group takes a key, works through its generator
/// and takes the next. Jepsen's `independent/concurrent-generator`.
///
/// It keeps every object's history short, which is what a linearizability checker needs, and the whole long.
pub fn independent<F: FnMut(&Value) -> Box<dyn Generator> + Clone + Send + 'static>(
    threads_per_key: usize,
    keys: impl IntoIterator<Item = Value>,
    make: F,
) -> Independent<F> {
    Independent {
        threads_per_key: threads_per_key.max(1),
        keys: keys.into_iter().collect(),
        make,
        groups: Vec::new(),
    }
}

impl<F: FnMut(&Value) -> Box<dyn Generator>> Independent<F> {
    fn take_key(&mut self) -> Option<(Value, Box<dyn Generator>)> {
        let key = self.keys.pop_front()?;
        let generator = (self.make)(&key);
        Some((key, generator))
    }

    /// The threads of a group, of those that take part.
    fn members(&self, all: Threads, group: usize) -> Threads {
        let from = all.difference(all.lowest(group * self.threads_per_key));
        if group + 1 == self.groups.len() {
            from
        } else {
            from.lowest(self.threads_per_key)
        }
    }

    fn op_of(&mut self, group: usize, context: &mut Context) -> Next {
        let members = self.members(context.threads(), group);
        while let Some((key, generator)) = &mut self.groups[group] {
            match context.within(members, |part| generator.op(part)) {
                Next::Done => self.groups[group] = self.take_key(),
                Next::Operation(mut invocation) => {
                    invocation.call.key = key.clone();
                    return Next::Operation(invocation);
                }
                pending @ Next::Pending { .. } => return pending,
            }
        }
        Next::Done
    }
}

impl<F: FnMut(&Value) -> Box<dyn Generator> + Clone + Send + 'static> Generator for Independent<F> {
    fn op(&mut self, context: &mut Context) -> Next {
        if self.groups.is_empty() {
            let count = (context.threads().len() / self.threads_per_key).max(1);
            self.groups = (0..count).map(|_| self.take_key()).collect();
        }
        let count = self.groups.len();
        let start = context.draw.index(count);
        Next::first_of((start..start + count).map(|group| self.op_of(group % count, context)))
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        for group in 0..self.groups.len() {
            let members = self.members(context.threads(), group);
            if let Some((key, generator)) = &mut self.groups[group]
                && *key == event.invocation.call.key
            {
                context.within(members, |part| generator.update(part, event));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::once;
    use crate::generator::simulate::{perfect, write};
    use crate::generator::{Call, seq};

    #[test]
    fn each_group_takes_the_next_key_when_it_is_done_with_one() {
        let keys = (1..=3).map(Value::Int);
        let schedule = independent(2, keys, |_| write(0).repeat().limit(3).boxed());
        insta::assert_snapshot!(perfect(5, schedule), @"
        0    3 invoke write 2 0
        0    4 invoke write 2 0
        0    0 invoke write 1 0
        0    2 invoke write 2 0
        0    1 invoke write 1 0
        10   3 ok     write 2 0
        10   3 invoke write 3 0
        10   4 ok     write 2 0
        10   4 invoke write 3 0
        10   0 ok     write 1 0
        10   0 invoke write 1 0
        10   2 ok     write 2 0
        10   2 invoke write 3 0
        10   1 ok     write 1 0
        20   3 ok     write 3 0
        20   4 ok     write 3 0
        20   0 ok     write 1 0
        20   2 ok     write 3 0
        ");
    }

    #[test]
    fn a_key_learns_of_its_own_operations_only() {
        let make = |_: &Value| {
            let reads = once(Call::new("read", Value::Nil, Value::Nil)).repeat();
            seq([reads.until_ok().limit(9).boxed()]).boxed()
        };
        insta::assert_snapshot!(perfect(2, independent(1, [Value::Int(1), Value::Int(2)], make)), @"
        0    1 invoke read 2 nil
        0    0 invoke read 1 nil
        10   1 ok     read 2 nil
        10   0 ok     read 1 nil
        ");
    }
}
