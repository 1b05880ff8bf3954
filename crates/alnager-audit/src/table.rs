//! Count tables: the counts every figure follows from, in a canonical form that can be sealed and read back.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use alnager_stats::sample::Sample;

/// Counts by key columns × label × decision.
///
/// A key is one value per column (`None` is unknown). A cell counts rows by label (0, 1, unknown) and decision (0, 1).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CountTable {
    /// The key columns: protected attributes, then strata.
    pub columns: Vec<String>,
    /// The counts, sorted by key.
    pub cells: BTreeMap<Vec<Option<String>>, Cell>,
    /// Weights summed by key, where rows have weights; each key of `cells` has its own.
    pub weights: BTreeMap<Vec<Option<String>>, WeightCell>,
}

/// Summed weights of one key: `sums[label][decision]`, label 2 is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct WeightCell {
    /// Σw and Σw² by label and decision.
    pub sums: [[WeightSum; 2]; 3],
}

/// Σw and Σw² of some rows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct WeightSum {
    /// Σw.
    pub w: f64,
    /// Σw².
    pub w2: f64,
}

/// Counts by key columns × label × score, every value of the score by itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SampleTable {
    /// The key columns: protected attributes, then strata, then period.
    pub columns: Vec<String>,
    /// The scores of each key by label (0, 1, unknown).
    pub cells: BTreeMap<Vec<Option<String>>, [Sample; 3]>,
}

/// The counts of one key: `counts[label][decision]`, label 2 is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cell {
    /// Rows by label (0, 1, unknown) and decision (0, 1).
    pub counts: [[u64; 2]; 3],
}

/// Counts by key columns × label × score level.
///
/// A row's level is the number of cuts its score reaches: level 0 lies below the first cut, level `i` in `[cuts[i-1], cuts[i])`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScoreTable {
    /// The key columns: protected attributes, then strata.
    pub columns: Vec<String>,
    /// The thresholds counted at, ascending.
    pub cuts: Vec<f64>,
    /// The counts: by key, then `levels[level][label]`, label 2 is unknown; each with `cuts.len() + 1` levels.
    pub cells: BTreeMap<Vec<Option<String>>, Vec<[u64; 3]>>,
}

/// Counts summed by some of the key columns: for each key, `levels[level][label]`.
pub type LevelSums = BTreeMap<Vec<Option<String>>, Vec<[u64; 3]>>;

/// What was wrong with the text of a count table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("count table, line {line}: {problem}")]
pub struct TableError {
    /// The line, counted from 1.
    pub line: usize,
    /// What was wrong.
    pub problem: String,
}

impl Cell {
    /// All rows of the cell.
    pub fn n(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// Rows with this decision, whatever the label.
    pub fn decided(&self, decision: usize) -> u64 {
        self.counts
            .iter()
            .map(|by_decision| by_decision[decision])
            .sum()
    }

    /// Adds another cell's counts.
    pub fn add(&mut self, other: &Cell) {
        for (mine, theirs) in self
            .counts
            .iter_mut()
            .flatten()
            .zip(other.counts.iter().flatten())
        {
            *mine += theirs;
        }
    }
}

impl CountTable {
    /// All rows counted.
    pub fn n(&self) -> u64 {
        self.cells.values().map(Cell::n).sum()
    }

    /// The counts of all rows together.
    pub fn total(&self) -> Cell {
        let mut total = Cell::default();
        self.cells.values().for_each(|cell| total.add(cell));
        total
    }

    /// The table summed over all columns but these; keys of one value per column. `None` where a column is not in the table.
    pub fn by(&self, columns: &[String]) -> Option<BTreeMap<Vec<Option<String>>, Cell>> {
        let at = positions(&self.columns, columns)?;
        let mut sums: BTreeMap<Vec<Option<String>>, Cell> = BTreeMap::new();
        for (key, cell) in &self.cells {
            sums.entry(at.iter().map(|&at| key[at].clone()).collect())
                .or_default()
                .add(cell);
        }
        Some(sums)
    }

