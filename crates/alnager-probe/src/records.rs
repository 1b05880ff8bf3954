//! Records: the rows of a log with every column as text, and the Parquet files in which segments of them lie.

use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use parquet::file::properties::WriterProperties;
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::columns::{all_names, guarded, guarded_as, texts_of};
use crate::csv;
use crate::error::{ProbeError, Problem, Row};
use crate::intake::ROWS_COLUMN;
use crate::source::{Format, Opened, Progress, RECORD_BYTES_MAX, Unit};

/// Rows with all their columns.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Records {
    /// The columns, each once.
    pub columns: Vec<String>,
    /// For each row a text for every column, or none.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Takes a row: the columns known so far, which only grow, and its values for the first of them. Whether to go on.
pub(crate) type Take<'t> = dyn FnMut(&[String], Vec<Option<String>>) -> bool + 't;

/// Most columns of a table of records.
const COLUMNS_MAX: usize = 1_000;

/// The key in the metadata of a segment's file under which the secret stands that its rows are salted with.
const SECRET: &str = "alnager.segment.secret";

/// What a segment's file is called in messages.
const SEGMENT: &str = "rows.parquet";

/// Most bytes of text that the rows of a segment's file come to; sealing cuts at half of it. Parquet packs a text that is there often so
/// well that a small file can hold more than any memory.
const SEGMENT_TEXT_BYTES_MAX: usize = 64 << 20;

/// Rows of a segment's file unpacked at a time: few, so that long texts are counted before many of them stand in memory.
const SEGMENT_BATCH_ROWS: usize = 16;

/// Reads every row of a file with all its columns, in order, each value by the text it is called by; a member that is absent or null is
/// none. `take` is given the columns known so far and the row's values for the first of them, and says whether to go on.
pub fn read_records(
    path: &Path,
    progress: &dyn Fn(Progress),
    take: &mut Take<'_>,
) -> Result<(), ProbeError> {
    let opened = Opened::open(path)?;
    let mut n_rows = 0_u64;
    let mut counted = |columns: &[String], values: Vec<Option<String>>| {
        n_rows += 1;
        take(columns, values)
    };
    match opened.format {
        Format::Csv => csv::records(&opened, progress, &mut counted)?,
        Format::JsonLines => lines(&opened, progress, &mut counted)?,
        Format::Parquet => parquet(&opened, progress, &mut counted)?,
        Format::Arrow => arrow(&opened, &mut counted)?,
    }
    opened.unchanged()?;
    match n_rows {
        0 => Err(ProbeError::NoRows { file: opened.name }),
        _ => Ok(()),
    }
}

/// The file of a segment: Parquet with every column as text, the rows in their order, and the secret in its metadata.
pub fn write_segment(records: &Records, secret: &str) -> Result<Vec<u8>, ProbeError> {
    guarded_as(SEGMENT, || written(records, secret))
}

