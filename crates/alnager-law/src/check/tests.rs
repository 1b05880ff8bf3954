#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::space::{NEVER, Space};
use super::*;
use crate::book::Book;
use crate::fact::{Answer, Facts, Value};
use crate::figure;
use crate::rule::Truth;
use expect_test::{Expect, expect};
use proptest::prelude::*;

const FACTS: &str = "
schema = 'alnager.facts/1'\nversion = '1'
[fact.a]\ntype = 'bool'\nquestion = 'a?'\nserves = ['all']
[fact.b]\ntype = 'bool'\nquestion = 'b?'\nserves = ['all']
[fact.free]\ntype = 'bool'\nquestion = 'free?'\nserves = ['all']\nguarded = ['true']\nguard_cite = 'c'
[fact.other]\ntype = 'bool'\nquestion = 'other?'\nserves = ['y']
[fact.n]\ntype = 'number'\nquestion = 'n?'\nserves = ['all']
[fact.d]\ntype = 'date'\nquestion = 'd?'\nserves = ['all']
[fact.e]\ntype = 'enum'\nvalues = ['p', 'q', 'r']\nquestion = 'e?'\nserves = ['all']
[fact.s]\ntype = 'set'\nvalues = ['US', 'US-CO', 'EU']\nwithin = { US-CO = 'US' }\nquestion = 's?'\nserves = ['all']
";
const HEADER: &str = "
schema = 'alnager.pack/1'\nid = 'x'\nversion = '1'\ntitle = 'X'\nshort = 'X'\njurisdiction = 'X'\nkind = 'statute'\nbinding = true
citation = 'X'\nconfidence = 'B'\nstatus = { state = 'in_force', as_of = 2026-01-01, known_as_of = 2026-01-01 }
";
const NOW: &str = "applies.now = [{ from = 2020-01-01, known = 2019-01-01, cite = 'c' }]\n";
const CASES: &str = "
schema = 'alnager.cases/1'
case = [
    { id = 'C1', why = 'w', source = 's', at = 2026-01-01, known = 2026-01-01, facts = {}, expect = { in_force = ['X-1'] } },
    { id = 'C2', why = 'w', source = 's', at = 2026-01-01, known = 2026-01-01, facts = {}, expect = { not_applicable = ['X-1'] } },
    { id = 'C3', why = 'w', source = 's', at = 2026-01-01, known = 2026-01-01, facts = {}, expect = { upcoming = { X-1 = 2027-01-01 } } },
]
";

/// A requirement with further or other fields, one per line.
fn requirement(fields: &str) -> String {
    let usual = [
        "id = 'X-1'",
        "what = 'w'",
        "how = 'h'",
        "cite = 'c'",
        "when = 'a'",
        "applies = ['now']",
        "phase = 'before_use'",
        "evidence = ['e']",
        "controls = ['C']",
        "role = 'legal'",
    ];
    let key = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let given: Vec<String> = fields.lines().map(key).collect();
    let rest = usual.iter().filter(|line| !given.contains(&key(line)));
    let rest: Vec<&str> = rest.copied().collect();
    format!("[[requirement]]\n{fields}\n{}\n", rest.join("\n"))
}

fn run(packs: &[String], cases: Option<&str>, earlier: &[Pack]) -> Checked {
    let vocabulary = Vocabulary::parse("f", FACTS).unwrap();
    let register = |table: &str, id: &str| {
        let text = format!(
            "schema = 'alnager.evidence/1'\nversion = '1'\n[{table}.{id}]\ntitle = 't'\nwhat = 'w'\n"
        );
        Register::parse("r", &text, table).unwrap()
    };
    let figures = "schema = 'alnager.figures/1'\nversion = '1'\n[kind.notice]\ntitle = 't'\nstricter = 'longer'\n";
    let texts: Vec<PackTexts> = packs
        .iter()
        .enumerate()
        .map(|(at, pack)| PackTexts {
            file: if at == 0 {
                "x/pack.toml".to_owned()
            } else {
                format!("y{at}")
            },
            pack: pack.clone(),
            cases: cases.map(|text| ("x/cases.toml".to_owned(), text.to_owned())),
        })
        .collect();
    check(
        &texts,
        &Surroundings {
            vocabulary: &vocabulary,
            evidence: &register("kind", "e"),
            controls: &register("control", "C"),
            figures: &figure::kinds("g", figures).unwrap(),
            others: &[],
            outside: &[],
            earlier,
        },
    )
}

