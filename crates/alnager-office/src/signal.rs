//! Signals: what a watcher saw at an official source. A signal says "look here"; it never changes the law in use.
//!
//! Texts of a signal come from outside and are believed by nobody: [`plain`] takes out what could steer a terminal and bounds the length, before a
//! signal is entered and again where one is printed.

use std::collections::HashMap;

use alnager_law::read::nearest;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::decide::{Draft, Refused};
use crate::event::Event;
use crate::state::{Meta, State, is_invisible};

/// Longest title that is entered, in bytes.
const TITLE_BYTES_MAX: usize = 400;
/// Longest abstract that is entered, in bytes.
const ABSTRACT_BYTES_MAX: usize = 2_000;
/// Longest address that is entered, in bytes.
const URL_BYTES_MAX: usize = 500;
/// Longest id, stage or citation that is entered, in bytes.
const WORD_BYTES_MAX: usize = 120;
/// Most citations that are entered with one signal.
const N_CITED_MAX: usize = 12;

/// A document or a version at a source, as a watcher saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenItem {
    /// The kind of source: `federal_register`, `ecfr` or `cellar`.
    pub source: String,
    /// The source's own id of it, such as `2026-07804`; the same in every version.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What it is about, in the source's words; empty where the source says nothing.
    #[serde(rename = "abstract")]
    pub summary: String,
    /// What kind of document or step it is, such as `Rule`; empty where the source says nothing.
    pub stage: String,
    /// Where a person reads it; empty where the source gives no address.
    pub url: String,
    /// The day it was published.
    pub published: Option<Date>,
    /// The day it takes effect.
    pub effective: Option<Date>,
    /// What it concerns, as the source names it: `12 CFR 1002`, or a CELEX number.
    pub cited: Vec<String>,
    /// The packs in use whose citation names one of these; empty where none does.
    pub packs: Vec<String>,
    /// SHA-256 over all that the source said of it, hexadecimal: another hash is another version.
    pub sha256: String,
}

/// A watcher looked at its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchLooked {
    /// The watcher's name.
    pub watcher: String,
    /// The kind of source.
    pub source: String,
    /// SHA-256 of where it looked and what it asked for, hexadecimal.
    pub asked: String,
    /// The first day asked for.
    pub from: Date,
    /// The last day asked for: the day it looked.
    pub to: Date,
    /// How many items the source had.
    pub n_items: u64,
}

/// A signal was raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalRaised {
    /// Its id in the desk, such as `S7`.
    pub signal: String,
    /// The watcher that raised it.
    pub watcher: String,
    /// When.
    pub on: Date,
    /// What was seen.
    pub item: SeenItem,
    /// The earlier signal about the same item.
    pub replaces: Option<String>,
    /// What differs from the earlier signal, such as `effective`; empty for an item seen for the first time.
    pub changed: Vec<String>,
}

/// A person settled a signal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalSettled {
    /// The signal.
    pub signal: String,
    /// Who settled it.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why: what was done about it, or why nothing needs to be done.
    pub reason: String,
}

/// A signal as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// What was raised.
    pub raised: SignalRaised,
    /// How it was settled, once it was.
    pub settled: Option<SignalSettled>,
    /// The later signal about the same item.
    pub replaced_by: Option<String>,
    /// The entry that raised it.
    pub raised_at: u64,
}

/// What one watcher saw when it looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The watcher's name.
    pub watcher: String,
    /// The kind of source.
    pub source: String,
    /// SHA-256 of where it looked and what it asked for, hexadecimal.
    pub asked: String,
    /// The first day asked for.
    pub from: Date,
    /// The last day asked for.
    pub to: Date,
    /// Whether all pages were read. A look that was cut short raises what it saw and does not count as a look.
    pub is_whole: bool,
    /// What it saw.
    pub seen: Vec<SeenItem>,
}

impl Signal {
    /// Whether someone must still look at it: it is neither settled nor replaced.
    pub fn is_open(&self) -> bool {
        self.settled.is_none() && self.replaced_by.is_none()
    }
}

impl SeenItem {
    /// The same with every text plain and bounded: its payload has at most 8 kB.
    fn bounded(&self) -> Self {
        let word = |text: &String| plain(text, WORD_BYTES_MAX);
        SeenItem {
            source: word(&self.source),
            id: word(&self.id),
            title: plain(&self.title, TITLE_BYTES_MAX),
            summary: plain(&self.summary, ABSTRACT_BYTES_MAX),
            stage: word(&self.stage),
            url: web_address(&self.url),
            published: self.published,
            effective: self.effective,
            cited: self.cited.iter().take(N_CITED_MAX).map(word).collect(),
            packs: self.packs.clone(),
            sha256: self.sha256.clone(),
        }
    }

    /// The names of the fields in which this version differs from an earlier one.
    fn changes_from(&self, earlier: &SeenItem) -> Vec<String> {
        let fields = [
            ("title", self.title != earlier.title),
            ("abstract", self.summary != earlier.summary),
            ("stage", self.stage != earlier.stage),
            ("url", self.url != earlier.url),
            ("published", self.published != earlier.published),
            ("effective", self.effective != earlier.effective),
            ("cited", self.cited != earlier.cited),
        ];
        let changed = fields.into_iter().filter(|(_, differs)| *differs);
        let mut names: Vec<String> = changed.map(|(name, _)| name.to_owned()).collect();
        if names.is_empty() {
            // What differs lies behind the bound of a field, or in what the source said and we do not keep.
            names.push("details".to_owned());
        }
        names
    }
}

