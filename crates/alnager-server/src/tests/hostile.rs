//! An attacker's texts in every field of every form, in files, in addresses and through the API: they come out as texts, and no page is
//! made of anything else for them.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::route::Kind as Answers;

mod content;
mod corpus;
mod filling;
mod programs;
mod reading;
mod walk;

use corpus::{Text, chorus, corpus};
use filling::Typed;
use walk::{Forms, Key, Walk};

/// Where a walk begins: rooms, and pages that no link leads to.
const FROM: &[&str] = &[
    "/one/today",
    "/one/systems?q=credit",
    "/one/gate?q=credit",
    "/one/evidence?q=credit",
    "/one/lab",
    "/one/tasks",
    "/one/intake",
    "/one/intake/cv-screen",
    "/one/journal",
    "/one/law",
    "/one/law/us-sr26-2",
    "/one/people",
    "/one/account",
    "/one/search?q=credit",
    "/one/systems/import",
];

/// Pages of each route that a walk looks at.
const MOST: usize = 3;

/// Forms whose one field takes an id and nothing else: what is typed there is shown again, and never kept.
const TAKES_IDS: [&str; 1] = ["/{org}/evidence/{evidence}/offer"];

/// The same among operations.
const OPERATIONS_OF_IDS: [&str; 1] = ["POST /evidence/{evidence}/offers"];

/// Forms without a field that enter what was uploaded before.
const CONFIRMS: [&str; 1] = ["/{org}/systems/import/{import}"];

/// Routes of forms that a walk does not come to.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "/{org}/setup",
        "before there is a desk; see the test of strangers",
    ),
    ("/{org}/sign-in", "see the test of strangers"),
    ("/{org}/welcome/{link}", "see the test of strangers"),
    ("/{org}/sign-out", "ends the walk; it has no field"),
    (
        "/{org}/systems/{system}/opinion",
        "see the test of auditors",
    ),
    (
        "/{org}/opinions/{opinion}/withdraw",
        "see the test of auditors",
    ),
    (
        "/{org}/law/requirements/{requirement}/wording",
        "stands there once an official text has changed; see the tests of the room",
    ),
];

/// Names that a query may have.
const QUERY: &[&str] = &[
    "q",
    "next",
    "sort",
    "down",
    "page",
    "cursor",
    "limit",
    "kind",
    "system",
    "standing",
    "verdict",
    "show",
    "stage",
    "owner",
    "place",
    "binds",
    "made",
    "at",
    "known",
    "days",
    "history",
    "from",
    "to",
    "known_from",
    "known_to",
    "skip",
    "for",
    "format",
    "key",
    "form",
    "<b>",
];

/// How many of the texts go into each form by themselves; all of them go into each together.
const EACH: usize = 4;

