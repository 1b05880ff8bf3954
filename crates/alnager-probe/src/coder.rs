//! Coders: what a value of a column is, as a small number.

use std::collections::HashMap;

use alnager_audit::declared::{GROUPS_MAX, SCORE_VALUES_MAX};

use crate::error::{Problem, shown};

/// Turns values into codes.
pub(crate) enum Coder {
    Texts(Texts),
    Levels(Levels),
    Numbers(Numbers),
}

/// Texts; code 0 is unknown, code `i` the text met as the `i`-th.
pub(crate) struct Texts {
    pub(crate) values: Vec<String>,
    codes: HashMap<Box<[u8]>, u32>,
    /// The code given last: neighbouring rows are often alike.
    last: u32,
    pub(crate) unknown: Vec<String>,
    kind: TextKind,
}

pub(crate) enum TextKind {
    /// A protected attribute, with at most [`GROUPS_MAX`] values.
    Group,
    Stratum,
    /// At most two values; may be unknown.
    Label {
        positive: String,
    },
    /// At most two values; must be known.
    Decision {
        positive: String,
    },
}

/// Numbers against thresholds; the code is the number of cuts a value reaches.
pub(crate) struct Levels {
    cuts: Vec<f64>,
    /// What values are compared with; differs from `cuts` for a column of short floats.
    compared: Vec<f64>,
}

/// Numbers by value, at most [`SCORE_VALUES_MAX`]; code `i` is the number met after `i` others.
#[derive(Default)]
pub(crate) struct Numbers {
    values: Vec<f64>,
    codes: HashMap<u64, u32>,
}

impl Coder {
    /// The code of a text field.
    pub(crate) fn text(&mut self, field: &[u8]) -> Result<u32, Problem> {
        match self {
            Coder::Texts(texts) => texts.code(field),
            Coder::Levels(levels) => levels.code(number(field)?),
            Coder::Numbers(numbers) => numbers.code(number(field)?),
        }
    }

    /// The number of codes given so far, or to be given.
    pub(crate) fn n_codes(&self) -> usize {
        match self {
            Coder::Texts(texts) => texts.values.len() + 1,
            Coder::Levels(levels) => levels.cuts.len() + 1,
            Coder::Numbers(numbers) => numbers.values.len().max(1),
        }
    }

    /// The text of a code; `None` is unknown.
    pub(crate) fn text_of(&self, code: u32) -> Option<String> {
        match self {
            Coder::Texts(texts) => (code as usize)
                .checked_sub(1)
                .map(|at| texts.values[at].clone()),
            Coder::Levels(_) | Coder::Numbers(_) => None,
        }
    }

    /// What each code means: 0, 1 or (2) unknown for labels and decisions; the level of a score.
    pub(crate) fn meanings(&self) -> Vec<usize> {
        match self {
            Coder::Texts(texts) => std::iter::once(2)
                .chain(
                    texts
                        .values
                        .iter()
                        .map(|value| usize::from(texts.is_positive(value))),
                )
                .collect(),
            Coder::Levels(levels) => (0..=levels.cuts.len()).collect(),
            Coder::Numbers(numbers) => {
                let cuts = self.cuts();
                numbers
                    .values
                    .iter()
                    .map(|value| cuts.partition_point(|cut| cut <= value))
                    .collect()
            }
        }
    }

    /// The thresholds counted at, ascending: the declared ones, or each value met.
    pub(crate) fn cuts(&self) -> Vec<f64> {
        match self {
            Coder::Texts(_) => Vec::new(),
            Coder::Levels(levels) => levels.cuts.clone(),
            Coder::Numbers(numbers) => {
                let mut cuts = numbers.values.clone();
                cuts.sort_unstable_by(f64::total_cmp);
                cuts
            }
        }
    }

    /// What only the whole column can tell.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let Coder::Texts(texts) = self else {
            return Ok(());
        };
        let (TextKind::Label { positive } | TextKind::Decision { positive }) = &texts.kind else {
            return Ok(());
        };
        if texts.values.contains(positive) {
            return Ok(());
        }
        let mut values: Vec<String> = texts
            .values
            .iter()
            .map(|value| format!("`{}`", shown(value)))
            .collect();
        values.sort_unstable();
        let found = match values.as_slice() {
            [] => "every row is unknown".to_owned(),
            values => format!(
                "found {}; name one of them in `positive`",
                values.join(" and ")
            ),
        };
        Err(Problem::NoPositive {
            positive: shown(positive),
            found,
        })
    }
}

impl Texts {
    pub(crate) fn new(unknown: &[String], kind: TextKind) -> Self {
        Texts {
            values: Vec::new(),
            codes: HashMap::new(),
            last: 0,
            unknown: unknown.to_vec(),
            kind,
        }
    }

    pub(crate) fn code(&mut self, field: &[u8]) -> Result<u32, Problem> {
        if self.last > 0 && self.values[self.last as usize - 1].as_bytes() == field {
            return Ok(self.last);
        }
        let code = match self.codes.get(field) {
            Some(code) => *code,
            None => self.learn(field)?,
        };
        self.last = code;
        Ok(code)
    }

