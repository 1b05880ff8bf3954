//! A view for tests: the real figures of the recidivism example, with invented people, duties and dates.
#![expect(clippy::unwrap_used, reason = "tests")]

use alnager_audit::judge::Outcome;
use alnager_office::assess::Counts;
use alnager_office::gate::{Gate, Status, Verdict};

use crate::remark::Remark;
use crate::view::{
    AuditView, BlockerView, Change, ConflictView, Fine, GroupView, OpenFact, OutcomeView, PackView,
    RequirementView, ResultView, ReviewView, TestCounts,
};

/// `attribute; group; n; favourable; reference`. Source: the reference table of the COMPAS case (7,214 rows, decile below 5).
const GROUPS: &str = "
    race; African-American; 3696; 1522; 
    race; Asian; 32; 24; 
    race; Caucasian; 2454; 1600; reference
    race; Hispanic; 637; 447; 
    race; Native American; 18; 6; 
    race; Other; 377; 298; 
    sex; Female; 1395; 804; 
    sex; Male; 5819; 3093; reference
    age_cat; 25 - 45; 4109; 2185; reference
    age_cat; Greater than 45; 1576; 1182; 
    age_cat; Less than 25; 1529; 530; 
    race*sex; African-American|Female; 652; 315; 
    race*sex; African-American|Male; 3044; 1207; 
    race*sex; Asian|Female; 2; 2; 
    race*sex; Asian|Male; 30; 22; 
    race*sex; Caucasian|Female; 567; 343; 
    race*sex; Caucasian|Male; 1887; 1257; reference
    race*sex; Hispanic|Female; 103; 87; 
    race*sex; Hispanic|Male; 534; 360; 
    race*sex; Native American|Female; 4; 1; 
    race*sex; Native American|Male; 14; 5; 
    race*sex; Other|Female; 67; 56; 
    race*sex; Other|Male; 310; 242; 
";

