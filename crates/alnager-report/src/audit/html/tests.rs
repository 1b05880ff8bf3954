//! Whole pages against golden files, and what every page of a profile keeps.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use alnager_audit::catalogue::{Settings, catalogue};
use alnager_audit::declared::{
    Attribute, Audit, Binary, Characteristic, Decision, DecisionBy, Intersection, Missing, Score,
};
use alnager_audit::finding::{Findings, Method, find};
use alnager_audit::measures::{DataStamp, DecisionRanges, LeftOut, Measures};
use alnager_audit::plan::{Plan, plan};
use alnager_audit::policy::Policy;
use alnager_audit::profile::eeoc;
use alnager_audit::profile::ll144::{Columns, summary};
use alnager_audit::table::{CountTable, SampleTable};
use alnager_audit::texts::Texts;
use alnager_law::rule::Truth;
use expect_test::{ExpectFile, expect_file};
use serde_json::{Value, json};

use super::{Page, pages};
use crate::audit::profile::{
    EcoaView, EuView, Part, ProfileView, SignedBy, SummaryView, Theories, TheoryView,
};
use crate::audit::view::{FairnessView, Source, view};
use crate::audit::{details, profile_json};
use crate::html::tests::fault;

/// An audit and all that follows from it.
struct Case {
    audit: Audit,
    plan: Plan,
    measures: Measures,
    figures: Value,
    findings: Findings,
    warnings: Vec<String>,
}

impl Case {
    /// People by sex and race: those of each cell are labelled, decided and scored by their number.
    fn new(sexes: [&str; 2], races: [&str; 2]) -> Case {
        let audit = audit();
        let policy = Policy::parse("policy.toml", include_str!("tests/policy.toml")).unwrap();
        let asked = |_: &_| (Truth::True, Vec::new());
        let plan = plan(&[], std::slice::from_ref(&audit), &policy, &asked, &|_| {
            None
        });
        let measures = measures(sexes, races);
        let settings = Settings {
            reference_min: 20,
            confidence: 0.95,
        };
        Case {
            figures: catalogue(&audit, &measures, settings),
            findings: find(&plan, &audit, &measures, method()),
            warnings: vec!["`data.csv`: two spellings of one group".to_owned()],
            audit,
            plan,
            measures,
        }
    }

    fn source(&self) -> Source<'_> {
        Source {
            audit: &self.audit,
            plan: &self.plan,
            policy: "tiny 2026.11.02, approved by A. Approver on 2026-11-02",
            measures: &self.measures,
            figures: &self.figures,
            findings: &self.findings,
            method: method(),
            warnings: &self.warnings,
        }
    }

    fn view(&self) -> FairnessView {
        view(&self.source())
    }

    fn profile(&self, part: Part) -> ProfileView {
        ProfileView {
            part,
            details: details(&self.source()),
            theories: theories(),
            is_public: true,
            small_cell: 5,
        }
    }

    fn summary(&self, small_cell: Option<u64>, justification: Option<&str>) -> SummaryView {
        let columns = Columns {
            sex: "sex".to_owned(),
            race: "race".to_owned(),
        };
        let excludes = justification.is_some();
        SummaryView {
            summary: summary(&self.audit, &self.measures, &columns, excludes).unwrap(),
            tool: Some("Ranker 3".to_owned()),
            source: None,
            distribution_date: Some("2026-01-01".to_owned()),
            audit_date: None,
            justification: justification.map(str::to_owned),
            small_cell,
            signed_by: None,
        }
    }
}

fn method() -> Method {
    Method {
        n_replicates: 50,
        ..Method::default()
    }
}

fn audit() -> Audit {
    let attribute = |column: &str| Attribute {
        column: column.to_owned(),
        characteristic: Characteristic::Other,
        reference: None,
        special_category: None,
    };
    Audit {
        name: "fairness".to_owned(),
        data: "data.csv".to_owned(),
        label: Some(Binary {
            column: "repaid".to_owned(),
            positive: "1".to_owned(),
        }),
        decision: Decision {
            by: DecisionBy::Column(Binary {
                column: "approved".to_owned(),
                positive: "1".to_owned(),
            }),
            favourable: 1,
            favourable_name: "1".to_owned(),
        },
        score: Some(Score {
            column: "score".to_owned(),
            cuts: Vec::new(),
            every_value: true,
        }),
        attributes: vec![attribute("race"), attribute("sex")],
        intersections: vec![Intersection {
            columns: vec!["race".to_owned(), "sex".to_owned()],
            reference: None,
        }],
        strata: Some("branch".to_owned()),
        unknown: Vec::new(),
        missing: Missing::Apart,
        filter: None,
        derived: Vec::new(),
        period: None,
        weight: None,
        person: None,
        model: None,
        relation: None,
    }
}

