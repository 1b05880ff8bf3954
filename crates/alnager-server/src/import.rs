//! Inventories from elsewhere: tables (CSV, XLSX) and ML-BOMs (CycloneDX) become declarations of systems.
//!
//! Pure: bytes in, a preview out. Nothing is lost in silence: the preview says what every column becomes, and names every field that has no
//! place here and every row that is refused. Memory and time are bounded whatever the bytes say.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use alnager_law::fact::{FactKind, FactType, Value, Vocabulary};
use alnager_law::read::nearest;
use alnager_office::declaration::{Declaration, DeclaredFact, Stage};
use jiff::civil::Date;

mod bom;
mod table;
mod workbook;

/// Most bytes of a file.
pub const BYTES_MAX: usize = 10 << 20;
/// Most rows of a table.
pub const ROWS_MAX: usize = 20_000;
/// Most columns of a table.
pub const COLUMNS_MAX: usize = 500;
/// Most filled cells of a table.
pub const CELLS_MAX: usize = 500_000;
/// Most bytes of all cells together.
const TEXT_BYTES_MAX: usize = 48 << 20;
/// Most bytes of a cell.
pub const CELL_BYTES_MAX: usize = 32 << 10;
/// Most characters of a name, of a system or of a person.
const NAME_MAX: usize = 200;
/// Fields without a place that a preview names one by one; the others are counted.
const UNPLACED_MAX: usize = 5_000;
/// Words of addresses that are no ids of systems.
const RESERVED: [&str; 1] = ["import"];

/// Why a file is not read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It is not what its name or its first bytes promise.
    #[error("`{file}` cannot be read: {problem}")]
    Unreadable {
        /// The file's name.
        file: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// There is too much of something.
    #[error("`{file}` has more than {limit} {what}; split it and import the parts")]
    TooMuch {
        /// The file's name.
        file: String,
        /// What there is too much of.
        what: &'static str,
        /// How much is read.
        limit: usize,
    },
    /// There is nothing in it.
    #[error(
        "`{file}` holds no systems; a table has a row of column names and then one row for each system"
    )]
    Empty {
        /// The file's name.
        file: String,
    },
}

/// A file as rows of text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows that hold something.
    pub rows: Vec<Row>,
    /// What was left out of the file as a whole.
    pub remarks: Vec<String>,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number as the file counts: the row of a table, or which model of an ML-BOM.
    pub at: usize,
    /// Its filled cells by column, without space around them.
    pub cells: Vec<(usize, String)>,
}

/// What a declaration is completed with.
pub struct With<'a> {
    /// The facts there are.
    pub vocabulary: &'a Vocabulary,
    /// The organisation of the desk.
    pub organisation: &'a str,
    /// Who imports: a person's name, or their id.
    pub importer: &'a str,
    /// Today.
    pub today: Date,
    /// The file's name.
    pub file: &'a str,
    /// Whether the desk has a system with this id.
    pub is_known: &'a dyn Fn(&str) -> bool,
}

/// What a file becomes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preview {
    /// What every column becomes, in the order of the file.
    pub columns: Vec<Column>,
    /// The systems that would be declared, with their rows.
    pub systems: Vec<(usize, Declaration)>,
    /// Rows of systems that the desk has already: the row and the id.
    pub existing: Vec<(usize, String)>,
    /// Rows that are refused, with the reason.
    pub refused: Vec<(usize, String)>,
    /// Fields that have no place, in the order of the file; at most [`UNPLACED_MAX`].
    pub unplaced: Vec<Unplaced>,
    /// How many fields have no place.
    pub n_unplaced: usize,
    /// What was left out of the file as a whole.
    pub remarks: Vec<String>,
}

/// What a column becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the file.
    pub name: String,
    /// The field; `None` where none has its name.
    pub field: Option<Field>,
    /// The field's name here, or which one may be meant.
    pub words: String,
    /// How many rows fill it.
    pub n_filled: usize,
}

/// A field that has no place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplaced {
    /// The row.
    pub row: usize,
    /// The column's name.
    pub column: String,
    /// The beginning of what it says.
    pub value: String,
    /// Why it has no place, and what would have.
    pub why: String,
}

