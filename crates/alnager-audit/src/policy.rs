//! Policy: hardly any law sets a number, so limits come from a dated policy that a named person approved.
//! The format is `docs/formats/policy-pack.md`.

use std::cmp::Ordering;
use std::fmt;

use alnager_law::book::Book;
use alnager_law::pack::{Condition, Pack};
use alnager_law::read::{self, Node, ReadError};
use jiff::civil::Date;

/// The organisation's policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Who approved it.
    pub approved_by: String,
    /// That person's role.
    pub approved_role: String,
    /// When it was approved.
    pub approved_on: Date,
    /// The first day it governs.
    pub from: Date,
    /// The day it became known.
    pub known: Date,
    /// The confidence of every interval, 0..1.
    pub confidence: f64,
    /// Groups smaller than this are reported and neither judged nor named in the headline.
    pub min_group: u64,
    /// The smallest group that may become the reference where none is declared.
    pub reference_min: u64,
    /// The voluntary packs that stand in the way of a launch where the organisation has adopted them.
    pub blocking: Vec<String>,
    /// Where they stand in the policy.
    blocking_node: Option<Node>,
    /// Where two people must decide on a launch; `None` where one is enough.
    pub four_eyes: Option<Condition>,
    /// The tests.
    pub tests: Vec<PolicyTest>,
    /// Its own requirements.
    pub pack: Pack,
}

/// One measured question with a limit.
#[derive(Debug, Clone)]
pub struct PolicyTest {
    /// Its permanent id.
    pub id: String,
    /// What it asks, in words.
    pub what: String,
    /// `bias` or `performance`.
    pub question: String,
    /// The figure held against the limit.
    pub metric: Metric,
    /// The limit.
    pub limit: Limit,
    /// When the policy asks for it.
    pub when: Condition,
}

/// The figure a test holds against its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Favourable rate of a group over that of the reference.
    ImpactRatio,
    /// Favourable rate of a group less that of the reference.
    SelectionDifference,
    /// True positive rate of a group less that of the reference.
    TprDifference,
    /// False positive rate of a group less that of the reference.
    FprDifference,
    /// Precision of a group less that of the reference.
    PpvDifference,
    /// Accuracy of a group less that of the reference.
    AccuracyDifference,
    /// Accuracy over all rows.
    Accuracy,
}

/// What bounds a figure, and where the bound comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The lowest value that passes.
    pub low: Option<Decimal>,
    /// The highest value that passes.
    pub high: Option<Decimal>,
    /// Where it comes from.
    pub source: LimitSource,
    /// Its citation.
    pub cite: String,
}

/// Where a limit comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitSource {
    /// A law sets it.
    Law,
    /// The organisation's policy sets it.
    Policy,
    /// A convention of the field; binding only because policy adopts it.
    Yardstick,
    /// The system's own declaration, stricter than policy.
    System,
}

/// An exact decimal, such as `0.80`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    text: String,
    numerator: i64,
    scale: u32,
}

impl Metric {
    /// The words a policy may use.
    pub const WORDS: [&str; 7] = [
        "impact_ratio",
        "selection_rate_difference",
        "tpr_difference",
        "fpr_difference",
        "ppv_difference",
        "accuracy_difference",
        "accuracy",
    ];

    fn of(word: &str) -> Self {
        match word {
            "impact_ratio" => Metric::ImpactRatio,
            "selection_rate_difference" => Metric::SelectionDifference,
            "tpr_difference" => Metric::TprDifference,
            "fpr_difference" => Metric::FprDifference,
            "ppv_difference" => Metric::PpvDifference,
            "accuracy_difference" => Metric::AccuracyDifference,
            _ => Metric::Accuracy,
        }
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Metric::ImpactRatio => "impact_ratio",
            Metric::SelectionDifference => "selection_rate_difference",
            Metric::TprDifference => "tpr_difference",
            Metric::FprDifference => "fpr_difference",
            Metric::PpvDifference => "ppv_difference",
            Metric::AccuracyDifference => "accuracy_difference",
            Metric::Accuracy => "accuracy",
        }
    }

    /// Whether it needs an observed outcome.
    pub fn needs_label(self) -> bool {
        !matches!(self, Metric::ImpactRatio | Metric::SelectionDifference)
    }

    /// Whether it compares groups with a reference.
    pub fn compares_groups(self) -> bool {
        self != Metric::Accuracy
    }
}

impl LimitSource {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            LimitSource::Law => "law",
            LimitSource::Policy => "policy",
            LimitSource::Yardstick => "yardstick",
            LimitSource::System => "system",
        }
    }
}

