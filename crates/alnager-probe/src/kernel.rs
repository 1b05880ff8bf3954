//! The counting kernel: values to codes, codes to a cell, one more in the cell.
//!
//! Every use of a column has a *role* with a dictionary of its own, so that what a value means is decided once per value and not
//! once per row. Memory is bounded by the number of cells ([`crate::CELLS_MAX`]) and, where every score is counted, of different
//! scores, not of rows.

use std::collections::{BTreeMap, BTreeSet};

use alnager_audit::declared::{Audit, Binary, DecisionBy, Missing};
use alnager_audit::figures::group_name;
use alnager_audit::measures::{DecisionRanges, LeftOut, Persons, wider};
use alnager_audit::table::{CountTable, SampleTable, ScoreTable, WeightSum};
use alnager_stats::sample::Sample;

use crate::cells::{Cells, Extra};
use crate::coder::{Coder, Gathered, Levels, Numbers, TextKind, Texts};
use crate::error::{ProbeError, Problem, choices, shown};
use crate::gather::{Room, Scores};
use crate::intake::{Answered, Fault, Intake, Sink};
use crate::role::{Purpose, Role};

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
    intake: Intake,
    cells: Cells,
    /// Identifier and slot of each row, where rows are a person's.
    persons: Vec<(u64, u32)>,
}

/// What a pass gave.
pub(crate) struct Counted {
    pub(crate) table: CountTable,
    pub(crate) scores: Option<ScoreTable>,
    pub(crate) samples: Option<SampleTable>,
    pub(crate) ranges: DecisionRanges,
    pub(crate) persons: Option<Persons>,
    pub(crate) warnings: Vec<String>,
}

impl Sink for Kernel<'_> {
    fn intake(&mut self) -> &mut Intake {
        &mut self.intake
    }

    fn takes_counts(&self) -> bool {
        self.audit.person.is_none() && self.audit.model.is_none()
    }

    fn flush(&mut self) -> Result<(), Fault> {
        let (roles, n_rows) = (self.intake.roles(), self.intake.n_gathered());
        let cells: Vec<&Role> = roles.iter().filter(|role| role.purpose.is_cell()).collect();
        let sizes: Vec<usize> = cells.iter().map(|role| role.coder.n_codes()).collect();
        let codes: Vec<&[u32]> = cells.iter().map(|role| role.codes.as_slice()).collect();
        let numbers = |purpose: Purpose| {
            let role = roles.iter().find(|role| role.purpose == purpose);
            role.map_or(&[] as &[f64], |role| role.numbers.as_slice())
        };
        let persons = roles.iter().find(|role| role.purpose == Purpose::Person);
        let extra = Extra {
            times: self.intake.times(),
            weights: numbers(Purpose::Weight),
            scores: numbers(Purpose::EveryScore),
            slots: persons.is_some(),
        };
        let slots = self.cells.add(&codes, &sizes, n_rows, &extra);
        let Ok(slots) = slots else {
            let columns = format!("`{}`", self.audit.key_columns().join("`, `"));
            return Err(Fault {
                row: 0,
                column: None,
                problem: Problem::TooManyCells { columns },
            });
        };
        if let Some(persons) = persons {
            let slots = slots.iter().copied();
            self.persons
                .extend(persons.hashes.iter().copied().zip(slots));
        }
        self.intake.clear();
        Ok(())
    }
}

impl<'a> Kernel<'a> {
    /// The roles of an audit, one of whose columns may be a model's answers.
    pub(crate) fn new(audit: &'a Audit, answered: Option<Answered>) -> Result<Self, ProbeError> {
        let mut kernel = Kernel {
            audit,
            intake: Intake::new(audit.filter.as_deref(), &audit.derived, &audit.unknown)?,
            cells: Cells::default(),
            persons: vec![],
        };
        if let Some(answered) = answered {
            kernel.intake.add_answered(answered);
        }
        kernel.add_groups();
        kernel.add_outcomes();
        kernel.add_numbers();
        Ok(kernel)
    }

    fn add_groups(&mut self) {
        let audit = self.audit;
        for column in audit.key_columns() {
            let is_attribute = audit
                .attributes
                .iter()
                .any(|attribute| attribute.column == column);
            let kind = if is_attribute {
                TextKind::Group
            } else {
                TextKind::Stratum
            };
            self.add_texts(column, Purpose::Key, kind);
        }
    }

    fn add_outcomes(&mut self) {
        let audit = self.audit;
        if let Some(Binary { column, positive }) = &audit.label {
            let positive = positive.clone();
            self.add_texts(column, Purpose::Label, TextKind::Label { positive });
        }
        match &audit.decision.by {
            DecisionBy::Column(Binary { column, positive }) => {
                let positive = positive.clone();
                self.add_texts(column, Purpose::Decision, TextKind::Decision { positive });
            }
            DecisionBy::Threshold { column, at_least } => {
                let coder = Coder::Levels(Levels::new(vec![*at_least]));
                self.intake.add(column, Purpose::Decision, coder);
            }
        }
    }

