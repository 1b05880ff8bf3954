//! Bulk XML of the Electronic Code of Federal Regulations: a title, or any part of one.
//!
//! `DIV1` to `DIV9` nest titles, chapters, parts, sections and appendices. Paragraphs are plain `P` elements whose designations
//! (`(a)`, `(1)`, `(i)`, `(A)`) nest by the order of 1 CFR 21.11(h); where a designation fits two levels, the one that follows decides.
//! Element names: eCFR XML User Guide, <https://www.govinfo.gov/bulkdata/ECFR>.

use super::tree::{ProvisionKind, ProvisionTree, SourceFormat, TreeBuilder, normalised};
use super::xml::{At, Piece};
use super::{ImportError, wrong};

/// Levels of designations: (a) (1) (i) (A), then (1) and (i) in italics.
const LEVELS: [Style; 6] = [
    Style::Lower,
    Style::Number,
    Style::Roman,
    Style::Upper,
    Style::Number,
    Style::Roman,
];

/// Whether a root element is eCFR XML.
pub(super) fn is_root(name: &str) -> bool {
    matches!(name, "DLPSTEXTCLASS" | "ECFR" | "ECFRBRWS") || is_division(name)
}

fn is_division(name: &str) -> bool {
    name.strip_prefix("DIV")
        .is_some_and(|n| n.len() == 1 && n != "0")
}

/// Reads a title or a part of one.
pub(super) fn read(file: &str, root: At<'_, '_>) -> Result<ProvisionTree, ImportError> {
    let first = if is_division(root.name()) {
        Some(root)
    } else {
        first_division(root)
    };
    let title = first.and_then(|at| {
        let node = at
            .attribute("NODE")
            .and_then(|node| node.split(':').next().map(str::to_owned));
        node.or_else(|| at.attribute("N").map(|n| n.into_owned()))
    });
    let (Some(first), Some(title)) = (first, title) else {
        return Err(wrong(
            file,
            "no division with a title number (`NODE`) was found, so the sections have no address",
        ));
    };
    let prefix = format!("us/cfr/t{title}");
    // A file of one part is that part; anything larger is the title.
    let work = match kind_of(first).as_str() {
        "PART" => format!("{prefix}/p{}", first.attribute("N").unwrap_or_default()),
        _ => prefix.clone(),
    };
    let mut reader = Ecfr {
        tree: TreeBuilder::new(file, &work),
        prefix,
    };
    let heading = first.child("HEAD").map(text_of).unwrap_or_default();
    if first
        .attribute("TYPE")
        .is_some_and(|kind| kind == "TITLE" || kind == "PART")
    {
        reader.contents(first)?;
    } else {
        reader.division(first)?;
    }
    Ok(ProvisionTree {
        work,
        title: normalised(&heading),
        language: "en".to_owned(),
        format: SourceFormat::Ecfr,
        valid_from: None,
        provisions: reader.tree.finish(),
    })
}

fn first_division<'d, 't>(at: At<'d, 't>) -> Option<At<'d, 't>> {
    at.elements().find_map(|part| {
        if is_division(part.name()) {
            Some(part)
        } else {
            first_division(part)
        }
    })
}

fn kind_of(at: At<'_, '_>) -> String {
    at.attribute("TYPE").unwrap_or_default().to_uppercase()
}

struct Ecfr {
    tree: TreeBuilder,
    /// `us/cfr/t12`.
    prefix: String,
}

impl Ecfr {
    fn contents(&mut self, at: At<'_, '_>) -> Result<(), ImportError> {
        for part in at.elements().filter(|part| is_division(part.name())) {
            self.division(part)?;
        }
        Ok(())
    }

