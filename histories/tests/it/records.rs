//! Arbitrary histories for the properties.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tribunal_histories::{EventRecord, Kind, Process, Value};

/// A value of any shape, a few levels deep.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let name = "[a-z][a-z0-9-]{0,6}";
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        prop_oneof![
            Just(0.5),
            Just(1.0),
            Just(-0.0),
            any::<i32>().prop_map(f64::from)
        ]
        .prop_map(|number: f64| Value::Number(number.to_string().into())),
        any::<String>().prop_map(|text| Value::text(&text)),
        name.prop_map(|name| Value::keyword(&name)),
    ];
    leaf.prop_recursive(3, 24, 5, move |inner| {
        let items = || prop::collection::vec(inner.clone(), 0..5);
        let entry = (name.prop_map(|name| Value::keyword(&name)), inner.clone());
        prop_oneof![
            items().prop_map(Value::list),
            items().prop_map(Value::set),
            prop::collection::vec(entry, 0..4).prop_map(Value::map),
        ]
    })
}

fn event() -> impl Strategy<Value = EventRecord> {
    let process = prop_oneof![
        9 => any::<u32>().prop_map(Process::Client),
        1 => Just(Process::Nemesis)
    ];
    let kind = prop::sample::select(vec![Kind::Invoke, Kind::Ok, Kind::Fail, Kind::Info]);
    let function = prop::sample::select(vec!["read", "write", "cas", "txn", "two words"]);
    let time_ns = prop::option::of(0..i64::MAX.unsigned_abs());
    let extra = prop::collection::btree_map("x-[a-z]{1,4}", value(), 0..2);
    (
        process,
        kind,
        function,
        time_ns,
        [value(), value(), value()],
        extra,
    )
        .prop_map(
            |(process, kind, function, time_ns, [key, value, error], extra)| EventRecord {
                time_ns,
                error,
                extra: extra_fields(extra),
                ..EventRecord::new(process, kind, function, key, value)
            },
        )
}

fn extra_fields(fields: BTreeMap<String, Value>) -> Value {
    if fields.is_empty() {
        return Value::Nil;
    }
    Value::map(
        fields
            .iter()
            .map(|(name, value)| (Value::text(name), value.clone())),
    )
}

/// Events in any order: formats know nothing of the rules of histories.
pub(crate) fn events() -> impl Strategy<Value = Vec<EventRecord>> {
    prop::collection::vec(event(), 1..8)
}
