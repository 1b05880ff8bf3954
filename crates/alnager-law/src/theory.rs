//! Theories: which legal theory or rule a fairness test serves, on a day, in a place, for a kind of decision.
//!
//! A theory has no dates of its own (`docs/decisions/0005`): its first requirement dates it, through the date groups of that requirement's
//! pack. What is not listed is not thereby lawful; what was looked for in vain is an [`Absent`].

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::book::{Book, BoundPack, Reader};
use crate::fact::{FactType, Facts};
use crate::read::{self, Node, ReadError, nearest};
use crate::requirement::{AsOf, Force, Standing, force};

/// The kinds of test a theory may name: one closed list. The audit's words for its figures and tests are taken from it.
pub const TESTS: [&str; 33] = [
    // Selection and its differences.
    "selection_rate",
    "selection_rate_difference",
    "scoring_rate",
    "impact_ratio",
    "four_fifths",
    "shortfall",
    "flip_one",
    "quantile_impact_ratio",
    "numeric_gap",
    "ranking_skew",
    // Significance.
    "fisher",
    "fisher_midp",
    "z_pooled",
    "sd_units",
    "chi2",
    "cmh",
    "breslow_day",
    "smd",
    // Errors and scores by group.
    "tpr_difference",
    "fpr_difference",
    "fnr_difference",
    "ppv_difference",
    "accuracy_difference",
    "accuracy",
    "calibration",
    "brier",
    "auc",
    // With controls, proxies and alternatives.
    "average_marginal_effect",
    "oaxaca_blinder",
    "bisg",
    "proxy",
    "search_for_alternatives",
    // A cut-off of its own for each group.
    "group_threshold",
];

/// The word of a theory or an absence that holds for every kind of decision.
const GENERAL: &str = "general";

/// The fact whose values are the kinds of decision.
const DOMAINS: &str = "consequential_domains";

/// The fact whose values are the places.
const PLACES: &str = "places";

/// The jurisdiction of what is bound to no place.
const INTERNATIONAL: &str = "INT";

/// A legal theory or rule that a test can serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theory {
    /// Its permanent id, such as `us-ecoa-effects`.
    pub id: String,
    /// The title.
    pub title: String,
    /// What it looks at.
    pub kind: TheoryKind,
    /// The requirements it rests on, of one pack; the first one dates it.
    pub requirements: Vec<String>,
    /// The kinds of decision: values of the fact `consequential_domains`, or `general`.
    pub domains: Vec<String>,
    /// The traits the text read names; empty where no text that lists them was read.
    pub bases: Vec<String>,
    /// The source.
    pub cite: String,
    /// The question it asks.
    pub asks: String,
    /// The tests that serve it, from [`TESTS`]; none for a condition.
    pub tests: Vec<String>,
    /// The number its text sets, or why there is none.
    pub figure: TheoryFigure,
    /// The tests beside which the warning is printed.
    pub warns: Vec<String>,
    /// The warning; there is one where `warns` is not empty.
    pub warning: Option<String>,
    /// What counsel must decide.
    pub counsel: String,
    /// What was not read.
    pub unconfirmed_detail: Option<String>,
    /// What happened to it, each from the day it was known.
    pub notes: Vec<TheoryNote>,
    line: usize,
}

/// What a theory looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TheoryKind {
    /// Effect without intent.
    Impact,
    /// Intent, or use of a trait.
    Treatment,
    /// The text read does not say which of the two.
    Discrimination,
    /// A rule of thumb.
    Yardstick,
    /// What is to be computed and shown.
    Transparency,
    /// Looking for bias is the duty.
    Examination,
    /// What must hold before people may be counted by a trait.
    Condition,
}

/// The number a theory's text sets, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TheoryFigure {
    /// The only number the text names.
    Set(TheoryLimit),
    /// In words, why there is none.
    None(String),
}

/// The only number a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TheoryLimit {
    /// What it is a limit of, one of the theory's tests.
    pub metric: String,
    /// The lowest value within it, as the text writes it.
    pub low: Option<String>,
    /// The highest value within it.
    pub high: Option<String>,
    /// Whether it is law or a rule of thumb.
    pub source: TheoryLimitSource,
    /// The source.
    pub cite: String,
}

