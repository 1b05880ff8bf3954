//! What can be wrong with a source.

use std::fmt;
use std::io;

use alnager_audit::declared::{GROUPS_MAX, SCORE_VALUES_MAX};

use crate::cells::CELLS_MAX;
use crate::endpoint::{EndpointProblem, KeptProblem, Reason};
use crate::source::RECORD_BYTES_MAX;

/// Why a source could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// There is no such file.
    #[error(
        "{file}: there is no such file; check the path; in a declaration it is relative to that file"
    )]
    Absent {
        /// The file.
        file: String,
    },
    /// A folder without data.
    #[error(
        "{folder}: the folder holds no data file; data files end in `.csv`, `.jsonl` (also `.gz`, `.zst`), `.parquet` or `.arrow`"
    )]
    NoData {
        /// The folder.
        folder: String,
    },
    /// A pattern that reads wrongly.
    #[error(
        "{pattern}: this pattern cannot be read; `*` stands for any signs of a name, `**` for any folders"
    )]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        source: glob::PatternError,
    },
    /// A pattern that no file meets.
    #[error(
        "{pattern}: no file meets this pattern; put it in quotes, so that the shell leaves it alone, and check the folder"
    )]
    NoMatch {
        /// The pattern.
        pattern: String,
    },
    /// A condition that does not read.
    #[error("the condition on rows cannot be read")]
    Condition {
        /// Where and why.
        source: alnager_law::rule::RuleError,
    },
    /// No row meets the condition.
    #[error(
        "{file}: no row meets the condition `{condition}`, so there is nothing to measure; {hint}"
    )]
    NoRowMeets {
        /// The source.
        file: String,
        /// The condition.
        condition: String,
        /// What it asks for in vain.
        hint: String,
    },
    /// A name that promises packed text, and other bytes.
    #[error(
        "{file}: the name says that the file is packed, its bytes do not; let its name end in what it is"
    )]
    IsNotPacked {
        /// The file.
        file: String,
    },
    /// A packed file that cannot be unpacked to its end.
    #[error("{file}: the packed file is cut off or damaged; copy or pack it again")]
    Unpackable {
        /// The file.
        file: String,
        /// What the reader said.
        source: io::Error,
    },
    /// The path is a pipe, a device or the like.
    #[error("{file}: this is not an ordinary file; write the data to one first")]
    NotAFile {
        /// The path.
        file: String,
    },
    /// The operating system refused to open or read the file.
    #[error("{file}: the file cannot be read; check its permissions and its disk")]
    Unreadable {
        /// The file.
        file: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The name ends in something else than a supported format.
    #[error("{file}: {} is not a supported format; name a `.csv` (comma-separated, UTF-8, with a header) or `.jsonl` file (also packed: `.gz`, `.zst`), a `.parquet` or an `.arrow` file", ending(.extension))]
    Unsupported {
        /// The file.
        file: String,
        /// What its name ends in, without the dot; empty where it has no ending.
        extension: String,
    },
    /// A Parquet file under another name.
    #[error("{file}: this is a Parquet file; let its name end in `.parquet`")]
    IsParquet {
        /// The file.
        file: String,
    },
    /// Something else under the name of a Parquet file.
    #[error(
        "{file}: this is not a Parquet file: it does not begin with `PAR1`; if it is comma-separated text, let its name end in `.csv`"
    )]
    IsNotParquet {
        /// The file.
        file: String,
    },
    /// A Parquet or Arrow file that cannot be read to its end.
    #[error("{file}: the file is cut off or damaged; copy or write it again")]
    Damaged {
        /// The file.
        file: String,
        /// What the reader said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file was written to meanwhile.
    #[error(
        "{file}: the file changed while it was counted; wait until nothing writes to it, then measure again"
    )]
    Changed {
        /// The file.
        file: String,
    },
    /// Not even a header.
    #[error("{file}: the file is empty; it needs a header and at least one row")]
    Empty {
        /// The file.
        file: String,
    },
    /// A header or schema alone.
    #[error(
        "{file}: the file has no rows, so there is nothing to measure; check how it was exported"
    )]
    NoRows {
        /// The file.
        file: String,
    },
    /// A column the audit names is not there.
    #[error("{file}: there is no column `{column}`; {hint}")]
    NoColumn {
        /// The file.
        file: String,
        /// The column the audit names.
        column: String,
        /// The nearest name and the columns there are, or what else to look at.
        hint: String,
    },
    /// Two columns have the name of one the audit uses.
    #[error(
        "{file}: two columns are named `{column}`; rename one, so that it is clear which is meant"
    )]
    TwoColumns {
        /// The file.
        file: String,
        /// The name.
        column: String,
    },
    /// A column of a type that holds no single text or number.
    #[error(
        "{file}, column `{column}`: a column of type `{found}` cannot be counted; write it as text, numbers, days or booleans"
    )]
    ColumnType {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// Its type in the words of the Arrow format.
        found: String,
    },
    /// An endpoint cannot be asked as it is declared.
    #[error("{url}: {problem}")]
    Endpoint {
        /// Its address.
        url: String,
        /// What is wrong.
        problem: Box<EndpointProblem>,
    },
    /// An endpoint did not give answers that can be relied on. Nothing is counted.
    #[error(
        "{url}: inconclusive after {n_answered} of {n_rows} rows: {reason}{}",
        kept_words(kept)
    )]
    Inconclusive {
        /// Its address.
        url: String,
        /// Rows whose answers are kept.
        n_answered: usize,
        /// Rows to be put.
        n_rows: usize,
        /// Where they are kept; `None` where nothing is.
        kept: Option<String>,
        /// Why.
        reason: Box<Reason>,
    },
    /// A file that a run keeps line by line cannot be used.
    #[error("{file}: {problem}")]
    Kept {
        /// The file.
        file: String,
        /// What is wrong.
        problem: Box<KeptProblem>,
    },
    /// A model that cannot be read, made ready or run.
    #[error("{file}: {problem}")]
    Model {
        /// Its file.
        file: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A value that an input of a model cannot take.
    #[error(
        "column `{column}` cannot be changed to `{value}`: the model's input `{input}`, filled from it, takes a number; name numbers, or \
         declare the input as text"
    )]
    FlipValue {
        /// The column changed.
        column: String,
        /// The value.
        value: String,
        /// The input.
        input: String,
    },
    /// Counts where rows are needed.
    #[error(
        "{name}: these are counts of rows, and this audit needs the rows themselves (a column of persons, a model to be asked, or figures that cannot be had from counts); give it a file of rows"
    )]
    NeedsRows {
        /// The file or database.
        name: String,
    },
    /// Counts in another format than comma-separated text.
    #[error(
        "{file}: the column `alnager_rows` says that each line stands for many rows; such tables of counts are read as `.csv`, so export it as that"
    )]
    CountsAsCsv {
        /// The file.
        file: String,
    },
    /// Counts where the records themselves are asked for.
    #[error(
        "{file}: the column `alnager_rows` says that each line stands for many rows; what is sealed as a log has a row for each record"
    )]
    CountsNoRecords {
        /// The file.
        file: String,
    },
    /// A table with too many columns.
    #[error("{file}: there are more than {max} columns; seal the columns that tell of a decision")]
    TooManyColumns {
        /// The file.
        file: String,
        /// The most there may be.
        max: usize,
    },
    /// A file of a segment that does not say what its rows were salted with.
    #[error("{file}: the file is no segment; it lacks the secret that its rows are salted with")]
    NoSegment {
        /// The file.
        file: String,
    },
    /// A file of a segment with too many rows.
    #[error("{file}: the file holds more than {max} rows, the most that a segment has")]
    TooManyRows {
        /// The file.
        file: String,
        /// The most there may be.
        max: usize,
    },
    /// A file of a segment with too much text.
    #[error(
        "{file}: the rows come to more than {max_mib} MiB of text, the most that a segment has"
    )]
    TooMuchText {
        /// The file.
        file: String,
        /// The most there may be, MiB.
        max_mib: usize,
    },
    /// An address of a database that does not read, or holds a secret.
    #[error("{problem}")]
    Address {
        /// What is wrong and what to do.
        problem: String,
    },
    /// A database that cannot be asked, or does not answer.
    #[error(
        "{name}: the database gave no counts: {said}; check its address, the names of table and columns, and the right to read them"
    )]
    Database {
        /// Server, database and table, without secrets.
        name: String,
        /// What it said.
        said: String,
    },
    /// An object store that cannot be asked, or does not answer.
    #[error(
        "{name}: the object store did not give the data: {said}; check endpoint, region, bucket and key, and what the credentials allow"
    )]
    Objects {
        /// Bucket and key.
        name: String,
        /// What it said.
        said: String,
    },
    /// Nobody is named to an object store.
    #[error(
        "{name}: there are no credentials for the object store; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )]
    NoCredentials {
        /// Bucket and key.
        name: String,
    },
    /// No object that could be data.
    #[error("{name}: the object store has no data there; check bucket, folder and pattern")]
    NoObjects {
        /// Bucket and key.
        name: String,
    },
    /// More different combinations of values than can be counted.
    #[error(
        "{name}: the columns {columns} hold more than {} combinations of values; put numbers into bins (derived columns), give a score its cuts, or leave a column out",
        crate::CELLS_MAX
    )]
    TooManyCounts {
        /// The database.
        name: String,
        /// The columns.
        columns: String,
    },
    /// Something in the rows.
    #[error("{place}: {problem}")]
    Content {
        /// Where.
        place: Box<Place>,
        /// What.
        problem: Problem,
    },
}