    /// Gives a text met for the first time its code.
    fn learn(&mut self, field: &[u8]) -> Result<u32, Problem> {
        let text = std::str::from_utf8(field).map_err(|_| Problem::NotUtf8)?;
        if text.contains('\0') {
            return Err(Problem::Nul);
        }
        let is_unknown = text.is_empty()
            || (self.unknown.iter().any(|unknown| unknown == text) && !self.is_positive(text));
        match &self.kind {
            TextKind::Decision { .. } if is_unknown => return Err(Problem::NoDecision),
            TextKind::Group if !is_unknown && self.values.len() == GROUPS_MAX => {
                return Err(Problem::TooManyGroups);
            }
            TextKind::Label { positive } if !is_unknown && self.values.len() == 2 => {
                return Err(self.third_value(
                    positive,
                    text,
                    "if it means unknown, list it in `unknown`",
                ));
            }
            TextKind::Decision { positive } if !is_unknown && self.values.len() == 2 => {
                return Err(self.third_value(
                    positive,
                    text,
                    "make the data say which of the two it is",
                ));
            }
            TextKind::Group
            | TextKind::Stratum
            | TextKind::Label { .. }
            | TextKind::Decision { .. } => {}
        }
        let code = if is_unknown {
            0
        } else {
            self.values.push(text.to_owned());
            self.values.len() as u32
        };
        self.codes.insert(field.into(), code);
        Ok(code)
    }

    fn third_value(&self, positive: &str, third: &str, advice: &'static str) -> Problem {
        let seen = format!(
            "`{}` and `{}`",
            shown(&self.values[0]),
            shown(&self.values[1])
        );
        Problem::ThirdValue {
            positive: shown(positive),
            seen,
            third: shown(third),
            advice,
        }
    }

    fn is_positive(&self, text: &str) -> bool {
        match &self.kind {
            TextKind::Label { positive } | TextKind::Decision { positive } => positive == text,
            TextKind::Group | TextKind::Stratum => false,
        }
    }
}

impl Levels {
    pub(crate) fn new(cuts: Vec<f64>) -> Self {
        Levels {
            compared: cuts.clone(),
            cuts,
        }
    }

    pub(crate) fn code(&self, value: f64) -> Result<u32, Problem> {
        if !value.is_finite() {
            return Err(Problem::NotFinite {
                value: value.to_string(),
            });
        }
        Ok(self.compared.partition_point(|cut| *cut <= value) as u32)
    }

    /// Lets values of 32 bits, widened to 64, be compared by their shortest decimal form: 0.7 in 32 bits reaches the cut 0.7,
    /// though widened it is 0.699999988.
    pub(crate) fn compare_short_floats(&mut self) {
        self.compared = self
            .cuts
            .iter()
            .map(|cut| least_short_float(*cut))
            .collect();
    }
}

/// The least value of 32 bits whose shortest decimal form is at least `cut`, widened.
///
/// It is the one nearest to `cut` or a neighbour, because a shortest decimal form lies within the rounding interval of its value.
fn least_short_float(cut: f64) -> f64 {
    let near = cut as f32;
    let reaches = |value: &f32| {
        value
            .to_string()
            .parse::<f64>()
            .is_ok_and(|decimal| decimal >= cut)
    };
    [near.next_down(), near]
        .into_iter()
        .find(reaches)
        .unwrap_or(near.next_up())
        .into()
}

impl Numbers {
    pub(crate) fn code(&mut self, value: f64) -> Result<u32, Problem> {
        if !value.is_finite() {
            return Err(Problem::NotFinite {
                value: value.to_string(),
            });
        }
        // Minus zero is zero.
        let value = if value == 0.0 { 0.0 } else { value };
        if let Some(code) = self.codes.get(&value.to_bits()) {
            return Ok(*code);
        }
        if self.values.len() == SCORE_VALUES_MAX {
            return Err(Problem::TooManyScores);
        }
        let code = self.values.len() as u32;
        self.values.push(value);
        self.codes.insert(value.to_bits(), code);
        Ok(code)
    }
}

/// The finite number a field holds; white space around it is allowed.
pub(crate) fn number(field: &[u8]) -> Result<f64, Problem> {
    let text = std::str::from_utf8(field).map_err(|_| Problem::NotUtf8)?;
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(Problem::NoScore);
    }
    let value: f64 = trimmed
        .parse()
        .map_err(|_| Problem::NotANumber { value: shown(text) })?;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Problem::NotFinite { value: shown(text) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_float_is_compared_by_its_decimal_form() {
        let mut levels = Levels::new(vec![0.1, 0.7, 0.700_000_1]);
        levels.compare_short_floats();
        for (value, level) in [
            (0.099_999_99_f32, 0),
            (0.1, 1),
            (0.699_999_9, 1),
            (0.7, 2),
            (0.700_000_1, 3),
            (f32::MAX, 3),
            (f32::MIN, 0),
        ] {
            assert_eq!(levels.code(value.into()), Ok(level), "{value}");
        }
    }
}
