//! Parquet files: only the columns in use are read, texts by their dictionaries.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, BooleanArray, DictionaryArray, PrimitiveArray, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};

use crate::coder::Coder;
use crate::error::{ProbeError, Problem, Row, choices};
use crate::kernel::{Fault, Kernel};
use crate::source::{Opened, Progress, Unit};

/// Rows read at a time.
const BATCH_ROWS: usize = 64 << 10;

/// Counts the rows of a file; gives its SHA-256, for which the file is read a second time.
pub(crate) fn count(
    kernel: &mut Kernel<'_>,
    opened: &Opened,
    progress: &dyn Fn(Progress),
) -> Result<String, ProbeError> {
    let file = opened
        .rewound()?
        .try_clone()
        .map_err(|source| opened.unreadable(source))?;
    // The types Parquet itself gives are enough; an embedded Arrow schema adds none that we count.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let plain = guarded(opened, || ArrowReaderMetadata::load(&file, options))?;
    let used = used(opened, plain.schema(), kernel.columns())?;
    let options =
        ArrowReaderOptions::new().with_schema(Arc::new(with_dictionaries(plain.schema(), &used)));
    let metadata = guarded(opened, || {
        ArrowReaderMetadata::try_new(Arc::clone(plain.metadata()), options)
    })?;
    for role in kernel.roles_mut() {
        if let (Coder::Levels(levels), DataType::Float32) = (
            &mut role.coder,
            metadata.schema().field(used[role.column]).data_type(),
        ) {
            levels.compare_short_floats();
        }
    }
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
    while let Some(batch) = guarded(opened, || reader.next().transpose())? {
        let before = kernel.n_rows();
        if let Err(fault) = count_batch(kernel, &batch, &at) {
            return Err(wrong(opened, kernel.columns(), before, fault));
        }
        progress(Progress {
            done: kernel.n_rows().min(total),
            total,
            unit: Unit::Rows,
        });
    }
    if kernel.n_rows() != total {
        let source = format!("{} rows were read, {total} are announced", kernel.n_rows()).into();
        return Err(ProbeError::Damaged {
            file: opened.name.clone(),
            source,
        });
    }
    Ok(sha256)
}

/// Runs a step of the reader. It panics at some damaged files instead of returning an error (about one in 200 flipped bytes,
/// parquet 59.3); what it was about to return is dropped, so nothing half done is seen.
fn guarded<T, E>(opened: &Opened, step: impl FnOnce() -> Result<T, E>) -> Result<T, ProbeError>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let source = match catch_unwind(AssertUnwindSafe(step)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.into(),
        Err(_) => "the reader met a state it does not provide for".into(),
    };
    Err(ProbeError::Damaged {
        file: opened.name.clone(),
        source,
    })
}

/// Finds the columns in the schema.
fn used(opened: &Opened, schema: &Schema, columns: &[String]) -> Result<Vec<usize>, ProbeError> {
    let file = || opened.name.clone();
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    let mut used = Vec::with_capacity(columns.len());
    for column in columns {
        let mut found = schema
            .fields()
            .iter()
            .enumerate()
            .filter(|(_, field)| field.name() == column);
        let (at, field) = match (found.next(), found.next()) {
            (Some(found), None) => found,
            (Some(_), Some(_)) => {
                return Err(ProbeError::TwoColumns {
                    file: file(),
                    column: column.clone(),
                });
            }
            (None, _) => {
                let hint = choices(column, "columns", &names);
                return Err(ProbeError::NoColumn {
                    file: file(),
                    column: column.clone(),
                    hint,
                });
            }
        };
        if !can_be_counted(field.data_type()) {
            return Err(ProbeError::ColumnType {
                file: file(),
                column: column.clone(),
                found: field.data_type().to_string(),
            });
        }
        used.push(at);
    }
    Ok(used)
}

fn can_be_counted(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::Boolean | DataType::Float32 | DataType::Float64 | DataType::Null
    ) || data_type.is_integer()
}

/// The schema in which the texts in use keep the dictionaries they are stored with.
fn with_dictionaries(schema: &Schema, used: &[usize]) -> Schema {
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
            _ => Arc::clone(field),
        });
    Schema::new(fields.collect::<Vec<_>>())
}

fn wrong(opened: &Opened, columns: &[String], before: u64, fault: Fault) -> ProbeError {
    let column = fault.column.map(|column| columns[column].as_str());
    let row = column
        .is_some()
        .then_some(Row::Row(before + fault.row as u64 + 1));
    ProbeError::content(&opened.name, row, column, fault.problem)
}

/// `at[c]` is where column `c` of the kernel stands in the batch.
fn count_batch(kernel: &mut Kernel<'_>, batch: &RecordBatch, at: &[usize]) -> Result<(), Fault> {
    kernel.batch(batch.num_rows(), |role, codes| {
        encode(
            batch.column(at[role.column]).as_ref(),
            &mut role.coder,
            codes,
        )
    })
}

