//! Launches: decided by people outside the team on the latest review, once or by two of them.

use super::*;
use crate::launch::{LaunchDecision, LaunchStanding, NewLaunch, needs_two};

/// A desk whose system `sys` was reviewed with this verdict.
fn reviewed(is_clear: bool) -> World {
    let mut world = World::new();
    let all = [
        evidence("dpia", "X-before", "2027-01-01"),
        evidence("procedure", "X-event", "2027-01-01"),
        evidence("dpia", "X-org", "2027-01-01"),
    ]
    .concat();
    let verdict = world.review(PLAIN, &all, "2026-11-23");
    assert!(verdict.starts_with("undecided"), "{verdict}");
    if is_clear {
        for evidence in ["E1", "E2", "E3"] {
            world.rule("Vera", evidence, true).unwrap();
        }
        let verdict = world.review(PLAIN, &all, "2026-11-23");
        assert!(verdict.starts_with("clear"), "{verdict}");
    }
    world
}

impl World {
    fn launch(&self, decision: LaunchDecision) -> NewLaunch {
        let review = self.state.systems["sys"].review.as_ref().unwrap();
        NewLaunch {
            system: "sys".to_owned(),
            decision,
            conditions: Vec::new(),
            expires: None,
            reason: "r".to_owned(),
            review: review.at,
            blockers: Vec::new(),
            needs_two: false,
        }
    }

    fn conditional(&self, blockers: &[&str], expires: &str) -> NewLaunch {
        NewLaunch {
            conditions: vec!["watch it weekly".to_owned()],
            expires: Some(expires.parse().unwrap()),
            blockers: blockers.iter().map(|one| (*one).to_owned()).collect(),
            ..self.launch(LaunchDecision::Conditional)
        }
    }

    /// How the launch stands once somebody decided, or why it was refused.
    fn decide(&mut self, actor: &str, new: NewLaunch) -> String {
        match self.act(actor, &Command::DecideLaunch(Box::new(new))) {
            Ok(_) => self.standing("2026-11-23"),
            Err(refused) => refused.to_string(),
        }
    }

    fn standing(&self, day: &str) -> String {
        match self.state.launch_standing("sys", day.parse().unwrap()) {
            LaunchStanding::NotDecided => "not decided".to_owned(),
            LaunchStanding::NeedsSecond { by, decision } => {
                let (name, word) = (self.state.name(&by), decision.word());
                format!("{name} said {word}, needs a second")
            }
            LaunchStanding::Approved => "approved".to_owned(),
            LaunchStanding::Conditional {
                conditions,
                expires,
            } => format!("until {expires}: {}", conditions.join(", ")),
            LaunchStanding::Refused => "refused".to_owned(),
            LaunchStanding::Withdrawn => "withdrawn".to_owned(),
            LaunchStanding::Lapsed { expired_on } => format!("lapsed on {expired_on}"),
            LaunchStanding::Superseded { review } => format!("superseded by {review}"),
        }
    }
}

#[test]
fn a_decision_has_one_word_everywhere() {
    for decision in LaunchDecision::ALL {
        let json = serde_json::to_string(&decision).unwrap();
        assert_eq!(json, format!("\"{}\"", decision.word()));
        assert_eq!(LaunchDecision::of(decision.word()), Some(decision));
    }
}

#[test]
fn a_clear_review_is_approved_by_an_outsider() {
    let mut world = reviewed(true);
    assert_eq!(world.standing("2026-11-23"), "not decided");
    check(
        &world.decide("Tom", world.launch(LaunchDecision::Approve)),
        expect![
            "you build `sys`, so you cannot decide on `launch`; have someone outside the team do it (--as NAME)"
        ],
    );
    let approve = world.launch(LaunchDecision::Approve);
    check(&world.decide("Vera", approve.clone()), expect!["approved"]);
    check(
        &world.decide("Vera", approve),
        expect![
            "you decided `approve` on this review of `sys` already; there is nothing to decide"
        ],
    );
}

