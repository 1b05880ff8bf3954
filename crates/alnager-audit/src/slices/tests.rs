use alnager_stats::random::Random;
use proptest::prelude::*;

use super::*;

/// People with five features of 2 to 6 levels, none of which says anything of another.
struct People {
    features: Vec<Feature>,
    random: Random,
}

impl People {
    fn drawn(n: usize, seed: u64) -> People {
        let mut random = Random::stream(seed, 1);
        let features = [2_usize, 3, 4, 5, 6].map(|n_levels| Feature {
            name: format!("of{n_levels}"),
            levels: (0..n_levels).map(|level| level.to_string()).collect(),
            codes: (0..n)
                .map(|_| (random.uniform() * n_levels as f64) as u16)
                .collect(),
            cuts: Vec::new(),
        });
        People {
            features: features.to_vec(),
            random,
        }
    }

    /// Whether each decision is wrong: one in ten, in the slice `planted` more by `gap`.
    fn wrong(&mut self, planted: &[(usize, usize)], gap: f64) -> Vec<Option<bool>> {
        (0..self.features[0].codes.len())
            .map(|row| {
                let is_planted = !planted.is_empty() && is_in(&self.features, planted, row);
                let rate = if is_planted { 0.1 + gap } else { 0.1 };
                Some(self.random.uniform() < rate)
            })
            .collect()
    }
}

fn asked<'a>(outcome: Outcome<'a>, features: &'a [Feature], side: Side) -> Asked<'a> {
    Asked {
        outcome,
        features,
        depth: 3,
        rows_min: 50,
        tested_max: 20,
        seed: 1,
        side,
        confidence: 0.95,
    }
}

#[test]
fn quiet_data_raise_an_alarm_in_at_most_five_of_a_hundred_searches() {
    let n = 100;
    let alarms = (0..n).filter(|seed| {
        let mut people = People::drawn(1_500, *seed);
        let wrong = people.wrong(&[], 0.0);
        let found = search(
            &asked(Outcome::Rate(&wrong), &people.features, Side::Both),
            &|_, _| (),
        )
        .unwrap();
        assert!(found.n_searched > 100, "{}", found.n_searched);
        found.slices.iter().any(|slice| slice.is_confirmed)
    });
    // 5 of 100 expected at most; 11 or more would be a chance of 1 %.
    assert!(alarms.count() <= 10);
}

#[test]
fn a_planted_slice_is_found_and_named_as_it_is() {
    let planted = [(1, 0), (3, 2)];
    let n = 25;
    let found = (0..n).filter(|seed| {
        let mut people = People::drawn(4_000, 1_000 + *seed);
        let wrong = people.wrong(&planted, 0.2);
        let found = search(
            &asked(Outcome::Rate(&wrong), &people.features, Side::Higher),
            &|_, _| (),
        )
        .unwrap();
        found
            .slices
            .iter()
            .any(|slice| slice.fixed == planted && slice.is_confirmed)
    });
    let found = found.count();
    assert!(found >= 22, "{found} of {n}");
}

#[test]
fn the_held_out_half_has_no_say_in_what_is_tested() {
    let mut people = People::drawn(2_000, 5);
    let mut wrong = people.wrong(&[(0, 0)], 0.1);
    let before = search(
        &asked(Outcome::Rate(&wrong), &people.features, Side::Both),
        &|_, _| (),
    )
    .unwrap();
    for (row, wrong) in wrong.iter_mut().enumerate() {
        if is_held_out(row as u64, 1) {
            *wrong = wrong.map(|wrong| !wrong);
        }
    }
    let after = search(
        &asked(Outcome::Rate(&wrong), &people.features, Side::Both),
        &|_, _| (),
    )
    .unwrap();
    let fixed = |found: &Found| -> Vec<Vec<(usize, usize)>> {
        found
            .slices
            .iter()
            .map(|slice| slice.fixed.clone())
            .collect()
    };
    assert_eq!(fixed(&before), fixed(&after));
    assert!(!before.slices.is_empty());
    let explored =
        |found: &Found| -> Vec<Part> { found.slices.iter().map(|slice| slice.explored).collect() };
    assert_eq!(explored(&before), explored(&after));
    // What differs the other way in the other half is never confirmed, however small its p.
    let turned = after
        .slices
        .iter()
        .find(|slice| slice.fixed == [(0, 0)])
        .unwrap();
    assert!(turned.p_everybody.unwrap() < 0.001);
    assert!(turned.p.unwrap() > 0.999 && !turned.is_confirmed);
}

#[test]
fn a_mean_is_tested_by_welch() {
    let mut people = People::drawn(2_000, 6);
    let scores: Vec<f64> = (0..2_000)
        .map(|row| match row % 50 {
            0 => f64::NAN,
            _ => {
                people.random.normal()
                    + if people.features[0].codes[row] == 1 {
                        0.5
                    } else {
                        0.0
                    }
            }
        })
        .collect();
    let found = search(
        &asked(Outcome::Mean(&scores), &people.features, Side::Lower),
        &|_, _| (),
    )
    .unwrap();
    assert_eq!(found.n_explored + found.n_held_out, 1_960);
    let first = &found.slices[0];
    assert_eq!(
        (first.fixed.as_slice(), first.is_confirmed),
        (&[(0, 0)][..], true)
    );
    let interval = first.interval.unwrap();
    assert!(
        interval.low < -0.5 && -0.5 < interval.high && interval.high < 0.0,
        "{interval:?}"
    );
}

