#![allow(clippy::unwrap_used)]

use alnager_office::role::Role;

use super::*;
use crate::tests::Street;

/// A piece of evidence of the demonstration that nobody has decided on, with a requirement it is offered for.
async fn undecided(street: &Street) -> (String, String) {
    let organisation = street.house.seats["one"].organisation().unwrap();
    let state = organisation.moment().state.clone();
    let validator = state.person("Vera Novak").unwrap();
    let mut evidence = state.evidence.iter();
    let (id, found) = evidence
        .find(|(_, evidence)| {
            evidence.may_be_decided_by(validator) && evidence.decisions.is_empty()
        })
        .unwrap();
    (id.clone(), found.requirements().next().unwrap().clone())
}

#[tokio::test]
async fn the_queue_holds_what_others_submitted_and_filters_narrow_the_list() {
    let street = Street::open(&["one"]).await;
    let (id, requirement) = undecided(&street).await;
    let validator = street.with_role("one", Role::Validator).await;
    let page = validator.get("/evidence").await.is(200).text();
    assert!(page.contains(&format!("/one/evidence/{id}\"")), "{page}");
    let board = street.with_role("one", Role::Board).await;
    let page = board.get("/evidence").await.is(200).text();
    assert!(page.contains(EN.evidence.queue_none));
    let none = validator
        .get("/evidence?standing=replaced")
        .await
        .is(200)
        .text();
    assert!(none.contains(EN.shared.none_match));
    let found = validator.get(&format!("/evidence?q={requirement}")).await;
    assert!(found.is(200).text().contains(&requirement));
    let nothing = validator
        .get("/evidence?q=%3Cscript%3E")
        .await
        .is(200)
        .text();
    assert!(!nothing.contains("<script>"));
}

#[tokio::test]
async fn a_second_person_accepts_with_a_reason_and_keeps_what_was_typed() {
    let street = Street::open(&["one"]).await;
    let (id, requirement) = undecided(&street).await;
    let validator = street.with_role("one", Role::Validator).await;
    let path = format!("/evidence/{id}/ruling");
    let chosen = ("for", requirement.as_str());
    validator
        .post(&path, &[("ruling", "accept"), ("reason", "read")])
        .await
        .is(422);
    let bare = validator
        .post(&path, &[chosen, ("ruling", "accept")])
        .await
        .is(422)
        .text();
    assert!(bare.contains("checked"));
    let typed = validator
        .post(&path, &[chosen, ("reason", "it <fits>")])
        .await
        .is(422)
        .text();
    assert!(typed.contains("it &lt;fits&gt;"));
    validator
        .post(
            &path,
            &[chosen, ("ruling", "accept"), ("reason", "it fits")],
        )
        .await
        .is(303);
    let page = validator
        .get(&format!("/evidence/{id}"))
        .await
        .is(200)
        .text();
    assert!(page.contains("it fits"));
    let board = street.with_role("one", Role::Board).await;
    board
        .post(&path, &[chosen, ("ruling", "reject"), ("reason", "no")])
        .await
        .is(403);
}

#[tokio::test]
async fn the_document_comes_as_a_file_and_is_what_was_sealed() {
    let street = Street::open(&["one"]).await;
    let (id, _) = undecided(&street).await;
    let validator = street.with_role("one", Role::Validator).await;
    let file = validator
        .get(&format!("/evidence/{id}/document"))
        .await
        .is(200);
    assert_eq!(file.media, "application/octet-stream");
    let organisation = street.house.seats["one"].organisation().unwrap();
    let stated = organisation.moment().state.evidence[&id]
        .submitted
        .sha256
        .clone();
    assert_eq!(alnager_work::library::sha256(&file.bytes), stated);
    validator.get("/evidence/E999/document").await.is(404);
}

#[tokio::test]
async fn what_cannot_be_offered_is_said_and_a_comment_is_shown_as_text() {
    let street = Street::open(&["one"]).await;
    let (id, _) = undecided(&street).await;
    let validator = street.with_role("one", Role::Validator).await;
    let path = format!("/evidence/{id}/offer");
    validator.post(&path, &[]).await.is(422);
    let other = validator
        .post(&path, &[("other", "NO-SUCH-1")])
        .await
        .is(422)
        .text();
    assert!(other.contains("NO-SUCH-1"));
    let about = format!("evidence/{id}");
    let comment = [("about", about.as_str()), ("text", "<img src=x>")];
    validator.post("/comments", &comment).await.is(303);
    let page = validator
        .get(&format!("/evidence/{id}"))
        .await
        .is(200)
        .text();
    assert!(page.contains("&lt;img src=x&gt;") && !page.contains("<img"));
    let blank = [("about", about.as_str()), ("text", " ")];
    validator.post("/comments", &blank).await.is(422);
    validator
        .post("/comments", &[("about", "nothing"), ("text", "x")])
        .await
        .is(404);
}
