//! Journal: an entry with its proof, and a dossier that is taken away and verified.

use super::*;

const AUDITOR: &str = "Aiko Tanaka";

async fn prove_an_entry(driver: String, width: u32, has_script: bool) {
    let demo = Demo::start();
    let browser = Browser::with(&driver, &demo, AUDITOR, width, has_script).await;
    browser.tab_to("a", "Journal").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/journal").await;

    // An entry, found by what it says.
    browser.tab_to("input#q", "").await;
    browser.typed("nobody decides by it").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/journal?").await;
    browser.says("nobody decides by it").await;
    browser.tab_to("button", "Show").await;
    browser.tab_to("a", "").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/journal/").await;
    browser.says("nobody decides by it").await;
    let url = browser.client.current_url().await.unwrap();
    let entry = url.path().rsplit('/').next().unwrap().to_owned();
    browser.tab_to("a", "Take the proof away").await;
    browser.press(Key::Enter).await;
    let proof = demo
        .taken()
        .join(format!("example-group-{entry}.tlog-proof"));
    let proof = std::fs::read_to_string(browser.took(proof).await).unwrap();
    assert!(proof.contains(&format!("index {entry}\n")), "{proof}");

    // Everything about one system, in one file, which the same desk verifies.
    browser.go("/journal").await;
    browser.tab_to("a", "Dossiers for an auditor").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/journal/dossiers").await;
    browser.tab_to("input#q", "").await;
    browser.typed("credit").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/journal/dossiers?q=credit").await;
    browser.tab_to("a", "Take the dossier").await;
    browser.press(Key::Enter).await;
    let dossier = browser.took(demo.taken().join("credit.alnager")).await;
    browser.tab_to("a", "Verify a dossier").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/journal/verify").await;
    browser.tab_to("input#file", "").await;
    browser.choose_file(&dossier.to_string_lossy()).await;
    browser.tab_to("button", "Verify").await;
    browser.press(Key::Enter).await;
    browser.says("alnager verify dossier.alnager").await;
    let said = browser.text().await;
    assert!(
        said.contains("consistent") && !said.contains("not consistent"),
        "{said}"
    );
    assert!(browser.overhang().await <= 0);
    browser.close().await;
}

#[test]
fn an_auditor_proves_an_entry_in_a_wide_window() {
    with_browser("journal, wide", |driver| prove_an_entry(driver, WIDE, true));
}

#[test]
fn an_auditor_proves_an_entry_in_a_narrow_window() {
    with_browser("journal, narrow", |driver| {
        prove_an_entry(driver, NARROW, true)
    });
}

#[test]
fn an_auditor_proves_an_entry_without_script() {
    with_browser("journal, no script", |driver| {
        prove_an_entry(driver, WIDE, false)
    });
}
