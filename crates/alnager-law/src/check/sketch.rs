//! A pack read as far as it goes: every part that reads, with its line, and a finding for every part that does not.

use crate::clock::Clock;
use crate::pack::{
    self, AddedException, Choice, DateRow, Derive, Enforcement, Pack, PackKind, RequirementText,
    Rewording, Transition,
};
use crate::read::{self, Node, ReadError};

use super::{Finding, Findings};

/// A part of a pack and the line it begins on.
pub(super) struct At<T> {
    pub(super) line: usize,
    pub(super) it: T,
}

/// A named list, such as the rows of a date group.
pub(super) struct Named<T> {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) items: Vec<At<T>>,
}

/// What could be read of a pack.
pub(super) struct Sketch {
    pub(super) file: String,
    pub(super) id: String,
    pub(super) root: Node,
    /// Whether every part of it reads.
    pub(super) is_whole: bool,
    pub(super) kind: Option<PackKind>,
    pub(super) groups: Vec<Named<DateRow>>,
    pub(super) choose: Vec<Named<Choice>>,
    pub(super) transitions: Vec<At<Transition>>,
    pub(super) derives: Vec<At<Derive>>,
    pub(super) penalties: Vec<Named<()>>,
    pub(super) exceptions: Vec<At<AddedException>>,
    pub(super) rewordings: Vec<At<Rewording>>,
    pub(super) clocks: Vec<At<Clock>>,
    pub(super) enforcement: Vec<At<Enforcement>>,
    pub(super) requirements: Vec<At<RequirementText>>,
}

impl Sketch {
    /// Reads a pack; `None` where the text is no TOML.
    pub(super) fn read(file: &str, text: &str, findings: &mut Findings) -> Option<Sketch> {
        let root = match read::read(file, text) {
            Ok(root) => root,
            Err(error) => {
                findings.push(Finding::of(error));
                return None;
            }
        };
        // What is too large to be looked at part by part is not.
        if let Err(error) = pack::check_sizes(&root) {
            findings.push(Finding::of(error));
            return None;
        }
        let before = findings.len();
        let mut sketch = Reading { findings }.sketch(file, root);
        sketch.is_whole = findings.len() == before;
        // What stops the program and was not seen part by part.
        if findings.len() == before
            && let Err(error) = Pack::parse(file, text)
            && !names_a_name(&error)
        {
            findings.push(Finding::of(error));
        }
        Some(sketch)
    }

    /// A list at the root of the file, such as `timeline`; empty where there is none.
    pub(super) fn list(&self, key: &str) -> &[Node] {
        let list = self.root.get(key).ok().flatten();
        list.and_then(|node| node.list().ok()).unwrap_or_default()
    }

    /// A field at the root, or below a table there.
    pub(super) fn field(&self, path: &[&str]) -> Option<&Node> {
        path.iter()
            .try_fold(&self.root, |node, key| node.get(key).ok().flatten())
    }
}

/// Names of groups and penalties, ids used twice, requirements without a date and long chains are looked at by their own checks,
/// all of them.
fn names_a_name(error: &ReadError) -> bool {
    let starts = [
        "there is no date group",
        "there is no penalty",
        "the id `",
        "the derived fact `",
    ];
    starts.iter().any(|start| error.problem.starts_with(start))
        || error.problem.contains("` names no date group")
}

struct Reading<'f> {
    findings: &'f mut Findings,
}

impl Reading<'_> {
    fn sketch(&mut self, file: &str, root: Node) -> Sketch {
        let kind = self.header(&root);
        Sketch {
            file: file.to_owned(),
            id: self
                .kept(root.need("id").and_then(Node::words))
                .unwrap_or_default(),
            kind,
            groups: self.named(&root, "applies", pack::date_row),
            choose: self.named(&root, "choose", pack::choice),
            transitions: self.each(&root, "transition", pack::transition),
            derives: self.each(&root, "derive", pack::derive),
            penalties: self.penalties(&root),
            exceptions: self.each(&root, "exception", pack::added_exception),
            rewordings: self.each(&root, "rewording", pack::rewording),
            clocks: self.each(&root, "clock", Clock::read),
            enforcement: self.each(&root, "enforcement", pack::enforcement),
            requirements: self.each(&root, "requirement", pack::requirement),
            root,
            is_whole: true,
        }
    }

    fn header(&mut self, root: &Node) -> Option<PackKind> {
        self.kept(root.only(&pack::PACK_FIELDS));
        self.kept(
            root.need("schema")
                .and_then(|node| node.one_of(["alnager.pack/1"])),
        );
        for key in ["version", "title", "short", "jurisdiction", "citation"] {
            self.kept(root.need(key).and_then(Node::words));
        }
        self.kept(root.need("binding").and_then(Node::bool));
        let grades = ["A", "B+", "B", "unconfirmed"];
        self.kept(root.need("confidence").and_then(|node| node.one_of(grades)));
        let status = |key: &str| root.need("status")?.need(key)?.date();
        self.kept(status("known_as_of"));
        self.kept(root.need("kind").and_then(pack::pack_kind))
    }

    /// The value, or a finding.
    fn kept<T>(&mut self, read: Result<T, ReadError>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(error) => {
                self.findings.push(Finding::of(error));
                None
            }
        }
    }

    fn items<T>(
        &mut self,
        list: &Node,
        read: impl Fn(&Node) -> Result<T, ReadError>,
    ) -> Vec<At<T>> {
        let nodes = self.kept(list.list()).unwrap_or_default();
        let mut items = Vec::with_capacity(nodes.len());
        for node in nodes {
            if let Some(it) = self.kept(read(node)) {
                items.push(At {
                    line: node.line(),
                    it,
                });
            }
        }
        items
    }

    fn each<T>(
        &mut self,
        root: &Node,
        key: &str,
        read: impl Fn(&Node) -> Result<T, ReadError>,
    ) -> Vec<At<T>> {
        match root.get(key).ok().flatten() {
            Some(list) => self.items(list, read),
            None => Vec::new(),
        }
    }

    fn named<T>(
        &mut self,
        root: &Node,
        key: &str,
        read: impl Fn(&Node) -> Result<T, ReadError>,
    ) -> Vec<Named<T>> {
        let Some(table) = root.get(key).ok().flatten() else {
            return Vec::new();
        };
        let fields = self.kept(table.table()).unwrap_or_default();
        let mut named = Vec::with_capacity(fields.len());
        for field in fields {
            named.push(Named {
                name: field.key.clone(),
                line: field.line,
                items: self.items(&field.node, &read),
            });
        }
        named
    }

    fn penalties(&mut self, root: &Node) -> Vec<Named<()>> {
        let Some(table) = root.get("penalty").ok().flatten() else {
            return Vec::new();
        };
        let fields = self.kept(table.table()).unwrap_or_default();
        let mut named = Vec::with_capacity(fields.len());
        for field in fields {
            self.kept(pack::penalty(&field.node));
            named.push(Named {
                name: field.key.clone(),
                line: field.line,
                items: Vec::new(),
            });
        }
        named
    }
}
