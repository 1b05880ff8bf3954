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
