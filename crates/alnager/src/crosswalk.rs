//! `alnager evidence proposals` and `offer`: one standard, many regimes.

use alnager_office::crosswalk::{Difference, EvidenceProposal};
use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::law::coverage::{Assessed, assessed};
use alnager_work::records;
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, acknowledge, pretty};
use crate::terminal::say;

/// Lists what accepted evidence may be used for again.
pub(crate) async fn proposals(
    flags: &Flags,
    system: Option<&str>,
    format: Format,
) -> Result<u8, JobError> {
    let found = assessed(flags, system).await?;
    let proposals = found.proposals();
    say(&match format {
        Format::Text => words(&found, &proposals),
        Format::Json => {
            let proposals: Vec<Value> = proposals.iter().map(|one| row(&found, one)).collect();
            pretty(&json!({ "proposals": proposals }))
        }
    });
    Ok(CLEAR)
}

/// Offers evidence for further requirements.
pub(crate) async fn offer(
    flags: &Flags,
    evidence: &str,
    requirements: &[String],
    format: Format,
) -> Result<u8, JobError> {
    let entered = records::offer_evidence(flags, evidence, requirements).await?;
    let words = format!(
        "{evidence} is offered for {} by {}; someone other than who submitted it must accept it",
        requirements.join(", "),
        entered.actor
    );
    acknowledge(&entered, &words, format)
}

fn words(found: &Assessed, proposals: &[EvidenceProposal]) -> String {
    let Some(first) = proposals.first() else {
        return "nothing is proposed: no accepted evidence shares a control with a requirement that lacks its kind".to_owned();
    };
    let mut lines = Vec::new();
    for one in proposals {
        let of = one.system.as_deref().unwrap_or("the organisation");
        lines.push(format!(
            "{} for {} of {of}: {}",
            one.evidence,
            one.to,
            what(found, &one.to)
        ));
        lines.push(format!(
            "    accepted for {}, as {}, through {}",
            one.from,
            found.library.book.evidence.title(&one.kind),
            controls(found, one).join(", ")
        ));
        if one.differs.is_empty() {
            lines.push("    nothing that the packs state differs: read both".to_owned());
        }
        let differs = one.differs.iter().map(Difference::words);
        lines.extend(differs.map(|words| format!("    look at {words}")));
    }
    lines.push(String::new());
    lines.push(format!(
        "{} proposed; nothing counts before a person has read it there: `alnager evidence accept {} {} --reason TEXT --as NAME`, or `reject`",
        proposals.len(),
        first.evidence,
        first.to
    ));
    lines.join("\n")
}

fn row(found: &Assessed, one: &EvidenceProposal) -> Value {
    let differs = one.differs.iter().map(|differs| {
        json!({ "about": differs.about, "asked": differs.asked, "accepted": differs.accepted })
    });
    json!({
        "evidence": one.evidence,
        "kind": one.kind,
        "system": one.system,
        "from": one.from,
        "to": one.to,
        "what": what(found, &one.to),
        "controls": one.controls,
        "differs": differs.collect::<Vec<_>>(),
    })
}

/// What a requirement asks.
fn what<'a>(found: &'a Assessed, requirement: &str) -> &'a str {
    let mut texts = found
        .library
        .book
        .packs()
        .flat_map(|pack| &pack.requirements);
    let text = texts.find(|text| text.id == requirement);
    text.map_or("", |text| &text.what)
}

fn controls(found: &Assessed, one: &EvidenceProposal) -> Vec<String> {
    let title = |id: &String| format!("{id} ({})", found.library.book.controls.title(id));
    one.controls.iter().map(title).collect()
}
