//! Finds the provisions that a citation names.
//!
//! Read are the citations of the packs: `Art 5(1)(f)`, `Art 5(1)(h), (2)-(7)`, `Art 47-48, Annex V`, `Annex III 4(a)`, `Annex VIII B`,
//! `Recital 27`, `Art 50(4) second subpara`, `12 CFR 1002.9(a)(1)(i)`, `1002.4(a)`, `12 CFR 1002.6(a) and comment 6(a)-2`.

use std::collections::HashMap;

use super::eu::bare;
use super::tree::{Provision, ProvisionKind, ProvisionTree};

/// Provisions one range may name, such as `Art 16-19`.
const RANGE_MAX: u32 = 60;

/// One provision a citation names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The citation of this provision alone, such as `Art 5(2)`.
    pub cite: String,
    /// Its position in the tree, or why there is none.
    pub found: Result<usize, Missing>,
    /// The citation says that it means a later or otherwise changed wording ("as replaced"), not the one of this text perhaps.
    pub changed: bool,
}

/// Why a citation names no provision of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The text has no such provision; an amendment may have added it.
    NotInText,
    /// It names another act or document.
    OtherWork,
    /// It is not understood.
    NotUnderstood,
}

impl Missing {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Missing::NotInText => "the text has no such provision; an amendment may have added it",
            Missing::OtherWork => "it names another act or document",
            Missing::NotUnderstood => "it is not understood as a provision",
        }
    }
}

/// The one provision a citation names; `None` if it names none or several.
pub fn locate<'t>(tree: &'t ProvisionTree, cite: &str) -> Option<&'t Provision> {
    match Finder::new(tree).pins(cite).as_slice() {
        [Pin { found: Ok(at), .. }] => Some(&tree.provisions[*at]),
        _ => None,
    }
}

/// Finds provisions of one text; made once for many citations.
#[derive(Debug)]
pub struct Finder<'t> {
    tree: &'t ProvisionTree,
    index: HashMap<&'t str, usize>,
    below: Vec<Vec<usize>>,
}

/// Where a citation stands: what a bracket behind it continues.
#[derive(Debug, Clone, Default)]
struct Place {
    /// `Art 5`, `Annex III` or `1002.9`.
    base: String,
    /// The designations behind it.
    path: Vec<String>,
    /// Another work was named; articles that follow are that work's.
    foreign: bool,
}

impl Place {
    fn words(&self) -> String {
        let path: Vec<String> = self.path.iter().map(|word| format!("({word})")).collect();
        format!("{}{}", self.base, path.concat())
    }
}

