#![allow(clippy::unwrap_used)]

use expect_test::{Expect, expect};

use super::*;

/// A pack in which everything that can change occurs once.
const PACK: &str = "
schema = 'alnager.pack/1'
id = 'x'
version = '1'
title = 'X'
short = 'X'
jurisdiction = 'X'
kind = 'statute'
binding = true
citation = 'X Act'
confidence = 'A'
status = { state = 'in_force', as_of = 2026-01-01, known_as_of = 2026-01-01 }
transition = [{ groups = ['main'], when = 'small', effect = 'not_applicable', cite = 'Art 111' }]
[[applies.main]]
from = 2026-08-02
known = 2024-07-12
cite = 'Art 113'
[[applies.later]]
from = 2027-08-02
known = 2024-07-12
cite = 'Art 113(c)'
[choose]
either = [{ group = 'main' }, { group = 'later', when = 'product' }]
[[derive]]
fact = 'high'
rule = \"'recruitment' in uses\"
unless = ['narrow']
cite = 'Art 6'
[penalty.operators]
max = 'EUR 15 million'
cite = 'Art 99(4)'
amount = 15000000
[[enforcement]]
state = 'grace'
until = 2027-01-22
known = 2026-01-01
cite = 'notice'
groups = ['main']
[[exception]]
to = 'other_fact'
unless = 'tiny'
known = 2025-06-01
cite = 'act 1'
[[rewording]]
requirement = 'Y-1'
what = 'ours'
cite = 'memo'
[[requirement]]
id = 'X-1'
what = 'Keep logs.'
how = 'Keep them.'
cite = 'Art 12'
when = 'high'
applies = ['main']
phase = 'before_use'
evidence = ['logs', 'plan']
controls = ['CC01']
penalty = 'operators'
role = 'engineer'
clocks = ['C-1']
figures = [{ kind = 'log_retention', at_least = '6 months', cite = 'Art 12' }]
[[requirement]]
id = 'X-2'
what = 'Tell people.'
how = 'Tell them.'
cite = 'Art 50'
when = 'high'
applies = ['main']
phase = 'before_use'
evidence = ['notice']
role = 'legal'
[[clock]]
id = 'C-1'
to = 'authority'
start = 'awareness'
n = 72
unit = 'hour'
calendar = 'hours'
cite = 'Art 73'
when = 'high'
valid = [{ from = 2026-08-02, known = 2024-07-12, cite = 'Art 113' }]
";

fn pack(text: &str) -> Pack {
    Pack::parse("pack.toml", text).unwrap()
}

