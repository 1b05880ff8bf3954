//! What the lab shows.

use alnager_report::html::strip_said;
use maud::{Markup, html};
use serde_json::Value;

use crate::access::{Action, Resource};
use crate::at::At;
use crate::form::Fields;
use crate::lab::{Run, Upload};
use crate::page::{self, complaint, day, field, form_fields};
use crate::pages::shared;
use crate::refusal::Refusal;
use crate::words::EN;

/// Most different values of a column whose values are groups.
const GROUPS_MAX: u64 = 20;

/// Most findings and slices that the page shows; the report has all.
const ROWS_MAX: usize = 60;

/// The front of the lab.
pub(super) fn front(at: &At, action: &str, refusal: Option<&Refusal>) -> Markup {
    let words = &EN.lab;
    html! {
        h1 { (EN.rooms.lab) }
        p.lead { (words.lead) }
        (complaint(refusal))
        @if at.may(Action::Audit, Resource::Organisation) {
            section {
                h2 { (words.upload) }
                form method="post" action=(action) enctype="multipart/form-data" {
                    (page::file_field("file", words.file, true, Some(words.file_note)))
                    p { button type="submit" { (words.look) } }
                }
            }
        }
        section #recorded {
            h2 { (words.recorded) }
            (recorded(at))
        }
    }
}

fn recorded(at: &At) -> Markup {
    let words = &EN.lab;
    let mut audits: Vec<_> = at.state().audits.values().collect();
    audits.sort_by_key(|audit| std::cmp::Reverse(audit.at));
    html! {
        @if audits.is_empty() { p.quiet { (words.none_recorded) } }
        @else {
            table.ledger.stacks {
                (shared::head(&[words.audit, words.kind, words.system, words.outcome, words.on]))
                tbody {
                    @for audit in audits.iter().take(ROWS_MAX) {
                        tr {
                            th scope="row" { a href=(at.link(&format!("/journal/{}", audit.at))) { (audit.recorded.audit) } }
                            td data-label=(words.kind) { (audit.recorded.kind) }
                            td data-label=(words.system) { @match &audit.recorded.system { Some(system) => a href=(at.link(&format!("/systems/{system}"))) { (system) }, None => (words.organisation) } }
                            td data-label=(words.outcome) { (outcome(&audit.recorded.outcome)) }
                            td data-label=(words.on) { (day(audit.recorded.on)) " · " (words.entry) " " (audit.at) }
                        }
                    }
                }
            }
        }
    }
}

/// A result's word with its mark.
pub(in crate::pages) fn outcome(word: &str) -> Markup {
    let (class, mark) = match word {
        "pass" => ("clear", "○"),
        "fail" => ("hold", "●"),
        "reported" => ("quiet", "·"),
        _ => ("undecided", "◐"),
    };
    page::tag(class, mark, word)
}

/// The columns, with guesses to confirm or change.
pub(super) fn choose(
    at: &At,
    upload: &Upload,
    typed: &Fields,
    refusal: Option<&Refusal>,
) -> Markup {
    let words = &EN.lab;
    let columns = Columns::of(&upload.columns);
    let guess = Guess::of(&columns, typed);
    let n_rows = upload.columns["data"]["n_rows"].as_u64().unwrap_or(0);
    html! {
        p.crumbs { a href=(at.link("/lab")) { (EN.rooms.lab) } " · " (upload.name) " · " (EN.number(n_rows)) " " (words.rows) }
        h1 { (words.choose) }
        p.lead { (words.choose_lead) }
        (complaint(refusal))
        form method="post" action=(at.link(&format!("/lab/{}/measure", at.named("upload")))) {
            (form_fields(at))
            div.row {
                (select("decision", words.decision, &columns, &guess.decision, Some(words.decision_note)))
                (field("at_least", words.at_least, &guess.at_least, None))
                (field("favourable", words.favourable, typed.text("favourable"), Some(words.favourable_note)))
            }
            div.row {
                (select("label", words.label, &columns, &guess.label, None))
                (field("label_positive", words.label_positive, &guess.label_positive, None))
                (select("score", words.score, &columns, &guess.score, None))
                (select("strata", words.strata, &columns, typed.text("strata"), None))
            }
            fieldset {
                legend { (words.attributes) }
                p.note { (words.attributes_note) }
                @for (n, column) in columns.0.iter().enumerate() {
                    @if column.is_grouping() {
                        @let is_guessed = guess.attributes.iter().any(|name| name == column.name);
                        (page::boxed("checkbox", (&format!("attribute-{n}"), "attribute", column.name), column.name, is_guessed))
                    }
                }
            }
            p { (page::boxed("checkbox", ("spots", "spots", "yes"), words.blind_spots, typed.text("spots") == "yes")) }
            p { button type="submit" { (words.run) } }
        }
        table.ledger.stacks {
            (shared::head(&[words.column, words.values]))
            tbody {
                @for column in &columns.0 {
                    tr { th scope="row" { (column.name) } td { (column.shown()) } }
                }
            }
        }
    }
}

