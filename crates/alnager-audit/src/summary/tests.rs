//! Published tables, right and wrong, and what is said of them.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

/// What is said of a summary: `!` something does not add up, `.` worth knowing.
#[track_caller]
fn check(text: &str, want: &[&str]) {
    let published = read(text).unwrap();
    let said: Vec<String> = super::check(&published)
        .into_iter()
        .map(|remark| {
            let sign = if remark.is_wrong { "!" } else { "." };
            let place = [remark.table, remark.category].join("/");
            format!("{sign} {place} {}", remark.what)
        })
        .collect();
    assert_eq!(said.len(), want.len(), "{said:#?}");
    for (said, want) in said.iter().zip(want) {
        assert!(said.contains(want), "`{want}` is not in `{said}`");
    }
}

const RIGHT: &str = "table,category,n,selected,rate,impact_ratio\n\
    sex,Male,1390,667,48.0%,1.00\nsex,Female,1181,555,47.0%,0.98\nsex,Unknown,12,,,\n";

#[test]
fn a_right_table_has_nothing_to_be_said_against_it() {
    check(
        "category,applicants,selected,rate,impact_ratio\nMale,\"1,390\",667,48.0%,1.00\nFemale,1181,555,47.0%,0.98\nUnknown,12,,,\n",
        &[],
    );
    assert_eq!(read(RIGHT).unwrap().n_unknown, Some(12));
}

#[test]
fn other_spellings_orders_and_separators_are_read() {
    let text = "Impact Ratio;# of Applicants;Race/Ethnicity;Selection Rate;Number Selected\n\
        1;100;White;.5;50\n0.8;100;Asian;.4;40\n\nUnknown: 3 people\n";
    check(text, &[]);
}

#[test]
fn wrong_rates_and_ratios_are_named_with_the_right_ones() {
    check(
        "category,n,selected,rate,ratio\nA,100,50,0.50,1.00\nB,100,40,0.42,0.84\nunknown,0,,,\n",
        &[
            "! table 1/B The rate is printed as 0.42; 40 of 100 is 0.400.",
            "! table 1/B The impact ratio is printed as 0.84; from the counts, against A, it is 0.800. It agrees with the rates as printed",
        ],
    );
}

#[test]
fn the_highest_rate_has_the_ratio_one() {
    check(
        "category,n,selected,rate,ratio\nA,100,50,50%,0.98\nB,100,49,49%,1.00\nunknown,0,,,\n",
        &[
            "! table 1/A It has the highest rate, so its impact ratio is 1; printed is 0.98.",
            "! table 1/B The impact ratio is printed as 1.00; from the counts, against A, it is 0.980.",
        ],
    );
}

#[test]
fn cutting_off_is_told_from_rounding() {
    // 2/3 cut off is 0.66, rounded 0.67.
    let table = |rates: [&str; 2], ratios: [&str; 2]| {
        let [(one, of_one), (other, of_other)] = [(rates[0], ratios[0]), (rates[1], ratios[1])];
        format!(
            "category,n,selected,rate,ratio\nA,3,3,1.00,1.00\nB,3,2,{one},{of_one}\nC,3,2,{other},{of_other}\nunknown,0,,,\n"
        )
    };
    let (cut, rounded) = (["0.66"; 2], ["0.67"; 2]);
    check(&table(rounded, rounded), &[]);
    check(
        &table(cut, cut),
        &[
            ". table 1/ The rates are cut off, not rounded (B)",
            ". table 1/ The impact ratios are cut off, not rounded (B)",
        ],
    );
    // Each column has one way: rates rounded, ratios cut off.
    check(
        &table(rounded, cut),
        &[". table 1/ The impact ratios are cut off"],
    );
    check(
        &table(["0.66", "0.67"], rounded),
        &["! table 1/ Some rates are cut off (B) and others rounded (C)"],
    );
}

#[test]
fn numbers_beyond_all_people_are_refused() {
    let error = |field: &str| read(&format!("category,n,rate\nA,{field},0.5\n")).unwrap_err();
    assert!(error("99999999999999999999").contains("no number of people"));
    assert!(error("999999999999999999").contains("no number of people"));
    let rate = read("category,n,rate\nA,1,99999999999999999999.5\n").unwrap_err();
    assert!(rate.contains("is no rate"));
}

