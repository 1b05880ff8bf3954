//! Weights that make group and label independent.

use alnager_stats::contingency::Table;
use alnager_stats::reweigh::{self, Weight};
use serde_json::{Map, Value, json};

use crate::figures::number;
use crate::texts::{Texts, cross};
use crate::words;

/// One kind of row and its weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The group.
    pub group: String,
    /// The label.
    pub label: String,
    /// The rows of the group with the label.
    pub n: u64,
    /// The weight of each of them; `None` where there is no row.
    pub weight: Option<Weight>,
}

/// The weight of every combination of group and label, by group; and the rows left out because one of the two is unknown.
///
/// `None` without a group or label.
pub fn cells(groups: &Texts, labels: &Texts) -> Option<(Vec<Cell>, u64)> {
    let (counts, n_left_out) = cross(groups, labels);
    let table = Table::new(counts)?;
    let mut cells = Vec::new();
    for ((group, counts), weights) in groups
        .values()
        .iter()
        .zip(table.rows())
        .zip(reweigh::weights(&table))
    {
        for ((label, n), weight) in labels.values().iter().zip(counts).zip(weights) {
            cells.push(Cell {
                group: group.clone(),
                label: label.clone(),
                n: *n,
                weight,
            });
        }
    }
    Some((cells, n_left_out))
}

/// The figures of [`cells`]; `weights` by `group|label`, `null` where there is no row to weigh.
pub fn figures(groups: &Texts, labels: &Texts, cells: &[Cell], n_left_out: u64) -> Value {
    let member = |cell: &Cell, value: Value| (format!("{}|{}", cell.group, cell.label), value);
    let weight = |cell: &Cell| number(cell.weight.map(Weight::value));
    json!({
        "attr": groups.column(),
        "label": labels.column(),
        "formula": "w(g,y)=P(g)P(y)/P(g,y)",
        "n": cells.iter().map(|cell| cell.n).sum::<u64>(),
        "n_left_out": n_left_out,
        "counts": cells.iter().map(|cell| member(cell, json!(cell.n))).collect::<Map<_, _>>(),
        "weights": cells.iter().map(|cell| member(cell, weight(cell))).collect::<Map<_, _>>(),
    })
}

/// The weights as comma-separated text under a header; a combination without rows has none.
pub fn csv(groups: &Texts, labels: &Texts, cells: &[Cell]) -> String {
    let mut text = format!(
        "{},{},n,weight\n",
        field(groups.column()),
        field(labels.column())
    );
    for cell in cells {
        let weight = cell
            .weight
            .map(|weight| weight.value().to_string())
            .unwrap_or_default();
        text.push_str(&format!(
            "{},{},{},{weight}\n",
            field(&cell.group),
            field(&cell.label),
            cell.n
        ));
    }
    text
}

/// A field of comma-separated text, in quotes where it needs them (RFC 4180).
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// The figures in words.
pub fn words(figures: &Value) -> String {
    let rows: Vec<Vec<String>> = words::keys(&figures["weights"])
        .iter()
        .map(|key| {
            let (count, weight) = (&figures["counts"][key], &figures["weights"][key]);
            vec![
                (*key).to_owned(),
                words::figure(count),
                words::figure(weight),
            ]
        })
        .collect();
    let text = |name: &str| figures[name].as_str().unwrap_or_default();
    let what = format!("{}|{}", text("attr"), text("label"));
    format!(
        "{}\nWith these weights {} and {} are independent of each other. They change what a model learns from, and measure nothing: audit the model that comes out.{}",
        words::grid(&[what.as_str(), "people", "weight"], &rows),
        text("attr"),
        text("label"),
        words::left_out(figures, "group or label unknown"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn weights_by_group_and_label() {
        let groups = Texts::of_rows("g", &["a", "a", "a", "b, c", "b, c", ""]);
        let labels = Texts::of_rows("y", &["1", "1", "0", "1", "1", "1"]);
        let (cells, n_left_out) = cells(&groups, &labels).unwrap();
        let figures = figures(&groups, &labels, &cells, n_left_out);
        assert_eq!(figures["weights"]["a|0"], json!(0.6));
        assert_eq!(figures["weights"]["a|1"], json!(1.2));
        assert_eq!(figures["weights"]["b, c|0"], Value::Null);
        assert_eq!(figures["weights"]["b, c|1"], json!(0.8));
        assert_eq!(figures["n_left_out"], json!(1));
        assert_eq!(
            csv(&groups, &labels, &cells),
            "g,y,n,weight\na,0,1,0.6\na,1,2,1.2\n\"b, c\",0,0,\n\"b, c\",1,2,0.8\n"
        );
        assert!(words(&figures).contains("undefined"));
    }
}
