//! Reviews that were measured elsewhere.

use super::*;

const COUNTS: &str =
    "age,label,decision,n\nold,0,0,150\nold,0,1,50\nold,1,1,200\nyoung,0,0,150\nyoung,1,1,50\n";

fn declaration(id: &str, owner: &str) -> String {
    format!(
        r#"
schema = "alnager.system/1"
id = "{id}"
name = "A score"
organisation = "Example Group"
owner = "{owner}"
purpose = "Scores applications."
stage = "validation"

[facts]
is_ai_system = {{ value = true, by = "{owner}", on = 2026-10-05, basis = "technical file" }}
places = {{ value = ["EU"], by = "{owner}", on = 2026-10-05, basis = "contract" }}

[[audit]]
name = "by-age"
data = "data.csv"
decision = {{ column = "granted", positive = "1", favourable = "1" }}
label = {{ column = "repaid", positive = "1" }}

[[audit.attribute]]
column = "age"
characteristic = "age"
reference = "old"

[[evidence]]
file = "evidence/file.md"
kind = "technical_file"
requirements = ["EUAIA-11"]
effective = 2026-10-01
submitted_by = "{owner}"
"#
    )
}

fn review(id: &str, owner: &str) -> Value {
    json!({
        "declaration": declaration(id, owner),
        "evidence": [{ "file": "evidence/file.md", "document": "QSBmaWxl" }],
        "measures": [{
            "audit": "by-age",
            "data": { "name": "data.csv", "sha256": "ab".repeat(32), "n_bytes": 9_000, "n_rows": 600 },
            "counts": COUNTS,
        }],
        "warnings": ["3 rows have no age"],
    })
}

#[tokio::test]
async fn a_review_is_planned_sealed_and_shown() {
    let street = Street::open(&["one"]).await;
    let program = Program::of_officer(&street, "one").await;
    let plan = json!({ "declaration": declaration("score", "Tomas Beran") });
    let before = entries(&street);
    let plan = read(&program.post("/reviews/plan", &plan).await.is(200));
    assert_eq!(
        plan,
        json!({ "system": "score", "is_new": true, "audits": ["by-age"], "documents": ["evidence/file.md"] })
    );
    assert_eq!(entries(&street), before);

    let key = [(HeaderName::from_static("idempotency-key"), "run-1")];
    let body = review("score", "Tomas Beran");
    let made = program.post_with("/reviews", &key, &body).await.is(201);
    let after = entries(&street);
    assert!(after > before);
    let made = read(&made);
    let found = &made["made"];
    assert_eq!(found["review"]["system"], "score");
    let warnings = found["review"]["warnings"].as_array().unwrap();
    assert!(
        warnings.contains(&json!("3 rows have no age")),
        "{warnings:?}"
    );
    // Favourable rates 250 of 400 and 50 of 200: the ratio is 0.4.
    let results = found["review"]["results"].as_array().unwrap();
    let ratio = results
        .iter()
        .find(|result| result["metric"] == "impact_ratio");
    assert_eq!(ratio.unwrap()["value"], 0.4);
    assert_eq!(found["verdict"], "hold");
    assert_eq!(found["exit_code"], 1);
    assert_eq!(made["receipt"]["size"], after);

    // The same under the same key is entered once.
    let again = program.post_with("/reviews", &key, &body).await.is(201);
    assert_eq!(entries(&street), after);
    assert_eq!(
        read(&again)["receipt"]["entries"],
        made["receipt"]["entries"]
    );

    let shown = read(&program.get("/systems/score/review").await.is(200));
    assert_eq!(shown["review"]["results"], found["review"]["results"]);
    assert!(shown["words"].as_str().unwrap().starts_with("✕ HOLD"));
    assert!(shown["junit"].as_str().unwrap().contains("<failure "));
    let tests = program
        .get("/systems/score/review?gate=tests")
        .await
        .is(200);
    assert!(!read(&tests)["junit"].as_str().unwrap().contains("EUAIA"));
    check_problem(program.get("/systems/other/review").await, 404, "not-found");
}

#[tokio::test]
async fn what_does_not_fit_the_declaration_is_refused_by_field() {
    let street = Street::open(&["one"]).await;
    let program = Program::of_officer(&street, "one").await;
    let before = entries(&street);
    let mut n_refused = 0;
    let mut check = async |field: &str, change: fn(&mut Value)| {
        let mut body = review("score", "Tomas Beran");
        change(&mut body);
        let problem = check_problem(program.post("/reviews", &body).await, 422, "invalid");
        assert_eq!(problem["field"], field, "{problem}");
        n_refused += 1;
    };
    check("evidence", |body| body["evidence"] = json!([])).await;
    check("evidence", |body| {
        body["evidence"][0]["file"] = json!("evidence/other.md")
    })
    .await;
    check("evidence[0].document", |body| {
        body["evidence"][0]["document"] = json!("%")
    })
    .await;
    check("evidence[0].signature", |body| {
        body["evidence"][0]["signature"] = json!("note")
    })
    .await;
    check("measures", |body| body["measures"] = json!([])).await;
    check("measures", |body| {
        body["measures"][0]["audit"] = json!("by-sex")
    })
    .await;
    check("measures[0]", |body| {
        body["measures"][0]["data"]["name"] = json!("other.csv")
    })
    .await;
    check("measures[0]", |body| {
        body["measures"][0]["data"]["n_rows"] = json!(601)
    })
    .await;
    check("measures[0].counts", |body| {
        body["measures"][0]["counts"] = json!("age,n\n")
    })
    .await;
    check("measures[0].scores", |body| {
        body["measures"][0]["scores"] = json!("?")
    })
    .await;
    check("measures[0]", |body| {
        body["measures"][0]["counts"] = json!("sex,label,decision,n\nf,0,0,600\n");
    })
    .await;
    check("measures[0].counts", |body| {
        let n = u64::MAX;
        body["measures"][0]["counts"] = json!(format!("age,label,decision,n\nold,0,0,{n}\n"));
    })
    .await;
    check("warnings", |body| body["warnings"] = json!(vec!["x"; 101])).await;
    check("nobody", |body| body["nobody"] = json!(1)).await;
    assert_eq!(n_refused, 14);
    assert_eq!(entries(&street), before);
}

#[tokio::test]
async fn an_engineer_reviews_what_they_build_and_nothing_else() {
    let street = Street::open(&["one"]).await;
    let officer = Program::of_officer(&street, "one").await;
    let engineer = Program::with(&street, "one", "Tomas Beran", &Action::ALL).await;
    let own = review("own", "Tomas Beran");
    engineer.post("/reviews", &own).await.is(201);
    let foreign = review("foreign", "Ruth Ansorge");
    officer.post("/reviews", &foreign).await.is(201);
    let before = entries(&street);
    let refused = check_problem(engineer.post("/reviews", &foreign).await, 403, "forbidden");
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("built by others")
    );
    let plan = json!({ "declaration": declaration("foreign", "Ruth Ansorge") });
    check_problem(
        engineer.post("/reviews/plan", &plan).await,
        403,
        "forbidden",
    );
    let reader = Program::with(&street, "one", OFFICER, &[Action::Read]).await;
    check_problem(reader.post("/reviews", &own).await, 403, "forbidden");
    assert_eq!(entries(&street), before);
}
