//! A key-value store, one key at a time.

use tribunal_histories::Value;

use super::cas_register::{CAS, from_and_to};
use super::prefixes::Prefixes;
use super::{
    Calls, Deed, Discipline, FailedCas, Misfit, Model, Recorded, Semantics, Shape, Verb,
    value_bytes,
};

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Entry {
    /// This value; nil when the key is absent.
    Value(Value),
    /// Some value that no operation observes, nor anything that grows from it. Only a reduced model has this.
    Unobserved,
}

/// An operation on one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KvOp {
    /// It returned this value.
    Get(Value),
    /// It stored this value.
    Put(Value),
    /// It appended this text.
    Append(Value),
    /// It found the first value and stored the second.
    Cas(Value, Value),
    /// It found another value than this.
    FoundOther(Value),
    /// It made the key absent.
    Delete,
}

/// A map from keys to values; the key is that of the event.
#[derive(Clone, Debug)]
pub struct Kv {
    initial: Value,
    semantics: Semantics,
    observed: Option<Prefixes>,
}

impl Kv {
    fn entry(&self, value: Value) -> Entry {
        match &self.observed {
            Some(observed) if !covered(observed, &value) => Entry::Unobserved,
            _ => Entry::Value(value),
        }
    }
}

/// What text is appended to: an absent value is the empty text, a number its digits.
fn as_text(value: &Value) -> String {
    match value {
        Value::Nil => String::new(),
        _ => value
            .as_name()
            .map_or_else(|| value.to_string(), str::to_owned),
    }
}

/// Whether some operation observes the value, or what it grows to.
fn covered(observed: &Prefixes, value: &Value) -> bool {
    observed.covers(value)
        || !matches!(value, Value::Text(_)) && observed.covers(&as_text(value).as_str().into())
}

impl Model for Kv {
    const NAME: &'static str = "kv";
    const ALIASES: &'static [&'static str] = &["key-value"];
    const ABOUT: &'static str = "A map from keys to values; the key is the event's `key`. A key that was never put, or \
                                 was deleted, is absent (nil) unless an initial value is given. Append concatenates \
                                 text, and an absent key is then the empty text.";
    const OPERATIONS: &'static [Shape] = &[
        Shape {
            names: &["get", "read", "r"],
            input: "",
            output: "value",
        },
        Shape {
            names: &["put", "write", "w"],
            input: "value",
            output: "",
        },
        Shape {
            names: &["append"],
            input: "text",
            output: "",
        },
        CAS,
        Shape {
            names: &["delete", "del"],
            input: "",
            output: "",
        },
    ];

    type State = Entry;
    type Op = KvOp;

    fn new(initial: &Value, semantics: Semantics) -> Result<Self, &'static str> {
        let initial = initial.clone();
        Ok(Self {
            initial,
            semantics,
            observed: None,
        })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<KvOp>, Misfit> {
        Ok(match recorded.function {
            "get" | "read" | "r" => recorded.read(self.semantics).map(KvOp::Get),
            "put" | "write" | "w" => Some(KvOp::Put(recorded.input.clone())),
            "append" => {
                recorded.input.as_name().ok_or(Misfit::Input)?;
                Some(KvOp::Append(recorded.input.clone()))
            }
            "cas" => {
                let (from, to) = from_and_to(recorded)?;
                Some(KvOp::Cas(from, to))
            }
            "delete" | "del" => Some(KvOp::Delete),
            _ => return Err(Misfit::Function),
        })
    }

    fn failed(&self, recorded: &Recorded<'_>) -> Result<Option<KvOp>, Misfit> {
        if recorded.function != "cas" || self.semantics.failed_cas == FailedCas::DidNotHappen {
            return Ok(None);
        }
        Ok(Some(KvOp::FoundOther(from_and_to(recorded)?.0)))
    }

    fn initial(&self) -> Entry {
        self.entry(self.initial.clone())
    }

    fn step(&self, state: &Entry, op: &KvOp) -> Option<Entry> {
        let found = |value: &Value| matches!(state, Entry::Value(held) if held == value);
        match op {
            KvOp::Get(value) => found(value).then(|| state.clone()),
            KvOp::Put(value) => Some(self.entry(value.clone())),
            KvOp::Append(end) => Some(match state {
                Entry::Value(start) => {
                    let grown = as_text(start) + &as_text(end);
                    self.entry(grown.as_str().into())
                }
                Entry::Unobserved => Entry::Unobserved,
            }),
            KvOp::Cas(from, to) => found(from).then(|| self.entry(to.clone())),
            KvOp::FoundOther(value) => (!found(value)).then(|| state.clone()),
            KvOp::Delete => Some(Entry::Value(Value::Nil)),
        }
    }

    fn bytes(&self, state: &Entry) -> usize {
        match state {
            Entry::Value(value) => value_bytes(value),
            Entry::Unobserved => size_of::<Entry>(),
        }
    }

    fn discipline(&self) -> Option<Discipline> {
        Some(Discipline::Register(self.initial.clone()))
    }

    fn deed<'a>(&self, op: &'a KvOp) -> Deed<'a> {
        match op {
            KvOp::Get(value) => Deed::Read(value),
            KvOp::Put(value) => Deed::Write(value),
            KvOp::Cas(from, to) => Deed::Cas(from, to),
            KvOp::Delete => Deed::Write(&Value::Nil),
            KvOp::Append(_) | KvOp::FoundOther(_) => Deed::Other,
        }
    }

    fn verb(&self, function: &str) -> Option<Verb> {
        match function {
            "get" | "read" | "r" => Some(Verb::read(self.semantics)),
            "put" | "write" | "w" => Some(Verb::Write),
            _ => None,
        }
    }

    fn observes_only(&self, op: &KvOp) -> bool {
        match op {
            KvOp::Get(_) | KvOp::FoundOther(_) => true,
            KvOp::Cas(from, to) => from == to,
            KvOp::Put(_) | KvOp::Append(_) | KvOp::Delete => false,
        }
    }

    fn reduce(&self, calls: &mut Calls<KvOp>) -> Self {
        let observed = calls.iter().filter_map(|(op, _)| match op {
            KvOp::Get(value) | KvOp::FoundOther(value) | KvOp::Cas(value, _) => Some(value.clone()),
            KvOp::Put(_) | KvOp::Append(_) | KvOp::Delete => None,
        });
        // An absent key reads as nil, and grows like the empty text.
        let observed = Prefixes::new(observed.chain([Value::Nil]));
        merge_unobserved(calls, &observed);
        Self {
            observed: Some(observed),
            ..self.clone()
        }
    }
}

/// Makes those operations equal that lead to [`Entry::Unobserved`] whatever they start from.
fn merge_unobserved(calls: &mut Calls<KvOp>, observed: &Prefixes) {
    let mut stored: Option<Value> = None;
    for op in calls.ops_mut() {
        if let KvOp::Put(value) | KvOp::Cas(_, value) = op
            && !covered(observed, value)
        {
            let first = stored.get_or_insert_with(|| value.clone());
            value.clone_from(first);
        }
    }
    let mut appended: Option<u32> = None;
    for (op, call) in calls.iter_mut() {
        // Looking for a text inside all others is worth it only where it prunes: among appends that may not have happened.
        if let KvOp::Append(value) = op
            && !call.required
            && !occurs(value, observed)
        {
            call.op = *appended.get_or_insert(call.op);
        }
    }
}

fn occurs(part: &Value, observed: &Prefixes) -> bool {
    let part = part.as_name().unwrap_or_default();
    observed
        .longest()
        .any(|value| value.as_name().is_some_and(|text| text.contains(part)))
}
