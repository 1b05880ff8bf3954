//! Audits that are asked on the command line rather than declared: one file per kind.

pub mod check_summary;
pub mod fairness;
pub mod profile;
pub mod theories;
