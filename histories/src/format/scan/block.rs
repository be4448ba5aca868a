//! Blocks: the events of a chunk, in rows of ids that mean something within the block only.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::builder::HistoryBuilder;
use crate::event::{Event, EventRecord, FunctionId, Kind, Process};
use crate::history::Remark;
use crate::rule::RuleBroken;
use crate::value::{Value, ValueId, Values};

/// The events of a chunk.
#[derive(Debug, Default)]
pub(super) struct Block {
    events: Vec<Event>,
    /// By event: its line, counted from the chunk's first as 0.
    lines: Vec<u32>,
    /// By event, where there is one.
    remarks: Vec<(usize, Remark)>,
    functions: Vec<Arc<str>>,
    values: Values,
    /// How many lines were scanned to their end.
    pub(super) lines_scanned: u32,
    /// Where the scanner stopped, in bytes from the chunk's beginning; the chunk's length if it came to its end.
    pub(super) stopped_at: usize,
}

impl Block {
    /// How many events it has.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// Adds its events to a history; the chunk begins on this line.
    ///
    /// # Errors
    /// The first rule that one of them breaks.
    pub(super) fn append_to(
        self,
        builder: &mut HistoryBuilder,
        lines: &mut Vec<u32>,
        first_line: u64,
    ) -> Result<(), RuleBroken> {
        let places = builder.absorb(self.values);
        // A name that is one too many is an error of the event that has it.
        let mut functions: Vec<Option<FunctionId>> = vec![None; self.functions.len()];
        let mut remarks = self.remarks.into_iter().peekable();
        lines.reserve(self.events.len());
        builder.reserve(self.events.len());
        for (place, (mut event, line)) in self.events.into_iter().zip(self.lines).enumerate() {
            let line = first_line + u64::from(line);
            let local = usize::from(event.function.0);
            event.function = match functions[local] {
                Some(function) => function,
                None => {
                    let function = builder.function_id(&self.functions[local], line)?;
                    *functions[local].insert(function)
                }
            };
            event.value = event.value.absorbed(&places);
            event.key = event.key.absorbed(&places);
            let remark = remarks.next_if(|(of, _)| *of == place);
            let remark = remark.map_or(Remark::NONE, |(_, remark)| Remark {
                error: remark.error.absorbed(&places),
                extra: remark.extra.absorbed(&places),
            });
            builder.push_event(event, remark, line)?;
            lines.push(u32::try_from(line).unwrap_or(u32::MAX));
        }
        Ok(())
    }
}

/// What a scanner found of an event. Ids are those of the block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields {
    pub(super) time_ns: Option<u64>,
    pub(super) process: Option<Process>,
    pub(super) kind: Option<Kind>,
    pub(super) function: Option<FunctionId>,
    pub(super) key: ValueId,
    pub(super) value: ValueId,
    pub(super) error: ValueId,
    /// Which fields were there, a bit each.
    seen: u8,
}

/// A field of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Index,
    Time,
    Process,
    Type,
    Function,
    Key,
    Value,
    Error,
}

impl Fields {
    /// Notes that a field is there; `None` when it was there before.
    pub(super) fn note(&mut self, field: Field) -> Option<()> {
        let bit = 1 << field as u8;
        if self.seen & bit != 0 {
            return None;
        }
        self.seen |= bit;
        Some(())
    }
}

/// Builds a block. The spelling of a value is looked up before a value is made of it: most values come again.
#[derive(Debug, Default)]
pub(super) struct BlockBuilder<'a> {
    block: Block,
    function_ids: FxHashMap<Arc<str>, FunctionId>,
    /// Names of up to seven bytes, each as the low bytes of a word.
    short_functions: Vec<(u64, FunctionId)>,
    spellings: FxHashMap<&'a [u8], ValueId>,
}

/// How many names are compared one by one, which is faster than a table for the few that a workload has.
const NAMES_COMPARED: usize = 8;

