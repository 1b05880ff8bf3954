use expect_test::{Expect, expect};

use super::*;
use crate::fixture;

/// What a review left behind.
struct Outputs {
    n_proposals: usize,
    report: String,
    dossier: String,
    receipt: String,
}

/// The whole screen, as a command puts it together.
fn review(view: &ReviewView, outputs: &Outputs, style: Style) -> String {
    let Outputs {
        report,
        dossier,
        receipt,
        ..
    } = outputs;
    let left = left_behind(report, dossier, receipt, style);
    findings(view, outputs.n_proposals, style) + &left
}

#[track_caller]
fn check(view: &ReviewView, style: Style, want: Expect) {
    let outputs = Outputs {
        n_proposals: 0,
        report: "recidivism-2026-11-23.html".to_owned(),
        dossier: "recidivism-2026-11-23.dossier".to_owned(),
        receipt: "sealed as entry 12 of desk.example/journal, root 7Yc0".to_owned(),
    };
    let text = review(view, &outputs, style);
    if !style.colour {
        let wide = text.lines().find(|line| length(line) > style.width.max(60));
        assert_eq!(wide, None, "a line is wider than the screen");
    }
    want.assert_eq(&text.replace('\u{1b}', "ESC"));
}

const PLAIN: Style = Style {
    colour: false,
    width: 100,
};

