//! Histories as EDN that Knossos and Elle read: one operation map a line.

use std::fmt::{self, Display, Formatter};
use std::io::{self, Write};

use super::parser::number;
use crate::event::{EventRecord, Process};
use crate::value::Value;

/// Writes a history in EDN, event by event.
///
/// Types, functions and field names are keywords, and so are the names of a transaction's micro-operations
/// (`[[:append 1 2] [:r 1 nil]]`), which is how Elle knows them, even where JSON had strings. A keyword that EDN
/// cannot spell becomes a string.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    index: u64,
}

impl<W: Write> Writer<W> {
    /// A history without events.
    pub fn new(out: W) -> Self {
        Self { out, index: 0 }
    }

    /// Writes the next event; its index is the number of those before it.
    ///
    /// # Errors
    /// Those of the writer below.
    pub fn write(&mut self, event: &EventRecord) -> io::Result<()> {
        let text = Operation {
            index: self.index,
            event,
        };
        self.index += 1;
        writeln!(self.out, "{text}")
    }

    /// Flushes what was written and hands back the writer below.
    ///
    /// # Errors
    /// Those of the writer below.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// An event as an operation map.
struct Operation<'a> {
    index: u64,
    event: &'a EventRecord,
}

impl Display for Operation<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let EventRecord {
            time_ns,
            process,
            kind,
            function,
            key,
            value,
            error,
            extra,
            ..
        } = self.event;
        write!(f, "{{:index {}", self.index)?;
        if let Some(time_ns) = time_ns {
            write!(f, ", :time {time_ns}")?;
        }
        match process {
            Process::Client(number) => write!(f, ", :process {number}")?,
            Process::Nemesis => f.write_str(", :process :nemesis")?,
        }
        write!(f, ", :type :{}, :f {}", kind.name(), Name(function))?;
        if !key.is_nil() {
            write!(f, ", :key {}", Edn(key))?;
        }
        match value {
            Value::List(micro_operations) if **function == *"txn" => {
                f.write_str(", :value ")?;
                sequence(f, "[", micro_operations.iter().map(MicroOperation), "]")?;
            }
            _ => write!(f, ", :value {}", Edn(value))?,
        }
        if !error.is_nil() {
            write!(f, ", :error {}", Edn(error))?;
        }
        if let Value::Map(extra) = extra {
            for (key, value) in extra.iter() {
                match key.as_name() {
                    Some(name) => write!(f, ", {} {}", Name(name), Edn(value))?,
                    None => write!(f, ", {} {}", Edn(key), Edn(value))?,
                }
            }
        }
        f.write_str("}")
    }
}

/// A step of a transaction: `[function key value]`.
struct MicroOperation<'a>(&'a Value);

impl Display for MicroOperation<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::List(parts) if let [Value::Text(name), arguments @ ..] = &**parts => {
                write!(f, "[{}", Name(name))?;
                arguments
                    .iter()
                    .try_for_each(|argument| write!(f, " {}", Edn(argument)))?;
                f.write_str("]")
            }
            other => Edn(other).fmt(f),
        }
    }
}

/// A name: a keyword if EDN can spell it, else a string.
struct Name<'a>(&'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let spelled = |character: char| {
            character.is_alphanumeric() || ".*+!-_?$%&=<>/:#'".contains(character)
        };
        if !self.0.is_empty() && self.0.chars().all(spelled) {
            write!(f, ":{}", self.0)
        } else {
            string(f, self.0)
        }
    }
}

/// A value.
struct Edn<'a>(&'a Value);

impl Display for Edn<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Nil => f.write_str("nil"),
            Value::Bool(truth) => truth.fmt(f),
            Value::Int(number) => number.fmt(f),
            Value::Number(digits) => match number(digits) {
                // A fraction without a fractional part, as JSON gives `1.0`.
                Some(Value::Int(_)) => write!(f, "{digits}.0"),
                Some(_) => f.write_str(digits),
                None if digits.starts_with("##") => f.write_str(digits),
                None => string(f, digits),
            },
            Value::Text(text) => string(f, text),
            Value::Keyword(name) => Name(name).fmt(f),
            Value::List(items) => sequence(f, "[", items.iter().map(Edn), "]"),
            Value::Set(items) => sequence(f, "#{", items.iter().map(Edn), "}"),
            Value::Map(entries) => {
                f.write_str("{")?;
                for (position, (key, value)) in entries.iter().enumerate() {
                    let comma = if position > 0 { ", " } else { "" };
                    write!(f, "{comma}{} {}", Edn(key), Edn(value))?;
                }
                f.write_str("}")
            }
        }
    }
}

fn sequence(
    f: &mut Formatter<'_>,
    open: &str,
    items: impl Iterator<Item = impl Display>,
    close: &str,
) -> fmt::Result {
    f.write_str(open)?;
    for (position, item) in items.enumerate() {
        if position > 0 {
            f.write_str(" ")?;
        }
        item.fmt(f)?;
    }
    f.write_str(close)
}

fn string(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            '\r' => f.write_str("\\r")?,
            control if u32::from(control) < 0x20 => write!(f, "\\u{:04x}", u32::from(control))?,
            other => write!(f, "{other}")?,
        }
    }
    f.write_str("\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Kind;

    fn written(event: &EventRecord) -> String {
        let mut writer = Writer::new(Vec::new());
        writer.write(event).unwrap();
        String::from_utf8(writer.finish().unwrap()).unwrap()
    }

    #[test]
    fn an_event_is_a_map_that_knossos_reads() {
        let event = EventRecord {
            time_ns: Some(12),
            error: Value::keyword("late"),
            extra: Value::map([("node".into(), Value::Int(3))]),
            ..EventRecord::new(
                Process::Client(0),
                Kind::Info,
                "cas",
                "x".into(),
                Value::list([Value::Int(1), Value::Int(2)]),
            )
        };
        insta::assert_snapshot!(
            written(&event).trim_end(),
            @r#"{:index 0, :time 12, :process 0, :type :info, :f :cas, :key "x", :value [1 2], :error :late, :node 3}"#
        );
    }

    #[test]
    fn micro_operations_have_keywords_as_elle_expects() {
        let read = Value::list(["r".into(), "x".into(), Value::Nil]);
        let transaction = Value::list([read]);
        let event = EventRecord::new(
            Process::Client(1),
            Kind::Invoke,
            "txn",
            Value::Nil,
            transaction,
        );
        insta::assert_snapshot!(
            written(&event).trim_end(),
            @r#"{:index 0, :process 1, :type :invoke, :f :txn, :value [[:r "x" nil]]}"#
        );
    }

    #[test]
    fn values_are_spelled_so_that_they_come_back() {
        for (value, text) in [
            (Value::Number("1".into()), "1.0"),
            (Value::Number("2.5".into()), "2.5"),
            (Value::Number("##NaN".into()), "##NaN"),
            (Value::Number("about 3".into()), "\"about 3\""),
            (Value::keyword("a/b"), ":a/b"),
            (Value::keyword("two words"), "\"two words\""),
            (Value::text("\u{1}\n\"\\"), "\"\\u0001\\n\\\"\\\\\""),
            (Value::set([Value::Int(2), Value::Int(1)]), "#{1 2}"),
        ] {
            assert_eq!(Edn(&value).to_string(), text);
        }
    }
}