/// `test; attribute; group; value; low; high`. Source: the same table (Katz and Newcombe intervals at 95 %).
const RESULTS: &str = "
    impact-ratio; race; African-American; 0.631593; 0.601892; 0.662760
    impact-ratio; race; Asian; 1.150313; 0.939806; 1.407970
    impact-ratio; race; Hispanic; 1.076274; 1.015321; 1.140885
    impact-ratio; race; Native American; 0.511250; 0.265841; 0.983206
    impact-ratio; race; Other; 1.212354; 1.142356; 1.286641
    impact-ratio; sex; Female; 1.084302; 1.030338; 1.141092
    impact-ratio; age_cat; Greater than 45; 1.410412; 1.354507; 1.468624
    impact-ratio; age_cat; Less than 25; 0.651858; 0.605025; 0.702317
    impact-ratio; race*sex; African-American|Female; 0.725270; 0.665784; 0.790070
    impact-ratio; race*sex; African-American|Male; 0.595250; 0.563829; 0.628422
    impact-ratio; race*sex; Asian|Female; 1.501193; 1.454000; 1.549919
    impact-ratio; race*sex; Asian|Male; 1.100875; 0.885121; 1.369221
    impact-ratio; race*sex; Caucasian|Female; 0.908129; 0.843532; 0.977674
    impact-ratio; race*sex; Hispanic|Female; 1.267998; 1.160295; 1.385699
    impact-ratio; race*sex; Hispanic|Male; 1.012040; 0.946397; 1.082237
    impact-ratio; race*sex; Native American|Female; 0.375298; 0.068720; 2.049601
    impact-ratio; race*sex; Native American|Male; 0.536140; 0.265307; 1.083447
    impact-ratio; race*sex; Other|Female; 1.254729; 1.123100; 1.401785
    impact-ratio; race*sex; Other|Male; 1.171899; 1.095846; 1.253231
    tpr-difference; race; African-American; 0.197373; 0.159860; 0.234559
    tpr-difference; race; Asian; 0.143892; -0.170140; 0.358965
    tpr-difference; race; Hispanic; -0.078809; -0.148733; -0.007169
    tpr-difference; race; Native American; 0.377226; 0.071465; 0.465193
    tpr-difference; race; Other; -0.199466; -0.279431; -0.110226
    tpr-difference; sex; Female; -0.020698; -0.067758; 0.024973
    tpr-difference; age_cat; Greater than 45; -0.198546; -0.246404; -0.149470
    tpr-difference; age_cat; Less than 25; 0.113326; 0.076168; 0.149091
    tpr-difference; race*sex; African-American|Female; 0.189323; 0.119881; 0.253612
    tpr-difference; race*sex; African-American|Male; 0.212013; 0.170443; 0.253140
    tpr-difference; race*sex; Asian|Female; -0.511082; -0.546315; 0.283155
    tpr-difference; race*sex; Asian|Male; 0.238918; -0.103624; 0.420904
    tpr-difference; race*sex; Caucasian|Female; 0.056757; -0.021136; 0.132419
    tpr-difference; race*sex; Hispanic|Female; -0.238355; -0.365391; -0.065260
    tpr-difference; race*sex; Hispanic|Male; -0.038720; -0.115467; 0.039008
    tpr-difference; race*sex; Native American|Female; 0.488918; -0.073683; 0.524261
    tpr-difference; race*sex; Native American|Male; 0.346061; -0.025882; 0.468452
    tpr-difference; race*sex; Other|Female; -0.177749; -0.362706; 0.074273
    tpr-difference; race*sex; Other|Male; -0.189048; -0.274223; -0.093503
    fpr-difference; race; African-American; 0.213925; 0.182053; 0.245023
    fpr-difference; race; Asian; -0.147586; -0.214171; 0.034611
    fpr-difference; race; Hispanic; -0.019728; -0.063064; 0.027672
    fpr-difference; race; Native American; 0.140457; -0.098731; 0.460393
    fpr-difference; race; Other; -0.087002; -0.131898; -0.032882
    fpr-difference; sex; Female; -0.003131; -0.037273; 0.032143
    fpr-difference; age_cat; Greater than 45; -0.165880; -0.194894; -0.135474
    fpr-difference; age_cat; Less than 25; 0.207570; 0.164679; 0.249774
    fpr-difference; race*sex; African-American|Female; 0.192438; 0.139508; 0.246081
    fpr-difference; race*sex; African-American|Male; 0.248651; 0.212592; 0.283542
    fpr-difference; race*sex; Asian|Female; -0.212500; -0.237420; 0.581283
    fpr-difference; race*sex; Asian|Male; -0.121591; -0.191777; 0.067051
    fpr-difference; race*sex; Caucasian|Female; 0.089130; 0.038001; 0.143009
    fpr-difference; race*sex; Hispanic|Female; -0.112500; -0.169003; -0.017360
    fpr-difference; race*sex; Hispanic|Male; 0.026306; -0.022988; 0.079922
    fpr-difference; race*sex; Native American|Female; -0.212500; -0.237420; 0.581283
    fpr-difference; race*sex; Native American|Male; 0.216071; -0.055426; 0.537861
    fpr-difference; race*sex; Other|Female; -0.097115; -0.163393; 0.019498
    fpr-difference; race*sex; Other|Male; -0.056250; -0.107300; 0.006165
    accuracy; ; ; 0.653729; 0.642671; 0.664624
";

