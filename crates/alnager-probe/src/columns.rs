//! Columns of a batch in the Arrow format, taken in by roles.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, ArrowPrimitiveType, Date32Type, Date64Type, Decimal128Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, BooleanArray, DictionaryArray, PrimitiveArray, RecordBatch};
use arrow_buffer::ArrowNativeType;
use arrow_schema::{DataType, Schema, TimeUnit};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::coder::Coded;
use crate::error::{ProbeError, Problem, Row, choices};
use crate::intake::{self, Fault, ROWS_COLUMN, Sink};
use crate::role::Role;
use crate::source::Opened;

/// Runs a step of a reader. It panics at some damaged files instead of returning an error (about one in 200 flipped bytes,
/// parquet 59.3); what it was about to return is dropped, so nothing half done is seen.
pub(crate) fn guarded<T, E>(
    opened: &Opened,
    step: impl FnOnce() -> Result<T, E>,
) -> Result<T, ProbeError>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    guarded_as(&opened.name, step)
}

/// The same for bytes that are no file of somebody's, but have a name.
pub(crate) fn guarded_as<T, E>(
    name: &str,
    step: impl FnOnce() -> Result<T, E>,
) -> Result<T, ProbeError>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let source = match catch_unwind(AssertUnwindSafe(step)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.into(),
        Err(_) => "the reader met a state it does not provide for".into(),
    };
    Err(ProbeError::Damaged {
        file: name.to_owned(),
        source,
    })
}

/// The names of all columns of a schema, each of which can be told as text.
pub(crate) fn all_names(file: &str, schema: &Schema) -> Result<Vec<String>, ProbeError> {
    let mut names: Vec<String> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        if !can_be_counted(field.data_type()) {
            return Err(ProbeError::ColumnType {
                file: file.to_owned(),
                column: field.name().clone(),
                found: field.data_type().to_string(),
            });
        }
        names.push(field.name().clone());
    }
    Ok(names)
}

/// Finds the columns in the schema.
pub(crate) fn used(
    opened: &Opened,
    schema: &Schema,
    columns: &[String],
) -> Result<Vec<usize>, ProbeError> {
    let file = || opened.name.clone();
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    if names.contains(&ROWS_COLUMN) {
        return Err(ProbeError::CountsAsCsv { file: file() });
    }
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

pub(crate) fn can_be_counted(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Boolean
        | DataType::Float32
        | DataType::Float64
        | DataType::Date32
        | DataType::Date64
        | DataType::Timestamp(..)
        | DataType::Decimal128(..)
        | DataType::Null => true,
        DataType::Dictionary(key, value) => {
            key.is_dictionary_key_type()
                && matches!(value.as_ref(), DataType::Utf8 | DataType::LargeUtf8)
        }
        other => other.is_integer(),
    }
}

/// Takes in a batch; `at[c]` is where column `c` of the intake stands in it.
pub(crate) fn take_in(sink: &mut dyn Sink, batch: &RecordBatch, at: &[usize]) -> Result<(), Fault> {
    intake::batch(sink, batch.num_rows(), &mut |role, keep| {
        let column = batch.column(at[role.column]).as_ref();
        encode(column, role, keep)
    })
}

/// The error of a fault in a file without lines, `before` rows having come before its batch.
pub(crate) fn wrong(opened: &Opened, columns: &[String], before: u64, fault: Fault) -> ProbeError {
    let column = fault.column.map(|column| columns[column].as_str());
    let row = column
        .is_some()
        .then_some(Row::Row(before + fault.row as u64 + 1));
    ProbeError::content(&opened.name, row, column, fault.problem)
}

