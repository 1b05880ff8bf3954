//! The audit lab.

pub mod sign;
