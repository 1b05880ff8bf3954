//! A fairness audit on the screen: the answer first, then what it rests on.

use alnager_audit::judge::Outcome;

use super::view::{FairnessView, FindingView, GroupingView, StratifiedRow};
use crate::screen::{Paint, Screen, Style};

/// Findings shown of each test; the others are counted.
const FINDINGS_MAX: usize = 8;
/// Rows of periods shown.
const PERIODS_MAX: usize = 6;
/// Strata rows shown.
const STRATIFIED_MAX: usize = 6;

/// The whole screen, each line ended by a line break.
pub fn screen(view: &FairnessView, style: Style) -> String {
    let mut screen = Screen::new(style);
    opening(&mut screen, view);
    for grouping in &view.groupings {
        rates(&mut screen, view, grouping);
    }
    tests(&mut screen, view);
    strata(&mut screen, view);
    periods(&mut screen, view);
    closing(&mut screen, view);
    screen.text
}

fn mark(outcome: Outcome) -> (&'static str, Paint) {
    match outcome {
        Outcome::Pass => ("✓ pass", Paint::Green),
        Outcome::Fail => ("✕ FAIL", Paint::Red),
        Outcome::Inconclusive => ("● inconclusive", Paint::Yellow),
        Outcome::NotMeasured => ("○ not measured", Paint::Dim),
    }
}

fn opening(screen: &mut Screen, view: &FairnessView) {
    let (word, paint) = mark(view.outcome);
    let data = &view.data;
    let left_out = match data.n_rows - data.n_counted() {
        0 => String::new(),
        n => format!(", {n} left out"),
    };
    let rows = format!("{} · {} rows{left_out}", data.name, data.n_rows);
    screen.line(&format!("{}  ", word.to_uppercase()), paint, 2, &rows);
    for line in &view.reading {
        screen.line("  ", Paint::Plain, 4, line);
    }
    let failed: Vec<String> = view
        .findings
        .iter()
        .filter(|finding| finding.is_judged && finding.practical_family == Outcome::Fail)
        .map(|finding| match finding.group.as_str() {
            "" => finding.test.clone(),
            group => format!("{} ({group})", finding.test),
        })
        .collect();
    if view.outcome == Outcome::Fail {
        screen.list("  Fails     ", Paint::Red, &failed);
    }
    if let Some(headline) = &view.headline {
        let finding = &view.findings[headline.at];
        let bootstrap = match headline.bootstrap {
            Some(interval) => format!(
                "; smallest ratio with the reference chosen anew: {}",
                range(Some(interval))
            ),
            None => String::new(),
        };
        let text = format!(
            "{} of {} against {}: {} ({} for all {} at once{bootstrap})",
            words(finding.metric),
            finding.group,
            finding.reference.as_deref().unwrap_or("nobody"),
            number(finding.value),
            range(finding.simultaneous),
            comparisons(finding.n_family),
        );
        screen.line("  Headline  ", Paint::Bold, 4, &text);
    }
}

/// How many comparisons there are, in words.
fn comparisons(n: usize) -> String {
    match n {
        1 => "1 comparison".to_owned(),
        n => format!("{n} comparisons"),
    }
}

fn rates(screen: &mut Screen, view: &FairnessView, grouping: &GroupingView) {
    let chosen = match (&grouping.reference, grouping.is_chosen) {
        (Some(reference), true) => format!("reference {reference}, chosen by the data"),
        (Some(reference), false) => format!("reference {reference}"),
        (None, _) => "no reference".to_owned(),
    };
    let unknown = match grouping.n_unknown {
        0 => String::new(),
        n => format!(", {n} rows of unknown group"),
    };
    screen.heading(
        &grouping.name,
        &format!(
            "· favourable rate with {} interval · {chosen}{unknown}",
            percent(view.confidence)
        ),
    );
    let width = name_width(
        screen,
        grouping.groups.iter().map(|group| group.name.as_str()),
    );
    for group in &grouping.groups {
        let small = if group.n < view.min_group {
            "  (small)"
        } else {
            ""
        };
        let text = format!(
            "{}  {:>9} of {:<9} {:>7}  {}{small}",
            padded(&group.name, width),
            group.k,
            group.n,
            percent_of(group.rate),
            percents(group.interval)
        );
        screen.row(&text);
    }
}

