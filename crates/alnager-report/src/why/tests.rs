#![expect(clippy::unwrap_used, reason = "tests")]

use alnager_law::explain::explain;
use alnager_law::fact::{Facts, Vocabulary};
use alnager_law::pack::{Pack, Register};
use alnager_law::requirement::AsOf;
use alnager_office::gate::Status;
use expect_test::{Expect, expect};
use jiff::civil::Date;

use super::*;

const FACTS: &str = r#"
schema = "alnager.facts/1"
version = "1"

[fact.places]
type = "set"
values = ["EU", "UK", "US"]
question = "Where is it used?"
serves = ["all"]

[fact.area]
type = "enum"
values = ["hiring", "credit", "games", "toys"]
question = "What is it used for?"
serves = ["all"]

[fact.research_only]
type = "bool"
question = "Is it built and used only for research?"
serves = ["act"]
guarded = ["true"]
guard_cite = "Art 2(6)"

[fact.n_users]
type = "number"
question = "How many people use it?"
serves = ["act"]

[fact.sold_on]
type = "date"
question = "When was it first sold?"
serves = ["act"]
"#;

const PACK: &str = r#"
schema = "alnager.pack/1"
id = "act"
version = "1"
title = "Act on Machines"
short = "Machines Act"
jurisdiction = "EU"
kind = "regulation"
binding = true
citation = "Act 1/2025"
confidence = "A"

[status]
state = "in_force"
as_of = 2026-11-01
known_as_of = 2026-11-01

[[applies.main]]
from = 2026-08-02
known = 2025-01-01
cite = "Art 50(1)"

[[applies.late]]
from = 2027-12-02
known = 2025-01-01
cite = "Art 50(2)"
unconfirmed = "the amendment is not yet consolidated"

[[transition]]
groups = ["late"]
when = "sold_on < date('2025-01-01')"
effect = "not_applicable"
cite = "Art 51"

[[derive]]
fact = "in_scope"
rule = "'EU' in places"
unless = ["research_only"]
cite = "Art 2"
note = "Use in the Union suffices."

[[derive]]
fact = "high_risk"
rule = "in_scope && (area in ['hiring', 'credit'] || n_users > 1000)"
cite = "Art 6"
unconfirmed = "the list may be amended"

[penalty.main]
max = "EUR 3 million"
cite = "Art 60"

[[requirement]]
id = "ACT-9"
what = "Manage the risks"
how = "Keep a register."
cite = "Art 9"
when = "high_risk && in_scope"
applies = ["main"]
phase = "before_use"
evidence = ["risk_register"]
role = "engineer"
penalty = "main"

[[requirement]]
id = "ACT-10"
what = "Register the machine"
how = "Fill in the form."
cite = "Art 10"
when = "high_risk"
applies = ["late"]
phase = "before_use"
evidence = ["risk_register"]
role = "officer"
"#;

const EVIDENCE: &str = r#"
schema = "alnager.evidence/1"
version = "1"
[kind.risk_register]
title = "Risk register"
what = "Risks and what is done about them."
"#;

fn book() -> Book {
    let vocabulary = Vocabulary::parse("facts.toml", FACTS).unwrap();
    let evidence = Register::parse("evidence.toml", EVIDENCE, "kind").unwrap();
    Book::new(
        vocabulary,
        evidence,
        Register::default(),
        vec![Pack::parse("pack.toml", PACK).unwrap()],
    )
    .unwrap()
}

/// One answer per line, `name value [confirmed by ID]`; every answer is by `p1`.
fn facts(book: &Book, answers: &str) -> Facts {
    let mut facts = Facts::new();
    for line in answers
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let mut words = line.split_whitespace();
        let at = book.vocabulary.position(words.next().unwrap()).unwrap();
        let answer = Answer {
            value: book.vocabulary.kinds()[at]
                .parse(words.next().unwrap())
                .unwrap(),
            by: "p1".to_owned(),
            on: "2026-11-02".parse().ok(),
            basis: "the product sheet".to_owned(),
            confirmed_by: words.next().map(str::to_owned),
        };
        facts.set(at, Some(answer));
    }
    facts
}

fn explained(book: &Book, answers: &str, id: &str) -> Explanation {
    let day: Date = "2026-11-23".parse().unwrap();
    explain(
        book,
        &facts(book, answers),
        AsOf {
            valid: day,
            known: day,
        },
        id,
    )
    .unwrap()
}

fn people(id: &str) -> String {
    match id {
        "p1" => "Dana Weber".to_owned(),
        other => format!("person {other}"),
    }
}

#[track_caller]
fn check(id: &str, answers: &str, want: Expect) {
    let book = book();
    want.assert_eq(&words(&explained(&book, answers, id), &book, None, &people));
}

