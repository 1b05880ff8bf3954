//! Decisions of more than two classes: the share of each class by group, and ratios to the reference.

use alnager_stats::category;
use alnager_stats::compare;
use alnager_stats::contingency::{self, Table};
use alnager_stats::proportion::{self, Proportion};
use serde_json::{Map, Value, json};

use crate::catalogue::{put, put_p};
use crate::figures::{interval, number};
use crate::texts::{Texts, cross};
use crate::words;

/// What is asked of the classes of a column, by group.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The class of each row.
    pub classes: &'a Texts,
    /// The group of each row.
    pub groups: &'a Texts,
    /// The group compared with.
    pub reference: &'a str,
    /// The classes in their order, so that "this one or one before it" has a meaning; `None` where they have none. It may hold
    /// classes without rows.
    pub order: Option<&'a [String]>,
    /// The confidence of every interval, 0..1.
    pub confidence: f64,
}

/// Counts, shares and ratios by group and class; `null` is undefined. Rows of unknown group or class are left out and counted.
///
/// `None` if the reference is no group, if a class of the data is not in the order, or if counts or confidence are out of range.
pub fn figures(asked: &Asked) -> Option<Value> {
    let z = proportion::z_for(asked.confidence)?;
    let names: &[String] = asked.order.unwrap_or(asked.classes.values());
    let (table, n_left_out) = counted(asked, names)?;
    let mut figures = Map::new();
    figures.insert("category".to_owned(), json!(asked.classes.column()));
    figures.insert("attr".to_owned(), json!(asked.groups.column()));
    figures.insert("reference".to_owned(), json!(asked.reference));
    figures.insert("order".to_owned(), json!(asked.order));
    figures.insert("n".to_owned(), json!(table.n()));
    figures.insert("n_left_out".to_owned(), json!(n_left_out));
    let by_group = |of: &dyn Fn(usize) -> Option<Vec<Value>>| {
        let groups = asked.groups.values().iter().enumerate();
        let figures = groups.map(|(at, group)| Some((group.clone(), by_class(names, of(at)?))));
        figures.collect::<Option<Map<_, _>>>().map(Value::Object)
    };
    let counts =
        by_group(&|group| Some(table.rows().get(group)?.iter().map(|n| json!(n)).collect()));
    figures.insert("counts".to_owned(), counts?);
    let compare = Compare {
        table: &table,
        reference: asked.groups.position(asked.reference)?,
        z,
    };
    compare.put(&mut figures, SHARES, category::shares, &by_group)?;
    if asked.order.is_some() {
        compare.put(
            &mut figures,
            CUMULATIVE,
            category::cumulative_shares,
            &by_group,
        )?;
    }
    let spreads = category::class_spreads(&table).into_iter();
    let spreads = spreads.map(|spread| number(spread.map(|spread| spread.difference)));
    let spreads = by_class(names, spreads.collect());
    figures.insert("statistical_parity_max_per_class".to_owned(), spreads);
    put_tests(&mut figures, &table);
    Some(Value::Object(figures))
}

/// Members for the share of each class, its interval, its ratio to the reference's, and that one's interval.
const SHARES: [&str; 4] = [
    "share",
    "share_ci_wilson",
    "ratio_vs_reference",
    "ratio_ci_katz",
];

/// The same of each class or one before it.
const CUMULATIVE: [&str; 4] = [
    "cumulative_share",
    "cumulative_share_ci_wilson",
    "cumulative_ratio_vs_reference",
    "cumulative_ratio_ci_katz",
];

/// Rows by group and class, the classes as they are named; and the rows left out. `None` if a class is not named.
fn counted(asked: &Asked, names: &[String]) -> Option<(Table, u64)> {
    let place = |class: &String| names.iter().position(|name| name == class);
    let places = asked.classes.values().iter().map(place);
    let places: Vec<usize> = places.collect::<Option<_>>()?;
    let (counts, n_left_out) = cross(asked.groups, asked.classes);
    let in_order = |counts: &Vec<u64>| {
        let mut ordered = vec![0; names.len()];
        for (at, count) in places.iter().zip(counts) {
            ordered[*at] += count;
        }
        ordered
    };
    let table = Table::new(counts.iter().map(in_order).collect())?;
    Some((table, n_left_out))
}

/// Whether chance explains the differences.
fn put_tests(figures: &mut Map<String, Value>, table: &Table) {
    let chi2 = contingency::chi2(table);
    put(figures, "chi2", chi2.map(|test| test.statistic));
    put_p(figures, "chi2", chi2.map(|test| test.p));
    figures.insert("df".to_owned(), json!(chi2.map(|test| test.df)));
    put(figures, "cramers_v", contingency::cramers_v(table));
    let expected = contingency::min_expected_count(table);
    put(figures, "min_expected_count", expected);
}

fn by_class(names: &[String], values: Vec<Value>) -> Value {
    Value::Object(names.iter().cloned().zip(values).collect())
}

