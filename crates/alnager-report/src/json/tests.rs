#![expect(clippy::expect_used, reason = "tests")]

use alnager_audit::policy::Decimal;
use alnager_office::gate::Status;
use expect_test::expect_file;

use super::*;
use crate::fixture;

const FORMAT: &str = include_str!("../../../../docs/formats/review.schema.json");

fn outputs() -> JsonOutputs {
    JsonOutputs {
        n_proposals: 2,
        report: Some("recidivism-2026-11-23.html".to_owned()),
        dossier: Some("recidivism-2026-11-23.dossier".to_owned()),
        journal: Some(JournalHead {
            origin: "desk.example/journal".to_owned(),
            size: 13,
            root: "7Yc0".to_owned(),
        }),
    }
}

fn figures() -> Value {
    let race = json!({
        "columns": ["race"], "n_known": 7214, "n_unknown": 0, "reference": "Caucasian",
        "groups": {}, "vs_reference": {}, "fisher_adjusted": {}, "aggregate": {},
    });
    json!({ "audit": "two-year", "rows": 7214, "favorable": 0, "attrs": { "race": race }, "overall": {} })
}

/// The first place at which a value breaks the schema; `None` where it keeps it. Knows the keywords our schema uses; another one
/// is a failure, so that nothing in the schema goes unchecked.
fn broken(value: &Value, schema: &Value, root: &Value, path: &str) -> Option<String> {
    let rules = schema.as_object().expect("a schema is an object");
    rules
        .iter()
        .find_map(|(keyword, rule)| broken_rule(value, keyword, rule, schema, root, path))
}

fn broken_rule(
    value: &Value,
    keyword: &str,
    rule: &Value,
    schema: &Value,
    root: &Value,
    path: &str,
) -> Option<String> {
    let unless = |keeps: bool| (!keeps).then(|| format!("{path} breaks {keyword} {rule}: {value}"));
    match keyword {
        "$schema" | "$id" | "$defs" | "title" | "description" => None,
        "$ref" => broken(
            value,
            root.pointer(&rule.as_str()?[1..])
                .expect("the reference leads somewhere"),
            root,
            path,
        ),
        "oneOf" => unless(
            rule.as_array()?
                .iter()
                .filter(|one| broken(value, one, root, path).is_none())
                .count()
                == 1,
        ),
        "type" => unless(if let Some(name) = rule.as_str() {
            is(value, name)
        } else {
            rule.as_array()?
                .iter()
                .any(|name| name.as_str().is_some_and(|name| is(value, name)))
        }),
        "const" => unless(value == rule),
        "enum" => unless(rule.as_array()?.contains(value)),
        "minimum" => unless(
            value
                .as_f64()
                .is_none_or(|number| number >= rule.as_f64().unwrap_or(f64::NAN)),
        ),
        "pattern" => unless(
            value
                .as_str()
                .is_none_or(|text| fits(text, rule.as_str().unwrap_or_default())),
        ),
        "required" => unless(value.as_object().is_none_or(|object| {
            rule.as_array().is_some_and(|keys| {
                keys.iter()
                    .all(|key| object.contains_key(key.as_str().unwrap_or_default()))
            })
        })),
        "properties" => {
            let object = value.as_object()?;
            let known = rule
                .as_object()?
                .iter()
                .filter_map(|(key, schema)| Some((key, object.get(key)?, schema)));
            known.into_iter().find_map(|(key, value, schema)| {
                broken(value, schema, root, &format!("{path}/{key}"))
            })
        }
        "additionalProperties" => value
            .as_object()?
            .iter()
            .filter(|(key, _)| schema["properties"].get(key).is_none())
            .find_map(|(key, value)| {
                let path = format!("{path}/{key}");
                if rule == &json!(false) {
                    Some(format!("{path} is not foreseen"))
                } else {
                    broken(value, rule, root, &path)
                }
            }),
        "items" => value
            .as_array()?
            .iter()
            .enumerate()
            .find_map(|(at, value)| broken(value, rule, root, &format!("{path}/{at}"))),
        other => Some(format!(
            "the schema uses `{other}`, which this check does not know"
        )),
    }
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// The three patterns of the schema, by what they stand for.
fn fits(text: &str, pattern: &str) -> bool {
    match pattern {
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" => {
            text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
        }
        r"^-?[0-9]+(\.[0-9]+)?$" => Decimal::parse(text).is_some(),
        "^[0-9a-f]{64}$" => {
            text.len() == 64
                && text
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        }
        _ => false,
    }
}

