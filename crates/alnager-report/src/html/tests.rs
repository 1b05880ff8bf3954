//! Whole pages against golden files, and what every page keeps: it is well formed, calls nobody and runs nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use alnager_audit::judge::Outcome;
use alnager_office::assess::Counts;
use alnager_office::gate::{Gate, Status, Verdict};
use expect_test::{ExpectFile, expect_file};

use super::plot::{Axis, Limits, Point, Shape};
use super::words::{Mark, Scale, anchor, count, limits};
use super::{Copy, Seal, review};
use crate::view::{
    AuditView, BlockerView, Change, ConflictView, Fine, GroupView, OpenFact, PackView,
    RequirementView, ResultView, ReviewView, TestCounts,
};

/// Renders, holds the page against what every page keeps, then against the golden file.
#[track_caller]
fn check(view: &ReviewView, seal: &Seal, want: ExpectFile) {
    let page = review(view, seal);
    assert_eq!(
        page,
        review(view, seal),
        "the same view gives the same bytes"
    );
    assert_eq!(fault(&page), None);
    want.assert_eq(&page);
}

#[test]
fn a_hold_with_all_there_is() {
    check(&hold(), &named(), expect_file!["../../golden/hold.html"]);
}

#[test]
fn a_clear_review_folds_what_is_met() {
    check(&clear(), &sealed(), expect_file!["../../golden/clear.html"]);
}

#[test]
fn nothing_declared_is_undecided_and_says_so() {
    check(&bare(), &sealed(), expect_file!["../../golden/bare.html"]);
}

#[test]
fn hostile_names_stay_text() {
    check(
        &hostile(),
        &named(),
        expect_file!["../../golden/hostile.html"],
    );
}

#[test]
fn no_name_turns_our_words_around() {
    let page = review(&hostile(), &named());
    assert!(page.contains("⟨U+202E⟩") && !page.contains('\u{202e}'));
}

#[test]
fn the_checker_sees_faults() {
    for (page, what) in [
        ("<p><b>x</p></b>", "`</p>` closes `b`"),
        ("<p>", "`p` is not closed"),
        ("<script>x</script>", "script"),
        ("<p onclick=\"x\">y</p>", "handler `onclick`"),
        (
            "<img src=\"https://example.org/x\">",
            "leads outside: `https://example.org/x`",
        ),
        ("<a href=\"#nowhere\">x</a>", "leads nowhere: `#nowhere`"),
        (
            "<p class=\"x\" class=\"y\">1</p>",
            "attribute `class` stands twice",
        ),
        ("<p id=\"x\">1</p><p id=\"x\">2</p>", "`x` stands twice"),
        (
            "<a href=\"javascript:x\">x</a>",
            "leads outside: `javascript:x`",
        ),
    ] {
        assert_eq!(fault(page).as_deref(), Some(what), "{page}");
    }
    assert_eq!(
        fault(
            "<!DOCTYPE html><p id=\"x\">see https://example.org &lt;script&gt;<br><a href=\"#x\">x</a></p>"
        ),
        None
    );
}

#[test]
fn numbers_read_the_same_everywhere() {
    for (scale, value, want) in [
        (Scale::Ratio, 0.63159, "0.632"),
        (Scale::Ratio, f64::INFINITY, "∞"),
        (Scale::Difference, 0.197_37, "+19.7 points"),
        (Scale::Difference, -0.0788, "−7.9 points"),
        (Scale::Difference, -0.000_01, "±0.0 points"),
        (Scale::Rate, 0.65373, "65.4 %"),
        (Scale::Rate, 0.0, "0.0 %"),
    ] {
        assert_eq!(scale.said(value), want);
    }
    for (n, want) in [
        (0, "0"),
        (999, "999"),
        (7214, "7,214"),
        (1_000_000, "1,000,000"),
    ] {
        assert_eq!(count(n), want);
    }
}

