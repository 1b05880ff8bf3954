//! Planted alternatives are found; where none is planted, none is claimed beyond the level.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

/// The number of runs: `ALNAGER_RUNS`, or as given.
#[expect(
    clippy::disallowed_methods,
    reason = "a person asks for more runs than a test needs"
)]
fn n_runs(usual: u64) -> u64 {
    let asked = std::env::var("ALNAGER_RUNS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn settings() -> Settings {
    Settings {
        cutoff: 0.0,
        is_favourable_above: true,
        profit: None,
        tolerance: None,
        grid: Grid::Values(vec![0.0]),
        per_group: false,
        n_carried: 5,
        alpha: 0.05,
        min_group: 30,
        n_replicates: 20,
        seed: 7,
    }
}

/// `n` people of two groups with the same abilities. Each score is ability and noise of its own, less a shift for group b.
struct People {
    groups: Texts,
    labels: Vec<Option<bool>>,
    scores: Vec<(String, Vec<f64>)>,
}

fn people(run: u64, n: usize, shifts: &[f64]) -> People {
    let mut random = Random::stream(99, run);
    let mut groups = Vec::with_capacity(n);
    let mut labels = Vec::with_capacity(n);
    let mut scores: Vec<(String, Vec<f64>)> = (0..shifts.len())
        .map(|at| (format!("score{at}"), Vec::with_capacity(n)))
        .collect();
    for row in 0..n {
        let is_b = row % 2 == 1;
        let ability = random.normal();
        groups.push(if is_b { "b" } else { "a" });
        labels.push(Some(ability + 0.5 * random.normal() > 0.0));
        for ((_, score), shift) in scores.iter_mut().zip(shifts) {
            let shift = if is_b { *shift } else { 0.0 };
            score.push(ability + 0.5 * random.normal() - shift);
        }
    }
    People {
        groups: Texts::of_rows("group", &groups),
        labels,
        scores,
    }
}

fn searched(people: &People, settings: &Settings) -> Value {
    let rows = Rows {
        groups: &people.groups,
        labels: &people.labels,
        scores: &people.scores,
    };
    search(rows, settings, &|_, _| ()).expect("two groups")
}

#[test]
fn a_planted_alternative_is_found() {
    let runs = n_runs(30);
    let mut n_found = 0;
    for run in 0..runs {
        let figures = searched(&people(run, 3000, &[0.6, 0.0]), &settings());
        n_found += u64::from(figures["found"] == true);
    }
    println!("planted alternatives: found in {n_found} of {runs} runs");
    assert!(n_found * 100 >= runs * 85, "{n_found} of {runs}");
}

#[test]
fn where_none_is_planted_none_is_claimed() {
    let runs = n_runs(60);
    let (mut of_equals, mut of_cutoffs, mut of_groups) = (0, 0, 0);
    for run in 0..runs {
        // Five models, each as biased as the one in use.
        let equals = people(run, 2000, &[0.4; 6]);
        of_equals += u64::from(searched(&equals, &settings())["found"] == true);
        // No bias at all: no rule can be better than 1 to 1.
        let fair = people(1_000_000 + run, 2000, &[0.0, 0.0]);
        let mut many = settings();
        many.grid = Grid::Quantiles(20);
        many.tolerance = Some(0.5);
        of_cutoffs += u64::from(searched(&fair, &many)["found"] == true);
        many.per_group = true;
        of_groups += u64::from(searched(&fair, &many)["found"] == true);
    }
    println!(
        "none planted: claimed in {of_equals} (equal models), {of_cutoffs} (cut-offs), {of_groups} (cut-offs by group) of {runs} runs"
    );
    for n_claimed in [of_equals, of_cutoffs, of_groups] {
        assert!(n_claimed * 20 <= runs, "{n_claimed} of {runs}");
    }
}

#[test]
fn what_costs_too_much_is_not_confirmed() {
    // The fair score is all noise: its impact ratio is 1 and its accuracy a half.
    let mut people = people(3, 3000, &[0.6, 0.0]);
    let mut random = Random::new(5);
    people.scores[1]
        .1
        .iter_mut()
        .for_each(|score| *score = random.normal());
    let figures = searched(&people, &settings());
    assert_eq!(figures["found"], json!(false));
    let finding = figures["finding"].as_str().unwrap();
    assert!(finding.starts_with("No less discriminatory alternative was found within the search S: 2 scores (score0, score1)"), "{finding}");
    assert!(finding.contains("Outside S there may be one."), "{finding}");
}

#[test]
fn profit_is_counted_by_the_table_of_costs() {
    let people = people(4, 2000, &[0.6, 0.0]);
    let mut asked = settings();
    asked.profit = Some(Worth {
        true_positive: 10.0,
        false_positive: -20.0,
        true_negative: 0.0,
        false_negative: -1.0,
    });
    let figures = searched(&people, &asked);
    let half = &figures["in_use"]["held_out"];
    let mut worth = 0.0;
    let mut n = 0.0;
    for row in 0..2000 {
        if !explores(7, row) {
            let is_reached = people.scores[0].1[row] >= 0.0;
            worth += match (is_reached, people.labels[row]) {
                (true, Some(true)) => 10.0,
                (true, _) => -20.0,
                (false, Some(true)) => -1.0,
                (false, _) => 0.0,
            };
            n += 1.0;
        }
    }
    let got = half["worth_per_row"].as_f64().unwrap();
    assert!((got - worth / n).abs() < 1e-12, "{got} {}", worth / n);
    assert_eq!(figures["measure"], json!("profit"));
}

#[test]
fn rules_by_group_come_only_on_request_and_with_the_warning() {
    let people = people(5, 2000, &[0.6]);
    let mut asked = settings();
    asked.grid = Grid::Quantiles(9);
    let by_group = |figures: &Value| {
        let all = figures["front"].as_array().unwrap().iter();
        all.filter(|rule| rule["rule"]["per_group"] == true)
            .cloned()
            .collect::<Vec<_>>()
    };
    let figures = searched(&people, &asked);
    assert!(by_group(&figures).is_empty());
    assert!(!words(&figures).contains("disparate treatment"));
    asked.per_group = true;
    let figures = searched(&people, &asked);
    let rules = by_group(&figures);
    assert!(!rules.is_empty());
    for rule in rules {
        assert_eq!(rule["rule"]["warning"], json!(TREATMENT_WARNING));
    }
    assert!(words(&figures).contains("2000e-2"));
    // Nine cut-offs, and two by group for each, of which some may be the same.
    let n_rules = figures["n_rules"].as_u64().unwrap();
    assert!((20..=27).contains(&n_rules), "{n_rules}");
}

#[test]
fn the_same_seed_gives_the_same_halves_and_another_others() {
    let half = |seed| (0..64).map(|row| explores(seed, row)).collect::<Vec<_>>();
    assert_eq!(half(1), half(1));
    assert_ne!(half(1), half(2));
    let n = (0..10_000).filter(|row| explores(1, *row)).count();
    assert!((4_800..5_200).contains(&n), "{n}");
}

#[test]
fn too_few_rows_are_refused() {
    let people = people(6, 40, &[0.0]);
    let rows = Rows {
        groups: &people.groups,
        labels: &people.labels,
        scores: &people.scores,
    };
    let error = search(rows, &settings(), &|_, _| ()).unwrap_err();
    assert_eq!(error, SearchError::Groups { min_group: 30 });
}

#[test]
fn what_looks_better_and_cannot_be_tested_is_inconclusive() {
    // Nearly nobody of group b reaches the cut-off in use.
    let people = people(8, 600, &[3.2, 0.0]);
    let mut asked = settings();
    asked.cutoff = 0.5;
    asked.grid = Grid::Values(vec![0.5]);
    asked.tolerance = Some(0.5);
    let figures = searched(&people, &asked);
    assert_eq!(figures["outcome"], json!("inconclusive"));
    let finding = figures["finding"].as_str().unwrap();
    assert!(
        finding.starts_with("Inconclusive: none is confirmed within the search S"),
        "{finding}"
    );
}
