#![allow(clippy::unwrap_used)]

use std::path::Path;

use alnager_journal::dossier::Limits;
use alnager_journal::note::SigningKey;
use alnager_journal::proof::Proof;
use alnager_journal::verify::Trust;
use alnager_office::people::Basis;
use alnager_office::role::Role;
use alnager_work::acting::Flags;
use alnager_work::people::erase;
use axum::http::{Method, header};

use super::*;
use crate::tests::{Answer, Street, Visitor};

/// The entries that a page of the history links to, in its order.
fn entries(page: &str) -> Vec<u64> {
    let rows = page
        .split("<th scope=\"row\"><a href=\"/one/journal/")
        .skip(1);
    rows.map(|rest| rest.split('"').next().unwrap().parse().unwrap())
        .collect()
}

fn size(street: &Street) -> u64 {
    let organisation = street.house.seats["one"].organisation().unwrap();
    organisation.moment().state.size
}

#[tokio::test]
async fn the_history_is_told_the_latest_first_and_page_by_page() {
    let street = Street::open(&["one"]).await;
    let auditor = street.with_role("one", Role::Auditor).await;
    let mut seen = Vec::new();
    let mut path = "/journal".to_owned();
    loop {
        let page = auditor.get(&path).await.is(200).text();
        let found = entries(&page);
        assert!(found.len() <= ROWS);
        seen.extend(found);
        match page.contains(EN.journal.end) {
            true => break,
            false => path = format!("/journal?from={}", seen.last().unwrap() - 1),
        }
    }
    let all: Vec<u64> = (0..size(&street)).rev().collect();
    assert_eq!(seen, all);
    // A page that is asked for beyond the end is the first one.
    let first = auditor.get("/journal?from=999999999").await.is(200).text();
    assert_eq!(entries(&first)[0], size(&street) - 1);
    let engineer = street.with_role("one", Role::Engineer).await;
    engineer.get("/journal").await.is(403);
}

#[tokio::test]
async fn filters_and_search_narrow_the_history() {
    let street = Street::open(&["one"]).await;
    let auditor = street.with_role("one", Role::Auditor).await;
    let page = auditor
        .get("/journal?kind=system.reviewed")
        .await
        .is(200)
        .text();
    assert!(!entries(&page).is_empty());
    assert_eq!(
        page.matches("A system was reviewed.").count(),
        entries(&page).len()
    );
    let none = auditor.get("/journal?kind=sys").await.is(200).text();
    assert!(
        none.contains(EN.journal.none_here),
        "half a word is no kind"
    );
    let organisation = street.house.seats["one"].organisation().unwrap();
    let state = organisation.moment().state.clone();
    let about = auditor.get("/journal?system=credit").await.is(200).text();
    let first = state.heads[&state.systems["credit"].subject];
    assert_eq!(entries(&about).first(), Some(&first));
    assert!(about.contains(">Tomas Beran<") || about.contains(">Ines Marchetti<"));
    let found = auditor
        .get("/journal?system=credit&kind=system&q=declared")
        .await;
    let found = entries(&found.is(200).text());
    assert!(
        found.contains(&state.systems["credit"].declared_at),
        "{found:?}"
    );
    let (id, evidence) = state.evidence.iter().next().unwrap();
    let sought = auditor.get(&format!("/journal?q={id}%20submitted")).await;
    assert!(entries(&sought.is(200).text()).contains(&evidence.submitted_at));
    let wrong = auditor.get("/journal?system=%3Cb%3E").await.is(422).text();
    assert!(wrong.contains("&lt;b&gt;") && !wrong.contains("<b>"));
}

#[tokio::test]
async fn an_entry_is_proven_by_what_one_takes_away() {
    let street = Street::open(&["one"]).await;
    let auditor = street.with_role("one", Role::Auditor).await;
    let page = auditor.get("/journal/3").await.is(200).text();
    assert!(page.contains(EN.journal.proof_holds), "{page}");
    let organisation = street.house.seats["one"].organisation().unwrap();
    let (entry, other, key) = {
        let desk = organisation.reader().await.unwrap();
        let bytes = async |index| {
            let entry = desk.entry(index).await.unwrap();
            entry.unwrap().to_bytes().unwrap()
        };
        (bytes(3).await, bytes(4).await, desk.verifier_key().clone())
    };
    let shown = html! { (String::from_utf8(entry.clone()).unwrap()) };
    assert!(page.contains(&shown.into_string()), "its canonical bytes");
    let file = auditor.get("/journal/3/proof").await.is(200);
    let proof = Proof::parse(&file.bytes).unwrap();
    assert_eq!(proof.verify(&entry), Ok(()));
    assert!(proof.verify(&other).is_err());
    proof.checkpoint.note().verify(&[key]).unwrap();
    let checkpoint = auditor.get("/journal/checkpoint").await.is(200);
    assert_eq!(checkpoint.text(), proof.checkpoint.to_string());
    auditor.get("/journal/999999/proof").await.is(404);
    auditor.get("/journal/x").await.is(404);
}

