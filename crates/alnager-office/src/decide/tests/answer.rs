//! Desks opened, systems declared and facts answered without a review.

use proptest::prelude::*;

use super::*;
use crate::system::{NewAnswer, NewDeclaration};

impl World {
    /// Who says what of `sys`: a declaration of facts, as [`World::command`] takes them.
    fn declare(&mut self, facts: &str, expected: Option<u64>) -> Result<Vec<Decided>, Refused> {
        let Command::Review(review) = self.command("sys", facts, "", "2026-11-23") else {
            panic!("no review")
        };
        let declaration = review.declaration;
        let new = NewDeclaration {
            declaration,
            expected,
        };
        self.act("Rita", &Command::DeclareSystem(Box::new(new)))
    }

    /// Who answers `fact=value`, on which basis, seeing what is there.
    fn answer(&mut self, actor: &str, answers: &str, basis: &str) -> Result<Vec<Decided>, Refused> {
        let answers = answers.split_whitespace().map(|pair| {
            let (fact, value) = pair.split_once('=').unwrap();
            NewAnswer {
                fact: fact.to_owned(),
                value: value.to_owned(),
                basis: basis.to_owned(),
            }
        });
        let command = Command::AnswerFacts {
            system: "sys".to_owned(),
            answers: answers.collect(),
            expected: Vec::new(),
        };
        self.act(actor, &command)
    }

    fn confirm(&mut self, actor: &str, fact: &str) -> Result<Vec<Decided>, Refused> {
        let command = Command::ConfirmFact {
            system: "sys".to_owned(),
            fact: fact.to_owned(),
            value: None,
            basis: "read".to_owned(),
        };
        self.act(actor, &command)
    }

    /// What is known of a fact, in one line.
    fn fact(&self, fact: &str) -> String {
        let Some(known) = self.state.systems["sys"].facts.get(fact) else {
            return "unknown".to_owned();
        };
        let proposal = known.proposal.as_ref();
        let proposal = proposal.map_or(String::new(), |one| format!(", proposed {}", one.value));
        let confirmed = known.confirmed_by.as_ref().map_or("", |_| " confirmed");
        format!("{}{confirmed}{proposal}", known.answer.value)
    }
}

fn kinds(decided: Result<Vec<Decided>, Refused>) -> String {
    match decided {
        Ok(decided) => {
            let kinds: Vec<&str> = decided.iter().map(|one| one.event.kind()).collect();
            kinds.join(", ")
        }
        Err(refused) => refused.to_string(),
    }
}

#[test]
fn a_desk_is_opened_once_and_by_a_visible_name() {
    let mut world = World::new();
    let mut open = |organisation: &str| {
        let organisation = organisation.to_owned();
        kinds(world.act("Rita", &Command::OpenDesk { organisation }))
    };
    let unfit = "the name of an organisation has 1 to 200 characters, all of them visible";
    for name in [" ", "a\u{200b}b", &"x".repeat(201)] {
        assert_eq!(open(name), unfit, "{name:?}");
    }
    check(&open(" O "), expect!["desk.opened, person.named"]);
    check(
        &open("P"),
        expect!["this desk belongs to `O` already; there is nothing to decide"],
    );
    assert_eq!(world.state.organisation.unwrap().name, "O");
}

#[test]
fn a_system_is_declared_without_a_review_and_changed_by_who_saw_the_latest() {
    let mut world = World::new();
    check(
        &kinds(world.declare(PLAIN, None)),
        expect!["desk.opened, book.adopted, person.named, person.named, system.declared"],
    );
    check(
        &kinds(world.declare(PLAIN, None)),
        expect![
            "the desk has a system `sys` already, declared in entry 4; change that one, or give the new one another id"
        ],
    );
    check(
        &kinds(world.declare("decides=false", Some(4))),
        expect!["system.declared"],
    );
    check(
        &kinds(world.declare("decides=true", Some(4))),
        expect!["somebody else changed `sys` in entry 5 meanwhile; look at it and decide again"],
    );
    check(&kinds(world.declare("decides=false", Some(5))), expect![""]);
}