fn measures(sexes: [&str; 2], races: [&str; 2]) -> Measures {
    let mut table = CountTable {
        columns: ["race", "sex", "branch"].map(str::to_owned).to_vec(),
        ..CountTable::default()
    };
    let mut scores = "race,sex,branch,label,score,n\n".to_owned();
    let mut rows = Vec::new();
    for (at, race) in races.into_iter().enumerate() {
        for (of, sex) in sexes.into_iter().enumerate() {
            for branch in ["north", "south"] {
                let key = [race, sex, branch].map(|part| Some(part.to_owned()));
                let good = 30 - 8 * at as u64 - 3 * of as u64;
                rows.push((key.to_vec(), [[12, 5], [6, good], [0, 0]]));
            }
        }
    }
    let third = [
        Some("Third".to_owned()),
        Some(sexes[0].to_owned()),
        Some("north".to_owned()),
    ];
    rows.push((third.to_vec(), [[1, 0], [0, 2], [0, 0]]));
    rows.push((
        vec![None, Some(sexes[1].to_owned()), Some("north".to_owned())],
        [[2, 1], [1, 3], [0, 0]],
    ));
    for (key, counts) in rows {
        table.cells.entry(key).or_default().counts = counts;
    }
    // A person's score is low where the decision went against them.
    let quoted = |part: &Option<String>| match part {
        Some(part) if part.contains([',', '"', '\n']) => {
            format!("\"{}\"", part.replace('"', "\"\""))
        }
        Some(part) => part.clone(),
        None => String::new(),
    };
    for (key, cell) in &table.cells {
        let key: Vec<String> = key.iter().map(quoted).collect();
        for (label, decided) in cell.counts.iter().enumerate().take(2) {
            for (decision, n) in decided.iter().enumerate().filter(|(_, n)| **n > 0) {
                scores.push_str(&format!(
                    "{},{label},0.{},{n}\n",
                    key.join(","),
                    3 + 4 * decision
                ));
            }
        }
    }
    Measures {
        audit: "fairness".to_owned(),
        data: DataStamp {
            name: "data.csv".to_owned(),
            sha256: "5211170bc158aca81e8a4e0761f4ea8e43b4fff8e2d0b19d39016786d5159a1e".to_owned(),
            n_bytes: 9_876,
            n_rows: table.n(),
            files: Vec::new(),
            left_out: LeftOut::default(),
            model: None,
        },
        table,
        scores: None,
        samples: Some(SampleTable::from_csv(&scores).unwrap()),
        ranges: DecisionRanges::new(),
        persons: None,
    }
}

fn theories() -> Theories {
    let theory = |test: &str, id: &str, title: &str, standing: &str, is_in_force| TheoryView {
        test: test.to_owned(),
        id: id.to_owned(),
        theory: title.to_owned(),
        cite: "12 CFR 1002.6(a)".to_owned(),
        jurisdiction: "US".to_owned(),
        standing: standing.to_owned(),
        is_in_force,
        limit: "Regulation B names no ratio.".to_owned(),
        counsel: "The business need.".to_owned(),
        notes: vec![
            "For decisions from 21 July 2026 there is no effects test any more.".to_owned(),
        ],
    };
    let effects = |test| {
        theory(
            test,
            "us-ecoa-effects",
            "ECOA: effects test",
            "ended on 2026-07-21",
            false,
        )
    };
    Theories {
        judged_on: "2026-11-30".to_owned(),
        known_on: "2026-11-30".to_owned(),
        places: vec!["US".to_owned()],
        domain: Some("finance".to_owned()),
        list: vec![
            effects("impact_ratio"),
            effects("fisher"),
            theory(
                "cmh",
                "us-ecoa-treatment",
                "ECOA: disparate treatment",
                "in force since 1976-03-23",
                true,
            ),
        ],
        absent: vec![(
            "Equality directives".to_owned(),
            "They were not read (not held)".to_owned(),
        )],
    }
}

