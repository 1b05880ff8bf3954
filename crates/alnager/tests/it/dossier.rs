//! A stranger with a dossier: what verifies, and what is refused.

use std::path::PathBuf;

use serde_json::Value;

use crate::Place;

fn reviewed(example: &str) -> (Place, PathBuf) {
    let place = Place::with(example);
    let (_, review) = place.review(&[]);
    let dossier = place.path(review["dossier"].as_str().unwrap());
    (place, dossier)
}

fn verify(place: &Place, arguments: &[&str]) -> (i32, Value) {
    let ran = place.run(&[&["verify", "--format", "json"], arguments].concat());
    (
        ran.code,
        serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err)),
    )
}

#[test]
fn a_dossier_verifies_and_every_claim_is_recomputed() {
    let (place, dossier) = reviewed("recidivism");
    let data = place.path("system/data.csv");
    let (code, found) = verify(
        &place,
        &[dossier.to_str().unwrap(), "--data", data.to_str().unwrap()],
    );
    assert_eq!(code, 0, "{found}");
    assert_eq!(
        (&found["consistent"], &found["trusted"]),
        (&Value::Bool(true), &Value::Bool(false))
    );
    assert!(found["recomputed"].as_u64().unwrap() > 1_000, "{found}");
    assert_eq!(
        (found["withheld"].as_u64(), found["recounted"].as_u64()),
        (Some(0), Some(1))
    );
    assert_eq!(found["reviews"][0]["verdict"], "hold");
}

#[test]
fn it_never_says_more_than_it_knows() {
    let (place, dossier) = reviewed("credit");
    let words = place.run(&["verify", dossier.to_str().unwrap()]);
    assert!(
        words.out.contains("which you have not said you trust") && !words.out.contains("authentic"),
        "{}",
        words.out
    );
    let key = place.run(&["desk", "key"]).out;
    let (code, found) = verify(&place, &[dossier.to_str().unwrap(), "--key", key.trim()]);
    assert_eq!(
        (code, &found["trusted"]),
        (0, &Value::Bool(true)),
        "{found}"
    );
}

#[test]
fn another_desks_key_is_refused() {
    let (place, dossier) = reviewed("credit");
    let (other, _) = reviewed("credit");
    let key = other.run(&["desk", "key"]).out;
    let (code, found) = verify(&place, &[dossier.to_str().unwrap(), "--key", key.trim()]);
    assert_eq!(
        (code, &found["consistent"]),
        (1, &Value::Bool(false)),
        "{found}"
    );
}

