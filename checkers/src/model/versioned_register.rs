//! A register whose value has a version, as a key of etcd or a node of ZooKeeper has.

use rustc_hash::FxHashSet;
use tribunal_histories::Value;

use super::register::merge_unobserved;
use super::{Calls, FailedCas, Misfit, Model, NilRead, Recorded, Semantics, Shape, value_bytes};

/// An operation on a versioned register. A version is what the register had after it, where that is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VersionedOp {
    /// It returned this version and this value, as far as they are known.
    Read(Option<i64>, Option<Value>),
    /// It stored this value.
    Write(Option<i64>, Value),
    /// It found the first value and stored the second.
    Cas(Option<i64>, Value, Value),
    /// It found this version and stored this value.
    CasVersion(Option<i64>, i64, Value),
    /// It found another value than this.
    FoundOther(Value),
    /// It found another version than this.
    FoundOtherVersion(i64),
    /// The register is as if it had never been written.
    Delete,
}

/// A register with `read`, `write`, `cas` by value, `cas-version` and `delete`.
#[derive(Clone, Debug)]
pub struct VersionedRegister {
    initial: (i64, Value),
    semantics: Semantics,
}

/// Two values in a list.
fn pair(value: &Value) -> Option<(&Value, &Value)> {
    match value.as_items() {
        Some([first, second]) => Some((first, second)),
        _ => None,
    }
}

/// A version where it is known: nil is not.
fn version(value: &Value) -> Option<Option<i64>> {
    match value {
        Value::Nil => Some(None),
        other => other.as_int().map(Some),
    }
}

/// The version that a change returned: `[version …]`, the version alone, or nothing.
fn version_after(recorded: &Recorded<'_>) -> Result<Option<i64>, Misfit> {
    let Some(output) = &recorded.output else {
        return Ok(None);
    };
    let returned = pair(output).map_or(output, |(version, _)| version);
    version(returned).ok_or(Misfit::Output)
}

impl VersionedRegister {
    fn read(&self, recorded: &Recorded<'_>) -> Result<Option<VersionedOp>, Misfit> {
        let output = recorded.output.as_ref().filter(|output| !output.is_nil());
        let Some(output) = output else {
            return Ok(None);
        };
        let (found, value) = pair(output).ok_or(Misfit::Output)?;
        let found = version(found).ok_or(Misfit::Output)?;
        let nil_counts = self.semantics.nil_read == NilRead::Absent;
        let value = Some(value.clone()).filter(|value| nil_counts || !value.is_nil());
        let constrains = found.is_some() || value.is_some();
        Ok(constrains.then_some(VersionedOp::Read(found, value)))
    }
}

