//! `seq-kv`: a sequentially consistent key-value store.
//!
//! All clients see the same states in the same order, but not at the same time: what changes nothing may be answered
//! from an old state, only never from an older one than the client has seen. As many states are kept as Maelstrom
//! keeps.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::message::Endpoint;
use super::store::{State, parse};
use super::{Answer, Service};
use crate::draw::Draw;

/// So many states can be seen.
const STATES_MAX: usize = 32;

/// The last states, and how far each client has seen.
#[derive(Debug)]
pub(super) struct SeqKv {
    states: VecDeque<Arc<State>>,
    /// The number of the first state that is kept.
    first: u64,
    seen: BTreeMap<Endpoint, u64>,
}

impl Default for SeqKv {
    fn default() -> Self {
        Self {
            states: VecDeque::from([Arc::default()]),
            first: 0,
            seen: BTreeMap::new(),
        }
    }
}

impl Service for SeqKv {
    fn answer(
        &mut self,
        from: Endpoint,
        kind: &str,
        fields: &Map<String, Value>,
        mut draw: Draw,
    ) -> Answer {
        let (key, request) = parse(kind, fields)?;
        let latest = self.first + self.states.len() as u64 - 1;
        let seen = self.seen.entry(from).or_default();
        let number = draw.between((*seen).max(self.first), latest);
        let place = usize::try_from(number - self.first).unwrap_or_default();
        let effect = request.effect(&key, self.states[place].get(&key));
        if effect.change.is_none() {
            *seen = number;
            return effect.answer;
        }
        // Changes are made to the latest state; there the answer may be another.
        let mut state = self.states.back().cloned().unwrap_or_default();
        let effect = request.effect(&key, state.get(&key));
        *seen = latest;
        if let Some(value) = effect.change {
            Arc::make_mut(&mut state).insert(key, value);
            self.states.push_back(state);
            *seen += 1;
            if self.states.len() > STATES_MAX {
                self.states.pop_front();
                self.first += 1;
            }
        }
        effect.answer
    }
}
