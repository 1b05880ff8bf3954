//! The XHTML of EUR-Lex: a file of the Official Journal (flat paragraphs, before 2023), or a page of the portal around one.
//!
//! Structure shows in class names (`ti-art`, `sti-art`, `ti-section-1`, with `oj-` before them in newer files) and in tables whose
//! first filled cell is a number: those are lists. Only the act is read; the portal's page around it is not.

use std::borrow::Cow;

use super::eu;
use super::tree::{ProvisionKind, ProvisionTree, SourceFormat, TreeBuilder, normalised};
use super::xml::{At, Piece};
use super::{ImportError, wrong};

/// The part of a page that holds the act and the line it starts on; `None` if the text is no HTML.
pub(super) fn part(text: &str) -> Option<(&str, usize)> {
    let head_end = text
        .char_indices()
        .nth(2000)
        .map_or(text.len(), |(at, _)| at);
    if !text[..head_end].to_lowercase().contains("<html") {
        return None;
    }
    let act = text
        .find("<div id=\"document1\"")
        .or_else(|| text.find("<body"));
    let start = act.unwrap_or(0);
    let line = text.as_bytes()[..start]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1;
    Some((&text[start..], line))
}

/// Blanks out scripts, whose content is no markup; lines stay where they are.
pub(super) fn without_scripts(text: &str) -> Cow<'_, str> {
    if !text.contains("<script") {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("<script") {
        kept.push_str(&rest[..start]);
        let end = rest[start..]
            .find("</script>")
            .map_or(rest.len(), |end| start + end + 9);
        kept.extend(rest[start..end].chars().filter(|c| *c == '\n'));
        rest = &rest[end..];
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

/// Reads the act.
pub(super) fn read(file: &str, root: At<'_, '_>) -> Result<ProvisionTree, ImportError> {
    let title = title(root);
    let work = work(&title).ok_or_else(|| {
        wrong(file, "the page has no title with the act's number, such as `Regulation (EU) 2016/679`; save the page of an act from EUR-Lex")
    })?;
    let mut reader = Xhtml {
        tree: TreeBuilder::new(file, &work),
        language: "und".to_owned(),
        stage: Stage::Head,
        n_citations: 0,
        n_preamble: 0,
        n_items: 0,
        groups: Vec::new(),
        article: String::new(),
    };
    reader.walk(root)?;
    Ok(ProvisionTree {
        work,
        title,
        language: reader.language,
        format: SourceFormat::Xhtml,
        valid_from: None,
        provisions: reader.tree.finish(),
    })
}

/// The paragraphs of the title, up to the first annex.
fn title(root: At<'_, '_>) -> String {
    fn collect(at: At<'_, '_>, title: &mut Vec<String>) -> bool {
        for part in at.elements() {
            if part.name() == "p" && class(part) == "doc-ti" {
                let text = normalised(&text_of(part));
                if is_annex(&text) {
                    return false;
                }
                title.push(text);
            } else if !collect(part, title) {
                return false;
            }
        }
        true
    }
    let mut title = Vec::new();
    collect(root, &mut title);
    title.join(" ")
}

/// `eli/reg/2016/679` from a title with `(EU) 2016/679`; acts before 2015 are numbered `No 575/2013`.
fn work(title: &str) -> Option<String> {
    let mut before = "";
    for word in title.split_whitespace() {
        if let Some((first, second)) = word.split_once('/') {
            let second: String = second.chars().take_while(char::is_ascii_digit).collect();
            let is_number =
                |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            if is_number(first) && is_number(&second) {
                let (year, number) = if before.eq_ignore_ascii_case("no") {
                    (second.as_str(), first)
                } else {
                    (first, second.as_str())
                };
                return Some(format!("eli/{}/{year}/{number}", super::eu_type(title)));
            }
        }
        before = word;
    }
    None
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    Head,
    Preamble,
    Terms,
    Final,
}

struct Xhtml {
    tree: TreeBuilder,
    language: String,
    stage: Stage,
    n_citations: usize,
    /// Paragraphs of the preamble before its first recital.
    n_preamble: usize,
    /// Items around the current place; inside one, `1.` begins no paragraph.
    n_items: usize,
    /// Open groups of an annex: their level, and the address of what they lie in.
    groups: Vec<(u8, String)>,
    /// The number of the current article, three digits, as the ids of its paragraphs begin.
    article: String,
}

impl Xhtml {
    fn walk(&mut self, at: At<'_, '_>) -> Result<(), ImportError> {
        let mut line = String::new();
        for piece in at.pieces() {
            match piece {
                Piece::Text(text) => line.push_str(text),
                Piece::Element(part) if is_block(part.name()) => {
                    self.line(&line)?;
                    line.clear();
                    self.structure(part)?;
                }
                Piece::Element(part) => inline(part, &mut line),
            }
        }
        self.line(&line)
    }

    /// Text that stands in a cell without a paragraph around it. Elsewhere it is the portal's.
    fn line(&mut self, line: &str) -> Result<(), ImportError> {
        if self.n_items > 0 {
            self.tree.block(line)?;
        }
        Ok(())
    }

    fn structure(&mut self, at: At<'_, '_>) -> Result<(), ImportError> {
        match at.name() {
            "p" => self.paragraph(at),
            "table" => self.table(at),
            "div" => self.division(at),
            // Behind the last annex the page names itself again.
            "hr" if class(at) == "separator" && self.stage != Stage::Head => {
                self.stage = Stage::Final;
                Ok(())
            }
            _ => self.walk(at),
        }
    }

    fn division(&mut self, at: At<'_, '_>) -> Result<(), ImportError> {
        let id = at.attribute("id").unwrap_or_default();
        let class = class(at);
        if class == "final" || id == "fnp_1" {
            return self.end(at);
        }
        if class == "enumeration-spacing" {
            let texts: Vec<String> = at.elements().map(text_of).collect();
            if let [label, text] = texts.as_slice() {
                return self.item(label, |reader| reader.tree.block(text));
            }
        }
        // A quotation of another act stands in a `div` of its own: one without a name, or with the number of that act's article.
        let in_article = self.stage == Stage::Terms && !self.article.is_empty();
        let is_own = id.starts_with(&format!("{}.", self.article));
        let is_number = id.len() == 7 && id.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if in_article && class.is_empty() && ((id.is_empty()) || (is_number && !is_own)) {
            self.tree.append(&text_of(at), true);
            return Ok(());
        }
        self.walk(at)
    }

    /// The closing formula: its first paragraph is law, what follows is place, date and signatures.
    fn end(&mut self, at: At<'_, '_>) -> Result<(), ImportError> {
        if self.stage == Stage::Final {
            return Ok(());
        }
        self.stage = Stage::Final;
        self.tree
            .close_until(|open| open.kind == ProvisionKind::Work);
        if let Some(first) = at.find("p") {
            self.tree
                .open(ProvisionKind::Final, "fnp_1", "", "Final".to_owned())?;
            self.tree.block(&text_of(first))?;
            self.tree.close();
        }
        Ok(())
    }

    fn paragraph(&mut self, at: At<'_, '_>) -> Result<(), ImportError> {
        let text = text_of(at);
        let class = class(at);
        match class.as_str() {
            "doc-ti" => self.document_title(&normalised(&text)),
            "hd-lg" => {
                self.language = text.trim().to_lowercase();
                Ok(())
            }
            "ti-section-1" => {
                self.begin_terms();
                eu::open_division(&mut self.tree, &normalised(&text))
            }
            "ti-art" => {
                self.begin_terms();
                eu::open_article(&mut self.tree, &normalised(&text), "")?;
                let number = self
                    .tree
                    .top()
                    .segment()
                    .trim_start_matches("art_")
                    .to_owned();
                self.article = format!("{number:0>3}");
                Ok(())
            }
            "ti-section-2" | "sti-art" => {
                self.tree.heading(&text);
                Ok(())
            }
            "note" | "signatory" | "doc-end" => Ok(()),
            class if class.starts_with("hd-") => Ok(()),
            class if class.starts_with("ti-grseq-") => {
                let level = class.bytes().last().unwrap_or(b'1');
                self.group(level, &normalised(&text))
            }
            _ => self.text(&text),
        }
    }

    fn begin_terms(&mut self) {
        self.stage = Stage::Terms;
        self.article.clear();
    }

    fn document_title(&mut self, text: &str) -> Result<(), ImportError> {
        if is_annex(text) {
            self.stage = Stage::Terms;
            self.article.clear();
            self.groups.clear();
            return eu::open_annex(&mut self.tree, text);
        }
        if self.tree.top().kind == ProvisionKind::Annex && !self.tree.has_content() {
            self.tree.heading(text);
        } else if self.stage == Stage::Head {
            self.stage = Stage::Preamble;
        }
        Ok(())
    }

    fn group(&mut self, level: u8, text: &str) -> Result<(), ImportError> {
        let top = self.tree.top();
        let awaits_heading = top.kind == ProvisionKind::Division && top.heading.is_empty();
        if awaits_heading && !self.tree.has_content() {
            self.tree.heading(text);
            return Ok(());
        }
        while let Some((_, within)) = self.groups.pop_if(|(open, _)| *open >= level) {
            self.tree.close_until(|open| open.id == within);
        }
        let within = self.tree.top().id.clone();
        self.groups.push((level, within));
        eu::open_group(&mut self.tree, text)
    }

    fn text(&mut self, text: &str) -> Result<(), ImportError> {
        match self.stage {
            Stage::Head | Stage::Final => Ok(()),
            Stage::Preamble => self.preamble(text),
            Stage::Terms => {
                let in_article = self.n_items == 0 && !self.article.is_empty();
                match paragraph_label(text).filter(|_| in_article) {
                    Some((label, rest)) => {
                        eu::open_paragraph(&mut self.tree, label)?;
                        self.tree.block(rest)
                    }
                    None if self.quotes(text) => {
                        self.tree.append(text, true);
                        Ok(())
                    }
                    None => self.tree.block(text),
                }
            }
        }
    }

    /// Words for another act stand in quotation marks behind a colon.
    fn quotes(&self, text: &str) -> bool {
        let opens = text.trim_start().starts_with(['‘', '“', '«', '„']);
        opens && self.tree.last_text().ends_with(':')
    }

    /// Who adopts comes first and is no provision, nor is the line that ends in a colon ("Whereas:").
    fn preamble(&mut self, text: &str) -> Result<(), ImportError> {
        if self.tree.top().kind == ProvisionKind::Recital {
            return self.tree.block(text);
        }
        self.n_preamble += 1;
        let text = text.trim();
        if self.n_preamble == 1 || text.is_empty() || text.ends_with(':') {
            return Ok(());
        }
        self.n_citations += 1;
        eu::open_citation(&mut self.tree, self.n_citations)?;
        self.tree.block(text)?;
        self.tree.close();
        Ok(())
    }

    /// A list has a number or dash in the first filled cell of each row. Any other table is text.
    fn table(&mut self, at: At<'_, '_>) -> Result<(), ImportError> {
        if self.stage == Stage::Head {
            // The masthead: only the language is wanted.
            return self.walk(at);
        }
        let mut rows = Vec::new();
        collect_rows(at, &mut rows);
        let mut items = Vec::new();
        for row in rows {
            let cells = row.elements().map(|cell| (cell, start_of(cell)));
            let mut filled = cells.filter(|(_, start)| !start.is_empty());
            let label = filled.next().map(|(_, start)| start).unwrap_or_default();
            match filled.next() {
                Some((content, _)) if eu::is_list_label(&label) => items.push((label, content)),
                _ => {
                    let text = text_of(at);
                    return if self.stage == Stage::Final {
                        Ok(())
                    } else {
                        self.text(&text)
                    };
                }
            }
        }
        for (label, content) in items {
            self.item(&label, |reader| reader.walk(content))?;
        }
        Ok(())
    }

    fn item(
        &mut self,
        label: &str,
        content: impl FnOnce(&mut Xhtml) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let label = normalised(label);
        if self.stage == Stage::Preamble && self.n_items == 0 {
            eu::open_recital(&mut self.tree, &label)?;
        } else {
            eu::open_item(&mut self.tree, &label)?;
        }
        self.n_items += 1;
        content(self)?;
        self.n_items -= 1;
        self.tree.close();
        Ok(())
    }
}

/// `1.` and the rest, where no-break spaces follow the number, as they do in numbered paragraphs and nowhere else.
fn paragraph_label(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let (label, rest) = text.split_at(text.find('.')? + 1);
    let number = &label[..label.len() - 1];
    let is_number = number.starts_with(|c: char| c.is_ascii_digit())
        && number.bytes().all(|b| b.is_ascii_alphanumeric())
        && number.len() <= 5;
    (is_number && rest.starts_with('\u{a0}')).then_some((label, rest))
}

fn is_annex(text: &str) -> bool {
    text.to_uppercase().starts_with("ANNEX")
}

/// The class without the prefix of newer files.
fn class(at: At<'_, '_>) -> String {
    let class = at.attribute("class").unwrap_or_default();
    class.trim_start_matches("oj-").to_owned()
}

fn collect_rows<'d, 't>(at: At<'d, 't>, rows: &mut Vec<At<'d, 't>>) {
    for part in at.elements() {
        match part.name() {
            "tr" => rows.push(part),
            "tbody" | "thead" => collect_rows(part, rows),
            _ => {}
        }
    }
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "table"
            | "tbody"
            | "thead"
            | "tr"
            | "td"
            | "th"
            | "col"
            | "hr"
            | "body"
            | "ul"
            | "ol"
            | "li"
    )
}

/// More than any number of a list, in bytes.
const LABEL_BYTES_MAX: usize = 64;

/// The first words of an element, enough to tell a list's number from other text; empty where it has no text. Tables lie in cells
/// of tables, so that reading each cell whole would read the innermost once per table around it.
pub(super) fn start_of(at: At<'_, '_>) -> String {
    fn collect(at: At<'_, '_>, start: &mut String) {
        for piece in at.pieces() {
            if start.len() > LABEL_BYTES_MAX {
                return;
            }
            match piece {
                Piece::Text(text) => add(text, start),
                Piece::Element(part) if is_block(part.name()) => {
                    if class(part) != "note" {
                        add(" ", start);
                        collect(part, start);
                        add(" ", start);
                    }
                }
                Piece::Element(part) if is_footnote(part) => {
                    start.truncate(start.trim_end().len());
                }
                Piece::Element(part) => {
                    if part.name() == "br" {
                        add(" ", start);
                    }
                    collect(part, start);
                }
            }
        }
    }
    fn add(text: &str, start: &mut String) {
        for c in text.chars() {
            if start.len() > LABEL_BYTES_MAX {
                return;
            }
            if !c.is_whitespace() {
                start.push(c);
            } else if !start.is_empty() && !start.ends_with(' ') {
                start.push(' ');
            }
        }
    }
    let mut start = String::new();
    collect(at, &mut start);
    start.truncate(start.trim_end().len());
    start
}

/// The text of an element and everything in it, without footnotes.
fn text_of(at: At<'_, '_>) -> String {
    let mut line = String::new();
    for piece in at.pieces() {
        match piece {
            Piece::Text(text) => line.push_str(text),
            Piece::Element(part) if is_block(part.name()) => {
                if class(part) != "note" {
                    line.push(' ');
                    line.push_str(&text_of(part));
                    line.push(' ');
                }
            }
            Piece::Element(part) => inline(part, &mut line),
        }
    }
    line
}

/// A reference to a footnote; the footnote itself is a paragraph of class `note`.
fn is_footnote(at: At<'_, '_>) -> bool {
    at.name() == "a" && at.attribute("id").unwrap_or_default().starts_with("ntc")
}

fn inline(at: At<'_, '_>, line: &mut String) {
    if is_footnote(at) {
        line.truncate(line.trim_end().len());
        return;
    }
    if at.name() == "br" {
        line.push(' ');
    }
    line.push_str(&text_of(at));
}
