//! A log's owner can sign anything. What is signed must still follow from what it says it follows from.
#![allow(clippy::unwrap_used, clippy::panic)]

use alnager_office::counsel::Opinion;
use alnager_office::decide::EvidenceRuling;
use alnager_office::gate::Gate;
use alnager_office::task::{NewTask, Why};
use serde_json::{Value, json};

use super::*;
use crate::acting::Flags;
use crate::law::counsel;
use crate::records::{NewEvidence, add_evidence, rule_on_evidence};
use crate::review::{Request, review};
use crate::task;

/// A dossier of the credit example, reviewed, with one document accepted, and reviewed again.
fn dossier() -> Dossier {
    let folder = tempfile::tempdir().unwrap();
    let system =
        Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../examples/credit");
    let flags = |actor: &str| Flags {
        desk: folder.path().join("desk"),
        actor: Some(actor.to_owned()),
        known: Some("2026-11-23".parse().unwrap()),
        ..Flags::default()
    };
    let request = |out: &str| Request {
        system: system.clone(),
        gate: Gate::Launch,
        out: Some(folder.path().join(out)),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        review(&request("first"), &flags("Olga"), &|_| {})
            .await
            .unwrap();
        let ruling = EvidenceRuling {
            evidence: "E2".to_owned(),
            requirements: vec!["GDPR-35".to_owned()],
            reason: "complete".to_owned(),
        };
        rule_on_evidence(&flags("Vera"), ruling, true)
            .await
            .unwrap();
        review(&request("second"), &flags("Olga"), &|_| {})
            .await
            .unwrap();
    });
    let bytes = std::fs::read(folder.path().join("second/dossier.tar.zst")).unwrap();
    read(&bytes, Limits::default()).unwrap()
}

fn check(dossier: &Dossier) -> Result<Vec<String>, String> {
    let origin = dossier.checkpoint.checkpoint().origin().to_owned();
    match Check::of(dossier, &origin, None) {
        Ok(check) => Ok(check.differs),
        Err(Problem::Claims(problem)) => Err(problem),
        Err(Problem::Job(error)) => panic!("{error}"),
    }
}

/// The last entry of a kind.
fn last<'d>(dossier: &'d mut Dossier, kind: &str) -> &'d mut Item {
    let mut items = dossier.entries.values_mut().rev();
    items.find(|item| item.entry.kind == kind).unwrap()
}

fn payload(item: &mut Item, change: impl FnOnce(&mut Value)) {
    let payload = item.payload.as_mut().unwrap();
    let mut value: Value = serde_json::from_slice(&payload.bytes).unwrap();
    change(&mut value);
    payload.bytes = serde_json::to_vec(&value).unwrap();
}

fn blob(item: &mut Item, name: &str, from: &str, to: &str) {
    let blob = item.blobs.get_mut(name).unwrap();
    let text = String::from_utf8(blob.bytes.clone()).unwrap();
    assert!(text.contains(from), "`{from}` is not in {name}");
    blob.bytes = text.replacen(from, to, 1).into_bytes();
}

fn submitter_of(dossier: &Dossier, evidence: &str) -> String {
    let payloads = dossier
        .entries
        .values()
        .filter_map(|item| item.payload.as_ref());
    let events =
        payloads.filter_map(|payload| serde_json::from_slice::<Value>(&payload.bytes).ok());
    let mut submitted = events.filter(|event| event["evidence"] == evidence);
    submitted
        .find_map(|event| event["submitted_by"].as_str().map(str::to_owned))
        .unwrap()
}

#[test]
fn what_was_sealed_is_recomputed_without_a_difference() {
    assert_eq!(check(&dossier()), Ok(Vec::new()));
}

