//! A column of texts, row by row: groups, classes, labels, controls.

use std::collections::BTreeMap;

/// A column of texts; of each row which text it has, or none where it is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    column: String,
    /// Ascending, each once.
    values: Vec<String>,
    /// One more than the position in `values`, 0 where unknown.
    codes: Vec<u32>,
}

impl Texts {
    /// The column of this name, from the texts met in any order and, for each row, one more than the position of its text, 0
    /// where it is unknown. `None` if a text is met twice or a code has no text.
    pub fn new(column: &str, met: Vec<String>, codes: Vec<u32>) -> Option<Texts> {
        let mut order: Vec<usize> = (0..met.len()).collect();
        order.sort_by(|one, other| met[*one].cmp(&met[*other]));
        if order.windows(2).any(|pair| met[pair[0]] == met[pair[1]]) {
            return None;
        }
        let mut places = vec![0; met.len() + 1];
        for (place, at) in order.iter().enumerate() {
            places[at + 1] = u32::try_from(place + 1).ok()?;
        }
        let codes = codes
            .into_iter()
            .map(|code| places.get(code as usize).copied());
        Some(Texts {
            column: column.to_owned(),
            codes: codes.collect::<Option<_>>()?,
            values: order.into_iter().map(|at| met[at].clone()).collect(),
        })
    }

    /// The column of this name from one text a row; the empty text is unknown.
    pub fn of_rows(column: &str, rows: &[&str]) -> Texts {
        let known = rows.iter().filter(|text| !text.is_empty());
        let mut values: Vec<String> = known.map(|text| (*text).to_owned()).collect();
        values.sort_unstable();
        values.dedup();
        let code = |text: &&str| values.binary_search_by(|value| value.as_str().cmp(text));
        let codes = rows
            .iter()
            .map(|text| code(text).map_or(0, |at| at as u32 + 1));
        Texts {
            codes: codes.collect(),
            column: column.to_owned(),
            values,
        }
    }

    /// Several columns as one: `race*sex`, its texts `White|Male`; unknown where a part is.
    ///
    /// `None` without columns or if they differ in length.
    pub fn joined(columns: &[Texts]) -> Option<Texts> {
        let (first, rest) = columns.split_first()?;
        rest.iter().try_fold(first.clone(), |all, column| {
            if all.n_rows() != column.n_rows() {
                return None;
            }
            let mut met: BTreeMap<(usize, usize), u32> = BTreeMap::new();
            let mut values = Vec::new();
            let code = |row: usize| match (all.at(row), column.at(row)) {
                (Some(one), Some(other)) => *met.entry((one, other)).or_insert_with(|| {
                    values.push(format!("{}|{}", all.values[one], column.values[other]));
                    values.len() as u32
                }),
                (None, _) | (_, None) => 0,
            };
            let codes = (0..all.n_rows()).map(code).collect();
            Texts::new(&format!("{}*{}", all.column, column.column), values, codes)
        })
    }

    /// The name of the column.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// The different texts, ascending.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.codes.len()
    }

    /// The text of a row, as a position in [`Texts::values`]; `None` where it is unknown.
    pub fn at(&self, row: usize) -> Option<usize> {
        (*self.codes.get(row)? as usize).checked_sub(1)
    }

    /// The position of a text.
    pub fn position(&self, text: &str) -> Option<usize> {
        self.values
            .binary_search_by(|value| value.as_str().cmp(text))
            .ok()
    }

    /// The rows of each text, in the order of [`Texts::values`].
    pub fn n_by_value(&self) -> Vec<u64> {
        let mut counts = vec![0; self.values.len()];
        (0..self.n_rows())
            .filter_map(|row| self.at(row))
            .for_each(|at| counts[at] += 1);
        counts
    }

    /// The number of each row, NaN where it is unknown or reads `NaN`; `None` if a text is no number, or an infinite one.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        let parsed = self.values.iter().map(|text| number(text));
        let parsed: Vec<f64> = parsed.collect::<Option<_>>()?;
        let of_row = |row| self.at(row).map_or(f64::NAN, |at| parsed[at]);
        Some((0..self.n_rows()).map(of_row).collect())
    }

    /// The first text that is no number, or an infinite one.
    pub fn no_number(&self) -> Option<&str> {
        let odd = self.values.iter().find(|text| number(text).is_none());
        odd.map(String::as_str)
    }

    /// The rows for which `keep` says so, with the texts that occur among them; as many entries as rows.
    pub fn kept(&self, keep: &[bool]) -> Texts {
        let rows: Vec<&str> = (0..self.n_rows())
            .filter(|row| keep.get(*row).copied().unwrap_or(false))
            .map(|row| self.at(row).map_or("", |at| self.values[at].as_str()))
            .collect();
        Texts::of_rows(&self.column, &rows)
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim()
        .parse()
        .ok()
        .filter(|value: &f64| !value.is_infinite())
}

