//! What leaves the room: the hold notice, one page that can be sent, and the status badge.

use std::fmt::Write as _;

use alnager_office::event::Event;
use alnager_office::gate::Verdict;
use axum::extract::RawQuery;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use maud::{DOCTYPE, Markup, html};
use uuid::Uuid;

use super::word;
use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Room, day};
use crate::pages::shared::{self, attachment, encoded, system_name};
use crate::refusal::{Refusal, for_browsers};
use crate::words::EN;

/// Most entries about the system that are looked through for the day the hold began.
const LOOK_BACK: usize = 500;

/// What the notice says, finished.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Notice {
    organisation: String,
    system: String,
    purpose: String,
    verdict: &'static str,
    decision: &'static str,
    judged_for: Date,
    since: String,
    made: Date,
    reasons: Vec<Reason>,
}

/// One thing in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reason {
    id: String,
    what: String,
    citation: String,
    owner: String,
    next: String,
}

/// The notice: a page, or with `?format=text` and `?format=html` a file that can be sent.
pub(super) async fn notice(at: At, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    let notice = made(&at).await?;
    let id = at.named("system");
    let name = format!("hold-notice-{id}-{}", notice.made);
    Ok(match query.text("format") {
        "text" => {
            let media = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            (media, text(&notice)).into_response()
        }
        "html" => {
            let document = document(&notice).into_string().into_bytes();
            attachment(
                &format!("{name}.html"),
                "text/html; charset=utf-8",
                document,
            )
        }
        _ => {
            let words = &EN.gate;
            let path = at.link(&format!("/gate/{}", encoded(id)));
            let body = html! {
                p.crumbs { a href=(at.link("/gate")) { (Room::Gate.title()) } " · " a href=(path) { (system_name(&at, id)) } }
                (body(&notice))
                p.crumbs { a href={ (path) "/notice?format=html" } { (words.notice_html) } " · " a href={ (path) "/notice?format=text" } { (words.notice_text) } }
            };
            page::page(&at, Room::Gate, words.notice, body).into_response()
        }
    })
}

async fn made(at: &At) -> Result<Notice, Refusal> {
    let id = at.named("system");
    let state = at.state();
    let system = state.systems.get(id).ok_or(Refusal::NotFound)?;
    let derived = at.moment.standing(id);
    let derived = derived.ok_or_else(|| Refusal::Unavailable(EN.gate.working.to_owned()))?;
    let organisation = state.organisation.as_ref();
    let reasons = derived.blockers.iter().map(|blocker| Reason {
        id: blocker.id.to_string(),
        what: blocker.what.to_string(),
        citation: blocker.citation.to_string(),
        owner: at.name(&blocker.owner),
        next: for_browsers(&blocker.next),
    });
    Ok(Notice {
        organisation: organisation.map_or(String::new(), |known| known.name.clone()),
        system: system.declaration.name.clone(),
        purpose: system.declaration.purpose.clone(),
        verdict: EN.verdict(derived.verdict),
        decision: EN
            .gate
            .standing(&word(&state.launch_standing(id, at.today()))),
        judged_for: derived.key.when.valid,
        since: since(at, &system.subject).await?,
        made: at.today(),
        reasons: reasons.collect(),
    })
}

/// Since when the system is held: the first of its latest reviews in a row that were not clear.
async fn since(at: &At, subject: &str) -> Result<String, Refusal> {
    let words = &EN.gate;
    let subject: Uuid = subject.parse().map_err(|_| Refusal::Internal)?;
    let desk = at.organisation.reader().await?;
    let mut next = at.state().heads.get(&subject.to_string()).copied();
    let (mut first_held, mut is_reviewed) = (None, false);
    for _ in 0..LOOK_BACK {
        let Some(index) = next else { break };
        let Some(entry) = desk.entry(index).await? else {
            break;
        };
        next = entry.about(subject).and_then(|about| about.prev);
        if entry.kind != "system.reviewed" {
            continue;
        }
        is_reviewed = true;
        let payload = desk.payload(index).await?;
        let event =
            payload.and_then(|payload| Event::from_payload(&entry.kind, &payload.bytes).ok());
        match event {
            Some(Event::SystemReviewed(reviewed)) if reviewed.verdict != Verdict::Clear => {
                first_held = Some((entry.at.clone(), index));
            }
            _ => break,
        }
    }
    Ok(match (first_held, is_reviewed) {
        (Some((instant, index)), _) => {
            let on = instant.get(..10).and_then(|day| day.parse().ok());
            let on = on.map_or(instant.clone(), |on| EN.day(on));
            format!("{on} ({} {index})", EN.shared.entry)
        }
        (None, true) => words.notice_since_review.to_owned(),
        (None, false) => words.notice_since_declared.to_owned(),
    })
}

fn body(notice: &Notice) -> Markup {
    let words = &EN.gate;
    html! {
        h1 { (words.notice) ": " (notice.system) }
        p { (notice.purpose) }
        dl.facts {
            dt { (words.verdict) } dd { strong { (notice.verdict) } " · " (words.judged) " " (day(notice.judged_for)) }
            dt { (words.standing) } dd { (notice.decision) }
            @if !notice.reasons.is_empty() { dt { (words.notice_since) } dd { (notice.since) } }
            dt { (words.notice_made) } dd { (day(notice.made)) " · " (notice.organisation) }
        }
        @if notice.reasons.is_empty() { p { (words.notice_clear) } }
        @else {
            table.ledger.stacks {
                (shared::head(&[words.notice_why, words.notice_clears, words.notice_must]))
                tbody {
                    @for reason in &notice.reasons {
                        tr {
                            th scope="row" { (reason.id) ": " (reason.what) br; cite { (reason.citation) } }
                            td data-label=(words.notice_clears) { (reason.next) }
                            td data-label=(words.notice_must) { (reason.owner) }
                        }
                    }
                }
            }
        }
    }
}