    /// The weights summed over all columns but these. `None` where a column is not in the table.
    pub fn weights_by(
        &self,
        columns: &[String],
    ) -> Option<BTreeMap<Vec<Option<String>>, WeightCell>> {
        let at = positions(&self.columns, columns)?;
        let mut sums: BTreeMap<Vec<Option<String>>, WeightCell> = BTreeMap::new();
        for (key, cell) in &self.weights {
            sums.entry(at.iter().map(|&at| key[at].clone()).collect())
                .or_default()
                .add(cell);
        }
        Some(sums)
    }

    /// The canonical text: comma-separated, a header, rows sorted by key, label and decision, zero counts left out, integers.
    /// An unknown value or label is an empty field; a text is quoted where it holds a comma, a quote, a line break or nothing.
    /// Where rows have weights, Σw and Σw² follow the count in their shortest decimal form.
    pub fn to_csv(&self) -> String {
        let tail: &[&str] = if self.weights.is_empty() {
            &COUNTED
        } else {
            &WEIGHTED
        };
        let mut text = header(&self.columns, tail);
        for (key, cell) in &self.cells {
            let weights = self.weights.get(key);
            for (label, by_decision) in cell.counts.iter().enumerate() {
                for (decision, n) in by_decision.iter().enumerate().filter(|(_, n)| **n > 0) {
                    let mut tail = format!("{},{decision},{n}", label_text(label));
                    if let Some(weights) = weights {
                        let sum = weights.sums[label][decision];
                        tail.push_str(&format!(",{},{}", sum.w, sum.w2));
                    }
                    line(&mut text, key, &tail);
                }
            }
        }
        text
    }

    /// Reads the canonical text back; anything that [`CountTable::to_csv`] would not have written is refused.
    pub fn from_csv(text: &str) -> Result<Self, TableError> {
        let first = text.lines().next().unwrap_or_default();
        let weighted = first.ends_with(&WEIGHTED.join(","));
        let tail: &[&str] = if weighted { &WEIGHTED } else { &COUNTED };
        let (columns, rows) = rows(text, tail)?;
        let mut table = CountTable {
            columns,
            ..CountTable::default()
        };
        for row in rows {
            let wrong = |problem: &str| TableError {
                line: row.line,
                problem: problem.to_owned(),
            };
            let decision = match row.tail[1].as_str() {
                "0" => 0,
                "1" => 1,
                _ => return Err(wrong("a decision must be 0 or 1")),
            };
            if weighted {
                let sum = |at: usize| {
                    row.tail[at]
                        .parse()
                        .map_err(|_| wrong("a weight is not a number"))
                };
                let cell = table.weights.entry(row.key.clone()).or_default();
                cell.sums[row.label][decision] = WeightSum {
                    w: sum(3)?,
                    w2: sum(4)?,
                };
            }
            table.cells.entry(row.key).or_default().counts[row.label][decision] = row.n;
        }
        canonical(table.to_csv() == text)?;
        Ok(table)
    }
}

/// What stands after the key columns of a count table.
const COUNTED: [&str; 3] = ["label", "decision", "n"];

/// The same where rows have weights.
const WEIGHTED: [&str; 5] = ["label", "decision", "n", "w", "w2"];

fn canonical(is_canonical: bool) -> Result<(), TableError> {
    if is_canonical {
        return Ok(());
    }
    Err(TableError {
        line: 0,
        problem: "the table is not in canonical form (sorted, no zero counts)".to_owned(),
    })
}

impl WeightCell {
    /// Adds another cell's sums.
    pub fn add(&mut self, other: &WeightCell) {
        for (mine, theirs) in self
            .sums
            .iter_mut()
            .flatten()
            .zip(other.sums.iter().flatten())
        {
            mine.w += theirs.w;
            mine.w2 += theirs.w2;
        }
    }
}

impl SampleTable {
    /// All rows counted.
    pub fn n(&self) -> u64 {
        self.cells.values().flatten().map(Sample::n).sum()
    }

    /// The table summed over all columns but these. `None` where a column is not in the table.
    pub fn by(&self, columns: &[String]) -> Option<SampleSums<'_>> {
        let at = positions(&self.columns, columns)?;
        let mut parts: BTreeMap<Vec<Option<String>>, Vec<&[Sample; 3]>> = BTreeMap::new();
        for (key, cell) in &self.cells {
            let key = at.iter().map(|&at| key[at].clone()).collect();
            parts.entry(key).or_default().push(cell);
        }
        let sums = parts.into_iter();
        Some(
            sums.map(|(key, cells)| (key, [0, 1, 2].map(|label| together(&cells, label))))
                .collect(),
        )
    }

