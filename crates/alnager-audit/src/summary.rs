//! Anyone's published summary of a bias audit, computed again: what does not add up.
//!
//! A published figure is read as it is printed, with its digits, and held against the exact fraction of the counts beside it: it
//! may be that fraction rounded, or cut off, and nothing else; shortened to fewer than two decimals it cannot be checked. Source: 6 RCNY 5-300 to 5-303, as the pack `us-nyc-ll144` has them.

use std::collections::BTreeMap;

use serde_json::Value;

/// A figure as it is printed: `digits / 10^places`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printed {
    digits: u128,
    places: u32,
}

/// A figure with fewer decimals than this says too little to be held against another, unless it is exact.
const PLACES_MIN: u32 = 2;

/// More decimals than this are rounded away: no publication means them.
const PLACES_MAX: u32 = 9;

/// One line of a published table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// The category; parts of an intersection are joined by `|`.
    pub category: String,
    /// Its people.
    pub n: Option<u64>,
    /// Those selected, or scored above the median.
    pub selected: Option<u64>,
    /// The rate, 0..=1.
    pub rate: Option<Printed>,
    /// The impact ratio.
    pub ratio: Option<Printed>,
    /// What is said of its being left out.
    pub justification: Option<String>,
}

/// One published table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// Its name, or its place among the tables.
    pub name: String,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// A published summary.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Published {
    /// Its tables.
    pub tables: Vec<Table>,
    /// How many people are in no ratio because their category is unknown, where it is said.
    pub n_unknown: Option<u64>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The table; empty for the summary as a whole.
    pub table: String,
    /// The category; empty for the table as a whole.
    pub category: String,
    /// Whether something does not add up; else it is worth knowing.
    pub is_wrong: bool,
    /// What. A whole sentence.
    pub what: String,
}

/// Reads a summary: a CSV file, or JSON with `public_summary` as this program prints it. The answer says what cannot be read.
pub fn read(text: &str) -> Result<Published, String> {
    let text = text.trim_start_matches('\u{feff}');
    let mut published = if text.trim_start().starts_with('{') {
        read_json(text)?
    } else {
        read_csv(text)?
    };
    published.tables.iter_mut().for_each(rates_per_cent);
    match published.tables.iter().any(|table| !table.lines.is_empty()) {
        true => Ok(published),
        false => Err(
            "there is no table in it: write a header with category, applicants, selected, rate and impact ratio, and a line for each category"
                .to_owned(),
        ),
    }
}

/// Everything that does not add up, and what is worth knowing: by table and category, then the summary as a whole.
pub fn check(published: &Published) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for table in &published.tables {
        check_table(table, &mut remarks);
    }
    margins(published, &mut remarks);
    if published.n_unknown.is_none() {
        remarks.push(whole(
            true,
            "It does not say how many people are in no ratio because their category is unknown."
                .to_owned(),
        ));
    }
    remarks
}

fn whole(is_wrong: bool, what: String) -> Remark {
    Remark {
        table: String::new(),
        category: String::new(),
        is_wrong,
        what,
    }
}

/// A printed figure has fewer digits than this number, and a count lies below it in people, so that products stay exact.
const DIGITS_MAX: u128 = 10_u128.pow(18);
const PEOPLE_MAX: u64 = 1 << 47;

impl Printed {
    /// Reads `0.48`, `.48`, `48%`, `48.0 %`, `1`.
    fn read(text: &str) -> Option<Printed> {
        let text = text.trim();
        let (number, is_per_cent) = match text.strip_suffix('%') {
            Some(number) => (number.trim(), true),
            None => (text, false),
        };
        let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
        let digits = format!("{whole}{rest}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let printed = Printed {
            digits: digits.parse().ok().filter(|digits| *digits < DIGITS_MAX)?,
            places: u32::try_from(rest.len()).ok()? + if is_per_cent { 2 } else { 0 },
        };
        printed.shortened()
    }

    /// A number of JSON, by the shortest digits that mean it.
    fn of_number(value: f64) -> Option<Printed> {
        Printed::read(&value.to_string()).or_else(|| Printed::read(&format!("{value:.9}")))
    }

    /// With no more decimals than a publication means.
    fn shortened(self) -> Option<Printed> {
        if self.places <= PLACES_MAX {
            return Some(self);
        }
        let unit = 10_u128.checked_pow(self.places - PLACES_MAX)?;
        Some(Printed {
            digits: (self.digits + unit / 2) / unit,
            places: PLACES_MAX,
        })
    }

    /// The same figure where it is per cent.
    fn per_cent(self) -> Option<Printed> {
        let places = self.places + 2;
        Printed { places, ..self }.shortened()
    }

