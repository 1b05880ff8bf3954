//! Weights under which the label no longer depends on the group.

use crate::contingency::Table;

/// A weight as an exact fraction in lowest terms, above 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Weight {
    numer: u128,
    denom: u128,
}

impl Weight {
    /// The part above the line.
    pub fn numer(self) -> u128 {
        self.numer
    }

    /// The part below the line.
    pub fn denom(self) -> u128 {
        self.denom
    }

    /// The weight as a number, above 0; 1 where group and label are already independent.
    pub fn value(self) -> f64 {
        self.numer as f64 / self.denom as f64
    }
}

/// The weight of the rows of each cell of `table`: one row per group, one column per label.
///
/// With these weights every group has the same weighted share of each label, and group and label keep
/// their weighted totals, unless a cell is empty. An empty cell has no rows to weigh: `None`.
///
/// Formula: w(g,y) = P(g)·P(y)/P(g,y) = n_g·n_y/(n·n_gy).
/// Source: Kamiran and Calders 2012, Knowledge and Information Systems 33, 1-33.
pub fn weights(table: &Table) -> Vec<Vec<Option<Weight>>> {
    let columns = table.column_totals();
    let n = table.n();
    let rows = table.rows().iter().zip(table.row_totals());
    rows.map(|(row, row_total)| {
        let cells = row.iter().zip(&columns);
        cells
            .map(|(&count, &column_total)| {
                let numer = u128::from(row_total) * u128::from(column_total);
                let denom = u128::from(n) * u128::from(count);
                (count > 0).then(|| lowest_terms(numer, denom))
            })
            .collect()
    })
    .collect()
}

fn lowest_terms(numer: u128, denom: u128) -> Weight {
    let (mut divisor, mut rest) = (denom, numer);
    while rest > 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    Weight {
        numer: numer / divisor,
        denom: denom / divisor,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
