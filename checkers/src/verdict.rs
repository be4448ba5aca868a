//! Verdicts: what a checker found, in one order (`Valid < Unknown < Invalid`), with the evidence for it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use tribunal_histories::{NodeId, Value};

/// The three answers, worst last: a limit, a panic or a question that nobody asked is never `Valid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Everything asked for was decided, and holds.
    Valid,
    /// Nothing wrong was found, and nothing is proved.
    Unknown,
    /// There is a counterexample.
    Invalid,
}

impl Answer {
    /// The word for it: `valid`, `unknown`, `invalid`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Unknown => "unknown",
            Self::Invalid => "invalid",
        }
    }
}

/// What a checker decided, with the reason that a program can check again.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Judgement {
    /// It holds.
    Valid {
        /// Why one may believe so.
        evidence: Evidence,
    },
    /// It could not be decided.
    Unknown {
        /// What stopped the checker.
        why: String,
        /// What was left undecided, one entry a part: a key, a range of events.
        not_searched: Vec<String>,
    },
    /// It does not hold.
    Invalid {
        /// What shows it.
        counterexample: Counterexample,
    },
}

/// Why a valid verdict may be believed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Evidence {
    /// Every partition has a legal order; each was verified apart from the search that found it.
    Linearization {
        /// One order for each partition.
        orders: Vec<PartitionOrder>,
    },
    /// Every one of so many observations was found within what it may be.
    Observations {
        /// How many observations were judged.
        count: usize,
    },
    /// Every verdict that was merged is valid; see the parts.
    Parts,
}

/// A legal order of one partition's operations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartitionOrder {
    /// The key of the partition; nil for a history over one object.
    pub key: Value,
    /// The operations in that order, each by the position of its invocation in the history. Operations that
    /// constrain nothing and change nothing (unknown reads) are absent.
    pub operations: Vec<u32>,
}

/// What shows that something does not hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Counterexample {
    /// Operations that no order explains.
    Core(Core),
    /// Elements of a set that are missing or that nobody added.
    Elements {
        /// The key of the set.
        key: Value,
        /// The position of the last read's invocation.
        read: usize,
        /// Acknowledged before the read began, and not in it.
        lost: Vec<Value>,
        /// In the read, and never added, or added by an operation that failed.
        unexpected: Vec<Value>,
        /// In the read more than once.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        duplicated: Vec<Value>,
    },
    /// Two reads of a sequence that only grows, neither of which goes on where the other ends; or the second of one
    /// process, shorter than the first.
    Orders {
        /// The key of the sequence.
        key: Value,
        /// The positions of the two reads' invocations.
        reads: [usize; 2],
        /// So many elements at the beginning are the same in both.
        agreed: usize,
    },
    /// A read of a counter beyond what the additions around it allow.
    OutOfBounds {
        /// The key of the counter.
        key: Value,
        /// The position of the read's invocation.
        read: usize,
        /// What it returned.
        value: i64,
        /// The least that it could return.
        lower: i64,
        /// The most that it could return.
        upper: i64,
    },
    /// Operations that cannot all have returned what they did.
    Contradiction {
        /// The key of the object.
        key: Value,
        /// The operations, each by the position of its invocation.
        operations: Vec<usize>,
    },
    /// Tables of members that do not agree, or that do not fit what was asked for.
    Tables {
        /// About whom; nil if it is about slots.
        member: Value,
        /// The positions of the reads' invocations.
        reads: Vec<usize>,
    },
    /// A state of a cluster in which a property is broken.
    Cluster {
        /// The step of the run after which it is broken.
        step: u64,
        /// The nodes that show it.
        nodes: Vec<NodeId>,
    },
}

/// The few operations that already admit no order, whatever the other operations did.
///
/// An operation outside the core is *free*: it may have taken effect, while it was in flight and with the result that
/// it had, or not at all. The core is minimal with respect to that: free any one of its operations
/// too, and an order exists. (The operation at whose completion the history stopped being linearizable is set free by
/// taking that back: it is in flight, and nobody knows its result.) Freeing can only add orders (removing would not do: without the write of 5 every read
/// of 5 is wrong), so minimality is well defined and one pass finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Core {
    /// The key of the partition; nil for a history over one object.
    pub key: Value,
    /// The core, in the order of invocation, each by the position of its invocation.
    pub operations: Vec<usize>,
    /// The operation of the core at whose completion the history stopped being linearizable.
    pub impossible: usize,
    /// The length in events of a prefix of the history that is not linearizable.
    pub prefix: usize,
    /// Whether every shorter prefix is known to be linearizable.
    pub earliest: bool,
    /// Whether minimality was established; not when its search met a limit.
    pub minimal: bool,
    /// Whether trying every order of the core one by one confirmed that there is none; not when the core is too
    /// large for that.
    pub confirmed: bool,
}

/// How much work a verdict rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// Client operations judged.
    pub operations: u64,
    /// Independent parts they fell into.
    pub partitions: u64,
    /// Configurations, states or views looked at.
    pub states: u64,
}

/// A method that decided about some partitions of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Method {
    /// Its name.
    pub name: String,
    /// About how many partitions it decided.
    pub partitions: u64,
}

