//! Somebody with a browser and no script: reads pages, follows links by their words, fills in forms by their labels and presses buttons.

use std::collections::BTreeMap;

use crate::serve::{Answer, Client, escaped};

/// A part of a page.
#[derive(Debug)]
enum Part {
    Open(String, BTreeMap<String, String>),
    Close(String),
    Text(String),
}

/// A field of a form.
#[derive(Debug, Clone, Default)]
struct Field {
    /// `text`, `radio`, `checkbox`, `select`, `file`, …
    kind: String,
    id: String,
    name: String,
    value: String,
    is_chosen: bool,
    is_disabled: bool,
    /// What a select offers: value, words, whether it is chosen.
    options: Vec<(String, String, bool)>,
}

#[derive(Debug, Clone, Default)]
struct Button {
    words: String,
    name: String,
    value: String,
}

#[derive(Debug, Clone, Default)]
struct Form {
    action: String,
    is_post: bool,
    has_files: bool,
    fields: Vec<Field>,
    buttons: Vec<Button>,
}

/// Something done to a form before it is sent, by the words on the page.
#[derive(Debug)]
enum Deed {
    Write(String, String),
    Choose(String),
    Select(String, String),
    Attach(String, String, Vec<u8>),
}

/// Somebody at a page.
pub(crate) struct Reader {
    client: Client,
    path: String,
    page: String,
    /// Whether the page is what the path shows, and not the answer to a form.
    is_shown: bool,
    deeds: Vec<Deed>,
}

impl Reader {
    pub(crate) fn new(address: &str) -> Reader {
        Reader {
            client: Client::new(address),
            path: String::new(),
            page: String::new(),
            is_shown: false,
            deeds: Vec::new(),
        }
    }

    /// Opens a path.
    pub(crate) fn go(&mut self, path: &str) {
        let answer = self.client.get(path);
        self.arrive(path, answer);
        self.is_shown = true;
    }

    /// Loads the page again; not where it is the answer to a form.
    pub(crate) fn again(&mut self) -> bool {
        let path = self.path.clone();
        if self.is_shown {
            self.go(&path);
        }
        self.is_shown
    }

    /// Follows the link with these words.
    #[track_caller]
    pub(crate) fn open(&mut self, words: &str) {
        let to = self.link(words);
        self.go(&to);
    }

    /// What the link with these words leads to, as bytes.
    #[track_caller]
    pub(crate) fn take(&mut self, words: &str) -> Vec<u8> {
        let to = self.link(words);
        let answer = self.client.get(&to);
        assert_eq!(answer.status, 200, "{to}: {}", answer.body);
        answer.bytes
    }

    pub(crate) fn write(&mut self, text: &str, label: &str) {
        self.deeds
            .push(Deed::Write(label.to_owned(), text.to_owned()));
    }

    pub(crate) fn choose(&mut self, label: &str) {
        self.deeds.push(Deed::Choose(label.to_owned()));
    }

    pub(crate) fn select(&mut self, option: &str, label: &str) {
        self.deeds
            .push(Deed::Select(label.to_owned(), option.to_owned()));
    }

    pub(crate) fn attach(&mut self, label: &str, name: &str, bytes: Vec<u8>) {
        let deed = Deed::Attach(label.to_owned(), name.to_owned(), bytes);
        self.deeds.push(deed);
    }

    /// Presses the button with these words, of the first form in which all that was filled in has a place.
    #[track_caller]
    pub(crate) fn press(&mut self, words: &str) {
        let parts = parts(&self.page);
        let labels = labels(&parts);
        let deeds = std::mem::take(&mut self.deeds);
        let mut missing = format!("no button `{words}`");
        let mut found = None;
        for mut form in forms(&parts) {
            let Some(button) = matching(&form.buttons, words, |one| &one.words).cloned() else {
                continue;
            };
            match fill(&mut form, &deeds, &labels) {
                Ok(files) => {
                    found = Some((form, button, files));
                    break;
                }
                Err(what) => missing = format!("{what}, beside the button `{words}`"),
            }
        }
        let (form, button, files) =
            found.unwrap_or_else(|| panic!("{missing}, on {}:\n{}", self.path, self.text()));
        self.send(&form, &button, &files);
    }

