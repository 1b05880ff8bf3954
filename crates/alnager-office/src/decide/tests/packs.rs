//! Packs: newer ones come in, older ones do not, a pinned one stays; whose key is trusted, and by whom; and nobody decides under
//! law that was replaced.

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

fn trust(key: &str, is_trusted: bool) -> Command {
    Command::TrustKey {
        key: key.to_owned(),
        is_trusted,
        reason: "r".to_owned(),
    }
}

fn install(offered: &str, key: &str, shipped: Option<&PackVersion>) -> Command {
    Command::InstallPack(Box::new(NewPack {
        id: "x".to_owned(),
        offered: version(offered),
        known_as_of: "2026-11-01".parse().unwrap(),
        key: key.to_owned(),
        shipped: shipped.cloned(),
        texts: texts(),
    }))
}

fn pin(kept: &str, reason: &str) -> Command {
    Command::PinPack(Box::new(Pin {
        id: "x".to_owned(),
        kept: version(kept),
        texts: texts(),
        reason: reason.to_owned(),
    }))
}

/// What came of a command: nothing where it was entered, or why it was refused.
fn refusal(world: &mut World, actor: &str, command: &Command) -> String {
    match world.act(actor, command) {
        Ok(_) => String::new(),
        Err(refused) => refused.to_string(),
    }
}

