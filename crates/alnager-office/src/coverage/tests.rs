#![allow(clippy::unwrap_used)]

use expect_test::{Expect, expect};

use super::*;
use crate::crosswalk::tests::World;

const BOOK: &str = "
    A-1 | before_use | notice | CC1
    A-2 | before_use | report | CC1 CC2
    A-3 | organisation | report | CC2
    B-1 | before_use | notice | CC1 | applies=['later']
    B-2 | before_use | notice | CC1 | unconfirmed='a draft'
    B-3 | before_use | notice | CC1 | when='open'
    B-4 | before_use | notice | CC1 | when='!yes'
    ISO-1 | before_use | notice | CC1
";

fn cover(world: &World) -> Coverage {
    let assessed = world.assess();
    coverage(
        &world.state,
        &world.book,
        &assessed.iter().collect::<Vec<_>>(),
    )
}

/// The desk with a document accepted and one rejected; shows the numbers of each regime and control.
#[track_caller]
fn check(world: &World, want: Expect) {
    let found = cover(world);
    let mut lines = Vec::new();
    let mut say = |name: &str, tally: &Tally| {
        let Tally {
            in_force,
            met,
            gap,
            unknown,
            for_counsel,
            may_apply,
            ahead,
            waiting,
        } = *tally;
        assert_eq!(in_force, met + gap + unknown + for_counsel);
        lines.push(format!(
            "{name}: in force {in_force} = {met} met + {gap} gap + {unknown} unknown + {for_counsel} for counsel; may apply {may_apply}, ahead {ahead}, waiting {waiting}"
        ));
    };
    for regime in &found.regimes {
        say(&regime.pack, &regime.tally);
    }
    for control in &found.controls {
        let kinds = control.evidence.iter();
        let kinds: Vec<String> = kinds
            .map(|kind| format!("{} {}/{}", kind.kind, kind.n_shown, kind.n_needed))
            .collect();
        say(
            &format!("{} {}", control.control, kinds.join(" ")),
            &control.tally,
        );
    }
    want.assert_eq(&lines.join("\n"));
}

fn desk() -> World {
    let mut world = World::new(BOOK);
    world.submit("sys", "notice", "A-1");
    world.submit("sys", "report", "A-2 A-3");
    world.rule("Vera", true, "E1", "");
    world.rule("Vera", false, "E2", "A-2");
    world.rule("Vera", true, "E2", "A-3");
    world
}

#[test]
fn requirements_are_counted_by_regime_and_under_each_of_their_controls() {
    check(
        &desk(),
        expect![[r#"
            A: in force 3 = 2 met + 1 gap + 0 unknown + 0 for counsel; may apply 0, ahead 0, waiting 0
            B: in force 1 = 0 met + 0 gap + 0 unknown + 1 for counsel; may apply 1, ahead 1, waiting 0
            CC1 notice 1/4 report 0/1: in force 3 = 1 met + 1 gap + 0 unknown + 1 for counsel; may apply 1, ahead 1, waiting 0
            CC2 report 1/2: in force 2 = 1 met + 1 gap + 0 unknown + 0 for counsel; may apply 0, ahead 0, waiting 0"#]],
    );
}

#[test]
fn a_duty_of_the_organisation_counts_once_over_all_systems() {
    let mut world = desk();
    world.declare("two");
    check(
        &world,
        expect![[r#"
            A: in force 5 = 2 met + 1 gap + 2 unknown + 0 for counsel; may apply 0, ahead 0, waiting 0
            B: in force 2 = 0 met + 0 gap + 0 unknown + 2 for counsel; may apply 2, ahead 2, waiting 0
            CC1 notice 1/8 report 0/2: in force 6 = 1 met + 1 gap + 2 unknown + 2 for counsel; may apply 2, ahead 2, waiting 0
            CC2 report 1/3: in force 3 = 1 met + 1 gap + 1 unknown + 0 for counsel; may apply 0, ahead 0, waiting 0"#]],
    );
}

#[test]
fn the_matrix_has_a_row_for_each_control_and_a_column_for_each_regime() {
    expect![[r#"
        control,title,A,B
        CC1,Tell people,A-1 met; A-2 gap,B-1 ahead; B-2 for counsel; B-3 may apply
        CC2,"Keep, and test",A-2 gap; A-3 met,
    "#]]
    .assert_eq(&matrix(&cover(&desk())).replace("\r\n", "\n"));
    let mut world = desk();
    world.declare("two");
    let table = matrix(&cover(&world));
    assert!(
        table.contains("A-2 (sys) gap; A-2 (two) unknown; A-3 met,"),
        "{table}"
    );
}

#[test]
fn conflicts_are_shown_and_change_no_verdict() {
    let lines = "
        A-1 | before_use | notice | CC1
        A-2 | before_use | notice | CC1";
    let plain = World::new(lines);
    let pulled = World::new(&format!(
        "{lines} | conflicts = [{{ with = 'A-1', why = 'they pull apart' }}]"
    ));
    let (before, after) = (plain.assess(), pulled.assess());
    assert_eq!(before[0].verdict, after[0].verdict);
    assert_eq!(cover(&plain).conflicts, Vec::new());
    let found = cover(&pulled).conflicts;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].system.as_str(), found[0].pair.against("A-1")),
        ("sys", Some("A-2"))
    );
}
