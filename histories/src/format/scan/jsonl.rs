//! The scanner of native histories: `{"time":12,"process":0,"type":"invoke","f":"write","value":3}` and a newline.
//!
//! Fields may come in any order and with spaces between them. What is not of this shape — other fields, escapes, a
//! value that is not spelled on the line as a value is — goes to the reader, line by line.

use memchr::memchr;

use super::super::jsonl;
use super::super::source::Line;
use super::block::{Block, BlockBuilder, Field, Fields};
use super::text::{self, past};
use super::usual;
use crate::event::{FunctionId, Kind, Process};
use crate::history::Remark;
use crate::value::{Value, ValueId};

/// Scans a chunk of whole lines; the file's last line may lack its newline.
pub(super) fn scan(chunk: &[u8], is_first: bool) -> Block {
    let mut builder = BlockBuilder::new(chunk.len());
    let mut rest = chunk;
    let mut line = 0;
    while !rest.is_empty() {
        if let Some((event, after)) = usual::event(rest, &mut builder) {
            builder.push_event(event, Remark::NONE, line);
            rest = after;
            line += 1;
            continue;
        }
        let scanned = event(rest, &mut builder)
            .and_then(|(fields, after)| builder.push(&fields, line).map(|()| after));
        rest = match scanned {
            Some(after) => after,
            None => match read_line(rest, line, is_first, &mut builder) {
                Some(after) => after,
                None => break,
            },
        };
        line += 1;
    }
    builder.finish(line, chunk.len() - rest.len())
}

/// Reads a line as the reader does; `None` if that is an error.
fn read_line<'a>(
    rest: &'a [u8],
    line: u32,
    is_first: bool,
    builder: &mut BlockBuilder<'a>,
) -> Option<&'a [u8]> {
    let end = memchr(b'\n', rest);
    let (bytes, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
    let whole = end.is_some();
    // The number matters to the header only, and to errors, which the reader finds again.
    let number = if is_first { u64::from(line) + 1 } else { 2 };
    let bytes = bytes.trim_ascii_end();
    let line_of = Line {
        number,
        bytes,
        whole,
    };
    match jsonl::event_of(&line_of, 0) {
        Ok(Some(record)) => builder.push_record(record, line).map(|()| after),
        Ok(None) => Some(after),
        Err(_) => None,
    }
}

/// The event on the line at the head of a text, and what follows the line.
pub(super) fn event<'a>(
    text: &'a [u8],
    builder: &mut BlockBuilder<'a>,
) -> Option<(Fields, &'a [u8])> {
    let mut rest = past(text, b"{")?;
    let mut fields = Fields::default();
    loop {
        let (field, value_of) = field_name(rest)?;
        fields.note(field)?;
        rest = spaces(value_of);
        rest = match field {
            Field::Index => integer(rest)?.1,
            Field::Time => {
                let (time_ns, after) = time(rest)?;
                fields.time_ns = time_ns;
                after
            }
            Field::Process => {
                let (process, after) = process(rest)?;
                fields.process = Some(process);
                after
            }
            Field::Type => {
                let (kind, after) = kind(rest)?;
                fields.kind = Some(kind);
                after
            }
            Field::Function => {
                let (function, after) = function(rest, builder)?;
                fields.function = Some(function);
                after
            }
            Field::Key => assign(&mut fields.key, value(rest, builder)?),
            Field::Value => assign(&mut fields.value, value(rest, builder)?),
            Field::Error => assign(&mut fields.error, value(rest, builder)?),
        };
        match spaces(rest) {
            [b',', after @ ..] => rest = spaces(after),
            [b'}', after @ ..] => return line_end(after).map(|after| (fields, after)),
            _ => return None,
        }
    }
}

fn assign<'a>(field: &mut ValueId, (id, after): (ValueId, &'a [u8])) -> &'a [u8] {
    *field = id;
    after
}

/// A field's name and its colon.
#[inline]
fn field_name(text: &[u8]) -> Option<(Field, &[u8])> {
    let (field, rest) = match text.get(1)? {
        b'e' => (Field::Error, past(text, b"\"error\"")?),
        b'f' => (Field::Function, past(text, b"\"f\"")?),
        b'i' => (Field::Index, past(text, b"\"index\"")?),
        b'k' => (Field::Key, past(text, b"\"key\"")?),
        b'p' => (Field::Process, past(text, b"\"process\"")?),
        b't' if text.get(2) == Some(&b'i') => (Field::Time, past(text, b"\"time\"")?),
        b't' => (Field::Type, past(text, b"\"type\"")?),
        b'v' => (Field::Value, past(text, b"\"value\"")?),
        _ => return None,
    };
    past(spaces(rest), b":").map(|rest| (field, rest))
}

