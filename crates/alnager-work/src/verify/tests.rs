//! A log's owner can sign anything. What is signed must still follow from what it says it follows from.
#![allow(clippy::unwrap_used, clippy::panic)]

use alnager_journal::verify::Status;
use alnager_office::counsel::Opinion;
use alnager_office::decide::Command;
use alnager_office::decide::EvidenceRuling;
use alnager_office::exception::NewException;
use alnager_office::gate::Gate;
use alnager_office::launch::NewLaunch;
use alnager_office::opinion::Conclusion;
use alnager_office::people::Basis;
use alnager_office::role::Role;
use alnager_office::system::NewAnswer;
use alnager_office::task::{NewTask, Why};
use serde_json::{Value, json};

use super::*;
use crate::acting::{Acting, Flags};
use crate::audit::sign;
use crate::law::counsel;
use crate::opinion::{Giving, give, withdraw};
use crate::records::{About, NewEvidence, NewSignature, add_evidence, enter, rule_on_evidence};
use crate::review::{Request, review};
use crate::task;

/// A dossier of the credit example, reviewed, with one document accepted, and reviewed again.
fn dossier() -> Dossier {
    reviewed(false)
}

/// The same; before the second review, who accepted the document may be erased.
fn reviewed(is_erased: bool) -> Dossier {
    let folder = tempfile::tempdir().unwrap();
    let system =
        Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../examples/credit");
    let flags = |actor: &str| Flags {
        desk: folder.path().join("desk").into(),
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
        let entered = rule_on_evidence(&flags("Vera"), ruling, true)
            .await
            .unwrap();
        if is_erased {
            erase(&flags("Olga"), &entered.state, "Vera").await;
        }
        review(&request("second"), &flags("Olga"), &|_| {})
            .await
            .unwrap();
    });
    let bytes = std::fs::read(folder.path().join("second/dossier.tar.zst")).unwrap();
    read(&bytes, Limits::default()).unwrap()
}

