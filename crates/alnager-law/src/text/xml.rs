//! Well-formed XML as a light tree over the text it was read from.
//!
//! Every reader of this module walks this tree, so nothing is imported from a file that is cut off, malformed or too large: the whole
//! file is read before the first provision is made. No entity is expanded besides the five of XML and numeric references, so a file
//! cannot grow in memory; a document type with entity definitions is refused.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesRef, Event};

use super::ImportError;

/// Elements inside elements; official texts stay below 40.
const DEPTH_MAX: usize = 200;

/// Elements and pieces of text; the AI Act has 20,000.
const NODES_MAX: usize = 4_000_000;

/// No node.
const NONE: u32 = u32::MAX;

/// A well-formed document.
#[derive(Debug)]
pub(super) struct Document<'t> {
    nodes: Vec<Node<'t>>,
}

#[derive(Debug)]
struct Node<'t> {
    content: Content<'t>,
    first: u32,
    last: u32,
    next: u32,
}

#[derive(Debug)]
enum Content<'t> {
    Element { name: &'t str, attributes: &'t str },
    Text(Cow<'t, str>),
}

/// One node of a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'d, 't> {
    document: &'d Document<'t>,
    node: u32,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Piece<'d, 't> {
    /// An element.
    Element(At<'d, 't>),
    /// Text, references resolved.
    Text(&'d str),
}

impl<'t> Document<'t> {
    /// The outermost element.
    pub(super) fn root(&self) -> At<'_, 't> {
        At {
            document: self,
            node: 0,
        }
    }
}

impl<'d, 't> At<'d, 't> {
    /// The element's name without a namespace prefix.
    pub(super) fn name(self) -> &'t str {
        match &self.document.nodes[self.node as usize].content {
            Content::Element { name, .. } => name.rsplit(':').next().unwrap_or(name),
            Content::Text(_) => "",
        }
    }

    /// The raw value of an attribute.
    pub(super) fn attribute(self, key: &str) -> Option<Cow<'t, str>> {
        let Content::Element { attributes, .. } = &self.document.nodes[self.node as usize].content
        else {
            return None;
        };
        let mut found = Attributes::new(attributes, 0);
        let found = found.with_checks(false);
        found
            .filter_map(Result::ok)
            .find(|attribute| attribute.key.0 == key)
            .map(|attribute| attribute.value)
    }

    /// What stands in the element, in order.
    pub(super) fn pieces(self) -> impl Iterator<Item = Piece<'d, 't>> {
        let document = self.document;
        let mut next = document.nodes[self.node as usize].first;
        std::iter::from_fn(move || {
            let node = document.nodes.get(next as usize)?;
            let at = At {
                document,
                node: next,
            };
            next = node.next;
            Some(match &node.content {
                Content::Element { .. } => Piece::Element(at),
                Content::Text(text) => Piece::Text(text),
            })
        })
    }

    /// The elements directly inside, in order.
    pub(super) fn elements(self) -> impl Iterator<Item = At<'d, 't>> {
        self.pieces().filter_map(|piece| match piece {
            Piece::Element(at) => Some(at),
            Piece::Text(_) => None,
        })
    }

    /// The first element of this name directly inside.
    pub(super) fn child(self, name: &str) -> Option<At<'d, 't>> {
        self.elements().find(|at| at.name() == name)
    }

    /// The first element of this name anywhere inside.
    pub(super) fn find(self, name: &str) -> Option<At<'d, 't>> {
        self.elements().find_map(|at| {
            if at.name() == name {
                Some(at)
            } else {
                at.find(name)
            }
        })
    }
}

/// Reads a whole file. `first_line` is the line the text starts on, for a part of a larger file.
pub(super) fn read<'t>(
    file: &str,
    text: &'t str,
    first_line: usize,
) -> Result<Document<'t>, ImportError> {
    let mut builder = Builder {
        file,
        text,
        first_line,
        nodes: Vec::new(),
        open: Vec::new(),
    };
    let mut reader = Reader::from_str(text);
    // Files whose root is closed may carry anything behind it, such as the rest of a portal's page: it is not read.
    loop {
        let from = reader.buffer_position() as usize;
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => return Err(builder.malformed(&error, reader.error_position() as usize)),
        };
        let to = reader.buffer_position() as usize;
        match event {
            Event::Start(start) => {
                builder.element(from, start.name().0.len(), to - 1)?;
                if builder.open.len() > DEPTH_MAX {
                    return Err(builder.wrong(
                        from,
                        format!("more than {DEPTH_MAX} elements lie inside each other; this is no official text"),
                    ));
                }
            }
            Event::Empty(start) => {
                builder.element(from, start.name().0.len(), to - 2)?;
                builder.open.pop();
            }
            Event::End(_) => {
                builder.open.pop();
            }
            Event::Text(_) => builder.text(from, Cow::Borrowed(&text[from..to]))?,
            Event::CData(content) => builder.text(from, Cow::Owned(content.to_string()))?,
            Event::GeneralRef(reference) => {
                let character = builder.character(from, &reference)?;
                builder.text(from, Cow::Owned(character.to_string()))?;
            }
            Event::DocType(content) => {
                if content.contains("<!ENTITY") || content.contains('[') {
                    return Err(builder.wrong(
                        from,
                        "the document type defines its own entities, which official texts never do; take the file from the official source".to_owned(),
                    ));
                }
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return builder.finish(),
        }
        if builder.open.is_empty() && !builder.nodes.is_empty() {
            return builder.finish();
        }
    }
}

