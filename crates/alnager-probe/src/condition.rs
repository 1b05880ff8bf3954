//! Conditions on rows: the rule language over columns, judged for many rows at a time in three-valued logic.

use alnager_law::fact::Vocabulary;
use alnager_law::rule::{Atom, Rule};

use crate::coder::{FALSE, TRUE};

/// A condition as a tree over the codes that its atoms gave.
pub(crate) enum Condition {
    Constant(u32),
    /// The position of the atom.
    Atom(usize),
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

impl Condition {
    /// The tree of a rule, and its atoms with the columns they ask.
    pub(crate) fn of(rule: &Rule, vocabulary: &Vocabulary) -> (Condition, Vec<(String, Atom)>) {
        let mut atoms = Vec::new();
        let condition = Condition::grow(rule, vocabulary, &mut atoms);
        (condition, atoms)
    }

    fn grow(rule: &Rule, vocabulary: &Vocabulary, atoms: &mut Vec<(String, Atom)>) -> Condition {
        let mut each = |rules: &[Rule]| {
            rules
                .iter()
                .map(|rule| Condition::grow(rule, vocabulary, atoms))
                .collect()
        };
        match rule {
            Rule::Constant(holds) => Condition::Constant(if *holds { TRUE } else { FALSE }),
            Rule::All(rules) => Condition::All(each(rules)),
            Rule::Any(rules) => Condition::Any(each(rules)),
            Rule::Not(rule) => Condition::Not(Box::new(Condition::grow(rule, vocabulary, atoms))),
            Rule::Atom(atom) => {
                atoms.push((vocabulary.kinds()[atom.fact].name.clone(), atom.clone()));
                Condition::Atom(atoms.len() - 1)
            }
            // A condition on columns is parsed without derived facts.
            Rule::Derived(_) => Condition::Constant(FALSE),
        }
    }

    /// The truth of every row, `codes[atom][row]` being that of an atom. Kleene's logic on the numbers 0, 1 and 2: `and` is the
    /// least, `or` the greatest, `not` the distance from 2.
    pub(crate) fn truths(&self, codes: &[&[u32]], n_rows: usize) -> Vec<u32> {
        let fold = |parts: &[Condition], start: u32, join: fn(u32, u32) -> u32| {
            let mut truths = vec![start; n_rows];
            for part in parts {
                let others = part.truths(codes, n_rows);
                for (truth, other) in truths.iter_mut().zip(others) {
                    *truth = join(*truth, other);
                }
            }
            truths
        };
        match self {
            Condition::Constant(truth) => vec![*truth; n_rows],
            Condition::Atom(atom) => codes[*atom].to_vec(),
            Condition::Not(part) => {
                let mut truths = part.truths(codes, n_rows);
                truths.iter_mut().for_each(|truth| *truth = TRUE - *truth);
                truths
            }
            Condition::All(parts) => fold(parts, TRUE, u32::min),
            Condition::Any(parts) => fold(parts, FALSE, u32::max),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::coder::UNDECIDED;

    #[test]
    fn unknown_decides_nothing_it_need_not() {
        let (rule, vocabulary) = alnager_law::rule::over_columns("a && !b || c").unwrap();
        let (condition, atoms) = Condition::of(&rule, &vocabulary);
        let asked: Vec<&str> = atoms.iter().map(|(column, _)| column.as_str()).collect();
        assert_eq!(asked, ["a", "b", "c"]);
        let [f, u, t] = [FALSE, UNDECIDED, TRUE];
        let truths = condition.truths(&[&[t, t, u, f], &[f, u, f, u], &[f, f, f, t]], 4);
        assert_eq!(truths, [t, u, u, t]);
    }
}
