//! Why a core has no order, in sentences.

use tribunal_histories::{History, Operation, Value};

use crate::verdict::Core;

/// The most real-time relations that a sentence lists.
const RELATIONS_MAX: usize = 6;

/// The headline, the "Because …", and what the core says about the other operations.
pub(super) fn sentences(history: &History, core: &Core) -> Vec<String> {
    let story = Story::new(history, core);
    let mut sentences = vec![
        format!("not linearizable{}: {}", on(&core.key), story.headline()),
        story.because(),
    ];
    let free = "every other operation may have taken effect at any time after it began, or never";
    sentences.push(match (core.minimal, core.operations.len()) {
        (_, 1) => format!("That holds even if {free}."),
        (true, _) => format!(
            "That holds even if {free}; set any one of these free like that, and an order exists."
        ),
        (false, _) => format!(
            "That holds even if {free}. (The search for fewer operations reached its limit.)"
        ),
    });
    sentences
}

fn on(key: &Value) -> String {
    if key.is_nil() {
        String::new()
    } else {
        format!(" (key {key})")
    }
}

/// The operations of a core as actors.
struct Story<'a> {
    history: &'a History,
    operations: Vec<Operation>,
    /// The operation at whose return there was no order left.
    last: Operation,
}

impl<'a> Story<'a> {
    fn new(history: &'a History, core: &Core) -> Self {
        let operation = |position: &usize| history.operation(*position);
        let operations: Vec<_> = core.operations.iter().filter_map(operation).collect();
        let last = operation(&core.impossible).expect("a core is made of operations");
        Self {
            history,
            operations,
            last,
        }
    }

    /// What happened, as the kind of anomaly that it is.
    fn headline(&self) -> String {
        let last = self.name(&self.last);
        let Some(seen) = self.seen(&self.last) else {
            return format!("nothing explains that {last} succeeded");
        };
        let others = || self.operations.iter().filter(|other| **other != self.last);
        if others().next().is_none() {
            let later = self.history.operations().find(|other| {
                other.key == self.last.key
                    && self.stores(other).as_ref() == Some(&seen)
                    && self.precedes(&self.last, other)
            });
            return match later {
                Some(later) => format!(
                    "{last} returned a value from the future: {} began only later",
                    self.name(&later)
                ),
                None => format!("{last} saw {seen}, which nothing before it can have produced"),
            };
        }
        let stored_seen = others().find(|other| self.stores(other).as_ref() == Some(&seen));
        let overwriting = |first: &Operation| {
            let mut others = others();
            others.find(|other| {
                self.stores(other).is_some_and(|stored| stored != seen)
                    && self.precedes(first, other)
                    && self.precedes(other, &self.last)
            })
        };
        if let Some(over) = stored_seen.and_then(overwriting) {
            return format!(
                "{last} saw {seen}, which {} had overwritten",
                self.name(over)
            );
        }
        if let Some(earlier) = others().find(|other| {
            self.precedes(other, &self.last) && self.seen(other).is_some_and(|other| other != seen)
        }) {
            return format!(
                "{last} saw {seen} after {} had seen something else",
                self.name(earlier)
            );
        }
        if let Some(missed) = others().find(|other| {
            self.precedes(other, &self.last)
                && self.stores(other).is_some_and(|value| value != seen)
        }) {
            return format!("{last} saw {seen} and missed {}", self.name(missed));
        }
        format!("no order explains that {last} saw {seen}")
    }

    /// The real-time order of the core, and that it leaves no order.
    fn because(&self) -> String {
        let names: Vec<_> = self.operations.iter().map(|one| self.name(one)).collect();
        let conclusion = match names.len() {
            1 => format!("no order of the operations explains {}", names[0]),
            2 => "neither order of the two explains both".to_owned(),
            count => format!(
                "no order of these {count} operations explains them all: {}",
                names.join(", ")
            ),
        };
        let relations = self.relations();
        if relations.is_empty() {
            return match names.len() {
                1 => capitalized(&conclusion) + ".",
                _ => format!("Though they overlap in time, {conclusion}."),
            };
        }
        let mut clauses: Vec<_> = relations
            .iter()
            .take(RELATIONS_MAX)
            .map(|(before, after)| {
                format!(
                    "{} had returned before {} began",
                    self.name(before),
                    self.name(after)
                )
            })
            .collect();
        if relations.len() > RELATIONS_MAX {
            clauses.push(format!(
                "so on for {} more",
                relations.len() - RELATIONS_MAX
            ));
        }
        format!("Because {}, {conclusion}.", clauses.join(", and "))
    }

    /// Who returned before whom began, without what follows from others.
    fn relations(&self) -> Vec<(Operation, Operation)> {
        let mut relations = Vec::new();
        for before in &self.operations {
            for after in &self.operations {
                let between = |middle: &Operation| {
                    self.precedes(before, middle) && self.precedes(middle, after)
                };
                if self.precedes(before, after) && !self.operations.iter().any(between) {
                    relations.push((*before, *after));
                }
            }
        }
        relations
    }

    fn precedes(&self, before: &Operation, after: &Operation) -> bool {
        before
            .returned
            .is_some_and(|returned| returned < after.invoked)
    }

    /// The value that an operation found: what a reader returned, what a compare-and-set expected.
    fn seen(&self, operation: &Operation) -> Option<Value> {
        match self.history.function(operation.function) {
            "read" | "r" | "get" | "dequeue" => Some(self.history.value(operation.output)),
            "cas" => Some(
                self.history
                    .value(operation.input)
                    .as_items()?
                    .first()?
                    .clone(),
            ),
            _ => None,
        }
    }

    /// The value that an operation left behind, where that does not depend on what it found.
    fn stores(&self, operation: &Operation) -> Option<Value> {
        let input = self.history.value(operation.input);
        match self.history.function(operation.function) {
            "write" | "w" | "put" => Some(input),
            "cas" => Some(input.as_items()?.get(1)?.clone()),
            "delete" | "del" => Some(Value::Nil),
            _ => None,
        }
    }

    /// An operation with what it did and who did it: `read → 3 (process 1)`.
    fn name(&self, operation: &Operation) -> String {
        let function = self.history.function(operation.function);
        let input = self.history.value(operation.input);
        let output = self.history.value(operation.output);
        let what = match function {
            "read" | "r" | "get" | "dequeue" => format!("{function} → {output}"),
            "txn" if !output.is_nil() => format!("{function} {output}"),
            _ if input.is_nil() => function.to_owned(),
            _ => format!("{function} {input}"),
        };
        format!("{what} (process {})", operation.process)
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
