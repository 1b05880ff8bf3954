//! Segments of a system's decision log: up to ten thousand rows under one root, which lie in a blob of their entry. The state counts them and
//! never holds a row.

use alnager_journal::merkle::Hash;
use alnager_journal::segment::Stated;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::decide::{Blob, Draft, Refused};
use crate::event::Event;
use crate::state::{Meta, State};

/// A segment of a system's decision log was sealed. Its rows are the entry's blob [`ROWS`](alnager_journal::segment::ROWS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentSealed {
    /// The system that decided.
    pub system: String,
    /// The columns, in the order of the file.
    pub columns: Vec<String>,
    /// Number of rows.
    pub n_rows: u64,
    /// Merkle root over the rows.
    pub root: Hash,
    /// When they happened, where a column was named that says so.
    pub time: Option<Span>,
    /// Who sealed it: a person's id.
    pub by: String,
    /// When.
    pub on: Date,
}

/// From when to when the rows of a segment happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The column that says so.
    pub column: String,
    /// The earliest instant in it.
    pub first: Timestamp,
    /// The latest.
    pub last: Timestamp,
}

/// A segment to be sealed.
#[derive(Debug, Clone)]
pub struct NewSegment {
    /// The system.
    pub system: String,
    /// What is stated of the rows. Whoever passes this on has worked it out from them.
    pub stated: Stated,
    /// When they happened.
    pub time: Option<Span>,
    /// The rows.
    pub rows: Blob,
}

/// What the state knows of a system's decision log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Segments {
    /// Segments sealed.
    pub n_segments: u64,
    /// Rows in them.
    pub n_rows: u64,
    /// The entry of the last one.
    pub last: u64,
}

impl SegmentSealed {
    /// What is stated of the rows, as a verifier reads it.
    pub fn stated(&self) -> Stated {
        Stated {
            columns: self.columns.clone(),
            n_rows: self.n_rows,
            root: self.root,
        }
    }
}

impl Draft<'_> {
    /// Seals a segment.
    pub(crate) fn seal_segment(&mut self, new: &NewSegment) -> Result<(), Refused> {
        let subject = self.system(&new.system)?.subject.clone();
        let stated = &new.stated;
        let fits = stated.check();
        fits.map_err(|problem| Refused::Segment(Box::new(problem)))?;
        let is_span =
            |time: &Span| stated.columns.contains(&time.column) && time.first <= time.last;
        if !new.time.as_ref().is_none_or(is_span) {
            return Err(Refused::Unfit {
                what: "the time of a segment",
                rule: "is one of its columns, and the first instant in it does not come after the last",
            });
        }
        let sealed = SegmentSealed {
            system: new.system.clone(),
            columns: stated.columns.clone(),
            n_rows: stated.n_rows,
            root: stated.root,
            time: new.time.clone(),
            by: self.acting(),
            on: self.with.today,
        };
        let event = Event::SegmentSealed(sealed);
        self.push(event, vec![subject], Vec::new(), vec![new.rows.clone()]);
        Ok(())
    }
}

impl State {
    pub(crate) fn count_segment(&mut self, sealed: &SegmentSealed, meta: &Meta) {
        let segments = self.segments.entry(sealed.system.clone()).or_default();
        segments.n_segments += 1;
        segments.n_rows = segments.n_rows.saturating_add(sealed.n_rows);
        segments.last = meta.index;
    }
}
