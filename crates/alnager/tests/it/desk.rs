//! The desk: whole, private, and without names in the clear.

use std::path::Path;

use crate::Place;

#[test]
fn a_desk_verifies_after_reviews_and_decisions() {
    let place = Place::with("credit");
    place.review(&[]);
    place.run(&[
        "evidence",
        "reject",
        "E1",
        "--reason",
        "outdated",
        "--as",
        "Vera Novak",
    ]);
    place.review(&[]);
    let ran = place.run(&["desk", "verify"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.starts_with("the desk is whole"), "{}", ran.out);
}

#[test]
fn a_name_is_in_no_file_of_the_desk() {
    let place = Place::with("credit");
    place.review(&["--as", "Olga Brandt"]);
    for name in ["Ruth Ansorge", "Clara Osei", "Tomas Beran", "Olga Brandt"] {
        assert!(
            !contains(&place.path(".alnager"), name.as_bytes()),
            "`{name}` lies in the desk in plain text"
        );
    }
    let dossier = place.path("reviews");
    for name in ["Ruth Ansorge", "Clara Osei", "Tomas Beran", "Olga Brandt"] {
        let found = archive_contains(&dossier, name);
        assert!(!found, "`{name}` lies in the dossier");
    }
}

fn contains(folder: &Path, word: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return contains(&path, word);
        }
        std::fs::read(path)
            .unwrap()
            .windows(word.len())
            .any(|window| window == word)
    })
}

fn archive_contains(folder: &Path, word: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return archive_contains(&path, word);
        }
        let is_dossier = path.extension().is_some_and(|extension| extension == "zst");
        is_dossier
            && zstd::decode_all(std::fs::read(path).unwrap().as_slice())
                .unwrap()
                .windows(word.len())
                .any(|window| window == word.as_bytes())
    })
}

#[test]
fn a_damaged_desk_is_said_to_be_so() {
    let place = Place::with("credit");
    place.review(&[]);
    let file = place.path(".alnager/journal.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let half = bytes.len() / 2;
    bytes.truncate(half);
    std::fs::write(&file, bytes).unwrap();
    let ran = place.run(&["desk", "verify"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.starts_with("the desk is NOT whole"), "{}", ran.out);
    std::fs::remove_file(place.path(".alnager/log.key")).unwrap();
    let ran = place.run(&["desk", "verify"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
}

#[test]
fn a_second_person_is_required() {
    let place = Place::with("credit");
    place.review(&[]);
    let own = place.run(&[
        "evidence",
        "accept",
        "E2",
        "--reason",
        "mine",
        "--as",
        "Clara Osei",
    ]);
    assert_eq!(own.code, 2);
    assert!(own.err.contains("someone else"), "{}", own.err);
    let blank = place.run(&[
        "evidence",
        "accept",
        "E2",
        "--reason",
        " ",
        "--as",
        "Vera Novak",
    ]);
    assert_eq!(blank.code, 2, "{}", blank.err);
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::with("credit");
    place.review(&[]);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.path(".alnager")), 0o700);
    assert_eq!(mode(&place.path(".alnager/log.key")), 0o600);
    assert_eq!(mode(&place.path(".alnager/kek")), 0o600);
}
