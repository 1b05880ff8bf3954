//! The Federal Register's documents.
//!
//! `GET {base}/api/v1/documents.json` with `conditions[cfr][title]`, `conditions[cfr][part]` or `conditions[term]`, and `conditions[publication_date][gte]`.
//! An answer has `count`, `results` and, where there are more, `next_page_url`.
//! Source: <https://www.federalregister.gov/developers/documentation/api/v1>.

use alnager_office::signal::SeenItem;
use jiff::civil::Date;
use serde_json::Value;

use super::cited::{CfrPart, Cited};
use super::config::{Ask, Kind};
use super::http::{Client, WatchError};
use super::{Seen, date, text, version};

const FIELDS: [&str; 9] = [
    "document_number",
    "title",
    "abstract",
    "type",
    "action",
    "html_url",
    "publication_date",
    "effective_on",
    "cfr_references",
];

/// Asks for the documents published since `from`, newest first, for each part and each term.
pub(super) fn look(
    client: &Client,
    asks: &[Ask],
    from: Date,
    cited: &Cited,
) -> Result<Seen, WatchError> {
    let mut seen = Seen::default();
    let from = from.to_string();
    for ask in asks {
        let title;
        let mut query = vec![
            ("per_page", "100"),
            ("order", "newest"),
            ("conditions[publication_date][gte]", from.as_str()),
        ];
        query.extend(FIELDS.iter().map(|field| ("fields[]", *field)));
        match ask {
            Ask::Part(part) => {
                title = part.title.to_string();
                query.push(("conditions[cfr][title]", &title));
                query.extend(
                    part.part
                        .as_ref()
                        .map(|part| ("conditions[cfr][part]", part.as_str())),
                );
            }
            Ask::Term(term) => query.push(("conditions[term]", term)),
            Ask::Act(_) => continue,
        }
        let mut next = Some(client.url("/api/v1/documents.json", &query));
        while let Some(url) = next {
            let Some(page) = client.page(&url, "application/json")? else {
                seen.is_cut = true;
                return Ok(seen);
            };
            let form = |problem: String| WatchError::Form {
                url: url.clone(),
                problem,
            };
            let page: Value = serde_json::from_str(&page)
                .map_err(|error| form(format!("it is not whole JSON ({error})")))?;
            for document in documents(&page).map_err(form)? {
                seen.add(item(document, cited).map_err(form)?);
            }
            next = match page.get("next_page_url").and_then(Value::as_str) {
                Some(to) => Some(client.next(&url, to)?),
                None => None,
            };
        }
    }
    Ok(seen)
}

/// The documents of a page. A search that finds nothing has no `results`.
fn documents(page: &Value) -> Result<&[Value], String> {
    match (
        page.get("results"),
        page.get("count").and_then(Value::as_u64),
    ) {
        (Some(Value::Array(documents)), _) => Ok(documents),
        (None, Some(0)) => Ok(&[]),
        _ => Err("it has no list `results`".to_owned()),
    }
}

fn item(document: &Value, cited: &Cited) -> Result<SeenItem, String> {
    let id = text(document, "document_number");
    if id.is_empty() {
        return Err("a document has no `document_number`".to_owned());
    }
    let references = document.get("cfr_references").and_then(Value::as_array);
    let parts: Vec<CfrPart> = references
        .into_iter()
        .flatten()
        .filter_map(reference)
        .collect();
    let kept = FIELDS
        .iter()
        .map(|field| document.get(field).cloned().unwrap_or(Value::Null));
    Ok(SeenItem {
        source: Kind::FederalRegister.word().to_owned(),
        title: text(document, "title"),
        summary: text(document, "abstract"),
        stage: text(document, "type"),
        url: text(document, "html_url"),
        published: date(document, "publication_date"),
        effective: date(document, "effective_on"),
        cited: parts.iter().map(CfrPart::to_string).collect(),
        packs: cited.packs_on_parts(&parts),
        sha256: version(kept),
        id,
    })
}

/// One of `cfr_references`: the title is a number, the part a text or, where the whole title is meant, null.
fn reference(reference: &Value) -> Option<CfrPart> {
    let title = reference.get("title")?;
    let title = title.as_u64().or_else(|| title.as_str()?.parse().ok())?;
    let part = reference.get("part").and_then(|part| match part {
        Value::String(part) => Some(part.clone()),
        Value::Number(part) => Some(part.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    });
    Some(CfrPart {
        title: u32::try_from(title).ok()?,
        part,
    })
}
