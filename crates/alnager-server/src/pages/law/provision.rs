//! The official text of what a requirement cites.

use alnager_law::pack::RequirementText;
use alnager_law::text::ProvisionTree;
use alnager_office::counsel::TextImported;
use maud::{Markup, html};

use crate::at::At;
use crate::page::day;
use crate::refusal::Refusal;
use crate::texts;
use crate::words::EN;

/// Most provisions shown below the one that is cited.
const PROVISIONS_MAX: usize = 120;

/// The provisions that a requirement was written against, from the texts that were imported.
pub(super) async fn official(at: &At, text: &RequirementText) -> Result<Markup, Refusal> {
    let words = &EN.law;
    let Some(stamp) = at.moment.library.book.stamp(&text.id) else {
        return Ok(html! { p { (words.not_stamped) } });
    };
    let mut shown = Vec::new();
    for stamped in &stamp.provisions {
        let imported = imported(at, &stamped.id);
        let tree = match imported {
            Some(imported) => texts::opened(&at.organisation, imported).await?,
            None => None,
        };
        shown.push(html! {
            @match (imported, &tree) {
                (Some(imported), Some(tree)) => (provision(tree, &stamped.id, imported)),
                (Some(_), None) => { p { code { (stamped.id) } } p { (words.not_in_journal) } }
                (None, _) => {
                    p { code { (stamped.id) } }
                    p { (words.not_imported) " " (words.import_how) }
                    pre { "alnager law import FILE" }
                }
            }
        });
    }
    Ok(html! {
        @for one in shown { (one) }
        @if !stamp.missing.is_empty() { p.note { (words.not_in_text) " " (stamp.missing.join(", ")) } }
    })
}

/// The text that a provision belongs to, where it was imported.
fn imported<'a>(at: &'a At, provision: &str) -> Option<&'a TextImported> {
    let mut texts = at.state().counsel.texts.iter();
    let found = texts.find(|(work, _)| {
        let rest = provision.strip_prefix(work.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    found.map(|(_, text)| text.as_ref())
}

/// A provision with all that lies below it.
fn provision(tree: &ProvisionTree, id: &str, imported: &TextImported) -> Markup {
    let words = &EN.law;
    let below = below(tree, id);
    let is_cut = below.len() > PROVISIONS_MAX;
    html! {
        @if below.is_empty() { p.note { (words.not_in_text) " " code { (id) } } }
        @else {
            div.provision lang=(tree.language) {
                @for at in below.iter().take(PROVISIONS_MAX) {
                    @let provision = &tree.provisions[*at];
                    p {
                        @if !provision.label.is_empty() { strong { (provision.label) } " " }
                        @if !provision.heading.is_empty() { em { (provision.heading) } " " }
                        (provision.text)
                    }
                }
            }
            @if is_cut { p.note { (words.text_cut) } }
        }
        p.note {
            code { (id) } " · " (tree.title) " · " (words.text_imported) " " (day(imported.on))
            @if let Some(from) = imported.valid_from { " · " (words.text_from) " " (day(from)) }
        }
    }
}

/// The positions of a provision and of everything below it, in the order of the text; empty where the text has no such provision.
fn below(tree: &ProvisionTree, id: &str) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    for (at, provision) in tree.provisions.iter().enumerate() {
        let is_below = provision
            .parent
            .is_some_and(|parent| found.binary_search(&parent).is_ok());
        if provision.id == id || is_below {
            found.push(at);
        }
    }
    found
}