impl<'t> Finder<'t> {
    /// A finder for a text.
    pub fn new(tree: &'t ProvisionTree) -> Finder<'t> {
        let mut below = vec![Vec::new(); tree.provisions.len()];
        for (at, provision) in tree.provisions.iter().enumerate() {
            if let Some(parent) = provision.parent {
                below[parent].push(at);
            }
        }
        Finder {
            tree,
            index: tree.index(),
            below,
        }
    }

    /// Every provision a citation names, in its order.
    pub fn pins(&self, cite: &str) -> Vec<Pin> {
        let lower = cite.to_lowercase();
        let says = |word: &str| lower.contains(word);
        let changed = !says("before the amendment")
            && !says("(original)")
            && ["amended", "replaced", "deleted", "inserted"]
                .iter()
                .any(|word| says(word));
        let mut pins: Vec<Pin> = Vec::new();
        for statement in split(cite, &[";"]) {
            let mut place = Place::default();
            for part in split(&statement, &[","]) {
                let pieces = split(&part, &[" and "]);
                // Words of explanation behind a provision already named, with whatever they list.
                if !pins.is_empty() && pieces.first().is_some_and(|piece| !is_cite(piece)) {
                    place.foreign |= names_other_work(&part);
                    continue;
                }
                for piece in pieces.iter().flat_map(|piece| with_ordinal(piece)) {
                    self.part(&piece, &mut place, &mut pins);
                }
            }
        }
        for pin in &mut pins {
            pin.changed = changed;
        }
        pins
    }

    fn part(&self, part: &str, place: &mut Place, pins: &mut Vec<Pin>) {
        // Who changed it is not what is cited.
        let part = [" as amended", " as replaced", " as inserted"]
            .iter()
            .fold(part, |part, words| part.split(words).next().unwrap_or(part));
        // "second paragraph" names a block of what stands before it.
        if let Some(n) = ordinal(part) {
            if let Some(pin) = pins.last_mut() {
                pin.cite = format!("{}, {part}", pin.cite);
                let block = |at| self.block(at, n).ok_or(Missing::NotInText);
                pin.found = pin.found.and_then(block);
            }
            return;
        }
        if place.foreign || names_other_work(part) {
            place.foreign = true;
            pins.push(missing(part, Missing::OtherWork));
            return;
        }
        if let Some(after) = strip_word(part, &["comments", "comment"]) {
            pins.push(self.comment(after, place));
            return;
        }
        if let Some(after) = strip_word(part, &["Recitals", "Recital"]) {
            for number in range(after) {
                let id = format!("{}/rct_{number}", self.tree.work);
                pins.push(self.at_id(&format!("Recital {number}"), &id));
            }
            return;
        }
        if let Some(after) = strip_word(part, &["Annex"]) {
            return self.annex(after, place, pins);
        }
        let mut rest = part.trim();
        for words in [
            &["12 CFR"][..],
            &["Articles", "Article", "Arts", "Art", "§§", "§", "part"][..],
        ] {
            rest = strip_word(rest, words).unwrap_or(rest);
        }
        if rest.starts_with('(') {
            return self.continued(rest, place, pins);
        }
        if !rest.starts_with(|c: char| c.is_ascii_digit()) {
            pins.push(missing(part, Missing::NotUnderstood));
            return;
        }
        self.numbered(rest, place, pins);
    }

    /// `5(1)(f)`, `47-48`, `1002.9(a)(1)`, `2(1)-(3)`.
    fn numbered(&self, rest: &str, place: &mut Place, pins: &mut Vec<Pin>) {
        let end = rest.find('(').unwrap_or(rest.len());
        let (number, brackets) = rest.split_at(end);
        let number = number.split_whitespace().next().unwrap_or_default();
        let is_article = !number.contains('.') && !self.tree.work.starts_with("us/");
        let base = |number: &str| {
            if is_article {
                format!("Art {number}")
            } else {
                number.to_owned()
            }
        };
        let numbers = range(number);
        for number in &numbers {
            place.base = base(number);
            place.path.clear();
            if brackets.is_empty() || numbers.len() > 1 {
                pins.push(self.pin(place));
            }
        }
        if !brackets.is_empty() && numbers.len() == 1 {
            self.continued(brackets, place, pins);
        }
    }

    /// Brackets behind a base: `(1)(f)`, `(1)-(3)`; or behind another provision: `(k)` after `16(b)`.
    fn continued(&self, brackets: &str, place: &mut Place, pins: &mut Vec<Pin>) {
        let (first, last) = match brackets.split_once('-') {
            Some((first, last)) => (first, Some(last)),
            None => (brackets, None),
        };
        let words = bracketed(first);
        let Some(head) = words.first() else {
            if place.path.is_empty() && !place.base.is_empty() {
                pins.push(self.pin(place));
            }
            return;
        };
        place.path = self.prefix(place, head);
        place.path.extend(words.iter().cloned());
        pins.push(self.pin(place));
        let Some(last) = last.map(bracketed).and_then(|words| words.last().cloned()) else {
            return;
        };
        let from = place.path.pop().unwrap_or_default();
        for word in between(&from, &last) {
            place.path.push(word);
            pins.push(self.pin(place));
            place.path.pop();
        }
        place.path.push(last);
        pins.push(self.pin(place));
    }

    /// What stays of a path when a bracket continues it: everything before the deepest designation of the same style for which
    /// there is such a provision.
    fn prefix(&self, place: &Place, head: &str) -> Vec<String> {
        let style = |word: &str| {
            word.chars()
                .next()
                .map(|c| (c.is_ascii_digit(), c.is_uppercase()))
        };
        let same = (0..place.path.len())
            .rev()
            .filter(|at| style(&place.path[*at]) == style(head));
        let mut shallowest = None;
        for at in same {
            let mut path = place.path[..at].to_vec();
            shallowest = Some(path.clone());
            path.push(head.to_owned());
            if self.resolve(&place.base, &path).is_some() {
                path.pop();
                return path;
            }
        }
        shallowest.unwrap_or_default()
    }

    /// `III 4(a)`, `VIII Section B`, `I Section A points 2-12`.
    fn annex(&self, rest: &str, place: &mut Place, pins: &mut Vec<Pin>) {
        let mut words = rest.split_whitespace();
        place.base = format!("Annex {}", words.next().unwrap_or_default());
        place.path.clear();
        let mut ends = vec![Vec::new()];
        for word in words {
            let (number, brackets) = word.split_at(word.find('(').unwrap_or(word.len()));
            let brackets = bracketed(brackets);
            match number.to_lowercase().as_str() {
                "section" | "point" | "points" => {}
                "" if brackets.is_empty() => break,
                "" => place.path.extend(brackets),
                _ => {
                    let mut numbers = range(number);
                    if let [only] = numbers.as_mut_slice() {
                        place.path.push(std::mem::take(only));
                        place.path.extend(brackets);
                    } else {
                        ends = numbers.into_iter().map(|number| vec![number]).collect();
                    }
                }
            }
        }
        for end in ends {
            let n = place.path.len();
            place.path.extend(end);
            pins.push(self.pin(place));
            place.path.truncate(n);
        }
    }

    /// `6(a)-2` and `9(b)(2)`: official interpretations of a section, numbered without the part.
    fn comment(&self, rest: &str, place: &Place) -> Pin {
        let cite = format!("comment {rest}");
        let part = place.base.split('.').next().unwrap_or_default();
        let (provision, n) = match rest.split_once('-') {
            Some((provision, n)) => (provision, Some(n.trim_end_matches('.'))),
            None => (rest, None),
        };
        let end = provision.find('(').unwrap_or(provision.len());
        let title = self.tree.work.split("/p").next().unwrap_or_default();
        let mut id = format!("{title}/s{part}.{}", provision[..end].trim());
        for word in bracketed(&provision[end..]) {
            id.push('/');
            id.push_str(&word);
        }
        id.push_str("/interp");
        if let Some(n) = n {
            id.push('/');
            id.push_str(n);
        }
        self.at_id(&cite, &id)
    }

    fn pin(&self, place: &Place) -> Pin {
        let found = self
            .resolve(&place.base, &place.path)
            .ok_or(Missing::NotInText);
        Pin {
            cite: place.words(),
            found,
            changed: false,
        }
    }

    fn at_id(&self, cite: &str, id: &str) -> Pin {
        let found = self.index.get(id).copied().ok_or(Missing::NotInText);
        Pin {
            cite: cite.to_owned(),
            found,
            changed: false,
        }
    }

    fn resolve(&self, base: &str, path: &[String]) -> Option<usize> {
        let (word, number) = base.split_once(' ').unwrap_or(("", base));
        let work = &self.tree.work;
        let title = work.split("/p").next().unwrap_or(work);
        let id = match word {
            "Art" => format!("{work}/art_{number}"),
            "Annex" => format!("{work}/anx_{number}"),
            _ if number.contains('.') => format!("{title}/s{number}"),
            _ => format!("{title}/p{number}"),
        };
        let mut at = *self.index.get(id.as_str())?;
        for word in path {
            at = self.step(at, word)?;
        }
        Some(at)
    }

    /// The provision with this designation below one, or below one of its subparagraphs where only one has it.
    fn step(&self, at: usize, word: &str) -> Option<usize> {
        let is_it = |child: &&usize| {
            let provision = &self.tree.provisions[**child];
            let after_kind = provision
                .segment()
                .split_once('_')
                .map_or(provision.segment(), |(_, number)| number);
            provision.kind != ProvisionKind::Subparagraph
                && (bare(&provision.label) == word || after_kind == word)
        };
        if let Some(found) = self.below[at].iter().find(is_it) {
            return Some(*found);
        }
        let blocks = self.below[at]
            .iter()
            .filter(|child| self.tree.provisions[**child].kind == ProvisionKind::Subparagraph);
        let mut found = blocks.filter_map(|block| self.below[*block].iter().find(is_it));
        match (found.next(), found.next()) {
            (Some(only), None) => Some(*only),
            _ => None,
        }
    }

    /// The n-th block of text of a provision; the first is the provision itself.
    fn block(&self, at: usize, n: usize) -> Option<usize> {
        if n == 1 {
            return Some(at);
        }
        let segment = format!("sub_{n}");
        let is_it = |child: &&usize| self.tree.provisions[**child].segment() == segment;
        self.below[at].iter().find(is_it).copied()
    }
}

/// The parts of a citation between separators, outside of brackets.
fn split(cite: &str, separators: &[&str]) -> Vec<String> {
    let mut parts = Vec::new();
    let (mut n_open, mut from, mut at) = (0_usize, 0, 0);
    while let Some(c) = cite[at..].chars().next() {
        n_open = match c {
            '(' => n_open + 1,
            ')' => n_open.saturating_sub(1),
            _ => n_open,
        };
        let separator = separators
            .iter()
            .find(|separator| n_open == 0 && cite[at..].starts_with(**separator));
        at += separator.map_or(c.len_utf8(), |separator| separator.len());
        if let Some(separator) = separator {
            parts.push(cite[from..at - separator.len()].trim().to_owned());
            from = at;
        }
    }
    parts.push(cite[from..].trim().to_owned());
    parts.retain(|part| !part.is_empty());
    parts
}

/// `Art 50(4) second subpara` is two statements.
fn with_ordinal(part: &str) -> Vec<String> {
    let begins = ORDINALS
        .iter()
        .filter_map(|word| part.find(&format!("{word} ")));
    match begins
        .min()
        .filter(|at| ordinal(&part[*at..]).is_some() && *at > 0)
    {
        Some(at) => vec![part[..at].trim().to_owned(), part[at..].trim().to_owned()],
        None => vec![part.to_owned()],
    }
}

const ORDINALS: [&str; 10] = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
];

