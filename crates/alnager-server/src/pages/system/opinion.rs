//! Audit opinions on a system: the one that stands, on what it was given, whether the record has moved since; and an auditor's form.

use alnager_journal::merkle::Hash;
use alnager_office::decide::Command;
use alnager_office::opinion::{AuditOpinion, CHARACTERS_MAX, Conclusion, Moved, NewAuditOpinion};
use alnager_work::opinion::read_in;
use axum::extract::RawForm;
use axum::response::Response;
use maud::{Markup, html};

use crate::access::{Action, Resource};
use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Page, Room, complaint, day, field, form_fields};
use crate::pages::shared::{answered, encoded, entry_link, system_link};
use crate::refusal::Refusal;
use crate::route::see_other;
use crate::words::EN;

/// A conclusion with its mark: never by colour alone.
pub(in crate::pages) fn conclusion(of: Conclusion) -> Markup {
    let (class, mark) = match of {
        Conclusion::Unmodified => ("clear", "○"),
        Conclusion::Qualified => ("undecided", "◐"),
        Conclusion::Adverse => ("hold", "●"),
        Conclusion::Disclaimer => ("undecided", "–"),
    };
    html! { span.tag.(class) { span aria-hidden="true" { (mark) } " " (EN.opinion.conclusion(of)) } }
}

/// Whether the record has moved since an opinion, and by which entries.
pub(in crate::pages) fn moved(at: &At, moved: Moved) -> Markup {
    let words = &EN.opinion;
    html! {
        @if moved.is_any() {
            span.tag.undecided { span aria-hidden="true" { "↻" } " " (words.moved) }
            @if let Some(index) = moved.system { " " (entry_link(at, index)) " " (words.about_system) }
            @if let (Some(_), Some(_)) = (moved.system, moved.organisation) { "," }
            @if let Some(index) = moved.organisation { " " (entry_link(at, index)) " " (words.about_organisation) }
        } @else { span.tag.clear { span aria-hidden="true" { "○" } " " (words.not_moved) } }
    }
}

/// The section of a system's page.
pub(super) fn section(at: &At, id: &str) -> Markup {
    let words = &EN.opinion;
    let all = at.state().opinions_on(id);
    let stands = at.state().opinion_on(id);
    let is_standing = |one: &&AuditOpinion| stands.is_some_and(|stands| stands.at == one.at);
    let earlier: Vec<&AuditOpinion> = all.iter().rev().filter(|one| !is_standing(one)).collect();
    html! {
        section aria-labelledby="opinions" {
            h2 #opinions { (words.title) }
            @match stands {
                None => p { (words.none) },
                Some(one) => (standing(at, one)),
            }
            @if !earlier.is_empty() {
                details {
                    summary { (words.earlier) " (" (earlier.len()) ")" }
                    ol.brief { @for one in earlier { (past(at, one)) } }
                }
            }
            @if at.may_to(Action::Opine, id) { p { a.button href=(at.link(&format!("/systems/{}/opinion", encoded(id)))) { (words.to_form) } } }
        }
    }
}

fn standing(at: &At, one: &AuditOpinion) -> Markup {
    let words = &EN.opinion;
    let given = &one.given;
    let proves = at.may(Action::Prove, Resource::Organisation);
    html! {
        p.lead { (conclusion(given.conclusion)) " · " (page::sentence(words.means(given.conclusion))) }
        p.words { (given.basis) }
        dl.facts {
            dt { (words.given_by) } dd { (at.name(&given.by)) ", " (day(given.on)) ", " (entry_link(at, one.at)) }
            dt { (words.given_on) } dd { (words.first) " " (EN.count(usize::try_from(given.size).unwrap_or(usize::MAX), "entry", "entries")) }
            dt { (words.root) } dd { code { (given.root) } }
        }
        p { (moved(at, at.state().moved_since(&given.system, given.size))) }
        p.note {
            @match &given.signature {
                Some(signature) => { (words.own_key) ": " code { (signature.key) } },
                None => (words.no_own_key),
            }
        }
        @if proves {
            p {
                a href=(at.link(&format!("/journal/{}/proof", one.at))) { (words.proof) } " · "
                a href=(at.link(&format!("/journal/checkpoint?size={}", given.size))) { (words.checkpoint) }
            }
        }
        @if given.by == at.who.person && at.may_to(Action::Opine, &given.system) { (withdraw_form(at, one, "")) }
    }
}

