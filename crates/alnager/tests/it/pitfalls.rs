//! The pitfalls of fairness audits, each a test under its number: what other tools get wrong, and what must come out instead.

use std::fmt::Write as _;

use serde_json::Value;

use crate::Place;

/// Rows of a group: its name, then how many have the decision 1 and how many 0; the label is the decision.
fn rows(groups: &[(&str, usize, usize)]) -> String {
    let mut text = "g,y,d\n".to_owned();
    for (group, ones, zeros) in groups {
        for at in 0..ones + zeros {
            let decision = u8::from(at < *ones);
            let _ = writeln!(text, "{group},{decision},{decision}");
        }
    }
    text
}

/// Audits `data.csv` with these flags; gives exit code and JSON.
#[track_caller]
fn audit(data: &str, flags: &[&str]) -> (i32, Value) {
    let ran = run(data, flags);
    assert!(
        [0, 1, 3].contains(&ran.code),
        "exit {}: {}",
        ran.code,
        ran.err
    );
    (ran.code, serde_json::from_str(&ran.out).unwrap())
}

fn run(data: &str, flags: &[&str]) -> crate::Ran {
    let place = Place::new();
    place.write("data.csv", data);
    let fixed = [
        "audit", "fairness", "data.csv", "--attr", "g", "--format", "json",
    ];
    place.run(&[&fixed, flags].concat())
}

/// The audit is refused with exit code 2 and these words.
#[track_caller]
fn refused(data: &str, flags: &[&str], words: &[&str]) {
    let ran = run(data, flags);
    assert_eq!(ran.code, 2, "{}", ran.out);
    for word in words {
        assert!(ran.err.contains(word), "`{word}` is not in: {}", ran.err);
    }
}

/// Decision `d`, favourable 1.
const DECIDED: [&str; 4] = ["--decision", "d", "--favorable", "1"];

/// The same with the label `y`.
const LABELLED: [&str; 6] = ["--label", "y", "--decision", "d", "--favorable", "1"];

fn with<'f>(fixed: &[&'f str], more: &[&'f str]) -> Vec<&'f str> {
    [fixed, more].concat()
}

fn finding<'d>(document: &'d Value, test: &str, group: &str) -> &'d Value {
    let findings = document["findings"].as_array().unwrap();
    findings
        .iter()
        .find(|finding| finding["test"] == test && finding["group"] == group)
        .unwrap()
}

fn cautions(document: &Value) -> String {
    document["cautions"].to_string() + &document["warnings"].to_string()
}

#[test]
fn pitfall_01_undefined_is_null_and_says_where() {
    // Group b has no positive label, so no TPR.
    let data = "g,y,d\na,1,1\na,0,0\nb,0,1\nb,0,0\n";
    let (_, found) = audit(data, &with(&LABELLED, &["--ref", "g=a"]));
    let g = &found["attrs"]["g"];
    assert_eq!(g["groups"]["b"]["tpr"], Value::Null);
    assert_eq!(
        g["vs_reference"]["b"]["equal_opportunity_difference"],
        Value::Null
    );
    assert_eq!(
        g["aggregate"]["groups_with_undefined"],
        serde_json::json!(["b"])
    );
    assert_eq!(g["aggregate"]["equalized_odds_difference"], 0.5);
}

#[test]
fn pitfall_02_four_fifths_and_two_per_cent_are_decided_in_integers() {
    let (_, found) = audit(
        &rows(&[("a", 60, 20), ("b", 48, 32)]),
        &with(&DECIDED, &["--ref", "g=a"]),
    );
    let air = &found["attrs"]["g"]["vs_reference"]["b"]["air"];
    assert!(
        (air["favorable_rate"].as_f64().unwrap() / air["ref_favorable_rate"].as_f64().unwrap())
            < 0.8
    );
    assert_eq!(air["below_four_fifths"], false);
    // Exactly 2 % of the people is not below 2 %.
    let (_, found) = audit(&rows(&[("a", 49, 49), ("b", 1, 1)]), &DECIDED);
    assert_eq!(
        found["attrs"]["g"]["ll144_selection"]["b"]["excluded"],
        false
    );
    let (_, found) = audit(&rows(&[("a", 50, 49), ("b", 1, 1)]), &DECIDED);
    assert_eq!(
        found["attrs"]["g"]["ll144_selection"]["b"]["excluded"],
        true
    );
}

