#![allow(clippy::unwrap_used, reason = "tests")]

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::merkle::{Tree, leaf_hash};
use crate::note::{KeyKind, SigningKey};

const LOG: &str = "example.org/log";
const NOW_S: u64 = 1_795_000_000;

fn key(name: &str, seed: u8) -> SigningKey {
    SigningKey::new(name, &[seed; 32]).unwrap()
}

fn log_keys() -> Vec<VerifyingKey> {
    vec![key(LOG, 1).verifying_key(KeyKind::Ed25519)]
}

fn witness() -> SigningKey {
    key("example.net/witness", 2)
}

/// A tree of these leaves.
fn tree(leaves: &[u8]) -> Tree {
    leaves.iter().map(|leaf| leaf_hash(&[*leaf])).collect()
}

fn signed(origin: &str, by: &SigningKey, size: u64, root: Hash) -> SignedCheckpoint {
    SignedCheckpoint::sign(Checkpoint::new(origin, size, root).unwrap(), &[by]).unwrap()
}

/// A request of the log whose entries are `leaves`, with the right proof from `old`, or none where there cannot be one.
fn request(leaves: &[u8], old: u64) -> Request {
    let tree = tree(leaves);
    Request {
        old,
        proof: tree.consistency_proof(old, tree.size()).unwrap_or_default(),
        checkpoint: signed(LOG, &key(LOG, 1), tree.size(), tree.root()),
    }
}

fn held(leaves: &[u8]) -> Held {
    let tree = tree(leaves);
    Held {
        size: tree.size(),
        root: tree.root(),
    }
}

/// Shows what a witness that holds a log of `before` answers.
#[track_caller]
fn check(before: &[u8], request: &Request, want: Expect) {
    let request = Request::parse(request.to_string().as_bytes()).unwrap();
    want.assert_eq(&match judge(&request, &log_keys(), held(before)) {
        Ok(accepted) => {
            assert_eq!(accepted.held, Held::of(request.checkpoint.checkpoint()));
            format!("200, holds {}", accepted.held.size)
        }
        Err(refusal) => {
            let (media_type, body) = refusal.body();
            format!("{} {media_type}: {}", refusal.status(), body.trim_end())
        }
    });
}

#[test]
fn a_log_that_grows_is_cosigned() {
    check(b"", &request(b"", 0), expect!["200, holds 0"]);
    check(b"", &request(b"abc", 0), expect!["200, holds 3"]);
    check(b"abc", &request(b"abcdefg", 3), expect!["200, holds 7"]);
    check(b"abc", &request(b"abc", 3), expect!["200, holds 3"]);
}

