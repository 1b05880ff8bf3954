//! A fairness audit of any source of rows: count, compute, judge.

use std::path::Path;

use alnager_audit::catalogue::{self, Settings};
use alnager_audit::declared::Audit;
use alnager_audit::finding::{self, Findings, Method};
use alnager_audit::judge::Outcome;
use alnager_audit::measures::Measures;
use alnager_audit::plan::{self, Plan};
use alnager_audit::policy::Policy;
use alnager_law::rule::Truth;
use alnager_probe::{Progress, measure_with};
use alnager_report::audit::FairnessView;
use serde_json::Value;

use crate::error::JobError;
use crate::files::read_text;
use crate::source;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// The audit; its `data` is the source, relative to where the program runs.
    pub audit: Audit,
    /// Sizes and confidence that replace the policy's.
    pub sizes: Sizes,
    /// How findings are made.
    pub method: Method,
}

/// What replaces the policy's own, where it is given.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sizes {
    /// Groups smaller than this are reported, not judged.
    pub min_group: Option<u64>,
    /// The smallest group that may become the reference where none is declared.
    pub reference_min: Option<u64>,
    /// The confidence of every interval, 0..1.
    pub confidence: Option<f64>,
}

/// What an audit found.
#[derive(Debug, Clone)]
pub struct Examined {
    /// The audit.
    pub audit: Audit,
    /// What it was judged by.
    pub plan: Plan,
    /// The policy's name and version, and who approved it.
    pub policy: String,
    /// What was counted.
    pub measures: Measures,
    /// Every figure of the catalogue.
    pub figures: Value,
    /// Every test of the policy.
    pub findings: Findings,
    /// What a person should look at in the data.
    pub warnings: Vec<String>,
    /// How findings were made.
    pub method: Method,
}

impl Examined {
    /// What became of the whole.
    pub fn outcome(&self) -> Outcome {
        self.findings.outcome
    }
}

/// The smallest group that the data may choose as the reference of a figure. A test is stricter: it takes the policy's size.
pub const REFERENCE_MIN: u64 = 30;

/// Reads a policy from a file.
pub fn policy(path: &Path) -> Result<Policy, JobError> {
    Ok(Policy::parse(
        &path.display().to_string(),
        &read_text(path)?,
    )?)
}

/// Measures and judges. Needs no desk and seals nothing.
pub fn examine(
    request: &Request,
    policy: &Policy,
    progress: &dyn Fn(Progress),
) -> Result<Examined, JobError> {
    let audit = &request.audit;
    let data = Path::new(&audit.data);
    let local = source::local(Path::new(""), data, audit.relation.as_ref(), progress)?;
    let measured = measure_with(audit, local.source(), progress)?;
    Ok(judge(request, policy, measured.measures, measured.warnings))
}

/// The same from counts that are there already.
pub fn judge(
    request: &Request,
    policy: &Policy,
    measures: Measures,
    warnings: Vec<String>,
) -> Examined {
    let plan = planned(request, policy);
    let settings = Settings {
        reference_min: request.sizes.reference_min.unwrap_or(REFERENCE_MIN),
        confidence: plan.confidence,
    };
    let figures = catalogue::catalogue(&request.audit, &measures, settings);
    let findings = finding::find(&plan, &request.audit, &measures, request.method);
    Examined {
        audit: request.audit.clone(),
        policy: policy_words(request, policy),
        plan,
        measures,
        figures,
        findings,
        warnings,
        method: request.method,
    }
}

/// The policy, and what was asked in place of its own sizes: those nobody approved.
fn policy_words(request: &Request, policy: &Policy) -> String {
    let sizes = &request.sizes;
    let mut own: Vec<String> = Vec::new();
    own.extend(sizes.confidence.map(|value| format!("confidence {value}")));
    own.extend(sizes.min_group.map(|rows| format!("smallest group {rows}")));
    own.extend(
        sizes
            .reference_min
            .map(|rows| format!("smallest reference {rows}")),
    );
    let instead = match own.as_slice() {
        [] => String::new(),
        own => format!("; asked for here in place of its own: {}", own.join(", ")),
    };
    format!(
        "{} {}, approved by {} on {}{instead}",
        policy.id, policy.version, policy.approved_by, policy.approved_on
    )
}

/// Every test of the policy, asked of this audit whatever law binds.
fn planned(request: &Request, policy: &Policy) -> Plan {
    let audits = std::slice::from_ref(&request.audit);
    let mut plan = plan::plan(&[], audits, policy, &|_| (Truth::True, Vec::new()), &|_| {
        None
    });
    plan.min_group = request.sizes.min_group.unwrap_or(plan.min_group);
    plan.reference_min = request.sizes.reference_min.unwrap_or(plan.reference_min);
    plan.confidence = request.sizes.confidence.unwrap_or(plan.confidence);
    plan
}

/// The view of an audit.
pub fn view(examined: &Examined) -> FairnessView {
    alnager_report::audit::view(&source(examined))
}

/// What views are made from.
pub fn source(examined: &Examined) -> alnager_report::audit::Source<'_> {
    alnager_report::audit::Source {
        audit: &examined.audit,
        plan: &examined.plan,
        policy: &examined.policy,
        measures: &examined.measures,
        figures: &examined.figures,
        findings: &examined.findings,
        method: examined.method,
        warnings: &examined.warnings,
    }
}