#[test]
fn whatever_is_claimed_otherwise_is_found() {
    let whole = dossier();
    let review = |change: fn(&mut Value)| {
        let mut forged = whole.clone();
        payload(last(&mut forged, "system.reviewed"), change);
        forged
    };
    let table = |name: &str, from: &str, to: &str| {
        let mut forged = whole.clone();
        blob(last(&mut forged, "system.reviewed"), name, from, to);
        forged
    };
    let mut self_accepted = whole.clone();
    let submitter = submitter_of(&whole, "E2");
    let accepted = last(&mut self_accepted, "evidence.accepted");
    accepted.entry.actor = submitter.parse().unwrap();
    payload(accepted, |accepted| accepted["by"] = json!(submitter));
    let mut by_another = whole.clone();
    payload(last(&mut by_another, "evidence.accepted"), |accepted| {
        accepted["by"] = json!("01a207b0-0000-7000-8000-000000000000");
    });
    let mut other_law = whole.clone();
    blob(
        last(&mut other_law, "book.adopted"),
        "book.json",
        "General Data",
        "Special Data",
    );
    let mut other_document = whole.clone();
    last(&mut other_document, "evidence.submitted")
        .blobs
        .get_mut("document")
        .unwrap()
        .bytes
        .push(b' ');

    let forged = [
        (
            "the verdict",
            review(|claims| claims["verdict"] = json!("clear")),
        ),
        (
            "a status",
            review(|claims| claims["requirements"][0]["status"] = json!("met")),
        ),
        (
            "an owner",
            review(|claims| claims["requirements"][0]["owner"] = json!("nobody")),
        ),
        (
            "a requirement left out",
            review(|claims| {
                claims["requirements"].as_array_mut().unwrap().remove(0);
            }),
        ),
        (
            "one gone and another twice",
            review(|claims| {
                let list = claims["requirements"].as_array_mut().unwrap();
                list[0] = list[1].clone();
            }),
        ),
        (
            "a figure",
            review(|claims| claims["results"][0]["value"] = json!(0.99)),
        ),
        (
            "an outcome",
            review(|claims| claims["results"][0]["result"] = json!("pass")),
        ),
        (
            "no audit measured",
            review(|claims| claims["data"] = json!([])),
        ),
        (
            "the number of rows",
            review(|claims| claims["data"][0]["n_rows"] = json!(9_999)),
        ),
        (
            "a method",
            review(|claims| claims["methods"] = json!(["wilson/1"])),
        ),
        (
            "a warning",
            review(|claims| claims["warnings"] = json!(["all is well"])),
        ),
        (
            "the day judged",
            review(|claims| claims["judged_on"] = json!("2027-12-02")),
        ),
        ("the gate", review(|claims| claims["gate"] = json!("tests"))),
        (
            "the sealed figures",
            table("figures.json", "\"rows\":1000", "\"rows\":1001"),
        ),
        ("the counts", table("counts-0.csv", ",1,1,", ",1,1,1")),
        ("the scores", table("scores-0.csv", ",1,1\n", ",1,2\n")),
        ("the report", table("report.html", "Undecided", "Clear")),
        ("a document", other_document),
        ("a decision by another than who wrote it", by_another),
        ("a decision on one's own document", self_accepted),
        ("the law", other_law),
    ];
    for (what, forged) in &forged {
        let found = check(forged);
        assert!(
            found.as_ref().is_err() || found.as_ref().is_ok_and(|differs| !differs.is_empty()),
            "{what} went unnoticed: {found:?}"
        );
    }
}

/// The dossier of a second system of the same organisation, reviewed after both and the organisation itself were at work.
fn of_the_second_system() -> Dossier {
    let folder = tempfile::tempdir().unwrap();
    let example =
        Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../examples/credit");
    let second = folder.path().join("second");
    std::fs::create_dir_all(second.join("evidence")).unwrap();
    for part in ["", "evidence"] {
        for entry in std::fs::read_dir(example.join(part)).unwrap() {
            let from = entry.unwrap();
            if from.file_type().unwrap().is_file() {
                let to = second.join(part).join(from.file_name());
                std::fs::copy(from.path(), to).unwrap();
            }
        }
    }
    let declared = std::fs::read_to_string(second.join("system.toml")).unwrap();
    let declared = declared.replacen("id = \"credit\"", "id = \"second\"", 1);
    std::fs::write(second.join("system.toml"), declared).unwrap();
    let flags = |actor: &str| Flags {
        desk: folder.path().join("desk"),
        actor: Some(actor.to_owned()),
        known: Some("2026-11-23".parse().unwrap()),
        ..Flags::default()
    };
    let out = folder.path().join("out");
    let request = |system: &Path| Request {
        system: system.to_owned(),
        gate: Gate::Launch,
        out: Some(out.clone()),
    };
    let accept = |evidence: &str| EvidenceRuling {
        evidence: evidence.to_owned(),
        requirements: Vec::new(),
        reason: "complete".to_owned(),
    };
    let task = NewTask {
        what: "call the supervisor".to_owned(),
        why: Why::Reason("a complaint".to_owned()),
        system: Some("second".to_owned()),
        requirement: None,
        owner: "Ruth Ansorge".to_owned(),
        due: "9999-01-01".parse().unwrap(),
    };
    let vera = flags("Vera");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        for system in [&example, &second] {
            let _ = std::fs::remove_dir_all(&out);
            review(&request(system), &flags("Olga"), &|_| {})
                .await
                .unwrap();
        }
        // Of the first system: the assessment is its own, the plan for training serves the organisation.
        rule_on_evidence(&vera, accept("E2"), true).await.unwrap();
        rule_on_evidence(&vera, accept("E5"), true).await.unwrap();
        let completed = NewEvidence {
            system: "credit".to_owned(),
            file: second.join("README.md"),
            kind: "completion_record".to_owned(),
            requirements: vec!["EUAIA-4".to_owned()],
            effective: None,
            expires: None,
        };
        let added = add_evidence(&flags("Olga"), &completed).await.unwrap();
        let completed = format!("E{}", added.state.evidence.len());
        rule_on_evidence(&vera, accept(&completed), true)
            .await
            .unwrap();
        counsel::adopt(&vera, "nist-ai-rmf", true, "the board wants it")
            .await
            .unwrap();
        counsel::adopt(&vera, "nist-ai-rmf", false, "the board left")
            .await
            .unwrap();
        counsel::read(&vera, "GDPR-35", Opinion::Adopted, "we read it so")
            .await
            .unwrap();
        task::open(&vera, vec![task]).await.unwrap();
        std::fs::remove_dir_all(&out).unwrap();
        review(&request(&second), &flags("Olga"), &|_| {})
            .await
            .unwrap();
    });
    let bytes = std::fs::read(out.join("dossier.tar.zst")).unwrap();
    read(&bytes, Limits::default()).unwrap()
}

