//! Why a requirement stands as it does, in words and as JSON.
//!
//! The proof is told from the top. Parts of a step that did not decide it stand on one line; what was told once is not told
//! again. JSON has every step in full.

use std::collections::BTreeSet;

use alnager_law::book::{Book, Version};
use alnager_law::conflict::ConflictPair;
use alnager_law::explain::{Explanation, Flip, Proof, Step};
use alnager_law::fact::{Answer, Unknown, Value as FactValue};
use alnager_law::requirement::{Requirement, Ruled, Standing};
use alnager_law::rule::Truth;
use alnager_office::gate::Judged;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::remark::{Remark, remarks};
use crate::wrap::hung;

/// Characters on a line.
const WIDTH: usize = 100;
/// Sentences about other answers; the ones that make a requirement not apply come first.
const CHANGES_MAX: usize = 8;

/// The name behind a person's id, or a pseudonym.
type Name<'a> = dyn Fn(&str) -> String + 'a;

/// The proof in words, each line ended by a line break. `judged` is how the requirement fares, where that was looked at.
pub fn words(
    explanation: &Explanation,
    book: &Book,
    judged: Option<&Judged>,
    name: &dyn Fn(&str) -> String,
) -> String {
    let mut page = Page {
        book,
        known: explanation.when.known,
        name,
        text: String::new(),
        told: BTreeSet::new(),
        answered: BTreeSet::new(),
    };
    header(
        &mut page,
        &explanation.requirement,
        &about(explanation, book, judged, name),
    );
    if let Some(judged) = judged {
        fares(&mut page, judged);
    }
    page.section("why");
    page.step(&explanation.proof, 0, true);
    facts(&mut page, explanation);
    changes(&mut page, explanation);
    page.text
}

struct Page<'a> {
    book: &'a Book,
    known: Date,
    name: &'a Name<'a>,
    text: String,
    /// Derived facts already told.
    told: BTreeSet<usize>,
    /// Facts whose answer was already told.
    answered: BTreeSet<usize>,
}

impl Page<'_> {
    fn line(&mut self, lead: &str, indent: usize, text: &str) {
        self.text.push_str(&hung(lead, indent, text, WIDTH));
    }

    fn section(&mut self, title: &str) {
        self.text.push('\n');
        self.line("", 0, title);
    }

    fn fact_name(&self, fact: usize) -> &str {
        &self.book.vocabulary.kinds()[fact].name
    }

    fn person(&self, id: &str) -> String {
        if id.is_empty() {
            "nobody named".to_owned()
        } else {
            (self.name)(id)
        }
    }
}

/// The remarks about the requirement explained.
fn about(
    explanation: &Explanation,
    book: &Book,
    judged: Option<&Judged>,
    name: &Name<'_>,
) -> Vec<Remark> {
    let text = explanation.requirement.text();
    // Without a system nobody knows whether the other side concerns it: what the pack names is shown.
    let named = text.conflicts.iter().map(|conflict| ConflictPair {
        one: text.id.clone(),
        other: conflict.with.clone(),
        why: conflict.why.clone(),
        is_computed: false,
    });
    let conflicts = judged.map_or_else(|| named.collect(), |judged| judged.conflicts.clone());
    remarks(
        &explanation.requirement,
        judged.and_then(|judged| judged.reading.as_ref()),
        &conflicts,
        &|kind| book.evidence.title(kind).to_owned(),
        name,
    )
}

fn header(page: &mut Page<'_>, requirement: &Requirement, remarks: &[Remark]) {
    let text = requirement.text();
    let voluntary = if requirement.is_voluntary() {
        " · voluntary: binds only where adopted"
    } else {
        ""
    };
    page.line(
        &format!("{} ", text.id),
        2,
        &format!("· {}{voluntary}", requirement.pack().cited(&text.cite)),
    );
    page.line("  ", 2, &text.what);
    page.line("", 2, &standing_words(&requirement.standing));
    if let Some(cite) = dated_by(requirement) {
        page.line("  ", 2, &format!("the date comes from {cite}"));
    }
    for note in &requirement.preview {
        page.line("preview: ", 2, note);
    }
    for remark in remarks {
        page.line(
            &format!("{}: ", remark.label.to_lowercase()),
            2,
            &remark.text,
        );
    }
    let is_over = matches!(
        requirement.standing,
        Standing::NotApplicable(_) | Standing::Ended { .. }
    );
    if let Some(penalty) = requirement.penalty().filter(|_| !is_over) {
        page.line(
            "penalty ",
            2,
            &format!("{} ({})", penalty.max, penalty.cite),
        );
    }
}