#[test]
fn limits_are_exact() {
    for (scale, low, high, want) in [
        (Scale::Ratio, Some("0.80"), Some("1.25"), "0.80 to 1.25"),
        (
            Scale::Difference,
            Some("-0.10"),
            Some("0.10"),
            "−10 points to +10 points",
        ),
        (
            Scale::Difference,
            Some("-0.1025"),
            None,
            "at least −10.25 points",
        ),
        (Scale::Rate, Some("0.6"), None, "at least 60 %"),
        (Scale::Rate, None, Some("0.005"), "at most 0.5 %"),
        (Scale::Rate, Some("1"), None, "at least 100 %"),
        (Scale::Ratio, None, None, "none"),
    ] {
        assert_eq!(limits(scale, low, high), want);
    }
}

#[test]
fn different_names_have_different_addresses() {
    let names = ["a b", "a_b", "a-b", "a_20_b", "a<b", "A b", "ab"];
    let mut anchors: Vec<String> = names.iter().map(|name| anchor("req", name)).collect();
    anchors.sort();
    anchors.dedup();
    assert_eq!(anchors.len(), names.len());
}

#[test]
fn what_leaves_the_scale_ends_in_an_arrow() {
    let judged = Point {
        value: Some(0.9),
        interval: Some((0.7, 1.1)),
        shape: Shape::Mark(Mark::Pass),
    };
    let small = Point {
        value: Some(0.0),
        interval: Some((0.0, 50.0)),
        shape: Shape::Mark(Mark::Small),
    };
    let axis = Axis::new(
        Scale::Ratio,
        &[judged.clone(), small.clone()],
        Limits {
            low: Some(0.8),
            high: Some(1.25),
        },
    );
    let arrows = |point: &Point| {
        axis.strip("x", point)
            .into_string()
            .matches("L0 0L")
            .count()
    };
    assert_eq!((arrows(&judged), arrows(&small)), (0, 2));
    let drawn = axis.strip("x", &small).into_string();
    assert!(!drawn.contains("inf") && !drawn.contains("NaN"), "{drawn}");
}

/// The first fault of a page, if it has one. Enough of HTML for what `maud` writes: quoted attributes, no comments.
pub(crate) fn fault(page: &str) -> Option<String> {
    const VOID: [&str; 3] = ["meta", "br", "img"];
    let (mut open, mut ids, mut targets) = (Vec::new(), Vec::new(), Vec::new());
    let mut rest = page.strip_prefix("<!DOCTYPE html>").unwrap_or(page);
    while let Some(start) = rest.find('<') {
        let end = start
            + rest[start..]
                .find('>')
                .or_else(|| Some(rest.len() - start - 1))?;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            match open.pop() {
                Some(known) if known == name => continue,
                known => {
                    return Some(format!(
                        "`</{name}>` closes `{}`",
                        known.unwrap_or("nothing")
                    ));
                }
            }
        }
        let name = tag.split_whitespace().next().unwrap_or_default();
        if name == "script" {
            return Some("script".to_owned());
        }
        let attributes = attributes(tag);
        for (at, (key, value)) in attributes.iter().copied().enumerate() {
            match key {
                key if attributes[..at].iter().any(|(other, _)| *other == key) => {
                    return Some(format!("attribute `{key}` stands twice"));
                }
                "id" if ids.contains(&value) => return Some(format!("`{value}` stands twice")),
                "id" => ids.push(value),
                "href" | "src" | "action" | "data" if !value.starts_with('#') => {
                    return Some(format!("leads outside: `{value}`"));
                }
                "href" => targets.push(&value[1..]),
                handler if handler.starts_with("on") => {
                    return Some(format!("handler `{handler}`"));
                }
                _ => {}
            }
        }
        if name == "style" {
            rest = &rest[rest.find("</style>")?..];
        }
        if !VOID.contains(&name) {
            open.push(name);
        }
    }
    if let Some(name) = open.pop() {
        return Some(format!("`{name}` is not closed"));
    }
    targets
        .into_iter()
        .find(|target| !ids.contains(target))
        .map(|target| format!("leads nowhere: `#{target}`"))
}

fn attributes(tag: &str) -> Vec<(&str, &str)> {
    let mut attributes = Vec::new();
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once("=\"") {
        let Some((value, left)) = after.split_once('"') else {
            break;
        };
        attributes.push((before.split_whitespace().last().unwrap_or_default(), value));
        rest = left;
    }
    attributes
}