/// A system on hold, with results of every outcome.
pub(crate) fn recidivism() -> ReviewView {
    let results = results();
    ReviewView {
        system: "recidivism".to_owned(),
        name: "Recidivism score".to_owned(),
        organisation: "Score Works".to_owned(),
        purpose: "estimates the risk of a new arrest within two years".to_owned(),
        stage: "in development".to_owned(),
        owner: "Dana Weber".to_owned(),
        what_if: Some(
            "a provider in the EU offers this score to law-enforcement authorities in the EU"
                .to_owned(),
        ),
        verdict: Verdict::Hold,
        nothing_required: false,
        verdict_words: "a gap or a failed test stands in the way".to_owned(),
        gate: Gate::Launch,
        judged_on: "2026-11-23".to_owned(),
        known: "2026-11-23".to_owned(),
        counts: Counts {
            in_force: 15,
            met: 4,
            gap: 2,
            unknown: 9,
            may_apply: 0,
            ahead: 23,
            waiting: 0,
            voluntary: 0,
        },
        next_day: Some("2027-12-02".to_owned()),
        fine: Some(Fine {
            max: "EUR 35 million or 7 % of worldwide annual turnover, whichever is higher"
                .to_owned(),
            cite: "EU Artificial Intelligence Act, Art 99(3)".to_owned(),
            requirement: "EUAIA-5".to_owned(),
        }),
        audits: vec![audit()],
        headline: Some(0),
        results,
        tests: TestCounts {
            n: 13,
            failed: 9,
            inconclusive: 2,
            not_measured: 0,
        },
        outcomes: outcomes(),
        changes: vec![
            change(
                "law",
                "EUAIA-9 and 11 more (EU Artificial Intelligence Act) begin to bind on 2027-12-02, unless `law_enforcement_use` were answered `no`",
            ),
            change(
                "measurement",
                "at a threshold of 6 the impact ratio of African-American is 0.721 [0.695, 0.748]: fail, accuracy +0.002",
            ),
            change(
                "measurement",
                "at a threshold of 8 the impact ratio of African-American is 0.822 [0.803, 0.841]: pass, accuracy −0.021",
            ),
        ],
        requirements: requirements(),
        conflicts: Vec::new(),
        blockers: blockers(),
        open_facts: vec![OpenFact {
            name: "profiles_people".to_owned(),
            question: "Does it evaluate or predict aspects of a person?".to_owned(),
            awaits_confirmation: true,
            requirements: vec!["EUAIA-5".to_owned(), "GDPR-22".to_owned()],
        }],
        policy: "default 2026.11.02, approved by Ines Marchetti on 2026-11-02".to_owned(),
        confidence: "95 %".to_owned(),
        min_group: 100,
        packs: vec![PackView {
            id: "eu-ai-act".to_owned(),
            version: "2026.11.23".to_owned(),
            title: "EU Artificial Intelligence Act".to_owned(),
            confidence: "A".to_owned(),
            known_as_of: "2026-10-03".to_owned(),
        }],
        methods: vec!["wilson/1: Wilson score interval of a rate (Wilson 1927)".to_owned()],
        warnings: Vec::new(),
    }
}

/// The same with nothing measured, nothing asked and nothing in the way.
pub(crate) fn empty() -> ReviewView {
    ReviewView {
        what_if: None,
        verdict: Verdict::Undecided,
        nothing_required: true,
        verdict_words: "nothing required: neither law nor policy asks for anything on the declared facts, and unknown never passes".to_owned(),
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
        blockers: Vec::new(),
        open_facts: Vec::new(),
        ..recidivism()
    }
}

/// Two duties that pull against each other.
pub(crate) fn conflict() -> ConflictView {
    ConflictView {
        one: "GDPR-5".to_owned(),
        one_cite: "General Data Protection Regulation, Art 5".to_owned(),
        other: "EUAIA-9".to_owned(),
        other_cite: "EU Artificial Intelligence Act, Art 9".to_owned(),
        why: "one wants the records kept, the other wants them deleted".to_owned(),
        is_computed: false,
    }
}

fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| line.split(';').map(str::trim).collect())
}

fn audit() -> AuditView {
    AuditView {
        name: "two-year".to_owned(),
        data: "data.csv".to_owned(),
        sha256: "09f31456cb0913e9550be73f998f57172b117db9a3660ee7ba3a2245616e79b6".to_owned(),
        n_rows: 7214,
        model: None,
        favourable: "decile_score below 5".to_owned(),
        unknown: Vec::new(),
        groups: groups(),
    }
}