    fn division(&mut self, at: At<'_, '_>) -> Result<(), ImportError> {
        let number = at
            .attribute("N")
            .map(|n| normalised(&n))
            .unwrap_or_default();
        let bare = number.trim_start_matches(['§', ' ']).to_owned();
        let heading = normalised(&at.child("HEAD").map(text_of).unwrap_or_default());
        let kind = kind_of(at);
        let within = self.tree.top().id.clone();
        match kind.as_str() {
            "SECTION" => {
                let id = format!("{}/s{}", self.prefix, segment(&bare));
                let label = format!("§ {bare}");
                self.tree
                    .open_at(ProvisionKind::Section, id, &label, label.clone())?;
                self.tree
                    .heading(heading.strip_prefix(&label).unwrap_or(&heading));
                self.section(at)?;
            }
            "APPENDIX" => {
                let id = format!("{within}/app_{}", segment(&bare));
                self.tree
                    .open_at(ProvisionKind::Appendix, id, &bare, bare.clone())?;
                self.tree.heading(&heading);
                self.section(at)?;
            }
            kind => {
                let (word, id) = match kind {
                    "PART" => ("Part", format!("{}/p{}", self.prefix, segment(&bare))),
                    "SUBTITLE" => ("Subtitle", format!("{within}/stt_{}", segment(&bare))),
                    "CHAPTER" => ("Chapter", format!("{within}/ch_{}", segment(&bare))),
                    "SUBCHAP" => ("Subchapter", format!("{within}/sch_{}", segment(&bare))),
                    "SUBPART" => ("Subpart", format!("{within}/sbp_{}", segment(&bare))),
                    _ => ("Group", format!("{within}/grp_{}", segment(&bare))),
                };
                let label = format!("{word} {bare}");
                self.tree
                    .open_at(ProvisionKind::Division, id, &label, label.clone())?;
                self.tree.heading(&heading);
                self.contents(at)?;
            }
        }
        self.tree.close();
        Ok(())
    }

    /// Paragraphs nest by their designations.
    fn section(&mut self, at: At<'_, '_>) -> Result<(), ImportError> {
        let mut lines = Vec::new();
        collect_lines(at, &mut lines);
        let lines: Vec<Line<'_>> = lines.iter().map(|line| Line::read(line)).collect();
        let all = lines
            .iter()
            .flat_map(|line| line.designations.iter().map(|(d, _)| *d));
        let all: Vec<&str> = all.collect();
        let mut open: Vec<&str> = Vec::new();
        let mut n_seen = 0;
        for line in &lines {
            for (designation, heading) in &line.designations {
                n_seen += 1;
                let depth = depth(&open, designation, all.get(n_seen).copied());
                for _ in depth..open.len() {
                    self.tree.close();
                }
                open.truncate(depth);
                let label = format!("({designation})");
                let source_label = format!("{}{label}", self.tree.top().source_label);
                self.tree
                    .open(ProvisionKind::Paragraph, designation, &label, source_label)?;
                self.tree.heading(heading);
                open.push(designation);
            }
            self.tree.block(line.text)?;
        }
        for _ in open {
            self.tree.close();
        }
        Ok(())
    }
}

/// Words of a number that may hold spaces and dashes, as one segment of an address.
fn segment(number: &str) -> String {
    let keep = |c: char| {
        if c.is_alphanumeric() || matches!(c, '.' | '-') {
            c
        } else {
            '_'
        }
    };
    number.chars().map(keep).collect()
}

/// The blocks of text of a section. Editorial notes, sources and authorities are not law and are left out.
fn collect_lines(at: At<'_, '_>, lines: &mut Vec<String>) {
    for part in at.elements() {
        match part.name() {
            "HEAD" | "CITA" | "AUTH" | "SOURCE" | "EDNOTE" | "SECAUTH" | "APPRO" | "XREF"
            | "PG" => {}
            "P" | "FP" | "PSPACE" | "HD1" | "HD2" | "HD3" | "TABLE" | "DIV" | "GPOTABLE" => {
                let text = normalised(&text_of(part));
                if !text.is_empty() {
                    lines.push(text);
                }
            }
            name if is_division(name) => {}
            _ => collect_lines(part, lines),
        }
    }
}

fn text_of(at: At<'_, '_>) -> String {
    let mut line = String::new();
    for piece in at.pieces() {
        match piece {
            Piece::Text(text) => line.push_str(text),
            Piece::Element(part) => {
                line.push_str(&text_of(part));
                if matches!(part.name(), "TD" | "TH" | "TR" | "P") {
                    line.push(' ');
                }
            }
        }
    }
    line
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Lower,
    Number,
    Roman,
    Upper,
}

impl Style {
    /// The place of a designation in its series, from 1; `None` if it is of another style.
    fn ordinal(self, designation: &str) -> Option<u32> {
        match self {
            Style::Number => designation.parse().ok().filter(|n| *n > 0),
            Style::Roman => roman(designation),
            Style::Lower => letters(designation, b'a'),
            Style::Upper => letters(designation, b'A'),
        }
    }
}