/// Lays out the values of each class for every group.
type ByGroup<'a> = dyn Fn(&dyn Fn(usize) -> Option<Vec<Value>>) -> Option<Value> + 'a;

struct Compare<'a> {
    table: &'a Table,
    reference: usize,
    z: f64,
}

impl Compare<'_> {
    /// Shares and their ratios to the reference, each with its interval, under four names.
    fn put(
        &self,
        figures: &mut Map<String, Value>,
        names: [&str; 4],
        shares: fn(&Table, usize) -> Option<Vec<Proportion>>,
        by_group: &ByGroup,
    ) -> Option<()> {
        let reference = shares(self.table, self.reference)?;
        let each = |of: &dyn Fn(Proportion, Proportion) -> Value| {
            by_group(&|group| {
                let pairs = shares(self.table, group)?.into_iter().zip(&reference);
                Some(pairs.map(|(ours, theirs)| of(ours, *theirs)).collect())
            })
        };
        let values = [
            each(&|ours, _| number(ours.value()))?,
            each(&|ours, _| interval(proportion::wilson(ours, self.z)))?,
            each(&|ours, theirs| number(compare::ratio(ours, theirs)))?,
            each(&|ours, theirs| interval(compare::ratio_katz(ours, theirs, self.z)))?,
        ];
        for (name, value) in names.into_iter().zip(values) {
            figures.insert(name.to_owned(), value);
        }
        Some(())
    }
}

/// The figures in words.
pub fn words(figures: &Value) -> String {
    let reference = figures["reference"].as_str().unwrap_or_default();
    let attribute = figures["attr"].as_str().unwrap_or_default();
    let groups = words::keys(&figures["counts"]);
    let classes = groups
        .first()
        .map(|group| words::keys(&figures["counts"][group]))
        .unwrap_or_default();
    let table = |title: &str, name: &str| {
        let row = |group: &&str| {
            let cells = classes
                .iter()
                .map(|class| words::figure(&figures[name][group][class]));
            std::iter::once((*group).to_owned()).chain(cells).collect()
        };
        let rows: Vec<Vec<String>> = groups.iter().map(row).collect();
        let header: Vec<&str> = std::iter::once(attribute)
            .chain(classes.iter().copied())
            .collect();
        format!("{title}\n{}", words::grid(&header, &rows))
    };
    let mut parts = vec![
        table("People", "counts"),
        table("Share of the group", "share"),
        table(
            &format!("Share over that of {reference}"),
            "ratio_vs_reference",
        ),
    ];
    if figures["order"].is_array() {
        parts.push(table(
            "Share in this class or one before it",
            "cumulative_share",
        ));
        parts.push(table(
            &format!("The same over that of {reference}"),
            "cumulative_ratio_vs_reference",
        ));
    }
    parts.push(format!(
        "Chi-square {} with {} degrees of freedom, p {}; Cramér's V {}; smallest expected count {}.",
        words::figure(&figures["chi2"]),
        words::figure(&figures["df"]),
        words::p(figures, ["chi2_p", "chi2_log10_p"]),
        words::figure(&figures["cramers_v"]),
        words::figure(&figures["min_expected_count"]),
    ));
    format!(
        "{}{}",
        parts.join("\n\n"),
        words::left_out(figures, "group or class unknown")
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asked(order: Option<&[String]>) -> Option<Value> {
        let classes = Texts::of_rows("band", &["low", "high", "low", "low", "", "mid"]);
        let groups = Texts::of_rows("g", &["a", "a", "b", "b", "b", "b"]);
        let asked = Asked {
            classes: &classes,
            groups: &groups,
            reference: "b",
            order,
            confidence: 0.95,
        };
        figures(&asked)
    }

    #[test]
    fn shares_and_ratios_by_class() {
        let order = ["low", "mid", "high", "top"].map(str::to_owned);
        let figures = asked(Some(&order)).unwrap();
        assert_eq!(figures["n_left_out"], json!(1));
        assert_eq!(
            figures["counts"]["b"],
            json!({"low": 2, "mid": 1, "high": 0, "top": 0})
        );
        assert_eq!(figures["share"]["a"]["low"], json!(0.5));
        assert_eq!(figures["ratio_vs_reference"]["a"]["low"], json!(0.75));
        assert_eq!(figures["ratio_vs_reference"]["a"]["high"], Value::Null);
        assert_eq!(figures["cumulative_share"]["a"]["mid"], json!(0.5));
        assert_eq!(
            figures["cumulative_ratio_vs_reference"]["b"]["top"],
            json!(1.0)
        );
        assert_eq!(figures["df"], json!(2));
        assert!(words(&figures).contains("1 row is left out"));
    }

    #[test]
    fn without_an_order_nothing_is_cumulative() {
        let figures = asked(None).unwrap();
        assert!(figures.get("cumulative_share").is_none());
        assert_eq!(figures["order"], Value::Null);
        assert!(asked(Some(&["low".to_owned()])).is_none());
    }
}