/// Where the date comes from; `None` where the requirement has none.
fn dated_by(requirement: &Requirement) -> Option<&str> {
    match requirement.standing {
        Standing::NotApplicable(_) => None,
        Standing::InForce { .. }
        | Standing::Ahead { .. }
        | Standing::Waiting { .. }
        | Standing::Ended { .. }
        | Standing::Unknown { .. } => requirement.dated_by.as_deref(),
    }
}

fn fares(page: &mut Page<'_>, judged: &Judged) {
    page.section(&format!("how it fares: {}", judged.status.word()));
    page.line("  because ", 10, &judged.why);
    if !judged.next.is_empty() {
        page.line("  next    ", 10, &judged.next);
    }
    let owner = page.person(&judged.owner);
    page.line("  owner   ", 10, &owner);
}

/// The word for a standing.
fn standing_word(standing: &Standing) -> &'static str {
    match standing {
        Standing::InForce { .. } => "in force",
        Standing::Ahead { .. } => "ahead",
        Standing::Waiting { .. } => "waiting",
        Standing::Ended { .. } => "ended",
        Standing::NotApplicable(_) => "not applicable",
        Standing::Unknown { .. } => "unknown",
    }
}

fn standing_words(standing: &Standing) -> String {
    match standing {
        Standing::InForce { from } => format!("in force since {from}"),
        Standing::Ahead { from } => format!("ahead: it governs from {from}"),
        Standing::Waiting { since, until } => format!(
            "waiting: its date came on {since}, what triggers it cannot exist before {until}"
        ),
        Standing::Ended { on } => format!("ended on {on}"),
        Standing::NotApplicable(Ruled::ByFacts) => {
            "not applicable: its condition does not hold".to_owned()
        }
        Standing::NotApplicable(Ruled::NotKnown) => {
            "not applicable: no date for it was published by the day of knowledge".to_owned()
        }
        Standing::NotApplicable(Ruled::ByTransition(cite)) => {
            format!("not applicable: a transition rule takes it out ({cite})")
        }
        Standing::Unknown { missing, from } => {
            let facts = if missing.len() == 1 {
                "1 fact is missing that decides".to_owned()
            } else {
                format!("{} facts are missing that decide", missing.len())
            };
            let earliest = from.map_or(String::new(), |from| {
                format!("; it could govern from {from}")
            });
            format!("unknown: {facts} whether, or from when, it governs{earliest}")
        }
    }
}

fn sign(truth: Truth) -> &'static str {
    match truth {
        Truth::True => "✓ holds: ",
        Truth::False => "✕ does not hold: ",
        Truth::Unknown => "? unknown: ",
    }
}