    fn unit(self) -> u128 {
        10_u128.pow(self.places)
    }

    /// How it relates to `numer / denom`.
    fn is(self, numer: u128, denom: u128) -> Shown {
        let Some(scaled) = numer.checked_mul(self.unit()).filter(|_| denom > 0) else {
            return Shown::Otherwise;
        };
        let (cut, rest) = (scaled / denom, scaled % denom);
        let shown = match (
            self.digits == cut,
            self.digits == cut + 1,
            (2 * rest).cmp(&denom),
        ) {
            (true, _, std::cmp::Ordering::Less | std::cmp::Ordering::Equal) => Shown::Either,
            (true, _, std::cmp::Ordering::Greater) => Shown::Cut,
            (_, true, std::cmp::Ordering::Greater | std::cmp::Ordering::Equal) => Shown::Rounded,
            _ => return Shown::Otherwise,
        };
        match self.places < PLACES_MIN && (self.digits, 0) != (cut, rest) {
            true => Shown::Coarse,
            false => shown,
        }
    }

    /// Why it is too coarse to check.
    fn coarse(self, what: &str, exact: &str) -> String {
        let decimals = match self.places {
            0 => "no decimals",
            _ => "one decimal",
        };
        format!(
            "The {what} is printed with {decimals}, {}; it is {exact}, so the printed figure is too coarse to check.",
            self.words()
        )
    }

    /// The figure in words, with as many decimals as it was printed with.
    fn words(self) -> String {
        decimal(self.digits, self.places)
    }
}

/// How a printed figure relates to the exact one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Rounding and cutting off give the same.
    Either,
    /// Rounded up.
    Rounded,
    /// Cut off where rounding would go up.
    Cut,
    /// One of them, with so few decimals that it says nothing.
    Coarse,
    /// Neither.
    Otherwise,
}

fn decimal(digits: u128, places: u32) -> String {
    let unit = 10_u128.pow(places);
    match places {
        0 => digits.to_string(),
        _ => format!(
            "{}.{:0>width$}",
            digits / unit,
            digits % unit,
            width = places as usize
        ),
    }
}

/// `numer / denom` with one decimal more than `places`, for a sentence.
fn exact(numer: u128, denom: u128, places: u32) -> String {
    super::profile::rounded(numer, denom, places + 1).unwrap_or_else(|| "undefined".to_owned())
}

/// The rate of a line as a fraction: of its counts, else as printed.
fn rate(line: &Line) -> Option<(u128, u128)> {
    match (line.selected, line.n, line.rate) {
        (Some(selected), Some(n), _) if n > 0 => Some((u128::from(selected), u128::from(n))),
        (_, _, Some(rate)) => Some((rate.digits, rate.unit())),
        _ => None,
    }
}

fn is_counted(line: &Line) -> bool {
    line.selected.is_some() && line.n.is_some_and(|n| n > 0)
}

/// What one table says of itself.
struct Checked<'t> {
    table: &'t Table,
    rates: Ways<'t>,
    ratios: Ways<'t>,
}

/// How the figures of one column were shortened.
#[derive(Default)]
struct Ways<'t> {
    /// Categories whose figure is cut off where rounding would go up.
    cut: Vec<&'t str>,
    /// Those whose figure is rounded up.
    rounded: Vec<&'t str>,
}

impl<'t> Ways<'t> {
    fn note(&mut self, line: &'t Line, shown: Shown) {
        match shown {
            Shown::Cut => self.cut.push(&line.category),
            Shown::Rounded => self.rounded.push(&line.category),
            Shown::Either | Shown::Coarse | Shown::Otherwise => {}
        }
    }
}

fn check_table(table: &Table, remarks: &mut Vec<Remark>) {
    let lines: Vec<&Line> = table
        .lines
        .iter()
        .filter(|line| !is_total(&line.category))
        .collect();
    let mut checked = Checked {
        table,
        rates: Ways::default(),
        ratios: Ways::default(),
    };
    checked.repeated(remarks);
    for line in &lines {
        checked.rate(line, remarks);
    }
    // The highest rate among the categories that have a ratio.
    let included = lines.iter().filter(|line| line.ratio.is_some());
    let rated = included.filter_map(|line| Some((*line, rate(line)?)));
    let highest = rated.max_by(|(_, one), (_, other)| (one.0 * other.1).cmp(&(other.0 * one.1)));
    if let Some((best, _)) = highest {
        checked.best(best, remarks);
        for line in lines.iter().filter(|line| **line != best) {
            checked.ratio(line, best, remarks);
        }
    }
    let n_known: Option<u64> = lines.iter().map(|line| line.n).sum();
    for line in &lines {
        checked.left_out(line, n_known, remarks);
    }
    checked.total(&lines, remarks);
    checked.conventions(remarks);
}

