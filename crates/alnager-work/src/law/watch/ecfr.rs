//! Versions of the Electronic Code of Federal Regulations.
//!
//! `GET {base}/api/versioner/v1/versions/title-N.json` with `issue_date[gte]` and `part`. An answer has `content_versions`, one for each time a section
//! or appendix was issued, and `meta` with `total_pages`. Source: <https://www.ecfr.gov/developers/documentation/api/v1>.

use std::collections::BTreeMap;

use alnager_office::signal::SeenItem;
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::Value;

use super::cited::{CfrPart, Cited};
use super::config::{Ask, Kind};
use super::http::{Client, WatchError};
use super::{Seen, date, text, version};

/// Sections are issued again without having been amended. An amendment dated further back than this before the first day asked for is
/// taken for one of those; the code follows the Register within days, so this leaves room.
const LATE_DAYS: i64 = 90;

/// Asks for what was issued since `from`, and keeps of each section its latest amendment.
pub(super) fn look(
    client: &Client,
    asks: &[Ask],
    from: Date,
    cited: &Cited,
) -> Result<Seen, WatchError> {
    let mut seen = Seen::default();
    let first = from.saturating_sub(LATE_DAYS.days());
    let from = from.to_string();
    for ask in asks {
        let Ask::Part(part) = ask else {
            continue;
        };
        let path = format!("/api/versioner/v1/versions/title-{}.json", part.title);
        let mut latest: BTreeMap<String, (Date, SeenItem)> = BTreeMap::new();
        let (mut page, mut n_pages) = (1, 1);
        while page <= n_pages {
            let number = page.to_string();
            let mut query = vec![("issue_date[gte]", from.as_str())];
            query.extend(part.part.as_ref().map(|part| ("part", part.as_str())));
            query.extend((page > 1).then_some(("page", number.as_str())));
            let url = client.url(&path, &query);
            let Some(answer) = client.page(&url, "application/json")? else {
                seen.is_cut = true;
                break;
            };
            let form = |problem: String| WatchError::Form {
                url: url.clone(),
                problem,
            };
            let answer: Value = serde_json::from_str(&answer)
                .map_err(|error| form(format!("it is not whole JSON ({error})")))?;
            let versions = answer.get("content_versions").and_then(Value::as_array);
            for one in
                versions.ok_or_else(|| form("it has no list `content_versions`".to_owned()))?
            {
                let (amended, item) = item(client, part.title, one, cited).map_err(form)?;
                let is_later = latest
                    .get(&item.id)
                    .is_none_or(|(known, _)| *known <= amended);
                if amended >= first && is_later {
                    latest.insert(item.id.clone(), (amended, item));
                }
            }
            n_pages = pages(&answer).max(n_pages);
            page += 1;
        }
        for (_, item) in latest.into_values() {
            seen.add(item);
        }
    }
    Ok(seen)
}

/// `meta.total_pages`, a number or a text; one page where the answer does not say.
fn pages(answer: &Value) -> u64 {
    let total = answer.get("meta").and_then(|meta| meta.get("total_pages"));
    total
        .and_then(|total| total.as_u64().or_else(|| total.as_str()?.parse().ok()))
        .unwrap_or(1)
}

/// One version with the day of its amendment.
fn item(
    client: &Client,
    title: u32,
    one: &Value,
    cited: &Cited,
) -> Result<(Date, SeenItem), String> {
    let identifier = text(one, "identifier");
    if identifier.is_empty() {
        return Err("a version has no `identifier`".to_owned());
    }
    let amended = date(one, "amendment_date").or_else(|| date(one, "date"));
    let amended = amended.ok_or_else(|| "a version has no `amendment_date`".to_owned())?;
    let flag = |name: &str| one.get(name).and_then(Value::as_bool);
    let stage = match (flag("removed"), flag("substantive")) {
        (Some(true), _) => "removed",
        (_, Some(false)) => "amended, not in substance",
        (_, Some(true) | None) => "amended",
    };
    let number = text(one, "part");
    let is_number =
        !number.is_empty() && number.chars().all(|letter| letter.is_ascii_alphanumeric());
    let part = CfrPart {
        title,
        part: is_number.then(|| number.clone()),
    };
    let is_section = identifier
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-'));
    let section = match is_section && text(one, "type") == "section" {
        true => format!("/section-{identifier}"),
        false => String::new(),
    };
    let place = part
        .part
        .as_ref()
        .map_or(String::new(), |part| format!("/part-{part}{section}"));
    // Not the day of issue: it moves though nothing was amended.
    let kept = ["amendment_date", "name", "removed", "substantive"];
    let item = SeenItem {
        source: Kind::Ecfr.word().to_owned(),
        id: format!("{title} CFR {identifier}"),
        title: text(one, "name"),
        summary: String::new(),
        stage: stage.to_owned(),
        url: format!("{}/current/title-{title}{place}", client.base()),
        published: None,
        effective: Some(amended),
        cited: vec![part.to_string()],
        packs: cited.packs_on_parts(std::slice::from_ref(&part)),
        sha256: version(
            kept.iter()
                .map(|field| one.get(field).cloned().unwrap_or(Value::Null)),
        ),
    };
    Ok((amended, item))
}
