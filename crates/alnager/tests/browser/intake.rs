//! Intake: a use is proposed, and the interview answered to what it leads to.

use super::*;

const OWNER: &str = "Ruth Ansorge";

/// More questions than an interview asks.
const QUESTIONS_MAX: usize = 120;

async fn propose_a_use(driver: String, width: u32, has_script: bool) {
    let demo = Demo::start();
    let browser = Browser::with(&driver, &demo, OWNER, width, has_script).await;
    browser.tab_to("a", "New use").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/intake").await;

    // Without a purpose nothing is proposed, and what was typed stays.
    browser.tab_to("input#name", "").await;
    browser.typed("Letter sorter").await;
    browser.press(Key::Enter).await;
    browser.says("the law turns on that").await;
    browser.tab_to("textarea#purpose", "").await;
    browser
        .typed("Sorts incoming letters by department; people open them.")
        .await;
    browser.tab_to("button", "Propose it").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/intake/letter-sorter").await;

    // It is AI, and nothing else that is asked is the case.
    let mut n_asked = 0;
    while !browser.has("#done").await {
        n_asked += 1;
        assert!(n_asked < QUESTIONS_MAX, "{}", browser.text().await);
        let fact = browser.client.find(Locator::Css("[name=fact]")).await;
        let fact = fact.unwrap().attr("value").await.unwrap().unwrap();
        let choice = match fact.as_str() {
            "is_ai_system" => "#answer-true",
            _ if browser.has("#answer-false").await => "#answer-false",
            _ if browser.has("[id='answer--']").await => "#answer--",
            _ if browser.has("#answer-none").await => "#answer-none",
            _ => "",
        };
        match choice {
            "" => browser.tab_to("input", "").await,
            // Of choices one of which is taken Tab reaches the first; arrows go on.
            "#answer-false" => {
                browser.tab_to("input#answer-true", "").await;
                browser.press(Key::Down).await;
            }
            choice => browser.tab_to(&format!("input{choice}"), "").await,
        }
        if choice != "#answer-false" {
            browser.press(Key::Space).await;
        }
        browser.tab_to("button", "Answer, and go on").await;
        browser.press(Key::Enter).await;
        let next = async || {
            let again = browser.client.find(Locator::Css("[name=fact]")).await;
            match again {
                Ok(again) => again.attr("value").await.ok().flatten(),
                Err(_) => browser.has("#done").await.then(String::new),
            }
        };
        let began = Instant::now();
        while next().await.is_none_or(|now| now == fact) {
            assert!(began.elapsed() < PATIENCE, "{}", browser.text().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert!(n_asked > 3);
    browser.says("No question is left").await;
    browser.says("What to do next").await;
    if has_script {
        assert_eq!(browser.faults().await, Vec::<String>::new());
    }
    assert!(browser.overhang().await <= 0);
    browser.tab_to("a", "See what stands in the way").await;
    browser.press(Key::Enter).await;
    browser.at("/example-group/gate/letter-sorter").await;
    browser.close().await;
}

#[test]
fn an_owner_proposes_a_use_in_a_wide_window() {
    with_browser("intake, wide", |driver| propose_a_use(driver, WIDE, true));
}

#[test]
fn an_owner_proposes_a_use_in_a_narrow_window() {
    with_browser("intake, narrow", |driver| {
        propose_a_use(driver, NARROW, true)
    });
}

#[test]
fn an_owner_proposes_a_use_without_script() {
    with_browser("intake, no script", |driver| {
        propose_a_use(driver, WIDE, false)
    });
}
