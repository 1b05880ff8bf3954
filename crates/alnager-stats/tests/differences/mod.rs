//! Compares figures with reference figures, for the runners beside this folder.

use serde_json::Value;

/// Relative, as the reference's README says.
const TOLERANCE: f64 = 1e-9;

/// Collects what differs, so that one run shows all of it.
#[derive(Default)]
pub(crate) struct Differences {
    compared: usize,
    lines: Vec<String>,
}

impl Differences {
    /// Every figure in `want` is in `got` and agrees; `got` may have more.
    pub(crate) fn compare(&mut self, place: &str, want: &Value, got: &Value) {
        match (want, got) {
            (Value::Object(fields), _) => {
                for (name, value) in fields {
                    self.compare(&format!("{place}/{name}"), value, &got[name]);
                }
            }
            (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
                for (index, value) in items.iter().enumerate() {
                    self.compare(&format!("{place}/{index}"), value, &got[index]);
                }
            }
            _ => {
                self.compared += 1;
                let agree = match (want.as_f64(), got.as_f64()) {
                    (Some(want), Some(got)) => (want - got).abs() <= TOLERANCE * want.abs(),
                    _ => want == got,
                };
                if !agree {
                    self.lines.push(format!("{place}: {got}, reference {want}"));
                }
            }
        }
    }

    #[track_caller]
    pub(crate) fn finish(self, at_least: usize) {
        assert!(
            self.lines.is_empty(),
            "{} of {} differ:\n{}",
            self.lines.len(),
            self.compared,
            self.lines.join("\n")
        );
        assert!(
            self.compared >= at_least,
            "only {} figures compared",
            self.compared
        );
    }
}
