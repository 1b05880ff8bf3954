#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use alnager_audit::policy::Policy;
use alnager_law::book::Book;
use alnager_law::fact::Vocabulary;
use alnager_law::pack::{Pack, Register};
use alnager_law::requirement::AsOf;
use expect_test::{Expect, expect};
use uuid::Uuid;

use super::*;
use crate::state::State;

mod answer;
mod comment;
mod counsel;
mod dossier;
mod exception;
mod launch;
mod log;
mod opinion;
mod packs;
mod people;
mod role;
mod segment;
mod signature;
mod task;
mod watch;

const FACTS: &str = "
schema = 'alnager.facts/1'
version = '1'
[fact.decides]
type = 'bool'
question = 'Does it decide?'
serves = ['all']
[fact.narrow]
type = 'bool'
question = 'Is it narrow?'
serves = ['all']
guarded = ['true']
guard_cite = 'Art 6(3)'
[fact.bans]
type = 'bool'
question = 'Is it banned?'
serves = ['all']
";
const EVIDENCE: &str = "
schema = 'alnager.evidence/1'
version = '1'
[kind.dpia]
title = 'Impact assessment'
what = 'w'
[kind.procedure]
title = 'Procedure'
what = 'w'
[kind.screening_record]
title = 'Screening record'
what = 'w'
";
const PACK: &str = "
schema = 'alnager.pack/1'
id = 'x'
version = '1'
title = 'X'
short = 'X'
jurisdiction = 'X'
kind = 'statute'
binding = true
citation = 'X'
confidence = 'A'
status = { state = 'in_force', as_of = 2026-01-01, known_as_of = 2026-01-01 }
[[applies.now]]
from = 2020-01-01
known = 2019-01-01
cite = 'c'
[[applies.later]]
from = 2030-01-01
known = 2019-01-01
cite = 'c'
[[requirement]]
id = 'X-before'
what = 'Assess'
how = 'Write it down.'
cite = 'Art 1'
when = 'decides'
unless = ['narrow']
applies = ['now']
phase = 'before_use'
evidence = ['dpia']
role = 'privacy'
[[requirement]]
id = 'X-event'
what = 'Answer'
how = 'Have a procedure.'
cite = 'Art 2'
when = 'decides'
applies = ['now']
phase = 'on_event'
evidence = ['dpia']
role = 'legal'
[[requirement]]
id = 'X-org'
what = 'Train'
how = 'Train.'
cite = 'Art 3'
when = 'decides'
applies = ['now']
phase = 'organisation'
evidence = ['dpia']
role = 'officer'
[[requirement]]
id = 'X-later'
what = 'Register'
how = 'Register.'
cite = 'Art 4'
when = 'decides'
applies = ['later']
phase = 'before_use'
evidence = ['dpia']
role = 'legal'
[[requirement]]
id = 'X-ban'
kind = 'prohibition'
what = 'Do not'
how = 'Stop.'
cite = 'Art 5'
when = 'bans'
applies = ['now']
phase = 'before_use'
evidence = ['screening_record']
role = 'legal'
";
const POLICY: &str = "
schema = 'alnager.policy/1'
id = 'test'
version = '1'
title = 'Policy'
from = 2020-01-01
known = 2019-01-01
confidence_level = 0.95
min_group = 10
reference_min = 10
approved = { by = 'A', role = 'B', on = 2020-01-01 }
[[test]]
id = 'impact-ratio'
question = 'bias'
metric = 'impact_ratio'
low = '0.80'
high = '1.25'
what = 'w'
when = 'false'
source = 'yardstick'
cite = 'c'
";

struct World {
    book: Book,
    policy: Policy,
    state: State,
    /// What the book consists of.
    stamp: BookStamp,
    n_ids: u128,
    /// What the documents on offer hash to.
    hash: String,
}

impl World {
    fn new() -> Self {
        let vocabulary = Vocabulary::parse("f", FACTS).unwrap();
        let evidence = Register::parse("e", EVIDENCE, "kind").unwrap();
        let book = Book::new(
            vocabulary,
            evidence,
            Register::default(),
            vec![Pack::parse("p", PACK).unwrap()],
        )
        .unwrap();
        World {
            policy: Policy::parse("q", POLICY).unwrap(),
            book,
            state: State::default(),
            stamp: BookStamp { files: Vec::new() },
            n_ids: 1,
            hash: "00".to_owned(),
        }
    }

