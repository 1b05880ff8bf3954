//! One standard, many regimes: a scorecard that is also used to hire in New York City, on its desk.

use serde_json::Value;

use crate::{Place, status};

/// The credit example, used for jobs in New York City as well, and reviewed once.
fn desk() -> Place {
    let place = Place::with("credit");
    place.edit(
        r#"value = ["EU"]"#,
        r#"value = ["EU", "US", "US-NY", "US-NYC"]"#,
    );
    place.edit(
        r#""creditor", "bank"]"#,
        r#""creditor", "bank", "employer"]"#,
    );
    place.edit(
        r#"value = ["credit_scoring"]"#,
        r#"value = ["credit_scoring", "recruitment"]"#,
    );
    let answers = [
        ("job_in_nyc", "true"),
        ("simplified_output", "true"),
        ("decision_role", "\"sole\""),
        ("assessed_at", "[\"hiring\"]"),
    ];
    let answers: String = answers
        .iter()
        .map(|(fact, value)| {
            format!("{fact} = {{ value = {value}, by = \"Ruth Ansorge\", on = 2026-10-05, basis = \"a test\" }}\n")
        })
        .collect();
    place.edit("[facts]\n", &format!("[facts]\n{answers}"));
    let (_, review) = place.review(&[]);
    assert_eq!(review["evidence_proposals"], 0, "nothing is accepted yet");
    place
}

impl Place {
    fn rule(&self, word: &str, evidence: &str, requirement: &str, actor: &str) -> crate::Ran {
        let words = ["evidence", word, evidence, requirement];
        self.run(&[&words[..], &["--reason", "read", "--as", actor]].concat())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let dates = ["--known", "2026-11-23", "--format", "json"];
        let ran = self.run(&[arguments, &dates].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        serde_json::from_str(&ran.out).unwrap()
    }

    fn proposed(&self) -> Vec<Value> {
        let found = self.json(&["evidence", "proposals", "--system", "credit"]);
        found["proposals"].as_array().unwrap().clone()
    }
}

fn find<'v>(list: &'v [Value], field: &str, value: &str) -> &'v Value {
    let found = list.iter().find(|one| one[field] == value);
    found.unwrap_or_else(|| panic!("no {field} is {value} in {list:#?}"))
}

#[test]
fn an_article_26_11_notice_is_proposed_for_new_york_and_counts_only_once_accepted_there() {
    let place = desk();
    assert_eq!(
        place.rule("accept", "E4", "EUAIA-26-11", "Vera Novak").code,
        0
    );
    let proposed = place.proposed();
    let new_york = find(&proposed, "to", "NYC-871b1");
    assert_eq!(
        (
            &new_york["evidence"],
            &new_york["from"],
            &new_york["controls"][0]
        ),
        (&"E4".into(), &"EUAIA-26-11".into(), &"CC40".into())
    );
    let differs = new_york["differs"].as_array().unwrap();
    let notice = find(differs, "asked", "at least 10 business days");
    assert_eq!(notice["accepted"], "no figure");

    let (_, review) = place.review(&[]);
    assert_eq!(status(&review, "NYC-871b1"), "unknown");
    assert_eq!(review["evidence_proposals"], proposed.len());
    let screen = place.run(&["review", "system", "--known", "2026-11-23"]);
    let command = "`alnager evidence proposals --system credit`";
    let joined = screen.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(joined.contains(command), "{}", screen.out);

    // Whoever submitted it decides on it nowhere.
    let own = place.rule("accept", "E4", "NYC-871b1", "Clara Osei");
    assert_eq!(own.code, 2);
    assert!(own.err.contains("someone else must decide"), "{}", own.err);

    // Rejected: recorded, not proposed again, and no gap.
    assert_eq!(
        place.rule("reject", "E4", "NYC-871b1", "Vera Novak").code,
        0
    );
    let listed = place.run(&["evidence", "list"]);
    assert!(
        listed.out.contains("NYC-871b1: rejected by"),
        "{}",
        listed.out
    );
    let left = place.proposed();
    assert!(left.iter().all(|one| one["to"] != "NYC-871b1"));
    assert_eq!(status(&place.review(&[]).1, "NYC-871b1"), "unknown");

    // Accepted in one step where it was proposed: it counts there.
    let other = find(&left, "to", "NYC-871b2");
    assert_eq!(other["evidence"], "E4");
    assert_eq!(
        place.rule("accept", "E4", "NYC-871b2", "Vera Novak").code,
        0
    );
    let (_, review) = place.review(&["--out", "sealed"]);
    assert_eq!(status(&review, "NYC-871b2"), "met");
    let verified = place.run(&["verify", "sealed/dossier.tar.zst"]);
    assert_eq!(verified.code, 0, "{}", verified.out);
    assert_eq!(place.run(&["desk", "verify"]).code, 0);
}

