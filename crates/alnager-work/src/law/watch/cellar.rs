//! Notifications of the Publications Office of the European Union (CELLAR).
//!
//! `GET {base}/webapi/notification/ingestion?startDate=…&wemiClasses=work&page=1` with `Accept: application/atom+xml`. An answer is an Atom feed; each
//! entry names a work by several identifiers, and `moreEntries` says whether there is another page. The feed's own titles and links are not filled in, so
//! the identifiers and the instant are all that is read. Source: <https://op.europa.eu/en/web/cellar/cellar-data/rss-and-atom-feeds>.

use std::collections::BTreeMap;

use alnager_office::signal::{SeenItem, plain};
use jiff::civil::Date;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

use super::cited::{Cited, is_celex, is_same_act};
use super::config::{Ask, Kind};
use super::http::{Client, WatchError};
use super::{Seen, version};

/// Deepest nesting of elements that is read.
const DEPTH_MAX: usize = 32;

/// Asks for all notifications since `from`, and keeps those about the acts asked for: of each work its latest.
pub(super) fn look(
    client: &Client,
    asks: &[Ask],
    from: Date,
    cited: &Cited,
) -> Result<Seen, WatchError> {
    let acts: Vec<&str> = asks
        .iter()
        .filter_map(|ask| {
            if let Ask::Act(act) = ask {
                Some(act.as_str())
            } else {
                None
            }
        })
        .collect();
    let mut seen = Seen::default();
    let mut latest: BTreeMap<String, Notice> = BTreeMap::new();
    let from = from.to_string();
    let mut page = 1_u64;
    loop {
        let number = page.to_string();
        let query = [
            ("startDate", from.as_str()),
            ("wemiClasses", "work"),
            ("page", number.as_str()),
        ];
        let url = client.url("/webapi/notification/ingestion", &query);
        let Some(answer) = client.page(&url, "application/atom+xml")? else {
            seen.is_cut = true;
            break;
        };
        let feed = feed(&answer).map_err(|problem| WatchError::Form { url, problem })?;
        for notice in feed.notices {
            let Some(celex) = notice
                .celex
                .iter()
                .find(|celex| acts.iter().any(|act| is_same_act(act, celex)))
                .cloned()
            else {
                continue;
            };
            if latest
                .get(&celex)
                .is_none_or(|known| known.updated <= notice.updated)
            {
                latest.insert(celex, notice);
            }
        }
        if !feed.has_more {
            break;
        }
        page += 1;
    }
    for (celex, notice) in latest {
        seen.add(item(celex, notice, cited));
    }
    Ok(seen)
}

/// One page of the feed.
#[derive(Debug, Default)]
struct Feed {
    notices: Vec<Notice>,
    has_more: bool,
}

/// One entry: something happened to a work.
#[derive(Debug, Default, Clone)]
struct Notice {
    /// The instant as the feed writes it; it begins with the day.
    updated: String,
    /// `create`, `update` or `delete`.
    action: String,
    /// The CELEX numbers among the work's identifiers.
    celex: Vec<String>,
}

fn item(celex: String, notice: Notice, cited: &Cited) -> SeenItem {
    let day = notice.updated.get(..10).unwrap_or_default();
    // A work is notified again every few minutes for hours: one version a day.
    let kept = [
        Value::from(day),
        Value::from(notice.action.as_str()),
        Value::from(notice.celex.clone()),
    ];
    let consolidated = celex
        .starts_with('0')
        .then(|| celex.split_once('-'))
        .flatten();
    let title = match consolidated {
        Some((act, on)) => format!("consolidated text of {act}, as of {on}"),
        None => format!("act {celex}"),
    };
    SeenItem {
        source: Kind::Cellar.word().to_owned(),
        title,
        summary: String::new(),
        stage: notice.action,
        url: format!("https://eur-lex.europa.eu/legal-content/EN/ALL/?uri=CELEX:{celex}"),
        published: day.parse().ok(),
        effective: None,
        packs: cited.packs_on_celex(&notice.celex),
        cited: notice.celex,
        sha256: version(kept.into_iter()),
        id: celex,
    }
}

/// Reads a feed. No entity but those of XML itself is known, and a document type is refused: neither belongs in a feed.
fn feed(text: &str) -> Result<Feed, String> {
    // The reader quotes names that stand in the text.
    let wrong = |problem: &dyn std::fmt::Display| {
        format!("it is not whole XML ({})", plain(&problem.to_string(), 200))
    };
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut feed = Feed::default();
    let mut open: Vec<String> = Vec::new();
    let mut entry: Option<Notice> = None;
    let mut is_feed = false;
    let mut words = String::new();
    loop {
        match reader.read_event().map_err(|error| wrong(&error))? {
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                if open.is_empty() {
                    is_feed = name == "feed";
                }
                if open.len() == DEPTH_MAX {
                    return Err("its elements are nested too deeply".to_owned());
                }
                if open.len() == 1 && name == "entry" {
                    entry = Some(Notice::default());
                }
                open.push(name);
                words.clear();
            }
            Event::End(_) => {
                let name = open.pop().unwrap_or_default();
                take(&mut feed, &mut entry, &name, words.trim(), open.len());
                words.clear();
            }
            Event::Text(part) => words.push_str(&part),
            Event::CData(part) => words.push_str(&part),
            Event::GeneralRef(part) => words.push(reference(&part)?),
            Event::DocType(_) => return Err("it has a document type".to_owned()),
            Event::Eof => break,
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    match (is_feed, open.is_empty()) {
        (true, true) => Ok(feed),
        (true, false) => Err("it ends in the middle".to_owned()),
        (false, _) => Err("it is not an Atom feed".to_owned()),
    }
}

/// Takes the text of an element that has ended, `depth` elements below the root's parent.
fn take(feed: &mut Feed, entry: &mut Option<Notice>, name: &str, words: &str, depth: usize) {
    match (name, entry.as_mut()) {
        ("entry", Some(_)) if depth == 1 => feed.notices.extend(entry.take()),
        ("moreEntries", None) => feed.has_more = words == "true",
        ("updated", Some(entry)) => entry.updated = words.to_owned(),
        ("type", Some(entry)) => entry.action = words.to_owned(),
        ("identifier", Some(entry)) => {
            let celex = words
                .strip_prefix("celex:")
                .map(unescaped)
                .filter(|celex| is_celex(celex));
            entry.celex.extend(celex);
        }
        _ => {}
    }
}

/// One of XML's own references: `amp`, `lt`, `gt`, `quot`, `apos`, or a character by its number.
fn reference(name: &str) -> Result<char, String> {
    let by_number = |digits: &str, base| {
        u32::from_str_radix(digits, base)
            .ok()
            .and_then(char::from_u32)
    };
    let letter = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => match name.strip_prefix('#') {
            Some(number) => number
                .strip_prefix('x')
                .map_or_else(|| by_number(number, 10), |digits| by_number(digits, 16)),
            None => None,
        },
    };
    letter.ok_or_else(|| "it uses an entity that XML does not define".to_owned())
}

/// A text with its percent escapes resolved; one that is no UTF-8 text then, or no escape, stays as it is.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digits = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits
            .filter(|_| first == b'%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