    fn add_numbers(&mut self) {
        let audit = self.audit;
        if let Some(score) = &audit.score {
            let (purpose, coder) = match score.cuts.as_slice() {
                _ if score.every_value => (Purpose::EveryScore, Coder::Gathered(Gathered::Score)),
                [] => (Purpose::Score, Coder::Numbers(Numbers::default())),
                cuts => (Purpose::Score, Coder::Levels(Levels::new(cuts.to_vec()))),
            };
            self.intake.add(&score.column, purpose, coder);
        }
        if let Some(weight) = &audit.weight {
            let coder = Coder::Gathered(Gathered::Weight);
            self.intake.add(weight, Purpose::Weight, coder);
        }
        if let Some(person) = &audit.person {
            self.intake.add(person, Purpose::Person, Coder::Persons);
        }
    }

    fn add_texts(&mut self, column: &str, purpose: Purpose, kind: TextKind) {
        let labels = self
            .intake
            .derived(column)
            .filter(|derived| !derived.reads_number());
        let coder = Coder::Texts(Texts::new(&self.audit.unknown, kind, labels.cloned()));
        self.intake.add(column, purpose, coder);
    }

    /// Whether every answer of a model belonged to a row.
    pub(crate) fn took_all_answers(&self) -> bool {
        self.intake.took_all_answers()
    }

    /// The columns that are read, each once.
    pub(crate) fn columns(&self) -> &[String] {
        self.intake.columns()
    }

    /// What is made of them, the condition's atoms included.
    pub(crate) fn all_roles(&self) -> &[Role] {
        self.intake.all_roles()
    }

    /// Rows met so far, counted or not.
    pub(crate) fn n_rows(&self) -> u64 {
        self.intake.n_rows()
    }

    /// Rows the condition kept out.
    pub(crate) fn left_out(&self) -> LeftOut {
        self.intake.left_out()
    }

