//! The rows that are asked: their values, which of them are alike, and their hash.

use std::collections::HashMap;

use alnager_audit::model::Input;
use sha2::{Digest, Sha256};

use crate::asked::{Asked, AskedColumn};
use crate::source::hex;

/// The value of one input of one row; `None` where it is missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum AskedValue<'a> {
    /// A number, finite or not.
    Number(Option<f64>),
    /// A text.
    Text(Option<&'a str>),
}

impl AskedColumn {
    /// The value in one row; a row beyond the end has none.
    pub(crate) fn value(&self, row: usize) -> AskedValue<'_> {
        match self {
            AskedColumn::Numbers(numbers) => {
                AskedValue::Number(numbers.get(row).copied().filter(|number| !number.is_nan()))
            }
            AskedColumn::Texts(texts, codes) => {
                let code = codes.get(row).copied().unwrap_or(0) as usize;
                let text = code.checked_sub(1).and_then(|at| texts.get(at));
                AskedValue::Text(text.map(String::as_str))
            }
        }
    }
}

impl Asked {
    /// The first row of each different combination of inputs, in order; and for each row the position of its combination.
    pub(crate) fn distinct(&self) -> (Vec<usize>, Vec<usize>) {
        let mut seen: HashMap<Vec<u8>, usize> = HashMap::new();
        let (mut firsts, mut of_row) = (Vec::new(), Vec::with_capacity(self.n_rows));
        let mut key = Vec::new();
        for row in 0..self.n_rows {
            self.write_key(row, &mut key);
            let position = match seen.get(&key) {
                Some(position) => *position,
                None => {
                    seen.insert(key.clone(), firsts.len());
                    firsts.push(row);
                    firsts.len() - 1
                }
            };
            of_row.push(position);
        }
        (firsts, of_row)
    }

    /// SHA-256 over the inputs' names and the values of some rows, in order, hexadecimal.
    pub(crate) fn sha256(&self, inputs: &[Input], rows: impl Iterator<Item = usize>) -> String {
        let mut hash = Sha256::new();
        for input in inputs {
            hash.update((input.name.len() as u64).to_le_bytes());
            hash.update(&input.name);
        }
        let mut key = Vec::new();
        for row in rows {
            self.write_key(row, &mut key);
            hash.update(&key);
        }
        hex(hash)
    }

    /// The values of a row as bytes; two rows have the same exactly where their inputs are the same.
    fn write_key(&self, row: usize, key: &mut Vec<u8>) {
        key.clear();
        for column in &self.columns {
            match column.value(row) {
                AskedValue::Number(None) | AskedValue::Text(None) => key.push(b'-'),
                AskedValue::Number(Some(number)) => {
                    key.push(b'n');
                    // Both zeros are one number.
                    let number = if number == 0.0 { 0.0 } else { number };
                    key.extend(number.to_bits().to_le_bytes());
                }
                AskedValue::Text(Some(text)) => {
                    key.push(b't');
                    key.extend((text.len() as u64).to_le_bytes());
                    key.extend(text.as_bytes());
                }
            }
        }
    }
}
