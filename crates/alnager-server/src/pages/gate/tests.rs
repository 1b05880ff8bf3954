#![allow(clippy::unwrap_used)]

use alnager_office::role::Role;
use expect_test::{Expect, expect};

use super::*;
use crate::tests::Street;

/// Shows why each decision is not to be taken on this ground.
#[track_caller]
fn check(review: Option<(&str, Looked)>, blockers: &[&str], open: &[&str], want: Expect) {
    let all = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    let ground = Ground {
        builds: false,
        review: review.map(|(verdict, looked)| (verdict.to_owned(), looked)),
        blockers: all(blockers),
        open: all(open),
        may_withdraw: false,
    };
    let shown = LaunchDecision::ALL.map(|decision| {
        let obstacle = ground.obstacle_to(decision).unwrap_or("may".to_owned());
        format!("{}: {obstacle}\n", decision.word())
    });
    want.assert_eq(&format!(
        "{}{}",
        ground
            .obstacle()
            .map_or(String::new(), |why| format!("{why}\n")),
        shown.concat()
    ));
}

#[test]
fn a_clear_review_with_nothing_in_the_way_may_be_approved() {
    check(
        Some(("clear", Looked::Launch)),
        &[],
        &[],
        expect![[r#"
        approve: may
        conditional: may
        refuse: may
        withdraw: no approval stands that could be withdrawn
    "#]],
    );
}

#[test]
fn what_holds_is_approved_only_under_conditions_and_exceptions() {
    check(
        Some(("hold", Looked::Launch)),
        &["A-1", "B-2"],
        &["B-2"],
        expect![[r#"
            approve: the last review's verdict is `hold`
            conditional: no exception that somebody else granted covers B-2
            refuse: may
            withdraw: no approval stands that could be withdrawn
        "#]],
    );
    check(
        Some(("hold", Looked::Launch)),
        &["A-1"],
        &[],
        expect![[r#"
        approve: the last review's verdict is `hold`
        conditional: may
        refuse: may
        withdraw: no approval stands that could be withdrawn
    "#]],
    );
}

#[test]
fn without_a_review_nothing_is_decided() {
    check(
        None,
        &["A-1"],
        &["A-1"],
        expect![[r#"
        no review yet: have the system reviewed first
        approve: may
        conditional: may
        refuse: may
        withdraw: may
    "#]],
    );
}

#[test]
fn a_review_of_tests_alone_lets_nothing_live() {
    check(
        Some(("clear", Looked::Tests)),
        &[],
        &[],
        expect![[r#"
        approve: the last review looked at the tests alone; have it reviewed for launch
        conditional: the last review looked at the tests alone; have it reviewed for launch
        refuse: may
        withdraw: no approval stands that could be withdrawn
    "#]],
    );
}

#[tokio::test]
async fn the_list_filters_and_the_system_page_says_what_is_in_the_way() {
    let street = Street::open(&["one"]).await;
    let officer = street.with_role("one", Role::Officer).await;
    let all = officer.get("/gate").await.is(200).text();
    assert!(all.contains("/one/gate/credit"), "{all}");
    let none = officer
        .get("/gate?standing=approved&verdict=clear")
        .await
        .is(200)
        .text();
    assert!(!none.contains("/one/gate/recidivism\""));
    let found = officer.get("/gate?q=RECID").await.is(200).text();
    assert!(found.contains("/one/gate/recidivism\"") && !found.contains("/one/gate/credit\""));
    let page = officer.get("/gate/recidivism").await.is(200).text();
    assert!(page.contains(EN.gate.blockers));
    officer.get("/gate/nothing").await.is(404);
}

#[tokio::test]
async fn a_refusal_is_entered_and_a_reason_is_asked_for() {
    let street = Street::open(&["one"]).await;
    let counsel = street.with_role("one", Role::Legal).await;
    let reason = ("reason", "the <i>bias</i> audit is missing");
    let missing = counsel
        .post("/gate/credit/decision", &[("decision", "refuse")])
        .await;
    missing.is(422);
    let unknown = counsel
        .post("/gate/credit/decision", &[reason])
        .await
        .is(422)
        .text();
    // What was typed is still there, and is text.
    assert!(unknown.contains("the &lt;i&gt;bias&lt;/i&gt; audit is missing"));
    let old = [("decision", "refuse"), ("seen", "1"), reason];
    let conflict = counsel
        .post("/gate/credit/decision", &old)
        .await
        .is(409)
        .text();
    assert!(conflict.contains("audit is missing"));
    let entered = counsel
        .post("/gate/credit/decision", &[("decision", "refuse"), reason])
        .await;
    entered.is(303);
    let page = counsel.get("/gate/credit").await.is(200).text();
    assert!(page.contains(EN.gate.decided(LaunchDecision::Refuse)));
    let engineer = street.with_role("one", Role::Engineer).await;
    engineer
        .post("/gate/credit/decision", &[("decision", "refuse"), reason])
        .await
        .is(403);
}

#[tokio::test]
async fn an_exception_is_granted_shown_and_ended() {
    let street = Street::open(&["one"]).await;
    let officer = street.with_role("one", Role::Officer).await;
    let path = "/gate/recidivism/exceptions";
    let page = officer.get(path).await.is(200).text();
    assert!(page.contains("X1"));
    let again = [
        ("for", "impact-ratio"),
        ("measures", "m"),
        ("reason", "r"),
        ("expires", "2026-13-01"),
    ];
    officer.post(path, &again).await.is(422);
    officer
        .post("/gate/credit/exceptions/X1/end", &[("reason", "r")])
        .await
        .is(404);
    officer
        .post("/gate/recidivism/exceptions/X1/end", &[("reason", "")])
        .await
        .is(422);
    officer
        .post("/gate/recidivism/exceptions/X1/end", &[("reason", "done")])
        .await
        .is(303);
    let page = officer.get(path).await.is(200).text();
    assert!(page.contains(EN.gate.ended));
}

#[tokio::test]
async fn the_notice_can_be_sent_and_the_badge_needs_a_right() {
    let street = Street::open(&["one"]).await;
    let officer = street.with_role("one", Role::Officer).await;
    let page = officer.get("/gate/recidivism/notice").await.is(200);
    assert!(page.text().contains(EN.gate.notice_since));
    let text = officer
        .get("/gate/recidivism/notice?format=text")
        .await
        .is(200);
    assert!(text.media.starts_with("text/plain"));
    let file = officer
        .get("/gate/recidivism/notice?format=html")
        .await
        .is(200)
        .text();
    assert!(!file.contains("<script") && !file.contains("<link"));
    let badge = officer.get("/gate/recidivism/badge.svg").await.is(200);
    assert_eq!(badge.media, "image/svg+xml");
    street
        .stranger("one")
        .get("/gate/recidivism/badge.svg")
        .await
        .is(303);
}
