//! Which theory each test of an audit serves, on a day and in a place.

use alnager_law::book::Book;
use alnager_law::fact::FactType;
use alnager_law::read::nearest;
use alnager_law::requirement::AsOf;
use alnager_law::theory::{Serving, TESTS, TheoryFigure};
use alnager_report::audit::{Theories, TheoryView};

use super::fairness::Examined;
use crate::error::JobError;

/// Where, and for what kind of decision, one asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Places, as answers to the fact `places`; empty asks about all.
    pub places: Vec<String>,
    /// A kind of decision, as an answer to the fact `consequential_domains`; `None` asks about all.
    pub domain: Option<String>,
}

/// What the tests serve, each theory once for each test.
pub fn serving(
    book: &Book,
    tests: &[&str],
    asked: &Asked,
    when: AsOf,
) -> Result<Theories, JobError> {
    for place in &asked.places {
        known(book, "places", "--place", place)?;
    }
    if let Some(domain) = &asked.domain {
        known(book, "consequential_domains", "--domain", domain)?;
    }
    let domain = asked.domain.as_deref();
    let places: Vec<Option<&str>> = match asked.places.as_slice() {
        [] => vec![None],
        places => places.iter().map(|place| Some(place.as_str())).collect(),
    };
    let mut list: Vec<TheoryView> = Vec::new();
    let mut absent: Vec<(String, String)> = Vec::new();
    for place in places {
        for test in tests {
            for one in book.theories().serving(book, test, domain, place, when) {
                let is_new = |known: &TheoryView| known.test != *test || known.id != one.theory.id;
                if list.iter().all(is_new) {
                    list.push(view(test, &one));
                }
            }
        }
        for one in book.theories().absent(book, domain, place) {
            let words = (
                one.title.clone(),
                format!(
                    "{} ({})",
                    one.why.trim(),
                    one.state.word().replace('_', " ")
                ),
            );
            if !absent.contains(&words) {
                absent.push(words);
            }
        }
    }
    Ok(Theories {
        judged_on: when.valid.to_string(),
        known_on: when.known.to_string(),
        places: asked.places.clone(),
        domain: asked.domain.clone(),
        list,
        absent,
    })
}

fn known(book: &Book, fact: &str, flag: &str, word: &str) -> Result<(), JobError> {
    let Some(FactType::Set(words)) = book.vocabulary.get(fact).map(|kind| &kind.of) else {
        return Ok(());
    };
    if words.iter().any(|known| known == word) {
        return Ok(());
    }
    let hint = nearest(word, words.iter().map(String::as_str));
    Err(JobError::Input(format!(
        "{flag}: `{word}` is not known; {hint}"
    )))
}

fn view(test: &str, serving: &Serving<'_>) -> TheoryView {
    let theory = serving.theory;
    let limit = match &theory.figure {
        TheoryFigure::None(why) => why.trim().to_owned(),
        TheoryFigure::Set(limit) => {
            let ends = match (&limit.low, &limit.high) {
                (Some(low), Some(high)) => format!("{low} to {high}"),
                (Some(low), None) => format!("at least {low}"),
                (None, Some(high)) => format!("at most {high}"),
                (None, None) => "none".to_owned(),
            };
            let worth = match limit.is_yardstick() {
                true => "a yardstick, not law",
                false => "law",
            };
            format!(
                "{} {ends}: {worth} ({})",
                limit.metric.replace('_', " "),
                limit.cite
            )
        }
    };
    let notes = serving.notes.iter().map(|note| note.text.trim());
    TheoryView {
        test: test.to_owned(),
        id: theory.id.clone(),
        theory: theory.title.clone(),
        cite: theory.cite.clone(),
        jurisdiction: serving.jurisdiction.to_owned(),
        standing: serving.standing.words(),
        is_in_force: serving.standing.is_in_force(),
        limit,
        counsel: serving.for_counsel(),
        notes: notes
            .chain(serving.warning.map(str::trim))
            .map(str::to_owned)
            .collect(),
    }
}

/// The tests that an audit makes, by the words of [`TESTS`] and in their order, besides `own` of its profile.
pub fn tests(examined: &Examined, own: &[&str]) -> Vec<&'static str> {
    let audit = &examined.audit;
    let is_labelled = audit.label.is_some();
    let is_scored = audit.score.is_some();
    let is_probability = examined.figures["overall"]["brier"].is_number();
    let has_thresholds = examined
        .findings
        .cautions
        .iter()
        .any(|caution| caution.contains("threshold of their own in each group"));
    let makes = |test: &str| match test {
        "selection_rate"
        | "selection_rate_difference"
        | "impact_ratio"
        | "four_fifths"
        | "shortfall"
        | "fisher"
        | "fisher_midp"
        | "z_pooled"
        | "sd_units"
        | "chi2" => true,
        "tpr_difference"
        | "fpr_difference"
        | "fnr_difference"
        | "ppv_difference"
        | "accuracy_difference"
        | "accuracy" => is_labelled,
        "smd" | "quantile_impact_ratio" => is_scored,
        "auc" => is_scored && is_labelled,
        "calibration" | "brier" => is_probability,
        "cmh" | "breslow_day" => audit.strata.is_some(),
        "group_threshold" => has_thresholds,
        _ => own.contains(&test),
    };
    TESTS.into_iter().filter(|test| makes(test)).collect()
}