fn ordinal(part: &str) -> Option<usize> {
    let (word, what) = part.split_once(' ')?;
    let n = ORDINALS.iter().position(|known| *known == word)? + 1;
    (what.starts_with("subpara") || what.starts_with("para")).then_some(n)
}

/// Whether a part of a citation begins as one, and is no explanation.
fn is_cite(part: &str) -> bool {
    let words = [
        "Art",
        "Annex",
        "Recital",
        "comment",
        "12 CFR",
        "§",
        "Reg",
        "Directive",
        "FR Doc",
        "WP",
    ];
    part.starts_with(|c: char| c.is_ascii_digit() || c == '(')
        || words.iter().any(|word| part.starts_with(word))
        || ordinal(part).is_some()
}

fn names_other_work(part: &str) -> bool {
    let words = ["Reg (", "Regulation (", "Directive ", "FR Doc", "WP2"];
    let before_brackets = part.find(" (").map_or(part, |at| &part[..at + 2]);
    words.iter().any(|word| before_brackets.contains(word))
}

fn missing(cite: &str, why: Missing) -> Pin {
    Pin {
        cite: cite.to_owned(),
        found: Err(why),
        changed: false,
    }
}

/// What follows the first of these words, if a text begins with one.
fn strip_word<'r>(text: &'r str, words: &[&str]) -> Option<&'r str> {
    let stops = ['.', ' ', '\u{a0}'];
    words.iter().find_map(|word| {
        let after = text.trim_start().strip_prefix(word)?;
        after
            .starts_with(stops)
            .then(|| after.trim_start_matches(stops))
    })
}

