//! Reading histories from Parquet.

use std::io::BufRead;
use std::sync::Arc;

use bytes::Bytes;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;

use super::super::error::ReadError;
use super::super::jsonl::HISTORY_VERSION;
use super::super::source::until_error;
use super::{KIND_KEY, VERSION_KEY};
use crate::event::{EventRecord, Kind, Process};
use crate::value::Value;

/// The events of a history in Parquet. The whole file is taken into memory, for its index is at its end.
///
/// # Errors
/// A file that is not Parquet or lacks a column, and the first row that is not an event. The line of an error is that
/// of the row, from 1.
pub fn read(input: impl BufRead) -> impl Iterator<Item = Result<EventRecord, ReadError>> {
    let mut reader = Reader {
        input: Some(input),
        file: None,
        group: 0,
        row: 1,
        rows: Vec::new().into_iter(),
    };
    until_error(move || reader.next())
}

struct Reader<R> {
    /// Until it is read.
    input: Option<R>,
    file: Option<SerializedFileReader<Bytes>>,
    /// The next group of rows.
    group: usize,
    /// The next row.
    row: u64,
    /// What remains of the group in hand.
    rows: std::vec::IntoIter<EventRecord>,
}

impl<R: BufRead> Reader<R> {
    fn next(&mut self) -> Result<Option<EventRecord>, ReadError> {
        if let Some(input) = self.input.take() {
            self.file = Some(open(input)?);
        }
        loop {
            if let Some(event) = self.rows.next() {
                return Ok(Some(event));
            }
            let Some(file) = self
                .file
                .as_ref()
                .filter(|file| self.group < file.num_row_groups())
            else {
                return Ok(None);
            };
            let group = file
                .get_row_group(self.group)
                .map_err(|error| malformed(self.row, error))?;
            let events = events(&*group, self.row)?;
            self.row += events.len() as u64;
            self.group += 1;
            self.rows = events.into_iter();
        }
    }
}

fn malformed(line: u64, problem: impl ToString) -> ReadError {
    ReadError::Malformed {
        line,
        format: "Parquet",
        problem: problem.to_string(),
    }
}

fn open(mut input: impl BufRead) -> Result<SerializedFileReader<Bytes>, ReadError> {
    let mut bytes = Vec::new();
    input
        .read_to_end(&mut bytes)
        .map_err(|source| ReadError::Io { line: 1, source })?;
    let file =
        SerializedFileReader::new(Bytes::from(bytes)).map_err(|error| malformed(1, error))?;
    let metadata = file.metadata().file_metadata().key_value_metadata();
    let entry = |key: &str| {
        let entries = metadata.into_iter().flatten();
        let mut named = entries.filter(|entry| entry.key == key);
        named.next().and_then(|entry| entry.value.clone())
    };
    if let Some(kind) = entry(KIND_KEY).filter(|kind| kind != "history") {
        return Err(ReadError::OtherKind { kind });
    }
    let version = entry(VERSION_KEY).and_then(|version| version.parse().ok());
    if let Some(found) = version.filter(|found| *found > HISTORY_VERSION) {
        let known = HISTORY_VERSION;
        return Err(ReadError::NewerVersion { found, known });
    }
    Ok(file)
}

/// The events of a group of rows, the first of which has this number.
fn events(group: &dyn RowGroupReader, first_row: u64) -> Result<Vec<EventRecord>, ReadError> {
    let columns = Columns::of(group).map_err(|error| malformed(first_row, error))?;
    let mut names: Vec<Arc<str>> = Vec::new();
    let mut events = Vec::with_capacity(columns.kind.len());
    for (at, line) in (0..columns.kind.len()).zip(first_row..) {
        let event = columns
            .event(at, &mut names)
            .map_err(|problem| ReadError::NotAnEvent { line, problem })?;
        events.push(EventRecord { line, ..event });
    }
    Ok(events)
}

type Ints = Vec<Option<i64>>;
type Texts = Vec<Option<ByteArray>>;

/// The columns of a group of rows, all of the same length.
struct Columns {
    time_ns: Ints,
    process: Ints,
    kind: Texts,
    function: Texts,
    key_int: Ints,
    key: Texts,
    value_int: Ints,
    value: Texts,
    error: Texts,
    extra: Texts,
}

impl Columns {
    fn of(group: &dyn RowGroupReader) -> Result<Self, ParquetError> {
        for name in ["process", "type", "f"] {
            if place(group, name).is_none() {
                return Err(ParquetError::General(format!(
                    "no column is called `{name}`"
                )));
            }
        }
        Ok(Self {
            time_ns: ints(group, "time_ns")?,
            process: ints(group, "process")?,
            kind: texts(group, "type")?,
            function: texts(group, "f")?,
            key_int: ints(group, "key_int")?,
            key: texts(group, "key")?,
            value_int: ints(group, "value_int")?,
            value: texts(group, "value")?,
            error: texts(group, "error")?,
            extra: texts(group, "extra")?,
        })
    }

