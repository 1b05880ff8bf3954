//! Exceptions: from what exists and is no prohibition, by an outsider, for a while, one at a time.

use super::*;
use crate::exception::NewException;

impl World {
    /// Who excepts `sys` from what, until when; the exception's id, or why not.
    pub(super) fn except(&mut self, actor: &str, subject: &str, expires: &str) -> String {
        let new = NewException {
            system: "sys".to_owned(),
            subject: subject.to_owned(),
            reason: "r".to_owned(),
            measures: "m".to_owned(),
            expires: expires.parse().unwrap(),
        };
        match self.act(actor, &Command::GrantException(Box::new(new))) {
            Ok(decided) => match &decided.last().unwrap().event {
                Event::ExceptionGranted(granted) => granted.exception.clone(),
                other => other.kind().to_owned(),
            },
            Err(refused) => refused.to_string(),
        }
    }

    pub(super) fn end(&mut self, exception: &str) -> String {
        let command = Command::EndException {
            exception: exception.to_owned(),
            reason: "r".to_owned(),
        };
        match self.act("Tom", &command) {
            Ok(_) => "ended".to_owned(),
            Err(refused) => refused.to_string(),
        }
    }
}

#[test]
fn an_exception_is_from_a_requirement_or_a_test_and_never_from_a_prohibition() {
    let mut world = World::new();
    world.review(PLAIN, "", "2026-11-23");
    assert_eq!(world.except("Vera", "X-before", "2027-01-01"), "X1");
    assert_eq!(world.except("Vera", "impact-ratio", "2027-01-01"), "X2");
    check(
        &world.except("Vera", "X-ban", "2027-01-01"),
        expect![
            "`X-ban` is a prohibition, and nobody can grant an exception from one; stop what it forbids"
        ],
    );
    check(
        &world.except("Vera", "impact-ration", "2027-01-01"),
        expect![
            "`impact-ration` is neither a requirement of the packs in use nor a test of the policy; did you mean `impact-ratio`?"
        ],
    );
}

#[test]
fn who_builds_the_system_grants_none() {
    let mut world = World::new();
    world.review(PLAIN, "", "2026-11-23");
    check(
        &world.except("Tom", "X-before", "2027-01-01"),
        expect![
            "you build `sys`, so you cannot decide on `X-before`; have someone outside the team do it (--as NAME)"
        ],
    );
}

#[test]
fn an_exception_lasts_a_year_at_most() {
    let mut world = World::new();
    world.review(PLAIN, "", "2026-11-23");
    let not = |day: &str| {
        format!("it cannot end on {day}; name a day after today and not after 2027-11-24")
    };
    for day in ["2026-11-22", "2026-11-23", "2027-11-25"] {
        assert_eq!(world.except("Vera", "X-before", day), not(day));
    }
    assert_eq!(world.except("Vera", "X-before", "2027-11-24"), "X1");
}

#[test]
fn one_is_in_force_at_a_time_and_ends_once() {
    let mut world = World::new();
    world.review(PLAIN, "", "2026-11-23");
    world.except("Vera", "X-before", "2027-01-01");
    check(
        &world.except("Olga", "X-before", "2027-02-01"),
        expect!["`X1` excepts `sys` from `X-before` until 2027-01-01; there is nothing to decide"],
    );
    let in_force = |world: &World, day: &str| {
        let found = world.state.exceptions_of("sys", day.parse().unwrap());
        found.len()
    };
    assert_eq!(in_force(&world, "2026-12-31"), 1);
    assert_eq!(in_force(&world, "2027-01-01"), 0);
    assert_eq!(world.end("X1"), "ended");
    assert_eq!(in_force(&world, "2026-11-23"), 0);
    check(
        &world.end("X1"),
        expect!["`X1` is not in force since 2026-11-23; there is nothing to decide"],
    );
    check(
        &world.end("X9"),
        expect!["the desk has no exception `X9`; did you mean `X1`?"],
    );
    assert_eq!(world.except("Olga", "X-before", "2027-02-01"), "X2");
}

#[test]
fn an_exception_changes_no_verdict() {
    let mut world = World::new();
    let before = world.review(PLAIN, "", "2026-11-23");
    world.except("Vera", "X-before", "2027-01-01");
    assert_eq!(world.review(PLAIN, "", "2026-11-23"), before);
}
