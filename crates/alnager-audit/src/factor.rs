//! Factors of a model: columns of numbers, and categories as 0/1 columns.

use alnager_stats::matrix::{Design, FitError};

use crate::declared::GROUPS_MAX;
use crate::texts::Texts;

/// A factor as a model takes it, over the rows kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Factor {
    /// The name of its column in the data.
    pub name: String,
    /// What it became.
    pub coded: Coded,
}

/// What a factor became.
#[derive(Debug, Clone, PartialEq)]
pub enum Coded {
    /// Its numbers.
    Numbers(Vec<f64>),
    /// One 0/1 column per category but one, which has none: the base.
    Categories {
        /// The category without a column.
        base: String,
        /// The others, each with its column.
        others: Vec<(String, Vec<f64>)>,
    },
}

/// Why a column cannot be a factor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactorError {
    /// Neither numbers nor few categories.
    #[error(
        "column `{column}`: `{text}` is no number, and more than {GROUPS_MAX} different texts are too many for categories; correct it, or put the values into bins"
    )]
    TooManyCategories {
        /// The column.
        column: String,
        /// The first text that is no number.
        text: String,
    },
    /// The base is not there.
    #[error("column `{column}`: no complete row has `{base}`; the values are {values}")]
    NoBase {
        /// The column.
        column: String,
        /// The category asked for.
        base: String,
        /// What there is.
        values: String,
    },
}

impl Factor {
    /// Numbers where every text is one; else categories, the most frequent (the first of them in order) as the base.
    pub fn of(texts: &Texts) -> Result<Factor, FactorError> {
        match texts.numbers() {
            Some(numbers) => Ok(Factor {
                name: texts.column().to_owned(),
                coded: Coded::Numbers(numbers),
            }),
            None => {
                let counts = texts.n_by_value();
                let most = counts.iter().max().copied().unwrap_or(0);
                let at = counts.iter().position(|count| *count == most).unwrap_or(0);
                let base = texts.values().get(at).cloned().unwrap_or_default();
                Factor::categories(texts, &base)
            }
        }
    }

    /// Categories, whatever the texts, with this one as the base.
    pub fn categories(texts: &Texts, base: &str) -> Result<Factor, FactorError> {
        let column = texts.column().to_owned();
        if texts.values().len() > GROUPS_MAX {
            let text = texts.no_number().unwrap_or(base).to_owned();
            return Err(FactorError::TooManyCategories { column, text });
        }
        let Some(base_at) = texts.position(base) else {
            return Err(FactorError::NoBase {
                column,
                base: base.to_owned(),
                values: listed(texts.values()),
            });
        };
        let others = texts
            .values()
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != base_at);
        let column_of = |at: usize| {
            (0..texts.n_rows())
                .map(|row| f64::from(u8::from(texts.at(row) == Some(at))))
                .collect()
        };
        Ok(Factor {
            name: column,
            coded: Coded::Categories {
                base: base.to_owned(),
                others: others
                    .map(|(at, text)| (text.clone(), column_of(at)))
                    .collect(),
            },
        })
    }

    /// Adds its columns to a design; their positions.
    pub fn push(&self, design: &mut Design) -> Result<Vec<usize>, FitError> {
        let first = design.columns();
        match &self.coded {
            Coded::Numbers(values) => design.push(&self.name, values)?,
            Coded::Categories { others, .. } => {
                for (category, values) in others {
                    design.push(&format!("{}={category}", self.name), values)?;
                }
            }
        }
        Ok((first..design.columns()).collect())
    }

    /// Whether it is a set of 0/1 columns that are never 1 together.
    pub fn is_category(&self) -> bool {
        match &self.coded {
            Coded::Numbers(_) => false,
            Coded::Categories { .. } => true,
        }
    }
}

/// Values as a message lists them, at most 16.
pub fn listed(values: &[String]) -> String {
    const LISTED_MAX: usize = 16;
    let shown: Vec<String> = values
        .iter()
        .take(LISTED_MAX)
        .map(|value| format!("`{}`", alnager_law::read::shorten(value)))
        .collect();
    match values.len().saturating_sub(LISTED_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_stay_numbers_and_texts_become_columns() {
        let factor = Factor::of(&Texts::of_rows("income", &["1", "2.5"])).unwrap();
        assert_eq!(factor.coded, Coded::Numbers(vec![1.0, 2.5]));
        let factor =
            Factor::of(&Texts::of_rows("purpose", &["car", "home", "home", "boat"])).unwrap();
        let Coded::Categories { base, others } = &factor.coded else {
            unreachable!()
        };
        assert_eq!(base, "home");
        assert_eq!(others[0], ("boat".to_owned(), vec![0.0, 0.0, 0.0, 1.0]));
        let mut design = Design::new(4);
        assert_eq!(factor.push(&mut design).unwrap(), [1, 2]);
        assert_eq!(design.name(2), Some("purpose=car"));
    }

    #[test]
    fn a_misspelt_number_does_not_become_a_thousand_categories() {
        let rows: Vec<String> = (0..60)
            .map(|row| {
                if row == 7 {
                    "1,5".to_owned()
                } else {
                    row.to_string()
                }
            })
            .collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let error = Factor::of(&Texts::of_rows("income", &rows)).unwrap_err();
        assert!(
            error.to_string().contains("`income`: `1,5` is no number"),
            "{error}"
        );
        let error = Factor::categories(&Texts::of_rows("race", &["A", "B"]), "C").unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `race`: no complete row has `C`; the values are `A`, `B`"
        );
    }
}