    /// The event of a row; `names` has those that were seen.
    fn event(&self, at: usize, names: &mut Vec<Arc<str>>) -> Result<EventRecord, String> {
        let kind = text(&self.kind, at, "type")?;
        let expected = || format!("`type` is {kind:?}; expected invoke, ok, fail or info");
        let name = text(&self.function, at, "f")?;
        let known = names
            .iter()
            .find(|known| known.as_bytes() == name.as_bytes());
        let function = known.cloned().unwrap_or_else(|| {
            names.push(name.into());
            name.into()
        });
        let process = match self.process[at] {
            None => Process::Nemesis,
            Some(number) => Process::Client(
                number
                    .try_into()
                    .map_err(|_| format!("`process` is {number}; expected a number from 0"))?,
            ),
        };
        let time_ns = self.time_ns[at].map(u64::try_from).transpose();
        Ok(EventRecord {
            line: 0,
            time_ns: time_ns.map_err(|_| "`time_ns` is negative".to_owned())?,
            process,
            kind: Kind::from_name(kind).ok_or_else(expected)?,
            function,
            key: either(&self.key_int, &self.key, at, "key")?,
            value: either(&self.value_int, &self.value, at, "value")?,
            error: json(&self.error, at, "error")?,
            extra: json(&self.extra, at, "extra")?,
        })
    }
}

fn text<'a>(column: &'a Texts, at: usize, name: &str) -> Result<&'a str, String> {
    let text = column[at]
        .as_ref()
        .ok_or_else(|| format!("`{name}` is null"))?;
    text.as_utf8().map_err(|_| format!("`{name}` is not UTF-8"))
}

fn json(column: &Texts, at: usize, name: &str) -> Result<Value, String> {
    let Some(text) = &column[at] else {
        return Ok(Value::Nil);
    };
    serde_json::from_slice(text.data()).map_err(|error| format!("`{name}` is not JSON: {error}"))
}

fn either(ints: &Ints, texts: &Texts, at: usize, name: &str) -> Result<Value, String> {
    match ints[at] {
        Some(number) => Ok(Value::Int(number)),
        None => json(texts, at, name),
    }
}

fn place(group: &dyn RowGroupReader, name: &str) -> Option<usize> {
    let schema = group.metadata().schema_descr();
    let mut columns = schema.columns().iter();
    columns.position(|column| column.path().string() == name)
}

/// A column of integers; nulls if there is no column of that name.
fn ints(group: &dyn RowGroupReader, name: &str) -> Result<Ints, ParquetError> {
    let rows = rows_of(group)?;
    let Some(place) = place(group, name) else {
        return Ok(vec![None; rows]);
    };
    match group.get_column_reader(place)? {
        ColumnReader::Int64ColumnReader(reader) => cells(reader, group, place, rows),
        _ => Err(ParquetError::General(format!(
            "`{name}` is not a column of INT64"
        ))),
    }
}

/// A column of texts; nulls if there is no column of that name.
fn texts(group: &dyn RowGroupReader, name: &str) -> Result<Texts, ParquetError> {
    let rows = rows_of(group)?;
    let Some(place) = place(group, name) else {
        return Ok(vec![None; rows]);
    };
    match group.get_column_reader(place)? {
        ColumnReader::ByteArrayColumnReader(reader) => cells(reader, group, place, rows),
        _ => Err(ParquetError::General(format!(
            "`{name}` is not a column of texts"
        ))),
    }
}

/// The most rows of a group, so that a damaged count does not take all memory.
const ROWS_MAX: usize = 1 << 28;

fn rows_of(group: &dyn RowGroupReader) -> Result<usize, ParquetError> {
    let rows = group.metadata().num_rows();
    usize::try_from(rows)
        .ok()
        .filter(|rows| *rows <= ROWS_MAX)
        .ok_or_else(|| ParquetError::General(format!("a group of {rows} rows")))
}

fn cells<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    group: &dyn RowGroupReader,
    place: usize,
    rows: usize,
) -> Result<Vec<Option<T::T>>, ParquetError> {
    let column = group.metadata().schema_descr().column(place);
    let problem = |problem: &str| {
        let name = column.path().string();
        ParquetError::General(format!("column `{name}` {problem}"))
    };
    if column.max_rep_level() > 0 || column.max_def_level() > 1 {
        return Err(problem("has lists or structures"));
    }
    let (mut values, mut levels, mut read) = (Vec::new(), Vec::new(), 0);
    while read < rows {
        let (records, ..) =
            reader.read_records(rows - read, Some(&mut levels), None, &mut values)?;
        if records == 0 {
            return Err(problem("is shorter than its group"));
        }
        read += records;
    }
    if column.max_def_level() == 0 {
        return Ok(values.into_iter().map(Some).collect());
    }
    let mut values = values.into_iter();
    let cells = levels
        .iter()
        .map(|level| if *level == 1 { values.next() } else { None });
    Ok(cells.collect())
}
