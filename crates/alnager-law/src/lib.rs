//! The law as data: facts, rules, packs, and the requirements that follow from them, each with its proof.
//!
//! Nothing here reads a clock or a file; the day judged, the day of knowledge and the texts come in.

pub mod agenda;
pub mod book;
mod bounds;
pub mod calendar;
pub mod cases;
pub mod change;
pub mod check;
pub mod clock;
mod code;
pub mod conflict;
pub mod explain;
pub mod fact;
pub mod figure;
pub mod interview;
pub mod pack;
pub mod read;
pub mod requirement;
pub mod rule;
mod schedule;
pub mod smallest;
pub mod strictest;
pub mod text;
pub mod theory;