fn named() -> Seal {
    Seal {
        origin: "alnager.example/nordlys".to_owned(),
        index: Some(41),
        size: Some(43),
        root: Some("mV0nTg8sVd7Yf0O3p1v2QmXq3m1y6v8o5Jc0C5m3m5o=".to_owned()),
        previous: Some((
            40,
            "p9Qe1ZkQy3v2sVb0Tn4mXo8rJd6wLhU5aGc7iFxMqKE=".to_owned(),
        )),
        copy: Copy::Named,
    }
}

fn sealed() -> Seal {
    Seal {
        size: None,
        root: None,
        previous: None,
        index: Some(0),
        copy: Copy::Sealed,
        ..named()
    }
}

/// `test | attribute | group | reference | n | value low high | Holm's p` per line: the real figures of the recidivism example,
/// to four digits.
const RESULTS: &str = include_str!("tests/results.txt");
/// `attribute | group | n | favoured | low high | reference or -` per line.
const GROUPS: &str = include_str!("tests/groups.txt");
const MIN_GROUP: u64 = 100;

fn fields(line: &str) -> Vec<&str> {
    line.split(" | ")
        .map(|field| if field == "-" { "" } else { field })
        .collect()
}

fn numbers(text: &str) -> Vec<Option<f64>> {
    text.split(' ').map(|number| number.parse().ok()).collect()
}

/// A result from its line; the outcome follows from limits and interval.
fn result(line: &str) -> ResultView {
    let [test, attribute, group, reference, n, figure, p] = fields(line)[..] else {
        panic!("{line}")
    };
    let (metric, what, low, high, source, cite) = match test {
        "impact-ratio" => (
            "impact_ratio",
            "The favourable rate of each group, divided by that of the reference group.",
            "0.80",
            "1.25",
            "yardstick",
            "29 CFR 1607.4(D) (four-fifths; a US yardstick for selection, no European law sets a number)",
        ),
        "tpr-difference" => (
            "tpr_difference",
            "Of the people whose outcome was positive, the share so predicted: each group less the reference group.",
            "-0.10",
            "0.10",
            "policy",
            "policy default, section 1",
        ),
        "fpr-difference" => (
            "fpr_difference",
            "Of the people whose outcome was negative, the share predicted positive: each group less the reference group.",
            "-0.10",
            "0.10",
            "policy",
            "policy default, section 1",
        ),
        _ => (
            "accuracy",
            "The share of all people whose outcome was predicted rightly.",
            "0.60",
            "",
            "policy",
            "policy default, section 2",
        ),
    };
    let figure = numbers(figure);
    let interval = figure[1].zip(figure[2]);
    let bound = |limit: &str, or: f64| limit.parse().unwrap_or(or);
    let (floor, ceiling): (f64, f64) = (bound(low, f64::NEG_INFINITY), bound(high, f64::INFINITY));
    let outcome = match interval {
        Some((low, high)) if high < floor || low > ceiling => Outcome::Fail,
        Some((low, high)) if low >= floor && high <= ceiling => Outcome::Pass,
        _ => Outcome::Inconclusive,
    };
    let n: u64 = n.parse().unwrap();
    let evidence: &[&str] = if test == "accuracy" {
        &["EUAIA-9", "EUAIA-15", "POL-performance"]
    } else {
        &["EUAIA-10", "POL-bias-testing"]
    };
    ResultView {
        test: test.to_owned(),
        what: what.to_owned(),
        audit: "compas".to_owned(),
        attribute: attribute.to_owned(),
        group: group.to_owned(),
        reference: (!reference.is_empty()).then(|| reference.to_owned()),
        metric,
        value: figure[0],
        interval,
        n,
        limit_low: (!low.is_empty()).then(|| low.to_owned()),
        limit_high: (!high.is_empty()).then(|| high.to_owned()),
        limit_source: source,
        limit_cite: cite.to_owned(),
        outcome,
        is_judged: n >= MIN_GROUP,
        is_what_if: false,
        is_required: true,
        p: p.parse().ok(),
        p_holm: p.parse().ok(),
        requirements: evidence.iter().map(|id| (*id).to_owned()).collect(),
        method: match metric {
            "impact_ratio" => "katz-log/1",
            "accuracy" => "wilson/1",
            _ => "newcombe-10/1",
        },
    }
}

