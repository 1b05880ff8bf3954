#![allow(clippy::unwrap_used)]

use alnager_office::role::Role;

use crate::tests::{Street, Visitor};
use crate::words::EN;

const FORM: &str = "/systems/credit/opinion";

/// A field of the form as it stands on its page.
fn value(page: &str, name: &str) -> String {
    let (_, rest) = page
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// Sends the form with what it carries, and these words.
async fn give(
    visitor: &Visitor,
    page: &str,
    conclusion: &str,
    basis: &str,
) -> crate::tests::Answer {
    let (size, seen, root) = (
        value(page, "size"),
        value(page, "seen"),
        value(page, "root"),
    );
    let fields = [
        ("conclusion", conclusion),
        ("basis", basis),
        ("size", &size),
        ("seen", &seen),
        ("root", &root),
    ];
    visitor.post(FORM, &fields).await
}

#[tokio::test]
async fn an_auditor_gives_an_opinion_on_the_record_that_the_form_names() {
    let street = Street::open(&["one"]).await;
    let auditor = street.with_role("one", Role::Auditor).await;
    let form = auditor.get(FORM).await.is(200).text();
    let size = value(&form, "size");
    assert_eq!(
        size,
        street.house.seats["one"]
            .organisation()
            .unwrap()
            .moment()
            .state
            .size
            .to_string()
    );
    let given = give(&auditor, &form, "adverse", "the <b>counts</b> were read")
        .await
        .is(303);
    assert!(given.location.ends_with("/systems/credit#opinions"));
    let officer = street.with_role("one", Role::Officer).await;
    let page = officer.get("/systems/credit").await.is(200).text();
    let section = page.split_once("id=\"opinions\"").unwrap().1;
    let section = section.split_once("</section>").unwrap().0;
    for shown in [
        EN.opinion
            .conclusion(alnager_office::opinion::Conclusion::Adverse),
        "the &lt;b&gt;counts&lt;/b&gt; were read",
        "Aiko Tanaka",
        &format!("the first {size} entries"),
        &value(&form, "root"),
        EN.opinion.not_moved,
        EN.opinion.no_own_key,
        EN.opinion.earlier,
        &format!("/one/journal/checkpoint?size={size}"),
        "/proof",
    ] {
        assert!(section.contains(shown), "{shown} is not in {section}");
    }
    // Whoever is no auditor finds no form, and nobody else's is withdrawn.
    assert!(!section.contains(EN.opinion.to_form) && !section.contains(EN.opinion.withdraw));
    let today = officer.get("/today").await.is(200).text();
    assert!(today.contains(EN.opinion.title) && today.contains("adverse opinion"));
    let checkpoint = officer
        .get(&format!("/journal/checkpoint?size={size}"))
        .await
        .is(200);
    assert_eq!(checkpoint.text().lines().nth(1), Some(size.as_str()));
    assert_eq!(
        checkpoint.text().lines().nth(2),
        Some(value(&form, "root").as_str())
    );
}

#[tokio::test]
async fn a_record_that_moved_meanwhile_is_shown_and_nothing_typed_is_lost() {
    let street = Street::open(&["one"]).await;
    let auditor = street.with_role("one", Role::Auditor).await;
    let form = auditor.get(FORM).await.is(200).text();
    let clara = street.with_role("one", Role::PrivacyOfficer).await;
    let path = "/systems/credit/facts/simplified_output";
    let fact = clara.get(path).await.is(200).text();
    let seen = value(&fact, "seen");
    let answer = [
        ("answer", "false"),
        ("basis", "the model card"),
        ("seen", &seen),
    ];
    clara.post(path, &answer).await.is(303);

    let refused = give(&auditor, &form, "unmodified", "all of it was read")
        .await
        .is(409)
        .text();
    assert!(refused.contains("all of it was read"));
    assert!(refused.contains("value=\"unmodified\" checked"));
    assert!(refused.contains(EN.opinion.moved) && refused.contains(EN.opinion.about_system));
    assert_ne!(value(&refused, "size"), value(&form, "size"));
    give(&auditor, &refused, "unmodified", "all of it was read")
        .await
        .is(303);

    // Whoever names the entries they read gives it on those, whatever was entered since.
    let (size, root) = (value(&form, "size"), value(&form, "root"));
    let named = [
        ("conclusion", "qualified"),
        ("basis", "read in the dossier"),
        ("size", size.as_str()),
        ("root", root.as_str()),
        ("seen", ""),
    ];
    auditor.post(FORM, &named).await.is(303);
    let page = auditor.get("/systems/credit").await.is(200).text();
    let section = page.split_once("id=\"opinions\"").unwrap().1;
    assert!(section.contains(EN.opinion.moved), "{section}");
    assert!(section.contains(&format!("the first {size} entries")));
}

#[tokio::test]
async fn what_is_wrong_with_an_opinion_is_said_beside_what_was_typed() {
    let street = Street::open(&["one"]).await;
    let auditor = street.with_role("one", Role::Auditor).await;
    let form = auditor.get(FORM).await.is(200).text();
    let (size, root) = (value(&form, "size"), value(&form, "root"));
    let other = "A".repeat(43) + "=";
    let cases: [(&str, &str, &str, &str, &str); 6] = [
        ("", "my basis", &size, &root, EN.opinion.conclusion_missing),
        ("adverse", "", &size, &root, "has 1 to 20,000 characters"),
        ("adverse", "my basis", "many", &root, EN.opinion.size_wrong),
        (
            "adverse",
            "my basis",
            "999999",
            "",
            "no checkpoint over 999999 entries",
        ),
        ("adverse", "my basis", &size, "short", EN.opinion.root_wrong),
        (
            "adverse",
            "my basis",
            &size,
            &other,
            "another root than the one you read",
        ),
    ];
    for (conclusion, basis, size, root, want) in cases {
        let fields = [
            ("conclusion", conclusion),
            ("basis", basis),
            ("size", size),
            ("root", root),
        ];
        let page = auditor.post(FORM, &fields).await.is(422).text();
        let said = page.to_lowercase();
        assert!(
            said.contains(&want.to_lowercase()),
            "{want} is not in {page}"
        );
        assert!(page.contains(&format!(">{basis}</textarea>")), "{want}");
    }
    for role in [Role::Officer, Role::Validator, Role::Board] {
        let visitor = street.with_role("one", role).await;
        visitor.get(FORM).await.is(403);
        visitor
            .post(FORM, &[("conclusion", "adverse")])
            .await
            .is(403);
    }
}

#[tokio::test]
async fn an_auditor_with_a_hand_in_the_record_is_refused_and_withdraws_what_they_gave() {
    let street = Street::open(&["one"]).await;
    let officer = street.with_role("one", Role::Officer).await;
    let state = street.house.seats["one"].organisation().unwrap().moment();
    let vera = state.state.person("Vera Novak").unwrap().to_owned();
    let roles = [("role", "auditor"), ("role", "validator"), ("reason", "r")];
    officer
        .post(&format!("/people/{vera}/roles"), &roles)
        .await
        .is(303);
    let both = street.with_role("one", Role::Validator).await;
    let mut evidence = state.state.evidence.values();
    let offered = evidence.find(|one| one.submitted.system == "credit");
    let offered = &offered.unwrap().submitted;
    let ruling = [
        ("ruling", "accept"),
        ("reason", "complete"),
        ("for", offered.requirements[0].as_str()),
    ];
    let path = format!("/evidence/{}/ruling", offered.evidence);
    let ruled = both.post(&path, &ruling).await;
    assert!(ruled.status.is_redirection(), "{}", ruled.text());
    let form = both.get(FORM).await.is(200).text();
    let refused = give(&both, &form, "unmodified", "b").await.is(422).text();
    assert!(refused.contains("you ruled on its evidence"), "{refused}");

    let auditor = street.with_role("one", Role::Auditor).await;
    both.post("/opinions/O1/withdraw", &[("reason", "r")])
        .await
        .is(422);
    auditor
        .post("/opinions/O1/withdraw", &[("reason", "")])
        .await
        .is(422);
    auditor
        .post("/opinions/O9/withdraw", &[("reason", "r")])
        .await
        .is(404);
    auditor
        .post(
            "/opinions/O1/withdraw",
            &[("reason", "new documents came up")],
        )
        .await
        .is(303);
    let page = officer.get("/systems/credit").await.is(200).text();
    assert!(page.contains(EN.opinion.none) && page.contains("new documents came up"));
    let journal = officer.get("/journal").await.is(200).text().to_lowercase();
    assert!(journal.contains("an auditor withdrew an opinion"));
}