    /// Whether the page says this, as a person reads it.
    #[track_caller]
    pub(crate) fn reads(&self, words: &str) {
        let text = self.text();
        assert!(
            text.contains(&flat(words)),
            "`{words}` is not on {}:\n{text}",
            self.path
        );
    }

    /// The words of the page.
    pub(crate) fn text(&self) -> String {
        let parts = parts(&self.page);
        let texts = parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Open(..) | Part::Close(_) => None,
        });
        flat(&texts.collect::<Vec<_>>().join(" "))
    }

    #[track_caller]
    fn link(&self, words: &str) -> String {
        let links = links(&parts(&self.page));
        let found = matching(&links, words, |(text, _)| text);
        match found {
            Some((_, to)) => to.clone(),
            None => panic!("no link `{words}` on {}:\n{}", self.path, self.text()),
        }
    }

    #[track_caller]
    fn send(&mut self, form: &Form, button: &Button, files: &[(String, String, Vec<u8>)]) {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for field in form.fields.iter().filter(|field| !field.is_disabled) {
            match field.kind.as_str() {
                "radio" | "checkbox" if !field.is_chosen => {}
                "file" => {}
                "select" => {
                    let chosen = field.options.iter().find(|option| option.2);
                    let chosen = chosen.or(field.options.first());
                    let value = chosen.map_or("", |option| &option.0);
                    pairs.push((field.name.clone(), value.to_owned()));
                }
                _ => pairs.push((field.name.clone(), field.value.clone())),
            }
        }
        if !button.name.is_empty() {
            pairs.push((button.name.clone(), button.value.clone()));
        }
        let action = match form.action.as_str() {
            "" => self.path.clone(),
            action => action.to_owned(),
        };
        let query: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        let query = query.join("&");
        let answer = if !form.is_post {
            let (bare, _) = action.split_once('?').unwrap_or((&action, ""));
            self.client.get(&format!("{bare}?{query}"))
        } else if form.has_files {
            let media = "Content-Type: multipart/form-data; boundary=cut\r\n";
            let body = multipart(&pairs, files);
            self.client.send("POST", &action, media, &body).unwrap()
        } else {
            let media = "Content-Type: application/x-www-form-urlencoded\r\n";
            self.client
                .send("POST", &action, media, query.as_bytes())
                .unwrap()
        };
        self.arrive(&action, answer);
    }

    #[track_caller]
    fn arrive(&mut self, path: &str, mut answer: Answer) {
        let mut path = path.to_owned();
        self.is_shown = answer.status == 303;
        while answer.status == 303 {
            let to = answer.head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("location").then_some(value)
            });
            let to = to.unwrap().to_owned();
            let (bare, _) = to.split_once('#').unwrap_or((&to, ""));
            path = bare.to_owned();
            answer = self.client.get(&path);
        }
        self.path = path;
        self.page = answer.body;
        assert_eq!(answer.status, 200, "{}: {}", self.path, self.text());
    }
}