fn group(line: &str) -> GroupView {
    let [attribute, group, n, k, interval, reference] = fields(line)[..] else {
        panic!("{line}")
    };
    let (n, k, interval): (u64, u64, _) =
        (n.parse().unwrap(), k.parse().unwrap(), numbers(interval));
    GroupView {
        attribute: attribute.to_owned(),
        group: group.to_owned(),
        n,
        k,
        rate: (n > 0).then(|| k as f64 / n as f64),
        interval: interval[0].zip(interval[1]),
        is_reference: reference == "reference",
        is_judged: n >= MIN_GROUP,
    }
}

/// A requirement from its line: `id | pack | status | from | what | cite | why | next | owner`.
fn requirement(line: &str) -> RequirementView {
    let [id, pack, status, from, what, cite, why, next, owner] = fields(line)[..] else {
        panic!("{line}")
    };
    let status = match status {
        "met" => Status::Met,
        "gap" => Status::Gap,
        "unknown" => Status::Unknown,
        "ahead" => Status::Ahead,
        "waiting" => Status::Waiting,
        "ended" => Status::Ended,
        "noted" => Status::Noted,
        other => panic!("{other}"),
    };
    let (pack_title, penalty) = match pack {
        "eu-ai-act" => (
            "EU Artificial Intelligence Act",
            Some((
                "EUR 15 million or 3 % of worldwide annual turnover, whichever is higher",
                "Art 99(4)",
            )),
        ),
        "gdpr" => (
            "General Data Protection Regulation",
            Some((
                "EUR 20 million or 4 % of worldwide annual turnover, whichever is higher",
                "Art 83(5)",
            )),
        ),
        _ => ("Default policy on measuring AI systems", None),
    };
    RequirementView {
        id: id.to_owned(),
        pack: pack.to_owned(),
        pack_title: pack_title.to_owned(),
        what: what.to_owned(),
        how: String::new(),
        cite: cite.to_owned(),
        status,
        why: why.to_owned(),
        next: next.to_owned(),
        owner: owner.to_owned(),
        from: (!from.is_empty()).then(|| from.to_owned()),
        phase: "before_use",
        is_voluntary: false,
        preview: Vec::new(),
        remarks: Vec::new(),
        penalty: penalty.map(|(max, cite)| (max.to_owned(), cite.to_owned())),
        results: Vec::new(),
    }
}

const REQUIREMENTS: &str = include_str!("tests/requirements.txt");

fn packs() -> Vec<PackView> {
    let pack = |id: &str, version: &str, title: &str, known: &str| PackView {
        id: id.to_owned(),
        version: version.to_owned(),
        title: title.to_owned(),
        confidence: "A".to_owned(),
        known_as_of: known.to_owned(),
    };
    vec![
        pack(
            "eu-ai-act",
            "2026.11.23",
            "EU Artificial Intelligence Act",
            "2026-10-03",
        ),
        pack(
            "gdpr",
            "2026.11.23",
            "General Data Protection Regulation",
            "2026-09-30",
        ),
        pack(
            "default",
            "2026.11.02",
            "Default policy on measuring AI systems",
            "2026-11-02",
        ),
    ]
}

/// Nothing declared but the system itself.
fn bare() -> ReviewView {
    ReviewView {
        system: "bare".to_owned(),
        name: "A system nobody has described".to_owned(),
        organisation: "Nordlys AS".to_owned(),
        purpose: "not stated yet".to_owned(),
        stage: "in design".to_owned(),
        owner: "person-1".to_owned(),
        what_if: None,
        verdict: Verdict::Undecided,
        nothing_required: true,
        verdict_words: "nothing required: neither law nor policy asks for anything on the declared facts, and unknown never passes"
            .to_owned(),
        gate: Gate::Tests,
        judged_on: "2026-11-23".to_owned(),
        known: "2026-11-23".to_owned(),
        counts: Counts::default(),
        next_day: None,
        fine: None,
        audits: Vec::new(),
        results: Vec::new(),
        headline: None,
        tests: TestCounts::default(),
        outcomes: Vec::new(),
        changes: Vec::new(),
        requirements: Vec::new(),
        conflicts: Vec::new(),
        blockers: Vec::new(),
        open_facts: Vec::new(),
        policy: "default 2026.11.02, in force from 2026-11-02, approved by Ines Marchetti on 2026-11-02".to_owned(),
        confidence: "95 %".to_owned(),
        min_group: MIN_GROUP,
        packs: packs(),
        methods: vec!["wilson/1: Wilson score interval of a rate (Wilson 1927)".to_owned()],
        warnings: Vec::new(),
    }
}

