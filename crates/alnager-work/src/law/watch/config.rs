//! `watch.toml`: which sources are asked, and for what. A watcher is off until its table says `enabled = true`.

use std::collections::BTreeSet;
use std::time::Duration;

use alnager_law::read::{Node, ReadError, nearest, read};

use super::cited::{CfrPart, Cited, is_celex};
use super::http::{Limits, is_base};

/// The schema of the file.
pub(crate) const SCHEMA: &str = "alnager.watch/1";

/// A kind of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The Federal Register's documents.
    FederalRegister,
    /// Versions of the Electronic Code of Federal Regulations.
    Ecfr,
    /// Notifications of the Publications Office of the European Union.
    Cellar,
}

const KINDS: [&str; 3] = ["federal_register", "ecfr", "cellar"];

impl Kind {
    /// As files and signals name it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::FederalRegister => KINDS[0],
            Kind::Ecfr => KINDS[1],
            Kind::Cellar => KINDS[2],
        }
    }

    /// Days that each look goes back behind the one before: what a source dates back is not lost.
    pub(crate) fn overlap_days(self) -> i64 {
        match self {
            Kind::FederalRegister | Kind::Ecfr => 7,
            // The feed is ordered by the instant of notification; nothing arrives late.
            Kind::Cellar => 0,
        }
    }

    fn days(self) -> i64 {
        match self {
            Kind::FederalRegister | Kind::Ecfr => 30,
            // Thousands of notifications a day.
            Kind::Cellar => 3,
        }
    }

    fn fields(self) -> &'static [&'static str] {
        match self {
            Kind::FederalRegister => &["terms", "titles"],
            Kind::Ecfr => &["titles"],
            Kind::Cellar => &["celex"],
        }
    }
}

/// One watcher.
#[derive(Debug, Clone)]
pub(crate) struct Watcher {
    /// Its name, unique in the file.
    pub(crate) name: String,
    /// The kind of source.
    pub(crate) kind: Kind,
    /// Whether it may ask.
    pub(crate) is_enabled: bool,
    /// Where it asks, without a slash at the end.
    pub(crate) base_url: String,
    /// What it asks for.
    pub(crate) asks: Vec<Ask>,
    /// How far its first look goes back.
    pub(crate) days: i64,
    /// What it puts up with.
    pub(crate) limits: Limits,
}

/// One thing to ask a source for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// A title or a part of the Code of Federal Regulations.
    Part(CfrPart),
    /// Words in the text of a document.
    Term(String),
    /// An EU act, by its CELEX number.
    Act(String),
}

/// Reads the file; what a watcher asks for by pack is taken from the packs in use.
pub(crate) fn parse(file: &str, text: &str, cited: &Cited) -> Result<Vec<Watcher>, ReadError> {
    let root = read(file, text)?;
    root.only(&["schema", "watcher"])?;
    root.need("schema")?.one_of([SCHEMA])?;
    let mut names = BTreeSet::new();
    let watchers = root.each("watcher", |node| watcher(node, cited))?;
    for (at, watcher) in watchers.iter().enumerate() {
        if !names.insert(&watcher.name) {
            let node = root.need("watcher")?;
            return Err(node.list()?[at].wrong(format!(
                "there are two watchers `{}`; give each a `name` of its own",
                watcher.name
            )));
        }
    }
    Ok(watchers)
}

const LIMITS: [&str; 6] = [
    "timeout_ms",
    "bytes_max",
    "pages_max",
    "attempts_max",
    "backoff_ms",
    "wait_s_max",
];

