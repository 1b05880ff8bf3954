//! Which dossiers hold together, and which lack something or have too much.

use alnager_journal::dossier::Dossier;
use alnager_journal::entry::Subject;
use alnager_journal::note::{KeyKind, NoteError, SigningKey};
use alnager_journal::policy::Policy;
use alnager_journal::verify::{Counts, Status, Trust, VerifyError, verify};
use expect_test::{Expect, expect};

use crate::sample::{self, Journal, ORIGIN, dossier, journal, key, subject};

/// Shows the verdict on a dossier, causes included.
#[track_caller]
fn check(dossier: &Dossier, trust: &Trust, want: Expect) {
    want.assert_eq(&verdict(dossier, trust));
}

fn verdict(dossier: &Dossier, trust: &Trust) -> String {
    match verify(dossier, trust) {
        Ok(verified) => {
            let indexes: Vec<u64> = verified.entries.iter().map(|entry| entry.index).collect();
            let trusted = if verified.trusted {
                "trusted"
            } else {
                "not trusted"
            };
            format!(
                "consistent, {trusted}: {} of {}, {indexes:?}",
                indexes.len(),
                verified.size
            )
        }
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            format!("{error}{}", cause.unwrap_or_default())
        }
    }
}

/// Changes the sample dossier and shows the verdict without stated trust.
#[track_caller]
fn check_changed(change: impl FnOnce(&mut Dossier), want: Expect) {
    let mut changed = dossier();
    change(&mut changed);
    assert_ne!(changed, dossier());
    check(&changed, &Trust::Unstated, want);
}

#[test]
fn a_whole_dossier_is_consistent() {
    check(
        &dossier(),
        &Trust::Unstated,
        expect!["consistent, not trusted: 10 of 12, [0, 1, 3, 4, 5, 6, 8, 9, 10, 11]"],
    );
    let verified = verify(&dossier(), &Trust::Unstated).unwrap();
    assert_eq!(
        verified.counts,
        Counts {
            intact: 8,
            withheld: 1,
            erased: 1,
            blobs_intact: 1,
            blobs_absent: 1
        }
    );
    assert_eq!(verified.main().unwrap().id, subject('S'));
    let about: Vec<_> = verified
        .subjects
        .iter()
        .map(|about| (about.id, about.head))
        .collect();
    assert_eq!(
        about,
        [(subject('S'), 9), (subject('E'), 6), (subject('P'), 4)]
    );
    let status = |index: u64| {
        verified
            .entries
            .iter()
            .find(|entry| entry.index == index)
            .unwrap()
            .payload
    };
    assert_eq!(
        (status(0), status(5), status(6)),
        (
            Status::Withheld,
            Status::Erased { under: 8 },
            Status::Intact
        )
    );
}

#[test]
fn every_entry_that_is_left_out_is_missed() {
    for index in dossier().entries.into_keys() {
        let mut without = dossier();
        without.entries.remove(&index);
        let verdict = verdict(&without, &Trust::Unstated);
        assert!(
            verdict.contains(&format!("entry `{index}` is missing")),
            "{index}: {verdict}"
        );
    }
}

#[test]
fn an_older_head_does_not_hide_the_newest_entry() {
    // The head left out, and the one before it called the head.
    check_changed(
        |dossier| {
            dossier.entries.remove(&9);
            dossier.subjects[0].head = 8;
        },
        expect![
            "the dossier is not whole: entry `9` is missing; it comes after the last entry about the main subject and must show that it is not about it"
        ],
    );
    check_changed(
        |dossier| dossier.subjects[0].head = 8,
        expect![
            "the dossier is not whole: entry `9` is about subject `019ab000-0000-7000-8000-000000001053` too, so entry `8` is not the last about it; start from the last one"
        ],
    );
    check_changed(
        |dossier| dossier.subjects[0].head = 12,
        expect![
            "the dossier is not whole: entry `12` cannot be in a log of `12` entries; name the last entry about the subject"
        ],
    );
}

#[test]
fn a_subject_with_its_entries_cannot_be_left_out() {
    check_changed(
        |dossier| {
            dossier.subjects.retain(|about| about.id != subject('P'));
            dossier.entries.retain(|index, _| ![0, 4].contains(index));
        },
        expect![
            "the dossier is not whole: entry `4` is missing; the last entry about the main subject refers to it"
        ],
    );
    check_changed(
        |dossier| {
            dossier.subjects.retain(|about| about.id != subject('P'));
            dossier.entries.remove(&0);
        },
        expect![
            "the dossier is not whole: entry `0` is missing; entry `4` names it as the previous one about a subject"
        ],
    );
    check_changed(
        |dossier| dossier.subjects.retain(|about| about.id != subject('E')),
        expect![
            "the dossier must name the subjects of its last entry and of the entries it refers to, with their heads; it names others"
        ],
    );
    check_changed(
        |dossier| dossier.subjects[1..].reverse(),
        expect![
            "the dossier must name the subjects of its last entry and of the entries it refers to, with their heads; it names others"
        ],
    );
    check_changed(
        |dossier| dossier.subjects.reverse(),
        expect![
            "the dossier is not whole: entry `7` is missing; it comes after the last entry about the main subject and must show that it is not about it"
        ],
    );
    check_changed(
        |dossier| dossier.subjects.clear(),
        expect!["the dossier does not say what it is about"],
    );
}