impl Page<'_> {
    /// One step of the proof and what it rests on. `full` is false for a part that did not decide the step above it.
    fn step(&mut self, proof: &Proof, depth: usize, full: bool) {
        let told = matches!(&inner(proof).step, Step::Derived { at, .. } if self.told.contains(at));
        let lead = format!("{}{}", "  ".repeat(depth + 1), sign(proof.truth));
        let suffix = match &inner(proof).step {
            Step::Derived { .. } if told => " (see above)".to_owned(),
            Step::Atom {
                fact,
                answer: Some(answer),
                ..
            } if !full || self.answered.contains(fact) => format!(" (answered `{}`)", answer.value),
            Step::Atom { answer: None, .. } if !full => " (not answered)".to_owned(),
            Step::Constant
            | Step::All(_)
            | Step::Any(_)
            | Step::Not(_)
            | Step::Atom { .. }
            | Step::Derived { .. } => String::new(),
        };
        let label = if full {
            self.label(proof)
        } else {
            self.short(proof)
        };
        self.line(&lead, 2 * depth + 4, &format!("{label}{suffix}"));
        if full && !told {
            self.body(proof, depth);
        }
    }

    /// What the step says; the parts of a combination follow below it.
    fn label(&self, proof: &Proof) -> String {
        match &proof.step {
            Step::Constant => "always so".to_owned(),
            Step::All(_) => "all of these are needed".to_owned(),
            Step::Any(_) => "one of these is enough".to_owned(),
            Step::Not(part) => format!("not {}", self.label(part)),
            Step::Atom { text, .. } => format!("`{}`", folded(text)),
            Step::Derived { at, proof } => {
                let parts = match inner(proof).step {
                    Step::All(_) | Step::Any(_) if !self.told.contains(at) => {
                        format!(", {}", self.label(proof))
                    }
                    Step::Constant
                    | Step::Not(_)
                    | Step::Atom { .. }
                    | Step::Derived { .. }
                    | Step::All(_)
                    | Step::Any(_) => String::new(),
                };
                format!("{}{parts}", self.derived_name(*at))
            }
        }
    }

    /// The step on one line, as a condition.
    fn short(&self, proof: &Proof) -> String {
        match &proof.step {
            Step::Constant | Step::Atom { .. } => self.label(proof),
            Step::Derived { at, .. } => self.derived_name(*at),
            Step::Not(part) if matches!(part.step, Step::Atom { .. } | Step::Derived { .. }) => {
                format!("not {}", self.short(part))
            }
            Step::All(_) | Step::Any(_) | Step::Not(_) => {
                format!("`{}`", condition(self.book, proof))
            }
        }
    }

    fn derived_name(&self, at: usize) -> String {
        let derived = self.book.derived(at);
        let title = self
            .book
            .packs()
            .find(|pack| pack.id == derived.pack)
            .map_or(derived.pack.as_str(), |pack| pack.short.as_str());
        match derived.version(self.known) {
            Some(version) if !version.cite.is_empty() => {
                format!("`{}` ({title}, {})", derived.name, version.cite)
            }
            Some(_) | None => format!("`{}`", derived.name),
        }
    }

    fn body(&mut self, proof: &Proof, depth: usize) {
        match &proof.step {
            Step::Constant => {}
            Step::All(parts) | Step::Any(parts) => {
                // In strong Kleene logic the parts that share the whole's answer are the ones that decide it.
                for part in parts {
                    self.step(part, depth + 1, part.truth == proof.truth);
                }
            }
            Step::Not(part) => self.body(part, depth),
            Step::Atom {
                fact,
                answer,
                unknown,
                ..
            } => self.atom(*fact, answer.as_ref(), *unknown, depth),
            Step::Derived { at, proof } => self.derived(*at, proof, depth),
        }
    }

    fn derived(&mut self, at: usize, proof: &Proof, depth: usize) {
        self.told.insert(at);
        let version = self.book.derived(at).version(self.known).cloned();
        let lead = "  ".repeat(depth + 2);
        for note in version.iter().filter_map(|version| version.note.as_ref()) {
            self.line(&format!("{lead}note: "), 2 * depth + 6, note);
        }
        let unconfirmed = |version: &Version| version.unconfirmed.clone();
        for note in version.iter().filter_map(unconfirmed) {
            self.line(&format!("{lead}preview: "), 2 * depth + 6, &note);
        }
        match inner(proof).step {
            Step::All(_) | Step::Any(_) => self.body(proof, depth),
            Step::Constant | Step::Not(_) | Step::Atom { .. } | Step::Derived { .. } => {
                self.step(proof, depth + 1, true)
            }
        }
    }

    /// The question behind an atom, who answered it, and whether the answer counts; once for each fact.
    fn atom(
        &mut self,
        fact: usize,
        answer: Option<&Answer>,
        unknown: Option<Unknown>,
        depth: usize,
    ) {
        if !self.answered.insert(fact) {
            return;
        }
        let lead = "  ".repeat(depth + 2);
        let question = self.book.vocabulary.kinds()[fact].question.clone();
        self.line(&lead, 2 * depth + 6, &question);
        let told = self.answer_words(answer, unknown);
        self.line(&lead, 2 * depth + 6, &told);
        if unknown == Some(Unknown::Unconfirmed) {
            let guard = self.book.vocabulary.kinds()[fact]
                .guard_cite
                .clone()
                .unwrap_or_default();
            let words = format!(
                "not confirmed: counts as unknown until someone outside the building team confirms it (guarded: {guard})"
            );
            self.line(&lead, 2 * depth + 6, &words);
        }
    }

    fn answer_words(&self, answer: Option<&Answer>, unknown: Option<Unknown>) -> String {
        let Some(answer) = answer else {
            return match unknown {
                Some(_) => "nobody has answered".to_owned(),
                None => "not listed, so it counts as no".to_owned(),
            };
        };
        let by = if answer.by.is_empty() {
            String::new()
        } else {
            format!(" by {}", self.person(&answer.by))
        };
        let on = answer.on.map_or(String::new(), |on| format!(" on {on}"));
        let basis = if answer.basis.is_empty() {
            String::new()
        } else {
            format!(", on the basis of: {}", answer.basis)
        };
        let confirmed = answer.confirmed_by.as_ref().map_or(String::new(), |by| {
            format!("; confirmed by {}", self.person(by))
        });
        format!("answered `{}`{by}{on}{basis}{confirmed}", answer.value)
    }
}

