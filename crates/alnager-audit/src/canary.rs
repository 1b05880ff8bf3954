//! Canary rows: a few fixed rows whose answers show whether a vendor's model is still the one that was audited.

use std::collections::BTreeMap;
use std::fmt;

use alnager_stats::canary::{self, Judged, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::words;

/// What a model answered for one row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// A finite number.
    Number(f64),
    /// A text.
    Text(String),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Number(number) => write!(f, "{number}"),
            Answer::Text(text) => f.write_str(text),
        }
    }
}

/// The canary rows, asked some rounds at one time: a line of the record `alnager.canaries/1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// The version that every answer stated.
    pub version: Option<String>,
    /// Requests it took.
    pub n_requests: u64,
    /// Each round has one answer a canary row, in their order.
    pub rounds: Vec<Vec<Answer>>,
}

impl Look {
    /// The number of canary rows; `None` without a round, and where two rounds differ in it.
    pub fn n_rows(&self) -> Option<usize> {
        let (first, others) = self.rounds.split_first()?;
        let is_whole = others.iter().all(|round| round.len() == first.len());
        is_whole.then_some(first.len())
    }
}

/// How looks are judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The chance of a false alarm between two confirmed changes, over all time.
    pub alpha: f64,
    /// The seed of the permutations.
    pub seed: u64,
}

/// Permutations of a look.
const N_PERMUTATIONS: u32 = 9_999;

/// Simulated changes behind a stated power.
const N_RUNS: u32 = 200;

/// Rounds that stand for the endpoint in these simulations, the newest ones. More would find a change a little sooner.
const REFERENCE_MAX: usize = 60;

/// Looks after a change for which power is stated.
const LOOKS_SHOWN: usize = 5;

/// The change whose power is stated: numbers move by their own standard deviation, a text in four becomes another.
const SHIFT: canary::Shift = canary::Shift {
    deviations: 1.0,
    share: 0.25,
};

/// Shares of answers whose change is spoken of where an endpoint is deterministic.
const SHARES: [f64; 2] = [0.01, 0.1];

/// The figures of the newest look and of all before it.
///
/// `state` is `reference`, `alike` or `changed`; `has_changed` is true where it is `changed` and where another version is stated
/// than at the look before. `None` where two looks do not fit together, or `alpha` is not between 0 and 1.
pub fn figures(looks: &[Look], settings: &Settings) -> Option<Value> {
    let coded = coded(looks);
    let how = canary::Settings {
        alpha: settings.alpha,
        seed: settings.seed,
        n_permutations: N_PERMUTATIONS,
    };
    let judged = canary::follow(&coded, &how)?;
    let (last, newest) = (judged.last()?, looks.last()?);
    let at = |look: usize| looks.get(look).map(|look| look.at.to_string());
    let before = looks
        .len()
        .checked_sub(2)
        .and_then(|before| looks.get(before));
    let version_before = before.filter(|before| before.version != newest.version);
    let has_changed = last.state == State::Changed || version_before.is_some();
    let all = judged.iter().enumerate().map(|(number, judged)| {
        json!({
            "at": at(number),
            "version": looks.get(number).and_then(|look| look.version.clone()),
            "n_rounds": looks.get(number).map(|look| look.rounds.len()),
            "state": word(judged.state),
            "p": number_or_null(judged.p),
            "evidence": number_or_null(judged.evidence),
        })
    });
    // A reference has no earlier rounds, and is judged by its own.
    let is_deterministic = match last.state {
        State::Reference if newest.rounds.len() > 1 => {
            Some(newest.rounds.windows(2).all(|pair| pair[0] == pair[1]))
        }
        State::Reference | State::Alike | State::Changed => last.is_deterministic,
    };
    let since = last.since.map(|since| {
        json!({ "as_before_at": since.checked_sub(1).and_then(at), "changed_at": at(since) })
    });
    let mut figures = json!({
        "at": newest.at.to_string(),
        "version": newest.version,
        "has_new_version": version_before.is_some(),
        "version_before": version_before.and_then(|before| before.version.clone()),
        "has_changed": has_changed,
        "state": word(last.state),
        "since": since,
        "n_canaries": newest.n_rows(),
        "n_rounds": newest.rounds.len(),
        "reference_at": at(last.reference),
        "n_rounds_since_reference": last.n_rounds,
        "is_deterministic": is_deterministic,
        "n_rows_differ": last.n_rows_differ,
        "p": number_or_null(last.p),
        "evidence": number_or_null(last.evidence),
        "evidence_needed": 1.0 / settings.alpha,
        "alpha": settings.alpha,
        "seed": settings.seed,
        "looks": all.collect::<Vec<_>>(),
    });
    figures["power"] = power(&coded, last, &how);
    Some(figures)
}

