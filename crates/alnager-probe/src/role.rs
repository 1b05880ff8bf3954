//! Roles: one use of a column, from the value of a row to a code or a number.

use std::borrow::Cow;
use std::collections::HashMap;

use alnager_audit::derived::Derived;

use crate::coder::{Coded, Coder, Gathered, Levels, Unknown, number};
use crate::error::Problem;

/// One use of a column.
pub(crate) struct Role {
    /// The column, as a position among those in use.
    pub(crate) column: usize,
    pub(crate) purpose: Purpose,
    pub(crate) coder: Coder,
    /// Where the column is derived from a number: the ranges, and the code of each once it was met.
    pub(crate) ranges: Option<Ranges>,
    unknown: Unknown,
    /// What the rows gathered became: codes, numbers or hashes, one of the three by the coder.
    pub(crate) codes: Vec<u32>,
    pub(crate) numbers: Vec<f64>,
    pub(crate) hashes: Vec<u64>,
    /// Codes of whole numbers met, by value for 0 to 255.
    small: Vec<u32>,
    /// Codes of other numbers met, by their bits.
    known: HashMap<u64, u32>,
}

/// What a column is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// An atom of the condition a row must meet.
    Condition,
    Key,
    Label,
    Decision,
    Score,
    /// The score, every value by itself.
    EveryScore,
    Weight,
    Person,
}

impl Purpose {
    /// Whether it is a part of the cell a row is counted in.
    pub(crate) fn is_cell(self) -> bool {
        match self {
            Purpose::Key | Purpose::Label | Purpose::Decision | Purpose::Score => true,
            Purpose::Condition | Purpose::EveryScore | Purpose::Weight | Purpose::Person => false,
        }
    }
}

/// The ranges of a derived column.
pub(crate) struct Ranges {
    pub(crate) levels: Levels,
    names: Vec<String>,
    codes: Vec<Option<Coded>>,
}

const NO_CODE: u32 = u32::MAX;

/// More different numbers than this are not remembered.
const KNOWN_MAX: usize = 1 << 16;

impl Role {
    pub(crate) fn new(
        column: usize,
        purpose: Purpose,
        coder: Coder,
        derived: Option<&Derived>,
        unknown: &Unknown,
    ) -> Self {
        let ranges = derived
            .filter(|derived| derived.reads_number())
            .map(|derived| {
                let (cuts, names) = derived.ranges();
                Ranges {
                    levels: Levels::new(cuts),
                    codes: vec![None; names.len()],
                    names,
                }
            });
        Role {
            column,
            purpose,
            coder,
            ranges,
            unknown: unknown.clone(),
            codes: Vec::new(),
            numbers: Vec::new(),
            hashes: Vec::new(),
            small: vec![NO_CODE; 256],
            known: HashMap::new(),
        }
    }

    /// Takes in a text field.
    pub(crate) fn text(&mut self, field: &[u8]) -> Result<(), Problem> {
        let coded = self.code_of(field)?;
        self.push(coded);
        Ok(())
    }

    /// What a text field becomes, without taking it in.
    pub(crate) fn code_of(&mut self, field: &[u8]) -> Result<Coded, Problem> {
        match self.ranges {
            _ if self.has_unknowns() && self.unknown.has(field) => self.coder.text(b""),
            Some(_) if field.is_empty() => self.coder.text(b""),
            Some(_) => self.range(number(field)?),
            None => self.coder.text(field),
        }
    }

    /// Whether an unknown spelling is an empty cell here. Texts and conditions judge their own; a score or weight has none.
    fn has_unknowns(&self) -> bool {
        self.ranges.is_some()
            || match self.coder {
                Coder::Gathered(Gathered::Number) | Coder::Persons => true,
                Coder::Gathered(Gathered::Score | Gathered::Weight)
                | Coder::Texts(_)
                | Coder::Levels(_)
                | Coder::Numbers(_)
                | Coder::Truths(_) => false,
            }
    }

    /// Takes in a number that is read already, `text` being what it is called where a declaration speaks of values.
    ///
    /// `bits` differ for different numbers of the column.
    pub(crate) fn number(
        &mut self,
        value: f64,
        bits: u64,
        text: impl Fn() -> String,
    ) -> Result<(), Problem> {
        if self.has_unknowns() && self.unknown.has_number(value, &text) {
            let coded = self.coder.text(b"")?;
            self.push(coded);
            return Ok(());
        }
        if self.ranges.is_some() {
            let coded = self.range(value)?;
            self.push(coded);
            return Ok(());
        }
        match &mut self.coder {
            Coder::Levels(levels) => {
                let code = levels.code(value)?;
                self.codes.push(code);
                return Ok(());
            }
            Coder::Gathered(gathered) => {
                self.numbers.push(gathered.check(value)?);
                return Ok(());
            }
            Coder::Truths(truths) => {
                if let Some(code) = truths.number(value, &text) {
                    self.codes.push(code);
                    return Ok(());
                }
            }
            Coder::Texts(_) | Coder::Numbers(_) | Coder::Persons => {}
        }
        self.called(bits, text)
    }

