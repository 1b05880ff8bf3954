//! Coders: what a value of a column is, as a small number or as a number to be gathered.

use std::collections::HashMap;

use alnager_audit::declared::{GROUPS_MAX, SCORE_VALUES_MAX};
use alnager_audit::derived::Derived;
use alnager_law::fact::Value;
use alnager_law::rule::{Atom, Test};

use crate::error::{Problem, choices, shown};

/// Turns values into codes or numbers.
pub(crate) enum Coder {
    Texts(Texts),
    Levels(Levels),
    Numbers(Numbers),
    /// Numbers gathered as they are: scores by value, or weights.
    Gathered(Gathered),
    /// Which person a row belongs to.
    Persons,
    /// Whether an atom of a condition holds.
    Truths(Truths),
}

/// Texts; code 0 is unknown, code `i` the text met as the `i`-th.
pub(crate) struct Texts {
    pub(crate) values: Vec<String>,
    codes: HashMap<Box<[u8]>, u32>,
    /// The field met last and its code: neighbouring rows are often alike.
    last: (Vec<u8>, u32),
    pub(crate) unknown: Vec<String>,
    kind: TextKind,
    /// Other names for the texts of the column, and the codes of the names met: several texts may share one, and a text that
    /// keeps its own name may have that of another.
    labels: Option<Derived>,
    labelled: HashMap<String, u32>,
}

pub(crate) enum TextKind {
    /// A protected attribute, with at most [`GROUPS_MAX`] values.
    Group,
    /// A stratum or a period.
    Stratum,
    /// At most two values; may be unknown.
    Label { positive: String },
    /// At most two values; must be known.
    Decision { positive: String },
}

/// Spellings that mean unknown.
#[derive(Clone)]
pub(crate) struct Unknown {
    texts: Vec<String>,
    /// Those that are numbers.
    numbers: Vec<f64>,
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

/// Numbers that are gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gathered {
    /// Finite.
    Score,
    /// Finite, or missing: NaN.
    Number,
    /// 0, or from [`WEIGHT_MIN`] to [`WEIGHT_MAX`].
    Weight,
}

/// An atom of a condition on columns.
pub(crate) struct Truths {
    atom: Atom,
    unknown: Unknown,
    /// Where numbers are of 32 bits: what they are held against.
    short: Option<ShortCut>,
    codes: HashMap<Box<[u8]>, u32>,
}

/// The least weight above 0; squares of smaller ones, and sums of them, would be lost.
const WEIGHT_MIN: f64 = 1e-100;

/// The greatest weight: the squares of as many as a count can hold have a finite sum.
const WEIGHT_MAX: f64 = 1e100;

/// Codes of [`Truths`], in the order of Kleene's logic.
pub(crate) const FALSE: u32 = 0;
pub(crate) const UNDECIDED: u32 = 1;
pub(crate) const TRUE: u32 = 2;

/// More different texts of a condition's column than this are judged each time anew.
const TRUTHS_MAX: usize = 1 << 16;

/// What a value became.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Coded {
    Code(u32),
    Number(f64),
    Hash(u64),
}

impl Coder {
    /// What a text field becomes.
    pub(crate) fn text(&mut self, field: &[u8]) -> Result<Coded, Problem> {
        match self {
            Coder::Texts(texts) => texts.code(field).map(Coded::Code),
            Coder::Levels(levels) => levels.code(number(field)?).map(Coded::Code),
            Coder::Numbers(numbers) => numbers.code(number(field)?).map(Coded::Code),
            Coder::Gathered(gathered) => gathered.text(field).map(Coded::Number),
            Coder::Persons => person(field).map(Coded::Hash),
            Coder::Truths(truths) => truths.code(field).map(Coded::Code),
        }
    }

    /// The number of codes given so far, or to be given.
    pub(crate) fn n_codes(&self) -> usize {
        match self {
            Coder::Texts(texts) => texts.values.len() + 1,
            Coder::Levels(levels) => levels.cuts.len() + 1,
            Coder::Numbers(numbers) => numbers.values.len().max(1),
            Coder::Gathered(_) | Coder::Persons => 1,
            Coder::Truths(_) => 3,
        }
    }

    /// The text of a code; `None` is unknown.
    pub(crate) fn text_of(&self, code: u32) -> Option<String> {
        match self {
            Coder::Texts(texts) => (code as usize)
                .checked_sub(1)
                .map(|at| texts.values[at].clone()),
            Coder::Levels(_)
            | Coder::Numbers(_)
            | Coder::Gathered(_)
            | Coder::Persons
            | Coder::Truths(_) => None,
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
            Coder::Gathered(_) | Coder::Persons | Coder::Truths(_) => Vec::new(),
        }
    }

