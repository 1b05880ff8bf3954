//! Reference values from SciPy 1.x (`scipy.spatial.distance.jensenshannon`, `chi2_contingency`, `chi2.ppf`, `ks_2samp`) and from
//! counting all orders by hand.

use super::*;
use crate::random::Random;

fn counts(reference: &[u64], current: &[u64]) -> Counts {
    Counts::new(reference, current).expect("counts of two sides")
}

fn sample(values: &[f64]) -> Sample {
    Sample::from_counts(values.iter().map(|value| (*value, 1))).expect("finite")
}

#[track_caller]
fn near(got: f64, want: f64) {
    assert!(
        (got - want).abs() <= 1e-11 * want.abs().max(1e-3),
        "{got} is not {want}"
    );
}

#[test]
fn categories_agree_with_scipy() {
    let counts = counts(&[120, 340, 90, 50], &[80, 400, 60, 110]);
    near(jensen_shannon(&counts).distance, 0.1521382823323019);
    near(total_variation(&counts), 0.13461538461538464);
    let (test, min_expected) = chi2(&counts).expect("a table");
    near(test.statistic, 39.42794958419958);
    near(test.p.value, 1.4086242643193023e-08);
    assert_eq!((test.df, min_expected), (3, 72.0));
    let psi = psi(&counts, 0.05).expect("four bins");
    near(psi.value, 0.130225895918819);
    near(psi.critical, 0.02504720481811275);
    near(psi.p.value, 7.832296268731313e-09);
}

#[test]
fn critical_values_agree_with_scipy() {
    for (df, alpha, want) in [
        (1.0, 0.05, 3.841458820694124),
        (9.0, 0.05, 16.918977604620448),
        (9.0, 0.001, 27.877164871256568),
        (49.0, 0.01, 74.91947430847816),
    ] {
        near(chi2_critical(df, alpha).expect("a level"), want);
    }
    assert_eq!(chi2_critical(3.0, 0.0), None);
}

#[test]
fn few_scores_are_compared_exactly() {
    let x = sample(&[0.1, 0.35, 0.62, 0.71, 0.9, 1.4, 2.2]);
    let y = sample(&[0.05, 0.2, 0.3, 0.33, 0.5, 0.52, 0.6, 0.65, 0.8, 0.85]);
    let (test, method) = kolmogorov_smirnov(&x, &y).expect("two samples");
    near(test.d, 0.42857142857142855);
    near(test.p.value, 0.3206499382969971);
    assert_eq!(method, KsMethod::Exact);
    near(
        score::wasserstein(&x, &y).expect("a distance"),
        0.42571428571428577,
    );
    let squares: Vec<f64> = (1..=40).map(|i| f64::from(i * i) * 0.013 + 0.001).collect();
    let steps: Vec<f64> = (1..=60).map(|i| f64::from(i) * 0.31 + 0.0005).collect();
    let (test, _) = kolmogorov_smirnov(&sample(&squares), &sample(&steps)).expect("two samples");
    near(test.d, 0.23333333333333334);
    near(test.p.value, 0.13155488423493572);
}

#[test]
fn ties_are_counted_as_they_are() {
    // All 462 ways to choose five of the eleven: 102 have a gap of one half or more.
    let x = sample(&[1.0, 1.0, 2.0, 3.0, 3.0]);
    let y = sample(&[2.0, 3.0, 3.0, 4.0, 4.0, 4.0]);
    let (test, _) = kolmogorov_smirnov(&x, &y).expect("two samples");
    near(test.d, 0.5);
    near(test.p.value, 102.0 / 462.0);
    let same = sample(&[1.0, 2.0]);
    let (test, _) = kolmogorov_smirnov(&same, &same).expect("two samples");
    assert_eq!((test.d, test.p.value), (0.0, 1.0));
}

#[test]
fn what_cannot_be_compared_is_refused() {
    assert_eq!(Counts::new(&[1, 2], &[1]), None);
    assert_eq!(Counts::new(&[0, 0], &[1, 2]), None);
    assert_eq!(Counts::new(&[1], &[COUNT_MAX + 1]), None);
    assert_eq!(counts(&[3, 0, 1], &[2, 0, 0]).reference(), [3, 1]);
    let one = counts(&[3, 0], &[2, 0]);
    assert_eq!((psi(&one, 0.05), chi2(&one)), (None, None));
    assert_eq!(total_variation(&one), 0.0);
    assert!(bins(&sample(&[1.0, 1.0]), &sample(&[1.0]), 10).is_none());
    assert_eq!(kolmogorov_smirnov(&sample(&[]), &sample(&[1.0])), None);
}

#[test]
fn nothing_in_common_is_the_farthest() {
    let apart = counts(&[5, 0], &[0, 7]);
    assert_eq!(jensen_shannon(&apart).divergence, 1.0);
    assert_eq!(total_variation(&apart), 1.0);
}

/// Unchanged columns exceed the critical value about as often as stated, also with the bins taken from the reference.
#[test]
fn the_critical_value_of_the_index_holds() {
    let (n_runs, mut n_above, mut n_conventional) = (600, 0_u32, 0_u32);
    for run in 0..n_runs {
        let mut random = Random::stream(11, run);
        let mut draw = |n: usize| {
            let values: Vec<f64> = (0..n).map(|_| random.normal()).collect();
            sample(&values)
        };
        let (reference, current) = (draw(400), draw(300));
        let bins = bins(&reference, &current, 10).expect("ten bins");
        let psi = psi(&bins.counts, 0.05).expect("ten bins");
        n_above += u32::from(psi.value > psi.critical);
        n_conventional += u32::from(psi.value > 0.1);
    }
    // 5 % of 600 is 30, standard deviation 5.3.
    assert!((14..=50).contains(&n_above), "{n_above} of {n_runs}");
    // Chance alone passes the convention's 0.1 in about 8 of 1,000 at this size.
    assert!(n_conventional < n_above, "{n_conventional} of {n_runs}");
}
