//! Files that hold a text wherever they hold one.

use serde_json::{Value, json};

/// What the program says of a file: of its columns, of what was measured, of a dossier.
pub(super) fn answer(text: &str) -> Value {
    let column = |name: &str| json!({"name": name, "n_distinct": 2, "numbers": false, "values": [[text, 3], ["yes", 4]]});
    json!({
        "columns": [column(text), column("sex"), column("hired")],
        "data": {"n_rows": 7, "sha256": text, "file": text},
        "outcome": "fail", "reading": [text], "cautions": [text], "warnings": [text],
        "findings": [{
            "metric": text, "attr": text, "group": text, "reference": text, "n": 7, "value": 0.5, "ci": [0.4, 0.6], "limit": text,
            "limit_source": text, "method": text, "test": text, "practical": text, "judged": true, "p_adjusted": 0.01,
        }],
        "slices": {"confirmed": [{"sentence": text}]},
        "coverage": {"patterns": [{"pattern": {text: text}, "n": 3}]},
        "consistent": true, "trusted": true, "signer": text,
        "journal": {"origin": text, "size": 7, "root": text},
        "entries": 7, "payloads": {"intact": 5, "withheld": 1, "erased": 1},
        "reviews": [{"entry": 3, "system": text, "verdict": text, "judged_on": "2026-12-01"}],
        "recomputed": 42, "withheld": 2, "law": {"packs": [text], "policy": text, "not_as_shipped": [text]},
        "notes": [text], "differs": [text],
    })
}

/// A cell of a table.
fn cell(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A table of systems: one whose every cell is the text, and one that can be declared.
pub(super) fn table(text: &str) -> Vec<u8> {
    let text = cell(text);
    format!("name,purpose,owner,places,{text}\n{text},{text},{text},{text},{text}\nA system,{text},Ruth Ansorge,EU,{text}\nNo purpose,,,,{text}\n")
        .into_bytes()
}