#[test]
fn a_system_on_hold() {
    check(
        &fixture::recidivism(),
        PLAIN,
        expect![[r#"
            ✕ HOLD  Recidivism score · judged on 2026-11-23 · a gap or a failed test stands in the way
            what-if a provider in the EU offers this score to law-enforcement authorities in the EU
            in force 15: met 4, gap 2, unknown 9 · ahead 23 (next 2027-12-02) · voluntary 0
            highest fine EUR 35 million or 7 % of worldwide annual turnover, whichever is higher (EU Artificial
              Intelligence Act, Art 99(3); EUAIA-5)
            tests 13: 9 failed, 2 inconclusive

            results · two-year: data.csv, 7,214 rows · favourable is decile_score below 5 · intervals 95 %
            ✕ race African-American: favourable rate 41.2 % (1522/3696) against 65.2 % (1600/2454) for
              Caucasian; impact ratio 0.632 [0.602, 0.663]: fail
            reference rates: race Caucasian 65.2 % (1600/2454), sex Male 53.2 % (3093/5819) and 2 more
            too small to judge (under 100): Asian 32, Native American 18, Asian×Female 2 and 4 more
            impact-ratio 0.80 to 1.25 (yardstick: 29 CFR 1607.4(D) (four-fifths; a US yardstick for selection,
                no European law sets a number))
              ✕ fail  race African-American    41.2 % 1522/3696  0.632 [0.602, 0.663]
              ✕ fail  age_cat Less than 25      34.7 % 530/1529  0.652 [0.605, 0.702]
              ✕ fail  age_cat Greater than 45  75.0 % 1182/1576  1.410 [1.355, 1.469]
              ✕ fail  African-American×Male    39.7 % 1207/3044  0.595 [0.564, 0.628]
              ✕ 1 more fail: African-American×Female · ● 3 inconclusive · ✓ 4 pass
            tpr-difference −0.10 to 0.10 (policy: policy default, section 1)
              ✕ fail  race Other                 n 377  −0.199 [−0.279, −0.110]
              ✕ fail  age_cat Greater than 45  n 1,576  −0.199 [−0.246, −0.149]
              ✕ fail  race African-American    n 3,696  +0.197 [+0.160, +0.235]
              ✕ 2 more fail: African-American×Male, African-American×Female · ● 6 inconclusive · ✓ 1 pass
            fpr-difference −0.10 to 0.10 (policy: policy default, section 1)
              ✕ fail  race African-American    n 3,696  +0.214 [+0.182, +0.245]
              ✕ fail  age_cat Less than 25     n 1,529  +0.208 [+0.165, +0.250]
              ✕ fail  age_cat Greater than 45  n 1,576  −0.166 [−0.195, −0.135]
              ✕ 2 more fail: African-American×Male, African-American×Female · ● 4 inconclusive · ✓ 3 pass
            accuracy at least 0.60 (policy: policy default, section 2) · ✓ 1 pass: all rows 0.654 [0.643, 0.665]

            what would change this
              law      EUAIA-9 and 11 more (EU Artificial Intelligence Act) begin to bind on 2027-12-02, unless
                       `law_enforcement_use` were answered `no`
              measured at a threshold of 6 the impact ratio of African-American is 0.721 [0.695, 0.748]: fail,
                       accuracy +0.002
              measured at a threshold of 8 the impact ratio of African-American is 0.822 [0.803, 0.841]: pass,
                       accuracy −0.021

            next actions · 3 of 4
            1 ✕ impact-ratio: The favourable rate of each group, divided by that… (the same step settles 2 more)
                Dana Weber: narrow the gap (threshold, features, data), then review again
            2 ✕ EUAIA-5: Do not place on the market a system that predicts crime solely by profiling (the…
                Lee Moran: stop, or show with counsel that it is not caught: submit it (`kind =
                "screening_record"`) and have it accepted: Screen every use against the eight practices before…
            3 ● GDPR-22: Do not decide about people by machine alone without a ground (it rests on…
                Ines Marchetti: have `profiles_people` confirmed by someone outside the building team (`alnager
                fact confirm recidivism profiles_people`)

            ✓ met 4: EUAIA-4, GDPR-5, GDPR-30, POL-owner
            report   recidivism-2026-11-23.html
            dossier  recidivism-2026-11-23.dossier
            receipt  sealed as entry 12 of desk.example/journal, root 7Yc0
        "#]],
    );
}

#[test]
fn the_same_on_a_narrow_terminal() {
    check(
        &fixture::recidivism(),
        Style {
            colour: false,
            width: 40,
        },
        expect![[r#"
            ✕ HOLD  Recidivism score · judged on 2026-11-23 · a gap or a
              failed test stands in the way
            what-if a provider in the EU offers this score to
              law-enforcement authorities in the EU
            in force 15: met 4, gap 2, unknown 9 · ahead 23 (next
              2027-12-02) · voluntary 0
            highest fine EUR 35 million or 7 % of worldwide annual
              turnover, whichever is higher (EU Artificial Intelligence
              Act, Art 99(3); EUAIA-5)
            tests 13: 9 failed, 2 inconclusive

            results · two-year: data.csv, 7,214 rows · favourable is
              decile_score below 5 · intervals 95 %
            ✕ race African-American: favourable rate 41.2 % (1522/3696)
              against 65.2 % (1600/2454) for Caucasian; impact ratio
              0.632 [0.602, 0.663]: fail
            reference rates: race Caucasian 65.2 % (1600/2454) and 3
              more
            too small to judge (under 100): Asian 32 and 6 more
            impact-ratio 0.80 to 1.25 (yardstick: 29 CFR 1607.4(D)
                (four-fifths; a US yardstick for selection, no European
                law sets a number))
              ✕ fail  race African-American
                  41.2 % 1522/3696  0.632 [0.602, 0.663]
              ✕ fail  age_cat Less than 25
                  34.7 % 530/1529  0.652 [0.605, 0.702]
              ✕ fail  age_cat Greater than 45
                  75.0 % 1182/1576  1.410 [1.355, 1.469]
              ✕ fail  African-American×Male
                  39.7 % 1207/3044  0.595 [0.564, 0.628]
              ✕ 1 more fail: African-American×Female · ● 3 inconclusive
                · ✓ 4 pass
            tpr-difference −0.10 to 0.10 (policy: policy default,
                section 1)
              ✕ fail  race Other
                  n 377  −0.199 [−0.279, −0.110]
              ✕ fail  age_cat Greater than 45
                  n 1,576  −0.199 [−0.246, −0.149]
              ✕ fail  race African-American
                  n 3,696  +0.197 [+0.160, +0.235]
              ✕ 2 more fail: African-American×Male and 1 more · ● 6
                inconclusive · ✓ 1 pass
            fpr-difference −0.10 to 0.10 (policy: policy default,
                section 1)
              ✕ fail  race African-American
                  n 3,696  +0.214 [+0.182, +0.245]
              ✕ fail  age_cat Less than 25
                  n 1,529  +0.208 [+0.165, +0.250]
              ✕ fail  age_cat Greater than 45
                  n 1,576  −0.166 [−0.195, −0.135]
              ✕ 2 more fail: African-American×Male and 1 more · ● 4
                inconclusive · ✓ 3 pass
            accuracy at least 0.60 (policy: policy default, section 2)
              ✓ 1 pass: all rows 0.654 [0.643, 0.665]

            what would change this
              law      EUAIA-9 and 11 more (EU Artificial Intelligence
                       Act) begin to bind on 2027-12-02, unless
                       `law_enforcement_use` were answered `no`
              measured at a threshold of 6 the impact ratio of
                       African-American is 0.721 [0.695, 0.748]: fail,
                       accuracy +0.002
              measured at a threshold of 8 the impact ratio of
                       African-American is 0.822 [0.803, 0.841]: pass,
                       accuracy −0.021

            next actions · 3 of 4
            1 ✕ impact-ratio: The… (the same step settles 2 more)
                Dana Weber: narrow the gap (threshold, features, data),
                then review again
            2 ✕ EUAIA-5: Do not place on the market a system that…
                Lee Moran: stop, or show with counsel that it is not
                caught: submit it (`kind = "screening_record"`) and…
            3 ● GDPR-22: Do not decide about people by machine alone…
                Ines Marchetti: have `profiles_people` confirmed by
                someone outside the building team (`alnager fact…

            ✓ met 4: EUAIA-4, GDPR-5, GDPR-30, POL-owner
            report   recidivism-2026-11-23.html
            dossier  recidivism-2026-11-23.dossier
            receipt  sealed as entry 12 of desk.example/journal, root
                     7Yc0
        "#]],
    );
}

#[test]
fn the_same_on_eighty_columns() {
    check(
        &fixture::recidivism(),
        Style {
            colour: false,
            width: 80,
        },
        expect![[r#"
            ✕ HOLD  Recidivism score · judged on 2026-11-23 · a gap or a failed test stands
              in the way
            what-if a provider in the EU offers this score to law-enforcement authorities in
              the EU
            in force 15: met 4, gap 2, unknown 9 · ahead 23 (next 2027-12-02) · voluntary 0
            highest fine EUR 35 million or 7 % of worldwide annual turnover, whichever is
              higher (EU Artificial Intelligence Act, Art 99(3); EUAIA-5)
            tests 13: 9 failed, 2 inconclusive

            results · two-year: data.csv, 7,214 rows · favourable is decile_score below 5 ·
              intervals 95 %
            ✕ race African-American: favourable rate 41.2 % (1522/3696) against 65.2 %
              (1600/2454) for Caucasian; impact ratio 0.632 [0.602, 0.663]: fail
            reference rates: race Caucasian 65.2 % (1600/2454) and 3 more
            too small to judge (under 100): Asian 32, Native American 18 and 5 more
            impact-ratio 0.80 to 1.25 (yardstick: 29 CFR 1607.4(D) (four-fifths; a US
                yardstick for selection, no European law sets a number))
              ✕ fail  race African-American    41.2 % 1522/3696  0.632 [0.602, 0.663]
              ✕ fail  age_cat Less than 25      34.7 % 530/1529  0.652 [0.605, 0.702]
              ✕ fail  age_cat Greater than 45  75.0 % 1182/1576  1.410 [1.355, 1.469]
              ✕ fail  African-American×Male    39.7 % 1207/3044  0.595 [0.564, 0.628]
              ✕ 1 more fail: African-American×Female · ● 3 inconclusive · ✓ 4 pass
            tpr-difference −0.10 to 0.10 (policy: policy default, section 1)
              ✕ fail  race Other                 n 377  −0.199 [−0.279, −0.110]
              ✕ fail  age_cat Greater than 45  n 1,576  −0.199 [−0.246, −0.149]
              ✕ fail  race African-American    n 3,696  +0.197 [+0.160, +0.235]
              ✕ 2 more fail: African-American×Male and 1 more · ● 6 inconclusive · ✓ 1 pass
            fpr-difference −0.10 to 0.10 (policy: policy default, section 1)
              ✕ fail  race African-American    n 3,696  +0.214 [+0.182, +0.245]
              ✕ fail  age_cat Less than 25     n 1,529  +0.208 [+0.165, +0.250]
              ✕ fail  age_cat Greater than 45  n 1,576  −0.166 [−0.195, −0.135]
              ✕ 2 more fail: African-American×Male and 1 more · ● 4 inconclusive · ✓ 3 pass
            accuracy at least 0.60 (policy: policy default, section 2)
              ✓ 1 pass: all rows 0.654 [0.643, 0.665]

            what would change this
              law      EUAIA-9 and 11 more (EU Artificial Intelligence Act) begin to bind on
                       2027-12-02, unless `law_enforcement_use` were answered `no`
              measured at a threshold of 6 the impact ratio of African-American is 0.721
                       [0.695, 0.748]: fail, accuracy +0.002
              measured at a threshold of 8 the impact ratio of African-American is 0.822
                       [0.803, 0.841]: pass, accuracy −0.021

            next actions · 3 of 4
            1 ✕ impact-ratio: The favourable rate of each… (the same step settles 2 more)
                Dana Weber: narrow the gap (threshold, features, data), then review again
            2 ✕ EUAIA-5: Do not place on the market a system that predicts crime solely by…
                Lee Moran: stop, or show with counsel that it is not caught: submit it
                (`kind = "screening_record"`) and have it accepted: Screen every use…
            3 ● GDPR-22: Do not decide about people by machine alone without a ground (it…
                Ines Marchetti: have `profiles_people` confirmed by someone outside the
                building team (`alnager fact confirm recidivism profiles_people`)

            ✓ met 4: EUAIA-4, GDPR-5, GDPR-30, POL-owner
            report   recidivism-2026-11-23.html
            dossier  recidivism-2026-11-23.dossier
            receipt  sealed as entry 12 of desk.example/journal, root 7Yc0
        "#]],
    );
}

#[test]
fn a_typical_system_fits_on_one_screen() {
    let mut view = fixture::recidivism();
    view.results
        .retain(|result| matches!(result.attribute.as_str(), "age_cat" | "sex" | ""));
    view.audits[0]
        .groups
        .retain(|group| matches!(group.attribute.as_str(), "age_cat" | "sex"));
    view.headline = Some(1);
    view.what_if = None;
    view.changes.truncate(2);
    let outputs = Outputs {
        n_proposals: 0,
        report: "r.html".to_owned(),
        dossier: "r.dossier".to_owned(),
        receipt: "sealed as entry 12".to_owned(),
    };
    let text = review(&view, &outputs, PLAIN);
    assert!(
        text.lines().count() <= 45,
        "{} lines:\n{text}",
        text.lines().count()
    );
}

#[test]
fn nothing_is_required() {
    check(
        &fixture::empty(),
        PLAIN,
        expect![[r#"
        ● UNDECIDED  Recidivism score · judged on 2026-11-23 · nothing required: neither law nor policy asks
          for anything on the declared facts, and unknown never passes
        in force 0: met 0, gap 0, unknown 0 · ahead 0 · voluntary 0
        tests none asked for, none measured

        next action · Dana Weber: check the declared facts; as they stand, nothing is asked of this system

        report   recidivism-2026-11-23.html
        dossier  recidivism-2026-11-23.dossier
        receipt  sealed as entry 12 of desk.example/journal, root 7Yc0
    "#]],
    );
}

#[test]
fn colour_only_adds_to_marks_and_words() {
    let view = ReviewView {
        verdict: Verdict::Clear,
        verdict_words: "ready for a person's decision".to_owned(),
        ..fixture::empty()
    };
    check(
        &view,
        Style {
            colour: true,
            width: 100,
        },
        expect![[r#"
        ESC[1;32m✓ CLEARESC[0m  Recidivism score · judged on 2026-11-23 · ready for a person's decision
        ESC[1min forceESC[0m 0: met 0, gap 0, unknown 0 · ahead 0 · voluntary 0
        ESC[1mtestsESC[0m none asked for, none measured

        ESC[1mnext actionESC[0m · Dana Weber: decide; nothing stands in the way

        ESC[1mreportESC[0m   recidivism-2026-11-23.html
        ESC[1mdossierESC[0m  recidivism-2026-11-23.dossier
        ESC[1mreceiptESC[0m  sealed as entry 12 of desk.example/journal, root 7Yc0
    "#]],
    );
}

#[test]
fn without_its_colour_it_is_the_plain_screen() {
    let outputs = Outputs {
        n_proposals: 0,
        report: "r.html".to_owned(),
        dossier: "r.dossier".to_owned(),
        receipt: "sealed as entry 12".to_owned(),
    };
    let painted = review(
        &fixture::recidivism(),
        &outputs,
        Style {
            colour: true,
            ..PLAIN
        },
    );
    let mut bare = String::new();
    for (at, part) in painted.split("\u{1b}[").enumerate() {
        bare.push_str(if at == 0 {
            part
        } else {
            part.split_once('m').map_or(part, |(_, rest)| rest)
        });
    }
    assert_eq!(bare, review(&fixture::recidivism(), &outputs, PLAIN));
}

#[test]
fn undefined_small_unlabelled_and_what_if_are_told_apart() {
    let mut view = fixture::recidivism();
    view.known = "2026-03-03".to_owned();
    view.warnings = vec!["12 rows have no outcome and count only for the decision".to_owned()];
    view.counts.waiting = 1;
    view.results
        .retain(|result| matches!(result.attribute.as_str(), "sex" | ""));
    view.results[0].is_what_if = true;
    view.results[0].outcome = Outcome::Fail;
    view.results[0].interval = Some((0.0, f64::INFINITY));
    view.results[1].value = None;
    view.results[1].interval = None;
    view.results[1].outcome = Outcome::Inconclusive;
    view.results[2].is_judged = false;
    view.results[3].outcome = Outcome::NotMeasured;
    view.results[3].is_required = false;
    view.results[3].is_judged = false;
    view.audits[0].unknown = vec![("race".to_owned(), 1250)];
    view.headline = None;
    check(
        &view,
        PLAIN,
        expect![[r#"
            ✕ HOLD  Recidivism score · judged on 2026-11-23, law as known on 2026-03-03 · a gap or a failed test
              stands in the way
            what-if a provider in the EU offers this score to law-enforcement authorities in the EU
            in force 15: met 4, gap 2, unknown 9 · ahead 23 (next 2027-12-02) · waiting 1 · voluntary 0
            highest fine EUR 35 million or 7 % of worldwide annual turnover, whichever is higher (EU Artificial
              Intelligence Act, Art 99(3); EUAIA-5)
            tests 13: 9 failed, 2 inconclusive

            results · two-year: data.csv, 7,214 rows · favourable is decile_score below 5 · intervals 95 %
            reference rates: race Caucasian 65.2 % (1600/2454), sex Male 53.2 % (3093/5819) and 2 more
            too small to judge (under 100): Asian 32, Native American 18, Asian×Female 2 and 4 more
            group unknown, left out: race 1,250
            impact-ratio 0.80 to 1.25 (yardstick: 29 CFR 1607.4(D) (four-fifths; a US yardstick for selection,
                no European law sets a number))
              ✕ fail (no evidence: no lawful basis named)  sex Female  57.6 % 804/1395  1.084 [0.000, ∞]
            tpr-difference −0.10 to 0.10 (policy: policy default, section 1)
              ● inconclusive  sex Female  n 1,395  –
            fpr-difference −0.10 to 0.10 (policy: policy default, section 1)
              ● inconclusive: no group is large enough to judge
            accuracy at least 0.60 (policy: policy default, section 2) · not asked for by policy
              – not measured  all rows    –
            warning 12 rows have no outcome and count only for the decision

            what would change this
              law      EUAIA-9 and 11 more (EU Artificial Intelligence Act) begin to bind on 2027-12-02, unless
                       `law_enforcement_use` were answered `no`
              measured at a threshold of 6 the impact ratio of African-American is 0.721 [0.695, 0.748]: fail,
                       accuracy +0.002
              measured at a threshold of 8 the impact ratio of African-American is 0.822 [0.803, 0.841]: pass,
                       accuracy −0.021

            next actions · 3 of 4
            1 ✕ impact-ratio: The favourable rate of each group, divided by that… (the same step settles 2 more)
                Dana Weber: narrow the gap (threshold, features, data), then review again
            2 ✕ EUAIA-5: Do not place on the market a system that predicts crime solely by profiling (the…
                Lee Moran: stop, or show with counsel that it is not caught: submit it (`kind =
                "screening_record"`) and have it accepted: Screen every use against the eight practices before…
            3 ● GDPR-22: Do not decide about people by machine alone without a ground (it rests on…
                Ines Marchetti: have `profiles_people` confirmed by someone outside the building team (`alnager
                fact confirm recidivism profiles_people`)

            ✓ met 4: EUAIA-4, GDPR-5, GDPR-30, POL-owner
            report   recidivism-2026-11-23.html
            dossier  recidivism-2026-11-23.dossier
            receipt  sealed as entry 12 of desk.example/journal, root 7Yc0
        "#]],
    );
}

#[test]
fn a_name_cannot_steer_the_terminal() {
    let mut view = fixture::recidivism();
    view.name = "a\u{1b}[2Jb".to_owned();
    view.results[0].group = "\u{1b}[31mred".to_owned();
    view.headline = None;
    let outputs = Outputs {
        n_proposals: 0,
        report: "r\u{7}".to_owned(),
        dossier: String::new(),
        receipt: String::new(),
    };
    assert!(!review(&view, &outputs, PLAIN).contains(['\u{1b}', '\u{7}']));
}

#[test]
fn conflicts_and_what_may_be_reused_are_named_with_where_to_look() {
    let view = ReviewView {
        conflicts: vec![fixture::conflict(); 4],
        ..fixture::empty()
    };
    let outputs = Outputs {
        n_proposals: 1,
        report: "r.html".to_owned(),
        dossier: "d".to_owned(),
        receipt: "none".to_owned(),
    };
    expect![[r#"
        ● UNDECIDED  Recidivism score · judged on 2026-11-23 · nothing required: neither law nor policy asks
          for anything on the declared facts, and unknown never passes
        in force 0: met 0, gap 0, unknown 0 · ahead 0 · voluntary 0
        tests none asked for, none measured

        conflicts for counsel · 3 of 4, the others are in the report
          GDPR-5 ⇄ EUAIA-9: one wants the records kept, the other wants them deleted
          GDPR-5 ⇄ EUAIA-9: one wants the records kept, the other wants them deleted
          GDPR-5 ⇄ EUAIA-9: one wants the records kept, the other wants them deleted

        next action · Dana Weber: check the declared facts; as they stand, nothing is asked of this system

        reuse    1 proposal to use accepted evidence again: `alnager evidence proposals --system recidivism`
        report   r.html
        dossier  d
        receipt  none
    "#]].assert_eq(&review(&view, &outputs, PLAIN));
}