/// The rows in which every column is known; a number that reads `NaN` is not.
pub fn complete(n_rows: usize, columns: &[&Texts]) -> Vec<bool> {
    let mut keep = vec![true; n_rows];
    for column in columns {
        let numbers = column.numbers();
        for (row, keep) in keep.iter_mut().enumerate() {
            *keep &= match &numbers {
                Some(numbers) => numbers.get(row).is_some_and(|number| !number.is_nan()),
                None => column.at(row).is_some(),
            };
        }
    }
    keep
}

/// Rows counted by two columns: one list per text of `down`, one entry per text of `across`; and the rows in which one is
/// unknown.
pub fn cross(down: &Texts, across: &Texts) -> (Vec<Vec<u64>>, u64) {
    let mut counts = vec![vec![0; across.values.len()]; down.values.len()];
    let mut n_unknown = 0;
    for row in 0..down.n_rows().max(across.n_rows()) {
        match (down.at(row), across.at(row)) {
            (Some(down), Some(across)) => counts[down][across] += 1,
            (None, _) | (_, None) => n_unknown += 1,
        }
    }
    (counts, n_unknown)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_order_met_leaves_no_trace() {
        let met = ["b", "a", "c"].map(str::to_owned).to_vec();
        let texts = Texts::new("x", met, vec![1, 2, 0, 3, 1]).unwrap();
        assert_eq!(texts, Texts::of_rows("x", &["b", "a", "", "c", "b"]));
        assert_eq!(texts.values(), ["a", "b", "c"]);
        assert_eq!(texts.n_by_value(), [1, 2, 1]);
        assert_eq!(texts.at(2), None);
        assert!(Texts::new("x", vec!["a".to_owned()], vec![2]).is_none());
        assert!(Texts::new("x", vec!["a".to_owned(); 2], vec![1]).is_none());
    }

    #[test]
    fn columns_join_and_one_unknown_part_makes_the_whole_unknown() {
        let one = Texts::of_rows("race", &["A", "B", "A", ""]);
        let other = Texts::of_rows("sex", &["f", "f", "", "m"]);
        let both = Texts::joined(&[one, other]).unwrap();
        assert_eq!(both, Texts::of_rows("race*sex", &["A|f", "B|f", "", ""]));
    }

    #[test]
    fn numbers_are_numbers_everywhere_or_not_at_all() {
        let texts = Texts::of_rows("x", &["1", "", "2.5"]);
        let numbers = texts.numbers().unwrap();
        assert_eq!((numbers[0], numbers[2]), (1.0, 2.5));
        assert!(numbers[1].is_nan());
        let texts = Texts::of_rows("x", &["1", "many", "NaN"]);
        assert_eq!((texts.numbers(), texts.no_number()), (None, Some("many")));
        let texts = Texts::of_rows("x", &["1", "NaN", ""]);
        assert_eq!(complete(3, &[&texts]), [true, false, false]);
    }

    #[test]
    fn rows_are_counted_two_ways_and_kept() {
        let one = Texts::of_rows("g", &["a", "b", "a", ""]);
        let other = Texts::of_rows("y", &["0", "1", "1", "1"]);
        let (counts, n_unknown) = cross(&one, &other);
        assert_eq!((counts, n_unknown), (vec![vec![1, 1], vec![0, 1]], 1));
        let keep = complete(4, &[&one, &other]);
        assert_eq!(keep, [true, true, true, false]);
        assert_eq!(
            one.kept(&[true, false, true, true]),
            Texts::of_rows("g", &["a", "a", ""])
        );
    }
}
