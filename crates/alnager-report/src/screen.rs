//! The review on one calm screen: verdict first, then the figures, what would change them, and who must act.
//!
//! Colour is never the only sign: every outcome has its mark and its word. What does not fit is in the report.

use alnager_audit::judge::Outcome;
use alnager_office::gate::{Gate, Status, Verdict};

use crate::view::{AuditView, GroupView, ResultView, ReviewView, ratio, signed, steps};
use crate::wrap::{cut, fitted, harmless, hung, length, shortened};

/// How the screen may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether colour is wanted: only on a terminal.
    pub colour: bool,
    /// Characters on a line; fewer than 60 count as 60.
    pub width: usize,
}

/// The fewest characters a line is laid out for.
const WIDTH_MIN: usize = 60;
/// Rows of the headline's test that are not passes; the others are counted.
const HEADLINE_ROWS_MAX: usize = 4;
/// The same for every other test.
const ROWS_MAX: usize = 3;
/// Next actions shown.
const ACTIONS_MAX: usize = 3;
/// Conflicts shown.
const CONFLICTS_MAX: usize = 3;
/// Warnings shown.
const WARNINGS_MAX: usize = 3;

/// What a review finds, each line ended by a line break; what it left behind comes after it ([`left_behind`]).
pub fn findings(view: &ReviewView, n_proposals: usize, style: Style) -> String {
    let mut screen = Screen::new(style);
    opening(&mut screen, view);
    results(&mut screen, view);
    changes(&mut screen, view);
    conflicts(&mut screen, view);
    actions(&mut screen, view);
    closing(&mut screen, view, n_proposals);
    screen.text
}

/// What a review left behind: report, dossier and receipt, each in a line.
pub fn left_behind(report: &str, dossier: &str, receipt: &str, style: Style) -> String {
    let mut screen = Screen::new(style);
    screen.line("report   ", Paint::Bold, 9, report);
    screen.line("dossier  ", Paint::Bold, 9, dossier);
    screen.line("receipt  ", Paint::Bold, 9, receipt);
    screen.text
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Plain,
    Bold,
    Dim,
    Red,
    Yellow,
    Green,
}

impl Paint {
    /// Source: ECMA-48, select graphic rendition.
    fn code(self) -> &'static str {
        match self {
            Paint::Plain => "0",
            Paint::Bold => "1",
            Paint::Dim => "2",
            Paint::Red => "1;31",
            Paint::Yellow => "1;33",
            Paint::Green => "1;32",
        }
    }
}

pub(crate) struct Screen {
    colour: bool,
    pub(crate) width: usize,
    pub(crate) text: String,
}

impl Screen {
    /// An empty screen.
    pub(crate) fn new(style: Style) -> Self {
        Screen {
            colour: style.colour,
            width: style.width.max(WIDTH_MIN),
            text: String::new(),
        }
    }

    /// The painted lead, then the text, wrapped; further lines are indented by `indent`.
    pub(crate) fn line(&mut self, lead: &str, paint: Paint, indent: usize, text: &str) {
        let lines = hung(lead, indent, text, self.width);
        let lead = lead.trim_end();
        match lines.strip_prefix(lead) {
            Some(rest) => {
                let lead = self.painted(lead, paint);
                self.text.push_str(&lead);
                self.text.push_str(rest);
            }
            None => self.text.push_str(&lines),
        }
    }

    pub(crate) fn painted(&self, text: &str, paint: Paint) -> String {
        if self.colour && paint != Paint::Plain {
            format!("\u{1b}[{}m{text}\u{1b}[0m", paint.code())
        } else {
            text.to_owned()
        }
    }

    /// One row of a table, as it is but for what may not reach a terminal.
    pub(crate) fn row(&mut self, text: &str) {
        self.text.push_str("  ");
        self.text.push_str(harmless(text).trim_end());
        self.text.push('\n');
    }

