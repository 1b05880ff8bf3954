//! Least squares by Householder reflections, and the small dense matrices it needs.
//!
//! A design has many rows (up to a few million) and few columns (under a hundred). Its triangle R,
//! with X = QR, is built block by block: the triangle so far and the next rows are reflected into a
//! new triangle. Q is never kept, so a fit needs no second copy of the rows.
//! Source: Golub and Van Loan 2013, Matrix Computations, 4th edition, chapter 5; block by block,
//! Demmel, Grigori, Hoemmen and Langou 2012, SIAM Journal on Scientific Computing 34, A206-A239.

use std::fmt;

use crate::compare::PValue;
use crate::proportion::Interval;

/// Why a model cannot be fitted. Every message names the column as the caller named it.
#[derive(Debug, Clone, PartialEq)]
pub enum FitError {
    /// A column, outcome, weight or group list has another length than the design.
    LengthsDiffer {
        /// The column's name, or what the list holds.
        name: String,
        /// Its length.
        rows: usize,
        /// The design's number of rows.
        expected: usize,
    },
    /// A value is NaN, infinite, or beyond 1e100, where its square is no longer a number.
    NotFinite {
        /// The column's name, or `outcome`.
        name: String,
        /// The first such row, from 0.
        row: usize,
    },
    /// A weight is negative, NaN or infinite, or all weights are 0.
    Weight {
        /// The first such row, from 0; `None` if all weights are 0.
        row: Option<usize>,
    },
    /// There are no more rows than columns, so nothing is left to estimate the error from.
    TooFewRows {
        /// The rows (with a weight above 0).
        rows: usize,
        /// The columns, the intercept among them.
        columns: usize,
    },
    /// A column beside the intercept has the same value in every row.
    ConstantColumn {
        /// The column's name.
        name: String,
    },
    /// A column is a linear combination of those before it.
    Collinear {
        /// The column's name.
        name: String,
        /// Its position; the intercept is 0.
        position: usize,
    },
    /// The outcome has the same value in every row.
    ConstantOutcome,
    /// Some combination of columns tells the outcome without error, so the likelihood has no maximum.
    Separated {
        /// Of all rows, or of some.
        separation: Separation,
        /// The column that weighs most in the combination.
        name: String,
    },
    /// The iteration came to no end.
    NotConverged {
        /// The steps made.
        steps: u32,
    },
    /// A position names no column, or the intercept.
    NoSuchColumn {
        /// The position asked for.
        position: usize,
        /// The number of columns.
        columns: usize,
    },
    /// Columns that should be 0/1 and never 1 together are not.
    NotExclusive {
        /// The column's name.
        name: String,
        /// The first such row, from 0.
        row: usize,
    },
    /// One of two groups cannot be fitted alone.
    InGroup {
        /// Whether it is the protected group; else the reference group.
        protected: bool,
        /// Why.
        cause: Box<FitError>,
    },
}