#[test]
fn a_dossier_carries_what_its_system_inherits_and_nothing_of_another() {
    let mut dossier = of_the_second_system();
    assert_eq!(check(&dossier), Ok(Vec::new()));
    let mut told: Vec<String> = Vec::new();
    for item in dossier.entries.values() {
        let kind = &item.entry.kind;
        let Some(payload) = &item.payload else {
            continue;
        };
        let value: Value = serde_json::from_slice(&payload.bytes).unwrap();
        assert!(!kind.starts_with("task."), "{value}");
        let evidence = value["evidence"].as_str().unwrap_or_default();
        if kind.starts_with("evidence.") && value["system"] != "second" {
            told.push(format!("{kind} {evidence}"));
        }
    }
    // The plan for training serves a duty of the organisation; the assessment of the first system does not.
    assert!(
        told.contains(&"evidence.submitted E5".to_owned()),
        "{told:?}"
    );
    assert!(told.contains(&"evidence.accepted E5".to_owned()));
    assert!(!told.iter().any(|one| one.ends_with(" E2")), "{told:?}");
    let reviewed = last(&mut dossier, "system.reviewed");
    payload(reviewed, |claims| {
        let claims = claims["requirements"].as_array().unwrap();
        let training = claims.iter().find(|claim| claim["id"] == "EUAIA-4");
        assert_eq!(training.unwrap()["status"], "met");
    });
}

#[test]
fn a_decision_about_law_that_does_not_hold_is_found() {
    let whole = of_the_second_system();
    let builder = {
        let mut declared = whole.clone();
        let mut team = Value::Null;
        payload(last(&mut declared, "system.declared"), |system| {
            team = system["declaration"]["team"][0].clone();
        });
        team.as_str().unwrap().to_owned()
    };
    let by_builder = |kind: &str| {
        let mut forged = whole.clone();
        let item = last(&mut forged, kind);
        item.entry.actor = builder.parse().unwrap();
        payload(item, |decided| decided["by"] = json!(builder));
        forged
    };
    let read = |change: fn(&mut Value)| {
        let mut forged = whole.clone();
        payload(last(&mut forged, "reading.recorded"), change);
        forged
    };
    let other = "01a207b0-0000-7000-8000-000000000000";
    let mut in_anothers_name = whole.clone();
    let adopted = last(&mut in_anothers_name, "framework.adopted");
    payload(adopted, |decided| {
        decided["is_adopted"] = json!(true);
        decided["by"] = json!(other);
    });
    for (what, forged, word) in [
        (
            "other words",
            read(|reading| reading["wording"] = json!("as you like")),
            "is not about the words",
        ),
        (
            "a doubt nobody had",
            read(|reading| reading["settles"] = json!(["all there is to come"])),
            "is not about the words",
        ),
        (
            "a reading of a builder",
            by_builder("reading.recorded"),
            "by who builds",
        ),
        (
            "a framework dropped by a builder",
            by_builder("framework.adopted"),
            "by who builds",
        ),
        (
            "a framework adopted in another's name",
            in_anothers_name,
            "in another person's name",
        ),
    ] {
        let found = check(&forged).unwrap();
        assert!(
            found.iter().any(|differs| differs.contains(word)),
            "{what} went unnoticed: {found:?}"
        );
    }
}