/// A field of a declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The permanent id.
    Id,
    /// The name.
    Name,
    /// What it is for.
    Purpose,
    /// Who answers for it.
    Owner,
    /// Who builds it.
    Team,
    /// Where it stands in its life.
    Stage,
    /// The day it goes into use.
    GoLive,
    /// The time zone.
    TimeZone,
    /// The organisation.
    Organisation,
    /// A fact, by its position in the vocabulary.
    Fact(usize),
}

/// Names of columns, and the fields they become. Compared as [`folded`] has them.
const FIELDS: [(Field, &str, &[&str]); 9] = [
    (
        Field::Id,
        "id",
        &[
            "id",
            "system_id",
            "identifier",
            "key",
            "ref",
            "reference",
            "asset_id",
            "inventory_id",
        ],
    ),
    (
        Field::Name,
        "name",
        &[
            "name",
            "system",
            "system_name",
            "title",
            "application",
            "ai_system",
            "model",
            "model_name",
            "use_case_name",
        ],
    ),
    (
        Field::Purpose,
        "purpose",
        &[
            "purpose",
            "intended_purpose",
            "intended_use",
            "description",
            "use_case",
            "what_it_does",
            "summary",
            "modelcard_considerations_usecases",
        ],
    ),
    (
        Field::Owner,
        "owner",
        &[
            "owner",
            "system_owner",
            "business_owner",
            "responsible",
            "responsible_person",
            "accountable",
        ],
    ),
    (
        Field::Team,
        "team",
        &[
            "team",
            "builders",
            "developers",
            "built_by",
            "development_team",
        ],
    ),
    (
        Field::Stage,
        "stage",
        &[
            "stage",
            "lifecycle",
            "lifecycle_stage",
            "life_cycle",
            "status",
            "state",
        ],
    ),
    (
        Field::GoLive,
        "go_live_on",
        &[
            "go_live_on",
            "go_live",
            "go_live_date",
            "go_live_day",
            "launch_date",
            "live_since",
            "start_date",
            "in_use_since",
            "deployment_date",
            "deployed_on",
        ],
    ),
    (Field::TimeZone, "time_zone", &["time_zone", "timezone"]),
    (
        Field::Organisation,
        "organisation",
        &["organisation", "organization", "company"],
    ),
];

/// Names of columns that become the fact `places`.
const PLACES: [&str; 9] = [
    "country",
    "countries",
    "region",
    "regions",
    "jurisdiction",
    "jurisdictions",
    "where",
    "location",
    "locations",
];

/// Other names of places, as inventories have them.
const PLACE_NAMES: [(&str, &str); 7] = [
    ("european union", "EU"),
    ("united kingdom", "UK"),
    ("great britain", "UK"),
    ("gb", "UK"),
    ("united states", "US"),
    ("united states of america", "US"),
    ("usa", "US"),
];

/// Reads a file: a workbook by its first bytes, an ML-BOM by its brace, and else a table of text.
pub fn read(file: &str, bytes: &[u8]) -> Result<Table, ImportError> {
    if bytes.len() > BYTES_MAX {
        return Err(too_much(file, "bytes", BYTES_MAX));
    }
    if bytes.starts_with(b"PK") {
        return workbook::read(file, bytes);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| {
        unreadable(
            file,
            "it is neither a workbook nor text in UTF-8; save it as `CSV UTF-8` or as XLSX",
        )
    })?;
    match text.trim_start().starts_with(['{', '[']) {
        true => bom::read(file, text),
        false => table::read(file, text),
    }
}

fn unreadable(file: &str, problem: &str) -> ImportError {
    ImportError::Unreadable {
        file: file.to_owned(),
        problem: problem.to_owned(),
    }
}

fn too_much(file: &str, what: &'static str, limit: usize) -> ImportError {
    ImportError::TooMuch {
        file: file.to_owned(),
        what,
        limit,
    }
}

/// Takes rows into a table, within its bounds.
struct Rows<'f> {
    file: &'f str,
    table: Table,
    n_cells: usize,
    n_bytes: usize,
}

