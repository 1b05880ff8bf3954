#![allow(clippy::unwrap_used)]

use expect_test::{Expect, expect};

use super::*;
use crate::conflict::tests::requirements_of;

/// Reads one requirement per line, `id: bound amount[, bound amount]`; shows what is strictest and why not.
#[track_caller]
fn check(lines: &str, want: Expect) {
    let words = |figures: &[Sourced]| {
        let words = figures.iter().map(|one| {
            let ahead = one
                .ahead
                .map_or(String::new(), |day| format!(" from {day}"));
            format!("{} {}{ahead}", one.requirement, one.figure.words())
        });
        words.collect::<Vec<_>>().join(", ")
    };
    let show = |lines: &str| {
        let (requirements, kinds) = requirements_of(lines);
        let mut shown = Vec::new();
        for ranking in rank(&requirements, &kinds) {
            for head in &ranking.heads {
                shown.push(format!(
                    "{} > {}",
                    words(&head.figures),
                    words(&head.covers)
                ));
            }
            for (one, other, why) in &ranking.apart {
                let of = |at: usize| ranking.heads[at].figures[0].requirement.clone();
                shown.push(format!("{} | {}: {why:?}", of(*one), of(*other)));
            }
        }
        shown.join("\n")
    };
    let shown = show(lines);
    want.assert_eq(&shown);
    // What has no order in the law has none in the answer.
    let turned: Vec<&str> = lines.trim().lines().rev().collect();
    assert_eq!(show(&turned.join("\n")), shown, "in another order");
}

#[test]
fn the_strictest_of_comparable_figures_covers_the_others() {
    check(
        "
        A: at_least 6 months
        B: at_least 3 years
        C: at_least 180 days
        D: at_least 10 years",
        expect![
            "D at least 10 years > B at least 3 years, A at least 6 months, C at least 180 days"
        ],
    );
}

#[test]
fn a_most_is_the_stricter_the_smaller_it_is() {
    check(
        "
        A: at_most 30 days
        B: at_most 72 hours
        C: at_most 3 days",
        expect![[r#"
            C at most 3 days > A at most 30 days
            B at most 72 hours > 
            C | B: Calendar"#]],
    );
}

#[test]
fn where_a_calendar_decides_nobody_is_named_and_the_rest_is_ordered() {
    check(
        "
        A: at_most 1 month
        B: at_most 30 days
        C: at_most 45 days
        D: at_most 2 months",
        expect![[r#"
            A at most 1 month > C at most 45 days, D at most 2 months
            B at most 30 days > C at most 45 days, D at most 2 months
            A | B: Calendar"#]],
    );
    check(
        "
        A: at_least 10 business days
        B: at_least 14 days
        C: at_least 5 business days",
        expect![[r#"
            A at least 10 business days > C at least 5 business days
            B at least 14 days > 
            A | B: WorkingDays"#]],
    );
}

#[test]
fn a_least_and_a_most_are_kept_apart() {
    check(
        "
        A: at_least 3 years
        B: at_most 30 days
        C: at_most 60 days",
        expect![[r#"
            B at most 30 days > C at most 60 days
            A at least 3 years > 
            B | A: Opposite"#]],
    );
    check(
        "A: at_least 0.8\nB: at_least 5 days",
        expect![[r#"
        A at least 0.8 > 
        B at least 5 days > 
        A | B: Units"#]],
    );
}

#[test]
fn what_begins_later_counts_and_says_so_and_what_does_not_concern_the_system_is_left_out() {
    check(
        "
        A: at_least 6 months
        B ahead: at_least 1 year
        C false: at_least 10 years
        D unknown: at_least 20 years",
        expect!["B at least 1 year from 2030-01-01 > A at least 6 months"],
    );
}
