#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use alnager_office::declaration::Declaration;
use toml::Value as Toml;

use super::*;
use crate::library::shipped;

/// A declaration that uses every field there is.
const WHOLE: &str = r#"
schema = "alnager.system/1"
id = "x"
name = "X"
organisation = "Example Group"
owner = "Ruth Ansorge"
team = ["Ruth Ansorge"]
purpose = "A test."
stage = "validation"
go_live_on = 2026-12-07
time_zone = "Europe/Berlin"
what_if = "A test."
owners = { engineer = "Tomas Beran", "GDPR-35" = "Clara Osei" }

[facts]
is_ai_system = { value = true, by = "A", on = 2026-10-05, basis = "b" }
roles = { value = ["provider"], by = "A", on = 2026-10-05, basis = "b" }
employees = { value = 12, by = "A", on = 2026-10-05, basis = "b" }
total_assets_usd = { value = "none", by = "A", on = 2026-10-05, basis = "b" }
placed_on_market = { value = 2026-09-15, by = "A", on = 2026-10-05, basis = "b" }
significant_design_change = { value = "none", by = "A", on = 2026-10-05, basis = "b" }
emotion_context = { value = "none", by = "A", on = 2026-10-05, basis = "b" }

[[audit]]
name = "a"
data = "data.csv"
label = { column = "good", positive = "1" }
decision = { column = "score", at_least = 0.6, favourable = "at_least" }
score = { column = "score", cuts = [0.4, 0.6] }
strata = "band"
unknown = ["NA"]
[[audit.attribute]]
column = "race"
characteristic = "race_ethnicity"
reference = "A"
special_category = { lawful_basis = "b", necessity = "n.md" }
[[audit.attribute]]
column = "sex"
characteristic = "sex"
[[audit.intersection]]
columns = ["race", "sex"]
reference = "A|B"

[[audit]]
name = "b"
data = "data.csv"
decision = { column = "decision", positive = "approve", favourable = "approve" }
[[audit.attribute]]
column = "sex"
characteristic = "sex"

[[audit]]
name = "c"
data = "data.csv"
decision = { column = "score", at_least = 0.6, favourable = "at_least" }
[[audit.attribute]]
column = "sex"
characteristic = "sex"
[audit.model]
gives = "score"
inputs = ["age", { name = "branch_code", column = "branch", kind = "text" }]
onnx = "scorer.onnx"
output = "probabilities"
at = 1

[[audit]]
name = "d"
data = "data.csv"
decision = { column = "score", at_least = 0.6, favourable = "at_least" }
[[audit.attribute]]
column = "sex"
characteristic = "sex"
[audit.model]
gives = "score"
inputs = ["age"]
[audit.model.endpoint]
url = "https://scorer.example/infer"
protocol = "kserve"
model = "credit"
output = "p"
at = 1
version = "3"
auth = { header = "X-Key", prefix = "k", env = "SCORER_KEY" }
batch = 50
concurrency = 2
per_second = 2.5
timeout_s = 10
retries = 3
canaries = 8

[[audit]]
name = "e"
data = "data.csv"
decision = { column = "score", at_least = 0.6, favourable = "at_least" }
[[audit.attribute]]
column = "sex"
characteristic = "sex"
[audit.model]
gives = "score"
inputs = ["age"]
[audit.model.endpoint]
url = "https://scorer.example/score"
protocol = "json"
request = "{\"rows\": {{rows}}}"
answers = "/scores"
answer = "/p"
version_at = "/version"
auth = { file = "key.txt" }

[[audit]]
name = "f"
data = "data.csv"
decision = { column = "score", at_least = 0.6, favourable = "at_least" }
[[audit.attribute]]
column = "sex"
characteristic = "sex"
[audit.model]
gives = "score"
inputs = ["age"]
[audit.model.endpoint]
url = "https://scorer.example/invocations"
protocol = "mlflow"
answer = "/0"

[[limit]]
test = "impact-ratio"
low = "0.95"
high = "1.05"
why = "Promised."

[[evidence]]
file = "dpia.md"
kind = "dpia"
requirements = ["GDPR-35"]
effective = 2026-10-01
expires = 2027-10-01
submitted_by = "Clara Osei"

[[absence]]
requirement = "GDPR-36"
stated_by = "Clara Osei"
on = 2026-10-06
why = "Later."
"#;

