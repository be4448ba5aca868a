//! `lin-kv`: a linearizable key-value store.

use serde_json::{Map, Value};

use super::super::message::Endpoint;
use super::store::{State, parse};
use super::{Answer, Service};
use crate::draw::Draw;

/// One copy, one request at a time.
#[derive(Debug, Default)]
pub(super) struct LinKv {
    state: State,
}

impl Service for LinKv {
    fn answer(&mut self, _: Endpoint, kind: &str, fields: &Map<String, Value>, _: Draw) -> Answer {
        let (key, request) = parse(kind, fields)?;
        let effect = request.effect(&key, self.state.get(&key));
        if let Some(value) = effect.change {
            self.state.insert(key, value);
        }
        effect.answer
    }
}
