//! Frameworks, readings, and requirements held against a changed text.

use super::*;
use crate::counsel::{NewText, Opinion, StaleProvision};

/// A binding pack with an unconfirmed core and a side note, and a voluntary one that asks whether it is adopted.
const DOUBTED: &str = "
schema = 'alnager.pack/1'
id = 'd'
version = '1'
title = 'D'
short = 'D'
jurisdiction = 'D'
kind = 'statute'
binding = true
citation = 'D'
confidence = 'A'
status = { state = 'in_force', as_of = 2026-01-01, known_as_of = 2026-01-01 }
[[applies.now]]
from = 2020-01-01
known = 2019-01-01
cite = 'c'
[[requirement]]
id = 'D-core'
what = 'w'
how = 'h'
cite = 'Art 1'
when = 'decides'
applies = ['now']
phase = 'before_use'
evidence = ['dpia']
role = 'privacy'
unconfirmed = 'whether it binds deployers'
[[requirement]]
id = 'D-side'
what = 'w'
how = 'h'
cite = 'Art 2'
when = 'decides'
applies = ['now']
phase = 'before_use'
evidence = ['dpia']
role = 'privacy'
unconfirmed_detail = 'the hour'
";
const FRAME: &str = "
schema = 'alnager.pack/1'
id = 'frame'
version = '1'
title = 'F'
short = 'F'
jurisdiction = 'F'
kind = 'framework'
binding = false
citation = 'F'
confidence = 'A'
status = { state = 'published', as_of = 2026-01-01, known_as_of = 2026-01-01 }
[[applies.now]]
from = 2020-01-01
known = 2019-01-01
cite = 'c'
[[requirement]]
id = 'F-asks'
what = 'w'
how = 'h'
cite = '1'
when = 'adopted && decides'
applies = ['now']
phase = 'before_use'
evidence = ['dpia']
role = 'privacy'
[[requirement]]
id = 'F-plain'
what = 'w'
how = 'h'
cite = '2'
when = 'decides'
applies = ['now']
phase = 'before_use'
evidence = ['dpia']
role = 'privacy'
";

fn world(blocking: &str) -> World {
    let facts = format!(
        "{FACTS}[fact.adopted]\ntype = 'bool'\nquestion = 'Adopted?'\nserves = ['frame']\nadopts = 'frame'\n"
    );
    let packs = [DOUBTED, FRAME].map(|text| Pack::parse("p", text).unwrap());
    let book = Book::new(
        Vocabulary::parse("f", &facts).unwrap(),
        Register::parse("e", EVIDENCE, "kind").unwrap(),
        Register::default(),
        packs.to_vec(),
    )
    .unwrap();
    let policy = POLICY.replace("min_group", &format!("blocking = [{blocking}]\nmin_group"));
    World {
        book,
        policy: Policy::parse("q", &policy).unwrap(),
        ..World::new()
    }
}

/// Evidence that meets every requirement of the two packs.
fn all() -> String {
    ["D-core", "D-side", "F-asks", "F-plain"]
        .map(|id| evidence("dpia", id, "2027-01-01"))
        .concat()
}

impl World {
    fn judged(&mut self) -> String {
        self.review("decides=true", &all(), "2026-11-23")
    }

    fn accept_all(&mut self) {
        for id in ["E1", "E2", "E3", "E4"] {
            self.rule("Vera", id, true).unwrap();
        }
    }

    fn adopt(&mut self, is_adopted: bool, reason: &str) -> Result<Vec<Decided>, Refused> {
        self.act(
            "Vera",
            &Command::AdoptFramework {
                pack: "frame".to_owned(),
                is_adopted,
                reason: reason.to_owned(),
            },
        )
    }

    fn read(
        &mut self,
        actor: &str,
        requirement: &str,
        opinion: Opinion,
    ) -> Result<Vec<Decided>, Refused> {
        self.act(
            actor,
            &Command::RecordReading {
                requirement: requirement.to_owned(),
                opinion,
                text: "we read it so".to_owned(),
            },
        )
    }
}

#[test]
fn a_doubted_core_waits_for_counsel_and_a_side_note_does_not() {
    let mut world = world("");
    world.judged();
    world.accept_all();
    check(
        &world.judged(),
        expect!["undecided: D-core unknown, D-side met, F-asks not applicable, F-plain noted"],
    );
    world.read("Vera", "D-core", Opinion::Adopted).unwrap();
    check(
        &world.judged(),
        expect!["clear: D-core met, D-side met, F-asks not applicable, F-plain noted"],
    );
    world.read("Vera", "D-core", Opinion::Rejected).unwrap();
    check(
        &world.judged(),
        expect!["clear: D-core not applicable, D-side met, F-asks not applicable, F-plain noted"],
    );
}

