//! p-values adjusted for the number of comparisons made.
//!
//! One input per comparison, one output in the same place. `None`, and anything that is no
//! probability (NaN, below 0, above 1), is a comparison that could not be made: it stays `None` and
//! is not counted as a test. Group order changes nothing: equal inputs have equal outputs.

/// Bonferroni: each p times the number of tests, at most 1.
///
/// Bounds the chance of any false alarm in the family.
///
/// Formula: min(1, m·p).
/// Source: Dunn 1961, Journal of the American Statistical Association 56, 52-64.
pub fn bonferroni(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let m = ranked(p).len() as f64;
    p.iter()
        .map(|&p| p.filter(is_probability).map(|p| (m * p).min(1.0)))
        .collect()
}

/// Holm's step-down adjustment: never larger than [`bonferroni`], with the same guarantee.
///
/// Formula: with p(1) <= … <= p(m), the largest of (m-j+1)·p(j) over j <= i, at most 1.
/// Source: Holm 1979, Scandinavian Journal of Statistics 6, 65-70.
pub fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let ranked = ranked(p);
    let m = ranked.len();
    let mut adjusted = vec![None; p.len()];
    let mut largest: f64 = 0.0;
    for (rank, &(place, p)) in ranked.iter().enumerate() {
        largest = largest.max((m - rank) as f64 * p).min(1.0);
        adjusted[place] = Some(largest);
    }
    adjusted
}

/// Benjamini and Hochberg's step-up adjustment: bounds the expected share of false alarms among
/// the alarms, for independent or positively dependent tests.
///
/// Formula: with p(1) <= … <= p(m), the smallest of m/j·p(j) over j >= i, at most 1.
/// Source: Benjamini and Hochberg 1995, Journal of the Royal Statistical Society B 57, 289-300.
pub fn benjamini_hochberg(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let ranked = ranked(p);
    let m = ranked.len() as f64;
    let mut adjusted = vec![None; p.len()];
    let mut smallest: f64 = 1.0;
    for (rank, &(place, p)) in ranked.iter().enumerate().rev() {
        // m/j >= 1, but the quotient may round below p.
        smallest = smallest.min((m * p / (rank + 1) as f64).max(p));
        adjusted[place] = Some(smallest);
    }
    adjusted
}

/// The tests that could be made, as (place, p), smallest p first.
fn ranked(p: &[Option<f64>]) -> Vec<(usize, f64)> {
    let mut tests: Vec<(usize, f64)> = p
        .iter()
        .enumerate()
        .filter_map(|(place, &p)| Some((place, p.filter(is_probability)?)))
        .collect();
    tests.sort_by(|a, b| a.1.total_cmp(&b.1));
    tests
}

fn is_probability(p: &f64) -> bool {
    (0.0..=1.0).contains(p)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
