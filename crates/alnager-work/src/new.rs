//! A new declaration: a `system.toml` that reads back, with every field explained and every question written out.

pub mod schema;

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use alnager_law::fact::{FactKind, FactType};
use alnager_office::declaration::Declaration;
use jiff::civil::Date;

use crate::acting::{Acting, Flags};
use crate::error::JobError;

/// What a new declaration says where nobody has said it yet. A review refuses it.
pub(crate) const ORGANISATION_TO_SAY: &str = "Your organisation";
/// The same for the purpose.
pub(crate) const PURPOSE_TO_SAY: &str = "Say in a sentence what it is meant to be used for.";

/// What to declare.
#[derive(Debug, Clone, Default)]
pub struct NewSystem {
    /// The folder; made if it is missing.
    pub dir: PathBuf,
    /// The permanent id; without it, made of the name.
    pub id: Option<String>,
    /// The name people use; without it, that of the folder.
    pub name: Option<String>,
    /// The organisation; without it a placeholder.
    pub organisation: Option<String>,
    /// The intended purpose; without it a placeholder.
    pub purpose: Option<String>,
}

/// What was written.
#[derive(Debug, Clone)]
pub struct Made {
    /// The declaration.
    pub file: PathBuf,
    /// The system's id.
    pub id: String,
    /// Facts it lists.
    pub n_facts: usize,
}

/// Columns in which comments are set.
const WIDTH: usize = 118;

/// Writes a new declaration; one that is there already is never touched.
pub fn new_system(flags: &Flags, new: &NewSystem) -> Result<Made, JobError> {
    let acting = Acting::begin(flags)?;
    let folder = new.dir.canonicalize().unwrap_or_else(|_| new.dir.clone());
    let folder = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = new
        .name
        .clone()
        .or(folder)
        .unwrap_or_else(|| "system".to_owned());
    let id = new.id.clone().unwrap_or_else(|| slug(&name));
    let organisation = new.organisation.as_deref().unwrap_or(ORGANISATION_TO_SAY);
    let purpose = new.purpose.as_deref().unwrap_or(PURPOSE_TO_SAY);
    let book = &acting.library.book;
    let today = acting.today(None);
    let mut text = head(&id, &name, organisation, purpose, &acting.actor);
    text.push_str(&facts(book.vocabulary.kinds(), &acting.actor, today));
    text.push_str(REST);
    let file = new.dir.join("system.toml");
    // What is written must read back; a name or id that does not fit is told before anything is made.
    Declaration::parse(
        &file.display().to_string(),
        &text,
        book,
        &acting.library.policy,
    )?;
    write_new(&file, text.as_bytes())?;
    Ok(Made {
        file,
        id,
        n_facts: book.vocabulary.kinds().len(),
    })
}

fn write_new(file: &Path, bytes: &[u8]) -> Result<(), JobError> {
    let error = |source: std::io::Error| {
        if source.kind() == ErrorKind::AlreadyExists {
            return JobError::Input(format!(
                "`{}` is there already and stays as it is; go on with it, or name another folder",
                file.display()
            ));
        }
        JobError::File {
            path: file.to_owned(),
            doing: "cannot be written; name a folder you may write to",
            source,
            is_input: true,
        }
    };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(error)?;
    }
    let mut out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .map_err(error)?;
    let written = out.write_all(bytes).and_then(|()| out.sync_all());
    written.map_err(|source| {
        // Ours and half written; that it may already be gone does not matter.
        let _ = std::fs::remove_file(file);
        error(source)
    })
}

/// An id made of a name: lower-case letters, digits and hyphens.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for char in name.to_lowercase().chars() {
        if char.is_ascii_alphanumeric() {
            slug.push(char);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(64);
    match slug.trim_end_matches('-') {
        "" => "system".to_owned(),
        slug => slug.to_owned(),
    }
}

