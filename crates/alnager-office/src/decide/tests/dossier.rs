//! Dossiers drawn: they refer to what the review rests on, and change nothing.

use super::*;
use crate::deed::Deed;
use crate::role::Role;

fn drawn(
    world: &mut World,
    actor: &str,
    system: &str,
    recipient: &str,
    reason: &str,
) -> Result<Vec<Decided>, String> {
    let command = Command::DrawDossier {
        system: system.to_owned(),
        recipient: recipient.to_owned(),
        reason: reason.to_owned(),
    };
    world
        .act(actor, &command)
        .map_err(|refused| refused.to_string())
}

#[test]
fn a_drawing_refers_to_what_a_review_would_rest_on_and_moves_nothing() {
    let mut world = World::new();
    world.review(
        PLAIN,
        &evidence("dpia", "X-before", "2027-01-01"),
        "2026-11-23",
    );
    for (person, role) in [("Rita", Role::Administrator), ("Ada", Role::Auditor)] {
        let grant = Command::GrantRoles {
            person: person.to_owned(),
            roles: vec![role],
            reason: "r".to_owned(),
        };
        world.act("Rita", &grant).unwrap();
    }
    let before = world.state.clone();
    let subject = before.systems["sys"].subject.clone();
    let organisation = before.organisation.as_ref().unwrap().id.clone();

    let decided = drawn(&mut world, "Ada", "sys", " the regulator ", " asked \n").unwrap();
    let last = decided.last().unwrap();
    let Event::DossierDrawn(drawing) = &last.event else {
        panic!("{}", last.event.kind());
    };
    assert_eq!(
        (drawing.recipient.as_str(), drawing.reason.as_str()),
        ("the regulator", "asked")
    );
    assert_eq!(last.subjects, std::slice::from_ref(&subject));
    assert_eq!(last.refs, [before.heads[&organisation]]);
    assert_eq!(world.state.heads[&subject], world.state.size - 1);
    assert_eq!(
        world.state.moved_since("sys", before.size),
        crate::opinion::Moved::default()
    );
    let ada = world.state.person("Ada").unwrap().to_owned();
    assert_eq!(world.state.deeds_of("sys", &ada), [] as [Deed; 0]);
    assert_eq!(world.state.systems, before.systems);
}

#[test]
fn a_drawing_says_of_what_for_whom_and_why() {
    let mut world = World::new();
    world.review(
        PLAIN,
        &evidence("dpia", "X-before", "2027-01-01"),
        "2026-11-23",
    );
    let long = "x".repeat(201);
    for (system, recipient, reason, want) in [
        ("syst", "the regulator", "r", "did you mean `sys`?"),
        ("sys", " ", "r", "1 to 200 characters"),
        ("sys", &long, "r", "1 to 200 characters"),
        ("sys", "the regulator", " ", "--reason"),
    ] {
        let size = world.state.size;
        let refused = drawn(&mut world, "Rita", system, recipient, reason).unwrap_err();
        assert!(refused.contains(want), "{refused}");
        assert_eq!(world.state.size, size);
    }
}
