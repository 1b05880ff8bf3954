//! What a review finds, in every form in which it is handed on.

use alnager_office::assess::Assessment;
use alnager_office::crosswalk::proposals;
use alnager_office::state::State;
use alnager_report::html::{self, Seal};
use alnager_report::json::{self, JournalHead, JsonOutputs};
use alnager_report::screen::{self, Style};
use alnager_report::{junit, view::ReviewView};
use alnager_store::Receipt;
use serde_json::Value;

use crate::error::JobError;
use crate::library::Library;
use crate::review::{first_figures, make_view};

/// The head of the journal that sealed a review.
pub fn head(receipt: &Receipt) -> JournalHead {
    JournalHead {
        origin: receipt.origin.clone(),
        size: receipt.size,
        root: receipt.root.to_base64(),
    }
}

/// What a review finds.
pub struct Found {
    /// Everything it shows, with names.
    pub view: ReviewView,
    /// The figures of the first audit, in the shape of the reference tables; null without an audit.
    pub figures: Value,
    /// How many proposals there are to use accepted evidence for further requirements.
    pub n_proposals: usize,
}

impl Found {
    /// What an assessment comes to, with the names that a state knows.
    pub fn of(
        library: &Library,
        state: &State,
        assessment: &Assessment,
        warnings: &[String],
        name: &dyn Fn(&str) -> String,
    ) -> Found {
        Found {
            view: make_view(library, state, assessment, warnings, name),
            figures: first_figures(assessment),
            n_proposals: proposals(state, &library.book, &[assessment]).len(),
        }
    }

    /// For people, on a screen; without what it left behind.
    pub fn words(&self, style: Style) -> String {
        screen::findings(&self.view, self.n_proposals, style)
    }

    /// For programs: `docs/formats/review.md`. Paths are those of files that were written.
    pub fn json(
        &self,
        report: Option<String>,
        dossier: Option<String>,
        journal: Option<JournalHead>,
    ) -> Value {
        let outputs = JsonOutputs {
            n_proposals: self.n_proposals,
            report,
            dossier,
            journal,
        };
        json::review(&self.view, &self.figures, &outputs)
    }

    /// For a CI.
    pub fn junit(&self) -> Result<String, JobError> {
        junit::review(&self.view)
            .map_err(|error| JobError::Internal(format!("the JUnit file: {error}")))
    }

    /// For a browser: the report.
    pub fn report(&self, seal: &Seal) -> String {
        html::review(&self.view, seal)
    }
}