    fn act(&mut self, actor: &str, command: &Command) -> Result<Vec<Decided>, Refused> {
        let stamp = self.stamp.clone();
        let texts = Blob {
            name: "book.json".to_owned(),
            media: "application/json".to_owned(),
            bytes: Arc::default(),
        };
        let ids = (0..100)
            .map(|at| Uuid::from_u128(self.n_ids + at))
            .collect();
        self.n_ids += 100;
        let with = Context {
            book: &self.book,
            policy: &self.policy,
            stamp,
            texts,
            organisation: Uuid::from_u128(9_999_999).to_string(),
            actor: actor.to_owned(),
            today: "2026-11-23".parse().unwrap(),
            ids,
        };
        let decided = decide(&self.state, command, &with)?;
        for one in &decided {
            let meta = Meta {
                index: self.state.size,
                subjects: one.subjects.clone(),
                actor: one.actor.clone(),
            };
            self.state.apply(&one.event, &meta);
        }
        Ok(decided)
    }

    /// Reviews a declaration of `facts` (TOML lines) and more tables; gives the verdict with each requirement's status.
    fn review(&mut self, facts: &str, more: &str, on: &str) -> String {
        let command = self.command("sys", facts, more, on);
        let decided = self.act("Rita", &command).unwrap();
        let Some(Event::SystemReviewed(reviewed)) = decided.last().map(|one| &one.event) else {
            panic!("no review")
        };
        let statuses: Vec<String> = reviewed
            .requirements
            .iter()
            .map(|claim| format!("{} {}", claim.id, claim.status.word()))
            .collect();
        format!("{}: {}", reviewed.verdict.word(), statuses.join(", "))
    }

    fn command(&self, id: &str, facts: &str, more: &str, on: &str) -> Command {
        let facts: String = facts
            .split_whitespace()
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap();
                format!(
                    "{name} = {{ value = {value}, by = 'Tom', on = 2026-01-01, basis = 'b' }}\n"
                )
            })
            .collect();
        let text = format!(
            "schema = 'alnager.system/1'\nid = '{id}'\nname = 'S'\norganisation = 'O'\nowner = 'Rita'\nteam = ['Rita', 'Tom']\npurpose = 'p'\nstage = 'validation'\n[facts]\n{facts}\n{more}"
        );
        let declaration =
            Declaration::parse("system.toml", &text, &self.book, &self.policy).unwrap();
        let evidence = declaration
            .evidence
            .iter()
            .map(|declared| OfferedEvidence {
                declared: declared.clone(),
                sha256: self.hash.clone(),
                bytes: Arc::default(),
                note: None,
            })
            .collect();
        let when = AsOf {
            valid: on.parse().unwrap(),
            known: "2026-11-23".parse().unwrap(),
        };
        Command::Review(Box::new(Review {
            declaration,
            evidence,
            measures: Vec::new(),
            when,
            gate: Gate::Launch,
            warnings: Vec::new(),
            report: ReportStamp {
                form: "none".to_owned(),
                previous: None,
            },
            documents: Vec::new(),
        }))
    }

    fn rule(&mut self, actor: &str, evidence: &str, accept: bool) -> Result<Vec<Decided>, Refused> {
        let ruling = EvidenceRuling {
            evidence: evidence.to_owned(),
            requirements: Vec::new(),
            reason: "read".to_owned(),
        };
        self.act(
            actor,
            &if accept {
                Command::AcceptEvidence(ruling)
            } else {
                Command::RejectEvidence(ruling)
            },
        )
    }
}

fn evidence(kind: &str, requirement: &str, expires: &str) -> String {
    format!(
        "[[evidence]]\nfile = '{kind}-{requirement}.md'\nkind = '{kind}'\nrequirements = ['{requirement}']\neffective = 2026-01-01\nexpires = {expires}\nsubmitted_by = 'Tom'\n"
    )
}

#[track_caller]
fn check(got: &str, want: Expect) {
    want.assert_eq(got);
}

const PLAIN: &str = "decides=true narrow=false bans=false";

#[test]
fn nothing_asked_for_is_undecided_and_never_clear() {
    let mut world = World::new();
    check(
        &world.review("decides=false bans=false", "", "2026-11-23"),
        expect![
            "undecided: X-before not applicable, X-event not applicable, X-org not applicable, X-later not applicable, X-ban not applicable"
        ],
    );
}

#[test]
fn evidence_counts_once_someone_else_accepted_it() {
    let mut world = World::new();
    let all = [
        evidence("dpia", "X-before", "2027-01-01"),
        evidence("procedure", "X-event", "2027-01-01"),
        evidence("dpia", "X-org", "2027-01-01"),
    ]
    .concat();
    check(
        &world.review(PLAIN, &all, "2026-11-23"),
        expect![
            "undecided: X-before unknown, X-event unknown, X-org unknown, X-later ahead, X-ban not applicable"
        ],
    );
    assert!(matches!(
        world.rule("Tom", "E1", true),
        Err(Refused::OwnEvidence { .. })
    ));
    for id in ["E1", "E2", "E3"] {
        world.rule("Vera", id, true).unwrap();
    }
    check(
        &world.review(PLAIN, &all, "2026-11-23"),
        expect!["clear: X-before met, X-event met, X-org met, X-later ahead, X-ban not applicable"],
    );
    // The same evidence has expired on a later day, and the later duty has begun.
    check(
        &world.review(PLAIN, &all, "2030-01-01"),
        expect![
            "hold: X-before gap, X-event gap, X-org gap, X-later unknown, X-ban not applicable"
        ],
    );
}