impl<'f> Rows<'f> {
    fn new(file: &'f str) -> Rows<'f> {
        Rows {
            file,
            table: Table::default(),
            n_cells: 0,
            n_bytes: 0,
        }
    }

    /// Takes the names of the columns.
    fn name_columns(&mut self, names: Vec<String>) -> Result<(), ImportError> {
        if names.len() > COLUMNS_MAX {
            return Err(too_much(self.file, "columns", COLUMNS_MAX));
        }
        self.table.columns = names;
        Ok(())
    }

    /// Takes a row; one that holds nothing is passed over.
    fn take(&mut self, at: usize, cells: Vec<(usize, String)>) -> Result<(), ImportError> {
        let filled = cells
            .into_iter()
            .map(|(column, text)| (column, text.trim().to_owned()));
        let cells: Vec<(usize, String)> = filled.filter(|(_, text)| !text.is_empty()).collect();
        if cells.is_empty() {
            return Ok(());
        }
        self.n_cells += cells.len();
        self.n_bytes += cells.iter().map(|(_, text)| text.len()).sum::<usize>();
        if self.n_bytes > TEXT_BYTES_MAX {
            return Err(too_much(self.file, "bytes of text", TEXT_BYTES_MAX));
        }
        if self.table.rows.len() == ROWS_MAX {
            return Err(too_much(self.file, "rows", ROWS_MAX));
        }
        if self.n_cells > CELLS_MAX {
            return Err(too_much(self.file, "filled cells", CELLS_MAX));
        }
        if cells.iter().any(|(_, text)| text.len() > CELL_BYTES_MAX) {
            return Err(unreadable(
                self.file,
                &format!("a cell of row {at} has more than {CELL_BYTES_MAX} bytes; shorten it"),
            ));
        }
        self.table.rows.push(Row { at, cells });
        Ok(())
    }

    fn finish(self) -> Result<Table, ImportError> {
        match self.table.rows.is_empty() {
            true => Err(ImportError::Empty {
                file: self.file.to_owned(),
            }),
            false => Ok(self.table),
        }
    }
}

/// Says what a table becomes.
pub fn place(table: &Table, with: &With<'_>) -> Preview {
    let mut preview = Preview {
        columns: columns(table, with.vocabulary),
        remarks: table.remarks.clone(),
        ..Preview::default()
    };
    let mut seen: HashMap<String, usize> = HashMap::new();
    for row in &table.rows {
        match declaration(row, &mut preview, with) {
            Err(why) => preview.refused.push((row.at, why)),
            Ok(declared) => {
                let id = declared.id.clone();
                match seen.get(&id) {
                    Some(first) => {
                        let why = format!(
                            "the id `{id}` is that of row {first} already; give each system an id of its own in a column `id`"
                        );
                        preview.refused.push((row.at, why));
                    }
                    None => {
                        seen.insert(id.clone(), row.at);
                        match (with.is_known)(&id) {
                            true => preview.existing.push((row.at, id)),
                            false => preview.systems.push((row.at, declared)),
                        }
                    }
                }
            }
        }
    }
    preview
}

fn columns(table: &Table, vocabulary: &Vocabulary) -> Vec<Column> {
    let mut n_filled = vec![0; table.columns.len()];
    for (column, _) in table.rows.iter().flat_map(|row| &row.cells) {
        if let Some(n) = n_filled.get_mut(*column) {
            *n += 1;
        }
    }
    let columns = table.columns.iter().zip(n_filled);
    columns
        .map(|(name, n_filled)| {
            let field = field_of(name, vocabulary);
            let words = match field {
                Some(field) => field_name(field, vocabulary).to_owned(),
                None => hint(name, vocabulary),
            };
            Column {
                name: name.clone(),
                field,
                words,
                n_filled,
            }
        })
        .collect()
}

/// The field that a column's name stands for.
fn field_of(column: &str, vocabulary: &Vocabulary) -> Option<Field> {
    let whole = folded(column);
    let property = whole.strip_prefix("properties_");
    let name = property.unwrap_or(&whole);
    let name = name.strip_prefix("alnager_").unwrap_or(name);
    let name = name
        .strip_prefix("facts_")
        .or(name.strip_prefix("fact_"))
        .unwrap_or(name);
    let plain = FIELDS.iter().find(|(.., names)| names.contains(&name));
    match plain.map(|(field, ..)| *field) {
        // A model's name and purpose stand in the component itself; a property of that name says something else.
        Some(Field::Id | Field::Name | Field::Purpose) if property.is_some() => None,
        Some(field) => Some(field),
        None if PLACES.contains(&name) => vocabulary.position("places").map(Field::Fact),
        None => vocabulary.position(name).map(Field::Fact),
    }
}

/// A field's name in declarations.
pub fn field_name(field: Field, vocabulary: &Vocabulary) -> &str {
    let plain = FIELDS.iter().find(|(known, ..)| *known == field);
    match (plain, field) {
        (Some((_, name, _)), _) => name,
        (None, Field::Fact(at)) => vocabulary
            .kinds()
            .get(at)
            .map_or("", |kind| kind.name.as_str()),
        (
            None,
            Field::Id
            | Field::Name
            | Field::Purpose
            | Field::Owner
            | Field::Team
            | Field::Stage
            | Field::GoLive
            | Field::TimeZone
            | Field::Organisation,
        ) => "",
    }
}

fn hint(column: &str, vocabulary: &Vocabulary) -> String {
    // Comparing takes time by the square of the length.
    let short: String = folded(column).chars().take(60).collect();
    let names = FIELDS.iter().map(|(_, name, _)| *name);
    format!(
        "no field has this name; {}",
        nearest(&short, names.chain(vocabulary.names()))
    )
}

/// A column's name in small letters and digits, with `_` for everything between them.
fn folded(name: &str) -> String {
    let mut folded = String::new();
    for letter in name.chars() {
        if letter.is_alphanumeric() {
            folded.extend(letter.to_lowercase());
        } else if !folded.is_empty() && !folded.ends_with('_') {
            folded.push('_');
        }
    }
    folded.truncate(folded.trim_end_matches('_').len());
    folded
}

/// What a row says of each field.
type Said<'a> = BTreeMap<Field, (&'a str, usize)>;

