//! A page as a browser reads it: what it is made of, its links and forms, and what somebody's text must not have made of it.

use std::collections::BTreeSet;

use html5ever::tendril::TendrilSink as _;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

use super::corpus::is_marked;

/// What a page holds.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Every element, and every attribute of every element, by name.
    pub(super) shape: BTreeSet<String>,
    /// What is wrong with it.
    pub(super) faults: Vec<String>,
    /// Where its links lead.
    pub(super) links: Vec<String>,
    pub(super) forms: Vec<Form>,
    /// Whether a text of the corpus is in it at all.
    pub(super) is_marked: bool,
}

/// A form.
#[derive(Debug, Clone, Default)]
pub(super) struct Form {
    pub(super) is_post: bool,
    pub(super) has_files: bool,
    /// Where it goes; empty where that is the page itself.
    pub(super) action: String,
    pub(super) fields: Vec<Field>,
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// What it holds, or the first choice that may be made.
    pub(super) value: String,
    pub(super) is_chosen: bool,
    pub(super) is_required: bool,
}

/// What kind of field it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Anything may be typed.
    Text,
    Password,
    Hidden,
    Day,
    Number,
    File,
    Checkbox,
    Radio,
    Select,
    /// The button that sends it.
    Button,
}

/// Elements whose content is no markup, so that nobody's text belongs in them.
const RAW: [&str; 6] = ["script", "style", "noscript", "iframe", "xmp", "template"];

/// Elements that no page has.
const NEVER: [&str; 8] = [
    "style", "iframe", "object", "embed", "base", "frame", "noscript", "applet",
];

/// Attributes that hold an address.
const ADDRESSES: [&str; 10] = [
    "hx-get",
    "hx-post",
    "href",
    "src",
    "action",
    "formaction",
    "xlink:href",
    "data",
    "poster",
    "background",
];

pub(super) fn read(page: &str) -> Reading {
    let dom = parse_document(RcDom::default(), ParseOpts::default()).one(page);
    let mut reading = Reading::default();
    if is_marked(page) {
        reading.is_marked = true;
    }
    // Not by recursion: somebody's text may be as deep as it is long.
    let mut waiting = vec![(dom.document.clone(), String::new())];
    while let Some((node, parent)) = waiting.pop() {
        let name = look(&node, &parent, &mut reading);
        let children = node.children.borrow();
        waiting.extend(
            children
                .iter()
                .rev()
                .map(|child| (child.clone(), name.clone())),
        );
    }
    reading
}

/// Looks at one node; the name of the element that its children are in.
fn look(node: &Handle, parent: &str, reading: &mut Reading) -> String {
    let mut name = parent.to_owned();
    match &node.data {
        NodeData::Document => {}
        NodeData::Doctype { name, .. } => {
            if &**name != "html" {
                reading.faults.push(format!("a doctype `{name}`"));
            }
        }
        NodeData::Text { contents } => {
            let contents = contents.borrow();
            if RAW.contains(&parent) && !contents.trim().is_empty() {
                reading
                    .faults
                    .push(format!("<{parent}> holds `{contents}`"));
            }
        }
        NodeData::Comment { contents } => {
            reading.faults.push(format!("a comment `{contents}`"));
        }
        NodeData::ProcessingInstruction { target, .. } => {
            reading.faults.push(format!("an instruction `{target}`"));
        }
        NodeData::Element {
            name: of, attrs, ..
        } => {
            name = of.local.to_string();
            let attributes: Vec<(String, String)> = attrs
                .borrow()
                .iter()
                .map(|attribute| {
                    let prefix = attribute.name.prefix.as_ref();
                    let prefix = prefix.map_or(String::new(), |prefix| format!("{prefix}:"));
                    let name = format!("{prefix}{}", attribute.name.local);
                    (name, attribute.value.to_string())
                })
                .collect();
            element(&name, &attributes, reading);
            field(node, &name, &attributes, reading);
        }
    }
    name
}

fn element(name: &str, attributes: &[(String, String)], reading: &mut Reading) {
    reading.shape.insert(name.to_owned());
    if is_marked(name) || NEVER.contains(&name) {
        reading.faults.push(format!("an element <{name}>"));
    }
    let value = |of: &str| {
        let found = attributes.iter().find(|(known, _)| known == of);
        found.map(|(_, value)| value.as_str())
    };
    if name == "script" && !value("src").is_some_and(|src| src.starts_with("/static/")) {
        reading
            .faults
            .push("a script that is none of ours".to_owned());
    }
    if name == "meta" && value("http-equiv").is_some() {
        reading.faults.push("a header in the page".to_owned());
    }
    for (attribute, value) in attributes {
        reading.shape.insert(format!("{name}[{attribute}]"));
        if let Some(fault) = fault(attribute, value) {
            reading
                .faults
                .push(format!("<{name} {attribute}=\"{value}\">: {fault}"));
        }
        if name == "a" && attribute == "href" {
            reading.links.push(value.clone());
        }
    }
}

