//! Derived columns: bins, labels and thresholds, declared in TOML and computed while the rows are counted.

use std::collections::BTreeMap;

use alnager_law::read::{Node, ReadError};
use serde::{Deserialize, Serialize};

/// A column made from another one, value by value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Derived {
    /// Its name; no column of the data has it.
    pub column: String,
    /// The column of the data it is made from.
    pub from: String,
    /// How.
    pub by: DerivedBy,
}

/// How a derived column is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DerivedBy {
    /// The range a number lies in: below the first cut, from each cut to below the next, from the last cut on.
    Bins {
        /// The cuts, ascending.
        cuts: Vec<f64>,
        /// The names of the ranges, one more than there are cuts.
        names: Vec<String>,
    },
    /// Another name for a text.
    Labels {
        /// The new name of a value.
        names: BTreeMap<String, String>,
        /// The name of every value not listed; without it those keep theirs.
        other: Option<String>,
    },
    /// `1` where a number is at least this, else `0`.
    Threshold {
        /// The threshold.
        at_least: f64,
    },
}

impl Derived {
    /// Reads one `[[derive]]` table: `column`, `from`, and one of `bins` (with `names`), `labels` (with `other`) or `at_least`.
    pub fn read(node: &Node) -> Result<Self, ReadError> {
        node.only(&[
            "column", "from", "bins", "names", "labels", "other", "at_least",
        ])?;
        let ways = (
            node.get("bins")?,
            node.get("labels")?,
            node.get("at_least")?,
        );
        let by = match ways {
            (Some(cuts), None, None) => bins(node, cuts)?,
            (None, Some(labels), None) => {
                let mut names = BTreeMap::new();
                for field in labels.table()? {
                    names.insert(field.key.clone(), field.node.words()?);
                }
                DerivedBy::Labels {
                    names,
                    other: node.get("other")?.map(Node::words).transpose()?,
                }
            }
            (None, None, Some(at_least)) => DerivedBy::Threshold {
                at_least: at_least.number()?,
            },
            _ => {
                return Err(node.wrong(
                    "a derived column is made in one way: `bins = [25, 45]`, `labels = { \"1\" = \"White\" }` or `at_least = 0.5`",
                ));
            }
        };
        Ok(Derived {
            column: node.need("column")?.words()?,
            from: node.need("from")?.words()?,
            by,
        })
    }

    /// Reads a file of `[[derive]]` tables.
    pub fn read_all(file: &str, text: &str) -> Result<Vec<Self>, ReadError> {
        let root = alnager_law::read::read(file, text)?;
        root.only(&["derive"])?;
        root.each("derive", Derived::read)
    }

    /// Whether it reads its source as a number.
    pub fn reads_number(&self) -> bool {
        match self.by {
            DerivedBy::Bins { .. } | DerivedBy::Threshold { .. } => true,
            DerivedBy::Labels { .. } => false,
        }
    }

    /// The cuts that part the numbers, and the name of each range; empty for labels.
    pub fn ranges(&self) -> (Vec<f64>, Vec<String>) {
        match &self.by {
            DerivedBy::Bins { cuts, names } => (cuts.clone(), names.clone()),
            DerivedBy::Threshold { at_least } => {
                (vec![*at_least], vec!["0".to_owned(), "1".to_owned()])
            }
            DerivedBy::Labels { .. } => (Vec::new(), Vec::new()),
        }
    }

    /// The new name of a text; `None` where it keeps its own.
    pub fn label(&self, value: &str) -> Option<&str> {
        match &self.by {
            DerivedBy::Labels { names, other } => {
                names.get(value).or(other.as_ref()).map(String::as_str)
            }
            DerivedBy::Bins { .. } | DerivedBy::Threshold { .. } => None,
        }
    }
}

fn bins(node: &Node, cuts: &Node) -> Result<DerivedBy, ReadError> {
    let numbers: Vec<f64> = cuts
        .list()?
        .iter()
        .map(Node::number)
        .collect::<Result<_, _>>()?;
    if numbers.is_empty() || !numbers.windows(2).all(|pair| pair[0] < pair[1]) {
        return Err(cuts.wrong("`bins` are numbers that ascend, such as [25, 45]"));
    }
    let names = match node.get("names")? {
        Some(names) => {
            let texts = names.texts()?;
            if texts.len() != numbers.len() + 1 {
                return Err(names.wrong(format!(
                    "{} cuts make {} ranges; name each of them",
                    numbers.len(),
                    numbers.len() + 1
                )));
            }
            texts
        }
        None => range_names(&numbers),
    };
    Ok(DerivedBy::Bins {
        cuts: numbers,
        names,
    })
}

/// `below 25`, `25 to below 45`, `45 and above`.
fn range_names(cuts: &[f64]) -> Vec<String> {
    let first = format!("below {}", cuts[0]);
    let between = cuts
        .windows(2)
        .map(|pair| format!("{} to below {}", pair[0], pair[1]));
    let last = format!("{} and above", cuts[cuts.len() - 1]);
    std::iter::once(first)
        .chain(between)
        .chain([last])
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Result<Vec<Derived>, String> {
        Derived::read_all("derive.toml", text).map_err(|error| error.to_string())
    }

    #[test]
    fn ranges_get_names_where_none_are_given() {
        let derived = read("[[derive]]\ncolumn = 'band'\nfrom = 'age'\nbins = [25, 45]").unwrap();
        assert_eq!(
            derived[0].ranges().1,
            ["below 25", "25 to below 45", "45 and above"]
        );
    }

    #[test]
    fn labels_keep_what_is_not_listed_unless_told_otherwise() {
        let text = "[[derive]]\ncolumn = 'race'\nfrom = 'code'\nlabels = { \"1\" = \"White\" }";
        let derived = read(text).unwrap();
        assert_eq!(derived[0].label("1"), Some("White"));
        assert_eq!(derived[0].label("2"), None);
        let derived = read(&format!("{text}\nother = 'Other'")).unwrap();
        assert_eq!(derived[0].label("2"), Some("Other"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, problem) in [
            ("bins = [45, 25]", "`bins` are numbers that ascend"),
            ("bins = [1]\nnames = ['a']", "1 cuts make 2 ranges"),
            ("bins = [1]\nat_least = 2", "made in one way"),
            ("", "made in one way"),
        ] {
            let error = read(&format!("[[derive]]\ncolumn = 'c'\nfrom = 'f'\n{text}")).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }
}
