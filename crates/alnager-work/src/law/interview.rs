//! The interview: asks what settles most, and writes each answer into the system's declaration (or a file of facts) at once.

mod sheet;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use alnager_law::book::Book;
use alnager_law::fact::{Answer, FactKind, FactType, Facts, Value};
use alnager_law::interview::{
    Pending, Progress, Question, Scope, next_question, progress, question_about,
};
use alnager_law::pack::PackKind;
use alnager_law::read::nearest;
use alnager_law::requirement::{AsOf, Standing, requirements};
use alnager_office::counsel::Counsel;
use alnager_store::Desk;
use jiff::civil::Date;

use crate::acting::{Acting, Flags};
use crate::error::JobError;
use crate::law::interview::sheet::{Given, Sheet};
use crate::review::{declaration_file, gate_day};

pub use crate::law::interview::sheet::to_json;

/// On what basis an answer of an interview stands where nobody gave another.
pub const BASIS: &str = "answered in the interview";

/// What an interview is about.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where the answers stand.
    pub place: Place,
    /// The packs asked for.
    pub packs: Packs,
    /// On what basis answers are given that name none of their own.
    pub basis: Option<String>,
}

/// Where the answers stand.
#[derive(Debug, Clone)]
pub enum Place {
    /// A folder with a `system.toml`, or the file itself.
    Declared(PathBuf),
    /// A JSON object of facts.
    Facts(PathBuf),
}

/// The packs an interview is about.
#[derive(Debug, Clone)]
pub enum Packs {
    /// Law that binds.
    Binding,
    /// Standards, frameworks, guidance and bills too.
    All,
    /// These.
    Named(Vec<String>),
}

/// An interview under way. Every answer given is on the disk.
pub struct Interview {
    acting: Acting,
    sheet: Sheet,
    /// Answers that stand whatever the file says.
    standing: Vec<(usize, Answer)>,
    facts: Facts,
    scope: Scope,
    when: AsOf,
    basis: String,
}

/// What the answers come to.
#[derive(Debug, Clone)]
pub struct Ending {
    /// The day judged and the day of knowledge.
    pub when: AsOf,
    /// Requirements in force, with what they ask.
    pub in_force: Vec<(String, String)>,
    /// Requirements whose day has not come, or whose trigger cannot exist yet, with the day and what they ask.
    pub ahead: Vec<(String, Date, String)>,
    /// Requirements that do not concern the system, or no longer do.
    pub n_not_applicable: usize,
    /// Facts whose answer counts once confirmed, with the requirements that wait for it.
    pub unconfirmed: BTreeMap<String, Vec<String>>,
    /// Facts nobody answered, with the requirements that stay open for want of them.
    pub unanswered: BTreeMap<String, Vec<String>>,
}

impl Interview {
    /// Reads what is answered already.
    pub async fn begin(flags: &Flags, request: &Request) -> Result<Self, JobError> {
        let acting = Acting::begin(flags)?;
        let packs = chosen(&acting.library.book, &request.packs)?;
        let (sheet, when, standing) = match &request.place {
            Place::Declared(path) => {
                let sheet = Sheet::declared(declaration_file(path)?, &acting.library)?;
                let Sheet::Declared(_, declaration) = &sheet else {
                    return Err(JobError::Internal("a declaration was expected".to_owned()));
                };
                let zone = declaration.time_zone.as_deref();
                let when = acting.as_of(gate_day(declaration), zone);
                let standing = standing(&acting, &declaration.id).await?;
                (sheet, when, standing)
            }
            Place::Facts(path) => {
                let when = acting.as_of(None, None);
                (Sheet::object(path.clone())?, when, Vec::new())
            }
        };
        let basis = request.basis.as_deref().map_or("", str::trim);
        let mut interview = Interview {
            sheet,
            standing,
            facts: Facts::new(),
            scope: Scope {
                packs: Some(packs),
                skipped: BTreeSet::new(),
            },
            when,
            basis: match basis {
                "" => BASIS.to_owned(),
                basis => basis.to_owned(),
            },
            acting,
        };
        interview.reread()?;
        Ok(interview)
    }

    fn reread(&mut self) -> Result<(), JobError> {
        self.facts = self.sheet.facts(&self.acting.library)?;
        for (fact, answer) in &self.standing {
            self.facts.set(*fact, Some(answer.clone()));
        }
        Ok(())
    }

    /// The law in use.
    pub fn book(&self) -> &Book {
        &self.acting.library.book
    }

    /// The fact at a position.
    pub fn kind(&self, fact: usize) -> &FactKind {
        &self.book().vocabulary.kinds()[fact]
    }

    /// The system's id; `None` for a file of facts.
    pub fn system(&self) -> Option<&str> {
        match &self.sheet {
            Sheet::Declared(_, declaration) => Some(&declaration.id),
            Sheet::Object(..) => None,
        }
    }

