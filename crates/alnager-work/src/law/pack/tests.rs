#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::fs;

use expect_test::{Expect, expect};

use alnager_office::gate::Gate;

use super::*;
use crate::law::counsel::adopt;
use crate::review::{Request, review};

const FACTS: &str = "schema = 'alnager.facts/1'\nversion = '1'
[fact.x_asks]\ntype = 'bool'\nquestion = 'q?'\nserves = ['us-x']\n";
const CASES: &str = "schema = 'alnager.cases/1'
[[case]]\nid = 'X'\nwhy = 'w'\nsource = 's'\nat = 2026-06-01\nknown = 2026-06-01\nfacts = { x_asks = true }\nexpect = { in_force = ['X-1'] }\n";

fn pack(version: &str) -> String {
    format!(
        "schema = 'alnager.pack/1'\nid = 'us-x'\nversion = '{version}'\ntitle = 'X'\nshort = 'X'\njurisdiction = 'X'\nkind = 'statute'\nbinding = true
citation = 'X'\nconfidence = 'B'\nstatus = {{ state = 'in_force', as_of = 2026-01-01, known_as_of = 2026-01-01 }}
applies.now = [{{ from = 2020-01-01, known = 2019-01-01, cite = 'c' }}]
[[requirement]]\nid = 'X-1'\nwhat = 'w'\nhow = 'h'\ncite = 'c'\nwhen = 'x_asks'\napplies = ['now']\nphase = 'before_use'\nevidence = ['procedure']\ncontrols = ['CC01']\nrole = 'legal'\n"
    )
}

/// A desk that is not there yet, a key, and folders of packs.
struct Place {
    folder: tempfile::TempDir,
    key: String,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let key = keygen("example.org/packs", &folder.path().join("key")).unwrap();
        Place {
            key: key.to_string(),
            folder,
        }
    }

    fn flags(&self) -> Flags {
        Flags {
            desk: self.folder.path().join("desk").into(),
            actor: Some("Rita".to_owned()),
            ..Flags::default()
        }
    }

    /// Signs the pack in this version, changed as asked; gives the signed file.
    fn signed(&self, version: &str, change: impl Fn(&str, String) -> String) -> PathBuf {
        let texts = [
            ("pack.toml", pack(version)),
            ("facts.toml", FACTS.to_owned()),
            ("cases.toml", CASES.to_owned()),
        ];
        self.signed_as(
            "us-x",
            version,
            &texts.map(|(name, text)| (name, change(name, text))),
        )
    }

    /// Signs the pack of these texts, leaving out those that are empty; gives the signed file.
    fn signed_as(&self, id: &str, name: &str, texts: &[(&str, String)]) -> PathBuf {
        let folder = self.folder.path().join(id);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in texts.iter().filter(|(_, text)| !text.is_empty()) {
            fs::write(folder.join(name), text).unwrap();
        }
        let (bytes, _) = sign(&folder, &self.folder.path().join("key")).unwrap();
        let file = self.folder.path().join(format!("{name}.pack"));
        fs::write(&file, bytes).unwrap();
        file
    }

    async fn trust(&self, key: &str) {
        trust(&self.flags(), key, true, "compared by telephone")
            .await
            .unwrap();
    }

    /// Installs a file on a desk that trusts the key.
    async fn install(&self, file: &Path) -> String {
        if !trusted(&self.flags())
            .await
            .unwrap()
            .keys
            .contains_key(&self.key)
        {
            self.trust(&self.key).await;
        }
        self.try_install(file, Some(&self.key)).await
    }

    async fn try_install(&self, file: &Path, key: Option<&str>) -> String {
        match install(&self.flags(), file, key).await {
            Ok(installed) if installed.receipt.is_some() => {
                format!("{} installed", installed.version)
            }
            Ok(installed) => format!("{} was there", installed.version),
            Err(error) => {
                let folder = self.folder.path().display().to_string();
                error.to_string().replace(&folder, "")
            }
        }
    }

    /// The pack as `list` shows it.
    async fn listed(&self) -> String {
        let listed = list(&self.flags()).await.unwrap();
        let Some(pack) = listed.iter().find(|pack| pack.id == "us-x") else {
            return "not there".to_owned();
        };
        let origin = match &pack.origin {
            PackOrigin::Shipped => "shipped",
            PackOrigin::Installed { .. } => "installed",
            PackOrigin::Kept => "kept",
        };
        let pinned = if pack.is_pinned { ", pinned" } else { "" };
        format!(
            "{} {origin}{pinned}; {}",
            pack.version,
            pack.others.join(", ")
        )
    }
}