/// How far an outcome is told without error, see [`FitError::Separated`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separation {
    /// All rows are told.
    Complete,
    /// Some rows are told, the others lie on the border.
    QuasiComplete,
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FitError::LengthsDiffer {
                name,
                rows,
                expected,
            } => write!(
                f,
                "`{name}` has `{rows}` rows where `{expected}` are expected; give one value per row"
            ),
            FitError::NotFinite { name, row } => write!(
                f,
                "`{name}` is not a number of usable size in row `{row}`; leave out rows without a value"
            ),
            FitError::Weight { row: Some(row) } => write!(
                f,
                "the weight in row `{row}` is negative or not a number; weights are 0 or above"
            ),
            FitError::Weight { row: None } => {
                write!(
                    f,
                    "all weights are 0; give at least one row a weight above 0"
                )
            }
            FitError::TooFewRows { rows, columns } => write!(
                f,
                "`{rows}` rows cannot carry `{columns}` columns; leave out columns or add rows"
            ),
            FitError::ConstantColumn { name } => write!(
                f,
                "column `{name}` has the same value in every row and explains nothing; leave it out"
            ),
            FitError::Collinear { name, position } => write!(
                f,
                "column `{name}` (position `{position}`) is a combination of the columns before it; leave one of them out"
            ),
            FitError::ConstantOutcome => write!(
                f,
                "the outcome has the same value in every row; there is nothing to explain"
            ),
            FitError::Separated { separation, name } => {
                let told = match separation {
                    Separation::Complete => "every row (complete separation)",
                    Separation::QuasiComplete => "some rows (quasi-complete separation)",
                };
                write!(
                    f,
                    "the outcome of {told} follows without error from the columns, mostly from `{name}`; the model has no finite solution: leave the column out or join its categories"
                )
            }
            FitError::NotConverged { steps } => write!(
                f,
                "no solution after `{steps}` steps; bring the columns to a similar scale"
            ),
            FitError::NoSuchColumn { position, columns } => write!(
                f,
                "position `{position}` is not a variable among `{columns}` columns; variables begin at 1, after the intercept"
            ),
            FitError::NotExclusive { name, row } => write!(
                f,
                "column `{name}` is not 0 or 1, or is 1 beside another of its set, in row `{row}`; code each category as one 0/1 column"
            ),
            FitError::InGroup { protected, cause } => {
                let group = if *protected { "protected" } else { "reference" };
                write!(f, "among the {group} group: {cause}")
            }
        }
    }
}

impl std::error::Error for FitError {}

/// The columns of a regression: an intercept at position 0, then the variables as they were added.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
    rows: usize,
}

impl Design {
    /// A design of `rows` rows with the intercept alone.
    pub fn new(rows: usize) -> Design {
        Design {
            names: vec!["intercept".to_owned()],
            columns: vec![vec![1.0; rows]],
            rows,
        }
    }

    /// Adds a variable, one value per row.
    pub fn push(&mut self, name: &str, values: &[f64]) -> Result<(), FitError> {
        self.check_length(name, values.len())?;
        check_finite(name, values)?;
        self.names.push(name.to_owned());
        self.columns.push(values.to_vec());
        Ok(())
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns, the intercept among them.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// The name of the column at a position, `None` beyond the last.
    pub fn name(&self, position: usize) -> Option<&str> {
        self.names.get(position).map(String::as_str)
    }

    /// The values at a position, `None` beyond the last.
    pub fn column(&self, position: usize) -> Option<&[f64]> {
        self.columns.get(position).map(Vec::as_slice)
    }

    /// The intercept and the variables at `positions`, in that order.
    pub fn with_only(&self, positions: &[usize]) -> Result<Design, FitError> {
        let mut design = Design::new(self.rows);
        for &position in positions {
            self.check_variable(position)?;
            design.names.push(self.names[position].clone());
            design.columns.push(self.columns[position].clone());
        }
        Ok(design)
    }

    /// The rows for which `keep` says so; as many entries as rows.
    pub(crate) fn with_rows(&self, keep: &[bool]) -> Design {
        let columns: Vec<Vec<f64>> = self.columns.iter().map(|c| kept(c, keep)).collect();
        Design {
            names: self.names.clone(),
            rows: columns[0].len(),
            columns,
        }
    }

    pub(crate) fn check_length(&self, name: &str, rows: usize) -> Result<(), FitError> {
        if rows == self.rows {
            return Ok(());
        }
        Err(FitError::LengthsDiffer {
            name: name.to_owned(),
            rows,
            expected: self.rows,
        })
    }

    pub(crate) fn check_variable(&self, position: usize) -> Result<(), FitError> {
        let columns = self.columns();
        if (1..columns).contains(&position) {
            return Ok(());
        }
        Err(FitError::NoSuchColumn { position, columns })
    }

    /// No variable is constant over the rows that count, and there are more of these than columns.
    pub(crate) fn check_fit(&self, counts: impl Fn(usize) -> bool) -> Result<(), FitError> {
        let rows = (0..self.rows).filter(|&row| counts(row)).count();
        if rows <= self.columns() {
            let columns = self.columns();
            return Err(FitError::TooFewRows { rows, columns });
        }
        for (name, column) in self.names.iter().zip(&self.columns).skip(1) {
            let mut values = (0..self.rows)
                .filter(|&row| counts(row))
                .map(|row| column[row]);
            let first = values.next();
            // Equal to the bit: the column was given so, no rounding of ours is in it.
            if values.all(|value| Some(value) == first) {
                return Err(FitError::ConstantColumn { name: name.clone() });
            }
        }
        Ok(())
    }

    pub(crate) fn all(&self) -> Vec<&[f64]> {
        self.columns.iter().map(Vec::as_slice).collect()
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// X b, one value per row.
    pub(crate) fn times(&self, b: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.rows];
        for (column, &b) in self.columns.iter().zip(b) {
            for (sum, x) in sums.iter_mut().zip(column) {
                *sum += b * x;
            }
        }
        sums
    }

    pub(crate) fn collinear(&self, position: usize) -> FitError {
        FitError::Collinear {
            name: self.names[position].clone(),
            position,
        }
    }
}

/// One estimated figure of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Coefficient {
    /// The column it belongs to, as the caller named it; `intercept` for the first.
    pub name: String,
    /// The estimate, in units of the outcome (or of its log odds) per unit of the column.
    pub value: f64,
    /// Its standard error, 0 and above.
    pub standard_error: f64,
    /// Estimate over standard error; `None` where the standard error is 0.
    pub statistic: Option<f64>,
    /// The two-sided chance of a statistic at least this far out were the true value 0.
    pub p: Option<PValue>,
}

