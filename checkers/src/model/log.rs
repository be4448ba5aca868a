//! A log: entries are appended, each at the next offset, and read by offset.

use std::ops::Range;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use tribunal_histories::Value;

use super::shared_list::SharedList;
use super::{Calls, Misfit, Model, Recorded, Semantics, Shape, value_bytes};

/// What the log holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Entries {
    /// These, the first at offset 0.
    All(SharedList<Value>),
    /// So many, and these at the offsets of which operations disagree what is there, in ascending order. Only a reduced
    /// model has this.
    Some(usize, Vec<(usize, Value)>),
}

impl Entries {
    fn len(&self) -> usize {
        match self {
            Self::All(entries) => entries.len(),
            Self::Some(len, _) => *len,
        }
    }

    /// Whether this may be at an offset, as far as the state knows.
    fn may_be(&self, offset: usize, entry: &Value) -> bool {
        match self {
            Self::All(entries) => entries.element(offset) == Some(entry),
            Self::Some(_, contested) => {
                let found = contested.binary_search_by_key(&offset, |(offset, _)| *offset);
                found.map_or(true, |place| contested[place].1 == *entry)
            }
        }
    }
}

/// An operation on a log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LogOp {
    /// It put this entry at the end; at this offset, if it said so.
    Append(Value, Option<usize>),
    /// It found these entries from an offset on, and had asked for so many at most.
    Read {
        /// The offset.
        from: usize,
        /// How many it asked for; all there are without it.
        count: Option<usize>,
        /// A [`Value::List`].
        seen: Value,
    },
    /// It found so many entries.
    Length(usize),
}

/// A log with `append`, `read` and `length`.
#[derive(Clone, Debug)]
pub struct Log {
    initial: SharedList<Value>,
    semantics: Semantics,
    reduced: Option<Arc<Contents>>,
}

/// What required operations say is at an offset.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    /// All of them this.
    Agreed(Value),
    /// Some one thing, some another.
    Contested,
}

/// What required operations say is at the offsets that they are about.
type Contents = FxHashMap<usize, Content>;

/// A number that counts.
fn as_count(value: &Value) -> Option<usize> {
    usize::try_from(value.as_int()?).ok()
}

/// The offset from which a read reads, and how many entries at most.
fn range(input: &Value) -> Option<(usize, Option<usize>)> {
    match (input, input.as_items()) {
        (Value::Nil, _) => Some((0, None)),
        (from, None) => Some((as_count(from)?, None)),
        (_, Some([from, count])) => Some((as_count(from)?, Some(as_count(count)?))),
        (_, Some(_)) => None,
    }
}

impl Log {
    fn read(&self, recorded: &Recorded<'_>) -> Result<Option<LogOp>, Misfit> {
        let (from, count) = range(&recorded.input).ok_or(Misfit::Input)?;
        let Some(seen) = recorded.read(self.semantics) else {
            return Ok(None);
        };
        let seen = match seen {
            Value::Nil => Value::list([]),
            Value::List(_) => seen,
            _ => return Err(Misfit::Output),
        };
        Ok(Some(LogOp::Read { from, count, seen }))
    }

    fn append(&self, entries: &Entries, entry: &Value) -> Option<Entries> {
        let offset = entries.len();
        match (entries, &self.reduced) {
            (Entries::All(entries), _) => Some(Entries::All(entries.with(entry.clone()))),
            (Entries::Some(_, contested), reduced) => {
                let content = reduced.as_ref().and_then(|contents| contents.get(&offset));
                let mut contested = contested.clone();
                match content {
                    Some(Content::Agreed(agreed)) if agreed != entry => return None,
                    Some(Content::Contested) => contested.push((offset, entry.clone())),
                    Some(Content::Agreed(_)) | None => {}
                }
                Some(Entries::Some(offset + 1, contested))
            }
        }
    }
}

/// The offsets of which an operation says what is there, from the first on, and that.
fn said(op: &LogOp) -> (usize, &[Value]) {
    match op {
        LogOp::Append(entry, Some(offset)) => (*offset, std::slice::from_ref(entry)),
        LogOp::Read { from, seen, .. } => (*from, seen.as_items().unwrap_or_default()),
        LogOp::Append(_, None) | LogOp::Length(_) => (0, &[]),
    }
}