/// Takes in each row to keep, or names the first row that cannot be taken in.
fn encode(
    array: &dyn Array,
    role: &mut Role,
    keep: Option<&[bool]>,
) -> Result<(), (usize, Problem)> {
    match array.data_type() {
        DataType::Dictionary(key, _) => match key.as_ref() {
            DataType::Int8 => texts::<Int8Type>(array.as_dictionary(), role, keep),
            DataType::Int16 => texts::<Int16Type>(array.as_dictionary(), role, keep),
            DataType::Int32 => texts::<Int32Type>(array.as_dictionary(), role, keep),
            DataType::Int64 => texts::<Int64Type>(array.as_dictionary(), role, keep),
            DataType::UInt8 => texts::<UInt8Type>(array.as_dictionary(), role, keep),
            DataType::UInt16 => texts::<UInt16Type>(array.as_dictionary(), role, keep),
            DataType::UInt32 => texts::<UInt32Type>(array.as_dictionary(), role, keep),
            _ => texts::<UInt64Type>(array.as_dictionary(), role, keep),
        },
        DataType::Utf8 => {
            let array = array.as_string::<i32>();
            each(array, keep, |row| match array.is_valid(row) {
                true => role.text(array.value(row).as_bytes()),
                false => role.text(b""),
            })
        }
        DataType::LargeUtf8 => {
            let array = array.as_string::<i64>();
            each(array, keep, |row| match array.is_valid(row) {
                true => role.text(array.value(row).as_bytes()),
                false => role.text(b""),
            })
        }
        DataType::Null => each(array, keep, |_| role.text(b"")),
        DataType::Boolean => booleans(array.as_boolean(), role, keep),
        DataType::Int8 => numbers(array.as_primitive::<Int8Type>(), role, keep),
        DataType::Int16 => numbers(array.as_primitive::<Int16Type>(), role, keep),
        DataType::Int32 => numbers(array.as_primitive::<Int32Type>(), role, keep),
        DataType::Int64 => numbers(array.as_primitive::<Int64Type>(), role, keep),
        DataType::UInt8 => numbers(array.as_primitive::<UInt8Type>(), role, keep),
        DataType::UInt16 => numbers(array.as_primitive::<UInt16Type>(), role, keep),
        DataType::UInt32 => numbers(array.as_primitive::<UInt32Type>(), role, keep),
        DataType::UInt64 => numbers(array.as_primitive::<UInt64Type>(), role, keep),
        DataType::Float32 => numbers(array.as_primitive::<Float32Type>(), role, keep),
        DataType::Float64 => numbers(array.as_primitive::<Float64Type>(), role, keep),
        DataType::Date32 => called(array.as_primitive::<Date32Type>(), role, keep, |days| {
            Some(instant(days.into(), DAY_NS)?.date().to_string())
        }),
        DataType::Date64 => called(array.as_primitive::<Date64Type>(), role, keep, |ms| {
            Some(instant(ms, 1_000_000)?.date().to_string())
        }),
        DataType::Timestamp(unit, _) => timestamps(array, *unit, role, keep),
        DataType::Decimal128(_, scale) => called(
            array.as_primitive::<Decimal128Type>(),
            role,
            keep,
            |value| Some(decimal(value, *scale)),
        ),
        other => unreachable!("a column of type {other} is refused when the file is opened"),
    }
}