/// A row as a declaration. `Err`: why it is refused.
fn declaration(row: &Row, preview: &mut Preview, with: &With<'_>) -> Result<Declaration, String> {
    let said = said(row, preview);
    let text = |field: Field| said.get(&field).map(|(text, _)| *text);
    if let Some(organisation) = text(Field::Organisation).filter(|text| *text != with.organisation)
    {
        return Err(format!(
            "it is a system of `{}`, and this desk belongs to `{}`; import it there",
            short(organisation),
            with.organisation
        ));
    }
    let name = text(Field::Name).ok_or("it has no name; fill a column `name`")?;
    let purpose = text(Field::Purpose)
        .ok_or("it does not say what it is for, on which the law turns; fill a column `purpose`")?;
    let id = id(text(Field::Id), name)?;
    let owner = text(Field::Owner).unwrap_or(with.importer).to_owned();
    let team: Vec<String> = match text(Field::Team) {
        Some(text) => listed(text).map(str::to_owned).collect(),
        None => vec![owner.clone()],
    };
    for person in team
        .iter()
        .chain([&owner])
        .map(String::as_str)
        .chain([name])
    {
        check_name(person)?;
    }
    let mut declaration = Declaration {
        id,
        name: name.to_owned(),
        organisation: with.organisation.to_owned(),
        owner,
        team,
        purpose: purpose.to_owned(),
        stage: text(Field::Stage).map_or(Ok(Stage::Proposed), stage)?,
        go_live_on: text(Field::GoLive).map(day).transpose()?,
        time_zone: text(Field::TimeZone).map(time_zone).transpose()?,
        what_if: None,
        owners: BTreeMap::new(),
        facts: BTreeMap::new(),
        audits: Vec::new(),
        limits: Vec::new(),
        evidence: Vec::new(),
        absences: Vec::new(),
    };
    for (field, (text, column)) in &said {
        if let Field::Fact(at) = field {
            fact(row, (*at, text, *column), &mut declaration, preview, with);
        }
    }
    Ok(declaration)
}

