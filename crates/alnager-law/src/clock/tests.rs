#![allow(clippy::unwrap_used, clippy::expect_used)]

use expect_test::{Expect, expect};

use super::*;
use crate::read;

const CLOCK: &str = "
[[clock]]
id = 'A'
to = 'the authority'
start = 'awareness'
n = 72
unit = 'hour'
calendar = 'hours'
cite = 'Art 1'
";

/// Puts `new` in place of `old` in a clock, and shows how it is read.
#[track_caller]
fn check(old: &str, new: &str, want: Expect) {
    assert!(CLOCK.contains(old), "{old}");
    let root = read::read("pack.toml", &CLOCK.replace(old, new)).unwrap();
    let seen = match root.each("clock", Clock::read) {
        Ok(clocks) => clocks[0].limit.to_string(),
        Err(error) => error.to_string(),
    };
    want.assert_eq(&seen);
}

#[test]
fn a_clock_has_a_figure_or_words() {
    check("n = 72", "n = 72", expect!["72 hours"]);
    check("n = 72", "n = 1", expect!["1 hour"]);
    check(
        "n = 72\nunit = 'hour'",
        "within = 'immediately'",
        expect!["immediately"],
    );
    // As packs wrote it before clocks were counted; dossiers of that time still read.
    check(
        "n = 72\nunit = 'hour'",
        "within = '15 days'\nalso = 'sooner'\nphased = true",
        expect!["15 days"],
    );
    check(
        "n = 72\nunit = 'hour'",
        "",
        expect![
            "pack.toml, line 2, field `clock[0]`: a clock needs `n` and `unit`, or, where the text sets no figure, `within` in words"
        ],
    );
    check(
        "n = 72",
        "n = 72\nwithin = '3 days'",
        expect![
            "pack.toml, line 2, field `clock[0]`: a clock needs `n` and `unit`, or, where the text sets no figure, `within` in words"
        ],
    );
}

#[test]
fn a_mistake_in_a_clock_is_named_with_its_place() {
    check(
        "n = 72",
        "n = 0",
        expect!["pack.toml, line 6, field `clock[0].n`: expected a number from 1 to 10000"],
    );
    check(
        "'hour'",
        "'hours'",
        expect![
            "pack.toml, line 7, field `clock[0].unit`: `hours` is not a valid value; did you mean `hour`?"
        ],
    );
    check(
        "unit = 'hour'",
        "",
        expect!["pack.toml, line 2, field `clock[0]`: the field `unit` is missing"],
    );
    check(
        "cite =",
        "site =",
        expect![
            "pack.toml, line 9, field `clock[0].site`: there is no field `site` here; did you mean `cite`?"
        ],
    );
    check(
        "n = 72",
        "n = 72\nbegins = 'aware'",
        expect![
            "pack.toml, line 7, field `clock[0].begins`: `aware` is not a valid value; did you mean `awareness`?"
        ],
    );
    check(
        "n = 72",
        "n = 72\nvalid = [{ from = 2027-01-01, to = 2026-01-01, cite = 'Art 2' }]",
        expect![
            "pack.toml, line 7, field `clock[0].valid[0]`: it begins on 2027-01-01 and ends before; put the earlier date in `from`"
        ],
    );
    check(
        "n = 72",
        "n = 72\ncap = { clock = 'B', until = 'now' }",
        expect![
            "pack.toml, line 7, field `clock[0].cap.until`: there is no field `until` here; valid are `clock`, `unless_passed`"
        ],
    );
}

/// Shows the instant of a wall time, and what was settled about it.
#[track_caller]
fn moment(wall: &str, zone: &str, want: Expect) {
    let zone = TimeZone::get(zone).unwrap();
    let moment = Moment::local(wall.parse().unwrap(), &zone).unwrap();
    let settled = moment.settled.unwrap_or_default();
    want.assert_eq(&format!("{} {settled}", moment.at.timestamp()));
}

#[test]
fn nights_when_clocks_change_are_settled_and_said() {
    moment(
        "2026-11-20T16:20:00",
        "Europe/Berlin",
        expect!["2026-11-20T15:20:00Z "],
    );
    moment(
        "2026-10-25T02:30:00",
        "Europe/Berlin",
        expect![
            "2026-10-25T00:30:00Z 2026-10-25T02:30:00 is shown twice that night; the first is taken (+02:00), which ends sooner"
        ],
    );
    moment(
        "2026-10-25T03:00:00",
        "Europe/Berlin",
        expect!["2026-10-25T02:00:00Z "],
    );
    moment(
        "2027-03-28T02:30:00",
        "Europe/Berlin",
        expect![
            "2027-03-28T01:30:00Z clocks skip 2027-03-28T02:30:00 that night; it is taken as 2027-03-28T03:30:00"
        ],
    );
    moment(
        "2026-10-04T02:15:00",
        "Australia/Lord_Howe",
        expect![
            "2026-10-03T15:45:00Z clocks skip 2026-10-04T02:15:00 that night; it is taken as 2026-10-04T02:45:00"
        ],
    );
}

