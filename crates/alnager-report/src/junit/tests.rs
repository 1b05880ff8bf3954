#![expect(clippy::unwrap_used, reason = "tests")]

use alnager_office::gate::{Gate, Verdict};
use expect_test::expect;

use super::*;
use crate::fixture;

#[test]
fn a_case_fails_exactly_where_it_stands_in_the_way() {
    let mut view = fixture::recidivism();
    view.requirements.truncate(5);
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="Recidivism score · judged on 2026-11-23" tests="11" failures="5" errors="0" skipped="1">
          <testsuite name="gate" tests="1" failures="1" errors="0" skipped="0">
            <testcase classname="recidivism.gate" name="launch gate">
              <failure message="a gap or a failed test stands in the way" type="hold">6 blockers</failure>
            </testcase>
          </testsuite>
          <testsuite name="tests" tests="5" failures="3" errors="0" skipped="1">
            <testcase classname="recidivism.tests" name="impact-ratio by race in two-year">
              <failure message="The favourable rate of each group, divided by that of the reference group. by race: fail" type="hold">yardstick: 29 CFR 1607.4(D)
        owner: Dana Weber
        next: narrow the gap (threshold, features, data), then review again</failure>
            </testcase>
            <testcase classname="recidivism.tests" name="impact-ratio by sex in two-year"/>
            <testcase classname="recidivism.tests" name="impact-ratio by age_cat in two-year">
              <failure message="The favourable rate of each group, divided by that of the reference group. by age_cat: fail" type="hold">yardstick: 29 CFR 1607.4(D)
        owner: Dana Weber
        next: narrow the gap (threshold, features, data), then review again</failure>
            </testcase>
            <testcase classname="recidivism.tests" name="tpr-difference by race in two-year">
              <failure message="The favourable rate of each group, divided by that of the reference group. by race: fail" type="hold">yardstick: 29 CFR 1607.4(D)
        owner: Dana Weber
        next: narrow the gap (threshold, features, data), then review again</failure>
            </testcase>
            <testcase classname="recidivism.tests" name="fpr-difference by race in two-year">
              <skipped message="fail; not asked for by policy"/>
            </testcase>
          </testsuite>
          <testsuite name="EU Artificial Intelligence Act" tests="5" failures="1" errors="0" skipped="0">
            <testcase classname="recidivism.EU Artificial Intelligence Act" name="EUAIA-4 Give staff the knowledge they need"/>
            <testcase classname="recidivism.EU Artificial Intelligence Act" name="GDPR-5 Give staff the knowledge they need"/>
            <testcase classname="recidivism.EU Artificial Intelligence Act" name="GDPR-30 Give staff the knowledge they need"/>
            <testcase classname="recidivism.EU Artificial Intelligence Act" name="POL-owner Give staff the knowledge they need"/>
            <testcase classname="recidivism.EU Artificial Intelligence Act" name="EUAIA-5 Give staff the knowledge they need">
              <failure message="Do not place on the market a system that predicts crime solely by profiling (the declared facts match a prohibited practice; Screening record: nothing submitted)" type="hold">EU Artificial Intelligence Act, Art 5(1)(d)
        owner: Lee Moran
        next: stop, or show with counsel that it is not caught: submit it (`kind = &quot;screening_record&quot;`) and have it accepted: Screen every use against the eight practices before it is offered.</failure>
            </testcase>
          </testsuite>
        </testsuites>
    "#]].assert_eq(&review(&view).unwrap());
}

#[test]
fn of_the_measurements_alone_no_requirement_is_a_case() {
    let view = ReviewView {
        gate: Gate::Tests,
        verdict: Verdict::Clear,
        blockers: Vec::new(),
        outcomes: Vec::new(),
        ..fixture::recidivism()
    };
    let xml = review(&view).unwrap();
    assert!(!xml.contains("EUAIA"), "{xml}");
    assert!(
        xml.contains("tests=\"1\" failures=\"0\" errors=\"0\""),
        "{xml}"
    );
}

#[test]
fn what_is_written_in_a_declaration_stays_text() {
    let view = ReviewView {
        name: "</testcase><x y=\"1\">&\u{0}\u{1b}[31m".to_owned(),
        ..fixture::recidivism()
    };
    let xml = review(&view).unwrap();
    assert!(
        xml.contains("&lt;/testcase&gt;&lt;x y=&quot;1&quot;&gt;&amp;\u{fffd}\u{fffd}[31m"),
        "{xml}"
    );
}
