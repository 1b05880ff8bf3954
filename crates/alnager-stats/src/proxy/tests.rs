use proptest::prelude::*;

use super::*;

const EVEN: [f64; 6] = [1.0 / 6.0; 6];

#[test]
fn a_name_that_says_nothing_leaves_the_place() {
    let here = [0.0, 0.5, 0.25, 0.25, 0.0, 0.0];
    let values = posterior(EVEN, here).expect("some product").values();
    for (value, here) in values.iter().zip(here) {
        assert!((value - here).abs() < 1e-15);
    }
}

#[test]
fn name_and_place_that_exclude_each_other_give_none() {
    let name = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let here = [0.0, 0.5, 0.5, 0.0, 0.0, 0.0];
    assert_eq!(posterior(name, here), None);
    assert_eq!(posterior([0.0; 6], EVEN), None);
}

#[test]
fn what_is_no_share_gives_none() {
    for wrong in [-0.1, f64::NAN, f64::INFINITY] {
        let mut name = EVEN;
        name[2] = wrong;
        assert_eq!(posterior(name, EVEN), None);
        assert_eq!(posterior(EVEN, name), None);
    }
}

#[test]
fn names_of_categories_are_read_back() {
    for (place, category) in Category::ALL.into_iter().enumerate() {
        assert_eq!(Category::from_name(category.name()), Some(category));
        let mut certain = [0.0; 6];
        certain[place] = 1.0;
        assert_eq!(
            posterior(certain, EVEN).map(|one| one.of(category)),
            Some(1.0)
        );
    }
    assert_eq!(Category::from_name("asian"), None);
}

#[test]
fn certain_groups_give_their_plain_rates() {
    let certain = |place: usize| {
        let mut name = [0.0; 6];
        name[place] = 1.0;
        posterior(name, EVEN)
    };
    let people = [
        (certain(0), true),
        (certain(0), false),
        (certain(1), true),
        (None, true),
    ];
    let rates = weighted_rates(&people);
    assert_eq!(rates.rates, [Some(0.5), Some(1.0), None, None, None, None]);
    assert_eq!(rates.n_expected, [2.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!((rates.n_known, rates.n_unknown), (3, 1));
}

#[test]
fn nobody_has_no_rates() {
    assert_eq!(weighted_rates(&[]).rates, [None; 6]);
}

fn shares() -> impl Strategy<Value = [f64; 6]> {
    let share = || prop_oneof![1 => Just(0.0), 3 => 0.0..1.0f64];
    [share(), share(), share(), share(), share(), share()]
}

proptest! {
    #[test]
    fn probabilities_add_up_to_one(name in shares(), here in shares(), scale in 1e-9..1e9f64) {
        if let Some(one) = posterior(name, here) {
            let sum: f64 = one.values().iter().sum();
            prop_assert!((sum - 1.0).abs() < 1e-14);
            prop_assert!(one.values().iter().all(|p| (0.0..=1.0).contains(p)));
            // Only the proportions between the categories matter.
            let scaled = posterior(name, here.map(|share| share * scale)).expect("the same products");
            for (p, q) in one.values().iter().zip(scaled.values()) {
                prop_assert!((p - q).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn rates_are_shares_and_where_all_are_selected_all_are_one(
        people in prop::collection::vec((shares(), any::<bool>()), 1..30),
    ) {
        let people: Vec<(Option<Posterior>, bool)> = people
            .into_iter()
            .map(|(name, selected)| (posterior(name, EVEN), selected))
            .collect();
        let rates = weighted_rates(&people);
        prop_assert!(rates.rates.iter().flatten().all(|rate| (0.0..=1.0).contains(rate)));
        let sum: f64 = rates.n_expected.iter().sum();
        prop_assert!((sum - rates.n_known as f64).abs() < 1e-12);
        let all: Vec<(Option<Posterior>, bool)> = people.iter().map(|person| (person.0, true)).collect();
        prop_assert!(weighted_rates(&all).rates.iter().flatten().all(|&rate| rate == 1.0));
    }
}
