//! Race and ethnicity by surname and place (BISG): the probability of each category, and rates weighted with it.

use alnager_stats::proportion;
use alnager_stats::proxy::{Category, Posterior, posterior};
use alnager_stats::weighted::{self, Weighted};
use serde_json::{Map, Value, json};

use crate::figures::{interval, number};
use crate::words;

/// People by surname and place.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Of each category in the order of [`Category::ALL`]: its share among people with the surname, one number a row.
    pub given_name: [&'a [f64]; 6],
    /// Of each category: the share of all its people who live in the place, one number a row.
    pub here_given: [&'a [f64]; 6],
    /// Whether each person's decision was favourable, `None` where it is unknown.
    pub favourable: Option<&'a [Option<bool>]>,
    /// The category compared with.
    pub reference: Category,
    /// The confidence of every interval, 0..1.
    pub confidence: f64,
}

/// The column of a category's share among people with the surname.
pub fn name_column(category: Category) -> String {
    format!("name_{}", category.name())
}

/// The column of the share of a category's people who live in the place.
pub fn here_column(category: Category) -> String {
    format!("here_given_{}", category.name())
}

/// Every person's probabilities, and what follows from them; `null` where name and place tell nothing, or exclude each other.
///
/// `None` if the columns differ in length.
pub fn figures(asked: &Asked) -> Option<Value> {
    let n_rows = asked.given_name[0].len();
    let mut columns = asked.given_name.iter().chain(&asked.here_given);
    if columns.any(|column| column.len() != n_rows)
        || asked.favourable.is_some_and(|rows| rows.len() != n_rows)
    {
        return None;
    }
    let at = |columns: &[&[f64]; 6], row: usize| columns.map(|column| column[row]);
    let known: Vec<Option<Posterior>> = (0..n_rows)
        .map(|row| posterior(at(&asked.given_name, row), at(&asked.here_given, row)))
        .collect();
    let n_known = known.iter().flatten().count();
    let expected = |category: Category| {
        known
            .iter()
            .flatten()
            .map(|person| person.of(category))
            .sum::<f64>()
    };
    let mut figures = Map::new();
    figures.insert(
        "formula".to_owned(),
        json!("p(r|s,g) = p(r|s) p(g|r) / sum_r' p(r'|s) p(g|r'); p(g|r)=here_given_r"),
    );
    figures.insert("n".to_owned(), json!(n_known));
    figures.insert("n_left_out".to_owned(), json!(n_rows - n_known));
    figures.insert(
        "n_expected".to_owned(),
        by_category(|category| number(Some(expected(category)))),
    );
    if let Some(favourable) = asked.favourable {
        figures.insert("rates".to_owned(), rates(asked, &known, favourable));
    }
    let row = |row: usize| {
        let mut members = Map::new();
        for (at, category) in Category::ALL.into_iter().enumerate() {
            members.insert(
                name_column(category),
                number(Some(asked.given_name[at][row])),
            );
        }
        for (at, category) in Category::ALL.into_iter().enumerate() {
            members.insert(
                here_column(category),
                number(Some(asked.here_given[at][row])),
            );
        }
        for category in Category::ALL {
            let value = known[row].map(|person| person.of(category));
            members.insert(format!("bisg_{}", category.name()), number(value));
        }
        Value::Object(members)
    };
    figures.insert("rows".to_owned(), (0..n_rows).map(row).collect());
    Some(Value::Object(figures))
}

fn by_category(of: impl Fn(Category) -> Value) -> Value {
    Value::Object(
        Category::ALL
            .into_iter()
            .map(|category| (category.name().to_owned(), of(category)))
            .collect(),
    )
}

/// The rate of favourable decisions by category, everybody counting in each with their probability.
fn rates(asked: &Asked, known: &[Option<Posterior>], favourable: &[Option<bool>]) -> Value {
    let z = proportion::z_for(asked.confidence).unwrap_or(proportion::Z95);
    let people: Vec<(Posterior, bool)> = known
        .iter()
        .zip(favourable)
        .filter_map(|(person, favourable)| Some(((*person)?, (*favourable)?)))
        .collect();
    let share = |category: Category| {
        let rows: Vec<(f64, bool)> = people
            .iter()
            .map(|(person, favourable)| (person.of(category), *favourable))
            .collect();
        Weighted::from_rows(&rows).ok()
    };
    let reference = share(asked.reference);
    let of_category = |category: Category| {
        let ours = share(category);
        let both = ours.zip(reference).filter(|_| category != asked.reference);
        let mut figures = json!({
            "rate": number(ours.and_then(Weighted::value)),
            "effective_n": number(ours.and_then(Weighted::effective_n)),
            "ci_wilson_effective": interval(ours.and_then(|ours| weighted::wilson(ours, z))),
        });
        if let Some(members) = figures
            .as_object_mut()
            .filter(|_| category != asked.reference)
        {
            let ratio = both.and_then(|(ours, theirs)| weighted::ratio(ours, theirs));
            members.insert("impact_ratio".to_owned(), number(ratio));
            let katz = both.and_then(|(ours, theirs)| weighted::ratio_katz(ours, theirs, z));
            members.insert("ratio_ci_katz_effective".to_owned(), interval(katz));
        }
        figures
    };
    json!({
        "reference": asked.reference.name(),
        "n": people.len(),
        "n_left_out": known.len() - people.len(),
        "by_category": by_category(of_category),
    })
}

/// The figures in words.
pub fn words(figures: &Value) -> String {
    let rates = figures.get("rates");
    let row = |category: &&str| {
        let mut cells = vec![
            (*category).to_owned(),
            words::figure(&figures["n_expected"][category]),
        ];
        if let Some(rates) = rates {
            let of_category = &rates["by_category"][category];
            cells.push(words::figure(&of_category["rate"]));
            cells.push(words::figure(&of_category["ci_wilson_effective"]));
            cells.push(match of_category.get("impact_ratio") {
                None => "reference".to_owned(),
                Some(ratio) => words::figure(ratio),
            });
            cells.push(
                of_category
                    .get("ratio_ci_katz_effective")
                    .map(words::figure)
                    .unwrap_or_default(),
            );
        }
        cells
    };
    let header: &[&str] = match rates {
        Some(_) => &[
            "",
            "expected people",
            "favourable",
            "interval",
            "ratio",
            "interval",
        ],
        None => &["", "expected people"],
    };
    let rows: Vec<Vec<String>> = words::keys(&figures["n_expected"])
        .iter()
        .map(row)
        .collect();
    let caution = match rates {
        Some(rates) => format!(
            "\nRates of {} people; each counts in every category with their probability. Such a rate is biased where, among people of \
            the same name and place, the decision depends on the category. Intervals take the effective number of people.",
            rates["n"]
        ),
        None => String::new(),
    };
    format!(
        "{} people estimated by surname and place.\n{}{caution}{}",
        figures["n"],
        words::grid(header, &rows),
        words::left_out(
            figures,
            "a share is missing, or name and place exclude each other"
        ),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn probabilities_and_weighted_rates() {
        let name: [&[f64]; 6] = [
            &[0.5, 0.0, 1.0],
            &[0.5, 1.0, 0.0],
            &[0.0; 3],
            &[0.0; 3],
            &[0.0; 3],
            &[0.0; 3],
        ];
        let here: [&[f64]; 6] = [
            &[0.003, 0.1, 0.0],
            &[0.001, 0.2, 0.5],
            &[0.1; 3],
            &[0.1; 3],
            &[0.1; 3],
            &[0.1; 3],
        ];
        let asked = Asked {
            given_name: name,
            here_given: here,
            favourable: Some(&[Some(true), Some(false), Some(true)]),
            reference: Category::White,
            confidence: 0.95,
        };
        let figures = figures(&asked).unwrap();
        assert_eq!(figures["rows"][0]["bisg_hispanic"], json!(0.75));
        assert_eq!(figures["rows"][1]["bisg_white"], json!(1.0));
        assert_eq!(figures["rows"][2]["bisg_white"], Value::Null);
        assert_eq!(figures["rows"][0]["name_white"], json!(0.5));
        assert_eq!(figures["n_left_out"], json!(1));
        assert_eq!(figures["n_expected"]["white"], json!(1.25));
        let rates = &figures["rates"]["by_category"];
        assert_eq!(
            (&rates["white"]["rate"], &rates["hispanic"]["rate"]),
            (&json!(0.2), &json!(1.0))
        );
        assert_eq!(rates["black"]["rate"], Value::Null);
        assert_eq!(rates["hispanic"]["impact_ratio"], json!(5.0));
        assert!(words(&figures).contains("biased"));
        let minus = [-0.0; 3];
        let zeros = Asked {
            given_name: [name[0], name[1], &minus, &minus, &minus, &minus],
            ..asked
        };
        assert!(!super::figures(&zeros).unwrap().to_string().contains("-0.0"));
        let short = Asked {
            favourable: Some(&[None]),
            ..asked
        };
        assert!(super::figures(&short).is_none());
    }
}
