//! Dossiers that were drawn: of which system, for whom and why. A drawing decides nothing; it is the last entry about its system then, and
//! refers to what the system's review rests on, so that the file needs no entry after it to be whole.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::counsel::need_reason;
use crate::decide::{Draft, Refused};
use crate::event::Event;

/// The longest recipient of a dossier, in characters.
pub const RECIPIENT_CHARACTERS_MAX: usize = 200;

/// A dossier was drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DossierDrawn {
    /// The system.
    pub system: String,
    /// For whom: an organisation or an office; without a person's name.
    pub recipient: String,
    /// Why; without anybody's name.
    pub reason: String,
    /// Who drew it.
    pub by: String,
    /// When.
    pub on: Date,
}

impl Draft<'_> {
    /// Enters that a dossier is drawn.
    pub(crate) fn draw_dossier(
        &mut self,
        system: &str,
        recipient: &str,
        reason: &str,
    ) -> Result<(), Refused> {
        self.system(system)?;
        need_reason(reason, "--reason")?;
        let recipient = recipient.trim();
        let n_characters = recipient.chars().count();
        if !(1..=RECIPIENT_CHARACTERS_MAX).contains(&n_characters) {
            return Err(Refused::Unfit {
                what: "the recipient of a dossier",
                rule: "has 1 to 200 characters; name the organisation or office it is for with --for",
            });
        }
        let drawn = DossierDrawn {
            system: system.to_owned(),
            recipient: recipient.to_owned(),
            reason: reason.trim().to_owned(),
            by: self.acting(),
            on: self.with.today,
        };
        let subjects = self.subjects(system, &[]);
        let refs = self.rests_on(system);
        self.push(Event::DossierDrawn(drawn), subjects, refs, Vec::new());
        Ok(())
    }
}