fn shown(changes: &[Change]) -> String {
    let line = |change: &Change| {
        let side = |text: &Option<String>| {
            text.as_ref()
                .map_or("none".to_owned(), |text| text.replace('\n', " / "))
        };
        format!(
            "{} {} {}: {} => {}",
            change.subject.word(),
            change.label,
            change.kind.word(),
            side(&change.before),
            side(&change.after)
        )
    };
    changes.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Replaces each `old` by `new` in the pack and shows what changed.
#[track_caller]
fn check(edits: &[(&str, &str)], want: Expect) {
    let mut text = PACK.to_owned();
    for (old, new) in edits {
        assert!(text.contains(old), "`{old}` is not in the pack");
        text = text.replacen(old, new, 1);
    }
    want.assert_eq(&shown(&pack_changes(&pack(PACK), &pack(&text))));
}

#[test]
fn how_it_is_written_is_no_change() {
    check(
        &[
            ("version = '1'", "version = '2'"),
            ("['logs', 'plan']", "['plan', 'logs']"),
            ("known_as_of = 2026-01-01", "known_as_of = 2026-06-01"),
            ("what = 'Keep logs.'", "what = \"\"\"\nKeep\nlogs.\"\"\""),
        ],
        expect![[""]],
    );
}

#[test]
fn a_row_with_later_knowledge_shifts_the_date() {
    let row = "[[applies.main]]\nfrom = 2027-12-02\nknown = 2026-07-24\ncite = 'as amended'\n[[applies.later]]";
    check(
        &[("[[applies.later]]", row)],
        expect![
            "date group main date_shifted: from 2026-08-02, known 2024-07-12 / cite: Art 113 => from 2026-08-02, known 2024-07-12 / cite: Art 113 / from 2027-12-02, known 2026-07-24 / cite: as amended"
        ],
    );
    check(
        &[(
            "from = 2026-08-02\nknown",
            "from = 2026-08-02\nto = 2030-01-01\nknown",
        )],
        expect![
            "date group main date_shifted: from 2026-08-02, known 2024-07-12 / cite: Art 113 => from 2026-08-02 to 2030-01-01, known 2024-07-12 / cite: Art 113"
        ],
    );
    check(
        &[("cite = 'Art 113(c)'", "cite = 'Art 113(c)(ii)'")],
        expect![
            "date group later wording_changed: from 2027-08-02, known 2024-07-12 / cite: Art 113(c) => from 2027-08-02, known 2024-07-12 / cite: Art 113(c)(ii)"
        ],
    );
    check(
        &[(
            "cite = 'Art 113(c)'",
            "cite = 'Art 113(c)'\nwhen = 'product'",
        )],
        expect![
            "date group later condition_changed: from 2027-08-02, known 2024-07-12 / cite: Art 113(c) => from 2027-08-02, known 2024-07-12 / when: product / cite: Art 113(c)"
        ],
    );
    check(
        &[(
            "cite = 'Art 113(c)'",
            "cite = 'Art 113(c)'\nunconfirmed = 'a draft'",
        )],
        expect![
            "date group later confirmation_changed: from 2027-08-02, known 2024-07-12 / cite: Art 113(c) => from 2027-08-02, known 2024-07-12 / cite: Art 113(c) / unconfirmed: a draft"
        ],
    );
    check(
        &[("effect = 'not_applicable'", "from = 2030-08-02")],
        expect![
            "transition main (Art 111) date_shifted: effect: not applicable => from 2030-08-02"
        ],
    );
    check(
        &[(
            "valid = [{ from = 2026-08-02",
            "valid = [{ from = 2027-08-02",
        )],
        expect![
            "clock C-1 date_shifted: from 2026-08-02, known 2024-07-12 / cite: Art 113 => from 2027-08-02, known 2024-07-12 / cite: Art 113"
        ],
    );
}

#[test]
fn requirements_come_go_and_take_each_others_place() {
    check(
        &[("id = 'X-2'", "id = 'X-3'")],
        expect![[r#"
        requirement X-3 inserted: none => id: X-3 / dates: main / when: high / kind: duty / what: Tell people. / how: Tell them. / cite: Art 50 / phase: before use / role: legal / evidence: notice
        requirement X-2 deleted: id: X-2 / dates: main / when: high / kind: duty / what: Tell people. / how: Tell them. / cite: Art 50 / phase: before use / role: legal / evidence: notice => none"#]],
    );
    check(
        &[("id = 'X-2'", "id = 'X-3'\nreplaces = ['X-2']")],
        expect![
            "requirement X-2 renumbered: id: X-2 / dates: main / when: high / kind: duty / what: Tell people. / how: Tell them. / cite: Art 50 / phase: before use / role: legal / evidence: notice => id: X-3 / dates: main / when: high / kind: duty / what: Tell people. / how: Tell them. / cite: Art 50 / phase: before use / role: legal / replaces: X-2 / evidence: notice"
        ],
    );
    check(
        &[
            ("id = 'X-2'", "id = 'X-3'\nreplaces = ['X-2']"),
            ("Tell people.", "Tell people in writing."),
        ],
        expect![
            "requirement X-2 replaced: id: X-2 / dates: main / when: high / kind: duty / what: Tell people. / how: Tell them. / cite: Art 50 / phase: before use / role: legal / evidence: notice => id: X-3 / dates: main / when: high / kind: duty / what: Tell people in writing. / how: Tell them. / cite: Art 50 / phase: before use / role: legal / replaces: X-2 / evidence: notice"
        ],
    );
}

#[test]
fn every_aspect_of_a_requirement_is_a_change_of_its_own() {
    for (old, new, kind) in [
        ("applies = ['main']", "applies = ['later']", "moved"),
        ("applies = ['main']", "applies = ['either']", "moved"),
        (
            "when = 'high'",
            "when = 'high && !small'",
            "condition_changed",
        ),
        (
            "when = 'high'",
            "when = 'high'\nunless = ['small']",
            "condition_changed",
        ),
        (
            "what = 'Keep logs.'",
            "what = 'Keep all logs.'",
            "wording_changed",
        ),
        ("role = 'engineer'", "role = 'legal'", "wording_changed"),
        (
            "role = 'engineer'",
            "role = 'engineer'\ndeadline = 'soon'",
            "wording_changed",
        ),
        (
            "phase = 'before_use'",
            "phase = 'in_use'",
            "wording_changed",
        ),
        ("['logs', 'plan']", "['logs']", "evidence_changed"),
        ("['CC01']", "['CC02']", "controls_changed"),
        ("penalty = 'operators'\n", "", "penalty_changed"),
        ("'6 months'", "'2 years'", "figures_changed"),
        ("at_least = '6", "at_most = '6", "figures_changed"),
        ("clocks = ['C-1']\n", "", "clocks_changed"),
        (
            "role = 'engineer'",
            "role = 'engineer'\nconflicts = [{ with = 'Y', why = 'w' }]",
            "conflicts_changed",
        ),
        (
            "role = 'engineer'",
            "role = 'engineer'\nunconfirmed = 'u'",
            "confirmation_changed",
        ),
        (
            "role = 'engineer'",
            "role = 'engineer'\nunconfirmed_detail = 'u'",
            "confirmation_changed",
        ),
    ] {
        let text = PACK.replacen(old, new, 1);
        assert_ne!(text, PACK, "`{old}` is not in the pack");
        let changes = pack_changes(&pack(PACK), &pack(&text));
        let found: Vec<_> = changes
            .iter()
            .map(|change| (change.label.as_str(), change.kind.word()))
            .collect();
        assert_eq!(found, [("X-1", kind)], "{old} => {new}");
    }
}

#[test]
fn what_requirements_rest_on_is_compared_too() {
    check(
        &[("unless = ['narrow']\n", "")],
        expect![
            "derived fact high derived_changed: when: 'recruitment' in uses / unless: narrow / cite: Art 6 => when: 'recruitment' in uses / cite: Art 6"
        ],
    );
    check(
        &[(
            "cite = 'Art 6'\n",
            "cite = 'Art 6'\nuntil_known = 2026-07-24\n[[derive]]\nfact = 'high'\nrule = 'product'\nknown = 2026-07-24\n",
        )],
        expect![
            "derived fact high derived_changed: when: 'recruitment' in uses / unless: narrow / cite: Art 6 => until known: 2026-07-24 / when: 'recruitment' in uses / unless: narrow / cite: Art 6 / known: 2026-07-24 / when: product"
        ],
    );
    check(
        &[("amount = 15000000", "amount = 20000000")],
        expect![
            "penalty operators penalty_changed: max: EUR 15 million / cite: Art 99(4) / amount: 15000000 => max: EUR 15 million / cite: Art 99(4) / amount: 20000000"
        ],
    );
    check(
        &[("until = 2027-01-22", "until = 2028-01-22")],
        expect![
            "enforcement grace (main) enforcement_changed: state: grace / until: 2027-01-22 / known: 2026-01-01 / cite: notice / groups: main => state: grace / until: 2028-01-22 / known: 2026-01-01 / cite: notice / groups: main"
        ],
    );
    check(
        &[("state = 'grace'", "state = 'stayed'")],
        expect![[r#"
        enforcement stayed (main) enforcement_changed: none => state: stayed / until: 2027-01-22 / known: 2026-01-01 / cite: notice / groups: main
        enforcement grace (main) enforcement_changed: state: grace / until: 2027-01-22 / known: 2026-01-01 / cite: notice / groups: main => none"#]],
    );
    check(
        &[("n = 72", "n = 24")],
        expect![
            "clock C-1 clocks_changed: to: authority / start: awareness / begins: event / within: 72 hours / calendar: hours / cite: Art 73 / phased: false => to: authority / start: awareness / begins: event / within: 24 hours / calendar: hours / cite: Art 73 / phased: false"
        ],
    );
    check(
        &[("id = 'C-1'", "id = 'C-2'\nalso_known_as = ['C-1']")],
        expect!["clock C-1 renumbered: C-1 => C-2"],
    );
    check(
        &[("when = 'product'", "when = 'small'")],
        expect![
            "choice either condition_changed: group: main / group: later when product => group: main / group: later when small"
        ],
    );
    check(
        &[("unless = 'tiny'", "unless = 'small'")],
        expect!["exception other_fact (act 1) condition_changed: unless: tiny => unless: small"],
    );
    check(
        &[("what = 'ours'", "what = 'theirs'")],
        expect![
            "rewording Y-1 wording_changed: what: ours / cite: memo => what: theirs / cite: memo"
        ],
    );
    check(
        &[("kind = 'statute'", "kind = 'bill'")],
        expect![
            "pack x status_changed: id: x / title: X / short: X / jurisdiction: X / kind: statute / binding: true / citation: X Act / confidence: A => id: x / title: X / short: X / jurisdiction: X / kind: bill / binding: true / citation: X Act / confidence: A"
        ],
    );
}

#[test]
fn packs_come_and_go_and_a_requirement_may_leave_one_for_another() {
    let other = PACK
        .replace("id = 'x'", "id = 'y'")
        .replace("X-", "Z-")
        .replace("C-1", "C-9");
    let without = {
        let from = PACK.find("[[requirement]]\nid = 'X-2'").unwrap();
        let to = PACK.find("[[clock]]").unwrap();
        format!("{}{}", &PACK[..from], &PACK[to..])
    };
    let with = {
        let from = PACK.find("[[requirement]]\nid = 'X-2'").unwrap();
        let to = PACK.find("[[clock]]").unwrap();
        format!("{other}{}", &PACK[from..to])
    };
    let kinds = |old: &[Pack], new: &[Pack]| {
        let changes = book_changes(old, new);
        let line =
            |change: &Change| format!("{} {} {}", change.pack, change.label, change.kind.word());
        changes.iter().map(line).collect::<Vec<_>>()
    };
    let (x, y) = (pack(PACK), pack(&other));
    assert_eq!(
        kinds(std::slice::from_ref(&x), &[x.clone(), y.clone()]),
        ["y y inserted", "y Z-1 inserted", "y Z-2 inserted"]
    );
    assert_eq!(
        kinds(&[x.clone(), y.clone()], std::slice::from_ref(&x)),
        ["y y deleted", "y Z-1 deleted", "y Z-2 deleted"]
    );
    assert_eq!(
        kinds(&[x, y], &[pack(&without), pack(&with)]),
        ["y X-2 moved"]
    );
}

#[test]
fn a_pack_does_not_differ_from_itself() {
    let one = pack(PACK);
    assert_eq!(pack_changes(&one, &one), []);
    assert_eq!(
        book_changes(&[one.clone(), one.clone()], &[one.clone(), one]),
        []
    );
}