fn jobs() -> Vec<eeoc::Job> {
    let mut audit = audit();
    (audit.label, audit.score, audit.intersections) = (None, None, Vec::new());
    audit.strata = Some("job".to_owned());
    let column = |name: &str, of: &dyn Fn(usize) -> &'static str| {
        let rows: Vec<&str> = (0..120).map(of).collect();
        Texts::of_rows(name, &rows)
    };
    let race = column("race", &|row| if row % 3 == 0 { "Black" } else { "White" });
    let sex = column("sex", &|row| if row % 2 == 0 { "Female" } else { "Male" });
    let job = column("job", &|row| if row < 70 { "Clerk" } else { "" });
    let passes =
        |row: usize| !row.is_multiple_of(5) && (!row.is_multiple_of(3) || row.is_multiple_of(4));
    let screen = column("screen", &|row| if passes(row) { "yes" } else { "no" });
    let hired = column("hired", &|row| match (passes(row), row % 7) {
        (false, _) => "",
        (true, 0..4) => "yes",
        (true, _) => "no",
    });
    let stages = [
        ("Screening".to_owned(), screen),
        ("Decision".to_owned(), hired),
    ];
    let counted = eeoc::counted(&audit, &[race, sex], Some(&job), &stages, "yes").unwrap();
    eeoc::jobs(&audit, &counted.stages, 10)
}

/// Figures as `alnager audit lending` prints them, as far as a page takes them.
fn lending() -> Value {
    json!({
        "y": "deny", "event": "1", "event_is_favourable": false,
        "controls": ["income", "term"], "bases": {"race": "White"},
        "n": 90, "n_left_out": 3,
        "raw": {"race": {
            "reference": "White",
            "groups": {
                "White": {"n": 60, "rate": 0.9, "ci_wilson": [0.8, 0.95]},
                "Black": {"n": 30, "rate": 0.7, "ci_wilson": [0.52, 0.83]},
            },
            "vs_reference": {"Black": {"impact_ratio": 0.778, "ratio_ci_katz": [0.6, 1.0], "smd_total": -0.5}},
        }},
        "raw_average_marginal_effect": {"race=Black": 0.2}, "raw_ame_ci": {"race=Black": [0.02, 0.38]},
        "average_marginal_effect": {"race=Black": 0.06, "income": -0.01},
        "ame_ci": {"race=Black": [-0.1, 0.2], "income": [-0.02, 0.0]},
        "ame_p": {"race=Black": 0.4}, "ame_log10_p": {"race=Black": -0.4},
        "logit": {"params": {"const": 1.0, "race=Black": 0.5, "income": null}, "odds_ratio": {"race=Black": 1.65}, "or_ci": {}, "p": {}, "log10_p": {}, "pseudo_r2_mcfadden": 0.2},
    })
}

fn rendered(case: &Case, part: Part) -> Vec<Page> {
    let (view, profile) = (case.view(), case.profile(part));
    let pages = pages(&view, &profile);
    for page in &pages {
        assert_eq!(fault(&page.html), None, "{}", page.name);
    }
    pages
}

fn case() -> Case {
    Case::new(["Female", "Male"], ["White", "Black"])
}

#[track_caller]
fn check(part: Part, name: &str, want: ExpectFile) {
    let pages = rendered(&case(), part);
    let page = pages.iter().find(|page| page.name == name).unwrap();
    want.assert_eq(&page.html);
}

#[test]
fn everything_there_is() {
    check(
        Part::General,
        "report.html",
        expect_file!["../../../golden/audit-general.html"],
    );
}

#[test]
fn what_the_public_sees() {
    check(
        Part::General,
        "public.html",
        expect_file!["../../../golden/audit-public.html"],
    );
}

#[test]
fn the_summary_of_local_law_144() {
    let summary = case().summary(None, Some("Fewer than 2 % of the people"));
    check(
        Part::Ll144(Box::new(summary)),
        "summary.html",
        expect_file!["../../../golden/audit-ll144.html"],
    );
}

#[test]
fn jobs_and_stages() {
    check(
        Part::Eeoc(jobs()),
        "report.html",
        expect_file!["../../../golden/audit-eeoc.html"],
    );
}

