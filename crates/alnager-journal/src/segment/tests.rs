#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::entry::{Subject, VERSION};
use crate::note::{KeyKind, SigningKey};

/// Three decisions of a scorer, the last without a score.
fn example() -> Segment {
    let row = |id: &str, score: Option<&str>, decision: &str| {
        vec![
            Some(id.to_owned()),
            score.map(str::to_owned),
            Some(decision.to_owned()),
        ]
    };
    Segment {
        columns: ["case", "score", "decision"].map(str::to_owned).to_vec(),
        rows: vec![
            row("A-1", Some("0.87"), "invite"),
            row("A-2", Some("0.31"), "reject"),
            row("A-3", None, "refer"),
        ],
        secret: [9; 32],
    }
}

fn many(n: usize, secret: u8) -> Segment {
    Segment {
        columns: vec!["n".to_owned()],
        rows: (0..n).map(|n| vec![Some(n.to_string())]).collect(),
        secret: [secret; 32],
    }
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x019a_b000_0000_7000_8000_0000_0000_0000 + n)
}

/// A proof of a row, in a log of two entries whose second is the segment's, under a key of 32 bytes of `seed`.
fn proven(segment: &Segment, index: u64, seed: u8) -> RowProof {
    let stated = segment.stated().unwrap();
    let payload = format!(
        r#"{{"system":"scorer","columns":{},"n_rows":{},"root":"{}","time":null,"by":"{}","on":"2026-11-23"}}"#,
        serde_json::to_string(&stated.columns).unwrap(),
        stated.n_rows,
        stated.root,
        id(0xbb),
    );
    let payload_salt = Hash([7; 32]);
    let entry = Entry {
        v: VERSION,
        kind: SEGMENT_SEALED.to_owned(),
        id: id(2),
        org: id(0xaa),
        actor: id(0xbb),
        subjects: vec![Subject {
            id: id(0xc0),
            prev: Some(0),
        }],
        at: "2026-11-23T08:14:00.000000Z".to_owned(),
        command: id(0xdd),
        commit: entry::commit(&payload_salt.0, payload.as_bytes()),
        blobs: Vec::new(),
        refs: Vec::new(),
    };
    let log: Tree = [
        leaf_hash(b"another entry"),
        leaf_hash(&entry.to_bytes().unwrap()),
    ]
    .into_iter()
    .collect();
    let origin = "example.org/journal";
    let key = SigningKey::new(origin, &[seed; 32]).unwrap();
    let checkpoint = Checkpoint::new(origin, 2, log.root()).unwrap();
    RowProof {
        opened: segment.open(index).unwrap(),
        entry,
        payload,
        payload_salt,
        proof: Proof {
            extra: None,
            index: 1,
            hashes: log.inclusion_proof(1, 2).unwrap(),
            checkpoint: SignedCheckpoint::sign(checkpoint, &[&key]).unwrap(),
        },
        log: key.verifying_key(KeyKind::Ed25519),
    }
}

/// Whether bytes are read as a proof that holds.
fn holds(bytes: &[u8]) -> bool {
    RowProof::parse(bytes).is_ok_and(|proof| proof.verify(&Trust::Unstated).is_ok())
}

#[test]
fn a_row_is_proven_and_read_as_it_was_written() {
    let segment = example();
    for index in 0..3 {
        let proof = proven(&segment, index, 1);
        let bytes = proof.to_bytes().unwrap();
        let read = RowProof::parse(&bytes).unwrap();
        assert_eq!(read, proof);
        let verified = read.verify(&Trust::Unstated).unwrap();
        let row: Vec<Option<String>> = segment
            .columns
            .iter()
            .map(|column| verified.row[column].clone())
            .collect();
        assert_eq!(row, segment.rows[usize::try_from(index).unwrap()]);
        assert_eq!((verified.entry, verified.trusted), (1, false));
    }
}

#[test]
fn the_page_prints_what_the_program_makes() {
    let page = include_str!("../../../../docs/formats/segment.md");
    let segment = example();
    for index in 0..3 {
        let opened = segment.open(index).unwrap();
        let row = String::from_utf8(row_bytes(&opened.row).unwrap()).unwrap();
        let leaf = row_leaf(opened.salt, row.as_bytes());
        for printed in [row, opened.salt.to_string(), leaf.to_string()] {
            assert!(page.contains(&printed), "{printed}");
        }
    }
    let root = segment.stated().unwrap().root.to_string();
    let proof = String::from_utf8(proven(&segment, 1, 1).to_bytes().unwrap()).unwrap();
    for printed in [root, proof] {
        assert!(page.contains(&printed), "{printed}");
    }
}

