#![allow(clippy::unwrap_used)]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::*;

/// An invented act.
const ACT: &str = "<ACT><BIB.INSTANCE><NO.DOC><YEAR>2031</YEAR><NO.CURRENT>77</NO.CURRENT></NO.DOC><LG.DOC>EN</LG.DOC></BIB.INSTANCE>\
<TITLE><TI><P>Regulation (EU) 2031/77</P></TI></TITLE><ENACTING.TERMS><ARTICLE><TI.ART>Article 1</TI.ART><ALINEA>Kites fly.</ALINEA></ARTICLE></ENACTING.TERMS></ACT>";

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn written(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Why these bytes are refused.
#[track_caller]
fn refused(bytes: &[u8], want: &str) {
    let folder = TempDir::new().unwrap();
    let file = written(&folder, "text", bytes);
    let error = import(&[file]).unwrap_err();
    assert!(error.is_input(), "{error}");
    assert!(error.to_string().contains(want), "{error}");
}

#[test]
fn a_packed_text_is_the_text() {
    let folder = TempDir::new().unwrap();
    let plain = import(&[written(&folder, "a.xml", ACT.as_bytes())]).unwrap();
    let unpacked = import(&[written(&folder, "a.gz", &packed(ACT.as_bytes()))]).unwrap();
    assert_eq!(plain.json, unpacked.json);
    assert_eq!(plain.tree.provisions[1].text, "Kites fly.");
}

#[test]
fn a_written_tree_is_the_tree() {
    let folder = TempDir::new().unwrap();
    let imported = import(&[written(&folder, "a.xml", ACT.as_bytes())]).unwrap();
    let again = import(&[written(&folder, "a.json", &imported.json)]).unwrap();
    assert_eq!(again.tree, imported.tree);
    assert_eq!(again.json, imported.json);
}

#[test]
fn a_written_tree_with_another_word_is_refused() {
    let folder = TempDir::new().unwrap();
    let imported = import(&[written(&folder, "a.xml", ACT.as_bytes())]).unwrap();
    let text = String::from_utf8(imported.json).unwrap();
    refused(
        text.replace("Kites", "Boats").as_bytes(),
        "`eli/reg/2031/77/art_1` is not what its hash says",
    );
    refused(
        text.replace("alnager.provisions/1", "alnager.provisions/9")
            .as_bytes(),
        "no `alnager.provisions/1`",
    );
    refused(
        text.replace("\"kind\"", "\"sort\"").as_bytes(),
        "a field is missing",
    );
    refused(b"{", "not JSON");
}

#[test]
fn packed_files_are_bounded() {
    let whole = packed(ACT.as_bytes());
    refused(&whole[..whole.len() / 2], "damaged or cut off");
    refused(
        &packed(&vec![b' '; TEXT_BYTES_MAX + 1]),
        "longer than 64 MiB",
    );
}

#[test]
fn two_works_are_not_one_import() {
    let folder = TempDir::new().unwrap();
    let files = [
        written(&folder, "a.xml", ACT.as_bytes()),
        written(&folder, "b.xml", ACT.replace(">77<", ">78<").as_bytes()),
    ];
    let error = import(&files).unwrap_err().to_string();
    assert!(error.contains("belong to two works"), "{error}");
    assert_eq!(works(&files).unwrap().len(), 2);
}
