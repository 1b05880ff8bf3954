use super::*;

fn settings(n_permutations: u32) -> Settings {
    Settings {
        alpha: 0.05,
        seed: 7,
        n_permutations,
    }
}

/// How a simulated endpoint answers.
#[derive(Clone, Copy)]
enum Endpoint {
    /// Numbers with normal noise, and one number that all rows of a round share.
    Noisy { shared: f64 },
    /// Two texts, the first with this chance.
    Texts { share: f64 },
    /// One of two servers answers a whole round.
    TwoServers,
}

fn round(endpoint: Endpoint, n_rows: usize, shift: f64, random: &mut Random) -> Round {
    let mood = random.normal();
    let server = random.uniform() < 0.3;
    (0..n_rows)
        .map(|row| match endpoint {
            Endpoint::Noisy { shared } => {
                let sign = if row % 2 == 0 { 1.0 } else { -1.0 };
                let noise = random.normal() + shared * mood;
                Answer::Number(row as f64 + noise + sign * shift)
            }
            Endpoint::Texts { share } => {
                let share = share - shift;
                Answer::Category(u64::from(random.uniform() < share))
            }
            Endpoint::TwoServers => {
                Answer::Number(row as f64 + f64::from(u8::from(server)) + shift)
            }
        })
        .collect()
}

/// Looks of `n_rounds` rounds; from look `from` on, answers are shifted.
fn looks(
    endpoint: Endpoint,
    n_looks: usize,
    n_rounds: usize,
    (from, shift): (usize, f64),
    random: &mut Random,
) -> Vec<Vec<Round>> {
    let look = |at: usize, random: &mut Random| {
        let shift = if at >= from { shift } else { 0.0 };
        (0..n_rounds)
            .map(|_| round(endpoint, 6, shift, random))
            .collect()
    };
    (0..n_looks).map(|at| look(at, random)).collect()
}

/// The share of simulated endpoints without a change that raise an alarm within so many looks.
fn false_alarms(endpoint: Endpoint, n_runs: u64, n_looks: usize, n_rounds: usize) -> f64 {
    let mut n_alarms = 0;
    for run in 0..n_runs {
        let mut random = Random::stream(11, run);
        let looks = looks(endpoint, n_looks, n_rounds, (usize::MAX, 0.0), &mut random);
        let settings = Settings {
            seed: run,
            ..settings(99)
        };
        let judged = follow(&looks, &settings).unwrap();
        n_alarms += u64::from(judged.iter().any(|look| look.state == State::Changed));
    }
    n_alarms as f64 / n_runs as f64
}

#[test]
fn p_values_are_uniform_and_independent_while_nothing_changes() {
    let mut all = Vec::new();
    let mut pairs = [[0_u32; 2]; 2];
    for run in 0..1500 {
        let mut random = Random::stream(3, run);
        let endpoint = match run % 3 {
            0 => Endpoint::Noisy { shared: 2.0 },
            1 => Endpoint::Texts { share: 0.8 },
            _ => Endpoint::TwoServers,
        };
        let looks = looks(endpoint, 4, 3, (usize::MAX, 0.0), &mut random);
        let mut episode = Episode::new(0);
        let mut ps = Vec::new();
        for (at, look) in looks.iter().enumerate() {
            episode.take(look);
            if at > 0 {
                ps.push(p_value(&episode.rounds, 3, 199, None, &mut random));
            }
        }
        let half = |p: f64| usize::from(p < 0.5);
        pairs[half(ps[0])][half(ps[1])] += 1;
        pairs[half(ps[1])][half(ps[2])] += 1;
        all.extend(ps);
    }
    all.sort_by(f64::total_cmp);
    let n = all.len() as f64;
    let farthest = all
        .iter()
        .enumerate()
        .map(|(at, p)| {
            (p - at as f64 / n)
                .abs()
                .max((p - (at as f64 + 1.0) / n).abs())
        })
        .fold(0.0, f64::max);
    // Kolmogorov-Smirnov: beyond 1.95/√n with a chance of 0.001.
    assert!(farthest < 1.95 / n.sqrt(), "{farthest}");
    // 3,000 pairs in four cells of 750 each, whose standard deviation is 24.
    for cell in pairs.as_flattened() {
        assert!((650..850).contains(cell), "{pairs:?}");
    }
}

