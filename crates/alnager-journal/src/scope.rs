//! Which entries a dossier must hold: neither fewer nor more, so that leaving one out is visible.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::entry::Entry;

/// A subject and the index of the last entry about it that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectHead {
    /// The subject.
    pub id: Uuid,
    /// Index of its last entry.
    pub head: u64,
}

/// The subjects and entries of a dossier. Everything follows from the log, the main subject and its head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The main subject first, the others by ascending id.
    pub subjects: Vec<SubjectHead>,
    /// Indexes of all entries.
    pub entries: BTreeSet<u64>,
}

/// Why a set of entries is no whole history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// The main head is not in the log.
    #[error(
        "entry `{head}` cannot be in a log of `{size}` entries; name the last entry about the subject"
    )]
    HeadOutOfRange {
        /// The main head.
        head: u64,
        /// Size of the log.
        size: u64,
    },
    /// An entry that must be there is not.
    #[error("entry `{index}` is missing; {why}")]
    Missing {
        /// Index of the missing entry.
        index: u64,
        /// Why it must be there.
        why: Needed,
    },
    /// An entry that should be about a subject is not.
    #[error("entry `{index}` is not about subject `{subject}`, though {why}")]
    NotAbout {
        /// Index of the entry.
        index: u64,
        /// The subject.
        subject: Uuid,
        /// Why it should be.
        why: Needed,
    },
    /// There is an entry about a subject that the chain to its head passes over.
    #[error(
        "entry `{index}` is about subject `{subject}`, but the chain to entry `{head}` leaves it out"
    )]
    Bypassed {
        /// Index of the entry.
        index: u64,
        /// The subject.
        subject: Uuid,
        /// The subject's head.
        head: u64,
    },
    /// There is a later entry about the main subject.
    #[error(
        "entry `{index}` is about subject `{subject}` too, so entry `{head}` is not the last about it; start from the last one"
    )]
    NotLast {
        /// Index of the later entry.
        index: u64,
        /// The main subject.
        subject: Uuid,
        /// The main head.
        head: u64,
    },
    /// An entry points at itself or at a later one.
    #[error("entry `{index}` refers to entry `{target}`, which does not come before it")]
    NotEarlier {
        /// Index of the entry.
        index: u64,
        /// The index it refers to.
        target: u64,
    },
}

/// Why an entry must be in a dossier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// It is the main head.
    Head,
    /// The main head refers to it.
    Reference,
    /// A later entry names it as the previous one about a subject.
    Previous {
        /// Index of the later entry.
        of: u64,
    },
    /// It comes after the main head, and must show that it is not about the main subject.
    Tail,
}

impl std::fmt::Display for Needed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Needed::Head => write!(f, "it is named as the last entry about the main subject"),
            Needed::Reference => write!(f, "the last entry about the main subject refers to it"),
            Needed::Previous { of } => write!(
                f,
                "entry `{of}` names it as the previous one about a subject"
            ),
            Needed::Tail => write!(
                f,
                "it comes after the last entry about the main subject and must show that it is not about it"
            ),
        }
    }
}

/// The scope of a dossier about `main` in a log of `size` entries; `entry_at` hands out entries, `None` where one is
/// not at hand.
///
/// The rules, `head` being the last entry about `main`:
///
/// 1. The subjects are those of `head` and those of every entry in `head.refs`. A subject of `head` itself has `head`
///    as its head; any other has the last entry of `head.refs` that is about it.
/// 2. The entries are the head of each subject and its chain of `prev` down to `null`, every entry of `head.refs`, and
///    every entry after `head`.
/// 3. No entry after `head` is about `main`, and no entry of the scope is about a subject, at or before its head,
///    without being on its chain.
pub fn scope<'e>(
    main: Uuid,
    head: u64,
    size: u64,
    entry_at: impl Fn(u64) -> Option<&'e Entry>,
) -> Result<Scope, ScopeError> {
    if head >= size {
        return Err(ScopeError::HeadOutOfRange { head, size });
    }
    let get = |index: u64, why: Needed| entry_at(index).ok_or(ScopeError::Missing { index, why });
    let head_entry = get(head, Needed::Head)?;
    if head_entry.about(main).is_none() {
        return Err(ScopeError::NotAbout {
            index: head,
            subject: main,
            why: Needed::Head,
        });
    }

    let mut heads: BTreeMap<Uuid, u64> = BTreeMap::new();
    let mut entries: BTreeSet<u64> = BTreeSet::new();
    // References ascend, so a later one overwrites an earlier one, and the head overwrites them all.
    for (index, why) in head_entry
        .refs
        .iter()
        .map(|at| (*at, Needed::Reference))
        .chain([(head, Needed::Head)])
    {
        if index >= head && why == Needed::Reference {
            return Err(ScopeError::NotEarlier {
                index: head,
                target: index,
            });
        }
        heads.extend(
            get(index, why)?
                .subjects
                .iter()
                .map(|about| (about.id, index)),
        );
        entries.insert(index);
    }

    let mut chains: BTreeMap<Uuid, BTreeSet<u64>> = BTreeMap::new();
    for (&subject, &subject_head) in &heads {
        chains.insert(subject, chain(subject, subject_head, get)?);
    }
    for index in head + 1..size {
        if get(index, Needed::Tail)?.about(main).is_some() {
            return Err(ScopeError::NotLast {
                index,
                subject: main,
                head,
            });
        }
        entries.insert(index);
    }
    entries.extend(chains.values().flatten());
    check_nothing_bypassed(&entries, &heads, &chains, entry_at)?;

    let others = heads
        .iter()
        .filter(|(id, _)| **id != main)
        .map(|(id, head)| SubjectHead {
            id: *id,
            head: *head,
        });
    let subjects = [SubjectHead { id: main, head }]
        .into_iter()
        .chain(others)
        .collect();
    Ok(Scope { subjects, entries })
}

/// The indexes of all entries about `subject` from `head` back to the first.
fn chain<'e>(
    subject: Uuid,
    head: u64,
    get: impl Fn(u64, Needed) -> Result<&'e Entry, ScopeError>,
) -> Result<BTreeSet<u64>, ScopeError> {
    let mut indexes = BTreeSet::new();
    let (mut index, mut why) = (head, Needed::Head);
    loop {
        let about = get(index, why)?
            .about(subject)
            .ok_or(ScopeError::NotAbout {
                index,
                subject,
                why,
            })?;
        indexes.insert(index);
        match about.prev {
            None => return Ok(indexes),
            Some(prev) if prev >= index => {
                return Err(ScopeError::NotEarlier {
                    index,
                    target: prev,
                });
            }
            Some(prev) => (index, why) = (prev, Needed::Previous { of: index }),
        }
    }
}

/// A writer could name an older entry as `prev` to pass over one; it shows where that one is in the scope anyway.
fn check_nothing_bypassed<'e>(
    entries: &BTreeSet<u64>,
    heads: &BTreeMap<Uuid, u64>,
    chains: &BTreeMap<Uuid, BTreeSet<u64>>,
    entry_at: impl Fn(u64) -> Option<&'e Entry>,
) -> Result<(), ScopeError> {
    for &index in entries {
        for about in entry_at(index).iter().flat_map(|entry| &entry.subjects) {
            let (Some(&head), Some(chain)) = (heads.get(&about.id), chains.get(&about.id)) else {
                continue;
            };
            if index <= head && !chain.contains(&index) {
                return Err(ScopeError::Bypassed {
                    index,
                    subject: about.id,
                    head,
                });
            }
        }
    }
    Ok(())
}