/// The step under any number of negations.
fn inner(proof: &Proof) -> &Proof {
    match &proof.step {
        Step::Not(part) => inner(part),
        Step::Constant | Step::All(_) | Step::Any(_) | Step::Atom { .. } | Step::Derived { .. } => {
            proof
        }
    }
}

/// The step as a condition of the rule language.
/// Lists in a condition longer than this are folded.
const LISTED_MAX: usize = 6;

/// A condition whose long list of values is cut to its beginning and its number.
fn folded(text: &str) -> String {
    let listed = text.split_once('[').and_then(|(head, rest)| {
        let (list, tail) = rest.split_once(']')?;
        Some((head, list.split(", ").collect::<Vec<_>>(), tail))
    });
    match listed {
        Some((head, values, tail)) if values.len() > LISTED_MAX => {
            let shown = values[..3].join(", ");
            format!("{head}[{shown}, … {} in all]{tail}", values.len())
        }
        _ => text.to_owned(),
    }
}

fn condition(book: &Book, proof: &Proof) -> String {
    let part = |part: &Proof| match &part.step {
        Step::All(_) | Step::Any(_) => format!("({})", condition(book, part)),
        Step::Constant | Step::Not(_) | Step::Atom { .. } | Step::Derived { .. } => {
            condition(book, part)
        }
    };
    let join = |parts: &[Proof], mark: &str| parts.iter().map(part).collect::<Vec<_>>().join(mark);
    match &proof.step {
        Step::Constant => (proof.truth == Truth::True).to_string(),
        Step::All(parts) => join(parts, " && "),
        Step::Any(parts) => join(parts, " || "),
        Step::Not(inner) => format!("!{}", part(inner)),
        Step::Atom { text, .. } => text.clone(),
        Step::Derived { at, .. } => book.derived(*at).name.clone(),
    }
}

fn facts(page: &mut Page<'_>, explanation: &Explanation) {
    if !explanation.decisive.is_empty() {
        page.section("decided by");
        for fact in &explanation.decisive {
            let value = answer_in(&explanation.proof, *fact)
                .map_or("not listed, so it counts as no".to_owned(), |answer| {
                    format!("`{}`", answer.value)
                });
            let lead = format!("  `{}`: ", page.fact_name(*fact));
            page.line(&lead, 4, &value);
        }
    }
    if !explanation.missing.is_empty() {
        page.section("missing");
        for fact in &explanation.missing {
            let kind = &page.book.vocabulary.kinds()[*fact];
            let waits = answer_in(&explanation.proof, *fact).map_or(String::new(), |answer| {
                format!(" (answered `{}`, awaits confirmation)", answer.value)
            });
            page.line(
                &format!("  `{}`: ", kind.name),
                4,
                &format!("{}{waits}", kind.question),
            );
        }
    }
}