/// Where in a file something was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The row; `None` where it is about all of them.
    pub row: Option<Row>,
    /// The column, or the columns of an intersection joined by `*`; `None` where it is about all of them.
    pub column: Option<String>,
}

/// A row of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// The line of a text file, counted from 1, header and line breaks within quotes included.
    Line(u64),
    /// The row of a file without lines, counted from 1.
    Row(u64),
}

impl ProbeError {
    /// Whether nothing is wrong with what was asked, and there is no result all the same.
    pub fn is_inconclusive(&self) -> bool {
        matches!(self, ProbeError::Inconclusive { .. })
    }

    pub(crate) fn content(
        file: &str,
        row: Option<Row>,
        column: Option<&str>,
        problem: Problem,
    ) -> Self {
        let place = Place {
            file: file.to_owned(),
            row,
            column: column.map(str::to_owned),
        };
        ProbeError::Content {
            place: Box::new(place),
            problem,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        match self.row {
            Some(Row::Line(line)) => write!(f, ", line {line}")?,
            Some(Row::Row(row)) => write!(f, ", row {row}")?,
            None => {}
        }
        match &self.column {
            Some(column) => write!(f, ", column `{column}`"),
            None => Ok(()),
        }
    }
}

/// What was wrong at a place. Values are shortened to 60 characters, control characters escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A line with more or fewer fields than the header.
    #[error(
        "the line has {found} fields, the header {expected}; a text that holds a comma must stand in double quotes"
    )]
    Ragged {
        /// Fields of the line.
        found: u64,
        /// Fields of the header.
        expected: u64,
    },
    /// A number of rows that is none.
    #[error(
        "`{value}` is no number of rows; `alnager_rows` holds whole numbers from 1, together at most 2^53"
    )]
    NotACount {
        /// What stands there.
        value: String,
    },
    /// A quote that never ends.
    #[error(
        "the double quote that opens here is never closed; close it, and write a quote within a text twice"
    )]
    OpenQuote,
    /// A record beyond [`RECORD_BYTES_MAX`].
    #[error("the record that begins here is longer than {} MB; check for a missing line break or a quote that is not closed", RECORD_BYTES_MAX >> 20)]
    LongRecord,
    /// What a model answered cannot be taken.
    #[error("the model's answer for row {row}, counted as column `{column}`: {problem}")]
    Answer {
        /// The column that it gives.
        column: String,
        /// The row of the data, from 1 over all files.
        row: u64,
        /// What is wrong.
        problem: Box<Problem>,
    },
    /// Rows that came after a model was asked.
    #[error(
        "there are more rows than when the model was asked; wait until nothing writes to the data, then measure again"
    )]
    MoreRows,
    /// What was read could not be handed on; the cause is told instead of this.
    #[error("reading was stopped")]
    Stopped,
    /// A byte 0.
    #[error("the text holds a NUL byte, so this is not plain text; export the data again as UTF-8")]
    Nul,
    /// A text in UTF-16.
    #[error("the text is UTF-16; save the file as UTF-8")]
    Utf16,
    /// A text that is not UTF-8.
    #[error(
        "the text is not UTF-8, perhaps Latin-1; save the file as UTF-8, for instance with `iconv -f WINDOWS-1252 -t UTF-8`"
    )]
    NotUtf8,
    /// A label or decision with three values.
    #[error(
        "`{third}` is a third value, after {seen}; two are allowed, of which `{positive}` counts as 1; {advice}"
    )]
    ThirdValue {
        /// The value that counts as 1.
        positive: String,
        /// The two met first, in backticks.
        seen: String,
        /// The value too many.
        third: String,
        /// What to do.
        advice: String,
    },
    /// The value that counts as 1 is not there.
    #[error("`{positive}`, the value that counts as 1, never occurs; {found}")]
    NoPositive {
        /// The value that counts as 1.
        positive: String,
        /// The values found.
        found: String,
    },
    /// The decision said to be favourable is neither of the two.
    #[error(
        "the favourable decision is declared as `{favourable}`, but the decisions are `{positive}` and `{other}`; name one of them in `favourable`"
    )]
    NoFavourable {
        /// What is declared.
        favourable: String,
        /// The value that counts as 1.
        positive: String,
        /// The other value.
        other: String,
    },
    /// A row without a decision.
    #[error(
        "the decision is missing; every row needs one, so complete it where the data come from"
    )]
    NoDecision,
    /// A row without a score.
    #[error("the score is missing; every row needs one, so complete it where the data come from")]
    NoScore,
    /// A score that is no number.
    #[error("`{value}` is not a number; write scores as 7 or 0.75, with a decimal point")]
    NotANumber {
        /// The text.
        value: String,
    },
    /// A score that is infinite or NaN.
    #[error("the score `{value}` is not finite; correct it where the data come from")]
    NotFinite {
        /// The text.
        value: String,
    },
    /// A row without a weight.
    #[error("the weight is missing; every row needs one, 0 or above")]
    NoWeight,
    /// A weight that is none.
    #[error("`{value}` is no weight; a weight is 0 or a number from 1e-100 to 1e100")]
    BadWeight {
        /// What stands there.
        value: String,
    },
    /// A row without a person.
    #[error(
        "the person's identifier is missing; every row needs one where rows are counted by person"
    )]
    NoPerson,
    /// A value that is neither true nor false where a condition asks.
    #[error("`{value}` is neither true nor false; compare the column, such as `column == 'yes'`")]
    NotABool {
        /// The text.
        value: String,
    },
    /// A value that is no day where a condition asks for one.
    #[error("`{value}` is not a day; write days as 2026-08-02")]
    NotADay {
        /// The text.
        value: String,
    },
    /// Rows without a known group where none are allowed.
    #[error(
        "{n} rows have no known value, and `missing = \"refuse\"` allows none; complete them, or count them apart"
    )]
    Unknown {
        /// How many.
        n: u64,
    },
    /// A line that is no JSON object.
    #[error("the line is not a JSON object: {problem}; write one object a line")]
    NotAnObject {
        /// What the reader said.
        problem: String,
    },
    /// A member that is a list or an object.
    #[error("the member is a list or an object; a text, a number, true, false or null is needed")]
    NotAValue,
    /// An attribute with more than [`GROUPS_MAX`] values.
    #[error(
        "the column has more than {GROUPS_MAX} different values; put them into bins, such as age ranges, in a column of their own"
    )]
    TooManyGroups,
    /// A score with more than [`SCORE_VALUES_MAX`] values and no cuts.
    #[error(
        "the column has more than {SCORE_VALUES_MAX} different scores; declare `cuts`, the thresholds to count at"
    )]
    TooManyScores,
    /// More cells than [`CELLS_MAX`].
    #[error(
        "{columns} with label, decision and score make more than {CELLS_MAX} cells; use coarser bins, fewer columns or fewer cuts"
    )]
    TooManyCells {
        /// The key columns, in backticks.
        columns: String,
    },
    /// The declared reference group has no rows.
    #[error("the reference group `{reference}` has no rows; {hint}")]
    NoReference {
        /// The declared group.
        reference: String,
        /// The nearest group and the groups found.
        hint: String,
    },
}