#[test]
fn pitfall_03_the_favourable_decision_is_required_and_echoed() {
    let data = rows(&[("a", 5, 5), ("b", 4, 6)]);
    refused(&data, &["--decision", "d"], &["--favorable"]);
    refused(
        &data,
        &["--decision", "d", "--favorable", "yes"],
        &["`yes`", "column `d`"],
    );
    let (_, found) = audit(&data, &["--decision", "d", "--favorable", "0"]);
    assert_eq!(found["favorable"], 0);
    assert!(
        found["reading"][0]
            .as_str()
            .unwrap()
            .contains("favourable is `0` (class 0)")
    );
    let words = data
        .replace(",1\n", ",granted\n")
        .replace(",0\n", ",refused\n");
    let (_, found) = audit(&words, &["--decision", "d", "--favorable", "granted"]);
    assert_eq!(found["attrs"]["g"]["groups"]["a"]["selection_rate"], 0.5);
}

#[test]
fn pitfall_04_a_tiny_group_never_becomes_the_reference_silently() {
    let data = rows(&[("a", 300, 300), ("b", 250, 350), ("tiny", 9, 1)]);
    let (_, found) = audit(&data, &DECIDED);
    assert_eq!(found["groupings"][0]["reference"], "a");
    assert_eq!(found["groupings"][0]["reference_chosen_by_data"], true);
    assert!(cautions(&found).contains("tiny has a higher rate, but only 10 rows"));
    assert_eq!(found["attrs"]["g"]["reference"], "a");
    assert_eq!(found["attrs"]["g"]["highest_favorable_rate_group"], "tiny");
    assert_eq!(finding(&found, "impact-ratio", "tiny")["judged"], false);
    let (_, asked) = audit(&data, &with(&DECIDED, &["--reference-min", "5"]));
    assert_eq!(asked["groupings"][0]["reference"], "tiny");
}

#[test]
fn pitfall_05_unknown_groups_have_three_policies_and_bounds() {
    let mut data = rows(&[("a", 300, 300), ("b", 200, 400)]);
    data.push_str(&"Prefer not to say,1,1\n".repeat(30));
    data.push_str(&",0,0\n".repeat(30));
    let unknown = ["--unknown", "Prefer not to say"];
    let (_, apart) = audit(&data, &with(&DECIDED, &unknown));
    assert_eq!(apart["attrs"]["g"]["n_unknown"], 60);
    let ratio = finding(&apart, "impact-ratio", "b");
    let bounds = ratio["bounds_unknown"].as_array().unwrap();
    let value = ratio["value"].as_f64().unwrap();
    // All unknown refusals in b and all unknown approvals in a, and the other way round.
    let low = (200.0 / 630.0) / (330.0 / 630.0);
    let high = (230.0 / 630.0) / (300.0 / 630.0);
    assert!((bounds[0].as_f64().unwrap() - low).abs() < 1e-12);
    assert!((bounds[1].as_f64().unwrap() - high).abs() < 1e-12);
    assert!(low < value && value < high);
    let (_, group) = audit(
        &data,
        &with(&DECIDED, &with(&unknown, &["--missing", "group"])),
    );
    assert_eq!(group["attrs"]["g"]["groups"]["(unknown)"]["n"], 60);
    let refuse = with(&DECIDED, &with(&unknown, &["--missing", "refuse"]));
    refused(
        &data,
        &refuse,
        &["60 rows have no known value", "column `g`"],
    );
    // A spelling that nobody listed is a group, and is pointed out.
    let (_, listed) = audit(&data, &DECIDED);
    assert!(cautions(&listed).contains("`Prefer not to say` is counted as a group"));
}

