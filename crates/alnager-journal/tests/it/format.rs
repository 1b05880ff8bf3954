//! The bytes of a dossier: one form, bounded, and final.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use alnager_journal::canonical;
use alnager_journal::dossier::{DossierError, Limits, read, write};
use alnager_journal::merkle::Hash;
use alnager_journal::verify::{Trust, verify};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::json;
use zstd::zstd_safe::CParameter;

use crate::sample::{Journal, dossier, journal};

/// The archive inside a dossier.
pub(crate) fn unpacked(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::decompress(bytes, 1 << 24).unwrap()
}

/// An archive as a dossier's frame.
pub(crate) fn packed(archive: &[u8]) -> Vec<u8> {
    let mut compressor = zstd::bulk::Compressor::new(3).unwrap();
    compressor
        .set_parameter(CParameter::ChecksumFlag(true))
        .unwrap();
    compressor.set_parameter(CParameter::WindowLog(25)).unwrap();
    compressor.compress(archive).unwrap()
}

#[test]
fn reading_what_was_written_gives_the_same_bytes() {
    for dossier in [
        dossier(),
        journal().dossier('T').unwrap(),
        Journal::of(&["system.declared S"]).dossier('S').unwrap(),
    ] {
        let bytes = write(&dossier).unwrap();
        let read = read(&bytes, Limits::default()).unwrap();
        assert_eq!(read, dossier);
        assert_eq!(write(&read).unwrap(), bytes);
        verify(&read, &Trust::Unstated).unwrap();
    }
}

