//! The dossier from outside: written, read, verified, damaged.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod bin;
mod damage;
mod documented;
mod format;
mod sample;
mod whole;