    /// Whether a number becomes a code by what it is called.
    pub(crate) fn is_named(&self) -> bool {
        self.ranges.is_none()
            && match &self.coder {
                Coder::Texts(_) | Coder::Numbers(_) => true,
                Coder::Levels(_) | Coder::Gathered(_) | Coder::Persons | Coder::Truths(_) => false,
            }
    }

    /// Takes in numbers that are gathered as they are, if this role gathers and all of them can be.
    pub(crate) fn takes_numbers(&mut self, values: impl Iterator<Item = f64> + Clone) -> bool {
        let Coder::Gathered(gathered) = &self.coder else {
            return false;
        };
        let may_be_unknown = self.has_unknowns() && self.unknown.has_numbers();
        let fits = self.ranges.is_none()
            && !may_be_unknown
            && values.clone().all(|value| gathered.takes(value));
        if fits {
            self.numbers.extend(values);
        }
        fits
    }

    /// Takes in rows by their keys in a dictionary of `n` entries, each read once when it is first met.
    pub(crate) fn codes_of<'t>(
        &mut self,
        keys: impl Iterator<Item = usize>,
        n: usize,
        text: impl Fn(usize) -> Cow<'t, [u8]>,
    ) -> Result<(), (usize, Problem)> {
        let mut known = vec![NO_CODE; n];
        let mut first: Option<(usize, Problem)> = None;
        let mut codes = std::mem::take(&mut self.codes);
        let start = codes.len();
        codes.extend(keys.enumerate().map(|(row, key)| {
            let code = known[key];
            if code != NO_CODE || first.is_some() {
                return code;
            }
            match self.code_of(&text(key)) {
                Ok(Coded::Code(code)) => known[key] = code,
                Ok(Coded::Number(_) | Coded::Hash(_)) => {}
                Err(problem) => first = Some((row, problem)),
            }
            known[key]
        }));
        if first.is_some() {
            codes.truncate(start);
        }
        self.codes = codes;
        first.map_or(Ok(()), Err)
    }

    /// Takes in a number by what it is called, remembered by its bits.
    fn called(&mut self, bits: u64, text: impl Fn() -> String) -> Result<(), Problem> {
        let remembered = match self.small.get(bits as usize) {
            Some(code) => *code,
            None => self.known.get(&bits).copied().unwrap_or(NO_CODE),
        };
        if remembered != NO_CODE {
            self.codes.push(remembered);
            return Ok(());
        }
        let coded = self.coder.text(text().as_bytes())?;
        if let Coded::Code(code) = coded {
            match self.small.get_mut(bits as usize) {
                Some(place) => *place = code,
                None if self.known.len() < KNOWN_MAX => {
                    self.known.insert(bits, code);
                }
                None => {}
            }
        }
        self.push(coded);
        Ok(())
    }

    fn range(&mut self, value: f64) -> Result<Coded, Problem> {
        let Some(ranges) = &mut self.ranges else {
            return self.coder.text(value.to_string().as_bytes());
        };
        let level = ranges.levels.code(value)? as usize;
        if let Some(coded) = ranges.codes[level] {
            return Ok(coded);
        }
        let coded = self.coder.text(ranges.names[level].as_bytes())?;
        ranges.codes[level] = Some(coded);
        Ok(coded)
    }

    pub(crate) fn push(&mut self, coded: Coded) {
        match coded {
            Coded::Code(code) => self.codes.push(code),
            Coded::Number(number) => self.numbers.push(number),
            Coded::Hash(hash) => self.hashes.push(hash),
        }
    }

    /// The rows taken in since the last [`Role::clear`].
    pub(crate) fn n_rows(&self) -> usize {
        self.codes.len() + self.numbers.len() + self.hashes.len()
    }

    pub(crate) fn clear(&mut self) {
        self.codes.clear();
        self.numbers.clear();
        self.hashes.clear();
    }

    /// Whether numbers are held against cuts by the shortest decimal form of 32 bits. Told of each file: its numbers may have
    /// other bits than those of the file before, so the codes remembered by bits are forgotten.
    pub(crate) fn compare_floats(&mut self, are_short: bool) {
        self.small.fill(NO_CODE);
        self.known.clear();
        match &mut self.coder {
            Coder::Levels(levels) => levels.compare_floats(are_short),
            Coder::Truths(truths) => truths.compare_floats(are_short),
            Coder::Texts(_) | Coder::Numbers(_) | Coder::Gathered(_) | Coder::Persons => {}
        }
        if let Some(ranges) = &mut self.ranges {
            ranges.levels.compare_floats(are_short);
        }
    }

    /// Whether every row becomes a code.
    pub(crate) fn gives_codes(&self) -> bool {
        match self.coder {
            Coder::Texts(_) | Coder::Levels(_) | Coder::Numbers(_) | Coder::Truths(_) => true,
            Coder::Gathered(_) | Coder::Persons => false,
        }
    }

    /// Whether the column is read as a number.
    pub(crate) fn reads_number(&self) -> bool {
        match self.coder {
            Coder::Levels(_) | Coder::Numbers(_) | Coder::Gathered(_) => true,
            Coder::Texts(_) | Coder::Persons | Coder::Truths(_) => self.ranges.is_some(),
        }
    }
}
