//! What Formex and XHTML have in common: how an act of the Union names its parts.

use super::ImportError;
use super::tree::{Provision, ProvisionKind, TreeBuilder};

/// Opens a recital, `rct_27` from `(27)`.
pub(super) fn open_recital(tree: &mut TreeBuilder, label: &str) -> Result<(), ImportError> {
    tree.close_until(|open| open.kind == ProvisionKind::Work);
    let number = bare(label);
    let id = format!("{}/rct_{number}", tree.work());
    tree.open_at(
        ProvisionKind::Recital,
        id,
        label,
        format!("Recital {number}"),
    )
}

/// Opens the next citation of the preamble.
pub(super) fn open_citation(tree: &mut TreeBuilder, n: usize) -> Result<(), ImportError> {
    tree.close_until(|open| open.kind == ProvisionKind::Work);
    let id = format!("{}/cit_{n}", tree.work());
    tree.open_at(ProvisionKind::Citation, id, "", format!("Citation {n}"))
}

/// Opens an article, `art_5` from `Article 5`; `fallback` is used where the printed label has no number.
pub(super) fn open_article(
    tree: &mut TreeBuilder,
    label: &str,
    fallback: &str,
) -> Result<(), ImportError> {
    tree.close_until(|open| matches!(open.kind, ProvisionKind::Work | ProvisionKind::Division));
    let has_digit = |word: &&str| word.chars().any(|c| c.is_ascii_digit());
    let number = label.split_whitespace().find(has_digit).map(bare);
    let number = number.unwrap_or_else(|| fallback.trim_start_matches('0').to_owned());
    // Articles are numbered through the whole act, so the chapter is not part of the address.
    let id = format!("{}/art_{number}", tree.work());
    tree.open_at(
        ProvisionKind::Article,
        id,
        label,
        format!("Article {number}"),
    )
}

/// Opens a paragraph of an article, `par_1` from `1.`.
pub(super) fn open_paragraph(tree: &mut TreeBuilder, label: &str) -> Result<(), ImportError> {
    tree.close_until(|open| {
        !matches!(
            open.kind,
            ProvisionKind::Paragraph
                | ProvisionKind::Subparagraph
                | ProvisionKind::Point
                | ProvisionKind::Indent
        )
    });
    let number = bare(label);
    let source_label = format!("{}({number})", tree.top().source_label);
    tree.open(
        ProvisionKind::Paragraph,
        &format!("par_{number}"),
        label,
        source_label,
    )
}

/// Opens a point, `pnt_a` from `(a)`, or an indent where the label is a dash or bullet.
pub(super) fn open_item(tree: &mut TreeBuilder, label: &str) -> Result<(), ImportError> {
    let number = bare(label);
    if number.is_empty() {
        return tree.open_indent(label);
    }
    let source_label = point_label(tree.top(), &number);
    tree.open(
        ProvisionKind::Point,
        &format!("pnt_{number}"),
        label,
        source_label,
    )
}

fn point_label(parent: &Provision, number: &str) -> String {
    let within = &parent.source_label;
    match parent.kind {
        ProvisionKind::Annex | ProvisionKind::Division => format!("{within}, point {number}"),
        _ => format!("{within}({number})"),
    }
}

/// Opens an annex, `anx_III` from `ANNEX III`.
pub(super) fn open_annex(tree: &mut TreeBuilder, label: &str) -> Result<(), ImportError> {
    tree.close_until(|open| open.kind == ProvisionKind::Work);
    let number = label
        .split_whitespace()
        .nth(1)
        .map(bare)
        .unwrap_or_default();
    let (segment, source_label) = match number.as_str() {
        "" => ("anx".to_owned(), "Annex".to_owned()),
        number => (format!("anx_{number}"), format!("Annex {number}")),
    };
    let id = format!("{}/{segment}", tree.work());
    tree.open_at(ProvisionKind::Annex, id, label, source_label)
}

/// Opens a chapter, section or part of the enacting terms from its printed label, such as `CHAPTER III`.
pub(super) fn open_division(tree: &mut TreeBuilder, label: &str) -> Result<(), ImportError> {
    let title = Title::read(label);
    let segment = title.segment(tree.len());
    let rank = rank(&segment);
    tree.close_until(|open| match open.kind {
        ProvisionKind::Work => true,
        ProvisionKind::Division => self::rank(open.segment()) < rank,
        _ => false,
    });
    let source_label = division_label(tree.top(), label);
    tree.open(ProvisionKind::Division, &segment, label, source_label)
}

