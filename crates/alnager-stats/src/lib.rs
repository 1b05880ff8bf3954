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
//! | [`contingency`], [`stratified`] | tables with more rows and columns, and tables in strata |
//! | [`sample`], [`score`], [`rank`] | how a score is spread, ranks and is calibrated, by group |
//! | [`inequality`], [`category`], [`numeric`], [`ranking`] | benefits, classes, numbers and lists |
//! | [`linear`], [`logit`], [`effect`], [`oaxaca`], [`kitagawa`] | what is left of a gap once legitimate factors are held fixed |
//! | [`canary`] | is a model still the one that was measured |
//! | [`paired`] | the same people decided or scored twice |
//! | [`bootstrap`], [`power`] | how else it could have come out, and what could have been found |
//! | [`drift`], [`sequential`] | has something changed, asked once or after every period |
//! | [`reweigh`], [`weighted`], [`proxy`] | weights, and groups known by probability |
//!
//! Every figure is a pure function of counts. A figure that is undefined (a zero denominator) is
//! `None`, never 0 and never NaN. Rates and confidences are shares in 0..=1, never percentages.

pub mod bootstrap;
pub mod canary;
pub mod category;
pub mod compare;
pub mod confusion;
pub mod contingency;
pub mod correct;
pub mod drift;
pub mod effect;
pub mod impact;
pub mod inequality;
pub mod kitagawa;
pub mod linear;
pub mod logit;
pub mod matrix;
pub mod numeric;
pub mod oaxaca;
pub mod odds;
pub mod paired;
pub mod power;
pub mod proportion;
pub mod proxy;
pub mod random;
pub mod rank;
pub mod ranking;
pub mod reweigh;
pub mod sample;
pub mod score;
pub mod sequential;
pub mod stratified;
pub mod weighted;

mod kolmogorov;
mod mass;
mod normal;
mod tail;
mod total;