fn past(at: &At, one: &AuditOpinion) -> Markup {
    let words = &EN.opinion;
    let given = &one.given;
    html! {
        li {
            p { (conclusion(given.conclusion)) " · " @match &one.withdrawn {
                Some(withdrawn) => { (words.withdrawn) ", " (day(withdrawn.on)) ": " (withdrawn.reason) },
                None => (words.replaced),
            } }
            p.words { (given.basis) }
            p.note { (at.name(&given.by)) " · " (day(given.on)) " · " (entry_link(at, one.at)) }
        }
    }
}

fn withdraw_form(at: &At, one: &AuditOpinion, reason: &str) -> Markup {
    let words = &EN.opinion;
    let id = &one.given.opinion;
    html! {
        details open[!reason.is_empty()] {
            summary { (words.withdraw) span.unseen { " " (id) } }
            form method="post" action=(at.link(&format!("/opinions/{}/withdraw", encoded(id)))) {
                (form_fields(at))
                div.field {
                    label for="withdraw-reason" { (EN.frame.reason) }
                    input type="text" id="withdraw-reason" name="reason" value=(reason) required;
                }
                p { button.plain type="submit" { (words.withdraw) span.unseen { " " (id) } } }
            }
        }
    }
}

/// The auditor's form.
pub(in crate::pages) async fn form(at: At) -> Result<Page, Refusal> {
    form_page(&at, None, &Fields::default()).await
}

/// Gives an opinion.
pub(in crate::pages) async fn give(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let fields = Fields::read(&body);
    match given(&at, &fields).await {
        Ok(()) => Ok(see_other(&at.link(&format!(
            "/systems/{}#opinions",
            encoded(at.named("system"))
        )))),
        Err(refusal) => {
            let page = form_page(&at.again(), Some(&refusal), &fields).await?;
            Ok(answered(page, Some(&refusal)))
        }
    }
}

async fn given(at: &At, fields: &Fields) -> Result<(), Refusal> {
    let words = &EN.opinion;
    let id = at.named("system");
    let conclusion = Conclusion::of(fields.text("conclusion"));
    let conclusion =
        conclusion.ok_or_else(|| Refusal::Invalid(words.conclusion_missing.to_owned()))?;
    let size: u64 = fields
        .text("size")
        .parse()
        .map_err(|_| Refusal::Invalid(words.size_wrong.to_owned()))?;
    let root = fields.optional("root").map(|text| {
        Hash::from_base64(text).ok_or_else(|| Refusal::Invalid(words.root_wrong.to_owned()))
    });
    let root = root.transpose()?;
    let seen: Option<u64> = fields.text("seen").parse().ok();
    // Whoever leaves the number as the form had it reads the record as it is now; whoever writes another one knows what they read.
    if seen == Some(size) && at.state().moved_since(id, size).is_any() {
        return Err(Refusal::Conflict(words.moved_meanwhile.to_owned()));
    }
    let read = {
        let desk = at.organisation.reader().await?;
        read_in(&desk, id, Some(size), root).await?
    };
    let new = NewAuditOpinion {
        system: id.to_owned(),
        conclusion,
        basis: fields.text("basis").to_owned(),
        size: read.size,
        root: read.root,
        note: None,
    };
    let command = Command::GiveOpinion(Box::new(new));
    at.enter(command, fields.once()).await.map(drop)
}