#[test]
fn who_builds_a_system_sets_nothing_aside() {
    let mut world = world("");
    world.judged();
    for (actor, opinion, allowed) in [
        ("Tom", Opinion::Rejected, false),
        (" tom ", Opinion::Rejected, false),
        ("Tom", Opinion::Adopted, false),
        ("Vera", Opinion::Rejected, true),
    ] {
        let found = world.read(actor, "D-core", opinion);
        assert_eq!(found.is_ok(), allowed, "{actor} {opinion:?}");
    }
    assert!(matches!(
        world.read("Vera", "D-9", Opinion::Adopted),
        Err(Refused::NoRequirement { .. })
    ));
}

#[test]
fn counsel_is_asked_again_when_the_doubt_is_another_one() {
    let mut world = world("");
    world.judged();
    world.accept_all();
    world.read("Vera", "D-core", Opinion::Adopted).unwrap();
    let other = DOUBTED.replace("whether it binds deployers", "whether it binds at all");
    let packs = [other.as_str(), FRAME].map(|text| Pack::parse("p", text).unwrap());
    world.book = Book::new(
        world.book.vocabulary.clone(),
        world.book.evidence.clone(),
        Register::default(),
        packs.to_vec(),
    )
    .unwrap();
    check(
        &world.judged(),
        expect!["undecided: D-core unknown, D-side met, F-asks not applicable, F-plain noted"],
    );
}

#[test]
fn a_framework_is_asked_for_once_adopted_and_blocks_only_by_policy() {
    let mut blocking = world("'frame'");
    let mut free = world("");
    for world in [&mut blocking, &mut free] {
        world.judged();
        world.read("Vera", "D-core", Opinion::Rejected).unwrap();
        world.rule("Vera", "E2", true).unwrap();
        assert!(matches!(
            world.adopt(false, "r"),
            Err(Refused::AlreadyDecided { .. })
        ));
        assert!(matches!(
            world.adopt(true, " "),
            Err(Refused::NoReason { .. })
        ));
        world.adopt(true, "the board wants it").unwrap();
    }
    check(
        &free.judged(),
        expect!["clear: D-core not applicable, D-side met, F-asks unknown, F-plain unknown"],
    );
    check(
        &blocking.judged(),
        expect!["undecided: D-core not applicable, D-side met, F-asks unknown, F-plain unknown"],
    );
    blocking.adopt(false, "no longer").unwrap();
    check(
        &blocking.judged(),
        expect!["clear: D-core not applicable, D-side met, F-asks not applicable, F-plain noted"],
    );
    let binding = Command::AdoptFramework {
        pack: "d".to_owned(),
        is_adopted: true,
        reason: "r".to_owned(),
    };
    assert!(matches!(
        free.act("Vera", &binding),
        Err(Refused::Binding { .. })
    ));
}

#[test]
fn a_changed_text_makes_a_requirement_stale_until_someone_confirms_it() {
    let mut world = world("");
    world.judged();
    world.accept_all();
    world.read("Vera", "D-core", Opinion::Adopted).unwrap();
    let import = |is: &str| {
        let stale = StaleProvision {
            requirement: "D-side".to_owned(),
            provision: "art_2".to_owned(),
            was: "aa".to_owned(),
            is: Some(is.to_owned()),
        };
        Command::ImportText(Box::new(NewText {
            work: "eli/d".to_owned(),
            file: "d.xml".to_owned(),
            valid_from: None,
            sha256: is.to_owned(),
            n_provisions: 2,
            stale: vec![stale],
            tree: Blob {
                name: "provisions.json".to_owned(),
                media: "application/json".to_owned(),
                bytes: Arc::default(),
            },
        }))
    };
    let confirm = Command::ConfirmWording {
        requirement: "D-side".to_owned(),
        reason: "the same duty in other words".to_owned(),
    };
    assert!(matches!(
        world.act("Vera", &confirm),
        Err(Refused::AlreadyDecided { .. })
    ));
    let stale = "undecided: D-core met, D-side unknown, F-asks not applicable, F-plain noted";
    let settled = "clear: D-core met, D-side met, F-asks not applicable, F-plain noted";
    world.act("Vera", &import("bb")).unwrap();
    assert_eq!(world.judged(), stale);
    assert!(world.act("Vera", &import("bb")).unwrap().is_empty());
    world.act("Vera", &confirm).unwrap();
    assert_eq!(world.judged(), settled);
    world.act("Vera", &import("cc")).unwrap();
    assert_eq!(world.judged(), stale);
}