/// Opens a group of an annex from its title: `Section A. List of …`, `1. Introduction`, `Section 1`. A title without a number is
/// a group of its own.
pub(super) fn open_group(tree: &mut TreeBuilder, text: &str) -> Result<(), ImportError> {
    let title = Title::read(text);
    let kind = match title {
        Title::Point { .. } => ProvisionKind::Point,
        Title::Named { .. } | Title::Bare(_) => ProvisionKind::Division,
    };
    let segment = title.segment(tree.len());
    let (label, heading) = title.split();
    let source_label = match kind {
        ProvisionKind::Point => point_label(tree.top(), &bare(label)),
        _ => division_label(tree.top(), label),
    };
    tree.open(kind, &segment, label, source_label)?;
    tree.heading(heading);
    Ok(())
}

fn division_label(parent: &Provision, label: &str) -> String {
    match parent.kind {
        ProvisionKind::Work => label.to_owned(),
        _ => format!("{}, {label}", parent.source_label),
    }
}

/// A part's place among parts: titles hold chapters, chapters hold sections.
fn rank(segment: &str) -> usize {
    let order = ["prt", "tis", "cpt", "sct", "sbs"];
    let word = segment.split('_').next().unwrap_or_default();
    order
        .iter()
        .position(|known| *known == word)
        .unwrap_or(order.len())
}

/// The title of a part or group.
enum Title<'t> {
    /// A kind and a number: `Section A`.
    Named {
        word: &'static str,
        number: String,
        label: &'t str,
        heading: &'t str,
    },
    /// A number: `1. Introduction`.
    Point { label: &'t str, heading: &'t str },
    /// Words alone.
    Bare(&'t str),
}

impl<'t> Title<'t> {
    fn read(text: &'t str) -> Title<'t> {
        let text = text.trim();
        let mut words = text.split_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next());
        // English titles; those of other languages are numbered in the order of the text.
        let known = match first.to_lowercase().as_str() {
            "part" => Some("prt"),
            "title" => Some("tis"),
            "chapter" => Some("cpt"),
            "section" => Some("sct"),
            "subsection" => Some("sbs"),
            _ => None,
        };
        if let (Some(word), Some(second)) = (known, second) {
            let end = text.find(second).unwrap_or(0) + second.len();
            let (label, rest) = text.split_at(end);
            let dashes = |c: char| c.is_whitespace() || matches!(c, '—' | '–' | '-' | '.' | ':');
            return Title::Named {
                word,
                number: bare(second),
                label: label.trim_end_matches(['.', ':']),
                heading: rest.trim_start_matches(dashes),
            };
        }
        if is_list_label(first) && first.chars().any(|c| c.is_ascii_digit()) {
            let heading = text[first.len()..].trim();
            return Title::Point {
                label: first,
                heading,
            };
        }
        Title::Bare(text)
    }

    fn segment(&self, n: usize) -> String {
        match self {
            Title::Named { word, number, .. } => format!("{word}_{number}"),
            Title::Point { label, .. } => format!("pnt_{}", bare(label)),
            Title::Bare(_) => format!("grp_{n}"),
        }
    }

    fn split(&self) -> (&'t str, &'t str) {
        match self {
            Title::Named { label, heading, .. } | Title::Point { label, heading } => {
                (label, heading)
            }
            Title::Bare(heading) => ("", heading),
        }
    }
}

/// The number or letter without brackets and the closing dot: `a` from `(a)`, `3.1` from `3.1.`, `(1)` gives `1`; empty for a dash.
pub(super) fn bare(label: &str) -> String {
    let trimmed = label.trim_matches(|c: char| !c.is_alphanumeric());
    let keep = trimmed.chars().filter(|c| c.is_alphanumeric() || *c == '.');
    keep.collect()
}

/// Whether a text is what stands before an item: `(a)`, `(12)`, `iii)`, `1.`, `3.1.`, `—`, `•`, `-`.
pub(super) fn is_list_label(text: &str) -> bool {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 8 {
        return false;
    }
    let inner = text.trim_start_matches('(');
    let bracket = inner
        .strip_suffix(')')
        .is_some_and(|inner| inner.chars().all(char::is_alphanumeric));
    let dotted = text.strip_suffix('.').is_some_and(|inner| {
        inner.chars().all(|c| c.is_alphanumeric() || c == '.')
            && (inner.chars().count() <= 4 || inner.contains('.'))
    });
    bracket
        || dotted
        || text
            .chars()
            .all(|c| matches!(c, '—' | '–' | '-' | '•' | '·' | '‐'))
}
