//! What else there is to say about a requirement: what to do, what shows it, by when, and what is special about it here.

use alnager_law::conflict::ConflictPair;
use alnager_law::requirement::{Force, Requirement};
use alnager_office::counsel::{Opinion, ReadingRecorded};

/// A labelled line about a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// What the line is about, such as `How`.
    pub label: &'static str,
    /// The line.
    pub text: String,
}

/// The remarks about a requirement, in the order they are read. `conflicts` are the pairs it is one side of; `title` gives the title
/// of a kind of evidence.
pub fn remarks(
    requirement: &Requirement,
    reading: Option<&ReadingRecorded>,
    conflicts: &[ConflictPair],
    title: &dyn Fn(&str) -> String,
    name: &dyn Fn(&str) -> String,
) -> Vec<Remark> {
    let text = requirement.text();
    let cited = |cite: &str| requirement.pack().cited(cite);
    let mut remarks = Vec::new();
    let mut say = |label, text: String| remarks.push(Remark { label, text });
    say("How", text.how.clone());
    if !text.evidence.is_empty() {
        let titles: Vec<String> = text.evidence.iter().map(|kind| title(kind)).collect();
        say("Evidence", titles.join("; "));
    }
    if let Some(deadline) = &text.deadline {
        say("Deadline", deadline.clone());
    }
    if let Some(frequency) = &text.frequency {
        say("How often", frequency.clone());
    }
    if !text.clocks.is_empty() {
        say("Clock", text.clocks.join(", "));
    }
    if let Force::Limited { cite, note, .. } = &requirement.force {
        let note = note
            .as_ref()
            .map_or(String::new(), |note| format!(": {note}"));
        let words = requirement.force.words();
        say("Enforcement", format!("{words}{note} ({})", cited(cite)));
    }
    if let Some(reading) = reading {
        let opinion = match reading.opinion {
            Opinion::Adopted => "binds as the pack says",
            Opinion::Rejected => "does not bind the organisation",
        };
        say(
            "Counsel's reading",
            format!(
                "{opinion}: {} ({}, {})",
                reading.text,
                name(&reading.by),
                reading.on
            ),
        );
    }
    for overlay in requirement.overlays() {
        say(
            "Overlay",
            format!(
                "{} by the pack {} ({})",
                overlay.what, overlay.pack, overlay.cite
            ),
        );
    }
    for pair in conflicts {
        if let Some(other) = pair.against(&text.id) {
            let words = format!("pulls against {other}: {}", pair.why);
            say("For counsel", words);
        }
    }
    remarks
}
