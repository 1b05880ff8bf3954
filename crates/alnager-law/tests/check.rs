//! Every pack in `packs/` checks without an error, and quickly enough to be checked on every change.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    clippy::disallowed_methods,
    reason = "the packs are read as they lie on disk, so that a new one is checked without building the program"
)]

use std::path::Path;

use alnager_law::check::{PackTexts, Severity, Surroundings, check};
use alnager_law::fact::Vocabulary;
use alnager_law::figure;
use alnager_law::pack::Register;

#[test]
fn every_pack_checks_without_an_error() {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
    let text = |name: &str| std::fs::read_to_string(packs.join(name)).ok();
    let need = |name: &str| text(name).unwrap_or_else(|| panic!("packs/{name} cannot be read"));
    let mut texts = Vec::new();
    for kind in ["law", "framework"] {
        let Ok(folders) = std::fs::read_dir(packs.join(kind)) else {
            continue;
        };
        for folder in folders {
            let folder = format!("{kind}/{}", folder.unwrap().file_name().to_string_lossy());
            let (file, cases) = (
                format!("{folder}/pack.toml"),
                format!("{folder}/cases.toml"),
            );
            if let Some(pack) = text(&file) {
                let cases = text(&cases).map(|text| (cases, text));
                texts.push(PackTexts { file, pack, cases });
            }
        }
    }
    let vocabulary = Vocabulary::parse("facts.toml", &need("facts.toml")).unwrap();
    let evidence = Register::parse("evidence.toml", &need("evidence.toml"), "kind").unwrap();
    let controls = Register::parse("controls.toml", &need("controls.toml"), "control").unwrap();
    let figures = figure::kinds("figures.toml", &need("figures.toml")).unwrap();
    let checked = check(
        &texts,
        &Surroundings {
            vocabulary: &vocabulary,
            evidence: &evidence,
            controls: &controls,
            figures: &figures,
            others: &[],
            outside: &[],
            earlier: &[],
        },
    );
    let mut errors = Vec::new();
    for finding in &checked.findings {
        let words = format!(
            "{}:{}: {}: {}; {}",
            finding.file,
            finding.line,
            finding.severity.word(),
            finding.what,
            finding.advice
        );
        println!("{words}");
        if finding.severity == Severity::Error {
            errors.push(words);
        }
    }
    assert!(texts.len() >= 5, "only {} packs were found", texts.len());
    assert!(errors.is_empty(), "{errors:#?}");
}
