//! Watchers: ask official sources what is new, and raise signals. They change no law: packs do, and people write packs.
//!
//! Nothing is asked unless `watch.toml` enables it. All calls the program makes are listed in `docs/reference/outgoing.md`.

mod cellar;
mod cited;
mod config;
mod ecfr;
mod federal_register;
pub(crate) mod http;

use std::collections::BTreeMap;
use std::path::Path;

use alnager_office::decide::Command;
use alnager_office::signal::{Look, SeenItem};
use alnager_office::state::State;
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::Value;

use crate::acting::{Acting, Flags};
use crate::error::JobError;
use crate::files::read_text;
use crate::library::sha256;
use crate::records::{About, Entered, enter};
use crate::verify::with_causes;
use cited::Cited;
use config::{Ask, Kind, Watcher};
use http::Client;

/// The file in the desk's folder.
const CONFIG: &str = "watch.toml";

/// What came of looking.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// Each watcher of the file, in its order.
    pub watchers: Vec<WatcherReport>,
    /// The signals raised now, by id.
    pub raised: Vec<String>,
    /// The state after it; as it was when nothing was entered.
    pub state: State,
}

/// What came of one watcher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatcherReport {
    /// Its name.
    pub name: String,
    /// The kind of source.
    pub source: &'static str,
    /// How it went.
    pub outcome: Outcome,
}

/// How a watcher's look went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is not enabled: nothing was asked.
    Off,
    /// All pages were read.
    Looked {
        /// The first day asked for.
        from: Date,
        /// How many items the source had.
        n_items: usize,
    },
    /// Some pages were read; the next look begins at the same day.
    CutShort {
        /// The first day asked for.
        from: Date,
        /// How many items were read.
        n_items: usize,
    },
    /// The source could not be read; the next look begins at the same day.
    Failed {
        /// Why, in words.
        why: String,
    },
}

/// What a source had.
#[derive(Debug, Default)]
struct Seen {
    items: BTreeMap<String, SeenItem>,
    is_cut: bool,
}

impl Seen {
    /// Takes an item; one asked for twice counts once.
    fn add(&mut self, item: SeenItem) {
        self.items.insert(item.id.clone(), item);
    }
}

/// A look to take: a watcher, and the first day to ask for.
struct Errand {
    watcher: Watcher,
    asked: String,
    from: Date,
}

/// Asks every enabled watcher's source once and enters what is new as signals, in one command.
///
/// The file is `config`, or `watch.toml` in the desk's folder. Without a file, or when it enables nothing, nothing is asked and nothing is entered. A source
/// that fails does not keep the others from being entered. Signals are raised once however often this runs.
pub async fn watch(flags: &Flags, config: Option<&Path>) -> Result<Watched, JobError> {
    let acting = Acting::to_enter(flags)?;
    let usual = flags.desk.home().join(CONFIG);
    let path = config.unwrap_or(&usual);
    if config.is_none() && !path.exists() {
        return Ok(Watched {
            watchers: Vec::new(),
            raised: Vec::new(),
            state: State::default(),
        });
    }
    let cited = Cited::new(&acting.library.book);
    let watchers = config::parse(&path.display().to_string(), &read_text(path)?, &cited)?;
    let mut reports: Vec<WatcherReport> = watchers
        .iter()
        .map(|watcher| WatcherReport {
            name: watcher.name.clone(),
            source: watcher.kind.word(),
            outcome: Outcome::Off,
        })
        .collect();
    if watchers.iter().all(|watcher| !watcher.is_enabled) {
        return Ok(Watched {
            watchers: reports,
            raised: Vec::new(),
            state: State::default(),
        });
    }
    let mut desk = acting.desk().await?;
    let today = acting.today(None);
    let known = desk.state();
    let errands: Vec<Option<Errand>> = watchers
        .into_iter()
        .map(|watcher| watcher.is_enabled.then(|| errand(watcher, &known, today)))
        .collect();
    let looked = look_all(errands, cited, today).await?;
    let mut looks = Vec::new();
    for (report, outcome) in reports.iter_mut().zip(looked) {
        if let Some((outcome, look)) = outcome {
            report.outcome = outcome;
            looks.extend(look);
        }
    }
    let with = acting.context(&desk, None)?;
    let receipt = acting
        .commit(&mut desk, &Command::Watch(looks), &with)
        .await?;
    let state = desk.state();
    let own = receipt.first..receipt.end;
    let mut raised: Vec<_> = state
        .signals
        .values()
        .filter(|signal| own.contains(&signal.raised_at))
        .collect();
    raised.sort_by_key(|signal| signal.raised_at);
    Ok(Watched {
        watchers: reports,
        raised: raised
            .into_iter()
            .map(|signal| signal.raised.signal.clone())
            .collect(),
        state: state.as_ref().clone(),
    })
}

