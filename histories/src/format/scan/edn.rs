//! The scanner of Jepsen's histories: `{:index 0, :time 12, :process 0, :type :invoke, :f :write, :value 3}`.
//!
//! Fields may come in any order, between spaces and commas. What is not of this shape — other fields, comments,
//! escapes, names that are not keywords — goes to the reader, form by form.

use super::super::edn::{self, Form, Parser};
use super::block::{Block, BlockBuilder, Field, Fields};
use super::text::{self, past};
use crate::event::{FunctionId, Kind, Process};
use crate::value::{Value, ValueId};

/// Scans the events of a chunk up to the first thing that is none.
pub(super) fn scan(chunk: &[u8]) -> Block {
    let mut builder = BlockBuilder::new(chunk.len());
    let (mut rest, mut line) = (chunk, 0);
    loop {
        (rest, line) = blank(rest, line);
        if rest.is_empty() {
            break;
        }
        let scanned = event(rest, &mut builder)
            .and_then(|(fields, after)| builder.push(&fields, line).map(|()| after));
        match scanned {
            Some(after) => rest = after,
            None => match read_form(rest, line, &mut builder) {
                Some((after, after_line)) => (rest, line) = (after, after_line),
                None => break,
            },
        }
    }
    builder.finish(line, chunk.len() - rest.len())
}

/// Reads a form as the reader does; `None` if it is no event, or not whole.
fn read_form<'a>(
    rest: &'a [u8],
    line: u32,
    builder: &mut BlockBuilder<'a>,
) -> Option<(&'a [u8], u32)> {
    let mut parser = Parser::new(rest, u64::from(line));
    parser.skip_blank().ok()?;
    let line = u32::try_from(parser.line()).ok()?;
    match parser.form().ok()? {
        Form::Value(value) => {
            let record = edn::event(u64::from(line), &value).ok()?;
            builder.push_record(record, line)?;
        }
        Form::Discarded => {}
        Form::Close(_) | Form::End => return None,
    }
    Some((parser.rest(), u32::try_from(parser.line()).ok()?))
}

/// Skips what stands between events, and counts its lines.
fn blank(text: &[u8], mut line: u32) -> (&[u8], u32) {
    let mut rest = text;
    while let [byte @ (b' ' | b',' | b'\n' | b'\r' | b'\t'), after @ ..] = rest {
        line += u32::from(*byte == b'\n');
        rest = after;
    }
    (rest, line)
}

/// The event at the head of a text, and what follows it.
pub(super) fn event<'a>(
    text: &'a [u8],
    builder: &mut BlockBuilder<'a>,
) -> Option<(Fields, &'a [u8])> {
    let text = past(text, b"#jepsen.history.Op").unwrap_or(text);
    let mut rest = past(text, b"{")?;
    let mut fields = Fields::default();
    loop {
        let (field, after) = field_name(rest)?;
        fields.note(field)?;
        rest = spaces(after);
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
        rest = spaces(rest);
        if let [b'}', after @ ..] = rest {
            return Some((fields, after));
        }
    }
}

fn assign<'a>(field: &mut ValueId, (id, after): (ValueId, &'a [u8])) -> &'a [u8] {
    *field = id;
    after
}

/// A field's name and the space after it.
#[inline]
fn field_name(text: &[u8]) -> Option<(Field, &[u8])> {
    Some(match text.get(1)? {
        b'e' => (Field::Error, past(text, b":error ")?),
        b'f' => (Field::Function, past(text, b":f ")?),
        b'i' => (Field::Index, past(text, b":index ")?),
        b'k' => (Field::Key, past(text, b":key ")?),
        b'p' => (Field::Process, past(text, b":process ")?),
        b't' if text.get(2) == Some(&b'i') => (Field::Time, past(text, b":time ")?),
        b't' => (Field::Type, past(text, b":type ")?),
        b'v' => (Field::Value, past(text, b":value ")?),
        _ => return None,
    })
}

/// Skips spaces and commas; a line's end between fields is for the reader.
#[inline]
fn spaces(text: &[u8]) -> &[u8] {
    let mut rest = text;
    while let [b' ' | b',', after @ ..] = rest {
        rest = after;
    }
    rest
}

/// The rest, if a token ends before it for sure.
fn token_end(rest: &[u8]) -> Option<&[u8]> {
    matches!(rest, [b' ' | b',' | b'}' | b']' | b')', ..]).then_some(rest)
}

