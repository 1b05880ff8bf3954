//! Audit opinions: by an auditor without a hand in it, on a state that was read, one standing at a time.

use alnager_journal::merkle::Hash;
use alnager_journal::note::{Note, SigningKey};

use super::*;
use crate::exception::NewException;
use crate::launch::{LaunchDecision, NewLaunch};
use crate::opinion::{Conclusion, NewAuditOpinion, document};
use crate::role::Role;
use crate::signature::{KEY_KIND, Stated};
use crate::system::NewAnswer;

/// A reviewed system, and who audits it.
fn audited() -> World {
    let mut world = World::new();
    world.review(
        PLAIN,
        &evidence("dpia", "X-before", "2027-01-01"),
        "2026-11-23",
    );
    grant(&mut world, "Rita", &[Role::Administrator]);
    grant(&mut world, "Ada", &[Role::Auditor]);
    world
}

fn grant(world: &mut World, person: &str, roles: &[Role]) {
    let command = Command::GrantRoles {
        person: person.to_owned(),
        roles: roles.to_vec(),
        reason: "r".to_owned(),
    };
    world.act("Rita", &command).unwrap();
}

/// An opinion on `sys`: what is concluded, and on how many entries.
fn opinion(words: &str, size: u64) -> NewAuditOpinion {
    NewAuditOpinion {
        system: "sys".to_owned(),
        conclusion: Conclusion::of(words).unwrap(),
        basis: " the record was read \n".to_owned(),
        size,
        root: Hash::of(b"the journal"),
        note: None,
    }
}

fn given(world: &mut World, actor: &str, new: NewAuditOpinion) -> String {
    match world.act(actor, &Command::GiveOpinion(Box::new(new))) {
        Ok(decided) => match &decided.last().unwrap().event {
            Event::OpinionGiven(given) => given.opinion.clone(),
            other => other.kind().to_owned(),
        },
        Err(refused) => refused.to_string(),
    }
}

fn withdrawn(world: &mut World, actor: &str, opinion: &str) -> String {
    let command = Command::WithdrawOpinion {
        opinion: opinion.to_owned(),
        reason: "r".to_owned(),
    };
    match world.act(actor, &command) {
        Ok(_) => "withdrawn".to_owned(),
        Err(refused) => refused.to_string(),
    }
}

#[test]
fn an_opinion_says_on_what_it_was_given_and_the_latest_stands() {
    let mut world = audited();
    let size = world.state.size;
    assert_eq!(given(&mut world, "Ada", opinion("qualified", size)), "O1");
    let stands = world.state.opinion_on("sys").unwrap();
    let entered = &stands.given;
    assert_eq!((stands.at, entered.size), (size, size));
    assert_eq!(entered.root, Hash::of(b"the journal").to_base64());
    assert_eq!(entered.basis, "the record was read");
    assert_eq!(world.state.name(&entered.by), "Ada");

    assert_eq!(given(&mut world, "Ada", opinion("adverse", size)), "O2");
    assert_eq!(world.state.opinion_on("sys").unwrap().given.opinion, "O2");
    assert_eq!(world.state.opinions_on("sys").len(), 2);
    check(
        &withdrawn(&mut world, "Ada", "O1"),
        expect!["`O2` took the place of `O1`; there is nothing to decide"],
    );
    assert_eq!(withdrawn(&mut world, "Ada", "O2"), "withdrawn");
    // What a later one replaced does not come back.
    assert_eq!(world.state.opinion_on("sys"), None);
    assert_eq!(world.state.opinions_on("sys").len(), 2);
    check(
        &withdrawn(&mut world, "Ada", "O2"),
        expect!["`O2` was withdrawn on 2026-11-23; there is nothing to decide"],
    );
}

#[test]
fn only_an_auditor_gives_one_and_only_who_gave_it_withdraws_it() {
    let mut world = audited();
    let size = world.state.size;
    check(
        &given(&mut world, "Vera", opinion("unmodified", size)),
        expect![
            "only an auditor gives an audit opinion, and you do not have that role; an administrator grants it"
        ],
    );
    grant(&mut world, "Ben", &[Role::Auditor]);
    given(&mut world, "Ada", opinion("unmodified", size));
    check(
        &withdrawn(&mut world, "Ben", "O1"),
        expect![
            "`O1` was given by somebody else, who alone can withdraw it; give an opinion of your own, which takes its place"
        ],
    );
    check(
        &withdrawn(&mut world, "Ben", "O9"),
        expect!["the desk has no audit opinion `O9`; there are `O1` to `O1`"],
    );
    assert_eq!(given(&mut world, "Ben", opinion("unmodified", size)), "O2");
}

