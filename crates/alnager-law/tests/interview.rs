//! How many questions the interview needs, measured on the given cases and the examples.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "packs, cases and examples are read as they lie on disk; a question is timed"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use alnager_law::book::Book;
use alnager_law::cases;
use alnager_law::fact::{Answer, FactKind, FactType, Facts, Value, Vocabulary};
use alnager_law::interview::{Scope, next_question, progress};
use alnager_law::pack::{Pack, Register};
use alnager_law::read;
use alnager_law::requirement::AsOf;
use expect_test::expect;

/// The most questions that may be needed for the chatbot under EU AI Act and GDPR.
const N_QUESTIONS_MAX: usize = 25;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(name: &str) -> String {
    let path = root().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn folders(parent: &str, holds: &str) -> Vec<String> {
    let folder = root().join(parent);
    let found = std::fs::read_dir(folder).unwrap();
    let mut folders: Vec<String> = found
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join(holds).is_file())
        .map(|path| format!("{parent}/{}", path.file_name().unwrap().to_string_lossy()))
        .collect();
    folders.sort();
    folders
}

fn pack_folders() -> Vec<String> {
    let mut all = folders("packs/law", "pack.toml");
    all.extend(folders("packs/framework", "pack.toml"));
    all
}

fn book() -> Book {
    let packs = pack_folders().into_iter().map(|folder| {
        let file = format!("{folder}/pack.toml");
        Pack::parse(&file, &text(&file)).unwrap_or_else(|error| panic!("{error}"))
    });
    Book::new(
        Vocabulary::parse("facts.toml", &text("packs/facts.toml")).unwrap(),
        Register::parse("evidence.toml", &text("packs/evidence.toml"), "kind").unwrap(),
        Register::parse("controls.toml", &text("packs/controls.toml"), "control").unwrap(),
        packs.collect(),
    )
    .unwrap_or_else(|error| panic!("{error}"))
}

/// What someone says when asked about something that is not listed: no, nothing, none.
fn unlisted(kind: &FactKind) -> Value {
    match &kind.of {
        FactType::Bool => Value::Bool(false),
        FactType::Set(_) => Value::Set(BTreeSet::new()),
        FactType::Number | FactType::Date => Value::None,
        FactType::Enum(values) => Value::One(values[0].clone()),
    }
}

/// A situation by name, the days it is asked about, and its answers.
struct Situation {
    name: String,
    when: AsOf,
    facts: BTreeMap<String, Value>,
}

/// The given cases G01 to G15, as far as their packs are here.
fn given(book: &Book) -> Vec<Situation> {
    let mut given = Vec::new();
    for folder in pack_folders() {
        let file = format!("{folder}/cases.toml");
        if !root().join(&file).is_file() {
            continue;
        }
        let read = cases::parse(&file, &text(&file), &book.vocabulary).unwrap();
        let is_given =
            |id: &str| id.len() == 3 && id.starts_with('G') && id[1..].parse::<u8>().is_ok();
        given.extend(
            read.into_iter()
                .filter(|case| is_given(&case.id))
                .map(|case| Situation {
                    name: case.id,
                    when: case.when,
                    facts: case.facts,
                }),
        );
    }
    given.sort_by(|one, other| one.name.cmp(&other.name));
    given
}

/// The chatbot of G03 seen from whoever uses it for customer service, with the customers' data.
fn deployer(given: &[Situation]) -> Situation {
    let chatbot = given
        .iter()
        .find(|situation| situation.name == "G03")
        .unwrap();
    let mut facts = chatbot.facts.clone();
    let roles = ["deployer", "controller"].map(str::to_owned);
    facts.insert("roles".to_owned(), Value::Set(roles.into()));
    for fact in ["personal_data", "data_from_data_subject", "uses_processor"] {
        facts.insert(fact.to_owned(), Value::Bool(true));
    }
    Situation {
        name: "G03 deployer".to_owned(),
        when: chatbot.when,
        facts,
    }
}

/// The facts of every example's declaration.
fn examples(book: &Book) -> Vec<Situation> {
    folders("examples", "system.toml")
        .into_iter()
        .map(|folder| {
            let node = read::read(&folder, &text(&format!("{folder}/system.toml"))).unwrap();
            let mut facts = BTreeMap::new();
            for field in node.need("facts").unwrap().table().unwrap() {
                let kind = book.vocabulary.get(&field.key).unwrap();
                facts.insert(
                    field.key.clone(),
                    kind.read(field.node.need("value").unwrap()).unwrap(),
                );
            }
            Situation {
                name: folder,
                when: day(),
                facts,
            }
        })
        .collect()
}

fn day() -> AsOf {
    AsOf {
        valid: "2026-11-23".parse().unwrap(),
        known: "2026-11-23".parse().unwrap(),
    }
}

struct Held {
    asked: Vec<String>,
    longest: Duration,
    n_unconfirmed: usize,
}