#[test]
fn a_long_quiet_time_raises_few_false_alarms() {
    // 400 runs at 0.05: 0.088 is 3.5 standard errors above.
    for endpoint in [
        Endpoint::Noisy { shared: 0.0 },
        Endpoint::Noisy { shared: 3.0 },
        Endpoint::Texts { share: 0.7 },
        Endpoint::TwoServers,
    ] {
        let share = false_alarms(endpoint, 400, 12, 4);
        assert!(share <= 0.088, "{share}");
    }
}

/// The figures of the manual: `ALNAGER_SLOW=1 cargo test -p alnager-stats canary -- --nocapture`.
#[test]
fn the_manual_s_figures() {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test asks from outside how long it may take"
    )]
    let is_slow = std::env::var_os("ALNAGER_SLOW").is_some();
    if !is_slow {
        return;
    }
    for (name, endpoint) in [
        ("independent noise", Endpoint::Noisy { shared: 0.0 }),
        ("shared noise", Endpoint::Noisy { shared: 3.0 }),
        ("texts", Endpoint::Texts { share: 0.7 }),
        ("two servers", Endpoint::TwoServers),
    ] {
        let share = false_alarms(endpoint, 4000, 40, 5);
        println!("{name}: {share} false alarms in 4,000 runs of 40 looks of 5 rounds");
        assert!(share <= 0.062, "{name}: {share}");
    }
    for (deviations, n_rounds) in [(0.5, 10), (1.0, 10), (2.0, 10), (1.0, 5), (2.0, 5)] {
        let mut random = Random::new(5);
        let noisy = Endpoint::Noisy { shared: 0.0 };
        let reference: Vec<Round> = (0..n_rounds)
            .map(|_| round(noisy, 20, 0.0, &mut random))
            .collect();
        let shift = Shift {
            deviations,
            share: 0.0,
        };
        let power = power(&reference, n_rounds, &shift, &settings(9999), 200, 6).unwrap();
        println!("20 rows, {n_rounds} rounds a look, shift {deviations}: {power:?}");
    }
}

#[test]
fn a_change_is_seen_and_dated_and_a_new_reference_begins() {
    let mut random = Random::new(1);
    let noisy = Endpoint::Noisy { shared: 0.0 };
    let looks = looks(noisy, 9, 10, (5, 3.0), &mut random);
    let judged = follow(&looks, &settings(4999)).unwrap();
    let states: Vec<State> = judged.iter().map(|look| look.state).collect();
    let at = states
        .iter()
        .position(|state| *state == State::Changed)
        .unwrap();
    assert!((5..=6).contains(&at), "{judged:?}");
    assert_eq!(judged[at].since, Some(5));
    assert_eq!(
        (judged[0].state, judged[at + 1].state),
        (State::Reference, State::Reference)
    );
    assert_eq!(
        (judged[at + 1].reference, judged[at + 1].n_rounds),
        (at + 1, 10)
    );
    assert!(states[at + 2..].iter().all(|state| *state == State::Alike));
    // A look is judged by what came before it: later ones change nothing.
    let fewer = follow(&looks[..6], &settings(4999)).unwrap();
    assert_eq!(fewer, judged[..6]);
}

#[test]
fn texts_and_spread_are_seen_too() {
    let mut random = Random::new(2);
    let texts = looks(Endpoint::Texts { share: 0.9 }, 6, 10, (3, 0.6), &mut random);
    let judged = follow(&texts, &settings(4999)).unwrap();
    assert!(
        judged.iter().any(|look| look.state == State::Changed),
        "{judged:?}"
    );
    // The same middle, four times the noise.
    let mut wide = |factor: f64| -> Vec<Round> {
        let mut row = |row: usize| Answer::Number(row as f64 + factor * random.normal());
        (0..12).map(|_| (0..12).map(&mut row).collect()).collect()
    };
    let looks: Vec<Vec<Round>> = [1.0, 1.0, 4.0, 4.0, 4.0].map(&mut wide).to_vec();
    let judged = follow(&looks, &settings(4999)).unwrap();
    assert!(
        judged.iter().any(|look| look.state == State::Changed),
        "{judged:?}"
    );
}

#[test]
fn one_other_answer_of_a_deterministic_endpoint_is_a_change() {
    let round = |last: f64| {
        vec![
            Answer::Number(1.0),
            Answer::Category(4),
            Answer::Number(last),
        ]
    };
    let look = |last: f64| vec![round(last), round(last)];
    let looks = [look(0.5), look(0.5), look(0.75), look(0.75), look(0.5)];
    let judged = follow(&looks, &settings(99)).unwrap();
    let states: Vec<State> = judged.iter().map(|look| look.state).collect();
    use State::{Alike, Changed, Reference};
    assert_eq!(states, [Reference, Alike, Changed, Alike, Changed]);
    assert_eq!(
        (judged[2].n_rows_differ, judged[2].since),
        (Some(1), Some(2))
    );
    // The look that showed the change is the new reference.
    assert_eq!((judged[3].reference, judged[3].n_rounds), (2, 4));
    assert_eq!(judged[3].is_deterministic, Some(true));
}