/// What a row says of each field: its first filled column that stands for it. The other columns have no place.
fn said<'a>(row: &'a Row, preview: &mut Preview) -> Said<'a> {
    let mut said = Said::new();
    for (at, text) in &row.cells {
        let column = preview.columns.get(*at);
        let Some(field) = column.and_then(|column| column.field) else {
            let why = column.map_or_else(
                || "it stands behind the last column that has a name".to_owned(),
                |column| column.words.clone(),
            );
            preview.leave(row.at, *at, text, why);
            continue;
        };
        match said.get(&field) {
            None => drop(said.insert(field, (text, *at))),
            Some((_, first)) => {
                let first = &preview.columns[*first].name;
                let why = format!(
                    "the row says the same field in column `{}` already",
                    short(first)
                );
                preview.leave(row.at, *at, text, why);
            }
        }
    }
    said
}

/// Takes a fact into a declaration, or leaves it out where its answer cannot be read: it is then unknown.
fn fact(
    row: &Row,
    (at, text, column): (usize, &str, usize),
    declaration: &mut Declaration,
    preview: &mut Preview,
    with: &With<'_>,
) {
    let Some(kind) = with.vocabulary.kinds().get(at) else {
        return;
    };
    match answer(kind, text) {
        Err(why) => preview.leave(row.at, column, text, why),
        Ok(value) => {
            let answer = DeclaredFact {
                value: value.to_text(),
                by: with.importer.to_owned(),
                on: with.today,
                basis: format!("imported from `{}`, row {}", short(with.file), row.at),
            };
            declaration.facts.insert(kind.name.clone(), answer);
        }
    }
}

impl Preview {
    fn leave(&mut self, row: usize, column: usize, value: &str, why: String) {
        self.n_unplaced += 1;
        if self.unplaced.len() < UNPLACED_MAX {
            let name = self.columns.get(column).map(|column| short(&column.name));
            self.unplaced.push(Unplaced {
                row,
                column: name.unwrap_or_else(|| format!("column {}", column + 1)),
                value: short(value),
                why,
            });
        }
    }
}

/// The beginning of a text, for showing what is meant.
fn short(text: &str) -> String {
    const MAX: usize = 80;
    match text.char_indices().nth(MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Refuses what is no name of a system or a person.
pub fn check_name(name: &str) -> Result<(), String> {
    match name.chars().count() <= NAME_MAX && !name.chars().any(char::is_control) {
        true => Ok(()),
        false => Err(format!(
            "`{}` is too long for a name, or has line breaks; keep to one line of {NAME_MAX} characters",
            short(name)
        )),
    }
}

/// The parts of a cell that lists several.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split([',', ';', '|', '\n']);
    parts.map(str::trim).filter(|part| !part.is_empty())
}

fn id(said: Option<&str>, name: &str) -> Result<String, String> {
    let id = slug(said.unwrap_or(name));
    match is_id(&id) {
        true => Ok(id),
        false => Err(format!(
            "no id can be made of `{}`; give it one of lower-case letters, digits and hyphens in a column `id`",
            short(said.unwrap_or(name))
        )),
    }
}

/// An id made of a name; empty where the name has no letter or digit of the Latin alphabet.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() == 64 {
            break;
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// Whether a system may have this id: 1 to 64 lower-case letters, digits and hyphens, and no word of our own addresses.
pub fn is_id(id: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&id.len())
        && id.bytes().all(fits)
        && !id.starts_with('-')
        && !RESERVED.contains(&id)
}

/// The stage a word stands for.
fn stage(text: &str) -> Result<Stage, String> {
    match folded(text).as_str() {
        "proposed" | "proposal" | "idea" | "planned" | "concept" => Ok(Stage::Proposed),
        "development" | "in_development" | "build" | "building" | "design" => {
            Ok(Stage::Development)
        }
        "validation" | "in_validation" | "testing" | "in_testing" | "test" => Ok(Stage::Validation),
        "in_use" | "live" | "production" | "in_production" | "operational" | "deployed"
        | "active" => Ok(Stage::InUse),
        "retired" | "decommissioned" | "archived" => Ok(Stage::Retired),
        _ => Err(format!(
            "`{}` is no stage, and a wrong one would be judged wrongly; write one of `{}`",
            short(text),
            Stage::WORDS.join("`, `")
        )),
    }
}