/// A system with requirements, an audit and blockers: fails, inconclusive figures, small groups, undefined values, a what-if.
fn hold() -> ReviewView {
    let mut results: Vec<ResultView> = RESULTS.lines().map(result).collect();
    results.push(ResultView {
        outcome: Outcome::NotMeasured,
        value: None,
        interval: None,
        test: "ppv-difference".to_owned(),
        metric: "ppv_difference",
        method: "none",
        is_required: false,
        is_judged: false,
        p: None,
        p_holm: None,
        n: 0,
        requirements: Vec::new(),
        ..results[0].clone()
    });
    let last = results.len() - 1;
    results[last].group.clear();
    results[last].attribute.clear();
    results[last].limit_low = Some("-0.10".to_owned());
    results[last].limit_high = None;
    results[last].what =
        "Of the people predicted positive, the share for whom it came true: each group less the reference group.".to_owned();
    let mut requirements: Vec<RequirementView> = REQUIREMENTS.lines().map(requirement).collect();
    for requirement in &mut requirements {
        let bears = |at: &usize| results[*at].requirements.contains(&requirement.id);
        requirement.results = (0..results.len()).filter(bears).collect();
        if requirement.id == "EUAIA-4a" {
            requirement.preview = vec!["the national implementing act is not covered".to_owned()];
        }
    }
    let open = requirements
        .iter()
        .filter(|requirement| matches!(requirement.status, Status::Gap | Status::Unknown));
    let mut blockers: Vec<BlockerView> = vec![BlockerView {
        id: "impact-ratio".to_owned(),
        what: "The favourable rate of each group, divided by that of the reference group. by race: fail".to_owned(),
        citation: "yardstick: 29 CFR 1607.4(D)".to_owned(),
        owner: "Mara Lindqvist".to_owned(),
        next: "narrow the gap (threshold, features, data), then review again".to_owned(),
        holds: true,
    }];
    blockers.extend(open.map(|requirement| BlockerView {
        id: requirement.id.clone(),
        what: format!("{} ({})", requirement.what, requirement.why),
        citation: format!("{}, {}", requirement.pack_title, requirement.cite),
        owner: requirement.owner.clone(),
        next: requirement.next.clone(),
        holds: requirement.status == Status::Gap,
    }));
    blockers.sort_by_key(|blocker| !blocker.holds);
    let count = |status: Status| {
        requirements
            .iter()
            .filter(|requirement| requirement.status == status)
            .count()
    };
    let (met, gap, unknown, ahead, waiting) = (
        count(Status::Met),
        count(Status::Gap),
        count(Status::Unknown),
        count(Status::Ahead),
        count(Status::Waiting),
    );
    ReviewView {
        system: "recidivism".to_owned(),
        name: "Recidivism score".to_owned(),
        organisation: "Nordlys Justice Analytics AS".to_owned(),
        purpose: "Scores the risk that an arrested person is arrested again within two years, for police authorities".to_owned(),
        stage: "before use".to_owned(),
        owner: "Mara Lindqvist".to_owned(),
        what_if: Some("an EU provider offers this score to law-enforcement authorities in the EU. With the true facts (Florida, 2013 and 2014) none of these packs binds.".to_owned()),
        verdict: Verdict::Hold,
        nothing_required: false,
        verdict_words: "a gap or a failed test stands in the way".to_owned(),
        gate: Gate::Launch,
        judged_on: "2027-12-02".to_owned(),
        counts: Counts { in_force: met + gap + unknown, met, gap, unknown, may_apply: 0, ahead, waiting, voluntary: 0 },
        next_day: Some("2028-08-02".to_owned()),
        fine: Some(Fine {
            max: "EUR 20 million or 4 % of worldwide annual turnover, whichever is higher".to_owned(),
            cite: "General Data Protection Regulation, Art 83(5)".to_owned(),
            requirement: "GDPR-10".to_owned(),
        }),
        audits: vec![AuditView {
            name: "compas".to_owned(),
            data: "data.csv".to_owned(),
            sha256: "09f31456cb0913e9550be73f998f57172b117db9a3660ee7ba3a2245616e79b6".to_owned(),
            n_rows: 7214,
            model: None,
            favourable: "decile_score below 5".to_owned(),
            unknown: vec![("race".to_owned(), 12)],
            groups: GROUPS.lines().map(group).collect(),
        }],
        headline: Some(0),
        tests: TestCounts { n: 13, failed: 7, inconclusive: 2, not_measured: 0 },
        conflicts: vec![ConflictView {
            one: "GDPR-10".to_owned(),
            one_cite: "General Data Protection Regulation, Art 10".to_owned(),
            other: "EUAIA-9".to_owned(),
            other_cite: "EU Artificial Intelligence Act, Art 9".to_owned(),
            why: "how long records are kept: at least 3 years against at most 30 days; nothing satisfies both".to_owned(),
            is_computed: true,
        }],
        changes: vec![
            Change { kind: "law", words: "EUAIA-6-4 and 2 more (EU Artificial Intelligence Act) begin to bind on 2028-08-02, unless `eu_product_safety` were answered `false`".to_owned() },
            Change { kind: "measurement", words: "at a threshold of 6 the impact ratio of African-American is 0.706 [0.681, 0.732]: fail, accuracy −0.002".to_owned() },
            Change { kind: "measurement", words: "at a threshold of 8 the impact ratio of African-American is 0.851 [0.832, 0.870]: pass, accuracy −0.031".to_owned() },
        ],
        blockers,
        open_facts: vec![
            OpenFact {
                name: "eu_product_safety".to_owned(),
                question: "Is the system a safety component of a product under Annex I, or such a product itself?".to_owned(),
                awaits_confirmation: false,
                requirements: vec!["EUAIA-6-4".to_owned(), "EUAIA-49-2".to_owned()],
            },
            OpenFact {
                name: "profiles_people".to_owned(),
                question: "Does it profile natural persons (`GDPR` Art 4(4))?".to_owned(),
                awaits_confirmation: true,
                requirements: vec!["EUAIA-10".to_owned(), "GDPR-22".to_owned(), "not-shown-here".to_owned()],
            },
        ],
        methods: vec![
            "wilson/1: Wilson score interval of a rate (Wilson 1927)".to_owned(),
            "katz-log/1: interval of a ratio on the log scale (Katz et al. 1978)".to_owned(),
            "newcombe-10/1: interval of a difference from two Wilson intervals (Newcombe 1998, method 10)".to_owned(),
            "fisher-two-sided/1: Fisher's exact test, two-sided".to_owned(),
            "holm/1: Holm's correction over all groups and metrics of one question".to_owned(),
        ],
        warnings: vec!["audit `compas`: `race` holds 2 groups below 100 people".to_owned()],
        results,
        requirements,
        ..bare()
    }
}