/// The notice by itself: no style, no script, nothing to fetch.
fn document(notice: &Notice) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(EN.language) {
            head { meta charset="utf-8"; title { (EN.gate.notice) ": " (notice.system) } }
            body { (body(notice)) }
        }
    }
}

/// The notice as text, for a mail.
fn text(notice: &Notice) -> String {
    let words = &EN.gate;
    let mut out = format!(
        "{}: {}\n{}\n\n{}: {} ({} {})\n{}: {}\n",
        words.notice,
        notice.system,
        notice.purpose,
        words.verdict,
        notice.verdict,
        words.judged,
        EN.day(notice.judged_for),
        words.standing,
        notice.decision
    );
    if notice.reasons.is_empty() {
        out.push_str(words.notice_clear);
        out.push('\n');
    } else {
        let _ = writeln!(out, "{}: {}", words.notice_since, notice.since);
    }
    for reason in &notice.reasons {
        let _ = write!(
            out,
            "\n{}: {}\n  {}\n  {}: {}\n  {}: {}\n",
            reason.id,
            reason.what,
            reason.citation,
            words.notice_clears,
            reason.next,
            words.notice_must,
            reason.owner
        );
    }
    let _ = writeln!(
        out,
        "\n{} {}, {}",
        words.notice_made,
        EN.day(notice.made),
        notice.organisation
    );
    out
}

/// The status badge of a system.
pub(super) async fn badge(at: At) -> Response {
    let id = at.named("system");
    let launch = at.state().launch_standing(id, at.today());
    let derived = at.moment.standing(id);
    let verdict = derived.map_or(Verdict::Undecided, |derived| derived.verdict);
    let shown = match launch.may_be_live() && verdict == Verdict::Clear {
        true => EN.gate.standing(&word(&launch)),
        false => EN.verdict(verdict),
    };
    let media = [(header::CONTENT_TYPE, "image/svg+xml")];
    (
        media,
        drawn(EN.gate.badge_label, shown, verdict).into_string(),
    )
        .into_response()
}

/// A badge: two fields beside each other, the right one with a mark, so that nothing depends on colour.
fn drawn(label: &str, value: &str, verdict: Verdict) -> Markup {
    let (fill, mark) = match verdict {
        Verdict::Clear => ("#1f5f3a", "○"),
        Verdict::Hold => ("#9b1c1c", "●"),
        Verdict::Undecided => ("#80560a", "◐"),
    };
    let value = format!("{mark} {value}");
    // Letters of 11 px are about 6.6 px wide; a badge that is somewhat too wide does no harm.
    let width = |text: &str| text.chars().count() * 7 + 12;
    let (left, right) = (width(label), width(&value));
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(left + right) height="20" role="img" aria-label={ (label) ": " (value) } {
            title { (label) ": " (value) }
            rect width=(left) height="20" fill="#3d382f" {}
            rect x=(left) width=(right) height="20" fill=(fill) {}
            g fill="#ffffff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle" {
                text x=(left / 2) y="14" { (label) }
                text x=(left + right / 2) y="14" { (value) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(reasons: Vec<Reason>, want: Expect) {
        let notice = Notice {
            organisation: "Example".to_owned(),
            system: "CV <b>screening".to_owned(),
            purpose: "Sorts applications.".to_owned(),
            verdict: "hold",
            decision: "not decided",
            judged_for: jiff::civil::date(2026, 12, 1),
            since: "3 Nov 2026 (entry 12)".to_owned(),
            made: jiff::civil::date(2026, 12, 1),
            reasons,
        };
        want.assert_eq(&text(&notice));
        // What somebody typed adds no element to the page.
        assert!(!body(&notice).into_string().contains("<b>"));
    }

    #[test]
    fn a_notice_says_why_since_when_what_would_clear_it_and_who_must_act() {
        check(
            vec![Reason {
                id: "EUAIA-9".to_owned(),
                what: "a risk management system".to_owned(),
                citation: "AI Act, Art 9".to_owned(),
                owner: "Mira".to_owned(),
                next: "submit the risk file".to_owned(),
            }],
            expect![[r#"
                Hold notice: CV <b>screening
                Sorts applications.

                Verdict: hold (Judged for 1 Dec 2026)
                Decision: not decided
                Since when: 3 Nov 2026 (entry 12)

                EUAIA-9: a risk management system
                  AI Act, Art 9
                  What would clear it: submit the risk file
                  Who must act: Mira

                As of 1 Dec 2026, Example
            "#]],
        );
    }

    #[test]
    fn a_notice_of_a_clear_system_says_so() {
        check(
            Vec::new(),
            expect![[r#"
            Hold notice: CV <b>screening
            Sorts applications.

            Verdict: hold (Judged for 1 Dec 2026)
            Decision: not decided
            This system is not held: nothing stands in the way.

            As of 1 Dec 2026, Example
        "#]],
        );
    }

    #[test]
    fn a_badge_names_its_verdict_in_words() {
        let badge = drawn("gate", "hold", Verdict::Hold).into_string();
        assert!(badge.starts_with("<svg xmlns="));
        assert!(badge.contains("aria-label=\"gate: ● hold\""));
    }
}
