//! Requests in a vendor's own form: JSON with places for what is asked.

use serde_json::Value;

/// A JSON text with places for inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its parts, in order.
    pub pieces: Vec<Piece>,
    /// Whether one request takes many rows.
    pub takes_rows: bool,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text that stays as it is.
    Text(String),
    /// The list of rows, each an object by input name.
    Rows,
    /// The value of this input as JSON: a number, a text in quotes, or null.
    Value(String),
    /// The value of this input within a longer text, escaped as JSON asks; nothing where it is missing.
    Within(String),
}

impl Template {
    /// Reads a template. `{{NAME}}` stands for a value, with or without the quotes around it; within a longer text in quotes it
    /// becomes a part of that text. What is wrong is said in words.
    pub fn read(text: &str) -> Result<Template, String> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        let mut in_quotes = false;
        let mut has_just_opened = false;
        while let Some(char) = rest.chars().next() {
            if let Some(inner) = rest.strip_prefix("{{") {
                let Some((name, after)) = inner.split_once("}}") else {
                    return Err("a place opens with `{{` and is not closed with `}}`".to_owned());
                };
                let name = name.trim().to_owned();
                let is_whole = in_quotes && has_just_opened && after.starts_with('"');
                rest = after;
                if is_whole {
                    // The quotes around a whole value are its own.
                    plain.pop();
                    rest = rest.strip_prefix('"').unwrap_or(rest);
                    in_quotes = false;
                }
                has_just_opened = false;
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
                pieces.push(match (name.as_str(), in_quotes) {
                    ("", _) => return Err("a place names no input: `{{}}`".to_owned()),
                    ("rows", false) => Piece::Rows,
                    ("rows", true) => {
                        return Err(
                            "`{{rows}}` is a list and cannot stand within a text".to_owned()
                        );
                    }
                    (_, false) => Piece::Value(name),
                    (_, true) => Piece::Within(name),
                });
                continue;
            }
            let mut len = char.len_utf8();
            match char {
                '"' => {
                    in_quotes = !in_quotes;
                    has_just_opened = in_quotes;
                }
                '\\' if in_quotes => {
                    len += rest[len..].chars().next().map_or(0, char::len_utf8);
                    has_just_opened = false;
                }
                _ => has_just_opened = false,
            }
            plain.push_str(&rest[..len]);
            rest = &rest[len..];
        }
        pieces.push(Piece::Text(plain));
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        let is_rows = |piece: &Piece| matches!(piece, Piece::Rows);
        let is_one = |piece: &Piece| matches!(piece, Piece::Value(_) | Piece::Within(_));
        let template = Template {
            takes_rows: pieces.iter().any(is_rows),
            pieces,
        };
        match (template.takes_rows, template.pieces.iter().any(is_one)) {
            (false, false) => {
                return Err(
                    "it has no place for what is asked; write `{{rows}}`, or `{{NAME}}` for each input"
                        .to_owned(),
                );
            }
            (true, true) => {
                return Err(
                    "`{{rows}}` holds all inputs of many rows; a place for one input cannot stand beside it"
                        .to_owned(),
                );
            }
            (true, false) | (false, true) => {}
        }
        let tried = template.filled("[]", |_| Value::Null);
        serde_json::from_str::<Value>(&tried)
            .map_err(|error| format!("filled in, it is not JSON: {error}"))?;
        Ok(template)
    }

    /// The names of the inputs that have a place of their own.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Value(name) | Piece::Within(name) => Some(name.as_str()),
            Piece::Text(_) | Piece::Rows => None,
        })
    }

    /// The request: `rows` is the list of rows as JSON, `value` gives one input.
    pub fn filled(&self, rows: &str, value: impl Fn(&str) -> Value) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Rows => text.push_str(rows),
                Piece::Value(name) => text.push_str(&value(name).to_string()),
                Piece::Within(name) => match value(name) {
                    Value::Null => {}
                    Value::String(inner) => {
                        let quoted = Value::String(inner).to_string();
                        text.push_str(&quoted[1..quoted.len() - 1]);
                    }
                    other => text.push_str(&other.to_string()),
                },
            }
        }
        text
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use serde_json::json;

    #[track_caller]
    fn check(text: &str, want: Expect) {
        let value = |name: &str| match name {
            "age" => json!(41),
            "job" => json!("a \"smith\"\n"),
            _ => Value::Null,
        };
        let seen = match Template::read(text) {
            Ok(template) => template.filled("[{\"age\":41}]", value),
            Err(problem) => problem,
        };
        want.assert_eq(&seen);
    }

    #[test]
    fn places_are_filled_as_json() {
        check(r#"{"a": {{rows}}}"#, expect![[r#"{"a": [{"age":41}]}"#]]);
        check(r#"{"a": "{{rows}}"}"#, expect![[r#"{"a": [{"age":41}]}"#]]);
        check(
            r#"{"a": "{{ age }}", "j": {{job}}, "none": {{pet}}}"#,
            expect![[r#"{"a": 41, "j": "a \"smith\"\n", "none": null}"#]],
        );
        check(r#"["\"{{age}}"]"#, expect![[r#"["\"41"]"#]]);
        check(
            r#"{"q": "a \"{{job}}\" of {{age}}{{pet}}"}"#,
            expect![[r#"{"q": "a \"a \"smith\"\n\" of 41"}"#]],
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        check(
            "{}",
            expect![
                "it has no place for what is asked; write `{{rows}}`, or `{{NAME}}` for each input"
            ],
        );
        check(
            "[{{rows]",
            expect!["a place opens with `{{` and is not closed with `}}`"],
        );
        check(
            r#"["about {{rows}}"]"#,
            expect!["`{{rows}}` is a list and cannot stand within a text"],
        );
        check(
            "[{{rows}}, {{age}}]",
            expect![
                "`{{rows}}` holds all inputs of many rows; a place for one input cannot stand beside it"
            ],
        );
        check(
            "[{{age}}",
            expect!["filled in, it is not JSON: EOF while parsing a list at line 1 column 5"],
        );
    }
}
