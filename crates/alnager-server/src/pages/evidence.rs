//! Evidence: what was submitted, and what a second person made of it.

use alnager_office::comment::About;
use alnager_office::crosswalk::{EvidenceProposal, proposals};
use alnager_office::decide::{Command, EvidenceRuling};
use alnager_office::evidence::{Evidence, Standing};
use axum::extract::{RawForm, RawQuery};
use axum::response::Response;
use maud::{Markup, html};

use crate::access::Action;
use crate::at::At;
use crate::digest::{Shelf, Shelved};
use crate::form::Fields;
use crate::page::{self, Page, Room, complaint, day, field, form_fields, text_field};
use crate::pages::shared::{
    self, Paging, ROWS, answered, attachment, choices, comments, encoded, entry_link, head, holds,
    requirement_link, searched, system_link, system_name,
};
use crate::pages::views;
use crate::refusal::Refusal;
use crate::route::{Routes, see_other};
use crate::words::EN;

/// The routes of the room.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/{org}/evidence", Action::Read, list)
        .get("/{org}/evidence/{evidence}", Action::Read, show)
        .get(
            "/{org}/evidence/{evidence}/document",
            Action::Read,
            document,
        )
        .post("/{org}/evidence/{evidence}/ruling", Action::Rule, rule)
        .post("/{org}/evidence/{evidence}/offer", Action::Submit, offer)
}

/// How evidence stands over all, with its mark.
pub(super) fn shelf(stands: Shelf) -> Markup {
    let (class, mark) = match stands {
        Shelf::Awaiting => ("undecided", "◐"),
        Shelf::Accepted => ("clear", "○"),
        Shelf::Rejected => ("hold", "✕"),
        Shelf::Expired => ("hold", "●"),
        Shelf::Expiring => ("undecided", "◔"),
        Shelf::Replaced => ("quiet", "·"),
    };
    page::tag(class, mark, EN.evidence.shelf(stands))
}

/// How evidence stands for one requirement, with its mark.
pub(super) fn standing(standing: Standing) -> Markup {
    let (class, mark) = match standing {
        Standing::Accepted => ("clear", "○"),
        Standing::Submitted => ("undecided", "◐"),
        Standing::NotYetEffective => ("ahead", "▷"),
        Standing::Expired => ("hold", "●"),
        Standing::Rejected => ("hold", "✕"),
    };
    page::tag(class, mark, EN.evidence.standing(standing))
}

/// The list: first what whoever looks may decide on.
async fn list(at: At, RawQuery(query): RawQuery) -> Result<Page, Refusal> {
    let words = &EN.evidence;
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    let rows = filtered(&at, &query);
    let paging = Paging::of(&query, rows.len());
    let path = at.link("/evidence");
    let all = [("", EN.shared.all.to_owned())].into_iter();
    let views = views::section(&at, views::List::Evidence, &query).await?;
    let shelves = Shelf::ALL.map(|shelf| (shelf.word(), words.shelf(shelf).to_owned()));
    let shelves: Vec<(&str, String)> = all.chain(shelves).collect();
    let body = html! {
        h1 { (Room::Evidence.title()) }
        p.lead { (words.lead) }
        @if at.state().evidence.is_empty() { (page::empty(words.empty, Some((&at.link("/systems"), words.empty_action)))) }
        @else {
            (queue(&at))
            section aria-labelledby="all" {
                h2 #all { (words.all) }
                (choices(&path, &query, "standing", words.by_standing, &shelves))
                (shared::search(&path, &query, words.search))
                @if rows.is_empty() { p.quiet { (EN.shared.none_match) } }
                @else {
                    table.ledger.stacks {
                        (head(&[words.document, words.system, words.requirements, words.by, words.stands, words.expires]))
                        tbody { @for row in paging.rows(&rows) { (line(&at, &row.evidence)) } }
                    }
                    (paging.links(&path, &query))
                }
            }
            (views)
        }
    };
    Ok(page::page(
        &at,
        Room::Evidence,
        Room::Evidence.title(),
        body,
    ))
}

fn filtered<'a>(at: &'a At, query: &Fields) -> Vec<&'a Shelved> {
    let stands = query.text("standing");
    let sought = searched(query);
    let fits = |row: &&Shelved| {
        let Some(evidence) = at.state().evidence.get(&row.evidence) else {
            return false;
        };
        sought.is_empty() || holds(&sought_in(at, &row.evidence, evidence), &sought)
    };
    let rows = at.moment.digest.shelf.iter();
    rows.filter(|row| stands.is_empty() || row.stands.word() == stands)
        .filter(fits)
        .collect()
}