#[test]
fn a_change_of_what_is_not_there_is_refused() {
    let mut world = World::new();
    check(
        &kinds(world.declare(PLAIN, Some(4))),
        expect!["the desk has no system `sys`; review one first (`alnager review DIR`)"],
    );
}

#[test]
fn answers_are_checked_against_the_vocabulary() {
    let mut world = World::new();
    world.declare("", None).unwrap();
    check(
        &kinds(world.answer("Tom", "narrow=maybe", "b")),
        expect!["`maybe` is no answer to `narrow`; write `true` or `false`"],
    );
    check(
        &kinds(world.answer("Tom", "narow=true", "b")),
        expect!["`narow` cannot be answered: there is no such fact; did you mean `narrow`?"],
    );
    check(
        &kinds(world.answer("Tom", "narrow=true", " ")),
        expect!["a decision needs its reason; give one with --basis"],
    );
    check(
        &kinds(world.answer("Tom", "narrow=true bans=no", "b")),
        expect!["`no` is no answer to `bans`; write `true` or `false`"],
    );
    assert_eq!(world.fact("narrow"), "unknown");
}

#[test]
fn what_follows_from_something_else_is_not_answered() {
    let mut world = World::new();
    let facts = format!(
        "{FACTS}[fact.adopted]\ntype = 'bool'\nquestion = 'q'\nserves = ['all']\nadopts = 'frame'\n[fact.places]\ntype = 'set'\nvalues = ['EU', 'US']\nquestion = 'q'\nserves = ['all']\n"
    );
    let pack = format!("{PACK}[[derive]]\nfact = 'risky'\nrule = 'decides'\n");
    world.book = Book::new(
        Vocabulary::parse("f", &facts).unwrap(),
        Register::parse("e", EVIDENCE, "kind").unwrap(),
        Register::default(),
        vec![Pack::parse("p", &pack).unwrap()],
    )
    .unwrap();
    world.declare("", None).unwrap();
    check(
        &kinds(world.answer("Tom", "risky=true", "b")),
        expect!["`risky` cannot be answered: it follows from other facts; answer those"],
    );
    check(
        &kinds(world.answer("Tom", "adopted=true", "b")),
        expect![
            "`adopted` cannot be answered: it follows from whether the organisation adopted `frame`; decide on that"
        ],
    );
    check(
        &kinds(world.answer("Tom", "places=EU,UK", "b")),
        expect![
            "`EU,UK` is no answer to `places`; write any of `EU`, `US`, parted by commas, or nothing for none of them"
        ],
    );
    world.answer("Tom", "places=US,EU", "b").unwrap();
    assert_eq!(world.fact("places"), "EU,US");
}

#[test]
fn an_answer_replaces_an_unconfirmed_one_and_is_proposed_beside_a_confirmed_one() {
    let mut world = World::new();
    world.declare("narrow=true", None).unwrap();
    check(
        &kinds(world.answer("Tom", "narrow=false bans=false", "b")),
        expect!["fact.answered, fact.answered"],
    );
    assert_eq!(world.fact("narrow"), "false");
    check(
        &kinds(world.answer("Vera", "narrow=false", "b")),
        expect!["`sys` has these answers already; there is nothing to decide"],
    );
    world.confirm("Vera", "narrow").unwrap();
    world.answer("Tom", "narrow=true", "c").unwrap();
    assert_eq!(world.fact("narrow"), "false confirmed, proposed true");
    // Who says again what stands takes the proposal back.
    world.answer("Tom", "narrow=false", "d").unwrap();
    assert_eq!(world.fact("narrow"), "false confirmed");
    check(
        &kinds(world.answer("Tom", "narrow=false", "e")),
        expect!["`sys` has these answers already; there is nothing to decide"],
    );
}