/// Carries out `install V/H`, `pin V/H` or `unpin` on a desk that trusts the key, with `shipped` in the program; says what was
/// entered and what is in use.
#[track_caller]
fn check(shipped: &str, steps: &[&str], want: Expect) {
    let mut world = World::new();
    world.act("Rita", &trust("k", true)).unwrap();
    let shipped = (!shipped.is_empty()).then(|| version(shipped));
    let mut lines = String::new();
    for step in steps {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        let id = "x".to_owned();
        let command = match verb {
            "install" => install(rest, "k", shipped.as_ref()),
            "pin" => pin(rest, "r"),
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
    world.act("Rita", &trust("k", true)).unwrap();
    world.act("Rita", &install("2/a", "k", None)).unwrap();
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

#[test]
fn who_builds_a_system_changes_no_law() {
    let mut world = World::new();
    world.act("Vera", &trust("k", true)).unwrap();
    // Rita and Tom build the system.
    world.review("decides=true", "", "2026-11-23");
    let unpin = Command::UnpinPack {
        pack: "x".to_owned(),
    };
    let commands = [
        trust("k2", true),
        trust("k", false),
        install("2/a", "k", None),
        pin("1/a", "r"),
        unpin,
    ];
    for command in &commands {
        let said = refusal(&mut world, "Tom", command);
        assert!(said.starts_with("you build `sys`, so you cannot"), "{said}");
    }
    assert_eq!(refusal(&mut world, "Vera", &commands[2]), "");
    assert_eq!(refusal(&mut world, "Vera", &commands[3]), "");
}

#[test]
fn a_pin_and_a_trusted_key_say_why() {
    let mut world = World::new();
    let no_reason = "a decision needs its reason; give one with --reason";
    assert_eq!(refusal(&mut world, "Vera", &pin("1/a", " ")), no_reason);
    let trust = Command::TrustKey {
        key: "k".to_owned(),
        is_trusted: true,
        reason: String::new(),
    };
    assert_eq!(refusal(&mut world, "Vera", &trust), no_reason);
    let decided = world.act("Vera", &pin("1/a", "it is under audit")).unwrap();
    let Some(Event::PackPinned(pinned)) = decided.last().map(|one| &one.event) else {
        panic!("no pin")
    };
    assert_eq!(pinned.reason, "it is under audit");
    let old = br#"{"id":"x","version":"1","files":[],"by":"p","on":"2026-11-01"}"#;
    assert!(Event::from_payload("pack.pinned", old).is_ok());
}

/// Carries out `trust KEY`, `distrust KEY` or `install V/H KEY` as Vera; says what was refused.
#[track_caller]
fn check_keys(steps: &[&str], want: Expect) {
    let mut world = World::new();
    let mut lines = String::new();
    for step in steps {
        let words: Vec<&str> = step.split(' ').collect();
        let command = match words[0] {
            "trust" => trust(words[1], true),
            "distrust" => trust(words[1], false),
            _ => install(words[1], words[2], None),
        };
        let said = refusal(&mut world, "Vera", &command);
        lines.push_str(format!("{step}: {said}").trim_end());
        lines.push('\n');
    }
    want.assert_eq(&lines);
}

#[test]
fn only_a_trusted_key_installs() {
    check_keys(
        &[
            "install 1/a k",
            "distrust k",
            "trust k",
            "install 1/a k",
            "distrust k",
            "install 2/b k",
        ],
        expect![[r#"
            install 1/a k: `k` is not trusted to sign packs on this desk; whoever builds no system trusts it, once it was compared with what its owner says: `alnager law pack trust k --reason WHY`
            distrust k: `k` is not trusted; there is nothing to decide
            trust k:
            install 1/a k:
            distrust k:
            install 2/b k: `k` is not trusted to sign packs on this desk; whoever builds no system trusts it, once it was compared with what its owner says: `alnager law pack trust k --reason WHY`
        "#]],
    );
}

#[test]
fn a_key_trusted_for_one_publisher_does_not_take_over_the_pack_of_another() {
    check_keys(
        &[
            "trust k",
            "trust k2",
            "install 1/a k",
            "install 2/b k2",
            "trust k2",
            "install 2/b k2",
            "install 3/c k",
        ],
        expect![[r#"
            trust k:
            trust k2:
            install 1/a k:
            install 2/b k2: `x` was signed with `k` until now, and this with `k2`, which was trusted before that and not for this pack; if its owner changed the key, trust the new one again: `alnager law pack trust k2 --reason WHY`
            trust k2:
            install 2/b k2:
            install 3/c k: `x` was signed with `k2` until now, and this with `k`, which was trusted before that and not for this pack; if its owner changed the key, trust the new one again: `alnager law pack trust k --reason WHY`
        "#]],
    );
}

#[test]
fn nobody_decides_under_law_that_was_replaced_meanwhile() {
    let mut world = World::new();
    world.review("decides=true", "", "2026-11-23");
    world.act("Vera", &trust("k", true)).unwrap();
    let read = Command::RecordReading {
        requirement: "X-before".to_owned(),
        opinion: Opinion::Adopted,
        text: "t".to_owned(),
    };
    assert_eq!(refusal(&mut world, "Vera", &read), "");
    // The book of the world holds version 1.
    world.act("Vera", &install("2/a", "k", None)).unwrap();
    let changed = "the law in use changed while you worked: `x`; run it again";
    assert_eq!(refusal(&mut world, "Vera", &read), changed);
    let review = world.command("sys", "decides=true", "", "2026-11-23");
    assert_eq!(refusal(&mut world, "Rita", &review), changed);
    let task = Command::FinishTask {
        task: "T1".to_owned(),
        note: "n".to_owned(),
    };
    assert!(refusal(&mut world, "Vera", &task).contains("no task"));
    // Read again, with the installed version; then pinned back.
    let text = PACK.replace("version = '1'", "version = '2'");
    let (vocabulary, evidence) = (
        Vocabulary::parse("f", FACTS).unwrap(),
        Register::parse("e", EVIDENCE, "kind").unwrap(),
    );
    let packs = vec![Pack::parse("p", &text).unwrap()];
    world.book = Book::new(vocabulary, evidence, Register::default(), packs).unwrap();
    world.stamp = BookStamp {
        files: version("2/a").files,
    };
    assert_eq!(refusal(&mut world, "Rita", &review), "");
    world.act("Vera", &pin("1/s", "r")).unwrap();
    assert_eq!(refusal(&mut world, "Rita", &review), changed);
}