/// The first place at which a value breaks the schema. Knows the keywords this schema uses; another one is a failure.
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
    let unless = |keeps: bool| (!keeps).then(|| format!("{path} breaks {keyword}: {value}"));
    match keyword {
        "$schema" | "$comment" | "$defs" | "title" | "description" | "x-guarded" => None,
        "$ref" => {
            let found = root.pointer(&rule.as_str().unwrap()[1..]);
            broken(
                value,
                found.expect("the reference leads somewhere"),
                root,
                path,
            )
        }
        "oneOf" => {
            let keeps = |one: &&Value| broken(value, one, root, path).is_none();
            unless(rule.as_array().unwrap().iter().filter(keeps).count() == 1)
        }
        "type" => unless(match rule.as_str().unwrap() {
            "boolean" => value.is_boolean(),
            "number" => value.is_number(),
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            other => panic!("unknown type {other}"),
        }),
        "const" => unless(value == rule),
        "enum" => unless(rule.as_array().unwrap().contains(value)),
        "minItems" => unless(
            value
                .as_array()
                .is_none_or(|list| list.len() as u64 >= rule.as_u64().unwrap()),
        ),
        "pattern" => unless(
            value
                .as_str()
                .is_none_or(|text| fits(text, rule.as_str().unwrap())),
        ),
        "required" => unless(value.as_object().is_none_or(|object| {
            let mut keys = rule.as_array().unwrap().iter();
            keys.all(|key| object.contains_key(key.as_str().unwrap()))
        })),
        "properties" => rule.as_object().unwrap().iter().find_map(|(key, schema)| {
            let found = value.get(key)?;
            broken(found, schema, root, &format!("{path}/{key}"))
        }),
        "additionalProperties" => {
            assert_eq!(rule, &json!(false));
            let mut keys = value.as_object()?.keys();
            keys.find(|key| schema["properties"].get(key).is_none())
                .map(|key| format!("{path}/{key} is not foreseen"))
        }
        "items" => value
            .as_array()?
            .iter()
            .enumerate()
            .find_map(|(at, value)| broken(value, rule, root, &format!("{path}/{at}"))),
        other => panic!("the schema uses `{other}`, which this check does not know"),
    }
}

/// The patterns of the schema, by what they stand for.
fn fits(text: &str, pattern: &str) -> bool {
    let is_day = text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok();
    match pattern {
        DAY => is_day,
        DAY_OR_NONE => is_day || text == "none",
        DECIMAL => alnager_audit::policy::Decimal::parse(text).is_some(),
        "\\S" => !text.trim().is_empty(),
        "^[a-z0-9][a-z0-9-]{0,63}$" => {
            !text.is_empty()
                && text.len() <= 64
                && !text.starts_with('-')
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        }
        other => panic!("the schema uses the pattern `{other}`, which this check does not know"),
    }
}

/// A declaration as an editor shows it to the schema: dates are texts.
fn as_json(value: &Toml) -> Value {
    match value {
        Toml::String(text) => json!(text),
        Toml::Integer(number) => json!(number),
        Toml::Float(number) => json!(number),
        Toml::Boolean(yes) => json!(yes),
        Toml::Datetime(day) => json!(day.to_string()),
        Toml::Array(list) => list.iter().map(as_json).collect(),
        Toml::Table(table) => table
            .iter()
            .map(|(key, value)| (key.clone(), as_json(value)))
            .collect(),
    }
}

/// What reader and schema say of a declaration; nothing where they take it.
fn both(library: &Library, schema: &Value, whole: &Toml) -> (Option<String>, Option<String>) {
    let text = toml::to_string(whole).unwrap();
    let read = Declaration::parse("system.toml", &text, &library.book, &library.policy);
    let read = read.err().map(|error| error.to_string());
    (read, broken(&as_json(whole), schema, schema, ""))
}

/// The paths to every table in a value, itself included.
fn tables(value: &Toml, path: &[String], found: &mut Vec<Vec<String>>) {
    let deeper = |key: String| [path, &[key]].concat();
    match value {
        Toml::Table(table) => {
            found.push(path.to_vec());
            for (key, value) in table {
                tables(value, &deeper(key.clone()), found);
            }
        }
        Toml::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                tables(value, &deeper(at.to_string()), found);
            }
        }
        Toml::String(_)
        | Toml::Integer(_)
        | Toml::Float(_)
        | Toml::Boolean(_)
        | Toml::Datetime(_) => {}
    }
}

fn table<'v>(value: &'v mut Toml, path: &[String]) -> &'v mut toml::Table {
    let mut at = value;
    for key in path {
        at = match at {
            Toml::Array(list) => &mut list[key.parse::<usize>().unwrap()],
            other => other.get_mut(key.as_str()).unwrap(),
        };
    }
    at.as_table_mut().unwrap()
}

