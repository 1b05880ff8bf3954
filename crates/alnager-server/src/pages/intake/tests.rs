#![allow(clippy::unwrap_used)]

use alnager_office::role::Role;
use alnager_office::system::System;

use crate::tests::{Street, Visitor};
use crate::words::EN;

/// A hidden field of a page.
fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap();
    rest.split('"').next().unwrap().to_owned()
}

fn system(street: &Street, id: &str) -> System {
    let organisation = street.house.seats["one"].organisation().unwrap();
    organisation.moment().state.systems[id].clone()
}

/// An answer that the question on a page takes: its last choice.
fn last_answer(page: &str) -> String {
    let form = page.split_once("name=\"seen\"").unwrap().1;
    let inputs = form.split_once("name=\"basis\"").unwrap().0;
    let boxes = inputs.split("name=\"answer\" value=\"").skip(1);
    let values = boxes.map(|rest| rest.split('"').next().unwrap());
    values.last().unwrap().to_owned()
}

/// Proposes a chatbot and gives the path of its interview.
async fn proposed(visitor: &Visitor) -> String {
    let fields = [
        ("name", "Chat <i>bot</i> No. 2"),
        ("purpose", "Answers customers"),
        ("owner", "Ruth Ansorge"),
        ("team", "Tomas Beran\nRuth Ansorge, Tomas Beran"),
        ("stage", "proposed"),
        ("goes-live", "2027-06-01"),
        ("answer", "EU"),
        ("answer", "UK"),
    ];
    let answer = visitor.post("/intake", &fields).await.is(303);
    assert_eq!(answer.location, "/one/intake/chat-i-bot-i-no-2");
    answer.location.strip_prefix("/one").unwrap().to_owned()
}

#[tokio::test]
async fn a_new_use_is_proposed_and_waits_for_answers() {
    let street = Street::open(&["one"]).await;
    let officer = street.with_role("one", Role::Officer).await;
    let page = officer.get("/intake").await.is(200).text();
    assert!(page.contains("value=\"Ines Marchetti\"") && page.contains(EN.intake.waiting_none));
    proposed(&officer).await;
    let system = system(&street, "chat-i-bot-i-no-2");
    let declared = &system.declaration;
    assert_eq!(declared.team.len(), 2);
    assert_eq!(declared.go_live_on, Some("2027-06-01".parse().unwrap()));
    assert_eq!(system.facts["places"].answer.value, "EU,UK");
    let page = officer.get("/intake").await.is(200).text();
    assert!(page.contains("/one/intake/chat-i-bot-i-no-2\""), "{page}");
    assert!(page.contains("Chat &lt;i&gt;bot&lt;/i&gt; No. 2") && !page.contains("<i>bot"));
}

#[tokio::test]
async fn a_proposal_that_lacks_something_comes_back_as_typed() {
    let street = Street::open(&["one"]).await;
    let officer = street.with_role("one", Role::Officer).await;
    let good = [
        ("name", "Second \"bot\""),
        ("id", "second-bot"),
        ("purpose", "Answers <staff>"),
        ("owner", "Ruth Ansorge"),
        ("stage", "development"),
        ("answer", "US-NY"),
    ];
    let size = || {
        let organisation = street.house.seats["one"].organisation();
        organisation.unwrap().moment().state.size
    };
    let before = size();
    let wrong = [
        ("name", "", EN.intake.no_name),
        ("purpose", " ", EN.intake.no_purpose),
        ("owner", "", EN.intake.no_owner),
        ("id", "Not An Id", EN.intake.no_id),
        ("id", "import", EN.intake.no_id),
        ("id", "credit", "credit"),
        ("stage", "someday", EN.intake.no_stage),
        ("goes-live", "soon", "soon"),
        ("answer", "-", EN.answer.none_or_some),
    ];
    for (name, value, words) in wrong {
        let kept = good
            .into_iter()
            .filter(|(known, _)| *known != name || name == "answer");
        let fields: Vec<_> = kept.chain([(name, value)]).collect();
        let page = officer.post("/intake", &fields).await.is(422).text();
        assert!(page.contains("role=\"alert\""), "{name}: {page}");
        let shown = page.to_lowercase();
        assert!(shown.contains(&words.to_lowercase()), "{name}: {page}");
        assert!(name == "purpose" || page.contains("Answers &lt;staff&gt;"));
        assert!(page.contains("value=\"US-NY\" checked"), "{name}");
    }
    assert_eq!(size(), before);
    officer.post("/intake", &good).await.is(303);
    // Sent again by hand it is there already.
    officer.post("/intake", &good).await.is(422);
    let board = street.with_role("one", Role::Board).await;
    board.get("/intake").await.is(403);
    board.post("/intake", &good).await.is(403);
    assert!(!board.get("/today").await.text().contains("/one/intake\""));
}