/// What a search looks at.
fn sought_in(at: &At, id: &str, evidence: &Evidence) -> String {
    let submitted = &evidence.submitted;
    let requirements: Vec<&str> = evidence.requirements().map(String::as_str).collect();
    format!(
        "{id} {} {} {} {} {}",
        submitted.file,
        submitted.kind,
        submitted.system,
        system_name(at, &submitted.system),
        requirements.join(" ")
    )
}

/// What whoever looks may decide on, the oldest first.
fn queue(at: &At) -> Markup {
    let words = &EN.evidence;
    let mine: Vec<&String> = at
        .moment
        .digest
        .queue
        .iter()
        .filter(|id| may_rule(at, id))
        .collect();
    html! {
        section aria-labelledby="queue" {
            h2 #queue { (words.queue) @if !mine.is_empty() { " (" (EN.number(mine.len() as u64)) ")" } }
            @if mine.is_empty() { p.quiet { (words.queue_none) } }
            @else {
                p.note { (words.queue_note) }
                table.ledger.stacks {
                    (head(&[words.document, words.system, words.requirements, words.by, words.stands, words.expires]))
                    tbody { @for id in mine.iter().take(ROWS) { (line(at, id)) } }
                }
                @if mine.len() > ROWS { p.note { "… " (EN.count(mine.len() - ROWS, "more", "more")) } }
            }
        }
    }
}

/// Whether whoever looks may decide on a piece of evidence: by their roles, and because somebody else submitted it.
fn may_rule(at: &At, id: &str) -> bool {
    let evidence = at.state().evidence.get(id);
    evidence.is_some_and(|evidence| {
        evidence.replaced_by.is_none()
            && evidence.may_be_decided_by(&at.who.person)
            && at.may_to(Action::Rule, &evidence.submitted.system)
    })
}

fn line(at: &At, id: &str) -> Markup {
    let words = &EN.evidence;
    let Some(evidence) = at.state().evidence.get(id) else {
        return html! {};
    };
    let submitted = &evidence.submitted;
    html! {
        tr data-of=(submitted.system) {
            th scope="row" {
                a href=(at.link(&format!("/evidence/{}", encoded(id)))) { (id) ": " (submitted.file) }
                br; span.note { (kind(at, &submitted.kind)) }
            }
            td data-label=(words.system) { (system_link(at, &submitted.system)) }
            td data-label=(words.requirements) { @for (n, requirement) in evidence.requirements().enumerate() { @if n > 0 { ", " } (requirement) } }
            td data-label=(words.by) { (at.name(&submitted.submitted_by)) }
            td data-label=(words.stands) { (shelf(Shelf::of(evidence, at.today()))) }
            td data-label=(words.expires) { @match submitted.expires { Some(expires) => (day(expires)), None => span.quiet { (words.never) } } }
        }
    }
}

/// A kind of evidence by its title.
fn kind<'a>(at: &'a At, kind: &'a str) -> &'a str {
    let items = &at.moment.library.book.evidence.items;
    items.get(kind).map_or(kind, |item| item.title.as_str())
}

/// One piece of evidence.
async fn show(at: At) -> Result<Page, Refusal> {
    evidence_page(&at, None, &Fields::default())
}

/// Enters a decision on it.
async fn rule(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let (id, _) = named(&at, Action::Rule)?;
    let fields = Fields::read(&body);
    let entered = match ruling(&id, &fields) {
        Ok(command) => at.enter(command, fields.once()).await.map(drop),
        Err(refusal) => Err(refusal),
    };
    done(&at, &id, entered, &fields)
}

fn ruling(id: &str, fields: &Fields) -> Result<Command, Refusal> {
    let requirements: Vec<String> = fields.all("for").map(str::to_owned).collect();
    if requirements.is_empty() {
        return Err(Refusal::Invalid(EN.evidence.choose.to_owned()));
    }
    let ruling = EvidenceRuling {
        evidence: id.to_owned(),
        requirements,
        reason: fields.text("reason").to_owned(),
    };
    match fields.text("ruling") {
        "accept" => Ok(Command::AcceptEvidence(ruling)),
        "reject" => Ok(Command::RejectEvidence(ruling)),
        _ => Err(Refusal::Invalid(EN.evidence.choose_ruling.to_owned())),
    }
}