/// A text from outside as it may be printed: one line, no control or invisible characters, at most `bytes_max` bytes (an ellipsis marks the cut).
pub fn plain(text: &str, bytes_max: usize) -> String {
    let blank = |letter: char| letter.is_whitespace() || letter.is_control();
    let visible: String = text
        .chars()
        .filter(|letter| blank(*letter) || !is_invisible(*letter))
        .map(|letter| if blank(letter) { ' ' } else { letter })
        .collect();
    let words = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.len() <= bytes_max {
        return words;
    }
    let mut end = bytes_max.saturating_sub('…'.len_utf8());
    while !words.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", words[..end].trim_end())
}

/// An address a person may be led to: `http` or `https`, ASCII without spaces and quotes; empty for any other.
fn web_address(text: &str) -> String {
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    let is_plain = text
        .chars()
        .all(|letter| letter.is_ascii_graphic() && !"\"'<>\\^`{|}".contains(letter));
    if is_web && is_plain && text.len() <= URL_BYTES_MAX {
        text.to_owned()
    } else {
        String::new()
    }
}

impl State {
    /// Takes an event about watchers and signals; one about an unknown signal changes nothing.
    pub(crate) fn raise(&mut self, raised: &SignalRaised, meta: &Meta) {
        let earlier = raised
            .replaces
            .as_ref()
            .and_then(|id| self.signals.get_mut(id));
        if let Some(earlier) = earlier {
            earlier.replaced_by = Some(raised.signal.clone());
        }
        let signal = Signal {
            raised: raised.clone(),
            settled: None,
            replaced_by: None,
            raised_at: meta.index,
        };
        self.signals.insert(raised.signal.clone(), signal);
    }

    pub(crate) fn settle(&mut self, settled: &SignalSettled) {
        if let Some(signal) = self.signals.get_mut(&settled.signal) {
            signal.settled = Some(settled.clone());
        }
    }
}

impl Draft<'_> {
    /// Raises what is new or changed, once; records each whole look that says something the journal does not say yet.
    pub(crate) fn watch(&mut self, looks: &[Look]) {
        let mut latest: HashMap<(String, String), String> = HashMap::new();
        for signal in self
            .state
            .signals
            .values()
            .filter(|signal| signal.replaced_by.is_none())
        {
            let item = &signal.raised.item;
            latest.insert(
                (item.source.clone(), item.id.clone()),
                signal.raised.signal.clone(),
            );
        }
        for look in looks {
            let mut n_raised = 0;
            for item in look.seen.iter().map(SeenItem::bounded) {
                let key = (item.source.clone(), item.id.clone());
                let earlier = latest
                    .get(&key)
                    .and_then(|id| self.state.signals.get(id))
                    .map(|signal| signal.raised.clone());
                if earlier
                    .as_ref()
                    .is_some_and(|earlier| earlier.item.sha256 == item.sha256)
                {
                    continue;
                }
                self.acting();
                let raised = SignalRaised {
                    signal: format!("S{}", self.state.signals.len() + 1),
                    watcher: look.watcher.clone(),
                    on: self.with.today,
                    changed: earlier
                        .as_ref()
                        .map_or_else(Vec::new, |earlier| item.changes_from(&earlier.item)),
                    replaces: earlier.map(|earlier| earlier.signal),
                    item,
                };
                latest.insert(key, raised.signal.clone());
                self.push_diary(Event::SignalRaised(Box::new(raised)));
                n_raised += 1;
            }
            self.record(look, n_raised);
        }
    }

    fn record(&mut self, look: &Look, n_raised: u64) {
        let known = self.state.looks.get(&look.watcher);
        let is_known = known.is_some_and(|known| known.to >= look.to && known.asked == look.asked);
        if !look.is_whole || (is_known && n_raised == 0) {
            return;
        }
        self.acting();
        let looked = WatchLooked {
            watcher: look.watcher.clone(),
            source: look.source.clone(),
            asked: look.asked.clone(),
            from: look.from,
            to: look.to,
            n_items: look.seen.len() as u64,
        };
        self.push_diary(Event::WatchLooked(looked));
    }

    /// Settles an open signal.
    pub(crate) fn settle(&mut self, signal: &str, reason: &str) -> Result<(), Refused> {
        if reason.trim().is_empty() {
            return Err(Refused::NoReason { flag: "--reason" });
        }
        let known = self.known_signal(signal)?;
        if let Some(newer) = &known.replaced_by {
            return Err(Refused::SignalReplaced {
                signal: signal.to_owned(),
                newer: newer.clone(),
            });
        }
        if known.settled.is_some() {
            return Err(Refused::AlreadySettled {
                signal: signal.to_owned(),
            });
        }
        let settled = SignalSettled {
            signal: signal.to_owned(),
            by: self.acting(),
            on: self.with.today,
            reason: reason.to_owned(),
        };
        self.push_diary(Event::SignalSettled(settled));
        Ok(())
    }

    /// The signal of this id, or the refusal that names the nearest.
    pub(crate) fn known_signal(&self, signal: &str) -> Result<&Signal, Refused> {
        let signals = &self.state.signals;
        signals.get(signal).ok_or_else(|| Refused::NoSignal {
            signal: signal.to_owned(),
            hint: match signals.is_empty() {
                true => "no signal was raised yet (`alnager law watch`)".to_owned(),
                false => nearest(signal, signals.keys().map(String::as_str)),
            },
        })
    }
}