/// The designations in brackets, one after another; what holds words is a remark and ends them.
fn bracketed(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some((word, after)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        if word.is_empty() || word.len() > 5 || !word.chars().all(|c| c.is_ascii_alphanumeric()) {
            break;
        }
        words.push(word.to_owned());
        rest = after;
    }
    words
}

/// `47-48` as 47 and 48; a number alone as itself.
fn range(text: &str) -> Vec<String> {
    let text = text.trim();
    match text.split_once('-') {
        Some((first, last)) => {
            let mut all = vec![first.to_owned()];
            all.extend(between(first, last));
            all.push(last.to_owned());
            all
        }
        None => vec![text.to_owned()],
    }
}

/// What lies between two designations, both left out: numbers, or single letters; otherwise nothing.
fn between(first: &str, last: &str) -> Vec<String> {
    if let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) {
        let last = last.min(first.saturating_add(RANGE_MAX));
        return (first.saturating_add(1)..last)
            .map(|n| n.to_string())
            .collect();
    }
    if let (Some(from), Some(to)) = (roman(first), roman(last)) {
        return ROMAN[from + 1..to.max(from + 1)]
            .iter()
            .map(|n| (*n).to_owned())
            .collect();
    }
    // (1a)-(1c): the same number with letters behind it.
    let digits = |word: &str| word.chars().take_while(char::is_ascii_digit).count();
    let (stem, other) = (first.split_at(digits(first)), last.split_at(digits(last)));
    match (stem.1.as_bytes(), other.1.as_bytes()) {
        ([from], [to]) if stem.0 == other.0 && from < to => (from + 1..*to)
            .map(|letter| format!("{}{}", stem.0, char::from(letter)))
            .collect(),
        _ => Vec::new(),
    }
}

/// Small letters as numbers, as far as ranges go in practice.
const ROMAN: [&str; 12] = [
    "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii",
];

fn roman(word: &str) -> Option<usize> {
    ROMAN.iter().position(|known| *known == word)
}
