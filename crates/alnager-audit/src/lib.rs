//! From requirements and policy to a test plan, and from measures to results.
//!
//! `plan` says what must be measured, the probe measures it, `judge` holds the figures against the limits. Every figure follows
//! from sealed count tables by arithmetic, so an outsider recomputes it without the rows.

pub mod alternatives;
pub mod blind_spots;
pub mod canary;
pub mod catalogue;
pub mod classes;
pub mod comparison;
pub mod coverage;
pub mod declared;
pub mod derived;
pub mod drift;
pub mod drivers;
pub mod factor;
pub mod figures;
pub mod finding;
pub mod flips;
pub mod judge;
pub mod lending;
pub mod measures;
pub mod missingness;
pub mod model;
pub mod numeric;
pub mod oaxaca;
pub mod plan;
pub mod policy;
pub mod profile;
pub mod proxy;
pub mod ranking;
pub mod reweighing;
pub mod slices;
pub mod stratified;
pub mod summary;
pub mod table;
pub mod texts;
pub mod two_by_two;
mod words;
