//! Reviews that were measured elsewhere: judged here, and sealed whole or not at all.

use std::sync::Arc;

use alnager_office::assess::Assessment;
use alnager_office::decide::{Command, Context, Review};
use alnager_office::state::State;
use alnager_store::{CommitError, Receipt, Submission};
use alnager_work::acting::{instant, new_ids};
use alnager_work::error::JobError;
use alnager_work::review::{N_TRIES, On, prepare};
use jiff::Timestamp;
use uuid::Uuid;

use crate::moment::Moment;
use crate::organisation::{N_IDS, Organisation};
use crate::refusal::Refusal;

/// A review that is sealed.
pub struct Sealed {
    /// What it was entered with.
    pub receipt: Receipt,
    /// What it found.
    pub assessment: Assessment,
    /// Warnings of the measurement.
    pub warnings: Vec<String>,
}

/// What one attempt rests on.
struct Standing {
    moment: Arc<Moment>,
    state: Arc<State>,
    origin: String,
    organisation: String,
    root: String,
    person: String,
    ids: Vec<Uuid>,
}

impl Organisation {
    /// Judges and enters a review on what stands. `id`: the idempotency key of the request.
    pub async fn seal(
        &self,
        draft: Review,
        person: &str,
        id: Option<Uuid>,
    ) -> Result<Sealed, Refusal> {
        let mut n_people = 0;
        draft.declaration.clone().people(&mut |_| n_people += 1);
        for _ in 0..N_TRIES {
            let now = Timestamp::now();
            let mut ids = new_ids(now, N_IDS + n_people + 1)?;
            let own = ids.pop().ok_or(Refusal::Internal)?;
            let standing = {
                let desk = self.reader().await?;
                Standing {
                    moment: self.moment(),
                    state: desk.state(),
                    origin: desk.origin().to_owned(),
                    organisation: desk.org().to_string(),
                    root: desk.checkpoint().checkpoint().root().to_base64(),
                    person: person.to_owned(),
                    ids,
                }
            };
            let expected = standing.state.size;
            let (submitted, ids) = (Arc::clone(&standing.moment.standing), standing.ids.clone());
            let today = self.today(now);
            let mut prepared = draft.clone();
            // A few milliseconds to a second: not on the threads that answer.
            let work = move || {
                let assessment = standing.judge(&mut prepared, today);
                assessment.map(|assessment| (prepared, assessment))
            };
            let done = tokio::task::spawn_blocking(work).await;
            let (prepared, assessment) = done.map_err(|_| Refusal::Internal)??;
            let warnings = prepared.warnings.clone();
            let submission = Submission {
                id: id.unwrap_or(own),
                at: instant(now),
                command: Command::Review(Box::new(prepared)),
                standing: submitted,
                actor: person.to_owned(),
                today,
                ids,
                expected: Some(expected),
            };
            match self.enter_submission(submission).await {
                Ok(receipt) => {
                    return Ok(Sealed {
                        receipt,
                        assessment,
                        warnings,
                    });
                }
                // Somebody else entered something meanwhile: judge again on what stands now.
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let words = "others keep writing to this desk; try again when it is quiet";
        Err(Refusal::Unavailable(words.to_owned()))
    }
}

impl Standing {
    fn judge(&self, draft: &mut Review, today: jiff::civil::Date) -> Result<Assessment, JobError> {
        let held = &self.moment.standing;
        let with = Context {
            book: &held.book,
            policy: &held.policy,
            stamp: held.stamp.clone(),
            texts: held.texts.clone(),
            organisation: self.organisation.clone(),
            actor: self.person.clone(),
            today,
            ids: self.ids.clone(),
        };
        let on = On {
            origin: &self.origin,
            root: self.root.clone(),
            state: &self.state,
        };
        Ok(prepare(&self.moment.library, &on, draft, &with)?)
    }
}