impl<'a> BlockBuilder<'a> {
    /// A builder for the block of a chunk of so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        /// The shortest events that are common.
        const EVENT_BYTES: usize = 64;
        let mut builder = Self::default();
        builder.block.events.reserve(bytes / EVENT_BYTES);
        builder.block.lines.reserve(bytes / EVENT_BYTES);
        builder
    }

    /// The id of an operation's name; `None` when it is not UTF-8, or there are more than a block can number.
    pub(super) fn function(&mut self, name: &'a [u8]) -> Option<FunctionId> {
        let mut first = self.block.functions.iter().take(NAMES_COMPARED);
        if let Some(place) = first.position(|known| known.as_bytes() == name) {
            return u16::try_from(place).ok().map(FunctionId);
        }
        self.add_function(str::from_utf8(name).ok()?)
    }

    /// The same for a name of up to seven bytes, given as the low bytes of a word too. `None` also when it has bytes
    /// that are not letters, digits or hyphens.
    #[inline]
    pub(super) fn short_function(&mut self, word: u64, name: &'a [u8]) -> Option<FunctionId> {
        let mut known = self.short_functions.iter();
        if let Some((_, id)) = known.find(|(known, _)| *known == word) {
            return Some(*id);
        }
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        let id = name.iter().all(is_plain).then(|| self.function(name))??;
        if self.short_functions.len() < NAMES_COMPARED {
            self.short_functions.push((word, id));
        }
        Some(id)
    }

    fn add_function(&mut self, name: &str) -> Option<FunctionId> {
        if let Some(id) = self.function_ids.get(name) {
            return Some(*id);
        }
        let id = FunctionId(u16::try_from(self.block.functions.len()).ok()?);
        let name: Arc<str> = name.into();
        self.function_ids.insert(Arc::clone(&name), id);
        self.block.functions.push(name);
        Some(id)
    }

    /// The id of an integer.
    pub(super) fn int(&mut self, number: i64) -> ValueId {
        self.block.values.intern_int(number)
    }

    /// The id of a value.
    pub(super) fn intern(&mut self, value: Value) -> ValueId {
        self.block.values.intern(value)
    }

    /// The id of the value that is spelled so; `read` makes the value if it is new.
    pub(super) fn spelled(
        &mut self,
        spelling: &'a [u8],
        read: impl FnOnce(&'a [u8]) -> Option<Value>,
    ) -> Option<ValueId> {
        if let Some(id) = self.spellings.get(spelling) {
            return Some(*id);
        }
        let id = self.block.values.intern(read(spelling)?);
        self.spellings.insert(spelling, id);
        Some(id)
    }

    /// Adds an event of a scanner's; `None` when it lacks what every event has.
    pub(super) fn push(&mut self, fields: &Fields, line: u32) -> Option<()> {
        let (process, kind, function) = (fields.process?, fields.kind?, fields.function?);
        let event = Event::new(process, kind, function)
            .at(fields.time_ns)
            .with(fields.key, fields.value);
        let remark = Remark {
            error: fields.error,
            extra: ValueId::NIL,
        };
        self.push_event(event, remark, line);
        Some(())
    }

    /// Adds an event of the reader's; `None` when there are more names than a block can number.
    pub(super) fn push_record(&mut self, record: EventRecord, line: u32) -> Option<()> {
        let function = self.add_function(&record.function)?;
        let (key, value) = (self.intern(record.key), self.intern(record.value));
        let event = Event::new(record.process, record.kind, function)
            .at(record.time_ns)
            .with(key, value);
        let remark = Remark {
            error: self.intern(record.error),
            extra: self.intern(record.extra),
        };
        self.push_event(event, remark, line);
        Some(())
    }

    /// Adds an event.
    #[inline]
    pub(super) fn push_event(&mut self, event: Event, remark: Remark, line: u32) {
        if remark != Remark::NONE {
            self.block.remarks.push((self.block.events.len(), remark));
        }
        self.block.events.push(event);
        self.block.lines.push(line);
    }

    /// The block. The scanner went through this many lines, and came as far as this.
    pub(super) fn finish(self, lines_scanned: u32, stopped_at: usize) -> Block {
        Block {
            lines_scanned,
            stopped_at,
            ..self.block
        }
    }
}