#[test]
fn reader_and_schema_need_the_same_fields_and_refuse_the_same_others() {
    let library = shipped().unwrap();
    let schema = schema(&library);
    let whole: Toml = Toml::Table(WHOLE.parse().unwrap());
    assert_eq!(both(&library, &schema, &whole), (None, None));
    let mut paths = Vec::new();
    tables(&whole, &[], &mut paths);
    let (mut n_needed, mut n_free) = (0, 0);
    for path in paths {
        let keys: Vec<String> = table(&mut whole.clone(), &path).keys().cloned().collect();
        for key in keys {
            let mut without = whole.clone();
            table(&mut without, &path).remove(&key);
            // An intersection names declared attributes, which a schema cannot compare.
            if path.last().is_some_and(|last| last == "0") && key == "column" {
                continue;
            }
            let (read, kept) = both(&library, &schema, &without);
            assert_eq!(
                read.is_some(),
                kept.is_some(),
                "without {path:?} `{key}`: reader {read:?}, schema {kept:?}"
            );
            *(if read.is_some() {
                &mut n_needed
            } else {
                &mut n_free
            }) += 1;
        }
        let mut with = whole.clone();
        table(&mut with, &path).insert("zzz".to_owned(), Toml::String("z".to_owned()));
        let (read, kept) = both(&library, &schema, &with);
        assert!(
            read.is_some() && kept.is_some(),
            "with {path:?} `zzz`: reader {read:?}, schema {kept:?}"
        );
    }
    assert!(
        n_needed > 40 && n_free > 20,
        "{n_needed} needed, {n_free} free"
    );
}

#[test]
fn reader_and_schema_refuse_the_same_values() {
    let library = shipped().unwrap();
    let schema = schema(&library);
    for (old, new) in [
        ("id = \"x\"", "id = \"X Y\""),
        ("name = \"X\"", "name = \" \""),
        ("stage = \"validation\"", "stage = \"ready\""),
        ("team = [\"Ruth Ansorge\"]", "team = []"),
        ("go_live_on = 2026-12-07", "go_live_on = \"soon\""),
        ("{ value = true, by", "{ value = \"yes\", by"),
        ("[\"provider\"], by", "[\"boss\"], by"),
        ("value = 12, by", "value = \"12\", by"),
        ("value = 2026-09-15", "value = \"later\""),
        (
            "value = \"none\", by = \"A\", on = 2026-10-05, basis = \"b\" }\n\n",
            "value = \"shop\", by = \"A\", on = 2026-10-05, basis = \"b\" }\n\n",
        ),
        (
            "at_least = 0.6, favourable = \"at_least\"",
            "at_least = 0.6, favourable = \"above\"",
        ),
        (
            "characteristic = \"race_ethnicity\"",
            "characteristic = \"race\"",
        ),
        ("columns = [\"race\", \"sex\"]", "columns = [\"race\"]"),
        ("kind = \"text\"", "kind = \"words\""),
        ("inputs = [\"age\"]", "inputs = []"),
        ("protocol = \"mlflow\"", "protocol = \"grpc\""),
        ("protocol = \"kserve\"", "protocol = \"mlflow\""),
        ("env = \"SCORER_KEY\"", "token = \"s3cr3t\""),
        ("onnx = \"scorer.onnx\"", "onnx = 7"),
        ("low = \"0.95\"", "low = \"ca. 1\""),
        ("low = \"0.95\"", "low = 0.95"),
        ("test = \"impact-ratio\"", "test = \"none\""),
        ("kind = \"dpia\"", "kind = \"letter\""),
        ("requirements = [\"GDPR-35\"]", "requirements = []"),
        (
            "requirements = [\"GDPR-35\"]",
            "requirements = [\"GDPR-999\"]",
        ),
        ("requirement = \"GDPR-36\"", "requirement = \"GDPR-999\""),
        ("engineer = ", "boss = "),
    ] {
        assert!(WHOLE.contains(old), "`{old}` is not in the sample");
        let changed: Toml = Toml::Table(WHOLE.replacen(old, new, 1).parse().unwrap());
        let (read, kept) = both(&library, &schema, &changed);
        assert!(
            read.is_some() && kept.is_some(),
            "`{new}`: reader {read:?}, schema {kept:?}"
        );
    }
}

#[test]
fn every_example_keeps_the_schema() {
    let library = shipped().unwrap();
    let schema = schema(&library);
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut n_examples = 0;
    for entry in std::fs::read_dir(examples).unwrap() {
        let file = entry.unwrap().path().join("system.toml");
        if let Ok(text) = std::fs::read_to_string(&file) {
            let value = Toml::Table(text.parse().unwrap());
            assert_eq!(
                broken(&as_json(&value), &schema, &schema, ""),
                None,
                "{}",
                file.display()
            );
            n_examples += 1;
        }
    }
    assert!(n_examples >= 2, "only {n_examples} examples were found");
}

#[test]
fn a_fact_shows_its_question_its_answers_and_its_guard() {
    let schema = schema(&shipped().unwrap());
    let fact = &schema["properties"]["facts"]["properties"]["ai_obvious"];
    let description = fact["description"].as_str().unwrap();
    assert!(
        description
            .starts_with("Would it be obvious to a reasonably attentive person that it is AI?")
    );
    assert!(
        description
            .contains("`true` counts once someone outside the team confirms it (AI Act Art 50(1)")
    );
    assert_eq!(fact["x-guarded"], json!(["true"]));
    assert_eq!(fact["required"], json!(["value", "by", "on", "basis"]));
}