/// The text of each row of a column, as [`encode`] calls it; none where it is null. Or the first row that has none, and why.
pub(crate) fn texts_of(array: &dyn Array) -> Result<Vec<Option<String>>, (usize, Problem)> {
    let told = |text: &dyn Fn(usize) -> Option<String>| -> Vec<Option<String>> {
        let rows = 0..array.len();
        rows.map(|row| array.is_valid(row).then(|| text(row)).flatten())
            .collect()
    };
    macro_rules! numbers {
        ($name:ty) => {{
            let array = array.as_primitive::<$name>();
            told(&|row| Some(array.value(row).text()))
        }};
    }
    macro_rules! instants {
        ($name:ty, $unit_ns:expr, $text:expr) => {{
            let array = array.as_primitive::<$name>();
            let mut texts = Vec::with_capacity(array.len());
            for row in 0..array.len() {
                if array.is_null(row) {
                    texts.push(None);
                    continue;
                }
                let value = array.value(row);
                let Some(instant) = instant(value.into(), $unit_ns) else {
                    let value = value.to_string();
                    return Err((row, Problem::NotADay { value }));
                };
                texts.push(Some($text(instant)));
            }
            texts
        }};
    }
    let day = |at: DateTime| at.date().to_string();
    let moment = |at: DateTime| at.to_string();
    Ok(match array.data_type() {
        DataType::Dictionary(..) => {
            let array = array.as_any_dictionary();
            let values = texts_of(array.values().as_ref())?;
            let keys = match values.is_empty() {
                true => vec![0; array.len()],
                false => array.normalized_keys(),
            };
            told(&|row| values.get(keys[row]).cloned().flatten())
        }
        DataType::Utf8 => {
            let array = array.as_string::<i32>();
            told(&|row| Some(array.value(row).to_owned()))
        }
        DataType::LargeUtf8 => {
            let array = array.as_string::<i64>();
            told(&|row| Some(array.value(row).to_owned()))
        }
        DataType::Null => vec![None; array.len()],
        DataType::Boolean => {
            let array = array.as_boolean();
            told(&|row| Some(array.value(row).to_string()))
        }
        DataType::Int8 => numbers!(Int8Type),
        DataType::Int16 => numbers!(Int16Type),
        DataType::Int32 => numbers!(Int32Type),
        DataType::Int64 => numbers!(Int64Type),
        DataType::UInt8 => numbers!(UInt8Type),
        DataType::UInt16 => numbers!(UInt16Type),
        DataType::UInt32 => numbers!(UInt32Type),
        DataType::UInt64 => numbers!(UInt64Type),
        DataType::Float32 => numbers!(Float32Type),
        DataType::Float64 => numbers!(Float64Type),
        DataType::Date32 => instants!(Date32Type, DAY_NS, day),
        DataType::Date64 => instants!(Date64Type, 1_000_000, day),
        DataType::Timestamp(TimeUnit::Second, _) => {
            instants!(TimestampSecondType, 1_000_000_000, moment)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            instants!(TimestampMillisecondType, 1_000_000, moment)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            instants!(TimestampMicrosecondType, 1_000, moment)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            instants!(TimestampNanosecondType, 1, moment)
        }
        DataType::Decimal128(_, scale) => {
            let array = array.as_primitive::<Decimal128Type>();
            told(&|row| Some(decimal(array.value(row), *scale)))
        }
        other => unreachable!("a column of type {other} is refused when the file is opened"),
    })
}

fn each(
    array: &dyn Array,
    keep: Option<&[bool]>,
    mut take: impl FnMut(usize) -> Result<(), Problem>,
) -> Result<(), (usize, Problem)> {
    for row in 0..array.len() {
        if keep.is_none_or(|keep| keep[row]) {
            take(row).map_err(|problem| (row, problem))?;
        }
    }
    Ok(())
}

fn texts<K: ArrowDictionaryKeyType>(
    array: &DictionaryArray<K>,
    role: &mut Role,
    keep: Option<&[bool]>,
) -> Result<(), (usize, Problem)> {
    let values = array.values();
    let text = |key: usize| -> &[u8] {
        match values.data_type() {
            DataType::LargeUtf8 => values.as_string::<i64>().value(key).as_bytes(),
            _ => values.as_string::<i32>().value(key).as_bytes(),
        }
    };
    let plain = keep.is_none() && array.keys().null_count() == 0 && values.null_count() == 0;
    if plain && role.gives_codes() {
        let keys = array.keys().values().iter().map(|key| key.as_usize());
        return role.codes_of(keys, values.len(), |key| text(key).into());
    }
    // A dictionary may hold texts that no row uses; those must not count as values of the column.
    let mut known: Vec<Option<Coded>> = vec![None; values.len()];
    each(array, keep, |row| {
        let Some(key) = array.key(row).filter(|key| values.is_valid(*key)) else {
            return role.text(b"");
        };
        let coded = match known[key] {
            Some(coded) => coded,
            None => role.code_of(text(key))?,
        };
        known[key] = Some(coded);
        role.push(coded);
        Ok(())
    })
}

fn booleans(
    array: &BooleanArray,
    role: &mut Role,
    keep: Option<&[bool]>,
) -> Result<(), (usize, Problem)> {
    // As a number, true is 1.
    let [no, yes]: [&[u8]; 2] = if role.reads_number() {
        [b"0", b"1"]
    } else {
        [b"false", b"true"]
    };
    each(array, keep, |row| {
        match (array.is_valid(row), array.value(row)) {
            (false, _) => role.text(b""),
            (true, false) => role.text(no),
            (true, true) => role.text(yes),
        }
    })
}