fn groups() -> Vec<GroupView> {
    let group = |cells: Vec<&str>| {
        let (n, k): (u64, u64) = (cells[2].parse().unwrap(), cells[3].parse().unwrap());
        GroupView {
            attribute: cells[0].to_owned(),
            group: cells[1].to_owned(),
            n,
            k,
            rate: Some(k as f64 / n as f64),
            interval: None,
            is_reference: cells[4] == "reference",
            is_judged: n >= 100,
        }
    };
    lines(GROUPS).map(group).collect()
}

fn results() -> Vec<ResultView> {
    let groups = groups();
    lines(RESULTS)
        .map(|cells| result(&cells, &groups))
        .collect()
}

fn result(cells: &[&str], groups: &[GroupView]) -> ResultView {
    let number = |at: usize| cells[at].parse::<f64>().unwrap();
    let (test, attribute, group) = (cells[0], cells[1], cells[2]);
    let of = |wanted: &dyn Fn(&&GroupView) -> bool| {
        groups
            .iter()
            .find(|known| known.attribute == attribute && wanted(known))
    };
    let n = of(&|known| known.group == group).map_or(7214, |known| known.n);
    let (metric, method, limit) = match test {
        "impact-ratio" => ("impact_ratio", "katz-log/1", (Some("0.80"), Some("1.25"))),
        "tpr-difference" => (
            "tpr_difference",
            "newcombe-10/1",
            (Some("-0.10"), Some("0.10")),
        ),
        "fpr-difference" => (
            "fpr_difference",
            "newcombe-10/1",
            (Some("-0.10"), Some("0.10")),
        ),
        _ => ("accuracy", "wilson/1", (Some("0.60"), None)),
    };
    let (source, cite) = match test {
        "impact-ratio" => (
            "yardstick",
            "29 CFR 1607.4(D) (four-fifths; a US yardstick for selection, no European law sets a number)",
        ),
        "accuracy" => ("policy", "policy default, section 2"),
        _ => ("policy", "policy default, section 1"),
    };
    let parsed = |limit: Option<&str>, otherwise: f64| {
        limit.map_or(otherwise, |limit| limit.parse().unwrap())
    };
    let (least, most) = (
        parsed(limit.0, f64::NEG_INFINITY),
        parsed(limit.1, f64::INFINITY),
    );
    let (low, high) = (number(4), number(5));
    ResultView {
        test: test.to_owned(),
        what: "a figure".to_owned(),
        audit: "two-year".to_owned(),
        attribute: attribute.to_owned(),
        group: group.to_owned(),
        reference: of(&|known| known.is_reference).map(|known| known.group.clone()),
        metric,
        value: Some(number(3)),
        interval: Some((low, high)),
        n,
        limit_low: limit.0.map(str::to_owned),
        limit_high: limit.1.map(str::to_owned),
        limit_source: source,
        limit_cite: cite.to_owned(),
        outcome: match () {
            () if high < least || low > most => Outcome::Fail,
            () if low >= least && high <= most => Outcome::Pass,
            () => Outcome::Inconclusive,
        },
        is_judged: n >= 100,
        is_what_if: false,
        is_required: true,
        p: Some(0.001),
        p_holm: Some(0.002),
        requirements: vec!["POL-bias-testing".to_owned()],
        method,
    }
}

fn change(kind: &'static str, words: &str) -> Change {
    Change {
        kind,
        words: words.to_owned(),
    }
}

