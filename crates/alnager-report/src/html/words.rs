//! Numbers and outcomes in words: one place, so that a figure reads the same in a plot, a table and a sentence.

use alnager_audit::judge::Outcome;
use alnager_office::gate::{Status, Verdict};
use maud::{Markup, html};

use crate::view::ResultView;

/// How a figure is written and drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// A ratio: three decimals, logarithmic, 1 is equality.
    Ratio,
    /// A difference of two rates: percentage points with a sign, linear, 0 is equality.
    Difference,
    /// A rate: per cent, linear from 0 to 100.
    Rate,
}

impl Scale {
    /// The scale of a metric by its name.
    pub(crate) fn of(metric: &str) -> Scale {
        if metric.ends_with("_difference") {
            Scale::Difference
        } else if metric.ends_with("_ratio") {
            Scale::Ratio
        } else {
            Scale::Rate
        }
    }

    /// The word above a column of such figures.
    pub(crate) fn column(self) -> &'static str {
        match self {
            Scale::Ratio => "Ratio",
            Scale::Difference => "Points",
            Scale::Rate => "Per cent",
        }
    }

    /// A number without its unit.
    pub(crate) fn number(self, value: f64) -> String {
        if value.is_infinite() {
            return if value > 0.0 { "∞" } else { "−∞" }.to_owned();
        }
        match self {
            Scale::Ratio => format!("{value:.3}"),
            Scale::Rate => format!("{:.1}", value * 100.0),
            Scale::Difference => {
                let size = format!("{:.1}", (value * 100.0).abs());
                let sign = if size == "0.0" {
                    "±"
                } else if value < 0.0 {
                    "−"
                } else {
                    "+"
                };
                format!("{sign}{size}")
            }
        }
    }

    /// A number with its unit, for a sentence.
    pub(crate) fn said(self, value: f64) -> String {
        match self {
            Scale::Ratio => self.number(value),
            Scale::Difference => format!("{} points", self.number(value)),
            Scale::Rate => format!("{} %", self.number(value)),
        }
    }

    /// An interval in brackets, without its unit.
    pub(crate) fn bracket(self, (low, high): (f64, f64)) -> String {
        format!("[{}, {}]", self.number(low), self.number(high))
    }

    /// An exact limit such as `-0.10`: as it is for a ratio, else with the point two places further right, so that nothing
    /// is rounded.
    pub(crate) fn limit(self, exact: &str) -> String {
        match self {
            Scale::Ratio => exact.replacen('-', "−", 1),
            Scale::Rate => format!("{} %", hundredfold(exact)),
            Scale::Difference => match exact.strip_prefix('-') {
                Some(size) => format!("−{} points", hundredfold(size)),
                None => format!("+{} points", hundredfold(exact)),
            },
        }
    }
}

/// A decimal times one hundred, by moving its point.
fn hundredfold(exact: &str) -> String {
    let (whole, places) = exact.split_once('.').unwrap_or((exact, ""));
    let (up, left) = places.split_at(places.len().min(2));
    let digits = format!("{whole}{up:0<2}");
    let whole = digits.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let left = left.trim_end_matches('0');
    if left.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{left}")
    }
}

/// What passes, in words: `0.80 to 1.25`.
pub(crate) fn limits(scale: Scale, low: Option<&str>, high: Option<&str>) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("{} to {}", scale.limit(low), scale.limit(high)),
        (Some(low), None) => format!("at least {}", scale.limit(low)),
        (None, Some(high)) => format!("at most {}", scale.limit(high)),
        (None, None) => "none".to_owned(),
    }
}

/// A count with commas: `7,214`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count with its noun: `1 test`, `3 tests`.
pub(crate) fn several(n: usize, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}

/// A p-value with four decimals; what is smaller is said to be smaller.
pub(crate) fn p_value(p: Option<f64>) -> Markup {
    match p {
        None => undefined(),
        Some(p) if p < 0.0001 => html! { "<0.0001" },
        Some(p) => html! { (format!("{p:.4}")) },
    }
}

/// A dash for a figure that does not exist. Never 0.
pub(crate) fn undefined() -> Markup {
    html! { span title="undefined" { span aria-hidden="true" { "—" } span.unseen { "undefined" } } }
}

/// A value and its interval, without unit.
pub(crate) fn figure(scale: Scale, value: Option<f64>, interval: Option<(f64, f64)>) -> Markup {
    html! {
        @match value {
            Some(value) => { span.value { (scale.number(value)) } }
            None => { (undefined()) }
        }
        " "
        @match interval {
            Some(interval) => { span.interval { (scale.bracket(interval)) } }
            None => { span.interval { "[" (undefined()) "]" } }
        }
    }
}