impl Coefficient {
    pub(crate) fn new(
        name: &str,
        value: f64,
        standard_error: f64,
        ln_p: impl Fn(f64) -> f64,
    ) -> Coefficient {
        let statistic = (standard_error > 0.0).then(|| value / standard_error);
        Coefficient {
            name: name.to_owned(),
            value,
            standard_error,
            statistic,
            p: statistic.map(|statistic| PValue::from_ln(ln_p(statistic))),
        }
    }

    /// value ± z · standard error; `None` unless `z` is positive and finite.
    pub fn interval(&self, z: f64) -> Option<Interval> {
        let reach = z * self.standard_error;
        (z > 0.0 && z.is_finite()).then_some(Interval {
            low: self.value - reach,
            high: self.value + reach,
        })
    }
}

/// The values of the rows to keep.
pub(crate) fn kept(values: &[f64], keep: &[bool]) -> Vec<f64> {
    let pairs = values.iter().zip(keep);
    pairs.filter(|(_, keep)| **keep).map(|(v, _)| *v).collect()
}

/// All values are finite and their squares too.
pub(crate) fn check_finite(name: &str, values: &[f64]) -> Result<(), FitError> {
    match values
        .iter()
        .position(|value| !(0.0..=1e100).contains(&value.abs()))
    {
        None => Ok(()),
        Some(row) => Err(FitError::NotFinite {
            name: name.to_owned(),
            row,
        }),
    }
}

/// Rows reflected at once; the block of a design with 20 columns then lies in a 64 KB cache.
const BLOCK: usize = 256;

/// A diagonal element this small beside its column is taken as 0: far above the rounding of a few
/// million rows (1e-13), far below a variable worth having (a year with its century: 1e-3).
const COLLINEAR: f64 = 1e-10;

/// The upper triangle R of a matrix X = QR with orthogonal columns in Q, so that X'X = R'R.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Triangle {
    size: usize,
    /// Row by row, zeros below the diagonal.
    r: Vec<f64>,
}

impl Triangle {
    /// The triangle of the matrix with these columns, each row times its factor.
    pub(crate) fn of(columns: &[&[f64]], factors: Option<&[f64]>) -> Triangle {
        let size = columns.len();
        let rows = columns.first().map_or(0, |column| column.len());
        let mut triangle = Triangle {
            size,
            r: vec![0.0; size * size],
        };
        let mut block = vec![0.0; size * BLOCK];
        for start in (0..rows).step_by(BLOCK) {
            let end = rows.min(start + BLOCK);
            for (part, column) in block.chunks_exact_mut(BLOCK).zip(columns) {
                part[..end - start].copy_from_slice(&column[start..end]);
                part[end - start..].fill(0.0);
                if let Some(factors) = factors {
                    for (x, factor) in part.iter_mut().zip(&factors[start..end]) {
                        *x *= factor;
                    }
                }
            }
            triangle.absorb(&mut block);
        }
        triangle
    }