fn tests(screen: &mut Screen, view: &FairnessView) {
    let mut names: Vec<&str> = Vec::new();
    for finding in &view.findings {
        if !names.contains(&finding.test.as_str()) {
            names.push(&finding.test);
        }
    }
    for name in names {
        let findings: Vec<&FindingView> = view
            .findings
            .iter()
            .filter(|finding| finding.test == name)
            .collect();
        let Some(first) = findings.first() else {
            continue;
        };
        screen.heading(
            name,
            &format!(
                "· {} · limit {} ({})",
                words(first.metric),
                first.limit,
                first.limit_source
            ),
        );
        let mut shown: Vec<&&FindingView> = findings.iter().collect();
        shown.sort_by_key(|finding| {
            std::cmp::Reverse((
                finding.is_judged,
                finding.practical_family,
                finding.practical,
            ))
        });
        for finding in shown.iter().take(FINDINGS_MAX) {
            test(screen, finding);
        }
        if let Some(more) = findings
            .len()
            .checked_sub(FINDINGS_MAX)
            .filter(|more| *more > 0)
        {
            screen.line(
                "  ",
                Paint::Dim,
                4,
                &format!("and {more} more; --format json has them all"),
            );
        }
    }
}

fn test(screen: &mut Screen, finding: &FindingView) {
    let (word, paint) = match finding.is_judged {
        true if finding.practical_family == Outcome::Fail => mark(Outcome::Fail),
        true if finding.practical == Outcome::Pass => mark(Outcome::Pass),
        true if finding.practical == Outcome::NotMeasured => mark(Outcome::NotMeasured),
        true => mark(Outcome::Inconclusive),
        false if finding.practical == Outcome::NotMeasured => mark(Outcome::NotMeasured),
        false => ("– too small", Paint::Dim),
    };
    let who = match (finding.grouping.as_str(), finding.group.as_str()) {
        ("", _) => "all rows".to_owned(),
        (grouping, "") => grouping.to_owned(),
        (grouping, group) => format!("{grouping}: {group}"),
    };
    let significance = match finding.is_significant {
        Some(true) => format!(
            "significant (p {} corrected)",
            p_words(finding.p_adjusted, None)
        ),
        Some(false) => format!(
            "not significant (p {} corrected)",
            p_words(finding.p_adjusted, None)
        ),
        None if finding.p.is_some() => format!("p {}", p_words(finding.p, finding.log10_p)),
        None => "no test".to_owned(),
    };
    let mut text = format!(
        "{who} {} ({}; all comparisons {}) · {significance}",
        number(finding.value),
        range(finding.interval),
        range(finding.simultaneous),
    );
    if let Some(detectable) = finding.detectable
        && finding.practical != Outcome::Fail
    {
        text.push_str(&format!(" · could have found {detectable:.2} or less"));
    }
    if let Some((low, high)) = finding.bounds {
        text.push_str(&format!(
            " · {low:.2} to {high:.2} were unknown groups known"
        ));
    }
    screen.line(&format!("  {word}  "), paint, 4, &text);
}

fn strata(screen: &mut Screen, view: &FairnessView) {
    let Some(first) = view.stratified.first() else {
        return;
    };
    screen.heading(
        &format!("within {}", first.by),
        "· the same comparison among people of one stratum (Mantel-Haenszel), beside the crude one",
    );
    for row in view.stratified.iter().take(STRATIFIED_MAX) {
        screen.line("  ", Paint::Plain, 4, &stratum_words(row));
    }
    if view.stratified.len() > STRATIFIED_MAX {
        let more = view.stratified.len() - STRATIFIED_MAX;
        screen.line(
            "  ",
            Paint::Dim,
            4,
            &format!("and {more} more; --format json has them all"),
        );
    }
}