#[test]
fn nothing_may_be_added() {
    check_changed(
        |dossier| drop(dossier.entries.insert(7, journal().item(7))),
        expect!["entry `7` does not belong in this dossier"],
    );
    check_changed(
        |dossier| {
            let stray = journal().item(9).blobs.remove("report.html").unwrap();
            dossier
                .entries
                .get_mut(&4)
                .unwrap()
                .blobs
                .insert("report.html".to_owned(), stray);
        },
        expect!["blob `report.html` of entry `4` is not what was sealed"],
    );
}

#[test]
fn what_is_disclosed_must_be_what_was_sealed() {
    check_changed(
        |dossier| {
            dossier
                .entries
                .get_mut(&6)
                .unwrap()
                .payload
                .as_mut()
                .unwrap()
                .bytes[0] ^= 1
        },
        expect!["the payload of entry `6` is not what was sealed"],
    );
    check_changed(
        |dossier| {
            dossier
                .entries
                .get_mut(&6)
                .unwrap()
                .payload
                .as_mut()
                .unwrap()
                .salt[31] ^= 1
        },
        expect!["the payload of entry `6` is not what was sealed"],
    );
    check_changed(
        |dossier| {
            dossier
                .entries
                .get_mut(&9)
                .unwrap()
                .blobs
                .get_mut("report.html")
                .unwrap()
                .bytes
                .push(b' ')
        },
        expect!["blob `report.html` of entry `9` is not what was sealed"],
    );
    check_changed(
        |dossier| "fact.denied".clone_into(&mut dossier.entries.get_mut(&5).unwrap().entry.kind),
        expect![
            "entry `5` is not proven to be in the log: the proof leads to another root hash; the entry, the proof or the checkpoint was altered"
        ],
    );
    check_changed(
        |dossier| dossier.entries.get_mut(&5).unwrap().proof[0].0[0] ^= 1,
        expect![
            "entry `5` is not proven to be in the log: the proof leads to another root hash; the entry, the proof or the checkpoint was altered"
        ],
    );
    check_changed(
        |dossier| dossier.entries.get_mut(&5).unwrap().proof.truncate(1),
        expect![
            "entry `5` is not proven to be in the log: the proof has `1` hashes where `4` are needed; ask for a proof at this size"
        ],
    );
    check_changed(
        |dossier| {
            let item = dossier.entries.remove(&10).unwrap();
            dossier.entries.insert(11, item);
        },
        expect![
            "entry `11` is not proven to be in the log: the proof leads to another root hash; the entry, the proof or the checkpoint was altered"
        ],
    );
}

#[test]
fn a_chain_that_passes_over_an_entry_is_seen() {
    // A dishonest log: the entry about S at 2 names 0 as the previous one, although 1 is about S too.
    let mut journal = Journal::of(&["system.declared S", "fact.stated SE", "gate.judged SE"]);
    journal.entries[2].subjects[0] = Subject {
        id: subject('S'),
        prev: Some(0),
    };
    assert_eq!(
        journal.dossier('S').unwrap_err().to_string(),
        format!(
            "entry `1` is about subject `{}`, but the chain to entry `2` leaves it out",
            subject('S')
        )
    );
    // And one whose chain leads to an entry about something else, or forward.
    let mut journal = Journal::of(&["system.declared S", "fact.stated T", "gate.judged S"]);
    journal.entries[2].subjects[0].prev = Some(1);
    assert!(
        journal
            .dossier('S')
            .unwrap_err()
            .to_string()
            .contains("entry `1` is not about subject")
    );
    journal.entries[2].subjects[0].prev = Some(2);
    assert!(
        journal
            .dossier('S')
            .unwrap_err()
            .to_string()
            .contains("does not come before it")
    );
    journal.entries[2].subjects[0].prev = Some(0);
    journal.entries[2].refs = vec![2];
    assert!(
        journal
            .dossier('S')
            .unwrap_err()
            .to_string()
            .contains("does not come before it")
    );
}

#[test]
fn a_reference_forward_is_refused_in_any_entry() {
    let mut journal = Journal::of(&["system.declared S", "fact.stated T"]);
    journal.entries[1].refs = vec![1];
    check(
        &journal.dossier('S').unwrap(),
        &Trust::Unstated,
        expect!["entry `1` refers to entry `1`, which does not come before it"],
    );
}