fn written(records: &Records, secret: &str) -> Result<Vec<u8>, ParquetError> {
    let fields = records.columns.iter();
    let fields: Vec<Field> = fields
        .map(|column| Field::new(column, DataType::Utf8, true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let column = |at: usize| -> ArrayRef {
        let rows = records.rows.iter();
        let values: StringArray = rows
            .map(|row| row.get(at).and_then(Option::as_deref))
            .collect();
        Arc::new(values)
    };
    let columns: Vec<ArrayRef> = (0..records.columns.len()).map(column).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
    let secret = KeyValue::new(SECRET.to_owned(), secret.to_owned());
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_key_value_metadata(Some(vec![secret]))
        .build();
    let options = ArrowWriterOptions::new()
        .with_properties(properties)
        .with_skip_arrow_metadata(true);
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new_with_options(&mut bytes, schema, options)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(bytes)
}

/// The rows of a segment's file, at most `rows_max`, and its secret. A file of more rows, or of more text than a segment has, is an error
/// before it is unpacked.
pub fn read_segment(bytes: Vec<u8>, rows_max: usize) -> Result<(Records, String), ProbeError> {
    let bytes = Bytes::from(bytes);
    let builder = guarded_as(SEGMENT, || {
        ParquetRecordBatchReaderBuilder::try_new(bytes.clone())
    })?;
    let notes = builder.metadata().file_metadata().key_value_metadata();
    let secret = notes
        .into_iter()
        .flatten()
        .find(|note| note.key == SECRET)
        .and_then(|note| note.value.clone());
    let secret = secret.ok_or_else(|| ProbeError::NoSegment {
        file: SEGMENT.to_owned(),
    })?;
    check_announced(builder.metadata(), rows_max)?;
    let mut records = Records {
        columns: all_names(SEGMENT, builder.schema())?,
        rows: Vec::new(),
    };
    check_columns(SEGMENT, &records.columns)?;
    let builder = builder.with_batch_size(SEGMENT_BATCH_ROWS);
    let mut reader = guarded_as(SEGMENT, || builder.build())?;
    let mut n_bytes = 0_usize;
    while let Some(batch) = guarded_as(SEGMENT, || reader.next().transpose())? {
        // What a file announces need not be so.
        if records.rows.len() + batch.num_rows() > rows_max {
            return Err(too_many_rows(rows_max));
        }
        if batch.get_array_memory_size() > SEGMENT_TEXT_BYTES_MAX {
            return Err(too_much_text());
        }
        let before = records.rows.len() as u64;
        let is_read = rows_of(SEGMENT, before, &batch, &mut |values| {
            n_bytes += values.iter().flatten().map(String::len).sum::<usize>();
            records.rows.push(values);
            n_bytes <= SEGMENT_TEXT_BYTES_MAX
        })?;
        if !is_read {
            return Err(too_much_text());
        }
    }
    Ok((records, secret))
}

/// Whether a file announces no more rows and bytes than a segment has.
fn check_announced(metadata: &ParquetMetaData, rows_max: usize) -> Result<(), ProbeError> {
    let n_rows = usize::try_from(metadata.file_metadata().num_rows()).unwrap_or(usize::MAX);
    if n_rows > rows_max {
        return Err(too_many_rows(rows_max));
    }
    let mut n_bytes = 0_usize;
    let groups = metadata.row_groups().iter();
    for column in groups.flat_map(|group| group.columns()) {
        let unpacked = usize::try_from(column.uncompressed_size()).unwrap_or(usize::MAX);
        n_bytes = n_bytes.saturating_add(unpacked);
    }
    match n_bytes > SEGMENT_TEXT_BYTES_MAX {
        true => Err(too_much_text()),
        false => Ok(()),
    }
}

fn too_many_rows(max: usize) -> ProbeError {
    ProbeError::TooManyRows {
        file: SEGMENT.to_owned(),
        max,
    }
}

fn too_much_text() -> ProbeError {
    ProbeError::TooMuchText {
        file: SEGMENT.to_owned(),
        max_mib: SEGMENT_TEXT_BYTES_MAX >> 20,
    }
}

/// Whether these can be the columns of records.
pub(crate) fn check_columns(file: &str, columns: &[String]) -> Result<(), ProbeError> {
    let file = || file.to_owned();
    if columns.iter().any(|column| column == ROWS_COLUMN) {
        return Err(ProbeError::CountsNoRecords { file: file() });
    }
    if columns.len() > COLUMNS_MAX {
        return Err(ProbeError::TooManyColumns {
            file: file(),
            max: COLUMNS_MAX,
        });
    }
    let mut seen = std::collections::HashSet::new();
    match columns.iter().find(|column| !seen.insert(column.as_str())) {
        None => Ok(()),
        Some(column) => Err(ProbeError::TwoColumns {
            file: file(),
            column: column.clone(),
        }),
    }
}

/// JSON lines: the columns are the members met so far, in the order in which they came up.
fn lines(
    opened: &Opened,
    progress: &dyn Fn(Progress),
    take: &mut Take<'_>,
) -> Result<(), ProbeError> {
    let n_read = std::cell::Cell::new(0_u64);
    let text = opened.unpacked(|bytes| n_read.set(n_read.get() + bytes.len() as u64))?;
    let mut reader = BufReader::with_capacity(256 << 10, text);
    let (mut columns, mut at): (Vec<String>, HashMap<String, usize>) = Default::default();
    let (mut line, mut n_line, mut n_told) = (Vec::new(), 0, 0);
    loop {
        line.clear();
        let mut limited = reader.by_ref().take(RECORD_BYTES_MAX + 1);
        let n = limited
            .read_until(b'\n', &mut line)
            .map_err(|source| opened.unreadable(source))?;
        if n == 0 {
            return Ok(());
        }
        n_line += 1;
        let wrong = |column: Option<&str>, problem| {
            ProbeError::content(&opened.name, Some(Row::Line(n_line)), column, problem)
        };
        if n as u64 > RECORD_BYTES_MAX {
            return Err(wrong(None, Problem::LongRecord));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let text = std::str::from_utf8(&line).map_err(|_| wrong(None, Problem::NotUtf8))?;
        let not_json = |error: serde_json::Error| {
            let problem = error.to_string();
            wrong(None, Problem::NotAnObject { problem })
        };
        let members = members(text).map_err(not_json)?;
        let n_known = columns.len();
        let mut values: Vec<Option<String>> = vec![None; n_known];
        for (name, value) in members {
            let place = *at.entry(name.clone()).or_insert_with(|| {
                columns.push(name);
                columns.len() - 1
            });
            values.resize(columns.len().max(values.len()), None);
            values[place] = match value.get().as_bytes().first() {
                Some(b'n') => None,
                Some(b'"') => Some(serde_json::from_str(value.get()).map_err(not_json)?),
                Some(_) | None => Some(value.get().to_owned()),
            };
        }
        if columns.len() > n_known {
            check_columns(&opened.name, &columns)?;
        }
        if !take(&columns, values) {
            return Ok(());
        }
        if n_read.get() > n_told {
            n_told = n_read.get();
            progress(Progress {
                done: n_told.min(opened.n_bytes),
                total: opened.n_bytes,
                unit: Unit::Bytes,
            });
        }
    }
}

/// The members of an object as they are written, in their order. One that is there twice is an error: which was meant?
fn members(line: &str) -> Result<Vec<(String, &RawValue)>, serde_json::Error> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members: Self::Value = Vec::new();
            let mut seen = std::collections::HashSet::new();
            while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                if !seen.insert(name.clone()) {
                    let name = crate::error::shown(&name);
                    return Err(serde::de::Error::custom(format!(
                        "the member `{name}` is there twice"
                    )));
                }
                members.push((name, value));
            }
            Ok(members)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(line);
    let members = reader.deserialize_map(Members)?;
    reader.end()?;
    Ok(members)
}

fn parquet(
    opened: &Opened,
    progress: &dyn Fn(Progress),
    take: &mut Take<'_>,
) -> Result<(), ProbeError> {
    let file = opened
        .rewound()?
        .try_clone()
        .map_err(|source| opened.unreadable(source))?;
    // With the Arrow schema that a file may hold: it tells days in milliseconds and instants in seconds.
    let metadata = guarded(opened, || {
        ArrowReaderMetadata::load(&file, Default::default())
    })?;
    let columns = all_names(&opened.name, metadata.schema())?;
    check_columns(&opened.name, &columns)?;
    let total = u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(0);
    let mut reader = guarded(opened, || {
        ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata).build()
    })?;
    let mut done = 0;
    while let Some(batch) = guarded(opened, || reader.next().transpose())? {
        let go_on = rows_of(&opened.name, done, &batch, &mut |values| {
            take(&columns, values)
        })?;
        if !go_on {
            return Ok(());
        }
        done += batch.num_rows() as u64;
        progress(Progress {
            done: done.min(total),
            total,
            unit: Unit::Rows,
        });
    }
    if done != total {
        let source = format!("{done} rows were read, {total} are announced").into();
        return Err(ProbeError::Damaged {
            file: opened.name.clone(),
            source,
        });
    }
    Ok(())
}