#[test]
fn what_is_the_same_is_named_once() {
    let mut people = People::drawn(3_000, 7);
    let wrong = people.wrong(&[(0, 0)], 0.2);
    // A feature that says nearly the same as the first.
    let mut twin = people.features[0].clone();
    twin.name = "twin".to_owned();
    twin.codes
        .iter_mut()
        .step_by(40)
        .for_each(|code| *code = 1 - *code);
    people.features.push(twin);
    let found = search(
        &asked(Outcome::Rate(&wrong), &people.features, Side::Higher),
        &|_, _| (),
    )
    .unwrap();
    let of_first =
        |fixed: &[(usize, usize)]| fixed.iter().any(|fixed| [(0, 0), (5, 0)].contains(fixed));
    let confirmed: Vec<&Slice> = found
        .slices
        .iter()
        .filter(|slice| slice.is_confirmed)
        .collect();
    assert_eq!(confirmed.len(), 1, "{confirmed:?}");
    assert_eq!(confirmed[0].fixed, [(0, 0)]);
    assert_eq!(confirmed[0].alike[0], [(0, 0), (5, 0)]);
    assert!(confirmed[0].alike.iter().all(|fixed| of_first(fixed)));
}

#[test]
fn ranges_hold_equally_many_and_a_heap_has_its_own() {
    let ascending: Vec<f64> = (0..100).map(f64::from).collect();
    assert_eq!(cuts(&ascending, 4, 5), [25.0, 50.0, 75.0]);
    // Nine of ten have none: none is a range, and all the others are one.
    let heap: Vec<f64> = (0..100).map(|at| f64::from((at - 89_i32).max(0))).collect();
    assert_eq!(cuts(&heap, 4, 5), [1.0]);
    assert_eq!(cuts(&heap, 4, 20), [] as [f64; 0]);
    assert_eq!(cuts(&[1.0; 50], 4, 5), [] as [f64; 0]);
    assert_eq!(cuts(&[], 4, 5), [] as [f64; 0]);
    assert_eq!(
        range_names(&[25.0, 50.5]),
        ["below 25", "25 to below 50.5", "50.5 and above"]
    );
    let numbers = [1.0, f64::NAN, 2.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0];
    let feature = Feature::bins("x", &numbers, 1, 2, 1);
    assert_eq!(feature.levels, ["below 2", "2 and above", "(unknown)"]);
    assert_eq!(feature.codes, [0, 2, 1, 0, 1, 1, 0, 0, 1, 1]);
}

#[test]
fn an_unknown_text_is_a_level() {
    let feature = Feature::categories(&Texts::of_rows("x", &["b", "", "a"])).unwrap();
    assert_eq!(feature.levels, ["a", "b", "(unknown)"]);
    assert_eq!(feature.codes, [1, 2, 0]);
}

/// Every slice of up to three features counted by itself: how many have enough rows, and the largest statistic.
fn by_force(half: &Half, rows_min: u32) -> (u64, f64) {
    let mut n_searched = 0;
    let mut most: f64 = 0.0;
    let features = half.features;
    let levels: Vec<(usize, usize)> = (0..features.len())
        .flat_map(|at| (0..features[at].levels.len()).map(move |level| (at, level)))
        .collect();
    let mut slices: Vec<Vec<(usize, usize)>> = vec![Vec::new()];
    for depth in 1..=3 {
        let longer: Vec<Vec<(usize, usize)>> = slices
            .iter()
            .filter(|slice| slice.len() + 1 == depth)
            .flat_map(|slice| {
                let free = levels
                    .iter()
                    .filter(|level| slice.last().is_none_or(|last| last.0 < level.0));
                free.map(|level| [slice.as_slice(), &[*level]].concat())
                    .collect::<Vec<_>>()
            })
            .collect();
        slices.extend(longer);
    }
    for slice in &slices[1..] {
        let (inside, rest): (Vec<usize>, Vec<usize>) =
            (0..half.rows.len()).partition(|at| is_in(features, slice, half.rows[*at] as usize));
        let of = |rows: Vec<usize>| -> Vec<f64> {
            rows.into_iter()
                .map(|at| half.values[at] + half.mean)
                .collect()
        };
        let (inside, rest) = (of(inside), of(rest));
        if inside.len() < rows_min as usize || rest.len() < rows_min as usize {
            continue;
        }
        n_searched += 1;
        if let (Some(one), Some(other)) = (proportion(&inside), proportion(&rest))
            && let Some(test) = compare::z_pooled(one, other)
        {
            most = most.max(test.statistic.abs());
        }
    }
    (n_searched, most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn every_slice_is_counted_and_the_statistic_is_the_pooled_z(seed in 0_u64..1_000_000, rows_min in 2_u64..30) {
        let mut people = People::drawn(120, seed);
        people.features.truncate(4);
        let mut wrong = people.wrong(&[], 0.0);
        wrong.iter_mut().step_by(9).for_each(|wrong| *wrong = None);
        let asked = Asked { rows_min, ..asked(Outcome::Rate(&wrong), &people.features, Side::Both) };
        let half = Half::of(&asked, false);
        let mut candidates = Candidates::new(&asked);
        half.count_all(&asked, &mut candidates, &|_, _| ());
        let (n_searched, most) = by_force(&half, rows_min_explored(&asked));
        prop_assert_eq!(candidates.n_searched, n_searched);
        match candidates.ranked().first() {
            Some(first) => prop_assert!((first.z.abs() - most).abs() < 1e-9),
            None => prop_assert!(most < NOISE_SE),
        }
    }
}
