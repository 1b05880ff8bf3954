//! The way of rows from a file into roles: the condition first, then every column of the rows that meet it.

use alnager_audit::derived::Derived;
use alnager_audit::measures::LeftOut;

use crate::coder::{Coded, Coder, TRUE, Truths, UNDECIDED, Unknown};
use crate::condition::Condition;
use crate::error::{ProbeError, Problem, shown};
use crate::role::{Purpose, Role};

/// Rows whose codes are gathered before they are handed on.
const BATCH_ROWS: usize = 8192;

/// What takes in rows: the counting kernel, or a table of rows.
pub(crate) trait Sink {
    /// The columns in use and what becomes of them.
    fn intake(&mut self) -> &mut Intake;

    /// Works off the rows gathered in the roles.
    fn flush(&mut self) -> Result<(), Fault>;
}

/// The columns in use, each once, and their roles: first those of the condition, then all others.
pub(crate) struct Intake {
    derived: Vec<Derived>,
    unknown: Unknown,
    columns: Vec<String>,
    roles: Vec<Role>,
    condition: Option<Condition>,
    n_conditions: usize,
    n_rows: u64,
    left_out: LeftOut,
}

/// A problem with the value of one row.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The row within its batch.
    pub(crate) row: usize,
    /// The column, as a position in [`Intake::columns`]; `None` where it is about all of them.
    pub(crate) column: Option<usize>,
    pub(crate) problem: Problem,
}

impl Intake {
    /// An intake of the rows that meet `condition`. The condition was read when it was declared; one that does not read is a
    /// problem of whoever declared it.
    pub(crate) fn new(
        condition: Option<&str>,
        derived: &[Derived],
        unknown: &[String],
    ) -> Result<Self, ProbeError> {
        let mut intake = Intake {
            derived: derived.to_vec(),
            unknown: Unknown::new(unknown),
            columns: Vec::new(),
            roles: Vec::new(),
            condition: None,
            n_conditions: 0,
            n_rows: 0,
            left_out: LeftOut::default(),
        };
        if let Some(text) = condition {
            let (rule, vocabulary) = alnager_law::rule::over_columns(text)
                .map_err(|source| ProbeError::Condition { source })?;
            let (condition, atoms) = Condition::of(&rule, &vocabulary);
            intake.n_conditions = atoms.len();
            intake.condition = Some(condition);
            for (column, atom) in atoms {
                let coder = Coder::Truths(Truths::new(atom, unknown));
                intake.add(&column, Purpose::Condition, coder);
            }
        }
        Ok(intake)
    }

    /// The derived column of this name.
    pub(crate) fn derived(&self, column: &str) -> Option<&Derived> {
        self.derived.iter().find(|derived| derived.column == column)
    }

    /// Adds a use of a column, derived or of the data.
    pub(crate) fn add(&mut self, column: &str, purpose: Purpose, coder: Coder) {
        let derived = self.derived(column).cloned();
        let source = derived
            .as_ref()
            .map_or(column, |derived| derived.from.as_str());
        let at = self
            .columns
            .iter()
            .position(|name| name == source)
            .unwrap_or_else(|| {
                self.columns.push(source.to_owned());
                self.columns.len() - 1
            });
        self.roles.push(Role::new(
            at,
            purpose,
            coder,
            derived.as_ref(),
            &self.unknown,
        ));
    }

    /// The columns in use, each once.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Says of each column of the file that comes next whether it holds floats of 32 bits, which are held against cuts by
    /// their shortest decimal form.
    pub(crate) fn compare_floats(&mut self, are_short: &dyn Fn(usize) -> bool) {
        for role in &mut self.roles {
            role.compare_floats(are_short(role.column));
        }
    }

    /// The roles but for those of the condition.
    pub(crate) fn roles(&self) -> &[Role] {
        &self.roles[self.n_conditions..]
    }

    /// Rows gathered and not worked off.
    pub(crate) fn n_gathered(&self) -> usize {
        self.roles().first().map_or(0, Role::n_rows)
    }

    /// Forgets the rows gathered.
    pub(crate) fn clear(&mut self) {
        self.roles.iter_mut().for_each(Role::clear);
    }

    /// Rows met so far, counted or not.
    pub(crate) fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Rows the condition kept out.
    pub(crate) fn left_out(&self) -> LeftOut {
        self.left_out
    }

