//! Exports: tables as files for a spreadsheet.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// A table as a CSV file to be kept under a name. The name is ours, and has no quotes.
pub fn csv(name: &str, rows: impl Iterator<Item = Vec<String>>) -> Response {
    // Spreadsheets take a file for UTF-8 by its mark.
    let mut text = "\u{feff}".to_owned();
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| csv_cell(cell)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    (headers, text).into_response()
}

/// A cell in quotes. What a spreadsheet would take for a formula gets an apostrophe in front, and is a text.
fn csv_cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let mark = if is_formula { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_texts_and_quotes_are_doubled() {
        for (text, want) in [
            ("plain, with a comma", "\"plain, with a comma\""),
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("-2", "\"'-2\""),
            ("\tx", "\"'\tx\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("", "\"\""),
        ] {
            assert_eq!(csv_cell(text), want);
        }
    }
}
