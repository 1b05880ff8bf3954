//! Canonical JSON: RFC 8785 restricted to strings, integers, booleans, null, arrays and objects.
//!
//! One value has exactly one spelling: no white space, object keys sorted by their UTF-16 code units, strings with
//! the shortest escapes, integers in plain decimal. There are no fractions and no exponents, so no two programs can
//! disagree about the digits of a number.

use serde_json::{Map, Number, Value};

/// The largest integer, and the negative of the smallest, that every JSON reader keeps exactly: 2^53 - 1.
///
/// Source: RFC 8785, section 3.2.2.3 and appendix D; RFC 7493, section 2.2.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// Deepest nesting of arrays and objects; `[[1]]` has depth 2.
pub const DEPTH_MAX: usize = 64;

/// Why a value has no canonical form, or bytes are not it.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    /// A number is a fraction, has an exponent, or lies outside ±(2^53 - 1).
    #[error(
        "a number is not an integer within ±9007199254740991; write fractions as text or as scaled integers"
    )]
    Number,
    /// Arrays and objects are nested too deeply.
    #[error("arrays and objects are nested deeper than `{DEPTH_MAX}`; flatten the value")]
    Depth,
    /// The bytes are not JSON.
    #[error("the bytes are not JSON; read them as they were written")]
    Json(#[source] serde_json::Error),
    /// The bytes are JSON in another spelling.
    #[error("the JSON differs from its canonical form at byte `{at}`; write it as RFC 8785 asks")]
    Spelling {
        /// Offset of the first byte that differs.
        at: usize,
    },
}

/// The canonical bytes of `value`. Refuses fractions, integers outside ±(2^53 - 1) and nesting beyond [`DEPTH_MAX`].
pub fn to_bytes(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::new();
    write_value(&mut out, value, DEPTH_MAX)?;
    Ok(out)
}

/// Reads canonical bytes; anything whose canonical form differs by a byte is refused, repeated keys included.
pub fn parse(bytes: &[u8]) -> Result<Value, CanonicalError> {
    let value: Value = serde_json::from_slice(bytes).map_err(CanonicalError::Json)?;
    let canonical = to_bytes(&value)?;
    match first_difference(&canonical, bytes) {
        None => Ok(value),
        Some(at) => Err(CanonicalError::Spelling { at }),
    }
}

/// Offset of the first byte in which the two differ; `None` when they are equal.
pub(crate) fn first_difference(left: &[u8], right: &[u8]) -> Option<usize> {
    if left == right {
        return None;
    }
    let same = left
        .iter()
        .zip(right)
        .take_while(|(left, right)| left == right)
        .count();
    Some(same)
}

fn write_value(out: &mut Vec<u8>, value: &Value, depth_left: usize) -> Result<(), CanonicalError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(out, number)?,
        Value::String(text) => write_string(out, text),
        Value::Array(items) => write_array(out, items, depth_left)?,
        Value::Object(fields) => write_object(out, fields, depth_left)?,
    }
    Ok(())
}

/// Writes an integer that is not negative.
pub(crate) fn write_natural(out: &mut Vec<u8>, number: u64) -> Result<(), CanonicalError> {
    if number > INTEGER_MAX {
        return Err(CanonicalError::Number);
    }
    out.extend_from_slice(number.to_string().as_bytes());
    Ok(())
}

fn write_number(out: &mut Vec<u8>, number: &Number) -> Result<(), CanonicalError> {
    let within = match (number.as_u64(), number.as_i64()) {
        (Some(positive), _) => positive <= INTEGER_MAX,
        (None, Some(negative)) => negative.unsigned_abs() <= INTEGER_MAX,
        (None, None) => false,
    };
    if !within {
        return Err(CanonicalError::Number);
    }
    out.extend_from_slice(number.to_string().as_bytes());
    Ok(())
}

/// Escapes `"`, `\` and the control characters below U+0020, and nothing else (RFC 8785, 3.2.2.2).
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let is_plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return;
    }
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x09 => out.extend_from_slice(b"\\t"),
            0x0a => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            0x0d => out.extend_from_slice(b"\\r"),
            0x00..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

fn write_array(
    out: &mut Vec<u8>,
    items: &[Value],
    depth_left: usize,
) -> Result<(), CanonicalError> {
    let depth_left = depth_left.checked_sub(1).ok_or(CanonicalError::Depth)?;
    out.push(b'[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_value(out, item, depth_left)?;
    }
    out.push(b']');
    Ok(())
}