/// Offers it for further requirements.
async fn offer(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let (id, _) = named(&at, Action::Submit)?;
    let fields = Fields::read(&body);
    let chosen = fields.all("offer").chain(fields.optional("other"));
    let requirements: Vec<String> = chosen.map(str::to_owned).collect();
    let entered = match requirements.is_empty() {
        true => Err(Refusal::Invalid(EN.evidence.choose.to_owned())),
        false => {
            let command = Command::OfferEvidence {
                evidence: id.clone(),
                requirements,
            };
            at.enter(command, fields.once()).await.map(drop)
        }
    };
    done(&at, &id, entered, &fields)
}

fn done(
    at: &At,
    id: &str,
    entered: Result<(), Refusal>,
    fields: &Fields,
) -> Result<Response, Refusal> {
    match entered {
        Ok(()) => Ok(see_other(&at.link(&format!("/evidence/{}", encoded(id))))),
        Err(refusal) => {
            let page = evidence_page(&at.again(), Some(&refusal), fields)?;
            Ok(answered(page, Some(&refusal)))
        }
    }
}

/// The evidence that the address names, if whoever asks has a right to it.
fn named(at: &At, action: Action) -> Result<(String, &Evidence), Refusal> {
    let id = at.named("evidence").to_owned();
    let evidence = at.state().evidence.get(&id).ok_or(Refusal::NotFound)?;
    at.need(action, &evidence.submitted.system)?;
    Ok((id, evidence))
}

/// The document itself, to take away.
async fn document(at: At) -> Result<Response, Refusal> {
    let (_, evidence) = named(&at, Action::Read)?;
    let (index, file) = (evidence.submitted_at, evidence.submitted.file.clone());
    let desk = at.organisation.reader().await?;
    let disclosed = desk.blob(index, "document").await?;
    let disclosed = disclosed.ok_or(Refusal::NotFound)?;
    Ok(attachment(
        &file,
        "application/octet-stream",
        disclosed.bytes,
    ))
}

fn evidence_page(at: &At, refusal: Option<&Refusal>, typed: &Fields) -> Result<Page, Refusal> {
    let (id, evidence) = named(at, Action::Read)?;
    let title = format!("{id}: {}", evidence.submitted.file);
    let body = html! {
        p.crumbs { a href=(at.link("/evidence")) { (Room::Evidence.title()) } " · " (system_link(at, &evidence.submitted.system)) }
        h1 { (title) }
        (complaint(refusal))
        p { (shelf(Shelf::of(evidence, at.today()))) }
        (facts(at, &id, evidence))
        (decisions(at, evidence))
        (ruling_form(at, &id, evidence, typed))
        (offer_form(at, &id, evidence, typed))
        (comments(at, &About::Evidence(id.clone())))
    };
    Ok(page::page(at, Room::Evidence, &title, body))
}

fn facts(at: &At, id: &str, evidence: &Evidence) -> Markup {
    let words = &EN.evidence;
    let submitted = &evidence.submitted;
    let other =
        |id: &String| html! { a href=(at.link(&format!("/evidence/{}", encoded(id)))) { (id) } };
    html! {
        dl.facts {
            dt { (words.kind) } dd { (kind(at, &submitted.kind)) }
            dt { (words.system) } dd { (system_link(at, &submitted.system)) @if evidence.is_shared { " · " (words.shared) } }
            dt { (words.by) } dd { (at.name(&submitted.submitted_by)) }
            dt { (words.submitted) } dd { (entry_link(at, evidence.submitted_at)) }
            dt { (words.effective) } dd { (day(submitted.effective)) }
            dt { (words.expires) } dd { @match submitted.expires { Some(expires) => { (day(expires)) " · " (page::days_left(expires, at.today())) }, None => (words.never) } }
            dt { (words.hash) } dd { code { (submitted.sha256) } " " (page::why(words.hash, html! { p { (words.hash_note) } })) }
            @if let Some(signature) = &submitted.signature { dt { (words.signed) } dd { (at.name(&signature.auditor)) " · " code { (signature.key) } } }
            @if let Some(earlier) = &submitted.replaces { dt { (words.replaces) } dd { (other(earlier)) } }
            @if let Some(newer) = &evidence.replaced_by { dt { (words.replaced_by) } dd { (other(newer)) } }
        }
        p { a.button href=(at.link(&format!("/evidence/{}/document", encoded(id)))) download { (words.take) } }
    }
}