    /// A heading after an empty line.
    pub(crate) fn heading(&mut self, lead: &str, text: &str) {
        self.text.push('\n');
        self.line(&format!("{lead} "), Paint::Bold, 2, text);
    }

    /// A list on one line, as many items as fit.
    pub(crate) fn list(&mut self, lead: &str, paint: Paint, items: &[String]) {
        if !items.is_empty() {
            let text = fitted(items, self.width - length(lead).min(self.width));
            self.line(lead, paint, 2, &text);
        }
    }
}

fn opening(screen: &mut Screen, view: &ReviewView) {
    let (lead, paint) = match view.verdict {
        Verdict::Clear => ("✓ CLEAR  ", Paint::Green),
        Verdict::Hold => ("✕ HOLD  ", Paint::Red),
        Verdict::Undecided => ("● UNDECIDED  ", Paint::Yellow),
    };
    let gate = match view.gate {
        Gate::Launch => "",
        Gate::Tests => " · measurements alone",
    };
    let known = if view.known == view.judged_on {
        String::new()
    } else {
        format!(", law as known on {}", view.known)
    };
    screen.line(
        lead,
        paint,
        2,
        &format!(
            "{} · judged on {}{known}{gate} · {}",
            view.name, view.judged_on, view.verdict_words
        ),
    );
    if let Some(what_if) = &view.what_if {
        screen.line("what-if ", Paint::Yellow, 2, what_if);
    }
    screen.line("in force ", Paint::Bold, 2, &counts(view));
    if let Some(fine) = &view.fine {
        screen.line(
            "highest fine ",
            Paint::Bold,
            2,
            &format!("{} ({}; {})", fine.max, fine.cite, fine.requirement),
        );
    }
    if view.tests.n == 0 {
        screen.line("tests ", Paint::Bold, 2, "none asked for, none measured");
    } else {
        screen.line("tests ", Paint::Bold, 2, &tests(view));
    }
}

fn counts(view: &ReviewView) -> String {
    let counts = &view.counts;
    let next = view
        .next_day
        .as_ref()
        .map_or(String::new(), |day| format!(" (next {day})"));
    let some = |n: usize, word: &str| match n {
        0 => String::new(),
        n => format!(" · {word} {n}"),
    };
    format!(
        "{}: met {}, gap {}, unknown {}{} · ahead {}{next}{} · voluntary {}",
        counts.in_force,
        counts.met,
        counts.gap,
        counts.unknown,
        some(counts.may_apply, "may apply"),
        counts.ahead,
        some(counts.waiting, "waiting"),
        counts.voluntary
    )
}

fn tests(view: &ReviewView) -> String {
    let tests = &view.tests;
    let some = |n: usize, word: &str| {
        if n > 0 {
            format!(", {n} {word}")
        } else {
            String::new()
        }
    };
    let rest = some(tests.inconclusive, "inconclusive") + &some(tests.not_measured, "not measured");
    format!("{}: {} failed{rest}", tests.n, tests.failed)
}

fn results(screen: &mut Screen, view: &ReviewView) {
    if view.results.is_empty() {
        return;
    }
    let headline = view.headline.and_then(|at| view.results.get(at));
    let mut audits: Vec<&AuditView> = view.audits.iter().collect();
    audits.sort_by_key(|audit| headline.is_none_or(|headline| headline.audit != audit.name));
    for audit in audits {
        audit_results(
            screen,
            view,
            audit,
            headline.filter(|headline| headline.audit == audit.name),
        );
    }
    for warning in view.warnings.iter().take(WARNINGS_MAX) {
        screen.line("warning ", Paint::Yellow, 2, warning);
    }
    if view.warnings.len() > WARNINGS_MAX {
        screen.line(
            "",
            Paint::Plain,
            2,
            &format!(
                "{} more warnings are in the report",
                view.warnings.len() - WARNINGS_MAX
            ),
        );
    }
}

