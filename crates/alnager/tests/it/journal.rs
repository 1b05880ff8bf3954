//! The journal from outside: published, proven, checked without the desk.

use std::collections::BTreeMap;
use std::path::Path;

use alnager_journal::checkpoint::SignedCheckpoint;
use alnager_journal::merkle::{self, Hash};
use alnager_journal::note::VerifyingKey;
use alnager_journal::proof::Proof;
use serde_json::Value;

use crate::Place;

/// A desk with the entries of one review.
fn reviewed() -> Place {
    let place = Place::with("credit");
    place.review(&[]);
    place
}

impl Place {
    /// Runs a command that must end with this code; gives what it printed.
    #[track_caller]
    fn ends(&self, code: i32, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.out, ran.err);
        ran.out + &ran.err
    }

    fn log_key(&self) -> String {
        self.ends(0, &["desk", "key"]).trim().to_owned()
    }
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            let inner = files(&path);
            found.extend(
                inner
                    .into_iter()
                    .map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)),
            );
        } else {
            found.insert(name, std::fs::read(path).unwrap());
        }
    }
    found
}

#[test]
fn what_is_published_is_checked_without_the_desk() {
    let place = reviewed();
    let out = place.ends(0, &["journal", "publish", "log"]);
    let key = place.log_key();
    assert!(out.contains(&key), "{out}");
    std::fs::rename(place.path(".alnager"), place.path("away")).unwrap();

    let out = place.ends(0, &["journal", "check", "log", "--key", &key]);
    assert!(out.starts_with("consistent; signed by "), "{out}");
    let out = place.ends(0, &["journal", "check", "log"]);
    assert!(out.contains("its signature was not checked"), "{out}");
    place.write("policy", format!("log {key}\nquorum none\n"));
    place.ends(0, &["journal", "check", "log", "--policy", "policy"]);
    let other = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let out = place.ends(1, &["journal", "check", "log", "--key", other]);
    assert!(out.starts_with("refused: `checkpoint` is refused"), "{out}");

    for (path, bytes) in files(&place.path("log")) {
        let mut damaged = bytes.clone();
        let half = damaged.len() / 2;
        damaged[half] ^= 1;
        place.write(&format!("log/{path}"), &damaged);
        let out = place.ends(1, &["journal", "check", "log", "--key", &key]);
        assert!(out.starts_with("refused: "), "{path}: {out}");
        place.write(&format!("log/{path}"), &bytes);
    }
    let out = place.ends(2, &["journal", "check", "nowhere"]);
    assert!(out.contains("is no folder"), "{out}");
}

#[test]
fn publishing_again_writes_what_is_new_and_leaves_what_is_there() {
    let place = reviewed();
    place.ends(0, &["journal", "publish", "log"]);
    let before = files(&place.path("log"));
    let out = place.ends(0, &["journal", "publish", "log", "--format", "json"]);
    let again: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(again["n_written"], 1);
    assert_eq!(files(&place.path("log")), before);

    place.review(&["--as", "Vera Novak"]);
    place.ends(0, &["journal", "publish", "log"]);
    let after = files(&place.path("log"));
    for (path, bytes) in &before {
        assert!(path == "checkpoint" || after[path] == *bytes, "{path}");
    }
    let key = place.log_key();
    let check = ["journal", "check", "log", "--key", &key, "--format", "json"];
    let whole: Value = serde_json::from_str(&place.ends(0, &check)).unwrap();
    assert_eq!(whole["n_earlier"], 2);
    assert_eq!(whole["others"], serde_json::json!([]));

    // A beginning that says something else than what took its place, and a file that is nobody's.
    let (early, bytes) = before
        .iter()
        .find(|(path, _)| path.starts_with("tile/entries/"))
        .unwrap();
    let mut damaged = bytes.clone();
    damaged[9] ^= 1;
    place.write(&format!("log/{early}"), damaged);
    let out = place.ends(1, &["journal", "check", "log", "--key", &key]);
    assert!(out.contains("is not the beginning of"), "{out}");
    place.write(&format!("log/{early}"), bytes);
    place.write("log/tile/0/999", "");
    let whole: Value = serde_json::from_str(&place.ends(0, &check)).unwrap();
    assert_eq!(whole["others"], serde_json::json!(["tile/0/999"]));
}

