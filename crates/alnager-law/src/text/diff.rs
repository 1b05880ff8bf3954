//! What changed between two versions of a text, provision by provision.

use std::collections::HashMap;

use super::tree::{Hash, Provision, ProvisionTree};

/// Provisions whose words agree by less than this share are different provisions, even under one parent.
const ALIKE_MIN: f64 = 0.6;

/// Under one address less is enough: the address itself says that they belong together.
const ALIKE_MIN_SAME_ADDRESS: f64 = 0.4;

/// Shorter texts, in bytes, are too common to be recognised elsewhere by their words alone ("Reserved.").
const RECOGNISABLE_BYTES_MIN: usize = 20;

/// Word-by-word comparison of texts longer than this, as the product of their lengths in words, is not made: both are shown whole.
const WORD_PAIRS_MAX: usize = 4_000_000;

/// The same for all comparisons of one diff together.
const ALL_WORD_PAIRS_MAX: usize = 200_000_000;

/// Words of provisions compared for likeness, in one diff; what is left over counts as deleted and inserted.
const LIKENESS_WORDS_MAX: usize = 100_000_000;

/// One change of one provision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// What happened.
    pub kind: OperationKind,
    /// The provision before; `None` where it is new.
    pub before: Option<Side>,
    /// The provision after; `None` where it is gone.
    pub after: Option<Side>,
    /// The dates that changed, before and after, where nothing else did.
    pub dates: Vec<(String, String)>,
}

impl Operation {
    /// The name the source gives the provision: the old one, or the new one where it is new.
    pub fn label(&self) -> &str {
        let side = self.before.as_ref().or(self.after.as_ref());
        side.map_or("", |side| side.label.as_str())
    }
}

/// One side of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The address.
    pub id: String,
    /// The name the source gives it.
    pub label: String,
    /// The hash of its own heading and text.
    pub own: Hash,
    /// Its position in the tree.
    pub at: usize,
}

/// What happened to a provision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationKind {
    /// It is new.
    Inserted,
    /// It is gone.
    Deleted,
    /// Its words changed; its number or place may have changed too.
    Replaced,
    /// Its words are the same and its number is another.
    Renumbered,
    /// Its words and its number are the same and it stands below another provision.
    Moved,
    /// Only dates in its words changed.
    DateShifted,
}

impl OperationKind {
    /// Every kind.
    pub const ALL: [OperationKind; 6] = [
        OperationKind::Inserted,
        OperationKind::Deleted,
        OperationKind::Replaced,
        OperationKind::Renumbered,
        OperationKind::Moved,
        OperationKind::DateShifted,
    ];

    /// The word used in files and messages.
    pub fn word(self) -> &'static str {
        match self {
            OperationKind::Inserted => "inserted",
            OperationKind::Deleted => "deleted",
            OperationKind::Replaced => "replaced",
            OperationKind::Renumbered => "renumbered",
            OperationKind::Moved => "moved",
            OperationKind::DateShifted => "date_shifted",
        }
    }
}

/// The changes from one version to another, in the order of the new text; what is gone stands where it stood.
///
/// Provisions are matched by address and words together first, then by words alone, then by place below their parent, then by
/// likeness below one parent. A provision below a renumbered one is not reported for its new address alone.
pub fn diff(old: &ProvisionTree, new: &ProvisionTree) -> Vec<Operation> {
    let matches = Matching::find(old, new);
    let mut placed: Vec<((usize, usize), Operation)> = Vec::new();
    for (at, after) in new.provisions.iter().enumerate() {
        let operation = match matches.old_of[at] {
            None => Some(Operation {
                kind: OperationKind::Inserted,
                before: None,
                after: Some(side(after, at)),
                dates: Vec::new(),
            }),
            Some(old_at) => changed(old, new, &matches, old_at, at),
        };
        // The work itself is no provision, and a file of another title is not a change of the law.
        if let Some(operation) = operation.filter(|_| at > 0) {
            placed.push(((at, 0), operation));
        }
    }
    let mut last = 0;
    for (at, before) in old.provisions.iter().enumerate() {
        match matches.new_of[at] {
            Some(new_at) => last = new_at,
            None => placed.push((
                (last, at + 1),
                Operation {
                    kind: OperationKind::Deleted,
                    before: Some(side(before, at)),
                    after: None,
                    dates: Vec::new(),
                },
            )),
        }
    }
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, operation)| operation).collect()
}

