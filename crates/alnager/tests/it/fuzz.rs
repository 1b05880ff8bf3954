//! Every input that a fuzzer or a test vector has left in `fuzz/corpus` is read again.

use std::path::Path;

use crate::examples;

#[path = "../../../../fuzz/parsers.rs"]
mod parsers;

/// Whether a parser takes these bytes.
type Accepts = fn(&[u8]) -> bool;

#[test]
fn no_input_of_the_corpus_makes_a_parser_panic() {
    for (name, parse) in parsers::ALL {
        let folder = examples().join("../fuzz/corpus").join(name);
        let inputs = inputs(&folder);
        assert!(inputs.len() >= 10, "{name} has {} inputs", inputs.len());
        for input in inputs {
            let bytes = std::fs::read(&input).unwrap();
            let read = std::panic::catch_unwind(|| parse(&bytes));
            assert!(read.is_ok(), "`{}` makes `{name}` panic", input.display());
        }
    }
}

/// Without an input that is read to its end, a corpus would exercise nothing but complaints.
#[test]
fn the_corpus_has_inputs_that_are_accepted() {
    use alnager_journal::{canonical, checkpoint, dossier, entry, note, policy, proof, segment};
    let accepts: [(&str, Accepts); 8] = [
        ("note", |bytes| note::Note::parse(bytes).is_ok()),
        ("checkpoint", |bytes| {
            checkpoint::SignedCheckpoint::parse(bytes).is_ok()
        }),
        ("proof", |bytes| proof::Proof::parse(bytes).is_ok()),
        ("row_proof", |bytes| {
            segment::RowProof::parse(bytes).is_ok_and(|proof| {
                proof
                    .verify(&alnager_journal::verify::Trust::Unstated)
                    .is_ok()
            })
        }),
        ("dossier", |bytes| {
            dossier::read(bytes, dossier::Limits::default()).is_ok()
        }),
        ("entry", |bytes| entry::Entry::parse(bytes).is_ok()),
        ("canonical", |bytes| canonical::parse(bytes).is_ok()),
        ("policy", |bytes| policy::Policy::parse(bytes).is_ok()),
    ];
    for (name, accepts) in accepts {
        let inputs = inputs(&examples().join("../fuzz/corpus").join(name));
        let accepted = inputs
            .iter()
            .any(|path| accepts(&std::fs::read(path).unwrap()));
        assert!(accepted, "no input of `{name}` is accepted");
    }
}

fn inputs(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