#[inline]
fn spaces(text: &[u8]) -> &[u8] {
    let mut rest = text;
    while let [b' ', after @ ..] = rest {
        rest = after;
    }
    rest
}

/// What follows the end of the line, which is the end of the text on the last.
fn line_end(text: &[u8]) -> Option<&[u8]> {
    match text {
        [b'\n', after @ ..] | [b'\r', b'\n', after @ ..] => Some(after),
        [] => Some(text),
        _ => None,
    }
}

/// An integer that JSON spells so, and is no fraction.
#[inline]
fn integer(text: &[u8]) -> Option<(i64, &[u8])> {
    let (number, length) = text::integer(text)?;
    let unsigned = past(text, b"-").unwrap_or(text);
    let is_canonical = unsigned[0] != b'0' || (length == 1 && number == 0);
    let rest = &text[length..];
    let ends = !matches!(rest, [b'.' | b'e' | b'E', ..]);
    (is_canonical && ends).then_some((number, rest))
}

fn time(text: &[u8]) -> Option<(Option<u64>, &[u8])> {
    if let Some(rest) = past(text, b"null") {
        return Some((None, rest));
    }
    let (number, rest) = integer(text)?;
    Some((Some(u64::try_from(number).ok()?), rest))
}

fn process(text: &[u8]) -> Option<(Process, &[u8])> {
    if let Some(rest) = past(text, b"\"nemesis\"") {
        return Some((Process::Nemesis, rest));
    }
    let (number, rest) = integer(text)?;
    Some((Process::Client(u32::try_from(number).ok()?), rest))
}

fn kind(text: &[u8]) -> Option<(Kind, &[u8])> {
    Some(match text.get(2)? {
        b'n' if text.get(3) == Some(&b'v') => (Kind::Invoke, past(text, b"\"invoke\"")?),
        b'n' => (Kind::Info, past(text, b"\"info\"")?),
        b'k' => (Kind::Ok, past(text, b"\"ok\"")?),
        _ => (Kind::Fail, past(text, b"\"fail\"")?),
    })
}

fn function<'a>(text: &'a [u8], builder: &mut BlockBuilder<'a>) -> Option<(FunctionId, &'a [u8])> {
    let (name, rest) = string(text)?;
    Some((builder.function(name)?, rest))
}

/// The inside of a string without escapes, and what follows it.
fn string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = past(text, b"\"")?;
    let end = text
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    (text[end] == b'"').then(|| (&text[..end], &text[end + 1..]))
}

pub(super) fn value<'a>(
    text: &'a [u8],
    builder: &mut BlockBuilder<'a>,
) -> Option<(ValueId, &'a [u8])> {
    match text.first()? {
        b'0'..=b'9' | b'-' => {
            if let Some((number, rest)) = integer(text) {
                return Some((builder.int(number), rest));
            }
            let is_number =
                |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
            let end = text.iter().position(|byte| !is_number(byte))?;
            by_reader(text, end, builder)
        }
        b'n' => Some((ValueId::NIL, past(text, b"null")?)),
        b't' => Some((builder.intern(Value::Bool(true)), past(text, b"true")?)),
        b'f' => Some((builder.intern(Value::Bool(false)), past(text, b"false")?)),
        b'"' => {
            let (inside, rest) = string(text)?;
            let spelling = &text[..inside.len() + 2];
            let id = builder.spelled(spelling, |_| str::from_utf8(inside).ok().map(Value::text))?;
            Some((id, rest))
        }
        b'[' | b'{' => by_reader(text, collection_end(text)?, builder),
        _ => None,
    }
}

/// A value that the reader makes of the first bytes of a text.
fn by_reader<'a>(
    text: &'a [u8],
    length: usize,
    builder: &mut BlockBuilder<'a>,
) -> Option<(ValueId, &'a [u8])> {
    let (spelling, rest) = text.split_at(length);
    let id = builder.spelled(spelling, |spelling| serde_json::from_slice(spelling).ok())?;
    Some((id, rest))
}

/// The length of the array or object at the head of a text. Whether its brackets match is for the reader to see.
fn collection_end(text: &[u8]) -> Option<usize> {
    /// Less than where the reader gives up, whatever is around the value.
    const DEPTH_MAX: usize = 100;
    let (mut depth, mut at) = (0, 0);
    loop {
        match text.get(at)? {
            b'[' | b'{' if depth == DEPTH_MAX => return None,
            b'[' | b'{' => depth += 1,
            b']' | b'}' if depth == 1 => return Some(at + 1),
            b']' | b'}' => depth -= 1,
            b'"' => at = text.len() - string(&text[at..])?.1.len() - 1,
            0..0x20 => return None,
            _ => {}
        }
        at += 1;
    }
}