/// All passed and met.
fn clear() -> ReviewView {
    let hold = hold();
    let results: Vec<ResultView> = hold
        .results
        .iter()
        .filter(|result| result.attribute == "sex" || result.test == "accuracy")
        .cloned()
        .collect();
    let mut requirements = hold.requirements;
    for requirement in &mut requirements {
        requirement.status = Status::Met;
        requirement.preview.clear();
        let bears = |at: &usize| results[*at].requirements.contains(&requirement.id);
        requirement.results = (0..results.len()).filter(bears).collect();
        requirement.next.clear();
        requirement.why = "Evaluation report: measured and passed".to_owned();
    }
    let met = requirements.len();
    let groups = hold.audits[0]
        .groups
        .iter()
        .filter(|group| group.attribute == "sex")
        .cloned()
        .collect();
    ReviewView {
        system: "credit".to_owned(),
        name: "Credit scorecard".to_owned(),
        purpose: "Scores applications for consumer credit".to_owned(),
        stage: "before use".to_owned(),
        conflicts: Vec::new(),
        verdict: Verdict::Clear,
        nothing_required: false,
        verdict_words: "nothing stands in the way: ready for a person's decision".to_owned(),
        gate: Gate::Launch,
        counts: Counts {
            in_force: met,
            met,
            ..Counts::default()
        },
        tests: TestCounts {
            n: 4,
            ..TestCounts::default()
        },
        audits: vec![AuditView {
            groups,
            unknown: Vec::new(),
            ..hold.audits[0].clone()
        }],
        results,
        requirements,
        headline: None,
        ..bare()
    }
}

