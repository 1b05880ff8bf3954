//! The four counts of decisions against labels, and every rate that follows from them.

use crate::mass::cross_difference;
use crate::proportion::{COUNT_MAX, Proportion};

/// Decisions against labels: how many rows of each kind.
///
/// Class 1 is "positive" whether or not it is the good outcome; where class 0 is the favourable
/// decision, look at [`Confusion::swapped`]. Sums of cells stop at
/// [`COUNT_MAX`], which no table of people reaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Confusion {
    /// Label 1, decision 1.
    pub tp: u64,
    /// Label 0, decision 1.
    pub fp: u64,
    /// Label 0, decision 0.
    pub tn: u64,
    /// Label 1, decision 0.
    pub fn_: u64,
}

impl Confusion {
    /// All rows.
    pub fn n(&self) -> u64 {
        sum(&[self.tp, self.fp, self.tn, self.fn_])
    }

    /// Rows with label 1.
    pub fn n_pos(&self) -> u64 {
        sum(&[self.tp, self.fn_])
    }

    /// Rows with decision 1.
    pub fn n_pred_pos(&self) -> u64 {
        sum(&[self.tp, self.fp])
    }

    /// The same rows with class 0 and class 1 renamed: TP with TN, FP with FN.
    pub fn swapped(&self) -> Confusion {
        Confusion {
            tp: self.tn,
            fp: self.fn_,
            tn: self.tp,
            fn_: self.fp,
        }
    }

    /// The value of one rate, 0..=1; `None` if its denominator is 0.
    pub fn rate(&self, rate: Rate) -> Option<f64> {
        rate.of(self).value()
    }

    /// (TPR + TNR) / 2, 0..=1; `None` if a label does not occur.
    ///
    /// Source: Brodersen et al. 2010, 20th International Conference on Pattern Recognition, 3121-3124.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        Some((self.rate(Rate::Tpr)? + self.rate(Rate::Tnr)?) / 2.0)
    }

    /// F1 = 2TP / (2TP + FP + FN), 0..=1; `None` if there is neither a label 1 nor a decision 1.
    ///
    /// Source: van Rijsbergen 1979, Information Retrieval, 2nd edition, chapter 7.
    pub fn f1(&self) -> Option<f64> {
        let hits = 2.0 * self.tp as f64;
        let all = hits + self.fp as f64 + self.fn_ as f64;
        (all > 0.0).then(|| hits / all)
    }

    /// Matthews' correlation of decision and label, -1..=1; `None` if either has only one value.
    ///
    /// Formula: (TP·TN - FP·FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN)).
    /// Source: Matthews 1975, Biochimica et Biophysica Acta 405, 442-451.
    pub fn mcc(&self) -> Option<f64> {
        let [tp, fp, tn, fn_] = [self.tp, self.fp, self.tn, self.fn_].map(|cell| sum(&[cell]));
        let margins = [
            sum(&[tp, fp]),
            sum(&[tp, fn_]),
            sum(&[tn, fp]),
            sum(&[tn, fn_]),
        ];
        let product: f64 = margins.iter().map(|&margin| margin as f64).product();
        let value = cross_difference(tp, tn, fp, fn_) as f64 / product.sqrt();
        (product > 0.0).then(|| value.clamp(-1.0, 1.0))
    }

    /// FN / FP, 0 and above, the figure compared in treatment equality; `None` if FP is 0.
    ///
    /// Source: Berk et al. 2021, Sociological Methods and Research 50, 3-44.
    pub fn fn_fp_ratio(&self) -> Option<f64> {
        (self.fp > 0).then(|| self.fn_ as f64 / self.fp as f64)
    }
}

/// A rate that is a share of rows, so that it has a count, an interval and an exact test.
///
/// Source of the names: Chouldechova 2017, Big Data 5, 153-163, and Hardt, Price and Srebro 2016,
/// Equality of opportunity in supervised learning (NIPS 29).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rate {
    /// (TP + FN) / n: the share of label 1.
    BaseRate,
    /// (TP + FP) / n: the share of decision 1.
    SelectionRate,
    /// TP / (TP + FN): sensitivity, recall.
    Tpr,
    /// FP / (FP + TN).
    Fpr,
    /// TN / (FP + TN): specificity.
    Tnr,
    /// FN / (TP + FN).
    Fnr,
    /// TP / (TP + FP): precision.
    Ppv,
    /// TN / (TN + FN).
    Npv,
    /// FP / (TP + FP): false discovery rate.
    Fdr,
    /// FN / (TN + FN): false omission rate.
    For,
    /// (TP + TN) / n.
    Accuracy,
}

impl Rate {
    /// Every rate, in the order of the reference tables.
    pub const ALL: [Rate; 11] = [
        Rate::BaseRate,
        Rate::SelectionRate,
        Rate::Tpr,
        Rate::Fpr,
        Rate::Tnr,
        Rate::Fnr,
        Rate::Ppv,
        Rate::Npv,
        Rate::Fdr,
        Rate::For,
        Rate::Accuracy,
    ];

    /// The name used in figures, for example `selection_rate`.
    pub fn name(self) -> &'static str {
        match self {
            Rate::BaseRate => "base_rate",
            Rate::SelectionRate => "selection_rate",
            Rate::Tpr => "tpr",
            Rate::Fpr => "fpr",
            Rate::Tnr => "tnr",
            Rate::Fnr => "fnr",
            Rate::Ppv => "ppv",
            Rate::Npv => "npv",
            Rate::Fdr => "fdr",
            Rate::For => "for",
            Rate::Accuracy => "accuracy",
        }
    }

    /// The rate with this name; `None` if there is none.
    pub fn from_name(name: &str) -> Option<Rate> {
        Rate::ALL.into_iter().find(|rate| rate.name() == name)
    }

    /// The rate as a count of rows among rows.
    pub fn of(self, counts: &Confusion) -> Proportion {
        let Confusion { tp, fp, tn, fn_ } = *counts;
        let (hits, misses): (&[u64], &[u64]) = match self {
            Rate::BaseRate => (&[tp, fn_], &[fp, tn]),
            Rate::SelectionRate => (&[tp, fp], &[tn, fn_]),
            Rate::Tpr => (&[tp], &[fn_]),
            Rate::Fpr => (&[fp], &[tn]),
            Rate::Tnr => (&[tn], &[fp]),
            Rate::Fnr => (&[fn_], &[tp]),
            Rate::Ppv => (&[tp], &[fp]),
            Rate::Npv => (&[tn], &[fn_]),
            Rate::Fdr => (&[fp], &[tp]),
            Rate::For => (&[fn_], &[tn]),
            Rate::Accuracy => (&[tp, tn], &[fp, fn_]),
        };
        let k = sum(hits);
        Proportion::saturated(k, sum(&[k, sum(misses)]))
    }
}

/// The sum of counts, at most `COUNT_MAX`.
fn sum(counts: &[u64]) -> u64 {
    counts
        .iter()
        .fold(0, |total: u64, &count| total.saturating_add(count))
        .min(COUNT_MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