#[inline]
fn integer(text: &[u8]) -> Option<(i64, &[u8])> {
    let (number, length) = text::integer(text)?;
    token_end(&text[length..]).map(|rest| (number, rest))
}

fn named<'a, const N: usize>(text: &'a [u8], name: &[u8; N]) -> Option<&'a [u8]> {
    past(text, name).and_then(token_end)
}

fn time(text: &[u8]) -> Option<(Option<u64>, &[u8])> {
    if let Some(rest) = named(text, b"nil") {
        return Some((None, rest));
    }
    let (number, rest) = integer(text)?;
    Some((Some(u64::try_from(number).ok()?), rest))
}

fn process(text: &[u8]) -> Option<(Process, &[u8])> {
    if let Some(rest) = named(text, b":nemesis") {
        return Some((Process::Nemesis, rest));
    }
    let (number, rest) = integer(text)?;
    Some((Process::Client(u32::try_from(number).ok()?), rest))
}

fn kind(text: &[u8]) -> Option<(Kind, &[u8])> {
    Some(match text.get(2)? {
        b'n' if text.get(3) == Some(&b'v') => (Kind::Invoke, named(text, b":invoke")?),
        b'n' => (Kind::Info, named(text, b":info")?),
        b'k' => (Kind::Ok, named(text, b":ok")?),
        _ => (Kind::Fail, named(text, b":fail")?),
    })
}

fn function<'a>(text: &'a [u8], builder: &mut BlockBuilder<'a>) -> Option<(FunctionId, &'a [u8])> {
    let (token, rest) = token(text)?;
    let name = token.strip_prefix(b":").filter(|name| !name.is_empty())?;
    Some((builder.function(name)?, rest))
}

/// A keyword, a symbol or a number, and what follows it.
fn token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b":-_./+*?!<>=".contains(byte);
    let end = text.iter().position(|byte| !of_name(byte))?;
    let (token, rest) = text.split_at(end);
    token_end(rest).map(|rest| (token, rest))
}

fn value<'a>(text: &'a [u8], builder: &mut BlockBuilder<'a>) -> Option<(ValueId, &'a [u8])> {
    match text.first()? {
        b'0'..=b'9' | b'-' => {
            if let Some((number, rest)) = integer(text) {
                return Some((builder.int(number), rest));
            }
            by_reader(text, token(text)?.0.len(), builder)
        }
        b'n' if let Some(rest) = named(text, b"nil") => Some((ValueId::NIL, rest)),
        b'"' => {
            let length = string_end(text)?;
            let inside = &text[1..length - 1];
            let id = builder.spelled(&text[..length], |_| {
                str::from_utf8(inside).ok().map(Value::text)
            })?;
            Some((id, &text[length..]))
        }
        b'[' | b'(' | b'{' => by_reader(text, collection_end(text)?, builder),
        b':' | b'a'..=b'z' => by_reader(text, token(text)?.0.len(), builder),
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
    let id = builder.spelled(spelling, |spelling| {
        let mut parser = Parser::new(spelling, 1);
        let value = parser.value().ok()?;
        parser.rest().is_empty().then_some(value)
    })?;
    Some((id, rest))
}

/// The length of the string without escapes and on one line that is at the head of a text.
fn string_end(text: &[u8]) -> Option<usize> {
    let inside = past(text, b"\"")?;
    let end = inside
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | b'\n'))?;
    (inside[end] == b'"').then_some(end + 2)
}

/// The length of the collection at the head of a text. Whether its brackets match is for the reader to see.
fn collection_end(text: &[u8]) -> Option<usize> {
    /// Less than where the reader gives up, whatever is around the value.
    const DEPTH_MAX: usize = 100;
    let (mut depth, mut at) = (0, 0);
    loop {
        match text.get(at)? {
            b'[' | b'(' | b'{' if depth == DEPTH_MAX => return None,
            b'[' | b'(' | b'{' => depth += 1,
            b']' | b')' | b'}' if depth == 1 => return Some(at + 1),
            b']' | b')' | b'}' => depth -= 1,
            b'"' => at += string_end(&text[at..])? - 1,
            b';' | b'\\' | b'#' | b'\n' => return None,
            _ => {}
        }
        at += 1;
    }
}