fn percent(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

/// Most bytes of one value where an address has many.
const SHORT: usize = 400;

/// Every page with texts for every part of its query, and in place of everything that its address names.
async fn ask(walk: &mut Walk<'_>, street: &Street, text: &Text, others: &[Text]) {
    let pair = |name: &str, text: &[u8]| format!("{}={}", percent(name.as_bytes()), percent(text));
    let each = QUERY.iter().zip(others.iter().cycle());
    let each: Vec<String> = each
        .map(|(name, text)| pair(name, &text.bytes[..text.bytes.len().min(SHORT)]))
        .collect();
    let single: Vec<String> = QUERY
        .iter()
        .take(4)
        .map(|name| pair(name, &text.bytes))
        .collect();
    let text = percent(&text.bytes);
    for declared in &street.declared {
        let is_page = declared.kind == Answers::Page && declared.method == Method::GET;
        // The name of a file is no query of ours, and what is measured has no address before.
        if !is_page || declared.path.starts_with("/static") {
            continue;
        }
        let path = super::isolation::filled(declared.path, "one", "nobody");
        let named = |part: &str| match part {
            "{org}" => "one".to_owned(),
            part if part.starts_with('{') => text.clone(),
            part => part.to_owned(),
        };
        let named: Vec<String> = declared.path.split('/').map(named).collect();
        let path_of_names = named.join("/");
        let mut asked = vec![format!("{path}?{}", each.join("&"))];
        asked.extend(single.iter().map(|pair| format!("{path}?{pair}")));
        if declared.path.matches('{').count() > 1 {
            asked.push(path_of_names);
        }
        for path in asked {
            let answer = walk.visitor.get(&format!("/{path}")).await;
            walk.look(&Method::GET, &path, &answer);
        }
    }
    for path in [
        format!("/{text}"),
        format!("/one/{text}"),
        format!("/one/a/{text}?{}", single[0]),
    ] {
        let answer = walk.visitor.get(&format!("/{path}")).await;
        walk.look(&Method::GET, &path, &answer);
    }
}

/// Whether anything may be typed into a form, or comes in through it.
async fn matters(walk: &mut Walk<'_>, key: &Key, place: &str) -> bool {
    CONFIRMS.contains(&key.1) || walk.takes_text(key, place).await
}

/// Fills every form there is with harmless texts, until no new ones turn up; those found, and those that were not taken.
async fn harmless(walk: &mut Walk<'_>) -> (Forms, BTreeMap<Key, String>) {
    let (mut all, mut refused) = (Forms::new(), BTreeMap::new());
    loop {
        let forms = walk.crawl(FROM, MOST).await;
        let new: Vec<_> = forms
            .into_iter()
            .filter(|(key, _)| !all.contains_key(key))
            .collect();
        if new.is_empty() {
            return (all, refused);
        }
        for (key, places) in new {
            all.insert(key.clone(), places.clone());
            let is_left = ELSEWHERE.iter().any(|(route, _)| *route == key.1);
            if is_left || !matters(walk, &key, &places[0]).await {
                continue;
            }
            let text = Text::plain(all.len());
            walk.fill(&key, &places, Typed::Nothing).await;
            walk.fill(&key, &places, Typed::Choices).await;
            if let Some(Err(said)) = walk.fill(&key, &places, Typed::Well(&text)).await {
                refused.insert(key.clone(), said);
            }
            walk.fill(&key, &places, Typed::Everywhere(&text)).await;
        }
    }
}

/// Fills every form with the corpus; those that took none of it.
async fn hostile(walk: &mut Walk<'_>, forms: &Forms) -> BTreeMap<Key, String> {
    let mut refused = BTreeMap::new();
    let texts = corpus();
    let together = chorus();
    for (n, (key, places)) in forms.iter().enumerate() {
        let is_left = ELSEWHERE.iter().any(|(route, _)| *route == key.1);
        if is_left || !matters(walk, key, &places[0]).await {
            continue;
        }
        let own = (0..EACH).map(|of| &texts[(n + of * texts.len() / EACH) % texts.len()]);
        let own: Vec<&Text> = [&together].into_iter().chain(own).collect();
        let (mut is_taken, mut last) = (false, String::new());
        for text in own {
            match walk.fill(key, places, Typed::Well(text)).await {
                Some(Ok(())) => is_taken = true,
                Some(Err(said)) => last = said,
                None => "the form is gone".clone_into(&mut last),
            }
        }
        walk.fill(key, places, Typed::Everywhere(&together)).await;
        if !is_taken {
            refused.insert(key.clone(), last);
        }
    }
    refused
}

/// Everything that was made is looked at again: what stands on record, by its own page, and the journal's entries about it.
async fn look_again(walk: &mut Walk<'_>, street: &Street, from: u64) {
    walk.crawl(FROM, MOST).await;
    let moment = street.house.seats["one"].organisation().unwrap().moment();
    let state = &moment.state;
    for id in state.systems.keys() {
        for path in [
            "systems/ID",
            "systems/ID?history=1",
            "gate/ID",
            "gate/ID/notice",
            "intake/ID",
        ] {
            walk.open(&format!("/one/{}", path.replace("ID", id))).await;
        }
    }
    for id in state.evidence.keys() {
        walk.open(&format!("/one/evidence/{id}")).await;
    }
    for id in state.tasks.keys() {
        walk.open(&format!("/one/tasks/{id}")).await;
    }
    let step = usize::try_from((state.size - from) / 60).unwrap().max(1);
    for entry in (from..state.size).step_by(step) {
        walk.open(&format!("/one/journal/{entry}")).await;
    }
}

/// No cell of a table that is taken away begins as a formula does.
async fn check_tables(walk: &Walk<'_>) {
    let table = walk.visitor.get("/systems.csv").await.is(200);
    let mut n_cells = 0;
    for row in csv::Reader::from_reader(table.bytes.as_slice()).records() {
        for cell in &row.unwrap() {
            n_cells += 1;
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{cell}"
            );
        }
    }
    assert!(n_cells > 100);
}