#[test]
fn rejected_evidence_and_a_stated_absence_are_gaps() {
    let mut world = World::new();
    let all = evidence("dpia", "X-before", "2027-01-01")
        + "[[absence]]\nrequirement = 'X-event'\nstated_by = 'Tom'\non = 2026-01-01\nwhy = 'not yet'\n";
    world.review(PLAIN, &all, "2026-11-23");
    world.rule("Vera", "E1", false).unwrap();
    check(
        &world.review(PLAIN, &all, "2026-11-23"),
        expect![
            "hold: X-before gap, X-event gap, X-org unknown, X-later ahead, X-ban not applicable"
        ],
    );
}

#[test]
fn a_new_version_does_not_undo_a_rejection_until_someone_accepts_it() {
    let mut world = World::new();
    let offered = evidence("dpia", "X-before", "2027-01-01");
    world.review(PLAIN, &offered, "2026-11-23");
    world.rule("Vera", "E1", false).unwrap();
    world.hash = "11".to_owned();
    let verdict = world.review(PLAIN, &offered, "2026-11-23");
    assert!(verdict.starts_with("hold: X-before gap"), "{verdict}");
    world.rule("Vera", "E2", true).unwrap();
    let verdict = world.review(PLAIN, &offered, "2026-11-23");
    assert!(verdict.starts_with("undecided: X-before met"), "{verdict}");
}

#[test]
fn a_document_for_another_requirement_displaces_nothing() {
    let mut world = World::new();
    let one = evidence("dpia", "X-before", "2027-01-01");
    let two = one.replace("['X-before']", "['X-org']");
    world.review(PLAIN, &format!("{one}{two}"), "2026-11-23");
    world.rule("Vera", "E1", true).unwrap();
    let size = world.state.evidence.len();
    let verdict = world.review(PLAIN, &format!("{one}{two}"), "2026-11-23");
    assert!(verdict.starts_with("undecided: X-before met"), "{verdict}");
    assert_eq!(
        world.state.evidence.len(),
        size,
        "the same documents were entered again"
    );
}

#[test]
fn spacing_and_capitals_do_not_make_a_second_person() {
    let mut world = World::new();
    world.review(
        PLAIN,
        &evidence("dpia", "X-before", "2027-01-01"),
        "2026-11-23",
    );
    assert!(matches!(
        world.rule(" tom ", "E1", true),
        Err(Refused::OwnEvidence { .. })
    ));
}

#[test]
fn a_duty_of_the_organisation_is_met_once_and_inherited() {
    let mut world = World::new();
    world.review(
        PLAIN,
        &evidence("dpia", "X-org", "2027-01-01"),
        "2026-11-23",
    );
    world.rule("Vera", "E1", true).unwrap();
    let other = world.command("other", PLAIN, "", "2026-11-23");
    let decided = world.act("Rita", &other).unwrap();
    let Some(Event::SystemReviewed(reviewed)) = decided.last().map(|one| &one.event) else {
        panic!("no review")
    };
    let org = reviewed
        .requirements
        .iter()
        .find(|claim| claim.id == "X-org")
        .unwrap();
    assert_eq!(org.status.word(), "met");
    // The review rests on the entry that accepted it, so a dossier about the other system shows it.
    assert_eq!(decided.last().unwrap().refs.len(), 1);
}

#[test]
fn a_prohibited_practice_holds_the_gate_until_counsel_signs() {
    let mut world = World::new();
    let screened = evidence("screening_record", "X-ban", "2027-01-01");
    check(
        &world.review("decides=false bans=true", &screened, "2026-11-23"),
        expect![
            "hold: X-before not applicable, X-event not applicable, X-org not applicable, X-later not applicable, X-ban gap"
        ],
    );
    world.rule("Vera", "E1", true).unwrap();
    check(
        &world.review("decides=false bans=true", &screened, "2026-11-23"),
        expect![
            "clear: X-before not applicable, X-event not applicable, X-org not applicable, X-later not applicable, X-ban met"
        ],
    );
}

