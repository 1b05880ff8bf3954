//! What people come to each room for, by keyboard alone.

use super::*;

const OFFICER: &str = "Ines Marchetti";

/// A file of decisions with an impact ratio of 0.5.
fn decisions(folder: &Path) -> String {
    let mut text = "sex,hired\n".to_owned();
    for (sex, n_hired, n) in [("female", 60, 200), ("male", 120, 200)] {
        for row in 0..n {
            let hired = if row < n_hired { "yes" } else { "no" };
            text.push_str(&format!("{sex},{hired}\n"));
        }
    }
    let path = folder.join("decisions.csv");
    std::fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

async fn find_a_system(driver: String, width: u32, has_script: bool) {
    let demo = Demo::start();
    let browser = Browser::with(&driver, &demo, OFFICER, width, has_script).await;
    browser.tab_to("a", "Systems").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/systems").await;
    browser.tab_to("input#q", "").await;
    browser.typed("scorecard").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/systems?q=scorecard").await;
    browser.tab_to("a", "scorecard").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/systems/").await;
    browser.says("In the way").await;
    browser.tab_to("a", "Show what the journal holds").await;
    browser.press(Key::Enter).await;
    browser.says("system.declared").await;
    browser.close().await;
}

#[test]
fn somebody_finds_a_system_in_a_wide_window() {
    with_browser("systems, wide", |driver| find_a_system(driver, WIDE, true));
}

#[test]
fn somebody_finds_a_system_in_a_narrow_window() {
    with_browser("systems, narrow", |driver| {
        find_a_system(driver, NARROW, true)
    });
}

#[test]
fn somebody_finds_a_system_without_script() {
    with_browser("systems, no script", |driver| {
        find_a_system(driver, WIDE, false)
    });
}

async fn rule_on_evidence(driver: String, width: u32, has_script: bool) {
    let demo = Demo::start();
    let browser = Browser::with(&driver, &demo, OFFICER, width, has_script).await;
    browser.tab_to("a", "Evidence").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/evidence").await;
    browser.tab_to("a", "E1").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/evidence/E").await;
    // Without a reason nothing is decided, and what was chosen stays.
    browser.tab_to("textarea#reason", "").await;
    browser.typed("Read in full; it names the risks.").await;
    browser.tab_to("button", "Accept").await;
    browser.press(Key::Enter).await;
    browser.says("Read in full; it names the risks.").await;
    browser.says("accepted").await;
    browser.close().await;
}

#[test]
fn an_officer_rules_on_evidence_in_a_wide_window() {
    with_browser("evidence, wide", |driver| {
        rule_on_evidence(driver, WIDE, true)
    });
}

#[test]
fn an_officer_rules_on_evidence_in_a_narrow_window() {
    with_browser("evidence, narrow", |driver| {
        rule_on_evidence(driver, NARROW, true)
    });
}

#[test]
fn an_officer_rules_on_evidence_without_script() {
    with_browser("evidence, no script", |driver| {
        rule_on_evidence(driver, WIDE, false)
    });
}

async fn decide_at_the_gate(driver: String, width: u32) {
    let demo = Demo::start();
    let browser = Browser::open(&driver, &demo, OFFICER, width).await;
    browser.go("/gate/recidivism").await;
    browser.tab_to("input#decision-refuse", "").await;
    browser.press(Key::Space).await;
    browser.tab_to("textarea#reason", "").await;
    browser.typed("The impact ratio fails.").await;
    browser.tab_to("button", "Enter the decision").await;
    browser.press(Key::Enter).await;
    browser.says("The impact ratio fails.").await;
    browser.says("refused").await;
    browser.close().await;
}

#[test]
fn an_officer_decides_at_the_gate_in_a_wide_window() {
    with_browser("gate, wide", |driver| decide_at_the_gate(driver, WIDE));
}

#[test]
fn an_officer_decides_at_the_gate_in_a_narrow_window() {
    with_browser("gate, narrow", |driver| decide_at_the_gate(driver, NARROW));
}

async fn audit_a_file(driver: String, width: u32) {
    let demo = Demo::start();
    let browser = Browser::open(&driver, &demo, OFFICER, width).await;
    browser.go("/lab").await;
    browser.tab_to("input#file", "").await;
    browser.choose_file(&decisions(demo.folder.path())).await;
    browser.tab_to("button", "").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/lab/").await;
    browser.says("hired").await;
    browser.tab_to("input#favourable", "").await;
    browser.typed("yes").await;
    browser.tab_to("button", "Measure").await;
    browser.press(Key::Enter).await;
    browser.says("0.50").await;
    browser.says("alnager audit").await;
    assert_eq!(browser.faults().await, Vec::<String>::new());
    assert!(browser.overhang().await <= 0);
    browser.close().await;
}

#[test]
fn an_auditor_measures_a_file_in_a_wide_window() {
    with_browser("lab, wide", |driver| audit_a_file(driver, WIDE));
}

#[test]
fn an_auditor_measures_a_file_in_a_narrow_window() {
    with_browser("lab, narrow", |driver| audit_a_file(driver, NARROW));
}

#[test]
fn a_task_is_opened_and_finished() {
    with_browser("tasks", async |driver| {
        let demo = Demo::start();
        let browser = Browser::open(&driver, &demo, OFFICER, NARROW).await;
        browser.go("/tasks").await;
        for (id, text) in [
            ("what", "Ask the vendor"),
            ("why", "the contract says nothing"),
            ("owner", "Henrik Lund"),
        ] {
            browser.tab_to(&format!("input#{id}"), "").await;
            browser.press(Key::End).await;
            for _ in 0..30 {
                browser.press(Key::Backspace).await;
            }
            browser.typed(text).await;
        }
        browser.tab_to("input#due", "").await;
        browser.typed("12312099").await;
        browser.tab_to("button", "Open it").await;
        browser.press(Key::Enter).await;
        browser.says("Ask the vendor").await;
        browser.close().await;
    });
}

/// The palette goes anywhere.
#[test]
fn the_palette_goes_where_one_types() {
    with_browser("palette", async |driver| {
        let demo = Demo::start();
        let browser = Browser::open(&driver, &demo, OFFICER, WIDE).await;
        browser.typed("/").await;
        browser.typed("evid").await;
        browser.press(Key::Enter).await;
        browser.at("/example-group/evidence").await;
        browser.close().await;
    });
}

/// The server dies while somebody works: the page loads again as soon as it is back, and they are still signed in.
#[test]
fn a_browser_goes_on_after_the_server_was_killed() {
    with_browser("restart", async |driver| {
        let mut demo = Demo::start();
        let browser = Browser::open(&driver, &demo, OFFICER, WIDE).await;
        browser.go("/evidence/E1").await;
        demo.restart();
        browser.tab_to("textarea#reason", "").await;
        browser.typed("Decided after the server was killed.").await;
        browser.tab_to("button", "Accept").await;
        browser.press(Key::Enter).await;
        browser.says("Decided after the server was killed.").await;
        browser.says("accepted").await;
        browser.close().await;
    });
}