fn arrow(opened: &Opened, take: &mut Take<'_>) -> Result<(), ProbeError> {
    let mut magic = Vec::new();
    opened
        .rewound()?
        .take(6)
        .read_to_end(&mut magic)
        .map_err(|source| opened.unreadable(source))?;
    let file = BufReader::new(opened.rewound()?);
    if magic == b"ARROW1" {
        let reader = guarded(opened, || FileReader::try_new(file, None))?;
        let schema = reader.schema();
        batches(opened, &schema, reader, take)
    } else {
        let reader = guarded(opened, || StreamReader::try_new(file, None))?;
        let schema = reader.schema();
        batches(opened, &schema, reader, take)
    }
}

fn batches(
    opened: &Opened,
    schema: &Schema,
    mut reader: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    take: &mut Take<'_>,
) -> Result<(), ProbeError> {
    let columns = all_names(&opened.name, schema)?;
    check_columns(&opened.name, &columns)?;
    let mut done = 0;
    while let Some(batch) = guarded(opened, || reader.next().transpose())? {
        let go_on = rows_of(&opened.name, done, &batch, &mut |values| {
            take(&columns, values)
        })?;
        if !go_on {
            return Ok(());
        }
        done += batch.num_rows() as u64;
    }
    Ok(())
}

/// Gives the rows of a batch, `before` having come before it.
fn rows_of(
    file: &str,
    before: u64,
    batch: &RecordBatch,
    take: &mut dyn FnMut(Vec<Option<String>>) -> bool,
) -> Result<bool, ProbeError> {
    let mut columns = Vec::with_capacity(batch.num_columns());
    for (at, array) in batch.columns().iter().enumerate() {
        let texts = guarded_as(file, || Ok::<_, ParquetError>(texts_of(array.as_ref())))?;
        let texts = texts.map_err(|(row, problem)| {
            let row = Row::Row(before + row as u64 + 1);
            let schema = batch.schema();
            ProbeError::content(file, Some(row), Some(schema.field(at).name()), problem)
        })?;
        columns.push(texts.into_iter());
    }
    for _ in 0..batch.num_rows() {
        let row = columns.iter_mut().map(|column| column.next().flatten());
        if !take(row.collect()) {
            return Ok(false);
        }
    }
    Ok(true)
}

impl fmt::Debug for Records {
    /// No row.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records")
            .field("columns", &self.columns)
            .field("n_rows", &self.rows.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
