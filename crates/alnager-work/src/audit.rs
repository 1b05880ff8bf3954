//! Audits that are asked on the command line rather than declared: one file per kind.

pub mod alternatives;
pub mod blind_spots;
pub mod canary;
pub mod check_summary;
pub mod classes;
pub mod columns;
pub mod compare;
pub mod drift;
pub mod drivers;
pub mod fairness;
pub mod flips;
pub mod lending;
pub mod numeric;
pub mod oaxaca;
pub mod profile;
pub mod proxy;
pub mod ranking;
pub mod record;
pub mod reweigh;
pub mod rows;
pub mod sign;
pub mod theories;