impl Decimal {
    /// Reads digits with an optional sign and at most 12 places; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        let digits = whole.strip_prefix('-').unwrap_or(whole);
        let fits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if digits.is_empty()
            || digits.len() > 6
            || places.len() > 12
            || !fits(digits)
            || !fits(places)
        {
            return None;
        }
        let numerator = format!("{whole}{places}").parse().ok()?;
        Some(Decimal {
            text: text.to_owned(),
            numerator,
            scale: places.len() as u32,
        })
    }

    /// Its nearest double.
    pub fn value(&self) -> f64 {
        self.numerator as f64 / 10_f64.powi(self.scale as i32)
    }

    /// 1 divided by it, rounded down to four places; `None` for zero and below.
    pub fn reciprocal(&self) -> Option<Self> {
        let numerator = 10_i128
            .pow(self.scale + 4)
            .checked_div(i128::from(self.numerator))?;
        let (whole, places) = (numerator / 10_000, numerator % 10_000);
        if numerator <= 0 {
            return None;
        }
        let text = format!("{whole}.{places:04}");
        Decimal::parse(text.trim_end_matches('0').trim_end_matches('.'))
    }

    /// Exact order of two decimals.
    pub fn compare(&self, other: &Decimal) -> Ordering {
        let left = i128::from(self.numerator) * 10_i128.pow(other.scale);
        left.cmp(&(i128::from(other.numerator) * 10_i128.pow(self.scale)))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Policy {
    /// Every condition it states outside its requirements.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        let tests = self.tests.iter().map(|test| &test.when);
        tests.chain(&self.four_eyes)
    }

    /// Reads a policy pack.
    pub fn parse(file: &str, text: &str) -> Result<Self, ReadError> {
        let root = read::read(file, text)?;
        root.only(&[
            "schema",
            "id",
            "version",
            "title",
            "approved",
            "from",
            "known",
            "confidence_level",
            "min_group",
            "correction",
            "reference_min",
            "blocking",
            "four_eyes",
            "notes",
            "test",
            "requirement",
        ])?;
        root.need("schema")?.one_of(["alnager.policy/1"])?;
        if let Some(correction) = root.get("correction")? {
            correction.one_of(["holm"])?;
        }
        let approved = root.need("approved")?;
        approved.only(&["by", "role", "on", "note"])?;
        let level = root.need("confidence_level")?;
        let confidence = level.number()?;
        if !(0.5..1.0).contains(&confidence) {
            return Err(level.wrong("a confidence level lies between 0.5 and 1, such as 0.95"));
        }
        let size = |key: &str| {
            let node = root.need(key)?;
            u64::try_from(node.integer()?)
                .map_err(|_| node.wrong("a group size cannot be negative"))
        };
        let from = root.need("from")?.date()?;
        let known = root.need("known")?.date()?;
        let tests: Vec<PolicyTest> = root
            .need("test")?
            .list()?
            .iter()
            .map(test)
            .collect::<Result<_, _>>()?;
        Ok(Policy {
            id: root.need("id")?.words()?,
            version: root.need("version")?.words()?,
            approved_by: approved.need("by")?.words()?,
            approved_role: approved.need("role")?.words()?,
            approved_on: approved.need("on")?.date()?,
            from,
            known,
            confidence,
            min_group: size("min_group")?,
            reference_min: size("reference_min")?,
            blocking: root.get("blocking")?.map_or(Ok(Vec::new()), Node::texts)?,
            blocking_node: root.get("blocking")?.cloned(),
            four_eyes: root.get("four_eyes")?.map(Condition::read).transpose()?,
            tests,
            pack: Pack::of_policy(file, &root, from, known)?,
        })
    }

    /// Refuses what is listed as blocking and is no voluntary pack of the book: a misspelt name would block nothing, silently, and
    /// binding law blocks by itself.
    pub fn check_blocking(&self, book: &Book) -> Result<(), ReadError> {
        let Some(node) = &self.blocking_node else {
            return Ok(());
        };
        for id in &self.blocking {
            let voluntary = || book.packs().filter(|pack| !pack.binding);
            if book.packs().any(|pack| pack.binding && pack.id == *id) {
                return Err(node.wrong(format!(
                    "`{id}` is binding law, which blocks by itself; remove it from the list"
                )));
            }
            if !voluntary().any(|pack| pack.id == *id) {
                let hint = read::nearest(id, voluntary().map(|pack| pack.id.as_str()));
                return Err(node.wrong(format!("there is no voluntary pack `{id}`; {hint}")));
            }
        }
        Ok(())
    }

    /// Refuses a system's own limit that is looser than the policy's on either side; `node` is where it stands.
    pub fn check_stricter(&self, id: &str, own: &Limit, node: &Node) -> Result<(), ReadError> {
        let Some(test) = self.tests.iter().find(|test| test.id == id) else {
            let hint = read::nearest(id, self.tests.iter().map(|test| test.id.as_str()));
            return Err(node.wrong(format!("the policy has no test `{id}`; {hint}")));
        };
        if own.low.is_none() && own.high.is_none() {
            return Err(node.wrong("a limit needs `low`, `high` or both"));
        }
        let looser = |own: &Option<Decimal>, ours: &Option<Decimal>, order: Ordering| {
            own.as_ref()
                .zip(ours.as_ref())
                .is_some_and(|(own, ours)| own.compare(ours) == order)
        };
        if looser(&own.low, &test.limit.low, Ordering::Less)
            || looser(&own.high, &test.limit.high, Ordering::Greater)
        {
            let show = |limit: &Option<Decimal>| {
                limit.as_ref().map_or("none".to_owned(), Decimal::to_string)
            };
            return Err(node.wrong(format!(
                "a system may only be stricter than the policy, whose limits for `{id}` are {} to {}",
                show(&test.limit.low),
                show(&test.limit.high)
            )));
        }
        Ok(())
    }
}

