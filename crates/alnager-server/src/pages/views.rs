//! Saved views: what a list was filtered and sorted by, kept by a person under a name. One way for every list.

use alnager_store::View;
use axum::extract::RawForm;
use axum::response::Response;
use maud::{Markup, html};

use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Page, Room, complaint, field, form_fields};
use crate::pages::shared::{answered, encoded};
use crate::refusal::Refusal;
use crate::route::see_other;
use crate::words::EN;

/// Most characters of a view's name.
const NAME_MAX: usize = 60;

/// A list that has views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Systems,
    Gate,
    Evidence,
}

impl List {
    const ALL: [List; 3] = [List::Systems, List::Gate, List::Evidence];

    /// Its word in addresses and among a person's views.
    fn word(self) -> &'static str {
        match self {
            List::Systems => "systems",
            List::Gate => "gate",
            List::Evidence => "evidence",
        }
    }

    fn room(self) -> Room {
        match self {
            List::Systems => Room::Systems,
            List::Gate => Room::Gate,
            List::Evidence => Room::Evidence,
        }
    }

    /// The fields that a view of it keeps.
    fn fields(self) -> &'static [&'static str] {
        match self {
            List::Systems => &[
                "q", "verdict", "stage", "owner", "place", "binds", "made", "sort", "down",
            ],
            List::Gate => &["q", "verdict", "standing"],
            List::Evidence => &["q", "standing"],
        }
    }

    /// The list that the address names.
    fn named(at: &At) -> Result<List, Refusal> {
        let word = at.named("list");
        let mut lists = List::ALL.into_iter();
        lists
            .find(|list| list.word() == word)
            .ok_or(Refusal::NotFound)
    }

    /// What of a query a view keeps, as the fields of an address; empty where nothing is asked.
    fn kept(self, query: &Fields) -> String {
        let kept = query
            .pairs()
            .filter(|(name, value)| self.fields().contains(name) && !value.is_empty());
        let pairs: Vec<String> = kept
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        pairs.join("&")
    }

    /// The address of the list with a query.
    fn link(self, at: &At, query: &str) -> String {
        let mark = if query.is_empty() { "" } else { "?" };
        at.link(&format!("{}{mark}{query}", self.room().path()))
    }
}

/// Keeps a view under a name, and leads to it.
pub(super) async fn save(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let list = List::named(&at)?;
    let fields = Fields::read(&body);
    let query = list.kept(&Fields::read(fields.text("query").as_bytes()));
    let name = fields.text("name");
    let saved = match (1..=NAME_MAX).contains(&name.chars().count()) {
        false => Err(Refusal::Invalid(EN.shared.view_unnamed.to_owned())),
        true => {
            let accounts = &at.organisation.accounts;
            let person = &at.who.person;
            let saved = accounts.save_view(person, list.word(), name, &query).await;
            saved.map_err(Refusal::from)
        }
    };
    Ok(match saved {
        Ok(()) => see_other(&list.link(&at, &query)),
        Err(refusal) => answered(refused(&at, list, &query, name, &refusal), Some(&refusal)),
    })
}

/// Drops a view.
pub(super) async fn drop(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let list = List::named(&at)?;
    let fields = Fields::read(&body);
    let (accounts, person) = (&at.organisation.accounts, &at.who.person);
    accounts
        .drop_view(person, list.word(), fields.text("name"))
        .await?;
    Ok(see_other(&list.link(&at, "")))
}

/// What is wrong is said on a page of its own, with what was typed.
fn refused(at: &At, list: List, query: &str, name: &str, refusal: &Refusal) -> Page {
    let words = &EN.shared;
    let body = html! {
        p.crumbs { a href=(list.link(at, query)) { (list.room().title()) } }
        h1 { (words.view_save) }
        (complaint(Some(refusal)))
        (form(at, list, query, name))
    };
    page::page(at, list.room(), words.view_save, body)
}

/// A person's views of a list, and a form to keep the one they look at.
pub(super) async fn section(at: &At, list: List, query: &Fields) -> Result<Markup, Refusal> {
    let words = &EN.shared;
    let accounts = &at.organisation.accounts;
    let views: Vec<View> = accounts.views(&at.who.person, list.word()).await?;
    let query = list.kept(query);
    Ok(html! {
        section aria-labelledby="views" {
            h2 #views { (words.views) }
            @if views.is_empty() { p.quiet { (words.views_none) } }
            ul {
                @for view in &views {
                    li {
                        a href=(list.link(at, &view.query)) { (view.name) }
                        form method="post" action=(at.link(&format!("/views/{}/drop", list.word()))) {
                            (form_fields(at))
                            input type="hidden" name="name" value=(view.name);
                            button.plain type="submit" { (words.view_drop) span.unseen { " " (view.name) } }
                        }
                    }
                }
            }
            @if !query.is_empty() { (form(at, list, &query, "")) }
        }
    })
}

fn form(at: &At, list: List, query: &str, name: &str) -> Markup {
    let words = &EN.shared;
    html! {
        form method="post" action=(at.link(&format!("/views/{}", list.word()))) {
            (form_fields(at))
            input type="hidden" name="query" value=(query);
            (field("name", words.view_name, name, None))
            p { button type="submit" { (words.view_save) } }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use alnager_office::role::Role;

    use super::*;
    use crate::tests::Street;

    #[tokio::test]
    async fn every_list_keeps_views_of_its_own_for_each_person() {
        let street = Street::open(&["one"]).await;
        let board = street.with_role("one", Role::Board).await;
        let counsel = street.with_role("one", Role::Legal).await;
        for (list, query) in [
            (List::Systems, "stage=in_use&sort=owner"),
            (List::Gate, "verdict=hold&standing=refused"),
            (List::Evidence, "standing=expired&q=data%20sheet"),
        ] {
            let (room, path) = (list.room().path(), format!("/views/{}", list.word()));
            let plain = board.get(room).await.is(200).text();
            assert!(plain.contains(EN.shared.views_none) && !plain.contains("name=\"query\""));
            let asked = board.get(&format!("{room}?{query}")).await.is(200).text();
            assert!(asked.contains("name=\"query\""), "{asked}");
            let sent = format!("{query}&page=7&other=1");
            let fields = [("query", sent.as_str()), ("name", "Mine <b>")];
            let answer = board.post(&path, &fields).await.is(303);
            assert_eq!(answer.location, format!("/one{room}?{query}"));
            let shown = board.get(room).await.text();
            assert!(
                shown.contains("Mine &lt;b&gt;") && shown.contains(&query.replace('&', "&amp;"))
            );
            assert!(!counsel.get(room).await.text().contains("Mine"));
            let long = "x".repeat(NAME_MAX + 1);
            for name in ["", &long] {
                let fields = [("query", query), ("name", name)];
                let page = board.post(&path, &fields).await.is(422).text();
                assert!(page.contains(&query.replace('&', "&amp;")), "{page}");
                assert!(page.contains(&format!("value=\"{name}\"")));
            }
            let gone = [("name", "Mine <b>")];
            board.post(&format!("{path}/drop"), &gone).await.is(303);
            assert!(!board.get(room).await.text().contains("Mine"));
        }
        let fields = [("query", ""), ("name", "x")];
        board.post("/views/people", &fields).await.is(404);
    }
}