/// Names that would like to be markup, and figures that do not exist.
fn hostile() -> ReviewView {
    const EVIL: &str = "<script>alert(\"1\")</script>'&\u{202e}";
    let hold = hold();
    let evil = || EVIL.to_owned();
    let mut results = vec![hold.results[0].clone(), hold.results[1].clone()];
    for result in &mut results {
        (result.test, result.audit, result.attribute, result.group) =
            (evil(), evil(), evil(), evil());
        (result.what, result.limit_cite, result.reference) = (evil(), evil(), Some(evil()));
        (result.value, result.interval, result.p, result.p_holm) = (None, None, None, None);
        (
            result.outcome,
            result.is_what_if,
            result.limit_low,
            result.limit_high,
        ) = (Outcome::Inconclusive, true, None, None);
        result.requirements = vec![evil(), "onload=\"x\"".to_owned()];
    }
    (
        results[1].value,
        results[1].interval,
        results[1].requirements,
    ) = (Some(0.0), Some((0.0, f64::INFINITY)), Vec::new());
    let mut requirement = hold.requirements[0].clone();
    (requirement.id, requirement.pack, requirement.pack_title) = (evil(), evil(), evil());
    (
        requirement.what,
        requirement.cite,
        requirement.why,
        requirement.next,
    ) = (evil(), "https://example.org/law".to_owned(), evil(), evil());
    (requirement.owner, requirement.preview, requirement.penalty) =
        (evil(), vec![evil()], Some((evil(), evil())));
    (requirement.results, requirement.status) = (vec![0, 1, 99], Status::Unknown);
    let mut audit = hold.audits[0].clone();
    audit.groups.truncate(2);
    for group in &mut audit.groups {
        (
            group.attribute,
            group.group,
            group.n,
            group.rate,
            group.interval,
        ) = (evil(), evil(), 0, None, None);
    }
    (audit.name, audit.data, audit.sha256, audit.favourable) = (evil(), evil(), evil(), evil());
    audit.unknown = vec![(evil(), 3)];
    let blocker = BlockerView {
        id: evil(),
        what: format!("an odd ` {EVIL}"),
        citation: evil(),
        owner: evil(),
        next: evil(),
        holds: false,
    };
    ReviewView {
        system: evil(),
        name: format!("</title>{EVIL}"),
        organisation: evil(),
        purpose: evil(),
        owner: evil(),
        what_if: Some(evil()),
        verdict_words: evil(),
        judged_on: evil(),
        fine: Some(Fine {
            max: evil(),
            cite: evil(),
            requirement: evil(),
        }),
        audits: vec![audit],
        results,
        headline: Some(0),
        requirements: vec![requirement],
        conflicts: vec![ConflictView {
            one: evil(),
            one_cite: evil(),
            other: evil(),
            other_cite: evil(),
            why: evil(),
            is_computed: false,
        }],
        blockers: vec![blocker],
        open_facts: vec![OpenFact {
            name: evil(),
            question: evil(),
            awaits_confirmation: true,
            requirements: vec![evil()],
        }],
        changes: vec![Change {
            kind: "law",
            words: evil(),
        }],
        policy: evil(),
        methods: vec![evil()],
        warnings: vec![evil()],
        ..bare()
    }
}