fn numbers<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    role: &mut Role,
    keep: Option<&[bool]>,
) -> Result<(), (usize, Problem)>
where
    T::Native: Number,
{
    if array.null_count() == 0 && keep.is_none() {
        let values = array.values().iter();
        if role.is_named() {
            // Whole numbers below 256 are their own position in a dictionary; few columns of codes hold others.
            if values.clone().all(|value| value.bits() < 256) {
                let keys = values.map(|value| value.bits() as usize);
                return role.codes_of(keys, 256, |key| {
                    T::Native::of_bits(key as u64).text().into_bytes().into()
                });
            }
        } else if role.takes_numbers(values.clone().map(|value| value.wide())) {
            return Ok(());
        }
        for (row, value) in values.enumerate() {
            role.number(value.wide(), value.bits(), || value.text())
                .map_err(|problem| (row, problem))?;
        }
        return Ok(());
    }
    each(array, keep, |row| {
        if array.is_null(row) {
            return role.text(b"");
        }
        let value = array.value(row);
        role.number(value.wide(), value.bits(), || value.text())
    })
}

/// Nanoseconds of a day.
const DAY_NS: i128 = 86_400_000_000_000;

/// Takes in values by the texts they are called by; `None` is no day of the calendar.
fn called<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    role: &mut Role,
    keep: Option<&[bool]>,
    text: impl Fn(T::Native) -> Option<String>,
) -> Result<(), (usize, Problem)> {
    each(array, keep, |row| {
        if array.is_null(row) {
            return role.text(b"");
        }
        match text(array.value(row)) {
            Some(text) => role.text(text.as_bytes()),
            None => Err(Problem::NotADay {
                value: format!("{:?}", array.value(row)),
            }),
        }
    })
}

/// Takes in instants as `2026-03-01T12:00:00`, in UTC where they have a zone; the first ten characters are the day.
fn timestamps(
    array: &dyn Array,
    unit: TimeUnit,
    role: &mut Role,
    keep: Option<&[bool]>,
) -> Result<(), (usize, Problem)> {
    let text = |n: i64, unit_ns: i128| Some(instant(n, unit_ns)?.to_string());
    match unit {
        TimeUnit::Second => {
            let array = array.as_primitive::<TimestampSecondType>();
            called(array, role, keep, |n| text(n, 1_000_000_000))
        }
        TimeUnit::Millisecond => {
            let array = array.as_primitive::<TimestampMillisecondType>();
            called(array, role, keep, |n| text(n, 1_000_000))
        }
        TimeUnit::Microsecond => {
            let array = array.as_primitive::<TimestampMicrosecondType>();
            called(array, role, keep, |n| text(n, 1_000))
        }
        TimeUnit::Nanosecond => {
            let array = array.as_primitive::<TimestampNanosecondType>();
            called(array, role, keep, |n| text(n, 1))
        }
    }
}

/// Day and time `n` units of nanoseconds after the start of 1970; `None` outside the years -9999 to 9999.
fn instant(n: i64, unit_ns: i128) -> Option<DateTime> {
    let timestamp = Timestamp::from_nanosecond(i128::from(n) * unit_ns).ok()?;
    Some(Offset::UTC.to_datetime(timestamp))
}

/// `digits` with `scale` of them behind the point, in plain digits without needless zeros: `12.5`, `1`.
fn decimal(digits: i128, scale: i8) -> String {
    let text = digits.unsigned_abs().to_string();
    let sign = if digits < 0 { "-" } else { "" };
    let Ok(n_behind) = usize::try_from(scale) else {
        let zeros = if digits == 0 {
            0
        } else {
            usize::from(scale.unsigned_abs())
        };
        return format!("{sign}{text}{}", "0".repeat(zeros));
    };
    let text = format!("{text:0>width$}", width = n_behind + 1);
    let (before, behind) = text.split_at(text.len() - n_behind);
    match behind.trim_end_matches('0') {
        "" => format!("{sign}{before}"),
        behind => format!("{sign}{before}.{behind}"),
    }
}

/// A number as a column stores it.
trait Number: Copy {
    /// Differs for different values.
    fn bits(self) -> u64;
    /// The value of these bits.
    fn of_bits(bits: u64) -> Self;
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

            fn of_bits(bits: u64) -> Self {
                bits as $name
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
    ($($name:ty as $bits:ty)*) => {
        $(impl Number for $name {
            fn bits(self) -> u64 {
                self.to_bits().into()
            }

            fn of_bits(bits: u64) -> Self {
                <$name>::from_bits(bits as $bits)
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

floats!(f32 as u32 f64 as u64);