fn multipart(pairs: &[(String, String)], files: &[(String, String, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in pairs {
        let head = format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend(head.as_bytes());
        body.extend(value.as_bytes());
        body.extend(b"\r\n");
    }
    for (field, name, bytes) in files {
        let head = format!(
            "--cut\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        body.extend(head.as_bytes());
        body.extend(bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--cut--\r\n");
    body
}

/// Does to a form what somebody would do; gives the files that go with it, or what has no place in it.
fn fill(
    form: &mut Form,
    deeds: &[Deed],
    labels: &[(String, String)],
) -> Result<Vec<(String, String, Vec<u8>)>, String> {
    let mut files = Vec::new();
    for deed in deeds {
        match deed {
            Deed::Write(label, text) => {
                let field = labelled(form, label, labels).ok_or(format!("no field `{label}`"))?;
                field.value.clone_from(text);
            }
            Deed::Choose(label) => {
                let field = labelled(form, label, labels).ok_or(format!("no choice `{label}`"))?;
                if field.is_disabled {
                    return Err(format!("`{label}` cannot be chosen"));
                }
                let (kind, name, id) = (field.kind.clone(), field.name.clone(), field.id.clone());
                for other in &mut form.fields {
                    if kind == "radio" && other.kind == "radio" && other.name == name {
                        other.is_chosen = false;
                    }
                    if other.id == id {
                        other.is_chosen = true;
                    }
                }
            }
            Deed::Select(label, option) => {
                let field = labelled(form, label, labels).ok_or(format!("no list `{label}`"))?;
                let wanted = flat(option);
                let known = field.options.iter().any(|(_, words, _)| *words == wanted);
                if !known {
                    return Err(format!("`{label}` does not offer `{option}`"));
                }
                for (_, words, is_chosen) in &mut field.options {
                    *is_chosen = *words == wanted;
                }
            }
            Deed::Attach(label, name, bytes) => {
                let field = labelled(form, label, labels).ok_or(format!("no field `{label}`"))?;
                files.push((field.name.clone(), name.clone(), bytes.clone()));
            }
        }
    }
    Ok(files)
}

fn labelled<'f>(
    form: &'f mut Form,
    label: &str,
    labels: &[(String, String)],
) -> Option<&'f mut Field> {
    let own: Vec<&(String, String)> = labels
        .iter()
        .filter(|(_, id)| form.fields.iter().any(|field| field.id == *id))
        .collect();
    let (_, id) = matching(&own, label, |(words, _)| words)?;
    form.fields.iter_mut().find(|field| field.id == *id)
}

/// The one with these words: with no others, or else the first that begins with them, or has them in it.
fn matching<'t, T>(all: &'t [T], words: &str, of: impl Fn(&T) -> &String) -> Option<&'t T> {
    let wanted = flat(words);
    let by = |fits: &dyn Fn(&str) -> bool| all.iter().find(|one| fits(of(one)));
    by(&|text| text == wanted)
        .or_else(|| by(&|text| text.starts_with(&wanted)))
        .or_else(|| by(&|text| text.contains(&wanted)))
}

/// Words with single spaces.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A page in parts. The pages are made by one program, so their form is known.
fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        let (text, tag) = rest.split_at(start);
        if !text.is_empty() {
            parts.push(Part::Text(decoded(text)));
        }
        let end = end_of(tag);
        let inner = &tag[1..end];
        rest = &tag[(end + 1).min(tag.len())..];
        if let Some(name) = inner.strip_prefix('/') {
            parts.push(Part::Close(name.trim().to_owned()));
        } else if !inner.starts_with('!') {
            let (name, attributes) = inner.split_once([' ', '\n']).unwrap_or((inner, ""));
            parts.push(Part::Open(name.to_owned(), read(attributes)));
        }
    }
    parts
}

/// Where a tag ends: at the first `>` outside quotes.
fn end_of(tag: &str) -> usize {
    let mut is_quoted = false;
    for (at, letter) in tag.char_indices() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '>' if !is_quoted => return at,
            _ => {}
        }
    }
    tag.len()
}