    /// The canonical text, in the form of [`CountTable::to_csv`]: one line a key, label and score, scores ascending in their
    /// shortest decimal form.
    pub fn to_csv(&self) -> String {
        let mut text = header(&self.columns, &SCORED);
        for (key, labels) in &self.cells {
            for (label, sample) in labels.iter().enumerate() {
                for (score, n) in sample.iter() {
                    line(
                        &mut text,
                        key,
                        &format!("{},{score},{n}", label_text(label)),
                    );
                }
            }
        }
        text
    }

    /// Reads the canonical text back; anything that [`SampleTable::to_csv`] would not have written is refused.
    pub fn from_csv(text: &str) -> Result<Self, TableError> {
        let (columns, rows) = rows(text, &SCORED)?;
        let mut counts: BTreeMap<Vec<Option<String>>, [ScoreCounts; 3]> = BTreeMap::new();
        for row in rows {
            let wrong = |problem: &str| TableError {
                line: row.line,
                problem: problem.to_owned(),
            };
            let score: f64 = row.tail[1]
                .parse()
                .map_err(|_| wrong("a score is not a number"))?;
            counts.entry(row.key).or_default()[row.label].push((score, row.n));
        }
        let mut table = SampleTable {
            columns,
            cells: BTreeMap::new(),
        };
        for (key, labels) in counts {
            let [Some(negative), Some(positive), Some(unknown)] = labels.map(Sample::from_counts)
            else {
                return Err(TableError {
                    line: 0,
                    problem: "a score is not finite, or a count is too large".to_owned(),
                });
            };
            table.cells.insert(key, [negative, positive, unknown]);
        }
        canonical(table.to_csv() == text)?;
        Ok(table)
    }
}

/// The scores of each key by label (0, 1, unknown).
pub type SampleSums<'a> = BTreeMap<Vec<Option<String>>, [Cow<'a, Sample>; 3]>;

/// The scores of a label in several cells.
fn together<'a>(cells: &[&'a [Sample; 3]], label: usize) -> Cow<'a, Sample> {
    match cells {
        [only] => Cow::Borrowed(&only[label]),
        cells => {
            let parts: Vec<&Sample> = cells.iter().map(|cell| &cell[label]).collect();
            Cow::Owned(Sample::merged(&parts))
        }
    }
}

/// Scores with their counts.
type ScoreCounts = Vec<(f64, u64)>;

/// What stands after the key columns of a table of scores.
const SCORED: [&str; 3] = ["label", "score", "n"];

impl ScoreTable {
    /// The number of levels: one more than there are cuts.
    pub fn n_levels(&self) -> usize {
        self.cuts.len() + 1
    }

    /// The table summed over all columns but these. `None` where a column is not in the table.
    pub fn by(&self, columns: &[String]) -> Option<LevelSums> {
        let at = positions(&self.columns, columns)?;
        let mut sums = LevelSums::new();
        for (key, levels) in &self.cells {
            let sum = sums
                .entry(at.iter().map(|&at| key[at].clone()).collect())
                .or_insert_with(|| vec![[0; 3]; self.n_levels()]);
            for (sum, level) in sum.iter_mut().zip(levels) {
                for (sum, n) in sum.iter_mut().zip(level) {
                    *sum += n;
                }
            }
        }
        Some(sums)
    }

    /// The canonical text, in the form of [`CountTable::to_csv`]; the first line lists the cuts.
    pub fn to_csv(&self) -> String {
        let cuts: Vec<String> = self.cuts.iter().map(|cut| format!("{cut}")).collect();
        let mut text = format!(
            "# cuts {}\n{}",
            cuts.join(" "),
            header(&self.columns, &["label", "level", "n"])
        );
        for (key, levels) in &self.cells {
            for label in 0..3 {
                for (level, n) in levels
                    .iter()
                    .map(|labels| labels[label])
                    .enumerate()
                    .filter(|(_, n)| *n > 0)
                {
                    line(
                        &mut text,
                        key,
                        &format!("{},{level},{n}", label_text(label)),
                    );
                }
            }
        }
        text
    }