#[tokio::test]
async fn what_was_erased_is_said_and_not_shown() {
    let street = Street::open(&["one"]).await;
    let organisation = street.house.seats["one"].organisation().unwrap();
    let state = organisation.moment().state.clone();
    let board = state.person("Johanna Brandt").unwrap().to_owned();
    let named = state.person_entries[&board][0];
    let officer = street.with_role("one", Role::Officer).await;
    let page = officer
        .get(&format!("/journal/{named}"))
        .await
        .is(200)
        .text();
    assert!(page.contains("Johanna Brandt") && !page.contains(EN.journal.payload_erased));
    let flags = Flags {
        desk: organisation.place.clone(),
        actor: Some("Ines Marchetti".to_owned()),
        ..Flags::default()
    };
    let basis = Basis::NoLongerNecessary;
    erase(&flags, "Johanna Brandt", basis, "left us")
        .await
        .unwrap();
    let page = officer
        .get(&format!("/journal/{named}"))
        .await
        .is(200)
        .text();
    assert!(page.contains(EN.journal.payload_erased), "{page}");
    assert!(
        page.contains(EN.journal.proof_holds),
        "what is left is still proven"
    );
}

#[tokio::test]
async fn a_dossier_that_is_taken_away_verifies() {
    let street = Street::open(&["one"]).await;
    let auditor = street.with_role("one", Role::Auditor).await;
    let page = auditor
        .get("/journal/dossiers?q=credit")
        .await
        .is(200)
        .text();
    assert!(page.contains("/one/journal/dossiers/credit\""));
    let file = auditor.get("/journal/dossiers/credit").await.is(200);
    let organisation = street.house.seats["one"].organisation().unwrap();
    let key = organisation.reader().await.unwrap().verifier_key().clone();
    let trust = Trust::Key(key);
    let found =
        alnager_work::verify::verify_bytes(&file.bytes, Limits::default(), &trust, None).unwrap();
    let found = found.unwrap();
    assert_eq!(found.differs, Vec::<String>::new());
    assert!(found.journal.trusted && !found.reviews.is_empty());
    auditor.get("/journal/dossiers/nothing").await.is(404);
    let owner = street.with_role("one", Role::SystemOwner).await;
    owner.get("/journal/dossiers/credit").await.is(403);
}

#[tokio::test]
async fn a_dossier_is_drawn_for_somebody_and_the_page_says_who_has_cosigned() {
    let street = Street::open(&["one"]).await;
    let auditor = street.with_role("one", Role::Auditor).await;
    let words = &EN.journal;
    let page = auditor.get("/journal/dossiers").await.is(200).text();
    assert!(page.contains(words.no_witness) && !page.contains(words.witnesses_newest));
    let none = auditor
        .get("/journal/dossiers/credit?cosigned")
        .await
        .is(422);
    assert!(
        none.text()
            .contains("witness has cosigned this journal yet"),
        "{}",
        none.text()
    );

    // Two witnesses sign what is there, each twice.
    let organisation = street.house.seats["one"].organisation().unwrap();
    let mut desk = alnager_store::Desk::open(&organisation.place)
        .await
        .unwrap();
    let checkpoint = desk.checkpoint().clone();
    let size = checkpoint.checkpoint().size();
    let cosigned = |name: &str, seed: u8| {
        let key = SigningKey::new(name, &[seed; 32]).unwrap();
        [1, 2].map(|unix_s| key.cosign(checkpoint.note().text(), unix_s))
    };
    let lines = [cosigned("a.example/w", 1), cosigned("b.example/w", 2)].concat();
    desk.add_cosignatures(size, lines).await.unwrap();
    desk.close().await.unwrap();
    let page = auditor.get("/journal/dossiers").await.is(200).text();
    assert!(
        page.contains("bears the signatures of a.example/w, b.example/w, not checked here"),
        "{page}"
    );

    // Who draws one for somebody enters that, and then gets it, without the signatures that are not there yet.
    let drawing = [
        ("system", "credit"),
        ("recipient", "Example Audit Ltd"),
        ("reason", "annual audit"),
    ];
    let sent = auditor.post("/journal/dossiers", &drawing).await.is(303);
    assert_eq!(sent.location, "/one/journal/dossiers/credit");
    let page = auditor.get("/journal/dossiers").await.is(200).text();
    assert!(page.contains(words.witnesses_newest) && page.contains(words.no_witness));
    let history = auditor.get("/journal?kind=dossier").await.is(200).text();
    assert!(
        history.contains("credit, for Example Audit Ltd: annual audit"),
        "{history}"
    );
    let file = auditor.get("/journal/dossiers/credit").await.is(200);
    let verified = |bytes: &[u8]| {
        let found =
            alnager_work::verify::verify_bytes(bytes, Limits::default(), &Trust::Unstated, None);
        found.unwrap().unwrap()
    };
    let found = verified(&file.bytes);
    assert_eq!(found.differs, Vec::<String>::new());
    assert_eq!(found.journal.size, found.journal.main().unwrap().head + 1);
    assert!(found.journal.unchecked.is_empty());
    // The drawing is about the system, too, so what was cosigned before does not cover it; another system is covered.
    auditor
        .get("/journal/dossiers/credit?cosigned")
        .await
        .is(422);
    let other = auditor
        .get("/journal/dossiers/recidivism?cosigned")
        .await
        .is(200);
    let found = verified(&other.bytes);
    assert_eq!(
        (found.journal.size, found.journal.unchecked.len()),
        (size, 2)
    );
    auditor
        .get("/journal/dossiers/recidivism?earliest")
        .await
        .is(200);

    for (name, value) in [("system", "nothing"), ("recipient", ""), ("reason", "")] {
        let wrong: Vec<(&str, &str)> = drawing
            .iter()
            .map(|(known, kept)| (*known, if *known == name { value } else { *kept }))
            .collect();
        let page = auditor
            .post("/journal/dossiers", &wrong)
            .await
            .is(422)
            .text();
        assert!(page.contains("role=\"alert\""), "{name}");
    }
    let owner = street.with_role("one", Role::SystemOwner).await;
    owner.post("/journal/dossiers", &drawing).await.is(403);
}