impl<'t> Checked<'t> {
    fn remark(&self, line: &Line, is_wrong: bool, what: String) -> Remark {
        Remark {
            table: self.table.name.clone(),
            category: line.category.clone(),
            is_wrong,
            what,
        }
    }

    /// A category has one line in a table.
    fn repeated(&self, remarks: &mut Vec<Remark>) {
        let mut met: BTreeMap<String, (&Line, usize)> = BTreeMap::new();
        for line in &self.table.lines {
            let category = plain(&line.category);
            met.entry(category).or_insert((line, 0)).1 += 1;
        }
        for (line, n) in met.into_values().filter(|(_, n)| *n > 1) {
            let what = format!("It is printed {n} times in this table: a category has one line.");
            remarks.push(self.remark(line, true, what));
        }
    }

    fn rate(&mut self, line: &'t Line, remarks: &mut Vec<Remark>) {
        if line.n.is_none() {
            remarks.push(self.remark(
                line,
                true,
                "It does not say how many people there are.".to_owned(),
            ));
        }
        let Some(rate) = line.rate else {
            // The rate of nobody is undefined.
            if line.n != Some(0) {
                remarks.push(self.remark(line, true, "It shows no rate.".to_owned()));
            }
            return;
        };
        let (selected, n) = match (line.selected, line.n) {
            (Some(selected), Some(n)) => (u128::from(selected), u128::from(n)),
            (None, Some(n)) => {
                remarks.extend(self.possible(line, rate, u128::from(n)));
                return;
            }
            (_, None) => return,
        };
        if selected > n {
            remarks.push(self.remark(
                line,
                true,
                format!("{selected} selected are more than the {n} people there are."),
            ));
            return;
        }
        match rate.is(selected, n) {
            Shown::Otherwise => {
                let what = format!(
                    "The rate is printed as {}; {selected} of {n} is {}.",
                    rate.words(),
                    exact(selected, n, rate.places)
                );
                remarks.push(self.remark(line, true, what));
            }
            Shown::Coarse => {
                let share = format!("{selected} of {n}, {}", exact(selected, n, 2));
                remarks.push(self.remark(line, true, rate.coarse("rate", &share)));
            }
            shown => self.rates.note(line, shown),
        }
    }

    /// Where the number selected is not printed: whether any whole number gives the rate.
    fn possible(&self, line: &Line, rate: Printed, n: u128) -> Option<Remark> {
        let near = rate.digits * n / rate.unit();
        let shown: Vec<Shown> = (near..=near + 1)
            .filter(|k| *k <= n)
            .map(|k| rate.is(k, n))
            .collect();
        let is_met = |shown: &Shown| !matches!(shown, Shown::Otherwise | Shown::Coarse);
        if shown.iter().any(is_met) {
            return None;
        }
        let what = match shown.contains(&Shown::Coarse) {
            true => rate.coarse("rate", &format!("a share of {n} people")),
            false => format!(
                "No whole number of {n} people gives the rate {}.",
                rate.words()
            ),
        };
        Some(self.remark(line, true, what))
    }

    /// The highest rate has the ratio 1.
    fn best(&self, best: &Line, remarks: &mut Vec<Remark>) {
        let Some(ratio) = best.ratio.filter(|ratio| ratio.digits != ratio.unit()) else {
            return;
        };
        let what = format!(
            "It has the highest rate, so its impact ratio is 1; printed is {}.",
            ratio.words()
        );
        remarks.push(self.remark(best, true, what));
    }