fn audit_results(
    screen: &mut Screen,
    view: &ReviewView,
    audit: &AuditView,
    headline: Option<&ResultView>,
) {
    let rows = grouped(audit.n_rows);
    let words = format!(
        "· {}: {}, {rows} rows{} · favourable is {} · intervals {}",
        audit.name,
        audit.data,
        audit.model.as_ref().map_or(String::new(), |model| format!(
            " · answered by {}",
            model.name
        )),
        audit.favourable,
        view.confidence
    );
    screen.heading("results", &words);
    if let Some(headline) = headline {
        let text = headline_words(headline, audit);
        screen.line(
            &format!("{} ", mark(headline.outcome)),
            paint(headline.outcome),
            2,
            &text,
        );
    }
    let references = audit.groups.iter().filter(|group| group.is_reference);
    let references: Vec<String> = references
        .map(|group| {
            format!(
                "{} {}",
                label(&group.attribute, &group.group),
                rate_words(group)
            )
        })
        .collect();
    screen.list("reference rates: ", Paint::Dim, &references);
    let small = audit.groups.iter().filter(|group| !group.is_judged);
    let small: Vec<String> = small
        .map(|group| format!("{} {}", short_label(group), grouped(group.n)))
        .collect();
    screen.list(
        &format!("too small to judge (under {}): ", view.min_group),
        Paint::Dim,
        &small,
    );
    let unknown: Vec<String> = audit
        .unknown
        .iter()
        .map(|(attribute, n)| format!("{attribute} {}", grouped(*n)))
        .collect();
    screen.list("group unknown, left out: ", Paint::Dim, &unknown);
    for test in tests_of(view, audit, headline) {
        test_results(screen, audit, &test, headline);
    }
}

/// The results of each test, the headline's first; otherwise in the order judged.
fn tests_of<'v>(
    view: &'v ReviewView,
    audit: &AuditView,
    headline: Option<&ResultView>,
) -> Vec<Vec<&'v ResultView>> {
    let mut tests: Vec<Vec<&ResultView>> = Vec::new();
    for result in view
        .results
        .iter()
        .filter(|result| result.audit == audit.name)
    {
        match tests.iter_mut().find(|test| test[0].test == result.test) {
            Some(test) => test.push(result),
            None => tests.push(vec![result]),
        }
    }
    tests.sort_by_key(|test| headline.is_none_or(|headline| headline.test != test[0].test));
    tests
}

/// One test: its limits once, the rows that did not pass (worst first), and everything else named on one line.
fn test_results(
    screen: &mut Screen,
    audit: &AuditView,
    test: &[&ResultView],
    headline: Option<&ResultView>,
) {
    let first = test[0];
    let main = || {
        test.iter()
            .copied()
            .filter(|result| result.is_judged || result.outcome == Outcome::NotMeasured)
    };
    let (mut passed, mut open): (Vec<&ResultView>, Vec<&ResultView>) =
        main().partition(|result| result.outcome == Outcome::Pass);
    passed.sort_by(|one, other| worst_first(one, other));
    open.sort_by(|one, other| worst_first(one, other));
    let max = if headline.is_some_and(|headline| headline.test == first.test) {
        HEADLINE_ROWS_MAX
    } else {
        ROWS_MAX
    };
    let rows: Vec<Row> = open
        .iter()
        .take(max)
        .map(|result| row(result, audit))
        .collect();
    let title = format!("{} ", first.test);
    let figures: Vec<String> = passed.iter().map(|result| pass(result)).collect();
    let passes = format!("✓ {} pass: {}", passed.len(), figures.join(", "));
    let limit = format!("{}{}", limit_words(first), source_words(first));
    let short = format!("{limit} · {passes}");
    if rows.is_empty() && !passed.is_empty() && length(&title) + length(&short) <= screen.width {
        screen.line(&title, Paint::Bold, 4, &short);
        return;
    }
    screen.line(&title, Paint::Bold, 4, &limit);
    if main().next().is_none() {
        screen.line(
            "  ● ",
            Paint::Yellow,
            4,
            "inconclusive: no group is large enough to judge",
        );
    }
    place(screen, &rows);
    if rows.len() == open.len() {
        screen.list(
            &format!("  ✓ {} pass: ", passed.len()),
            Paint::Green,
            &figures,
        );
    } else {
        folded(screen, &[&open[rows.len()..], &passed].concat());
    }
}

