//! Forms, filled in as somebody would, with a text in every field that takes one.

use std::collections::BTreeSet;

use axum::http::{HeaderName, Method, header};
use jiff::ToSpan as _;

use super::corpus::Text;
use super::reading::{Field, Form, Kind};
use crate::session;
use crate::tests::{Answer, Visitor};

/// Fields that look as if anything could be typed and yet take only what is known: the route, the field, and what it takes. Nothing is
/// sent where that is empty.
const KNOWN: &[(&str, &str, &str)] = &[
    ("/{org}/intake", "id", ""),
    ("/{org}/journal", "system", "credit"),
    ("/{org}/journal/dossiers", "system", "credit"),
    ("/{org}/tasks", "owner", "Henrik Lund"),
    ("/{org}/tasks", "system", ""),
    ("/{org}/tasks", "requirement", ""),
    ("/{org}/account/tokens", "scopes", "read"),
    ("/{org}/gate/{system}/decision", "conditions", ""),
    ("/{org}/gate/{system}/decision", "expires", ""),
    ("/{org}/gate/{system}/exceptions", "for", "EUAIA-9"),
    ("/{org}/evidence/{evidence}/offer", "other", ""),
    ("/{org}/lab/{upload}/seal", "system", "credit"),
    ("/{org}/intake/{system}", "answer", ""),
    ("/{org}/systems/{system}/facts/{fact}", "answer", ""),
    (SUBMIT, "auditor", ""),
    (SUBMIT, "note", ""),
];

const SUBMIT: &str = "/{org}/systems/{system}/requirements/{requirement}/evidence";

const ROLES: &str = "/{org}/people/{person}/roles";

const OPINION: &str = "/{org}/systems/{system}/opinion";

/// Fields that say what was read, and are sent as they came.
const READ: [&str; 2] = ["size", "root"];

/// What a field takes that does not take just anything.
fn known(route: &str, field: &str) -> Option<&'static str> {
    let mut known = KNOWN.iter();
    let found = known.find(|(of, name, _)| *of == route && *name == field);
    found.map(|(_, _, value)| *value)
}

/// Most bytes of one value in an address.
const ADDRESS_BYTES_MAX: usize = 2_000;

const BOUNDARY: &str = "----zz";