#[test]
fn what_is_not_clear_is_not_approved() {
    let mut world = reviewed(false);
    let approve = world.launch(LaunchDecision::Approve);
    check(
        &world.decide("Vera", approve),
        expect![
            "the verdict on `sys` is `undecided`, and only `clear` can be approved; see to what stands in the way, or approve under conditions with an exception for each"
        ],
    );
    let mut world = reviewed(true);
    let blocked = NewLaunch {
        blockers: vec!["X-org".to_owned()],
        ..world.launch(LaunchDecision::Approve)
    };
    check(
        &world.decide("Vera", blocked),
        expect![
            "these stand in the way of `sys`: `X-org`; see to them, or approve under conditions with an exception for each"
        ],
    );
}

#[test]
fn a_review_of_tests_alone_launches_nothing() {
    let mut world = reviewed(true);
    let mut command = world.command("sys", PLAIN, "", "2026-11-23");
    if let Command::Review(review) = &mut command {
        review.gate = Gate::Tests;
    }
    world.act("Rita", &command).unwrap();
    let tests = "the latest review of `sys` looked at its tests alone; review it for its launch, then decide";
    let approve = world.launch(LaunchDecision::Approve);
    assert_eq!(world.decide("Vera", approve), tests);
    let conditional = world.conditional(&[], "2026-12-24");
    assert_eq!(world.decide("Vera", conditional), tests);
}

