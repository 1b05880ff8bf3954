//! The binary `alnager-verify`.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "runs the binary on files"
)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use alnager_journal::dossier::write;
use alnager_journal::note::KeyKind;
use alnager_journal::proof::Proof;
use alnager_journal::published::{File, files};
use alnager_journal::tile::encode_bundle;
use expect_test::{Expect, expect};

use crate::sample::{dossier, journal, key};

/// A file of this test run, in the folder that cargo keeps for it.
fn file(name: &str, bytes: &[u8]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Runs the binary and shows its exit code and what it printed.
#[track_caller]
fn check(arguments: &[&str], want: Expect) {
    let output = Command::new(env!("CARGO_BIN_EXE_alnager-verify"))
        .args(arguments)
        .output()
        .unwrap();
    let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!printed.contains("authentic"));
    let shown = printed.replace(env!("CARGO_TARGET_TMPDIR"), "DIR");
    want.assert_eq(&format!("exit {}\n{shown}", output.status.code().unwrap()));
}

#[test]
fn it_says_what_holds_and_who_signed() {
    let good = file("good.tar.zst", &write(&dossier()).unwrap());
    let ours = key(1).verifying_key(KeyKind::Ed25519).to_string();
    let other = key(2).verifying_key(KeyKind::Ed25519).to_string();
    check(
        &[&good],
        expect![[r#"
        exit 0
        consistent; signed by example.org/journal+07cc7817+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c, which you have not said you trust
        log example.org/journal, 12 entries, root 7AUiqKme2aJQN0oPOjL+GUMxz1m1e8VY9i2ep6Fhx2M=
        about subject 019ab000-0000-7000-8000-000000001053, last entry 9
        10 entries here: payloads intact 8, withheld 1, erased 1; blobs intact 1, absent 1
        entry 5: payload erased under entry 8
    "#]],
    );
    check(
        &[&good, "--key", &ours],
        expect![[r#"
        exit 0
        consistent; signed by example.org/journal+07cc7817+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c, which you trust
        log example.org/journal, 12 entries, root 7AUiqKme2aJQN0oPOjL+GUMxz1m1e8VY9i2ep6Fhx2M=
        about subject 019ab000-0000-7000-8000-000000001053, last entry 9
        10 entries here: payloads intact 8, withheld 1, erased 1; blobs intact 1, absent 1
        entry 5: payload erased under entry 8
    "#]],
    );
    check(
        &["--key", &other, &good],
        expect![[r#"
        exit 1
        refused: the checkpoint is not signed by the key you trust, `example.org/journal+2c54533f+AYE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU`: the note has no signature by a known key; check which key you were given
    "#]],
    );
    check(
        &[
            &good,
            "--policy",
            &file("policy", format!("log {ours}\nquorum none\n").as_bytes()),
        ],
        expect![[r#"
        exit 0
        consistent; signed by example.org/journal+07cc7817+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c, which you trust
        log example.org/journal, 12 entries, root 7AUiqKme2aJQN0oPOjL+GUMxz1m1e8VY9i2ep6Fhx2M=
        about subject 019ab000-0000-7000-8000-000000001053, last entry 9
        10 entries here: payloads intact 8, withheld 1, erased 1; blobs intact 1, absent 1
        entry 5: payload erased under entry 8
    "#]],
    );

    let mut without = dossier();
    without.entries.remove(&6);
    check(
        &[&file("without.tar.zst", &write(&without).unwrap())],
        expect![[r#"
        exit 1
        refused: the dossier is not whole: entry `6` is missing; the last entry about the main subject refers to it
    "#]],
    );
    check(
        &[&file("text.tar.zst", b"some text")],
        expect![[r#"
        exit 1
        refused: the file is no dossier: it does not start as a zstd frame
    "#]],
    );
}

#[test]
fn wrong_use_is_told_apart() {
    let good = file("use.tar.zst", &write(&dossier()).unwrap());
    let ours = key(1).verifying_key(KeyKind::Ed25519).to_string();
    check(
        &[],
        expect![[r#"
        exit 2
        use: alnager-verify FILE|FOLDER [--entry FILE] [--key VKEY] [--policy FILE]
    "#]],
    );
    check(
        &["/nonexistent.tar.zst"],
        expect![[r#"
        exit 2
        cannot read `/nonexistent.tar.zst`: No such file or directory (os error 2)
    "#]],
    );
    check(
        &[&good, &good],
        expect![[r#"
        exit 2
        use: alnager-verify FILE|FOLDER [--entry FILE] [--key VKEY] [--policy FILE]
    "#]],
    );
    check(
        &[&good, "--key"],
        expect![[r#"
        exit 2
        use: alnager-verify FILE|FOLDER [--entry FILE] [--key VKEY] [--policy FILE]
    "#]],
    );
    check(
        &[&good, "--key", "nonsense"],
        expect![[r#"
        exit 2
        --key: the verifier key is malformed: it has not three parts joined by `+`; it looks like `example.org/log+1a2b3c4d+AQ…`
    "#]],
    );
    check(
        &[&good, "--key", &ours, "--key", &ours],
        expect![[r#"
        exit 2
        give one `--key` or one `--policy`, not both
        use: alnager-verify FILE|FOLDER [--entry FILE] [--key VKEY] [--policy FILE]
    "#]],
    );
    check(
        &[&good, "--policy", &good],
        expect![[r#"
        exit 2
        --policy: line `1` of the policy: it has a control character; only tabs are allowed
    "#]],
    );
    check(
        &[&good, "--what"],
        expect![[r#"
        exit 2
        unknown option `--what`
        use: alnager-verify FILE|FOLDER [--entry FILE] [--key VKEY] [--policy FILE]
    "#]],
    );
}

#[test]
fn it_checks_an_entry_with_its_proof() {
    let journal = journal();
    let checkpoint = journal.checkpoint(1);
    let size = checkpoint.checkpoint().size();
    let proof = Proof {
        extra: None,
        index: 3,
        hashes: journal.tree().inclusion_proof(3, size).unwrap(),
        checkpoint,
    };
    let file_of = |name, index: usize| file(name, &journal.entries[index].to_bytes().unwrap());
    let (entry, other) = (file_of("3.json", 3), file_of("4.json", 4));
    let proof = file("3.tlog-proof", proof.to_string().as_bytes());
    let ours = key(1).verifying_key(KeyKind::Ed25519).to_string();
    let theirs = key(2).verifying_key(KeyKind::Ed25519).to_string();
    check(
        &[&proof, "--entry", &entry, "--key", &ours],
        expect![[r#"
            exit 0
            consistent; signed by example.org/journal+07cc7817+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c, which you trust
            log example.org/journal, 12 entries, root 7AUiqKme2aJQN0oPOjL+GUMxz1m1e8VY9i2ep6Fhx2M=
            the entry is entry 3 of the log
        "#]],
    );
    check(
        &[&proof, "--entry", &entry],
        expect![[r#"
        exit 0
        consistent; its signature was not checked, for you named no key
        log example.org/journal, 12 entries, root 7AUiqKme2aJQN0oPOjL+GUMxz1m1e8VY9i2ep6Fhx2M=
        the entry is entry 3 of the log
    "#]],
    );
    check(
        &[&proof, "--entry", &other, "--key", &ours],
        expect![[r#"
            exit 1
            refused: the proof leads to another root hash; the entry, the proof or the checkpoint was altered
        "#]],
    );
    check(
        &[&proof, "--entry", &entry, "--key", &theirs],
        expect![[r#"
            exit 1
            refused: the checkpoint is not signed by the key you trust, `example.org/journal+2c54533f+AYE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU`: the note has no signature by a known key; check which key you were given
        "#]],
    );
    check(
        &[&proof, "--key", &ours],
        expect![[r#"
        exit 2
        a proof is checked with its entry; name the entry's file with `--entry`
    "#]],
    );
    check(
        &[&entry, "--entry", &entry],
        expect![[r#"
        exit 2
        `--entry` goes with a `.tlog-proof`; leave it out
    "#]],
    );
}

#[test]
fn it_checks_a_published_log() {
    let journal = journal();
    let entries: Vec<Vec<u8>> = journal
        .entries
        .iter()
        .map(|entry| entry.to_bytes().unwrap())
        .collect();
    let size = entries.len() as u64;
    for published in files(0, size) {
        let bytes = match published {
            File::Tile(tile) => tile.encode(&journal.tree()).unwrap(),
            File::Bundle(_) => encode_bundle(entries.iter().map(Vec::as_slice)).unwrap(),
            File::Checkpoint => journal.checkpoint(1).to_string().into_bytes(),
        };
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join("log")
            .join(published.path());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let log = format!("{}/log", env!("CARGO_TARGET_TMPDIR"));
    let ours = key(1).verifying_key(KeyKind::Ed25519).to_string();
    check(
        &[&log, "--key", &ours],
        expect![[r#"
        exit 0
        consistent; signed by example.org/journal+07cc7817+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c, which you trust
        log example.org/journal, 12 entries, root 7AUiqKme2aJQN0oPOjL+GUMxz1m1e8VY9i2ep6Fhx2M=
        3 files, 5897 bytes
    "#]],
    );
    check(
        &[&log],
        expect![[r#"
        exit 0
        consistent; its signature was not checked, for you named no key
        log example.org/journal, 12 entries, root 7AUiqKme2aJQN0oPOjL+GUMxz1m1e8VY9i2ep6Fhx2M=
        3 files, 5897 bytes
    "#]],
    );
    fs::write(format!("{log}/tile/0/000.p/{size}"), b"short").unwrap();
    check(
        &[&log, "--key", &ours],
        expect![[r#"
        exit 1
        refused: `tile/0/000.p/12` is refused: the tile has `5` bytes where its width needs `384`; fetch it again
    "#]],
    );
}

/// The proof that `docs/formats/segment.md` prints.
fn row_proof() -> String {
    let page = include_str!("../../../../docs/formats/segment.md");
    let (_, example) = page.split_once("```json\n").unwrap();
    example.split_once("\n```").unwrap().0.to_owned()
}

#[test]
fn the_proof_of_a_row_is_checked_and_the_row_printed() {
    let proof = row_proof();
    let good = file("good.row-proof", proof.as_bytes());
    let ours = key(1).verifying_key(KeyKind::Ed25519).to_string();
    let other = key(2).verifying_key(KeyKind::Ed25519).to_string();
    check(
        &[&good],
        expect![[r#"
        exit 0
        consistent; signed by example.org/journal+07cc7817+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c, which you have not said you trust
        log example.org/journal, 2 entries, root YvNBWqSfYPChzfMbB/B5zK0oCxrISoNPv0TTdGVrb9M=
        system "scorer": row 1 of the 3 rows, from 0, that entry 1 sealed at 2026-11-23T08:14:00.000000Z
          case: "A-2"
          score: "0.31"
          decision: "reject"
    "#]],
    );
    check(
        &[&good, "--key", &ours],
        expect![[r#"
        exit 0
        consistent; signed by example.org/journal+07cc7817+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c, which you trust
        log example.org/journal, 2 entries, root YvNBWqSfYPChzfMbB/B5zK0oCxrISoNPv0TTdGVrb9M=
        system "scorer": row 1 of the 3 rows, from 0, that entry 1 sealed at 2026-11-23T08:14:00.000000Z
          case: "A-2"
          score: "0.31"
          decision: "reject"
    "#]],
    );
    check(
        &[&good, "--key", &other],
        expect![[r#"
        exit 1
        refused: the checkpoint does not hold: the checkpoint is not signed by the key you trust, `example.org/journal+2c54533f+AYE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU`: the note has no signature by a known key; check which key you were given
    "#]],
    );
    let altered = proof.replace(r#""decision":"reject""#, r#""decision":"invite""#);
    check(
        &[&file("altered.row-proof", altered.as_bytes())],
        expect![[r#"
            exit 1
            refused: the row is not proven to be in the segment: the proof leads to another root hash; the entry, the proof or the checkpoint was altered
        "#]],
    );
}