/// What is typed into a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typed<'t> {
    /// Nothing, anywhere.
    Nothing,
    /// Every choice is made, and nothing typed.
    Choices,
    /// The text where anything may be typed, and what is known elsewhere.
    Well(&'t Text),
    /// The text in every field.
    Everywhere(&'t Text),
}

type Pairs = Vec<(String, Vec<u8>)>;

/// The fields as a browser would send them, without files.
fn pairs(form: &Form, route: &str, typed: Typed<'_>) -> Pairs {
    let mut pairs = Pairs::new();
    let mut done = BTreeSet::new();
    for field in &form.fields {
        let Some(value) = value(form, field, route, typed, &mut done) else {
            continue;
        };
        pairs.push((field.name.clone(), value));
    }
    pairs
}

fn value(
    form: &Form,
    field: &Field,
    route: &str,
    typed: Typed<'_>,
    done: &mut BTreeSet<String>,
) -> Option<Vec<u8>> {
    let own = || Some(field.value.clone().into_bytes());
    let in_days = |days: i64| {
        let today = jiff::Zoned::now().date();
        Some(today.saturating_add(days.days()).to_string().into_bytes())
    };
    match field.kind {
        // A key of its own for every sending, as a page that is loaded again has one.
        Kind::Hidden if field.name == "once" => {
            let bytes = crate::secret::random::<16>().unwrap();
            Some(
                uuid::Builder::from_random_bytes(bytes)
                    .into_uuid()
                    .to_string()
                    .into_bytes(),
            )
        }
        Kind::Hidden => own(),
        Kind::Text => match typed {
            Typed::Nothing | Typed::Choices => Some(Vec::new()),
            Typed::Everywhere(text) => Some(text.bytes.clone()),
            Typed::Well(_) if route == OPINION && READ.contains(&field.name.as_str()) => own(),
            Typed::Well(text) => match known(route, &field.name) {
                Some(value) => Some(value.as_bytes().to_vec()),
                None => Some(text.bytes.clone()),
            },
        },
        Kind::Password if matches!(typed, Typed::Well(_)) => {
            Some(b"a long enough secret, made up".to_vec())
        }
        Kind::Password => Some(b"short".to_vec()),
        Kind::Day if typed == Typed::Nothing || known(route, &field.name).is_some() => {
            Some(Vec::new())
        }
        Kind::Day if !field.value.is_empty() => own(),
        Kind::Day => in_days(30),
        Kind::Number => Some(b"1".to_vec()),
        Kind::File => None,
        Kind::Select if typed == Typed::Nothing => Some(Vec::new()),
        Kind::Select => own(),
        Kind::Checkbox | Kind::Radio | Kind::Button => {
            let mut same = form.fields.iter().filter(|other| other.name == field.name);
            let is_first = done.insert(field.name.clone());
            let is_taken = match field.kind {
                Kind::Button => is_first,
                // Who already has these roles and no others is given none.
                Kind::Checkbox if route == ROLES && typed != Typed::Nothing => {
                    field.is_chosen || done.insert(ROLES.to_owned())
                }
                _ if same.any(|other| other.is_chosen) => field.is_chosen,
                _ => is_first && typed != Typed::Nothing,
            };
            if is_taken { own() } else { None }
        }
    }
}

/// Sends a form. `from`: the page it stands on.
pub(super) async fn send(
    visitor: &Visitor,
    from: &str,
    form: &Form,
    route: &str,
    typed: Typed<'_>,
) -> Answer {
    let action = match form.action.as_str() {
        "" => from,
        action => action,
    };
    let pairs = pairs(form, route, typed);
    if !form.is_post {
        let path = action.split('?').next().unwrap_or_default();
        // An address is not as long as a text may be.
        let cut = |value: Vec<u8>| value.into_iter().take(ADDRESS_BYTES_MAX).collect();
        let pairs = pairs
            .into_iter()
            .map(|(name, value)| (name, cut(value)))
            .collect();
        return visitor.get(&format!("/{path}?{}", encoded(&pairs))).await;
    }
    if form.has_files {
        let media = format!("multipart/form-data; boundary={BOUNDARY}");
        let headers = [(header::CONTENT_TYPE, media.as_str())];
        let body = parts(form, route, &pairs, typed);
        return visitor
            .send(Method::POST, &format!("/{action}"), &headers, body)
            .await;
    }
    let media = "application/x-www-form-urlencoded";
    let headers: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, media)];
    let body = encoded(&pairs).into_bytes();
    visitor
        .send(Method::POST, &format!("/{action}"), &headers, body)
        .await
}

fn encoded(pairs: &Pairs) -> String {
    let escaped = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    let pairs = pairs.iter().map(|(name, value)| {
        let value: String = value.iter().map(escaped).collect();
        format!("{}={value}", session::escaped(name))
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn parts(form: &Form, route: &str, pairs: &Pairs, typed: Typed<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in pairs {
        let head =
            format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend(head.into_bytes());
        body.extend(value);
        body.extend(b"\r\n");
    }
    let files = form.fields.iter().filter(|field| field.kind == Kind::File);
    for field in files {
        let is_left_out = matches!(typed, Typed::Well(_)) && known(route, &field.name).is_some();
        if is_left_out {
            continue;
        }
        if let Typed::Well(text) | Typed::Everywhere(text) = typed {
            let head = format!(
                "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{}\"; filename=\"",
                field.name
            );
            body.extend(head.into_bytes());
            body.extend(file_name(route, text));
            body.extend(b"\"\r\ncontent-type: application/octet-stream\r\n\r\n");
            body.extend(content(route, &text.text()));
            body.extend(b"\r\n");
        }
    }
    body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    body
}

/// A file's name as browsers send it: they escape what would end it.
fn file_name(route: &str, text: &Text) -> Vec<u8> {
    let mut name = Vec::new();
    for byte in &text.bytes {
        match byte {
            b'"' => name.extend(b"%22"),
            b'\r' => name.extend(b"%0D"),
            b'\n' => name.extend(b"%0A"),
            b'/' | b'\\' | 0 if route != "/{org}/lab" => name.push(b'|'),
            byte => name.push(*byte),
        }
    }
    // Not longer than most disks let a name be.
    name.truncate(100);
    name.extend(match route {
        "/{org}/lab" | "/{org}/systems/import" => &b".csv"[..],
        _ => b".md",
    });
    name
}

/// A file that its route reads.
fn content(route: &str, text: &str) -> Vec<u8> {
    let of_program = || super::content::answer(text).to_string().into_bytes();
    match route {
        "/{org}/lab" | "/{org}/journal/verify" => of_program(),
        "/{org}/systems/import" => super::content::table(text),
        _ => text.as_bytes().to_vec(),
    }
}
