//! The law as data: facts, rules, packs, and the requirements that follow from them, each with its proof.
//!
//! Nothing here reads a clock or a file; the day judged, the day of knowledge and the texts come in.

pub mod book;
pub mod cases;
pub mod explain;
pub mod fact;
pub mod pack;
pub mod read;
pub mod requirement;
pub mod rule;
