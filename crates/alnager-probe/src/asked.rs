//! What is put to a model, and what it answers.

/// The inputs of some rows, column by column, in the order of the model's inputs.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Asked {
    /// Number of rows.
    pub(crate) n_rows: usize,
    /// One column an input, each of `n_rows` values.
    pub(crate) columns: Vec<AskedColumn>,
}

/// The values of one input.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AskedColumn {
    /// Numbers; NaN where one is missing.
    Numbers(Vec<f64>),
    /// Texts: the different ones, and for each row one more than the position of its text, 0 where it is missing.
    Texts(Vec<String>, Vec<u32>),
}

/// One answer a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Answers {
    /// Numbers, each finite.
    Numbers(Vec<f64>),
    /// Texts.
    Texts(Vec<String>),
}

impl AskedColumn {
    /// The text of a row: empty where it is missing, and a number in its shortest decimal form.
    pub(crate) fn text(&self, row: usize) -> String {
        match self {
            AskedColumn::Texts(texts, codes) => (codes[row] as usize)
                .checked_sub(1)
                .map_or(String::new(), |at| texts[at].clone()),
            AskedColumn::Numbers(numbers) => numbers[row].to_string(),
        }
    }
}

impl Answers {
    /// The number of answers.
    pub fn len(&self) -> usize {
        match self {
            Answers::Numbers(numbers) => numbers.len(),
            Answers::Texts(texts) => texts.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts other answers in the place of those at these positions, which ascend; there are as many of both.
    pub(crate) fn replace(&mut self, at: &[usize], others: Answers) {
        match (&mut *self, others) {
            (Answers::Numbers(all), Answers::Numbers(others)) => {
                at.iter()
                    .zip(others)
                    .for_each(|(at, other)| all[*at] = other);
            }
            (Answers::Texts(all), Answers::Texts(others)) => {
                at.iter()
                    .zip(others)
                    .for_each(|(at, other)| all[*at] = other);
            }
            (Answers::Texts(all), Answers::Numbers(others)) => {
                let others = others.iter().map(f64::to_string);
                at.iter()
                    .zip(others)
                    .for_each(|(at, other)| all[*at] = other);
            }
            (Answers::Numbers(all), Answers::Texts(others)) => {
                let mut texts: Vec<String> = all.iter().map(f64::to_string).collect();
                at.iter()
                    .zip(others)
                    .for_each(|(at, other)| texts[*at] = other);
                *self = Answers::Texts(texts);
            }
        }
    }

    /// Adds the answers of more rows. A model answers all rows alike: numbers that follow texts become texts, as they are called in
    /// a column of them.
    pub(crate) fn extend(&mut self, more: Answers) {
        match (&mut *self, more) {
            (Answers::Numbers(all), Answers::Numbers(more)) => all.extend(more),
            (Answers::Texts(all), Answers::Texts(more)) => all.extend(more),
            (Answers::Texts(all), Answers::Numbers(more)) => {
                all.extend(more.iter().map(f64::to_string));
            }
            (Answers::Numbers(all), Answers::Texts(more)) => {
                let mut texts: Vec<String> = all.iter().map(f64::to_string).collect();
                texts.extend(more);
                *self = Answers::Texts(texts);
            }
        }
    }
}
