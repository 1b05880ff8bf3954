//! Law: a regime, one of its requirements, a reading, and what changes between two days.

use super::*;

const COUNSEL: &str = "Henrik Lund";

async fn read_the_law(driver: String, width: u32, has_script: bool) {
    let demo = Demo::start();
    let browser = Browser::with(&driver, &demo, COUNSEL, width, has_script).await;
    browser.tab_to("a", "Law").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/law").await;

    // A regime, and one requirement of it.
    browser.tab_to("input#q", "").await;
    browser.typed("eu-ai-act").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/law?q=eu-ai-act").await;
    browser.tab_to("a", "Artificial Intelligence").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/law/eu-ai-act").await;
    browser.tab_to("input#q", "").await;
    browser.typed("EUAIA-9").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/law/eu-ai-act?q=EUAIA-9").await;
    browser.tab_to("a", "EUAIA-9").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/law/requirements/EUAIA-9").await;

    // How the organisation reads it.
    let reading = "The scorecard's register covers what Article 9 lists.";
    browser.tab_to("input#opinion-adopted", "").await;
    browser.press(Key::Space).await;
    browser.tab_to("textarea#reading", "").await;
    browser.typed(reading).await;
    browser.tab_to("button", "Record it").await;
    browser.press(Key::Enter).await;
    browser.says(reading).await;

    // Two days beside each other.
    browser.go("/law").await;
    browser.tab_to("a", "What changes between two days").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/law/changes").await;
    browser.tab_to("input#from", "").await;
    browser.typed("07012026").await;
    browser.tab_to("input#to", "").await;
    browser.typed("01012028").await;
    browser.tab_to("button", "Compare").await;
    browser.press(Key::Enter).await;
    browser
        .at("/example-group/law/changes?from=2026-07-01&to=2028-01-01")
        .await;
    browser.says("eu-ai-act").await;
    assert!(browser.overhang().await <= 0);
    browser.close().await;
}

#[test]
fn counsel_reads_the_law_in_a_wide_window() {
    with_browser("law, wide", |driver| read_the_law(driver, WIDE, true));
}

#[test]
fn counsel_reads_the_law_in_a_narrow_window() {
    with_browser("law, narrow", |driver| read_the_law(driver, NARROW, true));
}

#[test]
fn counsel_reads_the_law_without_script() {
    with_browser("law, no script", |driver| read_the_law(driver, WIDE, false));
}
