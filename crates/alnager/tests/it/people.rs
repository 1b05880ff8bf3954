//! People: listed, held and released, erased.

use serde_json::Value;

use crate::Place;

fn json(place: &Place, arguments: &[&str]) -> Value {
    let ran = place.run(&[arguments, &["--format", "json"]].concat());
    assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

fn names(listed: &Value) -> Vec<&str> {
    let people = listed["people"].as_array().unwrap();
    let names = people.iter().map(|person| person["name"].as_str());
    names.map(Option::unwrap).collect()
}

#[test]
fn everyone_is_listed_by_name() {
    let place = Place::with("credit");
    place.review(&["--as", "Vera Novak"]);
    let listed = json(&place, &["people", "list"]);
    let mut sorted = names(&listed);
    assert!(
        sorted.contains(&"Vera Novak") && sorted.len() > 3,
        "{sorted:?}"
    );
    sorted.sort_by_key(|name| name.to_lowercase());
    assert_eq!(names(&listed), sorted);
    let words = place.run(&["people", "list"]);
    assert!(words.out.contains("Vera Novak"), "{}", words.out);
}

#[test]
fn a_legal_hold_is_placed_listed_and_released() {
    let place = Place::with("credit");
    place.review(&["--as", "Vera Novak"]);
    let none = place.run(&["hold", "list"]);
    assert_eq!(none.out.trim(), "nobody is under a legal hold");
    let placed = place.run(&[
        "hold",
        "place",
        "clara osei",
        "--reason",
        "claim 7",
        "--as",
        "Vera Novak",
    ]);
    assert!(
        placed
            .out
            .starts_with("a legal hold is placed on clara osei by Vera Novak"),
        "{}{}",
        placed.out,
        placed.err
    );
    let held = json(&place, &["hold", "list"]);
    assert_eq!(names(&held), ["Clara Osei"]);
    let hold = &held["people"][0]["hold"];
    assert_eq!(
        (&hold["reason"], &hold["by"]),
        (&"claim 7".into(), &"Vera Novak".into())
    );
    let words = place.run(&["people", "list"]).out;
    assert!(words.contains("by Vera Novak: claim 7"), "{words}");
    let id = held["people"][0]["id"].as_str().unwrap();
    let released = place.run(&["hold", "release", id, "--reason", "settled"]);
    assert_eq!(released.code, 0, "{}", released.err);
    assert!(names(&json(&place, &["hold", "list"])).is_empty());
    // The record as it was still shows it.
    let entry = hold["entry"].to_string();
    let then = json(&place, &["hold", "list", "--recorded", &entry]);
    assert_eq!(names(&then), ["Clara Osei"]);
}

#[test]
fn a_person_nobody_knows_is_refused_with_the_nearest_name() {
    let place = Place::with("credit");
    place.review(&["--as", "Vera Novak"]);
    let ran = place.run(&["hold", "place", "Vera Nowak", "--reason", "r"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("did you mean `Vera Novak`?"),
        "{}",
        ran.err
    );
}

#[test]
fn an_erased_name_is_nowhere_and_words_stand_in_its_place() {
    let place = Place::with("credit");
    place.review(&["--as", "Vera Novak"]);
    let accepted = place.run(&[
        "evidence",
        "accept",
        "E10",
        "--reason",
        "r",
        "--as",
        "Zora Quux",
    ]);
    assert_eq!(accepted.code, 0, "{}", accepted.err);
    let person = |listed: &Value, name: &str| {
        let people = listed["people"].as_array().unwrap().clone();
        let mut people = people.into_iter();
        people.find(|person| person["name"].as_str().unwrap().contains(name))
    };
    let id = person(&json(&place, &["people", "list"]), "Zora Quux").unwrap()["id"].clone();
    let id = id.as_str().unwrap();

    let erase = [
        "erase",
        "zora quux",
        "--basis",
        "consent-withdrawn",
        "--reason",
        "letter of 20 November",
    ];
    let own = place.run(&[&erase[..], &["--as", "Zora Quux"]].concat());
    assert_eq!(own.code, 2);
    assert!(own.err.contains("nobody erases themselves"), "{}", own.err);
    let erased = json(&place, &[&erase[..], &["--as", "Vera Novak"]].concat());
    assert_eq!(
        (&erased["payloads"], &erased["person"]),
        (&1.into(), &id.into())
    );

    // Whatever is printed of the present record, and of an earlier one.
    for arguments in [
        &["evidence", "list"][..],
        &[
            "evidence",
            "list",
            "--recorded",
            &(erased["requested"].as_u64().unwrap() - 1).to_string(),
        ],
        &["people", "list"],
    ] {
        for format in ["text", "json"] {
            let ran = place.run(&[arguments, &["--format", format]].concat());
            assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
            let all = format!("{}{}", ran.out, ran.err);
            assert!(!all.to_lowercase().contains("zora"), "{arguments:?}: {all}");
            assert!(all.contains("(erased under entry"), "{arguments:?}: {all}");
        }
    }
    let listed = json(&place, &["people", "list"]);
    let erasure = &person(&listed, "erased under entry").unwrap()["erased"];
    assert_eq!(erasure["basis"], "consent-withdrawn");
    assert_eq!(erasure["cite"], "GDPR Art 17(1)(b)");

    let again = place.run(&[
        "erase",
        id,
        "--basis",
        "other",
        "--reason",
        "r",
        "--as",
        "Vera Novak",
    ]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("is erased under entry"), "{}", again.err);
    assert_eq!(place.run(&["desk", "verify"]).code, 0);
}

#[test]
fn the_next_report_and_dossier_say_who_is_erased() {
    let place = Place::with("credit");
    place.review(&["--as", "Vera Novak"]);
    let erased = json(
        &place,
        &[
            "erase",
            "Clara Osei",
            "--basis",
            "objection",
            "--reason",
            "r",
            "--as",
            "Vera Novak",
        ],
    );
    place.edit("Clara Osei", erased["person"].as_str().unwrap());
    let (_, review) = place.review(&["--as", "Vera Novak"]);
    let report = place.read(review["report"].as_str().unwrap());
    assert!(report.contains("(erased under entry") && !report.contains("Clara Osei"));
    let dossier = review["dossier"].as_str().unwrap();
    let verified = json(&place, &["verify", dossier]);
    assert_eq!(verified["consistent"], true, "{verified}");
    assert_eq!(verified["erased"][0]["kind"], "person.named");
    let words = place.run(&["verify", dossier]).out;
    assert!(
        words.contains("(person.named) was erased under entry"),
        "{words}"
    );
}

#[test]
fn a_legal_hold_keeps_a_person_from_being_erased() {
    let place = Place::with("credit");
    place.review(&["--as", "Vera Novak"]);
    let erase = [
        "erase",
        "Clara Osei",
        "--basis",
        "objection",
        "--reason",
        "r",
        "--as",
        "Vera Novak",
    ];
    place.run(&[
        "hold",
        "place",
        "Clara Osei",
        "--reason",
        "claim 7",
        "--as",
        "Vera Novak",
    ]);
    let held = place.run(&erase);
    assert_eq!(held.code, 2);
    assert!(
        held.err.contains("under a legal hold") && held.err.contains("by `Vera Novak`: claim 7"),
        "{}",
        held.err
    );
    place.run(&[
        "hold",
        "release",
        "Clara Osei",
        "--reason",
        "settled",
        "--as",
        "Vera Novak",
    ]);
    assert_eq!(place.run(&erase).code, 0);
}
