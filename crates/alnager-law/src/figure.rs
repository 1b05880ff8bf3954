//! Figures a text sets: periods, frequencies and limits, so that the strictest of several laws can be named.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use crate::read::{self, Node, ReadError};

/// A figure a requirement sets, such as "keep the logs for at least 6 months".
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The kind of figure, from `packs/figures.toml`.
    pub kind: String,
    /// Which way the figure binds.
    pub bound: Bound,
    /// How much.
    pub amount: Amount,
    /// The source.
    pub cite: String,
}

/// Which way a figure binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// No less than this.
    AtLeast,
    /// No more than this.
    AtMost,
}

/// How much: a number and its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Amount {
    /// The number; finite, not negative.
    pub number: f64,
    /// Its unit.
    pub unit: Unit,
}

/// What an amount is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Hours.
    Hours,
    /// Calendar days.
    Days,
    /// Working days of a calendar: never compared with calendar days.
    BusinessDays,
    /// Months.
    Months,
    /// Years.
    Years,
    /// A plain number.
    One,
}

/// A kind of figure: what it measures, and which way is stricter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureKind {
    /// The title.
    pub title: String,
    /// Whether the larger figure is the stricter one.
    pub larger_is_stricter: bool,
}

impl Bound {
    /// The words used in files and on the screen.
    pub fn words(self) -> &'static str {
        match self {
            Bound::AtLeast => "at least",
            Bound::AtMost => "at most",
        }
    }
}

impl Figure {
    /// In words, such as `at least 6 months`.
    pub fn words(&self) -> String {
        format!("{} {}", self.bound.words(), self.amount)
    }
}

impl Amount {
    /// Reads `6 months`, `10 business days` or `0.02`.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, unit) = match text.trim().split_once(' ') {
            None => (text.trim(), Unit::One),
            Some((number, unit)) => (
                number,
                match unit.trim() {
                    "hours" | "hour" => Unit::Hours,
                    "days" | "day" => Unit::Days,
                    "business days" | "business day" => Unit::BusinessDays,
                    "months" | "month" => Unit::Months,
                    "years" | "year" => Unit::Years,
                    _ => return None,
                },
            ),
        };
        let number: f64 = number.parse().ok()?;
        (number.is_finite() && number >= 0.0).then_some(Amount { number, unit })
    }

    /// Which of two amounts is larger; `None` where calendars decide: a month against 30 days, working against calendar days, hours
    /// against days (a period in days rolls over a weekend, one in hours does not).
    pub fn compare(self, other: Self) -> Option<Ordering> {
        let (shortest, longest) = self.days()?;
        let (other_shortest, other_longest) = other.days()?;
        if self.unit == other.unit {
            return self.number.partial_cmp(&other.number);
        }
        if (self.unit == Unit::One) != (other.unit == Unit::One)
            || (self.unit == Unit::BusinessDays) != (other.unit == Unit::BusinessDays)
            || (self.unit == Unit::Hours) != (other.unit == Unit::Hours)
        {
            return None;
        }
        if let (Some(months), Some(other_months)) = (self.months(), other.months()) {
            return months.partial_cmp(&other_months);
        }
        if longest < other_shortest {
            Some(Ordering::Less)
        } else if shortest > other_longest {
            Some(Ordering::Greater)
        } else if shortest == longest && other_shortest == other_longest {
            shortest.partial_cmp(&other_shortest)
        } else {
            None
        }
    }

    fn months(self) -> Option<f64> {
        match self.unit {
            Unit::Months => Some(self.number),
            Unit::Years => Some(12.0 * self.number),
            _ => None,
        }
    }

    /// The shortest and the longest number of days this can be: a month has 28 to 31 days, a year 365 or 366.
    fn days(self) -> Option<(f64, f64)> {
        Some(match self.unit {
            Unit::Hours => (self.number / 24.0, self.number / 24.0),
            Unit::Days | Unit::BusinessDays | Unit::One => (self.number, self.number),
            Unit::Months => (28.0 * self.number, 31.0 * self.number),
            Unit::Years => (365.0 * self.number, 366.0 * self.number),
        })
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Hours => "hour",
            Unit::Days => "day",
            Unit::BusinessDays => "business day",
            Unit::Months => "month",
            Unit::Years => "year",
            Unit::One => return write!(f, "{}", self.number),
        };
        let plural = if self.number == 1.0 { "" } else { "s" };
        write!(f, "{} {unit}{plural}", self.number)
    }
}

