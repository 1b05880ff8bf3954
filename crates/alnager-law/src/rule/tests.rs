#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::fact::Answer;

const FACTS: &str = "
schema = 'alnager.facts/1'
version = '1'
[fact.a]
type = 'bool'
question = 'a?'
serves = ['all']
[fact.b]
type = 'bool'
question = 'b?'
serves = ['all']
[fact.uses]
type = 'set'
values = ['x', 'y', 'z']
question = 'uses?'
serves = ['all']
[fact.role]
type = 'enum'
values = ['none', 'some']
question = 'role?'
serves = ['all']
[fact.size]
type = 'number'
question = 'size?'
serves = ['all']
[fact.placed]
type = 'date'
question = 'placed?'
serves = ['all']
";

fn vocabulary() -> Vocabulary {
    Vocabulary::parse("facts", FACTS).unwrap()
}

fn parsed(text: &str) -> Result<Rule, RuleError> {
    parse(
        text,
        &Names {
            vocabulary: &vocabulary(),
            derived: &BTreeMap::from([("d".to_owned(), 0)]),
        },
    )
}

/// Reads `name=value` pairs; shows whether the condition holds.
#[track_caller]
fn check(text: &str, facts: &str, want: Truth) {
    let vocabulary = vocabulary();
    let mut answers = Facts::hypothetical(false);
    for pair in facts.split_whitespace() {
        let (name, value) = pair.split_once('=').unwrap();
        let position = vocabulary.position(name).unwrap();
        answers.set(
            position,
            Some(Answer::bare(
                vocabulary.kinds()[position].parse(value).unwrap(),
            )),
        );
    }
    assert_eq!(
        truth(&parsed(text).unwrap(), &answers, &vocabulary),
        want,
        "{text} with {facts}"
    );
}

fn truth(rule: &Rule, facts: &Facts, vocabulary: &Vocabulary) -> Truth {
    match rule {
        Rule::Constant(yes) => Truth::from(*yes),
        Rule::All(rules) => rules
            .iter()
            .map(|rule| truth(rule, facts, vocabulary))
            .fold(Truth::True, Truth::and),
        Rule::Any(rules) => rules
            .iter()
            .map(|rule| truth(rule, facts, vocabulary))
            .fold(Truth::False, Truth::or),
        Rule::Not(rule) => truth(rule, facts, vocabulary).not(),
        Rule::Atom(atom) => atom
            .truth(facts, vocabulary)
            .map_or(Truth::Unknown, Truth::from),
        Rule::Derived(_) => Truth::Unknown,
    }
}

#[track_caller]
fn refused(text: &str, want: Expect) {
    want.assert_eq(&parsed(text).unwrap_err().to_string());
}

#[test]
fn each_kind_of_question_reads_its_fact() {
    use Truth::{False, True, Unknown};
    check("a", "a=true", True);
    check("!a", "", Unknown);
    check("'x' in uses", "uses=x,y", True);
    check("'z' in uses", "uses=x,y", False);
    check("has_any(uses, ['z', 'y'])", "uses=x,y", True);
    check("has_any(uses, ['z', 'y'])", "", Unknown);
    check("role == 'some'", "role=none", False);
    check("role in ['none', 'some']", "role=none", True);
    check("role != 'some'", "role=none", True);
    check("size > 1e25", "size=3e25", True);
    check("size <= -1.5", "size=-2", True);
    check("placed < date('2026-08-02')", "placed=2026-08-01", True);
    check("placed >= date('2026-08-02')", "placed=2026-08-01", False);
}

#[test]
fn an_answer_of_none_fails_every_comparison() {
    check("size < 5", "size=none", Truth::False);
    check("size >= 5", "size=none", Truth::False);
    check("!(placed < date('2026-08-02'))", "placed=none", Truth::True);
}

#[test]
fn and_or_not_follow_the_strong_kleene_tables() {
    use Truth::{False, True, Unknown};
    for (one, text) in [(False, "a=false"), (Unknown, ""), (True, "a=true")] {
        for (other, more) in [(False, "b=false"), (Unknown, ""), (True, "b=true")] {
            check("a && b", &format!("{text} {more}"), one.min(other));
            check("a || b", &format!("{text} {more}"), one.max(other));
        }
        check(
            "!a",
            text,
            match one {
                False => True,
                Unknown => Unknown,
                True => False,
            },
        );
    }
}

#[test]
fn and_binds_tighter_than_or() {
    check("a || b && !a", "a=true", Truth::True);
    check("(a || b) && !a", "a=true", Truth::False);
}

#[test]
fn what_does_not_parse_says_where_and_what() {
    refused(
        "a && c",
        expect![
            "in the condition `a && c`, at character 6: there is no fact `c`; did you mean `a`?"
        ],
    );
    refused(
        "'q' in uses",
        expect![
            "in the condition `'q' in uses`, at character 12: `q` is not a value of `uses`; did you mean `x`?"
        ],
    );
    refused(
        "uses",
        expect![
            "in the condition `uses`, at character 5: `uses` is a set; write 'value' in uses or has_any(uses, ['a', 'b'])"
        ],
    );
    refused(
        "size",
        expect![
            "in the condition `size`, at character 5: a comparison such as `<` is expected after `size`"
        ],
    );
    refused(
        "placed < 2026",
        expect![
            "in the condition `placed < 2026`, at character 10: a day such as date('2026-08-02') is expected here"
        ],
    );
    refused(
        "placed < date('2026-02-30')",
        expect![
            "in the condition `placed < date('2026-02-30')`, at character 15: `2026-02-30` is not a day of the calendar"
        ],
    );
    refused(
        "a b",
        expect![
            "in the condition `a b`, at character 3: `b` is not expected here; join conditions with `&&` or `||`"
        ],
    );
    refused(
        "a && ",
        expect![
            "in the condition `a && `, at character 6: the condition ends where a fact is expected"
        ],
    );
    refused(
        "a ? b",
        expect![
            "in the condition `a ? b`, at character 3: the character `?` has no meaning in a condition"
        ],
    );
    refused(
        &"(".repeat(200),
        expect![[
            r#"in the condition `((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((`, at character 65: parentheses are nested more than 64 deep; name a part with `derive`"#
        ]],
    );
}