#[test]
fn every_refusal_has_its_status() {
    let mut of_another_log = request(b"abc", 0);
    of_another_log.checkpoint = signed("example.org/other", &key(LOG, 1), 3, held(b"abc").root);
    check(
        b"",
        &of_another_log,
        expect![
            "404 text/plain; charset=utf-8: this witness does not know the log of this checkpoint"
        ],
    );
    let mut by_another_key = request(b"abc", 0);
    by_another_key.checkpoint = signed(LOG, &key(LOG, 9), 3, held(b"abc").root);
    check(
        b"",
        &by_another_key,
        expect![
            "403 text/plain; charset=utf-8: the checkpoint is not signed by a key that this witness knows for the log: the note has no signature by a known key; check which key you were given"
        ],
    );
    let mut with_another_text = request(b"abc", 0);
    let line = key(LOG, 1).sign("another text\n");
    let text = with_another_text.checkpoint.note().text().to_owned();
    let note = Note::new(text, vec![line]).unwrap();
    with_another_text.checkpoint = SignedCheckpoint::parse(note.to_string().as_bytes()).unwrap();
    check(
        b"",
        &with_another_text,
        expect![
            "403 text/plain; charset=utf-8: the checkpoint is not signed by a key that this witness knows for the log: the signature by `example.org/log+8f13f9e4+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c` does not fit the text; the note was altered"
        ],
    );
    check(
        b"abc",
        &Request {
            old: 4,
            ..request(b"abc", 3)
        },
        expect![
            "400 text/plain; charset=utf-8: the old size `4` is larger than the checkpoint's size `3`"
        ],
    );
    check(
        b"abc",
        &request(b"abcde", 0),
        expect!["409 text/x.tlog.size: 3"],
    );
    check(
        b"abcde",
        &request(b"abc", 3),
        expect!["409 text/x.tlog.size: 5"],
    );
    check(
        b"abc",
        &request(b"aXcde", 3),
        expect![
            "422 text/plain; charset=utf-8: the checkpoint is not shown to continue the one that was cosigned last: the proof leads to another root hash; the entry, the proof or the checkpoint was altered"
        ],
    );
    check(
        b"abc",
        &request(b"aXc", 3),
        expect![
            "422 text/plain; charset=utf-8: the checkpoint is not shown to continue the one that was cosigned last: the proof leads to another root hash; the entry, the proof or the checkpoint was altered"
        ],
    );
    check(
        b"",
        &Request {
            proof: vec![leaf_hash(b"a")],
            ..request(b"abc", 0)
        },
        expect![
            "422 text/plain; charset=utf-8: the checkpoint is not shown to continue the one that was cosigned last: the proof has `1` hashes where `0` are needed; ask for a proof at this size"
        ],
    );
    let mut empty_with_a_root = request(b"", 0);
    empty_with_a_root.checkpoint = signed(LOG, &key(LOG, 1), 0, leaf_hash(b"a"));
    check(
        b"",
        &empty_with_a_root,
        expect![
            "422 text/plain; charset=utf-8: the checkpoint is not shown to continue the one that was cosigned last: the proof leads to another root hash; the entry, the proof or the checkpoint was altered"
        ],
    );
}

#[test]
fn what_strangers_add_to_a_checkpoint_is_not_kept() {
    let mut request = request(b"abc", 0);
    let text = request.checkpoint.note().text().to_owned();
    let stranger = key("example.org/stranger", 7).sign(&text);
    request.checkpoint = request.checkpoint.with(vec![stranger]).unwrap();
    let accepted = judge(&request, &log_keys(), Held::nothing()).unwrap();
    let names: Vec<&str> = accepted
        .note
        .signatures()
        .iter()
        .map(Signature::name)
        .collect();
    assert_eq!(names, [LOG]);
}

#[test]
fn while_a_log_replaces_its_key_either_signature_will_do() {
    let mut both = log_keys();
    both.push(key(LOG, 9).verifying_key(KeyKind::Ed25519));
    for seed in [1, 9] {
        let mut request = request(b"abc", 0);
        request.checkpoint = signed(LOG, &key(LOG, seed), 3, held(b"abc").root);
        assert!(judge(&request, &both, Held::nothing()).is_ok());
    }
}

/// Shows how a request's text is read.
#[track_caller]
fn check_text(text: &str, want: Expect) {
    want.assert_eq(&match Request::parse(text.as_bytes()) {
        Ok(request) => {
            assert_eq!(request.to_string(), text);
            let checkpoint = request.checkpoint.checkpoint();
            format!(
                "{} to {}, {} hashes",
                request.old,
                checkpoint.size(),
                request.proof.len()
            )
        }
        Err(error) => error.to_string(),
    });
}

const CHECKPOINT: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
    — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
const HASH: &str = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n";