fn same(_: &str, text: String) -> String {
    text
}

fn block(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(work);
}

#[test]
fn a_pack_is_installed_once_and_every_job_then_uses_it() {
    block(async {
        let place = Place::new();
        let file = place.signed("2026.1.1", same);
        assert_eq!(place.listed().await, "not there");
        assert_eq!(place.install(&file).await, "2026.1.1 installed");
        assert_eq!(place.install(&file).await, "2026.1.1 was there");
        assert_eq!(place.listed().await, "2026.1.1 installed; ");
        let flags = place.flags().at_desk().await.unwrap();
        let acting = Acting::begin(&flags).unwrap();
        assert!(acting.library.book.packs().any(|pack| pack.id == "us-x"));
        assert!(acting.library.book.vocabulary.get("x_asks").is_some());
        let stamped = |name: &str| {
            acting
                .library
                .stamp
                .files
                .iter()
                .any(|file| file.name == name)
        };
        assert!(stamped("law/us-x/pack.toml") && stamped("law/us-x/facts.toml"));
        assert!(!stamped("law/us-x/cases.toml"));
        let again = library::from_blob(&acting.library.texts.bytes).unwrap();
        assert_eq!(again.stamp, acting.library.stamp);
        let before = Flags {
            recorded: Some(crate::acting::Recorded::Instant(
                "2020-01-01T00:00:00Z".parse().unwrap(),
            )),
            ..place.flags()
        };
        assert!(before.at_desk().await.unwrap().law.is_none());
    });
}

#[test]
fn versions_go_forward_and_a_pin_holds_them() {
    block(async {
        let place = Place::new();
        let (first, second) = (
            place.signed("2026.1.1", same),
            place.signed("2026.1.2", same),
        );
        let third = place.signed("2026.1.10", same);
        assert_eq!(place.install(&second).await, "2026.1.2 installed");
        expect!["`us-x` 2026.1.1 is older than 2026.1.2, which is in use; to go back, pin the earlier version with `alnager law pack pin`"].assert_eq(&place.install(&first).await);
        pin(&place.flags(), "us-x", None, "r").await.unwrap();
        expect![
            "`us-x` is pinned to version 2026.1.2; `alnager law pack unpin us-x` lets newer ones in"
        ]
        .assert_eq(&place.install(&third).await);
        expect!["2026.1.2 installed, pinned; "].assert_eq(&place.listed().await);
        unpin(&place.flags(), "us-x").await.unwrap();
        assert_eq!(place.install(&third).await, "2026.1.10 installed");
        pin(&place.flags(), "us-x", Some("2026.1.2"), "r")
            .await
            .unwrap();
        expect!["2026.1.2 installed, pinned; 2026.1.10"].assert_eq(&place.listed().await);
        let flags = place.flags().at_desk().await.unwrap();
        let in_use = Acting::begin(&flags).unwrap().library;
        let version = in_use
            .book
            .packs()
            .find(|pack| pack.id == "us-x")
            .map(|pack| pack.version.clone());
        assert_eq!(version.as_deref(), Some("2026.1.2"));
        let error = pin(&place.flags(), "us-x", Some("2026.1.3"), "r")
            .await
            .unwrap_err();
        expect!["there is no version 2026.1.3 of `us-x` at hand; did you mean `2026.1.2`?"]
            .assert_eq(&error.to_string());
        let error = pin(&place.flags(), "us-xx", None, "r").await.unwrap_err();
        expect!["there is no pack `us-xx`; did you mean `us-x`?"].assert_eq(&error.to_string());
        pin(&place.flags(), "gdpr", None, "r").await.unwrap();
        let listed = list(&place.flags()).await.unwrap();
        let gdpr = listed.iter().find(|pack| pack.id == "gdpr").unwrap();
        assert_eq!((gdpr.is_pinned, &gdpr.origin), (true, &PackOrigin::Shipped));
    });
}