#[test]
fn who_did_not_see_the_latest_answer_is_told() {
    let mut world = World::new();
    world.declare("narrow=true", None).unwrap();
    let seen = world.state.systems["sys"].facts["narrow"].set_at;
    let mut answer = |value: &str, seen: Option<u64>| {
        let command = Command::AnswerFacts {
            system: "sys".to_owned(),
            answers: vec![NewAnswer {
                fact: "narrow".to_owned(),
                value: value.to_owned(),
                basis: "b".to_owned(),
            }],
            expected: vec![("narrow".to_owned(), seen)],
        };
        kinds(world.act("Tom", &command))
    };
    check(&answer("false", Some(seen)), expect!["fact.answered"]);
    check(
        &answer("true", Some(seen)),
        expect![
            "somebody else changed `narrow` of `sys` in entry 5 meanwhile; look at it and decide again"
        ],
    );
    check(
        &answer("true", None),
        expect![
            "somebody else changed `narrow` of `sys` in entry 5 meanwhile; look at it and decide again"
        ],
    );
}

#[test]
fn a_declaration_drops_only_what_it_said_itself() {
    let mut world = World::new();
    world.declare("narrow=true", None).unwrap();
    world.answer("Tom", "bans=false decides=true", "b").unwrap();
    world.declare("decides=false", Some(4)).unwrap();
    assert_eq!(world.fact("narrow"), "unknown");
    assert_eq!(world.fact("bans"), "false");
    assert_eq!(world.fact("decides"), "false");
}

#[test]
fn a_declaration_keeps_a_proposal_it_says_nothing_about_unless_an_earlier_one_made_it() {
    let mut world = World::new();
    world.declare("narrow=true bans=true", None).unwrap();
    world.confirm("Vera", "narrow").unwrap();
    world.confirm("Vera", "bans").unwrap();
    world.answer("Tom", "narrow=false", "b").unwrap();
    let at = |world: &World| Some(world.state.systems["sys"].declared_at);
    let seen = at(&world);
    world.declare("bans=false", seen).unwrap();
    assert_eq!(world.fact("narrow"), "true confirmed, proposed false");
    assert_eq!(world.fact("bans"), "true confirmed, proposed false");
    let seen = at(&world);
    world.declare("", seen).unwrap();
    assert_eq!(world.fact("narrow"), "true confirmed, proposed false");
    assert_eq!(world.fact("bans"), "true confirmed");
}

#[derive(Debug, Clone)]
enum Step {
    Declare(Vec<Option<bool>>),
    Answer(usize, bool, usize),
    Confirm(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let said = prop::collection::vec(prop::option::of(any::<bool>()), 3);
    prop_oneof![
        said.prop_map(Step::Declare),
        (0..3_usize, any::<bool>(), 0..4_usize)
            .prop_map(|(fact, value, who)| Step::Answer(fact, value, who)),
        (0..3_usize, 0..4_usize).prop_map(|(fact, who)| Step::Confirm(fact, who)),
    ]
}

proptest! {
    /// Whatever is declared, answered and confirmed in whatever order: what was confirmed stands until something else is confirmed.
    #[test]
    fn a_confirmed_answer_is_never_lost(steps in prop::collection::vec(step(), 1..40)) {
        const FACTS: [&str; 3] = ["decides", "narrow", "bans"];
        const PEOPLE: [&str; 4] = ["Rita", "Tom", "Vera", "Olga"];
        let mut world = World::new();
        world.declare("", None).unwrap();
        let mut confirmed: BTreeMap<String, String> = BTreeMap::new();
        for step in steps {
            let decided = match step {
                Step::Declare(said) => {
                    let said = FACTS.iter().zip(said);
                    let said = said.filter_map(|(fact, value)| Some(format!("{fact}={} ", value?)));
                    let seen = Some(world.state.systems["sys"].declared_at);
                    world.declare(&said.collect::<String>(), seen)
                }
                Step::Answer(fact, value, who) => {
                    world.answer(PEOPLE[who], &format!("{}={value}", FACTS[fact]), "b")
                }
                Step::Confirm(fact, who) => world.confirm(PEOPLE[who], FACTS[fact]),
            };
            for one in decided.unwrap_or_default() {
                if let Event::FactConfirmed(one) = one.event {
                    confirmed.insert(one.fact, one.value);
                }
            }
            for (fact, value) in &confirmed {
                let known = &world.state.systems["sys"].facts[fact];
                prop_assert!(known.confirmed_by.is_some());
                prop_assert_eq!(&known.answer.value, value);
            }
        }
    }
}