    /// Reflects a block of rows (column by column, spoiled) into the triangle.
    fn absorb(&mut self, block: &mut [f64]) {
        let size = self.size;
        for j in 0..size {
            let (head, rest) = block.split_at_mut((j + 1) * BLOCK);
            let tail = &head[j * BLOCK..];
            let square = dot(tail, tail);
            if square == 0.0 {
                continue;
            }
            let at = self.r[j * size + j];
            let norm = (at * at + square).sqrt();
            // The sign that adds: no digits are lost in the reflector's first element.
            let turned = if at > 0.0 { -norm } else { norm };
            let first = at - turned;
            let factor = -1.0 / (turned * first);
            self.r[j * size + j] = turned;
            for (step, column) in rest.chunks_exact_mut(BLOCK).enumerate() {
                let above = &mut self.r[j * size + j + 1 + step];
                let along = factor * (first * *above + dot(tail, column));
                *above -= along * first;
                for (x, t) in column.iter_mut().zip(tail) {
                    *x -= along * t;
                }
            }
        }
    }

    /// Element of row `i` and column `j`.
    pub(crate) fn at(&self, i: usize, j: usize) -> f64 {
        self.r[i * self.size + j]
    }

    /// The triangle of the first `size` columns.
    pub(crate) fn leading(&self, size: usize) -> Triangle {
        let rows = self.r.chunks_exact(self.size).take(size);
        Triangle {
            size,
            r: rows.flat_map(|row| row[..size].iter().copied()).collect(),
        }
    }

    /// The first column that is a combination of those before it.
    pub(crate) fn collinear(&self) -> Option<usize> {
        (0..self.size).find(|&j| {
            let norm = (0..=j).map(|i| self.at(i, j).powi(2)).sum::<f64>().sqrt();
            self.at(j, j).abs() <= COLLINEAR * norm
        })
    }

    /// b with R b = c. No column is collinear.
    pub(crate) fn solve(&self, c: &[f64]) -> Vec<f64> {
        let mut b = c.to_vec();
        for i in (0..self.size).rev() {
            for j in i + 1..self.size {
                b[i] -= self.at(i, j) * b[j];
            }
            b[i] /= self.at(i, i);
        }
        b
    }

    /// u with R'u = g. No column is collinear.
    pub(crate) fn solve_transposed(&self, g: &[f64]) -> Vec<f64> {
        let mut u = g.to_vec();
        for i in 0..self.size {
            for j in 0..i {
                u[i] -= self.at(j, i) * u[j];
            }
            u[i] /= self.at(i, i);
        }
        u
    }

    /// √(g'(X'X)⁻¹g), the standard error of a combination g of coefficients (per unit of error).
    pub(crate) fn spread(&self, g: &[f64]) -> f64 {
        let u = self.solve_transposed(g);
        dot(&u, &u).sqrt()
    }

    /// √ of the diagonal of (X'X)⁻¹.
    pub(crate) fn spreads(&self) -> Vec<f64> {
        (0..self.size).map(|j| self.spread(&self.unit(j))).collect()
    }

    /// √ of the diagonal of (X'X)⁻¹ M'M (X'X)⁻¹, where `meat` is the triangle M.
    pub(crate) fn spreads_around(&self, meat: &Triangle) -> Vec<f64> {
        let one = |j| {
            let h = self.solve(&self.solve_transposed(&self.unit(j)));
            let rows = meat.r.chunks_exact(self.size);
            rows.map(|row| dot(row, &h).powi(2)).sum::<f64>().sqrt()
        };
        (0..self.size).map(one).collect()
    }

    fn unit(&self, j: usize) -> Vec<f64> {
        let mut unit = vec![0.0; self.size];
        unit[j] = 1.0;
        unit
    }
}

/// The sum of products, in four lanes in a fixed order.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 4];
    let (a_parts, b_parts) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a_parts
        .remainder()
        .iter()
        .zip(b_parts.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in a_parts.zip(b_parts) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a * b;
        }
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