/// The answer of a checker, with everything that a report needs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The name of the checker.
    pub checker: String,
    /// What it decided.
    pub judgement: Judgement,
    /// The same for people, in sentences: the headline first, then the "Because …".
    pub sentences: Vec<String>,
    /// What it rests on.
    pub statistics: Statistics,
    /// How it was decided, where there is more than one way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<Method>,
    /// The verdicts that were merged into this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Self>,
}

impl Verdict {
    /// A verdict on its own.
    pub fn new(checker: impl Into<String>, judgement: Judgement, sentences: Vec<String>) -> Self {
        Self {
            checker: checker.into(),
            judgement,
            sentences,
            statistics: Statistics::default(),
            methods: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// The same verdict, resting on this.
    #[must_use]
    pub fn with_statistics(self, statistics: Statistics) -> Self {
        Self { statistics, ..self }
    }

    /// An undecided verdict.
    pub fn unknown(
        checker: impl Into<String>,
        why: impl Into<String>,
        not_searched: Vec<String>,
    ) -> Self {
        let why = why.into();
        let sentences = vec![format!(
            "{why}; nothing wrong was found, and nothing is proved"
        )];
        let judgement = Judgement::Unknown { why, not_searched };
        Self::new(checker, judgement, sentences)
    }

    /// Which of the three.
    pub fn answer(&self) -> Answer {
        match self.judgement {
            Judgement::Valid { .. } => Answer::Valid,
            Judgement::Unknown { .. } => Answer::Unknown,
            Judgement::Invalid { .. } => Answer::Invalid,
        }
    }

    /// Many verdicts as one: the worst of them, the first among equals, with the sums of their work. No verdict
    /// at all is Unknown: nothing was checked.
    pub fn merge(checker: impl Into<String>, parts: Vec<Self>) -> Self {
        let checker = checker.into();
        // Of equals `max_by_key` takes the last, hence the reversal.
        let Some(worst) = parts.iter().rev().max_by_key(|part| part.answer()) else {
            return Self::unknown(checker, "no checker ran", Vec::new());
        };
        let judgement = match &worst.judgement {
            Judgement::Valid { .. } => Judgement::Valid {
                evidence: Evidence::Parts,
            },
            other => other.clone(),
        };
        let sentences = worst.sentences.clone();
        let statistics = parts
            .iter()
            .fold(Statistics::default(), |sum, part| Statistics {
                operations: sum.operations.max(part.statistics.operations),
                partitions: sum.partitions + part.statistics.partitions,
                states: sum.states + part.statistics.states,
            });
        Self {
            parts,
            ..Self::new(checker, judgement, sentences).with_statistics(statistics)
        }
    }
}

/// Runs a checker; should it panic, the answer is Unknown, for a broken checker has decided nothing.
///
/// # Errors
/// The checker's own.
pub fn guarded<E>(checker: &str, check: impl FnOnce() -> Result<Verdict, E>) -> Result<Verdict, E> {
    catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|payload| {
        let message = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        let why = format!("the checker panicked: {message}");
        Ok(Verdict::unknown(checker, why, vec!["everything".into()]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid(name: &str) -> Verdict {
        let evidence = Evidence::Observations { count: 1 };
        let statistics = Statistics {
            operations: 2,
            partitions: 1,
            states: 3,
        };
        let judgement = Judgement::Valid { evidence };
        Verdict::new(name, judgement, vec!["holds".into()]).with_statistics(statistics)
    }

    fn invalid(name: &str) -> Verdict {
        let counterexample = Counterexample::Cluster {
            step: 4,
            nodes: vec![NodeId(0)],
        };
        let judgement = Judgement::Invalid { counterexample };
        Verdict::new(name, judgement, vec![name.to_owned()])
    }

    #[test]
    fn merging_takes_the_first_of_the_worst() {
        let unknown = || Verdict::unknown("b", "limit reached", vec![]);
        let answers = |parts: Vec<Verdict>| Verdict::merge("all", parts).answer();
        assert_eq!(answers(vec![valid("a"), valid("b")]), Answer::Valid);
        assert_eq!(answers(vec![valid("a"), unknown()]), Answer::Unknown);
        assert_eq!(
            answers(vec![invalid("a"), unknown(), valid("c")]),
            Answer::Invalid
        );
        assert_eq!(answers(vec![]), Answer::Unknown);
        let merged = Verdict::merge(
            "all",
            vec![valid("a"), invalid("first"), invalid("second"), valid("d")],
        );
        assert_eq!(merged.sentences, ["first"]);
        assert_eq!(merged.parts.len(), 4);
        assert_eq!(merged.statistics.states, 6);
    }

    #[test]
    fn a_panic_is_unknown() {
        let verdict = guarded::<()>("fragile", || panic!("index {} out of bounds", 3)).unwrap();
        assert_eq!(verdict.answer(), Answer::Unknown);
        assert!(verdict.sentences[0].contains("the checker panicked: index 3 out of bounds"));
    }

    #[test]
    fn a_verdict_is_written_as_json() {
        let json = serde_json::to_value(invalid("log-matching")).unwrap();
        assert_eq!(json["judgement"]["answer"], "invalid");
        assert_eq!(json["judgement"]["counterexample"]["kind"], "cluster");
        assert_eq!(json["judgement"]["counterexample"]["step"], 4);
    }
}
