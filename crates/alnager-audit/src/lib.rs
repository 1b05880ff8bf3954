//! From requirements and policy to a test plan, and from measures to results.
//!
//! `plan` says what must be measured, the probe measures it, `judge` holds the figures against the limits. Every figure follows
//! from sealed count tables by arithmetic, so an outsider recomputes it without the rows.

pub mod catalogue;
pub mod declared;
pub mod derived;
pub mod figures;
pub mod finding;
pub mod judge;
pub mod measures;
pub mod plan;
pub mod policy;
pub mod profile;
pub mod summary;
pub mod table;
pub mod two_by_two;
