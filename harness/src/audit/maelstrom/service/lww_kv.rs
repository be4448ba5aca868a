//! `lww-kv`: an eventually consistent key-value store in which the last write wins.
//!
//! Five replicas, as Maelstrom's documentation has it. A request reaches any of them; replicas tell one another now and
//! then; of two values for a key the later written stays, and an acknowledged write may so be lost.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::message::Endpoint;
use super::store::parse;
use super::{Answer, Service};
use crate::draw::Draw;

const REPLICAS: usize = 5;

/// Two replicas tell each other what they have before so many requests of a million.
const MERGE_PPM: u32 = 500_000;

/// What each replica has: by key, the value and when it was written.
#[derive(Debug, Default)]
pub(super) struct LwwKv {
    replicas: [BTreeMap<String, (u64, Value)>; REPLICAS],
    /// The time: how many requests there were.
    now: u64,
}

impl LwwKv {
    /// One replica takes from another what was written later.
    fn pull(&mut self, to: usize, from: usize) {
        for (key, theirs) in self.replicas[from].clone() {
            let ours = self.replicas[to].get(&key);
            if ours.is_none_or(|ours| ours.0 < theirs.0) {
                self.replicas[to].insert(key, theirs);
            }
        }
    }
}

impl Service for LwwKv {
    fn answer(
        &mut self,
        _: Endpoint,
        kind: &str,
        fields: &Map<String, Value>,
        mut draw: Draw,
    ) -> Answer {
        let (key, request) = parse(kind, fields)?;
        self.now += 1;
        let (one, other) = (draw.index(REPLICAS), draw.index(REPLICAS));
        if draw.chance(MERGE_PPM) {
            self.pull(one, other);
            self.pull(other, one);
        }
        let replica = draw.index(REPLICAS);
        let current = self.replicas[replica].get(&key).map(|(_, value)| value);
        let effect = request.effect(&key, current);
        if let Some(value) = effect.change {
            self.replicas[replica].insert(key, (self.now, value));
        }
        effect.answer
    }
}
