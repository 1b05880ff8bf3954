//! The way of rows from a file into roles: the condition first, then every column of the rows that meet it.

use alnager_audit::derived::Derived;
use alnager_audit::measures::LeftOut;

use crate::asked::Answers;
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

    /// Whether a line may stand for many rows; an audit that needs the rows themselves says no.
    fn takes_counts(&self) -> bool;
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
    answered: Option<Answered>,
    /// The numbers, from 1, of the rows gathered, where somebody wants to know them.
    numbers: Option<Vec<u64>>,
    /// How many rows each one gathered stands for; empty where each stands for itself.
    times: Vec<u64>,
}

/// A column that is not in the data: a model's answers for the rows that meet the condition, in their order.
pub(crate) struct Answered {
    /// Its name.
    pub(crate) column: String,
    pub(crate) answers: Answers,
    /// The answers taken in.
    pub(crate) n_taken: usize,
}

/// The column of a role that takes in answers, in the place of a position among the columns of the data.
const ANSWERED: usize = usize::MAX;

/// Most rows that a source may stand for: every sum of them is exact.
const ROWS_MAX: u64 = 1 << 53;

/// The column of a table of counts that says how many rows a line stands for.
pub(crate) const ROWS_COLUMN: &str = "alnager_rows";

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
            answered: None,
            numbers: None,
            times: Vec::new(),
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

    /// Adds a column that is not in the data. Its uses are added after it.
    pub(crate) fn add_answered(&mut self, answered: Answered) {
        self.answered = Some(answered);
    }

    /// Keeps the numbers of the rows gathered.
    pub(crate) fn keep_numbers(&mut self) {
        self.numbers = Some(Vec::new());
    }

    /// The numbers, from 1, of the rows gathered, if they are kept.
    pub(crate) fn numbers(&self) -> &[u64] {
        self.numbers.as_deref().unwrap_or_default()
    }

    /// Adds a use of a column, derived, answered or of the data.
    pub(crate) fn add(&mut self, column: &str, purpose: Purpose, coder: Coder) {
        let unknown = self.unknown.clone();
        self.add_with(column, purpose, coder, &unknown);
    }

    /// Adds a use of a column in which other spellings mean unknown.
    pub(crate) fn add_with(
        &mut self,
        column: &str,
        purpose: Purpose,
        coder: Coder,
        unknown: &Unknown,
    ) {
        let derived = self.derived(column).cloned();
        let source = derived
            .as_ref()
            .map_or(column, |derived| derived.from.as_str());
        let is_answered = |answered: &Answered| answered.column == source;
        let at = if self.answered.as_ref().is_some_and(is_answered) {
            ANSWERED
        } else {
            self.columns
                .iter()
                .position(|name| name == source)
                .unwrap_or_else(|| {
                    self.columns.push(source.to_owned());
                    self.columns.len() - 1
                })
        };
        self.roles
            .push(Role::new(at, purpose, coder, derived.as_ref(), unknown));
    }

    /// The name of the column that a role reads.
    pub(crate) fn column_of(&self, role: &Role) -> &str {
        match (&self.answered, role.column) {
            (Some(answered), ANSWERED) => &answered.column,
            (_, at) => &self.columns[at],
        }
    }

    /// Whether every answer was taken in.
    pub(crate) fn took_all_answers(&self) -> bool {
        let all = |answered: &Answered| answered.n_taken == answered.answers.len();
        self.answered.as_ref().is_none_or(all)
    }

    /// The columns in use, each once.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Says of each column of the file that comes next whether it holds floats of 32 bits, which are held against cuts by
    /// their shortest decimal form.
    pub(crate) fn compare_floats(&mut self, are_short: &dyn Fn(usize) -> bool) {
        for role in &mut self.roles {
            let is_of_data = role.column != ANSWERED;
            role.compare_floats(is_of_data && are_short(role.column));
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
        if let Some(numbers) = &mut self.numbers {
            numbers.clear();
        }
        self.times.clear();
    }

    /// The roles of all columns, those of the condition included.
    pub(crate) fn all_roles(&self) -> &[Role] {
        &self.roles
    }

    /// How many rows each one gathered stands for; empty where each stands for itself.
    pub(crate) fn times(&self) -> &[u64] {
        &self.times
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

    fn row<'r>(
        &mut self,
        field: &dyn Fn(usize) -> &'r [u8],
        times: Option<u64>,
    ) -> Result<(), Fault> {
        let n = times.unwrap_or(1);
        let all = self.n_rows.checked_add(n).filter(|all| *all <= ROWS_MAX);
        self.n_rows = all.ok_or_else(|| Fault {
            row: 0,
            column: None,
            problem: Problem::NotACount {
                value: n.to_string(),
            },
        })?;
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
            if !admits(&mut self.left_out, condition.truths(&codes, 1)[0], n) {
                return Ok(());
            }
        }
        for role in roles.iter_mut() {
            if role.column == ANSWERED {
                let taken = take_answers(role, self.answered.as_ref(), 1);
                taken.map_err(|(_, problem)| {
                    of_answer(self.answered.as_ref(), self.n_rows, problem)
                })?;
                continue;
            }
            role.text(field(role.column))
                .map_err(|problem| fault(role.column, problem))?;
        }
        if let Some(answered) = &mut self.answered {
            answered.n_taken += 1;
        }
        if let Some(numbers) = &mut self.numbers {
            numbers.push(self.n_rows);
        }
        self.times.extend(times);
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
                let kept: Vec<bool> = truths.map(|truth| admits(left_out, truth, 1)).collect();
                n_kept = kept.iter().filter(|kept| **kept).count();
                keep = Some(kept);
            }
            let role = &mut self.roles[at];
            if role.column == ANSWERED {
                if first.is_some() {
                    continue;
                }
                if let Err((nth, problem)) = take_answers(role, self.answered.as_ref(), n_kept) {
                    let row = nth_kept(keep.as_deref(), nth);
                    let number = self.n_rows + row as u64 + 1;
                    first = Some(Fault {
                        row,
                        ..of_answer(self.answered.as_ref(), number, problem)
                    });
                }
                continue;
            }
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
        if let Some(answered) = &mut self.answered {
            answered.n_taken += n_kept;
        }
        if let Some(numbers) = &mut self.numbers {
            let kept = (0..n_rows).filter(|row| keep.as_ref().is_none_or(|keep| keep[*row]));
            numbers.extend(kept.map(|row| self.n_rows + row as u64 + 1));
        }
        self.n_rows += n_rows as u64;
        Ok(())
    }
}