/// Uploads a file with the answers of the form.
async fn upload(visitor: &Visitor, answers: &[(&str, &str)], file: &[u8]) -> Answer {
    let mut body = Vec::new();
    for (name, value) in answers {
        let part =
            format!("--mark\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend(part.into_bytes());
    }
    body.extend(
        b"--mark\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.alnager\"\r\n\r\n",
    );
    body.extend(file);
    body.extend(b"\r\n--mark--\r\n");
    let path = format!("/journal/verify?form={}", visitor.form_token());
    let media = [(header::CONTENT_TYPE, "multipart/form-data; boundary=mark")];
    visitor.send(Method::POST, &path, &media, body).await
}

#[tokio::test]
async fn a_dossier_is_verified_in_another_process_that_may_die() {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let stub = Path::new(&root).join("src/pages/journal/verify_stub.sh");
    let street = Street::open_with(&["one"], stub).await;
    let auditor = street.with_role("one", Role::Auditor).await;
    let good = upload(&auditor, &[("trust", "own")], b"good\n")
        .await
        .is(200);
    let good = good.text();
    assert!(
        good.contains("1,234 entries in all") && good.contains("&lt;credit&gt;"),
        "{good}"
    );
    assert!(good.contains(EN.journal.consistent) && good.contains(EN.journal.law_foreign));
    assert!(good.contains("alnager verify dossier.alnager --key="));
    let any = upload(&auditor, &[("trust", "any")], b"good\n")
        .await
        .is(200)
        .text();
    assert!(any.contains(EN.journal.untrusted) && !any.contains("--key="));
    let refused = upload(&auditor, &[("trust", "own")], b"refused\n")
        .await
        .is(200);
    let refused = refused.text();
    assert!(refused.contains("is not signed by the key you trust"));
    assert!(!refused.contains(EN.journal.consistent));
    let bomb = upload(&auditor, &[("trust", "any")], b"bomb\n")
        .await
        .is(422)
        .text();
    assert!(
        bomb.contains("more memory than one upload may have"),
        "{bomb}"
    );
    let damaged = upload(&auditor, &[("trust", "any")], b"damaged\n")
        .await
        .is(422);
    assert!(damaged.text().contains("The file is &lt;damaged&gt;."));
    // The server is still there.
    auditor.get("/journal/verify").await.is(200);
}

#[tokio::test]
async fn what_is_wrong_with_the_form_is_said_with_what_was_typed() {
    let street = Street::open(&["one"]).await;
    let auditor = street.with_role("one", Role::Auditor).await;
    let empty = upload(&auditor, &[("trust", "key"), ("key", "<k>")], b"").await;
    let empty = empty.is(422).text();
    assert!(empty.contains("Choose a dossier") && empty.contains("value=\"&lt;k&gt;\""));
    let wrong = upload(&auditor, &[("trust", "key"), ("key", "<k>")], b"x").await;
    assert!(wrong.is(422).text().contains("value=\"&lt;k&gt;\""));
    let none = upload(&auditor, &[("trust", "key")], b"x").await.is(422);
    assert!(none.text().contains("Give the key of the log"));
    let large = vec![b'a'; (64 << 20) + 1];
    upload(&auditor, &[("trust", "any")], &large).await.is(413);
    let board = street.with_role("one", Role::Board).await;
    upload(&board, &[("trust", "any")], b"x").await.is(403);
}

#[tokio::test]
async fn this_desks_own_journal_is_checked_entry_by_entry() {
    let street = Street::open(&["one"]).await;
    let auditor = street.with_role("one", Role::Auditor).await;
    let page = auditor.get("/journal/verify").await.is(200).text();
    assert!(page.contains(EN.journal.own_holds) && !page.contains(EN.journal.own_whole));
    let page = auditor
        .post("/journal/verify/log", &[])
        .await
        .is(200)
        .text();
    assert!(page.contains(EN.journal.own_whole), "{page}");
}