#[test]
fn who_had_a_hand_in_it_gives_none() {
    let refused = |prepare: &dyn Fn(&mut World)| {
        let mut world = audited();
        prepare(&mut world);
        let size = world.state.size;
        let told = given(&mut world, "Ada", opinion("unmodified", size));
        let told = told
            .split_once("and you ")
            .map_or(told.as_str(), |(_, rest)| rest);
        let told = told.split_once(';').map_or(told, |(deeds, _)| deeds);
        told.to_owned()
    };
    let act = |world: &mut World, command: Command| {
        world.act("Ada", &command).unwrap();
    };
    let ruling = |is_accepted: bool| {
        let ruling = EvidenceRuling {
            evidence: "E1".to_owned(),
            requirements: Vec::new(),
            reason: "r".to_owned(),
        };
        match is_accepted {
            true => Command::AcceptEvidence(ruling),
            false => Command::RejectEvidence(ruling),
        }
    };
    let told = [
        refused(&|_| {}),
        refused(&|world| {
            let command = world.command("sys", PLAIN, "", "2026-11-23");
            act(world, command);
        }),
        refused(&|world| {
            let command = world.command("sys", PLAIN, "", "2026-11-23");
            let Command::Review(mut review) = command else {
                panic!("no review")
            };
            review.declaration.team.push("Ada".to_owned());
            world.act("Rita", &Command::Review(review)).unwrap();
            // Whoever left the team had a hand in it all the same.
            world.review(PLAIN, "", "2026-11-23");
        }),
        refused(&|world| {
            let answer = NewAnswer {
                fact: "bans".to_owned(),
                value: "true".to_owned(),
                basis: "b".to_owned(),
            };
            let seen = world.state.systems["sys"].facts.get("bans");
            let seen = seen.map(|fact| fact.set_at);
            act(
                world,
                Command::AnswerFacts {
                    system: "sys".to_owned(),
                    answers: vec![answer],
                    expected: vec![("bans".to_owned(), seen)],
                },
            );
        }),
        refused(&|world| {
            act(
                world,
                Command::ConfirmFact {
                    system: "sys".to_owned(),
                    fact: "decides".to_owned(),
                    value: None,
                    basis: "b".to_owned(),
                },
            );
        }),
        refused(&|world| act(world, ruling(true))),
        // What somebody else decided after it does not undo it.
        refused(&|world| {
            act(world, ruling(false));
            world.act("Vera", &ruling(true)).unwrap();
        }),
        refused(&|world| {
            act(
                world,
                Command::RecordAudit(Box::new(NewAudit {
                    kind: "canary".to_owned(),
                    system: Some("sys".to_owned()),
                    outcome: "reported".to_owned(),
                    data: Vec::new(),
                    sha256: "00".to_owned(),
                    result: Blob {
                        name: "result.json".to_owned(),
                        media: "application/json".to_owned(),
                        bytes: Arc::default(),
                    },
                })),
            );
        }),
        refused(&|world| {
            let exception = NewException {
                system: "sys".to_owned(),
                subject: "X-before".to_owned(),
                reason: "r".to_owned(),
                measures: "m".to_owned(),
                expires: "2027-01-01".parse().unwrap(),
            };
            act(world, Command::GrantException(Box::new(exception)));
            let review = world.state.systems["sys"].review.as_ref().unwrap().at;
            let launch = NewLaunch {
                system: "sys".to_owned(),
                decision: LaunchDecision::Refuse,
                conditions: Vec::new(),
                expires: None,
                reason: "r".to_owned(),
                review,
                blockers: Vec::new(),
                needs_two: false,
            };
            act(world, Command::DecideLaunch(Box::new(launch)));
        }),
    ];
    expect![[r#"
        O1
        declared it and measured it
        are or were in its team
        answered facts of it
        confirmed facts of it
        ruled on its evidence
        ruled on its evidence
        measured it
        decided on exceptions for it and decided on its launch"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn an_opinion_has_a_basis_and_is_given_on_entries_that_there_are() {
    let mut world = audited();
    let size = world.state.size;
    for basis in [" \n", &"é".repeat(20_001)] {
        let new = NewAuditOpinion {
            basis: basis.to_owned(),
            ..opinion("adverse", size)
        };
        assert_eq!(
            given(&mut world, "Ada", new),
            "the basis of an audit opinion has 1 to 20,000 characters"
        );
    }
    for wrong in [0, size + 1] {
        let told = given(&mut world, "Ada", opinion("adverse", wrong));
        let want = format!("{wrong} cannot have been: it has {size}");
        assert!(told.contains(&want), "{told}");
    }
    let elsewhere = NewAuditOpinion {
        system: "sis".to_owned(),
        ..opinion("adverse", size)
    };
    check(
        &given(&mut world, "Ada", elsewhere),
        expect!["the desk has no system `sis`; did you mean `sys`?"],
    );
    given(&mut world, "Ada", opinion("adverse", size));
    check(
        &given(&mut world, "Ada", opinion("adverse", size)),
        expect!["`O1` says this already; there is nothing to decide"],
    );
}

#[test]
fn the_record_moves_with_what_is_about_it_and_not_with_talk() {
    let mut world = audited();
    let size = world.state.size;
    given(&mut world, "Ada", opinion("unmodified", size));
    let comment = Command::Comment {
        about: About::System("sys".to_owned()),
        text: "t".to_owned(),
    };
    world.act("Vera", &comment).unwrap();
    assert!(!world.state.moved_since("sys", size).is_any());
    let at = world.state.size;
    world.review("decides=true", "", "2026-11-23");
    let moved = world.state.moved_since("sys", size);
    assert!(moved.system.is_some_and(|index| index > at));
    assert_eq!(moved.organisation, None);
    world.stamp.files.push(crate::event::BookFile {
        name: "law/x/pack.toml".to_owned(),
        sha256: "b0".to_owned(),
    });
    world.review(PLAIN, "", "2026-11-23");
    assert!(world.state.moved_since("sys", size).organisation.is_some());
}

#[test]
fn an_auditor_may_sign_it_with_a_key_of_their_own() {
    let mut world = audited();
    let size = world.state.size;
    let key = SigningKey::new("auditor.example", &[1; 32]).unwrap();
    let signed = |text: &str, on: &str| {
        let stated = Stated {
            document: Hash::of(text.as_bytes()).to_string(),
            statement: Hash::of(b"independent").to_string(),
            on: on.parse().unwrap(),
            key: key.verifying_key(KEY_KIND),
        };
        let text = stated.to_text();
        let signature = key.sign(&text);
        Note::new(text, vec![signature]).unwrap().to_string()
    };
    let organisation = Uuid::from_u128(9_999_999).to_string();
    let root = Hash::of(b"the journal").to_base64();
    let text = |conclusion| {
        document(
            &organisation,
            "sys",
            conclusion,
            (size, &root),
            "the record was read",
        )
    };
    let with = |note: String| NewAuditOpinion {
        note: Some(note),
        ..opinion("qualified", size)
    };
    let other = signed(&text(Conclusion::Adverse), "2026-11-23");
    let told = given(&mut world, "Ada", with(other));
    assert!(told.contains("was signed for another document"), "{told}");
    let ahead = signed(&text(Conclusion::Qualified), "2026-11-24");
    let told = given(&mut world, "Ada", with(ahead));
    assert!(told.contains("a day that has not come"), "{told}");
    let told = given(&mut world, "Ada", with("no note".to_owned()));
    assert!(
        told.contains("the opinion cannot be given: the note"),
        "{told}"
    );
    let fits = signed(&text(Conclusion::Qualified), "2026-11-23");
    assert_eq!(given(&mut world, "Ada", with(fits)), "O1");
    let signature = world
        .state
        .opinion_on("sys")
        .unwrap()
        .given
        .signature
        .clone();
    assert!(signature.unwrap().key.starts_with("auditor.example+"));
}

#[test]
fn an_erased_auditor_is_told_of_with_the_system_and_the_opinion_stays() {
    let mut world = audited();
    let size = world.state.size;
    given(&mut world, "Ada", opinion("unmodified", size));
    let ada = world.state.person("Ada").unwrap().to_owned();
    let erase = Command::ErasePerson {
        person: "Ada".to_owned(),
        basis: Basis::Objection,
        reason: "r".to_owned(),
    };
    world.act("Rita", &erase).unwrap();
    assert!(world.state.erased_in("sys").contains(ada.as_str()));
    let stands = world.state.opinion_on("sys").unwrap();
    assert!(!world.state.name(&stands.given.by).contains("Ada"));
}