/// Installing a pack changed so is refused with these words.
fn check(change: impl Fn(&str, String) -> String, want: Expect) {
    block(async {
        let place = Place::new();
        let file = place.signed("2026.1.1", change);
        want.assert_eq(&place.install(&file).await);
        assert_eq!(place.listed().await, "not there");
    });
}

#[test]
fn a_pack_that_does_not_hold_is_not_installed() {
    check(
        |_, text| text.replace("when = 'x_asks'", "when = 'x_asks && !x_asks'"),
        expect![
            "nothing was installed: `us-x` fails its check: law/us-x/pack.toml, line 18: the condition of `X-1` can never hold"
        ],
    );
    check(
        |_, text| text.replace("facts = { x_asks = true }", "facts = { x_asks = false }"),
        expect![
            "nothing was installed: `us-x` differs from its cases: X X-1: not applicable, expected in force"
        ],
    );
    check(
        |_, text| text.replace("'X-1'", "'GDPR-5'"),
        expect![
            "nothing was installed: `us-x` fails its check: law/us-x/pack.toml, line 13: the requirement id `GDPR-5` is already used in law/gdpr/pack.toml"
        ],
    );
    check(
        |_, text| text.replace("x_asks", "is_ai_system"),
        expect![
            "nothing was installed: `us-x` fails its check: law/us-x/facts.toml: `is_ai_system` is already defined, and otherwise"
        ],
    );
}

#[test]
fn a_pack_that_says_law_brings_cases() {
    check(
        |name, text| {
            if name == "cases.toml" {
                String::new()
            } else {
                text
            }
        },
        expect![
            "nothing was installed: `us-x` cannot be tested: it has no cases.toml; have it signed with cases that say what must follow from it, and why"
        ],
    );
    check(
        |_, text| text.replace("expect = { in_force = ['X-1'] }", "expect = {}"),
        expect![
            "nothing was installed: `us-x` cannot be tested: its cases.toml states nothing that could be compared; have it signed with cases that say what must follow from it, and why"
        ],
    );
    block(async {
        let place = Place::new();
        let file = place.signed("2026.1.1", |name, text| match name {
            "pack.toml" => text.split("[[requirement]]").next().unwrap().to_owned(),
            "cases.toml" => String::new(),
            _ => text,
        });
        assert_eq!(place.install(&file).await, "2026.1.1 installed");
    });
}

#[test]
fn nothing_is_installed_that_no_trusted_key_signed() {
    block(async {
        let place = Place::new();
        let file = place.signed("2026.1.1", same);
        let without = |said: String| said.replace(&place.key, "KEY");
        for key in [None, Some(place.key.as_str())] {
            let said = place.try_install(&file, key).await;
            assert!(said.contains("law pack trust"), "{said}");
            assert!(!place.flags().desk.home().exists());
        }
        let other = keygen("other.example/packs", &place.folder.path().join("other")).unwrap();
        place.trust(&other.to_string()).await;
        expect!["/2026.1.1.pack: it is not signed with a key that this desk trusts (`alnager law pack keys` lists them); get the publisher's key on another way than the pack, and trust it: `alnager law pack trust VKEY --reason WHY`"].assert_eq(&without(place.try_install(&file, None).await));
        expect!["`KEY` is not trusted to sign packs on this desk; whoever builds no system trusts it, once it was compared with what its owner says: `alnager law pack trust KEY --reason WHY`"].assert_eq(&without(place.try_install(&file, Some(&place.key)).await));
        place.trust(&place.key).await;
        assert_eq!(place.try_install(&file, None).await, "2026.1.1 installed");
        trust(&place.flags(), &place.key, false, "it was copied")
            .await
            .unwrap();
        let newer = place.signed("2026.1.2", same);
        let said = place.try_install(&newer, None).await;
        assert!(said.contains("a key that this desk trusts"), "{said}");
        let said = trust(&place.flags(), "no key", true, "r")
            .await
            .unwrap_err();
        assert!(said.is_input(), "{said}");
    });
}

