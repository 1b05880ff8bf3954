#![allow(clippy::unwrap_used)]

use expect_test::{Expect, expect};

use super::*;

const HEAD: &str = "schema = 'alnager.theories/1'\nversion = '1'\n[theory.x]\ntitle = 'X'\nkind = 'impact'\nrequirements = ['X-1']\ndomains = ['general']\ncite = 'c'\nasks = 'a?'\ncounsel = 'w'\n";

#[track_caller]
fn check(rest: &str, want: Expect) {
    let shown = match Theories::parse("theories.toml", &format!("{HEAD}{rest}")) {
        Ok(theories) => format!(
            "{} theories, {} absent",
            theories.all().len(),
            theories.absent.len()
        ),
        Err(error) => error.to_string(),
    };
    want.assert_eq(&shown);
}

#[test]
fn a_theory_says_its_number_or_why_there_is_none() {
    check(
        "tests = ['cmh']\nno_limit = 'none'",
        expect!["1 theories, 0 absent"],
    );
    check(
        "tests = ['cmh', 'impact_ratio']\nlimit = { metric = 'impact_ratio', low = '0.80', source = 'yardstick', cite = 'c' }",
        expect!["1 theories, 0 absent"],
    );
    check(
        "tests = ['cmh']",
        expect![
            "theories.toml, line 3, field `theory.x`: a theory says either the number its text sets (`limit`) or why there is none (`no_limit`)"
        ],
    );
    check(
        "tests = ['cmh']\nno_limit = 'none'\nlimit = { metric = 'cmh', low = '1', source = 'law', cite = 'c' }",
        expect![
            "theories.toml, line 3, field `theory.x`: a theory says either the number its text sets (`limit`) or why there is none (`no_limit`)"
        ],
    );
    check(
        "tests = ['cmh']\nlimit = { metric = 'fisher', low = '1', source = 'law', cite = 'c' }",
        expect![
            "theories.toml, line 12, field `theory.x.limit.metric`: `fisher` is not a valid value; valid are `cmh`"
        ],
    );
    check(
        "tests = ['cmh']\nlimit = { metric = 'cmh', low = 'four fifths', source = 'law', cite = 'c' }",
        expect![
            "theories.toml, line 12, field `theory.x.limit.low`: `four fifths` is not a number such as `0.80`"
        ],
    );
    check(
        "tests = ['cmh']\nlimit = { metric = 'cmh', source = 'law', cite = 'c' }",
        expect!["theories.toml, line 12, field `theory.x.limit`: a limit needs `low` or `high`"],
    );
}

#[test]
fn tests_are_words_of_the_list_and_warnings_stand_beside_them() {
    check(
        "tests = ['impact_ratios']\nno_limit = 'none'",
        expect![
            "theories.toml, line 11, field `theory.x.tests[0]`: `impact_ratios` is not a valid value; did you mean `impact_ratio`?"
        ],
    );
    check(
        "tests = []\nno_limit = 'none'",
        expect![
            "theories.toml, line 11, field `theory.x.tests`: a condition is served by no test, and every other theory by at least one"
        ],
    );
    check(
        "tests = ['cmh', 'cmh']\nno_limit = 'none'",
        expect![
            "theories.toml, line 11, field `theory.x.tests[1]`: `cmh` is listed twice; keep one"
        ],
    );
    check(
        "tests = ['cmh']\nno_limit = 'none'\nwarns = ['group_threshold']\nwarning = 'w'",
        expect![
            "theories.toml, line 13, field `theory.x.warns[0]`: `group_threshold` is not a valid value; valid are `cmh`"
        ],
    );
    check(
        "tests = ['group_threshold']\nno_limit = 'none'\nwarns = ['group_threshold']",
        expect![
            "theories.toml, line 3, field `theory.x`: `warns` and `warning` belong together; write both or none"
        ],
    );
}

#[test]
fn a_note_is_dated_and_an_absence_has_its_state() {
    check(
        "tests = ['cmh']\nno_limit = 'none'\n[[theory.x.note]]\ntext = 't'",
        expect!["theories.toml, line 13, field `theory.x.note[0]`: the field `known` is missing"],
    );
    check(
        "tests = ['cmh']\nno_limit = 'none'\n[absent.y]\ntitle = 'Y'\nstate = 'unread'\njurisdiction = 'X'\ndomains = ['general']\nwhy = 'w'",
        expect![
            "theories.toml, line 15, field `absent.y.state`: `unread` is not a valid value; valid are `not_held`, `silent`"
        ],
    );
    check(
        "tests = ['cmh']\nno_limit = 'none'\n[absent.x]\ntitle = 'Y'\nstate = 'silent'\njurisdiction = 'X'\ndomains = ['general']\nwhy = 'w'",
        expect![
            "theories.toml, line 13, field `absent.x`: `x` is a theory; it cannot be absent too"
        ],
    );
}

#[test]
fn ways_its_dates_may_fall_are_joined() {
    let day = |text: &str| -> Date { text.parse().unwrap() };
    let ahead = |text| Standing::Ahead { from: day(text) };
    let force = |text| Standing::InForce { from: day(text) };
    let ended = |text| Standing::Ended { on: day(text) };
    let out = Standing::NotApplicable(crate::requirement::Ruled::NotKnown);
    let words = |standings: &[Standing]| settle(standings).map(TheoryStanding::words);
    let said = |text: &str| Some(text.to_owned());
    assert_eq!(words(std::slice::from_ref(&out)), None);
    assert_eq!(
        words(&[ahead("2028-08-02"), ahead("2027-12-02"), out.clone()]),
        said("not yet: it governs from 2027-12-02")
    );
    assert_eq!(
        words(&[force("2020-01-01"), out]),
        said("in force since 2020-01-01")
    );
    assert_eq!(
        words(&[force("2020-01-01"), ahead("2027-12-02")]),
        said("from 2020-01-01 at the earliest: facts about the system decide")
    );
    assert_eq!(
        words(&[ended("2026-07-21"), ended("2026-07-20")]),
        said("ended on 2026-07-21")
    );
    assert_eq!(
        words(&[ended("2026-07-21"), force("2020-01-01")]),
        said("from 2020-01-01 at the earliest: facts about the system decide")
    );
}
