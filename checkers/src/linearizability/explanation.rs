//! Why a core has no order, in sentences.

use tribunal_histories::{History, Operation, Outcome, Value};

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
    let others = "No other operation helps, whether it took effect or not";
    sentences.push(match (core.operations.len(), core.minimal) {
        (1, _) => format!("{others}."),
        (count, true) => format!(
            "{others}; take away what is known of any one of these {count}, and an order exists."
        ),
        (_, false) => {
            format!("{others}. (The search for fewer operations than these reached its limit.)")
        }
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

/// What operations of a name store.
#[derive(Clone, Copy, Debug)]
enum Stored {
    Argument,
    /// The second part of the argument.
    Second,
    Nil,
    Nothing,
}

impl Stored {
    fn by(name: &str) -> Self {
        match name {
            "write" | "w" | "put" => Self::Argument,
            "cas" => Self::Second,
            "delete" | "del" => Self::Nil,
            _ => Self::Nothing,
        }
    }
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
        let others = self.operations.iter().filter(|one| **one != self.last);
        let others: Vec<_> = others.collect();
        let Some(seen) = self.seen(&self.last) else {
            return match &others[..] {
                [] => format!("{last} cannot have succeeded"),
                [other] => format!("{} and {last} cannot both have succeeded", self.name(other)),
                _ => format!("{last} and what precedes it cannot all have succeeded"),
            };
        };
        if others.is_empty() {
            return match self.source(&seen, |source| self.precedes(&self.last, source)) {
                Some(later) => format!(
                    "{last} saw {seen} from the future: {} began only later",
                    self.name(&later)
                ),
                None => format!("{last} saw {seen}, which nothing before it can have produced"),
            };
        }
        let earlier = || {
            let earlier = others.iter().copied();
            earlier.filter(|other| self.precedes(other, &self.last))
        };
        let overwritten = earlier().find(|other| {
            let stored = self.stores(other).is_some_and(|stored| stored != seen);
            stored
                && self
                    .source(&seen, |source| self.precedes(source, other))
                    .is_some()
        });
        if let Some(over) = overwritten {
            return format!(
                "{last} saw {seen}, which {} had overwritten",
                self.name(over)
            );
        }
        let differs = |value: Option<Value>| value.is_some_and(|value| value != seen);
        if let Some(missed) = earlier().find(|other| differs(self.stores(other))) {
            return format!(
                "{last} saw {seen} although {} had returned",
                self.name(missed)
            );
        }
        if let Some(reader) = earlier().find(|other| differs(self.seen(other))) {
            return format!("{last} saw {seen} after {}", self.name(reader));
        }
        if let Some(rival) = others
            .iter()
            .find(|other| self.stores(other).is_some() && self.seen(other) == Some(seen.clone()))
        {
            return format!("{} and {last} both found {seen}", self.name(rival));
        }
        format!("no order explains that {last} saw {seen}")
    }

    /// An operation, of the core or not, that stored a value and is where it should be.
    fn source(&self, value: &Value, place: impl Fn(&Operation) -> bool) -> Option<Operation> {
        let id = self.history.values().find(value);
        // By the number of a name. There may be millions of operations to look at.
        let names = self.history.functions().iter();
        let stored: Vec<_> = names.map(|name| Stored::by(name)).collect();
        self.history.operations().find(|other| {
            let is_stored = match stored[other.function.number()] {
                Stored::Argument => Some(other.input) == id,
                Stored::Second => self.stores(other).as_ref() == Some(value),
                Stored::Nil => value.is_nil(),
                Stored::Nothing => false,
            };
            is_stored
                && other.key == self.last.key
                && other.outcome != Outcome::Fail
                && place(other)
        })
    }

    /// The real-time order of the core, and that it leaves no order.
    fn because(&self) -> String {
        let relations = self.relations();
        let last = self.name(&self.last);
        let conclusion = match self.operations.len() {
            1 => return format!("Because no order of the operations before it leads to {last}."),
            2 => "no order of the two explains both".to_owned(),
            count => format!("no order of these {count} operations explains all of them"),
        };
        let clause = |(before, after): &(Operation, Operation)| {
            let (before, after) = (self.name(before), self.name(after));
            format!("{before} had returned before {after} began")
        };
        let mut clauses: Vec<_> = relations.iter().take(RELATIONS_MAX).map(clause).collect();
        if relations.len() > RELATIONS_MAX {
            let more = relations.len() - RELATIONS_MAX;
            clauses.push(format!("so on for {more} more pairs"));
        }
        let related = |one: &Operation| relations.iter().any(|(a, b)| a == one || b == one);
        let free: Vec<_> = self
            .operations
            .iter()
            .filter(|one| !related(one))
            .map(|one| self.name(one))
            .collect();
        let free = free.join(" and ");
        match (clauses.is_empty(), free.is_empty()) {
            (true, _) => {
                return format!(
                    "Because {free} exclude each other in every order, and as they overlap in time each could be \
                     first, {conclusion}."
                );
            }
            (false, false) => clauses.push(format!("though {free} may come anywhere among those")),
            (false, true) => {}
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
        let input = || self.history.value(operation.input);
        match Stored::by(self.history.function(operation.function)) {
            Stored::Argument => Some(input()),
            Stored::Second => Some(input().as_items()?.get(1)?.clone()),
            Stored::Nil => Some(Value::Nil),
            Stored::Nothing => None,
        }
    }

    /// An operation with what it did and who did it: `read → 3 (process 1)`.
    fn name(&self, operation: &Operation) -> String {
        let function = self.history.function(operation.function);
        let input = self.history.value(operation.input);
        let output = self.history.value(operation.output);
        let what = match function {
            "read" | "r" | "get" | "dequeue" if input.is_nil() => format!("{function} → {output}"),
            "txn" if !output.is_nil() => format!("{function} {output}"),
            _ => {
                let called = match input.is_nil() {
                    true => function.to_owned(),
                    false => format!("{function} {input}"),
                };
                // Many completions repeat what was asked for.
                if output.is_nil() || output == input {
                    called
                } else {
                    format!("{called} → {output}")
                }
            }
        };
        format!("{what} (process {})", operation.process)
    }
}