/// What a look could have seen: by simulation, or by arithmetic where the endpoint is deterministic. Null before there are two rounds.
fn power(coded: &[Vec<canary::Round>], last: &Judged, how: &canary::Settings) -> Value {
    let n_rows = coded
        .first()
        .and_then(|look| look.first())
        .map_or(0, Vec::len);
    // What a look could have seen is said of the rounds before a change.
    let end = coded.len() - usize::from(last.state == State::Changed);
    let since = coded.get(last.reference..end).unwrap_or_default();
    let rounds: Vec<canary::Round> = since.iter().flatten().cloned().collect();
    let rounds = &rounds[rounds.len().saturating_sub(REFERENCE_MAX)..];
    let is_alike = rounds.windows(2).all(|pair| pair[0] == pair[1]);
    if rounds.len() < 2 {
        return Value::Null;
    }
    if is_alike {
        let chances = SHARES.map(|share| {
            let chance = canary::chance_seen(share, n_rows as u64);
            json!({ "share_changed": share, "chance_seen": number_or_null(chance) })
        });
        return json!({ "method": "1-(1-share)^n", "by_share": chances });
    }
    let n_new = since.last().map_or(1, Vec::len);
    let found = canary::power(rounds, n_new, &SHIFT, how, N_RUNS, LOOKS_SHOWN);
    match found {
        None => Value::Null,
        Some(power) => json!({
            "method": "simulation",
            "n_runs": power.n_runs,
            "deviations": SHIFT.deviations,
            "share_of_texts": SHIFT.share,
            "seen_by_look": power.by_look,
            "looks_mean": number_or_null(power.looks_mean),
        }),
    }
}

fn number_or_null(value: Option<f64>) -> Value {
    crate::figures::number(value)
}

fn word(state: State) -> &'static str {
    match state {
        State::Reference => "reference",
        State::Alike => "alike",
        State::Changed => "changed",
    }
}

/// Answers as the statistics take them: texts by the order in which they first occur.
fn coded(looks: &[Look]) -> Vec<Vec<canary::Round>> {
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    let mut coded = Vec::with_capacity(looks.len());
    for look in looks {
        let mut rounds = Vec::with_capacity(look.rounds.len());
        for round in &look.rounds {
            let mut answers = Vec::with_capacity(round.len());
            for answer in round {
                answers.push(match answer {
                    Answer::Number(number) => canary::Answer::Number(*number),
                    Answer::Text(text) => {
                        let next = kinds.len() as u64;
                        canary::Answer::Category(*kinds.entry(text).or_insert(next))
                    }
                });
            }
            rounds.push(answers);
        }
        coded.push(rounds);
    }
    coded
}

/// The figures in words.
pub fn words(figures: &Value) -> String {
    let text = |name: &str| figures[name].as_str().unwrap_or_default();
    let count = |name: &str| figures[name].as_u64().unwrap_or(0);
    let number = |name: &str| words::figure(&figures[name]);
    let version = match figures["version"].as_str() {
        Some(version) => format!("version {version}"),
        None => "no version stated".to_owned(),
    };
    let mut lines = vec![format!(
        "{}: {} canary rows, {} rounds, {version}.",
        text("url"),
        count("n_canaries"),
        count("n_rounds")
    )];
    if figures["has_new_version"] == true {
        let before = figures["version_before"].as_str().unwrap_or("none");
        lines.push(format!(
            "Changed: the version stated was {before} at the look before."
        ));
    }
    let differ = match figures["n_rows_differ"].as_u64() {
        Some(n) if n > 0 => format!(
            " {n} of {} rows were answered otherwise than before.",
            count("n_canaries")
        ),
        _ => String::new(),
    };
    lines.push(match text("state") {
        "reference" => {
            "Reference: nothing to compare with yet. Later looks are held against this one.".to_owned()
        }
        "changed" => {
            let since = &figures["since"];
            format!(
                "Changed: the model behind the address is not the one it was. As before at {}, changed at {}.{differ}",
                since["as_before_at"].as_str().unwrap_or("no earlier look"),
                since["changed_at"].as_str().unwrap_or_default()
            )
        }
        _ => format!(
            "Alike: nothing has changed that could be seen since {} ({} rounds).{differ}",
            text("reference_at"),
            count("n_rounds_since_reference")
        ),
    });
    if !figures["evidence"].is_null() {
        lines.push(format!(
            "Evidence of a change, all looks since the reference together: {} (1 is none; {} confirms); p of this look alone: {}.",
            number("evidence"),
            number("evidence_needed"),
            number("p")
        ));
    }
    lines.push(false_alarms(figures));
    lines.extend(power_words(&figures["power"]));
    lines.join("\n")
}

fn false_alarms(figures: &Value) -> String {
    match figures["is_deterministic"].as_bool() {
        Some(true) => "False alarms: none, if the endpoint is as deterministic as the rounds before, which were all alike."
            .to_owned(),
        Some(false) => format!(
            "False alarms: between two confirmed changes with a chance of at most {}, however often one looks, if no round depends on another.",
            figures["alpha"]
        ),
        None => "Whether the endpoint is deterministic is known after two rounds.".to_owned(),
    }
}