proptest! {
    #[test]
    fn nothing_that_can_be_read_makes_it_stumble(text in "[A-C |,;%.\"0-9\n]{0,120}") {
        let text = format!("category,n,selected,rate,ratio\n{text}");
        if let Ok(published) = read(&text) {
            super::check(&published);
        }
    }

    #[test]
    fn what_is_rounded_from_the_counts_is_never_wrong(counts in proptest::collection::vec((0_u64..500, 1_u64..500), 1..6)) {
        let shares: Vec<(u64, u64)> = counts.into_iter().map(|(k, n)| (k.min(n), n)).collect();
        let best = shares.iter().copied().max_by(|one, other| (one.0 * other.1).cmp(&(other.0 * one.1))).unwrap();
        prop_assume!(best.0 > 0);
        let mut text = "category,n,selected,rate,ratio\n".to_owned();
        for (at, (k, n)) in shares.iter().enumerate() {
            let shown = |numer: u64, denom: u64| crate::profile::rounded(numer.into(), denom.into(), 3).unwrap();
            text.push_str(&format!("G{at},{n},{k},{},{}\n", shown(*k, *n), shown(k * best.1, n * best.0)));
        }
        text.push_str("unknown,0,,,\n");
        let wrong: Vec<Remark> = super::check(&read(&text).unwrap()).into_iter().filter(|remark| remark.is_wrong).collect();
        prop_assert!(wrong.is_empty(), "{text}{wrong:?}");
    }
}

#[test]
fn a_category_left_out_needs_to_be_small_and_a_reason() {
    let table = |n: u64, selected: u64, rate: &str, note: &str| {
        format!(
            "category,n,selected,rate,ratio,justification\nA,100,50,0.5,1,\nB,{n},{selected},{rate},N/A,{note}\nunknown,0,,,,\n"
        )
    };
    check(
        &table(2, 1, "0.5", ""),
        &["! table 1/B It has no impact ratio and holds 2.0 % of the people"],
    );
    check(&table(1, 1, "1.0", "under 2 %"), &[]);
    check(
        &table(1, 1, "1.0", ""),
        &["the reason for leaving it out is not given"],
    );
    check(
        &table(50, 10, "0.2", "few people"),
        &["only a category under 2 % may be left out"],
    );
}

#[test]
fn intersections_fit_their_margins() {
    let tables = |male: u64, unknown: &str| {
        format!(
            "sex,n,selected,rate,ratio\nMale,{male},5,{:.3},1\n\nrace,n,selected,rate,ratio\nWhite,10,5,0.5,1\n\n\
             race,sex,n,selected,rate,ratio\nWhite,Male,10,5,0.5,1\n\n{unknown}\n",
            5.0 / male as f64
        )
    };
    check(&tables(10, "unknown,0"), &[]);
    check(&tables(11, "unknown,1"), &[]);
    check(
        &tables(11, "unknown,0"),
        &["! table 1/Male 11 people are printed and its intersections hold 10: 1 more"],
    );
    check(
        &tables(9, "unknown,0"),
        &["! table 1/Male 9 people are printed and its intersections hold 10: fewer"],
    );
}

#[test]
fn unknown_people_are_to_be_mentioned() {
    check(
        "category,n,selected,rate,ratio\nA,10,5,0.5,1\n",
        &["! / It does not say how many people are in no ratio"],
    );
}

#[test]
fn without_counts_the_printed_rates_must_do() {
    check(
        "category,n,rate,ratio\nA,100,0.50,1.00\nB,100,0.40,0.70\nC,3,0.40,0.80\nunknown,0,,\n",
        &[
            "! table 1/C No whole number of 3 people gives the rate 0.40.",
            "! table 1/B The impact ratio is printed as 0.70; the printed rates give about 0.800.",
            ". table 1/C It holds 1.5 % of the people",
        ],
    );
}

#[test]
fn what_cannot_be_read_is_said() {
    for (text, want) in [
        ("", "no table"),
        ("a,b\n1,2\n", "line 1: there is no header"),
        (
            "category,n,rate\nA,ten,0.5\n",
            "line 2: `ten` is no number of people",
        ),
        ("category,n,rate\n\"A,1,0.5\n", "line 2: a quote is opened"),
        ("{\"x\":1}", "no `public_summary`"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(want), "{error}");
    }
}

#[test]
fn a_figure_without_decimals_is_too_coarse_to_check() {
    check(
        "category,n,selected,rate,ratio\nA,100,87,0.87,1\nB,100,45,0,1\nC,100,60,0.6,0.7\nD,100,86,0.9,0.99\nunknown,0,,,\n",
        &[
            "! table 1/B The rate is printed with no decimals, 0; it is 45 of 100, 0.450, so the printed figure is too coarse",
            "! table 1/D The rate is printed with one decimal, 0.9",
            "! table 1/B The impact ratio is printed with no decimals, 1; it is 0.517, from the counts against A",
            "! table 1/C The impact ratio is printed with one decimal, 0.7",
        ],
    );
    // Without counts as well.
    check(
        "category,n,rate,ratio\nA,100,0.90,1\nB,100,0.47,1\nC,7,0,0\nD,90,0.3,0.33\nE,7,0.4,0.44\nunknown,0,,\n",
        &[
            "! table 1/E The rate is printed with one decimal, 0.4; it is a share of 7 people",
            "! table 1/B The impact ratio is printed with no decimals, 1; it is about 0.522",
        ],
    );
    check(
        "category,n,rate,ratio\nA,100,0.9,1\nB,100,0.4,0.46\nunknown,0,,\n",
        &[
            "! table 1/B The impact ratio is printed as 0.46; the rates are printed with fewer than two decimals",
        ],
    );
}