#[track_caller]
fn check(found: &Value) -> Option<String> {
    let schema: Value = serde_json::from_str(FORMAT).expect("the schema is JSON");
    broken(found, &schema, &schema, "")
}

#[test]
fn reviews_keep_the_schema() {
    assert_eq!(
        check(&review(&fixture::recidivism(), &figures(), &outputs())),
        None
    );
    assert_eq!(
        check(&review(&fixture::empty(), &Value::Null, &outputs())),
        None
    );
}

#[test]
fn every_word_of_a_status_is_in_the_schema() {
    for status in [
        Status::Met,
        Status::Gap,
        Status::Unknown,
        Status::Ahead,
        Status::Waiting,
        Status::Ended,
        Status::Noted,
    ] {
        let mut view = fixture::recidivism();
        view.requirements[0].status = status;
        assert_eq!(check(&review(&view, &Value::Null, &outputs())), None);
    }
}

/// Changes one place of a good review; the schema must notice it there.
#[track_caller]
fn noticed(pointer: &str, value: Value) {
    let mut found = review(&fixture::recidivism(), &figures(), &outputs());
    *found.pointer_mut(pointer).expect("the place is there") = value;
    assert!(
        check(&found).is_some_and(|complaint| complaint.starts_with(pointer)),
        "{pointer} went unnoticed"
    );
}

#[test]
fn the_schema_notices_what_is_wrong() {
    noticed("/verdict", json!("fine"));
    noticed("/judged_on", json!("23 November"));
    noticed("/results/0/value", json!("0.63"));
    noticed("/results/0/limit/low", json!("1e3"));
    noticed("/results/0/result", json!("passed"));
    noticed("/requirements/0", json!({}));
    noticed("/blockers/0/holds", Value::Null);
    noticed("/journal/size", json!(-1));
    noticed("/audits/0/unknown", json!({ "race": "many" }));
}

#[test]
fn a_key_that_is_missing_or_added_is_noticed() {
    let good = review(&fixture::recidivism(), &figures(), &outputs());
    let keys: Vec<String> = good
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    for key in keys {
        let mut less = good.clone();
        less.as_object_mut().expect("an object").shift_remove(&key);
        assert!(check(&less).is_some(), "{key} may be missing");
    }
    let mut more = good;
    more["extra"] = json!(1);
    assert_eq!(check(&more), Some("/extra is not foreseen".to_owned()));
}

#[test]
fn an_infinite_bound_is_null() {
    let mut view = fixture::recidivism();
    view.results[0].interval = Some((0.0, f64::INFINITY));
    let found = review(&view, &Value::Null, &outputs());
    assert_eq!(found.pointer("/results/0/high"), Some(&Value::Null));
    assert_eq!(found.pointer("/results/0/low"), Some(&json!(0.0)));
    assert_eq!(check(&found), None);
}

#[test]
fn nothing_required_is_told() {
    assert_eq!(
        review(&fixture::empty(), &Value::Null, &outputs())["nothing_required"],
        json!(true)
    );
    assert_eq!(
        review(&fixture::recidivism(), &Value::Null, &outputs())["nothing_required"],
        json!(false)
    );
}

#[test]
fn golden() {
    let mut view = fixture::recidivism();
    view.results.truncate(2);
    view.audits[0].groups.truncate(3);
    view.conflicts = vec![fixture::conflict()];
    let mut text =
        serde_json::to_string_pretty(&review(&view, &figures(), &outputs())).expect("JSON");
    text.push('\n');
    expect_file!["../../golden/review.json"].assert_eq(&text);
}