fn source_words(result: &ResultView) -> String {
    let asked = if result.is_required {
        ""
    } else {
        " · not asked for by policy"
    };
    format!(" ({}: {}){asked}", result.limit_source, result.limit_cite)
}

/// What has no row, on one line: failures by name, the others counted; their figures are in the report.
fn folded(screen: &mut Screen, results: &[&ResultView]) {
    let of = |outcome: Outcome| {
        results
            .iter()
            .filter(move |result| result.outcome == outcome)
    };
    let others = [Outcome::Inconclusive, Outcome::NotMeasured, Outcome::Pass]
        .into_iter()
        .filter(|outcome| of(*outcome).count() > 0);
    let mut parts: Vec<String> = others
        .map(|outcome| {
            format!(
                "{} {} {}",
                mark(outcome),
                of(outcome).count(),
                outcome.word()
            )
        })
        .collect();
    let names: Vec<String> = of(Outcome::Fail)
        .map(|result| label(&result.attribute, &result.group))
        .collect();
    if !names.is_empty() {
        let lead = format!("{} {} more fail: ", mark(Outcome::Fail), names.len());
        let used = 2 + length(&lead) + parts.iter().map(|part| 3 + length(part)).sum::<usize>();
        parts.insert(
            0,
            format!(
                "{lead}{}",
                fitted(&names, screen.width.saturating_sub(used))
            ),
        );
    }
    if !parts.is_empty() {
        screen.line("  ", Paint::Plain, 4, &parts.join(" · "));
    }
}

/// Failures before doubts, single attributes before combinations, then the figure farthest from equality.
fn worst_first(one: &ResultView, other: &ResultView) -> std::cmp::Ordering {
    let combined = |result: &ResultView| result.attribute.contains('*');
    let outcome = other.outcome.cmp(&one.outcome);
    outcome
        .then(combined(one).cmp(&combined(other)))
        .then(distance(other).total_cmp(&distance(one)))
}

fn distance(result: &ResultView) -> f64 {
    match result.value {
        None => 0.0,
        Some(value) if is_difference(result) => value.abs(),
        Some(value) => value.ln().abs(),
    }
}

fn is_difference(result: &ResultView) -> bool {
    result.metric.ends_with("_difference")
}

/// One row of a test's table, as texts.
struct Row {
    outcome: Outcome,
    word: String,
    group: String,
    count: String,
    figure: String,
}

fn row(result: &ResultView, audit: &AuditView) -> Row {
    let known = group_of(result, audit)
        .filter(|_| matches!(result.metric, "impact_ratio" | "selection_rate_difference"));
    Row {
        outcome: result.outcome,
        word: outcome_word(result),
        group: harmless(&label(&result.attribute, &result.group)),
        count: match (known, result.outcome) {
            (Some(group), _) => rate(group),
            (None, Outcome::NotMeasured) => String::new(),
            (None, Outcome::Pass | Outcome::Inconclusive | Outcome::Fail) => {
                format!("n {}", grouped(result.n))
            }
        },
        figure: if result.outcome == Outcome::NotMeasured {
            "–".to_owned()
        } else {
            figure(result)
        },
    }
}