#[test]
fn evidence_is_offered_for_what_takes_its_kind() {
    let place = desk();
    let offer = |requirement: &str| {
        let words = ["evidence", "offer", "E4", requirement];
        place.run(&[&words[..], &["--as", "Clara Osei"]].concat())
    };
    let wrong = offer("GDPR-35");
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.err.contains("`GDPR-35` asks for `dpia`"),
        "{}",
        wrong.err
    );
    assert_eq!(offer("NYC-871b2").code, 0);
    let review = place.review(&[]).1;
    let requirements = review["requirements"].as_array().unwrap();
    let why = find(requirements, "id", "NYC-871b2")["why"]
        .as_str()
        .unwrap();
    assert!(why.contains("E4 awaits a decision"), "{why}");
    assert!(place.proposed().is_empty());
}

#[test]
fn coverage_is_told_by_regime_and_by_control() {
    let place = desk();
    place.rule("accept", "E4", "EUAIA-26-11", "Vera Novak");
    let arguments = [
        "law",
        "coverage",
        "--system",
        "credit",
        "--csv",
        "crosswalk.csv",
    ];
    let coverage = place.json(&arguments);
    let review = place.review(&[]).1;
    let regimes = coverage["regimes"].as_array().unwrap();
    let sum = |key: &str| -> u64 {
        let binding = regimes.iter().filter(|regime| regime["binding"] == true);
        binding
            .map(|regime| regime["counts"][key].as_u64().unwrap())
            .sum()
    };
    assert_eq!(
        sum("in_force"),
        review["counts"]["in_force"].as_u64().unwrap()
    );
    assert_eq!(sum("met"), review["counts"]["met"].as_u64().unwrap());
    assert_eq!(sum("gap"), review["counts"]["gap"].as_u64().unwrap());
    let controls = coverage["controls"].as_array().unwrap();
    let notices = find(controls, "control", "CC40")["requirements"]
        .as_array()
        .unwrap();
    assert_eq!(find(notices, "id", "EUAIA-26-11")["accepted"][0], "E4");
    assert_eq!(
        find(notices, "id", "NYC-871b1")["lacking"][0],
        "notice_text"
    );
    let table = place.read("crosswalk.csv");
    let row = table
        .lines()
        .find(|line| line.starts_with("CC40,"))
        .unwrap();
    assert!(row.contains("NYC-871b1 unknown"), "{row}");
    let words = place.run(&["law", "coverage", "--by", "control"]);
    assert!(
        words.out.contains("CC40 Notice to affected people"),
        "{}",
        words.out
    );
    let unknown = place.run(&["law", "coverage", "--system", "crdit"]);
    assert_eq!(unknown.code, 2);
    assert!(
        unknown.err.contains("did you mean `credit`"),
        "{}",
        unknown.err
    );
}

#[test]
fn a_conflict_is_shown_on_both_sides() {
    let place = desk();
    let (_, review) = place.review(&["--out", "sealed"]);
    let pairs = review["conflicts"].as_array().unwrap();
    let pair = pairs
        .iter()
        .find(|pair| pair["requirements"][0] == "EUAIA-26-6")
        .unwrap();
    assert_eq!(pair["requirements"][1], "GDPR-5");
    let requirements = review["requirements"].as_array().unwrap();
    for (id, other) in [("EUAIA-26-6", "GDPR-5"), ("GDPR-5", "EUAIA-26-6")] {
        let remarks = find(requirements, "id", id)["remarks"].as_array().unwrap();
        let told = remarks.iter().any(|remark| {
            let text = remark["text"].as_str().unwrap();
            remark["about"] == "For counsel" && text.starts_with(&format!("pulls against {other}:"))
        });
        assert!(told, "{id}: {remarks:#?}");
    }
    let page = place.read("sealed/report.html");
    assert!(page.contains("Conflicts for counsel"));
    let coverage = place.json(&["law", "coverage"]);
    assert_eq!(coverage["conflicts"].as_array().unwrap().len(), pairs.len());
}

#[test]
fn the_strictest_figure_is_named_with_its_source() {
    let place = desk();
    let found = place.json(&["law", "strictest", "--system", "credit"]);
    let kinds = found["figures"].as_array().unwrap();
    let notice = find(kinds, "kind", "advance_notice");
    let strictest = &notice["heads"][0]["figures"][0];
    assert_eq!(
        (&strictest["amount"], &strictest["requirement"]),
        (&"10 business days".into(), &"NYC-871b1".into())
    );
    // One month against thirty days: nobody can say.
    let answer = find(kinds, "kind", "request_response");
    assert_eq!(answer["comparable"], false);
    let why = answer["not_comparable"][0]["why"].as_str().unwrap();
    assert!(why.contains("28 to 31"), "{why}");

    place.write("facts.json", r#"{ "facts": { "personal_data": true } }"#);
    let of_facts = place.json(&["law", "strictest", "--facts", "facts.json"]);
    assert!(of_facts["figures"].is_array());
    let neither = place.run(&["law", "strictest"]);
    assert_eq!(neither.code, 2);
}
