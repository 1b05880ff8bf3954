//! The declaration's JSON Schema (draft 2020-12), made from the vocabulary and the declaration's fields, for editors.
//!
//! It holds what one value can be held to by itself. What depends on another value (a limit stricter than the policy's, a date
//! after another) only `alnager review` checks.

use alnager_audit::declared::{Characteristic, Missing};
use alnager_audit::model::InputKind;
use alnager_law::fact::{FactKind, FactType};
use alnager_law::pack::ROLES;
use alnager_office::declaration::Stage;
use serde_json::{Map, Value, json};

use crate::library::Library;

/// A calendar day. A TOML date comes to the schema as this text.
const DAY: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";

/// A day, or the answer that there is none.
const DAY_OR_NONE: &str = "^([0-9]{4}-[0-9]{2}-[0-9]{2}|none)$";

/// A decimal as text, exact.
const DECIMAL: &str = r"^-?[0-9]{1,6}(\.[0-9]{0,12})?$";

/// The schema of `system.toml` under the law and policy in use.
pub fn schema(library: &Library) -> Value {
    let book = &library.book;
    let requirements: Vec<&str> = book
        .packs()
        .flat_map(|pack| pack.requirements.iter().map(|text| text.id.as_str()))
        .collect();
    let kinds: Vec<&String> = book.evidence.items.keys().collect();
    let tests: Vec<&str> = library
        .policy
        .tests
        .iter()
        .map(|test| test.id.as_str())
        .collect();
    let facts: Map<String, Value> = book
        .vocabulary
        .kinds()
        .iter()
        .map(|kind| (kind.name.clone(), fact(kind)))
        .collect();
    let owned = ROLES.iter().copied().chain(requirements.iter().copied());
    let owners: Map<String, Value> = owned
        .map(|name| (name.to_owned(), json!({ "$ref": "#/$defs/words" })))
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The declaration of an AI system, system.toml (alnager.system/1)",
        "$comment": "Written by `cargo xtask reference` and by `alnager new --schema`; edit the packs, not this file.",
        "type": "object",
        "additionalProperties": false,
        "required": ["schema", "id", "name", "organisation", "owner", "purpose", "stage"],
        "properties": {
            "schema": { "const": "alnager.system/1", "description": "The form of this file." },
            "id": {
                "type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,63}$",
                "description": "Permanent: lower-case letters, digits, hyphens.",
            },
            "name": words("The name people use."),
            "organisation": words("Whose system it is; a desk belongs to one organisation."),
            "owner": words("Who answers for the system."),
            "team": {
                "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/word" },
                "description": "Who builds it; they cannot confirm their own exceptions. Without it, the owner.",
            },
            "purpose": words("What it is meant to be used for."),
            "stage": { "enum": Stage::WORDS, "description": "Where it stands in its life." },
            "go_live_on": day("The day it goes into use, which the review judges."),
            "time_zone": words("Where \"today\" is taken: an IANA name such as Europe/Berlin; without it, UTC."),
            "what_if": words("Why the declaration is hypothetical; shown everywhere."),
            "owners": {
                "type": "object", "additionalProperties": false, "properties": owners,
                "description": "Who owns requirements, by role or by requirement.",
            },
            "facts": {
                "type": "object", "additionalProperties": false, "properties": facts,
                "description": "Answers with who gave them, when, and on what basis. What is left out is unknown.",
            },
            "audit": list(audit(), "What to measure, and for whom."),
            "limit": list(
                table(&["test", "why"], json!({
                    "test": { "enum": tests, "description": "The policy's test." },
                    "low": decimal("The lowest value that passes, exact."),
                    "high": decimal("The highest value that passes, exact."),
                    "why": words("Why it is stricter."),
                })),
                "Limits stricter than the policy's.",
            ),
            "evidence": list(
                table(&["file", "kind", "requirements", "effective", "submitted_by"], json!({
                    "file": words("Relative to this file."),
                    "kind": { "enum": kinds, "description": "The kind of evidence." },
                    "requirements": {
                        "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/requirement" },
                        "description": "What it is offered for.",
                    },
                    "effective": day("The first day it counts."),
                    "expires": day("The first day it no longer counts."),
                    "submitted_by": words("Who submits it; someone else accepts it."),
                    "signature": words("For a kind that an independent auditor signs: the file of the signed note, relative to this file."),
                    "auditor": words("Who signed it."),
                })),
                "Evidence on offer.",
            ),
            "absence": list(
                table(&["requirement", "stated_by", "on", "why"], json!({
                    "requirement": { "$ref": "#/$defs/requirement" },
                    "stated_by": words("Who says so."),
                    "on": day("When."),
                    "why": words("What is missing, and until when."),
                })),
                "What the team says is not done: a gap.",
            ),
        },
        "$defs": {
            "word": { "type": "string" },
            "words": { "type": "string", "pattern": "\\S" },
            "day": { "type": "string", "pattern": DAY },
            "requirement": { "enum": requirements },
        },
    })
}