#[test]
fn every_flipped_bit_of_a_proof_is_refused() {
    let bytes = proven(&example(), 1, 1).to_bytes().unwrap();
    assert!(holds(&bytes));
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            assert!(!holds(&changed), "byte {at}, bit {bit}");
        }
    }
    for end in 0..bytes.len() {
        assert!(!holds(&bytes[..end]), "cut at {end}");
    }
}

#[test]
fn what_belongs_elsewhere_is_refused() {
    let segment = example();
    let good = proven(&segment, 1, 1);
    let other = proven(&many(3, 9), 1, 1);
    let refused = |change: &dyn Fn(&mut RowProof)| {
        let mut proof = good.clone();
        change(&mut proof);
        let error = proof.verify(&Trust::Unstated).unwrap_err();
        error.to_string()
    };
    let not_there = "the row is not proven to be in the segment";
    let another_row = refused(&|proof| proof.opened.row = segment.open(2).unwrap().row);
    assert_eq!(another_row, not_there);
    assert_eq!(refused(&|proof| proof.opened.index = 0), not_there);
    assert_eq!(refused(&|proof| proof.opened.index = 3), not_there);
    assert_eq!(refused(&|proof| proof.opened.index = u64::MAX), not_there);
    assert_eq!(refused(&|proof| proof.opened.path.clear()), not_there);
    assert_eq!(
        refused(&|proof| proof.opened.salt = segment.open(2).unwrap().salt),
        not_there
    );
    assert_eq!(
        refused(&|proof| proof.opened.clone_from(&other.opened)),
        "the row has other columns than its segment"
    );
    assert_eq!(
        refused(&|proof| proof.payload.clone_from(&other.payload)),
        "what is stated of the segment is not what was sealed with its entry"
    );
    assert_eq!(
        refused(&|proof| proof.entry.clone_from(&other.entry)),
        "the segment's entry is not proven to be in the log"
    );
    assert_eq!(
        refused(&|proof| proof.proof.index = 0),
        "the segment's entry is not proven to be in the log"
    );
    assert_eq!(
        refused(&|proof| proof.entry.kind = "system.reviewed".to_owned()),
        "the entry is of the kind `system.reviewed`, and no segment"
    );
    assert!(refused(&|proof| proof.proof.extra = Some(vec![1])).contains("extra"));
    let foreign = proven(&segment, 1, 2);
    assert_eq!(
        refused(&|proof| proof.log = foreign.log.clone()),
        "the checkpoint does not hold"
    );
    // Signed anew by somebody else it is consistent, and not what the reader trusts.
    assert!(foreign.verify(&Trust::Unstated).is_ok());
    assert!(foreign.verify(&Trust::Key(good.log.clone())).is_err());
    assert!(good.verify(&Trust::Key(good.log.clone())).unwrap().trusted);
}

#[test]
fn a_row_without_a_value_is_not_one_with_an_empty_text() {
    let mut proof = proven(&example(), 2, 1);
    assert!(proof.verify(&Trust::Unstated).is_ok());
    proof
        .opened
        .row
        .insert("score".to_owned(), Some(String::new()));
    assert!(proof.verify(&Trust::Unstated).is_err());
    proof.opened.row.remove("score");
    assert!(proof.verify(&Trust::Unstated).is_err());
}

#[test]
fn what_is_no_segment_is_refused() {
    let refused = |segment: Segment| segment.stated().unwrap_err().to_string();
    assert_eq!(
        refused(many(0, 1)),
        "a segment has at least one row; there is none"
    );
    assert!(refused(many(ROWS_MAX + 1, 1)).contains("`10001`"));
    assert_eq!(many(ROWS_MAX, 1).stated().unwrap().n_rows, 10_000);
    let with = |change: &dyn Fn(&mut Segment)| {
        let mut segment = example();
        change(&mut segment);
        refused(segment)
    };
    assert!(with(&|segment| segment.columns[1] = "case".to_owned()).contains("named once"));
    assert!(with(&|segment| segment.columns[1] = String::new()).contains("named once"));
    assert!(with(&|segment| segment.columns.clear()).contains("columns"));
    assert_eq!(
        with(&|segment| segment.rows[2].truncate(2)),
        "row `2` has `2` values for `3` columns"
    );
    assert!(
        with(&|segment| segment.rows[1][0] = Some("x".repeat(ROW_LEN_MAX)))
            .starts_with("row `1` has more than")
    );
    assert_eq!(
        example().open(3).unwrap_err().to_string(),
        "the segment has rows `0` to `2`, and none of number `3`"
    );
}

