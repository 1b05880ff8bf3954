//! Audits that are asked on the command line rather than declared: one file per kind.

pub mod fairness;
