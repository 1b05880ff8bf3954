//! Tasks: what somebody must do by a day.

use std::cmp::Reverse;

use alnager_office::comment::About;
use alnager_office::decide::Command;
use alnager_office::task::{NewTask, Task, Why};
use axum::extract::{RawForm, RawQuery};
use axum::response::Response;
use maud::{Markup, html};

use crate::access::{Action, Resource};
use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Page, Room, complaint, day, days_left, field, form_fields, text_field};
use crate::pages::shared::{
    self, Paging, answered, choices, comments, day_field, day_of, encoded, entry_link, head, holds,
    requirement_link, searched, system_link, system_name,
};
use crate::refusal::Refusal;
use crate::route::{Routes, see_other};
use crate::words::EN;

/// The routes of the room.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/{org}/tasks", Action::Read, list)
        .post("/{org}/tasks", Action::Task, open)
        .get("/{org}/tasks/{task}", Action::Read, show)
        .post("/{org}/tasks/{task}/done", Action::Task, finish)
}

/// The list: one's own first, the soonest due first.
async fn list(at: At, RawQuery(query): RawQuery) -> Page {
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    list_page(&at, None, &query, &query)
}

/// Opens a task.
async fn open(at: At, RawForm(body): RawForm) -> Response {
    let fields = Fields::read(&body);
    match opened(&at, &fields).await {
        Ok(()) => see_other(&at.link("/tasks")),
        Err(refusal) => {
            let page = list_page(&at.again(), Some(&refusal), &Fields::default(), &fields);
            answered(page, Some(&refusal))
        }
    }
}

async fn opened(at: &At, fields: &Fields) -> Result<(), Refusal> {
    let due = day_of(fields, "due", EN.tasks.due)?;
    let due = due.ok_or_else(|| Refusal::Invalid(EN.tasks.due_missing.to_owned()))?;
    let new = NewTask {
        what: fields.text("what").to_owned(),
        why: Why::Reason(fields.text("why").to_owned()),
        system: fields.optional("system").map(str::to_owned),
        requirement: fields.optional("requirement").map(str::to_owned),
        owner: fields.text("owner").to_owned(),
        due,
    };
    let known = new.system.as_ref();
    if let Some(system) = known.filter(|id| !at.state().systems.contains_key(*id)) {
        let words = format!("the desk has no system `{system}`; write the id of one");
        return Err(Refusal::Invalid(words));
    }
    let command = Command::OpenTasks(vec![new]);
    at.enter(command, fields.once()).await.map(drop)
}

fn list_page(at: &At, refusal: Option<&Refusal>, query: &Fields, typed: &Fields) -> Page {
    let words = &EN.tasks;
    let path = at.link("/tasks");
    let is_done = query.text("show") == "done";
    let shown = match is_done {
        true => done(at),
        false => open_ones(at),
    };
    let sought = searched(query);
    let shown: Vec<(&String, &Task)> = shown
        .into_iter()
        .filter(|(id, task)| sought.is_empty() || holds(&sought_in(at, id, task), &sought))
        .collect();
    let paging = Paging::of(query, shown.len());
    let which = [
        ("", words.open_ones.to_owned()),
        ("done", words.done.to_owned()),
    ];
    let is_mine = |task: &Task| task.opened.owner == at.who.person;
    let (mine, others): (Vec<_>, Vec<_>) = paging
        .rows(&shown)
        .iter()
        .partition(|(_, task)| !is_done && is_mine(task));
    let body = html! {
        h1 { (words.title) }
        p.lead { (words.lead) }
        (complaint(refusal))
        @if at.state().tasks.is_empty() { (page::empty(words.empty, None)) }
        @else {
            (choices(&path, query, "show", words.choose, &which))
            (shared::search(&path, query, words.search))
            @if is_done { (table(at, &others)) }
            @else {
                h2 { (words.mine) }
                @if mine.is_empty() { p.quiet { (words.mine_none) } } @else { (table(at, &mine)) }
                @if !others.is_empty() { h2 { (words.others) } (table(at, &others)) }
            }
            (paging.links(&path, query))
        }
        @if at.may(Action::Task, Resource::Organisation) { (open_form(at, typed)) }
    };
    page::page(at, Room::Today, words.title, body)
}