/// An overlay on `us-x` and its texts: `X-1` does not hold where this condition does.
fn overlay(unless: &str) -> [(&'static str, String); 3] {
    let head = pack("2026.1.1").replace("us-x", "us-y");
    let head = head.split("applies.now").next().unwrap();
    let exception =
        format!("[[exception]]\nto = 'X-1'\nunless = '{unless}'\nknown = 2026-01-01\ncite = 'c'\n");
    let facts = FACTS.replace("x_asks", "y_bound").replace("us-x", "us-y");
    [
        ("pack.toml", format!("{head}{exception}")),
        (
            "facts.toml",
            format!("{facts}guarded = ['true', 'false']\nguard_cite = 'c'\n"),
        ),
        (
            "cases.toml",
            CASES.replace("'X'", "'Y'").replace(
                "facts = { x_asks = true }\nexpect = { in_force = ['X-1'] }",
                "facts = { x_asks = true, y_bound = true }\nexpect = { OUT = ['X-1'] }",
            ),
        ),
    ]
}

#[test]
fn an_overlay_leaves_the_cases_of_other_packs_as_they_are() {
    block(async {
        let place = Place::new();
        let base = place.signed("2026.1.1", same);
        assert_eq!(place.install(&base).await, "2026.1.1 installed");
        let spoils =
            overlay("!y_bound").map(|(name, text)| (name, text.replace("OUT", "in_force")));
        let file = place.signed_as("us-y", "spoils", &spoils);
        expect!["nothing was installed: `us-y` changes how cases of other packs come out: us-x X X-1: not applicable, expected in force"].assert_eq(&place.install(&file).await);
        let fits =
            overlay("y_bound").map(|(name, text)| (name, text.replace("OUT", "not_applicable")));
        let file = place.signed_as("us-y", "fits", &fits);
        assert_eq!(place.install(&file).await, "2026.1.1 installed");
    });
}

#[test]
fn a_review_that_began_under_superseded_law_is_made_again() {
    block(async {
        let place = Place::new();
        let file = place.signed("2026.1.1", same);
        assert_eq!(place.install(&file).await, "2026.1.1 installed");
        let system = std::env::var("CARGO_MANIFEST_DIR").unwrap();
        let request = Request {
            system: Path::new(&system).join("../../examples/credit"),
            gate: Gate::Launch,
            out: Some(place.folder.path().join("out")),
        };
        // As read before the pack was installed: the shipped law.
        assert!(place.flags().law.is_none());
        review(&request, &place.flags(), &|_| {}).await.unwrap();
        let state = trusted(&place.flags()).await.unwrap();
        let sealed = state.book.unwrap().files;
        assert!(sealed.iter().any(|file| file.name == "law/us-x/pack.toml"));
        let error = adopt(&place.flags(), "iso-42001", true, "r").await;
        let error = error.err().unwrap().to_string();
        assert!(error.contains("run it again"), "{error}");
    });
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    block(async {
        let place = Place::new();
        let file = place.signed("2026.1.1", same);
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, &bytes[..bytes.len() - 5]).unwrap();
        expect!["/2026.1.1.pack: the file is cut off: `pack.toml` has 488 bytes, and 483 are left; take it again from where it was signed"].assert_eq(&place.install(&file).await);
        fs::write(&file, vec![b'x'; 9 << 20]).unwrap();
        expect!["`/2026.1.1.pack` is longer than 8388608 bytes, the most that is read"]
            .assert_eq(&place.install(&file).await);
        fs::write(
            &file,
            String::from_utf8(bytes.clone())
                .unwrap()
                .replace("what = 'w'", "what = 'v'"),
        )
        .unwrap();
        expect!["/2026.1.1.pack: `pack.toml` is not the file that was signed; take the pack again from where it was signed"].assert_eq(&place.install(&file).await);
        fs::write(&file, &bytes).unwrap();
        let other = keygen("example.org/packs", &place.folder.path().join("other")).unwrap();
        let error = place.try_install(&file, Some(&other.to_string())).await;
        assert!(error.contains("no signature by a known key"), "{error}");
        let error = install(&place.flags(), &file, Some("no key"))
            .await
            .unwrap_err();
        assert!(error.is_input(), "{error}");
        assert_eq!(place.listed().await, "not there");
    });
}