fn rules() -> impl Strategy<Value = Rule> {
    let position = |name: &str| vocabulary().position(name).unwrap();
    let atom = prop_oneof![
        Just(Rule::Atom(Atom {
            fact: position("a"),
            test: Test::IsTrue
        })),
        Just(Rule::Atom(Atom {
            fact: position("b"),
            test: Test::IsTrue
        })),
        Just(Rule::Atom(Atom {
            fact: position("uses"),
            test: Test::HasAny(vec!["x".to_owned(), "y".to_owned()])
        })),
        Just(Rule::Atom(Atom {
            fact: position("role"),
            test: Test::IsNot("some".to_owned())
        })),
        Just(Rule::Atom(Atom {
            fact: position("size"),
            test: Test::Number(Comparison::AtLeast, 2.5)
        })),
        Just(Rule::Atom(Atom {
            fact: position("placed"),
            test: Test::Date(Comparison::Less, jiff::civil::date(2026, 8, 2))
        })),
    ];
    atom.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Rule::All),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Rule::Any),
            inner.prop_map(|rule| Rule::Not(Box::new(rule))),
        ]
    })
}

/// One choice of answers: each fact unanswered or one of two answers.
fn answers(choice: &[Option<bool>]) -> Facts {
    let vocabulary = vocabulary();
    let values = [
        ("a", "true", "false"),
        ("b", "true", "false"),
        ("uses", "x", "z"),
        ("role", "none", "some"),
        ("size", "3", "none"),
        ("placed", "2026-01-01", "none"),
    ];
    let mut facts = Facts::hypothetical(false);
    for ((name, yes, no), answer) in values.iter().zip(choice) {
        let position = vocabulary.position(name).unwrap();
        let value = answer.map(|answer| {
            vocabulary.kinds()[position]
                .parse(if answer { yes } else { no })
                .unwrap()
        });
        facts.set(position, value.map(Answer::bare));
    }
    facts
}

proptest! {
    #[test]
    fn a_printed_rule_reads_back_as_the_same_condition(rule in rules(), choice in proptest::collection::vec(any::<Option<bool>>(), 6)) {
        let vocabulary = vocabulary();
        let again = parsed(&rule.text(&vocabulary, &|_| "d".to_owned())).unwrap();
        let facts = answers(&choice);
        prop_assert_eq!(truth(&again, &facts, &vocabulary), truth(&rule, &facts, &vocabulary));
    }

    #[test]
    fn learning_a_fact_never_reopens_a_settled_rule(rule in rules(), mut choice in proptest::collection::vec(any::<Option<bool>>(), 6), at in 0_usize..6, learned: bool) {
        let vocabulary = vocabulary();
        choice[at] = None;
        let before = truth(&rule, &answers(&choice), &vocabulary);
        choice[at] = Some(learned);
        let after = truth(&rule, &answers(&choice), &vocabulary);
        prop_assert!(before == Truth::Unknown || before == after, "{:?} became {:?}", before, after);
    }

    #[test]
    fn the_order_of_parts_changes_nothing(rules in proptest::collection::vec(rules(), 2..5), choice in proptest::collection::vec(any::<Option<bool>>(), 6)) {
        let vocabulary = vocabulary();
        let facts = answers(&choice);
        let mut turned = rules.clone();
        turned.reverse();
        prop_assert_eq!(truth(&Rule::All(rules.clone()), &facts, &vocabulary), truth(&Rule::All(turned.clone()), &facts, &vocabulary));
        prop_assert_eq!(truth(&Rule::Any(rules), &facts, &vocabulary), truth(&Rule::Any(turned), &facts, &vocabulary));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,40}") {
        let _ = parsed(&text);
    }
}

#[test]
fn a_condition_over_columns_is_typed_by_how_it_asks() {
    let shown = |text: &str| match over_columns(text) {
        Ok((rule, vocabulary)) => rule.text(&vocabulary, &|_| String::new()),
        Err(error) => error.problem,
    };
    assert_eq!(
        shown("age >= 40 && `job title` in ['clerk', 'cook'] || !(hired)"),
        "(age >= 4e1 && job title in ['clerk', 'cook']) || !hired"
    );
    assert_eq!(
        shown("seen < date('2026-08-02') && status != 'open'"),
        "seen < date('2026-08-02') && status != 'open'"
    );
    assert_eq!(
        shown("age > 3 || age == 'old'"),
        "`age` is asked in two ways; compare a column with numbers, texts or days throughout"
    );
    assert_eq!(shown("'x' in tags"), "`tags` is not a set");
}