    fn ratio(&mut self, line: &'t Line, best: &Line, remarks: &mut Vec<Remark>) {
        let (Some(ratio), Some(ours), Some(theirs)) = (line.ratio, rate(line), rate(best)) else {
            return;
        };
        let (numer, denom) = (ours.0 * theirs.1, ours.1 * theirs.0);
        if denom == 0 {
            let what = format!(
                "Nobody was selected in any category, so no ratio is defined; printed is {}.",
                ratio.words()
            );
            remarks.push(self.remark(line, true, what));
            return;
        }
        if !(is_counted(line) && is_counted(best)) {
            remarks.extend(self.ratio_of_rates(line, best, ratio));
            return;
        }
        match ratio.is(numer, denom) {
            Shown::Otherwise => {
                let of_printed = line.rate.zip(best.rate).is_some_and(|(ours, theirs)| {
                    ratio.is(ours.digits * theirs.unit(), ours.unit() * theirs.digits)
                        != Shown::Otherwise
                });
                let why = match of_printed {
                    true => {
                        " It agrees with the rates as printed: it was computed from rounded rates."
                    }
                    false => "",
                };
                let what = format!(
                    "The impact ratio is printed as {}; from the counts, against {}, it is {}.{why}",
                    ratio.words(),
                    best.category,
                    exact(numer, denom, ratio.places)
                );
                remarks.push(self.remark(line, true, what));
            }
            Shown::Coarse => {
                let from_counts = format!(
                    "{}, from the counts against {}",
                    exact(numer, denom, 2),
                    best.category
                );
                let what = ratio.coarse("impact ratio", &from_counts);
                remarks.push(self.remark(line, true, what));
            }
            shown => self.ratios.note(line, shown),
        }
    }

    /// Without counts: every rate that prints as the printed one may be meant, rounded or cut off.
    fn ratio_of_rates(&self, line: &Line, best: &Line, ratio: Printed) -> Option<Remark> {
        let (ours, theirs) = (rate(line)?, rate(best)?);
        // A printed figure of d digits stands for anything from half a unit below to a whole unit above it.
        let ends = |(digits, unit): (u128, u128)| {
            ((2 * digits).saturating_sub(1), 2 * digits + 2, 2 * unit)
        };
        let (low, high, unit) = ends(ours);
        let (low_other, high_other, unit_other) = ends(theirs);
        let (low_ratio, high_ratio, unit_ratio) = ends((ratio.digits, ratio.unit()));
        let product = |of: [u128; 3]| of[0].checked_mul(of[1])?.checked_mul(of[2]);
        let products = [
            product([low, unit_other, unit_ratio]),
            product([high_ratio, unit, high_other]),
            product([high, unit_other, unit_ratio]),
            product([low_ratio, unit, low_other]),
        ];
        // low/unit ÷ high_other/unit_other must not lie above the printed ratio, nor the other end below it.
        let is_outside = match products {
            [Some(low), Some(high_ratio), Some(high), Some(low_ratio)] => {
                low > high_ratio || high < low_ratio
            }
            // No rate and no ratio has a product beyond 128 bits.
            _ => true,
        };
        let (numer, denom) = (ours.0 * theirs.1, ours.1 * theirs.0);
        let is_coarse = |line: &Line| {
            !is_counted(line) && line.rate.is_some_and(|rate| rate.places < PLACES_MIN)
        };
        let about = |places| format!("about {}", exact(numer, denom, places));
        let what = match (is_outside, ratio.is(numer, denom)) {
            (true, _) => format!(
                "The impact ratio is printed as {}; the printed rates give {}.",
                ratio.words(),
                about(ratio.places)
            ),
            (false, Shown::Coarse) => ratio.coarse("impact ratio", &about(2)),
            (false, Shown::Otherwise) if ratio.places < PLACES_MIN => {
                ratio.coarse("impact ratio", &about(2))
            }
            (false, Shown::Otherwise) if is_coarse(line) || is_coarse(best) => format!(
                "The impact ratio is printed as {}; the rates are printed with fewer than two decimals, too coarse to check it.",
                ratio.words()
            ),
            (false, Shown::Otherwise | Shown::Either | Shown::Cut | Shown::Rounded) => return None,
        };
        Some(self.remark(line, true, what))
    }

    /// A category without a ratio is left out: it may be, under 2 %, with a reason.
    fn left_out(&self, line: &Line, n_known: Option<u64>, remarks: &mut Vec<Remark>) {
        let share = line.n.zip(n_known.filter(|n| *n > 0));
        let is_small = share.map(|(n, all)| 50 * u128::from(n) < u128::from(all));
        let per_cent = share.map(|(n, all)| exact(100 * u128::from(n), u128::from(all), 0));
        let holds = per_cent.map_or("an unknown share".to_owned(), |share| format!("{share} %"));
        if line.ratio.is_none() {
            let is_of_nobody = line.n == Some(0);
            match (is_small, &line.justification) {
                _ if is_of_nobody => {}
                (Some(false), _) => remarks.push(self.remark(
                    line,
                    true,
                    format!("It has no impact ratio though it holds {holds} of the people: only a category under 2 % may be left out."),
                )),
                (_, None) => remarks.push(self.remark(
                    line,
                    true,
                    format!("It has no impact ratio and holds {holds} of the people: the reason for leaving it out is not given."),
                )),
                (_, Some(_)) => {}
            }
        } else if is_small == Some(true) {
            let what = format!(
                "It holds {holds} of the people and is in the ratios, as it may be; small numbers vary by chance."
            );
            remarks.push(self.remark(line, false, what));
        }
    }

