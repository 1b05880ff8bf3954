//! A pack from hand to hand: signed on one side, installed, used and proved on the other.

use crate::{Place, Ran, status};

const PACK: &str = "
schema = 'alnager.pack/1'\nid = 'us-x'\nversion = '1'\ntitle = 'X'\nshort = 'X'\njurisdiction = 'X'\nkind = 'statute'\nbinding = true
citation = 'X'\nconfidence = 'B'\nstatus = { state = 'in_force', as_of = 2026-01-01, known_as_of = 2026-01-01 }
applies.now = [{ from = 2020-01-01, known = 2019-01-01, cite = 'c' }]
[[requirement]]\nid = 'X-1'\nwhat = 'w'\nhow = 'h'\ncite = 'c'\nwhen = 'is_ai_system'\napplies = ['now']\nphase = 'before_use'
evidence = ['procedure']\ncontrols = ['CC01']\nrole = 'legal'
";
const CASES: &str = "
schema = 'alnager.cases/1'
case = [{ id = 'X', why = 'w', source = 's', at = 2026-06-01, known = 2026-06-01, facts = { is_ai_system = true }, expect = { in_force = ['X-1'] } }]
";

/// Writes a version of the pack, signs it as `VERSION.pack`, and gives the key it is verified with.
fn signed(place: &Place, version: &str) -> String {
    place.write(
        "us-x/pack.toml",
        PACK.replace("version = '1'", &format!("version = '{version}'")),
    );
    place.write("us-x/cases.toml", CASES);
    if !place.path("key").exists() {
        let made = run(place, "keygen --name example.org/packs --out key");
        assert_eq!(made.code, 0, "{}", made.err);
    }
    let out = format!("sign us-x --key key --out {version}.pack --format json");
    let ran = run(place, &out);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let value: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    value["key"].as_str().unwrap().to_owned()
}

fn run(place: &Place, arguments: &str) -> Ran {
    run_as(place, arguments, &[])
}

/// As someone who builds no system.
fn vera(place: &Place, arguments: &str) -> Ran {
    run_as(place, arguments, &["--as", "Vera Novak"])
}

fn trust(place: &Place, key: &str) {
    let trusted = vera(place, &format!("trust {key} --reason telephone"));
    assert_eq!(trusted.code, 0, "{}", trusted.err);
}

fn run_as(place: &Place, arguments: &str, more: &[&str]) -> Ran {
    let all: Vec<&str> = ["law", "pack"]
        .into_iter()
        .chain(arguments.split(' '))
        .chain(more.iter().copied())
        .collect();
    place.run(&all)
}

#[test]
fn a_review_uses_an_installed_pack_and_a_stranger_can_check_it() {
    let place = Place::with("credit");
    let (_, before) = place.review(&[]);
    assert_eq!(status(&before, "X-1"), "");
    let key = signed(&place, "1");
    trust(&place, &key);
    // Tomas Beran builds the system.
    let builder = run_as(&place, "install 1.pack", &["--as", "Tomas Beran"]);
    assert_eq!(builder.code, 2);
    assert!(
        builder.err.contains("you build `credit`"),
        "{}",
        builder.err
    );
    let installed = vera(&place, "install 1.pack");
    assert_eq!(installed.code, 0, "{}", installed.err);
    let (_, after) = place.review(&["--out", "after"]);
    assert_ne!(status(&after, "X-1"), "");
    let (_, back) = place.review(&["--recorded", "0", "--out", "back"]);
    assert_eq!(status(&back, "X-1"), "");
    let verified = place.run(&["verify", "after/dossier.tar.zst"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    let desk = place.run(&["desk", "verify"]);
    assert_eq!(desk.code, 0, "{}{}", desk.out, desk.err);
    let listed = run(&place, "list");
    assert!(
        listed
            .out
            .contains("us-x 1 (X): installed, signed with example.org/packs"),
        "{}",
        listed.out
    );
}

#[test]
fn a_file_that_was_touched_or_is_older_is_refused_and_the_desk_is_as_it_was() {
    let place = Place::new();
    let key = signed(&place, "1");
    signed(&place, "2");
    let install = |file: &str| run(&place, &format!("install {file} --key {key}"));
    place.write(
        "touched",
        place.read("2.pack").replace("what = 'w'", "what = 'v'"),
    );
    let touched = install("touched");
    assert_eq!(touched.code, 2, "{}", touched.out);
    assert!(
        touched.err.contains("not the file that was signed"),
        "{}",
        touched.err
    );
    assert!(!place.path(".alnager").exists());
    let untrusted = install("2.pack");
    assert_eq!(untrusted.code, 2);
    assert!(
        untrusted.err.contains("not trusted to sign packs"),
        "{}",
        untrusted.err
    );
    assert!(!place.path(".alnager").exists());
    trust(&place, &key);
    let keys = run(&place, "keys");
    assert!(
        keys.out.contains("trusted by Vera Novak on"),
        "{}",
        keys.out
    );
    assert_eq!(install("2.pack").code, 0);
    let older = install("1.pack");
    assert_eq!(older.code, 2);
    assert!(older.err.contains("is older than 2"), "{}", older.err);
    let again = install("2.pack");
    assert_eq!(again.code, 0);
    assert!(again.out.contains("in use already"), "{}", again.out);
}

#[test]
fn check_and_test_say_what_is_wrong_and_exit_with_1() {
    let place = Place::new();
    signed(&place, "1");
    place.write(
        "us-x/cases.toml",
        CASES.replace("is_ai_system = true", "is_ai_system = false"),
    );
    let tested = run(&place, "test us-x");
    assert_eq!(tested.code, 1, "{}{}", tested.out, tested.err);
    assert!(tested.out.contains("us-x X: DIFFERS"), "{}", tested.out);
    place.write(
        "us-x/pack.toml",
        PACK.replace("'is_ai_system'", "'is_ai_sistem'"),
    );
    let checked = run(&place, "check us-x --format json");
    assert_eq!(checked.code, 1, "{}{}", checked.out, checked.err);
    let value: serde_json::Value = serde_json::from_str(&checked.out).unwrap();
    let findings = value["findings"].as_array().unwrap();
    let found = findings
        .iter()
        .find(|finding| finding["severity"] == "error");
    let found = found.unwrap();
    assert_eq!(found["file"], "us-x/pack.toml");
    assert_eq!(found["advice"], "did you mean `is_ai_system`?");
}

#[test]
fn the_packs_in_use_check_in_seconds() {
    let place = Place::new();
    let start = std::time::Instant::now();
    let ran = run(&place, "check");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains(" 0 errors") || ran.out.contains("\n0 errors"),
        "{}",
        ran.out
    );
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}