/// The answer to a fact, where the proof asks for it.
fn answer_in(proof: &Proof, fact: usize) -> Option<&Answer> {
    search(proof, fact, &mut BTreeSet::new())
}

fn search<'p>(proof: &'p Proof, fact: usize, seen: &mut BTreeSet<usize>) -> Option<&'p Answer> {
    match &proof.step {
        Step::Constant => None,
        Step::All(parts) | Step::Any(parts) => {
            parts.iter().find_map(|part| search(part, fact, seen))
        }
        Step::Not(part) => search(part, fact, seen),
        Step::Atom {
            fact: asked,
            answer,
            ..
        } if *asked == fact => answer.as_ref(),
        Step::Atom { .. } => None,
        Step::Derived { at, proof } if seen.insert(*at) => search(proof, fact, seen),
        Step::Derived { .. } => None,
    }
}

/// Other answers to one fact after which the requirement would stand the same way.
struct Change<'e> {
    fact: usize,
    standing: &'e Standing,
    values: Vec<&'e FactValue>,
}

/// The flips joined by fact and standing: those that make the requirement not apply first, then in the order asked.
fn joined(flips: &[Flip]) -> Vec<Change<'_>> {
    let mut changes: Vec<Change<'_>> = Vec::new();
    for flip in flips {
        match changes
            .iter_mut()
            .find(|change| change.fact == flip.fact && *change.standing == flip.standing)
        {
            Some(change) => change.values.push(&flip.value),
            None => changes.push(Change {
                fact: flip.fact,
                standing: &flip.standing,
                values: vec![&flip.value],
            }),
        }
    }
    changes.sort_by_key(|change| match change.standing {
        Standing::NotApplicable(_) => 0,
        Standing::Ended { .. } => 1,
        Standing::Waiting { .. } | Standing::Ahead { .. } => 2,
        Standing::InForce { .. } => 3,
        Standing::Unknown { .. } => 4,
    });
    changes
}

fn changes(page: &mut Page<'_>, explanation: &Explanation) {
    let changes = joined(&explanation.flips);
    page.section("would change");
    if changes.is_empty() {
        page.line(
            "  ",
            4,
            "no single other answer would settle it differently",
        );
        joint(page, explanation);
    }
    for change in changes.iter().take(CHANGES_MAX) {
        let sentence = change_words(page, explanation, change);
        page.line("  ", 4, &sentence);
    }
    if changes.len() > CHANGES_MAX {
        page.line(
            "  ",
            4,
            &format!("and {} more", changes.len() - CHANGES_MAX),
        );
    }
}

/// The fewest answers that together would settle it differently.
fn joint(page: &mut Page<'_>, explanation: &Explanation) {
    for joint in explanation.joint.iter().take(CHANGES_MAX) {
        let answers: Vec<String> = joint
            .answers
            .iter()
            .map(|(fact, value)| {
                let kind = &page.book.vocabulary.kinds()[*fact];
                let once = if kind.is_guarded(value) {
                    " and confirmed"
                } else {
                    ""
                };
                format!("`{}` were {value}{once}", kind.name)
            })
            .collect();
        let sentence = format!(
            "if {}, it would be {}",
            answers.join(" and "),
            standing_word(&joint.standing)
        );
        page.line("  ", 4, &sentence);
    }
}

fn change_words(page: &Page<'_>, explanation: &Explanation, change: &Change<'_>) -> String {
    let kind = &page.book.vocabulary.kinds()[change.fact];
    let now = answer_in(&explanation.proof, change.fact).map(|answer| &answer.value);
    // An answer that removes a duty counts only once someone outside the building team has confirmed it.
    let guarded = change.values.iter().all(|value| kind.is_guarded(value));
    let once = if guarded { " and confirmed" } else { "" };
    let standing = match change.standing {
        Standing::InForce { from } => format!("in force since {from}"),
        Standing::Ahead { from } => format!("ahead, from {from}"),
        Standing::Waiting { until, .. } => format!("waiting until {until}"),
        Standing::NotApplicable(_) | Standing::Ended { .. } | Standing::Unknown { .. } => {
            standing_word(change.standing).to_owned()
        }
    };
    format!(
        "if `{}` {}{once}, it would be {standing}",
        kind.name,
        answers(now, &change.values)
    )
}

