//! A gap in mean outcomes between two groups, taken apart: what follows from different characteristics, and what does not.

use alnager_stats::matrix::{Design, FitError};
use alnager_stats::oaxaca::{self, Twofold};
use serde_json::{Map, Value, json};

use crate::factor::Factor;
use crate::figures::number;
use crate::words;

/// An outcome, two groups, and the factors that may explain the gap; complete rows only.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The name of the outcome's column.
    pub outcome_name: &'a str,
    /// The outcome of each row.
    pub outcome: &'a [f64],
    /// The name of the protected attribute.
    pub attribute: &'a str,
    /// The protected group and the reference group.
    pub groups: [&'a str; 2],
    /// Whether each row belongs to the protected group.
    pub protected: &'a [bool],
    /// The factors.
    pub factors: &'a [Factor],
    /// Rows left out: something was missing, or they belong to another group.
    pub n_left_out: u64,
}

/// The decomposition in every variant.
pub fn figures(asked: &Asked) -> Result<Value, FitError> {
    let mut design = Design::new(asked.outcome.len());
    let mut positions = Vec::new();
    for factor in asked.factors {
        positions.push((factor.name.as_str(), factor.push(&mut design)?));
    }
    let parts = oaxaca::decompose(&design, asked.outcome, asked.protected)?;
    let n_protected = asked
        .protected
        .iter()
        .filter(|protected| **protected)
        .count();
    Ok(json!({
        "y": asked.outcome_name,
        "attr": asked.attribute,
        "group": asked.groups[0],
        "reference": asked.groups[1],
        "n": asked.outcome.len(),
        "n_group": n_protected,
        "n_left_out": asked.n_left_out,
        "gap": number(Some(parts.gap)),
        "twofold_reference_coefs": twofold(&parts.reference),
        "explained_by": explained_by(&parts.reference),
        "explained_by_factor": by_factor(&parts.reference, &positions),
        "twofold_pooled_coefs": twofold(&parts.pooled),
        "explained_by_pooled": explained_by(&parts.pooled),
        "twofold_pooled_with_group_coefs": twofold(&parts.pooled_with_group),
        "explained_by_pooled_with_group": explained_by(&parts.pooled_with_group),
        "threefold": {
            "endowments": number(Some(parts.threefold.endowments)),
            "coefficients": number(Some(parts.threefold.coefficients)),
            "interaction": number(Some(parts.threefold.interaction)),
        },
        "standard_errors": {
            "explained": number(Some(parts.standard_errors.explained)),
            "unexplained": number(Some(parts.standard_errors.unexplained)),
            "endowments": number(Some(parts.standard_errors.explained)),
            "coefficients": number(Some(parts.standard_errors.coefficients)),
            "interaction": number(Some(parts.standard_errors.interaction)),
            "of": "twofold_reference_coefs and threefold",
        },
        "rule": "group A = protected, B = reference; explained uses B's OLS coefficients",
    }))
}

fn twofold(parts: &Twofold) -> Value {
    json!({
        "explained": number(Some(parts.explained)),
        "unexplained": number(Some(parts.unexplained)),
    })
}

fn explained_by(parts: &Twofold) -> Value {
    let parts = parts.explained_by.iter();
    Value::Object(
        parts
            .map(|(name, value)| (name.clone(), number(Some(*value))))
            .collect(),
    )
}

/// The columns of a category together: their sum does not depend on which category is the base.
pub(crate) fn by_factor(parts: &Twofold, factors: &[(&str, Vec<usize>)]) -> Value {
    let mut sums = Map::new();
    for (name, positions) in factors {
        // The design has the intercept at position 0, the list of parts has not.
        let parts = positions
            .iter()
            .filter_map(|at| parts.explained_by.get(at - 1));
        let sum: f64 = parts.map(|(_, value)| value).sum();
        sums.insert((*name).to_owned(), number(Some(sum)));
    }
    Value::Object(sums)
}