#[test]
fn a_duty_in_force() {
    check(
        "ACT-9",
        "places EU,US\n area hiring\n research_only false\n n_users 20",
        expect![[r#"
            ACT-9 · Machines Act, Art 9
              Manage the risks
            in force since 2026-08-02
              the date comes from Art 50(1)
            preview: the list may be amended
            how: Keep a register.
            evidence: Risk register
            penalty EUR 3 million (Art 60)

            why
              ✓ holds: all of these are needed
                ✓ holds: `high_risk` (Machines Act, Art 6), all of these are needed
                  preview: the list may be amended
                  ✓ holds: `in_scope` (Machines Act, Art 2), all of these are needed
                    note: Use in the Union suffices.
                    ✓ holds: `'EU' in places`
                      Where is it used?
                      answered `EU, US` by Dana Weber on 2026-11-02, on the basis of: the product sheet
                    ✓ holds: not `research_only`
                      Is it built and used only for research?
                      answered `no` by Dana Weber on 2026-11-02, on the basis of: the product sheet
                  ✓ holds: one of these is enough
                    ✓ holds: `area in ['hiring', 'credit']`
                      What is it used for?
                      answered `hiring` by Dana Weber on 2026-11-02, on the basis of: the product sheet
                    ✕ does not hold: `n_users > 1e3` (answered `20`)
                ✓ holds: `in_scope` (Machines Act, Art 2) (see above)

            decided by
              `places`: `EU, US`
              `area`: `hiring`
              `research_only`: `no`

            would change
              if `area` were answered `games` or `toys`, it would be not applicable
              if `places` were answered `US`, it would be not applicable
              if `research_only` were answered `yes` and confirmed, it would be not applicable
        "#]],
    );
}

#[test]
fn a_guarded_answer_counts_once_confirmed() {
    check(
        "ACT-9",
        "places EU\n area hiring\n research_only true",
        expect![[r#"
            ACT-9 · Machines Act, Art 9
              Manage the risks
            unknown: 1 fact is missing that decides whether, or from when, it governs; it could govern from
              2026-08-02
              the date comes from Art 50(1)
            preview: the list may be amended
            how: Keep a register.
            evidence: Risk register
            penalty EUR 3 million (Art 60)

            why
              ? unknown: all of these are needed
                ? unknown: `high_risk` (Machines Act, Art 6), all of these are needed
                  preview: the list may be amended
                  ? unknown: `in_scope` (Machines Act, Art 2), all of these are needed
                    note: Use in the Union suffices.
                    ✓ holds: `'EU' in places` (answered `EU`)
                    ? unknown: not `research_only`
                      Is it built and used only for research?
                      answered `yes` by Dana Weber on 2026-11-02, on the basis of: the product sheet
                      not confirmed: counts as unknown until someone outside the building team confirms it
                        (guarded: Art 2(6))
                  ✓ holds: `area in ['hiring', 'credit'] || n_users > 1e3`
                ? unknown: `in_scope` (Machines Act, Art 2) (see above)

            missing
              `research_only`: Is it built and used only for research? (answered `yes`, awaits confirmation)

            would change
              if `places` were answered `none of them`, it would be not applicable
              if `research_only` were answered `no`, it would be in force since 2026-08-02
        "#]],
    );
    check(
        "ACT-9",
        "places EU\n area hiring\n research_only true p2",
        expect![[r#"
            ACT-9 · Machines Act, Art 9
              Manage the risks
            not applicable: its condition does not hold
            how: Keep a register.
            evidence: Risk register

            why
              ✕ does not hold: all of these are needed
                ✕ does not hold: `high_risk` (Machines Act, Art 6), all of these are needed
                  preview: the list may be amended
                  ✕ does not hold: `in_scope` (Machines Act, Art 2), all of these are needed
                    note: Use in the Union suffices.
                    ✓ holds: `'EU' in places` (answered `EU`)
                    ✕ does not hold: not `research_only`
                      Is it built and used only for research?
                      answered `yes` by Dana Weber on 2026-11-02, on the basis of: the product sheet; confirmed
                        by person p2
                  ✓ holds: `area in ['hiring', 'credit'] || n_users > 1e3`
                ✕ does not hold: `in_scope` (Machines Act, Art 2) (see above)

            decided by
              `research_only`: `yes`

            would change
              if `research_only` were answered `no`, it would be in force since 2026-08-02
        "#]],
    );
}

#[test]
fn nothing_is_answered() {
    check(
        "ACT-9",
        "",
        expect![[r#"
            ACT-9 · Machines Act, Art 9
              Manage the risks
            unknown: 4 facts are missing that decide whether, or from when, it governs; it could govern from
              2026-08-02
              the date comes from Art 50(1)
            preview: the list may be amended
            how: Keep a register.
            evidence: Risk register
            penalty EUR 3 million (Art 60)

            why
              ? unknown: all of these are needed
                ? unknown: `high_risk` (Machines Act, Art 6), all of these are needed
                  preview: the list may be amended
                  ? unknown: `in_scope` (Machines Act, Art 2), all of these are needed
                    note: Use in the Union suffices.
                    ? unknown: `'EU' in places`
                      Where is it used?
                      nobody has answered
                    ? unknown: not `research_only`
                      Is it built and used only for research?
                      nobody has answered
                  ? unknown: one of these is enough
                    ? unknown: `area in ['hiring', 'credit']`
                      What is it used for?
                      nobody has answered
                    ? unknown: `n_users > 1e3`
                      How many people use it?
                      nobody has answered
                ? unknown: `in_scope` (Machines Act, Art 2) (see above)

            missing
              `places`: Where is it used?
              `area`: What is it used for?
              `research_only`: Is it built and used only for research?
              `n_users`: How many people use it?

            would change
              if `places` were answered `none of them`, it would be not applicable
              if `research_only` were answered `yes` and confirmed, it would be not applicable
        "#]],
    );
}

#[test]
fn a_later_date_rests_on_a_transition() {
    check(
        "ACT-10",
        "places EU\n area games\n research_only false\n n_users 5000\n sold_on 2026-01-01",
        expect![[r#"
            ACT-10 · Machines Act, Art 10
              Register the machine
            ahead: it governs from 2027-12-02
              the date comes from Art 50(2)
            preview: the amendment is not yet consolidated
            preview: the list may be amended
            how: Fill in the form.
            evidence: Risk register

            why
              ✓ holds: `high_risk` (Machines Act, Art 6), all of these are needed
                preview: the list may be amended
                ✓ holds: `in_scope` (Machines Act, Art 2), all of these are needed
                  note: Use in the Union suffices.
                  ✓ holds: `'EU' in places`
                    Where is it used?
                    answered `EU` by Dana Weber on 2026-11-02, on the basis of: the product sheet
                  ✓ holds: not `research_only`
                    Is it built and used only for research?
                    answered `no` by Dana Weber on 2026-11-02, on the basis of: the product sheet
                ✓ holds: one of these is enough
                  ✕ does not hold: `area in ['hiring', 'credit']` (answered `games`)
                  ✓ holds: `n_users > 1e3`
                    How many people use it?
                    answered `5000` by Dana Weber on 2026-11-02, on the basis of: the product sheet

            decided by
              `places`: `EU`
              `research_only`: `no`
              `n_users`: `5000`

            would change
              if `n_users` were answered `none` or `1000` (for example), it would be not applicable
              if `places` were answered `none of them`, it would be not applicable
              if `research_only` were answered `yes` and confirmed, it would be not applicable
              if `sold_on` were answered `2024-12-31`, it would be not applicable
        "#]],
    );
}

#[test]
fn how_it_fares_stands_before_the_proof() {
    let book = book();
    let explanation = explained(&book, "places US\n research_only false", "ACT-9");
    let judged = Judged {
        requirement: explanation.requirement.clone(),
        status: Status::Gap,
        why: "Risk register: E-1 was rejected".to_owned(),
        next: "submit a corrected version of E-1".to_owned(),
        owner: "p1".to_owned(),
        evidence: vec!["E-1".to_owned()],
        binds: true,
        reading: None,
        conflicts: Vec::new(),
    };
    expect![[r#"
        ACT-9 · Machines Act, Art 9
          Manage the risks
        not applicable: its condition does not hold
        how: Keep a register.
        evidence: Risk register

        how it fares: gap
          because Risk register: E-1 was rejected
          next    submit a corrected version of E-1
          owner   Dana Weber

        why
          ✕ does not hold: all of these are needed
            ✕ does not hold: `high_risk` (Machines Act, Art 6), all of these are needed
              preview: the list may be amended
              ✕ does not hold: `in_scope` (Machines Act, Art 2), all of these are needed
                note: Use in the Union suffices.
                ✕ does not hold: `'EU' in places`
                  Where is it used?
                  answered `US` by Dana Weber on 2026-11-02, on the basis of: the product sheet
                ✓ holds: not `research_only` (answered `no`)
              ? unknown: `area in ['hiring', 'credit'] || n_users > 1e3`
            ✕ does not hold: `in_scope` (Machines Act, Art 2) (see above)

        decided by
          `places`: `US`

        would change
          no single other answer would settle it differently
          if `places` were EU, US and `area` were hiring, it would be in force
          if `places` were EU, US and `n_users` were 1001, it would be in force
    "#]]
    .assert_eq(&words(&explanation, &book, Some(&judged), &people));
    let mut text =
        serde_json::to_string_pretty(&json(&explanation, &book, Some(&judged), &people)).unwrap();
    text.push('\n');
    expect_test::expect_file!["../../golden/why.json"].assert_eq(&text);
}

#[test]
fn every_person_goes_through_the_names() {
    let book = book();
    let explanation = explained(
        &book,
        "places EU\n area hiring\n research_only true p2",
        "ACT-9",
    );
    let found = json(&explanation, &book, None, &|_| "someone".to_owned()).to_string();
    assert!(found.contains("someone") && !found.contains("\"p1\"") && !found.contains("\"p2\""));
}
