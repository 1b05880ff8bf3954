//! What an entry tells, in words for people.

use alnager_office::comment::About;
use alnager_office::event::Event;
use alnager_office::role::Role;

use crate::at::At;
use crate::words::EN;

/// The particulars of what happened, in one line; empty where the kind says it all.
pub(super) fn particulars(at: &At, event: &Event) -> String {
    match event {
        Event::DeskOpened(opened) => opened.organisation.clone(),
        Event::PersonNamed(named) => at.name(&named.person),
        Event::BookAdopted(adopted) => EN.count(adopted.book.files.len(), "file", "files"),
        Event::SystemDeclared(declared) => {
            let declaration = &declared.declaration;
            format!("{}: {}", declaration.id, declaration.name)
        }
        Event::FactAnswered(answered) => {
            format!("{} = {}: {}", answered.fact, answered.value, answered.basis)
        }
        Event::FactConfirmed(confirmed) => format!(
            "{} = {}: {}",
            confirmed.fact, confirmed.value, confirmed.basis
        ),
        Event::EvidenceSubmitted(submitted) => format!(
            "{}: {}, for {}",
            submitted.evidence,
            submitted.file,
            submitted.requirements.join(", ")
        ),
        Event::EvidenceOffered(offered) => {
            format!(
                "{}, for {}",
                offered.evidence,
                offered.requirements.join(", ")
            )
        }
        Event::EvidenceAccepted(accepted) => format!(
            "{} for {}: {}",
            accepted.evidence, accepted.requirement, accepted.reason
        ),
        Event::EvidenceRejected(rejected) => format!(
            "{} for {}: {}",
            rejected.evidence, rejected.requirement, rejected.reason
        ),
        Event::SystemReviewed(reviewed) => format!(
            "{}: {}, judged for {}",
            reviewed.system,
            EN.verdict(reviewed.verdict),
            EN.day(reviewed.judged_on)
        ),
        Event::FrameworkAdopted(adopted) => {
            let decided = if adopted.is_adopted {
                "adopted"
            } else {
                "dropped"
            };
            format!("{} {decided}: {}", adopted.pack, adopted.reason)
        }
        Event::ReadingRecorded(reading) => format!("{}: {}", reading.requirement, reading.text),
        Event::TextImported(imported) => format!("{} ({})", imported.work, imported.file),
        Event::WordingConfirmed(confirmed) => {
            format!("{}: {}", confirmed.requirement, confirmed.reason)
        }
        Event::TaskOpened(opened) => format!(
            "{}: {}, for {}, due {}",
            opened.task,
            opened.what,
            at.name(&opened.owner),
            EN.day(opened.due)
        ),
        Event::TaskDone(done) => format!("{}: {}", done.task, done.note),
        Event::AuditRecorded(recorded) => format!(
            "{}: {}, {}",
            recorded.audit, recorded.kind, recorded.outcome
        ),
        Event::RolesGranted(granted) => {
            let titles: Vec<&str> = granted
                .roles
                .iter()
                .map(|role| Role::title(*role))
                .collect();
            let titles = match titles.is_empty() {
                true => EN.people.no_roles.to_owned(),
                false => titles.join(", "),
            };
            format!("{}: {titles}", at.name(&granted.person))
        }
        Event::LaunchDecided(decided) => format!(
            "{}: {}, {}",
            decided.system,
            decided.decision.word(),
            decided.reason
        ),
        Event::ExceptionGranted(granted) => format!(
            "{} for {} until {}: {}",
            granted.exception,
            granted.subject,
            EN.day(granted.expires),
            granted.reason
        ),
        Event::ExceptionEnded(ended) => format!("{}: {}", ended.exception, ended.reason),
        Event::CommentMade(made) => format!("{}: {}", about(&made.about), made.text),
        Event::OpinionGiven(given) => format!(
            "{} on {}, on the first {} entries: {}: {}",
            given.opinion,
            given.system,
            EN.number(given.size),
            EN.opinion.conclusion(given.conclusion),
            given.basis
        ),
        Event::OpinionWithdrawn(withdrawn) => {
            format!("{}: {}", withdrawn.opinion, withdrawn.reason)
        }
        Event::DossierDrawn(drawn) => {
            format!(
                "{}, for {}: {}",
                drawn.system, drawn.recipient, drawn.reason
            )
        }
        Event::SegmentSealed(sealed) => format!(
            "{}, {}",
            sealed.system,
            EN.count(
                usize::try_from(sealed.n_rows).unwrap_or(usize::MAX),
                "row",
                "rows"
            )
        ),
        Event::KeyTrusted(_)
        | Event::PackInstalled(_)
        | Event::PackPinned(_)
        | Event::PackUnpinned(_)
        | Event::WatchLooked(_)
        | Event::SignalRaised(_)
        | Event::SignalSettled(_)
        | Event::ErasureRequested(_)
        | Event::ErasureExecuted(_)
        | Event::HoldPlaced(_)
        | Event::HoldReleased(_)
        | Event::KeyRotated(_)
        | Event::KeyDropped(_)
        | Event::LogForked(_) => of_the_desk(at, event),
    }
}