    /// The question that comes next.
    pub fn question(&self) -> Option<Question> {
        next_question(self.book(), &self.facts, self.when, &self.scope)
    }

    /// The question about one fact, to look at or to answer anew.
    pub fn question_about(&self, fact: usize) -> Question {
        question_about(self.book(), &self.facts, self.when, &self.scope, fact)
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        progress(self.book(), &self.facts, self.when, &self.scope)
    }

    /// Facts answered so far; whether a framework is adopted is not the system's answer, and not counted for one.
    pub fn n_answered(&self) -> usize {
        let is_answered = |fact: usize| self.facts.answer(fact).is_some();
        let kinds = self.book().vocabulary.kinds().iter().enumerate();
        kinds
            .filter(|(fact, kind)| {
                is_answered(*fact) && (kind.adopts.is_none() || self.system().is_none())
            })
            .count()
    }

    /// The answer that stands.
    pub fn answer_of(&self, fact: usize) -> Option<&Answer> {
        self.facts.answer(fact)
    }

    /// Writes an answer; when this returns it is on the disk. A fact confirmed in the desk cannot be answered here.
    pub fn answer(
        &mut self,
        fact: usize,
        value: &Value,
        basis: Option<&str>,
    ) -> Result<(), JobError> {
        self.check_free(fact)?;
        let basis = basis.map(str::trim).filter(|basis| !basis.is_empty());
        let zone = match &self.sheet {
            Sheet::Declared(_, declaration) => declaration.time_zone.clone(),
            Sheet::Object(..) => None,
        };
        let given = Given {
            value,
            by: &self.acting.actor,
            on: self.acting.today(zone.as_deref()),
            basis: basis.unwrap_or(&self.basis),
        };
        let library = &self.acting.library;
        let kind = &library.book.vocabulary.kinds()[fact];
        self.sheet.write(library, kind, Some(&given))?;
        self.scope.skipped.remove(&fact);
        self.reread()
    }

    /// Leaves a fact unknown for this interview; an answer given earlier is taken away.
    pub fn leave_unknown(&mut self, fact: usize) -> Result<(), JobError> {
        if self.facts.answer(fact).is_some() {
            self.check_free(fact)?;
            let library = &self.acting.library;
            let kind = &library.book.vocabulary.kinds()[fact];
            self.sheet.write(library, kind, None)?;
            self.reread()?;
        }
        self.scope.skipped.insert(fact);
        Ok(())
    }

    fn check_free(&self, fact: usize) -> Result<(), JobError> {
        if self.standing.iter().all(|(standing, _)| *standing != fact) {
            return Ok(());
        }
        let kind = self.kind(fact);
        Err(JobError::Input(match &kind.adopts {
            Some(pack) => format!(
                "`{}` is not the system's to answer: the organisation decides it, with `alnager law adopt {pack}`",
                kind.name
            ),
            None => format!(
                "`{}` is confirmed in the desk and stays so; someone outside the team changes it with `alnager fact confirm`",
                kind.name
            ),
        }))
    }

    /// What the answers come to, for the packs of the interview.
    pub fn ending(&self) -> Ending {
        ending(
            self.book(),
            &self.facts,
            self.when,
            &self.scope,
            &self.progress(),
        )
    }
}

/// What answers come to, for the packs of a scope. `progress`: how far the same answers have come.
pub fn ending(
    book: &Book,
    facts: &Facts,
    when: AsOf,
    scope: &Scope,
    progress: &Progress,
) -> Ending {
    let mut ending = Ending {
        when,
        in_force: Vec::new(),
        ahead: Vec::new(),
        n_not_applicable: 0,
        unconfirmed: BTreeMap::new(),
        unanswered: BTreeMap::new(),
    };
    let in_scope = |id: &String| scope.packs.as_ref().is_none_or(|packs| packs.contains(id));
    for requirement in requirements(book, facts, when) {
        if !in_scope(&requirement.pack().id) {
            continue;
        }
        let (id, what) = (
            requirement.text().id.clone(),
            requirement.text().what.clone(),
        );
        match requirement.standing {
            Standing::InForce { .. } => ending.in_force.push((id, what)),
            Standing::Ahead { from } => ending.ahead.push((id, from, what)),
            Standing::Waiting { until, .. } => ending.ahead.push((id, until, what)),
            Standing::Ended { .. } | Standing::NotApplicable(_) => ending.n_not_applicable += 1,
            // Below, by what they wait for.
            Standing::Unknown { .. } => {}
        }
    }
    by_fact(book, &progress.unconfirmed, &mut ending.unconfirmed);
    by_fact(book, &progress.open, &mut ending.unanswered);
    by_fact(book, &progress.skipped, &mut ending.unanswered);
    ending
}

fn by_fact(book: &Book, pending: &[Pending], facts: &mut BTreeMap<String, Vec<String>>) {
    for pending in pending {
        for fact in &pending.facts {
            let kind = &book.vocabulary.kinds()[*fact];
            let ids = facts.entry(kind.name.clone()).or_default();
            ids.push(pending.requirement.text().id.clone());
        }
    }
}

