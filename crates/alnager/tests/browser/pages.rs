//! Every page: what an outside checker finds, and whether it fits the window.

use super::*;

/// A page of each kind.
const PAGES: &[&str] = &[
    "/today",
    "/systems",
    "/systems?q=credit",
    "/systems/credit",
    "/systems/credit?history=1",
    "/systems/cv-screen?days=400",
    "/systems/credit/facts/is_ai_system",
    "/systems/credit/requirements/EUAIA-9",
    "/systems/import",
    "/lab",
    "/gate",
    "/gate/credit",
    "/evidence",
    "/evidence/E1",
    "/tasks",
    "/tasks/T1",
    "/intake",
    "/intake/cv-screen",
    "/journal",
    "/journal/3",
    "/law",
    "/law/eu-ai-act",
    "/law/requirements/EUAIA-9",
    "/people",
    "/account",
    "/nothing",
];

async fn look(driver: String, width: u32) {
    let demo = Demo::start();
    let browser = Browser::open(&driver, &demo, "Ines Marchetti", width).await;
    let mut wrong = Vec::new();
    for page in PAGES {
        browser.go(page).await;
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
fn a_checker_finds_nothing_serious_in_a_narrow_window() {
    with_browser("pages, narrow", |driver| look(driver, NARROW));
}
