//! Figures in words: short numbers and aligned columns, for the screen.

use serde_json::Value;

/// Four significant places, small numbers as powers of ten.
pub(crate) fn short(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-4 {
        format!("{value:.2e}")
    } else {
        format!("{value:.4}")
    }
}

/// A number as it was set, such as 0.05; `undefined` for what has no value.
pub(crate) fn plain(value: &Value) -> String {
    value
        .as_f64()
        .map_or_else(|| "undefined".to_owned(), |number| number.to_string())
}

/// A figure, an interval or a text; `undefined` for what has no value.
pub(crate) fn figure(value: &Value) -> String {
    match value {
        Value::Null => "undefined".to_owned(),
        Value::Number(number) => match number.as_u64() {
            Some(count) => count.to_string(),
            None => short(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::Array(ends) => {
            let ends: Vec<String> = ends.iter().map(figure).collect();
            ends.join(" to ")
        }
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(_) => String::new(),
    }
}

/// A p-value with the name of its member: the value, or its power of ten where it underflows. `names` are the members of the
/// value and of its decimal logarithm.
pub(crate) fn p(figures: &Value, names: [&str; 2]) -> String {
    match (figures[names[0]].as_f64(), figures[names[1]].as_f64()) {
        (Some(value), _) if value > 0.0 => short(value),
        (Some(_), Some(log10)) => format!("10^{log10:.0}"),
        (Some(_), None) => "below 1e-300".to_owned(),
        (None, _) => "undefined".to_owned(),
    }
}

/// The names of the members of an object, in their order.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .map(|members| members.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

/// Rows under a header, which may be empty: the first column to the left, the others to the right.
pub(crate) fn grid(header: &[&str], rows: &[Vec<String>]) -> String {
    let header: Vec<String> = header.iter().map(|word| (*word).to_owned()).collect();
    let above = std::iter::once(&header).filter(|header| !header.is_empty());
    let lines: Vec<&Vec<String>> = above.chain(rows).collect();
    let n_columns = lines.iter().map(|line| line.len()).max().unwrap_or(0);
    let width = |at: usize| {
        let of_column = lines.iter().filter_map(|line| line.get(at));
        of_column
            .map(|word| word.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..n_columns).map(width).collect();
    let shown = |line: &&Vec<String>| {
        let words = line.iter().zip(&widths).enumerate();
        let words: Vec<String> = words
            .map(|(at, (word, width))| match at {
                0 => format!("{word:<width$}"),
                _ => format!("{word:>width$}"),
            })
            .collect();
        words.join("  ").trim_end().to_owned()
    };
    let lines: Vec<String> = lines.iter().map(shown).collect();
    lines.join("\n")
}

/// What was left out, as a sentence; empty where nothing was.
pub(crate) fn left_out(figures: &Value, why: &str) -> String {
    match figures["n_left_out"].as_u64() {
        None | Some(0) => String::new(),
        Some(1) => format!("\n1 row is left out: {why}."),
        Some(n) => format!("\n{n} rows are left out: {why}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_line_up() {
        let rows = [
            vec!["a".to_owned(), "1".to_owned()],
            vec!["bcd".to_owned(), "20".to_owned()],
        ];
        assert_eq!(grid(&["", "n"], &rows), "      n\na     1\nbcd  20");
    }

    #[test]
    fn what_underflows_shows_its_power() {
        let names = ["p", "log10_p"];
        assert_eq!(p(&json!({"p": 0.0, "log10_p": -401.2}), names), "10^-401");
        assert_eq!(p(&json!({"p": null}), names), "undefined");
        assert_eq!(figure(&json!([0.5, null])), "0.5000 to undefined");
    }
}
