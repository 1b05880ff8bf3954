#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

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

#[test]
fn what_the_policy_lets_block_is_a_voluntary_pack() {
    let check = |list: &str, want: Option<&str>| {
        let mut texts = texts();
        let policy = texts.get_mut(POLICY).expect("the policy");
        *policy = policy.replacen("min_group", &format!("blocking = [{list}]\nmin_group"), 1);
        let error = from_texts(texts).err().map(|error| error.to_string());
        match (&error, want) {
            (None, None) => {}
            (Some(error), Some(want)) => assert!(error.contains(want), "{error}"),
            _ => panic!("{list}: {error:?}"),
        }
    };
    check("'iso-42001', 'nist-ai-rmf'", None);
    check(
        "'iso-42010'",
        Some("field `blocking`: there is no voluntary pack `iso-42010`; did you mean `iso-42001`?"),
    );
    check("'gdpr'", Some("`gdpr` is binding law"));
}

#[test]
fn stamps_are_sealed_with_the_book_and_lie_with_their_pack() {
    let library = shipped().expect("the shipped library");
    let stamp = library.book.stamp("EUAIA-9").expect("it is stamped");
    assert_eq!(stamp.provisions[0].id, "eli/reg/2024/1689/art_9");
    let again = from_blob(&library.texts.bytes).expect("it reads back");
    assert_eq!(again.book.stamp("EUAIA-9"), Some(stamp));
    let refused = |edit: &dyn Fn(&mut BTreeMap<String, String>)| {
        let mut texts = texts();
        edit(&mut texts);
        from_texts(texts).expect_err("it is refused").to_string()
    };
    let moved = refused(&|texts| {
        let stamps = texts["law/gdpr/provisions.toml"].clone();
        texts.insert("law/us-fcra/provisions.toml".to_owned(), stamps);
    });
    assert!(moved.contains("the folder of another pack"), "{moved}");
    let unknown = refused(&|texts| {
        let stamps = texts.get_mut("law/gdpr/provisions.toml").expect("stamps");
        *stamps = stamps.replacen("id = \"GDPR-", "id = \"GDPX-", 1);
    });
    assert!(
        unknown.contains("the pack has no requirement `GDPX-"),
        "{unknown}"
    );
}

#[test]
fn theories_are_sealed_with_the_book_and_a_book_without_them_still_reads() {
    let library = shipped().expect("the shipped library");
    assert!(library.book.theories().get("us-ecoa-effects").is_some());
    let sealed = library.stamp.files.iter();
    assert!(sealed.clone().any(|file| file.name == "theories.toml"));
    let again = from_blob(&library.texts.bytes).expect("it reads back");
    assert_eq!(again.book.theories(), library.book.theories());

    let mut older = texts();
    older.remove("theories.toml");
    let older = from_texts(older).expect("it reads");
    assert!(older.book.theories().all().is_empty());

    let mut wrong = texts();
    let theories = wrong.get_mut("theories.toml").expect("the theories");
    *theories = theories.replacen("\"REGB-6a-effects\"", "\"REGB-6a-effect\"", 1);
    let error = from_texts(wrong).expect_err("it is refused").to_string();
    assert!(
        error.contains(
            "`REGB-6a-effect`, which is in no pack in use; did you mean `REGB-6a-effects`?"
        ),
        "{error}"
    );
}

#[test]
fn a_pack_brings_no_theories_along() {
    let mut files = shipped_files();
    files.insert(
        "law/gdpr/theories.toml".to_owned(),
        "no theories".to_owned(),
    );
    let library = of_files(&files).expect("it is not read");
    let sealed = library.stamp.files.iter();
    assert!(
        !sealed
            .clone()
            .any(|file| file.name.starts_with("law/gdpr/theories"))
    );
}