/// Notes what was left over of something, if anything was.
fn note<T: std::fmt::Debug>(
    wrong: &mut Vec<String>,
    what: &str,
    left: impl IntoIterator<Item = T>,
) {
    wrong.extend(left.into_iter().map(|left| format!("{what}: {left:?}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_an_attacker_stay_texts() {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let stub = Path::new(&root).join("src/tests/hostile/stub.sh");
    let street = Street::open_with(&["one"], stub).await;
    let officer = street.with_role("one", Role::Officer).await;
    let mut walk = Walk::new(&street, officer);
    let size = || {
        let organisation = street.house.seats["one"].organisation();
        organisation.unwrap().moment().state.size
    };
    let mut wrong = Vec::new();
    let (forms, refused) = harmless(&mut walk).await;
    let is_kept = |(key, _): &(Key, String)| !TAKES_IDS.contains(&key.1);
    let what = "a form that took no harmless text; what it takes belongs to `KNOWN`";
    note(&mut wrong, what, refused.into_iter().filter(is_kept));
    let harmless_text = Text::plain(0);
    let others = [harmless_text.clone()];
    ask(&mut walk, &street, &harmless_text, &others).await;
    let is_wrong = |operation: &String, said: &mut Option<String>| {
        said.is_some() && !OPERATIONS_OF_IDS.contains(&operation.as_str())
    };
    let mut refused = programs::send_all(&street, &harmless_text, "plain").await;
    refused.retain(is_wrong);
    note(
        &mut wrong,
        "an operation that took no harmless text",
        refused,
    );
    let posts = street
        .declared
        .iter()
        .filter(|declared| declared.kind == Answers::Page && declared.method == Method::POST);
    let missing = posts.map(|declared| declared.path).filter(|path| {
        let mut found = forms.keys();
        !found.any(|(is_post, route, _)| *is_post && route == path)
            && !ELSEWHERE.iter().any(|(route, _)| route == path)
    });
    note(&mut wrong, "a form that no page shows", missing);

    let from = size();
    walk.is_harmless = false;
    let refused = hostile(&mut walk, &forms).await;
    let what = "a form that took none of the texts";
    note(&mut wrong, what, refused.into_iter().filter(is_kept));
    let (texts, together) = (corpus(), chorus());
    let mut refused = programs::Answers::new();
    for (n, text) in [&together].into_iter().chain(&texts).enumerate().step_by(5) {
        let answers = programs::send_all(&street, text, &format!("hostile-{n}")).await;
        for (operation, said) in answers {
            let known = refused.entry(operation).or_insert(said.clone());
            *known = known.take().and(said);
        }
    }
    refused.retain(is_wrong);
    note(
        &mut wrong,
        "an operation that took none of the texts",
        refused,
    );
    for (n, text) in [&together, &texts[6]].into_iter().enumerate() {
        let (before, after) = texts.split_at(n * 10);
        ask(&mut walk, &street, text, &[after, before].concat()).await;
    }
    look_again(&mut walk, &street, from).await;
    check_tables(&walk).await;
    // A walk on which the texts come out nowhere shows nothing.
    assert!(walk.marked.len() > 30, "{:?}", walk.marked);
    wrong.extend(walk.faults);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Opinions are an auditor's alone.
#[tokio::test(flavor = "multi_thread")]
async fn texts_of_an_auditor_stay_texts() {
    let street = Street::open(&["one"]).await;
    let auditor = street.with_role("one", Role::Auditor).await;
    let mut walk = Walk::new(&street, auditor);
    let system = "/one/systems/credit";
    let opinion = format!("{system}/opinion");
    let texts = [&[chorus()][..], &corpus()].concat();
    // The form that withdraws goes with what it withdraws, so it comes last.
    walk.open(system).await;
    for (route, place) in [("/opinion", opinion.as_str()), ("/withdraw", system)] {
        walk.is_harmless = true;
        let reading = walk.open(place).await.unwrap();
        let keys = reading.forms.iter().map(|form| walk.key(place, form));
        let key = keys.into_iter().find(|key| key.1.ends_with(route)).unwrap();
        walk.fill_at(&key, place, Typed::Nothing).await;
        walk.fill_at(&key, place, Typed::Choices).await;
        walk.is_harmless = false;
        for text in &texts {
            walk.fill_at(&key, place, Typed::Everywhere(text)).await;
        }
        walk.fill_at(&key, place, Typed::Well(&chorus())).await;
        walk.open(system).await;
    }
    let state = &street.house.seats["one"]
        .organisation()
        .unwrap()
        .moment()
        .state;
    let opinions = state.opinions_on("credit");
    assert!(opinions.len() > 1 && opinions.iter().any(|one| one.withdrawn.is_some()));
    let shown = |route: &&str| route.ends_with("/systems/{system}");
    assert!(walk.marked.iter().any(shown), "{:?}", walk.marked);
    let faults: Vec<&String> = walk.faults.iter().collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Whoever is not signed in has fields, too.
#[tokio::test(flavor = "multi_thread")]
async fn texts_of_a_stranger_stay_texts() {
    let folder = tempfile::tempdir().unwrap();
    let known = Place::from(folder.path().join("one").as_path());
    demo::fill(&known).await.unwrap();
    let vacant = Place::from(folder.path().join("two").as_path());
    let street = Street::of(vec![known, vacant], folder, "alnager".into()).await;
    let officer = street.with_role("one", Role::Officer).await;
    let invite = [("name", "New Person"), ("role", "board"), ("reason", "new")];
    let invited = officer.post("/people", &invite).await.is(200).text();
    let (_, link) = invited.split_once("/one/welcome/").unwrap();
    let link = link.split('<').next().unwrap();
    let key = street.house.seats["two"].setup.reveal();
    let places = [
        "/one/sign-in".to_owned(),
        format!("/one/sign-in?next={}", percent(&chorus().bytes)),
        format!("/one/welcome/{link}"),
        format!("/two/setup?key={key}"),
    ];
    let mut walk = Walk::new(&street, street.stranger("one"));
    for place in &places {
        walk.is_harmless = true;
        let reading = walk.open(place).await.unwrap();
        let key = walk.key(place, &reading.forms[0]);
        walk.fill_at(&key, place, Typed::Nothing).await;
        walk.fill_at(&key, place, Typed::Choices).await;
        walk.is_harmless = false;
        for text in [chorus()].iter().chain(&corpus()) {
            walk.fill_at(&key, place, Typed::Everywhere(text)).await;
        }
        for text in [chorus()].iter().chain(&corpus()) {
            if let Some(Ok(())) = walk.fill_at(&key, place, Typed::Well(text)).await {
                break;
            }
        }
    }
    assert!(walk.marked.len() >= 3, "{:?}", walk.marked);
    // An organisation and its administrator that are called like that.
    let organisation = street.house.seats["two"].organisation();
    let people = organisation.unwrap().moment().state.people.clone();
    let name = people.values().next().unwrap().clone();
    for (slug, name) in [("two", name.as_str()), ("one", "Ines Marchetti")] {
        walk.visitor = street.visitor(slug, name).await;
        for room in ["today", "people", "account", "journal", "search?q=a"] {
            let answer = walk.visitor.get(&format!("/{room}")).await.is(200);
            let reading = reading::read(&answer.text());
            assert_eq!(reading.faults, Vec::<String>::new(), "{slug} {room}");
            assert!(reading.is_marked || slug == "one", "{slug} {room}");
        }
    }
    let faults: Vec<&String> = walk.faults.iter().collect();
    assert!(faults.is_empty(), "{faults:#?}");
}
