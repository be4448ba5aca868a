//! `lin-tso`: a linearizable source of timestamps, each greater than all before.

use serde_json::{Map, Value};

use super::super::message::Endpoint;
use super::{Answer, Refusal, Service};
use crate::draw::Draw;

/// A number that counts up.
#[derive(Debug, Default)]
pub(super) struct LinTso {
    last: u64,
}

impl Service for LinTso {
    fn answer(&mut self, _: Endpoint, kind: &str, _: &Map<String, Value>, _: Draw) -> Answer {
        if kind != "ts" {
            return Err(Refusal::unsupported(kind));
        }
        self.last += 1;
        let fields = Map::from_iter([("ts".to_owned(), Value::from(self.last))]);
        Ok(("ts_ok", fields))
    }
}