/// Appends the code of each row, or names the first row that has none.
fn encode(
    array: &dyn Array,
    coder: &mut Coder,
    codes: &mut Vec<u32>,
) -> Result<(), (usize, Problem)> {
    match array.data_type() {
        DataType::Dictionary(_, _) => texts(array.as_dictionary(), coder, codes),
        DataType::Null => each(array, codes, |_| coder.text(b"")),
        DataType::Boolean => booleans(array.as_boolean(), coder, codes),
        DataType::Int8 => numbers(array.as_primitive::<Int8Type>(), coder, codes),
        DataType::Int16 => numbers(array.as_primitive::<Int16Type>(), coder, codes),
        DataType::Int32 => numbers(array.as_primitive::<Int32Type>(), coder, codes),
        DataType::Int64 => numbers(array.as_primitive::<Int64Type>(), coder, codes),
        DataType::UInt8 => numbers(array.as_primitive::<UInt8Type>(), coder, codes),
        DataType::UInt16 => numbers(array.as_primitive::<UInt16Type>(), coder, codes),
        DataType::UInt32 => numbers(array.as_primitive::<UInt32Type>(), coder, codes),
        DataType::UInt64 => numbers(array.as_primitive::<UInt64Type>(), coder, codes),
        DataType::Float32 => numbers(array.as_primitive::<Float32Type>(), coder, codes),
        DataType::Float64 => numbers(array.as_primitive::<Float64Type>(), coder, codes),
        other => unreachable!("a column of type {other} is refused when the file is opened"),
    }
}

fn each(
    array: &dyn Array,
    codes: &mut Vec<u32>,
    mut code: impl FnMut(usize) -> Result<u32, Problem>,
) -> Result<(), (usize, Problem)> {
    for row in 0..array.len() {
        codes.push(code(row).map_err(|problem| (row, problem))?);
    }
    Ok(())
}

fn texts(
    array: &DictionaryArray<Int32Type>,
    coder: &mut Coder,
    codes: &mut Vec<u32>,
) -> Result<(), (usize, Problem)> {
    // A dictionary may hold texts that no row uses; those must not count as values of the column.
    let mut known: Vec<Option<u32>> = vec![None; array.values().len()];
    let values = array.values().as_string::<i32>();
    each(array, codes, |row| {
        let Some(key) = array.key(row).filter(|key| values.is_valid(*key)) else {
            return coder.text(b"");
        };
        if let Some(code) = known[key] {
            return Ok(code);
        }
        let code = coder.text(values.value(key).as_bytes())?;
        known[key] = Some(code);
        Ok(code)
    })
}

fn booleans(
    array: &BooleanArray,
    coder: &mut Coder,
    codes: &mut Vec<u32>,
) -> Result<(), (usize, Problem)> {
    // As a number, true is 1.
    let [no, yes]: [&[u8]; 2] = if matches!(coder, Coder::Texts(_)) {
        [b"false", b"true"]
    } else {
        [b"0", b"1"]
    };
    each(array, codes, |row| {
        match (array.is_valid(row), array.value(row)) {
            (false, _) => coder.text(b""),
            (true, false) => coder.text(no),
            (true, true) => coder.text(yes),
        }
    })
}

fn numbers<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    coder: &mut Coder,
    codes: &mut Vec<u32>,
) -> Result<(), (usize, Problem)>
where
    T::Native: Number,
{
    let mut known: HashMap<u64, u32> = HashMap::new();
    each(array, codes, |row| {
        if array.is_null(row) {
            return coder.text(b"");
        }
        let value = array.value(row);
        if let Coder::Levels(levels) = coder {
            return levels.code(value.wide());
        }
        if let Some(code) = known.get(&value.bits()) {
            return Ok(*code);
        }
        let code = coder.text(value.text().as_bytes())?;
        known.insert(value.bits(), code);
        Ok(code)
    })
}

/// A number as Parquet stores it.
trait Number: Copy {
    /// Differs for different values.
    fn bits(self) -> u64;
    fn wide(self) -> f64;
    /// What the number is called where a declaration speaks of values: the shortest decimal form, `1` for a whole float.
    fn text(self) -> String;
}

macro_rules! whole_numbers {
    ($($name:ty)*) => {
        $(impl Number for $name {
            fn bits(self) -> u64 {
                self as u64
            }

            fn wide(self) -> f64 {
                self as f64
            }

            fn text(self) -> String {
                self.to_string()
            }
        })*
    };
}

whole_numbers!(i8 i16 i32 i64 u8 u16 u32 u64);

macro_rules! floats {
    ($($name:ty)*) => {
        $(impl Number for $name {
            fn bits(self) -> u64 {
                self.to_bits().into()
            }

            fn wide(self) -> f64 {
                self.into()
            }

            fn text(self) -> String {
                // Minus zero is zero.
                if self == 0.0 { "0".to_owned() } else { self.to_string() }
            }
        })*
    };
}

floats!(f32 f64);
