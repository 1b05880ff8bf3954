//! What the columns of a source hold: a first look, before anything is chosen.

use std::path::Path;

use alnager_probe::{Progress, Wanted, WantedKind, column_names, read_rows};
use serde_json::{Value, json};

use crate::error::JobError;
use crate::source;

/// Most values of a column that are listed.
const N_VALUES_MAX: usize = 20;

/// Reads every column as text, and says of each how many different values it has, how many rows lack one, whether all are numbers, and
/// its most frequent values with their counts.
pub fn examine(data: &Path, progress: &dyn Fn(Progress)) -> Result<Value, JobError> {
    let local = source::local(Path::new(""), data, None, progress)?;
    let names = column_names(local.source())?;
    let wanted = Wanted {
        columns: names
            .iter()
            .map(|name| (name.clone(), WantedKind::Text))
            .collect(),
        ..Wanted::default()
    };
    let rows = read_rows(&wanted, local.source(), progress)?;
    let columns: Vec<Value> = names
        .iter()
        .zip(&rows.texts)
        .map(|(name, texts)| column(name, texts))
        .collect();
    Ok(json!({
        "schema": "alnager.columns/1",
        "data": { "name": rows.data.name, "sha256": rows.data.sha256, "n_bytes": rows.data.n_bytes, "n_rows": rows.data.n_rows },
        "columns": columns,
    }))
}

fn column(name: &str, (values, codes): &(Vec<String>, Vec<u32>)) -> Value {
    let mut counts = vec![0_u64; values.len() + 1];
    for code in codes {
        if let Some(count) = counts.get_mut(*code as usize) {
            *count += 1;
        }
    }
    let n_unknown = counts.first().copied().unwrap_or(0);
    let mut frequent: Vec<(&String, u64)> = values
        .iter()
        .zip(counts.iter().skip(1).copied())
        .filter(|(_, count)| *count > 0)
        .collect();
    frequent.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    let is_number = |value: &&String| value.trim().parse::<f64>().is_ok_and(f64::is_finite);
    let are_numbers = !frequent.is_empty() && values.iter().all(|value| is_number(&value));
    let listed: Vec<Value> = frequent
        .iter()
        .take(N_VALUES_MAX)
        .map(|(value, count)| json!([value, count]))
        .collect();
    json!({
        "name": name,
        "n_distinct": frequent.len(),
        "n_unknown": n_unknown,
        "numbers": are_numbers,
        "values": listed,
    })
}

/// What the columns hold, in words: one line each.
pub fn words(figures: &Value) -> String {
    let mut text = String::new();
    let columns = figures["columns"].as_array();
    for column in columns.into_iter().flatten() {
        let values: Vec<&str> = column["values"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|pair| pair[0].as_str())
            .take(5)
            .collect();
        let kind = match column["numbers"].as_bool() {
            Some(true) => "numbers",
            Some(false) | None => "texts",
        };
        text.push_str(&format!(
            "{}  {} different {kind}, {} rows without one  {}\n",
            column["name"].as_str().unwrap_or_default(),
            column["n_distinct"],
            column["n_unknown"],
            values.join(", ")
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn each_column_is_described_by_its_values() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows.csv");
        std::fs::write(&file, "sex,score\nf,0.5\nm,0.7\nf,\n").unwrap();
        let figures = examine(&file, &|_| {}).unwrap();
        assert_eq!(
            words(&figures),
            "sex  2 different texts, 0 rows without one  f, m\nscore  2 different numbers, 1 rows without one  0.5, 0.7\n"
        );
        assert_eq!(figures["data"]["n_rows"], 3);
    }
}