    /// What the condition asks of a column in vain, a sentence each without its full stop: a misspelt name, most often.
    pub(crate) fn asked_in_vain(&self) -> Vec<String> {
        let roles = self.roles[..self.n_conditions].iter();
        let mut sentences: Vec<String> = Vec::new();
        for role in roles {
            let Coder::Truths(truths) = &role.coder else {
                continue;
            };
            for (name, hint) in truths.never_met() {
                let column = &self.columns[role.column];
                let sentence = format!(
                    "the condition asks column `{column}` for `{}`, which it never holds; {hint}",
                    shown(name)
                );
                if !sentences.contains(&sentence) {
                    sentences.push(sentence);
                }
            }
        }
        sentences
    }

    /// Why no row meets the condition.
    pub(crate) fn why_none(&self) -> String {
        match self.asked_in_vain().as_slice() {
            [] => "check its spellings".to_owned(),
            sentences => sentences.join("; "),
        }
    }

    fn row<'r>(&mut self, field: &dyn Fn(usize) -> &'r [u8]) -> Result<(), Fault> {
        self.n_rows += 1;
        let (conditions, roles) = self.roles.split_at_mut(self.n_conditions);
        let fault = |column: usize, problem| Fault {
            row: 0,
            column: Some(column),
            problem,
        };
        if let Some(condition) = &self.condition {
            let mut truths = Vec::with_capacity(conditions.len());
            for role in conditions.iter_mut() {
                let coded = role.code_of(field(role.column));
                match coded.map_err(|problem| fault(role.column, problem))? {
                    Coded::Code(truth) => truths.push([truth]),
                    Coded::Number(_) | Coded::Hash(_) => {}
                }
            }
            let codes: Vec<&[u32]> = truths.iter().map(<[u32; 1]>::as_slice).collect();
            if !admits(&mut self.left_out, condition.truths(&codes, 1)[0]) {
                return Ok(());
            }
        }
        for role in roles.iter_mut() {
            role.text(field(role.column))
                .map_err(|problem| fault(role.column, problem))?;
        }
        Ok(())
    }

    fn batch(&mut self, n_rows: usize, encode: &mut Encode<'_>) -> Result<(), Fault> {
        let mut first: Option<Fault> = None;
        let mut keep: Option<Vec<bool>> = None;
        let mut n_kept = n_rows;
        for at in 0..self.roles.len() {
            if at == self.n_conditions
                && first.is_none()
                && let Some(condition) = &self.condition
            {
                let codes: Vec<&[u32]> = self.roles[..at]
                    .iter()
                    .map(|role| role.codes.as_slice())
                    .collect();
                let truths = condition.truths(&codes, n_rows).into_iter();
                let left_out = &mut self.left_out;
                let kept: Vec<bool> = truths.map(|truth| admits(left_out, truth)).collect();
                n_kept = kept.iter().filter(|kept| **kept).count();
                keep = Some(kept);
            }
            let role = &mut self.roles[at];
            match encode(role, keep.as_deref()) {
                Ok(()) if at < self.n_conditions => {}
                Ok(()) => assert_eq!(role.n_rows(), n_kept, "one code per row"),
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
        Ok(())
    }
}

/// Takes a role's column in, of the rows to keep where not all are, or names the first row it cannot.
pub(crate) type Encode<'a> =
    dyn FnMut(&mut Role, Option<&[bool]>) -> Result<(), (usize, Problem)> + 'a;

/// Takes in one row; `field` gives the text of a column, by its position in [`Intake::columns`].
pub(crate) fn row<'r>(sink: &mut dyn Sink, field: &dyn Fn(usize) -> &'r [u8]) -> Result<(), Fault> {
    sink.intake().row(field)?;
    if sink.intake().n_gathered() < BATCH_ROWS {
        return Ok(());
    }
    sink.flush()
}

/// Takes in a batch of rows, column by column.
pub(crate) fn batch(
    sink: &mut dyn Sink,
    n_rows: usize,
    encode: &mut Encode<'_>,
) -> Result<(), Fault> {
    sink.intake().batch(n_rows, encode)?;
    sink.flush()
}

/// Whether a row is counted: only one that meets the condition is; others are noted.
fn admits(left_out: &mut LeftOut, truth: u32) -> bool {
    match truth {
        TRUE => return true,
        UNDECIDED => left_out.n_undecided += 1,
        _ => left_out.n_unmet += 1,
    }
    false
}