struct Builder<'f, 't> {
    file: &'f str,
    text: &'t str,
    first_line: usize,
    nodes: Vec<Node<'t>>,
    /// The open elements with the place they start at.
    open: Vec<(u32, usize)>,
}

impl<'t> Builder<'_, 't> {
    fn element(&mut self, from: usize, n_name: usize, to: usize) -> Result<(), ImportError> {
        let name = &self.text[from + 1..from + 1 + n_name];
        let attributes = &self.text[from + 1 + n_name..to];
        let node = self.push(from, Content::Element { name, attributes })?;
        self.open.push((node, from));
        Ok(())
    }

    fn text(&mut self, from: usize, content: Cow<'t, str>) -> Result<(), ImportError> {
        if self.open.is_empty() {
            if content
                .trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
                .is_empty()
            {
                return Ok(());
            }
            return Err(self.wrong(
                from,
                "there is text outside of any element; this is not XML".to_owned(),
            ));
        }
        self.push(from, Content::Text(content)).map(drop)
    }

    fn push(&mut self, from: usize, content: Content<'t>) -> Result<u32, ImportError> {
        if self.nodes.len() >= NODES_MAX {
            return Err(self.wrong(
                from,
                format!("the file has more than {NODES_MAX} elements; import its parts"),
            ));
        }
        let node = self.nodes.len() as u32;
        self.nodes.push(Node {
            content,
            first: NONE,
            last: NONE,
            next: NONE,
        });
        if let Some((parent, _)) = self.open.last() {
            let parent = *parent as usize;
            match self.nodes[parent].last {
                NONE => self.nodes[parent].first = node,
                last => self.nodes[last as usize].next = node,
            }
            self.nodes[parent].last = node;
        }
        Ok(node)
    }

    fn character(&self, from: usize, reference: &BytesRef<'_>) -> Result<char, ImportError> {
        let name: &str = reference;
        let known = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            "nbsp" => Some('\u{a0}'),
            _ => reference.resolve_char_ref().ok().flatten(),
        };
        known.ok_or_else(|| {
            self.wrong(
                from,
                format!("`&{}` stands for nothing in XML, and entities are never expanded here; take the file from the official source", crate::read::shorten(name)),
            )
        })
    }

    fn finish(self) -> Result<Document<'t>, ImportError> {
        if self.nodes.is_empty() {
            return Err(self.wrong(0, "the file holds no element: it is no XML, or it is cut off; fetch it again from the official source".to_owned()));
        }
        if !self.open.is_empty() {
            return Err(self.cut(self.text.len()));
        }
        Ok(Document { nodes: self.nodes })
    }

    fn malformed(&self, error: &Error, at: usize) -> ImportError {
        match error {
            // The parser meets these only where the text ends within a tag, a comment or a quoted value.
            Error::Syntax(_) => self.cut(at),
            Error::IllFormed(IllFormedError::MismatchedEndTag { expected, found }) => self.wrong(
                at,
                format!("`</{found}>` stands where `</{expected}>` is due; the file is damaged: fetch it again from the official source"),
            ),
            Error::IllFormed(IllFormedError::UnmatchedEndTag(found)) => self.wrong(
                at,
                format!("`</{found}>` ends an element that was never opened; the file is damaged: fetch it again from the official source"),
            ),
            other => self.wrong(at, format!("this is not well-formed XML: {other}; fetch the file again from the official source")),
        }
    }

    fn cut(&self, at: usize) -> ImportError {
        let innermost = self.open.last().map(|(node, from)| {
            let name = match &self.nodes[*node as usize].content {
                Content::Element { name, .. } => *name,
                Content::Text(_) => "",
            };
            format!("`<{name}>` of line {} is never closed", self.line(*from))
        });
        let what = innermost.unwrap_or_else(|| "a tag is never closed".to_owned());
        self.wrong(
            at,
            format!("the file is cut off: {what}; fetch it again from the official source"),
        )
    }

    fn wrong(&self, at: usize, problem: String) -> ImportError {
        ImportError {
            file: self.file.to_owned(),
            line: self.line(at),
            problem,
        }
    }

    fn line(&self, at: usize) -> usize {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        self.first_line + before.iter().filter(|byte| **byte == b'\n').count()
    }
}