#[test]
fn hostile_files_are_refused_in_words() {
    let good = String::from_utf8(proven(&example(), 1, 1).to_bytes().unwrap()).unwrap();
    let error = |from: &str, to: &str| {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good);
        RowProof::parse(changed.as_bytes()).unwrap_err()
    };
    let refused = |from: &str, to: &str| error(from, to).to_string();
    assert_eq!(
        refused("row-proof/1", "row-proof/2"),
        "the file is a proof of the form `alnager.row-proof/2`, and this version reads `alnager.row-proof/1`; use a newer one"
    );
    let no_proof = "the file is no proof of a row; it has other fields than one";
    assert_eq!(
        refused(r#""index":1,"log""#, r#""index":-1,"log""#),
        no_proof
    );
    assert_eq!(refused(r#""index":1,"log""#, r#""log""#), no_proof);
    assert_eq!(refused(r#""score":"0.31""#, r#""score":1"#), no_proof);
    for (from, to) in [(r#""index":1,"log""#, r#""index":1.0,"log""#), ("{", "{ ")] {
        assert!(matches!(error(from, to), SegmentError::Canonical(_)));
    }
    assert!(RowProof::parse(b"{}").is_err());
    assert!(RowProof::parse("[".repeat(100_000).as_bytes()).is_err());
    let long = vec![b' '; PROOF_LEN_MAX + 1];
    assert!(matches!(
        RowProof::parse(&long),
        Err(SegmentError::TooLong { .. })
    ));
}

#[test]
fn one_row_says_nothing_of_the_others() {
    // Ten thousand rows with two possible values each: were a salt shared or left out, trying both would tell each row.
    let row = |n: usize| {
        vec![Some(
            if n.is_multiple_of(3) {
                "reject"
            } else {
                "invite"
            }
            .to_owned(),
        )]
    };
    let segment = Segment {
        columns: vec!["decision".to_owned()],
        rows: (0..1_000).map(row).collect(),
        secret: [9; 32],
    };
    let salts: BTreeSet<Hash> = (0..1_000).map(|n| row_salt(&segment.secret, n)).collect();
    assert_eq!(salts.len(), 1_000);
    let shown = proven(&segment, 500, 1);
    let bytes = String::from_utf8(shown.to_bytes().unwrap()).unwrap();
    let secret = Hash(segment.secret).to_string();
    assert!(!bytes.contains(&secret));
    // What a guesser can compute from what is shown: the sibling's leaf under the salt of the row shown, or under none of its own.
    let sibling = shown.opened.path[0];
    for guess in ["reject", "invite"] {
        let guessed: Row = [("decision".to_owned(), Some(guess.to_owned()))].into();
        let guessed = row_bytes(&guessed).unwrap();
        for salt in [
            shown.opened.salt,
            Hash([0; 32]),
            row_salt(&shown.opened.salt.0, 501),
        ] {
            assert_ne!(row_leaf(salt, &guessed), sibling);
        }
    }
    // With the secret it can: so the secret stays with the rows.
    let real = segment.open(501).unwrap();
    let real = row_leaf(real.salt, &row_bytes(&real.row).unwrap());
    assert_eq!(real, sibling);
}

#[test]
fn the_same_rows_under_another_secret_have_another_root() {
    let root = |secret| many(100, secret).stated().unwrap().root;
    assert_eq!(root(1), root(1));
    assert_ne!(root(1), root(2));
}

#[test]
fn rows_and_secret_are_not_printed() {
    let shown = format!("{:?}", example());
    assert!(!shown.contains("A-1") && !shown.contains('9'), "{shown}");
}

proptest! {
    #[test]
    fn every_row_of_every_segment_is_proven(
        rows in proptest::collection::vec(proptest::collection::vec(any::<Option<String>>(), 2), 1..40),
        secret in any::<[u8; 32]>(),
        at in any::<prop::sample::Index>(),
    ) {
        let segment = Segment { columns: vec!["\u{1f600}".to_owned(), "\u{fb33}".to_owned()], rows, secret };
        let index = at.index(segment.rows.len()) as u64;
        let proof = proven(&segment, index, 1);
        let bytes = proof.to_bytes().unwrap();
        let read = RowProof::parse(&bytes).unwrap();
        prop_assert_eq!(&read, &proof);
        prop_assert_eq!(read.verify(&Trust::Unstated).unwrap().row, proof.opened.row);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(RowProof::parse(&bytes).is_err());
    }
}
