//! The pictures of the README and the guide: `cargo xtask pictures` takes them.

use super::*;

/// File and page.
const PICTURES: &[(&str, &str)] = &[
    ("desk-today", "/today"),
    ("desk-systems", "/systems"),
    ("desk-system", "/systems/credit"),
    ("desk-gate", "/gate/credit"),
];

#[test]
fn pictures() {
    let Some(folder) = std::env::var_os("ALNAGER_PICTURES") else {
        return;
    };
    with_browser("pictures", async |driver| {
        let demo = Demo::start();
        let browser = Browser::open(&driver, &demo, "Ines Marchetti", WIDE).await;
        for (name, page) in PICTURES {
            browser.go(page).await;
            let picture = browser.client.screenshot().await.unwrap();
            let file = Path::new(&folder).join(format!("{name}.png"));
            std::fs::write(file, picture).unwrap();
        }
        browser.close().await;
    });
}