/// The findings about a pack with this body and the usual cases, one a line, without the advice.
#[track_caller]
fn finds(body: &str, want: Expect) {
    shows(&run(&[format!("{HEADER}{body}")], Some(CASES), &[]), want);
}

#[track_caller]
fn shows(checked: &Checked, want: Expect) {
    let lines = checked.findings.iter().map(|finding| {
        assert!(!finding.advice.is_empty(), "{finding:?}");
        format!(
            "{} {}: {}\n",
            finding.severity.word(),
            finding.line,
            finding.what
        )
    });
    want.assert_eq(&lines.collect::<String>());
}

#[test]
fn a_sound_pack_has_no_finding() {
    finds(&format!("{NOW}{}", requirement("")), expect![""]);
}

#[test]
fn all_errors_are_found_not_only_the_first() {
    let body = format!(
        "{NOW}{}{}",
        requirement(
            "id = 'X-1'\nwhen = 'nobody_knows'\nevidence = ['nothing']\ncontrols = ['D']\npenalty = 'none'"
        ),
        requirement("id = 'X-2'\nwhen = 'a &&'\napplies = ['never']\nrole = 'nobody'\n"),
    );
    finds(
        &body,
        expect![[r#"
        error 14: `X-1` names the control `D`, which does not exist
        error 14: `X-1` names the kind of evidence `nothing`, which does not exist
        error 14: `X-1` names the penalty `none`, which does not exist
        error 16: `requirement[0].when`: in the condition `nobody_knows`, at character 1: there is no fact `nobody_knows`
        error 30: `requirement[1].role`: `nobody` is not a valid value
    "#]],
    );
}

#[test]
fn names_of_every_kind_are_looked_up() {
    let body = format!(
        "{NOW}{}",
        requirement(
            "clocks = ['L']\nfigures = [{ kind = 'note', at_least = '3 days', cite = 'c' }]\nconflicts = [{ with = 'Z-1', why = 'w' }]"
        ),
    );
    finds(
        &body,
        expect![[r#"
            error 14: `X-1` conflicts with `Z-1`, which does not exist
            error 14: `X-1` names the clock `L`, which does not exist
            error 14: `X-1` names the kind of figure `note`, which does not exist
        "#]],
    );
}

#[test]
fn a_condition_that_can_never_hold_is_found() {
    for when in [
        "a && !a",
        "n > 5 && n < 3",
        "n > 5 && n <= 5",
        "d < date('2026-01-01') && d > date('2026-06-01')",
        "d > date('2026-01-01') && d < date('2026-01-02')",
        "e == 'p' && e == 'q'",
        "e != 'p' && e != 'q' && e != 'r'",
        "'US-CO' in s && !('US' in s)",
        "x_ab && !b",
    ] {
        let body = format!(
            "{NOW}derive = [{{ fact = 'x_ab', rule = 'a && b' }}]\n{}",
            requirement(&format!("when = \"{when} && (x_ab || !x_ab)\""))
        );
        let checked = run(&[format!("{HEADER}{body}")], Some(CASES), &[]);
        let found = checked
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error);
        let found: Vec<&str> = found.map(|finding| finding.what.as_str()).collect();
        assert_eq!(found, ["the condition of `X-1` can never hold"], "{when}");
    }
}

#[test]
fn what_can_hold_is_not_complained_of() {
    for when in [
        "n > 5 || n < 3",
        "n >= 5 && n <= 5",
        "!(n > 5) && !(n <= 5)",
        "d > date('2026-01-01') && d < date('2026-01-03')",
        "e != 'p' && e != 'q'",
        "'US' in s && !('US-CO' in s)",
    ] {
        let body = format!("{NOW}{}", requirement(&format!("when = \"{when}\"")));
        let checked = run(&[format!("{HEADER}{body}")], Some(CASES), &[]);
        assert_eq!(checked.n_errors(), 0, "{when}: {:?}", checked.findings);
    }
}

#[test]
fn dead_exceptions_and_alternatives_are_found() {
    let body = format!(
        "{NOW}{}",
        requirement(
            "when = \"a || (b && !b) || (a && e == 'p')\"\nunless = ['free', 'free && b', '!a && free', 'b']"
        )
    );
    finds(
        &body,
        expect![[r#"
            error 15: in the condition of `X-1`, the alternative `b && !b` can never hold
            warning 15: in the condition of `X-1`, the alternative `a && e == 'p'` adds nothing: another holds wherever it does
            error 16: the exception `!a && free` to the condition of `X-1` takes nothing away: both never hold together
            warning 16: the exception `b` rests on no answer that needs confirmation
            warning 16: the exception `free && b` to the condition of `X-1` takes away only what the others take away
        "#]],
    );
    let body = format!("{NOW}{}", requirement("unless = ['free', '!free']"));
    finds(
        &body,
        expect![[r#"
            error 20: the exceptions to the condition of `X-1` leave nothing of it
        "#]],
    );
}

#[test]
fn of_rows_choices_and_transitions_each_can_take_effect() {
    let body = "
[[applies.one]]\nfrom = 2020-01-01\nknown = 2019-01-01\ncite = 'c'\nwhen = 'b'
[[applies.one]]\nfrom = 2021-01-01\nknown = 2019-01-01\ncite = 'c'
[[applies.one]]\nfrom = 2022-01-01\nknown = 2020-01-01\ncite = 'c'
[[applies.two]]\nfrom = 2020-01-01\nknown = 2019-01-01\ncite = 'c'
[[applies.two]]\nfrom = 2021-01-01\nknown = 2019-01-01\ncite = 'c'\nwhen = '!a'
[choose]\npick = [{ group = 'one', when = 'b' }, { group = 'two' }]
[[transition]]\ngroups = ['two']\nwhen = 'b'\neffect = 'not_applicable'\ncite = 'c'
[[transition]]\ngroups = ['two']\nwhen = 'a && b'\nfrom = 2030-01-01\ncite = 'c'
";
    finds(
        &format!("{body}{}", requirement("applies = ['pick', 'one', 'two']")),
        expect![[r#"
            error 14: the row of `one` that begins on 2020-01-01 can never be the one that counts
            error 19: the row of `one` that begins on 2021-01-01 can never be the one that counts
            error 23: the row of `one` that begins on 2022-01-01 can never be the one that counts
            warning 31: the row of `two` that begins on 2021-01-01 never dates one of its requirements
            error 37: `pick` can never stand for `one`
            error 43: this transition can never take effect
        "#]],
    );
}

#[test]
fn a_branch_that_lives_under_some_knowledge_is_no_finding() {
    let body = format!(
        "{NOW}
[[derive]]\nfact = 'x_v'\nrule = 'a && b'\nknown = 2019-01-01\nuntil_known = 2020-01-01
[[derive]]\nfact = 'x_v'\nrule = 'a && !b'\nknown = 2020-01-01
{}",
        requirement("when = 'x_v && b'")
    );
    finds(&body, expect![[""]]);
}

#[test]
fn a_fact_has_one_rule_at_a_time() {
    let body = format!(
        "{NOW}
[[derive]]\nfact = 'x_v'\nrule = 'a'\nknown = 2019-01-01
[[derive]]\nfact = 'x_v'\nrule = 'b'\nknown = 2020-01-01
[[derive]]\nfact = 'a'\nrule = 'b'
[[derive]]\nfact = 'x_c'\nrule = 'x_e'
[[derive]]\nfact = 'x_e'\nrule = '!x_c'
{}",
        requirement("when = 'x_v || x_c'")
    );
    let other = format!(
        "{}{NOW}[[derive]]\nfact = 'x_v'\nrule = 'b'\n{}",
        HEADER.replace("'x'", "'y'"),
        requirement("")
    );
    shows(
        &run(&[format!("{HEADER}{body}"), other], Some(CASES), &[]),
        expect![[r#"
            error 19: two versions of the fact `x_v` count at once, this one and that of x/pack.toml, line 15
            error 23: `a` is both asked of a person and derived here
            error 26: the derived fact `x_c` depends on itself
            error 29: the derived fact `x_e` depends on itself
            error 14: the fact `x_v` is already derived in x/pack.toml, line 15, and neither rule comes first
            error 17: the requirement id `X-1` is already used in x/pack.toml, line 32
        "#]],
    );
}

#[test]
fn dates_stand_in_order() {
    let body = format!(
        "enforcement = [{{ state = 'grace', from = 2026-01-01, until = 2025-01-01, known = 2026-02-01, cite = 'c' }}]
timeline = [{{ date = 2021-01-01, event = 'e' }}, {{ date = 2020-01-01, event = 'e' }}]
[[applies.now]]\nfrom = 2020-01-01\nto = 2019-01-01\nknown = 2019-01-01\ncite = 'c'
[[applies.now]]\nfrom = 2020-01-01\nknown = 2026-01-02\ncite = 'c'\n{}",
        requirement("")
    );
    finds(
        &body,
        expect![[r#"
        error 13: it holds from 2026-01-01 but ends 2025-01-01
        error 13: known on 2026-02-01, and the law was read only up to 2026-01-01
        warning 14: the timeline goes back in time here
        error 15: `applies.now[0]`: it governs from 2020-01-01 but ends before
        error 20: known on 2026-01-02, and the law was read only up to 2026-01-01
    "#]],
    );
}

#[test]
fn what_nothing_uses_is_a_warning() {
    let body = format!(
        "{NOW}applies.later = [{{ from = 2020-01-01, known = 2019-01-01, cite = 'c' }}]
penalty.fine = {{ max = 'm', cite = 'c' }}
derive = [{{ fact = 'x_idle', rule = 'other' }}]\n{}",
        requirement("kind = 'prohibition'\ncontrols = []\nunless = ['b']")
    );
    finds(
        &body,
        expect![[r#"
        warning 0: the pack reads the fact `other`, whose list of packs it serves does not name it
        warning 14: nothing uses the date group `later`
        warning 15: nothing uses the penalty `fine`
        warning 16: nothing reads the derived fact `x_idle`
        warning 17: `X-1` names no control
        warning 17: the prohibition `X-1` is not shown by a screening
        warning 20: the exception `b` rests on no answer that needs confirmation
    "#]],
    );
}

#[test]
fn the_header_is_held_against_itself() {
    let header = HEADER
        .replace("confidence = 'B'", "confidence = 'A'")
        .replace("kind = 'statute'", "kind = 'bill'")
        .replace("version = '1'", "version = 'one'")
        .replace("known_as_of = 2026-01-01", "known_as_of = 2026-01-02");
    let body = format!("{NOW}{}", requirement("unconfirmed = 'all of it'"));
    shows(
        &run(&[format!("{header}{body}")], Some(CASES), &[]),
        expect![[r#"
            error 4: the version `one` is not made of numbers and dots, so that later ones cannot be told
            warning 9: a bill does not bind by itself
            error 11: the pack is graded A, and no requirement in it is confirmed
            error 11: the pack is graded A, and no source of grade A is listed
            error 12: the law was read up to 2026-01-02, after the day of the status, 2026-01-01
        "#]],
    );
}

#[test]
fn cases_are_read_and_counted() {
    let pack = format!(
        "{HEADER}{NOW}{}{}",
        requirement(""),
        requirement("id = 'X-2'")
    );
    shows(
        &run(std::slice::from_ref(&pack), None, &[]),
        expect![[r#"
        warning 0: there is no `cases.toml` beside the pack
    "#]],
    );
    let cases = "schema = 'alnager.cases/1'
[[case]]\nid = 'C1'\nat = 2026-01-01\nknown = 2026-01-01\nfacts = { a = 3 }\nexpect = { in_force = ['X-1'] }
[[case]]\nid = 'C2'\nat = 2026-01-01\nknown = 2026-01-01\nfacts = {}\nexpect = { in_force = ['X-1', 'X-7'] }
[[case]]\nid = 'C2'\nwhy = 'w'\nsource = 's'\nat = 2026-01-01\nknown = 2026-01-01\nfacts = {}\nexpect = {}\n";
    let checked = run(&[pack], Some(cases), &[]);
    shows(
        &checked,
        expect![[r#"
        warning 0: 2 cases show too little
        warning 0: cases mention 1 of 2 requirements
        error 6: `case[0].facts.a`: expected true or false, without quotes, found the number 3
        error 8: case `C2` expects something of `X-7`, which does not exist
        warning 8: case `C2` has no `source`
        warning 8: case `C2` has no `why`
        error 14: the case `C2` stands here a second time
    "#]],
    );
    let covered = &checked.coverage[0];
    assert_eq!(
        (covered.n_cases, covered.n_mentioned, covered.n_requirements),
        (2, 1, 2)
    );
}

#[test]
fn an_id_that_is_gone_must_be_replaced() {
    let earlier = format!(
        "{HEADER}{NOW}{}{}",
        requirement("id = 'X-0'"),
        requirement("id = 'X-2'")
    );
    let earlier = [Pack::parse("e", &earlier).unwrap()];
    let with = |fields: &str| {
        run(
            &[format!("{HEADER}{NOW}{}", requirement(fields))],
            Some(CASES),
            &earlier,
        )
    };
    shows(
        &with(""),
        expect![[r#"
        error 0: `X-0` of version 1 is gone
        error 0: `X-2` of version 1 is gone
        warning 14: `X-1` is new, replaces nothing, and others are gone
    "#]],
    );
    shows(&with("replaces = ['X-0', 'X-2']"), expect![[""]]);
    shows(
        &with("replaces = ['X-0', 'X-2', 'X-3']"),
        expect![[r#"
        warning 14: `X-1` replaces `X-3`, which version 1 does not have
    "#]],
    );
}

#[test]
fn what_is_no_toml_names_its_line() {
    finds(
        "[[requirement]]\nid = ",
        expect![[r#"
        error 14: this is not TOML: string values must be quoted, expected literal string
    "#]],
    );
}

#[test]
fn a_condition_too_large_for_the_budget_is_said_to_be_undecided() {
    // Pairs whose halves lie far apart: the diagram doubles with every pair.
    let mut facts = "schema = 'alnager.facts/1'\nversion = '1'\n".to_owned();
    let n = 12;
    for name in (0..n)
        .map(|at| format!("l{at}"))
        .chain((0..n).map(|at| format!("r{at}")))
    {
        facts.push_str(&format!(
            "[fact.{name}]\ntype = 'bool'\nquestion = 'q?'\nserves = ['all']\n"
        ));
    }
    let vocabulary = Vocabulary::parse("f", &facts).unwrap();
    let names = BTreeMap::new();
    let pairs: Vec<String> = (0..n).map(|at| format!("l{at} && r{at}")).collect();
    let names = crate::rule::Names {
        vocabulary: &vocabulary,
        derived: &names,
    };
    let rule = crate::rule::parse(&pairs.join(" || "), &names).unwrap();
    let mut space = Space::new(&vocabulary, Vec::new(), std::iter::once(&rule), 1_000);
    assert_eq!(space.node(&rule), None);
    assert!(space.has_ended());
    let mut space = Space::new(&vocabulary, Vec::new(), std::iter::once(&rule), 1_000_000);
    assert!(space.node(&rule).is_some_and(|node| node != NEVER));
}

#[test]
fn a_chain_too_long_to_be_followed_is_found_and_not_followed() {
    let derives = (0..70).fold(String::new(), |text, at| {
        let rule = match at {
            0 => "a".to_owned(),
            at => format!("x_{} || b", at - 1),
        };
        text + &format!("[[derive]]\nfact = 'x_{at}'\nrule = '{rule}'\n")
    });
    let body = format!("{NOW}{derives}{}", requirement("when = 'x_69'"));
    let checked = run(&[format!("{HEADER}{body}")], Some(CASES), &[]);
    let errors = checked.findings.iter();
    let errors: Vec<&str> = errors
        .filter(|finding| finding.severity == super::Severity::Error)
        .map(|finding| finding.what.as_str())
        .collect();
    assert_eq!(errors.len(), 6, "{errors:?}");
    assert_eq!(
        errors[0],
        "the derived fact `x_64` rests on a chain of 65 derived facts, and at most 64 may follow each other"
    );
}

#[test]
fn the_budget_counts_branches_and_questions_and_is_one_for_all_states_of_knowledge() {
    let values: Vec<String> = (0..100).map(|at| format!("'v{at}'")).collect();
    let facts = format!(
        "schema = 'alnager.facts/1'\nversion = '1'\n[fact.wide]\ntype = 'enum'\nvalues = [{}]\nquestion = 'q?'\nserves = ['all']\n",
        values.join(", ")
    );
    let vocabulary = Vocabulary::parse("f", &facts).unwrap();
    let names = crate::rule::Names {
        vocabulary: &vocabulary,
        derived: &BTreeMap::new(),
    };
    let rule = crate::rule::parse("wide == 'v7'", &names).unwrap();
    let space = |n_steps| Space::new(&vocabulary, Vec::new(), std::iter::once(&rule), n_steps);
    assert_eq!(space(100).node(&rule), None);
    let mut one = space(101);
    assert!(one.node(&rule).is_some());
    // The next state of knowledge has what this one left.
    let mut next = space(one.n_left());
    assert_eq!(next.node(&rule), None);
    assert!(next.has_ended());
    // The same question asked again is a step, too.
    let mut one = space(500);
    let node = one.node(&rule).unwrap();
    let not = one.not(node).unwrap();
    let before = one.n_left();
    assert_eq!(one.and(node, not), Some(NEVER));
    let once = one.n_left();
    assert_eq!(one.and(node, not), Some(NEVER));
    assert_eq!((before > once, once - one.n_left()), (true, 1));
}

/// Every complete answer to the facts of `FACTS` that the conditions below can tell apart.
fn worlds(vocabulary: &Vocabulary) -> Vec<Facts> {
    let mut worlds = vec![Facts::hypothetical(false)];
    let day = |text: &str| Value::Date(text.parse().unwrap());
    for (position, kind) in vocabulary.kinds().iter().enumerate() {
        let values: Vec<Value> = match kind.name.as_str() {
            "n" => vec![
                Value::None,
                Value::Number(0.0),
                Value::Number(1.0),
                Value::Number(1.5),
                Value::Number(2.0),
                Value::Number(3.0),
            ],
            "d" => vec![
                Value::None,
                day("2025-01-01"),
                day("2026-01-01"),
                day("2026-01-02"),
                day("2026-01-03"),
            ],
            "s" => ["", "US", "EU", "US-CO", "EU,US", "EU,US-CO"]
                .iter()
                .map(|text| kind.parse(text).unwrap())
                .collect(),
            "e" => ["p", "q", "r"]
                .iter()
                .map(|text| kind.parse(text).unwrap())
                .collect(),
            "a" | "b" => vec![Value::Bool(true), Value::Bool(false)],
            _ => continue,
        };
        worlds = worlds
            .iter()
            .flat_map(|world| {
                values.iter().map(|value| {
                    let mut world = world.clone();
                    world.set(position, Some(Answer::bare(value.clone())));
                    world
                })
            })
            .collect();
    }
    worlds
}

fn condition() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(vec![
        "a",
        "b",
        "x_d",
        "n < 1",
        "n >= 2",
        "n == 1",
        "n != 2",
        "d < date('2026-01-01')",
        "d > date('2026-01-02')",
        "d == date('2026-01-02')",
        "e == 'p'",
        "e != 'q'",
        "e in ['q', 'r']",
        "'US' in s",
        "'US-CO' in s",
        "has_any(s, ['US', 'EU'])",
    ]);
    atom.prop_map(str::to_owned)
        .prop_recursive(4, 16, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(|one| format!("!({one})")),
                prop::collection::vec(inner.clone(), 2..4)
                    .prop_map(|all| format!("({})", all.join(" && "))),
                prop::collection::vec(inner, 2..4)
                    .prop_map(|any| format!("({})", any.join(" || "))),
            ]
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_condition_can_hold_exactly_where_some_complete_answer_makes_it_hold(text in condition()) {
        let pack = format!("{HEADER}{NOW}derive = [{{ fact = 'x_d', rule = \"a && n < 1 || 'EU' in s\" }}]\n{}", requirement(&format!("when = \"{text}\"")));
        let vocabulary = Vocabulary::parse("f", FACTS).unwrap();
        let evidence = "schema = 'alnager.evidence/1'\nversion = '1'\n[kind.e]\ntitle = 't'\nwhat = 'w'\n";
        let controls = evidence.replace("kind.e", "kind.C");
        let book = Book::new(
            vocabulary.clone(),
            Register::parse("e", evidence, "kind").unwrap(),
            Register::parse("c", &controls, "kind").unwrap(),
            vec![Pack::parse("p", &pack).unwrap()],
        ).unwrap();
        let derived: Vec<Option<Rule>> = book.derived_facts().iter().map(|derived| Some(derived.rule.clone())).collect();
        let rule = book.bind_condition(&Pack::parse("p", &pack).unwrap().requirements[0].when).unwrap();
        let mut space = Space::new(&vocabulary, derived, std::iter::once(&rule), 1_000_000);
        let node = space.node(&rule).unwrap();
        let truths: Vec<Truth> = worlds(&vocabulary).iter().map(|facts| book.reader(facts, Date::MAX).truth(&rule)).collect();
        prop_assert_eq!(space.can_hold(node), Some(truths.contains(&Truth::True)));
        prop_assert_eq!(space.must_hold(node), Some(!truths.contains(&Truth::False)));
    }
}

#[test]
fn clocks_are_looked_at_like_requirements() {
    let clock = |id: &str, more: &str| {
        format!(
            "[[clock]]\nid = '{id}'\nto = 't'\nstart = 's'\nn = 3\nunit = 'day'\ncalendar = 'c'\ncite = 'c'\n{more}\n"
        )
    };
    let body = format!(
        "{}{}{}",
        clock("K-1", "when = 'a && !a'"),
        clock("K-1", "cap = { clock = 'K-9' }"),
        clock("K-2", "when = 'nobody_knows'"),
    );
    finds(
        &body,
        expect![[r#"
        error 21: the condition of the clock `K-1` can never hold
        error 22: `K-1` is limited by the clock `K-9`, which does not exist
        error 22: the clock id `K-1` is already used in x/pack.toml, line 13
        error 39: `clock[2].when`: in the condition `nobody_knows`, at character 1: there is no fact `nobody_knows`
    "#]],
    );
}