impl Model for VersionedRegister {
    const NAME: &'static str = "versioned-register";
    const ABOUT: &'static str = "One value with a version, which every change makes greater by 1; 0 while it is absent. \
                                 Values are pairs of a version and a value, as in Jepsen's tests of etcd, with nil for a \
                                 version that is not known. The initial value is such a pair.";
    const OPERATIONS: &'static [Shape] = &[
        Shape {
            names: &["read", "r"],
            input: "",
            output: "[version value]",
        },
        Shape {
            names: &["write", "w"],
            input: "[nil value]",
            output: "[version value], or the version",
        },
        Shape {
            names: &["cas"],
            input: "[nil [from to]]",
            output: "[version [from to]], or the version",
        },
        Shape {
            names: &["cas-version"],
            input: "[expected-version value]",
            output: "[version value], or the version",
        },
        Shape {
            names: &["delete"],
            input: "",
            output: "",
        },
    ];

    /// The version and the value.
    type State = (i64, Value);
    type Op = VersionedOp;

    fn new(initial: &Value, semantics: Semantics) -> Result<Self, &'static str> {
        const EXPECTED: &str = "a pair of a version and a value";
        let initial = match initial {
            Value::Nil => (0, Value::Nil),
            other => {
                let (version, value) = pair(other).ok_or(EXPECTED)?;
                (version.as_int().ok_or(EXPECTED)?, value.clone())
            }
        };
        Ok(Self { initial, semantics })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<VersionedOp>, Misfit> {
        let input = || pair(&recorded.input).ok_or(Misfit::Input);
        Ok(Some(match recorded.function {
            "read" | "r" => return self.read(recorded),
            "write" | "w" => VersionedOp::Write(version_after(recorded)?, input()?.1.clone()),
            "cas" => {
                let (from, to) = pair(input()?.1).ok_or(Misfit::Input)?;
                VersionedOp::Cas(version_after(recorded)?, from.clone(), to.clone())
            }
            "cas-version" => {
                let (expected, value) = input()?;
                let expected = expected.as_int().ok_or(Misfit::Input)?;
                VersionedOp::CasVersion(version_after(recorded)?, expected, value.clone())
            }
            "delete" => VersionedOp::Delete,
            _ => return Err(Misfit::Function),
        }))
    }

    fn failed(&self, recorded: &Recorded<'_>) -> Result<Option<VersionedOp>, Misfit> {
        if self.semantics.failed_cas == FailedCas::DidNotHappen {
            return Ok(None);
        }
        let input = || pair(&recorded.input).ok_or(Misfit::Input);
        Ok(match recorded.function {
            "cas" => {
                let (from, _) = pair(input()?.1).ok_or(Misfit::Input)?;
                Some(VersionedOp::FoundOther(from.clone()))
            }
            "cas-version" => {
                let expected = input()?.0.as_int().ok_or(Misfit::Input)?;
                Some(VersionedOp::FoundOtherVersion(expected))
            }
            _ => None,
        })
    }

    fn initial(&self) -> (i64, Value) {
        self.initial.clone()
    }

    fn step(&self, (version, value): &(i64, Value), op: &VersionedOp) -> Option<(i64, Value)> {
        let is = |known: &Option<i64>, version: i64| known.is_none_or(|known| known == version);
        let store = |known: &Option<i64>, stored: &Value| {
            let next = version.checked_add(1)?;
            is(known, next).then(|| (next, stored.clone()))
        };
        let unchanged = || (*version, value.clone());
        match op {
            VersionedOp::Read(found, seen) => {
                let agrees = seen.as_ref().is_none_or(|seen| seen == value);
                (is(found, *version) && agrees).then(unchanged)
            }
            VersionedOp::Write(known, stored) => store(known, stored),
            VersionedOp::Cas(known, from, to) => {
                (from == value).then(|| store(known, to)).flatten()
            }
            VersionedOp::CasVersion(known, expected, stored) => (expected == version)
                .then(|| store(known, stored))
                .flatten(),
            VersionedOp::FoundOther(other) => (other != value).then(unchanged),
            VersionedOp::FoundOtherVersion(other) => (other != version).then(unchanged),
            VersionedOp::Delete => Some((0, Value::Nil)),
        }
    }

    fn bytes(&self, (_, value): &(i64, Value)) -> usize {
        size_of::<i64>() + value_bytes(value)
    }

    fn observes_only(&self, op: &VersionedOp) -> bool {
        match op {
            VersionedOp::Read(..)
            | VersionedOp::FoundOther(_)
            | VersionedOp::FoundOtherVersion(_) => true,
            VersionedOp::Write(..)
            | VersionedOp::Cas(..)
            | VersionedOp::CasVersion(..)
            | VersionedOp::Delete => false,
        }
    }

    fn reduce(&self, calls: &mut Calls<VersionedOp>) -> Self {
        let observed = calls.iter().filter_map(|(op, _)| match op {
            VersionedOp::Read(_, Some(value))
            | VersionedOp::Cas(_, value, _)
            | VersionedOp::FoundOther(value) => Some(value.clone()),
            _ => None,
        });
        let observed: FxHashSet<Value> = observed.collect();
        let written = calls.ops_mut().filter_map(|op| match op {
            VersionedOp::Write(_, value)
            | VersionedOp::Cas(_, _, value)
            | VersionedOp::CasVersion(_, _, value) => Some(value),
            _ => None,
        });
        merge_unobserved(&observed, written);
        self.clone()
    }
}
