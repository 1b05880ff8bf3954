#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use expect_test::{Expect, expect};

fn key(seed: u8) -> SigningKey {
    SigningKey::new("example.org/packs", &[seed; 32]).unwrap()
}

fn contents() -> Contents {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    Contents {
        id: "us-x".to_owned(),
        version: "2026.11.23".to_owned(),
        known_as_of: "2026-11-20".parse().unwrap(),
        files: Files::from([
            file("cases.toml", "a\n\nb"),
            file("pack.toml", "id = 'us-x'\n"),
        ]),
    }
}

fn sealed() -> Vec<u8> {
    seal(&contents(), &key(1)).unwrap()
}

/// A file with this manifest after its first line, signed by the trusted key, and these bytes after it.
fn forged(manifest: &str, rest: &str) -> Vec<u8> {
    let text = format!("{FORMAT}\n{manifest}");
    let signature = key(1).sign(&text);
    let note = Note::new(text, vec![signature]).unwrap();
    format!("{note}\n{rest}").into_bytes()
}

#[track_caller]
fn refused(bytes: &[u8], want: Expect) {
    let error = open(bytes, &key(1).verifying_key(KEY_KIND)).unwrap_err();
    want.assert_eq(&error.to_string());
}

#[test]
fn what_was_sealed_opens_and_is_the_same_every_time() {
    let opened = open(&sealed(), &key(1).verifying_key(KEY_KIND)).unwrap();
    assert_eq!(opened, contents());
    assert_eq!(sealed(), sealed());
}

#[test]
fn every_changed_byte_is_found() {
    let key = key(1).verifying_key(KEY_KIND);
    let whole = sealed();
    for at in 0..whole.len() {
        for bit in [0x01, 0x80] {
            let mut bytes = whole.clone();
            bytes[at] ^= bit;
            assert!(open(&bytes, &key).is_err(), "byte {at}");
        }
    }
}

#[test]
fn every_cut_is_found() {
    let key = key(1).verifying_key(KEY_KIND);
    let whole = sealed();
    for len in 0..whole.len() {
        assert!(open(&whole[..len], &key).is_err(), "{len} bytes");
    }
}

#[test]
fn the_reason_is_said() {
    refused(
        b"schema = 'alnager.pack/1'",
        expect![
            "this is no signed pack, which begins with the line `alnager.signed-pack/1`; name the file that `alnager law pack sign` wrote"
        ],
    );
    refused(
        &sealed()[..120],
        expect!["the file is cut off in its manifest; take it again from where it was signed"],
    );
    let whole = sealed();
    refused(
        &whole[..whole.len() - 3],
        expect![
            "the file is cut off: `pack.toml` has 12 bytes, and 9 are left; take it again from where it was signed"
        ],
    );
    refused(
        &[&whole[..], b"x"].concat(),
        expect![
            "1 bytes follow the last file, and nobody signed them; take the pack again from where it was signed"
        ],
    );
    let text = String::from_utf8(whole.clone()).unwrap();
    let changed = |from: &str, to: &str| text.replacen(from, to, 1).into_bytes();
    refused(
        &changed("id = 'us-x'", "id = 'us-y'"),
        expect![
            "`pack.toml` is not the file that was signed; take the pack again from where it was signed"
        ],
    );
    refused(
        &changed("2026.11.23", "2026.11.24"),
        expect![
            "the signature does not hold: the signature by `example.org/packs+0061c628+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c` does not fit the text; the note was altered"
        ],
    );
    refused(
        &seal(&contents(), &key(2)).unwrap(),
        expect![
            "the signature does not hold: the note has no signature by a known key; check which key you were given"
        ],
    );
}

#[test]
fn what_a_trusted_key_signed_is_still_read_strictly() {
    let head = "id us-x\nversion 1\nknown_as_of 2026-11-20\n";
    let hash = sha256(b"");
    let with = |files: &[&str]| {
        let lines = files.iter().map(|file| format!("file {file} {hash}\n"));
        forged(&format!("{head}{}", lines.collect::<String>()), "")
    };
    refused(
        &with(&["../../etc/x 0"]),
        expect![
            "`../../etc/x` is no file of a pack, whose files are cases.toml, controls.toml, evidence.toml, facts.toml, figures.toml, pack.toml, provisions.toml; it was not signed by this program"
        ],
    );
    refused(
        &with(&["law/pack.toml 0"]),
        expect![
            "`law/pack.toml` is no file of a pack, whose files are cases.toml, controls.toml, evidence.toml, facts.toml, figures.toml, pack.toml, provisions.toml; it was not signed by this program"
        ],
    );
    refused(
        &with(&["pack.toml 0", "cases.toml 0"]),
        expect![
            "line 6 of the manifest is not `the next file by name`; have the pack signed again"
        ],
    );
    refused(
        &with(&["pack.toml 0", "pack.toml 0"]),
        expect![
            "line 6 of the manifest is not `the next file by name`; have the pack signed again"
        ],
    );
    refused(
        &with(&["pack.toml 00"]),
        expect![
            "line 5 of the manifest is not `file NAME LENGTH SHA-256`; have the pack signed again"
        ],
    );
    refused(
        &with(&["pack.toml 99999999999999999999"]),
        expect![
            "line 5 of the manifest is not `file NAME LENGTH SHA-256`; have the pack signed again"
        ],
    );
    refused(
        &forged("id us x\nversion 1\n", ""),
        expect!["line 2 of the manifest is not `id ID`; have the pack signed again"],
    );
    let letters = format!("{head}file pack.toml 2 {}\n", sha256(b"id"));
    refused(
        &forged(&letters, "xy"),
        expect![
            "`pack.toml` is not the file that was signed; take the pack again from where it was signed"
        ],
    );
}

#[test]
fn a_cosigning_key_signs_no_pack() {
    let key = key(1).verifying_key(KeyKind::Cosignature);
    assert_eq!(open(&sealed(), &key), Err(SignedError::KeyKind));
}