/// What a number in a text is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TheoryLimitSource {
    /// To be outside is a breach.
    Law,
    /// A rule of thumb: never printed as law.
    Yardstick,
}

/// Something that happened to a theory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TheoryNote {
    /// The day it became known; it is shown from then on.
    pub known: Date,
    /// The words.
    pub text: String,
}

/// What one may look for among the theories in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// Its id.
    pub id: String,
    /// The title.
    pub title: String,
    /// Why it is not there.
    pub state: AbsentState,
    /// Where it governs.
    pub jurisdiction: String,
    /// The kinds of decision, as for a theory.
    pub domains: Vec<String>,
    /// The source, where one was read.
    pub cite: Option<String>,
    /// What can be said of it.
    pub why: String,
    line: usize,
}

/// Why something is not among the theories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AbsentState {
    /// It was not read, so nothing is said of it.
    NotHeld,
    /// It was read, and asks for no fairness test.
    Silent,
}

/// Every theory, and what was looked for in vain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Theories {
    file: String,
    theories: Vec<Theory>,
    absent: Vec<Absent>,
}

/// A theory that a test serves, as it stands on a day with the law known by a day.
#[derive(Debug, Clone)]
pub struct Serving<'t> {
    /// The theory.
    pub theory: &'t Theory,
    /// Where it governs.
    pub jurisdiction: &'t str,
    /// The requirement that dates it. Counsel's reading of it is a reading of the theory.
    pub requirement: &'t str,
    /// How it stands.
    pub standing: TheoryStanding,
    /// Where its dates come from, with the instrument.
    pub dated_by: Option<String>,
    /// How far it can be enforced on the day judged.
    pub force: Force,
    /// What about the requirement that dates it is not confirmed; not empty means *for counsel*.
    pub unconfirmed: Vec<String>,
    /// What had happened to it by the day of knowledge.
    pub notes: Vec<&'t TheoryNote>,
    /// What is printed beside this test.
    pub warning: Option<&'t str>,
}

/// How a theory stands on the day judged, for a system it concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TheoryStanding {
    /// It governs.
    InForce {
        /// The first day.
        from: Date,
    },
    /// It governed and no longer does.
    Ended {
        /// The first day it no longer governs.
        on: Date,
    },
    /// It is known and has not begun.
    NotYet {
        /// The first day it can govern.
        from: Date,
    },
    /// Facts about the system decide whether its day has come: ask the requirement.
    Unconfirmed {
        /// The earliest day it could govern.
        from: Date,
    },
}

impl TheoryKind {
    /// The words used in files and on the screen, in the order of the list.
    pub const WORDS: [&str; 7] = [
        "impact",
        "treatment",
        "discrimination",
        "yardstick",
        "transparency",
        "examination",
        "condition",
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            TheoryKind::Impact => "impact",
            TheoryKind::Treatment => "treatment",
            TheoryKind::Discrimination => "discrimination",
            TheoryKind::Yardstick => "yardstick",
            TheoryKind::Transparency => "transparency",
            TheoryKind::Examination => "examination",
            TheoryKind::Condition => "condition",
        }
    }

    fn read(node: &Node) -> Result<Self, ReadError> {
        Ok(match node.one_of(Self::WORDS)?.as_str() {
            "impact" => TheoryKind::Impact,
            "treatment" => TheoryKind::Treatment,
            "discrimination" => TheoryKind::Discrimination,
            "yardstick" => TheoryKind::Yardstick,
            "transparency" => TheoryKind::Transparency,
            "examination" => TheoryKind::Examination,
            _ => TheoryKind::Condition,
        })
    }
}

impl TheoryLimit {
    /// Whether it is a rule of thumb, which is never printed as law.
    pub fn is_yardstick(&self) -> bool {
        self.source == TheoryLimitSource::Yardstick
    }
}

impl Theory {
    /// The number its text sets, where it sets one.
    pub fn limit(&self) -> Option<&TheoryLimit> {
        match &self.figure {
            TheoryFigure::Set(limit) => Some(limit),
            TheoryFigure::None(_) => None,
        }
    }

    /// Why its text sets no number, where it sets none.
    pub fn no_limit(&self) -> Option<&str> {
        match &self.figure {
            TheoryFigure::Set(_) => None,
            TheoryFigure::None(why) => Some(why),
        }
    }
}