/// The same for a sentence: `0.632 [0.602, 0.663]`, `+19.7 points [+16.0, +23.5]`.
pub(crate) fn said(scale: Scale, value: Option<f64>, interval: Option<(f64, f64)>) -> String {
    let value = value.map_or("undefined".to_owned(), |value| scale.said(value));
    let interval = interval.map_or("no interval".to_owned(), |interval| scale.bracket(interval));
    format!("{value} {interval}")
}

/// A metric's title.
pub(crate) fn metric(metric: &str) -> String {
    match metric {
        "impact_ratio" => "Impact ratio".to_owned(),
        "selection_rate_difference" => "Difference of favourable rates".to_owned(),
        "tpr_difference" => "Difference of true positive rates".to_owned(),
        "fpr_difference" => "Difference of false positive rates".to_owned(),
        "ppv_difference" => "Difference of precision".to_owned(),
        "accuracy_difference" => "Difference of accuracy".to_owned(),
        other => capital(&other.replace('_', " ")),
    }
}

/// An attribute, or several crossed: `race × sex`.
pub(crate) fn attribute(name: &str) -> String {
    name.replace('*', " × ")
}

/// A group of an attribute; of several crossed, one value of each: `Asian × Female`.
pub(crate) fn group(attribute: &str, name: &str) -> String {
    if attribute.contains('*') {
        name.replace('|', " × ")
    } else {
        name.to_owned()
    }
}

/// The text with a capital first letter.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// Text in which `backticks` mark what is to be typed or looked up.
pub(crate) fn prose(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    // An odd backtick out is a character like any other.
    if parts.len().is_multiple_of(2) {
        return html! { (text) };
    }
    html! {
        @for (at, part) in parts.iter().enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// An id that may stand in an address: letters, digits, `.` and `-` stay; all else is written as its code point, so that two
/// different names never meet.
pub(crate) fn anchor(prefix: &str, name: &str) -> String {
    let mut anchor = format!("{prefix}-");
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-') {
            anchor.push(letter);
        } else {
            anchor.push_str(&format!("_{:x}_", u32::from(letter)));
        }
    }
    anchor
}

/// What became of a figure, as it is drawn: shape and word say it, colour only repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// A group too small to judge.
    Small,
    /// The interval lies wholly inside the limit.
    Pass,
    /// There was nothing to measure it on.
    NotMeasured,
    /// The interval crosses the limit, or the figure is undefined.
    Inconclusive,
    /// The interval lies wholly beyond the limit.
    Fail,
}

impl Mark {
    /// The mark of a result.
    pub(crate) fn of(result: &ResultView) -> Mark {
        Mark::by(result.outcome, result.is_judged)
    }

    /// The mark of an outcome of a group that is large enough to be judged, or not.
    pub(crate) fn by(outcome: Outcome, is_judged: bool) -> Mark {
        match outcome {
            Outcome::NotMeasured => Mark::NotMeasured,
            Outcome::Pass | Outcome::Inconclusive | Outcome::Fail if !is_judged => Mark::Small,
            Outcome::Pass => Mark::Pass,
            Outcome::Inconclusive => Mark::Inconclusive,
            Outcome::Fail => Mark::Fail,
        }
    }

    /// Its shape.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Mark::Small => "○",
            Mark::Pass => "✓",
            Mark::NotMeasured => "–",
            Mark::Inconclusive => "●",
            Mark::Fail => "✕",
        }
    }

    /// Its word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Mark::Small => "too small",
            Mark::Pass => "pass",
            Mark::NotMeasured => "not measured",
            Mark::Inconclusive => "inconclusive",
            Mark::Fail => "fail",
        }
    }

    /// Its class.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Mark::Small => "small",
            Mark::Pass => "good",
            Mark::NotMeasured | Mark::Inconclusive => "open",
            Mark::Fail => "bad",
        }
    }

    /// Shape and word.
    pub(crate) fn label(self) -> Markup {
        sign(self.class(), self.sign(), self.word())
    }
}

/// Shape, class and word of a status.
pub(crate) fn status(status: Status) -> Markup {
    let (class, shape) = match status {
        Status::Met => ("good", "✓"),
        Status::Gap => ("bad", "✕"),
        Status::Unknown => ("open", "●"),
        Status::Ahead => ("plain", "→"),
        Status::Waiting => ("plain", "…"),
        Status::Ended => ("plain", "–"),
        Status::NotApplicable => ("plain", "–"),
        Status::Noted => ("plain", "◇"),
    };
    sign(class, shape, status.word())
}

/// Shape and class of a verdict.
pub(crate) fn verdict(verdict: Verdict) -> Markup {
    let (class, shape) = match verdict {
        Verdict::Clear => ("good", "✓"),
        Verdict::Hold => ("bad", "✕"),
        Verdict::Undecided => ("open", "●"),
    };
    sign(class, shape, &capital(verdict.word()))
}

/// A shape and its word, kept on one line.
pub(crate) fn sign(class: &str, shape: &str, word: &str) -> Markup {
    html! { span class={ "sign " (class) } { span aria-hidden="true" { (shape) } " " (word) } }
}