impl PolicyTest {
    /// Takes a system's own limit where it is stricter; a looser one changes nothing. A stricter low end of a ratio is
    /// mirrored at the high end: which of two groups is called the reference must not matter.
    pub fn tighten(&mut self, own: &Limit) {
        let mirrored = own
            .low
            .as_ref()
            .filter(|_| self.metric == Metric::ImpactRatio)
            .and_then(Decimal::reciprocal);
        let mut changed = false;
        if let Some(low) = &own.low {
            changed |= tighten(&mut self.limit.low, low, Ordering::Greater);
        }
        for high in own.high.iter().chain(&mirrored) {
            changed |= tighten(&mut self.limit.high, high, Ordering::Less);
        }
        if changed {
            self.limit.source = LimitSource::System;
            self.limit.cite.clone_from(&own.cite);
        }
    }
}

/// Sets a bound to another one that lies on its stricter side; whether it did.
fn tighten(bound: &mut Option<Decimal>, own: &Decimal, stricter: Ordering) -> bool {
    let takes = bound
        .as_ref()
        .is_none_or(|bound| own.compare(bound) == stricter);
    if takes {
        *bound = Some(own.clone());
    }
    takes
}

/// Reads a decimal written as text.
pub fn decimal(node: &Node) -> Result<Decimal, ReadError> {
    let text = node.text()?;
    Decimal::parse(&text)
        .ok_or_else(|| node.wrong(format!("`{text}` is not a decimal such as \"0.80\"")))
}

fn test(node: &Node) -> Result<PolicyTest, ReadError> {
    node.only(&[
        "id", "what", "question", "metric", "group", "needs", "low", "high", "when", "source",
        "cite", "why",
    ])?;
    let metric = Metric::of(&node.need("metric")?.one_of(Metric::WORDS)?);
    let limit = Limit {
        low: node.get("low")?.map(decimal).transpose()?,
        high: node.get("high")?.map(decimal).transpose()?,
        source: match node
            .need("source")?
            .one_of(["law", "policy", "yardstick"])?
            .as_str()
        {
            "law" => LimitSource::Law,
            "policy" => LimitSource::Policy,
            _ => LimitSource::Yardstick,
        },
        cite: node.need("cite")?.words()?,
    };
    if limit.low.is_none() && limit.high.is_none() {
        return Err(node.wrong("a test needs `low`, `high` or both"));
    }
    if metric == Metric::ImpactRatio {
        let mirror = limit.low.as_ref().and_then(Decimal::reciprocal);
        let fits = |high: &Decimal| {
            mirror
                .as_ref()
                .is_none_or(|mirror| high.compare(mirror).is_le())
        };
        if !limit.high.as_ref().is_some_and(fits) {
            let mirror = mirror.map_or("1.25".to_owned(), |mirror| mirror.to_string());
            return Err(node.wrong(format!(
                "a ratio is limited on both sides, so that it does not matter which group is the reference; add `high = \"{mirror}\"` or less"
            )));
        }
    }
    if let (Some(low), Some(high)) = (&limit.low, &limit.high)
        && low.compare(high).is_gt()
    {
        return Err(node.wrong(format!("`low` {low} lies above `high` {high}")));
    }
    // Both fields are there for the reader; what they say must be true.
    if let Some(needs) = node.get("needs")? {
        needs.one_of([if metric.needs_label() {
            "label"
        } else {
            "decision"
        }])?;
    }
    if let Some(group) = node.get("group")? {
        group.one_of([if metric.compares_groups() {
            "each"
        } else {
            "overall"
        }])?;
    }
    Ok(PolicyTest {
        id: node.need("id")?.words()?,
        what: node.need("what")?.words()?,
        question: node.need("question")?.one_of(["bias", "performance"])?,
        metric,
        limit,
        when: Condition::read(node.need("when")?)?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_reciprocal_is_rounded_down() {
        let mirror = |text: &str| {
            Decimal::parse(text)
                .unwrap()
                .reciprocal()
                .map(|mirror| mirror.to_string())
        };
        assert_eq!(mirror("0.80").as_deref(), Some("1.25"));
        assert_eq!(mirror("0.9").as_deref(), Some("1.1111"));
        assert_eq!(mirror("0.5").as_deref(), Some("2"));
        assert_eq!(mirror("0"), None);
    }

    #[test]
    fn decimals_compare_exactly() {
        let order = |left: &str, right: &str| {
            Decimal::parse(left)
                .unwrap()
                .compare(&Decimal::parse(right).unwrap())
        };
        assert_eq!(order("0.80", "0.8"), Ordering::Equal);
        assert_eq!(order("-0.10", "0.1"), Ordering::Less);
        assert_eq!(order("1.25", "1.2499"), Ordering::Greater);
        assert!(Decimal::parse("1e3").is_none());
        assert!(Decimal::parse("").is_none());
        assert!(Decimal::parse("-").is_none());
    }
}