impl AbsentState {
    /// The word used in files and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            AbsentState::NotHeld => "not_held",
            AbsentState::Silent => "silent",
        }
    }
}

impl TheoryStanding {
    /// In words, such as `ended on 2026-07-21`.
    pub fn words(self) -> String {
        match self {
            TheoryStanding::InForce { from } => format!("in force since {from}"),
            TheoryStanding::Ended { on } => format!("ended on {on}"),
            TheoryStanding::NotYet { from } => format!("not yet: it governs from {from}"),
            TheoryStanding::Unconfirmed { from } => {
                format!("from {from} at the earliest: facts about the system decide")
            }
        }
    }

    /// Whether it is known to govern.
    pub fn is_in_force(self) -> bool {
        matches!(self, TheoryStanding::InForce { .. })
    }
}

impl Serving<'_> {
    /// The number its text sets, where it sets one.
    pub fn limit(&self) -> Option<&TheoryLimit> {
        self.theory.limit()
    }

    /// What counsel must decide, what is not confirmed and what was not read, as one text.
    pub fn for_counsel(&self) -> String {
        let own = std::iter::once(&self.theory.counsel);
        let not_read = self.theory.unconfirmed_detail.iter();
        let parts: Vec<&str> = own
            .chain(not_read)
            .chain(&self.unconfirmed)
            .map(|part| part.trim())
            .collect();
        parts.join(" ")
    }
}

impl Theories {
    /// Reads `packs/theories.toml`. What it says of the book is held against it by [`Book::with_theories`].
    pub fn parse(file: &str, text: &str) -> Result<Self, ReadError> {
        let root = read::read(file, text)?;
        root.only(&["schema", "version", "theory", "absent"])?;
        root.need("schema")?.one_of(["alnager.theories/1"])?;
        let mut theories = Vec::new();
        for field in root.need("theory")?.table()? {
            theories.push(theory(&field.key, &field.node)?);
        }
        let mut missing = Vec::new();
        if let Some(node) = root.get("absent")? {
            for field in node.table()? {
                if theories.iter().any(|theory| theory.id == field.key) {
                    return Err(field.node.wrong(format!(
                        "`{}` is a theory; it cannot be absent too",
                        field.key
                    )));
                }
                missing.push(absent(&field.key, &field.node)?);
            }
        }
        Ok(Theories {
            file: file.to_owned(),
            theories,
            absent: missing,
        })
    }

    /// Every theory, in the order of the file.
    pub fn all(&self) -> &[Theory] {
        &self.theories
    }

    /// A theory by its id.
    pub fn get(&self, id: &str) -> Option<&Theory> {
        self.theories.iter().find(|theory| theory.id == id)
    }