/// The open ones: one's own first, then the others, each the soonest due first.
fn open_ones(at: &At) -> Vec<(&String, &Task)> {
    let tasks = at.moment.digest.tasks.iter();
    let mut tasks: Vec<(&String, &Task)> = tasks
        .filter_map(|id| Some((id, at.state().tasks.get(id)?)))
        .collect();
    tasks.sort_by_key(|(_, task)| (task.opened.owner != at.who.person, task.opened.due));
    tasks
}

/// Those that are done, the latest first.
fn done(at: &At) -> Vec<(&String, &Task)> {
    let tasks = at.state().tasks.iter();
    let mut tasks: Vec<(&String, &Task)> = tasks.filter(|(_, task)| task.done.is_some()).collect();
    tasks
        .sort_by_key(|(_, task)| Reverse((task.done.as_ref().map(|done| done.on), task.opened_at)));
    tasks
}

/// What a search looks at.
fn sought_in(at: &At, id: &str, task: &Task) -> String {
    let opened = &task.opened;
    let system = opened.system.as_deref().unwrap_or_default();
    format!(
        "{id} {} {} {system} {}",
        opened.what,
        at.name(&opened.owner),
        system_name(at, system)
    )
}

fn table(at: &At, tasks: &[&(&String, &Task)]) -> Markup {
    let words = &EN.tasks;
    html! {
        table.ledger.stacks {
            (head(&[words.what, words.owner, words.system, words.due]))
            tbody {
                @for (id, task) in tasks {
                    tr data-of=[task.opened.system.as_deref()] {
                        th scope="row" { a href=(at.link(&format!("/tasks/{}", encoded(id)))) { (task.opened.what) } }
                        td data-label=(words.owner) { (at.name(&task.opened.owner)) }
                        td data-label=(words.system) { (of(at, task)) }
                        td data-label=(words.due) { (due(at, task)) }
                    }
                }
            }
        }
    }
}

fn of(at: &At, task: &Task) -> Markup {
    html! {
        @match &task.opened.system {
            Some(system) => (system_link(at, system)),
            None => span.quiet { (EN.tasks.organisation) },
        }
        @if let Some(requirement) = &task.opened.requirement { " · " (requirement_link(at, requirement)) }
    }
}

fn due(at: &At, task: &Task) -> Markup {
    let words = &EN.tasks;
    html! {
        (day(task.opened.due)) " · "
        @match &task.done {
            Some(done) => (page::tag("clear", "○", html! { (words.finished) " " (day(done.on)) })),
            None if task.is_overdue(at.today()) => (page::tag("hold", "●", words.overdue)),
            None => (days_left(task.opened.due, at.today())),
        }
    }
}

fn open_form(at: &At, typed: &Fields) -> Markup {
    let words = &EN.tasks;
    let own = at.name(&at.who.person);
    let owner = typed.optional("owner").unwrap_or(&own);
    html! {
        section aria-labelledby="open" {
            h2 #open { (words.open) }
            form method="post" action=(at.link("/tasks")) {
                (form_fields(at))
                (field("what", words.what, typed.text("what"), None))
                (field("why", words.why, typed.text("why"), None))
                (field("owner", words.owner, owner, Some(words.owner_note)))
                (day_field("due", words.due, typed.text("due"), None))
                (field("system", words.system, typed.text("system"), Some(words.system_note)))
                (field("requirement", words.requirement, typed.text("requirement"), Some(words.requirement_note)))
                p { button type="submit" { (words.open_send) } }
            }
        }
    }
}

/// One task.
async fn show(at: At) -> Result<Page, Refusal> {
    task_page(&at, None, &Fields::default())
}

/// Says that a task is done.
async fn finish(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let id = named(&at, Action::Task)?.0.to_owned();
    let fields = Fields::read(&body);
    let command = Command::FinishTask {
        task: id.clone(),
        note: fields.text("note").to_owned(),
    };
    match at.enter(command, fields.once()).await {
        Ok(_) => Ok(see_other(&at.link(&format!("/tasks/{}", encoded(&id))))),
        Err(refusal) => {
            let page = task_page(&at.again(), Some(&refusal), &fields)?;
            Ok(answered(page, Some(&refusal)))
        }
    }
}

