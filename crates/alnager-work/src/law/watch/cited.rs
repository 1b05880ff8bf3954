//! What citations name: parts of the Code of Federal Regulations, and EU acts by CELEX number.

use std::fmt;

use alnager_law::book::Book;

/// A title of the Code of Federal Regulations, or one part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CfrPart {
    /// The title, 1 to 50.
    pub(crate) title: u32,
    /// The part, such as `1002`; without it the whole title.
    pub(crate) part: Option<String>,
}

impl fmt::Display for CfrPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            Some(part) => write!(f, "{} CFR {part}", self.title),
            None => write!(f, "{} CFR", self.title),
        }
    }
}

impl CfrPart {
    /// Reads `12`, `12 CFR`, `12 CFR 1002` or `12 CFR part 1002`. `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(title) = title(text.trim().trim_end_matches("CFR").trim_end()) {
            return Some(CfrPart { title, part: None });
        }
        match cfr_parts(text).as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        }
    }
}

/// What each pack in use cites, so that a signal can say whom it concerns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cited {
    packs: Vec<PackCited>,
}

#[derive(Debug, Clone)]
struct PackCited {
    id: String,
    parts: Vec<CfrPart>,
    celex: Vec<String>,
}

impl Cited {
    pub(crate) fn new(book: &Book) -> Self {
        let packs = book.packs().map(|pack| PackCited {
            id: pack.id.clone(),
            parts: cfr_parts(&pack.citation),
            celex: celex(&pack.citation),
        });
        Cited {
            packs: packs.collect(),
        }
    }

    /// The ids of the packs.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> + Clone {
        self.packs.iter().map(|pack| pack.id.as_str())
    }

    /// The parts that these packs cite, or all packs; each once.
    pub(crate) fn parts_of(&self, packs: Option<&[String]>) -> Vec<CfrPart> {
        let mut parts: Vec<CfrPart> = self
            .chosen(packs)
            .flat_map(|pack| pack.parts.clone())
            .collect();
        parts.sort();
        parts.dedup();
        parts
    }

    /// The acts that these packs cite, or all packs; each once.
    pub(crate) fn celex_of(&self, packs: Option<&[String]>) -> Vec<String> {
        let mut celex: Vec<String> = self
            .chosen(packs)
            .flat_map(|pack| pack.celex.clone())
            .collect();
        celex.sort();
        celex.dedup();
        celex
    }

    fn chosen<'c>(&'c self, packs: Option<&'c [String]>) -> impl Iterator<Item = &'c PackCited> {
        self.packs
            .iter()
            .filter(move |pack| packs.is_none_or(|packs| packs.contains(&pack.id)))
    }

    /// The packs that cite one of these parts.
    pub(crate) fn packs_on_parts(&self, parts: &[CfrPart]) -> Vec<String> {
        let concerned = self
            .packs
            .iter()
            .filter(|pack| pack.parts.iter().any(|part| parts.contains(part)));
        concerned.map(|pack| pack.id.clone()).collect()
    }

    /// The packs that cite one of these acts, also where it is named by a consolidated version or a corrigendum.
    pub(crate) fn packs_on_celex(&self, acts: &[String]) -> Vec<String> {
        let same = |known: &String| acts.iter().any(|act| is_same_act(known, act));
        let concerned = self.packs.iter().filter(|pack| pack.celex.iter().any(same));
        concerned.map(|pack| pack.id.clone()).collect()
    }
}

/// The parts of the Code of Federal Regulations that a citation names, in its order, each once: `12 CFR part 1002`, `45 CFR 92.210`.
pub(crate) fn cfr_parts(text: &str) -> Vec<CfrPart> {
    let words: Vec<&str> = text
        .split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | ';' | '(' | ')'))
        .filter(|word| !word.is_empty())
        .collect();
    let mut parts = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if !matches!(*word, "CFR" | "C.F.R.") || at == 0 {
            continue;
        }
        let Some(title) = title(words[at - 1]) else {
            continue;
        };
        let mut after = words[at + 1..]
            .iter()
            .skip_while(|word| matches!(**word, "part" | "Part" | "parts" | "Parts" | "§" | "§§"));
        let number: String = after
            .next()
            .map(|word| {
                word.trim_start_matches('§')
                    .chars()
                    .take_while(char::is_ascii_alphanumeric)
                    .collect()
            })
            .unwrap_or_default();
        let found = CfrPart {
            title,
            part: Some(number),
        };
        let is_part = found
            .part
            .as_ref()
            .is_some_and(|part| part.starts_with(|digit: char| digit.is_ascii_digit()));
        if is_part && !parts.contains(&found) {
            parts.push(found);
        }
    }
    parts
}

fn title(text: &str) -> Option<u32> {
    text.parse().ok().filter(|title| (1..=50).contains(title))
}

/// The EU acts that a citation names, as CELEX numbers, in its order, each once: `Regulation (EU) 2024/1689` is `32024R1689`.
pub(crate) fn celex(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let letter = match *word {
            "Regulation" => 'R',
            "Directive" => 'L',
            "Decision" => 'D',
            _ => continue,
        };
        let rest = &words[at + 1..];
        let rest = match rest.first() {
            Some(word) if word.starts_with('(') => &rest[1..],
            Some(_) | None => rest,
        };
        let (number_first, rest) = match rest.first() {
            Some(&"No") => (true, &rest[1..]),
            Some(_) | None => (false, rest),
        };
        let act = rest
            .first()
            .and_then(|word| act(word, letter, number_first));
        if let Some(act) = act.filter(|act| !found.contains(act)) {
            found.push(act);
        }
    }
    found
}

/// `2024/1689`, `45/2001` with the number first, or `95/46/EC`.
fn act(word: &str, letter: char, number_first: bool) -> Option<String> {
    let digits = |text: &str| -> Option<u32> {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    let mut numbers = word.split('/').map(digits);
    let (one, other) = (numbers.next()??, numbers.next()??);
    let (year, number) = if number_first {
        (other, one)
    } else {
        (one, other)
    };
    let year = if (50..100).contains(&year) {
        1900 + year
    } else {
        year
    };
    ((1950..2100).contains(&year) && (1..10_000).contains(&number))
        .then(|| format!("3{year}{letter}{number:04}"))
}

/// Whether a text has the form of a CELEX number: sector, year, letters, number, and perhaps a date or a corrigendum.
pub(crate) fn is_celex(text: &str) -> bool {
    let is_plain = text
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '(' | ')' | '.'));
    let starts = text.len() >= 8 && text.as_bytes()[..5].iter().all(u8::is_ascii_digit);
    is_plain && starts && text.len() <= 40 && text.as_bytes()[5].is_ascii_uppercase()
}

/// Whether two CELEX numbers name the same act: the base act, its consolidated versions (sector 0, a date behind) and its corrigenda.
pub(crate) fn is_same_act(one: &str, other: &str) -> bool {
    fn core(celex: &str) -> Option<&str> {
        let acts = celex
            .strip_prefix('3')
            .or_else(|| celex.strip_prefix('0'))?;
        let end = acts.find(['-', '(']).unwrap_or(acts.len());
        let act = &acts[..end];
        // A corrigendum is `32024R1689R(01)`: the letter before the bracket is no part of the number.
        Some(if acts[end..].starts_with('(') {
            act.trim_end_matches(|letter: char| letter.is_ascii_uppercase())
        } else {
            act
        })
    }
    one == other || (core(one).is_some() && core(one) == core(other))
}

#[cfg(test)]
mod tests;