#[test]
fn pitfall_06_weighted_rows_get_no_exact_test() {
    let mut data = "g,y,d,w\n".to_owned();
    for at in 0..400 {
        let (group, decision) = (["a", "b"][at % 2], u8::from(at % 3 == 0));
        let _ = writeln!(
            data,
            "{group},{decision},{decision},{}",
            0.5 + (at % 4) as f64
        );
    }
    let flags = with(&DECIDED, &["--weight", "w", "--ref", "g=a"]);
    let (_, found) = audit(&data, &flags);
    let weighted = &found["attrs"]["g"]["groups"]["b"]["weighted"];
    let effective = weighted["effective_n"].as_f64().unwrap();
    assert!(effective < 200.0 && effective > 100.0);
    let ratio = finding(&found, "impact-ratio", "b");
    assert_eq!(ratio["method"], "kish-effective-n/1");
    assert!(ratio["detectable_ratio"].is_null());
    assert!(cautions(&found).contains("exact tests are left out"));
    refused(
        &data.replace("0.5\n", "-0.5\n"),
        &flags,
        &["`-0.5` is no weight", "column `w`"],
    );
    refused(
        &data.replace("0.5\n", "NaN\n"),
        &flags,
        &["NaN", "column `w`"],
    );
}

#[test]
fn pitfall_07_ties_at_a_threshold_or_the_median_and_scores_that_are_none() {
    let data = "g,s\na,1\na,2\na,2\na,3\nb,2\nb,2\nb,3\nb,4\n";
    let flags = [
        "--decision",
        "s>=2",
        "--favorable",
        "1",
        "--score",
        "s",
        "--ref",
        "g=a",
    ];
    let (_, found) = audit(data, &flags);
    // A score on the threshold reaches it; the median is 2, and a score on the median is not above it.
    assert_eq!(found["attrs"]["g"]["groups"]["a"]["selection_rate"], 0.75);
    let scoring = &found["attrs"]["g"]["ll144_scoring"];
    assert_eq!(scoring["median_full_sample"], 2.0);
    assert_eq!(scoring["table"]["a"]["selected"], 1);
    assert_eq!(scoring["table"]["b"]["selected"], 2);
    assert_eq!(scoring["table_at_or_above_median"]["a"]["selected"], 3);
    for bad in ["NaN", "inf", ""] {
        refused(
            &data.replace("b,4", &format!("b,{bad}")),
            &flags,
            &["line 9", "column `s`"],
        );
    }
}

#[test]
fn pitfall_08_a_gap_may_vanish_within_strata() {
    // Admissions to the six largest departments of Berkeley, 1973: Bickel, Hammel and O'Connell 1975, Science 187, 398-404.
    let departments = [
        ("A", [89, 19, 512, 313]),
        ("B", [17, 8, 353, 207]),
        ("C", [202, 391, 120, 205]),
        ("D", [131, 244, 138, 279]),
        ("E", [94, 299, 53, 138]),
        ("F", [24, 317, 22, 351]),
    ];
    let mut data = "g,d,department\n".to_owned();
    for (department, counts) in departments {
        let kinds = [("Female", 1), ("Female", 0), ("Male", 1), ("Male", 0)];
        for ((sex, admitted), n) in kinds.into_iter().zip(counts) {
            data.push_str(&format!("{sex},{admitted},{department}\n").repeat(n));
        }
    }
    let (_, found) = audit(
        &data,
        &with(&DECIDED, &["--ref", "g=Male", "--strata", "department"]),
    );
    let women = &found["attrs"]["g"]["vs_reference"]["Female"];
    assert!((women["air"]["value"].as_f64().unwrap() - 0.6818).abs() < 1e-4);
    assert!((women["selection_rate"]["z_pooled"].as_f64().unwrap() + 9.6024).abs() < 1e-4);
    assert!((women["stratified"]["cmh_p"].as_f64().unwrap() - 0.2169).abs() < 1e-4);
    assert_eq!(women["stratified"]["n_strata"], 6);
}

#[test]
fn pitfall_09_many_comparisons_are_allowed_for() {
    // Forty groups with the same chance; one came out a little low, as one of forty will.
    let names: Vec<String> = (0..40).map(|at| format!("g{at:02}")).collect();
    let groups: Vec<(&str, usize, usize)> = names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            (
                name.as_str(),
                if at == 7 { 72 } else { 100 },
                if at == 7 { 128 } else { 100 },
            )
        })
        .collect();
    let (code, found) = audit(&rows(&groups), &with(&DECIDED, &["--ref", "g=g00"]));
    let low = finding(&found, "impact-ratio", "g07");
    assert!(low["p"].as_f64().unwrap() < 0.05);
    assert_eq!(low["significant"], false);
    assert_eq!(low["n_family"], 39);
    assert_ne!(code, 1);
    let bonferroni = with(&DECIDED, &["--ref", "g=g00", "--correction", "bonferroni"]);
    let (_, found) = audit(&rows(&groups), &bonferroni);
    let corrected = finding(&found, "impact-ratio", "g07")["p_adjusted"]
        .as_f64()
        .unwrap();
    assert!((corrected - 39.0 * low["p"].as_f64().unwrap()).abs() < 1e-9);
}

