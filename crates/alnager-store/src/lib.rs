//! The desk on disk: journal tables, blobs, keys and guard.
//!
//! One folder, or two databases of a PostgreSQL server, hold one organisation's journal. [`Desk::enter_all`] is the only way in: it
//! locks the head, catches up with what other processes wrote, lets the office decide, and appends entries, payloads and head
//! in one transaction. [`Writer`] gives a desk a thread and groups what many submit. Everything read is a fold over the entries.
//! `docs/formats/desk.md` describes every byte.
//!
//! [`Accounts`] is what a desk knows beside its journal: who may sign in.
//!
//! This crate touches disk and randomness. It blocks while it does (files of a review, some milliseconds per `fsync`), so a
//! server gives a desk a thread of its own.

mod accounts;
mod blobs;
mod copy;
mod database;
mod desk;
mod edge;
mod entropy;
mod erase;
mod error;
mod fault;
mod folder;
mod fork;
mod group;
mod guard;
mod log;
mod news;
pub mod password;
mod place;
mod rebuild;
mod rotate;
mod schema;
mod seal;
mod secret;
mod snapshot;
mod verify;
mod writer;

pub use accounts::{
    Account, AccountError, Accounts, Invitation, NewAccount, NewSession, NewToken, Session, Token,
    View,
};
pub use blobs::ObjectStoreError;
pub use copy::{Copied, Progress};
pub use desk::{Desk, Fresh};
pub use erase::Erasure;
pub use error::{CommitError, StoreError};
pub use fork::Fork;
pub use group::{By, Order, Receipt};
pub use place::{Place, Settings};
pub use rebuild::Rebuilt;
pub use secret::Unlock;
pub use verify::{Contents, Depth, DeskReport, Note, Problem};
pub use writer::{GROUP_MAX, Standing, Submission, Writer};

#[cfg(test)]
mod tests;
