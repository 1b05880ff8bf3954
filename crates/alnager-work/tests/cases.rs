//! Every case of every shipped pack comes out as a lawyer wrote it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use alnager_law::cases;
use alnager_work::library;

#[test]
fn every_shipped_case_comes_out_right() {
    let library = library::shipped().expect("the shipped packs bind");
    let (mut n_compared, mut differences) = (0, Vec::new());
    for (file, text) in library::shipped_cases() {
        for case in cases::parse(file, text, &library.book.vocabulary).expect("the cases read") {
            let shown = cases::run(&library.book, &case);
            n_compared += shown.n_compared;
            differences.extend(shown.differences);
            println!(
                "{file} {}: {} compared, skipped {:?}",
                case.id, shown.n_compared, shown.skipped
            );
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
    assert!(
        n_compared > 150,
        "only {n_compared} statements were compared"
    );
}

#[test]
fn every_exception_of_a_pack_is_guarded_against_the_team_that_claims_it() {
    use alnager_law::fact::Facts;
    use alnager_law::rule::Rule;
    let library = library::shipped().expect("the shipped packs bind");
    // An open world without answers: every bool fact that an `unless` names must be guarded in the answer that frees.
    let _ = Facts::new();
    for pack in library.book.packs() {
        let exceptions = pack
            .derives
            .iter()
            .flat_map(|derive| &derive.unless)
            .chain(pack.requirements.iter().flat_map(|text| &text.unless));
        for exception in exceptions {
            let rule = library.book.bind_condition(exception).expect("it binds");
            let Rule::Atom(atom) = rule else { continue };
            let kind = &library.book.vocabulary.kinds()[atom.fact];
            assert!(
                kind.guarded.contains(&"true".to_owned())
                    || kind.guarded.contains(&"false".to_owned()),
                "{}: `{}` is an exception and not guarded",
                pack.id,
                kind.name
            );
        }
    }
}
