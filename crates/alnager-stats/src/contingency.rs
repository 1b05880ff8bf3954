//! Counts by rows and columns: could it be chance, and how strong is the link.

use crate::compare::PValue;
use crate::mass::{cross_difference, deviance};
use crate::proportion::COUNT_MAX;
use crate::tail;

/// Counts in rows and columns; all rows are equally long, and the sum is at most [`COUNT_MAX`].
///
/// A row or column whose counts are all 0 says nothing and has no expected count (SciPy refuses such
/// a table): every figure of this file leaves it out, and it adds no degree of freedom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    rows: Vec<Vec<u64>>,
}

impl Table {
    /// The table with these rows; `None` if they differ in length, if there is no row or no column, or
    /// if the counts add up to more than [`COUNT_MAX`].
    pub fn new(rows: Vec<Vec<u64>>) -> Option<Table> {
        let width = rows.first()?.len();
        let mut n: u64 = 0;
        for &count in rows.iter().flatten() {
            n = n.checked_add(count)?;
        }
        let even = width > 0 && rows.iter().all(|row| row.len() == width);
        (even && n <= COUNT_MAX).then_some(Table { rows })
    }

    /// The counts, row by row.
    pub fn rows(&self) -> &[Vec<u64>] {
        &self.rows
    }

    /// The sum of all counts.
    pub fn n(&self) -> u64 {
        self.row_totals().iter().sum()
    }

    /// The sum of each row.
    pub fn row_totals(&self) -> Vec<u64> {
        self.rows.iter().map(|row| row.iter().sum()).collect()
    }

    /// The sum of each column.
    pub fn column_totals(&self) -> Vec<u64> {
        (0..self.rows[0].len())
            .map(|column| self.rows.iter().map(|row| row[column]).sum())
            .collect()
    }

    /// Each cell that lies in no empty row and no empty column.
    fn cells(&self) -> Vec<Cell> {
        let n = self.n();
        let columns = self.column_totals();
        let mut cells = Vec::new();
        for (row, row_total) in self.rows.iter().zip(self.row_totals()) {
            for (&count, &column_total) in row.iter().zip(&columns) {
                if row_total > 0 && column_total > 0 {
                    cells.push(Cell::new(count, row_total, column_total, n));
                }
            }
        }
        cells
    }

    /// The number of rows and of columns that are not empty.
    fn shape(&self) -> (usize, usize) {
        let full = |totals: Vec<u64>| totals.iter().filter(|&&total| total > 0).count();
        (full(self.row_totals()), full(self.column_totals()))
    }

    /// (rows - 1)·(columns - 1) without the empty ones; `None` if that is 0.
    fn degrees_of_freedom(&self) -> Option<u64> {
        let (rows, columns) = self.shape();
        (rows > 1 && columns > 1).then(|| (rows - 1) as u64 * (columns - 1) as u64)
    }
}

/// One count beside what the margins let expect.
struct Cell {
    count: f64,
    expected: f64,
    /// `count` - `expected`, from integers, so that it keeps its digits where both are close.
    off: f64,
}

impl Cell {
    fn new(count: u64, row_total: u64, column_total: u64, n: u64) -> Cell {
        Cell {
            count: count as f64,
            expected: row_total as f64 * column_total as f64 / n as f64,
            off: cross_difference(count, n, row_total, column_total) as f64 / n as f64,
        }
    }
}

/// A statistic that has a chi-square distribution if there is no link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquare {
    /// The statistic, 0 and above.
    pub statistic: f64,
    /// Degrees of freedom, at least 1.
    pub df: u64,
    /// The chance of a statistic at least this large.
    pub p: PValue,
}

impl ChiSquare {
    pub(crate) fn new(statistic: f64, df: u64) -> ChiSquare {
        ChiSquare {
            statistic,
            df,
            p: tail::chi2(statistic, df as f64),
        }
    }
}

/// Pearson's chi-square test of no link between row and column, without correction.
///
/// `None` if fewer than two rows or fewer than two columns hold counts. Rough where
/// [`min_expected_count`] is below 5. For two rows and columns see also
/// [`chi2_yates`](crate::compare::chi2_yates) and [`fisher`](crate::compare::fisher).
///
/// Formula: Σ (O-E)²/E, E = row total · column total / n.
/// Source: Pearson 1900, Philosophical Magazine 50, 157-175.
pub fn chi2(table: &Table) -> Option<ChiSquare> {
    let df = table.degrees_of_freedom()?;
    Some(ChiSquare::new(pearson(table), df))
}

/// The likelihood-ratio test of no link between row and column ("G"), without correction.
///
/// `None` if fewer than two rows or fewer than two columns hold counts.
///
/// Formula: 2·Σ O·ln(O/E), with 0·ln 0 = 0; taken as 2·Σ (O·ln(O/E) - (O-E)), whose terms are never
/// negative and therefore lose no digits where the link is weak.
/// Source: Wilks 1938, Annals of Mathematical Statistics 9, 60-62.
pub fn g_test(table: &Table) -> Option<ChiSquare> {
    let df = table.degrees_of_freedom()?;
    Some(ChiSquare::new(2.0 * divergence(table), df))
}

/// Cramér's V, 0..=1: 0 without a link, 1 if the column follows from the row or the row from the column.
///
/// `None` if fewer than two rows or fewer than two columns hold counts. With two columns it is
/// √(chi2/n). Not corrected for its upward bias in small samples.
///
/// Formula: √(chi2 / (n·(min(rows, columns) - 1))).
/// Source: Cramér 1946, Mathematical Methods of Statistics, chapter 21.
pub fn cramers_v(table: &Table) -> Option<f64> {
    table.degrees_of_freedom()?;
    let (rows, columns) = table.shape();
    let most = table.n() as f64 * (rows.min(columns) - 1) as f64;
    Some((pearson(table) / most).sqrt().min(1.0))
}

/// The smallest count that the margins let expect in a cell; `None` if the table is all 0.
///
/// The usual advice is not to rely on [`chi2`] or [`g_test`] where it is below 5.
///
/// Source: Cochran 1954, Biometrics 10, 417-451.
pub fn min_expected_count(table: &Table) -> Option<f64> {
    let expected = table.cells().into_iter().map(|cell| cell.expected);
    expected.reduce(f64::min)
}

/// How much the row tells about the column, in nats, 0 and above; `None` if the table is all 0.
///
/// Formula: Σ O/n·ln(O/E) = G/(2n).
/// Source: Shannon 1948, Bell System Technical Journal 27, 379-423.
pub fn mutual_information_nats(table: &Table) -> Option<f64> {
    (table.n() > 0).then(|| divergence(table) / table.n() as f64)
}

fn pearson(table: &Table) -> f64 {
    let cells = table.cells();
    cells
        .iter()
        .map(|cell| cell.off * (cell.off / cell.expected))
        .sum()
}

/// Σ O·ln(O/E), never below 0.
fn divergence(table: &Table) -> f64 {
    let cells = table.cells();
    cells
        .iter()
        .map(|cell| deviance(cell.count, cell.expected, cell.off))
        .sum()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