/// The other answers as the rest of a sentence. Of many numbers or days one stands for all.
fn answers(now: Option<&FactValue>, values: &[&FactValue]) -> String {
    let none = BTreeSet::new();
    let held = match now {
        Some(FactValue::Set(set)) => set,
        Some(
            FactValue::Bool(_)
            | FactValue::Number(_)
            | FactValue::Date(_)
            | FactValue::One(_)
            | FactValue::None,
        )
        | None => &none,
    };
    let (mut added, mut other, mut examples) = (Vec::new(), Vec::new(), Vec::new());
    for value in values {
        match value {
            FactValue::Set(set) if !held.is_empty() && set.is_superset(held) => {
                added.extend(set.difference(held).map(|value| format!("`{value}`")))
            }
            FactValue::Number(_) | FactValue::Date(_) => examples.push(format!("`{value}`")),
            FactValue::Bool(_) | FactValue::One(_) | FactValue::Set(_) | FactValue::None => {
                other.push(format!("`{value}`"))
            }
        }
    }
    let mark = if examples.len() > 1 {
        " (for example)"
    } else {
        ""
    };
    other.extend(
        examples
            .into_iter()
            .min_by_key(String::len)
            .map(|shortest| format!("{shortest}{mark}")),
    );
    let parts = [("were answered", other), ("also held", added)]
        .into_iter()
        .filter(|(_, words)| !words.is_empty());
    parts
        .map(|(verb, words)| format!("{verb} {}", either(&words)))
        .collect::<Vec<_>>()
        .join(" or ")
}

/// a, b or c.
fn either(words: &[String]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

/// The name and version of the JSON form; its words are in `docs/formats/review.md`.
pub const SCHEMA: &str = "alnager.why/1";

/// The same as JSON, with every step of the proof; `null` is unknown or absent.
pub fn json(
    explanation: &Explanation,
    book: &Book,
    judged: Option<&Judged>,
    name: &dyn Fn(&str) -> String,
) -> Value {
    let requirement = &explanation.requirement;
    let text = requirement.text();
    let remarks = about(explanation, book, judged, name);
    let kinds = book.vocabulary.kinds();
    let fact = |fact: &usize| {
        let answer = answer_in(&explanation.proof, *fact);
        json!({ "fact": kinds[*fact].name, "question": kinds[*fact].question, "answer": answer.map(|answer| answer.value.to_string()) })
    };
    json!({
        "schema": SCHEMA,
        "id": text.id,
        "pack": requirement.pack().id,
        "what": text.what,
        "citation": requirement.pack().cited(&text.cite),
        "voluntary": requirement.is_voluntary(),
        "standing": standing_json(&requirement.standing),
        "dated_by": dated_by(requirement),
        "fares": judged.map(|judged| json!({
            "status": judged.status.word(),
            "why": judged.why,
            "next": (!judged.next.is_empty()).then_some(&judged.next),
            "owner": name(&judged.owner),
        })),
        "proof": ProofPage {
            book,
            name,
            known: explanation.when.known,
            told: BTreeSet::new(),
        }
        .json(&explanation.proof),
        "decisive": explanation.decisive.iter().map(fact).collect::<Value>(),
        "missing": explanation.missing.iter().map(fact).collect::<Value>(),
        "would_change": explanation.flips.iter().map(|flip| json!({
            "fact": kinds[flip.fact].name,
            "answer": flip.value.to_string(),
            "needs_confirmation": kinds[flip.fact].is_guarded(&flip.value),
            "standing": standing_json(&flip.standing),
        })).collect::<Value>(),
        "would_change_together": explanation.joint.iter().map(|joint| json!({
            "answers": joint.answers.iter().map(|(fact, value)| json!({
                "fact": kinds[*fact].name,
                "answer": value.to_string(),
                "needs_confirmation": kinds[*fact].is_guarded(value),
            })).collect::<Value>(),
            "standing": standing_json(&joint.standing),
        })).collect::<Value>(),
        "preview": requirement.preview,
        "for_counsel": requirement.for_counsel,
        "enforcement": requirement.force.words(),
        "remarks": remarks.iter().map(|remark| json!({ "about": remark.label, "text": remark.text })).collect::<Value>(),
        "penalty": requirement.penalty().map(|penalty| json!({ "max": penalty.max, "citation": penalty.cite })),
    })
}

fn standing_json(standing: &Standing) -> Value {
    let from = match standing {
        Standing::InForce { from } | Standing::Ahead { from } => Some(*from),
        Standing::Waiting { until, .. } => Some(*until),
        Standing::Unknown { from, .. } => *from,
        Standing::Ended { .. } | Standing::NotApplicable(_) => None,
    };
    json!({
        "standing": standing_word(standing),
        "from": from.map(|from| from.to_string()),
        "words": standing_words(standing),
    })
}

/// A proof as JSON. What a derived fact rests on is told where it is asked for first; later places have no parts and say
/// `see_above`, or facts that name each other twice would double it at every step.
struct ProofPage<'a> {
    book: &'a Book,
    name: &'a Name<'a>,
    known: Date,
    told: BTreeSet<usize>,
}

