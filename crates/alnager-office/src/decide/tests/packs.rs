//! Packs: newer ones come in, older ones do not, and a pinned one stays.

use super::*;
use crate::event::BookFile;
use crate::packs::{NewPack, PackVersion, Pin};

/// A version whose one file has the given hash, from `version/hash`.
fn version(text: &str) -> PackVersion {
    let (version, sha256) = text.split_once('/').unwrap();
    PackVersion {
        version: version.to_owned(),
        files: vec![BookFile {
            name: "law/x/pack.toml".to_owned(),
            sha256: sha256.to_owned(),
        }],
    }
}

fn texts() -> Blob {
    Blob {
        name: "pack.json".to_owned(),
        media: "application/json".to_owned(),
        bytes: Arc::default(),
    }
}

/// Carries out `install V/H`, `pin V/H` or `unpin`, with `shipped` in the program; says what was entered and what is in use.
#[track_caller]
fn check(shipped: &str, steps: &[&str], want: Expect) {
    let mut world = World::new();
    let shipped = (!shipped.is_empty()).then(|| version(shipped));
    let mut lines = String::new();
    for step in steps {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        let id = "x".to_owned();
        let command = match verb {
            "install" => Command::InstallPack(Box::new(NewPack {
                id,
                offered: version(rest),
                known_as_of: "2026-11-01".parse().unwrap(),
                key: "k".to_owned(),
                shipped: shipped.clone(),
                texts: texts(),
            })),
            "pin" => Command::PinPack(Box::new(Pin {
                id,
                kept: version(rest),
                texts: texts(),
            })),
            _ => Command::UnpinPack { pack: id },
        };
        let said = match world.act("Rita", &command) {
            Ok(decided) => {
                let kinds = decided.iter().map(|one| one.event.kind());
                kinds
                    .filter(|kind| *kind != "person.named")
                    .collect::<Vec<_>>()
                    .join(", ")
            }
            Err(refused) => refused.to_string(),
        };
        let pack = world.state.packs.get("x").cloned().unwrap_or_default();
        let kept = pack.in_use(shipped.as_ref().map(|shipped| shipped.version.as_str()));
        let in_use = kept.map_or("as shipped", |kept| kept.version.as_str());
        lines.push_str(&format!("{step}: {said}; in use: {in_use}\n"));
    }
    want.assert_eq(&lines);
}

#[test]
fn a_newer_version_comes_in_and_the_same_one_enters_nothing() {
    check(
        "",
        &[
            "install 2026.9.1/a",
            "install 2026.9.1/a",
            "install 2026.10.1/b",
            "install 2026.10.1.1/c",
        ],
        expect![[r#"
            install 2026.9.1/a: pack.installed; in use: 2026.9.1
            install 2026.9.1/a: ; in use: 2026.9.1
            install 2026.10.1/b: pack.installed; in use: 2026.10.1
            install 2026.10.1.1/c: pack.installed; in use: 2026.10.1.1
        "#]],
    );
}

#[test]
fn going_back_is_refused() {
    check(
        "2026.5.1/s",
        &[
            "install 2026.4.30/a",
            "install 2026.5.1/b",
            "install 2026.5.1/s",
            "install 2026.5.2/b",
            "install 2026.5.1/s",
        ],
        expect![[r#"
            install 2026.4.30/a: `x` 2026.4.30 is older than 2026.5.1, which is in use; to go back, pin the earlier version with `alnager law pack pin`; in use: as shipped
            install 2026.5.1/b: `x` 2026.5.1 is in use with other content; give the changed pack a newer version and sign it again; in use: as shipped
            install 2026.5.1/s: ; in use: as shipped
            install 2026.5.2/b: pack.installed; in use: 2026.5.2
            install 2026.5.1/s: `x` 2026.5.1 is older than 2026.5.2, which is in use; to go back, pin the earlier version with `alnager law pack pin`; in use: 2026.5.2
        "#]],
    );
}

#[test]
fn what_is_pinned_stays_until_it_is_unpinned() {
    check(
        "2026.5.1/s",
        &[
            "unpin",
            "pin 2026.5.1/s",
            "pin 2026.5.1/s",
            "install 2026.5.2/b",
            "unpin",
            "install 2026.5.2/b",
            "pin 2026.5.1/s",
            "install 2026.5.2/b",
        ],
        expect![[r#"
            unpin: `x` is not pinned; nothing is; in use: as shipped
            pin 2026.5.1/s: pack.pinned; in use: 2026.5.1
            pin 2026.5.1/s: ; in use: 2026.5.1
            install 2026.5.2/b: `x` is pinned to version 2026.5.1; `alnager law pack unpin x` lets newer ones in; in use: 2026.5.1
            unpin: pack.unpinned; in use: as shipped
            install 2026.5.2/b: pack.installed; in use: 2026.5.2
            pin 2026.5.1/s: pack.pinned; in use: 2026.5.1
            install 2026.5.2/b: `x` is pinned to version 2026.5.1; `alnager law pack unpin x` lets newer ones in; in use: 2026.5.1
        "#]],
    );
}

#[test]
fn a_newer_shipped_version_takes_the_place_of_an_installed_one() {
    let mut world = World::new();
    let new = NewPack {
        id: "x".to_owned(),
        offered: version("2/a"),
        known_as_of: "2026-11-01".parse().unwrap(),
        key: "k".to_owned(),
        shipped: None,
        texts: texts(),
    };
    world
        .act("Rita", &Command::InstallPack(Box::new(new)))
        .unwrap();
    let pack = &world.state.packs["x"];
    for (shipped, in_use) in [
        (None, true),
        (Some("1"), true),
        (Some("2"), false),
        (Some("3"), false),
        (Some("10"), false),
    ] {
        assert_eq!(pack.in_use(shipped).is_some(), in_use, "{shipped:?}");
    }
}