    /// Reads the canonical text back; anything that [`ScoreTable::to_csv`] would not have written is refused.
    pub fn from_csv(text: &str) -> Result<Self, TableError> {
        let wrong = |line: usize, problem: &str| TableError {
            line,
            problem: problem.to_owned(),
        };
        let (first, rest) = text
            .split_once('\n')
            .ok_or_else(|| wrong(1, "the table is empty"))?;
        let cuts = first
            .strip_prefix("# cuts ")
            .ok_or_else(|| wrong(1, "the line of cuts is missing"))?;
        let cuts: Result<Vec<f64>, _> = cuts
            .split(' ')
            .filter(|cut| !cut.is_empty())
            .map(str::parse)
            .collect();
        let cuts = cuts.map_err(|_| wrong(1, "a cut is not a number"))?;
        let (columns, rows) = rows(rest, &["label", "level", "n"])?;
        let mut table = ScoreTable {
            columns,
            cuts,
            cells: BTreeMap::new(),
        };
        for row in rows {
            let level: usize = row.tail[1]
                .parse()
                .map_err(|_| wrong(row.line, "a level is not a number"))?;
            let n_levels = table.n_levels();
            let levels = table
                .cells
                .entry(row.key)
                .or_insert_with(|| vec![[0; 3]; n_levels]);
            let cell = levels
                .get_mut(level)
                .ok_or_else(|| wrong(row.line, "a level lies beyond the cuts"))?;
            cell[row.label] = row.n;
        }
        canonical(table.to_csv() == text)?;
        Ok(table)
    }

    /// The scores themselves, where every value that occurs is a cut; `None` where levels are wider than one value.
    ///
    /// A level is one value only if somebody has the score below the first cut nowhere: declared cuts fail this, as the
    /// scores between two of them are not told apart. The caller knows which it was.
    pub fn samples(&self) -> Option<SampleTable> {
        let mut table = SampleTable {
            columns: self.columns.clone(),
            cells: BTreeMap::new(),
        };
        for (key, levels) in &self.cells {
            let below: u64 = levels.first().map_or(0, |labels| labels.iter().sum());
            if below > 0 {
                return None;
            }
            let of_label = |label: usize| {
                let counts = self.cuts.iter().zip(&levels[1..]);
                Sample::from_counts(counts.map(|(cut, labels)| (*cut, labels[label])))
            };
            table
                .cells
                .insert(key.clone(), [of_label(0)?, of_label(1)?, of_label(2)?]);
        }
        Some(table)
    }
}

fn positions(columns: &[String], wanted: &[String]) -> Option<Vec<usize>> {
    wanted
        .iter()
        .map(|column| columns.iter().position(|name| name == column))
        .collect()
}

fn label_text(label: usize) -> &'static str {
    ["0", "1", ""][label]
}