#[test]
fn a_request_has_one_spelling() {
    check_text(
        &format!("old 20852014\n{HASH}{HASH}\n{CHECKPOINT}"),
        expect!["20852014 to 20852163, 2 hashes"],
    );
    check_text(
        &format!("old 0\n\n{CHECKPOINT}"),
        expect!["0 to 20852163, 0 hashes"],
    );
    check_text(
        &format!("old 7\n{}\n{CHECKPOINT}", HASH.repeat(63)),
        expect!["7 to 20852163, 63 hashes"],
    );
    check_text(
        &format!("old 7\n{}\n{CHECKPOINT}", HASH.repeat(64)),
        expect!["the request is malformed: its proof has more than 63 lines"],
    );
    check_text(
        &format!("old 07\n\n{CHECKPOINT}"),
        expect![
            "the request is malformed: its first line is not `old` with a number without leading zeros"
        ],
    );
    check_text(
        &format!("old  7\n\n{CHECKPOINT}"),
        expect![
            "the request is malformed: its first line is not `old` with a number without leading zeros"
        ],
    );
    check_text(
        &format!("old 7\n{}\n\n{CHECKPOINT}", &HASH[..43]),
        expect!["the request is malformed: a line of its proof is not 32 bytes in base64"],
    );
    check_text(
        "old 7\n",
        expect!["the request is malformed: no empty line comes before the checkpoint"],
    );
    check_text(
        "old 7\n\nexample.org/log\n7\n",
        expect!["the request holds no checkpoint"],
    );
    check_text(
        &format!("old 7\n\n{CHECKPOINT}{}", " ".repeat(REQUEST_LEN_MAX)),
        expect!["the request has more than `131072` bytes; leave out signatures nobody checks"],
    );
}

/// Shows what is made of an answer to a request with three entries; `W` stands for a right line of the witness at `NOW_S`, `L` for
/// one over another text, `O` for one by another witness, `F` for one of the far future, `Z` for one without an instant.
#[track_caller]
fn check_reply(status: u16, media_type: &str, body: &str, want: Expect) {
    let checkpoint = request(b"abc", 0).checkpoint;
    let text = checkpoint.note().text();
    let other = key("example.net/other", 3);
    let mut filled = body.to_owned();
    for (mark, line) in [
        ("<W>", witness().cosign(text, NOW_S)),
        ("<E>", witness().cosign(text, NOW_S - 60)),
        ("<L>", witness().cosign("another text\n", NOW_S)),
        ("<O>", other.cosign(text, NOW_S)),
        ("<F>", witness().cosign(text, NOW_S + AHEAD_S_MAX + 1)),
        ("<Z>", witness().cosign(text, 0)),
    ] {
        filled = filled.replace(mark, &format!("{line}\n"));
    }
    let key = witness().verifying_key(KeyKind::Cosignature);
    let reply = Reply::read(
        status,
        media_type,
        filled.as_bytes(),
        &checkpoint,
        &key,
        NOW_S,
    );
    want.assert_eq(&match reply {
        Ok(Reply::Cosigned(cosignature)) => {
            assert!(
                checkpoint
                    .with(vec![cosignature.line])
                    .unwrap()
                    .note()
                    .verify(&[key])
                    .is_ok()
            );
            format!("cosigned, {} s ago", NOW_S - cosignature.unix_s)
        }
        Ok(Reply::Holds { size }) => format!("holds {size}"),
        Err(error) => error.to_string(),
    });
}

#[test]
fn an_answer_is_believed_as_far_as_it_is_signed() {
    check_reply(200, "", "<W>", expect!["cosigned, 0 s ago"]);
    check_reply(200, "", "<E><W><O>", expect!["cosigned, 0 s ago"]);
    check_reply(
        200,
        "",
        "<O>",
        expect!["it answered without a cosignature by the key you gave for it; nothing was kept"],
    );
    check_reply(
        200,
        "",
        "<W><L>",
        expect!["its cosignature does not fit this checkpoint; nothing was kept"],
    );
    check_reply(
        200,
        "",
        "<F>",
        expect![
            "its cosignature states the instant 1795000301, now is 1795000000 (seconds since 1970-01-01 UTC); nothing was kept, compare the two clocks"
        ],
    );
    check_reply(
        200,
        "",
        "<Z>",
        expect![
            "its cosignature states the instant 0, now is 1795000000 (seconds since 1970-01-01 UTC); nothing was kept, compare the two clocks"
        ],
    );
    check_reply(
        200,
        "text/html",
        "<html>hello</html>\n",
        expect!["its answer cannot be read: a line is no signature; check its address"],
    );
    check_reply(
        200,
        "",
        "",
        expect![
            "its answer cannot be read: it is no text that ends in a newline; check its address"
        ],
    );
    check_reply(
        200,
        "",
        &"x".repeat(REPLY_LEN_MAX + 1),
        expect!["its answer cannot be read: it is too long; check its address"],
    );
}

