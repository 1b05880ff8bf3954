//! Sums of many numbers.

/// The sum of finite numbers, as exact as if it had been made with twice the digits and rounded once;
/// so the order of the terms does not show at 1e-15.
///
/// Source: Neumaier 1974, Zeitschrift für Angewandte Mathematik und Mechanik 54, 39-51.
pub(crate) fn total(terms: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0);
    for term in terms {
        let next = sum + term;
        lost += if sum.abs() >= term.abs() {
            (sum - next) + term
        } else {
            (term - next) + sum
        };
        sum = next;
    }
    sum + lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_terms_between_large_ones_are_kept() {
        assert_eq!(total([1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(total([]), 0.0);
        assert_eq!(total([0.1; 10]), 1.0);
    }
}