async fn erase(flags: &Flags, state: &State, name: &str) {
    let requested = Command::ErasePerson {
        person: name.to_owned(),
        basis: Basis::Objection,
        reason: "a letter".to_owned(),
    };
    let finished = Command::FinishErasure {
        requested: state.size,
        n_payloads: 1,
        n_blobs: 0,
    };
    for command in [requested, finished] {
        enter(flags, About::Organisation, |_, _| Ok(command))
            .await
            .unwrap();
    }
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
fn a_dossier_of_a_record_that_names_an_erased_person_verifies_and_says_so() {
    let dossier = reviewed(true);
    assert_eq!(check(&dossier), Ok(Vec::new()));
    let verified = alnager_journal::verify::verify(&dossier, &Trust::Unstated).unwrap();
    let of = |kind: &str| {
        let mut entries = verified.entries.iter();
        entries.find(|entry| entry.kind == kind).unwrap()
    };
    let under = of("erasure.executed").index;
    let erased = verified.entries.iter().filter_map(|entry| {
        (entry.payload == Status::Erased { under }).then_some(entry.kind.as_str())
    });
    assert_eq!(erased.collect::<Vec<_>>(), ["person.named"]);
    assert!(of("erasure.requested").index < under);
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
        desk: folder.path().join("desk").into(),
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
            signature: None,
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

/// A dossier of the credit example used to hire in New York City, with an audit that an independent auditor signed.
fn audited() -> Dossier {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let manifest = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let example = Path::new(&manifest).join("../../examples/credit");
    let system = file("system");
    copy(&example, &system);
    let text = std::fs::read_to_string(system.join("system.toml")).unwrap();
    let answer = |fact: &str, value: &str| {
        format!(
            "{fact} = {{ value = {value}, by = \"Ruth Ansorge\", on = 2026-10-05, basis = \"a test\" }}\n"
        )
    };
    let answers = [
        answer("job_in_nyc", "true"),
        answer("simplified_output", "true"),
        answer("decision_role", "\"sole\""),
        answer("assessed_at", "[\"hiring\"]"),
    ];
    let text = text
        .replace("[\"EU\"]", "[\"EU\", \"US\", \"US-NY\", \"US-NYC\"]")
        .replace("\"bank\"]", "\"bank\", \"employer\"]")
        .replace("[facts]\n", &format!("[facts]\n{}", answers.concat()));
    std::fs::write(system.join("system.toml"), text).unwrap();
    std::fs::write(file("audit.txt"), "counts").unwrap();
    std::fs::write(file("statement.txt"), "no part").unwrap();
    let name = "auditor.example/bias";
    sign::new_key(name, &file("ida.key")).unwrap();
    let signing = sign::Signing {
        document: file("audit.txt"),
        statement: file("statement.txt"),
        key: file("ida.key"),
        name: name.to_owned(),
        on: Some("2026-11-20".parse().unwrap()),
        out: None,
    };
    let signed = sign::sign(&signing).unwrap();
    let flags = |actor: &str| Flags {
        desk: file("desk").into(),
        actor: Some(actor.to_owned()),
        known: Some("2026-11-23".parse().unwrap()),
        ..Flags::default()
    };
    let request = |out: &str| Request {
        system: system.clone(),
        gate: Gate::Launch,
        out: Some(file(out)),
    };
    let offered = |name: &str, kind: &str, requirement: &str| NewEvidence {
        system: "credit".to_owned(),
        file: file(name),
        kind: kind.to_owned(),
        requirements: vec![requirement.to_owned()],
        effective: Some("2026-11-20".parse().unwrap()),
        expires: Some("2027-11-20".parse().unwrap()),
        signature: None,
    };
    let statement = offered("statement.txt", "independence_statement", "NYC-5-300-ia");
    let mut audit = offered("audit.txt", "signed_bias_audit", "NYC-871a1");
    audit.signature = Some(NewSignature {
        note: signed.note,
        auditor: "Ida Independent".to_owned(),
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        review(&request("first"), &flags("Olga"), &|_| {})
            .await
            .unwrap();
        for new in [statement, audit] {
            let added = add_evidence(&flags("Olga"), &new).await.unwrap();
            let ruling = EvidenceRuling {
                evidence: format!("E{}", added.state.evidence.len()),
                requirements: Vec::new(),
                reason: "read, key compared".to_owned(),
            };
            rule_on_evidence(&flags("Vera"), ruling, true)
                .await
                .unwrap();
        }
        review(&request("second"), &flags("Olga"), &|_| {})
            .await
            .unwrap();
    });
    let bytes = std::fs::read(file("second/dossier.tar.zst")).unwrap();
    read(&bytes, Limits::default()).unwrap()
}

#[test]
fn an_auditors_signature_is_checked_again() {
    let mut whole = audited();
    assert_eq!(check(&whole), Ok(Vec::new()));
    payload(last(&mut whole, "system.reviewed"), |claims| {
        let claims = claims["requirements"].as_array().unwrap();
        let audit = claims.iter().find(|claim| claim["id"] == "NYC-871a1");
        assert_eq!(audit.unwrap()["status"], "met");
    });
    let name = {
        let mut submitted = whole.clone();
        let bytes = &last(&mut submitted, "evidence.submitted").payload;
        String::from_utf8(bytes.as_ref().unwrap().bytes.clone()).unwrap()
    };
    assert!(!name.contains("Ida"), "the auditor's name is withheld");

    let submitted = |change: &dyn Fn(&mut Value)| {
        let mut forged = whole.clone();
        payload(last(&mut forged, "evidence.submitted"), change);
        forged
    };
    let builder = {
        let mut declared = whole.clone();
        let mut team = Value::Null;
        payload(last(&mut declared, "system.declared"), |system| {
            team = system["declaration"]["team"][0].clone();
        });
        team
    };
    let mut no_statement = whole.clone();
    no_statement.entries.retain(|_, item| {
        let payload = item.payload.as_ref();
        let value =
            payload.and_then(|payload| serde_json::from_slice::<Value>(&payload.bytes).ok());
        item.entry.kind != "evidence.accepted"
            || value.is_none_or(|value| value["requirement"] != "NYC-5-300-ia")
    });
    let forged = [
        (
            "another document",
            submitted(&|event| event["sha256"] = json!("ab".repeat(32))),
        ),
        (
            "another day",
            submitted(&|event| {
                let note = event["signature"]["note"].as_str().unwrap();
                event["signature"]["note"] = json!(note.replace("2026-11-20", "2026-11-21"));
            }),
        ),
        (
            "another key beside it",
            submitted(&|event| {
                event["signature"]["key"] = json!(
                    "auditor.example/bias+c128db93+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
                );
            }),
        ),
        (
            "no signature",
            submitted(&|event| {
                event.as_object_mut().unwrap().remove("signature");
            }),
        ),
        (
            "the submitter as auditor",
            submitted(&|event| {
                event["signature"]["auditor"] = event["submitted_by"].clone();
            }),
        ),
        (
            "a builder as auditor",
            submitted(&|event| event["signature"]["auditor"] = builder.clone()),
        ),
        (
            "a longer life",
            submitted(&|event| event["expires"] = json!("2028-11-20")),
        ),
        ("no statement", no_statement),
    ];
    for (what, dossier) in forged {
        let differs = check(&dossier).unwrap();
        // The acceptance, and the status of the requirement it gave.
        let said = |words: &str| differs.iter().any(|one| one.contains(words));
        assert!(said("is accepted as signed: "), "{what}: {differs:#?}");
        assert!(
            said("`NYC-871a1` is claimed as `met`"),
            "{what}: {differs:#?}"
        );
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
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

/// Makes Ada an administrator and Ida an auditor, who gives two opinions on the credit example and withdraws the second.
async fn opinion(flags: &dyn Fn(&str) -> Flags) {
    for (person, role) in [("Ada", Role::Administrator), ("Ida", Role::Auditor)] {
        let command = Command::GrantRoles {
            person: person.to_owned(),
            roles: vec![role],
            reason: "opening".to_owned(),
        };
        enter(&flags("Ada"), About::Organisation, |_, _| Ok(command))
            .await
            .unwrap();
    }
    for conclusion in [Conclusion::Qualified, Conclusion::Adverse] {
        let giving = Giving {
            system: "credit".to_owned(),
            conclusion,
            basis: "the record was read".to_owned(),
            checkpoint: None,
            note: None,
        };
        give(&flags("Ida"), &giving).await.unwrap();
    }
    withdraw(&flags("Ida"), "O2", "a document came up")
        .await
        .unwrap();
}

/// A dossier of the credit example with what people said and decided between two reviews.
fn launched() -> Dossier {
    let folder = tempfile::tempdir().unwrap();
    let system =
        Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../examples/credit");
    let flags = |actor: &str| Flags {
        desk: folder.path().join("desk").into(),
        actor: Some(actor.to_owned()),
        known: Some("2026-11-23".parse().unwrap()),
        ..Flags::default()
    };
    let request = |out: &str| Request {
        system: system.clone(),
        gate: Gate::Launch,
        out: Some(folder.path().join(out)),
    };
    let answer = NewAnswer {
        fact: "simplified_output".to_owned(),
        value: "false".to_owned(),
        basis: "the model card".to_owned(),
    };
    let in_a_month = |today: jiff::civil::Date| today.saturating_add(jiff::Span::new().days(30));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        review(&request("first"), &flags("Olga"), &|_| {})
            .await
            .unwrap();
        let of_vera = async |command: &dyn Fn(&State, jiff::civil::Date) -> Command| {
            let acting = Acting::to_enter(&flags("Vera")).unwrap();
            let state = acting.desk().await.unwrap().state();
            enter(&flags("Vera"), About::System("credit"), |_, today| {
                Ok(command(&state, today))
            })
            .await
            .unwrap();
        };
        of_vera(&|_, _| Command::AnswerFacts {
            system: "credit".to_owned(),
            answers: vec![answer.clone()],
            expected: vec![("simplified_output".to_owned(), None)],
        })
        .await;
        of_vera(&|_, today| {
            Command::GrantException(Box::new(NewException {
                system: "credit".to_owned(),
                subject: "GDPR-35".to_owned(),
                reason: "it is being written".to_owned(),
                measures: "a person looks at every refusal".to_owned(),
                expires: in_a_month(today),
            }))
        })
        .await;
        of_vera(&|state, _| {
            let review = state.systems["credit"].review.as_ref().unwrap().at;
            Command::DecideLaunch(Box::new(NewLaunch {
                system: "credit".to_owned(),
                decision: LaunchDecision::Refuse,
                conditions: Vec::new(),
                expires: None,
                reason: "too much is open".to_owned(),
                review,
                blockers: vec!["GDPR-35".to_owned()],
                needs_two: true,
            }))
        })
        .await;
        of_vera(&|_, _| Command::EndException {
            exception: "X1".to_owned(),
            reason: "the launch was refused".to_owned(),
        })
        .await;
        of_vera(&|_, _| Command::Comment {
            about: alnager_office::comment::About::System("credit".to_owned()),
            text: "let us talk".to_owned(),
        })
        .await;
        opinion(&flags).await;
        review(&request("second"), &flags("Olga"), &|_| {})
            .await
            .unwrap();
    });
    let bytes = std::fs::read(folder.path().join("second/dossier.tar.zst")).unwrap();
    read(&bytes, Limits::default()).unwrap()
}

#[test]
fn decisions_on_a_launch_are_disclosed_and_comments_are_not() {
    let mut dossier = launched();
    assert_eq!(check(&dossier), Ok(Vec::new()));
    assert!(last(&mut dossier, "comment.made").payload.is_none());
    for kind in [
        "fact.answered",
        "exception.granted",
        "exception.ended",
        "launch.decided",
        "opinion.given",
        "opinion.withdrawn",
    ] {
        assert!(last(&mut dossier, kind).payload.is_some(), "{kind}");
    }
}

#[test]
fn a_launch_decided_otherwise_is_found() {
    let whole = launched();
    let forge = |kind: &str, change: &dyn Fn(&mut Value)| {
        let mut forged = whole.clone();
        payload(last(&mut forged, kind), change);
        check(&forged).unwrap().join("\n")
    };
    let mut declared = whole.clone();
    let mut builder = Value::Null;
    payload(last(&mut declared, "system.declared"), |system| {
        builder = system["declaration"]["team"][0].clone();
    });
    let by_builder = |kind: &str| {
        let mut forged = whole.clone();
        let item = last(&mut forged, kind);
        item.entry.actor = builder.as_str().unwrap().parse().unwrap();
        payload(item, |event| event["by"] = builder.clone());
        check(&forged).unwrap().join("\n")
    };
    let other = json!("01a207b0-0000-7000-8000-000000000000");
    let by_other = |kind: &str| forge(kind, &|event| event["by"] = other.clone());
    let unborne = "the latest review of `credit` does not bear this decision";
    let told = [
        (
            forge("launch.decided", &|event| {
                event["decision"] = json!("approve")
            }),
            unborne,
        ),
        (
            forge("launch.decided", &|event| event["verdict"] = json!("clear")),
            unborne,
        ),
        (
            forge("launch.decided", &|event| event["review"] = json!(0)),
            unborne,
        ),
        (
            by_builder("launch.decided"),
            "the launch of `credit` is decided on by who builds it",
        ),
        (
            by_builder("exception.granted"),
            "`X1` is granted by who builds the system",
        ),
        (
            by_other("exception.ended"),
            "`X1` is ended in another person's name",
        ),
        (
            by_builder("opinion.given"),
            "`O2` is given by who had a hand in the system",
        ),
        (
            by_other("opinion.given"),
            "`O2` is given by who had a hand in the system",
        ),
        (
            forge("opinion.given", &|event| event["size"] = json!(9_999)),
            "`O2` is given on entries that were not there yet",
        ),
        (
            forge("opinion.given", &|event| {
                event["signature"] = json!({ "key": "k", "note": "n" });
            }),
            "`O2`: the note does not hold",
        ),
        (
            by_other("opinion.withdrawn"),
            "`O2` is withdrawn by who did not give it",
        ),
        (
            by_other("fact.answered"),
            "`simplified_output` is answered in another person's name",
        ),
    ];
    for (told, want) in told {
        assert!(told.contains(want), "`{want}` is not in `{told}`");
    }
}