#[test]
fn every_status_has_its_meaning() {
    check_reply(
        400,
        "",
        "",
        expect!["it did not understand the request (400); one of the two programs may be too old"],
    );
    check_reply(
        403,
        "",
        "",
        expect![
            "it knows another key for this log (403); give its operator the key that `alnager desk key` prints"
        ],
    );
    check_reply(
        404,
        "",
        "",
        expect![
            "it does not know this log (404); give its operator the key that `alnager desk key` prints"
        ],
    );
    check_reply(409, SIZE_MEDIA_TYPE, "2\n", expect!["holds 2"]);
    check_reply(409, "Text/X.Tlog.Size; x=y", "3\n", expect!["holds 3"]);
    check_reply(
        409,
        SIZE_MEDIA_TYPE,
        "4\n",
        expect![
            "it has cosigned 4 entries and this journal has only 3: an OLDER COPY of the desk is in use; put the newer one back, and write nothing until then"
        ],
    );
    check_reply(
        409,
        SIZE_MEDIA_TYPE,
        "two\n",
        expect!["its answer cannot be read: it holds no size; check its address"],
    );
    check_reply(
        409,
        "text/plain",
        "2\n",
        expect!["it answered 409; ask again later, or ask its operator"],
    );
    check_reply(
        422,
        "",
        "",
        expect![
            "it holds ANOTHER HISTORY of this log (422): what it cosigned is not continued by this journal; find out which copy of the desk was used before, and write nothing until then"
        ],
    );
    check_reply(
        502,
        "",
        "",
        expect!["it answered 502; ask again later, or ask its operator"],
    );
}

#[test]
fn the_newest_cosignature_of_each_witness_counts() {
    let text = request(b"abc", 0).checkpoint.note().text().to_owned();
    let other = key("example.net/other", 3);
    let keys = [&witness(), &other].map(|key| key.verifying_key(KeyKind::Cosignature));
    let lines = [
        witness().cosign(&text, 50),
        witness().cosign("another text\n", 90),
        witness().cosign(&text, 70),
        other.cosign(&text, 60),
    ];
    let instants = |lines, keys| -> Vec<u64> {
        newest(&text, lines, keys)
            .iter()
            .map(|found| found.unix_s)
            .collect()
    };
    assert_eq!(instants(&lines, &keys), [70, 60]);
    assert_eq!(instants(&lines[..2], &keys), [50]);
    assert_eq!(anchored_unix_s(&text, &lines, &keys), Some(70));
    assert_eq!(anchored_unix_s(&text, &lines, &keys[1..]), Some(60));
    assert_eq!(anchored_unix_s(&text, &lines[1..2], &keys), None);
}

/// One submission: which of the histories, how much of it, the old size (`None`: what the witness holds), and which history makes
/// the proof.
type Step = (usize, u64, Option<u64>, usize);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (
        0_usize..3,
        0_u64..24,
        proptest::option::weighted(0.3, 0_u64..24),
        0_usize..3,
    );
    proptest::collection::vec(step, 1..40)
}