fn read(attributes: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = attributes.trim();
    while !rest.is_empty() {
        let end = rest.find(['=', ' ']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix("=\"") {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => ("", after),
        };
        found.insert(name.to_owned(), decoded(value));
        rest = after.trim_start();
    }
    found
}

fn decoded(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

/// The words within an element that begins at `at`.
fn within(parts: &[Part], at: usize, name: &str) -> String {
    let inner = parts[at + 1..]
        .iter()
        .take_while(|part| !matches!(part, Part::Close(closed) if closed == name));
    let texts = inner.filter_map(|part| match part {
        Part::Text(text) => Some(text.as_str()),
        Part::Open(..) | Part::Close(_) => None,
    });
    flat(&texts.collect::<String>())
}

fn links(parts: &[Part]) -> Vec<(String, String)> {
    let opened = parts.iter().enumerate();
    opened
        .filter_map(|(at, part)| match part {
            Part::Open(name, attributes) if name == "a" => {
                Some((within(parts, at, "a"), attributes.get("href")?.clone()))
            }
            Part::Open(..) | Part::Close(_) | Part::Text(_) => None,
        })
        .collect()
}

/// The labels: words, and the id of the field.
fn labels(parts: &[Part]) -> Vec<(String, String)> {
    let opened = parts.iter().enumerate();
    opened
        .filter_map(|(at, part)| match part {
            Part::Open(name, attributes) if name == "label" => {
                Some((within(parts, at, "label"), attributes.get("for")?.clone()))
            }
            Part::Open(..) | Part::Close(_) | Part::Text(_) => None,
        })
        .collect()
}

fn forms(parts: &[Part]) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut is_within = false;
    for (at, part) in parts.iter().enumerate() {
        let (name, attributes) = match part {
            Part::Open(name, attributes) => (name.as_str(), attributes),
            Part::Close(name) => {
                is_within &= name != "form";
                continue;
            }
            Part::Text(_) => continue,
        };
        let get = |key: &str| attributes.get(key).cloned().unwrap_or_default();
        if name == "form" {
            is_within = true;
            forms.push(Form {
                action: get("action"),
                is_post: get("method") == "post",
                has_files: get("enctype") == "multipart/form-data",
                ..Form::default()
            });
            continue;
        }
        let Some(form) = forms.last_mut().filter(|_| is_within) else {
            continue;
        };
        let field = Field {
            kind: get("type"),
            id: get("id"),
            name: get("name"),
            value: get("value"),
            is_chosen: attributes.contains_key("checked"),
            is_disabled: attributes.contains_key("disabled"),
            options: Vec::new(),
        };
        match name {
            "input" => form.fields.push(field),
            "textarea" => form.fields.push(Field {
                kind: "text".to_owned(),
                value: within(parts, at, "textarea"),
                ..field
            }),
            "select" => form.fields.push(Field {
                kind: "select".to_owned(),
                ..field
            }),
            "option" => {
                let is_chosen = attributes.contains_key("selected");
                let option = (get("value"), within(parts, at, "option"), is_chosen);
                if let Some(list) = form.fields.last_mut().filter(|one| one.kind == "select") {
                    list.options.push(option);
                }
            }
            "button" => form.buttons.push(Button {
                words: within(parts, at, "button"),
                name: field.name,
                value: field.value,
            }),
            _ => {}
        }
    }
    forms
}

#[test]
fn a_page_is_read_as_a_person_without_script_reads_it() {
    let page = r#"<!DOCTYPE html><form method="post" action="/a?x=1"><input type="hidden" name="h" value="&lt;1&gt;"><label for="n">Your <b>name</b></label><input type="text" id="n" name="name" value=""><input type="checkbox" id="c" name="c" value="y" checked><label for="c">Sure</label><select id="s" name="s"><option value="1">one</option><option value="2" selected>two</option></select><button type="submit" name="do" value="go">Go on <span>now</span></button></form><a href="/b">Next</a>"#;
    let parts = parts(page);
    assert_eq!(links(&parts), [("Next".to_owned(), "/b".to_owned())]);
    let mut form = forms(&parts).remove(0);
    assert_eq!((form.action.as_str(), form.is_post), ("/a?x=1", true));
    assert_eq!(form.fields[0].value, "<1>");
    assert!(form.fields[2].is_chosen);
    assert_eq!(form.buttons[0].words, "Go on now");
    let labels = labels(&parts);
    fill(
        &mut form,
        &[Deed::Write("Your name".to_owned(), "Ada".to_owned())],
        &labels,
    )
    .unwrap();
    assert_eq!(form.fields[1].value, "Ada");
    let wrong = [Deed::Choose("Unsure".to_owned())];
    assert!(fill(&mut form, &wrong, &labels).is_err());
}
