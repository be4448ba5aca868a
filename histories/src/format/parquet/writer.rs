//! Writing histories as Parquet.

use std::fmt::Debug;
use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::Encoding;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnPath;

use super::super::jsonl::HISTORY_VERSION;
use super::super::write::EventWriter;
use super::{KIND_KEY, VERSION_KEY, schema};
use crate::event::{EventRecord, Process};
use crate::value::Value;

/// How many rows are written at a time.
const ROWS: usize = 256 << 10;

/// A column that may have nulls, while its rows are gathered.
#[derive(Debug)]
struct Column<T> {
    values: Vec<T>,
    /// By row: 1 if there is a value.
    levels: Vec<i16>,
}

impl<T> Default for Column<T> {
    fn default() -> Self {
        let (values, levels) = (Vec::new(), Vec::new());
        Self { values, levels }
    }
}

impl<T> Column<T> {
    fn push(&mut self, value: Option<T>) {
        self.levels.push(i16::from(value.is_some()));
        self.values.extend(value);
    }
}

/// Rows that are not written yet.
#[derive(Debug, Default)]
struct Rows {
    time_ns: Column<i64>,
    process: Column<i64>,
    kind: Vec<ByteArray>,
    function: Vec<ByteArray>,
    key_int: Column<i64>,
    key: Column<ByteArray>,
    value_int: Column<i64>,
    value: Column<ByteArray>,
    error: Column<ByteArray>,
    extra: Column<ByteArray>,
}

/// Writes a history as Parquet. It is a file only after [`EventWriter::finish`]: its index is at its end.
pub struct Writer<W: Write + Send> {
    file: SerializedFileWriter<W>,
    rows: Rows,
}

impl<W: Write + Send> Writer<W> {
    /// A history without events.
    ///
    /// # Errors
    /// Those of the writer below.
    pub fn new(out: W) -> io::Result<Self> {
        let entry = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
        let mut properties = WriterProperties::builder()
            .set_created_by(format!("tribunal {}", env!("CARGO_PKG_VERSION")))
            .set_key_value_metadata(Some(vec![
                entry(KIND_KEY, "history".to_owned()),
                entry(VERSION_KEY, HISTORY_VERSION.to_string()),
            ]));
        for integers in ["time_ns", "process", "key_int", "value_int"] {
            let column = ColumnPath::from(integers);
            properties = properties
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
        }
        let file = SerializedFileWriter::new(out, schema(), Arc::new(properties.build()));
        Ok(Self {
            file: file.map_err(io_error)?,
            rows: Rows::default(),
        })
    }

    /// Writes the rows that have been gathered.
    fn flush(&mut self) -> Result<(), ParquetError> {
        let rows = std::mem::take(&mut self.rows);
        let mut group = self.file.next_row_group()?;
        let integers = |group: &mut SerializedRowGroupWriter<'_, W>, column: &Column<i64>| {
            column_of::<Int64Type, W>(group, &column.values, Some(&column.levels))
        };
        let texts = |group: &mut SerializedRowGroupWriter<'_, W>, column: &Column<ByteArray>| {
            column_of::<ByteArrayType, W>(group, &column.values, Some(&column.levels))
        };
        integers(&mut group, &rows.time_ns)?;
        integers(&mut group, &rows.process)?;
        column_of::<ByteArrayType, W>(&mut group, &rows.kind, None)?;
        column_of::<ByteArrayType, W>(&mut group, &rows.function, None)?;
        integers(&mut group, &rows.key_int)?;
        texts(&mut group, &rows.key)?;
        integers(&mut group, &rows.value_int)?;
        texts(&mut group, &rows.value)?;
        texts(&mut group, &rows.error)?;
        texts(&mut group, &rows.extra)?;
        group.close().map(drop)
    }
}

/// Writes the next column of a group of rows.
fn column_of<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let column = group.next_column()?;
    let mut column = column.ok_or_else(|| ParquetError::General("no such column".to_owned()))?;
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

impl<W: Write + Send> EventWriter for Writer<W> {
    fn write(&mut self, event: &EventRecord) -> io::Result<()> {
        let rows = &mut self.rows;
        let time_ns = event.time_ns.map(i64::try_from).transpose();
        rows.time_ns.push(time_ns.map_err(io::Error::other)?);
        rows.process.push(match event.process {
            Process::Client(number) => Some(i64::from(number)),
            Process::Nemesis => None,
        });
        rows.kind.push(event.kind.name().into());
        rows.function
            .push(event.function.as_bytes().to_vec().into());
        let (key_int, key) = in_two(&event.key)?;
        rows.key_int.push(key_int);
        rows.key.push(key);
        let (value_int, value) = in_two(&event.value)?;
        rows.value_int.push(value_int);
        rows.value.push(value);
        rows.error.push(json(&event.error)?);
        rows.extra.push(json(&event.extra)?);
        if rows.kind.len() == ROWS {
            self.flush().map_err(io_error)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if !self.rows.kind.is_empty() {
            self.flush().map_err(io_error)?;
        }
        let mut out = self.file.into_inner().map_err(io_error)?;
        out.flush()
    }
}

/// A value for the column of integers, or for that of all others.
fn in_two(value: &Value) -> io::Result<(Option<i64>, Option<ByteArray>)> {
    Ok(match value {
        Value::Int(number) => (Some(*number), None),
        other => (None, json(other)?),
    })
}

fn json(value: &Value) -> io::Result<Option<ByteArray>> {
    match value {
        Value::Nil => Ok(None),
        value => Ok(Some(serde_json::to_vec(value)?.into())),
    }
}

/// The error of the writer below, or Parquet's own.
fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(inner) => *inner,
            Err(inner) => io::Error::other(inner),
        },
        other => io::Error::other(other),
    }
}
