//! Witnesses, both sides: a witness that cosigns the checkpoints of logs it knows, and a desk that asks witnesses to cosign its own.
//!
//! The protocol is C2SP `tlog-witness`; `docs/formats/journal.md` says how it is spoken here. What may be cosigned, and what is
//! believed of an answer, are calculations of `alnager_journal::witness`; here they meet disk, network and clock.

pub mod ask;
pub mod folder;
pub mod listed;
pub mod serve;
pub mod submit;

/// The clock that witnesses and those who ask them are handed: seconds since 1970-01-01 UTC.
pub type Clock = fn() -> u64;

/// The system's clock; 0 before 1970.
pub fn system_clock() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
