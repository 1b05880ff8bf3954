//! Rows as columns of numbers and texts, for what cannot be had from counts: regressions, rankings, numeric predictions.

use alnager_audit::derived::Derived;
use alnager_audit::measures::DataStamp;

use crate::coder::{Coder, Gathered, TextKind, Texts};
use crate::error::ProbeError;
use crate::intake::{Fault, Intake, Sink};
use crate::role::Purpose;
use crate::source::{Progress, Source};
use crate::{read_files, stamp};

/// The columns wanted of every row.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Their names and what they hold.
    pub columns: Vec<(String, WantedKind)>,
    /// The condition a row must meet.
    pub filter: Option<String>,
    /// Derived columns.
    pub derived: Vec<Derived>,
    /// Spellings that mean unknown, besides the empty cell.
    pub unknown: Vec<String>,
}

/// What a wanted column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WantedKind {
    /// Numbers.
    Number,
    /// Texts.
    Text,
}

/// The rows of a source, column by column.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The numbers of each wanted column of numbers, in the order wanted; NaN where one is missing.
    pub numbers: Vec<Vec<f64>>,
    /// The texts of each wanted column of texts, in the order wanted: the different texts met, and for each row one more than
    /// the position of its text, 0 where it is unknown.
    pub texts: Vec<(Vec<String>, Vec<u32>)>,
    /// What was read.
    pub data: DataStamp,
}

struct Table {
    intake: Intake,
    numbers: Vec<Vec<f64>>,
    codes: Vec<Vec<u32>>,
}

impl Sink for Table {
    fn intake(&mut self) -> &mut Intake {
        &mut self.intake
    }

    fn takes_counts(&self) -> bool {
        false
    }

    fn flush(&mut self) -> Result<(), Fault> {
        let (mut numbers, mut codes) = (self.numbers.iter_mut(), self.codes.iter_mut());
        for role in self.intake.roles() {
            if role.gives_codes() {
                if let Some(codes) = codes.next() {
                    codes.extend_from_slice(&role.codes);
                }
            } else if let Some(numbers) = numbers.next() {
                numbers.extend_from_slice(&role.numbers);
            }
        }
        self.intake.clear();
        Ok(())
    }
}

/// Reads the rows of a source in their order; 8 bytes a number and 4 a text are kept of each row.
pub fn read_rows(
    wanted: &Wanted,
    source: &Source,
    progress: &dyn Fn(Progress),
) -> Result<Rows, ProbeError> {
    let mut intake = Intake::new(wanted.filter.as_deref(), &wanted.derived, &wanted.unknown)?;
    for (column, kind) in &wanted.columns {
        let coder = match kind {
            WantedKind::Number => Coder::Gathered(Gathered::Number),
            WantedKind::Text => {
                let labels = intake
                    .derived(column)
                    .filter(|derived| !derived.reads_number());
                Coder::Texts(Texts::new(
                    &wanted.unknown,
                    TextKind::Stratum,
                    labels.cloned(),
                ))
            }
        };
        intake.add(column, Purpose::Key, coder);
    }
    let of_kind = |kind| {
        wanted
            .columns
            .iter()
            .filter(move |wanted| wanted.1 == kind)
            .count()
    };
    let mut table = Table {
        intake,
        numbers: vec![Vec::new(); of_kind(WantedKind::Number)],
        codes: vec![Vec::new(); of_kind(WantedKind::Text)],
    };
    let stamps = read_files(&mut table, source, progress)?;
    let name = source.name();
    let (n_rows, left_out) = (table.intake.n_rows(), table.intake.left_out());
    if n_rows == left_out.n_unmet + left_out.n_undecided {
        return Err(match (&wanted.filter, n_rows) {
            (Some(condition), 1..) => ProbeError::NoRowMeets {
                file: name,
                condition: condition.clone(),
                hint: table.intake.why_none(),
            },
            _ => ProbeError::NoRows { file: name },
        });
    }
    let names = table
        .intake
        .roles()
        .iter()
        .filter_map(|role| match &role.coder {
            Coder::Texts(texts) => Some(texts.values.clone()),
            Coder::Levels(_)
            | Coder::Numbers(_)
            | Coder::Gathered(_)
            | Coder::Persons
            | Coder::Truths(_) => None,
        });
    Ok(Rows {
        texts: names.zip(table.codes).collect(),
        numbers: table.numbers,
        data: stamp(&name, stamps, n_rows, left_out),
    })
}