/// Asks until nothing is open; every answer comes from the situation.
fn hold(book: &Book, situation: &Situation, packs: Option<&[&str]>) -> Held {
    let scope = Scope {
        packs: packs.map(|packs| packs.iter().map(|id| (*id).to_owned()).collect()),
        skipped: BTreeSet::new(),
    };
    let mut facts = Facts::new();
    let (mut asked, mut longest) = (Vec::new(), Duration::ZERO);
    loop {
        let begun = Instant::now();
        let question = next_question(book, &facts, situation.when, &scope);
        longest = longest.max(begun.elapsed());
        let Some(question) = question else { break };
        let kind = &book.vocabulary.kinds()[question.fact];
        let listed = situation.facts.get(&kind.name).cloned();
        let value = listed.unwrap_or_else(|| unlisted(kind));
        facts.set(question.fact, Some(Answer::bare(value)));
        asked.push(kind.name.clone());
    }
    let left = progress(book, &facts, situation.when, &scope);
    assert!(
        left.open.is_empty(),
        "{}: {:?} stay open",
        situation.name,
        left.open
    );
    Held {
        asked,
        longest,
        n_unconfirmed: left.unconfirmed.len(),
    }
}

/// The packs the measured interview is about.
const EU: [&str; 2] = ["eu-ai-act", "gdpr"];

#[test]
fn the_chatbot_is_settled_in_twenty_five_questions() {
    let book = book();
    let given = given(&book);
    let chatbot = given
        .iter()
        .find(|situation| situation.name == "G03")
        .unwrap();
    for situation in [chatbot, &deployer(&given)] {
        let held = hold(&book, situation, Some(&EU));
        println!("{}: {} questions", situation.name, held.asked.len());
        for (at, fact) in held.asked.iter().enumerate() {
            println!("  {:2} {fact}", at + 1);
        }
        assert!(
            held.asked.len() <= N_QUESTIONS_MAX,
            "{} needs {} questions: {:?}",
            situation.name,
            held.asked.len(),
            held.asked
        );
    }
}

/// Questions under EU AI Act and GDPR, and requirements that then wait for a confirmation. Of the given cases those whose pack
/// is here; the numbers of all packs together are printed, not held: they grow with every pack.
#[test]
fn the_number_of_questions_is_known_for_every_case_and_example() {
    let book = book();
    let given = given(&book);
    let deployer = deployer(&given);
    let examples = examples(&book);
    let mut table = String::new();
    for situation in given.iter().chain([&deployer]).chain(&examples) {
        let eu = hold(&book, situation, Some(&EU));
        let all = hold(&book, situation, None);
        println!(
            "{:20} eu-ai-act + gdpr {:3} questions, all packs {:3}; longest wait {:?}",
            situation.name,
            eu.asked.len(),
            all.asked.len(),
            all.longest
        );
        let waits = match eu.n_unconfirmed {
            0 => String::new(),
            n => format!(", {n} unconfirmed"),
        };
        writeln!(table, "{}: {}{waits}", situation.name, eu.asked.len()).unwrap();
    }
    let want = expect![[r#"
        G01: 18
        G02: 16
        G03: 16, 1 unconfirmed
        G04: 15, 1 unconfirmed
        G05: 26
        G06: 25
        G07: 27
        G08: 14
        G09: 4
        G10: 4
        G11: 5
        G12: 3
        G13: 4
        G14: 12, 9 unconfirmed
        G15: 12
        G03 deployer: 23, 2 unconfirmed
        examples/credit: 33
        examples/recidivism: 28
        examples/vendor: 24
    "#]];
    want.assert_eq(&table);
}

#[test]
fn no_answer_opens_what_was_settled() {
    let book = book();
    let given = given(&book);
    let scope = Scope::default();
    let situation = deployer(&given);
    let mut facts = Facts::new();
    let mut settled: BTreeSet<String> = BTreeSet::new();
    while let Some(question) = next_question(&book, &facts, situation.when, &scope) {
        let kind = &book.vocabulary.kinds()[question.fact];
        let listed = situation.facts.get(&kind.name).cloned();
        let value = listed.unwrap_or_else(|| unlisted(kind));
        assert!(
            facts.answer(question.fact).is_none(),
            "{} is asked twice",
            kind.name
        );
        facts.set(question.fact, Some(Answer::bare(value)));
        let left = progress(&book, &facts, situation.when, &scope);
        let open: BTreeSet<String> = left
            .open
            .iter()
            .chain(&left.unconfirmed)
            .map(|pending| pending.requirement.text().id.clone())
            .collect();
        assert!(
            settled.is_disjoint(&open),
            "{} opened a requirement",
            kind.name
        );
        let all = book.packs().flat_map(|pack| &pack.requirements);
        settled = all
            .map(|text| text.id.clone())
            .filter(|id| !open.contains(id))
            .collect();
    }
}