fn power_words(power: &Value) -> Option<String> {
    if let Some(chances) = power["by_share"].as_array() {
        let chances: Vec<String> = chances
            .iter()
            .map(|chance| {
                format!(
                    "of {} in 100 answers with a chance of {}",
                    chance["share_changed"].as_f64().unwrap_or_default() * 100.0,
                    share(&chance["chance_seen"])
                )
            })
            .collect();
        return Some(format!(
            "Power: one look sees a change {}, as far as the canary rows stand for all.",
            chances.join(", ")
        ));
    }
    let by_look = power["seen_by_look"].as_array()?;
    let shares: Vec<String> = by_look.iter().map(share).collect();
    Some(format!(
        "Power: were every number to move by its own standard deviation, or one text in four to become another, the next 1, 2, … looks of as many rounds would confirm it with a chance of {} ({} simulated changes). More rounds a look see more.",
        shares.join(", "),
        power["n_runs"]
    ))
}

/// A chance with two decimals.
fn share(value: &Value) -> String {
    match value.as_f64() {
        Some(share) => format!("{share:.2}"),
        None => "undefined".to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn look(minute: i8, version: &str, rounds: &[&[f64]]) -> Look {
        let at = jiff::civil::date(2026, 12, 1).at(9, minute, 0, 0);
        let round = |round: &&[f64]| round.iter().map(|x| Answer::Number(*x)).collect();
        Look {
            at: at.in_tz("UTC").unwrap().timestamp(),
            version: Some(version.to_owned()),
            n_requests: 1,
            rounds: rounds.iter().map(round).collect(),
        }
    }

    const SETTINGS: Settings = Settings {
        alpha: 0.05,
        seed: 1,
    };

    #[test]
    fn a_deterministic_change_is_dated_and_told() {
        let old: &[f64] = &[0.25, 0.5];
        let new: &[f64] = &[0.25, 0.75];
        let mut looks = vec![look(0, "3", &[old, old])];
        let first = figures(&looks, &SETTINGS).unwrap();
        assert_eq!(
            (&first["state"], &first["has_changed"]),
            (&json!("reference"), &json!(false))
        );
        looks.push(look(1, "3", &[old, old]));
        looks.push(look(2, "3", &[new, new]));
        let mut found = figures(&looks, &SETTINGS).unwrap();
        assert_eq!(found["has_changed"], true);
        assert_eq!(
            found["since"],
            json!({ "as_before_at": "2026-12-01T09:01:00Z", "changed_at": "2026-12-01T09:02:00Z" })
        );
        found["url"] = json!("https://v.example");
        expect_test::expect![[r#"
            https://v.example: 2 canary rows, 2 rounds, version 3.
            Changed: the model behind the address is not the one it was. As before at 2026-12-01T09:01:00Z, changed at 2026-12-01T09:02:00Z. 1 of 2 rows were answered otherwise than before.
            False alarms: none, if the endpoint is as deterministic as the rounds before, which were all alike.
            Power: one look sees a change of 1 in 100 answers with a chance of 0.02, of 10 in 100 answers with a chance of 0.19, as far as the canary rows stand for all."#]].assert_eq(&words(&found));
        // Another version with the same answers.
        looks.push(look(3, "4", &[new, new]));
        let mut found = figures(&looks, &SETTINGS).unwrap();
        assert_eq!(
            (&found["state"], &found["has_changed"]),
            (&json!("alike"), &json!(true))
        );
        found["url"] = json!("https://v.example");
        assert!(words(&found).contains("the version stated was 3 at the look before"));
    }

    #[test]
    fn noise_is_judged_with_its_power() {
        let rounds: Vec<Vec<f64>> = (0..20)
            .map(|round| {
                (0..8)
                    .map(|row| ((round * 7 + row * 3) as f64 * 1.7).sin())
                    .collect()
            })
            .collect();
        let rounds: Vec<&[f64]> = rounds.iter().map(Vec::as_slice).collect();
        let looks = [look(0, "3", &rounds[..10]), look(1, "3", &rounds[10..])];
        let mut found = figures(&looks, &SETTINGS).unwrap();
        assert_eq!(
            (&found["state"], &found["is_deterministic"]),
            (&json!("alike"), &json!(false))
        );
        assert_eq!(
            found["power"]["seen_by_look"].as_array().unwrap().len(),
            LOOKS_SHOWN
        );
        found["url"] = json!("https://v.example");
        let text = words(&found);
        assert!(text.contains("with a chance of at most 0.05,"), "{text}");
        assert!(
            text.contains("Power: were every number to move by its own standard deviation"),
            "{text}"
        );
    }

    #[test]
    fn texts_are_told_apart() {
        let text = |word: &str| vec![Answer::Text(word.to_owned())];
        let mut looks = vec![
            look(0, "3", &[&[0.0], &[0.0]]),
            look(1, "3", &[&[0.0], &[0.0]]),
        ];
        looks[0].rounds = vec![text("yes"), text("yes")];
        looks[1].rounds = vec![text("no"), text("no")];
        assert_eq!(figures(&looks, &SETTINGS).unwrap()["state"], "changed");
    }
}