/// What is wrong with an attribute.
fn fault(name: &str, value: &str) -> Option<&'static str> {
    if is_marked(name) {
        return Some("its name is somebody's text");
    }
    if name.starts_with("on") || ["style", "srcdoc", "ping", "is"].contains(&name) {
        return Some("no page has such an attribute");
    }
    if ADDRESSES.contains(&name) {
        return address_fault(value);
    }
    let may_be_said = ["value", "title", "content", "placeholder", "alt", "label"];
    let may = may_be_said.contains(&name) || name.starts_with("aria-") || name.starts_with("data-");
    (is_marked(value) && !may).then_some("somebody's text is no such thing")
}

fn address_fault(value: &str) -> Option<&'static str> {
    let is_own = value.is_empty()
        || value.starts_with(['#', '?'])
        || (value.starts_with('/') && !value.starts_with("//") && !value.starts_with("/\\"));
    // A path, a query or a part of the page, in the letters that need no escape.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%/?#&=:+,@".contains(&byte);
    match is_own {
        false if value.starts_with("https://") && !is_marked(value) => None,
        false => Some("it leads elsewhere"),
        true if !value.bytes().all(plain) => Some("it is not escaped"),
        true => None,
    }
}

fn field(node: &Handle, name: &str, attributes: &[(String, String)], reading: &mut Reading) {
    let value = |of: &str| {
        let found = attributes.iter().find(|(known, _)| known == of);
        found.map(|(_, value)| value.as_str())
    };
    if name == "form" {
        reading.forms.push(Form {
            is_post: value("method").is_some_and(|method| method == "post"),
            has_files: value("enctype").is_some(),
            action: value("action").unwrap_or_default().to_owned(),
            fields: Vec::new(),
        });
        return;
    }
    let (Some(form), Some(of)) = (reading.forms.last_mut(), value("name")) else {
        return;
    };
    if value("disabled").is_some() {
        return;
    }
    let (kind, held) = match (name, value("type").unwrap_or("text")) {
        ("textarea", _) => (Kind::Text, text_of(node)),
        ("select", _) => (Kind::Select, first_choice(node)),
        ("button", _) => (Kind::Button, value("value").unwrap_or_default().to_owned()),
        ("input", kind) => {
            let kind = match kind {
                "hidden" => Kind::Hidden,
                "password" => Kind::Password,
                "date" => Kind::Day,
                "number" | "range" => Kind::Number,
                "file" => Kind::File,
                "checkbox" => Kind::Checkbox,
                "radio" => Kind::Radio,
                _ => Kind::Text,
            };
            (kind, value("value").unwrap_or_default().to_owned())
        }
        _ => return,
    };
    form.fields.push(Field {
        name: of.to_owned(),
        kind,
        value: held,
        is_chosen: value("checked").is_some(),
        is_required: value("required").is_some(),
    });
}

fn text_of(node: &Handle) -> String {
    let children = node.children.borrow();
    let texts = children.iter().map(|child| match &child.data {
        NodeData::Text { contents } => contents.borrow().to_string(),
        _ => text_of(child),
    });
    texts.collect()
}

/// The first value of a choice that is not empty.
fn first_choice(node: &Handle) -> String {
    for child in node.children.borrow().iter() {
        if let NodeData::Element { name, attrs, .. } = &child.data {
            let found = match &*name.local {
                "option" => attrs
                    .borrow()
                    .iter()
                    .find(|attribute| &*attribute.name.local == "value")
                    .map(|attribute| attribute.value.to_string()),
                _ => Some(first_choice(child)),
            };
            if let Some(value) = found.filter(|value| !value.is_empty()) {
                return value;
            }
        }
    }
    String::new()
}

/// The checks can fail.
#[test]
fn what_a_text_makes_of_a_page_is_found() {
    for text in super::corpus::corpus() {
        let text = text.text();
        let within = [
            format!("<p>{text}</p>"),
            format!("<p title=\"{text}\">x</p>"),
            format!("<p title='{text}'>x</p>"),
            format!("<a href=\"{text}\">x</a>"),
            format!("<textarea>{text}</textarea>"),
            format!("<title>{text}</title>"),
            format!("<script src=\"/static/a\">{text}</script>"),
        ];
        let faults = within.map(|page| read(&page).faults.len());
        // Whatever is not escaped shows in one of these places; in an address and in a script every text does.
        assert!(faults[3] > 0 && faults[6] > 0, "{text}: {faults:?}");
    }
    let clean =
        "<p title=\"&quot;zq01q\" data-of=zq01q>&lt;zq01q&gt;</p><a href=\"/a?q=%3Czq01q\">x</a>";
    assert_eq!(read(clean).faults, Vec::<String>::new());
    for wrong in [
        "<zq01q>",
        "<p zq01q>",
        "<p class=zq01q>",
        "<!-- x",
        "<p onclick=x>",
        "<p style=x>",
        "<a href='javascript:x'>",
        "<a href='//x'>",
        "<script>x</script>",
        "<iframe>",
    ] {
        assert!(!read(wrong).faults.is_empty(), "{wrong}");
    }
}