#[test]
fn an_exception_is_confirmed_by_someone_outside_the_team() {
    let mut world = World::new();
    let claims = "decides=true narrow=true bans=false";
    check(
        &world.review(claims, "", "2026-11-23"),
        expect![
            "undecided: X-before unknown, X-event unknown, X-org unknown, X-later ahead, X-ban not applicable"
        ],
    );
    let confirm = Command::ConfirmFact {
        system: "sys".to_owned(),
        fact: "narrow".to_owned(),
        value: None,
        basis: "seen".to_owned(),
    };
    assert!(matches!(
        world.act("Tom", &confirm),
        Err(Refused::Builder { .. })
    ));
    assert!(matches!(
        world.act("Rita", &confirm),
        Err(Refused::Builder { .. })
    ));
    world.act("Vera", &confirm).unwrap();
    check(
        &world.review(claims, "", "2026-11-23"),
        expect![
            "undecided: X-before not applicable, X-event unknown, X-org unknown, X-later ahead, X-ban not applicable"
        ],
    );
}

#[test]
fn leaving_the_team_makes_no_outsider() {
    let mut world = World::new();
    world.review("decides=true narrow=true bans=false", "", "2026-11-23");
    let Command::Review(mut review) = world.command(
        "sys",
        "decides=true narrow=true bans=false",
        "",
        "2026-11-23",
    ) else {
        panic!("a review")
    };
    review.declaration.team = vec!["Rita".to_owned()];
    world.act("Rita", &Command::Review(review)).unwrap();
    let confirm = Command::ConfirmFact {
        system: "sys".to_owned(),
        fact: "decides".to_owned(),
        value: None,
        basis: "seen".to_owned(),
    };
    assert!(matches!(
        world.act("To\u{200b}m", &confirm),
        Err(Refused::Builder { .. })
    ));
    world.act("Vera", &confirm).unwrap();
}

#[test]
fn a_later_declaration_proposes_and_never_overwrites_a_confirmed_fact() {
    let mut world = World::new();
    world.review("decides=true narrow=true bans=false", "", "2026-11-23");
    let confirm = |value: Option<&str>| Command::ConfirmFact {
        system: "sys".to_owned(),
        fact: "narrow".to_owned(),
        value: value.map(str::to_owned),
        basis: "seen".to_owned(),
    };
    world.act("Vera", &confirm(None)).unwrap();
    world.review("decides=true narrow=false bans=false", "", "2026-11-23");
    let fact = world.state.systems["sys"].facts["narrow"].clone();
    assert_eq!(
        (
            fact.answer.value.as_str(),
            fact.proposal.unwrap().value.as_str()
        ),
        ("true", "false")
    );
    assert!(matches!(
        world.act("Vera", &confirm(Some("maybe"))),
        Err(Refused::OtherValue { .. })
    ));
    world.act("Vera", &confirm(None)).unwrap();
    let fact = world.state.systems["sys"].facts["narrow"].clone();
    assert_eq!(
        (
            fact.answer.value.as_str(),
            fact.proposal,
            fact.confirmed_by.is_some()
        ),
        ("false", None, true)
    );
}

#[test]
fn the_same_declaration_again_enters_only_its_review() {
    let mut world = World::new();
    let all = evidence("dpia", "X-before", "2027-01-01");
    world.review(PLAIN, &all, "2026-11-23");
    let command = world.command("sys", PLAIN, &all, "2026-11-23");
    let kinds: Vec<&str> = world
        .act("Rita", &command)
        .unwrap()
        .iter()
        .map(|one| one.event.kind())
        .collect();
    assert_eq!(kinds, ["system.reviewed"]);
}

#[test]
fn names_occur_in_person_events_alone() {
    let mut world = World::new();
    let command = world.command(
        "sys",
        PLAIN,
        &evidence("dpia", "X-before", "2027-01-01"),
        "2026-11-23",
    );
    for one in world.act("Rita", &command).unwrap() {
        let payload = String::from_utf8(one.event.to_payload().unwrap()).unwrap();
        let names = ["Rita", "Tom"].iter().any(|name| payload.contains(name));
        assert_eq!(
            names,
            one.event.kind() == "person.named",
            "{}: {payload}",
            one.event.kind()
        );
        assert_eq!(
            Event::from_payload(one.event.kind(), payload.as_bytes()).unwrap(),
            one.event
        );
    }
}

#[test]
fn a_desk_belongs_to_one_organisation() {
    let mut world = World::new();
    world.review(PLAIN, "", "2026-11-23");
    let Command::Review(mut review) = world.command("sys", PLAIN, "", "2026-11-23") else {
        panic!("a review")
    };
    review.declaration.organisation = "Another".to_owned();
    assert!(matches!(
        world.act("Rita", &Command::Review(review)),
        Err(Refused::OtherOrganisation { .. })
    ));
}
