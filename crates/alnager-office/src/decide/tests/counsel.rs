//! Frameworks, readings, and requirements held against a changed text.

use super::*;
use alnager_law::text::stamp;

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
    /// Puts other packs into use.
    fn put(&mut self, packs: [&str; 2]) {
        let packs = packs.map(|text| Pack::parse("p", text).unwrap());
        let (facts, evidence) = (self.book.vocabulary.clone(), self.book.evidence.clone());
        self.book = Book::new(facts, evidence, Register::default(), packs.to_vec()).unwrap();
    }

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
fn a_duty_ruled_out_by_what_is_not_confirmed_waits_for_counsel() {
    let scoped = |rest: &str| {
        let derive = format!("[[derive]]\nfact = 'high'\nrule = 'decides && adopted'\n{rest}\n");
        let (head, requirements) = DOUBTED.split_once("[[requirement]]").unwrap();
        let core = requirements.replacen("when = 'decides'", "when = 'high'", 1);
        format!("{head}{derive}[[requirement]]{core}")
    };
    for (rest, want) in [
        (
            "unconfirmed = 'the scope'",
            "undecided: D-core unknown, D-side met, F-asks not applicable, F-plain noted",
        ),
        (
            "",
            "clear: D-core not applicable, D-side met, F-asks not applicable, F-plain noted",
        ),
    ] {
        let mut world = world("");
        world.put([&scoped(rest), FRAME]);
        world.judged();
        world.accept_all();
        let found = world.judged();
        assert!(found.starts_with(want), "{found}");
        // Counsel settles it either way: by the pack's own words it does not concern the system.
        world.read("Vera", "D-core", Opinion::Adopted).unwrap();
        let found = world.judged();
        assert!(found.starts_with("clear: D-core not applicable"), "{found}");
    }
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
    let drop = Command::AdoptFramework {
        pack: "frame".to_owned(),
        is_adopted: false,
        reason: "it asks too much of us".to_owned(),
    };
    assert!(matches!(
        free.act("Tom", &drop),
        Err(Refused::BuilderDecides { .. })
    ));
}