fn side(provision: &Provision, at: usize) -> Side {
    Side {
        id: provision.id.clone(),
        label: provision.source_label.clone(),
        own: provision.own,
        at,
    }
}

fn changed(
    old: &ProvisionTree,
    new: &ProvisionTree,
    matches: &Matching,
    old_at: usize,
    new_at: usize,
) -> Option<Operation> {
    let (before, after) = (&old.provisions[old_at], &new.provisions[new_at]);
    let mut dates = Vec::new();
    let kind = if before.own != after.own {
        match shifted(&words_of(before), &words_of(after)) {
            Some(shifts) => {
                dates = shifts;
                OperationKind::DateShifted
            }
            None => OperationKind::Replaced,
        }
    } else if before.segment() != after.segment() {
        OperationKind::Renumbered
    } else if before.parent.and_then(|parent| matches.new_of[parent]) != after.parent {
        OperationKind::Moved
    } else {
        return None;
    };
    Some(Operation {
        kind,
        before: Some(side(before, old_at)),
        after: Some(side(after, new_at)),
        dates,
    })
}

fn words_of(provision: &Provision) -> String {
    format!("{} {}", provision.heading, provision.text)
}

/// Which provision of one version is which of the other.
struct Matching {
    /// By position in the old text.
    new_of: Vec<Option<usize>>,
    /// By position in the new text.
    old_of: Vec<Option<usize>>,
}

impl Matching {
    fn find(old: &ProvisionTree, new: &ProvisionTree) -> Matching {
        let mut matching = Matching {
            new_of: vec![None; old.provisions.len()],
            old_of: vec![None; new.provisions.len()],
        };
        matching.pair(0, 0);
        let by_id = new.index();
        for (at, provision) in old.provisions.iter().enumerate().skip(1) {
            if let Some(other) = by_id.get(provision.id.as_str())
                && provision.own == new.provisions[*other].own
            {
                matching.pair(at, *other);
            }
        }
        matching.same_words(old, new);
        let bags: Vec<Vec<&str>> = old.provisions.iter().map(bag).collect();
        let new_bags: Vec<Vec<&str>> = new.provisions.iter().map(bag).collect();
        for is_last in [false, true] {
            for (at, provision) in old.provisions.iter().enumerate().skip(1) {
                let Some(other) = matching.counterpart(old, new, &by_id, at) else {
                    continue;
                };
                let is_alike = provision.own == new.provisions[other].own
                    || alike(&bags[at], &new_bags[other]) >= ALIKE_MIN_SAME_ADDRESS;
                if is_alike || is_last {
                    matching.pair(at, other);
                }
            }
            if !is_last {
                matching.alike_below_one_parent(old, new, &bags, &new_bags);
            }
        }
        matching
    }

    /// The provision at the same place below the partner of its parent, whatever the parent's number is now; else at its address.
    fn counterpart(
        &self,
        old: &ProvisionTree,
        new: &ProvisionTree,
        by_id: &HashMap<&str, usize>,
        at: usize,
    ) -> Option<usize> {
        let provision = &old.provisions[at];
        let parent = provision.parent?;
        let below = provision
            .id
            .strip_prefix(old.provisions[parent].id.as_str());
        match (below, self.new_of[parent]) {
            (Some(below), Some(partner)) => {
                let id = format!("{}{below}", new.provisions[partner].id);
                by_id.get(id.as_str()).copied()
            }
            _ => by_id.get(provision.id.as_str()).copied(),
        }
    }

    /// Pairs two provisions that have no partner yet.
    fn pair(&mut self, old: usize, new: usize) {
        if self.new_of[old].is_none() && self.old_of[new].is_none() {
            self.new_of[old] = Some(new);
            self.old_of[new] = Some(old);
        }
    }