#[test]
fn the_bytes_are_final() {
    // The archive and its first header are printed in docs/formats/dossier.md; a change here would make every dossier
    // ever written unreadable.
    let archive = unpacked(&write(&dossier()).unwrap());
    let mut names = Vec::new();
    let mut at = 0;
    while archive[at] != 0 {
        let text = |from: usize, to: usize| {
            std::str::from_utf8(&archive[at + from..at + to])
                .unwrap()
                .trim_end_matches('\0')
        };
        let len = usize::from_str_radix(text(124, 136), 8).unwrap();
        names.push(format!("{} {len}", text(0, 100)));
        at += 512 + len.div_ceil(512) * 512;
    }
    assert_eq!(archive.len(), at + 1_024);
    expect![[r#"
        blobs/9/report.html 36
        checkpoint 186
        entries/0.json 415
        entries/1.json 420
        entries/10.json 412
        entries/11.json 413
        entries/3.json 423
        entries/4.json 412
        entries/5.json 413
        entries/6.json 474
        entries/8.json 419
        entries/9.json 669
        manifest.json 4767
        payloads/1.bin 34
        payloads/10.bin 30
        payloads/11.bin 31
        payloads/3.bin 37
        payloads/4.bin 29
        payloads/6.bin 37
        payloads/8.bin 35
        payloads/9.bin 30
        proofs/0.tlog-proof 398
        proofs/1.tlog-proof 398
        proofs/10.tlog-proof 354
        proofs/11.tlog-proof 354
        proofs/3.tlog-proof 398
        proofs/4.tlog-proof 398
        proofs/5.tlog-proof 398
        proofs/6.tlog-proof 398
        proofs/8.tlog-proof 353
        proofs/9.tlog-proof 353
        salts/1.txt 65
        salts/10.txt 65
        salts/11.txt 65
        salts/3.txt 65
        salts/4.txt 65
        salts/6.txt 65
        salts/8.txt 65
        salts/9.txt 65
        salts/9/report.html 65"#]]
    .assert_eq(&names.join("\n"));
    expect!["blobs/9/report.html.................................................................................0000644.0000000.0000000.00000000044.00000000000.0011415.0....................................................................................................ustar.00......................................................................................................................................................................................................................................................."].assert_eq(&archive[..512].escape_ascii().to_string().replace(r"\x00", "."));
    expect!["25e5aef4191b10e5010f3671df4a6215cfb078849aacf147fddbc76504275296"]
        .assert_eq(&Hash::of(&archive).to_string());

    let page = include_str!("../../../../docs/formats/dossier.md");
    assert!(page.contains(&Hash::of(&archive).to_string()));
}

#[test]
fn the_example_on_the_page_is_a_dossier() {
    // The smallest dossier, every member in full, as docs/formats/dossier.md prints it.
    let archive =
        unpacked(&write(&Journal::of(&["system.declared S"]).dossier('S').unwrap()).unwrap());
    let page = include_str!("../../../../docs/formats/dossier.md");
    assert!(
        page.contains(&Hash::of(&archive).to_string()),
        "sha256 {}",
        Hash::of(&archive)
    );
    let mut at = 0;
    while archive[at] != 0 {
        let len = usize::from_str_radix(
            std::str::from_utf8(&archive[at + 124..at + 135]).unwrap(),
            8,
        )
        .unwrap();
        let name = std::str::from_utf8(&archive[at..at + 100])
            .unwrap()
            .trim_end_matches('\0');
        let content = std::str::from_utf8(&archive[at + 512..at + 512 + len]).unwrap();
        assert!(page.contains(content.trim_end()), "{name}:\n{content}");
        at += 512 + len.div_ceil(512) * 512;
    }
}

#[test]
fn a_reader_sets_bounds() {
    let bytes = write(&dossier()).unwrap();
    let len = unpacked(&bytes).len() as u64;
    assert!(
        read(
            &bytes,
            Limits {
                len_max: len,
                ratio_max: 1
            }
        )
        .is_ok()
    );
    let short = read(
        &bytes,
        Limits {
            len_max: len - 1,
            ratio_max: 1_000,
        },
    );
    assert!(matches!(short, Err(DossierError::TooLong { .. })));

    let zeros = packed(&vec![0; 17 << 20]);
    assert!(matches!(
        read(&zeros, Limits::default()),
        Err(DossierError::Ratio { .. })
    ));
}

#[test]
fn the_frame_is_one_and_of_one_kind() {
    let bytes = write(&dossier()).unwrap();
    let archive = unpacked(&bytes);
    let refused = |bytes: &[u8]| read(bytes, Limits::default()).unwrap_err().to_string();
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7];

    expect!["the file is no dossier: bytes follow its zstd frame"]
        .assert_eq(&refused(&[bytes.as_slice(), b"x"].concat()));
    expect!["the file is no dossier: bytes follow its zstd frame"]
        .assert_eq(&refused(&[bytes.as_slice(), &bytes].concat()));
    expect!["the file is no dossier: bytes follow its zstd frame"]
        .assert_eq(&refused(&[bytes.as_slice(), &skippable].concat()));
    expect!["the file is no dossier: it does not start as a zstd frame"]
        .assert_eq(&refused(&[&skippable, bytes.as_slice()].concat()));
    expect!["the file is damaged: its compressed content cannot be read"]
        .assert_eq(&refused(&bytes[..bytes.len() - 1]));
    expect!["the file is no dossier: it does not start as a zstd frame"]
        .assert_eq(&refused(&archive));
    expect!["the file is no dossier: it does not start as a zstd frame"].assert_eq(&refused(b""));
    // No checksum; and a streamed frame, which states no content size.
    expect!["the file is no dossier: its zstd frame is not a single segment with checksum and without dictionary"].assert_eq(&refused(&zstd::bulk::compress(&archive, 3).unwrap()));
    expect!["the file is no dossier: its zstd frame is not a single segment with checksum and without dictionary"].assert_eq(&refused(&zstd::stream::encode_all(archive.as_slice(), 3).unwrap()));
    // Another frame around the same archive is the same dossier.
    assert_eq!(
        read(&packed(&archive), Limits::default()).unwrap(),
        dossier()
    );
}

#[test]
fn the_archive_has_one_form() {
    let archive = unpacked(&write(&dossier()).unwrap());
    let refused = |archive: &[u8]| {
        read(&packed(archive), Limits::default())
            .unwrap_err()
            .to_string()
    };

    expect!["the dossier's archive differs from its canonical form at byte `47104`"]
        .assert_eq(&refused(&[archive.as_slice(), &[0; 512]].concat()));
    expect!["the dossier's archive differs from its canonical form at byte `46592`"]
        .assert_eq(&refused(&archive[..archive.len() - 512]));
    expect!["the dossier's archive differs from its canonical form at byte `46080`"]
        .assert_eq(&refused(&archive[..archive.len() - 1_024]));
    // The first member twice.
    let first_len = 512
        + usize::from_str_radix(std::str::from_utf8(&archive[124..135]).unwrap(), 8)
            .unwrap()
            .div_ceil(512)
            * 512;
    expect!["the dossier's archive differs from its canonical form at byte `1024`"]
        .assert_eq(&refused(&[&archive[..first_len], &archive].concat()));
    // The first member last.
    let end = archive.len() - 1_024;
    let moved = [
        &archive[first_len..end],
        &archive[..first_len],
        &archive[end..],
    ]
    .concat();
    expect!["the dossier's archive differs from its canonical form at byte `0`"]
        .assert_eq(&refused(&moved));
    // A member that the manifest does not know, and a link.
    expect!["`manifest.json` does not describe the other members; the dossier was altered, first at byte `4546` of it"].assert_eq(&refused(&with_member("zzz\u{1b}[2J", tar::EntryType::Regular)));
    expect!["the dossier has a member `zzz` that belongs to nothing in it"]
        .assert_eq(&refused(&with_member("zzz", tar::EntryType::Symlink)));
}

/// The sample's archive with one more member in its place.
fn with_member(name: &str, kind: tar::EntryType) -> Vec<u8> {
    let archive = unpacked(&write(&dossier()).unwrap());
    let mut header = tar::Header::new_ustar();
    header.set_path(name).unwrap();
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    header.set_entry_type(kind);
    header.set_cksum();
    let mut at = 0;
    while archive[at] != 0
        && archive[at..at + 100].split(|b| *b == 0).next().unwrap() < name.as_bytes()
    {
        let len = usize::from_str_radix(
            std::str::from_utf8(&archive[at + 124..at + 135]).unwrap(),
            8,
        )
        .unwrap();
        at += 512 + len.div_ceil(512) * 512;
    }
    [&archive[..at], header.as_bytes(), &archive[at..]].concat()
}

/// Changes members of the sample, writes a manifest to match, and shows why the result is refused.
#[track_caller]
fn check_members(change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>), want: Expect) {
    let archive = unpacked(&write(&dossier()).unwrap());
    let mut members = BTreeMap::new();
    for member in tar::Archive::new(archive.as_slice()).entries().unwrap() {
        let mut member = member.unwrap();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        members.insert(member.path().unwrap().to_str().unwrap().to_owned(), bytes);
    }
    change(&mut members);
    if let Some(manifest) = members.remove("manifest.json") {
        let mut manifest = canonical::parse(&manifest).unwrap();
        let index = |name: &String| {
            name.strip_prefix("entries/")?
                .strip_suffix(".json")?
                .parse::<u64>()
                .ok()
        };
        manifest["entries"] = members
            .keys()
            .filter_map(index)
            .collect::<BTreeSet<u64>>()
            .into_iter()
            .collect();
        let describe = |(name, bytes): (&String, &Vec<u8>)| json!({"name": name, "sha256": Hash::of(bytes), "len": bytes.len()});
        manifest["members"] = members.iter().map(describe).collect();
        members.insert(
            "manifest.json".to_owned(),
            canonical::to_bytes(&manifest).unwrap(),
        );
    }
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in &members {
        let mut header = tar::Header::new_ustar();
        header.set_path(name).unwrap();
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(bytes.len() as u64);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        builder.append(&header, bytes.as_slice()).unwrap();
    }
    want.assert_eq(
        &match read(&packed(&builder.into_inner().unwrap()), Limits::default()) {
            Ok(_) => "read".to_owned(),
            Err(error) => error.to_string(),
        },
    );
}

