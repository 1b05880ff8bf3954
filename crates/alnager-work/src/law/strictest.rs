//! The strictest of the figures that the laws of one system set.

use std::path::Path;

use alnager_law::requirement::{AsOf, Force, Requirement, requirements};
use alnager_law::strictest::{self, Ranking};

use crate::acting::{Acting, Flags};
use crate::error::JobError;
use crate::law::coverage::assessed;
use crate::law::map::facts;

/// The figures by kind, the strictest first.
pub struct Strictest {
    /// The day judged and the day of knowledge.
    pub when: AsOf,
    /// The kinds of figures.
    pub rankings: Vec<Ranking>,
}

/// Ranks the figures for a system of the desk: what law, policy and adopted frameworks set.
pub async fn of_system(flags: &Flags, system: &str) -> Result<Strictest, JobError> {
    let found = assessed(flags, Some(system)).await?;
    let assessment = found
        .systems
        .first()
        .ok_or_else(|| JobError::Internal(format!("`{system}` was not assessed")))?;
    Ok(Strictest {
        when: assessment.when,
        rankings: strictest::rank(assessment.asked(), &found.library.book.figures),
    })
}

/// Ranks the figures for a file of facts, as `alnager law map` takes it. Bills are left out, and so is what is voluntary unless a
/// fact of the file says that it is adopted.
pub fn of_facts(flags: &Flags, file: &Path, closed_world: bool) -> Result<Strictest, JobError> {
    let acting = Acting::begin(flags)?;
    let book = &acting.library.book;
    let facts = facts(book, file, closed_world)?;
    let when = acting.as_of(None, None);
    let kinds = book.vocabulary.kinds();
    let may_be_adopted = |requirement: &Requirement| {
        let pack = Some(&requirement.pack().id);
        kinds.iter().any(|kind| kind.adopts.as_ref() == pack)
    };
    let found = requirements(book, &facts, when);
    let counts = found.iter().filter(|one| match one.force {
        Force::Enforceable | Force::Limited { .. } => true,
        Force::Voluntary => may_be_adopted(one),
        Force::Bill => false,
    });
    Ok(Strictest {
        when,
        rankings: strictest::rank(counts, &book.figures),
    })
}
