//! A fairness audit as a document: one view, on the screen, as JSON, as pages.

mod details;
mod html;
mod json;
mod profile;
mod screen;
mod view;

pub use details::{Details, details};
pub use html::{Page, pages};
pub use json::json;
pub use profile::{
    EcoaView, EuView, Part, ProfileView, SELF_TEST, SignedBy, SummaryView, Theories, TheoryView,
    profile_json, signed_document,
};
pub use screen::screen;
pub use view::{
    FairnessView, FindingView, GroupRow, GroupingView, HeadlineView, Source, StratifiedRow, view,
};