fn watcher(node: &Node, cited: &Cited) -> Result<Watcher, ReadError> {
    let kind = match node.need("kind")?.one_of(KINDS)?.as_str() {
        "federal_register" => Kind::FederalRegister,
        "ecfr" => Kind::Ecfr,
        _ => Kind::Cellar,
    };
    let common = ["name", "kind", "enabled", "base_url", "packs", "days"];
    node.only(&[&common[..], kind.fields(), &LIMITS[..]].concat())?;
    let name = match node.get("name")? {
        Some(name) => named(name)?,
        None => kind.word().to_owned(),
    };
    let is_enabled = node.get("enabled")?.map_or(Ok(false), Node::bool)?;
    let base = node.need("base_url")?;
    let base_url = base.words()?.trim_end_matches('/').to_owned();
    if !is_base(&base_url) {
        return Err(base.wrong(
            "expected the address of the source, such as https://www.federalregister.gov: http or https, a host, perhaps a path, and nothing else",
        ));
    }
    let asks = asks(node, kind, cited)?;
    if is_enabled && asks.is_empty() {
        let fields = kind.fields().join("` or `");
        return Err(node.wrong(format!(
            "this watcher has nothing to ask for; name `{fields}`, or `packs` that cite such law"
        )));
    }
    Ok(Watcher {
        name,
        kind,
        is_enabled,
        base_url,
        asks,
        days: number(node, "days", kind.days(), 1, 3_660)?,
        limits: limits(node)?,
    })
}

fn named(node: &Node) -> Result<String, ReadError> {
    let name = node.words()?;
    let is_word = name
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.'));
    if is_word && name.len() <= 60 {
        Ok(name)
    } else {
        Err(node.wrong("a watcher's name has 1 to 60 letters, digits, `-`, `_` and `.`"))
    }
}

fn asks(node: &Node, kind: Kind, cited: &Cited) -> Result<Vec<Ask>, ReadError> {
    let mut asks = Vec::new();
    for text in node.each("titles", |text| {
        let part = CfrPart::parse(&text.words()?);
        part.ok_or_else(|| text.wrong("expected a title or a part of the Code of Federal Regulations, such as `12` or `12 CFR 1002`"))
    })? {
        asks.push(Ask::Part(text));
    }
    for term in node.each("terms", Node::words)? {
        asks.push(Ask::Term(term));
    }
    for act in node.each("celex", |text| {
        let celex = text.words()?;
        match is_celex(&celex) {
            true => Ok(celex),
            false => Err(text.wrong("expected a CELEX number such as `32024R1689`")),
        }
    })? {
        asks.push(Ask::Act(act));
    }
    let packs = match node.get("packs")? {
        Some(list) => Some(packs(list, cited)?),
        None => None,
    };
    match kind {
        Kind::FederalRegister | Kind::Ecfr => {
            asks.extend(cited.parts_of(packs.as_deref()).into_iter().map(Ask::Part))
        }
        Kind::Cellar => asks.extend(cited.celex_of(packs.as_deref()).into_iter().map(Ask::Act)),
    }
    let mut once: Vec<Ask> = Vec::new();
    for ask in asks {
        if !once.contains(&ask) {
            once.push(ask);
        }
    }
    Ok(once)
}

fn packs(list: &Node, cited: &Cited) -> Result<Vec<String>, ReadError> {
    let known = |pack: &Node| {
        let id = pack.words()?;
        match cited.ids().any(|known| known == id) {
            true => Ok(id),
            false => Err(pack.wrong(format!(
                "no pack `{id}` is in use; {}",
                nearest(&id, cited.ids())
            ))),
        }
    };
    list.list()?.iter().map(known).collect()
}

fn limits(node: &Node) -> Result<Limits, ReadError> {
    let whole = |key, usual, min, max| -> Result<u64, ReadError> {
        Ok(number(node, key, usual, min, max)?.unsigned_abs())
    };
    Ok(Limits {
        timeout: Duration::from_millis(whole("timeout_ms", 60_000, 1, 600_000)?),
        bytes_max: whole("bytes_max", 32 << 20, 1_024, 256 << 20)?,
        pages_max: whole("pages_max", 50, 1, 1_000)?,
        attempts_max: whole("attempts_max", 3, 1, 5)?,
        backoff: Duration::from_millis(whole("backoff_ms", 1_000, 0, 60_000)?),
        wait_max: Duration::from_secs(whole("wait_s_max", 60, 0, 600)?),
    })
}

fn number(node: &Node, key: &str, usual: i64, min: i64, max: i64) -> Result<i64, ReadError> {
    let Some(node) = node.get(key)? else {
        return Ok(usual);
    };
    let number = node.integer()?;
    if (min..=max).contains(&number) {
        Ok(number)
    } else {
        Err(node.wrong(format!(
            "expected a number from {min} to {max}, found {number}"
        )))
    }
}
