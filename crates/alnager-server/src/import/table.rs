//! Tables of text: values parted by commas, semicolons or tabs.

use csv::ReaderBuilder;

use super::{ImportError, Rows, Table, unreadable};

/// Reads a table. The part of the header decides what parts its fields: what stands there most often.
pub(super) fn read(file: &str, text: &str) -> Result<Table, ImportError> {
    let header = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let count = |mark: char| header.matches(mark).count();
    let mark = [',', ';', '\t']
        .into_iter()
        .rev()
        .max_by_key(|mark| count(*mark))
        .unwrap_or(',');
    let mut reader = ReaderBuilder::new()
        .delimiter(u8::try_from(mark).unwrap_or(b','))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut rows = Rows::new(file);
    let mut is_named = false;
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|error| unreadable(file, &error.to_string()))?;
        // The line it begins on: what an editor shows, and a spreadsheet as long as no cell has lines of its own.
        let at = record.position().map_or(index + 1, |position| {
            usize::try_from(position.line()).unwrap_or(index + 1)
        });
        match is_named {
            false => {
                rows.name_columns(record.iter().map(|name| name.trim().to_owned()).collect())?;
                is_named = true;
            }
            true => {
                let cells = record.iter().enumerate();
                rows.take(
                    at,
                    cells
                        .map(|(column, text)| (column, text.to_owned()))
                        .collect(),
                )?;
            }
        }
    }
    rows.finish()
}