/// The task that the address names, if whoever asks has a right to it.
fn named(at: &At, action: Action) -> Result<(&str, &Task), Refusal> {
    let id = at.named("task");
    let task = at.state().tasks.get(id).ok_or(Refusal::NotFound)?;
    if let Some(system) = &task.opened.system {
        at.need(action, system)?;
    }
    Ok((id, task))
}

fn task_page(at: &At, refusal: Option<&Refusal>, typed: &Fields) -> Result<Page, Refusal> {
    let words = &EN.tasks;
    let (id, task) = named(at, Action::Read)?;
    let opened = &task.opened;
    let may_finish = match &opened.system {
        Some(system) => at.may_to(Action::Task, system),
        None => at.may(Action::Task, Resource::Organisation),
    };
    let body = html! {
        p.crumbs { a href=(at.link("/tasks")) { (words.title) } " · " (of(at, task)) }
        h1 { (opened.what) }
        (complaint(refusal))
        dl.facts {
            dt { (words.due) } dd { (due(at, task)) }
            dt { (words.owner) } dd { (at.name(&opened.owner)) }
            dt { (words.why) } dd { (why(at, &opened.why)) }
            dt { (words.opened) } dd { (day(opened.on)) " · " (at.name(&opened.opened_by)) " · " (entry_link(at, task.opened_at)) }
            @if let Some(done) = &task.done {
                dt { (words.finished) } dd { (day(done.on)) " · " (at.name(&done.by)) }
                dt { (words.note) } dd.words { (done.note) }
            }
        }
        @if task.done.is_none() && may_finish {
            form method="post" action=(at.link(&format!("/tasks/{}/done", encoded(id)))) {
                (form_fields(at))
                (text_field("note", words.note, typed.text("note"), Some(words.note_note)))
                p { button type="submit" { (words.finish) } }
            }
        }
        (comments(at, &About::Task(id.to_owned())))
    };
    Ok(page::page(at, Room::Today, &opened.what, body))
}

fn why(at: &At, why: &Why) -> Markup {
    html! {
        @match why {
            Why::Reason(words) => (words),
            Why::Impact(words) => { (EN.tasks.from_impact) ": " (words) },
            Why::Signal(signal) => {
                (EN.tasks.from_signal) " " (signal)
                @if let Some(signal) = at.state().signals.get(signal) { ": " (signal.raised.item.title) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use alnager_office::role::Role;

    use crate::tests::Street;

    #[tokio::test]
    async fn a_task_is_opened_found_and_finished_with_a_note() {
        let street = Street::open(&["one"]).await;
        let officer = street.with_role("one", Role::Officer).await;
        let page = officer.get("/tasks").await.is(200).text();
        assert!(page.contains("/one/tasks/T1\"") && page.contains("/one/tasks/T2\""));
        let typed = [
            ("what", "Ask the <vendor>"),
            ("why", "meeting"),
            ("owner", "New Person"),
        ];
        let missing = officer.post("/tasks", &typed).await.is(422).text();
        assert!(missing.contains("Ask the &lt;vendor&gt;") && missing.contains("New Person"));
        let at = |due: &str, system: &str| {
            let more = [("due", due.to_owned()), ("system", system.to_owned())];
            let typed = typed.map(|(name, value)| (name, value.to_owned()));
            typed.into_iter().chain(more).collect::<Vec<_>>()
        };
        for (due, system, status) in [
            ("2020-01-01", "", 422),
            ("yesterday", "", 422),
            ("2999-01-01", "nothing", 422),
            ("2999-01-01", "credit", 303),
        ] {
            let fields = at(due, system);
            let fields: Vec<(&str, &str)> = fields
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            officer.post("/tasks", &fields).await.is(status);
        }
        officer
            .post("/tasks/T3/done", &[("note", "")])
            .await
            .is(422);
        officer
            .post("/tasks/T3/done", &[("note", "asked")])
            .await
            .is(303);
        let page = officer
            .get("/tasks?show=done&q=VENDOR")
            .await
            .is(200)
            .text();
        assert!(page.contains("/one/tasks/T3\""));
        let page = officer.get("/tasks/T3").await.is(200).text();
        assert!(page.contains("asked"));
        let board = street.with_role("one", Role::Board).await;
        board.post("/tasks/T1/done", &[("note", "x")]).await.is(403);
        board.get("/tasks/T9").await.is(404);
    }
}