    /// The same words elsewhere, where each side has them once.
    fn same_words(&mut self, old: &ProvisionTree, new: &ProvisionTree) {
        let once = |provisions: &[Provision], taken: &[Option<usize>]| {
            let mut found: HashMap<Hash, Option<usize>> = HashMap::new();
            for (at, provision) in provisions.iter().enumerate() {
                let n_bytes = provision.heading.len() + provision.text.len();
                if taken[at].is_none() && n_bytes >= RECOGNISABLE_BYTES_MIN {
                    let entry = found.entry(provision.own).or_insert(Some(at));
                    if *entry != Some(at) {
                        *entry = None;
                    }
                }
            }
            found
        };
        let before = once(&old.provisions, &self.new_of);
        let after = once(&new.provisions, &self.old_of);
        for (own, at) in before {
            if let (Some(at), Some(Some(other))) = (at, after.get(&own)) {
                self.pair(at, *other);
            }
        }
    }

    /// Reworded provisions under another number: the most alike below one parent belong together.
    fn alike_below_one_parent(
        &mut self,
        old: &ProvisionTree,
        new: &ProvisionTree,
        bags: &[Vec<&str>],
        new_bags: &[Vec<&str>],
    ) {
        let mut waiting: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, provision) in new.provisions.iter().enumerate() {
            if let Some(parent) = provision.parent.filter(|_| self.old_of[at].is_none()) {
                waiting.entry(parent).or_default().push(at);
            }
        }
        let mut pairs = Vec::new();
        let mut n_left = LIKENESS_WORDS_MAX;
        for (at, provision) in old.provisions.iter().enumerate() {
            let parent = provision.parent.filter(|_| self.new_of[at].is_none());
            let Some(parent) = parent.and_then(|parent| self.new_of[parent]) else {
                continue;
            };
            let others = waiting.get(&parent).map_or(&[][..], Vec::as_slice);
            for other in others {
                // Two provisions without words are work as well.
                let n_words = 1 + bags[at].len() + new_bags[*other].len();
                if n_words > n_left {
                    break;
                }
                n_left -= n_words;
                let likeness = alike(&bags[at], &new_bags[*other]);
                if likeness >= ALIKE_MIN && provision.kind == new.provisions[*other].kind {
                    pairs.push((likeness, at, *other));
                }
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        for (_, at, other) in pairs {
            self.pair(at, other);
        }
    }
}

/// The words of a provision, sorted.
fn bag(provision: &Provision) -> Vec<&str> {
    let words = provision
        .heading
        .split(' ')
        .chain(provision.text.split(' '));
    let mut words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words
}

/// Twice the common words as a share of all words, 0 to 1 (Dice's coefficient over sorted words); 0 where there are none.
fn alike(a: &[&str], b: &[&str]) -> f64 {
    let (mut at, mut other, mut n_common) = (0, 0, 0_usize);
    while at < a.len() && other < b.len() {
        match a[at].cmp(b[other]) {
            std::cmp::Ordering::Less => at += 1,
            std::cmp::Ordering::Greater => other += 1,
            std::cmp::Ordering::Equal => {
                n_common += 1;
                at += 1;
                other += 1;
            }
        }
    }
    let n_words = a.len() + b.len();
    if n_words == 0 {
        return 0.0;
    }
    2.0 * n_common as f64 / n_words as f64
}

/// The dates that differ, if nothing else does.
fn shifted(before: &str, after: &str) -> Option<Vec<(String, String)>> {
    let (before, old_dates) = without_dates(before);
    let (after, new_dates) = without_dates(after);
    if before != after || old_dates.len() != new_dates.len() {
        return None;
    }
    let pairs = old_dates.into_iter().zip(new_dates);
    let shifts: Vec<(String, String)> = pairs.filter(|(old, new)| old != new).collect();
    (!shifts.is_empty()).then_some(shifts)
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A text with its dates taken out, and the dates: `2 August 2026`, `August 2, 2026`, `2026-08-02`.
fn without_dates(text: &str) -> (Vec<&str>, Vec<String>) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let core = |word: &str| {
        word.trim_matches(|c: char| !c.is_alphanumeric())
            .to_lowercase()
    };
    let is_day = |word: &str| {
        core(word)
            .parse::<u8>()
            .is_ok_and(|day| (1..=31).contains(&day))
    };
    let is_month = |word: &str| MONTHS.contains(&core(word).as_str());
    let is_year = |word: &str| core(word).len() == 4 && core(word).parse::<u16>().is_ok();
    let (mut kept, mut dates) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < words.len() {
        if let [a, b, c, ..] = words[at..]
            && is_year(c)
            && ((is_day(a) && is_month(b)) || (is_month(a) && is_day(b)))
        {
            let year = c.trim_matches(|c: char| !c.is_alphanumeric());
            dates.push(format!("{} {} {year}", a.trim_start_matches('('), b));
            // What closes the sentence stays part of the text.
            kept.push("\u{0}");
            kept.push(&c[c.find(year).unwrap_or(0) + year.len()..]);
            at += 3;
        } else if core(words[at]).parse::<jiff::civil::Date>().is_ok() {
            dates.push(core(words[at]));
            kept.push("\u{0}");
            at += 1;
        } else {
            kept.push(words[at]);
            at += 1;
        }
    }
    (kept, dates)
}

/// A run of words that stayed, went or came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Words {
    /// In both.
    Same(String),
    /// Only before.
    Gone(String),
    /// Only after.
    New(String),
}

