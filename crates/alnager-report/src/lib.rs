//! Views to documents: HTML, JSON, JUnit and the screen.
//!
//! A [`view::ReviewView`] holds finished strings and numbers; the documents only place them.

pub mod audit;
#[cfg(test)]
mod fixture;
pub mod html;
pub mod json;
pub mod junit;
pub mod remark;
pub mod screen;
pub mod view;
pub mod why;
pub mod wrap;
