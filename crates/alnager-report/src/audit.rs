//! A fairness audit as a document: one view, on the screen, as JSON, as pages.

mod json;
mod screen;
mod view;

pub use json::json;
pub use screen::screen;
pub use view::{
    FairnessView, FindingView, GroupRow, GroupingView, HeadlineView, Source, StratifiedRow, view,
};
