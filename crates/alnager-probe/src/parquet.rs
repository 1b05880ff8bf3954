//! Parquet files: only the columns in use are read, texts by their dictionaries.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};

use crate::columns::{guarded, take_in, used, wrong};
use crate::error::ProbeError;
use crate::intake::Sink;
use crate::source::{Opened, Progress, Unit};

/// Rows read at a time: few enough that the columns of a batch stay in the cache, and that freed memory is not given back to the
/// system and fetched anew for each.
const BATCH_ROWS: usize = 8 << 10;

/// Takes in the rows of a file; gives its SHA-256, for which the file is read a second time.
pub(crate) fn read(
    sink: &mut dyn Sink,
    opened: &Opened,
    progress: &dyn Fn(Progress),
) -> Result<String, ProbeError> {
    let file = opened
        .rewound()?
        .try_clone()
        .map_err(|source| opened.unreadable(source))?;
    // The types Parquet itself gives are enough but for days in milliseconds and instants in seconds, which it keeps as whole
    // numbers: an embedded Arrow schema tells them.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let plain = guarded(opened, || ArrowReaderMetadata::load(&file, options))?;
    let used = used(opened, plain.schema(), sink.intake().columns())?;
    let told = guarded(opened, || {
        ArrowReaderMetadata::try_new(Arc::clone(plain.metadata()), ArrowReaderOptions::new())
    });
    let told = told
        .as_ref()
        .map_or(plain.schema(), ArrowReaderMetadata::schema);
    let schema = with_dictionaries(plain.schema(), told, &used);
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    let metadata = guarded(opened, || {
        ArrowReaderMetadata::try_new(Arc::clone(plain.metadata()), options)
    })?;
    sink.intake().compare_floats(&|column| {
        metadata.schema().field(used[column]).data_type() == &DataType::Float32
    });
    let sha256 = opened.sha256(progress)?;

    let total = u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(0);
    let mask = ProjectionMask::roots(
        metadata.metadata().file_metadata().schema_descr(),
        used.iter().copied(),
    );
    let mut reader = guarded(opened, || {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
        builder
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS)
            .build()
    })?;
    // A projected batch has its columns in the order of the file.
    let at: Vec<usize> = used
        .iter()
        .map(|column| used.iter().filter(|other| *other < column).count())
        .collect();
    let start = sink.intake().n_rows();
    while let Some(batch) = guarded(opened, || reader.next().transpose())? {
        let before = sink.intake().n_rows() - start;
        if let Err(fault) = take_in(sink, &batch, &at) {
            return Err(wrong(opened, sink.intake().columns(), before, fault));
        }
        progress(Progress {
            done: (before + batch.num_rows() as u64).min(total),
            total,
            unit: Unit::Rows,
        });
    }
    let n_read = sink.intake().n_rows() - start;
    if n_read != total {
        let source = format!("{n_read} rows were read, {total} are announced").into();
        return Err(ProbeError::Damaged {
            file: opened.name.clone(),
            source,
        });
    }
    Ok(sha256)
}

/// The schema in which the texts in use keep the dictionaries they are stored with, and whole numbers that are `told` to be days or
/// instants are those.
fn with_dictionaries(schema: &Schema, told: &Schema, used: &[usize]) -> Schema {
    let fields = schema
        .fields()
        .iter()
        .enumerate()
        .map(|(at, field)| match field.data_type() {
            DataType::Utf8 if used.contains(&at) => {
                let data_type =
                    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
                Arc::new(Field::new(field.name(), data_type, field.is_nullable()))
            }
            DataType::Int64 if used.contains(&at) => match told.fields().get(at) {
                Some(told)
                    if matches!(told.data_type(), DataType::Date64 | DataType::Timestamp(..)) =>
                {
                    Arc::clone(told)
                }
                Some(_) | None => Arc::clone(field),
            },
            _ => Arc::clone(field),
        });
    Schema::new(fields.collect::<Vec<_>>())
}
