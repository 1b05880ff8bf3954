//! People: listed, held and released.

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
