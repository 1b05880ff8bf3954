//! The counting kernel: values to codes, codes to a cell, one more in the cell.
//!
//! Every use of a column has a *role* with a dictionary of its own, so that what a value means is decided once per value and not
//! once per row. Memory is bounded by the number of cells ([`crate::CELLS_MAX`]), not of rows.

use std::collections::{BTreeMap, BTreeSet};

use alnager_audit::declared::{Audit, Binary, DecisionBy};
use alnager_audit::table::{CountTable, ScoreTable};

use crate::cells::Cells;
use crate::coder::{Coder, Levels, Numbers, TextKind, Texts, number};
use crate::error::{ProbeError, Problem, choices, shown};

/// Rows whose codes are gathered before they are counted.
const BATCH_ROWS: usize = 8192;

/// Spellings that often mean *unknown*, in lower case: a group of that name deserves a look.
const UNKNOWN_LIKE: &[&str] = &[
    "",
    "nan",
    "na",
    "n/a",
    "#n/a",
    "null",
    "none",
    "nil",
    "unknown",
    "missing",
    "not stated",
    "prefer not to say",
    "?",
    "-",
];

/// Counts rows by the roles that an audit gives to columns.
pub(crate) struct Kernel<'a> {
    audit: &'a Audit,
    /// The columns in use, each once.
    columns: Vec<String>,
    roles: Vec<Role>,
    /// Codes of rows not yet counted, per role.
    codes: Vec<Vec<u32>>,
    cells: Cells,
    n_rows: u64,
}

/// One use of a column.
pub(crate) struct Role {
    /// The column, as a position in [`Kernel::columns`].
    pub(crate) column: usize,
    pub(crate) coder: Coder,
    purpose: Purpose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Key,
    Label,
    Decision,
    Score,
}

/// A problem with the value of one row.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The row within its batch.
    pub(crate) row: usize,
    /// The column, as a position in [`Kernel::columns`]; `None` where it is about all of them.
    pub(crate) column: Option<usize>,
    pub(crate) problem: Problem,
}

/// What a pass gave.
pub(crate) struct Counted {
    pub(crate) table: CountTable,
    pub(crate) scores: Option<ScoreTable>,
    pub(crate) warnings: Vec<String>,
}

impl<'a> Kernel<'a> {
    pub(crate) fn new(audit: &'a Audit) -> Self {
        let mut kernel = Kernel {
            audit,
            columns: vec![],
            roles: vec![],
            codes: vec![],
            cells: Cells::default(),
            n_rows: 0,
        };
        let texts = |kind| Coder::Texts(Texts::new(&audit.unknown, kind));
        for column in audit.key_columns() {
            let is_attribute = audit
                .attributes
                .iter()
                .any(|attribute| attribute.column == column);
            kernel.add_role(
                column,
                Purpose::Key,
                texts(if is_attribute {
                    TextKind::Group
                } else {
                    TextKind::Stratum
                }),
            );
        }
        if let Some(Binary { column, positive }) = &audit.label {
            kernel.add_role(
                column,
                Purpose::Label,
                texts(TextKind::Label {
                    positive: positive.clone(),
                }),
            );
        }
        match &audit.decision.by {
            DecisionBy::Column(Binary { column, positive }) => {
                kernel.add_role(
                    column,
                    Purpose::Decision,
                    texts(TextKind::Decision {
                        positive: positive.clone(),
                    }),
                );
            }
            DecisionBy::Threshold { column, at_least } => {
                kernel.add_role(
                    column,
                    Purpose::Decision,
                    Coder::Levels(Levels::new(vec![*at_least])),
                );
            }
        }
        if let Some(score) = &audit.score {
            let coder = match score.cuts.as_slice() {
                [] => Coder::Numbers(Numbers::default()),
                cuts => Coder::Levels(Levels::new(cuts.to_vec())),
            };
            kernel.add_role(&score.column, Purpose::Score, coder);
        }
        kernel
    }

