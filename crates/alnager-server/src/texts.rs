//! Official texts that were imported, kept opened: reading one from the journal takes far longer than a page may.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use alnager_law::text::ProvisionTree;
use alnager_office::counsel::TextImported;
use alnager_office::event::Event;
use alnager_work::law::text::from_json;

use crate::organisation::Organisation;
use crate::refusal::Refusal;

/// Most texts kept opened for an organisation: a newer one drives out the oldest.
const HELD_MAX: usize = 8;

/// Entries looked through at once; the reader is free between them.
const READ: u64 = 500;

/// The texts of one organisation by the hash of their trees; `None` where the journal no longer has one.
#[derive(Default)]
pub struct Texts(Mutex<VecDeque<Held>>);

type Held = (String, Option<Arc<ProvisionTree>>);

/// The text that was imported; `None` where it is not in the journal any more.
pub async fn opened(
    organisation: &Organisation,
    imported: &TextImported,
) -> Result<Option<Arc<ProvisionTree>>, Refusal> {
    if let Some(known) = organisation.texts.get(&imported.sha256) {
        return Ok(known);
    }
    let found = looked_for(organisation, imported).await?.map(Arc::new);
    organisation.texts.hold(&imported.sha256, found.clone());
    Ok(found)
}

/// Looks for the entry that imported a text, from the latest entry back.
async fn looked_for(
    organisation: &Organisation,
    imported: &TextImported,
) -> Result<Option<ProvisionTree>, Refusal> {
    let mut end = organisation.moment().state.size;
    while end > 0 {
        let start = end.saturating_sub(READ);
        let desk = organisation.reader().await?;
        for (index, entry) in desk.entries(start, end).await?.iter().rev() {
            if entry.kind != "text.imported" {
                continue;
            }
            let payload = desk.payload(*index).await?;
            let event = payload.map(|payload| Event::from_payload(&entry.kind, &payload.bytes));
            let is_it = match event {
                Some(Ok(Event::TextImported(found))) => found.sha256 == imported.sha256,
                Some(Ok(_) | Err(_)) | None => false,
            };
            if is_it {
                let tree = desk.blob(*index, "provisions.json").await?;
                let tree = tree.map(|tree| from_json(Path::new(&imported.file), &tree.bytes));
                return Ok(tree.transpose()?);
            }
        }
        end = start;
    }
    Ok(None)
}

impl Texts {
    fn get(&self, sha256: &str) -> Option<Option<Arc<ProvisionTree>>> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = held.iter();
        let found = known.find(|(known, _)| known == sha256)?;
        Some(found.1.clone())
    }

    fn hold(&self, sha256: &str, tree: Option<Arc<ProvisionTree>>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|(known, _)| known != sha256);
        while held.len() >= HELD_MAX {
            held.pop_front();
        }
        held.push_back((sha256.to_owned(), tree));
    }
}