    /// A line of totals holds what the others hold together.
    fn total(&self, lines: &[&Line], remarks: &mut Vec<Remark>) {
        for total in self
            .table
            .lines
            .iter()
            .filter(|line| is_total(&line.category))
        {
            for (what, stated, sum) in [
                (
                    "people",
                    total.n,
                    lines.iter().map(|line| line.n).sum::<Option<u64>>(),
                ),
                (
                    "selected",
                    total.selected,
                    lines.iter().map(|line| line.selected).sum(),
                ),
            ] {
                if let (Some(stated), Some(sum)) = (stated, sum)
                    && stated != sum
                {
                    let words =
                        format!("{stated} {what} are printed; the categories hold {sum} together.");
                    remarks.push(self.remark(total, true, words));
                }
            }
        }
    }

    fn conventions(&self, remarks: &mut Vec<Remark>) {
        let said = |is_wrong, what| Remark {
            table: self.table.name.clone(),
            category: String::new(),
            is_wrong,
            what,
        };
        for (what, ways) in [("rates", &self.rates), ("impact ratios", &self.ratios)] {
            match (ways.cut.first(), ways.rounded.first()) {
                (Some(cut), Some(rounded)) => remarks.push(said(
                    true,
                    format!("Some {what} are cut off ({cut}) and others rounded ({rounded}): a column needs one way."),
                )),
                (Some(cut), None) => remarks.push(said(
                    false,
                    format!("The {what} are cut off, not rounded ({cut}); so they agree with the counts."),
                )),
                (None, Some(_) | None) => {}
            }
        }
    }
}

// ---- intersections against margins

/// The parts of an intersectional category; `None` where it is a single one.
fn parts(category: &str) -> Option<(String, String)> {
    for between in ["|", "×", " x ", " X ", "*", " & ", " / ", " - ", " – ", ","] {
        if let Some((one, other)) = category.split_once(between) {
            let (one, other) = (plain(one), plain(other));
            if !one.is_empty() && !other.is_empty() {
                return Some((one, other));
            }
        }
    }
    None
}

fn plain(text: &str) -> String {
    text.trim().to_lowercase()
}

fn margins(published: &Published, remarks: &mut Vec<Remark>) {
    let lines = |table: &Table| -> Vec<Line> {
        let known = table.lines.iter().filter(|line| !is_total(&line.category));
        known.cloned().collect()
    };
    let is_crossed = |table: &&Table| {
        let lines = lines(table);
        !lines.is_empty() && lines.iter().all(|line| parts(&line.category).is_some())
    };
    let crossed: Vec<&Table> = published.tables.iter().filter(is_crossed).collect();
    for table in &crossed {
        let mut sums: BTreeMap<String, (Option<u64>, Option<u64>)> = BTreeMap::new();
        for line in lines(table) {
            let Some((one, other)) = parts(&line.category) else {
                continue;
            };
            for part in [one, other] {
                let sum = sums.entry(part).or_insert((Some(0), Some(0)));
                sum.0 = sum.0.zip(line.n).map(|(sum, n)| sum + n);
                sum.1 = sum.1.zip(line.selected).map(|(sum, n)| sum + n);
            }
        }
        for single in published
            .tables
            .iter()
            .filter(|other| !crossed.contains(other))
        {
            for line in lines(single) {
                if let Some(sum) = sums.get(&plain(&line.category)) {
                    margin(published.n_unknown, table, single, &line, *sum, remarks);
                }
            }
        }
    }
}

/// The people of a category may be more than those of its intersections: the other characteristic of some is unknown.
fn margin(
    n_unknown: Option<u64>,
    crossed: &Table,
    single: &Table,
    line: &Line,
    (n, selected): (Option<u64>, Option<u64>),
    remarks: &mut Vec<Remark>,
) {
    for (what, stated, sum) in [("people", line.n, n), ("selected", line.selected, selected)] {
        let Some((stated, sum)) = stated.zip(sum) else {
            continue;
        };
        let problem = match stated.checked_sub(sum) {
            Some(0) => continue,
            Some(more) if n_unknown.is_some_and(|unknown| more <= unknown) => continue,
            Some(more) => format!(
                "{more} more than its intersections in `{}`, and the unknown do not account for them",
                crossed.name
            ),
            None => format!("fewer than its intersections in `{}`", crossed.name),
        };
        remarks.push(Remark {
            table: single.name.clone(),
            category: line.category.clone(),
            is_wrong: true,
            what: format!(
                "{stated} {what} are printed and its intersections hold {sum}: {problem}."
            ),
        });
    }
}

