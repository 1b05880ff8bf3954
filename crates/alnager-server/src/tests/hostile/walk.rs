//! Walking from page to page, looking at each.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use axum::http::Method;

use super::filling::{self, Typed};
use super::reading::{Form, Kind, Reading, read};
use crate::route::Declared;
use crate::tests::{Answer, Street, Visitor};

/// How long a page may say that something is being measured.
const WAITS_MAX: usize = 500;

/// What is found on the way.
pub(super) struct Walk<'s> {
    street: &'s Street,
    pub(super) visitor: Visitor,
    /// What pages of a route are made of with harmless texts.
    harmless: BTreeMap<&'static str, BTreeSet<String>>,
    /// Whether the texts are harmless now.
    pub(super) is_harmless: bool,
    pub(super) faults: BTreeSet<String>,
    pub(super) n_looked: usize,
    /// Where forms have led that no link leads to, the latest last.
    led: Vec<String>,
    /// Routes of which a page held a text of the corpus.
    pub(super) marked: BTreeSet<&'static str>,
}

/// A form's route, method, and the names of its fields.
pub(super) type Key = (bool, &'static str, BTreeSet<String>);

/// Where forms of one kind stand.
pub(super) type Forms = BTreeMap<Key, Vec<String>>;

/// Most places without a link that are kept.
const LED_MAX: usize = 8;

/// Most places that are noted of one kind of form.
const PLACES_MAX: usize = 6;

impl<'s> Walk<'s> {
    pub(super) fn new(street: &'s Street, visitor: Visitor) -> Walk<'s> {
        Walk {
            street,
            visitor,
            harmless: BTreeMap::new(),
            is_harmless: true,
            faults: BTreeSet::new(),
            n_looked: 0,
            led: Vec::new(),
            marked: BTreeSet::new(),
        }
    }

    /// The declared path that an address is one of; a plain part before a named one.
    pub(super) fn route(&self, method: &Method, path: &str) -> &'static str {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |declared: &&Declared| {
            let own: Vec<&str> = declared.path.split('/').collect();
            declared.method == *method
                && own.len() == parts.len()
                && own
                    .iter()
                    .zip(&parts)
                    .all(|(own, part)| own == part || own.starts_with('{'))
        };
        let found = self.street.declared.iter().filter(fits);
        let found = found.min_by_key(|declared| declared.path.matches('{').count());
        found.map_or("nothing", |declared| declared.path)
    }

    /// Looks at an answer. `path`: of the whole server.
    pub(super) fn look(&mut self, method: &Method, path: &str, answer: &Answer) -> Option<Reading> {
        let route = self.route(method, path);
        if answer.status.is_server_error() && answer.status != 503 {
            self.faults
                .insert(format!("{method} {route}: {}", answer.status));
        }
        if !answer.media.starts_with("text/html") {
            return None;
        }
        self.n_looked += 1;
        let reading = read(&answer.text());
        for fault in &reading.faults {
            self.faults.insert(format!("{method} {route}: {fault}"));
        }
        if reading.is_marked {
            self.marked.insert(route);
        }
        let known = self.harmless.entry(route).or_default();
        if self.is_harmless {
            known.extend(reading.shape.iter().cloned());
        } else {
            // Longer lists have pages.
            let new = reading.shape.difference(known);
            let new: Vec<&String> = new.filter(|name| *name != "a[rel]").collect();
            if !new.is_empty() {
                self.faults.insert(format!(
                    "{method} {route} has {new:?}, which it has not with harmless texts"
                ));
            }
        }
        Some(reading)
    }

    /// Opens a page, waiting for what is being measured on it.
    pub(super) async fn open(&mut self, path: &str) -> Option<Reading> {
        let path = path.split('#').next().unwrap_or_default();
        for _ in 0..WAITS_MAX {
            let answer = self.visitor.get(&format!("/{path}")).await;
            let is_measuring = path.starts_with("/one/lab/") && answer.text().contains("<progress");
            if !is_measuring {
                return self.look(&Method::GET, path, &answer);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let route = self.route(&Method::GET, path);
        self.faults.insert(format!("{route} measures for ever"));
        None
    }

    /// Follows every link from here, to so many pages of each route and query; the forms on the way.
    pub(super) async fn crawl(&mut self, from: &[&str], most: usize) -> Forms {
        let from = from.iter().map(|path| (*path).to_owned());
        let mut waiting: VecDeque<String> = self.led.iter().cloned().chain(from).collect();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        let mut forms = Forms::new();
        while let Some(path) = waiting.pop_front() {
            let path = path.split('#').next().unwrap_or_default().to_owned();
            if !path.starts_with('/') || !seen.insert(path.clone()) {
                continue;
            }
            let query = path.split_once('?').map_or("", |(_, query)| query);
            let names: Vec<&str> = query
                .split('&')
                .map(|pair| pair.split('=').next().unwrap_or_default())
                .collect();
            let kind = format!("{} {}", self.route(&Method::GET, &path), names.join(" "));
            let count = count.entry(kind).or_default();
            *count += 1;
            if *count > most {
                continue;
            }
            let Some(reading) = self.open(&path).await else {
                continue;
            };
            waiting.extend(reading.links);
            for form in reading.forms {
                let places: &mut Vec<String> = forms.entry(self.key(&path, &form)).or_default();
                if places.len() < PLACES_MAX && !places.contains(&path) {
                    places.push(path.clone());
                }
            }
        }
        forms
    }

    /// Whether anything may be typed into a form of this kind, which stands there.
    pub(super) async fn takes_text(&mut self, key: &Key, from: &str) -> bool {
        let Some(reading) = self.open(from).await else {
            return false;
        };
        let mut forms = reading.forms.iter();
        let form = forms.find(|form| self.key(from, form) == *key);
        form.is_some_and(|form| {
            let mut fields = form.fields.iter();
            fields.any(|field| matches!(field.kind, Kind::Text | Kind::File))
        })
    }

    pub(super) fn key(&self, from: &str, form: &Form) -> Key {
        let method = if form.is_post {
            Method::POST
        } else {
            Method::GET
        };
        let action = if form.action.is_empty() {
            from
        } else {
            &form.action
        };
        let names = form.fields.iter().map(|field| field.name.clone());
        (form.is_post, self.route(&method, action), names.collect())
    }

    /// Fills a form where one of its kind still is, and is taken.
    pub(super) async fn fill(
        &mut self,
        key: &Key,
        places: &[String],
        typed: Typed<'_>,
    ) -> Option<Result<(), String>> {
        let mut last = None;
        let led: Vec<String> = self.led.iter().rev().cloned().collect();
        for place in places.iter().chain(&led) {
            let filled = self.fill_at(key, place, typed).await;
            let is_done = matches!(filled, Some(Ok(()))) || !matches!(typed, Typed::Well(_));
            last = filled.or(last);
            if is_done && last.is_some() {
                break;
            }
        }
        last
    }

    /// Fills a form and looks at what comes of it; whether it was taken. `None`: there is no such form there any more.
    pub(super) async fn fill_at(
        &mut self,
        key: &Key,
        from: &str,
        typed: Typed<'_>,
    ) -> Option<Result<(), String>> {
        let reading = self.open(from).await?;
        let form = reading
            .forms
            .into_iter()
            .find(|form| self.key(from, form) == *key)?;
        let method = if form.is_post {
            Method::POST
        } else {
            Method::GET
        };
        let action = if form.action.is_empty() {
            from.to_owned()
        } else {
            form.action.clone()
        };
        let answer = filling::send(&self.visitor, from, &form, key.1, typed).await;
        let taken = match answer.status.as_u16() {
            200..=399 => Ok(()),
            _ => Err(complaint(&answer)),
        };
        self.look(&method, &action, &answer);
        if !answer.location.is_empty() {
            self.open(&answer.location).await;
            let is_hidden = ["{upload}", "{import}"]
                .iter()
                .any(|part| self.route(&Method::GET, &answer.location).ends_with(part));
            if is_hidden && !self.led.contains(&answer.location) {
                self.led.push(answer.location.clone());
            }
            let first = self.led.len().saturating_sub(LED_MAX);
            self.led.drain(..first);
        }
        Some(taken)
    }
}

/// What a form was answered with, in a line.
fn complaint(answer: &Answer) -> String {
    let text = answer.text();
    let said = text
        .split_once("role=\"alert\"")
        .map_or("", |(_, said)| said);
    let said: String = said.chars().skip(40).take(240).collect();
    format!("{} {said}", answer.status.as_u16())
}
