//! Roles: one use of a column, from the value of a row to a code or a number.

use std::collections::HashMap;

use alnager_audit::derived::Derived;

use crate::coder::{Coded, Coder, Levels, number};
use crate::error::Problem;

/// One use of a column.
pub(crate) struct Role {
    /// The column, as a position among those in use.
    pub(crate) column: usize,
    pub(crate) purpose: Purpose,
    pub(crate) coder: Coder,
    /// Where the column is derived from a number: the ranges, and the code of each once it was met.
    pub(crate) ranges: Option<Ranges>,
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
            codes: Vec::new(),
            numbers: Vec::new(),
            hashes: Vec::new(),
            small: vec![NO_CODE; 256],
            known: HashMap::new(),
        }
    }

    /// Takes in a text field.
    pub(crate) fn text(&mut self, field: &[u8]) -> Result<(), Problem> {
        let coded = match self.ranges {
            Some(_) if field.is_empty() => self.coder.text(b"")?,
            Some(_) => self.range(number(field)?)?,
            None => self.coder.text(field)?,
        };
        self.push(coded);
        Ok(())
    }

    /// What a text field becomes, without taking it in.
    pub(crate) fn code_of(&mut self, field: &[u8]) -> Result<Coded, Problem> {
        match self.ranges {
            Some(_) if field.is_empty() => self.coder.text(b""),
            Some(_) => self.range(number(field)?),
            None => self.coder.text(field),
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
                if let Some(code) = truths.number(value) {
                    self.codes.push(code);
                    return Ok(());
                }
            }
            Coder::Texts(_) | Coder::Numbers(_) | Coder::Persons => {}
        }
        self.called(bits, text)
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

    /// Whether numbers are held against cuts by the shortest decimal form of 32 bits.
    pub(crate) fn compare_floats(&mut self, are_short: bool) {
        if let Coder::Levels(levels) = &mut self.coder {
            levels.compare_floats(are_short);
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
