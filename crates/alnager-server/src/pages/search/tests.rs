#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use alnager_office::role::Role;
use axum::http::Method;
use axum::http::header::HeaderName;
use expect_test::{Expect, expect};

use super::*;
use crate::at::{By, Who};
use crate::tests::{Street, Visitor};

/// Shows how well each name fits, the best first.
#[track_caller]
fn check(typed: &str, names: &[&str], want: Expect) {
    let sought = Sought::of(typed);
    let mut fits: Vec<(Fit, &str)> = names
        .iter()
        .filter_map(|name| Some((sought.fit(&[name])?, *name)))
        .collect();
    fits.sort();
    want.assert_eq(&format!("{fits:?}"));
}

#[test]
fn the_beginning_of_a_name_comes_first_then_that_of_a_word() {
    check(
        " CRED sc ",
        &[
            "credit scorecard",
            "a scored credit",
            "accredited disc",
            "scores",
        ],
        expect![[
            r#"[(Word, "a scored credit"), (Word, "credit scorecard"), (Within, "accredited disc")]"#
        ]],
    );
    check(
        "credit s",
        &["the credit score", "credit scorecard", "scredit s"],
        expect![[
            r#"[(Begins, "credit scorecard"), (Word, "the credit score"), (Within, "scredit s")]"#
        ]],
    );
    check("", &["anything"], expect![[r#"[(Begins, "anything")]"#]]);
}

#[tokio::test]
async fn among_ten_thousand_systems_the_best_come_first() {
    let street = Street::open(&["one"]).await;
    let organisation = street.house.seats["one"].organisation().unwrap();
    let mut moment = organisation.moment().as_ref().clone();
    let digest = Arc::make_mut(&mut moment.digest);
    let rows = digest.inventory.rows.clone();
    while digest.inventory.rows.len() < 10_000 {
        digest.inventory.rows.extend(rows.iter().cloned());
    }
    let at = At {
        house: Arc::clone(&street.house),
        organisation: Arc::clone(organisation),
        moment: Arc::new(moment),
        who: Who {
            person: String::new(),
            roles: [Role::Officer].into_iter().collect(),
            by: By::Token(Action::ALL.to_vec()),
        },
        named: Arc::default(),
        path: String::new(),
        action: Action::Read,
    };
    for typed in ["credit", "e"] {
        let hits = found(&at, &Sought::of(typed));
        assert_eq!(hits.len(), HITS_MAX);
        let begins = |hit: &Hit| {
            let names = [&hit.name, &hit.id].map(|name| name.to_lowercase());
            names.iter().any(|name| name.starts_with(typed))
        };
        assert!(hits.iter().all(begins));
    }
}

/// The choices that the palette gets.
async fn choices(visitor: &Visitor, typed: &str) -> String {
    let header = [(HeaderName::from_static(FRAGMENT), "true")];
    let path = format!("/search?q={}", crate::session::escaped(typed));
    let answer = visitor.send(Method::GET, &path, &header, Vec::new()).await;
    assert!(answer.media.starts_with("text/html"));
    answer.is(200).text()
}

#[tokio::test]
async fn the_palette_leads_to_rooms_systems_requirements_and_evidence() {
    let street = Street::open(&["one"]).await;
    let officer = street.with_role("one", Role::Officer).await;
    let rooms = choices(&officer, "").await;
    assert!(
        rooms.starts_with("<a role=\"option\" id=\"hit-0\""),
        "{rooms}"
    );
    assert!(rooms.contains("/one/today\"") && rooms.contains("/one/people\""));
    let system = choices(&officer, "cv-scr").await;
    assert!(system.contains("id=\"hit-0\"") && system.contains("/one/systems/cv-screen\""));
    let requirement = choices(&officer, "euaia-9").await;
    let first = requirement.split("</a>").next().unwrap();
    assert!(
        first.contains("/one/law/requirements/EUAIA-9"),
        "{requirement}"
    );
    let evidence = choices(&officer, "data_sheet").await;
    assert!(evidence.contains("/one/evidence/E"), "{evidence}");
    let many = choices(&officer, "a").await;
    assert_eq!(many.matches("role=\"option\"").count(), HITS_MAX);
    let none = choices(&officer, "no such <b>").await;
    assert!(none.contains(EN.search.none) && !none.contains("role=\"option\""));
    let long = "a".repeat(CHARACTERS_MAX + 1);
    assert!(choices(&officer, &long).await.contains(EN.search.none));
}

#[tokio::test]
async fn people_and_rooms_are_found_by_those_who_may_enter() {
    let street = Street::open(&["one"]).await;
    let officer = street.with_role("one", Role::Officer).await;
    let board = street.with_role("one", Role::Board).await;
    assert!(choices(&officer, "Vera N").await.contains(EN.search.person));
    assert!(!choices(&board, "Vera N").await.contains("Vera Novak"));
    let rooms = choices(&board, "").await;
    assert!(rooms.contains("/one/systems\"") && !rooms.contains("/one/intake\""));
    street.stranger("one").get("/search?q=a").await.is(303);
}

#[tokio::test]
async fn without_script_the_search_is_a_page() {
    let street = Street::open(&["one"]).await;
    let board = street.with_role("one", Role::Board).await;
    let page = board.get("/search?q=%3Cscript%3Ex").await.is(200).text();
    assert!(page.contains("value=\"&lt;script&gt;x\"") && page.contains(EN.search.none));
    let page = board.get("/search?q=credit").await.is(200).text();
    assert!(page.contains("<!DOCTYPE html>") && page.contains("/one/systems/credit\""));
    // Every page carries the closed palette, and a link for whoever has no script.
    assert!(page.contains("role=\"combobox\"") && page.contains("href=\"/one/search\""));
}
