#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

/// The texts of the shipped library, by name.
fn texts() -> BTreeMap<String, String> {
    let library = shipped().expect("the shipped library");
    serde_json::from_slice(&library.texts.bytes).expect("an object")
}

#[test]
fn calendars_are_sealed_with_the_book_and_read_back() {
    let library = shipped().expect("the shipped library");
    assert!(!library.almanac.is_empty());
    let names: Vec<&String> = library.stamp.files.iter().map(|file| &file.name).collect();
    assert!(names.iter().any(|name| *name == "calendar/rules.toml"));
    assert!(
        names
            .iter()
            .any(|name| *name == "calendar/holidays/DE.toml")
    );
    let again = from_blob(&library.texts.bytes).expect("it reads back");
    assert_eq!(again.stamp, library.stamp);
    assert_eq!(again.almanac.codes(), library.almanac.codes());
}

#[test]
fn a_book_sealed_before_there_were_calendars_still_reads() {
    let mut texts = texts();
    texts.retain(|name, _| !name.starts_with("calendar/"));
    let library = from_texts(texts).expect("it reads");
    assert!(library.almanac.is_empty());
}

#[test]
fn a_clock_whose_calendar_is_missing_is_refused() {
    let mut texts = texts();
    let gdpr = texts.get_mut("law/gdpr/pack.toml").expect("the pack");
    *gdpr = gdpr.replace("\"eu_hours\"", "\"eu_hour\"");
    let error = from_texts(texts).expect_err("it is refused").to_string();
    assert!(
        error.contains("there is no calendar `eu_hour`; did you mean `eu_hours`?"),
        "{error}"
    );
}