#[test]
fn a_look_that_disagrees_with_itself_is_evidence_not_proof() {
    let round = |x: f64| vec![Answer::Number(x)];
    let mixed = vec![round(1.0), round(1.0), round(2.0)];
    let quiet = vec![round(1.0); 3];
    let judged = follow(&[quiet.clone(), quiet, mixed], &settings(99)).unwrap();
    assert_eq!(
        (judged[2].state, judged[2].n_rows_differ),
        (State::Alike, Some(1))
    );
    assert!(judged[2].p.is_some_and(|p| p > 0.05), "{judged:?}");
}

#[test]
fn one_round_a_look_says_nothing_of_the_first_difference() {
    let look = |x: f64| vec![vec![Answer::Number(x)]];
    let judged = follow(&[look(1.0), look(1.0), look(2.0)], &settings(99)).unwrap();
    assert_eq!(judged[2].state, State::Changed, "two alike, then another");
    let judged = follow(&[look(1.0), look(2.0)], &settings(99)).unwrap();
    assert_eq!(
        (judged[1].state, judged[1].is_deterministic),
        (State::Alike, None)
    );
    assert!(judged[1].p.is_some());
}

#[test]
fn power_grows_with_the_change() {
    let mut random = Random::new(5);
    let noisy = Endpoint::Noisy { shared: 0.0 };
    let reference: Vec<Round> = (0..10)
        .map(|_| round(noisy, 10, 0.0, &mut random))
        .collect();
    let seen = |deviations: f64| {
        let shift = Shift {
            deviations,
            share: 0.0,
        };
        power(&reference, 10, &shift, &settings(1999), 40, 3).unwrap()
    };
    let (none, some, much) = (seen(0.0), seen(1.0), seen(3.0));
    assert!(none.by_look[2] <= 0.25, "{none:?}");
    assert!(
        some.by_look[2] < much.by_look[2] + 1e-12 && some.by_look[2] > none.by_look[2],
        "{some:?}"
    );
    assert!(much.by_look[1] > 0.9, "{much:?}");
    assert!(much.by_look.is_sorted() && much.looks_mean.is_some());
}

#[test]
fn both_ways_of_adding_give_the_same_distances() {
    let mut random = Random::new(9);
    let noisy = Endpoint::Noisy { shared: 1.0 };
    let rounds: Vec<Round> = (0..9).map(|_| round(noisy, 4, 0.0, &mut random)).collect();
    let rounds: Vec<&Round> = rounds.iter().collect();
    let scores = scores(&rounds);
    let (products, by_round) = (products(&scores, 9), by_round(&scores, 9));
    for set in [vec![0, 1], vec![2, 5, 8], vec![7]] {
        let pairs = set.iter().flat_map(|i| set.iter().map(move |j| i * 9 + j));
        let one: f64 = pairs.map(|at| products[at]).sum();
        let sum = |score: usize| -> f64 {
            let parts = set
                .iter()
                .map(|round| by_round[round * scores.len() + score]);
            parts.sum()
        };
        let other: f64 = (0..scores.len()).map(|score| sum(score).powi(2)).sum();
        assert!((one - other).abs() < 1e-9, "{one} {other}");
    }
}

#[test]
fn what_cannot_be_judged_is_none() {
    let ok = vec![vec![Answer::Number(1.0)]];
    assert_eq!(follow(&[], &settings(9)), None);
    assert_eq!(follow(&[ok.clone(), vec![]], &settings(9)), None);
    assert_eq!(follow(&[ok.clone(), vec![vec![]]], &settings(9)), None);
    assert_eq!(follow(std::slice::from_ref(&ok), &settings(0)), None);
    let shift = Shift {
        deviations: 1.0,
        share: 0.5,
    };
    assert_eq!(power(&ok, 1, &shift, &settings(9), 1, 1), None);
    assert_eq!(chance_seen(1.5, 3), None);
    assert!((chance_seen(0.1, 20).unwrap() - 0.878_423_345).abs() < 1e-9);
}
