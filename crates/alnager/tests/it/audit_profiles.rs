//! Profiles and their pages, and published summaries computed again.

use serde_json::Value;

use crate::{Place, Ran};

/// Applicants: job, sex, race, score, and what became of them at each stage.
fn applicants() -> String {
    let mut text = "id,job,sex,race,income,score,screen,hired,selected\n".to_owned();
    for row in 0..400 {
        let job = if row % 4 == 0 { "Clerk" } else { "Driver" };
        let sex = match row % 20 {
            7 => "",
            odd if odd % 2 == 1 => "Female",
            _ => "Male",
        };
        let race = match row % 100 {
            0 => "Asian",
            at if at % 3 == 0 => "Black or African American",
            _ => "White",
        };
        let score = (row * 37) % 101;
        let passes = score > if race == "White" { 40 } else { 55 };
        let hired = match (passes, row % 5) {
            (false, _) => "",
            (true, 0..3) => "yes",
            (true, _) => "no",
        };
        let selected = u8::from(hired == "yes");
        let (income, screen) = ((row * 13) % 50, if passes { "yes" } else { "no" });
        text.push_str(&format!(
            "{row},{job},{sex},{race},{income},{score},{screen},{hired},{selected}\n"
        ));
    }
    text
}

fn place() -> Place {
    let place = Place::new();
    place.write("people.csv", applicants());
    place
}

/// Runs `audit fairness people.csv` with the words of a line; a quoted part is one word.
fn fairness(place: &Place, line: &str) -> Ran {
    let parts = line.split('\'').enumerate();
    let words = parts.flat_map(|(at, part)| match at % 2 {
        0 => part.split_whitespace().collect(),
        _ => vec![part],
    });
    let all: Vec<&str> = ["audit", "fairness", "people.csv"]
        .into_iter()
        .chain(words)
        .collect();
    place.run(&all)
}

#[track_caller]
fn document(ran: &Ran) -> Value {
    assert!(
        [0, 1, 3].contains(&ran.code),
        "exit {}: {}",
        ran.code,
        ran.err
    );
    serde_json::from_str(&ran.out).unwrap()
}

/// Ends with 2, and the error has each of these.
#[track_caller]
fn refused(place: &Place, line: &str, parts: &[&str]) {
    let ran = fairness(place, line);
    assert_eq!(ran.code, 2, "{line}: {}", ran.out);
    for part in parts {
        assert!(
            ran.err.contains(part),
            "{line}: `{part}` is not in {}",
            ran.err
        );
    }
}

const DECIDED: &str = "--decision selected --favorable 1";
const LL144: &str = "--decision selected --favorable 1 --profile ll144 --sex sex --race race";

#[test]
fn the_general_profile_writes_one_page_and_never_over_another() {
    let place = place();
    let line = format!("{DECIDED} --attr race,sex --out report");
    assert!([0, 1, 3].contains(&fairness(&place, &line).code));
    let page = place.read("report/report.html");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("What each test serves"));
    refused(
        &place,
        &line,
        &["`report` holds an earlier report", "--out"],
    );
    assert_eq!(place.read("report/report.html"), page);
    place.write("file", "x");
    refused(
        &place,
        &format!("{DECIDED} --attr race --out file"),
        &["`file` is a file"],
    );
}

#[test]
fn ll144_publishes_tables_and_keeps_the_rest_in_an_annex() {
    let place = place();
    let ran = fairness(
        &place,
        &format!(
            "{LL144} --tool 'Ranker 3' --source 'Own use in 2026' --distribution-date 2026-01-02 --audit-date 2026-07-01 --out ll144 --format json"
        ),
    );
    let found = document(&ran);
    assert_eq!(found["profile"], "ll144");
    let summary = &found["public_summary"];
    assert_eq!(
        summary["notice"],
        "self-test, not a bias audit under 6 RCNY 5-301"
    );
    assert_eq!(summary["n_people"], 400);
    assert_eq!(summary["n_unknown"], 20);
    assert_eq!(summary["tables"].as_array().unwrap().len(), 3);
    // Asian: 4 of 400, under 2 %, and in the ratios all the same.
    let asian = &summary["tables"][1]["rows"][0];
    assert_eq!(
        (asian["category"].as_str(), asian["excluded"].as_bool()),
        (Some("Asian"), Some(false))
    );
    for page in ["ll144/summary.html", "ll144/annex.html"] {
        assert!(
            place
                .read(page)
                .contains("self-test, not a bias audit under 6 RCNY 5-301"),
            "{page}"
        );
    }
    let public = place.read("ll144/summary.html");
    for part in [
        "Ranker 3",
        "Own use in 2026",
        "2026-01-02",
        "2026-07-01",
        "No ratio here meets or breaches",
    ] {
        assert!(public.contains(part), "{part}");
    }
    assert!(!public.contains("not stated") && !public.contains("impact-ratio"));
    assert!(place.read("ll144/annex.html").contains("impact-ratio"));
}

