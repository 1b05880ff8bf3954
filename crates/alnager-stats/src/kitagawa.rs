//! A gap between two rates, split into what different compositions and what different rates within strata make of it.
//!
//! Composition does not mean justified: who stands in which stratum may itself be the disadvantage.

use crate::stratified::Stratum;

/// The parts of a gap, see [`decompose`]; all in units of a rate, positive where they raise the group's.
#[derive(Debug, Clone, PartialEq)]
pub struct Kitagawa {
    /// The group's rate less the reference's, over the strata in which both have rows.
    pub gap: f64,
    /// What follows from the group's other distribution over the strata, at the average of both rates.
    pub composition: f64,
    /// What follows from other rates within the strata, at the average of both distributions.
    pub rate: f64,
    /// Each stratum's part of the composition and of the rate, in the order given; `None` for a stratum left out.
    pub by_stratum: Vec<Option<(f64, f64)>>,
    /// Rows in strata in which only one of the two has rows: no rate can be compared there, and they are left out.
    pub n_left_out: u64,
}

/// Kitagawa's decomposition of a gap between two rates over strata.
///
/// `None` if no stratum has rows of both.
///
/// Formula, with shares w and rates r of the strata, g the group and b the reference: composition Σ (w_g - w_b)(r_g + r_b)/2,
/// rate Σ (r_g - r_b)(w_g + w_b)/2; their sum is the gap Σ w_g·r_g - Σ w_b·r_b.
/// Source: Kitagawa 1955, Journal of the American Statistical Association 50, 1168-1194.
pub fn decompose(strata: &[Stratum]) -> Option<Kitagawa> {
    let is_common = |stratum: &&Stratum| stratum.group.n() > 0 && stratum.reference.n() > 0;
    let all = |n: fn(&Stratum) -> u64| -> u64 { strata.iter().filter(is_common).map(n).sum() };
    let (n_group, n_reference) = (
        all(|stratum| stratum.group.n()),
        all(|stratum| stratum.reference.n()),
    );
    if n_group == 0 {
        return None;
    }
    let (mut composition, mut rate) = (0.0, 0.0);
    let mut n_left_out = 0;
    let by_stratum: Vec<Option<(f64, f64)>> = strata
        .iter()
        .map(|stratum| {
            let Some((r_g, r_b)) = stratum.group.value().zip(stratum.reference.value()) else {
                n_left_out += stratum.group.n() + stratum.reference.n();
                return None;
            };
            let w_g = stratum.group.n() as f64 / n_group as f64;
            let w_b = stratum.reference.n() as f64 / n_reference as f64;
            let parts = (
                (w_g - w_b) * (r_g + r_b) / 2.0,
                (r_g - r_b) * (w_g + w_b) / 2.0,
            );
            composition += parts.0;
            rate += parts.1;
            Some(parts)
        })
        .collect();
    Some(Kitagawa {
        gap: composition + rate,
        composition,
        rate,
        by_stratum,
        n_left_out,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::proportion::Proportion;

    fn stratum([k_g, n_g, k_r, n_r]: [u64; 4]) -> Stratum {
        Stratum {
            group: Proportion::new(k_g, n_g).unwrap(),
            reference: Proportion::new(k_r, n_r).unwrap(),
        }
    }

    #[test]
    fn berkeley() {
        // Admissions by department (Bickel, Hammel and O'Connell 1975, Science 187, 398-404), women beside men; worked out by hand
        // with fractions in Python: the whole gap is one of composition, and within departments women are ahead.
        let strata = [
            [89, 108, 512, 825],
            [17, 25, 353, 560],
            [202, 593, 120, 325],
            [131, 375, 138, 417],
            [94, 393, 53, 191],
            [24, 341, 22, 373],
        ]
        .map(stratum);
        let found = decompose(&strata).unwrap();
        assert!((found.gap + 0.14164542824654186).abs() < 1e-12, "{found:?}");
        assert!(
            (found.composition + 0.1776739111522425).abs() < 1e-12,
            "{found:?}"
        );
        assert!(
            (found.rate - 0.03602848290570063).abs() < 1e-12,
            "{found:?}"
        );
        assert_eq!(found.n_left_out, 0);
    }

    #[test]
    fn a_stratum_of_one_side_is_left_out_and_counted() {
        let found = decompose(&[[1, 2, 1, 4], [3, 3, 0, 0]].map(stratum)).unwrap();
        assert_eq!((found.n_left_out, found.by_stratum[1]), (3, None));
        assert_eq!((found.gap, found.composition), (0.25, 0.0));
        assert_eq!(decompose(&[[1, 2, 0, 0], [0, 0, 1, 2]].map(stratum)), None);
        assert_eq!(decompose(&[]), None);
    }

    proptest! {
        #[test]
        fn the_parts_are_the_gap_and_turn_with_the_sides(cells in prop::collection::vec((0_u64..9, 1_u64..9, 0_u64..9, 1_u64..9), 1..6)) {
            let strata: Vec<Stratum> = cells.iter().map(|&(k_g, n_g, k_r, n_r)| stratum([k_g.min(n_g), n_g, k_r.min(n_r), n_r])).collect();
            let turned: Vec<Stratum> = strata.iter().map(|one| Stratum { group: one.reference, reference: one.group }).collect();
            let (found, turned) = (decompose(&strata).unwrap(), decompose(&turned).unwrap());
            let rate = |of: fn(&Stratum) -> Proportion| {
                let (k, n) = strata.iter().fold((0, 0), |sum, one| (sum.0 + of(one).k(), sum.1 + of(one).n()));
                k as f64 / n as f64
            };
            prop_assert!((found.gap - (rate(|one| one.group) - rate(|one| one.reference))).abs() < 1e-12);
            prop_assert!((found.composition + turned.composition).abs() < 1e-12);
            prop_assert!((found.rate + turned.rate).abs() < 1e-12);
        }
    }
}