impl ProofPage<'_> {
    fn json(&mut self, proof: &Proof) -> Value {
        let truth = match proof.truth {
            Truth::True => "true",
            Truth::False => "false",
            Truth::Unknown => "unknown",
        };
        let (book, name) = (self.book, self.name);
        let mut parts =
            |parts: &[Proof]| parts.iter().map(|part| self.json(part)).collect::<Value>();
        match &proof.step {
            Step::Constant => json!({ "truth": truth, "step": "constant" }),
            Step::All(all) => json!({ "truth": truth, "step": "all", "parts": parts(all) }),
            Step::Any(any) => json!({ "truth": truth, "step": "any", "parts": parts(any) }),
            Step::Not(part) => {
                json!({ "truth": truth, "step": "not", "parts": parts(std::slice::from_ref(part)) })
            }
            Step::Derived { at, proof } => {
                let derived = book.derived(*at);
                let version = derived.version(self.known);
                let is_new = self.told.insert(*at);
                let parts: Value = is_new.then(|| self.json(proof)).into_iter().collect();
                let mut step = json!({
                    "truth": truth,
                    "step": "derived",
                    "name": derived.name,
                    "pack": derived.pack,
                    "citation": version.map(|version| &version.cite).filter(|cite| !cite.is_empty()),
                    "note": version.and_then(|version| version.note.as_ref()),
                    "unconfirmed": version.and_then(|version| version.unconfirmed.as_ref()),
                    "parts": parts,
                });
                if !is_new {
                    step["see_above"] = json!(true);
                }
                step
            }
            Step::Atom {
                fact,
                text,
                answer,
                unknown,
            } => {
                let kind = &book.vocabulary.kinds()[*fact];
                json!({
                    "truth": truth,
                    "step": "atom",
                    "fact": kind.name,
                    "text": text,
                    "question": kind.question,
                    "answer": answer.as_ref().map(|answer| answer_json(answer, name)),
                    "counts": unknown.is_none(),
                    "guarded": unknown.filter(|unknown| *unknown == Unknown::Unconfirmed).and(kind.guard_cite.as_ref()),
                })
            }
        }
    }
}

fn answer_json(answer: &Answer, name: &Name<'_>) -> Value {
    let person = |id: &str| (!id.is_empty()).then(|| name(id));
    json!({
        "value": answer.value.to_string(),
        "by": person(&answer.by),
        "on": answer.on.map(|on| on.to_string()),
        "basis": (!answer.basis.is_empty()).then_some(&answer.basis),
        "confirmed_by": answer.confirmed_by.as_deref().and_then(person),
    })
}

#[cfg(test)]
mod tests;