#[test]
fn a_small_category_is_left_out_only_with_a_reason_and_keeps_its_count() {
    let place = place();
    refused(
        &place,
        &format!("{LL144} --exclude-small"),
        &["--justification"],
    );
    let ran = fairness(
        &place,
        &format!("{LL144} --exclude-small --justification 'Four people' --out out --format json"),
    );
    let asian = &document(&ran)["public_summary"]["tables"][1]["rows"][0];
    assert_eq!(asian["excluded"], true);
    assert_eq!(asian["n"], 4);
    assert!(asian["rate"].is_number() && asian["impact_ratio"].is_null());
    let page = place.read("out/summary.html");
    assert!(page.contains("left out") && page.contains("Four people"));
}

#[test]
fn scores_make_scoring_rates_above_the_median() {
    let place = place();
    let found = document(&fairness(
        &place,
        &format!("{LL144} --score score --format json"),
    ));
    let summary = &found["public_summary"];
    assert_eq!(summary["basis"], "scoring_rate");
    let median = summary["median_full_sample"].as_f64().unwrap();
    // The tables are those of the catalogue.
    let of_catalogue = &found["attrs"]["race"]["ll144_scoring"];
    assert_eq!(of_catalogue["median_full_sample"].as_f64(), Some(median));
    let white = &summary["tables"][1]["rows"][2];
    assert_eq!(
        white["selected"],
        of_catalogue["table"]["White"]["selected"]
    );
    assert_eq!(
        white["impact_ratio"],
        of_catalogue["table"]["White"]["impact_ratio_no_exclusion"]
    );
}

#[test]
fn what_ll144_publishes_adds_up() {
    let place = place();
    for more in ["", "--exclude-small --justification Few", "--score score"] {
        let ran = fairness(&place, &format!("{LL144} {more} --format json"));
        place.write("summary.json", &ran.out);
        let checked = place.run(&["audit", "check-summary", "summary.json"]);
        assert_eq!(checked.code, 0, "{more}: {}{}", checked.out, checked.err);
    }
}