/// Aligned columns; where they do not fit, the figures go on a line of their own.
fn place(screen: &mut Screen, rows: &[Row]) {
    let widest =
        |cell: fn(&Row) -> &String| rows.iter().map(|row| length(cell(row))).max().unwrap_or(0);
    let (word, group, count, figure) = (
        widest(|row| &row.word),
        widest(|row| &row.group),
        widest(|row| &row.count),
        widest(|row| &row.figure),
    );
    // A column is followed by two blanks; the mark and its blanks take four characters.
    let fits = 4 + word + 2 + group + 2 + count + 2 + figure <= screen.width;
    for row in rows {
        let lead = screen.painted(
            &format!("  {} {:word$}", mark(row.outcome), row.word),
            paint(row.outcome),
        );
        let numbers = format!("{:>count$}  {}", row.count, row.figure);
        let line = match fits {
            true => format!("{lead}  {:group$}  {numbers}", row.group),
            false => format!("{lead}  {}\n      {}", row.group, numbers.trim_start()),
        };
        screen.text.push_str(line.trim_end());
        screen.text.push('\n');
    }
}

fn headline_words(result: &ResultView, audit: &AuditView) -> String {
    let reference = result.reference.as_deref().unwrap_or("–");
    let theirs = audit
        .groups
        .iter()
        .find(|group| group.attribute == result.attribute && group.group == reference);
    let rates = match (group_of(result, audit), theirs) {
        (Some(ours), Some(theirs)) => format!(
            "favourable rate {} against {} for {}; ",
            rate_words(ours),
            rate_words(theirs),
            label_of_group(reference)
        ),
        (_, _) => String::new(),
    };
    let metric = result.metric.replace('_', " ");
    format!(
        "{}: {rates}{metric} {}: {}",
        label(&result.attribute, &result.group),
        figure(result),
        outcome_word(result)
    )
}

/// Why a figure of a special category counts neither for nor against.
const NO_EVIDENCE: &str = " (no evidence: no lawful basis named)";

fn pass(result: &ResultView) -> String {
    let what_if = if result.is_what_if { NO_EVIDENCE } else { "" };
    format!(
        "{} {}{what_if}",
        label(&result.attribute, &result.group),
        figure(result)
    )
}

fn outcome_word(result: &ResultView) -> String {
    let what_if = if result.is_what_if { NO_EVIDENCE } else { "" };
    format!("{}{what_if}", result.outcome.word())
}

fn mark(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "✓",
        Outcome::Fail => "✕",
        Outcome::Inconclusive => "●",
        Outcome::NotMeasured => "–",
    }
}

fn paint(outcome: Outcome) -> Paint {
    match outcome {
        Outcome::Pass => Paint::Green,
        Outcome::Fail => Paint::Red,
        Outcome::Inconclusive => Paint::Yellow,
        Outcome::NotMeasured => Paint::Dim,
    }
}

fn limit_words(result: &ResultView) -> String {
    let minus = |limit: &str| limit.replacen('-', "−", 1);
    match (&result.limit_low, &result.limit_high) {
        (Some(low), Some(high)) => format!("{} to {}", minus(low), minus(high)),
        (Some(low), None) => format!("at least {}", minus(low)),
        (None, Some(high)) => format!("at most {}", minus(high)),
        (None, None) => "–".to_owned(),
    }
}

/// The value with its interval; `–` where it is undefined.
fn figure(result: &ResultView) -> String {
    let number = |value: f64| match value {
        value if value.is_infinite() => "∞".to_owned(),
        value if is_difference(result) => signed(value),
        value => ratio(value),
    };
    let value = result.value.map_or("–".to_owned(), number);
    let interval = result.interval.map_or(String::new(), |(low, high)| {
        format!(" [{}, {}]", number(low), number(high))
    });
    value + &interval
}

fn group_of<'a>(result: &ResultView, audit: &'a AuditView) -> Option<&'a GroupView> {
    audit
        .groups
        .iter()
        .find(|group| group.attribute == result.attribute && group.group == result.group)
}

/// The favourable rate with its count, in a sentence.
fn rate_words(group: &GroupView) -> String {
    format!("{} ({}/{})", share(group), group.k, group.n)
}

/// The same in a table.
fn rate(group: &GroupView) -> String {
    format!("{} {}/{}", share(group), group.k, group.n)
}

fn share(group: &GroupView) -> String {
    group
        .rate
        .map_or("–".to_owned(), |rate| format!("{:.1} %", rate * 100.0))
}