fn periods(screen: &mut Screen, view: &FairnessView) {
    if view.periods.is_empty() {
        return;
    }
    screen.heading("by period", "· impact ratio (rows of the group)");
    for row in view.periods.iter().take(PERIODS_MAX) {
        let ratios: Vec<String> = row
            .ratios
            .iter()
            .map(|(period, n, ratio)| format!("{period}: {} ({n})", number(*ratio)))
            .collect();
        let text = format!("{}: {}  {}", row.grouping, row.group, ratios.join(" · "));
        screen.line("  ", Paint::Plain, 4, &text);
    }
    if view.periods.len() > PERIODS_MAX {
        let more = view.periods.len() - PERIODS_MAX;
        let text = format!("and {more} more; --format json has them all");
        screen.line("  ", Paint::Dim, 4, &text);
    }
}

fn stratum_words(row: &StratifiedRow) -> String {
    format!(
        "{}: {}  crude ratio {} (p {}) · within {} strata {} (p {}) · same in every stratum? p {}",
        row.grouping,
        row.group,
        number(row.crude_ratio),
        p_words(row.crude_p, None),
        row.n_strata,
        number(row.risk_ratio),
        p_words(row.cmh_p, None),
        p_words(row.homogeneity_p, None)
    )
}

fn closing(screen: &mut Screen, view: &FairnessView) {
    if !view.cautions.is_empty() {
        screen.heading("Mind", "");
        for caution in &view.cautions {
            screen.line("  · ", Paint::Plain, 4, caution);
        }
    }
    for warning in &view.warnings {
        screen.line("  ! ", Paint::Yellow, 4, warning);
    }
    screen.text.push('\n');
    screen.line("Policy  ", Paint::Dim, 2, &view.policy);
    screen.line(
        "Data    ",
        Paint::Dim,
        2,
        &format!("SHA-256 {}", view.data.sha256),
    );
}

fn words(metric: &str) -> String {
    metric.replace('_', " ")
}

fn number(value: Option<f64>) -> String {
    value.map_or("undefined".to_owned(), |value| format!("{value:.3}"))
}

fn range(interval: Option<(f64, f64)>) -> String {
    interval.map_or("no interval".to_owned(), |(low, high)| {
        format!("{low:.3} to {high:.3}")
    })
}

fn percent(share: f64) -> String {
    format!("{} %", (share * 1000.0).round() / 10.0)
}

fn percent_of(rate: Option<f64>) -> String {
    rate.map_or("undefined".to_owned(), |rate| {
        format!("{:.1} %", rate * 100.0)
    })
}

fn percents(interval: Option<(f64, f64)>) -> String {
    interval.map_or(String::new(), |(low, high)| {
        format!("{:.1} to {:.1} %", low * 100.0, high * 100.0)
    })
}

/// A p-value in words; by its logarithm where it underflows.
fn p_words(p: Option<f64>, log10: Option<f64>) -> String {
    match (p, log10) {
        (None, _) => "undefined".to_owned(),
        (Some(p), Some(log10)) if p < 1e-300 => format!("1e{log10:.0}"),
        (Some(p), _) if p < 1e-4 => format!("{p:.0e}"),
        (Some(p), _) => format!("{p:.4}"),
    }
}

/// The width of a column of names: the longest, but no more than a third of the screen.
fn name_width<'n>(screen: &Screen, names: impl Iterator<Item = &'n str>) -> usize {
    let longest = names.map(|name| name.chars().count()).max().unwrap_or(0);
    longest.min(screen.width / 3)
}

fn padded(name: &str, width: usize) -> String {
    let name = crate::wrap::shortened(name, width);
    let room = width.saturating_sub(name.chars().count());
    format!("{name}{}", " ".repeat(room))
}