fn is_total(category: &str) -> bool {
    matches!(
        plain(category).as_str(),
        "total" | "all" | "overall" | "sum" | "everybody"
    )
}

fn is_unknown(category: &str) -> bool {
    let category = plain(category);
    [
        "unknown",
        "not reported",
        "not known",
        "undisclosed",
        "not disclosed",
        "missing",
        "n_unknown",
        "prefer not",
    ]
    .iter()
    .any(|word| category.contains(word))
}

// ---- reading

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Table,
    Category,
    N,
    Selected,
    Rate,
    Ratio,
    Justification,
    Aside,
}

/// What a column's name says it holds.
fn column(name: &str) -> Option<Column> {
    let letters: String = name
        .to_lowercase()
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .collect();
    let has = |words: &[&str]| words.iter().any(|word| letters.contains(word));
    Some(match letters.as_str() {
        "" => return None,
        "table" | "family" | "tablename" => Column::Table,
        "n" | "total" | "count" | "people" | "assessed" => Column::N,
        "k" | "hired" => Column::Selected,
        "air" | "ratio" | "ir" => Column::Ratio,
        "share" | "sharepct" | "percentage" => Column::Aside,
        _ if has(&["ratio"]) => Column::Ratio,
        _ if has(&["rate"]) => Column::Rate,
        _ if has(&["justif", "reason", "note", "exclu", "comment"]) => Column::Justification,
        _ if has(&["applicant", "candidate", "assessed", "applied"]) && !has(&["selected"]) => {
            Column::N
        }
        _ if has(&[
            "selected",
            "above",
            "scored",
            "hires",
            "favourable",
            "favorable",
        ]) =>
        {
            Column::Selected
        }
        _ if has(&[
            "category",
            "group",
            "sex",
            "gender",
            "race",
            "ethnic",
            "demographic",
        ]) =>
        {
            Column::Category
        }
        _ if has(&["number", "total", "count"]) => Column::N,
        _ => return None,
    })
}

/// What a column's name says it holds, and whether its figures are per cent.
fn named(name: &str) -> Option<(Column, bool)> {
    let lower = name.to_lowercase();
    let is_per_cent = ["%", "percent", "per cent", "pct"]
        .iter()
        .any(|word| lower.contains(word));
    let column = match column(name)? {
        // Per cent of people are no number of people.
        Column::Selected if is_per_cent => Column::Rate,
        Column::N if is_per_cent => Column::Aside,
        column => column,
    };
    Some((column, is_per_cent))
}

/// The columns of a header, and whether they are per cent; `None` where the fields are none.
fn header(fields: &[String]) -> Option<Vec<(Column, bool)>> {
    let columns: Vec<Option<(Column, bool)>> = fields.iter().map(|field| named(field)).collect();
    let has = |wanted: Column| {
        columns
            .iter()
            .flatten()
            .any(|(column, _)| *column == wanted)
    };
    let is_header =
        has(Column::Category) && (has(Column::N) || has(Column::Rate) || has(Column::Ratio));
    let columns = columns
        .into_iter()
        .map(|column| column.unwrap_or((Column::Aside, false)));
    is_header.then(|| columns.collect())
}

fn read_csv(text: &str) -> Result<Published, String> {
    let between = separator(text);
    let mut published = Published::default();
    let mut columns: Option<Vec<(Column, bool)>> = None;
    let mut title = String::new();
    let mut is_open = false;
    for (number, fields) in records(text, between)? {
        let filled: Vec<&String> = fields.iter().filter(|field| !field.is_empty()).collect();
        match filled.as_slice() {
            [] => {
                is_open = false;
                continue;
            }
            [only] if columns.is_none() || !is_open || only.contains(':') => {
                if is_unknown(only) {
                    published.n_unknown = published.n_unknown.or(first_number(only));
                } else {
                    title = only.trim_end_matches(':').to_owned();
                    is_open = false;
                }
                continue;
            }
            _ => {}
        }
        if let Some(found) = header(&fields) {
            columns = Some(found);
            is_open = false;
            continue;
        }
        let first = filled[0];
        let known = columns.as_deref().unwrap_or_default();
        if is_unknown(first) {
            let at = known.iter().position(|(column, _)| *column == Column::N);
            let counted = at.and_then(|at| whole_number(fields.get(at)?));
            let stated =
                counted.or_else(|| filled.iter().skip(1).find_map(|field| whole_number(field)));
            published.n_unknown = published.n_unknown.max(stated);
            continue;
        }
        if known.is_empty() {
            return Err(format!(
                "line {number}: there is no header before it; name the columns category, applicants, selected, rate and impact ratio"
            ));
        }
        let (table, line) = line(known, &fields, number)?;
        if is_unknown(&line.category) {
            published.n_unknown = published.n_unknown.max(line.n);
            continue;
        }
        place(&mut published.tables, table, &mut title, is_open, line);
        is_open = true;
    }
    Ok(published)
}

