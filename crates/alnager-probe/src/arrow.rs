//! Arrow files (IPC, also known as Feather version 2) and streams.

use std::io::{BufReader, Read, Seek};

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, DataType, Schema};

use crate::columns::{guarded, take_in, used, wrong};
use crate::error::ProbeError;
use crate::intake::Sink;
use crate::source::{Opened, Progress, Unit};

/// Takes in the rows of a file; gives its SHA-256, for which the file is read a second time.
pub(crate) fn read(
    sink: &mut dyn Sink,
    opened: &Opened,
    progress: &dyn Fn(Progress),
) -> Result<String, ProbeError> {
    let sha256 = opened.sha256(progress)?;
    let mut magic = Vec::new();
    opened
        .rewound()?
        .take(6)
        .read_to_end(&mut magic)
        .map_err(|source| opened.unreadable(source))?;
    let file = BufReader::new(opened.rewound()?);
    if magic == b"ARROW1" {
        whole(sink, opened, file, progress)?;
    } else {
        let reader = guarded(opened, || StreamReader::try_new(file, None))?;
        let schema = reader.schema();
        batches(sink, opened, &schema, reader, &|_| {})?;
    }
    Ok(sha256)
}

/// A file with an index at its end.
fn whole(
    sink: &mut dyn Sink,
    opened: &Opened,
    file: impl Read + Seek,
    progress: &dyn Fn(Progress),
) -> Result<(), ProbeError> {
    let reader = guarded(opened, || FileReader::try_new(file, None))?;
    let schema = reader.schema();
    let total = reader.num_batches() as u64;
    batches(sink, opened, &schema, reader, &|done| {
        progress(Progress {
            done,
            total,
            unit: Unit::Rows,
        });
    })
}

fn batches(
    sink: &mut dyn Sink,
    opened: &Opened,
    schema: &Schema,
    mut reader: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    tell: &dyn Fn(u64),
) -> Result<(), ProbeError> {
    let at = used(opened, schema, sink.intake().columns())?;
    sink.intake()
        .compare_floats(&|column| schema.field(at[column]).data_type() == &DataType::Float32);
    let start = sink.intake().n_rows();
    let mut n_batches = 0;
    while let Some(batch) = guarded(opened, || reader.next().transpose())? {
        let before = sink.intake().n_rows() - start;
        if let Err(fault) = take_in(sink, &batch, &at) {
            return Err(wrong(opened, sink.intake().columns(), before, fault));
        }
        n_batches += 1;
        tell(n_batches);
    }
    Ok(())
}