#[test]
fn pitfall_10_with_many_rows_a_tiny_gap_is_significant_and_still_passes() {
    let data = rows(&[("a", 60_000, 40_000), ("b", 58_800, 41_200)]);
    let (code, found) = audit(&data, &with(&DECIDED, &["--ref", "g=a"]));
    let gap = finding(&found, "impact-ratio", "b");
    assert_eq!(gap["significant"], true);
    assert!(gap["p"].as_f64().unwrap() < 1e-6);
    assert_eq!(gap["practical"], "pass");
    assert_eq!(gap["practical_simultaneous"], "pass");
    assert_eq!(code, 0);
}

#[test]
fn pitfall_11_a_p_value_that_underflows_keeps_its_logarithm() {
    let data = rows(&[("a", 3_000, 100), ("b", 100, 3_000)]);
    let (_, found) = audit(&data, &with(&DECIDED, &["--ref", "g=a"]));
    let gap = finding(&found, "impact-ratio", "b");
    assert_eq!(gap["p"], 0.0);
    let log10 = gap["log10_p"].as_f64().unwrap();
    assert!(log10 < -1_000.0 && log10.is_finite(), "{log10}");
    let figures = &found["attrs"]["g"]["vs_reference"]["b"]["selection_rate"];
    assert!((figures["fisher_log10_p"].as_f64().unwrap() - log10).abs() < 1e-6);
}

#[test]
fn pitfall_12_outcomes_known_only_for_those_approved() {
    let mut data = "g,y,d\n".to_owned();
    for at in 0..600 {
        let (group, approved) = (["a", "b"][at % 2], at % 3 != 0);
        let outcome = if approved { ["1", "0"][at % 5 % 2] } else { "" };
        let _ = writeln!(data, "{group},{outcome},{}", u8::from(approved));
    }
    let (_, found) = audit(&data, &with(&LABELLED, &["--ref", "g=a"]));
    assert!(cautions(&found).contains("among approved"));
    let group = &found["attrs"]["g"]["groups"]["a"];
    assert_eq!(group["n"], 300);
    // Selection is of all, error rates of those with an outcome.
    assert_eq!(group["selection_rate"], 200.0 / 300.0);
    assert_eq!(group["tpr"], 1.0);
}

#[test]
fn pitfall_13_auc_with_one_class_is_null_and_its_interval_is_not_cut() {
    let data = "g,y,d,s\na,1,1,0.9\na,1,1,0.8\na,0,0,0.85\na,0,0,0.1\nb,1,1,0.7\nb,1,0,0.2\n";
    let (_, found) = audit(data, &with(&LABELLED, &["--score", "s", "--ref", "g=a"]));
    let groups = &found["attrs"]["g"]["groups"];
    assert_eq!(groups["b"]["auc"], Value::Null);
    assert_eq!(groups["b"]["auc_delong_se"], Value::Null);
    assert_eq!(groups["a"]["auc"], 0.75);
    assert!(groups["a"]["auc_ci_delong"][1].as_f64().unwrap() > 1.0);
}

#[test]
fn pitfall_14_spellings_of_one_category_are_pointed_out() {
    let data = "g,y,d\nWhite,1,1\nwhite,0,0\nWhite ,1,1\nNaN,0,0\nBlack,1,1\n";
    let (_, found) = audit(data, &DECIDED);
    let said = cautions(&found);
    assert!(
        said.contains("differ only in case or white space"),
        "{said}"
    );
    assert!(said.contains("`NaN` is counted as a group"), "{said}");
    assert_eq!(found["attrs"]["g"]["groups"].as_object().unwrap().len(), 5);
}

