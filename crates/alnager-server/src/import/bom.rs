//! ML-BOMs: the machine-learning models of a CycloneDX file in JSON, one row each. A field's path is the name of its column.

use std::collections::HashMap;

use serde_json::Value;

use super::{CELL_BYTES_MAX, COLUMNS_MAX, ImportError, Row, Rows, Table, too_much, unreadable};

/// Most marks of structure (`{`, `[`, `,`): they bound what the values take in memory.
const MARKS_MAX: usize = 500_000;
/// Most bytes of a field's path.
const PATH_BYTES_MAX: usize = 500;
/// How deep components lie within components.
const DEPTH_MAX: usize = 16;

/// Reads an ML-BOM.
pub(super) fn read(file: &str, text: &str) -> Result<Table, ImportError> {
    if text
        .bytes()
        .filter(|byte| matches!(byte, b'{' | b'[' | b','))
        .count()
        > MARKS_MAX
    {
        return Err(too_much(file, "values", MARKS_MAX));
    }
    let root: Value = serde_json::from_str(text)
        .map_err(|error| unreadable(file, &format!("it is no JSON ({error})")))?;
    if root.get("bomFormat").and_then(Value::as_str) != Some("CycloneDX") {
        return Err(unreadable(
            file,
            "it is JSON and no CycloneDX file (`bomFormat` does not say so); export the ML-BOM again, or use a table",
        ));
    }
    let mut found = Found::default();
    let own = root.pointer("/metadata/component");
    own.into_iter()
        .for_each(|component| found.look(component, 0));
    found.look_into(&root, 0);
    let mut sheet = Sheet {
        file,
        columns: HashMap::new(),
        rows: Rows::new(file),
    };
    for (index, model) in found.models.iter().enumerate() {
        sheet.take(index + 1, model)?;
    }
    if found.n_others > 0 {
        sheet.rows.table.remarks.push(format!(
            "{} of other types than `machine-learning-model` are no systems and were left out",
            crate::words::EN.count(found.n_others, "component", "components")
        ));
    }
    sheet.rows.finish()
}

#[derive(Default)]
struct Found<'v> {
    models: Vec<&'v Value>,
    n_others: usize,
}

impl<'v> Found<'v> {
    fn look_into(&mut self, of: &'v Value, depth: usize) {
        let components = of.get("components").and_then(Value::as_array);
        for component in components.into_iter().flatten() {
            self.look(component, depth);
        }
    }

    fn look(&mut self, component: &'v Value, depth: usize) {
        match component.get("type").and_then(Value::as_str) {
            Some("machine-learning-model") => self.models.push(component),
            Some(_) | None => self.n_others += 1,
        }
        if depth < DEPTH_MAX {
            self.look_into(component, depth + 1);
        }
    }
}

struct Sheet<'f> {
    file: &'f str,
    columns: HashMap<String, usize>,
    rows: Rows<'f>,
}

impl Sheet<'_> {
    fn take(&mut self, at: usize, model: &Value) -> Result<(), ImportError> {
        let mut row = Row {
            at,
            cells: Vec::new(),
        };
        self.flatten(model, "", &mut row)?;
        // The parts of a list came one by one.
        let mut cells: Vec<(usize, String)> = Vec::new();
        row.cells.sort_by_key(|(column, _)| *column);
        for (column, text) in row.cells {
            match cells.last_mut().filter(|(known, _)| *known == column) {
                Some((_, known)) if known.len() + text.len() < CELL_BYTES_MAX => {
                    known.push_str("; ");
                    known.push_str(&text);
                }
                _ => cells.push((column, text)),
            }
        }
        self.rows.take(at, cells)
    }

    fn flatten(&mut self, value: &Value, path: &str, row: &mut Row) -> Result<(), ImportError> {
        match value {
            Value::Null => Ok(()),
            Value::Bool(_) | Value::Number(_) => self.put(path, value.to_string(), row),
            Value::String(text) => self.put(path, text.clone(), row),
            Value::Array(parts) => {
                for part in parts {
                    match property(part).filter(|_| path == "properties") {
                        Some((name, text)) if name.len() <= PATH_BYTES_MAX => {
                            self.put(&format!("properties.{name}"), text.to_owned(), row)?
                        }
                        Some(_) | None => self.flatten(part, path, row)?,
                    }
                }
                Ok(())
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    // Components inside were looked at by themselves, and the type is known.
                    if path.is_empty() && matches!(name.as_str(), "type" | "components") {
                        continue;
                    }
                    if path.len() + name.len() > PATH_BYTES_MAX {
                        return Err(unreadable(
                            self.file,
                            "the path of a field is longer than any CycloneDX has",
                        ));
                    }
                    let path = match path {
                        "" => name.clone(),
                        path => format!("{path}.{name}"),
                    };
                    self.flatten(field, &path, row)?;
                }
                Ok(())
            }
        }
    }

    fn put(&mut self, path: &str, text: String, row: &mut Row) -> Result<(), ImportError> {
        let next = self.columns.len();
        let column = *self.columns.entry(path.to_owned()).or_insert(next);
        if column == next {
            if next == COLUMNS_MAX {
                return Err(too_much(self.file, "different fields", COLUMNS_MAX));
            }
            self.rows.table.columns.push(path.to_owned());
        }
        row.cells.push((column, text));
        Ok(())
    }
}

/// A property of a component: a name and a text.
fn property(value: &Value) -> Option<(&str, &str)> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    Some((text("name")?, text("value")?))
}