#[test]
fn the_hour_of_an_event_ends_with_the_next_full_hour_by_the_local_clock() {
    for (start, want) in [
        (
            "2026-11-20T16:20:00+01:00[Europe/Berlin]",
            "2026-11-20T17:00:00+01:00[Europe/Berlin]",
        ),
        (
            "2026-11-20T16:00:00+01:00[Europe/Berlin]",
            "2026-11-20T17:00:00+01:00[Europe/Berlin]",
        ),
        (
            "2026-11-20T23:59:59.9+01:00[Europe/Berlin]",
            "2026-11-21T00:00:00+01:00[Europe/Berlin]",
        ),
        (
            "2026-10-25T02:20:00+02:00[Europe/Berlin]",
            "2026-10-25T02:00:00+01:00[Europe/Berlin]",
        ),
        (
            "2027-03-28T01:20:00+01:00[Europe/Berlin]",
            "2027-03-28T03:00:00+02:00[Europe/Berlin]",
        ),
        (
            "2026-11-20T16:20:00+05:30[Asia/Kolkata]",
            "2026-11-20T17:00:00+05:30[Asia/Kolkata]",
        ),
    ] {
        let start: Zoned = start.parse().unwrap();
        assert_eq!(next_hour(&start).unwrap().to_string(), want, "{start}");
    }
}

const CALENDARS: &str = "
schema = 'alnager.calendar/1'
version = '1'
[calendar.hours]
title = 'Hours'
units = ['hour']
start = { at = 'event' }
[calendar.days]
title = 'Days'
units = ['day']
start = { at = 'next_day' }
";

/// Binds two clocks, the second as given, and a requirement that runs on `clock`; then checks them against the calendars.
#[track_caller]
fn bind(second: &str, clock: &str, want: Expect) {
    let pack = format!(
        "schema = 'alnager.pack/1'\nid = 'x'\nversion = '1'\ntitle = 'X'\nshort = 'X'\njurisdiction = 'EU'\n\
         kind = 'statute'\nbinding = true\ncitation = 'X'\nconfidence = 'A'\n\
         [status]\nstate = 'in_force'\nas_of = 2026-01-01\nknown_as_of = 2026-01-01\n\
         [[applies.now]]\nfrom = 2020-01-01\nknown = 2020-01-01\ncite = 'c'\n\
         [[requirement]]\nid = 'R'\nkind = 'risk'\nwho = ['all']\nwhat = 'w'\nhow = 'h'\ncite = 'Art 1'\nwhen = 'true'\n\
         applies = ['now']\nphase = 'in_use'\nrole = 'officer'\nclocks = ['{clock}']\n{CLOCK}{}",
        CLOCK.replace("id = 'A'", second)
    );
    let seen = Pack::parse("pack.toml", &pack).and_then(|pack| {
        let (facts, none) = (
            crate::fact::Vocabulary::default(),
            crate::pack::Register::default(),
        );
        Book::new(facts, none.clone(), none, vec![pack])
    });
    let almanac = Almanac::parse("rules.toml", CALENDARS, []).unwrap();
    let seen = seen.and_then(|book| almanac.check(&book));
    let seen = seen.map_or_else(|error| error.to_string(), |_| "ok".to_owned());
    want.assert_eq(&seen);
}

#[test]
fn the_book_knows_its_clocks() {
    bind("id = 'B'", "B", expect!["ok"]);
    bind("id = 'B'\nalso_known_as = ['C']", "C", expect!["ok"]);
    bind(
        "id = 'A'",
        "A",
        expect![
            "pack.toml, line 41, field `clock[1]`: the clock id `A` is already used in the pack `x`"
        ],
    );
    bind(
        "id = 'B'\nalso_known_as = ['A']",
        "B",
        expect![
            "pack.toml, line 41, field `clock[1]`: the clock id `A` is already used in the pack `x`"
        ],
    );
    bind(
        "id = 'B'",
        "GDPR-33",
        expect![
            "pack.toml: requirement `R` runs on the clock `GDPR-33`, which does not exist; valid are `A`, `B`"
        ],
    );
    bind(
        "id = 'B'\ncap = { clock = 'Z' }",
        "B",
        expect!["pack.toml, line 41, field `clock[1]`: there is no clock `Z`; did you mean `A`?"],
    );
    bind("id = 'B'\ncap = { clock = 'A' }", "B", expect!["ok"]);
    let days = "id = 'D'\nto = 'a'\nstart = 'b'\nn = 3\nunit = 'day'\ncite = 'c'\ncalendar = 'days'\n[[clock]]\nid = 'B'\n";
    bind(days, "D", expect!["ok"]);
    bind(
        &format!("{days}cap = {{ clock = 'D' }}"),
        "B",
        expect![
            "pack.toml, line 49, field `clock[2]`: the clock `D` that limits it is not in hours; name one that is"
        ],
    );
    bind(
        &days.replace("'days'", "'hours'"),
        "B",
        expect![
            "pack.toml, line 41, field `clock[1]`: the calendar `hours` does not count days; name another"
        ],
    );
    bind(
        &days.replace("'days'", "'weeks'"),
        "B",
        expect![
            "pack.toml, line 41, field `clock[1]`: there is no calendar `weeks`; valid are `days`, `hours`"
        ],
    );
    bind(
        "id = 'B'\nwhen = 'bank'",
        "B",
        expect![
            "pack.toml, line 43, field `clock[1].when`: in the condition `bank`, at character 1: there is no fact `bank`; nothing is valid here"
        ],
    );
    bind(
        "id = 'B'\nno_roll_over = { when = 'bank', cite = 'Art 5' }",
        "B",
        expect![
            "pack.toml, line 43, field `clock[1].no_roll_over.when`: in the condition `bank`, at character 1: there is no fact `bank`; nothing is valid here"
        ],
    );
}
