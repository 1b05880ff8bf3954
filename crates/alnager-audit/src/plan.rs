//! The plan: what must be measured, and which tests hold the figures against which limits.

use std::collections::BTreeSet;

use alnager_law::requirement::{Requirement, Standing};
use alnager_law::rule::Truth;

use crate::declared::Audit;
use crate::policy::{Policy, PolicyTest};

/// What must be measured, and the tests to hold it against.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The audits to measure: every declared one, whatever law binds.
    pub audits: Vec<Audit>,
    /// The tests.
    pub tests: Vec<PlannedTest>,
    /// Groups smaller than this are reported and neither judged nor named in the headline.
    pub min_group: u64,
    /// The smallest group that may become the reference where none is declared.
    pub reference_min: u64,
    /// The confidence of every interval, 0..1.
    pub confidence: f64,
}

/// One test of the policy, with what asks for it.
#[derive(Debug, Clone)]
pub struct PlannedTest {
    /// The test, with the system's own limit where that is stricter.
    pub test: PolicyTest,
    /// Whether the policy asks for it, given the facts.
    pub required: Truth,
    /// The facts that are missing to say so, where it is unknown.
    pub open_facts: Vec<String>,
    /// The requirements whose evidence it is, sorted.
    pub requirements: BTreeSet<String>,
}

/// Whether policy asks for a test of this system, its condition evaluated on the facts, and the facts missing to say so.
pub type Asked<'a> = dyn Fn(&PolicyTest) -> (Truth, Vec<String>) + 'a;

/// The plan of a system. `measured_by` gives the question that measures a kind of evidence, if one does.
pub fn plan(
    requirements: &[Requirement],
    declared: &[Audit],
    policy: &Policy,
    asked: &Asked<'_>,
    measured_by: &dyn Fn(&str) -> Option<String>,
) -> Plan {
    let bound = |question: &str| {
        let live = requirements
            .iter()
            .filter(|requirement| !matches!(requirement.standing, Standing::NotApplicable(_)));
        live.filter(|requirement| {
            requirement
                .text()
                .evidence
                .iter()
                .any(|kind| measured_by(kind).as_deref() == Some(question))
        })
        .map(|requirement| requirement.text().id.clone())
        .collect::<BTreeSet<_>>()
    };
    let tests = policy.tests.iter().map(|test| {
        let (required, open_facts) = asked(test);
        PlannedTest {
            test: test.clone(),
            required,
            open_facts,
            requirements: bound(&test.question),
        }
    });
    Plan {
        audits: declared.to_vec(),
        tests: tests.collect(),
        min_group: policy.min_group,
        reference_min: policy.reference_min,
        confidence: policy.confidence,
    }
}