/// How much comparing of words one diff may still cost.
#[derive(Debug)]
pub struct WordBudget {
    pub(super) n_pairs: usize,
}

impl Default for WordBudget {
    fn default() -> Self {
        WordBudget {
            n_pairs: ALL_WORD_PAIRS_MAX,
        }
    }
}

impl WordBudget {
    /// Whether this many pairs may be compared; if so, they are spent.
    fn spends(&mut self, n_pairs: usize) -> bool {
        let is_in = n_pairs <= WORD_PAIRS_MAX.min(self.n_pairs);
        if is_in {
            self.n_pairs -= n_pairs;
        }
        is_in
    }
}

/// The shortest way from one text to another, word by word. Very long texts that differ throughout are shown whole, and so is
/// everything once the budget is spent.
pub fn words(before: &str, after: &str, budget: &mut WordBudget) -> Vec<Words> {
    let a: Vec<&str> = before.split_whitespace().collect();
    let b: Vec<&str> = after.split_whitespace().collect();
    let n_start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let ends = a[n_start..].iter().rev().zip(b[n_start..].iter().rev());
    let n_end = ends.take_while(|(a, b)| a == b).count();
    let mut out = Vec::new();
    push(&mut out, Words::Same, &a[..n_start]);
    middle(
        &a[n_start..a.len() - n_end],
        &b[n_start..b.len() - n_end],
        budget,
        &mut out,
    );
    push(&mut out, Words::Same, &a[a.len() - n_end..]);
    out
}

fn push(out: &mut Vec<Words>, kind: fn(String) -> Words, words: &[&str]) {
    if !words.is_empty() {
        out.push(kind(words.join(" ")));
    }
}

fn middle(a: &[&str], b: &[&str], budget: &mut WordBudget, out: &mut Vec<Words>) {
    if !budget.spends(a.len().saturating_mul(b.len())) {
        push(out, Words::Gone, a);
        push(out, Words::New, b);
        return;
    }
    // Longest common subsequence; `n_common` of (i, j) is that of the ends from i and j on.
    let width = b.len() + 1;
    let mut n_common = vec![0_u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            n_common[i * width + j] = if a[i] == b[j] {
                n_common[(i + 1) * width + j + 1] + 1
            } else {
                n_common[(i + 1) * width + j].max(n_common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let (from_i, from_j) = (i, j);
        while i < a.len() && j < b.len() && a[i] == b[j] {
            i += 1;
            j += 1;
        }
        push(out, Words::Same, &a[from_i..i]);
        let (from_i, from_j) = (from_i.max(i), from_j.max(j));
        while (i < a.len() || j < b.len()) && !(i < a.len() && j < b.len() && a[i] == b[j]) {
            let below = if i < a.len() {
                Some(n_common[(i + 1) * width + j])
            } else {
                None
            };
            let right = if j < b.len() {
                Some(n_common[i * width + j + 1])
            } else {
                None
            };
            if below >= right {
                i += 1;
            } else {
                j += 1;
            }
        }
        push(out, Words::Gone, &a[from_i..i]);
        push(out, Words::New, &b[from_j..j]);
    }
}
