//! The review as JSON. One schema fixes it: `docs/formats/review.schema.json`; the words are in `docs/formats/review.md`.
//!
//! `null` is undefined or unknown. Keys stand in a fixed order. Figures are the doubles that were computed, not rounded.

use alnager_office::gate::Gate;
use serde_json::{Map, Value, json};

use crate::view::{AuditView, ConflictView, GroupView, RequirementView, ResultView, ReviewView};

/// The name and version of the format.
pub const SCHEMA: &str = "alnager.review/1";

/// What the review left behind.
#[derive(Debug, Clone)]
pub struct JsonOutputs {
    /// How many proposals there are to use accepted evidence for further requirements.
    pub n_proposals: usize,
    /// The path of the report; `None` where none was written.
    pub report: Option<String>,
    /// The path of the dossier; `None` where none was written.
    pub dossier: Option<String>,
    /// The head of the journal that sealed it; `None` where nothing was sealed.
    pub journal: Option<JournalHead>,
}

/// The head of a journal.
#[derive(Debug, Clone)]
pub struct JournalHead {
    /// The journal's origin line.
    pub origin: String,
    /// Its number of entries.
    pub size: u64,
    /// Its root hash, in base64 as in the checkpoint.
    pub root: String,
}

/// The review. `figures` are those of the first audit, in the shape of a reference table; `null` where nothing was measured.
pub fn review(view: &ReviewView, figures: &Value, outputs: &JsonOutputs) -> Value {
    let mut object = Map::new();
    for (key, value) in [
        ("schema", json!(SCHEMA)),
        ("system", json!(view.system)),
        ("name", json!(view.name)),
        ("organisation", json!(view.organisation)),
        ("owner", json!(view.owner)),
        ("stage", json!(view.stage)),
        ("verdict", json!(view.verdict.word())),
        ("nothing_required", json!(view.nothing_required)),
        ("gate", json!(gate(view.gate))),
        ("judged_on", json!(view.judged_on)),
        ("known", json!(view.known)),
        ("what_if", json!(view.what_if)),
        ("counts", counts(view)),
        ("fine", view.fine.as_ref().map_or(Value::Null, |fine| json!({ "max": fine.max, "citation": fine.cite, "requirement": fine.requirement }))),
        ("tests", tests(view)),
        ("headline", json!(view.headline)),
        ("results", view.results.iter().map(result).collect()),
        ("audits", view.audits.iter().map(audit).collect()),
        ("changes", view.changes.iter().map(|change| json!({ "kind": change.kind, "words": change.words })).collect()),
        ("requirements", view.requirements.iter().map(requirement).collect()),
        ("conflicts", view.conflicts.iter().map(conflict).collect()),
        ("blockers", blockers(view)),
        ("open_facts", open_facts(view)),
        ("figures", figures.clone()),
        ("policy", policy(view)),
        ("packs", packs(view)),
        ("methods", json!(view.methods)),
        ("evidence_proposals", json!(outputs.n_proposals)),
        ("report", json!(outputs.report)),
        ("dossier", json!(outputs.dossier)),
        ("journal", outputs.journal.as_ref().map_or(Value::Null, journal)),
        ("warnings", json!(view.warnings)),
    ] {
        object.insert(key.to_owned(), value);
    }
    Value::Object(object)
}

fn journal(head: &JournalHead) -> Value {
    json!({ "origin": head.origin, "size": head.size, "root": head.root })
}

fn gate(gate: Gate) -> &'static str {
    match gate {
        Gate::Launch => "launch",
        Gate::Tests => "tests",
    }
}

fn counts(view: &ReviewView) -> Value {
    let counts = &view.counts;
    json!({
        "in_force": counts.in_force,
        "met": counts.met,
        "gap": counts.gap,
        "unknown": counts.unknown,
        "may_apply": counts.may_apply,
        "ahead": counts.ahead,
        "next": view.next_day,
        "waiting": counts.waiting,
        "voluntary": counts.voluntary,
    })
}

fn tests(view: &ReviewView) -> Value {
    let tests = &view.tests;
    json!({ "n": tests.n, "failed": tests.failed, "inconclusive": tests.inconclusive, "not_measured": tests.not_measured })
}

