//! What an operation knew: which changes are in its causal past, by what clients can tell.
//!
//! A process knows its own earlier operations, and with a value that it reads everything that the value's author knew
//! when it wrote it (Ahamad et al., *Causal memory*, 1995: program order and reads-from). Values that several changes
//! gave say nothing about their author.

use std::collections::BTreeMap;

use tribunal_histories::{Process, Value};

use super::{Op, What};

/// Changes that are known: by process, the position of its latest that is.
#[derive(Clone, Debug, Default)]
pub(super) struct Past(BTreeMap<Process, usize>);

impl Past {
    /// Whether a change is known.
    pub(super) fn has(&self, change: &Op) -> bool {
        let process = change.operation.process;
        self.0
            .get(&process)
            .is_some_and(|latest| *latest >= change.operation.invoked)
    }

    fn add(&mut self, change: &Op) {
        let latest = self.0.entry(change.operation.process).or_default();
        *latest = change.operation.invoked.max(*latest);
    }

    fn join(&mut self, other: &Self) {
        for (process, position) in &other.0 {
            let latest = self.0.entry(*process).or_default();
            *latest = (*position).max(*latest);
        }
    }
}

/// By the position of an operation's invocation, what it knew when it began. Of a compare-and-set also what it saw.
pub(super) fn pasts<'a>(ops: impl Iterator<Item = &'a Op> + Clone) -> BTreeMap<usize, Past> {
    let mut moments: Vec<(usize, &Op)> = Vec::new();
    for op in ops.clone() {
        moments.push((op.operation.invoked, op));
        moments.extend(op.operation.returned.map(|returned| (returned, op)));
    }
    moments.sort_unstable_by_key(|(position, _)| *position);
    let authors = authors(ops);
    let mut known: BTreeMap<Process, Past> = BTreeMap::new();
    let mut pasts: BTreeMap<usize, Past> = BTreeMap::new();
    for (position, op) in moments {
        let (process, invoked) = (op.operation.process, op.operation.invoked);
        let begins = position == invoked;
        let mine = known.entry(process).or_default();
        let saw = match &op.what {
            What::Cas(from, _) if op.happened() => Some(from),
            What::Read(value) if !begins => Some(value),
            _ => None,
        };
        let author = saw.and_then(|value| authors.get(&(&op.key, value)).copied().flatten());
        if let Some(author) = author
            && let Some(past) = pasts.get(&author.operation.invoked)
        {
            mine.join(past);
            mine.add(author);
        }
        if begins {
            pasts.insert(invoked, mine.clone());
        } else if op.gives().is_some() && op.happened() {
            mine.add(op);
        }
    }
    pasts
}

/// By key and value, the one change that gave it; `None` if several did.
fn authors<'a>(
    ops: impl Iterator<Item = &'a Op>,
) -> BTreeMap<(&'a Value, &'a Value), Option<&'a Op>> {
    let mut authors = BTreeMap::new();
    for op in ops {
        if let Some(value) = op.gives().filter(|value| !value.is_nil()) {
            authors
                .entry((&op.key, value))
                .and_modify(|author| *author = None)
                .or_insert(Some(op));
        }
    }
    authors
}