    /// The thresholds counted at, ascending: the declared ones, or each value met.
    pub(crate) fn cuts(&self) -> Vec<f64> {
        match self {
            Coder::Levels(levels) => levels.cuts.clone(),
            Coder::Numbers(numbers) => {
                let mut cuts = numbers.values.clone();
                cuts.sort_unstable_by(f64::total_cmp);
                cuts
            }
            Coder::Texts(_) | Coder::Gathered(_) | Coder::Persons | Coder::Truths(_) => Vec::new(),
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
        let has_only_other = matches!(texts.values.as_slice(), [only] if counterpart(positive) == Some(only.as_str()));
        if has_only_other || texts.values.contains(positive) {
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

impl Unknown {
    pub(crate) fn new(texts: &[String]) -> Self {
        Unknown {
            texts: texts.to_vec(),
            numbers: texts.iter().filter_map(|text| text.parse().ok()).collect(),
        }
    }

    pub(crate) fn has(&self, field: &[u8]) -> bool {
        self.texts.iter().any(|unknown| unknown.as_bytes() == field)
    }

    /// Whether a number is unknown by what it is called; only one that may be is put into words.
    pub(crate) fn has_number(&self, value: f64, text: impl Fn() -> String) -> bool {
        let may_be = self.numbers.iter().any(|number| {
            let short = f64::from(*number as f32);
            value == *number || value == short || (value.is_nan() && number.is_nan())
        });
        may_be && self.has(text().as_bytes())
    }

    /// Whether some spelling is a number.
    pub(crate) fn has_numbers(&self) -> bool {
        !self.numbers.is_empty()
    }
}

/// What stands for the opposite of a value beyond doubt, so that a column of it alone is no misspelling: nobody was selected.
fn counterpart(value: &str) -> Option<&'static str> {
    const PAIRS: [[&str; 2]; 7] = [
        ["0", "1"],
        ["false", "true"],
        ["False", "True"],
        ["FALSE", "TRUE"],
        ["no", "yes"],
        ["No", "Yes"],
        ["NO", "YES"],
    ];
    PAIRS.iter().find_map(|[no, yes]| match value {
        value if value == *no => Some(*yes),
        value if value == *yes => Some(*no),
        _ => None,
    })
}

impl Texts {
    pub(crate) fn new(unknown: &[String], kind: TextKind, labels: Option<Derived>) -> Self {
        Texts {
            values: Vec::new(),
            codes: HashMap::new(),
            last: (Vec::new(), 0),
            unknown: unknown.to_vec(),
            kind,
            labels,
            labelled: HashMap::new(),
        }
    }

    pub(crate) fn code(&mut self, field: &[u8]) -> Result<u32, Problem> {
        if self.last.1 > 0 && self.last.0 == field {
            return Ok(self.last.1);
        }
        let code = match self.codes.get(field) {
            Some(code) => *code,
            None => self.learn(field)?,
        };
        self.last.0.clear();
        self.last.0.extend_from_slice(field);
        self.last.1 = code;
        Ok(code)
    }

    /// Gives a text met for the first time its code.
    fn learn(&mut self, field: &[u8]) -> Result<u32, Problem> {
        let text = std::str::from_utf8(field).map_err(|_| Problem::NotUtf8)?;
        if text.contains('\0') {
            return Err(Problem::Nul);
        }
        let label = self.labels.as_ref().and_then(|labels| labels.label(text));
        let name = label
            .filter(|_| !text.is_empty())
            .unwrap_or(text)
            .to_owned();
        let code = match self.labelled.get(&name) {
            Some(code) => *code,
            None => self.enter(&name)?,
        };
        if self.labels.is_some() {
            self.labelled.insert(name, code);
        }
        self.codes.insert(field.into(), code);
        Ok(code)
    }

    /// The code of a text that has none yet.
    fn enter(&mut self, text: &str) -> Result<u32, Problem> {
        let is_unknown = text.is_empty()
            || (self.unknown.iter().any(|unknown| unknown == text) && !self.is_positive(text));
        self.admit(text, is_unknown)?;
        if is_unknown {
            return Ok(0);
        }
        self.values.push(text.to_owned());
        Ok(self.values.len() as u32)
    }

    /// Refuses a value that a column of this kind cannot have.
    fn admit(&self, text: &str, is_unknown: bool) -> Result<(), Problem> {
        match &self.kind {
            TextKind::Decision { .. } if is_unknown => Err(Problem::NoDecision),
            TextKind::Group if !is_unknown && self.values.len() == GROUPS_MAX => {
                Err(Problem::TooManyGroups)
            }
            TextKind::Label { positive } if !is_unknown && self.values.len() == 2 => {
                Err(self.third_value(positive, text, true))
            }
            TextKind::Decision { positive } if !is_unknown && self.values.len() == 2 => {
                Err(self.third_value(positive, text, false))
            }
            TextKind::Group
            | TextKind::Stratum
            | TextKind::Label { .. }
            | TextKind::Decision { .. } => Ok(()),
        }
    }

    /// A value too many: the one that is neither positive nor its counterpart, whichever of the three came last.
    fn third_value(&self, positive: &str, third: &str, may_be_unknown: bool) -> Problem {
        let [one, other] = [&self.values[0], &self.values[1]];
        let all = [one.as_str(), other.as_str(), third];
        let belongs = |value: &str| value == positive || counterpart(positive) == Some(value);
        let mut odd = all.iter().copied().filter(|value| !belongs(value));
        let odd = match (odd.next(), odd.next()) {
            (Some(only), None) => only,
            (Some(_) | None, _) => third,
        };
        let odd = shown(odd);
        let declare = match may_be_unknown {
            true => format!(
                "if `{odd}` means unknown, list it in `unknown` (on the command line --unknown '{odd}')"
            ),
            false => format!("name the value `{odd}` anew with a derived column (--derive)"),
        };
        Problem::ThirdValue {
            positive: shown(positive),
            seen: format!("`{}` and `{}`", shown(one), shown(other)),
            third: shown(third),
            advice: format!(
                "{declare}, or leave its rows out with a condition (--where \"COLUMN != '{odd}'\")"
            ),
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

    /// The thresholds, ascending.
    pub(crate) fn cuts(&self) -> &[f64] {
        &self.cuts
    }

    pub(crate) fn code(&self, value: f64) -> Result<u32, Problem> {
        if !value.is_finite() {
            return Err(Problem::NotFinite {
                value: value.to_string(),
            });
        }
        Ok(match self.compared.as_slice() {
            [cut] => u32::from(*cut <= value),
            cuts => cuts.partition_point(|cut| *cut <= value) as u32,
        })
    }

    /// Whether values are of 32 bits, widened to 64: they are then compared by their shortest decimal form, so that 0.7 in 32 bits
    /// reaches the cut 0.7, though widened it is 0.699999988.
    pub(crate) fn compare_floats(&mut self, are_short: bool) {
        let compared = |cut: &f64| {
            if are_short {
                least_short_float(*cut)
            } else {
                *cut
            }
        };
        self.compared = self.cuts.iter().map(compared).collect();
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
        let value = value + 0.0;
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

impl Gathered {
    fn text(self, field: &[u8]) -> Result<f64, Problem> {
        if self == Gathered::Weight && field.trim_ascii().is_empty() {
            return Err(Problem::NoWeight);
        }
        if self == Gathered::Number && field.trim_ascii().is_empty() {
            return Ok(f64::NAN);
        }
        match (self, number(field)) {
            (_, Ok(value)) => self.check(value),
            (
                Gathered::Weight,
                Err(Problem::NotANumber { value } | Problem::NotFinite { value }),
            ) => Err(Problem::BadWeight { value }),
            (_, Err(problem)) => Err(problem),
        }
    }

    /// Whether a number can be gathered.
    pub(crate) fn takes(self, value: f64) -> bool {
        match self {
            Gathered::Score => value.is_finite(),
            Gathered::Number => !value.is_infinite(),
            Gathered::Weight => value == 0.0 || (WEIGHT_MIN..=WEIGHT_MAX).contains(&value),
        }
    }

    /// Refuses what cannot be gathered.
    pub(crate) fn check(self, value: f64) -> Result<f64, Problem> {
        if self.takes(value) {
            return Ok(value);
        }
        // A hundred zeros cannot be counted by eye.
        let is_long = value.is_finite() && !(1e-15..1e15).contains(&value.abs());
        let value = match is_long {
            true => format!("{value:e}"),
            false => value.to_string(),
        };
        Err(match self {
            Gathered::Score | Gathered::Number => Problem::NotFinite { value },
            Gathered::Weight => Problem::BadWeight { value },
        })
    }
}

impl Truths {
    pub(crate) fn new(atom: Atom, unknown: &[String]) -> Self {
        Truths {
            atom,
            unknown: Unknown::new(unknown),
            short: None,
            codes: HashMap::new(),
        }
    }

    fn code(&mut self, field: &[u8]) -> Result<u32, Problem> {
        if let Some(code) = self.codes.get(field) {
            return Ok(*code);
        }
        let code = self.judge(field)?;
        if self.codes.len() < TRUTHS_MAX {
            self.codes.insert(field.into(), code);
        }
        Ok(code)
    }

    /// The truth for a number, where the atom asks for one.
    pub(crate) fn number(&self, value: f64, text: impl Fn() -> String) -> Option<u32> {
        match &self.atom.test {
            Test::Number(..) if value.is_nan() => Some(UNDECIDED),
            Test::Number(..) if self.unknown.has_number(value, text) => Some(UNDECIDED),
            Test::Number(..) => {
                let value = self.short.map_or(value, |short| short.stand_in(value));
                Some(truth(self.atom.holds(&Value::Number(value))))
            }
            Test::IsTrue | Test::HasAny(_) | Test::IsOneOf(_) | Test::IsNot(_) | Test::Date(..) => {
                None
            }
        }
    }

    /// Whether numbers are of 32 bits, widened to 64: they are then compared by their shortest decimal form, as [`Levels`] are.
    pub(crate) fn compare_floats(&mut self, are_short: bool) {
        self.short = match &self.atom.test {
            Test::Number(_, cut) if are_short => Some(ShortCut::new(*cut)),
            Test::Number(..)
            | Test::IsTrue
            | Test::HasAny(_)
            | Test::IsOneOf(_)
            | Test::IsNot(_)
            | Test::Date(..) => None,
        };
    }

    /// The number that the atom compares with, where it does.
    pub(crate) fn cut(&self) -> Option<f64> {
        match &self.atom.test {
            Test::Number(_, cut) => Some(*cut),
            Test::IsTrue | Test::HasAny(_) | Test::IsOneOf(_) | Test::IsNot(_) | Test::Date(..) => {
                None
            }
        }
    }

    /// The names the atom asks for that the column never held, each with those it held instead. None where too many different
    /// texts were met to remember them all.
    pub(crate) fn never_met(&self) -> Vec<(&str, String)> {
        let asked = match &self.atom.test {
            Test::IsOneOf(names) | Test::HasAny(names) => names.as_slice(),
            Test::IsNot(name) => std::slice::from_ref(name),
            Test::IsTrue | Test::Number(..) | Test::Date(..) => &[],
        };
        if self.codes.is_empty() || self.codes.len() == TRUTHS_MAX {
            return Vec::new();
        }
        let met = self.codes.keys().filter(|met| !met.is_empty());
        let mut met: Vec<&str> = met
            .filter_map(|met| std::str::from_utf8(met).ok())
            .collect();
        met.sort_unstable();
        asked
            .iter()
            .filter(|name| !self.codes.contains_key(name.as_bytes()))
            .map(|name| (name.as_str(), choices(name, "values", &met)))
            .collect()
    }

    fn judge(&self, field: &[u8]) -> Result<u32, Problem> {
        let text = std::str::from_utf8(field).map_err(|_| Problem::NotUtf8)?;
        if text.is_empty() || self.unknown.has(field) {
            return Ok(UNDECIDED);
        }
        let value = match &self.atom.test {
            Test::IsTrue => match text.trim().to_lowercase().as_str() {
                "true" | "1" => Value::Bool(true),
                "false" | "0" => Value::Bool(false),
                _ => return Err(Problem::NotABool { value: shown(text) }),
            },
            Test::IsOneOf(_) | Test::IsNot(_) | Test::HasAny(_) => Value::One(text.to_owned()),
            Test::Number(..) => Value::Number(number(field)?),
            Test::Date(..) => match text.trim().get(..10).and_then(|day| day.parse().ok()) {
                Some(day) => Value::Date(day),
                None => return Err(Problem::NotADay { value: shown(text) }),
            },
        };
        Ok(truth(self.atom.holds(&value)))
    }
}

/// A number that short floats are compared with.
#[derive(Debug, Clone, Copy)]
struct ShortCut {
    cut: f64,
    /// The least short float whose decimal form reaches the cut, and whether that form is the cut itself.
    least: f64,
    is_met: bool,
}

impl ShortCut {
    fn new(cut: f64) -> Self {
        let least = least_short_float(cut);
        ShortCut {
            cut,
            least,
            is_met: (least as f32).to_string().parse() == Ok(cut),
        }
    }

    /// A number that stands to the cut as the decimal form of this short float does.
    fn stand_in(self, value: f64) -> f64 {
        if value < self.least {
            self.cut.next_down()
        } else if value == self.least && self.is_met {
            self.cut
        } else {
            self.cut.next_up()
        }
    }
}

fn truth(holds: bool) -> u32 {
    if holds { TRUE } else { FALSE }
}

/// A hash of a person's identifier, the same for every format and on every machine (FNV-1a, 64 bits).
///
/// Two persons of a million share one with a probability of 3e-8; their rows would then be taken for one person's.
fn person(field: &[u8]) -> Result<u64, Problem> {
    if field.is_empty() {
        return Err(Problem::NoPerson);
    }
    let mixed = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    Ok(field.iter().fold(0xcbf2_9ce4_8422_2325, mixed))
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
        levels.compare_floats(true);
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