fn select(
    name: &str,
    label: &str,
    columns: &Columns<'_>,
    chosen: &str,
    note: Option<&str>,
) -> Markup {
    let none = [("", EN.lab.none)].into_iter();
    let columns = columns.0.iter().map(|column| (column.name, column.name));
    page::select_field(name, label, none.chain(columns), chosen, note)
}

struct Column<'v> {
    name: &'v str,
    n_distinct: u64,
    are_numbers: bool,
    values: Vec<(&'v str, u64)>,
}

struct Columns<'v>(Vec<Column<'v>>);

impl<'v> Columns<'v> {
    fn of(looked: &'v Value) -> Columns<'v> {
        let columns = looked["columns"].as_array().into_iter().flatten();
        let columns = columns.map(|column| Column {
            name: column["name"].as_str().unwrap_or_default(),
            n_distinct: column["n_distinct"].as_u64().unwrap_or(0),
            are_numbers: column["numbers"].as_bool().unwrap_or(false),
            values: column["values"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|pair| Some((pair[0].as_str()?, pair[1].as_u64()?)))
                .collect(),
        });
        Columns(columns.collect())
    }
}

impl Column<'_> {
    fn is_grouping(&self) -> bool {
        (2..=GROUPS_MAX).contains(&self.n_distinct)
    }

    fn shown(&self) -> String {
        let values = self.values.iter().take(6);
        let values: Vec<String> = values
            .map(|(value, count)| format!("{value} ({})", EN.number(*count)))
            .collect();
        let more = if self.n_distinct > 6 {
            format!(", … {} in all", EN.number(self.n_distinct))
        } else {
            String::new()
        };
        format!("{}{more}", values.join(", "))
    }

    /// Whether its name holds one of these words.
    fn is_called(&self, words: &[&str]) -> bool {
        let name = self.name.to_lowercase();
        words.iter().any(|word| name.contains(word))
    }
}

/// What the columns may be: a first choice that a person confirms.
struct Guess {
    decision: String,
    at_least: String,
    label: String,
    label_positive: String,
    score: String,
    attributes: Vec<String>,
}

impl Guess {
    /// What was typed, or else what names and values suggest.
    fn of(columns: &Columns<'_>, typed: &Fields) -> Guess {
        let is_typed = typed.pairs().next().is_some();
        let find = |fits: &dyn Fn(&Column<'_>) -> bool| {
            let found = columns.0.iter().find(|column| fits(column));
            found.map_or(String::new(), |column| column.name.to_owned())
        };
        let score = find(&|column| {
            column.are_numbers
                && column.n_distinct > GROUPS_MAX
                && column.is_called(&["score", "prob", "risk"])
        });
        let decision = find(&|column| {
            column.n_distinct == 2
                && column.is_called(&[
                    "decision", "approved", "hired", "selected", "pred", "invited",
                ])
        });
        let label = find(&|column| {
            column.n_distinct == 2
                && column.is_called(&[
                    "label", "outcome", "repa", "default", "actual", "target", "recid",
                ])
        });
        let attributes = columns.0.iter().filter(|column| {
            column.is_grouping()
                && column.is_called(&[
                    "sex", "gender", "race", "ethnic", "age", "disab", "relig", "national",
                ])
        });
        let attributes = attributes.map(|column| column.name.to_owned()).collect();
        let text = |name: &str, guessed: String| match is_typed {
            true => typed.text(name).to_owned(),
            false => guessed,
        };
        let decision = if decision.is_empty() {
            score.clone()
        } else {
            decision
        };
        Guess {
            at_least: text(
                "at_least",
                if decision == score && !score.is_empty() {
                    "0.5".to_owned()
                } else {
                    String::new()
                },
            ),
            decision: text("decision", decision),
            label: text("label", label),
            label_positive: text("label_positive", "1".to_owned()),
            score: text("score", score),
            attributes: match is_typed {
                true => typed.all("attribute").map(str::to_owned).collect(),
                false => attributes,
            },
        }
    }
}

/// How far the measuring is.
pub(super) fn measuring(at: &At, done: u64, total: u64) -> Markup {
    let words = &EN.lab;
    let here = at.link(&format!("/lab/{}", at.named("upload")));
    html! {
        h1 { (words.measuring) }
        p role="status" {
            @if total > 0 {
                progress value=(done) max=(total) {}
                " " (EN.number(done.saturating_mul(100) / total)) " %"
            } @else { progress {} }
        }
        p { a.button href=(here) { (words.reload) } }
    }
}

