//! Entries, Merkle tree, notes, checkpoints, proofs and the dossier container. Knows no compliance.
//!
//! The formats are those of RFC 6962 and of the C2SP specifications `signed-note`, `tlog-checkpoint`,
//! `tlog-cosignature`, `tlog-tiles`, `tlog-proof`, `tlog-policy` and `tlog-witness`; `docs/formats/journal.md` and
//! `docs/formats/dossier.md` describe them so that a second verifier can be written from the pages alone.
//!
//! Nothing here reads a clock, a file, the environment or a source of randomness: seeds, salts, instants and
//! bytes come in as arguments. The binary `alnager-verify` beside this library reads one file and prints.

pub mod canonical;
pub mod checkpoint;
mod decimal;
pub mod dossier;
pub mod entry;
pub mod merkle;
pub mod note;
pub mod policy;
pub mod proof;
pub mod published;
pub mod scope;
pub mod segment;
pub mod tile;
pub mod verify;
pub mod witness;