/// A rate above 1 is per cent; beside one, so is a lower rate that agrees with its counts only as per cent.
fn rates_per_cent(table: &mut Table) {
    let is_above_one = |rate: &Printed| rate.digits > rate.unit();
    let mut rates = table.lines.iter().filter_map(|line| line.rate.as_ref());
    if !rates.any(is_above_one) {
        return;
    }
    for line in &mut table.lines {
        let Some((rate, per_cent)) = line.rate.and_then(|rate| Some((rate, rate.per_cent()?)))
        else {
            continue;
        };
        let agrees = |printed: Printed| {
            let counts = line.selected.zip(line.n);
            counts.is_some_and(|(k, n)| printed.is(k.into(), n.into()) != Shown::Otherwise)
        };
        if is_above_one(&rate) || (agrees(per_cent) && !agrees(rate)) {
            line.rate = Some(per_cent);
        }
    }
}

/// Puts a line into its table: the one its `table` column names, else the one that is open.
fn place(
    tables: &mut Vec<Table>,
    named: Option<String>,
    title: &mut String,
    is_open: bool,
    line: Line,
) {
    let at = match &named {
        Some(name) => tables.iter().position(|table| table.name == *name),
        None if is_open => tables.len().checked_sub(1),
        None => None,
    };
    match at {
        Some(at) => tables[at].lines.push(line),
        None => {
            let place = format!("table {}", tables.len() + 1);
            let name =
                named.or_else(|| Some(std::mem::take(title)).filter(|title| !title.is_empty()));
            tables.push(Table {
                name: name.unwrap_or(place),
                lines: vec![line],
            });
        }
    }
}

fn line(
    columns: &[(Column, bool)],
    fields: &[String],
    number: usize,
) -> Result<(Option<String>, Line), String> {
    let mut found = Line::default();
    let mut table = None;
    let mut categories: Vec<&str> = Vec::new();
    for ((column, is_per_cent), field) in columns.iter().zip(fields) {
        let wrong = |what: &str| format!("line {number}: `{field}` is no {what}");
        let text = field.trim();
        let printed = || match *is_per_cent && !text.ends_with('%') {
            true => Printed::read(text)?.per_cent(),
            false => Printed::read(text),
        };
        if text.is_empty() {
            continue;
        }
        match column {
            Column::Table => table = Some(text.to_owned()),
            Column::Category => categories.push(text),
            Column::N => {
                found.n = Some(whole_number(text).ok_or_else(|| wrong("number of people"))?)
            }
            Column::Selected if is_blank(text) => {}
            Column::Selected => {
                found.selected =
                    Some(whole_number(text).ok_or_else(|| wrong("number of people selected"))?)
            }
            Column::Rate if is_blank(text) => {}
            Column::Rate => found.rate = Some(printed().ok_or_else(|| wrong("rate"))?),
            Column::Ratio if is_blank(text) => {}
            Column::Ratio => found.ratio = Some(printed().ok_or_else(|| wrong("impact ratio"))?),
            Column::Justification => {
                let says = !matches!(
                    plain(text).as_str(),
                    "no" | "false" | "0" | "yes" | "true" | "1"
                );
                found.justification = says.then(|| text.to_owned()).or(found.justification);
            }
            Column::Aside => {}
        }
    }
    found.category = categories.join("|");
    if found.category.is_empty() {
        return Err(format!("line {number}: it names no category"));
    }
    Ok((table, found))
}

/// What stands where a figure is left out.
fn is_blank(text: &str) -> bool {
    matches!(
        plain(text).as_str(),
        "n/a"
            | "na"
            | "-"
            | "–"
            | "—"
            | "*"
            | "excluded"
            | "none"
            | "null"
            | "undefined"
            | "not calculated"
    )
}

/// `1,390` and `1390`.
fn whole_number(text: &str) -> Option<u64> {
    let digits: String = text
        .trim()
        .chars()
        .filter(|letter| !matches!(letter, ',' | ' ' | '\u{a0}' | '\''))
        .collect();
    digits.parse().ok().filter(|n| *n < PEOPLE_MAX)
}