fn result(result: &ResultView) -> Value {
    json!({
        "test": result.test,
        "audit": result.audit,
        "attribute": some(&result.attribute),
        "group": some(&result.group),
        "reference": result.reference,
        "metric": result.metric,
        "value": result.value,
        "low": result.interval.map(|(low, _)| low),
        "high": result.interval.map(|(_, high)| high),
        "n": result.n,
        "limit": {
            "low": result.limit_low,
            "high": result.limit_high,
            "source": result.limit_source,
            "citation": result.limit_cite,
        },
        "result": result.outcome.word(),
        "judged": result.is_judged,
        "what_if": result.is_what_if,
        "required": result.is_required,
        "p": result.p,
        "p_holm": result.p_holm,
        "method": result.method,
        "requirements": result.requirements,
    })
}

/// `null` for a figure over all rows.
fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn audit(audit: &AuditView) -> Value {
    let unknown: Map<String, Value> = audit
        .unknown
        .iter()
        .map(|(attribute, n)| (attribute.clone(), json!(n)))
        .collect();
    let mut value = json!({
        "name": audit.name,
        "data": audit.data,
        "sha256": audit.sha256,
        "n_rows": audit.n_rows,
        "favourable": audit.favourable,
        "unknown": unknown,
        "groups": audit.groups.iter().map(group).collect::<Value>(),
    });
    if let Some(model) = &audit.model {
        value["model"] = json!(model);
    }
    value
}

fn group(group: &GroupView) -> Value {
    json!({
        "attribute": group.attribute,
        "group": group.group,
        "n": group.n,
        "k": group.k,
        "favourable_rate": group.rate,
        "low": group.interval.map(|(low, _)| low),
        "high": group.interval.map(|(_, high)| high),
        "reference": group.is_reference,
        "judged": group.is_judged,
    })
}

fn requirement(requirement: &RequirementView) -> Value {
    json!({
        "id": requirement.id,
        "pack": requirement.pack,
        "status": requirement.status.word(),
        "from": requirement.from,
        "what": requirement.what,
        "citation": requirement.cite,
        "owner": requirement.owner,
        "next": some(&requirement.next),
        "why": requirement.why,
        "phase": requirement.phase,
        "voluntary": requirement.is_voluntary,
        "preview": requirement.preview,
        "remarks": requirement.remarks.iter().map(|remark| json!({ "about": remark.label, "text": remark.text })).collect::<Value>(),
        "penalty": requirement.penalty.as_ref().map(|(max, cite)| json!({ "max": max, "citation": cite })),
        "results": requirement.results,
    })
}

fn conflict(conflict: &ConflictView) -> Value {
    json!({
        "requirements": [conflict.one, conflict.other],
        "citations": [conflict.one_cite, conflict.other_cite],
        "why": conflict.why,
        "computed": conflict.is_computed,
    })
}

fn blockers(view: &ReviewView) -> Value {
    let blockers = view.blockers.iter().map(|blocker| {
        json!({
            "id": blocker.id,
            "what": blocker.what,
            "citation": blocker.citation,
            "owner": blocker.owner,
            "next": blocker.next,
            "holds": blocker.holds,
        })
    });
    blockers.collect()
}

fn open_facts(view: &ReviewView) -> Value {
    let facts = view.open_facts.iter().map(|fact| {
        json!({
            "fact": fact.name,
            "question": fact.question,
            "awaits_confirmation": fact.awaits_confirmation,
            "requirements": fact.requirements,
        })
    });
    facts.collect()
}

fn policy(view: &ReviewView) -> Value {
    json!({ "words": view.policy, "confidence": view.confidence, "min_group": view.min_group })
}

fn packs(view: &ReviewView) -> Value {
    let packs = view.packs.iter().map(|pack| {
        json!({
            "id": pack.id,
            "version": pack.version,
            "title": pack.title,
            "confidence": pack.confidence,
            "known_as_of": pack.known_as_of,
        })
    });
    packs.collect()
}

#[cfg(test)]
mod tests;
