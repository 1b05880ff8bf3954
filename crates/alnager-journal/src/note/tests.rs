#![allow(clippy::unwrap_used, reason = "tests")]

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

/// Key, text and signature of the example in the documentation of Go's `golang.org/x/mod/sumdb/note`.
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_TEXT: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const GO_LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";

fn key(name: &str, seed: u8) -> SigningKey {
    SigningKey::new(name, &[seed; 32]).unwrap()
}

fn signed(text: &str, keys: &[&SigningKey]) -> Note {
    Note::new(
        text.to_owned(),
        keys.iter().map(|key| key.sign(text)).collect(),
    )
    .unwrap()
}

#[test]
fn the_notes_of_another_implementation_verify() {
    let known = [VerifyingKey::parse(GO_KEY).unwrap()];
    let note = Note::parse(format!("{GO_TEXT}\n{GO_LINE}\n").as_bytes()).unwrap();
    assert_eq!(note.verify(&known).unwrap().len(), 1);
}

#[test]
fn our_signatures_are_those_of_another_implementation() {
    let seed: [u8; 32] = STANDARD.decode(GO_SEED).unwrap()[1..].try_into().unwrap();
    let key = SigningKey::new("PeterNeumann", &seed).unwrap();
    assert_eq!(key.sign(GO_TEXT).to_string(), GO_LINE);
    assert_eq!(key.verifying_key(KeyKind::Ed25519).to_string(), GO_KEY);
    assert_eq!(
        format!("{key:?}"),
        r#"SigningKey { name: "PeterNeumann", .. }"#
    );
}

/// Shows what became of a verifier key.
#[track_caller]
fn check_key(text: &str, want: Expect) {
    want.assert_eq(&match VerifyingKey::parse(text) {
        Ok(key) => {
            assert_eq!(key.to_string(), text);
            format!("{} {:?} {:08x}", key.name(), key.kind(), key.id())
        }
        Err(error) => error.to_string(),
    });
}

#[test]
fn verifier_keys_have_one_spelling() {
    // The test vector of C2SP signed-note.
    check_key(
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        expect!["example.com/foo Ed25519 530d903a"],
    );
    check_key(
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        expect![
            "the verifier key is malformed: its key id is not that of its name and public key, in eight lower-case digits; it looks like `example.org/log+1a2b3c4d+AQ…`"
        ],
    );
    check_key(
        "example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        expect![
            "the verifier key is malformed: its key id is not that of its name and public key, in eight lower-case digits; it looks like `example.org/log+1a2b3c4d+AQ…`"
        ],
    );
    check_key(
        "example.com/foo+530d903a",
        expect![
            "the verifier key is malformed: it has not three parts joined by `+`; it looks like `example.org/log+1a2b3c4d+AQ…`"
        ],
    );
    check_key(
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        expect![
            "a key name must not be empty and must have no spaces, control characters or `+`; use a name like `example.org/log`"
        ],
    );
    check_key(
        "a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        expect![
            "a key name must not be empty and must have no spaces, control characters or `+`; use a name like `example.org/log`"
        ],
    );
    check_key(
        "a+530d903a+",
        expect![
            "the verifier key is malformed: its last part is empty; it looks like `example.org/log+1a2b3c4d+AQ…`"
        ],
    );
    check_key(
        "a+530d903a+AAAA\n",
        expect![
            "the verifier key is malformed: its last part is not base64; it looks like `example.org/log+1a2b3c4d+AQ…`"
        ],
    );
    check_key(
        "a+530d903a+AQID",
        expect![
            "the verifier key is malformed: its public key has not 32 bytes; it looks like `example.org/log+1a2b3c4d+AQ…`"
        ],
    );
    check_key(
        "a+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        expect![
            "the verifier key has signature type `0x06`; this version checks `0x01` and `0x04`"
        ],
    );
    // The neutral element: every message has a signature under it.
    check_key(
        "a+00000000+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        expect![
            "the verifier key is malformed: its point is of small order, so anyone can sign for it; it looks like `example.org/log+1a2b3c4d+AQ…`"
        ],
    );
}

/// Shows what became of a note's bytes.
#[track_caller]
fn check_note(bytes: &[u8], want: Expect) {
    want.assert_eq(&match Note::parse(bytes) {
        Ok(note) => {
            assert_eq!(note.to_string().as_bytes(), bytes);
            format!(
                "{:?} signed by {:?}",
                note.text(),
                note.signatures()
                    .iter()
                    .map(Signature::name)
                    .collect::<Vec<_>>()
            )
        }
        Err(error) => error.to_string(),
    });
}

