//! Raft in scenarios: disks are described by a term, a vote and the terms of the log's entries, as the figures of
//! the paper draw them.

use super::Raft;
use super::log::{Entry, HardState, Payload, Term, Write};
use crate::contract::Durable;
use crate::scenario::Staged;

impl Staged for Raft {
    const MODEL: &'static str = "kv";

    /// `term 7 [vote n2] log 1 1 4`: the entries are no-ops.
    fn disk(words: &str) -> Option<HardState> {
        let (head, terms) = words.split_once(" log")?;
        let head: Vec<_> = head.split_whitespace().collect();
        let (term, voted_for) = match head[..] {
            ["term", term] => (term.parse().ok()?, None),
            ["term", term, "vote", node] => (term.parse().ok()?, Some(node.parse().ok()?)),
            _ => return None,
        };
        let terms: Vec<Term> = terms
            .split_whitespace()
            .map(|term| term.parse().ok())
            .collect::<Option<_>>()?;
        if !terms.is_sorted() || terms.last().is_some_and(|last| *last > term) {
            return None;
        }
        let entries = terms.into_iter().map(|term| Entry {
            term,
            payload: Payload::Noop,
        });
        let mut state = HardState::default();
        state.apply(&Write::Vote { term, voted_for });
        state.apply(&state.log.append(0, entries.collect()));
        Some(state)
    }

    fn value(&self, object: &str) -> Option<String> {
        Some(self.machine().read(object.parse().ok()?).to_string())
    }
}