#[test]
fn a_bill_is_not_adopted() {
    let mut world = world("");
    let bill = FRAME.replace("kind = 'framework'", "kind = 'bill'");
    world.put([DOUBTED, bill.as_str()]);
    assert!(matches!(
        world.adopt(true, "it will come"),
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
            language: "en".to_owned(),
            provisions: BTreeMap::new(),
            stale: vec![stale],
            replaces: None,
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
    for (from, to) in [
        ("cite = 'Art 2'", "cite = 'Art 2(1)'"),
        ("when = 'decides'", "when = 'decides || narrow'"),
        ("when = 'decides'", "when = 'decides'\nunless = ['bans']"),
        ("applies = ['now']", "applies = ['now', 'now']"),
    ] {
        let other = DOUBTED.replace(from, to);
        let mut world = World {
            book: world.book.clone(),
            policy: world.policy.clone(),
            state: world.state.clone(),
            stamp: world.stamp.clone(),
            n_ids: world.n_ids,
            hash: world.hash.clone(),
        };
        world.put([other.as_str(), FRAME]);
        let found = world.review("decides=true bans=false", &all(), "2026-11-23");
        assert!(found.contains("D-side met"), "{to}: {found}");
    }
}

#[test]
fn what_counsel_sets_aside_for_a_system_is_not_set_aside_by_who_builds_it() {
    let mut world = world("");
    // Tom reads before any system names him.
    world.read("Tom", "D-core", Opinion::Rejected).unwrap();
    world.read("Vera", "D-side", Opinion::Rejected).unwrap();
    world.judged();
    let set_aside = |world: &World| -> Vec<String> {
        let facts = world.state.systems["sys"].law_facts(&world.book, &world.state.counsel);
        let day = "2026-11-23".parse().unwrap();
        let when = AsOf {
            valid: day,
            known: day,
        };
        let all = alnager_law::requirement::requirements(&world.book, &facts, when);
        let aside = all
            .iter()
            .filter(|one| world.state.is_set_aside(&world.book, one, "sys"));
        aside.map(|one| one.text().id.clone()).collect()
    };
    assert_eq!(set_aside(&world), ["D-side"]);
    // Its text changed since: counsel is asked again.
    world
        .act("Vera", &import("2026-01-01", &[("art_1", "b1")]))
        .unwrap();
    assert!(set_aside(&world).is_empty());
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
        for facts in ["decides=true", ""] {
            let found = world.review(facts, "", "2026-11-23");
            assert!(
                found.starts_with("undecided: D-core unknown, D-side unknown"),
                "{row}, `{facts}`: {found}"
            );
        }
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
        language: "en".to_owned(),
        provisions: BTreeMap::new(),
        stale: stale.collect(),
        replaces: None,
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
    assert_eq!(world.stale("D-side").len(), 1);
    assert!(matches!(
        world.act("Tom", &confirm),
        Err(Refused::BuilderDecides { .. })
    ));
    world.act("Vera", &confirm).unwrap();
    assert!(world.stale("D-side").is_empty());
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

impl World {
    /// What is stale about a requirement: the ends of its provisions.
    fn stale(&self, requirement: &str) -> Vec<String> {
        let stale = self.state.counsel.stale(&self.book, requirement);
        stale.into_iter().map(|one| one.provision).collect()
    }

    /// Stamps D-side in the book: these provisions, each with the hash it was written against.
    fn stamp(&mut self, provisions: &[(&str, char)]) {
        let provisions: Vec<String> = provisions
            .iter()
            .map(|(id, hash)| format!("{{ id = 'eli/d/{id}', sha256 = '{}' }}", hex(*hash)))
            .collect();
        let text = format!(
            "schema = 'alnager.stamps/1'\npack = 'd'\n[[requirement]]\nid = 'D-side'\nprovisions = [{}]\n",
            provisions.join(", ")
        );
        let stamps = stamp::parse("provisions.toml", &text).unwrap();
        self.book = self.book.clone().with_stamps(vec![stamps]).unwrap();
    }
}

/// A hash of one digit.
fn hex(digit: char) -> String {
    digit.to_string().repeat(64)
}

/// An import of a text of `eli/d` with these provisions and the hashes they have now.
fn text(provisions: &[(&str, char)]) -> NewText {
    let provisions = provisions.iter();
    NewText {
        work: "eli/d".to_owned(),
        file: "d.xml".to_owned(),
        valid_from: None,
        sha256: format!("{provisions:?}"),
        n_provisions: 2,
        language: "en".to_owned(),
        provisions: provisions
            .map(|(id, hash)| (format!("eli/d/{id}"), hex(*hash)))
            .collect(),
        stale: Vec::new(),
        replaces: None,
        tree: Blob {
            name: "provisions.json".to_owned(),
            media: "application/json".to_owned(),
            bytes: Arc::default(),
        },
    }
}

fn importing(text: NewText) -> Command {
    Command::ImportText(Box::new(text))
}

#[test]
fn a_text_is_held_against_the_stamps_in_use() {
    let mut world = world("");
    world.judged();
    world.accept_all();
    world.read("Vera", "D-core", Opinion::Adopted).unwrap();
    let settled = "clear: D-core met, D-side met, F-asks not applicable, F-plain noted";
    let is_stale = "undecided: D-core met, D-side unknown, F-asks not applicable, F-plain noted";
    // No pack was stamped when the text came in.
    world
        .act("Vera", &importing(text(&[("art_2", 'b')])))
        .unwrap();
    assert_eq!(world.judged(), settled);
    world.stamp(&[("art_2", 'a')]);
    assert_eq!(world.judged(), is_stale);
    let confirm = Command::ConfirmWording {
        requirement: "D-side".to_owned(),
        reason: "the same duty".to_owned(),
    };
    world.act("Vera", &confirm).unwrap();
    assert_eq!(world.judged(), settled);
    // The requirement is written anew against a third wording: nobody has confirmed that.
    world.stamp(&[("art_2", 'c')]);
    assert_eq!(world.judged(), is_stale);
    world.stamp(&[("art_2", 'b')]);
    assert_eq!(world.judged(), settled);
}

#[test]
fn a_text_held_before_comes_back_with_a_reason_from_outside_the_team_only() {
    let mut world = world("");
    world.judged();
    world.stamp(&[("art_2", 'a')]);
    let (first, second) = (text(&[("art_2", 'a')]), text(&[("art_2", 'b')]));
    world.act("Vera", &importing(first.clone())).unwrap();
    world.act("Vera", &importing(second)).unwrap();
    assert_eq!(world.stale("D-side"), ["eli/d/art_2"]);
    let back = importing(first.clone());
    let refused = world.act("Vera", &back);
    assert!(
        matches!(refused, Err(Refused::OlderText { .. })),
        "{refused:?}"
    );
    let replacing = |reason: &str| {
        importing(NewText {
            replaces: Some(reason.to_owned()),
            ..first.clone()
        })
    };
    let refused = world.act("Vera", &replacing(" "));
    assert!(
        matches!(refused, Err(Refused::NoReason { .. })),
        "{refused:?}"
    );
    let refused = world.act("Tom", &replacing("the second was a draft"));
    assert!(
        matches!(refused, Err(Refused::BuilderDecides { .. })),
        "{refused:?}"
    );
    world
        .act("Vera", &replacing("the second was a draft"))
        .unwrap();
    assert!(world.stale("D-side").is_empty());
}

#[test]
fn nobody_settles_staleness_by_another_text_of_the_law_they_build_under() {
    let mut world = world("");
    world.judged();
    world.stamp(&[("anx_II", 'a')]);
    let whole = text(&[("anx_II", 'b'), ("art_2", 'a')]);
    world.act("Tom", &importing(whole)).unwrap();
    assert_eq!(world.stale("D-side"), ["eli/d/anx_II"]);
    // The act without its annexes says nothing of the annex.
    let act = text(&[("art_2", 'a')]);
    let refused = world.act("Tom", &importing(act.clone()));
    assert!(
        matches!(refused, Err(Refused::BuilderDecides { .. })),
        "{refused:?}"
    );
    world.act("Vera", &importing(act)).unwrap();
    assert!(world.stale("D-side").is_empty());
}
