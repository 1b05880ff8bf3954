//! The desk on disk: journal tables, blobs, keys and guard.
//!
//! One folder holds one organisation's journal. [`Desk::commit`] is the only way in: it locks the head, catches up with what
//! other processes wrote, lets the office decide, and appends entries, payloads and head in one transaction. Everything read
//! is a fold over those entries. `docs/formats/desk.md` describes every byte.
//!
//! This crate touches disk and randomness. It blocks while it does (files of a review, some milliseconds per `fsync`), so a
//! server gives a desk a thread of its own.

mod blobs;
mod desk;
mod error;
mod folder;
mod guard;
mod log;
mod schema;
mod seal;
mod verify;

pub use blobs::ObjectStoreError;
pub use desk::{Desk, Fresh, Receipt};
pub use error::{CommitError, StoreError};
pub use verify::{DeskReport, Note, Problem};

#[cfg(test)]
mod tests;