fn requirements() -> Vec<RequirementView> {
    let requirement = |id: &str, status: Status, from: Option<&str>| RequirementView {
        id: id.to_owned(),
        pack: "eu-ai-act".to_owned(),
        pack_title: "EU Artificial Intelligence Act".to_owned(),
        what: "Give staff the knowledge they need".to_owned(),
        how: "Train them.".to_owned(),
        cite: "Art 4".to_owned(),
        status,
        why: "Training record: E-1 accepted".to_owned(),
        next: String::new(),
        owner: "Lee Moran".to_owned(),
        from: from.map(str::to_owned),
        phase: "organisation",
        is_voluntary: false,
        preview: Vec::new(),
        remarks: vec![Remark {
            label: "How",
            text: "Train them.".to_owned(),
        }],
        penalty: None,
        results: Vec::new(),
    };
    let mut requirements = vec![
        requirement("EUAIA-4", Status::Met, Some("2025-02-02")),
        requirement("GDPR-5", Status::Met, Some("2018-05-25")),
        requirement("GDPR-30", Status::Met, Some("2018-05-25")),
        requirement("POL-owner", Status::Met, Some("2026-11-02")),
        requirement("EUAIA-5", Status::Gap, Some("2025-02-02")),
        requirement("EUAIA-9", Status::Ahead, Some("2027-12-02")),
        requirement("GDPR-22", Status::Unknown, None),
    ];
    requirements[4].penalty = Some(("EUR 35 million or 7 %".to_owned(), "Art 99(3)".to_owned()));
    requirements[4].preview = vec!["guidance is a draft".to_owned()];
    requirements[6].results = vec![0];
    requirements
}

fn outcomes() -> Vec<OutcomeView> {
    let outcome = |test: &str, attribute: &str, outcome, blocker: Option<usize>| OutcomeView {
        test: test.to_owned(),
        audit: "two-year".to_owned(),
        attribute: attribute.to_owned(),
        outcome,
        blocker: blocker.map(|at| blockers().swap_remove(at)),
    };
    vec![
        outcome("impact-ratio", "race", Outcome::Fail, Some(0)),
        outcome("impact-ratio", "sex", Outcome::Pass, None),
        outcome("impact-ratio", "age_cat", Outcome::Fail, Some(1)),
        outcome("tpr-difference", "race", Outcome::Fail, Some(2)),
        outcome("fpr-difference", "race", Outcome::Fail, None),
    ]
}

fn blockers() -> Vec<BlockerView> {
    let narrow = "narrow the gap (threshold, features, data), then review again";
    let blocker =
        |id: &str, what: &str, citation: &str, owner: &str, next: &str, holds| BlockerView {
            id: id.to_owned(),
            what: what.to_owned(),
            citation: citation.to_owned(),
            owner: owner.to_owned(),
            next: next.to_owned(),
            holds,
        };
    let test = |id: &str, by: &str| {
        let what = format!(
            "The favourable rate of each group, divided by that of the reference group. by {by}: fail"
        );
        blocker(
            id,
            &what,
            "yardstick: 29 CFR 1607.4(D)",
            "Dana Weber",
            narrow,
            true,
        )
    };
    vec![
        test("impact-ratio", "race"),
        test("impact-ratio", "age_cat"),
        test("tpr-difference", "race"),
        blocker(
            "EUAIA-5",
            "Do not place on the market a system that predicts crime solely by profiling (the declared facts match a prohibited practice; Screening record: nothing submitted)",
            "EU Artificial Intelligence Act, Art 5(1)(d)",
            "Lee Moran",
            "stop, or show with counsel that it is not caught: submit it (`kind = \"screening_record\"`) and have it accepted: Screen every use against the eight practices before it is offered.",
            true,
        ),
        blocker(
            "GDPR-22",
            "Do not decide about people by machine alone without a ground (it rests on `profiles_people`)",
            "General Data Protection Regulation, Art 22",
            "Ines Marchetti",
            "have `profiles_people` confirmed by someone outside the building team (`alnager fact confirm recidivism profiles_people`)",
            false,
        ),
        blocker(
            "GDPR-35",
            "Assess the impact on data protection (Impact assessment: nothing submitted)",
            "General Data Protection Regulation, Art 35",
            "Ines Marchetti",
            "submit it (`kind = \"dpia\"`) and have it accepted: Write the assessment before the first use.",
            false,
        ),
    ]
}