fn decisions(at: &At, evidence: &Evidence) -> Markup {
    let words = &EN.evidence;
    html! {
        table.ledger.stacks {
            (head(&[words.requirement, words.stands, words.decision, words.reason]))
            tbody {
                @for requirement in evidence.considered() {
                    @let decision = evidence.decisions.get(requirement);
                    tr data-of=(requirement) {
                        th scope="row" {
                            (requirement_link(at, requirement))
                            @if let Some((pack, text)) = super::today::requirement(at, requirement) { br; span.note { (text.what) " " cite { (pack.cited(&text.cite)) } } }
                        }
                        td data-label=(words.stands) { (standing(evidence.standing(requirement, at.today()))) }
                        td data-label=(words.decision) { @match decision { Some(decision) => { (at.name(&decision.by)) " · " (day(decision.on)) }, None => span.quiet { (words.not_decided) } } }
                        td data-label=(words.reason) { @if let Some(decision) = decision { (decision.reason) } }
                    }
                }
            }
        }
    }
}

fn ruling_form(at: &At, id: &str, evidence: &Evidence, typed: &Fields) -> Markup {
    let words = &EN.evidence;
    // Before anything was typed what nobody has decided on is chosen.
    let is_fresh = typed.optional("ruling").is_none() && typed.all("for").next().is_none();
    let is_chosen = |requirement: &str| match is_fresh {
        true => !evidence.decisions.contains_key(requirement),
        false => typed.all("for").any(|chosen| chosen == requirement),
    };
    html! {
        section aria-labelledby="rule" {
            h2 #rule { (words.rule) }
            @if evidence.replaced_by.is_some() { p { (words.was_replaced) } }
            @else if !at.may_to(Action::Rule, &evidence.submitted.system) { p.quiet { (words.may_not) } }
            @else if !evidence.may_be_decided_by(&at.who.person) { p { (words.own) } }
            @else {
                p.note { (words.rule_lead) }
                form method="post" action=(at.link(&format!("/evidence/{}/ruling", encoded(id)))) {
                    (form_fields(at))
                    fieldset {
                        legend { (words.requirements) }
                        @for requirement in evidence.requirements() {
                            (page::boxed("checkbox", (&format!("for-{requirement}"), "for", requirement), requirement, is_chosen(requirement)))
                        }
                    }
                    (text_field("reason", EN.frame.reason, typed.text("reason"), Some(EN.gate.reason_note)))
                    p {
                        button type="submit" name="ruling" value="accept" { (words.accept) } " "
                        button.plain type="submit" name="ruling" value="reject" { (words.reject) }
                    }
                }
            }
        }
    }
}

/// The proposals of the crosswalk for one piece of evidence.
fn proposed(at: &At, id: &str, evidence: &Evidence) -> Vec<EvidenceProposal> {
    let assessment = at.moment.assessment(&evidence.submitted.system, None);
    let book = &at.moment.library.book;
    let found = assessment.map_or_else(Vec::new, |assessment| {
        proposals(at.state(), book, &[&assessment])
    });
    found
        .into_iter()
        .filter(|proposal| proposal.evidence == id)
        .collect()
}

fn offer_form(at: &At, id: &str, evidence: &Evidence, typed: &Fields) -> Markup {
    let words = &EN.evidence;
    if evidence.replaced_by.is_some() || !at.may_to(Action::Submit, &evidence.submitted.system) {
        return html! {};
    }
    let proposed = proposed(at, id, evidence);
    let is_chosen = |to: &str| typed.all("offer").any(|chosen| chosen == to);
    html! {
        section aria-labelledby="offer" {
            h2 #offer { (words.offer) }
            p.note { (words.offer_lead) }
            form method="post" action=(at.link(&format!("/evidence/{}/offer", encoded(id)))) {
                (form_fields(at))
                @if proposed.is_empty() { p.quiet { (words.offer_none) } }
                @else {
                    fieldset {
                        legend { (words.requirements) }
                        @for proposal in &proposed {
                            p {
                                (page::boxed("checkbox", (&format!("offer-{}", proposal.to), "offer", &proposal.to), &proposal.to, is_chosen(&proposal.to)))
                                (page::why(&proposal.to, html! {
                                    p { (words.controls) ": " (proposal.controls.join(", ")) " (" (proposal.from) ")" }
                                    @for difference in &proposal.differs { p { (words.differs) ": " (difference.words()) } }
                                }))
                            }
                        }
                    }
                }
                (field("other", words.offer_other, typed.text("other"), Some(words.offer_other_note)))
                p { button type="submit" { (words.offer_send) } }
            }
        }
    }
}

#[cfg(test)]
mod tests;