/// A day: `2026-08-02`, also with a time behind it, `2.8.2026`, or with slashes where only one order is possible.
fn day(text: &str) -> Result<Date, String> {
    let wrong = || {
        format!(
            "`{}` is no day that can be read one way only; write it as `2026-08-02`",
            short(text)
        )
    };
    let first = text.split(['T', ' ']).next().unwrap_or_default();
    if let Ok(day) = first.parse() {
        return Ok(day);
    }
    let separator = if first.contains('.') { '.' } else { '/' };
    let parts: Vec<i16> = first
        .split(separator)
        .map_while(|part| part.parse().ok())
        .collect();
    let [one, two, year] = parts[..] else {
        return Err(wrong());
    };
    let date = |day: i16, month: i16| {
        let (day, month) = (i8::try_from(day).ok()?, i8::try_from(month).ok()?);
        Date::new(year, month, day).ok().filter(|_| year >= 1900)
    };
    let read = match (separator, date(one, two), date(two, one)) {
        ('.', read, _) => read,
        (_, Some(read), Some(other)) => (read == other).then_some(read),
        (_, read, other) => read.or(other),
    };
    read.ok_or_else(wrong)
}

fn time_zone(text: &str) -> Result<String, String> {
    match jiff::tz::TimeZone::get(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(format!(
            "`{}` is no time zone; write an IANA name such as `Europe/Berlin`",
            short(text)
        )),
    }
}

/// An answer as inventories write it. `Err`: what would be one.
fn answer(kind: &FactKind, text: &str) -> Result<Value, String> {
    if let Some(pack) = &kind.adopts {
        return Err(format!(
            "it follows from whether the organisation adopted `{pack}`; decide on that"
        ));
    }
    let wrong = |expected: String| Err(format!("it is left unknown: {expected}"));
    let is_none = matches!(folded(text).as_str(), "none" | "none_of_them");
    match &kind.of {
        FactType::Bool => match folded(text).as_str() {
            "yes" | "y" | "true" | "1" => Ok(Value::Bool(true)),
            "no" | "n" | "false" | "0" => Ok(Value::Bool(false)),
            _ => wrong("write `yes` or `no`".to_owned()),
        },
        FactType::Number if is_none => Ok(Value::None),
        FactType::Number => {
            let plain: String = text
                .chars()
                .filter(|letter| !matches!(letter, ' ' | '_' | '\u{a0}'))
                .collect();
            kind.parse(&plain).map_or_else(
                || wrong("write a number such as `2500`, or `none`".to_owned()),
                Ok,
            )
        }
        FactType::Date if is_none => Ok(Value::None),
        FactType::Date => day(text).map_or_else(wrong, |day| Ok(Value::Date(day))),
        FactType::Enum(values) => match known(values, text) {
            Some(value) => Ok(Value::One(value)),
            None => wrong(choices(values, text)),
        },
        FactType::Set(values) => {
            let mut set = BTreeSet::new();
            if is_none && !values.iter().any(|value| value == "none") {
                return Ok(Value::Set(set));
            }
            // An answered set is complete: where one part cannot be read, the whole is not answered.
            for part in listed(text) {
                match known(values, part) {
                    Some(value) => drop(set.insert(value)),
                    None => return wrong(choices(values, part)),
                }
            }
            Ok(Value::Set(kind.closed(set)))
        }
    }
}

/// One of the values, without regard to capitals and spacing.
fn known(values: &[String], text: &str) -> Option<String> {
    let wanted = folded(text);
    let lower = text.to_lowercase();
    let other = PLACE_NAMES
        .iter()
        .find(|(name, _)| *name == lower)
        .map(|(_, place)| *place);
    let fits = |value: &&String| folded(value) == wanted || other == Some(value.as_str());
    values.iter().find(fits).cloned()
}

fn choices(values: &[String], text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    format!(
        "`{short}` is no answer; {}",
        nearest(&short, values.iter().map(String::as_str))
    )
}

#[cfg(test)]
mod tests;