/// The form; `typed` is what a refused one held. After a conflict it names the record as it is now.
async fn form_page(at: &At, refusal: Option<&Refusal>, typed: &Fields) -> Result<Page, Refusal> {
    let words = &EN.opinion;
    let id = at.named("system");
    let now = {
        let desk = at.organisation.reader().await?;
        read_in(&desk, id, None, None).await?
    };
    let is_stale = matches!(refusal, Some(Refusal::Conflict(_)));
    let is_kept = refusal.is_some() && !is_stale;
    let (size, seen, root) = match is_kept {
        true => (
            typed.text("size").to_owned(),
            typed.text("seen").to_owned(),
            typed.text("root").to_owned(),
        ),
        false => (
            now.size.to_string(),
            now.size.to_string(),
            now.root.to_base64(),
        ),
    };
    let read_before: Option<u64> = typed.text("seen").parse().ok();
    let since = read_before.filter(|_| is_stale);
    let chosen = typed.text("conclusion");
    let title = format!(
        "{}: {}",
        words.to_form,
        crate::pages::shared::system_name(at, id)
    );
    let body = html! {
        p.crumbs { a href=(at.link("/systems")) { (Room::Systems.title()) } " · " (system_link(at, id)) }
        h1 { (title) }
        p.lead { (words.form_lead) }
        (complaint(refusal))
        @if let Some(since) = since { p { (moved(at, at.state().moved_since(id, since))) } }
        form method="post" action=(at.link(&format!("/systems/{}/opinion", encoded(id)))) {
            (form_fields(at))
            input type="hidden" name="seen" value=(seen);
            fieldset {
                legend { (words.conclusion) }
                @for one in Conclusion::ALL {
                    @let id = format!("conclusion-{}", one.word());
                    p {
                        span.box {
                            input type="radio" id=(id) name="conclusion" value=(one.word()) checked[chosen == one.word()] required aria-describedby={ (id) "-means" };
                            label for=(id) { (words.conclusion(one)) }
                        }
                        " " span.note id={ (id) "-means" } { (page::sentence(words.means(one))) }
                    }
                }
            }
            div.field {
                label for="basis" { (words.basis) }
                textarea id="basis" name="basis" rows="8" required maxlength=(CHARACTERS_MAX) aria-describedby="basis-note" { (typed.text("basis")) }
                p.note #basis-note { (words.basis_note) }
            }
            (field("size", words.size, &size, Some(words.size_note)))
            (field("root", words.root, &root, Some(words.root_note)))
            p { button type="submit" { (words.give) } }
            p.note { (words.key_note) }
        }
    };
    Ok(page::page(at, Room::Systems, &title, body))
}

/// Withdraws an opinion. What is wrong is said on a page of its own, with what was typed.
pub(in crate::pages) async fn withdraw(
    at: At,
    RawForm(body): RawForm,
) -> Result<Response, Refusal> {
    let fields = Fields::read(&body);
    let id = at.named("opinion").to_owned();
    let known = at.state().opinion(&id).ok_or(Refusal::NotFound)?;
    let system = known.given.system.clone();
    let back = at.link(&format!("/systems/{}#opinions", encoded(&system)));
    let command = Command::WithdrawOpinion {
        opinion: id.clone(),
        reason: fields.text("reason").to_owned(),
    };
    match at.enter(command, fields.once()).await {
        Ok(_) => Ok(see_other(&back)),
        Err(refusal) => {
            let at = at.again();
            let known = at.state().opinion(&id).ok_or(Refusal::NotFound)?;
            let title = format!("{} {id}", EN.opinion.withdraw);
            let body = html! {
                h1 { (title) }
                (complaint(Some(&refusal)))
                @if known.withdrawn.is_none() && known.given.by == at.who.person { (withdraw_form(&at, known, fields.text("reason"))) }
                p { a href=(back) { (EN.frame.cancel) } }
            };
            Ok(answered(
                page::page(&at, Room::Systems, &title, body),
                Some(&refusal),
            ))
        }
    }
}

#[cfg(test)]
mod tests;