fn field(text: &mut String, value: &str) {
    // A present but empty text is quoted, to stay apart from unknown.
    if value.is_empty() || value.contains([',', '"', '\n', '\r']) || value.starts_with('#') {
        text.push('"');
        text.push_str(&value.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(value);
    }
}

fn header(columns: &[String], tail: &[&str]) -> String {
    let mut text = String::new();
    for column in columns {
        field(&mut text, column);
        text.push(',');
    }
    text.push_str(&tail.join(","));
    text.push('\n');
    text
}

fn line(text: &mut String, key: &[Option<String>], tail: &str) {
    for value in key {
        if let Some(value) = value {
            field(text, value);
        }
        text.push(',');
    }
    text.push_str(tail);
    text.push('\n');
}

struct Row {
    line: usize,
    key: Vec<Option<String>>,
    label: usize,
    tail: Vec<String>,
    n: u64,
}

/// Most rows of a table: up to here every count is exact as a double.
const N_ROWS_MAX: u64 = 1 << 53;

fn rows(text: &str, tail: &[&str]) -> Result<(Vec<String>, Vec<Row>), TableError> {
    let records = records(text)?;
    let wrong = |line: usize, problem: &str| TableError {
        line,
        problem: problem.to_owned(),
    };
    let mut records = records.into_iter();
    let (_, names) = records
        .next()
        .ok_or_else(|| wrong(1, "the table is empty"))?;
    let mut names: Vec<String> = names.into_iter().map(Option::unwrap_or_default).collect();
    let n_keys = names
        .len()
        .checked_sub(tail.len())
        .ok_or_else(|| wrong(1, "the header is too short"))?;
    if names.split_off(n_keys) != tail || names.iter().collect::<BTreeSet<_>>().len() != n_keys {
        return Err(wrong(1, "the header is not that of a count table"));
    }
    let mut rows = Vec::new();
    let mut total = 0_u64;
    for (line, mut values) in records {
        if values.len() != n_keys + tail.len() {
            return Err(wrong(
                line,
                "the line has another number of fields than the header",
            ));
        }
        let tail: Vec<String> = values
            .split_off(n_keys)
            .into_iter()
            .map(Option::unwrap_or_default)
            .collect();
        let label = match tail[0].as_str() {
            "0" => 0,
            "1" => 1,
            "" => 2,
            _ => return Err(wrong(line, "a label must be 0, 1 or empty")),
        };
        let n: u64 = tail[2]
            .parse()
            .map_err(|_| wrong(line, "a count is not a whole number"))?;
        total = total
            .checked_add(n)
            .filter(|total| *total <= N_ROWS_MAX)
            .ok_or_else(|| wrong(line, "the counts add up to more rows than there can be"))?;
        rows.push(Row {
            line,
            key: values,
            label,
            tail,
            n,
        });
    }
    Ok((names, rows))
}

type Record = (usize, Vec<Option<String>>);

/// Splits the canonical text; `None` is an empty field without quotes.
fn records(text: &str) -> Result<Vec<Record>, TableError> {
    let mut records = Vec::new();
    let mut record: Vec<Option<String>> = Vec::new();
    let mut value: Option<String> = None;
    let (mut line, mut start, mut quoted) = (1, 1, false);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        if char == '\n' {
            line += 1;
        }
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                value.get_or_insert_default().push('"');
            }
            '"' => {
                quoted = !quoted;
                value.get_or_insert_default();
            }
            char if quoted => value.get_or_insert_default().push(char),
            ',' => record.push(value.take()),
            '\n' => {
                record.push(value.take());
                records.push((start, std::mem::take(&mut record)));
                start = line;
            }
            char => value.get_or_insert_default().push(char),
        }
    }
    if quoted || !record.is_empty() || value.is_some() {
        return Err(TableError {
            line,
            problem: "the table is cut off".to_owned(),
        });
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn tables() -> impl Strategy<Value = CountTable> {
        let value = prop_oneof![Just(None), "[a-z,\"\n ]{0,4}".prop_map(Some)];
        let key = proptest::collection::vec(value, 2);
        let cells = proptest::collection::btree_map(key, proptest::array::uniform6(0_u64..4), 0..8);
        cells.prop_map(|cells| CountTable {
            columns: vec!["a,b".to_owned(), "c".to_owned()],
            cells: cells
                .into_iter()
                .map(|(key, n)| {
                    (
                        key,
                        Cell {
                            counts: [[n[0], n[1]], [n[2], n[3]], [n[4], n[5]]],
                        },
                    )
                })
                .filter(|(_, cell)| cell.n() > 0)
                .collect(),
            weights: BTreeMap::new(),
        })
    }

    proptest! {
        #[test]
        fn reading_what_was_written_gives_the_same_table(table in tables()) {
            prop_assert_eq!(CountTable::from_csv(&table.to_csv()).unwrap(), table);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[a-c0-9,\"\n#]{0,60}") {
            let _ = CountTable::from_csv(&text);
            let _ = ScoreTable::from_csv(&text);
        }
    }

    #[test]
    fn a_score_table_survives_its_text() {
        let key = vec![Some("x".to_owned()), None];
        let table = ScoreTable {
            columns: vec!["g".to_owned(), "s".to_owned()],
            cuts: vec![0.5, 2.0],
            cells: BTreeMap::from([(key, vec![[1, 0, 0], [0, 2, 0], [0, 0, 3]])]),
        };
        assert_eq!(ScoreTable::from_csv(&table.to_csv()).unwrap(), table);
    }

    #[test]
    fn unsorted_rows_are_refused() {
        assert!(CountTable::from_csv("g,label,decision,n\nb,0,0,1\na,0,0,1\n").is_err());
    }
}