fn text(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

/// One field with its explanation.
fn field(name: &str, value: &str, what: &str) -> String {
    format!("{:<35} # {what}\n", format!("{name} = {value}"))
}

fn head(id: &str, name: &str, organisation: &str, purpose: &str, actor: &str) -> String {
    let mut head = HEAD.to_owned();
    for (name, value, what) in [
        ("schema", text("alnager.system/1"), "the form of this file"),
        (
            "id",
            text(id),
            "permanent: lower-case letters, digits, hyphens",
        ),
        ("name", text(name), "the name people use"),
        (
            "organisation",
            text(organisation),
            "whose system it is; a desk belongs to one organisation",
        ),
        ("owner", text(actor), "who answers for the system"),
        (
            "team",
            format!("[{}]", text(actor)),
            "who builds it; they cannot confirm their own exceptions",
        ),
        ("purpose", text(purpose), "the intended purpose"),
        (
            "stage",
            text("proposed"),
            "proposed | development | validation | in_use | retired",
        ),
        (
            "# go_live_on",
            "2027-01-01".to_owned(),
            "the day it goes into use, which the review judges; without it, today",
        ),
        (
            "# time_zone",
            text("Europe/Berlin"),
            "where \"today\" is taken; without it, UTC",
        ),
        (
            "# what_if",
            text("..."),
            "why the declaration is hypothetical, if it is; shown everywhere",
        ),
    ] {
        head.push_str(&field(name, &value, what));
    }
    head.push_str("\n[owners]\n");
    let engineer = "by role: officer | legal | engineer | system_owner | privacy | risk | security; without a line, the owner";
    head.push_str(&field("# engineer", &text("..."), engineer));
    head.push_str(&field("# \"GDPR-35\"", &text("..."), "by requirement"));
    head.push_str(FACTS);
    head
}

/// Every question with the answers it takes, commented out.
fn facts(kinds: &[FactKind], actor: &str, today: Date) -> String {
    let mut page = String::new();
    // Whether a framework is adopted is a decision of the organisation, not the system's answer.
    for kind in kinds.iter().filter(|kind| kind.adopts.is_none()) {
        page.push('\n');
        comment(&mut page, &kind.question);
        comment(&mut page, &answers(kind));
        if let Some(cite) = &kind.guard_cite {
            let guarded = kind.guarded.join(", ");
            comment(
                &mut page,
                &format!("{guarded}: counts once someone outside the team confirms it ({cite})"),
            );
        }
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "# {} = {{ value = …, by = {}, on = {today}, basis = \"…\" }}",
            kind.name,
            text(actor)
        );
    }
    page
}

/// The answers a fact takes, in words.
pub(crate) fn answers(kind: &FactKind) -> String {
    match &kind.of {
        FactType::Bool => "true | false".to_owned(),
        FactType::Number => "a number, or \"none\"".to_owned(),
        FactType::Date => "a day such as 2026-08-02, or \"none\"".to_owned(),
        FactType::Enum(values) => values.join(" | "),
        FactType::Set(values) => format!("all that apply, or []: {}", values.join(", ")),
    }
}

fn comment(page: &mut String, text: &str) {
    let mut line = "#".to_owned();
    for word in text.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            page.push_str(&line);
            page.push_str("\n#");
            line.clear();
        }
        line.push(' ');
        line.push_str(word);
    }
    page.push_str(&line);
    page.push('\n');
}

const HEAD: &str = "\
# The declaration of one AI system. A line that begins with # says nothing yet; take the # away and fill it in.
# An editor can check it: `alnager new --schema > system.schema.json`, and as the first line `#:schema ./system.schema.json`.

";

const FACTS: &str = "
# ---- Facts: each answer with who gave it, when, and on what basis. Leave out what nobody knows: unknown is an answer.
# `alnager law interview` asks those that matter for this system, the one that settles most first, and writes them here.

[facts]
";

/// The parts that come later in a system's life, commented out.
const REST: &str = r#"
# ---- The audit: what to measure, and for whom. One or more; the data file lies beside this one.

# [[audit]]
# name = "approval-by-age"            # its name, unique here
# data = "data.csv"                   # CSV or Parquet, relative to this file
# label = { column = "outcome", positive = "1" }                            # the observed outcome; optional
# decision = { column = "decision", positive = "approve", favourable = "approve" }   # what the system decided
# # or: decision = { column = "score", at_least = 0.6, favourable = "at_least" }     # at_least | below
# score = { column = "score", cuts = [0.4, 0.6] }                           # the score behind it; optional
# strata = "region"                   # a column counted for stratified tests; optional
# unknown = ["NA"]                    # spellings that mean unknown, besides the empty cell; optional

# [[audit.attribute]]
# column = "age_group"                # the column of groups
# characteristic = "age"              # what it records: age | sex | race_ethnicity | ... (docs/formats/system.md)
# reference = "26 - 61"               # the group the others are compared with; optional

# ---- Limits stricter than the policy's

# [[limit]]
# test = "impact-ratio"               # the policy's test
# low = "0.85"                        # the lowest value that passes; or high; decimals as text
# why = "..."                         # why it is stricter

# ---- Evidence on offer: it counts once a person other than the submitter accepts it

# [[evidence]]
# file = "evidence/dpia.md"           # relative to this file
# kind = "dpia"                       # docs/reference/evidence-kinds.md
# requirements = ["GDPR-35"]          # what it is offered for
# effective = 2026-10-01              # counts from this day
# expires = 2027-10-01                # and no longer from this one; optional
# submitted_by = "..."                # who submits it

# ---- What the team says is not done: a gap

# [[absence]]
# requirement = "GDPR-36"             # the requirement not met
# stated_by = "..."                   # who says so
# on = 2026-10-06                     # when
# why = "..."                         # what is missing, and until when
"#;

#[cfg(test)]
mod tests;
