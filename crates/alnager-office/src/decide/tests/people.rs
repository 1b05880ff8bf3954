//! People: erased by someone else, once, unless held; and the state after it is that of a journal without their names.

use proptest::prelude::*;

use super::*;
use crate::people::{Basis, pseudonym};
use crate::task::{NewTask, Why};

impl World {
    fn tasks(&mut self, actor: &str, owners: &[&str]) -> Vec<Decided> {
        let tasks = owners.iter().map(|owner| NewTask {
            what: format!("w{}", self.state.tasks.len()),
            why: Why::Reason((*owner).to_owned()),
            system: None,
            requirement: None,
            owner: (*owner).to_owned(),
            due: "2026-12-01".parse().unwrap(),
        });
        let tasks = tasks.collect();
        self.act(actor, &Command::OpenTasks(tasks)).unwrap()
    }

    fn id(&self, name: &str) -> String {
        self.state.person(name).unwrap().to_owned()
    }

    /// Who erases whom; what was entered, or why not.
    fn erase(&mut self, actor: &str, person: &str) -> String {
        let command = Command::ErasePerson {
            person: person.to_owned(),
            basis: Basis::ConsentWithdrawn,
            reason: "letter of 20 November".to_owned(),
        };
        self.entered(actor, &command)
    }

    fn finish_erasure(&mut self, requested: u64) -> String {
        let command = Command::FinishErasure {
            requested,
            n_payloads: 1,
            n_blobs: 0,
        };
        self.entered("Olga", &command)
    }

    fn hold(&mut self, actor: &str, person: &str) -> String {
        let command = Command::PlaceHold {
            person: person.to_owned(),
            reason: "claim 7".to_owned(),
        };
        self.entered(actor, &command)
    }

    fn release(&mut self, actor: &str, person: &str) -> String {
        let command = Command::ReleaseHold {
            person: person.to_owned(),
            reason: "settled".to_owned(),
        };
        self.entered(actor, &command)
    }

    /// What a command enters: the index and kind of each entry and what it refers to; or why nothing.
    pub(super) fn entered(&mut self, actor: &str, command: &Command) -> String {
        let first = self.state.size;
        match self.act(actor, command) {
            Ok(decided) => {
                let words = decided.iter().enumerate().map(|(at, one)| {
                    let refs = match one.refs.is_empty() {
                        true => String::new(),
                        false => format!(" {:?}", one.refs),
                    };
                    format!("{} {}{refs}", first + at as u64, one.event.kind())
                });
                words.collect::<Vec<_>>().join(", ")
            }
            Err(refused) => refused.to_string(),
        }
    }
}

#[test]
fn a_person_is_erased_in_two_steps_each_entered_once() {
    let mut world = World::new();
    world.tasks("Rita", &["Tom"]);
    let tom = world.id("Tom");
    check(
        &world.erase("Olga", "tom"),
        expect!["3 person.named, 4 erasure.requested [1]"],
    );
    check(&world.erase("Olga", &tom), expect![""]);
    check(&world.finish_erasure(4), expect!["5 erasure.executed [1]"]);
    check(&world.finish_erasure(4), expect![""]);
    let refused = world.erase("Olga", &tom).replace(&tom, "TOM");
    check(
        &refused,
        expect!["`TOM` is erased under entry 5; there is nothing left to erase or to hold"],
    );
    check(
        &world.finish_erasure(3),
        expect!["entry 3 asks for no erasure; `alnager people list` shows what was asked for"],
    );
}

#[test]
fn an_erased_name_is_gone_and_words_stand_in_its_place() {
    let mut world = World::new();
    world.tasks("Rita", &["Tom"]);
    let tom = world.id("Tom");
    world.erase("Rita", "Tom");
    let words = |world: &World| world.state.name(&tom).replace(&pseudonym(&tom), "PERSON");
    check(&words(&world), expect!["PERSON (erased under entry 3)"]);
    let again = world.erase("Rita", "Tom").replace(&tom, "TOM");
    check(
        &again,
        expect![
            "the desk knows no person `Tom`; the erasure of `TOM` is not finished; name it by that id"
        ],
    );
    world.finish_erasure(3);
    check(&words(&world), expect!["PERSON (erased under entry 5)"]);
    check(
        &world.erase("Rita", "Tom"),
        expect!["the desk knows no person `Tom`; valid are `Rita`, `Olga`"],
    );
    // The same name again is another person.
    world.tasks("Rita", &["Tom"]);
    assert_ne!(world.id("Tom"), tom);
}