#[test]
fn a_folder_of_another_log_is_refused() {
    let place = reviewed();
    place.ends(0, &["journal", "publish", "log"]);
    let published = files(&place.path("log"));

    std::fs::rename(place.path(".alnager"), place.path("first")).unwrap();
    place.review(&[]);
    let out = place.ends(2, &["journal", "publish", "log"]);
    assert!(out.contains("holds another log"), "{out}");

    place.write("log/checkpoint", "a page of ours\n");
    let out = place.ends(2, &["journal", "publish", "log"]);
    assert!(out.contains("is no checkpoint"), "{out}");

    // The same name over more entries, and over others.
    let text = String::from_utf8(published["checkpoint"].clone()).unwrap();
    let mut lines: Vec<&str> = text.split('\n').collect();
    let size = lines[1];
    lines[1] = "99999";
    place.write("log/checkpoint", lines.join("\n"));
    let out = place.ends(2, &["journal", "publish", "log", "--desk", "first"]);
    assert!(out.contains("an older copy of the desk"), "{out}");
    let other = Hash::of(b"other").to_base64();
    (lines[1], lines[2]) = (size, &other);
    place.write("log/checkpoint", lines.join("\n"));
    let out = place.ends(2, &["journal", "publish", "log", "--desk", "first"]);
    assert!(out.contains("with other entries"), "{out}");

    let mut left = files(&place.path("log"));
    left.insert("checkpoint".to_owned(), published["checkpoint"].clone());
    assert_eq!(left, published, "a refused folder is left as it was");
}

#[test]
fn every_entry_is_proven_under_the_log_key() {
    let place = reviewed();
    let key = [VerifyingKey::parse(&place.log_key()).unwrap()];
    let printed = place.ends(0, &["journal", "checkpoint"]);
    let checkpoint = SignedCheckpoint::parse(printed.as_bytes()).unwrap();
    let size = checkpoint.checkpoint().size();
    for index in [0, size / 2, size - 1] {
        let (index, out, entry) = (
            index.to_string(),
            format!("{index}.tlog-proof"),
            format!("{index}.json"),
        );
        let asked = ["journal", "proof", &index, "--out", &out, "--entry", &entry];
        place.ends(0, &asked);
        let proof = Proof::parse(place.read(&out).as_bytes()).unwrap();
        assert_eq!(proof.checkpoint, checkpoint);
        proof.checkpoint.note().verify(&key).unwrap();
        proof.verify(place.read(&entry).as_bytes()).unwrap();
        assert_eq!(
            place.ends(0, &["journal", "proof", &index]),
            place.read(&out)
        );
        let again = place.ends(2, &asked);
        assert!(again.contains("never overwritten"), "{again}");
    }
    let beyond = place.ends(2, &["journal", "proof", &size.to_string()]);
    assert!(beyond.contains("counted from 0"), "{beyond}");
    let unsigned = place.ends(2, &["journal", "proof", "0", "--size", "1"]);
    assert!(unsigned.contains("no checkpoint over 1"), "{unsigned}");
}

#[test]
fn an_earlier_journal_is_proven_to_be_the_beginning() {
    let place = reviewed();
    let earlier = place.ends(0, &["journal", "checkpoint"]);
    let earlier = SignedCheckpoint::parse(earlier.as_bytes()).unwrap();
    let earlier = earlier.checkpoint();
    place.review(&["--as", "Vera Novak"]);

    let old = earlier.size().to_string();
    let body = place.ends(0, &["journal", "consistency", &old]);
    let (head, later) = body.split_once("\n\n").unwrap();
    let mut lines = head.split('\n');
    assert_eq!(lines.next(), Some(format!("old {old}").as_str()));
    let hashes: Vec<Hash> = lines.map(|line| Hash::from_base64(line).unwrap()).collect();
    let later = SignedCheckpoint::parse(later.as_bytes()).unwrap();
    let later = later.checkpoint();
    assert!(later.size() > earlier.size());
    merkle::verify_consistency(
        earlier.size(),
        earlier.root(),
        later.size(),
        later.root(),
        &hashes,
    )
    .unwrap();

    let told = place.ends(0, &["journal", "consistency", &old, "--format", "json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["old"]["root"], earlier.root().to_base64());
    let swapped = place.ends(2, &["journal", "consistency", "99999"]);
    assert!(
        swapped.contains("name the smaller number first"),
        "{swapped}"
    );
}