/// a to z, then aa, bb, … as the Code counts on.
fn letters(designation: &str, first: u8) -> Option<u32> {
    let bytes = designation.as_bytes();
    let letter = *bytes.first()?;
    let same = bytes.iter().all(|byte| *byte == letter);
    let index = letter.checked_sub(first).filter(|index| *index < 26)?;
    (same && bytes.len() <= 3).then(|| u32::from(index) + 1 + 26 * (bytes.len() as u32 - 1))
}

fn roman(designation: &str) -> Option<u32> {
    let value = |c| match c {
        'i' => Some(1),
        'v' => Some(5),
        'x' => Some(10),
        'l' => Some(50),
        _ => None,
    };
    let digits: Option<Vec<u32>> = designation.chars().map(value).collect();
    let digits = digits.filter(|digits| !digits.is_empty() && digits.len() <= 7)?;
    let mut sum = 0;
    for (at, digit) in digits.iter().enumerate() {
        match digits.get(at + 1) {
            Some(next) if next > digit => sum -= *digit as i32,
            _ => sum += *digit as i32,
        }
    }
    u32::try_from(sum).ok()
}

/// A block of text with the designations at its start, each with the heading between it and the next: `(a) Scope. (1) This …`.
struct Line<'l> {
    designations: Vec<(&'l str, &'l str)>,
    text: &'l str,
}

impl<'l> Line<'l> {
    fn read(line: &'l str) -> Line<'l> {
        let mut designations = Vec::new();
        let mut rest = line.trim_start();
        while let Some((designation, after)) = designation(rest) {
            let (heading, next) = heading(after.trim_start());
            designations.push((designation, heading));
            rest = next;
        }
        Line {
            designations,
            text: rest,
        }
    }
}

/// The designation a text begins with. A year or a count in brackets is none.
fn designation(text: &str) -> Option<(&str, &str)> {
    let (designation, after) = text.strip_prefix('(')?.split_once(')')?;
    let is_one = LEVELS
        .iter()
        .any(|style| style.ordinal(designation).is_some());
    let is_count = designation.parse::<u32>().is_ok_and(|n| n > 99);
    (is_one && !is_count && designation.len() <= 5).then_some((designation, after))
}

/// A short heading that ends right before the first designation of the next level, and the text from that on.
fn heading(text: &str) -> (&str, &str) {
    let ends = [". (1) ", ". (i) ", ". (A) ", "—(1) ", "—(i) ", "—(A) "];
    let ends = ends
        .iter()
        .filter_map(|end| text.find(end).map(|at| (at, end.find('(').unwrap_or(0))));
    match ends.min() {
        Some((at, n)) if at <= 120 && !text[..at].contains(['.', '(', ';']) => {
            (text[..at + n].trim_end_matches([' ', '—']), &text[at + n..])
        }
        _ => ("", text),
    }
}

/// The level at which a designation continues the open ones: the next of a series, or the first one level deeper. `next` is the
/// designation that follows and decides where both fit, as with (i) after (h).
fn depth(open: &[&str], designation: &str, next: Option<&str>) -> usize {
    let fits = |level: usize| {
        let Some(ordinal) = LEVELS
            .get(level)
            .and_then(|style| style.ordinal(designation))
        else {
            return false;
        };
        match open.get(level) {
            Some(before) => LEVELS[level]
                .ordinal(before)
                .is_some_and(|n| n + 1 == ordinal),
            None => level == open.len() && ordinal == 1,
        }
    };
    let levels: Vec<usize> = (0..=open.len().min(LEVELS.len() - 1))
        .rev()
        .filter(|level| fits(*level))
        .collect();
    let continued = |level: usize| {
        let style = LEVELS[level];
        let here = style.ordinal(designation);
        next.and_then(|next| style.ordinal(next))
            .zip(here)
            .is_some_and(|(next, here)| next == here + 1)
    };
    let best = match levels.as_slice() {
        [] => None,
        [only] => Some(*only),
        several => several
            .iter()
            .copied()
            .find(|level| continued(*level))
            .or(Some(several[0])),
    };
    // A gap in the series, as after a reserved paragraph: the deepest open level of the same style, else one level deeper.
    best.unwrap_or_else(|| {
        let same = |level: &usize| LEVELS[*level].ordinal(designation).is_some();
        let deepest = (0..open.len()).rev().find(same);
        deepest.unwrap_or(open.len().min(LEVELS.len() - 1))
    })
}