/// The figures in words.
pub fn words(figures: &Value) -> String {
    let text = |name: &str| figures[name].as_str().unwrap_or_default();
    let variants = [
        (
            format!("at the coefficients of {}", text("reference")),
            "twofold_reference_coefs",
        ),
        ("pooled, group left out".to_owned(), "twofold_pooled_coefs"),
        (
            "pooled, group beside".to_owned(),
            "twofold_pooled_with_group_coefs",
        ),
    ];
    let rows: Vec<Vec<String>> = variants
        .into_iter()
        .map(|(title, name)| {
            let parts = &figures[name];
            vec![
                title,
                words::figure(&parts["explained"]),
                words::figure(&parts["unexplained"]),
            ]
        })
        .collect();
    let factors: Vec<Vec<String>> = words::keys(&figures["explained_by_factor"])
        .iter()
        .map(|name| {
            vec![
                (*name).to_owned(),
                words::figure(&figures["explained_by_factor"][name]),
            ]
        })
        .collect();
    let threefold = &figures["threefold"];
    format!(
        "Mean `{}` of {} = {} less that of {}: {}\n\n{}\n\n{}\n\nThreefold: endowments {}, coefficients {}, interaction {}.\n\
        Standard errors: explained at the coefficients of {} {}, unexplained {}; of the three {}, {}, {}.\n\
        Explained is what follows from different factors; whether a factor is itself a legitimate one is for a person to say.{}",
        text("y"),
        text("attr"),
        text("group"),
        text("reference"),
        words::figure(&figures["gap"]),
        words::grid(&["", "explained", "unexplained"], &rows),
        words::grid(&["explained by", ""], &factors),
        words::figure(&threefold["endowments"]),
        words::figure(&threefold["coefficients"]),
        words::figure(&threefold["interaction"]),
        text("reference"),
        words::figure(&figures["standard_errors"]["explained"]),
        words::figure(&figures["standard_errors"]["unexplained"]),
        words::figure(&figures["standard_errors"]["endowments"]),
        words::figure(&figures["standard_errors"]["coefficients"]),
        words::figure(&figures["standard_errors"]["interaction"]),
        words::left_out(figures, "a value is missing, or another group"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::texts::Texts;

    #[test]
    fn the_parts_add_up_to_the_gap() {
        let x = Texts::of_rows("x", &["1", "2", "3", "5", "2", "4", "6", "9"]);
        let kind = Texts::of_rows("kind", &["a", "b", "a", "b", "a", "a", "b", "a"]);
        let protected = [true, true, true, true, false, false, false, false];
        let factors = [Factor::of(&x).unwrap(), Factor::of(&kind).unwrap()];
        let asked = Asked {
            outcome_name: "y",
            outcome: &[1.0, 2.5, 2.0, 4.0, 3.0, 5.0, 8.0, 9.5],
            attribute: "g",
            groups: ["1", "0"],
            protected: &protected,
            factors: &factors,
            n_left_out: 0,
        };
        let figures = figures(&asked).unwrap();
        let of = |path: &str| figures.pointer(path).and_then(Value::as_f64).unwrap();
        assert_eq!(of("/gap"), 2.375 - 6.375);
        for variant in [
            "twofold_reference_coefs",
            "twofold_pooled_coefs",
            "twofold_pooled_with_group_coefs",
        ] {
            let parts =
                of(&format!("/{variant}/explained")) + of(&format!("/{variant}/unexplained"));
            assert!((parts - of("/gap")).abs() < 1e-12, "{variant}");
        }
        let three = of("/threefold/endowments")
            + of("/threefold/coefficients")
            + of("/threefold/interaction");
        assert!((three - of("/gap")).abs() < 1e-12);
        assert_eq!(
            figures["explained_by"]["kind=b"],
            figures["explained_by_factor"]["kind"]
        );
        assert!(words(&figures).contains("explained"));
    }
}