fn kept_words(kept: &Option<String>) -> String {
    match kept {
        None => String::new(),
        Some(file) => format!("; what was answered is kept in `{file}`"),
    }
}

fn ending(extension: &str) -> String {
    if extension.is_empty() {
        "a name without an ending".to_owned()
    } else {
        format!("`.{extension}`")
    }
}

/// A value as a message may show it: at most 60 characters, control characters escaped.
pub(crate) fn shown(value: &str) -> String {
    let mut text = String::new();
    for char in alnager_law::read::shorten(value).chars() {
        if char.is_control() {
            text.extend(char.escape_default())
        } else {
            text.push(char)
        }
    }
    text
}

/// Says which of `names` a word most likely meant, and lists them, at most 16.
pub(crate) fn choices(word: &str, noun: &str, names: &[&str]) -> String {
    const LISTED_MAX: usize = 16;
    let listed: Vec<String> = names
        .iter()
        .take(LISTED_MAX)
        .map(|name| format!("`{}`", shown(name)))
        .collect();
    let more = match names.len().saturating_sub(LISTED_MAX) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let list = format!("the {noun} are {}{more}", listed.join(", "));
    let nearest = alnager_law::read::nearest(word, names.iter().copied());
    if nearest.starts_with("did you mean") {
        format!("{nearest} {list}")
    } else {
        list
    }
}