#[test]
fn a_legal_hold_blocks_erasure_until_it_is_released() {
    let mut world = World::new();
    world.tasks("Rita", &["Tom"]);
    check(
        &world.hold("Olga", "Tom"),
        expect!["3 person.named, 4 hold.placed"],
    );
    check(
        &world.erase("Rita", "Tom"),
        expect![[
            r#"`Tom` is under a legal hold, placed on 2026-11-23 by `Olga`: claim 7; release it first: `alnager hold release "Tom" --reason WHY`"#
        ]],
    );
    check(
        &world.hold("Rita", "Tom"),
        expect!["`Tom` is under a legal hold since 2026-11-23; there is nothing to decide"],
    );
    check(&world.release("Rita", "Tom"), expect!["5 hold.released"]);
    check(
        &world.release("Rita", "Tom"),
        expect!["`Tom` is under no legal hold; there is nothing to decide"],
    );
    check(
        &world.erase("Rita", "Tom"),
        expect!["6 erasure.requested [1]"],
    );
}

#[test]
fn nobody_erases_themselves() {
    let mut world = World::new();
    world.tasks("Rita", &["Tom"]);
    check(
        &world.erase("Tom", "tom"),
        expect![
            "nobody erases themselves, because the record says who did it; have someone else act (--as NAME)"
        ],
    );
}

#[test]
fn a_declaration_that_gives_the_id_of_an_erased_person_says_the_same_as_before() {
    let mut world = World::new();
    let given = evidence("dpia", "X-before", "2027-01-01");
    world.review(PLAIN, &given, "2026-11-23");
    let tom = world.id("Tom");
    world.erase("Rita", "Tom");
    let command = world.command("sys", PLAIN, &given, "2026-11-23");
    let Command::Review(mut review) = command else {
        panic!("no review")
    };
    let with_id = |name: &mut String| {
        if name == "Tom" {
            name.clone_from(&tom);
        }
    };
    review.declaration.people(&mut |name| with_id(name));
    for offered in &mut review.evidence {
        with_id(&mut offered.declared.submitted_by);
    }
    let entered = world.entered("Rita", &Command::Review(review));
    check(&entered, expect!["8 system.reviewed [1, 7]"]);
}

#[test]
fn an_erased_person_does_not_act() {
    let mut world = World::new();
    world.tasks("Rita", &["Tom"]);
    let tom = world.id("Tom");
    world.erase("Rita", "Tom");
    check(
        &world.hold(&tom, "Rita"),
        expect!["who acts is erased under entry 3; name someone else with --as NAME"],
    );
}

#[test]
fn a_decision_about_a_person_needs_its_reason() {
    let mut world = World::new();
    world.tasks("Rita", &["Tom"]);
    let command = Command::ErasePerson {
        person: "Tom".to_owned(),
        basis: Basis::Other,
        reason: " ".to_owned(),
    };
    check(
        &world.entered("Rita", &command),
        expect!["a decision needs its reason; give one with --reason"],
    );
}

#[test]
fn very_many_entries_of_one_person_are_shared_by_several_requests() {
    let mut world = World::new();
    world.tasks("Rita", &["Tom"]);
    let tom = world.id("Tom");
    for _ in 0..1_000 {
        let meta = Meta {
            index: world.state.size,
            subjects: vec![tom.clone()],
            actor: tom.clone(),
        };
        world.state.pass(&meta, "person.named");
    }
    let mut decided = |command: &Command| {
        let decided = world.act("Rita", command).unwrap();
        let refs: Vec<u64> = decided.iter().flat_map(|one| one.refs.clone()).collect();
        let sizes: Vec<usize> = decided.iter().map(|one| one.refs.len()).collect();
        (refs, sizes)
    };
    let requested = decided(&Command::ErasePerson {
        person: tom.clone(),
        basis: Basis::Objection,
        reason: "r".to_owned(),
    });
    let want: Vec<u64> = std::iter::once(1).chain(3..1_003).collect();
    assert_eq!(requested, (want, vec![500, 500, 1]));
    let executed = decided(&Command::FinishErasure {
        requested: 1_003,
        n_payloads: 1_001,
        n_blobs: 0,
    });
    assert_eq!(executed, requested);
    assert_eq!(world.state.erased[&tom].under(), 1_006);
}

#[test]
fn the_word_of_a_ground_is_what_payloads_hold() {
    for basis in Basis::ALL {
        assert_eq!(
            serde_json::to_value(basis).unwrap(),
            serde_json::Value::from(basis.word())
        );
    }
}