#[test]
fn a_journal_of_one_entry_has_a_dossier() {
    check(
        &Journal::of(&["system.declared S"]).dossier('S').unwrap(),
        &Trust::Unstated,
        expect!["consistent, not trusted: 1 of 1, [0]"],
    );
}

/// The sample dossier signed anew by the key of another seed, under the same name.
fn signed_anew(seed: u8) -> Dossier {
    let mut dossier = dossier();
    dossier.checkpoint = journal().checkpoint(seed);
    dossier.log = key(seed).verifying_key(KeyKind::Ed25519);
    dossier
}

#[test]
fn a_dossier_signed_anew_is_refused_under_the_key() {
    let ours = key(1).verifying_key(KeyKind::Ed25519);
    let trust = Trust::Key(ours.clone());
    let policy =
        Trust::Policy(Policy::parse(format!("log {ours}\nquorum none\n").as_bytes()).unwrap());
    for trust in [&trust, &policy] {
        assert!(verify(&dossier(), trust).unwrap().trusted);
        assert!(verify(&signed_anew(2), trust).is_err());
    }
    // Without stated trust it is consistent, and says that nobody need believe it.
    check(
        &signed_anew(2),
        &Trust::Unstated,
        expect!["consistent, not trusted: 10 of 12, [0, 1, 3, 4, 5, 6, 8, 9, 10, 11]"],
    );
    check(
        &signed_anew(2),
        &trust,
        expect![
            "the checkpoint is not signed by the key you trust, `example.org/journal+07cc7817+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c`: the note has no signature by a known key; check which key you were given"
        ],
    );
    check(
        &signed_anew(2),
        &policy,
        expect![
            "your policy does not accept the checkpoint: the checkpoint's signatures do not satisfy the policy"
        ],
    );

    // The name of the old key in a dossier with the new signature.
    check_changed(
        |dossier| dossier.checkpoint = journal().checkpoint(2),
        expect![
            "the checkpoint is not signed by the key that came with it: the note has no signature by a known key; check which key you were given"
        ],
    );
    let elsewhere = SigningKey::new("example.org/other", &[1; 32]).unwrap();
    check(
        &dossier(),
        &Trust::Key(elsewhere.verifying_key(KeyKind::Ed25519)),
        expect![
            "the key is named `example.org/other` but the log is `example.org/journal`; a log's key carries the log's name"
        ],
    );
    let witness = Trust::Key(key(1).verifying_key(KeyKind::Cosignature));
    check(
        &dossier(),
        &witness,
        expect!["a log's key must be of type `0x01`"],
    );
}

#[test]
fn both_keys_count_while_one_is_replaced() {
    let mut dossier = dossier();
    let text = dossier.checkpoint.note().text().to_owned();
    dossier.checkpoint = dossier.checkpoint.with(vec![key(2).sign(&text)]).unwrap();
    for seed in [1, 2] {
        let trusted = key(seed).verifying_key(KeyKind::Ed25519);
        assert_eq!(
            verify(&dossier, &Trust::Key(trusted.clone()))
                .unwrap()
                .signer,
            trusted
        );
    }
    let stranger = Trust::Key(key(3).verifying_key(KeyKind::Ed25519));
    let refused = verify(&dossier, &stranger).unwrap_err();
    assert!(matches!(
        refused,
        VerifyError::NotTrusted {
            source: NoteError::NoKnownSignature,
            ..
        }
    ));
}

#[test]
fn witnesses_are_named_and_their_quorum_is_kept() {
    let witness = SigningKey::new("example.org/witness", &[9; 32]).unwrap();
    let ours = key(1).verifying_key(KeyKind::Ed25519);
    let policy = format!(
        "log {ours}\nwitness w {}\nquorum w\n",
        witness.verifying_key(KeyKind::Cosignature)
    );
    let trust = Trust::Policy(Policy::parse(policy.as_bytes()).unwrap());
    check(
        &dossier(),
        &trust,
        expect![
            "your policy does not accept the checkpoint: the checkpoint lacks the cosignatures that the policy's quorum asks for; `0` witnesses have cosigned, and these that the quorum counts have not: `w`"
        ],
    );

    let mut cosigned = dossier();
    let text = cosigned.checkpoint.note().text().to_owned();
    cosigned.checkpoint = cosigned
        .checkpoint
        .with(vec![witness.cosign(&text, 1_800_000_000)])
        .unwrap();
    let verified = verify(&cosigned, &trust).unwrap();
    assert_eq!(
        (
            verified.witnesses[0].name.as_slice(),
            verified.witnesses[0].unix_s
        ),
        (&b"w"[..], 1_800_000_000)
    );
    assert_eq!(verified.origin, ORIGIN);
    assert_eq!(verified.root, sample::journal().tree().root());
}
