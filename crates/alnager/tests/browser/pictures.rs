//! The pictures of the README and the guide: `cargo xtask pictures` takes them.

use super::*;

/// File, page, width.
const PICTURES: &[(&str, &str, u32)] = &[
    ("desk-today", "/today", WIDE),
    ("desk-systems", "/systems", WIDE),
    ("desk-system", "/systems/credit", WIDE),
    ("desk-gate", "/gate/credit", WIDE),
    ("desk-today-narrow", "/today", NARROW),
];

#[test]
fn pictures() {
    let Some(folder) = std::env::var_os("ALNAGER_PICTURES") else {
        return;
    };
    with_browser("pictures", async |driver| {
        let demo = Demo::start();
        for width in [WIDE, NARROW] {
            let browser = Browser::open(&driver, &demo, "Ines Marchetti", width).await;
            for (name, page, _) in PICTURES.iter().filter(|picture| picture.2 == width) {
                browser.go(page).await;
                let picture = browser.client.screenshot().await.unwrap();
                let file = Path::new(&folder).join(format!("{name}.png"));
                std::fs::write(file, picture).unwrap();
            }
            browser.close().await;
        }
    });
}