#[test]
fn per_cent_is_read_where_the_header_or_the_figure_says_so() {
    let table = |header: &str, rates: [&str; 2], ratio: &str| {
        format!(
            "category,n,selected,{header}\nA,200,100,{},{ratio}\nB,200,1,{},0.01\nunknown,0,,,\n",
            rates[0], rates[1]
        )
    };
    check(&table("rate (%),ratio", ["50", "0.5"], "1"), &[]);
    check(&table("Percent selected,ratio", ["50.0", "0.50"], "1"), &[]);
    check(&table("rate,ratio", ["50.0", "0.5"], "1"), &[]);
    check(&table("rate,ratio", ["50.0", "0.005"], "1"), &[]);
    check(
        &table("rate in per cent,ratio", ["0.50", "0.5"], "1"),
        &["! table 1/A The rate is printed as 0.0050; 100 of 200 is 0.50000."],
    );
}

#[test]
fn a_category_printed_twice_is_noticed() {
    check(
        "category,n,selected,rate,ratio\nA,100,50,0.50,1.00\na ,100,50,0.50,1.00\nunknown,0,,,\n",
        &["! table 1/A It is printed 2 times in this table"],
    );
}

#[test]
fn a_category_of_nobody_has_no_rate() {
    for blank in ["N/A", "-", ""] {
        check(
            &format!(
                "category,n,selected,rate,ratio\nA,100,50,0.50,1.00\nB,0,{blank},{blank},{blank}\nC,0,0,{blank},\nunknown,0,,,\n"
            ),
            &[],
        );
    }
}

#[test]
fn whole_numbers_of_people_may_be_doubles() {
    let text = r#"{"tables":[{"rows":[{"category":"A","n":100.0,"selected":50.0,"rate":0.5,"impact_ratio":1}]}],"n_unknown":0.0}"#;
    check(text, &[]);
    let half = read(&text.replace("100.0", "100.5")).unwrap();
    assert_eq!(half.tables[0].lines[0].n, None);
}

/// A table of JSON: people, selected, rate and ratio of each category.
fn json_table(rows: &[(u64, u64, &str, &str)]) -> String {
    let row = |(at, (n, selected, rate, ratio)): (usize, &(u64, u64, &str, &str))| {
        let figures = format!("\"rate\":{rate},\"impact_ratio\":{ratio}");
        format!("{{\"category\":\"{at}\",\"n\":{n},\"selected\":{selected},{figures}}}")
    };
    let rows: Vec<String> = rows.iter().enumerate().map(row).collect();
    format!(
        "{{\"tables\":[{{\"rows\":[{}]}}],\"n_unknown\":0}}",
        rows.join(",")
    )
}

#[test]
fn a_bare_number_is_taken_as_rounded_to_its_digits() {
    // 667 of 1390 is 0.4799, 555 of 1181 is 0.4699.
    let rounded = [(1390, 667, "0.48", "1.0"), (1181, 555, "0.47", "0.98")];
    check(&json_table(&rounded), &[]);
    // A zero at the end, which JSON drops, counts as printed: 499 of 1000 is 0.50.
    let dropped = [(1000, 499, "0.5", "1"), (1000, 420, "0.42", "0.84")];
    check(&json_table(&dropped), &[]);
    let wrong = [(1390, 667, "0.48", "1.0"), (1181, 555, "0.475", "0.98")];
    check(
        &json_table(&wrong),
        &["! table 1/1 The rate is printed as 0.475; 555 of 1181 is 0.4699."],
    );
    // With all the digits of a double it is exact.
    let exact = [
        (1390, 667, "0.47985611510791365", "1.0"),
        (1181, 555, "0.46994072819644367", "0.9793367499146278"),
    ];
    check(&json_table(&exact), &[]);
    check(
        &json_table(&[
            (1390, 667, "0.47985611510791365", "1"),
            (1181, 555, "0.46994172819644367", "0.9793367499146278"),
        ]),
        &["! table 1/1 The rate is printed as 0.469941728"],
    );
    // A figure with more zeros than a publication has digits is 0.
    check(
        &json_table(&[(10, 5, "0.5", "1"), (10, 0, "1e-300", "0")]),
        &[],
    );
}

#[test]
fn long_figures_do_not_overflow() {
    let long = "999999999.999999999";
    check(
        &format!("category,rate,ratio\nA,{long},{long}\nB,0.5,{long}\nunknown,0,,\n"),
        &[
            "how many people",
            "how many people",
            "its impact ratio is 1",
            "printed rates give",
        ],
    );
}
