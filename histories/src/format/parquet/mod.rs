//! Histories in columns, as Parquet: small, and what DuckDB, pandas and Polars read.
//!
//! A row an event, in order. Columns:
//!
//! | column | type | |
//! |---|---|---|
//! | `time_ns` | BIGINT | nanoseconds since the start; null when they were not recorded |
//! | `process` | BIGINT | the client; null for the nemesis |
//! | `type` | VARCHAR | `invoke`, `ok`, `fail` or `info` |
//! | `f` | VARCHAR | the operation's name |
//! | `key_int`, `value_int` | BIGINT | the key and the value where they are integers |
//! | `key`, `value` | VARCHAR | as JSON where they are something else; null in both columns is nil |
//! | `error`, `extra` | VARCHAR | as JSON; mostly null |
//!
//! Integers are packed as differences and names by a dictionary. The file says in its metadata that it is a history
//! (`tribunal` = `history`), but any Parquet file with columns of these names and types is read, if it is not packed;
//! those that may be null may be absent. What the format loses is what JSON loses: see [`json`](crate::json).

mod reader;
mod writer;

pub use reader::read;
pub use writer::Writer;

use std::sync::Arc;

use parquet::schema::parser::parse_message_type;
use parquet::schema::types::Type;

/// The columns, as Parquet's own notation has them.
const SCHEMA: &str = "
    message history {
        optional int64 time_ns;
        optional int64 process;
        required binary type (utf8);
        required binary f (utf8);
        optional int64 key_int;
        optional binary key (utf8);
        optional int64 value_int;
        optional binary value (utf8);
        optional binary error (utf8);
        optional binary extra (utf8);
    }";

/// The key of the metadata that says what the file is.
const KIND_KEY: &str = "tribunal";

/// The key of the metadata with the version of the columns.
const VERSION_KEY: &str = "version";

fn schema() -> Arc<Type> {
    Arc::new(parse_message_type(SCHEMA).expect("the notation is right"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventRecord, Kind, Process};
    use crate::format::{Format, ReadError};
    use crate::value::Value;

    fn written(events: &[EventRecord]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Format::Parquet.writer(&mut bytes).unwrap();
        for event in events {
            writer.write(event).unwrap();
        }
        writer.finish().unwrap();
        bytes
    }

    fn events() -> Vec<EventRecord> {
        let invoke = EventRecord::new(
            Process::Client(3),
            Kind::Invoke,
            "cas",
            "x".into(),
            Value::list([Value::Int(1), Value::Int(i64::MIN)]),
        );
        let info = EventRecord {
            time_ns: Some(12),
            key: Value::Int(-7),
            value: Value::Nil,
            error: "timeout".into(),
            extra: Value::map([("node".into(), Value::Int(3))]),
            kind: Kind::Info,
            process: Process::Nemesis,
            ..invoke.clone()
        };
        vec![invoke, info]
    }

    #[test]
    fn what_is_written_comes_back_with_its_row() {
        let read: Result<Vec<_>, ReadError> = read(&written(&events())[..]).collect();
        let rows = events().into_iter().zip(1..);
        let expected: Vec<_> = rows
            .map(|(event, line)| EventRecord { line, ..event })
            .collect();
        assert_eq!(read.unwrap(), expected);
    }

    #[test]
    fn a_file_that_is_damaged_is_refused_and_nothing_panics() {
        let bytes = written(&events());
        let mut refused = 0;
        for at in 0..bytes.len() {
            let cut = read(&bytes[..at]).collect::<Result<Vec<_>, _>>();
            assert!(cut.is_err(), "cut at {at}");
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xff;
            refused += usize::from(read(&damaged[..]).any(|event| event.is_err()));
        }
        assert!(refused > bytes.len() / 2, "{refused} of {}", bytes.len());
    }
}