#[test]
fn a_manifest_must_say_what_its_pack_says() {
    block(async {
        let place = Place::new();
        let key = signing_key(&place.folder.path().join("key")).unwrap();
        let file = place.folder.path().join("pack");
        let contents = signed::Contents {
            id: "us-y".to_owned(),
            version: "2026.1.1".to_owned(),
            known_as_of: "2026-01-01".parse().unwrap(),
            files: Files::from([("pack.toml".to_owned(), pack("2026.1.1"))]),
        };
        fs::write(&file, signed::seal(&contents, &key).unwrap()).unwrap();
        expect!["/pack: it was signed as `us-y` 2026.1.1 and holds `us-x` 2026.1.1; have it signed again"].assert_eq(&place.install(&file).await);
    });
}

#[test]
fn an_id_that_reaches_for_another_pack_is_refused() {
    block(async {
        let place = Place::new();
        let key = signing_key(&place.folder.path().join("key")).unwrap();
        let file = place.folder.path().join("pack");
        let text = pack("2027.1.1").replace("'us-x'", "'../../law/gdpr'");
        let contents = signed::Contents {
            id: "../../law/gdpr".to_owned(),
            version: "2027.1.1".to_owned(),
            known_as_of: "2026-01-01".parse().unwrap(),
            files: Files::from([("pack.toml".to_owned(), text)]),
        };
        fs::write(&file, signed::seal(&contents, &key).unwrap()).unwrap();
        expect!["/pack: `../../law/gdpr` is no id of a pack, which has small letters, digits and `-` only"].assert_eq(&place.install(&file).await);
    });
}

#[cfg(unix)]
#[test]
fn a_key_is_for_its_owner_alone_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let file = place.folder.path().join("key");
    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        signing_key(&file)
            .unwrap()
            .verifying_key(signed::KEY_KIND)
            .to_string(),
        place.key
    );
    let error = keygen("example.org/packs", &file).unwrap_err();
    assert!(error.to_string().contains("never overwritten"), "{error}");
    for open in [0o640, 0o604, 0o666] {
        mode(open);
        let error = signing_key(&file).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    mode(0o600);
    fs::write(&file, "PRIVATE+KEY+x+00000000+AQ==").unwrap();
    assert!(signing_key(&file).is_err());
}

#[test]
fn folders_are_checked_and_tested_as_parts_of_the_law_in_use() {
    let place = Place::new();
    place.signed("2026.1.1", |_, text| {
        text.replace("in_force = ['X-1']", "in_force = ['X-1', 'X-2']")
    });
    let folder = place.folder.path().join("us-x");
    let checked = super::check(&place.flags(), std::slice::from_ref(&folder)).unwrap();
    let found = checked
        .findings
        .iter()
        .find(|finding| finding.severity == Severity::Error)
        .unwrap();
    assert_eq!(found.file, folder.join("cases.toml").display().to_string());
    let results = test(&place.flags(), &[folder]).unwrap();
    assert_eq!(
        results[0].shown.differences,
        ["X X-2: missing, expected in force"]
    );
    let error = super::check(&place.flags(), &[place.folder.path().to_owned()]).unwrap_err();
    assert!(error.to_string().contains("holds no pack.toml"), "{error}");
}

#[test]
fn the_packs_in_use_check_without_an_error_and_pass_their_cases() {
    let flags = Flags::default();
    let checked = super::check(&flags, &[]).unwrap();
    let errors: Vec<&Finding> = checked
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let results = test(&flags, &[]).unwrap();
    let differing: Vec<&CaseResult> = results
        .iter()
        .filter(|result| !result.shown.differences.is_empty())
        .collect();
    assert!(differing.is_empty(), "{differing:#?}");
    assert!(results.len() >= 20, "only {} cases", results.len());
}