/// The packs of law that binds, by id.
pub fn binding(book: &Book) -> BTreeSet<String> {
    book.packs()
        .filter(|pack| pack.binding && pack.kind != PackKind::Bill)
        .map(|pack| pack.id.clone())
        .collect()
}

/// The packs an interview is about, by id.
fn chosen(book: &Book, packs: &Packs) -> Result<BTreeSet<String>, JobError> {
    let ids = || book.packs().map(|pack| pack.id.as_str());
    match packs {
        Packs::All => Ok(ids().map(str::to_owned).collect()),
        Packs::Binding => Ok(binding(book)),
        Packs::Named(names) => {
            if let Some(name) = names
                .iter()
                .find(|name| ids().all(|id| id != name.as_str()))
            {
                let hint = nearest(name, ids());
                return Err(JobError::Input(format!(
                    "--packs: there is no pack `{name}`; {hint}"
                )));
            }
            Ok(names.iter().cloned().collect())
        }
    }
}

/// What stands whatever the declaration says: answers confirmed in the desk, and which frameworks the organisation has adopted.
/// Without a desk nothing is confirmed and nothing adopted.
async fn standing(acting: &Acting, system: &str) -> Result<Vec<(usize, Answer)>, JobError> {
    let book = &acting.library.book;
    let (mut counsel, mut facts) = (Counsel::default(), Facts::new());
    if Desk::exists(acting.place()).await {
        let mut desk = acting.desk().await?;
        let state = acting.state(&mut desk).await?;
        if let Some(system) = state.systems.get(system) {
            facts = system.law_facts(book, &state.counsel);
        }
        counsel = state.counsel;
    }
    let mut standing = Vec::new();
    for (fact, kind) in book.vocabulary.kinds().iter().enumerate() {
        let confirmed = facts
            .answer(fact)
            .filter(|answer| answer.confirmed_by.is_some());
        let adopted = kind.adopts.as_ref().map(|pack| Answer {
            confirmed_by: Some(String::new()),
            ..Answer::bare(Value::Bool(counsel.adopts(pack)))
        });
        if let Some(answer) = adopted.or(confirmed.cloned()) {
            standing.push((fact, answer));
        }
    }
    Ok(standing)
}

/// Reads an answer as a person types it: yes or no, a value or its number in the list, several with commas between them, a
/// number, a day, `none`. `Err` says what is expected.
pub fn read_answer(kind: &FactKind, text: &str) -> Result<Value, String> {
    let text = text.trim();
    let bare = text.trim_matches(['"', '\'']);
    let wrong = |expected: &str| {
        Err(format!(
            "`{text}` is no answer to `{}`; {expected}",
            kind.name
        ))
    };
    match &kind.of {
        FactType::Bool => match bare.to_ascii_lowercase().as_str() {
            "1" | "y" | "yes" | "true" => Ok(Value::Bool(true)),
            "2" | "n" | "no" | "false" => Ok(Value::Bool(false)),
            _ => wrong("answer yes or no"),
        },
        FactType::Number => kind.parse(&bare.replace(['_', ' '], "")).map_or_else(
            || wrong("write a number such as 250 or 1e25, or `none`"),
            Ok,
        ),
        FactType::Date => kind
            .parse(bare)
            .map_or_else(|| wrong("write a day such as 2026-08-02, or `none`"), Ok),
        FactType::Enum(values) => match listed(values, bare) {
            Some(value) => Ok(Value::One(value)),
            None => wrong(&expected(values, bare)),
        },
        FactType::Set(values) => {
            let inner = text.trim_start_matches('[').trim_end_matches(']');
            let mut words: Vec<&str> = inner
                .split([',', ' '])
                .map(|word| word.trim().trim_matches(['"', '\'']))
                .filter(|word| !word.is_empty())
                .collect();
            if words == ["none"] && !values.iter().any(|value| value == "none") {
                words.clear();
            } else if words.is_empty() && text != "[]" {
                return wrong("name one or more, or `none`");
            }
            let mut set = BTreeSet::new();
            for word in words {
                match listed(values, word) {
                    Some(value) => drop(set.insert(value)),
                    None => return wrong(&expected(values, word)),
                }
            }
            Ok(Value::Set(kind.closed(set)))
        }
    }
}

/// A value by its name or by its number in the list, counted from 1.
fn listed(values: &[String], word: &str) -> Option<String> {
    let by_number = word
        .parse::<usize>()
        .ok()
        .and_then(|number| values.get(number.checked_sub(1)?));
    let found = values.iter().find(|value| *value == word).or(by_number);
    found.cloned()
}

fn expected(values: &[String], word: &str) -> String {
    nearest(word, values.iter().map(String::as_str))
}

#[cfg(test)]
mod tests;