/// Replaces text in one member.
fn replace(members: &mut BTreeMap<String, Vec<u8>>, name: &str, from: &str, to: &str) {
    let text = String::from_utf8(members[name].clone()).unwrap();
    assert!(text.contains(from));
    members.insert(name.to_owned(), text.replacen(from, to, 1).into_bytes());
}

#[test]
fn members_fit_together_whatever_the_manifest_says() {
    check_members(|_| (), expect!["read"]);
    let add = |name: &'static str| {
        move |members: &mut BTreeMap<_, _>| drop(members.insert(name.to_owned(), b"x".to_vec()))
    };
    check_members(
        add("zzz\u{1b}[2J"),
        expect![[r#"the dossier has a member `zzz\u{1b}[2J` that belongs to nothing in it"#]],
    );
    check_members(
        add("salts/5.txt"),
        expect!["the dossier has a member `salts/5.txt` that belongs to nothing in it"],
    );
    check_members(
        add("payloads/5.bin"),
        expect!["the dossier has no member `salts/5.txt`"],
    );
    check_members(
        add("payloads/7.bin"),
        expect!["the dossier has a member `payloads/7.bin` that belongs to nothing in it"],
    );
    check_members(
        add("blobs/6/report.html"),
        expect!["the dossier has a member `blobs/6/report.html` that belongs to nothing in it"],
    );
    check_members(
        add("entries/07.json"),
        expect![
            "`manifest.json` does not describe the other members; the dossier was altered, first at byte `24` of it"
        ],
    );
    check_members(
        add("entries/7.json"),
        expect!["member `entries/7.json` is refused"],
    );
    let remove =
        |name: &'static str| move |members: &mut BTreeMap<_, _>| drop(members.remove(name));
    check_members(
        remove("manifest.json"),
        expect!["the dossier has no member `manifest.json`"],
    );
    check_members(
        remove("checkpoint"),
        expect!["the dossier has no member `checkpoint`"],
    );
    check_members(
        remove("proofs/6.tlog-proof"),
        expect!["the dossier has no member `proofs/6.tlog-proof`"],
    );
    check_members(
        remove("entries/6.json"),
        expect!["the dossier has a member `payloads/6.bin` that belongs to nothing in it"],
    );
    check_members(
        remove("salts/6.txt"),
        expect!["the dossier has no member `salts/6.txt`"],
    );
    check_members(
        |members| replace(members, "salts/6.txt", "\n", ""),
        expect!["member `salts/6.txt` is no salt: 64 lower-case hexadecimal digits and a newline"],
    );
    check_members(
        |members| replace(members, "entries/6.json", ":", ": "),
        expect!["member `entries/6.json` is refused"],
    );
    check_members(
        |members| replace(members, "checkpoint", "12", "012"),
        expect!["member `checkpoint` is refused"],
    );
    check_members(
        |members| replace(members, "proofs/6.tlog-proof", "@v1", "@v2"),
        expect!["member `proofs/6.tlog-proof` is refused"],
    );
    check_members(
        |members| replace(members, "proofs/6.tlog-proof", "index 6", "index 8"),
        expect![
            "member `proofs/6.tlog-proof` is not the proof of entry `6` under the dossier's checkpoint"
        ],
    );
    check_members(
        |members| {
            replace(
                members,
                "proofs/6.tlog-proof",
                "index 6",
                "extra AAAA\nindex 6",
            )
        },
        expect![
            "member `proofs/6.tlog-proof` is not the proof of entry `6` under the dossier's checkpoint"
        ],
    );
    check_members(
        |members| replace(members, "proofs/6.tlog-proof", "\n12\n", "\n13\n"),
        expect![
            "member `proofs/6.tlog-proof` is not the proof of entry `6` under the dossier's checkpoint"
        ],
    );
    check_members(
        |members| replace(members, "manifest.json", "dossier/1", "dossier/2"),
        expect![
            "`manifest.json` does not describe the other members; the dossier was altered, first at byte `61` of it"
        ],
    );
    check_members(
        |members| replace(members, "manifest.json", "+07cc7817+", "+07cc7818+"),
        expect!["the log's key in `manifest.json` is refused"],
    );
    check_members(
        |members| replace(members, "manifest.json", "\"size\":12", "\"size\":13"),
        expect![
            "`manifest.json` does not describe the other members; the dossier was altered, first at byte `4587` of it"
        ],
    );
    check_members(
        |members| {
            replace(
                members,
                "manifest.json",
                "\"size\":12",
                "\"size\":12,\"so\":1",
            )
        },
        expect!["member `manifest.json` has other fields than a manifest, or of other types"],
    );
}

#[test]
fn a_writer_refuses_what_a_reader_would() {
    let mut stray = dossier();
    let blob = stray.entries[&9].blobs["report.html"].clone();
    stray
        .entries
        .get_mut(&9)
        .unwrap()
        .blobs
        .insert("../report.html".to_owned(), blob);
    assert!(matches!(
        write(&stray),
        Err(DossierError::StrayBlob { index: 9 })
    ));

    let mut malformed = dossier();
    malformed.entries.get_mut(&9).unwrap().entry.v = 2;
    assert!(matches!(
        write(&malformed),
        Err(DossierError::Entry { index: 9, .. })
    ));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(read(&bytes, Limits::default()).is_err());
        prop_assert!(read(&[&[0x28, 0xb5, 0x2f, 0xfd, 0x24], bytes.as_slice()].concat(), Limits::default()).is_err());
        prop_assert!(read(&packed(&bytes), Limits::default()).is_err());
    }
}