#[test]
fn pitfall_15_a_continuous_attribute_needs_bins() {
    let mut data = "g,d\n".to_owned();
    (0..300).for_each(|at| {
        let _ = writeln!(data, "{},{}", 18 + at % 60, u8::from(at % 2 == 0));
    });
    refused(&data, &DECIDED, &["more than 50 different values", "bins"]);
    let place = Place::new();
    place.write("data.csv", &data);
    place.write(
        "bins.toml",
        "[[derive]]\ncolumn = 'band'\nfrom = 'g'\nbins = [25, 45]\n",
    );
    let ran = place.run(&[
        "audit",
        "fairness",
        "data.csv",
        "--attr",
        "band",
        "--derive",
        "bins.toml",
        "--decision",
        "d",
        "--favorable",
        "1",
        "--format",
        "json",
    ]);
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    let groups = found["attrs"]["band"]["groups"].as_object().unwrap();
    let names: Vec<&String> = groups.keys().collect();
    assert_eq!(names, ["25 to below 45", "45 and above", "below 25"]);
}

#[test]
fn pitfall_16_rows_of_one_person_are_no_people() {
    let mut data = "g,d,id\n".to_owned();
    for person in 0..240 {
        let (group, decision) = (["a", "b"][person % 2], u8::from(person % 4 < 2));
        for _ in 0..10 {
            let _ = writeln!(data, "{group},{decision},p{person}");
        }
    }
    let flags = with(&DECIDED, &["--ref", "g=a"]);
    let (_, rows) = audit(&data, &flags);
    let (_, people) = audit(&data, &with(&flags, &["--person", "id"]));
    let width = |found: &Value| {
        let interval = &finding(found, "impact-ratio", "b")["ci"];
        interval[1].as_f64().unwrap().ln() - interval[0].as_f64().unwrap().ln()
    };
    // Ten copies of each row make the interval of rows √10 too narrow.
    let factor = width(&people) / width(&rows);
    assert!((2.6..3.8).contains(&factor), "{factor}");
    let gap = finding(&people, "impact-ratio", "b");
    assert_eq!(gap["method"], "person-bootstrap/1");
    assert_eq!(gap["p"], Value::Null);
    let (_, again) = audit(&data, &with(&flags, &["--person", "id"]));
    assert_eq!(people, again);
}

#[test]
fn pitfall_17_small_counts_are_kept_from_the_public_and_stay_in_the_evidence() {
    let place = Place::new();
    place.write(
        "data.csv",
        rows(&[("a", 150, 150), ("b", 140, 160), ("few", 2, 1)]),
    );
    let ran = place.run(&[
        "audit",
        "fairness",
        "data.csv",
        "--attr",
        "g",
        "--decision",
        "d",
        "--favorable",
        "1",
        "--public",
        "--out",
        "pages",
        "--format",
        "json",
    ]);
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(found["attrs"]["g"]["groups"]["few"]["n"], 3);
    let row = |page: &str| {
        let html = place.read(&format!("pages/{page}"));
        let start = html.find("few</th>").unwrap();
        let end = start + html[start..].find("</tr>").unwrap();
        html[start..end].to_owned()
    };
    assert!(row("report.html").contains(">3<"), "{}", row("report.html"));
    let public = row("public.html");
    assert!(
        !public.contains(">3<") && !public.contains(">2<"),
        "{public}"
    );
}

#[test]
fn pitfall_18_impact_ratios_have_three_places_and_come_from_unrounded_rates() {
    // 0.4695… / 0.4804… is 0.977; from rates rounded to two places it would be 0.979.
    let place = Place::new();
    place.write(
        "data.csv",
        rows(&[("Male", 490, 530), ("Female", 393, 444)])
            .replace("g,y,d", "sex,race,d")
            .replace(",1,1\n", ",White,1\n")
            .replace(",0,0\n", ",White,0\n"),
    );
    let ran = place.run(&[
        "audit",
        "fairness",
        "data.csv",
        "--profile",
        "ll144",
        "--sex",
        "sex",
        "--race",
        "race",
        "--decision",
        "d",
        "--favorable",
        "1",
        "--out",
        "pages",
        "--format",
        "json",
    ]);
    assert!([0, 1, 3].contains(&ran.code), "{}", ran.err);
    let exact = (393.0 / 837.0) / (490.0 / 1020.0);
    assert!(
        place
            .read("pages/summary.html")
            .contains(&format!("{exact:.3}"))
    );
    let checked = place.run(&["audit", "check-summary", "pages/summary.json"]);
    assert!(!checked.out.contains("does not follow"), "{}", checked.out);
}