impl Model for Log {
    const NAME: &'static str = "log";
    const ALIASES: &'static [&'static str] = &["append-log"];
    const ABOUT: &'static str = "A log to whose end entries are appended, each at the next offset, and of which any range \
                                 is read, atomically; one linearizable log for each key. An append that returned nil \
                                 does not say where its entry is. Begins empty, or with the list that is the initial \
                                 value.";
    const OPERATIONS: &'static [Shape] = &[
        Shape {
            names: &["append"],
            input: "entry",
            output: "offset (from 0), or nil",
        },
        Shape {
            names: &["read", "r"],
            input: "nil for all, or an offset, or [offset how-many-at-most]",
            output: "[entry …]",
        },
        Shape {
            names: &["length"],
            input: "",
            output: "integer",
        },
    ];

    type State = Entries;
    type Op = LogOp;

    fn new(initial: &Value, semantics: Semantics) -> Result<Self, &'static str> {
        let initial = match initial {
            Value::Nil => SharedList::new(),
            Value::List(entries) => entries.iter().cloned().collect(),
            _ => return Err("a list of entries"),
        };
        Ok(Self {
            initial,
            semantics,
            reduced: None,
        })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<LogOp>, Misfit> {
        let known = recorded.output.as_ref().filter(|output| !output.is_nil());
        let known = known.map(|output| as_count(output).ok_or(Misfit::Output));
        match recorded.function {
            "append" => Ok(Some(LogOp::Append(
                recorded.input.clone(),
                known.transpose()?,
            ))),
            "read" | "r" => self.read(recorded),
            "length" => Ok(known.transpose()?.map(LogOp::Length)),
            _ => Err(Misfit::Function),
        }
    }

    fn initial(&self) -> Entries {
        let Some(contents) = &self.reduced else {
            return Entries::All(self.initial.clone());
        };
        let is_contested = |offset: &usize| contents.get(offset) == Some(&Content::Contested);
        let offsets: Range<usize> = 0..self.initial.len();
        let contested = offsets.filter(is_contested).filter_map(|offset| {
            let entry = self.initial.element(offset)?;
            Some((offset, entry.clone()))
        });
        Entries::Some(self.initial.len(), contested.collect())
    }

    fn step(&self, entries: &Entries, op: &LogOp) -> Option<Entries> {
        let possible = match op {
            LogOp::Append(entry, offset) => {
                let is_there = offset.is_none_or(|offset| offset == entries.len());
                return is_there.then(|| self.append(entries, entry)).flatten();
            }
            LogOp::Read { from, count, seen } => {
                let seen = seen.as_items().unwrap_or_default();
                let there = entries.len().saturating_sub(*from);
                seen.len() == count.map_or(there, |count| count.min(there))
                    && (*from..)
                        .zip(seen)
                        .all(|(offset, entry)| entries.may_be(offset, entry))
            }
            LogOp::Length(len) => *len == entries.len(),
        };
        possible.then(|| entries.clone())
    }

    /// Of a list that shares its beginning, only what is its own.
    fn bytes(&self, entries: &Entries) -> usize {
        const NODE: usize = 64;
        let own = match entries {
            Entries::All(entries) => entries.backwards().next().map_or(0, value_bytes) + NODE,
            Entries::Some(_, contested) => size_of_val(&contested[..]),
        };
        size_of_val(entries) + own
    }

    fn observes_only(&self, op: &LogOp) -> bool {
        !matches!(op, LogOp::Append(..))
    }

    /// Where all required operations agree what is at an offset, no order is legal that puts something else there, and
    /// then nobody needs to look; where none says anything, nobody does. So the log is its length, and what is at the
    /// few offsets about which they disagree.
    fn reduce(&self, calls: &mut Calls<LogOp>) -> Self {
        calls.retain(|op, call| call.required || !self.observes_only(op));
        let mut contents = Contents::default();
        let mut say = |offset: usize, entry: &Value| match contents.get_mut(&offset) {
            Some(content) if *content != Content::Agreed(entry.clone()) => {
                *content = Content::Contested;
            }
            Some(_) => {}
            None => _ = contents.insert(offset, Content::Agreed(entry.clone())),
        };
        for offset in 0..self.initial.len() {
            if let Some(entry) = self.initial.element(offset) {
                say(offset, entry);
            }
        }
        let mut seen = FxHashMap::default();
        let mut told = FxHashSet::default();
        for (op, call) in calls.iter().filter(|(_, call)| call.required) {
            let (from, entries) = said(op);
            for (offset, entry) in (from..).zip(entries) {
                say(offset, entry);
                told.insert(entry.clone());
                if let (LogOp::Read { .. }, Some(returned)) = (op, call.returned()) {
                    seen.entry(entry.clone()).or_insert(returned);
                }
            }
        }
        // Entries of which nobody tells are one as good as the other.
        let mut untold: Option<Value> = None;
        for op in calls.ops_mut() {
            let LogOp::Append(entry, _) = op else {
                continue;
            };
            if !told.contains(entry) {
                let first = untold.get_or_insert_with(|| entry.clone());
                entry.clone_from(first);
            }
        }
        for entry in self.initial.backwards() {
            seen.remove(entry);
        }
        calls.require_sole_sources(&seen, |op| match op {
            LogOp::Append(entry, _) => Some(entry),
            LogOp::Read { .. } | LogOp::Length(_) => None,
        });
        Self {
            reduced: Some(Arc::new(contents)),
            ..self.clone()
        }
    }
}