#[test]
fn a_conditional_approval_has_conditions_a_day_and_an_exception_for_each_blocker() {
    let mut world = reviewed(false);
    let blockers = ["X-before", "X-org"];
    world.except("Vera", "X-before", "2026-12-24");
    world.except("Olga", "X-org", "2027-02-01");
    let refused = expect![[r#"
        these stand in the way of `sys` without an exception that somebody else granted: `X-event`; see to them, or have one granted for each
        these stand in the way of `sys` without an exception that somebody else granted: `X-before`; see to them, or have one granted for each
        a conditional approval names at least one condition, each in words
        a conditional approval names the day it ends
        it cannot end on 2026-12-25; name a day after today and not after 2026-12-24
        it cannot end on 2026-11-23; name a day after today and not after 2026-12-24"#]];
    let full = world.conditional(&blockers, "2026-12-24");
    // Whoever asks named two of three: the third stands in the way all the same.
    let left_out = world.decide("Ines", full.clone());
    world.except("Olga", "X-event", "2027-02-01");
    let said = [
        left_out,
        world.decide("Vera", full.clone()),
        world.decide(
            "Ines",
            NewLaunch {
                conditions: vec![" ".to_owned()],
                ..full.clone()
            },
        ),
        world.decide(
            "Ines",
            NewLaunch {
                expires: None,
                ..full.clone()
            },
        ),
        world.decide("Ines", world.conditional(&blockers, "2026-12-25")),
        world.decide("Ines", world.conditional(&blockers, "2026-11-23")),
    ];
    refused.assert_eq(&said.join("\n"));
    check(
        &world.decide("Ines", full),
        expect!["until 2026-12-24: watch it weekly"],
    );
    assert_eq!(
        world.state.launches["sys"][0].decided.exceptions,
        ["X1", "X2", "X3"]
    );
    assert_eq!(world.standing("2026-12-24"), "lapsed on 2026-12-24");
}

#[test]
fn an_exception_that_ends_takes_the_approval_with_it() {
    let mut world = reviewed(false);
    for subject in ["X-before", "X-event", "X-org"] {
        world.except("Vera", subject, "2026-12-24");
    }
    let conditional = world.conditional(&["X-before"], "2026-12-24");
    world.decide("Ines", conditional);
    world.end("X1");
    assert_eq!(world.standing("2026-11-23"), "lapsed on 2026-11-23");
}

#[test]
fn what_was_approved_is_withdrawn_or_refused_and_another_review_asks_again() {
    let mut world = reviewed(true);
    let none = "no approval of `sys` stands that could be withdrawn; there is nothing to decide";
    let withdraw = world.launch(LaunchDecision::Withdraw);
    assert_eq!(world.decide("Vera", withdraw.clone()), none);
    let approve = world.launch(LaunchDecision::Approve);
    world.decide("Vera", approve.clone());
    check(
        &world.decide("Olga", withdraw.clone()),
        expect!["withdrawn"],
    );
    assert_eq!(world.decide("Olga", withdraw), none);
    check(&world.decide("Vera", approve.clone()), expect!["approved"]);
    let refuse = world.launch(LaunchDecision::Refuse);
    check(&world.decide("Vera", refuse), expect!["refused"]);
    let at = world.state.size;
    world.review(PLAIN, "", "2026-11-23");
    let review = world.state.systems["sys"].review.as_ref().unwrap().at;
    assert!(review >= at);
    assert_eq!(
        world.standing("2026-11-23"),
        format!("superseded by {review}")
    );
    assert_eq!(
        world.decide("Vera", approve),
        format!(
            "somebody else changed the review of `sys` in entry {review} meanwhile; look at it and decide again"
        )
    );
}

#[test]
fn two_people_decide_where_two_are_needed() {
    let mut world = reviewed(true);
    let first = NewLaunch {
        needs_two: true,
        ..world.launch(LaunchDecision::Approve)
    };
    let again = "you decided `approve` on this review of `sys` already; there is nothing to decide";
    check(
        &world.decide("Vera", first.clone()),
        expect!["Vera said approve, needs a second"],
    );
    assert_eq!(world.decide("Vera", first.clone()), again);
    let second = NewLaunch {
        needs_two: true,
        ..world.conditional(&[], "2026-12-24")
    };
    // The same person twice is one.
    check(
        &world.decide("Vera", second),
        expect!["Vera said conditional, needs a second"],
    );
    let earlier = NewLaunch {
        expires: Some("2026-12-01".parse().unwrap()),
        ..first
    };
    check(
        &world.decide("Olga", earlier),
        expect!["until 2026-12-01: watch it weekly"],
    );
    assert_eq!(world.standing("2026-12-01"), "lapsed on 2026-12-01");
}

#[test]
fn a_reason_and_a_review_are_needed() {
    let mut world = reviewed(true);
    let silent = NewLaunch {
        reason: " ".to_owned(),
        ..world.launch(LaunchDecision::Refuse)
    };
    check(
        &world.decide("Vera", silent),
        expect!["a decision needs its reason; give one with --reason"],
    );
    let conditions = NewLaunch {
        conditions: vec!["c".to_owned()],
        ..world.launch(LaunchDecision::Approve)
    };
    check(
        &world.decide("Vera", conditions),
        expect!["a decision on a launch has conditions only where it is conditional"],
    );
    assert!(world.state.launches.is_empty());
}

/// Whether two are needed where `four_eyes` is this condition and the facts are these.
fn two(four_eyes: &str, facts: &str, on: &str) -> bool {
    let mut world = World::new();
    world.review(facts, "", on);
    let line = format!("four_eyes = '{four_eyes}'\nconfidence_level");
    let policy = match four_eyes {
        "" => POLICY.to_owned(),
        _ => POLICY.replace("confidence_level", &line),
    };
    let policy = Policy::parse("q", &policy).unwrap();
    let facts = world.state.systems["sys"].law_facts(&world.book, &world.state.counsel);
    let when = AsOf {
        valid: on.parse().unwrap(),
        known: on.parse().unwrap(),
    };
    needs_two(&policy, &world.book, &facts, when)
}

#[test]
fn the_policy_says_when_two_are_needed_and_unknown_is_yes() {
    assert!(two("decides", "decides=true", "2026-11-23"));
    assert!(!two("decides", "decides=false", "2026-11-23"));
    assert!(two("decides", "", "2026-11-23"));
    // A guarded answer that nobody confirmed is not known.
    assert!(two("!narrow", "narrow=true", "2026-11-23"));
    assert!(!two("decides", "decides=true", "2019-12-31"));
    assert!(!two("", "decides=true", "2026-11-23"));
}

#[test]
fn what_whoever_asks_leaves_out_is_looked_up() {
    let mut world = reviewed(true);
    // One document was accepted for good, and then found wanting.
    world.rule("Vera", "E3", false).unwrap();
    check(
        &world.decide("Vera", world.launch(LaunchDecision::Approve)),
        expect![
            "these stand in the way of `sys`: `X-org`; see to them, or approve under conditions with an exception for each"
        ],
    );
    world.except("Olga", "X-org", "2027-02-01");
    let four_eyes = POLICY.replace(
        "confidence_level",
        "four_eyes = 'decides'\nconfidence_level",
    );
    world.policy = Policy::parse("q", &four_eyes).unwrap();
    check(
        &world.decide("Vera", world.conditional(&[], "2026-12-24")),
        expect!["Vera said conditional, needs a second"],
    );
}
