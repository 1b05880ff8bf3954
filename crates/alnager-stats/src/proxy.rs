//! Groups known by probability only: from surname and place of living ("BISG"), and rates made with them.
//!
//! A proxy says how common a group is among people of that name and place; it never says what one person
//! is. Rates made with it are estimates for a portfolio and not for a decision about anybody.

use crate::total::total;

/// The six categories, in the order of every array of this file.
///
/// Source: Consumer Financial Protection Bureau 2014, Using publicly available information to proxy for
/// unidentified race and ethnicity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// Hispanic, of any race.
    Hispanic,
    /// Non-Hispanic White.
    White,
    /// Non-Hispanic Black.
    Black,
    /// Non-Hispanic Asian or Pacific Islander.
    Api,
    /// Non-Hispanic American Indian or Alaska Native.
    Aian,
    /// Non-Hispanic, several races or another one.
    MultOther,
}

impl Category {
    /// Every category, in order.
    pub const ALL: [Category; 6] = [
        Category::Hispanic,
        Category::White,
        Category::Black,
        Category::Api,
        Category::Aian,
        Category::MultOther,
    ];

    /// The name used in figures, for example `mult_other`.
    pub fn name(self) -> &'static str {
        match self {
            Category::Hispanic => "hispanic",
            Category::White => "white",
            Category::Black => "black",
            Category::Api => "api",
            Category::Aian => "aian",
            Category::MultOther => "mult_other",
        }
    }

    /// The category with this name; `None` if there is none.
    pub fn from_name(name: &str) -> Option<Category> {
        Category::ALL
            .into_iter()
            .find(|category| category.name() == name)
    }
}

/// The probability of each category for one person; each 0..=1, together 1 but for rounding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Posterior([f64; 6]);

impl Posterior {
    /// The probability of each category, in the order of [`Category::ALL`].
    pub fn values(&self) -> [f64; 6] {
        self.0
    }

    /// The probability of one category.
    pub fn of(&self, category: Category) -> f64 {
        self.0[category as usize]
    }
}

/// The probability of each category given surname and place.
///
/// `given_name[r]` is the share of category r among people with the surname, `here_given[r]` the share of
/// all people of category r who live in the place; both finite and not negative, on any common scale.
/// `None` if one is not, or if every product is 0: name and place then exclude each other, or one of
/// them is not in the tables.
///
/// Formula: p(r|s,g) = p(r|s)·p(g|r) / Σ_r' p(r'|s)·p(g|r').
/// Source: Elliott et al. 2009, Health Services and Outcomes Research Methodology 9, 69-83.
pub fn posterior(given_name: [f64; 6], here_given: [f64; 6]) -> Option<Posterior> {
    let all = given_name.iter().chain(&here_given);
    if !all.clone().all(|&share| share >= 0.0 && share.is_finite()) {
        return None;
    }
    let products: [f64; 6] = std::array::from_fn(|r| given_name[r] * here_given[r]);
    let sum: f64 = products.iter().sum();
    (sum > 0.0 && sum.is_finite()).then(|| Posterior(products.map(|product| product / sum)))
}

/// Rates of selection by category, estimated with probabilities, see [`weighted_rates`].
#[derive(Debug, Clone, PartialEq)]
pub struct ProxyRates {
    /// The rate of each category, 0..=1; `None` if no person has a chance to belong to it.
    pub rates: [Option<f64>; 6],
    /// How many people of each category the probabilities add up to.
    pub n_expected: [f64; 6],
    /// The number of people in the rates.
    pub n_known: usize,
    /// The number of people without a posterior, who are left out.
    pub n_unknown: usize,
}

/// The share selected in each category, every person counting in each with their probability.
///
/// One entry per person: the posterior, if there is one, and whether they were selected. The estimate is
/// biased where selection depends on the category among people of the same name and place.
///
/// Formula: Σ w·selected / Σ w.
/// Source: Chen, Kallus, Mao, Svacha and Udell 2019, Fairness under unawareness (FAT*), 339-348.
pub fn weighted_rates(people: &[(Option<Posterior>, bool)]) -> ProxyRates {
    let known: Vec<([f64; 6], bool)> = people
        .iter()
        .filter_map(|&(posterior, selected)| Some((posterior?.values(), selected)))
        .collect();
    let weight = |r: usize, counts: fn(bool) -> bool| {
        total(
            known
                .iter()
                .filter(|person| counts(person.1))
                .map(|person| person.0[r]),
        )
    };
    let n_expected = std::array::from_fn(|r| weight(r, |_| true));
    let rate = |r: usize| {
        let selected = weight(r, |selected| selected);
        (n_expected[r] > 0.0).then(|| (selected / n_expected[r]).min(1.0))
    };
    ProxyRates {
        rates: std::array::from_fn(rate),
        n_expected,
        n_known: known.len(),
        n_unknown: people.len() - known.len(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