/// Takes the answers of the next `n` rows into a role, or names the first row of them whose answer it cannot take.
fn take_answers(
    role: &mut Role,
    answered: Option<&Answered>,
    n: usize,
) -> Result<(), (usize, Problem)> {
    let Some(answered) = answered else {
        return Err((0, Problem::MoreRows));
    };
    let range = answered.n_taken..answered.n_taken + n;
    let n_left = answered.answers.len().saturating_sub(answered.n_taken);
    let more_rows = || (n_left, Problem::MoreRows);
    match &answered.answers {
        Answers::Numbers(numbers) => {
            let numbers = numbers.get(range).ok_or_else(more_rows)?;
            if role.takes_numbers(numbers.iter().copied()) {
                return Ok(());
            }
            for (row, number) in numbers.iter().enumerate() {
                // Minus zero is zero.
                let number = number + 0.0;
                role.number(number, number.to_bits(), || number.to_string())
                    .map_err(|problem| (row, problem))?;
            }
        }
        Answers::Texts(texts) => {
            for (row, text) in texts.get(range).ok_or_else(more_rows)?.iter().enumerate() {
                role.text(text.as_bytes())
                    .map_err(|problem| (row, problem))?;
            }
        }
    }
    Ok(())
}

/// The row of a batch that is the `nth` of those kept, from 0.
fn nth_kept(keep: Option<&[bool]>, nth: usize) -> usize {
    let Some(keep) = keep else {
        return nth;
    };
    let mut kept = keep.iter().enumerate().filter(|(_, kept)| **kept);
    kept.nth(nth).map_or(keep.len(), |(row, _)| row)
}

/// A problem with the answer for the row of this number.
fn of_answer(answered: Option<&Answered>, row: u64, problem: Problem) -> Fault {
    let column = answered.map(|answered| answered.column.clone());
    let problem = match problem {
        Problem::MoreRows => Problem::MoreRows,
        problem => Problem::Answer {
            column: column.unwrap_or_default(),
            row,
            problem: Box::new(problem),
        },
    };
    Fault {
        row: 0,
        column: None,
        problem,
    }
}

/// Takes a role's column in, of the rows to keep where not all are, or names the first row it cannot.
pub(crate) type Encode<'a> =
    dyn FnMut(&mut Role, Option<&[bool]>) -> Result<(), (usize, Problem)> + 'a;

/// How many rows a line of a table of counts stands for, at least 1.
pub(crate) fn count(field: &[u8]) -> Result<u64, Problem> {
    let text = std::str::from_utf8(field).map_err(|_| Problem::NotUtf8)?;
    let number = text.trim().parse().ok();
    let number = number.filter(|number| (1..=ROWS_MAX).contains(number));
    number.ok_or_else(|| Problem::NotACount { value: shown(text) })
}

/// Takes in one row; `field` gives the text of a column, by its position in [`Intake::columns`]. `times` says how many rows it
/// stands for, in a table of counts.
pub(crate) fn row<'r>(
    sink: &mut dyn Sink,
    field: &dyn Fn(usize) -> &'r [u8],
    times: Option<u64>,
) -> Result<(), Fault> {
    sink.intake().row(field, times)?;
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

/// Whether `n` alike rows are counted: only those that meet the condition are; others are noted.
fn admits(left_out: &mut LeftOut, truth: u32, n: u64) -> bool {
    match truth {
        TRUE => return true,
        UNDECIDED => left_out.n_undecided += n,
        _ => left_out.n_unmet += n,
    }
    false
}