    /// The theories that a test serves for a kind of decision in a place, in the order of the file, as they stand on the day judged
    /// with the law known by then; those that ended or have not begun are among them, those nobody knew of are not.
    ///
    /// `test` is one of [`TESTS`]; a word that no theory has gives nothing. `domain` is a value of the fact `consequential_domains`, and
    /// `place` one of the fact `places`, with all it lies within; without one of them no theory is left out for it. What is voluntary
    /// is tied to no place.
    ///
    /// A theory of `book` alone: where the two do not belong together, what the book does not know is left out.
    pub fn serving<'t>(
        &'t self,
        book: &'t Book,
        test: &str,
        domain: Option<&str>,
        place: Option<&str>,
        when: AsOf,
    ) -> Vec<Serving<'t>> {
        let facts = Facts::new();
        let reader = book.reader(&facts, when.known);
        let places = place.map(|place| around(book, place));
        let serves = |theory: &&Theory| {
            theory.tests.iter().any(|known| known == test) && is_in(&theory.domains, domain)
        };
        let mut serving = Vec::new();
        for theory in self.theories.iter().filter(serves) {
            let Some((pack, index)) = theory.requirements.first().and_then(|id| at(book, id))
            else {
                continue;
            };
            let here = pack.pack.jurisdiction.as_str();
            let is_here = !pack.pack.binding
                || here == INTERNATIONAL
                || places.as_ref().is_none_or(|places| places.contains(here));
            if is_here {
                serving.extend(served(theory, test, pack, index, &reader, when));
            }
        }
        serving
    }

    /// What one may look for in vain for a kind of decision in a place, in the order of the file.
    pub fn absent<'t>(
        &'t self,
        book: &Book,
        domain: Option<&str>,
        place: Option<&str>,
    ) -> Vec<&'t Absent> {
        let places = place.map(|place| around(book, place));
        let fits = |absent: &&Absent| {
            is_in(&absent.domains, domain)
                && places
                    .as_ref()
                    .is_none_or(|places| places.contains(&absent.jurisdiction))
        };
        self.absent.iter().filter(fits).collect()
    }

    /// Holds what the theories say of the book against it: their requirements exist and stand in one pack, so in one jurisdiction; the
    /// kinds of decision are answers to the fact that names them.
    pub(crate) fn check(&self, book: &Book) -> Result<(), ReadError> {
        for theory in &self.theories {
            let wrong = |problem| self.wrong("theory", &theory.id, theory.line, problem);
            let mut home: Option<&BoundPack> = None;
            for id in &theory.requirements {
                let Some((pack, _)) = at(book, id) else {
                    let texts = book.packs().flat_map(|pack| &pack.requirements);
                    let hint = nearest(id, texts.map(|text| text.id.as_str()));
                    return Err(wrong(format!(
                        "it rests on the requirement `{id}`, which is in no pack in use; {hint}"
                    )));
                };
                if let Some(home) = home.filter(|home| home.at != pack.at) {
                    return Err(wrong(format!(
                        "`{id}` stands in the pack `{}` and the requirement before it in `{}`; a theory rests on one pack, whose jurisdiction it has",
                        pack.pack.id, home.pack.id
                    )));
                }
                home = Some(pack);
            }
            check_domains(book, &theory.domains).map_err(wrong)?;
        }
        for absent in &self.absent {
            let wrong = |problem| self.wrong("absent", &absent.id, absent.line, problem);
            check_domains(book, &absent.domains).map_err(wrong)?;
        }
        Ok(())
    }

    fn wrong(&self, table: &str, id: &str, line: usize, problem: String) -> ReadError {
        ReadError {
            file: self.file.clone(),
            line,
            field: format!("{table}.{id}"),
            problem,
        }
    }
}

/// How a theory stands that a test serves; `None` where no date of it was known.
fn served<'t>(
    theory: &'t Theory,
    test: &str,
    pack: &'t BoundPack,
    index: usize,
    reader: &Reader<'_>,
    when: AsOf,
) -> Option<Serving<'t>> {
    let text = &pack.pack.requirements[index];
    let at = pack.timetable.schedule_of(index);
    let outcomes = pack.timetable.outcomes(&pack.pack, at, reader, when.known);
    let standings: Vec<Standing> = outcomes
        .iter()
        .map(|outcome| outcome.standing(when.valid))
        .collect();
    let standing = settle(&standings)?;
    let mut unconfirmed: Vec<String> = text.unconfirmed.iter().cloned().collect();
    pack.timetable.doubts(at, reader, pack.at, &mut unconfirmed);
    let rows = outcomes.iter().filter_map(|outcome| outcome.row);
    unconfirmed.extend(rows.filter_map(|row| row.unconfirmed.clone()));
    reader.doubts_in(&pack.codes[index], pack.at, &mut unconfirmed);
    unconfirmed.extend(pack.pack.secondary());
    let mut seen = BTreeSet::new();
    unconfirmed.retain(|doubt| seen.insert(doubt.clone()));
    let cite = outcomes.iter().find_map(|outcome| outcome.cite);
    let known = |note: &&TheoryNote| note.known <= when.known;
    Some(Serving {
        theory,
        jurisdiction: &pack.pack.jurisdiction,
        requirement: &text.id,
        standing,
        dated_by: cite.map(|cite| pack.pack.cited(cite)),
        force: force(&pack.pack, text, when),
        unconfirmed,
        notes: theory.notes.iter().filter(known).collect(),
        warning: theory
            .warning
            .as_deref()
            .filter(|_| theory.warns.iter().any(|word| word == test)),
    })
}