#[test]
fn the_payload_of_an_erasure_names_nobody() {
    let mut world = World::new();
    world.tasks("Rita", &["Tom Thumb"]);
    let command = Command::ErasePerson {
        person: "Tom Thumb".to_owned(),
        basis: Basis::Objection,
        reason: "r".to_owned(),
    };
    let decided = world.act("Rita", &command).unwrap();
    let payload = String::from_utf8(decided[0].event.to_payload().unwrap()).unwrap();
    assert!(!payload.contains("Thumb"), "{payload}");
}

#[derive(Debug, Clone)]
enum Step {
    Review(usize),
    Task(usize, usize),
    Erase(usize, usize),
    Finish(usize),
    Hold(usize, usize),
    Release(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0..5_usize).prop_map(Step::Review),
        3 => (0..5_usize, 0..5_usize).prop_map(|(one, other)| Step::Task(one, other)),
        3 => (0..5_usize, 0..5_usize).prop_map(|(one, other)| Step::Erase(one, other)),
        2 => (0..5_usize).prop_map(Step::Finish),
        1 => (0..5_usize, 0..5_usize).prop_map(|(one, other)| Step::Hold(one, other)),
        1 => (0..5_usize, 0..5_usize).prop_map(|(one, other)| Step::Release(one, other)),
    ]
}

const NAMES: [&str; 5] = ["Rita", "Tom", "Ada Quux", "Bo Quux", "Cy Quux"];

/// What random steps lead to: the desk, and every entry on the way there.
fn history(steps: Vec<Step>) -> (World, Vec<(Event, Meta)>) {
    let mut world = World::new();
    let mut journal: Vec<(Event, Meta)> = Vec::new();
    for step in steps {
        let reason = "r".to_owned();
        let (actor, command) = match step {
            Step::Review(actor) => {
                let given = evidence("dpia", "X-before", "2027-01-01");
                (actor, world.command("sys", PLAIN, &given, "2026-11-23"))
            }
            Step::Task(actor, owner) => {
                let task = NewTask {
                    what: format!("w{}", journal.len()),
                    why: Why::Reason(reason),
                    system: None,
                    requirement: None,
                    owner: NAMES[owner].to_owned(),
                    due: "2026-12-01".parse().unwrap(),
                };
                (actor, Command::OpenTasks(vec![task]))
            }
            Step::Erase(actor, person) => {
                let command = Command::ErasePerson {
                    person: NAMES[person].to_owned(),
                    basis: Basis::Objection,
                    reason,
                };
                (actor, command)
            }
            Step::Finish(nth) => match world.state.erased.values().nth(nth) {
                Some(erased) => {
                    let command = Command::FinishErasure {
                        requested: erased.requested,
                        n_payloads: 1,
                        n_blobs: 0,
                    };
                    (nth, command)
                }
                None => continue,
            },
            Step::Hold(actor, person) => {
                let person = NAMES[person].to_owned();
                (actor, Command::PlaceHold { person, reason })
            }
            Step::Release(actor, person) => {
                let person = NAMES[person].to_owned();
                (actor, Command::ReleaseHold { person, reason })
            }
        };
        let first = world.state.size;
        let Ok(decided) = world.act(NAMES[actor], &command) else {
            continue;
        };
        journal.extend(decided.into_iter().zip(first..).map(|(one, index)| {
            let meta = Meta {
                index,
                subjects: one.subjects,
                actor: one.actor,
            };
            (one.event, meta)
        }));
    }
    (world, journal)
}

proptest! {
    /// Whatever happened, and whether or not an erasure came to its end: without the payloads of erased people the fold is the same.
    #[test]
    fn a_fold_without_erased_payloads_ends_in_the_same_state(steps in prop::collection::vec(step(), 1..40)) {
        let (world, journal) = history(steps);
        let mut refolded = State::default();
        for (event, meta) in &journal {
            let is_erased = matches!(event, Event::PersonNamed(named) if world.state.erased.contains_key(&named.person));
            if is_erased {
                refolded.pass(meta, event.kind());
            } else {
                refolded.apply(event, meta);
            }
        }
        prop_assert_eq!(&refolded, &world.state);
        let kept = refolded.people.keys().any(|id| refolded.erased.contains_key(id));
        prop_assert!(!kept, "an erased person kept a name");
    }

    /// Whatever happened: a snapshot names nobody, and with the names in the entries it lists it gives the state back.
    #[test]
    fn a_snapshot_names_nobody_and_gives_the_state_back(steps in prop::collection::vec(step(), 1..40)) {
        let (world, journal) = history(steps);
        let bytes = world.state.to_snapshot();
        let text = String::from_utf8(bytes).unwrap();
        for name in NAMES {
            prop_assert!(!text.contains(name), "`{}` is in the snapshot", name);
        }
        prop_assert_eq!(&crate::snapshot::tests::restored(&world.state, &journal), &world.state);
    }
}