#[test]
fn eeoc_counts_each_job_and_stage_with_the_bottom_line_first() {
    let place = place();
    let ran = fairness(
        &place,
        "--profile eeoc --job job --stage 'Screening=screen' --stage 'Final=hired' --favorable yes --attr race,sex --out eeoc --format json",
    );
    let found = document(&ran);
    let jobs = found["jobs"].as_array().unwrap();
    assert_eq!(jobs.len(), 2);
    assert_eq!(
        (jobs[0]["job"].as_str(), jobs[0]["n"].as_u64()),
        (Some("Clerk"), Some(100))
    );
    let stages: Vec<&str> = jobs[1]["tables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|table| table["stage"].as_str().unwrap())
        .collect();
    assert_eq!(
        stages,
        [
            "bottom line",
            "bottom line",
            "Screening",
            "Screening",
            "Final",
            "Final"
        ]
    );
    // The bottom line of both jobs is the decision of the audit itself.
    let by_decision = document(&fairness(
        &place,
        &format!("{DECIDED} --attr race,sex --format json"),
    ));
    let n = |found: &Value| found["attrs"]["race"]["groups"]["White"]["n_pred_pos"].as_u64();
    assert_eq!(n(&found), n(&by_decision));
    let page = place.read("eeoc/report.html");
    assert!(page.contains("Stage Screening") && page.contains("Flip-one"));
}

#[test]
fn eeoc_without_stages_takes_the_decision() {
    let place = place();
    let found = document(&fairness(
        &place,
        &format!("{DECIDED} --profile eeoc --job job --attr race --format json"),
    ));
    let table = &found["jobs"][0]["tables"][0];
    assert_eq!(table["bottom_line"], true);
    assert!(table["groups"]["White"]["n"].as_u64().unwrap() > 0);
    // Jobs are the strata: within them the gap is compared too.
    assert!(
        found["attrs"]["race"]["vs_reference"]
            .to_string()
            .contains("mh_risk_ratio")
    );
}

#[test]
fn ecoa_shows_raw_and_controlled_gaps() {
    let place = place();
    let ran = fairness(
        &place,
        &format!(
            "{DECIDED} --profile ecoa --attr race --ref race=White --controls income,score --at 2026-04-01 --known 2026-11-23 --out ecoa --format json"
        ),
    );
    let found = document(&ran);
    assert!(
        found["controlled"]["average_marginal_effect"]
            .to_string()
            .contains("race=")
    );
    let page = place.read("ecoa/report.html");
    assert!(page.contains("Effect, controlled") && page.contains("Held fixed: income, score"));
    assert!(!page.to_lowercase().contains("self-test"));
    let raw = document(&fairness(
        &place,
        &format!("{DECIDED} --profile ecoa --attr race --format json"),
    ));
    assert!(raw["controlled"].is_null());
}

#[test]
fn the_effects_test_of_regulation_b_ends_on_its_day() {
    let place = place();
    let standing = |day: &str| {
        let line = format!(
            "{DECIDED} --profile ecoa --attr race --at {day} --known 2026-11-23 --format json"
        );
        let found = document(&fairness(&place, &line));
        let serving = found["theories"]["serving"].as_array().unwrap();
        let effects = serving
            .iter()
            .find(|one| one["theory"] == "us-ecoa-effects" && one["test"] == "impact_ratio");
        effects.unwrap()["standing"].as_str().unwrap().to_owned()
    };
    assert!(
        standing("2026-07-20").starts_with("in force"),
        "{}",
        standing("2026-07-20")
    );
    assert_eq!(standing("2026-07-21"), "ended on 2026-07-21");
}

#[test]
fn eu_says_who_is_in_the_data_and_on_which_ground() {
    let place = place();
    let ran = fairness(
        &place,
        &format!(
            "{DECIDED} --profile eu --attr race,sex --lawful-basis 'AI Act Art 4a; GDPR Art 9(2)(g)' --out eu --public"
        ),
    );
    assert!([0, 1, 3].contains(&ran.code), "{}", ran.err);
    let page = place.read("eu/report.html");
    assert!(page.contains("GDPR Art 9(2)(g)") && page.contains("Share of known"));
    // Four people, kept from the public.
    assert!(place.read("eu/public.html").contains("fewer than 5"));
}

#[test]
fn a_flag_of_another_profile_is_refused() {
    let place = place();
    for (line, parts) in [
        (
            "--attr race --decision selected --favorable 1 --tool x",
            ["--tool", "--profile ll144"],
        ),
        (
            "--attr race --decision selected --favorable 1 --profile eu --job job",
            ["--job", "--profile eeoc"],
        ),
        (
            "--attr race --decision selected --favorable 1 --profile ll144 --sex sex",
            ["--sex COLUMN", "--race COLUMN"],
        ),
        (
            "--attr race --decision selected --favorable 1 --public",
            ["--public", "--out DIR"],
        ),
        (
            "--attr race --decision selected --favorable 1 --place US-NYX",
            ["`US-NYX`", "US-NYC"],
        ),
        (
            "--attr race --decision selected --favorable 1 --domain credit",
            ["`credit`", "--domain"],
        ),
        (
            "--attr race --favorable yes --profile eeoc --stage screen",
            ["--stage", "names no column"],
        ),
        (
            "--attr race --favorable Yes --profile eeoc --stage a=screen",
            ["neither is the favourable one", "--favorable"],
        ),
        (
            "--attr race --favorable yes --profile eeoc --stage a=screen --score score",
            ["--score", "--decision"],
        ),
        ("--attr race --favorable 1", ["--decision", "required"]),
    ] {
        refused(&place, line, &parts);
    }
}

#[test]
fn a_published_table_is_computed_again() {
    let place = Place::new();
    place.write(
        "wrong.csv",
        "Category,# of Applicants,# Selected,Selection Rate,Impact Ratio\nMale,1390,667,48%,1.00\nFemale,1181,555,45%,0.98\n",
    );
    let ran = place.run(&["audit", "check-summary", "wrong.csv"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    for part in [
        "2 things do not add up",
        "printed as 0.45; 555 of 1181 is 0.470",
        "category is unknown",
    ] {
        assert!(ran.out.contains(part), "`{part}` is not in {}", ran.out);
    }
    place.write("right.csv", "category,n,selected,rate,ratio\nMale,1390,667,48%,1.00\nFemale,1181,555,47%,0.98\nUnknown,3,,,\n");
    assert_eq!(place.run(&["audit", "check-summary", "right.csv"]).code, 0);
    place.write("none.csv", "hello\n");
    for file in ["none.csv", "nowhere.csv"] {
        assert_eq!(
            place.run(&["audit", "check-summary", file]).code,
            2,
            "{file}"
        );
    }
}
