//! Rules and answers as the Common Expression Language has them.
//!
//! A date is its ISO text, which orders as days do between the years 0 and 9999. A set is a list, and `has_any` is `exists`. The
//! answer `none` is null; as CEL makes an error of comparing null, each comparison of a date or number is guarded against it.

use alnager_law::fact::{Value, Vocabulary};
use alnager_law::rule::{Atom, Rule, Test};

/// A rule in CEL; `derived` gives what stands for a derived fact.
pub(crate) fn text(
    rule: &Rule,
    vocabulary: &Vocabulary,
    derived: &dyn Fn(usize) -> String,
) -> String {
    let join = |rules: &[Rule], mark: &str| {
        let parts = rules.iter().map(|rule| text(rule, vocabulary, derived));
        format!("({})", parts.collect::<Vec<_>>().join(mark))
    };
    match rule {
        Rule::Constant(yes) => yes.to_string(),
        Rule::All(rules) => join(rules, " && "),
        Rule::Any(rules) => join(rules, " || "),
        Rule::Not(rule) => format!("!({})", text(rule, vocabulary, derived)),
        Rule::Atom(one) => atom(one, vocabulary),
        Rule::Derived(at) => derived(*at),
    }
}

fn atom(atom: &Atom, vocabulary: &Vocabulary) -> String {
    let name = &vocabulary.kinds()[atom.fact].name;
    match &atom.test {
        Test::IsTrue => name.clone(),
        Test::HasAny(values) if values.len() == 1 => format!("'{}' in {name}", values[0]),
        Test::HasAny(values) => format!("{name}.exists(value, value in {values:?})"),
        Test::IsOneOf(values) if values.len() == 1 => format!("{name} == '{}'", values[0]),
        Test::IsOneOf(values) => format!("{name} in {values:?}"),
        Test::IsNot(value) => format!("{name} != '{value}'"),
        Test::Number(comparison, number) => {
            format!(
                "({name} != null && {name} {} {number:e})",
                comparison.mark()
            )
        }
        Test::Date(comparison, date) => {
            format!("({name} != null && {name} {} '{date}')", comparison.mark())
        }
    }
}

/// An answer in CEL.
pub(crate) fn value(value: &Value) -> cel::Value {
    match value {
        Value::Bool(yes) => (*yes).into(),
        Value::Number(number) => (*number).into(),
        Value::Date(date) => date.to_string().into(),
        Value::One(value) => value.clone().into(),
        Value::Set(set) => set.iter().cloned().collect::<Vec<String>>().into(),
        Value::None => cel::Value::Null,
    }
}