fn write_object(
    out: &mut Vec<u8>,
    fields: &Map<String, Value>,
    depth_left: usize,
) -> Result<(), CanonicalError> {
    let depth_left = depth_left.checked_sub(1).ok_or(CanonicalError::Depth)?;
    let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
    sorted.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
    out.push(b'{');
    for (at, (name, value)) in sorted.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_string(out, name);
        out.push(b':');
        write_value(out, value, depth_left)?;
    }
    out.push(b'}');
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::{Expect, expect};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Shows the canonical form of any JSON text, or why it has none.
    #[track_caller]
    fn check(json: &str, want: Expect) {
        let value: Value = serde_json::from_str(json).unwrap();
        want.assert_eq(&match to_bytes(&value) {
            Ok(bytes) => String::from_utf8(bytes).unwrap(),
            Err(error) => error.to_string(),
        });
    }

    #[track_caller]
    fn check_refused(json: &str) {
        assert!(parse(json.as_bytes()).is_err(), "{json}");
    }

    #[test]
    fn keys_are_sorted_by_utf_16_code_units() {
        // RFC 8785, 3.2.3: U+1F600 is a surrogate pair and sorts before U+FB33, unlike in UTF-8.
        let value =
            json!({"\u{20ac}":1,"\r":2,"\u{fb33}":3,"1":4,"\u{1f600}":5,"\u{80}":6,"\u{f6}":7});
        let sorted = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}";
        assert_eq!(to_bytes(&value).unwrap(), sorted.as_bytes());
    }

    #[test]
    fn strings_have_the_shortest_escapes() {
        check(
            r#""\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/\b\f\t\r""#,
            expect![[r#""€$\u000f\nA'B\"\\\\\"/\b\f\t\r""#]],
        );
        // Delete is no control character in the sense of RFC 8259, section 7.
        check(r#""\u007f""#, expect!["\"\u{7f}\""]);
    }

    #[test]
    fn numbers_are_whole_and_bounded() {
        check(
            "[0,-1,9007199254740991,-9007199254740991]",
            expect!["[0,-1,9007199254740991,-9007199254740991]"],
        );
        let refused = "a number is not an integer within ±9007199254740991; write fractions as text or as scaled integers";
        for number in [
            "1.0",
            "1e2",
            "-0",
            "0.1",
            "9007199254740992",
            "-9007199254740992",
            "1e400",
        ] {
            let Ok(value) = serde_json::from_str::<Value>(number) else {
                continue;
            };
            assert_eq!(
                to_bytes(&value).unwrap_err().to_string(),
                refused,
                "{number}"
            );
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for json in [
            " 1",
            "1 ",
            "[1, 2]",
            r#"{"b":1,"a":2}"#,
            r#"{"a":1,"a":1}"#,
            r#""\u0041""#,
            r#""\/""#,
            r#""\u000F""#,
            "1.0",
            "01",
            "+1",
            "-0",
            "",
            "nul",
            "[1,]",
            "\u{feff}1",
            r#""\ud800""#,
        ] {
            check_refused(json);
        }
        assert!(parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
        assert!(matches!(
            parse(nested(DEPTH_MAX + 1).as_bytes()),
            Err(CanonicalError::Depth)
        ));
        check_refused(&nested(100_000));
    }

    /// Any value this format can hold.
    fn values() -> impl Strategy<Value = Value> {
        let limit = INTEGER_MAX as i64;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-limit..=limit).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn reading_what_was_written_gives_the_same_bytes(value in values()) {
            let bytes = to_bytes(&value).unwrap();
            let read = parse(&bytes).unwrap();
            prop_assert_eq!(&read, &value);
            prop_assert_eq!(to_bytes(&read).unwrap(), bytes);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(value) = parse(&bytes) {
                prop_assert_eq!(to_bytes(&value).unwrap(), bytes);
            }
        }
    }

    #[test]
    fn the_order_in_which_fields_were_given_does_not_matter() {
        assert_eq!(
            to_bytes(&json!({"a": 1, "b": 2})).unwrap(),
            to_bytes(&json!({"b": 2, "a": 1})).unwrap()
        );
    }
}