#[tokio::test]
async fn the_interview_asks_says_why_and_goes_on() {
    let street = Street::open(&["one"]).await;
    let officer = street.with_role("one", Role::Officer).await;
    let path = proposed(&officer).await;
    let page = officer.get(&path).await.is(200).text();
    assert!(
        page.contains(EN.intake.why) && page.contains("<progress"),
        "{page}"
    );
    assert!(page.contains(EN.intake.asked_by) && page.contains(EN.intake.so_far));
    let fact = hidden(&page, "fact");
    let value = last_answer(&page);
    let seen = hidden(&page, "seen");
    // Nothing chosen: the same question stands, with what was typed.
    let bare = [
        ("fact", fact.as_str()),
        ("seen", &seen),
        ("basis", "my <u>"),
    ];
    let same = officer.post(&path, &bare).await.is(422).text();
    assert!(same.contains("my &lt;u&gt;") && hidden(&same, "fact") == fact);
    let given = [("fact", fact.as_str()), ("seen", &seen), ("answer", &value)];
    let answer = officer.post(&path, &given).await.is(303);
    assert_eq!(answer.location, format!("/one{path}#question"));
    let stands = system(&street, "chat-i-bot-i-no-2").facts[&fact].clone();
    assert_eq!(stands.answer.basis, alnager_work::law::interview::BASIS);
    let next = officer.get(&path).await.is(200).text();
    assert_ne!(hidden(&next, "fact"), fact);
    // Not known: it is left out, and another one is asked.
    let left = hidden(&next, "fact");
    let skip = [
        ("fact", left.as_str()),
        ("do", "skip"),
        ("skip", "no_such_fact"),
    ];
    let answer = officer.post(&path, &skip).await.is(303);
    assert_eq!(answer.location, format!("/one{path}?skip={left}#question"));
    let after = officer
        .get(&format!("{path}?skip={left}"))
        .await
        .is(200)
        .text();
    assert_ne!(hidden(&after, "fact"), left);
    assert_eq!(hidden(&after, "skip"), left);
    assert!(
        !system(&street, "chat-i-bot-i-no-2")
            .facts
            .contains_key(&left)
    );
    officer
        .post(&path, &[("fact", "no_such_fact")])
        .await
        .is(422);
    officer.get("/intake/nothing").await.is(404);
}

#[tokio::test]
async fn who_answers_second_in_the_interview_loses_nothing() {
    let street = Street::open(&["one"]).await;
    let officer = street.with_role("one", Role::Officer).await;
    let counsel = street.with_role("one", Role::Legal).await;
    let path = proposed(&officer).await;
    let page = officer.get(&path).await.is(200).text();
    let (fact, seen, value) = (
        hidden(&page, "fact"),
        hidden(&page, "seen"),
        last_answer(&page),
    );
    let first = [
        ("fact", fact.as_str()),
        ("seen", &seen),
        ("answer", &value),
        ("basis", "first"),
    ];
    officer.post(&path, &first).await.is(303);
    let second = [
        ("fact", fact.as_str()),
        ("seen", &seen),
        ("answer", &value),
        ("basis", "my <own>"),
    ];
    let page = counsel.post(&path, &second).await.is(409).text();
    assert!(
        page.contains(EN.refusal.conflict) && page.contains("first"),
        "{page}"
    );
    assert!(
        page.contains("my &lt;own&gt;") && page.contains(&format!("value=\"{value}\" checked"))
    );
    let again = hidden(&page, "seen");
    assert_ne!(again, seen);
    let decided = [
        ("fact", fact.as_str()),
        ("seen", &again),
        ("answer", &value),
        ("basis", "my own"),
    ];
    counsel.post(&path, &decided).await.is(303);
    assert_eq!(
        system(&street, "chat-i-bot-i-no-2").facts[&fact]
            .answer
            .basis,
        "my own"
    );
}

#[tokio::test]
async fn who_only_reads_sees_the_question_and_gives_no_answer() {
    let street = Street::open(&["one"]).await;
    let board = street.with_role("one", Role::Board).await;
    let page = board.get("/intake/cv-screen").await.is(200).text();
    assert!(page.contains(EN.intake.may_not) && !page.contains("name=\"seen\""));
    let answer = [("fact", "at_workplace"), ("answer", "true")];
    board.post("/intake/cv-screen", &answer).await.is(403);
    // An engineer answers for what they build only.
    let engineer = street.with_role("one", Role::Engineer).await;
    engineer
        .post("/intake/support-assistant", &answer)
        .await
        .is(403);
}

#[tokio::test]
async fn the_interview_ends_with_what_the_answers_lead_to() {
    let street = Street::open(&["one"]).await;
    let officer = street.with_role("one", Role::Officer).await;
    let path = proposed(&officer).await;
    let mut at = path.clone();
    let mut n_asked = 0;
    let end = loop {
        let page = officer.get(&at).await.is(200).text();
        if page.contains(EN.intake.done) {
            break page;
        }
        n_asked += 1;
        assert!(n_asked < 200, "the interview does not end");
        let (fact, seen) = (hidden(&page, "fact"), hidden(&page, "seen"));
        let value = last_answer(&page);
        let skipped: Vec<String> = page
            .split("name=\"skip\" value=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().to_owned())
            .collect();
        let mut fields: Vec<(&str, &str)> = vec![("fact", &fact), ("seen", &seen)];
        fields.extend(skipped.iter().map(|fact| ("skip", fact.as_str())));
        // The third is not known.
        match n_asked {
            3 => fields.push(("do", "skip")),
            _ => fields.push(("answer", &value)),
        }
        let answer = officer.post(&path, &fields).await.is(303);
        let location = answer.location.strip_prefix("/one").unwrap();
        at = location.split('#').next().unwrap().to_owned();
    };
    assert!(n_asked > 5, "{n_asked}");
    assert!(end.contains(EN.system.classification) && end.contains(EN.intake.in_force));
    assert!(end.contains("/one/gate/chat-i-bot-i-no-2\""), "{end}");
    assert!(end.contains(EN.intake.ask_again) && end.contains(EN.intake.left_open));
    assert!(!end.contains("name=\"seen\""));
    // What was not known is asked again.
    let again = officer.get(&path).await.is(200).text();
    assert!(again.contains("name=\"seen\""));
}