#[test]
fn notes_have_one_spelling() {
    check_note(
        "a\n\n— k AAAAAAA=\n".as_bytes(),
        expect![[r#""a\n" signed by ["k"]"#]],
    );
    check_note(
        "a\n\nb\n\n\n— k AAAAAAA=\n— l AAAAAAA=\n".as_bytes(),
        expect![[r#""a\n\nb\n\n" signed by ["k", "l"]"#]],
    );
    check_note(
        "— k AAAAAAA=\n\n— k AAAAAAA=\n".as_bytes(),
        expect![[r#""— k AAAAAAA=\n" signed by ["k"]"#]],
    );
    check_note(
        "\n\n— k AAAAAAA=\n".as_bytes(),
        expect![[r#""\n" signed by ["k"]"#]],
    );
    check_note(
        "a\n— k AAAAAAA=\n".as_bytes(),
        expect![
            "the note is malformed: no empty line parts text and signatures; take it again from where it was signed"
        ],
    );
    check_note(
        "a\n\n— k AAAAAAA=".as_bytes(),
        expect![
            "the note is malformed: the last line does not end in a newline; take it again from where it was signed"
        ],
    );
    check_note(
        "a\n\n".as_bytes(),
        expect![
            "the note is malformed: the last line does not end in a newline; take it again from where it was signed"
        ],
    );
    check_note(
        "a\n\n- k AAAAAAA=\n".as_bytes(),
        expect![
            "the note is malformed: a signature line does not start with `— `; take it again from where it was signed"
        ],
    );
    check_note(
        "a\n\n— kAAAAAAA=\n".as_bytes(),
        expect![
            "the note is malformed: a signature line has no signature; take it again from where it was signed"
        ],
    );
    check_note(
        "a\n\n— k AAAAAA==\n".as_bytes(),
        expect![
            "the note is malformed: a signature is shorter than five bytes; take it again from where it was signed"
        ],
    );
    check_note(
        "a\n\n— k AAAAAAB=\n".as_bytes(),
        expect![
            "the note is malformed: a signature is not base64; take it again from where it was signed"
        ],
    );
    check_note(
        "a\n\n— k AAAAAAA\n".as_bytes(),
        expect![
            "the note is malformed: a signature is not base64; take it again from where it was signed"
        ],
    );
    check_note(
        "a\n\n— k  AAAAAAA=\n".as_bytes(),
        expect![
            "the note is malformed: a signature is not base64; take it again from where it was signed"
        ],
    );
    check_note(
        "a\n\n— k+ AAAAAAA=\n".as_bytes(),
        expect![
            "a key name must not be empty and must have no spaces, control characters or `+`; use a name like `example.org/log`"
        ],
    );
    check_note(
        "a\n\n— k\u{a0} AAAAAAA=\n".as_bytes(),
        expect![
            "a key name must not be empty and must have no spaces, control characters or `+`; use a name like `example.org/log`"
        ],
    );
    check_note(
        "a\tb\n\n— k AAAAAAA=\n".as_bytes(),
        expect![
            "the note is malformed: it has a control character; take it again from where it was signed"
        ],
    );
    check_note(
        b"\xff\n\n",
        expect!["the note is malformed: it is not UTF-8; take it again from where it was signed"],
    );
}

#[test]
fn a_note_has_bounded_size() {
    let note = |lines: usize| format!("a\n\n{}", "— k AAAAAAA=\n".repeat(lines));
    assert!(Note::parse(note(SIGNATURES_MAX).as_bytes()).is_ok());
    assert_eq!(
        Note::parse(note(SIGNATURES_MAX + 1).as_bytes()),
        Err(NoteError::TooManySignatures)
    );
    let long = format!("{}{}", "a".repeat(NOTE_LEN_MAX), note(1));
    assert_eq!(
        Note::parse(long.as_bytes()),
        Err(NoteError::TooLong { len: long.len() })
    );
}

#[test]
fn unknown_signatures_are_ignored_and_bad_known_ones_are_not() {
    let (ours, other) = (key("example.org/log", 1), key("example.org/log", 2));
    let known = [ours.verifying_key(KeyKind::Ed25519)];
    let names = |note: &Note| note.verify(&known).map(|checked| checked.len());

    assert_eq!(names(&signed("text\n", &[&other, &ours])), Ok(1));
    assert_eq!(
        names(&signed("text\n", &[&other])),
        Err(NoteError::NoKnownSignature)
    );

    let bad = ours.sign("another text\n");
    let refused = Err(NoteError::BadSignature {
        key: known[0].to_string(),
    });
    assert_eq!(
        names(&signed("text\n", &[&ours]).with(vec![bad]).unwrap()),
        refused
    );

    // Same key and id under another name, and same name under another id: both unknown.
    let line = ours.sign("another text\n").to_string();
    let renamed = Signature::parse(&line.replace("org/log", "org/other")).unwrap();
    assert_eq!(
        names(&signed("text\n", &[&ours]).with(vec![renamed]).unwrap()),
        Ok(1)
    );

    // A signature cut short by a known key is bad, not unknown.
    let mut short = ours.sign("text\n");
    short.bytes.pop();
    assert_eq!(
        names(&signed("text\n", &[&ours]).with(vec![short]).unwrap()),
        refused
    );
}

#[test]
fn a_cosignature_states_its_instant() {
    let (log, witness) = (key("example.org/log", 1), key("example.org/witness", 2));
    let text = "example.org/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    let known = [witness.verifying_key(KeyKind::Cosignature)];
    let note = signed(text, &[&log])
        .with(vec![witness.cosign(text, 1_679_315_147)])
        .unwrap();
    assert_eq!(
        note.verify(&known).unwrap(),
        [Checked {
            key: &known[0],
            unix_s: Some(1_679_315_147)
        }]
    );

    // The message as the specification spells it, signed as a plain text, gives the same 64 bytes.
    let message = format!("cosignature/v1\ntime 1679315147\n{text}");
    assert_eq!(
        witness.cosign(text, 1_679_315_147).bytes[8..],
        witness.sign(&message).bytes
    );

    let mut later = witness.cosign(text, 1_679_315_147);
    later.bytes[7] ^= 1;
    let refused = Err(NoteError::BadSignature {
        key: known[0].to_string(),
    });
    assert_eq!(
        signed(text, &[&log])
            .with(vec![later])
            .unwrap()
            .verify(&known),
        refused
    );
    let beyond = witness.cosign(text, 1 << 63);
    assert_eq!(
        signed(text, &[&log])
            .with(vec![beyond])
            .unwrap()
            .verify(&known),
        refused
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_flipped_bit_goes_unseen(at in 0_usize..1000, bit in 0_u32..8) {
        let key = key("example.org/log", 1);
        let known = [key.verifying_key(KeyKind::Ed25519)];
        let mut bytes = signed("a text\nof two lines\n", &[&key]).to_string().into_bytes();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(Note::parse(&bytes).and_then(|note| note.verify(&known).map(|_| ())).is_err());
    }

    #[test]
    fn no_bytes_make_the_readers_panic(text in "(\\PC|\n|— |\\+|[A-Za-z0-9/=]{4}){0,60}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Note::parse(&bytes);
        let _ = VerifyingKey::parse(&text);
        let _ = Signature::parse(&text);
        if let Ok(note) = Note::parse(text.as_bytes()) {
            prop_assert_eq!(note.to_string(), text);
        }
    }
}

/// The key of the documentation of Go's package `golang.org/x/mod/sumdb/note`.
const GO_SECRET: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

#[test]
fn a_secret_key_is_written_as_others_write_it() {
    let key = SigningKey::parse(GO_SECRET).unwrap();
    assert_eq!(key.to_secret_text(), GO_SECRET);
    assert_eq!(
        key.verifying_key(KeyKind::Ed25519).to_string(),
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    );
}

#[test]
fn what_is_no_secret_key_is_refused() {
    for text in [
        "",
        "PRIVATE+KEY+",
        "PRIVATE+KEY+PeterNeumann+c74f20a3+",
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AQ==",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        &GO_SECRET.replace("c74f20a3", "c74f20a4"),
        &GO_SECRET.replace("PeterNeumann", "Peter Neumann"),
        &GO_SECRET.replace("+AYEK", "+BIEK"),
        &GO_SECRET[..GO_SECRET.len() - 4],
    ] {
        assert!(SigningKey::parse(text).is_err(), "{text}");
    }
}