/// Settles a signal.
pub async fn settle(flags: &Flags, signal: &str, reason: &str) -> Result<Entered, JobError> {
    let command = Command::SettleSignal {
        signal: signal.to_owned(),
        reason: reason.to_owned(),
    };
    enter(flags, About::Organisation, |_, _| Ok(command)).await
}

/// Where a watcher's look begins: where its last whole look ended, less the overlap; or `days` back, when it asks for something else than then.
fn errand(watcher: Watcher, state: &State, today: Date) -> Errand {
    let asks = watcher.asks.iter().map(|ask| match ask {
        Ask::Part(part) => Value::from(part.to_string()),
        Ask::Term(term) => Value::from(format!("term {term}")),
        Ask::Act(act) => Value::from(act.as_str()),
    });
    let place = [
        Value::from(watcher.kind.word()),
        Value::from(watcher.base_url.as_str()),
    ];
    let asked = version(place.into_iter().chain(asks));
    let last = state
        .looks
        .get(&watcher.name)
        .filter(|look| look.asked == asked);
    let from = match last {
        Some(look) => look
            .to
            .min(today)
            .saturating_sub(watcher.kind.overlap_days().days()),
        None => today.saturating_sub(watcher.days.days()),
    };
    Errand {
        watcher,
        asked,
        from,
    }
}

/// Takes the looks one after the other, away from the async threads; `None` for a watcher that is off.
async fn look_all(
    errands: Vec<Option<Errand>>,
    cited: Cited,
    today: Date,
) -> Result<Vec<Option<(Outcome, Option<Look>)>>, JobError> {
    let work = move || {
        errands
            .into_iter()
            .map(|errand| errand.map(|errand| look(errand, &cited, today)))
            .collect()
    };
    let looked = tokio::task::spawn_blocking(work).await;
    looked.map_err(|error| JobError::Internal(format!("the watchers did not end: {error}")))
}

fn look(errand: Errand, cited: &Cited, today: Date) -> (Outcome, Option<Look>) {
    let Errand {
        watcher,
        asked,
        from,
    } = errand;
    let client = Client::new(&watcher.base_url, watcher.limits, &|name| {
        std::env::var(name).ok()
    });
    let seen = client.and_then(|client| match watcher.kind {
        Kind::FederalRegister => federal_register::look(&client, &watcher.asks, from, cited),
        Kind::Ecfr => ecfr::look(&client, &watcher.asks, from, cited),
        Kind::Cellar => cellar::look(&client, &watcher.asks, from, cited),
    });
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) => {
            let why = with_causes(&error);
            return (Outcome::Failed { why }, None);
        }
    };
    let n_items = seen.items.len();
    let look = Look {
        watcher: watcher.name,
        source: watcher.kind.word().to_owned(),
        asked,
        from,
        to: today,
        is_whole: !seen.is_cut,
        seen: seen.items.into_values().collect(),
    };
    let outcome = match look.is_whole {
        true => Outcome::Looked { from, n_items },
        false => Outcome::CutShort { from, n_items },
    };
    (outcome, Some(look))
}

/// A text of an object; empty where there is none.
fn text(object: &Value, name: &str) -> String {
    object
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// A day of an object; `None` where there is none.
fn date(object: &Value, name: &str) -> Option<Date> {
    object.get(name)?.as_str()?.parse().ok()
}

/// SHA-256 over values in their order, hexadecimal.
fn version(values: impl Iterator<Item = Value>) -> String {
    sha256(Value::Array(values.collect()).to_string().as_bytes())
}

#[cfg(test)]
mod tests;
