//! The names of the columns of a source, for what asks for all of them.

use std::io::{BufRead as _, BufReader, Read as _};

use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::SchemaRef;
use csv::ReaderBuilder;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use serde_json::Value;

use crate::columns::{can_be_counted, guarded};
use crate::error::{ProbeError, Problem, Row};
use crate::source::{Format, Opened, RECORD_BYTES_MAX, Source};

/// The names of the columns of the first file of a source, in their order: those of its header, of the first object of JSON lines,
/// or of its schema. Columns that hold lists or objects are left out; so is a name that is no UTF-8.
pub fn column_names(source: &Source) -> Result<Vec<String>, ProbeError> {
    let (files, _) = source.files()?;
    let Some(path) = files.first() else {
        return Ok(Vec::new());
    };
    let opened = Opened::open(path)?;
    match opened.format {
        Format::Csv => of_header(&opened),
        Format::JsonLines => of_object(&opened),
        Format::Parquet => {
            let file = opened
                .rewound()?
                .try_clone()
                .map_err(|source| opened.unreadable(source))?;
            let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
            let metadata = guarded(&opened, || ArrowReaderMetadata::load(&file, options))?;
            Ok(of_schema(metadata.schema()))
        }
        Format::Arrow => {
            let mut magic = Vec::new();
            opened
                .rewound()?
                .take(6)
                .read_to_end(&mut magic)
                .map_err(|source| opened.unreadable(source))?;
            let file = BufReader::new(opened.rewound()?);
            let schema = if magic == b"ARROW1" {
                guarded(&opened, || FileReader::try_new(file, None))?.schema()
            } else {
                guarded(&opened, || StreamReader::try_new(file, None))?.schema()
            };
            Ok(of_schema(&schema))
        }
    }
}

fn of_schema(schema: &SchemaRef) -> Vec<String> {
    let fields = schema.fields().iter();
    let counted = fields.filter(|field| can_be_counted(field.data_type()));
    counted.map(|field| field.name().clone()).collect()
}

fn of_header(opened: &Opened) -> Result<Vec<String>, ProbeError> {
    let text = opened.unpacked(|_| ())?.take(RECORD_BYTES_MAX);
    let mut reader = ReaderBuilder::new().has_headers(false).from_reader(text);
    let mut header = csv::ByteRecord::new();
    let is_there = reader
        .read_byte_record(&mut header)
        .map_err(|error| opened.unreadable(std::io::Error::other(error.to_string())))?;
    if !is_there {
        return Err(ProbeError::Empty {
            file: opened.name.clone(),
        });
    }
    let names = header.iter().enumerate().map(|(at, name)| {
        let mark: &[u8] = if at == 0 { &[0xef, 0xbb, 0xbf] } else { &[] };
        name.strip_prefix(mark).unwrap_or(name)
    });
    let names = names.filter_map(|name| std::str::from_utf8(name).ok());
    Ok(names.map(str::to_owned).collect())
}

fn of_object(opened: &Opened) -> Result<Vec<String>, ProbeError> {
    let reader = BufReader::new(opened.unpacked(|_| ())?.take(RECORD_BYTES_MAX));
    for (at, line) in reader.split(b'\n').enumerate() {
        let line = line.map_err(|source| opened.unreadable(source))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let object: serde_json::Map<String, Value> =
            serde_json::from_slice(&line).map_err(|error| {
                let problem = Problem::NotAnObject {
                    problem: error.to_string(),
                };
                ProbeError::content(&opened.name, Some(Row::Line(at as u64 + 1)), None, problem)
            })?;
        let members = object.into_iter();
        let single = members.filter(|(_, value)| !value.is_array() && !value.is_object());
        return Ok(single.map(|(name, _)| name).collect());
    }
    Err(ProbeError::Empty {
        file: opened.name.clone(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, text: &str, want: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        assert_eq!(column_names(&Source::Files { path }).unwrap(), want);
    }

    #[test]
    fn a_header_and_an_object_name_their_columns() {
        check(
            "a.csv",
            "\u{feff}sex,\"a, b\",y\nF,1,0\n",
            &["sex", "a, b", "y"],
        );
        check(
            "a.jsonl",
            "\n{\"sex\":\"F\",\"deep\":[1],\"y\":null}\n",
            &["sex", "y"],
        );
    }

    #[test]
    fn an_empty_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, "").unwrap();
        let error = column_names(&Source::Files { path }).unwrap_err();
        assert!(error.to_string().contains("empty"), "{error}");
    }
}
