//! The provision tree: what every reader builds, with its addresses and hashes.

use std::collections::{HashMap, HashSet};
use std::fmt;

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::ImportError;

/// Provisions of one text; 50 titles of the Code of Federal Regulations stay below it.
pub const PROVISIONS_MAX: usize = 500_000;

/// An official text as a tree of addressed provisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisionTree {
    /// The address of the work, such as `eli/reg/2024/1689` or `us/cfr/t12/p1002`.
    pub work: String,
    /// The title as printed; empty where the file has none.
    pub title: String,
    /// The language, two letters in lower case; `und` where the file does not say.
    pub language: String,
    /// The format it was read from.
    pub format: SourceFormat,
    /// The first day this version governs, where the file itself says so.
    pub valid_from: Option<Date>,
    /// The provisions in the order of the text. The first is the work itself; a parent stands before its children.
    pub provisions: Vec<Provision>,
}

/// The format of an official text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFormat {
    /// Formex 4 of the EU Publications Office.
    Formex,
    /// XHTML or HTML of EUR-Lex.
    Xhtml,
    /// Bulk XML of the eCFR.
    Ecfr,
    /// RegML of the Consumer Financial Protection Bureau.
    RegMl,
}

impl SourceFormat {
    /// Every format.
    pub const ALL: [SourceFormat; 4] = [
        SourceFormat::Formex,
        SourceFormat::Xhtml,
        SourceFormat::Ecfr,
        SourceFormat::RegMl,
    ];

    /// The word used in files and messages.
    pub fn word(self) -> &'static str {
        match self {
            SourceFormat::Formex => "formex",
            SourceFormat::Xhtml => "xhtml",
            SourceFormat::Ecfr => "ecfr",
            SourceFormat::RegMl => "regml",
        }
    }
}

/// One addressed provision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provision {
    /// The permanent address, such as `eli/reg/2024/1689/art_5/par_1/pnt_f`; unique in its tree.
    pub id: String,
    /// The name as the source gives it: `Article 5(1)(f)`, `§ 2.3(b)`, or RegML's own label `1002-9-b-2`.
    pub source_label: String,
    /// The number or word printed before it, such as `(f)` or `Article 5`; empty where nothing is printed.
    pub label: String,
    /// What it is.
    pub kind: ProvisionKind,
    /// The heading, white space normalised; empty where there is none.
    pub heading: String,
    /// Its own text without that of the provisions below it, white space normalised.
    pub text: String,
    /// The position of its parent; `None` for the work itself.
    pub parent: Option<usize>,
    /// SHA-256 of its own heading and text: finds what changed.
    pub own: Hash,
    /// SHA-256 of its own hash and those of everything below it: tells whether a citation of it is still what it was.
    pub subtree: Hash,
}

impl Provision {
    /// The last part of the address, such as `pnt_f`.
    pub fn segment(&self) -> &str {
        self.id.rsplit('/').next().unwrap_or(&self.id)
    }
}

/// What a provision is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProvisionKind {
    /// The work itself.
    Work,
    /// A citation of the preamble ("Having regard to …").
    Citation,
    /// A recital.
    Recital,
    /// A part, title, chapter, subchapter, subpart or section that only groups.
    Division,
    /// An article.
    Article,
    /// A section of a US regulation.
    Section,
    /// A paragraph.
    Paragraph,
    /// A further block of text of the provision it lies in.
    Subparagraph,
    /// A point.
    Point,
    /// An item without a number or letter.
    Indent,
    /// The closing formula.
    Final,
    /// An annex.
    Annex,
    /// An appendix of a US regulation.
    Appendix,
    /// An official interpretation.
    Interpretation,
}

impl ProvisionKind {
    /// Every kind, in the order of a text.
    pub const ALL: [ProvisionKind; 14] = [
        ProvisionKind::Work,
        ProvisionKind::Citation,
        ProvisionKind::Recital,
        ProvisionKind::Division,
        ProvisionKind::Article,
        ProvisionKind::Section,
        ProvisionKind::Paragraph,
        ProvisionKind::Subparagraph,
        ProvisionKind::Point,
        ProvisionKind::Indent,
        ProvisionKind::Final,
        ProvisionKind::Annex,
        ProvisionKind::Appendix,
        ProvisionKind::Interpretation,
    ];