    /// Why no row meets the condition.
    pub(crate) fn why_none(&self) -> String {
        self.intake.why_none()
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
    pub(crate) fn finish(mut self, file: &str) -> Result<Counted, ProbeError> {
        let wrong = |column: &str, problem| ProbeError::content(file, None, Some(column), problem);
        for role in self.intake.roles() {
            role.coder
                .check()
                .map_err(|problem| wrong(self.intake.column_of(role), problem))?;
            if role.purpose == Purpose::Decision {
                self.check_favourable(role)
                    .map_err(|problem| wrong(self.intake.column_of(role), problem))?;
            }
        }
        let counted = self.tables();
        for grouping in self.audit.groupings() {
            if let Some(reference) = &grouping.reference {
                let missing = self.audit.missing;
                check_reference(&counted.table, &grouping.columns, reference, missing)
                    .map_err(|problem| wrong(&grouping.name, problem))?;
            }
        }
        if self.audit.missing == Missing::Refuse {
            for attribute in &self.audit.attributes {
                refuse_unknown(&counted.table, &attribute.column)
                    .map_err(|problem| wrong(&attribute.column, problem))?;
            }
        }
        let in_vain = self.intake.asked_in_vain().into_iter();
        let of_roles = self.intake.roles().iter();
        let of_roles = of_roles.flat_map(|role| role.warnings(file, self.intake.column_of(role)));
        let warnings = in_vain
            .map(|sentence| format!("{file}: {sentence}"))
            .chain(of_roles)
            .collect();
        Ok(Counted {
            warnings,
            ..counted
        })
    }

    fn tables(&mut self) -> Counted {
        let columns: Vec<String> = self
            .audit
            .key_columns()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let score = self
            .intake
            .roles()
            .iter()
            .find(|role| role.purpose == Purpose::Score);
        let mut table = CountTable {
            columns: columns.clone(),
            ..CountTable::default()
        };
        let mut scores = score.map(|role| ScoreTable {
            columns: columns.clone(),
            cuts: role.coder.cuts(),
            cells: BTreeMap::new(),
        });
        let gathers = |purpose| {
            self.intake
                .roles()
                .iter()
                .any(|role| role.purpose == purpose)
        };
        let (every_score, by_person) = (gathers(Purpose::EveryScore), gathers(Purpose::Person));
        let places = self.places();
        let mut samples: BTreeMap<Vec<Option<String>>, [Scores; 3]> = BTreeMap::new();
        let mut ranges = DecisionRanges::new();
        let mut room = Room::default();
        for (slot, place) in places.iter().enumerate() {
            let n = self.cells.cell(slot).1;
            let (key, label, decision) = (&place.key, place.label, place.decision);
            if let Some(scores) = &mut scores {
                let n_levels = scores.n_levels();
                scores
                    .cells
                    .entry(key.clone())
                    .or_insert_with(|| vec![[0; 3]; n_levels])[place.level][label] += n;
            }
            table.cells.entry(key.clone()).or_default().counts[label][decision] += n;
            if let Some([w, w2]) = self.cells.weights(slot) {
                let sums = &mut table.weights.entry(key.clone()).or_default().sums;
                let WeightSum { w: sum, w2: sum2 } = sums[label][decision];
                sums[label][decision] = WeightSum {
                    w: sum + w,
                    w2: sum2 + w2,
                };
            }
            if let Some(scores) = self.cells.take_scores(slot) {
                let scores = scores.settled(&mut room);
                let range = &mut ranges.entry(key.clone()).or_default()[decision];
                *range = wider(*range, scores.range());
                samples.entry(key.clone()).or_default()[label].join(scores, &mut room);
            }
        }
        Counted {
            table,
            scores,
            samples: every_score.then(|| SampleTable {
                columns,
                cells: samples
                    .into_iter()
                    .map(|(key, labels)| (key, labels.map(sample)))
                    .collect(),
            }),
            ranges,
            persons: by_person.then(|| self.persons(&places)),
            warnings: Vec::new(),
        }
    }

    /// What each cell stands for.
    fn places(&self) -> Vec<CellPlace> {
        let roles: Vec<&Role> = self
            .intake
            .roles()
            .iter()
            .filter(|role| role.purpose.is_cell())
            .collect();
        let meanings: Vec<Vec<usize>> = roles.iter().map(|role| role.coder.meanings()).collect();
        let of_slot = |slot: usize| {
            let mut place = CellPlace {
                key: Vec::new(),
                label: 2,
                decision: 0,
                level: 0,
            };
            let codes = self.cells.cell(slot).0;
            for ((role, meanings), &code) in roles.iter().zip(&meanings).zip(codes) {
                match role.purpose {
                    Purpose::Key => place.key.push(role.coder.text_of(code)),
                    Purpose::Label => place.label = meanings[code as usize],
                    Purpose::Decision => place.decision = meanings[code as usize],
                    Purpose::Score => place.level = meanings[code as usize],
                    Purpose::Condition
                    | Purpose::EveryScore
                    | Purpose::Weight
                    | Purpose::Person => {}
                }
            }
            place
        };
        (0..self.cells.n()).map(of_slot).collect()
    }

    /// The rows of each person by cell. Cells are in the order of their keys, so that the order of the rows does not show.
    fn persons(&mut self, places: &[CellPlace]) -> Persons {
        let mut order: Vec<usize> = (0..places.len()).collect();
        let sort_key = |slot: &usize| {
            let place = &places[*slot];
            (place.key.clone(), place.label, place.decision, place.level)
        };
        order.sort_by_key(sort_key);
        let mut rank = vec![0_u32; places.len()];
        order
            .iter()
            .enumerate()
            .for_each(|(at, slot)| rank[*slot] = at as u32);
        let mut rows: Vec<(u64, u32)> = std::mem::take(&mut self.persons);
        rows.iter_mut().for_each(|row| row.1 = rank[row.1 as usize]);
        rows.sort_unstable();
        let mut by_person: Vec<(u64, Vec<(u32, u32)>)> = Vec::new();
        for (person, cell) in rows {
            if by_person.last().is_none_or(|(last, _)| *last != person) {
                by_person.push((person, Vec::new()));
            }
            let Some((_, cells)) = by_person.last_mut() else {
                continue;
            };
            match cells.last_mut() {
                Some((last, n)) if *last == cell => *n += 1,
                Some(_) | None => cells.push((cell, 1)),
            }
        }
        let cells = order.into_iter().map(|slot| {
            let place = &places[slot];
            (place.key.clone(), place.label, place.decision)
        });
        Persons {
            rows: by_person,
            cells: cells.collect(),
        }
    }
}

/// What a cell stands for.
struct CellPlace {
    key: Vec<Option<String>>,
    label: usize,
    decision: usize,
    level: usize,
}

/// Gathered scores are finite, ascending and each has a count; there are fewer rows than a count can hold.
fn sample(scores: Scores) -> Sample {
    let (values, counts) = scores.finish();
    let sample = if counts.is_empty() {
        Sample::from_sorted_values(values)
    } else {
        Sample::from_counts(values.into_iter().zip(counts))
    };
    sample.unwrap_or_else(|| Sample::merged(&[]))
}

fn refuse_unknown(table: &CountTable, column: &str) -> Result<(), Problem> {
    let sums = table.by(&[column.to_owned()]).unwrap_or_default();
    let n_unknown = sums.get(&vec![None]).map_or(0, |cell| cell.n());
    if n_unknown == 0 {
        return Ok(());
    }
    Err(Problem::Unknown { n: n_unknown })
}

/// The reference must be a group there is, by the name that the audit gives its groups.
fn check_reference(
    table: &CountTable,
    columns: &[String],
    reference: &str,
    missing: Missing,
) -> Result<(), Problem> {
    let sums = table.by(columns).unwrap_or_default();
    let groups: BTreeSet<String> = sums
        .into_keys()
        .filter_map(|key| group_name(key, missing))
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
