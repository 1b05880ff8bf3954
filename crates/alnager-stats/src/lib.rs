//! Numbers only: rates, intervals, exact tests, corrections. Knows no law.
//!
//! | module | what it answers |
//! |---|---|
//! | [`confusion`] | how often was one group selected, and how often rightly |
//! | [`proportion`] | how exactly is one share known |
//! | [`compare`] | how far apart are two shares, and could it be chance |
//! | [`odds`] | how far apart are the errors made on two groups |
//! | [`impact`] | is a ratio within its limit, and how many people short |
//! | [`correct`] | what is left when many comparisons were made |
//!
//! Every figure is a pure function of counts. A figure that is undefined (a zero denominator) is
//! `None`, never 0 and never NaN. Rates and confidences are shares in 0..=1, never percentages.

pub mod compare;
pub mod confusion;
pub mod correct;
pub mod impact;
pub mod odds;
pub mod proportion;

mod mass;
mod normal;