#[test]
fn other_rows_are_not_the_rows_counted() {
    let (place, dossier) = reviewed("credit");
    let data = place.read("system/data.csv");
    let (head, _) = data.trim_end().rsplit_once('\n').unwrap();
    place.write("other.csv", format!("{head}\n"));
    let ran = place.run(&["verify", dossier.to_str().unwrap(), "--data", "other.csv"]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(
        ran.err.contains("is not the data that was counted"),
        "{}",
        ran.err
    );
}

#[test]
fn a_dossier_drawn_for_somebody_holds_what_the_review_rests_on() {
    let (place, dossier) = reviewed("credit");
    let (_, of_review) = verify(&place, &[dossier.to_str().unwrap()]);
    let open = |system: &[&str]| {
        let open = [
            "task",
            "open",
            "--what",
            "see",
            "--why",
            "a test",
            "--due",
            "2027-01-01",
        ];
        assert_eq!(place.run(&[&open, system].concat()).code, 0);
    };
    let draw = |more: &[&str]| -> Value {
        let ran = place.run(&[&["dossier", "credit", "--format", "json"], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        serde_json::from_str(&ran.out).unwrap()
    };
    // A task refers to nothing, so its dossier holds the system's own entries alone.
    open(&["--system", "credit"]);
    open(&[]);
    let bare = draw(&["--out", "bare.alnager"]);
    assert_eq!(bare["holds_law"], false, "{bare}");
    let (code, found) = verify(&place, &["bare.alnager"]);
    assert_eq!((code, &found["law"]), (0, &Value::Null), "{found}");
    let words = place.run(&["dossier", "credit"]).out;
    assert!(words.contains("--for and --reason"), "{words}");
    let earliest = draw(&["--earliest", "--out", "earliest.alnager"]);
    let n = |value: &Value| value.as_u64().unwrap();
    assert_eq!(n(&earliest["size"]), n(&earliest["head"]) + 1);
    assert_eq!(n(&earliest["entries"]), n(&earliest["size"]) + 1);
    assert_eq!(verify(&place, &["earliest.alnager"]).0, 0);

    let for_auditor = ["--for", "Example Audit Ltd", "--reason", "annual audit"];
    let drawn = draw(&[&for_auditor[..], &["--out", "drawn.alnager"]].concat());
    assert_eq!(n(&drawn["head"]) + 1, n(&drawn["size"]));
    assert_eq!(drawn["holds_law"], true);
    let (code, found) = verify(&place, &["drawn.alnager"]);
    assert_eq!(code, 0, "{found}");
    assert_eq!(found["law"], of_review["law"]);
    assert_eq!(found["withheld"], of_review["withheld"]);
    assert_eq!(
        n(&found["recomputed"]),
        n(&of_review["recomputed"]) + 1,
        "the drawing itself is checked, too"
    );

    // For whom it was drawn before stays with the desk.
    let for_other = ["--for", "Other Authority", "--reason", "asked for it"];
    draw(&[&for_other[..], &["--out", "other.alnager"]].concat());
    assert_eq!(verify(&place, &["other.alnager"]).0, 0);
    let bytes = std::fs::read(place.path("other.alnager")).unwrap();
    let archive =
        String::from_utf8_lossy(&zstd::decode_all(bytes.as_slice()).unwrap()).into_owned();
    assert!(archive.contains("Other Authority") && !archive.contains("Example Audit"));

    for (wrong, want) in [
        (&["--for", "Example Audit Ltd"][..], "--reason"),
        (&["--cosigned", "--earliest"], "cannot be used with"),
        (&["--for", " ", "--reason", "x"], "1 to 200 characters"),
        (&["--for", "x", "--reason", " "], "--reason"),
        (&["--recorded", "3"], "leave out --recorded"),
    ] {
        let ran = place.run(&[&["dossier", "credit", "--out", "wrong.alnager"], wrong].concat());
        assert_eq!(ran.code, 2, "{}", ran.out);
        assert!(ran.err.contains(want), "{}", ran.err);
    }
    let unknown = place.run(&["dossier", "credits"]);
    assert!(
        unknown.err.contains("did you mean `credit`"),
        "{}",
        unknown.err
    );
}

#[test]
fn the_small_verifier_agrees() {
    let (_place, dossier) = reviewed("credit");
    let bytes = std::fs::read(dossier).unwrap();
    let read = alnager_journal::dossier::read(&bytes, alnager_journal::dossier::Limits::default())
        .unwrap();
    let found =
        alnager_journal::verify::verify(&read, &alnager_journal::verify::Trust::Unstated).unwrap();
    assert_eq!(found.entries.last().unwrap().kind, "system.reviewed");
    assert_eq!(found.counts.erased, 0);
}

#[test]
fn a_thousand_random_changes_are_each_detected_or_mean_nothing() {
    use alnager_work::verify::verify_dossier;
    let (place, dossier) = reviewed("credit");
    let whole = std::fs::read(&dossier).unwrap();
    let content = zstd::decode_all(whole.as_slice()).unwrap();
    let path = place.path("changed.tar.zst");
    let seed = 20_261_123_u64;
    let mut random = Random(seed);
    let mut n_meaningless = 0;
    for _ in 0..1_000 {
        let mut changed = whole.clone();
        let at = random.below(changed.len());
        changed[at] ^= 1 + random.below(255) as u8;
        std::fs::write(&path, &changed).unwrap();
        let found = verify_dossier(&path, &alnager_journal::verify::Trust::Unstated, None).unwrap();
        if found.is_ok_and(|found| found.differs.is_empty()) {
            // Only bytes of the compression that decompress to the very same archive.
            assert_eq!(
                zstd::decode_all(changed.as_slice()).unwrap(),
                content,
                "byte {at} of seed {seed}"
            );
            n_meaningless += 1;
        }
    }
    assert!(
        n_meaningless < 20,
        "{n_meaningless} of 1,000 changes meant nothing"
    );
}

/// A small generator (SplitMix64), so that a failure can be repeated from its seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}
