#![allow(clippy::unwrap_used, clippy::expect_used)]

use expect_test::{Expect, expect};

use super::*;

const HOLIDAYS: &str = "
schema = 'alnager.holidays/1'
version = '1'
code = 'XX'
title = 'Nowhere'
first = 2026-01-01
last = 2026-12-31
source = 'an act'
[days]
2026-12-25 = 'Christmas Day'
";

const RULES: &str = "
schema = 'alnager.calendar/1'
version = '1'
[calendar.days]
title = 'Days'
units = ['day']
start = { at = 'next_day', cite = 'Art 1' }
working = { except = ['saturday', 'sunday'], holidays = 'named' }
roll_over = { to = 'next_working_day', cite = 'Art 2' }
";

/// Puts `new` in place of `old` in the rules or the holidays, and shows what the reader says.
#[track_caller]
fn check(old: &str, new: &str, want: Expect) {
    assert!(RULES.contains(old) || HOLIDAYS.contains(old), "{old}");
    let (rules, holidays) = (RULES.replace(old, new), HOLIDAYS.replace(old, new));
    let sets = [("XX.toml", holidays.as_str())];
    let seen = match Almanac::parse("rules.toml", &rules, sets) {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.to_string(),
    };
    want.assert_eq(&seen);
}

#[test]
fn a_mistake_in_the_rules_is_named_with_its_place() {
    check(
        "next_day",
        "next_week",
        expect![
            "rules.toml, line 7, field `calendar.days.start.at`: `next_week` is not a valid value; valid are `event`, `next_hour`, `next_day`, `next_working_day`"
        ],
    );
    check(
        "'saturday', ",
        "'caturday', ",
        expect![
            "rules.toml, line 8, field `calendar.days.working.except[0]`: `caturday` is not a valid value; did you mean `saturday`?"
        ],
    );
    check(
        "units = ['day']",
        "units = ['fortnight']",
        expect![
            "rules.toml, line 6, field `calendar.days.units[0]`: `fortnight` is not a valid value; valid are `hour`, `day`, `month`"
        ],
    );
    check(
        "working = {",
        "warking = {",
        expect![
            "rules.toml, line 8, field `calendar.days.warking`: there is no field `warking` here; did you mean `working`?"
        ],
    );
    check(
        "working = { except = ['saturday', 'sunday'], holidays = 'named' }",
        "",
        expect![
            "rules.toml, line 4, field `calendar.days`: it counts working days, so `working` must say what they are"
        ],
    );
    check(
        "'named'",
        "'YY'",
        expect![
            "rules.toml, line 4, field `calendar.days`: there are no holidays `YY`; valid are `XX`"
        ],
    );
    check(
        "next_day",
        "next_working_day",
        expect![[
            r#"rules.toml, line 4, field `calendar.days`: `counts = "working_days"` and `start.at = "next_working_day"` belong together"#
        ]],
    );
    check(
        "units = ['day']",
        "units = ['day', 'hour']",
        expect![
            "rules.toml, line 4, field `calendar.days`: periods in hours do not begin at this `start.at`; hours begin at `event` or `next_hour`, days at `next_day` or `next_working_day`, months at `event`"
        ],
    );
    check(
        "next_day",
        "event",
        expect![
            "rules.toml, line 4, field `calendar.days`: periods in days do not begin at this `start.at`; hours begin at `event` or `next_hour`, days at `next_day` or `next_working_day`, months at `event`"
        ],
    );
    check(
        "title = 'Days'",
        "title = 'Days'\nend = { at = 'time_of_day', time = '25:30', zone = 'UTC' }",
        expect![[
            r#"rules.toml, line 6, field `calendar.days.end.time`: expected a time of day such as "17:30""#
        ]],
    );
    check(
        "title = 'Days'",
        "title = 'Days'\nend = { at = 'time_of_day', time = '17:30', zone = 'Mars' }",
        expect!["rules.toml, line 6, field `calendar.days.end.zone`: there is no time zone `Mars`"],
    );
    check(
        "title = 'Days'",
        "title = 'Days'\nworking_days = { min = 0, from_days = 2 }",
        expect![
            "rules.toml, line 6, field `calendar.days.working_days.min`: expected a number of days from 1 to 30"
        ],
    );
}

#[test]
fn a_mistake_in_the_holidays_is_named_with_its_place() {
    check(
        "2026-12-25 =",
        "2026-12-32 =",
        expect![
            "XX.toml, line 10, field `days.2026-12-32`: `2026-12-32` is not a day such as 2026-12-25"
        ],
    );
    check(
        "2026-12-25 =",
        "2027-12-25 =",
        expect![
            "XX.toml: 2027-12-25 lies outside `first` to `last`, the days this set is known for"
        ],
    );
    check(
        "last = 2026",
        "last = 2027",
        expect!["XX.toml: no holiday is listed in 2027; list them, or move `first` or `last`"],
    );
    check(
        "code = 'XX'",
        "code = 'XX'\nalso = ['XX']",
        expect!["XX.toml: the code `XX` is already used by another set"],
    );
    check(
        "[days]",
        "[unconfirmed_days]\n2026-12-26 = 'doubt'\n[days]",
        expect!["XX.toml: `unconfirmed_days` names 2026-12-26, which is not in `days`"],
    );
    check(
        "alnager.holidays/1",
        "alnager.holidays/2",
        expect![
            "XX.toml, line 2, field `schema`: `alnager.holidays/2` is not a valid value; did you mean `alnager.holidays/1`?"
        ],
    );
}

#[test]
fn a_day_is_working_off_or_not_known() {
    let almanac = Almanac::parse("rules.toml", RULES, [("XX.toml", HOLIDAYS)]).unwrap();
    let calendar = &almanac.calendars()["days"];
    let working = calendar.working.as_ref().unwrap();
    let set = almanac.holidays("XX").unwrap();
    let kind = |sets: &[&Holidays], day: &str| {
        let week = Week::new(&almanac, working, sets);
        match week.kind(day.parse().unwrap()) {
            Ok(DayKind::Working) => "working".to_owned(),
            Ok(DayKind::Off(reason)) | Err(reason) => reason,
        }
    };
    expect!["working"].assert_eq(&kind(&[set], "2026-12-24"));
    expect!["Christmas Day (Nowhere)"].assert_eq(&kind(&[set], "2026-12-25"));
    expect!["Saturday"].assert_eq(&kind(&[set], "2026-12-26"));
    // A weekend needs no list of holidays, a Friday does.
    expect!["Saturday"].assert_eq(&kind(&[], "2026-12-26"));
    expect![
        "whether 2026-12-25 is a public holiday is not known: name the place whose holidays count"
    ]
    .assert_eq(&kind(&[], "2026-12-25"));
    expect!["whether 2027-01-01 is a public holiday is not known: the holidays of Nowhere are here from 2026-01-01 to 2026-12-31"].assert_eq(&kind(&[set], "2027-01-01"));
}
