#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use alnager_law::fact::FactType;
use alnager_law::requirement::AsOf;
use alnager_law::theory::TESTS;

use super::*;
use crate::audit::theories::{self, Asked};

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
fn two_people_are_asked_for_by_a_condition_over_known_facts() {
    let policy = shipped().expect("the shipped library").policy;
    assert!(policy.four_eyes.is_some());
    let mut texts = texts();
    let text = texts.get_mut(POLICY).expect("the policy");
    *text = text.replacen("\"eu_hr ||", "\"eu_hrr ||", 1);
    let error = from_texts(texts).expect_err("it is refused").to_string();
    let want = "field `four_eyes`: in the condition `eu_hrr || legal_or_similar_effect`, at character 1: there is no fact `eu_hrr`";
    assert!(error.contains(want), "{error}");
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
fn theories_stand_the_same_without_the_rest_of_the_law() {
    let whole = shipped().expect("the shipped library");
    let (part, policy) = shipped_theories().expect("it reads");
    assert_eq!(policy.version, whole.policy.version);
    let n_packs = part.packs().count();
    assert!((1..whole.book.packs().count()).contains(&n_packs));
    let words = |fact: &str| match &part.vocabulary.get(fact).expect("a fact").of {
        FactType::Set(words) => words.clone(),
        _ => panic!("`{fact}` is a set"),
    };
    let of_domain = |domain| Asked {
        places: vec![],
        domain: Some(domain),
    };
    let of_place = |place| Asked {
        places: vec![place],
        domain: None,
    };
    let domains = words("consequential_domains").into_iter().map(of_domain);
    let places = words("places").into_iter().map(of_place);
    let mut n_served = 0;
    for asked in std::iter::once(Asked::default())
        .chain(domains)
        .chain(places)
    {
        for day in ["2024-01-01", "2026-07-20", "2026-07-21", "2028-01-01"] {
            let day = day.parse().expect("a day");
            let when = AsOf {
                valid: day,
                known: day,
            };
            let of = |book: &Book| theories::serving(book, &TESTS, &asked, when).expect("known");
            let found = of(&part);
            n_served += found.list.len();
            assert_eq!(found, of(&whole.book), "{asked:?} {when:?}");
        }
    }
    assert!(n_served > 0);
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