/// Reads one `figures = [{ … }]` of a requirement.
pub(crate) fn figure(node: &Node) -> Result<Figure, ReadError> {
    node.only(&["kind", "at_least", "at_most", "cite"])?;
    let (bound, field) = match (node.get("at_least")?, node.get("at_most")?) {
        (Some(field), None) => (Bound::AtLeast, field),
        (None, Some(field)) => (Bound::AtMost, field),
        _ => return Err(node.wrong("a figure needs one of `at_least` and `at_most`")),
    };
    let text = field.words()?;
    let amount = Amount::parse(&text).ok_or_else(|| {
        field.wrong(format!(
            "`{text}` is not an amount; write a number, or a number of hours, days, business days, months or years, such as `6 months`"
        ))
    })?;
    Ok(Figure {
        kind: node.need("kind")?.words()?,
        bound,
        amount,
        cite: node.need("cite")?.words()?,
    })
}

/// Reads `packs/figures.toml`: the kinds by id.
pub fn kinds(file: &str, text: &str) -> Result<BTreeMap<String, FigureKind>, ReadError> {
    let root = read::read(file, text)?;
    root.only(&["schema", "version", "kind"])?;
    root.need("schema")?.one_of(["alnager.figures/1"])?;
    let mut kinds = BTreeMap::new();
    for field in root.need("kind")?.table()? {
        field.node.only(&["title", "stricter"])?;
        let stricter = field.node.need("stricter")?;
        let larger_is_stricter = matches!(
            stricter
                .one_of(["longer", "shorter", "higher", "lower"])?
                .as_str(),
            "longer" | "higher"
        );
        kinds.insert(
            field.key.clone(),
            FigureKind {
                title: field.node.need("title")?.words()?,
                larger_is_stricter,
            },
        );
    }
    Ok(kinds)
}

/// Adds the kinds a pack brings along; the same thing said twice is one, two definitions of one id are an error.
pub fn merge(
    kinds: &mut BTreeMap<String, FigureKind>,
    file: &str,
    other: BTreeMap<String, FigureKind>,
) -> Result<(), ReadError> {
    for (id, kind) in other {
        match kinds.get(&id) {
            Some(known) if *known != kind => return Err(read::clash(file, &id)),
            Some(_) => {}
            None => drop(kinds.insert(id, kind)),
        }
    }
    Ok(())
}

/// The strictest of several figures of one kind, as positions; several where they are equal. `None` where two of them cannot be
/// compared, or bind opposite ways.
pub fn strictest(figures: &[&Figure], larger_is_stricter: bool) -> Option<Vec<usize>> {
    let first = figures.first()?;
    let mut best = vec![0];
    for (at, figure) in figures.iter().enumerate().skip(1) {
        if figure.bound != first.bound {
            return None;
        }
        let order = figure.amount.compare(figures[best[0]].amount)?;
        let stricter = match order {
            Ordering::Equal => {
                best.push(at);
                continue;
            }
            Ordering::Greater => larger_is_stricter,
            Ordering::Less => !larger_is_stricter,
        };
        if stricter {
            best = vec![at];
        }
    }
    Some(best)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn check(one: &str, other: &str, want: Option<Ordering>) {
        let read = |text| Amount::parse(text).expect("an amount");
        assert_eq!(read(one).compare(read(other)), want, "{one} to {other}");
        let turned = want.map(Ordering::reverse);
        assert_eq!(read(other).compare(read(one)), turned, "{other} to {one}");
    }

    #[test]
    fn amounts_compare_only_where_no_calendar_decides() {
        check("6 months", "1 year", Some(Ordering::Less));
        check("24 months", "2 years", Some(Ordering::Equal));
        check("24 hours", "72 hours", Some(Ordering::Less));
        check("72 hours", "3 days", None);
        check("72 hours", "2 days", None);
        check("30 days", "1 month", None);
        check("45 days", "1 month", Some(Ordering::Greater));
        check("10 business days", "10 days", None);
        check("10 business days", "30 business days", Some(Ordering::Less));
        check("0.02", "0.05", Some(Ordering::Less));
        check("5", "5 days", None);
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "soon", "-3 days", "3 weeks", "inf", "NaN days"] {
            assert_eq!(Amount::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_strictest_is_named_or_nobody() {
        let figure = |bound, text| Figure {
            kind: "log_retention".to_owned(),
            bound,
            amount: Amount::parse(text).expect("an amount"),
            cite: String::new(),
        };
        let of = |figures: &[Figure]| strictest(&figures.iter().collect::<Vec<_>>(), true);
        use Bound::{AtLeast, AtMost};
        let six = figure(AtLeast, "6 months");
        assert_eq!(
            of(&[
                six.clone(),
                figure(AtLeast, "3 years"),
                figure(AtLeast, "36 months")
            ]),
            Some(vec![1, 2])
        );
        assert_eq!(of(&[six.clone(), figure(AtMost, "1 year")]), None);
        assert_eq!(of(&[six, figure(AtLeast, "180 days")]), None);
        assert_eq!(of(&[]), None);
    }
}