fn first_number(text: &str) -> Option<u64> {
    let start = text.find(|letter: char| letter.is_ascii_digit())?;
    let number: String = text[start..]
        .chars()
        .take_while(|letter| letter.is_ascii_digit() || *letter == ',')
        .collect();
    whole_number(&number)
}

/// The separator that the first lines have most of.
fn separator(text: &str) -> char {
    let head: String = text.lines().take(10).collect();
    let count = |letter: &char| head.matches(*letter).count();
    [',', ';', '\t']
        .into_iter()
        .max_by_key(|letter| (count(letter), *letter == ','))
        .unwrap_or(',')
}

/// The fields of each line, with its number; a quoted field may hold separators, quotes and line breaks.
fn records(text: &str, between: char) -> Result<Vec<(usize, Vec<String>)>, String> {
    let mut records = Vec::new();
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), None);
    let (mut number, mut start) = (1, 1);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        number += usize::from(letter == '\n');
        match (letter, quoted) {
            ('"', Some(_)) if letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            ('"', Some(_)) => quoted = None,
            (_, Some(_)) => field.push(letter),
            ('"', None) if field.trim().is_empty() => quoted = Some(number),
            ('\n', None) => {
                fields.push(std::mem::take(&mut field).trim().to_owned());
                records.push((start, std::mem::take(&mut fields)));
                start = number;
            }
            (_, None) if letter == between => {
                fields.push(std::mem::take(&mut field).trim().to_owned())
            }
            (_, None) => field.push(letter),
        }
    }
    if let Some(line) = quoted {
        return Err(format!("line {line}: a quote is opened and never closed"));
    }
    if !field.trim().is_empty() || !fields.is_empty() {
        fields.push(field.trim().to_owned());
        records.push((start, fields));
    }
    Ok(records)
}

/// JSON drops zeros at the end of a number: 0.5 beside 0.48 is 0.50. Every figure of a column gets as many decimals as the longest.
fn fill_up<'p>(column: impl Iterator<Item = &'p mut Printed>) {
    let mut column: Vec<&mut Printed> = column.collect();
    let places = column.iter().map(|printed| printed.places).max();
    for printed in &mut column {
        let more = places.unwrap_or(0) - printed.places;
        printed.digits *= 10_u128.pow(more);
        printed.places += more;
    }
}

fn read_json(text: &str) -> Result<Published, String> {
    let document: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let summary = document.get("public_summary").unwrap_or(&document);
    let Some(tables) = summary["tables"].as_array() else {
        return Err("it has no `public_summary` with `tables`".to_owned());
    };
    let justification = summary["justification"].as_str();
    // Some programs write 100 people as 100.0.
    let people = |value: &Value| {
        let whole = |n: &f64| n.fract() == 0.0 && (0.0..PEOPLE_MAX as f64).contains(n);
        let of_double = || value.as_f64().filter(whole).map(|n| n as u64);
        let n = value.as_u64().or_else(of_double);
        n.filter(|n| *n < PEOPLE_MAX)
    };
    let line = |row: &Value| {
        let printed = |text: &str, number: &str| match &row[text] {
            Value::String(text) => Printed::read(text),
            _ => row[number].as_f64().and_then(Printed::of_number),
        };
        let own = row["justification"].as_str().or(justification);
        Line {
            category: row["category"].as_str().unwrap_or_default().to_owned(),
            n: people(&row["n"]),
            selected: people(&row["selected"]),
            rate: printed("rate_text", "rate"),
            ratio: printed("impact_ratio_text", "impact_ratio"),
            justification: own.filter(|_| row["excluded"] == true).map(str::to_owned),
        }
    };
    let table = |(at, table): (usize, &Value)| {
        let rows = table["rows"]
            .as_array()
            .map_or(&[] as &[Value], Vec::as_slice);
        let mut lines: Vec<Line> = rows.iter().map(line).collect();
        let are_numbers = |text: &str| rows.iter().all(|row| !row[text].is_string());
        if are_numbers("rate_text") {
            fill_up(lines.iter_mut().filter_map(|line| line.rate.as_mut()));
        }
        if are_numbers("impact_ratio_text") {
            fill_up(lines.iter_mut().filter_map(|line| line.ratio.as_mut()));
        }
        Table {
            name: table["table"]
                .as_str()
                .map_or_else(|| format!("table {}", at + 1), str::to_owned),
            lines,
        }
    };
    Ok(Published {
        n_unknown: people(&summary["n_unknown"]),
        tables: tables.iter().enumerate().map(table).collect(),
    })
}

#[cfg(test)]
mod tests;