fn words(description: &str) -> Value {
    json!({ "$ref": "#/$defs/words", "description": description })
}

fn day(description: &str) -> Value {
    json!({ "$ref": "#/$defs/day", "description": description })
}

fn decimal(description: &str) -> Value {
    json!({ "type": "string", "pattern": DECIMAL, "description": description })
}

fn list(items: Value, description: &str) -> Value {
    json!({ "type": "array", "items": items, "description": description })
}

fn table(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

fn fact(kind: &FactKind) -> Value {
    let mut value = match &kind.of {
        FactType::Bool => json!({ "type": "boolean" }),
        FactType::Number => json!({ "oneOf": [{ "type": "number" }, { "const": "none" }] }),
        FactType::Date => json!({ "type": "string", "pattern": DAY_OR_NONE }),
        FactType::Enum(values) => json!({ "enum": values }),
        FactType::Set(values) => json!({ "type": "array", "items": { "enum": values } }),
    };
    let question: Vec<&str> = kind.question.split_whitespace().collect();
    let mut description = question.join(" ");
    if let Some(cite) = &kind.guard_cite {
        let cite: Vec<&str> = cite.split_whitespace().collect();
        description.push_str(&format!(
            " Guarded: `{}` counts once someone outside the team confirms it ({}).",
            kind.guarded.join("`, `"),
            cite.join(" ")
        ));
    }
    if let Some(pack) = &kind.adopts {
        description.push_str(&format!(
            " The organisation decides it, with `alnager law adopt {pack}`; an answer here does not count."
        ));
    }
    value["description"] = Value::String(description.clone());
    let mut table = table(
        &["value", "by", "on", "basis"],
        json!({
            "value": value,
            "by": words("Who answered."),
            "on": day("When."),
            "basis": words("On what basis."),
        }),
    );
    table["description"] = Value::String(description);
    // A keyword of ours, for programs; editors pass over it.
    if !kind.guarded.is_empty() {
        table["x-guarded"] = json!(kind.guarded);
    }
    table
}

fn audit() -> Value {
    let column = || words("The column.");
    let binary = table(
        &["column", "positive"],
        json!({ "column": column(), "positive": words("The value that counts as 1.") }),
    );
    let by_value = table(
        &["column", "positive", "favourable"],
        json!({
            "column": column(),
            "positive": words("The value that counts as 1."),
            "favourable": words("The decision that is good for the person."),
        }),
    );
    let by_score = table(
        &["column", "at_least", "favourable"],
        json!({
            "column": column(),
            "at_least": { "type": "number", "description": "1 where the score is at least this." },
            "favourable": { "enum": ["at_least", "below"], "description": "The side that is good for the person." },
            "positive": words("Not read beside `at_least`."),
        }),
    );
    let attribute = table(
        &["column", "characteristic"],
        json!({
            "column": column(),
            "characteristic": { "enum": Characteristic::WORDS, "description": "What it records." },
            "reference": words("The group the others are compared with."),
            "special_category": table(&["lawful_basis", "necessity"], json!({
                "lawful_basis": words("With its citation."),
                "necessity": words("The file of the necessity record."),
            })),
        }),
    );
    let intersection = table(
        &["columns"],
        json!({
            "columns": { "type": "array", "minItems": 2, "items": { "$ref": "#/$defs/words" } },
            "reference": words("Its values joined by |."),
        }),
    );
    table(
        &["name", "data", "decision", "attribute"],
        json!({
            "name": words("Unique here."),
            "data": words("A file, a folder of files or a pattern, relative to this file: CSV, JSON lines, Parquet or Arrow; or objects (s3://…), or a database (postgres://…)."),
            "table": words("The table or view to count, where `data` is a database."),
            "query": words("The SELECT to count, where `data` is a database."),
            "label": binary,
            "decision": { "oneOf": [by_value, by_score], "description": "What the system decided." },
            "score": table(&["column"], json!({
                "column": column(),
                "cuts": { "type": "array", "items": { "type": "number" }, "description": "Thresholds, ascending." },
            })),
            "strata": words("A column counted for stratified tests."),
            "period": words("A column that says when; counted apart."),
            "where": words("A condition on columns that a row must meet, such as `age >= 40`."),
            "missing": { "enum": Missing::WORDS, "description": "What becomes of rows whose group is unknown." },
            "derive": { "type": "array", "items": derived(), "description": "Columns made from others while rows are counted." },
            "unknown": {
                "type": "array", "items": { "$ref": "#/$defs/word" },
                "description": "Spellings that mean unknown, besides the empty cell.",
            },
            "attribute": { "type": "array", "minItems": 1, "items": attribute, "description": "The groups to compare." },
            "intersection": { "type": "array", "items": intersection, "description": "Combinations of attributes." },
            "model": model(),
        }),
    )
}

/// A model that is asked: a file run here, or a service.
fn model() -> Value {
    let number = |description: &str| json!({ "type": "number", "description": description });
    let input = table(
        &["column"],
        json!({
            "column": words("The column of the data."),
            "name": words("The model's name for it; without it the column's."),
            "kind": { "enum": InputKind::WORDS, "description": "What it holds; numbers, unless it says texts." },
        }),
    );
    let inputs = json!({
        "type": "array",
        "minItems": 1,
        "items": { "oneOf": [{ "$ref": "#/$defs/words" }, input] },
        "description": "What it is told of each row, in the order it expects; a name alone is a column of numbers.",
    });
    let gives =
        words("The column that its answers are counted as: that of the decision or the score.");
    let at = number("The position of the answer, from 0, where a row has several.");
    let file = table(
        &["gives", "inputs", "onnx"],
        json!({
            "gives": gives,
            "inputs": inputs,
            "onnx": words("An ONNX file, relative to this one."),
            "output": words("The output that is the answer; without it the only one, or the first of numbers."),
            "at": at,
        }),
    );
    let of_protocol = |word: &str, required: &[&str], own: Value| {
        let mut endpoint = table(
            &[&["url", "protocol"], required].concat(),
            json!({
                "url": words("Its address, without secrets."),
                "protocol": { "const": word },
                "version": words("The version that its maker declares, held against what it says of itself."),
                "auth": auth(),
                "batch": number("Most rows of one request."),
                "concurrency": number("Most requests under way at once."),
                "per_second": number("Most requests a second."),
                "timeout_s": number("Seconds after which a request is given up."),
                "retries": number("How often a request is tried again."),
                "canaries": number("Rows asked at the start and the end, whose answers are remembered."),
            }),
        );
        if let (Some(properties), Value::Object(own)) =
            (endpoint["properties"].as_object_mut(), own)
        {
            properties.extend(own);
        }
        endpoint
    };
    let pointer = |description: &str| json!({ "type": "string", "description": description });
    let endpoint = json!({ "oneOf": [
        of_protocol("mlflow", &[], json!({
            "answer": pointer("The path from a prediction to the answer, as a JSON pointer."),
        })),
        of_protocol("kserve", &["model"], json!({
            "model": words("The name of the model."),
            "output": words("The output that holds the answers; without it the first."),
            "at": at,
            "tensor": words("The one tensor that takes all inputs of a row as numbers; without it each input is a tensor."),
        })),
        of_protocol("json", &["request"], json!({
            "request": words("The request, with {{rows}} for the list of rows, or {{NAME}} for one input of a single row."),
            "answers": pointer("The path to the list of answers, as a JSON pointer."),
            "answer": pointer("The path from an element of it to the answer, as a JSON pointer."),
            "version_at": pointer("The path to the version that the answer states, as a JSON pointer."),
        })),
    ] });
    let service = table(
        &["gives", "inputs", "endpoint"],
        json!({ "gives": gives, "inputs": inputs, "endpoint": endpoint }),
    );
    json!({ "oneOf": [file, service], "description": "A model whose answers are one of the columns." })
}

/// Where the secret of an endpoint is.
fn auth() -> Value {
    let way = |word: &str, description: &str| {
        let mut way = table(
            &[word],
            json!({
                "header": words("The header; `Authorization`, unless it says otherwise."),
                "prefix": { "type": "string", "description": "What stands before the secret; `Bearer ` for `Authorization`." },
            }),
        );
        way["properties"][word] = words(description);
        way
    };
    json!({ "oneOf": [
        way("env", "The environment variable that holds the secret."),
        way("file", "The file that holds the secret, relative to this one."),
    ] })
}

/// A derived column: bins, labels or a threshold.
fn derived() -> Value {
    table(
        &["column", "from"],
        json!({
            "column": words("Its name; no column of the data has it."),
            "from": words("The column it is made from."),
            "bins": { "type": "array", "items": { "type": "number" }, "description": "Cuts between ranges, ascending." },
            "names": { "type": "array", "items": { "$ref": "#/$defs/word" }, "description": "Names of the ranges, one more than cuts." },
            "labels": {
                "type": "object", "additionalProperties": { "$ref": "#/$defs/word" },
                "description": "Other names for the values.",
            },
            "other": words("The name of every value that is not listed."),
            "at_least": { "type": "number", "description": "1 where the number is at least this, else 0." },
        }),
    )
}

#[cfg(test)]
mod tests;