/// Joins the ways the dates of a theory may fall, which differ where facts about a system decide. Ways that take a system out are left
/// aside: the question is how the theory stands for one it concerns.
fn settle(standings: &[Standing]) -> Option<TheoryStanding> {
    let (mut begun, mut ended, mut later) = (Vec::new(), Vec::new(), Vec::new());
    for standing in standings {
        match standing {
            Standing::InForce { from } => begun.push(*from),
            Standing::Ended { on } => ended.push(*on),
            Standing::Ahead { from } | Standing::Waiting { until: from, .. } => later.push(*from),
            Standing::Unknown { from, .. } => later.extend(*from),
            Standing::NotApplicable(_) => {}
        }
    }
    let first = |days: &[Date]| days.iter().min().copied();
    match (first(&begun), ended.iter().max(), first(&later)) {
        (Some(from), None, None) => Some(TheoryStanding::InForce { from }),
        (Some(from), _, _) => Some(TheoryStanding::Unconfirmed { from }),
        // Whoever is past its end cannot come under it again; the others still can.
        (None, _, Some(from)) => Some(TheoryStanding::NotYet { from }),
        (None, Some(on), None) => Some(TheoryStanding::Ended { on: *on }),
        (None, None, None) => None,
    }
}

/// The pack of a requirement, and its place in it. Linear; a book has about 600 requirements.
fn at<'b>(book: &'b Book, requirement: &str) -> Option<(&'b BoundPack, usize)> {
    book.bound().iter().find_map(|pack| {
        let mut texts = pack.pack.requirements.iter();
        let index = texts.position(|text| text.id == requirement)?;
        Some((pack.as_ref(), index))
    })
}

/// Whether a list of kinds of decision holds one.
fn is_in(domains: &[String], domain: Option<&str>) -> bool {
    let holds = |wanted: &str| domains.iter().any(|domain| domain == wanted);
    domain.is_none_or(|domain| holds(domain) || holds(GENERAL))
}

/// A place with all it lies within: by the vocabulary, or else by the parts of its name (`US-NJ` lies in `US`).
fn around(book: &Book, place: &str) -> BTreeSet<String> {
    let mut around = BTreeSet::from([place.to_owned()]);
    let mut name = place;
    while let Some((outer, _)) = name.rsplit_once('-') {
        around.insert(outer.to_owned());
        name = outer;
    }
    match book.vocabulary.get(PLACES) {
        Some(kind) => kind.closed(around),
        None => around,
    }
}

fn check_domains(book: &Book, domains: &[String]) -> Result<(), String> {
    // A book whose facts know no kinds of decision has nothing to hold them against.
    let Some(FactType::Set(known)) = book.vocabulary.get(DOMAINS).map(|kind| &kind.of) else {
        return Ok(());
    };
    let known = || known.iter().map(String::as_str).chain([GENERAL]);
    match domains
        .iter()
        .find(|domain| !known().any(|known| known == domain.as_str()))
    {
        None => Ok(()),
        Some(domain) => Err(format!(
            "`{domain}` is no kind of decision; {}",
            nearest(domain, known())
        )),
    }
}

fn theory(id: &str, node: &Node) -> Result<Theory, ReadError> {
    node.only(&[
        "title",
        "kind",
        "requirements",
        "domains",
        "bases",
        "cite",
        "asks",
        "tests",
        "no_limit",
        "limit",
        "warns",
        "warning",
        "counsel",
        "unconfirmed_detail",
        "note",
    ])?;
    let kind = TheoryKind::read(node.need("kind")?)?;
    let tests = words(node.need("tests")?, &TESTS)?;
    if tests.is_empty() != (kind == TheoryKind::Condition) {
        return Err(node
            .need("tests")?
            .wrong("a condition is served by no test, and every other theory by at least one"));
    }
    let serving: Vec<&str> = tests.iter().map(String::as_str).collect();
    let warns = match node.get("warns")? {
        Some(node) => words(node, &serving)?,
        None => Vec::new(),
    };
    let warning = node.get("warning")?.map(Node::words).transpose()?;
    if warns.is_empty() == warning.is_some() {
        return Err(node.wrong("`warns` and `warning` belong together; write both or none"));
    }
    let optional = |key: &str| node.get(key)?.map(texts).transpose();
    Ok(Theory {
        id: id.to_owned(),
        title: node.need("title")?.words()?,
        kind,
        requirements: some(node.need("requirements")?, "requirement")?,
        domains: some(node.need("domains")?, "kind of decision")?,
        bases: optional("bases")?.unwrap_or_default(),
        cite: node.need("cite")?.words()?,
        asks: node.need("asks")?.words()?,
        figure: figure(node, &serving)?,
        tests,
        warns,
        warning,
        counsel: node.need("counsel")?.words()?,
        unconfirmed_detail: node
            .get("unconfirmed_detail")?
            .map(Node::words)
            .transpose()?,
        notes: node.each("note", note)?,
        line: node.line(),
    })
}

