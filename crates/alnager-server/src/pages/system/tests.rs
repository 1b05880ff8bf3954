#![allow(clippy::unwrap_used)]

use alnager_office::role::Role;
use axum::http::{Method, header};

use crate::tests::{Answer, Street, Visitor};
use crate::words::EN;

/// The fields of a form.
type Typed<'t> = [(&'t str, &'t str)];

/// The entry that last changed a fact, as the form of its page carries it.
async fn seen(visitor: &Visitor, path: &str) -> String {
    let page = visitor.get(path).await.is(200).text();
    let (_, rest) = page.split_once("name=\"seen\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// Sends evidence: the fields, and a file.
async fn offer(visitor: &Visitor, path: &str, fields: &[(&str, &str)], file: &[u8]) -> Answer {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part =
            format!("--mark\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend(part.into_bytes());
    }
    let head = "--mark\r\nContent-Disposition: form-data; name=\"file\"; filename=\"data <sheet>.md\"\r\nContent-Type: text/markdown\r\n\r\n";
    body.extend(head.as_bytes());
    body.extend(file);
    body.extend(b"\r\n--mark--\r\n");
    let path = format!("{path}?form={}", visitor.form_token());
    let media = [(header::CONTENT_TYPE, "multipart/form-data; boundary=mark")];
    visitor.send(Method::POST, &path, &media, body).await
}

#[tokio::test]
async fn every_system_of_the_demonstration_has_a_page_of_modest_size() {
    let street = Street::open(&["one"]).await;
    let board = street.with_role("one", Role::Board).await;
    let officer = street.with_role("one", Role::Officer).await;
    let organisation = street.house.seats["one"].organisation().unwrap();
    let state = organisation.moment().state.clone();
    for (id, system) in &state.systems {
        for visitor in [&board, &officer] {
            let page = visitor.get(&format!("/systems/{id}")).await.is(200);
            assert!(page.bytes.len() < 150_000, "{id}: {}", page.bytes.len());
            assert!(page.text().contains(&system.declaration.name));
            let figures = visitor
                .get(&format!("/systems/{id}/measures"))
                .await
                .is(200);
            assert!(
                figures.bytes.len() < 150_000,
                "{id}: {}",
                figures.bytes.len()
            );
        }
    }
    officer.get("/systems/nothing").await.is(404);
}

#[tokio::test]
async fn what_nobody_measured_is_said_to_be_so_and_is_no_zero() {
    let street = Street::open(&["one"]).await;
    let board = street.with_role("one", Role::Board).await;
    let page = board.get("/systems/meeting-notes").await.is(200).text();
    let audits = page.split_once("id=\"audits\"").unwrap().1;
    let audits = audits.split_once("id=\"gate\"").unwrap().0;
    assert!(audits.contains(EN.system.nothing_measured), "{audits}");
    assert!(
        !audits.contains("0.0") && !audits.contains("NaN"),
        "{audits}"
    );
    let figures = board.get("/systems/meeting-notes/measures").await.is(200);
    assert!(figures.text().contains("Nothing was measured"));
    // Whoever only reads finds no form that answers.
    let fact = board.get("/systems/meeting-notes/facts/is_ai_system").await;
    let fact = fact.is(200).text();
    assert!(!fact.contains("name=\"seen\""), "{fact}");
    let answer = [("answer", "false"), ("basis", "b"), ("seen", "")];
    board
        .post("/systems/meeting-notes/facts/is_ai_system", &answer)
        .await
        .is(403);
}

#[tokio::test]
async fn of_each_test_the_figure_furthest_from_passing_is_shown() {
    let street = Street::open(&["one"]).await;
    let board = street.with_role("one", Role::Board).await;
    let page = board.get("/systems/recidivism").await.is(200).text();
    // Of race and sex together three groups or more fail; this one has the lowest ratio.
    assert!(
        page.contains("African-American × Male: <strong>0.595</strong>"),
        "{page}"
    );
    let figures = board.get("/systems/recidivism/measures").await.is(200);
    let figures = figures.text();
    assert!(figures.contains("0.595") && figures.contains("id=\"brief\""));
}

#[tokio::test]
async fn another_day_is_looked_at_by_slider_and_by_date() {
    let street = Street::open(&["one"]).await;
    let board = street.with_role("one", Role::Board).await;
    let looking = EN.system.looking;
    let now = board.get("/systems/credit").await.is(200).text();
    assert!(!now.contains(looking));
    let slid = board.get("/systems/credit?days=800").await.is(200).text();
    assert!(
        slid.contains(looking) && slid.contains("value=\"800\""),
        "{slid}"
    );
    let dated = board.get("/systems/credit?at=2031-08-02").await.is(200);
    let dated = dated.text();
    assert!(dated.contains(looking) && dated.contains("2 Aug 2031"));
    let known = board.get("/systems/credit?known=2024-01-01").await.is(200);
    assert!(known.text().contains("1 Jan 2024"));
    for wrong in [
        "at=tomorrow",
        "days=x",
        "days=99999999999",
        "known=2999-01-01",
    ] {
        let page = board.get(&format!("/systems/credit?{wrong}")).await;
        let page = page.is(422).text();
        assert!(
            page.contains("role=\"alert\"") && !page.contains(looking),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn the_history_shows_the_newest_first_and_links_for_those_who_may_prove() {
    let street = Street::open(&["one"]).await;
    let board = street.with_role("one", Role::Board).await;
    let without = board.get("/systems/credit").await.is(200).text();
    assert!(without.contains("history=1") && !without.contains("system.declared"));
    let page = board.get("/systems/credit?history=1").await.is(200).text();
    assert!(page.contains("system.declared") && !page.contains("/one/journal/"));
    let auditor = street.with_role("one", Role::Auditor).await;
    let page = auditor
        .get("/systems/credit?history=1")
        .await
        .is(200)
        .text();
    let history = page.split_once("id=\"history\"").unwrap().1;
    let entries: Vec<u64> = history
        .split("/one/journal/")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
        .collect();
    assert!(
        entries.len() > 3 && entries.is_sorted_by(|one, two| one > two),
        "{entries:?}"
    );
    board.get("/systems/credit?history=999").await.is(200);
}

#[tokio::test]
async fn a_fact_is_answered_and_confirmed_by_somebody_else() {
    let street = Street::open(&["one"]).await;
    let engineer = street.with_role("one", Role::Engineer).await;
    let officer = street.with_role("one", Role::Officer).await;
    let path = "/systems/credit/facts/at_workplace";
    let confirm = format!("{path}/confirm");
    let fresh = seen(&engineer, path).await;
    // Nothing chosen, nothing meant by the fact, and no basis: each is said, and what was typed stays.
    let page = engineer.post(path, &[("basis", "b <i>")]).await.is(422);
    assert!(page.text().contains("b &lt;i&gt;"));
    let odd = [("answer", "perhaps"), ("basis", "b")];
    engineer.post(path, &odd).await.is(422);
    let bare = [("answer", "true"), ("seen", &fresh), ("basis", " ")];
    let page = engineer.post(path, &bare).await.is(422).text();
    assert!(page.contains("value=\"true\" checked"), "{page}");
    let given = [
        ("answer", "true"),
        ("seen", &fresh),
        ("basis", "floor plan"),
    ];
    let answer = engineer.post(path, &given).await.is(303);
    assert_eq!(answer.location, "/one/systems/credit#fact-at_workplace");
    let shown = engineer.get("/systems/credit").await.is(200).text();
    assert!(shown.contains("id=\"fact-at_workplace\"") && shown.contains("floor plan"));
    // Whoever builds it has no right to confirm, and is offered no form.
    let page = engineer.get(path).await.is(200).text();
    assert!(!page.contains("/confirm"), "{page}");
    let read = [("value", "true"), ("basis", "seen it")];
    engineer.post(&confirm, &read).await.is(403);
    // Another answer than the one on record, and no basis.
    let other = [("value", "false"), ("basis", "kept <b>")];
    let page = officer.post(&confirm, &other).await.is(409).text();
    assert!(page.contains("kept &lt;b&gt;"), "{page}");
    let blank = [("value", "true"), ("basis", "")];
    officer.post(&confirm, &blank).await.is(422);
    officer.post(&confirm, &read).await.is(303);
    let page = officer.get(path).await.is(200).text();
    assert!(page.contains("Ines Marchetti") && !page.contains("/confirm"));
}

#[tokio::test]
async fn nobody_confirms_their_own_answer() {
    let street = Street::open(&["one"]).await;
    let officer = street.with_role("one", Role::Officer).await;
    let path = "/systems/cv-screen/facts/at_workplace";
    let confirm = format!("{path}/confirm");
    let fresh = seen(&officer, path).await;
    let given = [("answer", "false"), ("seen", &fresh), ("basis", "asked")];
    officer.post(path, &given).await.is(303);
    let page = officer.get(path).await.is(200).text();
    assert!(page.contains(EN.system.own_answer) && !page.contains("/confirm"));
    let own = [("value", "false"), ("basis", "asked again")];
    let page = officer.post(&confirm, &own).await.is(422).text();
    assert!(page.contains("role=\"alert\""), "{page}");
    let validator = street.with_role("one", Role::Validator).await;
    validator.post(&confirm, &own).await.is(303);
    // A later answer is a proposal in the place of the confirmed one.
    let fresh = seen(&officer, path).await;
    let changed = [("answer", "true"), ("seen", &fresh), ("basis", "it moved")];
    officer.post(path, &changed).await.is(303);
    let page = validator.get(path).await.is(200).text();
    assert!(page.contains(EN.system.proposed) && page.contains("it moved"));
}

#[tokio::test]
async fn who_answers_second_sees_what_changed_and_keeps_what_they_typed() {
    let street = Street::open(&["one"]).await;
    let officer = street.with_role("one", Role::Officer).await;
    let counsel = street.with_role("one", Role::Legal).await;
    let path = "/systems/credit/facts/at_workplace";
    let fresh = seen(&officer, path).await;
    let first = [("answer", "true"), ("seen", &fresh), ("basis", "walked in")];
    officer.post(path, &first).await.is(303);
    let second = [
        ("answer", "false"),
        ("seen", &fresh),
        ("basis", "my <own> view"),
    ];
    let page = counsel.post(path, &second).await.is(409).text();
    assert!(
        page.contains(EN.refusal.conflict) && page.contains("walked in"),
        "{page}"
    );
    assert!(page.contains("my &lt;own&gt; view") && page.contains("value=\"false\" checked"));
    let organisation = street.house.seats["one"].organisation().unwrap();
    let stands = || organisation.moment().state.systems["credit"].facts["at_workplace"].clone();
    assert_eq!(stands().answer.value, "true");
    // The form now carries what they have seen, so that sending it again is a decision.
    let (_, rest) = page.split_once("name=\"seen\" value=\"").unwrap();
    let now = rest.split('"').next().unwrap();
    assert_ne!(now, fresh);
    let again = [
        ("answer", "false"),
        ("seen", now),
        ("basis", "my <own> view"),
    ];
    counsel.post(path, &again).await.is(303);
    assert_eq!(stands().answer.value, "false");
}

#[tokio::test]
async fn evidence_is_submitted_with_its_document() {
    let street = Street::open(&["one"]).await;
    let engineer = street.with_role("one", Role::Engineer).await;
    let page_path = "/systems/credit/requirements/EUAIA-9";
    let path = format!("{page_path}/evidence");
    let page = engineer.get(page_path).await.is(200).text();
    let (_, select) = page.split_once("<select id=\"kind\"").unwrap();
    let (_, kind) = select.split_once("<option value=\"").unwrap();
    let kind = kind.split('"').next().unwrap();
    let good = [("kind", kind), ("effective", "2026-10-01"), ("expires", "")];
    let wrong: [(&Typed, &[u8]); 6] = [
        (
            &[("kind", "no_such_kind"), ("effective", "2026-10-01")],
            b"x",
        ),
        (&good, b""),
        (&[("kind", kind), ("effective", "soon")], b"x"),
        (
            &[
                ("kind", kind),
                ("effective", "2026-10-01"),
                ("expires", "2026-10-01"),
            ],
            b"x",
        ),
        (
            &[
                ("kind", kind),
                ("effective", "2026-10-01"),
                ("auditor", "A <b>"),
            ],
            b"x",
        ),
        (
            &[
                ("kind", kind),
                ("effective", "2026-10-01"),
                ("also", "GDPR-NONE"),
            ],
            b"x",
        ),
    ];
    let organisation = street.house.seats["one"].organisation().unwrap();
    let before = organisation.moment().state.size;
    for (fields, file) in wrong {
        let page = offer(&engineer, &path, fields, file).await.is(422).text();
        assert!(
            page.contains("role=\"alert\"") && !page.contains("A <b>"),
            "{page}"
        );
    }
    let large = vec![b'a'; 22 << 20];
    offer(&engineer, &path, &good, &large).await.is(413);
    let within_the_form = vec![b'a'; (20 << 20) + 1];
    offer(&engineer, &path, &good, &within_the_form)
        .await
        .is(413);
    engineer.post(&path, &[("kind", kind)]).await.is(422);
    assert_eq!(organisation.moment().state.size, before);
    let answer = offer(&engineer, &path, &good, b"# Data sheet")
        .await
        .is(303);
    assert_eq!(answer.location, format!("/one{page_path}#evidence"));
    let page = engineer.get(page_path).await.is(200).text();
    assert!(page.contains("data &lt;sheet&gt;.md"), "{page}");
    let board = street.with_role("one", Role::Board).await;
    let page = board.get(page_path).await.is(200).text();
    assert!(!page.contains("multipart/form-data"));
    offer(&board, &path, &good, b"x").await.is(403);
}

#[tokio::test]
async fn a_confirmation_of_an_answer_that_changed_meanwhile_shows_the_new_one_and_keeps_the_words()
{
    let street = Street::open(&["one"]).await;
    let clara = street.with_role("one", Role::PrivacyOfficer).await;
    let vera = street.with_role("one", Role::Validator).await;
    let path = "/systems/meeting-notes/facts/simplified_output";
    let answer = |answer: &'static str, seen: String| {
        [
            ("answer", answer.to_owned()),
            ("basis", "the model card".to_owned()),
            ("seen", seen),
        ]
    };
    let post = async |fields: [(&str, String); 3]| {
        let fields = fields
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        clara.post(path, &fields).await.is(303);
    };
    post(answer("false", String::new())).await;
    let looked = vera.get(path).await.is(200).text();
    let (_, shown) = looked.split_once("name=\"value\" value=\"").unwrap();
    let shown = shown.split('"').next().unwrap().to_owned();
    post(answer("true", seen(&clara, path).await)).await;
    let fields = [("value", shown.as_str()), ("basis", "I read <the> card")];
    let page = vera
        .post(&format!("{path}/confirm"), &fields)
        .await
        .is(409)
        .text();
    assert!(page.contains("value=\"I read &lt;the&gt; card\""), "{page}");
    assert!(page.contains("name=\"value\" value=\"true\""), "{page}");
    assert!(page.contains("is answered `true`"), "{page}");
    // Once there is nothing left to confirm, the words are there all the same.
    let again = [("value", "true"), ("basis", "I read the card")];
    vera.post(&format!("{path}/confirm"), &again).await.is(303);
    let late = street.with_role("one", Role::Legal).await;
    let page = late
        .post(&format!("{path}/confirm"), &fields)
        .await
        .is(409)
        .text();
    assert!(page.contains("I read &lt;the&gt; card"), "{page}");
}