/// A group with its attribute; a combination of attributes speaks for itself.
fn label(attribute: &str, group: &str) -> String {
    match (attribute, group) {
        ("", _) => "all rows".to_owned(),
        (attribute, "") => attribute.replace('*', "×"),
        (attribute, group) if attribute.contains('*') => label_of_group(group),
        (attribute, group) => format!("{attribute} {group}"),
    }
}

fn label_of_group(group: &str) -> String {
    group.replace('|', "×")
}

fn short_label(group: &GroupView) -> String {
    label_of_group(&group.group)
}

/// A count with its thousands parted, as 7,214.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn changes(screen: &mut Screen, view: &ReviewView) {
    if view.changes.is_empty() {
        return;
    }
    screen.heading("what would change this", "");
    for change in &view.changes {
        let kind = match change.kind {
            "law" => "law",
            _ => "measured",
        };
        screen.line(&format!("  {kind:9}"), Paint::Dim, 11, &change.words);
    }
}

fn conflicts(screen: &mut Screen, view: &ReviewView) {
    let n = view.conflicts.len();
    match n {
        0 => return,
        n if n > CONFLICTS_MAX => {
            let more = format!("· {CONFLICTS_MAX} of {n}, the others are in the report");
            screen.heading("conflicts for counsel", &more);
        }
        _ => screen.heading("conflicts for counsel", ""),
    }
    for conflict in view.conflicts.iter().take(CONFLICTS_MAX) {
        let lead = format!("  {} ⇄ {}: ", conflict.one, conflict.other);
        screen.line(&lead, Paint::Yellow, 4, &conflict.why);
    }
}

fn actions(screen: &mut Screen, view: &ReviewView) {
    let actions = steps(&view.blockers);
    match (actions.len(), view.verdict) {
        (0, Verdict::Clear) => screen.heading(
            "next action",
            &format!("· {}: decide; nothing stands in the way", view.owner),
        ),
        (0, Verdict::Hold | Verdict::Undecided) => {
            screen.heading("next action", &format!("· {}: check the declared facts; as they stand, nothing is asked of this system", view.owner));
        }
        (n, _) if n > ACTIONS_MAX => {
            screen.heading("next actions", &format!("· {ACTIONS_MAX} of {n}"))
        }
        (_, _) => screen.heading("next actions", ""),
    }
    for (at, action) in actions.iter().take(ACTIONS_MAX).enumerate() {
        let blocker = action.first;
        let more = match action.others.len() {
            0 => String::new(),
            n => format!(" (the same step settles {n} more)"),
        };
        let sign = if blocker.holds { "✕" } else { "●" };
        let lead = format!("{} {sign} ", at + 1);
        let room = screen.width - length(&lead) - length(&more);
        let what = shortened(&format!("{}: {}", blocker.id, blocker.what), room);
        screen.line(
            &lead,
            if blocker.holds {
                Paint::Red
            } else {
                Paint::Yellow
            },
            4,
            &format!("{what}{more}"),
        );
        let lead = format!("    {}: ", blocker.owner);
        let next = cut(&lead, 4, &blocker.next, screen.width, 2);
        screen.line(&lead, Paint::Bold, 4, &next);
    }
}

fn closing(screen: &mut Screen, view: &ReviewView, n_proposals: usize) {
    screen.text.push('\n');
    let met = view
        .requirements
        .iter()
        .filter(|requirement| requirement.status == Status::Met && !requirement.is_voluntary);
    let met: Vec<String> = met.map(|requirement| requirement.id.clone()).collect();
    screen.list(&format!("✓ met {}: ", met.len()), Paint::Green, &met);
    if n_proposals > 0 {
        let n = n_proposals;
        let words = format!(
            "{n} proposal{} to use accepted evidence again: `alnager evidence proposals --system {}`",
            if n == 1 { "" } else { "s" },
            view.system
        );
        screen.line("reuse    ", Paint::Bold, 9, &words);
    }
}

#[cfg(test)]
mod tests;
