//! Every page: what an outside checker finds, and whether it fits the window.

use super::*;

/// A page of each kind; one that starts with `//` is outside the organisation.
const PAGES: &[&str] = &[
    "//specimen",
    "/today",
    "/systems",
    "/systems?q=credit",
    "/systems/credit",
    "/systems/credit?history=1",
    "/systems/cv-screen?days=400",
    "/systems/credit/measures",
    "/systems/credit/facts/is_ai_system",
    "/systems/credit/requirements/EUAIA-9",
    "/systems/import",
    "/lab",
    "/search?q=credit",
    "/gate",
    "/gate/credit",
    "/gate/credit/exceptions",
    "/gate/credit/notice",
    "/evidence",
    "/evidence/E1",
    "/tasks",
    "/tasks/T1",
    "/intake",
    "/intake/cv-screen",
    "/journal",
    "/journal/3",
    "/journal/dossiers",
    "/journal/verify",
    "/law",
    "/law/eu-ai-act",
    "/law/requirements/EUAIA-9",
    "/law/changes?from=2026-07-01&to=2028-01-01",
    "/people",
    "/account",
    "/nothing",
];

async fn look(driver: String, width: u32) {
    look_at(driver, width, false).await;
}

async fn look_at(driver: String, width: u32, is_dark: bool) {
    let demo = Demo::start();
    let look = Look {
        width,
        has_script: true,
        is_dark,
    };
    let browser = Browser::seen(&driver, &demo, "Ines Marchetti", look).await;
    let asks = "return matchMedia('(prefers-color-scheme: dark)').matches";
    let found = browser.client.execute(asks, Vec::new()).await.unwrap();
    assert_eq!(found, json!(is_dark));
    let mut wrong = Vec::new();
    for page in PAGES {
        match page.strip_prefix("//") {
            Some(outside) => {
                let address = format!("{}/{outside}", browser.address);
                browser.client.goto(&address).await.unwrap();
            }
            None => browser.go(page).await,
        }
        for fault in browser.faults().await {
            wrong.push(format!("{page} at {width}: {fault}"));
        }
        let overhang = browser.overhang().await;
        if overhang > 0 {
            wrong.push(format!("{page} at {width} is {overhang} pixels too wide"));
        }
    }
    browser.close().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_checker_finds_nothing_serious_in_a_wide_window() {
    with_browser("pages, wide", |driver| look(driver, WIDE));
}

#[test]
fn a_checker_finds_nothing_serious_in_the_dark() {
    with_browser("pages, dark", |driver| look_at(driver, WIDE, true));
}

#[test]
fn a_checker_finds_nothing_serious_in_the_dark_in_a_narrow_window() {
    with_browser("pages, dark and narrow", |driver| {
        look_at(driver, NARROW, true)
    });
}

#[test]
fn a_checker_finds_nothing_serious_in_a_narrow_window() {
    with_browser("pages, narrow", |driver| look(driver, NARROW));
}