/// Exactly one of `limit` and `no_limit`.
fn figure(node: &Node, tests: &[&str]) -> Result<TheoryFigure, ReadError> {
    let limit = match (node.get("limit")?, node.get("no_limit")?) {
        (Some(limit), None) => limit,
        (None, Some(why)) => return Ok(TheoryFigure::None(why.words()?)),
        _ => {
            return Err(node.wrong(
                "a theory says either the number its text sets (`limit`) or why there is none (`no_limit`)",
            ));
        }
    };
    limit.only(&["metric", "low", "high", "source", "cite"])?;
    let number = |key: &str| -> Result<Option<String>, ReadError> {
        let Some(node) = limit.get(key)? else {
            return Ok(None);
        };
        let text = node.words()?;
        let is_number = text.parse::<f64>().is_ok_and(f64::is_finite);
        match is_number {
            true => Ok(Some(text)),
            false => Err(node.wrong(format!("`{text}` is not a number such as `0.80`"))),
        }
    };
    let (low, high) = (number("low")?, number("high")?);
    if low.is_none() && high.is_none() {
        return Err(limit.wrong("a limit needs `low` or `high`"));
    }
    let source = limit.need("source")?.one_of(["law", "yardstick"])?;
    Ok(TheoryFigure::Set(TheoryLimit {
        metric: limit.need("metric")?.one_of(tests.iter().copied())?,
        low,
        high,
        source: match source.as_str() {
            "law" => TheoryLimitSource::Law,
            _ => TheoryLimitSource::Yardstick,
        },
        cite: limit.need("cite")?.words()?,
    }))
}

fn note(node: &Node) -> Result<TheoryNote, ReadError> {
    node.only(&["known", "text"])?;
    Ok(TheoryNote {
        known: node.need("known")?.date()?,
        text: node.need("text")?.words()?,
    })
}

fn absent(id: &str, node: &Node) -> Result<Absent, ReadError> {
    node.only(&["title", "state", "jurisdiction", "domains", "cite", "why"])?;
    let state = node.need("state")?.one_of(["not_held", "silent"])?;
    Ok(Absent {
        id: id.to_owned(),
        title: node.need("title")?.words()?,
        state: match state.as_str() {
            "silent" => AbsentState::Silent,
            _ => AbsentState::NotHeld,
        },
        jurisdiction: node.need("jurisdiction")?.words()?,
        domains: some(node.need("domains")?, "kind of decision")?,
        cite: node.get("cite")?.map(Node::words).transpose()?,
        why: node.need("why")?.words()?,
        line: node.line(),
    })
}

/// A list of distinct texts.
fn texts(node: &Node) -> Result<Vec<String>, ReadError> {
    let mut list: Vec<String> = Vec::new();
    for item in node.list()? {
        let text = item.words()?;
        if list.contains(&text) {
            return Err(item.wrong(format!("`{text}` is listed twice; keep one")));
        }
        list.push(text);
    }
    Ok(list)
}

/// A list of distinct texts that is not empty.
fn some(node: &Node, what: &str) -> Result<Vec<String>, ReadError> {
    let list = texts(node)?;
    match list.is_empty() {
        false => Ok(list),
        true => Err(node.wrong(format!("name at least one {what}"))),
    }
}

/// A list of distinct words out of those allowed.
fn words(node: &Node, allowed: &[&str]) -> Result<Vec<String>, ReadError> {
    for item in node.list()? {
        item.one_of(allowed.iter().copied())?;
    }
    texts(node)
}

#[cfg(test)]
mod tests;
