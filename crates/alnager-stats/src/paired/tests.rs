use proptest::prelude::*;

use super::*;

fn near(found: f64, want: f64) {
    assert!(
        (found - want).abs() <= 1e-11 * want.abs(),
        "{found}, not {want}"
    );
}

/// Tails summed in fractions by Python; the first is the example of Fagerland, Lydersen and Laake (0.0703 and 0.0391), the second
/// the approval ratings of Agresti 2013, Categorical Data Analysis, table 11.1.
#[test]
fn mcnemars_test_meets_exact_sums() {
    for (gained, lost, exact, midp) in [
        (1, 7, 0.0703125, 0.0390625),
        (150, 86, 3.715936139571442e-5, 2.89338951761549e-5),
        (86, 150, 3.715936139571442e-5, 2.89338951761549e-5),
        (0, 5, 0.0625, 0.03125),
        (1, 0, 1.0, 0.5),
        (5, 5, 1.0, 0.876953125),
        (3, 20, 0.00048828125, 0.0002771615982055664),
        (10, 30, 0.0022214337732293643, 0.0014504910141113214),
        (1000, 1200, 2.1817026407914712e-5, 1.9916416564602037e-5),
        (40, 12, 0.0001275387838557407, 8.171334999262925e-5),
    ] {
        let test = mcnemar(gained, lost).unwrap();
        near(test.exact.value, exact);
        near(test.midp.value, midp);
    }
    assert_eq!(mcnemar(0, 0), None);
}

#[test]
fn a_tail_too_small_for_a_number_keeps_its_logarithm() {
    let test = mcnemar(100, 2900).unwrap();
    assert_eq!(test.exact.value, 0.0);
    near(test.exact.log10, -713.7562484767149);
}

/// Extra hours of sleep by two drugs, ten patients: Student 1908, table on page 20; figures by SciPy 1.16.
#[test]
fn students_own_example_is_met() {
    let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
    let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
    let found = shift(&first, &second, 0.95).unwrap();
    near(found.mean, 1.58);
    near(found.sd.unwrap(), 1.2299954832798732);
    near(found.t.unwrap(), 4.062127683382037);
    near(found.p.unwrap().value, 0.002832890197384273);
    let interval = found.interval.unwrap();
    near(interval.low, 0.7001142367230175);
    near(interval.high, 2.459885763276983);
    let interval = shift(&first, &second, 0.9).unwrap().interval.unwrap();
    near(interval.low, 0.8669947329707162);
    near(interval.high, 2.293005267029284);
    assert_eq!(found.shifts.max(), Some(4.6));
}

#[test]
fn students_points_are_met() {
    for (df, point) in [
        (1.0, 12.706204736174694),
        (2.0, 4.302652729749462),
        (9.0, 2.262157162798205),
        (100.0, 1.9839715185235518),
        (1e6, 1.959966356814107),
    ] {
        near(t_for(0.95, df), point);
    }
    near(t_for(0.99, 2.0), 9.924843200918287);
}

#[test]
fn what_cannot_be_judged_has_no_figure() {
    let alike = shift(&[1.0, 2.0], &[1.5, 2.5], 0.95).unwrap();
    assert_eq!((alike.mean, alike.sd, alike.t), (0.5, Some(0.0), None));
    let interval = alike.interval.unwrap();
    assert_eq!((interval.low, interval.high), (0.5, 0.5));
    let one = shift(&[1.0], &[1.0], 0.95).unwrap();
    assert_eq!((one.mean, one.interval, one.p), (0.0, None, None));
    assert_eq!(shift(&[], &[], 0.95), None);
    assert_eq!(shift(&[1.0], &[], 0.95), None);
    assert_eq!(shift(&[1.0], &[f64::NAN], 0.95), None);
    assert_eq!(shift(&[1.0], &[1.0], 1.0), None);
}

proptest! {
    #[test]
    fn which_way_is_called_gained_changes_no_test(gained in 0_u64..2000, lost in 0_u64..2000) {
        prop_assert_eq!(mcnemar(gained, lost), mcnemar(lost, gained));
        if let Some(test) = mcnemar(gained, lost) {
            prop_assert!(test.midp.log10 <= test.exact.log10 && test.midp.log10.is_finite());
        }
    }

    #[test]
    fn the_other_way_round_is_the_other_sign(
        pairs in proptest::collection::vec((-5.0..5.0_f64, -5.0..5.0_f64), 2..40),
    ) {
        let (first, second): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let (one, other) = (shift(&first, &second, 0.9).unwrap(), shift(&second, &first, 0.9).unwrap());
        prop_assert!((one.mean + other.mean).abs() < 1e-12);
        let (one, other) = (one.interval.unwrap(), other.interval.unwrap());
        prop_assert!((one.low + other.high).abs() < 1e-9);
    }
}
