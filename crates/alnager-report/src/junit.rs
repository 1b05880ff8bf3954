//! The review as JUnit XML, which every CI shows: one case for the gate, one for each test on each attribute, one for each requirement.
//!
//! A case fails exactly where it stands in the way: it *fails* where it holds the gate and is in *error* where it leaves the gate
//! undecided, so that a file without either is an exit code 0. What does not count (not in force yet, voluntary, excepted) is skipped,
//! with the reason. Source of the form: the XML schema that Jenkins publishes for its JUnit plugin.

use std::io;

use alnager_audit::judge::Outcome;
use alnager_office::gate::{Gate, Status, Verdict};
use quick_xml::Writer;
use quick_xml::events::{BytesText, Event};

use crate::view::{BlockerView, OutcomeView, RequirementView, ReviewView};

/// How a case came out.
enum Came {
    Pass,
    /// The summary, and everything that helps to clear it.
    Fail(String, String),
    /// The same, where nobody can say yet.
    Error(String, String),
    /// Why it does not count.
    Skipped(String),
}

struct Case {
    name: String,
    came: Came,
}

struct Suite<'v> {
    name: &'v str,
    cases: Vec<Case>,
}

/// The review as a whole file.
pub fn review(view: &ReviewView) -> Result<String, io::Error> {
    let mut suites = vec![gate(view), tests(view)];
    if view.gate == Gate::Launch {
        suites.extend(requirements(view));
    }
    suites.retain(|suite| !suite.cases.is_empty());
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    let all = || suites.iter().flat_map(|suite| &suite.cases);
    let name = format!("{} · judged on {}", view.name, view.judged_on);
    writer
        .create_element("testsuites")
        .with_attributes(counted(&name, all()).iter().map(pair))
        .write_inner_content(|writer| {
            suites
                .iter()
                .try_for_each(|suite| write_suite(writer, &view.system, suite))
        })?;
    let xml = writer.into_inner();
    let xml = String::from_utf8(xml).map_err(io::Error::other)?;
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{xml}\n"
    ))
}

fn gate(view: &ReviewView) -> Suite<'_> {
    let words = view.verdict_words.clone();
    let more = || format!("{} blockers", view.blockers.len());
    let case = Case {
        name: match view.gate {
            Gate::Launch => "launch gate".to_owned(),
            Gate::Tests => "gate of the measurements".to_owned(),
        },
        came: match view.verdict {
            Verdict::Clear => Came::Pass,
            Verdict::Hold => Came::Fail(words, more()),
            Verdict::Undecided => Came::Error(words, more()),
        },
    };
    Suite {
        name: "gate",
        cases: vec![case],
    }
}

fn tests(view: &ReviewView) -> Suite<'_> {
    let case = |outcome: &OutcomeView| Case {
        name: [
            outcome.test.clone(),
            part(" by ", &outcome.attribute),
            part(" in ", &outcome.audit),
        ]
        .concat(),
        came: match (&outcome.blocker, outcome.outcome) {
            (Some(blocker), _) => blocked(blocker),
            (None, Outcome::Pass) => Came::Pass,
            (None, outcome) => {
                Came::Skipped(format!("{}; not asked for by policy", outcome.word()))
            }
        },
    };
    Suite {
        name: "tests",
        cases: view.outcomes.iter().map(case).collect(),
    }
}

/// One suite a pack, in the order of the packs.
fn requirements(view: &ReviewView) -> Vec<Suite<'_>> {
    let mut suites: Vec<Suite<'_>> = Vec::new();
    for requirement in &view.requirements {
        let case = case(view, requirement);
        match suites
            .iter_mut()
            .find(|suite| suite.name == requirement.pack_title)
        {
            Some(suite) => suite.cases.push(case),
            None => suites.push(Suite {
                name: &requirement.pack_title,
                cases: vec![case],
            }),
        }
    }
    suites
}

fn case(view: &ReviewView, requirement: &RequirementView) -> Case {
    let mut blockers = view.blockers.iter();
    let blocker = blockers.find(|blocker| blocker.id == requirement.id);
    Case {
        name: format!("{} {}", requirement.id, requirement.what),
        came: match (blocker, requirement.status) {
            (Some(blocker), _) => blocked(blocker),
            (None, Status::Met) => Came::Pass,
            (None, status) => Came::Skipped(format!("{}: {}", status.word(), requirement.why)),
        },
    }
}

fn blocked(blocker: &BlockerView) -> Came {
    let what = blocker.what.clone();
    let body = format!(
        "{}\nowner: {}\nnext: {}",
        blocker.citation, blocker.owner, blocker.next
    );
    match blocker.holds {
        true => Came::Fail(what, body),
        false => Came::Error(what, body),
    }
}

fn part(before: &str, text: &str) -> String {
    match text.is_empty() {
        true => String::new(),
        false => format!("{before}{text}"),
    }
}

fn counted<'c>(
    name: &str,
    cases: impl Iterator<Item = &'c Case> + Clone,
) -> [(&'static str, String); 5] {
    let count = |of: fn(&Came) -> bool| {
        let cases = cases.clone();
        cases.filter(|case| of(&case.came)).count().to_string()
    };
    [
        ("name", printable(name)),
        ("tests", count(|_| true)),
        ("failures", count(|came| matches!(came, Came::Fail(..)))),
        ("errors", count(|came| matches!(came, Came::Error(..)))),
        ("skipped", count(|came| matches!(came, Came::Skipped(_)))),
    ]
}

fn pair<'a>((name, value): &'a (&'static str, String)) -> (&'a str, &'a str) {
    (name, value)
}

fn write_suite(writer: &mut Writer<Vec<u8>>, system: &str, suite: &Suite<'_>) -> io::Result<()> {
    let class = printable(&format!("{system}.{}", suite.name));
    writer
        .create_element("testsuite")
        .with_attributes(counted(suite.name, suite.cases.iter()).iter().map(pair))
        .write_inner_content(|writer| {
            suite
                .cases
                .iter()
                .try_for_each(|case| write_case(writer, &class, case))
        })?;
    Ok(())
}

fn write_case(writer: &mut Writer<Vec<u8>>, class: &str, case: &Case) -> io::Result<()> {
    let name = printable(&case.name);
    let element = writer
        .create_element("testcase")
        .with_attributes([("classname", class), ("name", name.as_str())]);
    let (tag, kind, message, body) = match &case.came {
        Came::Pass => return element.write_empty().map(|_| ()),
        Came::Fail(message, body) => ("failure", "hold", message, body.as_str()),
        Came::Error(message, body) => ("error", "undecided", message, body.as_str()),
        Came::Skipped(message) => ("skipped", "", message, ""),
    };
    let message = printable(message);
    element.write_inner_content(|writer| {
        let mut inner = writer
            .create_element(tag)
            .with_attribute(("message", message.as_str()));
        if !kind.is_empty() {
            inner = inner.with_attribute(("type", kind));
        }
        match body.is_empty() {
            true => inner.write_empty()?,
            false => inner.write_inner_content(|writer| {
                writer.write_event(Event::Text(BytesText::new(&printable(body))))
            })?,
        };
        Ok(())
    })?;
    Ok(())
}

/// Characters that XML does not have, as `�`. Source: XML 1.0, production 2.
fn printable(text: &str) -> String {
    let known = |char: char| {
        matches!(char, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
            || char >= '\u{10000}'
    };
    let chars = text.chars();
    chars
        .map(|char| if known(char) { char } else { '\u{fffd}' })
        .collect()
}

#[cfg(test)]
mod tests;
