//! Questions to the law: one file per job.

pub mod calendar;
pub mod change;
pub mod clock;
pub mod counsel;
pub mod coverage;
pub mod explain;
pub mod ics;
pub mod impact;
pub mod interview;
pub mod inventory;
pub mod map;
pub mod pack;
pub mod strictest;
pub mod text;
pub mod version;
pub mod watch;