#[test]
fn a_job_says_how_many_are_pending() {
    let mut jobs = jobs();
    jobs[0].pending.push(eeoc::Pending {
        passed: "Screening".to_owned(),
        stage: "Decision".to_owned(),
        n: 3,
    });
    let pages = rendered(&case(), Part::Eeoc(jobs));
    let said = "3 people passed `Screening` and have no decision at `Decision`; they count as not selected in the bottom line.";
    assert!(pages.iter().any(|page| page.html.contains(said)));
}

#[test]
fn every_page_of_local_law_144_says_what_it_is_not() {
    const SENTENCE: &str = "self-test, not a bias audit under 6 RCNY 5-301";
    let mut summary = case().summary(None, None);
    for page in rendered(&case(), Part::Ll144(Box::new(summary.clone()))) {
        assert!(page.html.contains(SENTENCE), "{}", page.name);
        assert!(page.html.contains("meets or breaches"), "{}", page.name);
    }
    summary.signed_by = Some(SignedBy {
        auditor: "I. Independent".to_owned(),
        signed_on: "2026-11-01".to_owned(),
        entry: 7,
    });
    for page in rendered(&case(), Part::Ll144(Box::new(summary.clone()))) {
        assert!(
            !page.html.contains(SENTENCE) && page.html.contains("I. Independent"),
            "{}",
            page.name
        );
    }
}

#[test]
fn the_public_summary_passes_and_fails_nobody() {
    let pages = rendered(&case(), Part::Ll144(Box::new(case().summary(None, None))));
    assert_eq!(pages[0].name, "summary.html");
    let body = pages[0].html.split("</style>").nth(1).unwrap();
    for word in ["pass<", "fail", "0.80", "four fifths", "significant"] {
        assert!(!body.contains(word), "{word}");
    }
}

#[test]
fn small_counts_are_kept_back_only_where_asked() {
    let shown = |small| {
        let pages = rendered(&case(), Part::Ll144(Box::new(case().summary(small, None))));
        pages[0].html.clone()
    };
    assert!(!shown(None).contains("fewer than 5"));
    assert!(shown(None).contains("All counts are shown"));
    assert!(shown(Some(5)).contains("fewer than 5"));
}

#[test]
fn the_credit_profile_never_calls_itself_a_self_test() {
    for controlled in [None, Some(lending())] {
        let part = Part::Ecoa(EcoaView {
            judged_on: "2026-11-30".to_owned(),
            controlled: controlled.clone(),
        });
        for page in rendered(&case(), part) {
            assert!(
                !page.html.to_lowercase().contains("self-test"),
                "{}",
                page.name
            );
            if page.name == "report.html" {
                assert!(page.html.contains("ended on 2026-07-21"));
                assert_eq!(
                    page.html.contains("Effect, controlled"),
                    controlled.is_some()
                );
            }
        }
    }
}

#[test]
fn the_eu_profile_says_on_which_ground() {
    for (basis, says) in [
        (None, "No ground was stated."),
        (Some("Art 9(2)(a) GDPR"), "Art 9(2)(a) GDPR"),
    ] {
        let part = Part::Eu(EuView {
            lawful_basis: basis.map(str::to_owned),
            attributes: vec!["race".to_owned(), "sex".to_owned()],
        });
        let pages = rendered(&case(), part);
        assert!(pages.last().unwrap().html.contains(says));
    }
}

#[test]
fn hostile_names_stay_text() {
    const EVIL: &str = "<script>alert(\"1\")</script>'&\u{202e}";
    let case = Case::new([EVIL, "Male"], ["White", EVIL]);
    for part in [
        Part::General,
        Part::Ll144(Box::new(case.summary(None, Some(EVIL)))),
    ] {
        for page in rendered(&case, part) {
            assert!(
                page.html.contains("⟨U+202E⟩") && !page.html.contains('\u{202e}'),
                "{}",
                page.name
            );
        }
    }
}

#[test]
fn each_profile_adds_its_part_to_the_json() {
    let case = case();
    let keys = |part| {
        let document = profile_json(&case.profile(part));
        let mut keys: Vec<&str> = document.keys().map(String::as_str).collect();
        keys.sort_unstable();
        keys.join(" ")
    };
    assert_eq!(keys(Part::General), "profile theories");
    assert_eq!(keys(Part::Eeoc(jobs())), "jobs profile theories");
    let summary = Part::Ll144(Box::new(case.summary(None, None)));
    assert_eq!(keys(summary), "profile public_summary theories");
}