proptest! {
    /// Three histories of one log, which part at random places, are offered at random, with right proofs and wrong ones: whatever is
    /// accepted is one history. What continues the held checkpoint, rightly proven, is never refused.
    #[test]
    fn a_witness_accepts_one_history_only(
        parts in (0_usize..24, 0_usize..24), steps in steps(), noise in any::<bool>(),
    ) {
        let whole: Vec<u8> = (0..24).collect();
        let mut histories = [whole.clone(), whole.clone(), whole];
        histories[1][parts.0] = 101;
        histories[2][parts.1] = 102;
        let prefix = |history: usize, size: u64| &histories[history][..size as usize];
        let mut now = Held::nothing();
        let mut accepted: Vec<&[u8]> = vec![b""];
        for (history, size, old, prover) in steps {
            let old = old.unwrap_or(now.size);
            let leaves = prefix(history, size);
            let mut request = request(leaves, old);
            request.proof = tree(&histories[prover]).consistency_proof(old, size).unwrap_or_default();
            if noise {
                request.proof.push(leaf_hash(b"noise"));
            }
            let latest = accepted.last().copied().unwrap();
            match judge(&request, &log_keys(), now) {
                Ok(next) => {
                    prop_assert!(leaves.starts_with(latest), "{latest:?} then {leaves:?}");
                    prop_assert_eq!(next.held.size, size);
                    accepted.push(leaves);
                    now = next.held;
                }
                Err(refusal) => {
                    let rightly = !noise && prover == history && old == now.size;
                    prop_assert!(!(rightly && leaves.starts_with(latest)), "{refusal}");
                }
            }
        }
        for earlier in &accepted {
            prop_assert!(accepted.last().unwrap().starts_with(earlier));
        }
    }

    #[test]
    fn no_bytes_make_the_readers_panic(
        text in "(old [0-9]{1,3}\n)?([A-Za-z0-9+/=]{44}\n)?\n?([a-z/]{1,3}\n)?([0-9]{1,3}\n)?([A-Za-z0-9+/=]{44}\n)?\n?(— [a-z] [A-Za-z0-9+/=]{8}\n)?",
        status in prop_oneof![Just(200_u16), Just(409), any::<u16>()],
    ) {
        if let Ok(request) = Request::parse(text.as_bytes()) {
            prop_assert_eq!(request.to_string(), text.clone());
        }
        let checkpoint = request(b"abc", 0).checkpoint;
        let key = witness().verifying_key(KeyKind::Cosignature);
        let reply = Reply::read(status, SIZE_MEDIA_TYPE, text.as_bytes(), &checkpoint, &key, NOW_S);
        prop_assert!(!matches!(reply, Ok(Reply::Cosigned(_))));
    }
}

#[test]
fn the_example_of_the_formats_page_is_true() {
    let page = include_str!("../../../../docs/formats/journal.md");
    let log = key("example.org/journal", 1);
    let tree = tree(b"abcde");
    let request = Request {
        old: 3,
        proof: tree.consistency_proof(3, 5).unwrap(),
        checkpoint: signed("example.org/journal", &log, 5, tree.root()),
    };
    let witness = witness();
    let known = [log.verifying_key(KeyKind::Ed25519)];
    let accepted = judge(&request, &known, held(b"abc")).unwrap();
    let line = witness.cosign(accepted.note.text(), 1_795_420_800);
    for part in [
        format!("`{}`", witness.verifying_key(KeyKind::Cosignature)),
        format!("```text\n{request}```\n"),
        format!("```text\n{line}\n```\n"),
    ] {
        assert!(page.contains(&part), "the page lacks:\n{part}");
    }
}

#[test]
fn of_each_key_the_latest_line_is_kept() {
    let key = |seed: u8| SigningKey::new("example.org/w", &[seed; 32]).unwrap();
    let text = "a text\n";
    let lines = vec![
        key(1).cosign(text, 300),
        key(2).cosign(text, 7),
        key(1).cosign(text, 70_000),
        key(1).cosign(text, 5),
    ];
    let kept = latest(lines.clone());
    assert_eq!(kept.len(), 2);
    assert!(kept.contains(&lines[1]) && kept.contains(&lines[2]));
    assert!(latest(Vec::new()).is_empty());
}