/// The same for what concerns the desk itself: packs, watchers, people's data, keys.
fn of_the_desk(at: &At, event: &Event) -> String {
    match event {
        Event::KeyTrusted(trusted) => {
            let decided = if trusted.is_trusted {
                "trusted"
            } else {
                "trusted no longer"
            };
            format!("{decided}: {}", trusted.key)
        }
        Event::PackInstalled(installed) => format!("{} {}", installed.id, installed.version),
        Event::PackPinned(pinned) => {
            format!("{} {}: {}", pinned.id, pinned.version, pinned.reason)
        }
        Event::PackUnpinned(unpinned) => unpinned.id.clone(),
        Event::WatchLooked(looked) => {
            let found = EN.number(looked.n_items);
            format!("{}: {found} found", looked.watcher)
        }
        Event::SignalRaised(raised) => format!("{}: {}", raised.signal, raised.item.title),
        Event::SignalSettled(settled) => format!("{}: {}", settled.signal, settled.reason),
        Event::ErasureRequested(requested) => at.name(&requested.person),
        Event::ErasureExecuted(executed) => at.name(&executed.person),
        Event::HoldPlaced(placed) => format!("{}: {}", at.name(&placed.person), placed.reason),
        Event::HoldReleased(released) => {
            format!("{}: {}", at.name(&released.person), released.reason)
        }
        Event::KeyRotated(rotated) => rotated.reason.clone(),
        Event::KeyDropped(dropped) => dropped.reason.clone(),
        Event::LogForked(forked) => format!("{}: {}", forked.origin, forked.reason),
        Event::DeskOpened(_)
        | Event::PersonNamed(_)
        | Event::BookAdopted(_)
        | Event::SystemDeclared(_)
        | Event::FactAnswered(_)
        | Event::FactConfirmed(_)
        | Event::EvidenceSubmitted(_)
        | Event::EvidenceOffered(_)
        | Event::EvidenceAccepted(_)
        | Event::EvidenceRejected(_)
        | Event::SystemReviewed(_)
        | Event::FrameworkAdopted(_)
        | Event::ReadingRecorded(_)
        | Event::TextImported(_)
        | Event::WordingConfirmed(_)
        | Event::TaskOpened(_)
        | Event::TaskDone(_)
        | Event::AuditRecorded(_)
        | Event::RolesGranted(_)
        | Event::LaunchDecided(_)
        | Event::ExceptionGranted(_)
        | Event::ExceptionEnded(_)
        | Event::CommentMade(_)
        | Event::OpinionGiven(_)
        | Event::OpinionWithdrawn(_)
        | Event::DossierDrawn(_)
        | Event::SegmentSealed(_) => String::new(),
    }
}

/// What a comment is about.
fn about(about: &About) -> String {
    match about {
        About::System(system) => system.clone(),
        About::Requirement {
            system: None,
            requirement,
        } => requirement.clone(),
        About::Requirement {
            system: Some(system),
            requirement,
        } => format!("{requirement} of {system}"),
        About::Evidence(evidence) => evidence.clone(),
        About::Task(task) => task.clone(),
    }
}