#[test]
fn who_joins_the_team_later_has_read_nothing() {
    let mut world = world("");
    // Tom reads before any system names him.
    world.read("Tom", "D-core", Opinion::Rejected).unwrap();
    check(
        &world.judged(),
        expect!["undecided: D-core unknown, D-side unknown, F-asks not applicable, F-plain noted"],
    );
}

#[test]
fn counsel_is_asked_again_when_the_words_are_other_ones() {
    let mut world = world("");
    world.judged();
    world.accept_all();
    world.read("Vera", "D-side", Opinion::Rejected).unwrap();
    world.read("Vera", "D-core", Opinion::Adopted).unwrap();
    check(
        &world.judged(),
        expect!["clear: D-core met, D-side not applicable, F-asks not applicable, F-plain noted"],
    );
    let other = DOUBTED.replace("cite = 'Art 2'", "cite = 'Art 2(1)'");
    let packs = [other.as_str(), FRAME].map(|text| Pack::parse("p", text).unwrap());
    world.book = Book::new(
        world.book.vocabulary.clone(),
        world.book.evidence.clone(),
        Register::default(),
        packs.to_vec(),
    )
    .unwrap();
    check(
        &world.judged(),
        expect!["clear: D-core met, D-side met, F-asks not applicable, F-plain noted"],
    );
}

#[test]
fn a_day_that_is_not_confirmed_leaves_the_gate_undecided() {
    for row in ["from = 2030-01-01", "from = 2020-01-01\nto = 2021-01-01"] {
        let mut world = world("");
        let dated = DOUBTED
            .replace("unconfirmed = 'whether it binds deployers'", "")
            .replace(
                "from = 2020-01-01",
                &format!("{row}\nunconfirmed = 'the day'"),
            );
        let packs = [dated.as_str(), FRAME].map(|text| Pack::parse("p", text).unwrap());
        world.book = Book::new(
            world.book.vocabulary.clone(),
            world.book.evidence.clone(),
            Register::default(),
            packs.to_vec(),
        )
        .unwrap();
        let found = world.judged();
        assert!(
            found.starts_with("undecided: D-core unknown, D-side unknown"),
            "{row}: {found}"
        );
    }
}

/// An import of a text of `eli/d` that governs from a day, with these stale provisions of D-side.
fn import(from: &str, provisions: &[(&str, &str)]) -> Command {
    let stale = provisions.iter().map(|(provision, is)| StaleProvision {
        requirement: "D-side".to_owned(),
        provision: (*provision).to_owned(),
        was: "aa".to_owned(),
        is: Some((*is).to_owned()),
    });
    Command::ImportText(Box::new(NewText {
        work: "eli/d".to_owned(),
        file: "d.xml".to_owned(),
        valid_from: Some(from.parse().unwrap()),
        sha256: format!("{from}{provisions:?}"),
        n_provisions: 2,
        stale: stale.collect(),
        tree: Blob {
            name: "provisions.json".to_owned(),
            media: "application/json".to_owned(),
            bytes: Arc::default(),
        },
    }))
}

#[test]
fn a_second_confirmation_keeps_what_the_first_settled() {
    let mut world = world("");
    world.judged();
    let confirm = Command::ConfirmWording {
        requirement: "D-side".to_owned(),
        reason: "the same duty".to_owned(),
    };
    world
        .act("Vera", &import("2026-01-01", &[("art_1", "b1")]))
        .unwrap();
    world.act("Vera", &confirm).unwrap();
    let both = [("art_1", "b1"), ("art_2", "b2")];
    world.act("Vera", &import("2026-02-01", &both)).unwrap();
    assert_eq!(world.state.counsel.stale("D-side").len(), 1);
    assert!(matches!(
        world.act("Tom", &confirm),
        Err(Refused::BuilderDecides { .. })
    ));
    world.act("Vera", &confirm).unwrap();
    assert!(world.state.counsel.stale("D-side").is_empty());
}

#[test]
fn an_older_text_does_not_turn_the_clock_back() {
    let mut world = world("");
    world.judged();
    world
        .act("Vera", &import("2026-02-01", &[("art_1", "b1")]))
        .unwrap();
    assert!(matches!(
        world.act("Vera", &import("2026-01-01", &[])),
        Err(Refused::OlderText { .. })
    ));
}
