//! How counsel reads a requirement, and whether its words still fit the official text.

use alnager_law::pack::RequirementText;
use alnager_office::counsel::{Opinion, ReadingRecorded};
use alnager_office::decide::Command;
use alnager_work::library::sha256;
use axum::extract::RawForm;
use axum::response::Response;
use maud::{Markup, html};

use crate::access::{Action, Resource};
use crate::at::At;
use crate::form::Fields;
use crate::page::{self, day, form_fields, text_field};
use crate::pages::law::requirement;
use crate::pages::shared::{answered, encoded};
use crate::refusal::Refusal;
use crate::route::see_other;
use crate::words::EN;

/// Records a reading.
pub(super) async fn record(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let fields = Fields::read(&body);
    let entered = match reading(&at, &fields) {
        Ok(command) => at.enter(command, fields.once()).await.map(drop),
        Err(refusal) => Err(refusal),
    };
    done(&at, entered, &fields, "#reading").await
}

fn reading(at: &At, fields: &Fields) -> Result<Command, Refusal> {
    let id = at.named("requirement");
    let opinion = match fields.text("opinion") {
        "adopted" => Opinion::Adopted,
        "rejected" => Opinion::Rejected,
        _ => return Err(Refusal::Invalid(EN.law.reading_choose.to_owned())),
    };
    if fields.text("seen") != seen(at.state().counsel.readings.get(id)) {
        return Err(Refusal::Conflict(EN.law.changed.to_owned()));
    }
    Ok(Command::RecordReading {
        requirement: id.to_owned(),
        opinion,
        text: fields.text("reading").to_owned(),
    })
}

/// Which reading whoever sends a form had before them.
fn seen(reading: Option<&ReadingRecorded>) -> String {
    reading.map_or_else(String::new, |reading| {
        let is_adopted = reading.opinion == Opinion::Adopted;
        let text = format!(
            "{}\n{}\n{is_adopted}\n{}",
            reading.by, reading.on, reading.text
        );
        sha256(text.as_bytes())
    })
}

/// Confirms that a requirement still says what the official text says.
pub(super) async fn confirm(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let fields = Fields::read(&body);
    let command = Command::ConfirmWording {
        requirement: at.named("requirement").to_owned(),
        reason: fields.text("why").to_owned(),
    };
    let entered = at.enter(command, fields.once()).await.map(drop);
    done(&at, entered, &fields, "#official").await
}

async fn done(
    at: &At,
    entered: Result<(), Refusal>,
    fields: &Fields,
    anchor: &str,
) -> Result<Response, Refusal> {
    match entered {
        Ok(()) => {
            let id = encoded(at.named("requirement"));
            Ok(see_other(
                &at.link(&format!("/law/requirements/{id}{anchor}")),
            ))
        }
        Err(refusal) => {
            let at = at.again();
            let query = Fields::default();
            let page = requirement::shown(&at, &query, Some(&refusal), fields).await?;
            Ok(answered(page, Some(&refusal)))
        }
    }
}

/// The reading that was recorded last, and a form to record another.
pub(super) fn section(at: &At, text: &RequirementText, typed: &Fields) -> Markup {
    let words = &EN.law;
    let counsel = &at.state().counsel;
    let latest = counsel.readings.get(&text.id);
    let doubts = at.moment.library.book.doubts(&text.id).unwrap_or_default();
    let counts = counsel.reading(text, &doubts).is_some();
    let opinions = [
        ("adopted", words.opinion_adopted),
        ("rejected", words.opinion_rejected),
    ];
    html! {
        section aria-labelledby="reading" {
            h2 #reading { (words.readings) }
            @match latest {
                None => p.quiet { (words.reading_none) },
                Some(reading) => {
                    p {
                        strong { @match reading.opinion { Opinion::Adopted => (words.opinion_adopted), Opinion::Rejected => (words.opinion_rejected) } }
                        " · " (at.name(&reading.by)) ", " (day(reading.on))
                    }
                    p.words { (reading.text) }
                    @if counts { p.note { (words.reading_counts) } }
                    @else { p { (page::tag("undecided", "◐", words.reading_lapsed)) } }
                }
            }
            @if at.may(Action::Advise, Resource::Organisation) {
                h3 { (words.reading_new) }
                p.note { (words.reading_lead) }
                form method="post" action=(at.link(&format!("/law/requirements/{}/reading", encoded(&text.id)))) {
                    (form_fields(at))
                    input type="hidden" name="seen" value=(seen(latest));
                    fieldset {
                        legend { (words.opinion) }
                        @for (value, title) in opinions {
                            (page::boxed("radio", (&format!("opinion-{value}"), "opinion", value), title, typed.text("opinion") == value))
                        }
                    }
                    (text_field("reading", words.reading_text, typed.text("reading"), None))
                    p { button type="submit" { (words.reading_send) } }
                }
            }
        }
    }
}

/// Says that the official text changed, and lets counsel confirm the wording.
pub(super) fn wording(at: &At, text: &RequirementText, typed: &Fields) -> Markup {
    let words = &EN.law;
    let stale = at.state().counsel.stale(&at.moment.library.book, &text.id);
    let confirmed = at.state().counsel.confirmed.get(&text.id);
    html! {
        @if !stale.is_empty() {
            p { (page::tag("hold", "●", "")) " " (words.stale) }
            ul { @for one in &stale { li { code { (one.provision) } } } }
            @if at.may(Action::Advise, Resource::Organisation) {
                form method="post" action=(at.link(&format!("/law/requirements/{}/wording", encoded(&text.id)))) {
                    (form_fields(at))
                    (text_field("why", words.stale_confirm, typed.text("why"), None))
                    p { button type="submit" { (words.confirm) } }
                }
            }
        } @else if let Some(confirmed) = confirmed {
            p.note { (words.confirm) ": " (at.name(&confirmed.by)) ", " (day(confirmed.on)) ". " (confirmed.reason) }
        }
    }
}
