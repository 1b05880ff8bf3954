//! The texts of the search across rooms.

/// The texts of the search across rooms.
#[derive(Debug)]
#[expect(
    missing_docs,
    reason = "a text's name says what it is for, and its value what it is"
)]
pub struct Search {
    pub title: &'static str,
    pub label: &'static str,
    pub hits: &'static str,
    pub none: &'static str,
    pub keys: &'static str,
    pub room: &'static str,
    pub system: &'static str,
    pub requirement: &'static str,
    pub evidence: &'static str,
    pub person: &'static str,
}

/// English.
pub const EN: Search = Search {
    title: "Go anywhere",
    label: "A room, a system, a requirement, evidence",
    hits: "What fits",
    none: "Nothing here has these words.",
    keys: "Arrows choose, Enter goes there, Escape closes.",
    room: "room",
    system: "system",
    requirement: "requirement",
    evidence: "evidence",
    person: "person",
};