#[test]
fn values_with_a_bar_are_groups_of_their_own() {
    let mut data = "g,h,d\n".to_owned();
    for (g, h, ones, zeros) in [
        ("a|b", "c", 20, 130),
        ("a", "b|c", 100, 50),
        ("z", "z", 100, 50),
    ] {
        for at in 0..ones + zeros {
            let _ = writeln!(data, "{g},{h},{}", u8::from(at < ones));
        }
    }
    let place = Place::new();
    place.write("data.csv", data);
    let ran = place.run(&[
        "audit",
        "fairness",
        "data.csv",
        "--attr",
        "g,h",
        "--intersect",
        "g*h",
        "--ref",
        "g*h=z|z",
        "--decision",
        "d",
        "--favorable",
        "1",
        "--format",
        "json",
    ]);
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    let groups = found["attrs"]["g*h"]["groups"].as_object().unwrap();
    let names: Vec<&String> = groups.keys().collect();
    assert_eq!(names, ["a\\|b|c", "a|b\\|c", "z|z"]);
    let low = finding(&found, "impact-ratio", "a\\|b|c");
    assert_eq!(low["practical_simultaneous"], "fail");
    assert_eq!(finding(&found, "impact-ratio", "a|b\\|c")["value"], 1.0);
}

#[test]
fn two_persons_are_no_sample_however_many_rows_they_have() {
    let mut data = "g,d,id\n".to_owned();
    for at in 0..500 {
        let _ = writeln!(
            data,
            "a,{},p1\nb,{},p2",
            u8::from(at % 10 < 5),
            u8::from(at % 10 < 2)
        );
    }
    let (code, found) = audit(&data, &with(&DECIDED, &["--ref", "g=a", "--person", "id"]));
    let gap = finding(&found, "impact-ratio", "b");
    assert_eq!(
        (&gap["judged"], &gap["n"]),
        (&Value::Bool(false), &Value::from(1))
    );
    assert_eq!(gap["ci"], Value::Null);
    assert_eq!(code, 3);
    refused(
        &data,
        &with(&DECIDED, &["--person", "id", "--weight", "d"]),
        &["not both"],
    );
}

#[test]
fn weights_of_one_say_what_no_weights_say_where_nobody_or_everybody_is_chosen() {
    for (ones, zeros) in [(0, 1000), (1000, 0)] {
        let reference = if ones == 0 { (500, 500) } else { (1000, 0) };
        let plain = rows(&[("a", reference.0, reference.1), ("b", ones, zeros)]);
        let weighted = plain
            .replace("g,y,d", "g,y,d,w")
            .replace(",1,1\n", ",1,1,1\n")
            .replace(",0,0\n", ",0,0,1\n");
        let flags = with(&DECIDED, &["--ref", "g=a", "--positive", "1"]);
        let (code, one) = audit(&plain, &flags);
        let (other_code, other) = audit(&weighted, &with(&flags, &["--weight", "w"]));
        let interval = |found: &Value| finding(found, "impact-ratio", "b")["ci"].clone();
        assert_eq!(interval(&one), interval(&other));
        assert_eq!(code, other_code);
    }
}

#[test]
fn the_reference_of_weighted_rows_has_the_highest_weighted_rate() {
    // By rows group a is favoured more, by weight group b.
    let mut data = "g,d,w\n".to_owned();
    for at in 0..1000 {
        let favoured = at % 10 < 6;
        let _ = writeln!(
            data,
            "a,{},{}",
            u8::from(favoured),
            if favoured { 0.1 } else { 1.0 }
        );
        let _ = writeln!(data, "b,{},1", u8::from(at % 10 < 5));
    }
    let (_, found) = audit(&data, &with(&DECIDED, &["--weight", "w"]));
    assert_eq!(found["groupings"][0]["reference"], "b");
    assert_eq!(
        found["headline"]["bootstrap_ci_reference_chosen_anew"],
        Value::Null
    );
}