    /// The word used in files and messages.
    pub fn word(self) -> &'static str {
        match self {
            ProvisionKind::Work => "work",
            ProvisionKind::Citation => "citation",
            ProvisionKind::Recital => "recital",
            ProvisionKind::Division => "division",
            ProvisionKind::Article => "article",
            ProvisionKind::Section => "section",
            ProvisionKind::Paragraph => "paragraph",
            ProvisionKind::Subparagraph => "subparagraph",
            ProvisionKind::Point => "point",
            ProvisionKind::Indent => "indent",
            ProvisionKind::Final => "final",
            ProvisionKind::Annex => "annex",
            ProvisionKind::Appendix => "appendix",
            ProvisionKind::Interpretation => "interpretation",
        }
    }
}

/// A SHA-256; shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Reads 64 hexadecimal digits; `None` for anything else.
    pub fn from_hex(text: &str) -> Option<Hash> {
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
        }
        Some(Hash(bytes))
    }

    fn of(text: &str) -> Hash {
        Hash(Sha256::digest(text.as_bytes()).into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl ProvisionTree {
    /// The provision at an address.
    pub fn get(&self, id: &str) -> Option<&Provision> {
        // Linear; a tree has some thousand provisions and a caller with many questions uses `index`.
        self.provisions.iter().find(|provision| provision.id == id)
    }

    /// Positions by address.
    pub fn index(&self) -> HashMap<&str, usize> {
        let ids = self.provisions.iter().enumerate();
        ids.map(|(at, provision)| (provision.id.as_str(), at))
            .collect()
    }

    /// The hash of the whole text: equal texts at equal addresses have equal root hashes.
    pub fn root_hash(&self) -> Hash {
        self.provisions[0].subtree
    }

    /// Whether it is one or more annexes without their act.
    pub fn is_annex_alone(&self) -> bool {
        let mut parts = self.provisions.iter().filter(|p| p.parent == Some(0));
        self.work.starts_with("eli/") && parts.all(|part| part.kind == ProvisionKind::Annex)
    }

    /// How many provisions of each kind there are, in the order of a text; kinds without any are left out.
    pub fn counts(&self) -> Vec<(ProvisionKind, usize)> {
        let count = |kind| self.provisions.iter().filter(|p| p.kind == kind).count();
        let counts = ProvisionKind::ALL
            .into_iter()
            .map(|kind| (kind, count(kind)));
        counts.filter(|(_, n)| *n > 0).collect()
    }

    /// Whether addresses, parents and hashes are what the texts say; the position of the first that is not. For trees that were
    /// stored and read again.
    pub fn check(&self) -> Result<(), usize> {
        let mut known = HashSet::new();
        for (at, provision) in self.provisions.iter().enumerate() {
            let is_placed = match provision.parent {
                None => at == 0 && provision.id == self.work,
                Some(parent) => parent < at,
            };
            if !is_placed || !known.insert(provision.id.as_str()) {
                return Err(at);
            }
        }
        let mut again = self.provisions.clone();
        hash(&mut again);
        let pairs = || self.provisions.iter().zip(&again);
        // A provision's own words first: a wrong word makes every hash above it wrong as well.
        let own = pairs().position(|(stored, again)| stored.own != again.own);
        match own.or(pairs().position(|(stored, again)| stored.subtree != again.subtree)) {
            Some(at) => Err(at),
            None if self.provisions.is_empty() => Err(0),
            None => Ok(()),
        }
    }
}

/// Text with every run of white space, of whatever kind, as one space, and none at the ends.
pub fn normalised(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut words = text.split_whitespace();
    if let Some(first) = words.next() {
        out.push_str(first);
    }
    for word in words {
        out.push(' ');
        out.push_str(word);
    }
    out
}

/// Builds a tree in the order of the text.
///
/// A provision's first block of text is its own; each further block is a subparagraph of it, `sub_2` and so on, and the points that
/// follow belong to the last block. Every reader uses this rule, so that one act has the same addresses in two formats.
#[derive(Debug)]
pub(super) struct TreeBuilder {
    file: String,
    drafts: Vec<Draft>,
    open: Vec<usize>,
    taken: HashMap<String, u32>,
}

#[derive(Debug)]
struct Draft {
    provision: Provision,
    n_blocks: usize,
    n_indents: usize,
}

impl TreeBuilder {
    pub(super) fn new(file: &str, work: &str) -> TreeBuilder {
        let mut builder = TreeBuilder {
            file: file.to_owned(),
            drafts: Vec::new(),
            open: Vec::new(),
            taken: HashMap::new(),
        };
        builder.push(
            ProvisionKind::Work,
            work.to_owned(),
            String::new(),
            String::new(),
        );
        builder
    }

    /// The work's address.
    pub(super) fn work(&self) -> &str {
        &self.drafts[0].provision.id
    }

    /// The innermost open provision.
    pub(super) fn top(&self) -> &Provision {
        &self.drafts[self.top_at()].provision
    }

    fn top_at(&self) -> usize {
        self.open.last().copied().unwrap_or(0)
    }

    /// The number of provisions so far, the work included.
    pub(super) fn len(&self) -> usize {
        self.drafts.len()
    }

    /// Opens a provision below the innermost open one, at the address of that one and `segment`.
    pub(super) fn open(
        &mut self,
        kind: ProvisionKind,
        segment: &str,
        label: &str,
        source_label: String,
    ) -> Result<(), ImportError> {
        if kind != ProvisionKind::Point && kind != ProvisionKind::Indent {
            self.close_subparagraph();
        }
        let id = format!("{}/{segment}", self.top().id);
        self.open_at(kind, id, label, source_label)
    }

    /// Opens a provision below the innermost open one, at an address of its own.
    pub(super) fn open_at(
        &mut self,
        kind: ProvisionKind,
        id: String,
        label: &str,
        source_label: String,
    ) -> Result<(), ImportError> {
        if self.drafts.len() >= PROVISIONS_MAX {
            return Err(ImportError {
                file: self.file.clone(),
                line: 0,
                problem: format!(
                    "the text has more than {PROVISIONS_MAX} provisions; import its parts"
                ),
            });
        }
        self.push(kind, id, label.to_owned(), source_label);
        Ok(())
    }

    /// Opens the next unnumbered item below the innermost open provision.
    pub(super) fn open_indent(&mut self, label: &str) -> Result<(), ImportError> {
        let at = self.top_at();
        self.drafts[at].n_indents += 1;
        let n = self.drafts[at].n_indents;
        let source_label = format!("{}, indent {n}", self.drafts[at].provision.source_label);
        self.open(
            ProvisionKind::Indent,
            &format!("ind_{n}"),
            label,
            source_label,
        )
    }

    fn push(&mut self, kind: ProvisionKind, id: String, label: String, source_label: String) {
        // Two provisions of one address: a section printed twice, or a list that starts anew. The second is marked, never lost.
        let n = self.taken.entry(id.clone()).or_insert(0);
        *n += 1;
        let id = if *n > 1 { format!("{id}~{n}") } else { id };
        let parent = self.open.last().copied();
        self.open.push(self.drafts.len());
        self.drafts.push(Draft {
            provision: Provision {
                id,
                source_label,
                label,
                kind,
                heading: String::new(),
                text: String::new(),
                parent,
                own: Hash([0; 32]),
                subtree: Hash([0; 32]),
            },
            n_blocks: 0,
            n_indents: 0,
        });
    }

    /// Closes the innermost open provision, with its subparagraph.
    pub(super) fn close(&mut self) {
        self.close_subparagraph();
        if self.open.len() > 1 {
            self.open.pop();
        }
    }

    fn close_subparagraph(&mut self) {
        if self.top().kind == ProvisionKind::Subparagraph && self.open.len() > 1 {
            self.open.pop();
        }
    }

    /// Closes open provisions until `stop` holds for the innermost one, or only the work is left.
    pub(super) fn close_until(&mut self, stop: impl Fn(&Provision) -> bool) {
        while self.open.len() > 1 && !stop(self.top()) {
            self.open.pop();
        }
    }

    /// Sets the heading of the innermost open provision, or adds to it.
    pub(super) fn heading(&mut self, text: &str) {
        let text = normalised(text);
        let at = self.top_at();
        let heading = &mut self.drafts[at].provision.heading;
        if !heading.is_empty() && !text.is_empty() {
            heading.push(' ');
        }
        heading.push_str(&text);
    }

    /// Whether the innermost open provision has a block of text or a provision below it.
    pub(super) fn has_content(&self) -> bool {
        let at = self.top_at();
        self.drafts[at].n_blocks > 0 || at + 1 < self.drafts.len()
    }

    /// The last block of text of the innermost open provision, if nothing came after it.
    pub(super) fn last_text(&self) -> &str {
        &self.top().text
    }

    /// Adds a block of text.
    pub(super) fn block(&mut self, text: &str) -> Result<(), ImportError> {
        let text = normalised(text);
        if text.is_empty() {
            return Ok(());
        }
        if !text.chars().any(char::is_alphanumeric) {
            self.append(&text, false);
            return Ok(());
        }
        self.close_subparagraph();
        let at = self.top_at();
        let is_first = self.drafts[at].n_blocks == 0 && at + 1 == self.drafts.len();
        if is_first {
            self.drafts[at].n_blocks = 1;
            self.drafts[at].provision.text = text;
            return Ok(());
        }
        let n = self.drafts[at].n_blocks.max(1) + 1;
        self.drafts[at].n_blocks = n;
        let source_label = format!(
            "{}, subparagraph {n}",
            self.drafts[at].provision.source_label
        );
        self.open(
            ProvisionKind::Subparagraph,
            &format!("sub_{n}"),
            "",
            source_label,
        )?;
        let at = self.top_at();
        self.drafts[at].n_blocks = 1;
        self.drafts[at].provision.text = text;
        Ok(())
    }

    /// Adds to the last block of text, such as a quotation or the semicolon behind it.
    pub(super) fn append(&mut self, text: &str, with_space: bool) {
        let text = normalised(text);
        let at = self.top_at();
        let draft = &mut self.drafts[at];
        draft.n_blocks = draft.n_blocks.max(1);
        if with_space && !draft.provision.text.is_empty() && !text.is_empty() {
            draft.provision.text.push(' ');
        }
        draft.provision.text.push_str(&text);
    }

    /// The provisions with their hashes.
    pub(super) fn finish(self) -> Vec<Provision> {
        let mut provisions: Vec<Provision> = self.drafts.into_iter().map(|d| d.provision).collect();
        hash(&mut provisions);
        provisions
    }
}

/// Computes own and subtree hashes; a parent stands before its children.
fn hash(provisions: &mut [Provision]) {
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); provisions.len()];
    for (at, provision) in provisions.iter().enumerate() {
        if let Some(parent) = provision.parent {
            below[parent].push(at);
        }
    }
    for at in (0..provisions.len()).rev() {
        let provision = &provisions[at];
        // Whether the first words are marked up as a heading is presentation; the words count.
        let words = format!("{} {}", provision.heading, provision.text);
        let own = Hash::of(words.trim());
        let mut lines = format!("{own}\n");
        for child in &below[at] {
            let child = &provisions[*child];
            lines.push_str(&format!("{} {}\n", child.segment(), child.subtree));
        }
        provisions[at].own = own;
        provisions[at].subtree = Hash::of(&lines);
    }
}