/// What came out.
pub(super) fn result(at: &At, upload: &Upload, run: &Run, found: &Value) -> Markup {
    let words = &EN.lab;
    let path = |what: &str| at.link(&format!("/lab/{}/{what}", at.named("upload")));
    let texts = |value: &Value| -> Vec<String> {
        let texts = value.as_array().into_iter().flatten();
        texts
            .filter_map(|text| text.as_str().map(str::to_owned))
            .collect()
    };
    html! {
        p.crumbs { a href=(at.link("/lab")) { (EN.rooms.lab) } " · " (upload.name) }
        h1 { (words.verdict) ": " (outcome(found["outcome"].as_str().unwrap_or_default())) }
        @for sentence in texts(&found["reading"]) { p.lead { (page::sentence(&sentence)) } }
        @let cautions: Vec<String> = texts(&found["cautions"]).into_iter().chain(texts(&found["warnings"])).collect();
        @if !cautions.is_empty() {
            section { h2 { (words.cautions) } ul { @for caution in cautions { li { (caution) } } } }
        }
        section { h2 { (words.findings) } (findings(found)) }
        @if let Some(spots) = found.get("blind_spots") { section { h2 { (words.spots) } (blind_spots(spots)) } }
        section {
            h2 { (words.command) }
            pre tabindex="0" { (run.command) }
            p { code { (found["data"]["sha256"].as_str().unwrap_or_default()) } }
            p { a href=(path("report")) { (words.report) } }
        }
        section {
            h2 { (words.seal) }
            p.note { (words.seal_lead) }
            form method="post" action=(path("seal")) {
                (form_fields(at))
                div.field {
                    label for="system" { (words.system) }
                    input type="text" id="system" name="system" list="systems" value="";
                    datalist #systems { @for id in at.state().systems.keys().take(500) { option value=(id) {} } }
                }
                p { button type="submit" { (words.seal) } }
            }
            form method="post" action=(path("again")) { (form_fields(at)) button.plain type="submit" { (words.again) } }
        }
    }
}

fn findings(found: &Value) -> Markup {
    let words = &EN.lab;
    let rows = found["findings"].as_array().map_or(&[][..], Vec::as_slice);
    html! {
        table.ledger.stacks {
            (shared::head(&[words.figure, words.group, words.value, words.interval, words.limit, words.result]))
            tbody { @for row in rows.iter().take(ROWS_MAX) { (finding(row)) } }
        }
    }
}

fn finding(row: &Value) -> Markup {
    let words = &EN.lab;
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    let value = row["value"].as_f64();
    let interval = row["ci"][0].as_f64().zip(row["ci"][1].as_f64());
    let is_judged = row["judged"].as_bool().unwrap_or(false);
    let result = text("practical");
    html! {
        tr {
            th scope="row" { (text("metric").replace('_', " ")) }
            td data-label=(words.group) {
                @if text("group").is_empty() { "–" } @else { (text("attr")) ": " (text("group")) }
                @if !text("reference").is_empty() { " / " (text("reference")) }
                span.quiet { " n = " (EN.number(row["n"].as_u64().unwrap_or(0))) }
            }
            td.figure data-label=(words.value) { @match value { Some(value) => { (format!("{value:.3}")) }, None => (words.undefined) } }
            td data-label=(words.interval) {
                @if let Some((low, high)) = interval { (format!("{low:.3} – {high:.3}")) }
                (strip_said(text("metric"), value, interval, ends(text("limit")), (result, is_judged)))
            }
            td data-label=(words.limit) {
                (text("limit")) " "
                (page::why(text("test"), html! {
                    p { (text("limit_source")) }
                    p { code { (text("method")) } @if let Some(p) = row["p_adjusted"].as_f64() { " · p = " (format!("{p:.3e}")) } }
                }))
            }
            td data-label=(words.result) { (outcome(result)) }
        }
    }
}

/// The ends of a limit given in words, such as `0.80 to 1.25` or `at least 0.60`.
fn ends(limit: &str) -> (Option<f64>, Option<f64>) {
    let number = |text: &str| text.trim().parse().ok();
    if let Some(low) = limit.strip_prefix("at least ") {
        return (number(low), None);
    }
    if let Some(high) = limit.strip_prefix("at most ") {
        return (None, number(high));
    }
    match limit.split_once(" to ") {
        Some((low, high)) => (number(low), number(high)),
        None => (None, None),
    }
}

fn blind_spots(spots: &Value) -> Markup {
    let words = &EN.lab;
    let list = |value: &Value| -> Vec<Value> { value.as_array().cloned().unwrap_or_default() };
    let confirmed = list(&spots["slices"]["confirmed"]);
    let thin = list(&spots["coverage"]["patterns"]);
    html! {
        @if confirmed.is_empty() { p { (words.spots_none) } }
        ul {
            @for slice in confirmed.iter().take(ROWS_MAX) { li { (slice["sentence"].as_str().unwrap_or_default()) } }
        }
        @if !thin.is_empty() {
            h3 { (words.thin) }
            ul {
                @for pattern in thin.iter().take(ROWS_MAX) {
                    li { (pattern_words(&pattern["pattern"])) ": " (EN.number(pattern["n"].as_u64().unwrap_or(0))) " " (words.rows) }
                }
            }
        }
    }
}

fn pattern_words(pattern: &Value) -> String {
    let members = pattern.as_object().into_iter().flatten();
    let members = members.map(|(name, value)| format!("{name} {}", value.as_str().unwrap_or("?")));
    members.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_in_words_have_their_ends() {
        assert_eq!(ends("0.80 to 1.25"), (Some(0.8), Some(1.25)));
        assert_eq!(ends("-0.10 to 0.10"), (Some(-0.1), Some(0.1)));
        assert_eq!(ends("at least 0.60"), (Some(0.6), None));
        assert_eq!(ends("none"), (None, None));
    }
}