    fn add_role(&mut self, column: &str, purpose: Purpose, coder: Coder) {
        let at = self
            .columns
            .iter()
            .position(|name| name == column)
            .unwrap_or_else(|| {
                self.columns.push(column.to_owned());
                self.columns.len() - 1
            });
        self.roles.push(Role {
            column: at,
            coder,
            purpose,
        });
        self.codes.push(Vec::new());
    }

    /// The columns in use, each once.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(crate) fn roles_mut(&mut self) -> &mut [Role] {
        &mut self.roles
    }

    /// Rows taken in so far.
    pub(crate) fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Takes in one row; `field` gives the text of a column, by its position in [`Kernel::columns`].
    pub(crate) fn row<'r>(&mut self, field: impl Fn(usize) -> &'r [u8]) -> Result<(), Fault> {
        // Decision and score are often the same column: its number is read once.
        let mut read: Option<(usize, f64)> = None;
        for (role, codes) in self.roles.iter_mut().zip(&mut self.codes) {
            let fault = |problem| Fault {
                row: 0,
                column: Some(role.column),
                problem,
            };
            let mut value = || match read {
                Some((column, value)) if column == role.column => Ok(value),
                _ => number(field(role.column)).inspect(|value| read = Some((role.column, *value))),
            };
            let code = match &mut role.coder {
                Coder::Texts(texts) => texts.code(field(role.column)),
                Coder::Levels(levels) => value().and_then(|value| levels.code(value)),
                Coder::Numbers(numbers) => value().and_then(|value| numbers.code(value)),
            };
            codes.push(code.map_err(fault)?);
        }
        self.n_rows += 1;
        if self.n_rows.is_multiple_of(BATCH_ROWS as u64) {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Takes in a batch of rows; `encode` appends one code per row for a role, or names the first row it cannot.
    pub(crate) fn batch(
        &mut self,
        n_rows: usize,
        mut encode: impl FnMut(&mut Role, &mut Vec<u32>) -> Result<(), (usize, Problem)>,
    ) -> Result<(), Fault> {
        let mut first: Option<Fault> = None;
        for (role, codes) in self.roles.iter_mut().zip(&mut self.codes) {
            match encode(role, codes) {
                Ok(()) => assert_eq!(codes.len(), n_rows, "one code per row"),
                Err((row, problem)) if first.as_ref().is_none_or(|first| row < first.row) => {
                    first = Some(Fault {
                        row,
                        column: Some(role.column),
                        problem,
                    });
                }
                Err(_) => {}
            }
        }
        if let Some(fault) = first {
            return Err(fault);
        }
        self.n_rows += n_rows as u64;
        self.flush()
    }

    /// Counts the rows gathered.
    pub(crate) fn flush(&mut self) -> Result<(), Fault> {
        let sizes: Vec<usize> = self.roles.iter().map(|role| role.coder.n_codes()).collect();
        let fits = self.cells.add(&self.codes, &sizes);
        self.codes.iter_mut().for_each(Vec::clear);
        if fits {
            return Ok(());
        }
        let columns = format!("`{}`", self.audit.key_columns().join("`, `"));
        Err(Fault {
            row: 0,
            column: None,
            problem: Problem::TooManyCells { columns },
        })
    }

    /// The favourable decision must be one that was made: a misspelt one would turn every comparison round.
    fn check_favourable(&self, role: &Role) -> Result<(), Problem> {
        let DecisionBy::Column(Binary { positive, .. }) = &self.audit.decision.by else {
            return Ok(());
        };
        let favourable = &self.audit.decision.favourable_name;
        let found: Vec<String> = [1, 2]
            .into_iter()
            .filter(|code| (*code as usize) < role.coder.n_codes())
            .filter_map(|code| role.coder.text_of(code))
            .collect();
        let other = found.iter().find(|value| *value != positive);
        match other {
            Some(other) if favourable != positive && favourable != other => {
                Err(Problem::NoFavourable {
                    favourable: shown(favourable),
                    positive: shown(positive),
                    other: shown(other),
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The tables, once all rows are in and flushed.
    pub(crate) fn finish(self, file: &str) -> Result<Counted, ProbeError> {
        let wrong = |column: &str, problem| ProbeError::content(file, None, Some(column), problem);
        for role in &self.roles {
            role.coder
                .check()
                .map_err(|problem| wrong(&self.columns[role.column], problem))?;
            if role.purpose == Purpose::Decision {
                self.check_favourable(role)
                    .map_err(|problem| wrong(&self.columns[role.column], problem))?;
            }
        }
        let columns: Vec<String> = self
            .audit
            .key_columns()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let meanings: Vec<Vec<usize>> = self
            .roles
            .iter()
            .map(|role| role.coder.meanings())
            .collect();
        let cuts = self
            .roles
            .iter()
            .find(|role| role.purpose == Purpose::Score)
            .map(|role| role.coder.cuts());
        let mut table = CountTable {
            columns: columns.clone(),
            cells: BTreeMap::new(),
        };
        let mut scores = cuts.map(|cuts| ScoreTable {
            columns,
            cuts,
            cells: BTreeMap::new(),
        });
        self.cells.each(|codes, n| {
            let (mut key, mut label, mut decision, mut level) = (Vec::new(), 2, 0, 0);
            for ((role, meanings), &code) in self.roles.iter().zip(&meanings).zip(codes) {
                match role.purpose {
                    Purpose::Key => key.push(role.coder.text_of(code)),
                    Purpose::Label => label = meanings[code as usize],
                    Purpose::Decision => decision = meanings[code as usize],
                    Purpose::Score => level = meanings[code as usize],
                }
            }
            if let Some(scores) = &mut scores {
                let n_levels = scores.n_levels();
                scores
                    .cells
                    .entry(key.clone())
                    .or_insert_with(|| vec![[0; 3]; n_levels])[level][label] += n;
            }
            table.cells.entry(key).or_default().counts[label][decision] += n;
        });
        for grouping in self.audit.groupings() {
            if let Some(reference) = &grouping.reference {
                check_reference(&table, &grouping.columns, reference)
                    .map_err(|problem| wrong(&grouping.name, problem))?;
            }
        }
        let warnings = self
            .roles
            .iter()
            .flat_map(|role| role.warnings(file, &self.columns[role.column]))
            .collect();
        Ok(Counted {
            table,
            scores,
            warnings,
        })
    }
}

fn check_reference(table: &CountTable, columns: &[String], reference: &str) -> Result<(), Problem> {
    let sums = table.by(columns).unwrap_or_default();
    let groups: BTreeSet<String> = sums
        .into_keys()
        .filter_map(|key| key.into_iter().collect::<Option<Vec<String>>>())
        .map(|key| key.join("|"))
        .collect();
    if groups.contains(reference) {
        return Ok(());
    }
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    let hint = match groups.as_slice() {
        [] => "every row is unknown here".to_owned(),
        groups => choices(reference, "groups", groups),
    };
    Err(Problem::NoReference {
        reference: shown(reference),
        hint,
    })
}

impl Role {
    /// What a person should look at: spellings that may mean the same. Sorted.
    fn warnings(&self, file: &str, column: &str) -> Vec<String> {
        let Coder::Texts(texts) = &self.coder else {
            return Vec::new();
        };
        let fold = |text: &str| text.trim().to_lowercase();
        let mut alike: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for value in &texts.values {
            alike.entry(fold(value)).or_default().push(value);
        }
        let mut warnings = Vec::new();
        for (folded, mut values) in alike {
            values.sort_unstable();
            let named: Vec<String> = values
                .iter()
                .map(|value| format!("`{}`", shown(value)))
                .collect();
            if values.len() > 1 {
                warnings.push(format!(
                    "{file}, column `{column}`: {} are counted apart though they differ only in case or white space; make them one \
                     in the data if they mean the same",
                    named.join(" and ")
                ));
            }
            let is_known_spelling = texts.unknown.iter().any(|unknown| fold(unknown) == folded);
            if self.purpose == Purpose::Key
                && (is_known_spelling || UNKNOWN_LIKE.contains(&folded.as_str()))
            {
                warnings.push(format!(
                    "{file}, column `{column}`: {} is counted as a group; if it means unknown, list it in `unknown`",
                    named.join(" and ")
                ));
            }
        }
        warnings
    }
}