/// Whether a text is part of a work that was read before.
pub(super) fn is_part(whole: &ProvisionTree, part: &ProvisionTree) -> bool {
    let number = |work: &str| work.splitn(3, '/').nth(2).map(str::to_owned);
    part.work == whole.work
        || (part.work.starts_with("eli/act/") && number(&part.work) == number(&whole.work))
}

/// Puts a part of the same work, such as an annex, behind the others. An annex alone does not know what kind of act it belongs to,
/// so its address is made that of the whole.
pub(super) fn join(whole: &mut ProvisionTree, part: ProvisionTree) -> Result<(), String> {
    if !whole.work.starts_with("eli/") {
        return Err(format!(
            "`{}` was in an earlier file already, and a US text is one file; name one version of it",
            part.work
        ));
    }
    if part.format != whole.format || part.language != whole.language {
        return Err(format!(
            "this is {} in the language `{}`, and an earlier file of `{}` is {} in `{}`; name files of one format and language",
            part.format.word(),
            part.language,
            whole.work,
            whole.format.word(),
            whole.language
        ));
    }
    let offset = whole.provisions.len() - 1;
    let taken: HashSet<String> = whole.provisions.iter().map(|p| p.id.clone()).collect();
    for mut provision in part.provisions.into_iter().skip(1) {
        if let Some(below) = provision.id.strip_prefix(&part.work) {
            provision.id = format!("{}{below}", whole.work);
        }
        if taken.contains(&provision.id) {
            return Err(format!(
                "`{}` was in an earlier file already; name each file once",
                provision.id
            ));
        }
        provision.parent = provision
            .parent
            .map(|at| if at == 0 { 0 } else { at + offset });
        whole.provisions.push(provision);
    }
    hash(&mut whole.provisions);
    Ok(())
}
