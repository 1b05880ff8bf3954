//! Every part that pages are made of, once: to look at, and for tests to look at.

use alnager_office::evidence::Standing;
use alnager_office::gate::{Status, Verdict};
use alnager_report::html::strip_said;
use axum::extract::RawQuery;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use jiff::civil::date;
use maud::{Markup, html};

use crate::digest::Shelf;
use crate::form::Fields;
use crate::page::{self, boxed, complaint, field, file_field, select_field, text_field};
use crate::pages::search::{FRAGMENT, Hit, Kind, fragment};
use crate::pages::shared::{choices, day_field, head, pager, search};
use crate::pages::{evidence, lab};
use crate::refusal::Refusal;
use crate::words::EN;

/// Where it lies.
const PATH: &str = "/specimen";

/// The colours, by their names in the style sheet.
const COLOURS: [&str; 12] = [
    "paper",
    "sheet",
    "ink",
    "soft",
    "rule",
    "faint",
    "accent",
    "hold",
    "undecided",
    "clear",
    "ahead",
    "mark",
];

/// The steps of space, by their names in the style sheet.
const SPACES: [&str; 6] = ["s1", "s2", "s3", "s4", "s5", "s6"];

/// Value and interval of each row of the list.
const FIGURES: [(f64, f64, f64); 4] = [
    (0.93, 0.86, 1.01),
    (0.84, 0.74, 0.95),
    (0.61, 0.55, 0.68),
    (0.78, 0.31, 1.42),
];

/// The page; and the palette's choices, of which there is one.
pub(super) async fn show(headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    if headers.contains_key(FRAGMENT) {
        return fragment(&[Hit {
            kind: Kind::Room,
            name: EN.specimen.title.to_owned(),
            id: String::new(),
            path: PATH.to_owned(),
        }]);
    }
    let words = &EN.specimen;
    let body = html! {
        p.lead { (words.lead) }
        (refused(&query))
        div.spread { (form()) (states()) }
        (list(&query))
        (texts())
        (colours())
        (sizes())
        (page::palette(PATH))
    };
    page::outside(words.title, body).into_response()
}

/// A form as it is shown again, with what is wrong and what was typed.
fn refused(query: &Fields) -> Markup {
    let words = &EN.specimen;
    let refusal = Refusal::Invalid(words.refused_why.to_owned());
    html! {
        section aria-labelledby="refused" {
            h2 #refused { (words.refused) }
            (complaint(Some(&refusal)))
            form method="get" action=(PATH) {
                (field("name", words.name, query.text("name"), Some(words.name_note)))
                (text_field("purpose", words.purpose, query.optional("purpose").unwrap_or(words.flip), None))
                p { button type="submit" { (words.send) } }
            }
        }
    }
}

fn form() -> Markup {
    let words = &EN.specimen;
    html! {
        section aria-labelledby="form" {
            h2 #form { (words.forms) }
            form method="get" action=(PATH) {
                div.row {
                    (select_field("stage", words.stage, words.stages, "in_use", None))
                    (day_field("day", words.day, "2027-01-18", None))
                }
                (file_field("file", words.file, false, Some(words.name_note)))
                fieldset {
                    legend { (words.decision) }
                    @for (value, title) in words.decisions { (boxed("radio", (value, "decision", value), title, value == "refuse")) }
                }
                p { (boxed("checkbox", ("again", "again", "yes"), words.agreed, true)) }
                p {
                    button type="submit" { (words.send) } " "
                    button.plain type="submit" { (words.plain) } " "
                    a.button href=(PATH) { (words.link) }
                }
            }
        }
    }
}

fn states() -> Markup {
    let words = &EN.specimen;
    let verdicts = [Verdict::Clear, Verdict::Hold, Verdict::Undecided];
    let statuses = [
        Status::Met,
        Status::Gap,
        Status::Unknown,
        Status::Ahead,
        Status::Waiting,
        Status::Ended,
        Status::NotApplicable,
        Status::Noted,
    ];
    let standings = [
        Standing::Accepted,
        Standing::Submitted,
        Standing::NotYetEffective,
        Standing::Expired,
        Standing::Rejected,
    ];
    let in_a_row = |tags: Vec<Markup>| html! { @for tag in tags { (tag) " " } };
    html! {
        section aria-labelledby="states" {
            h2 #states { (words.states) }
            p.note { (words.states_note) }
            dl.facts {
                dt { (words.verdict) } dd { (in_a_row(verdicts.map(page::verdict).to_vec())) }
                dt { (words.requirement) } dd { (in_a_row(statuses.map(page::status).to_vec())) }
                dt { (EN.rooms.evidence) } dd { (in_a_row(Shelf::ALL.map(evidence::shelf).to_vec())) (in_a_row(standings.map(evidence::standing).to_vec())) }
            }
        }
    }
}

fn list(query: &Fields) -> Markup {
    let words = &EN.specimen;
    let [all, held] = words.choices;
    let filters = [("", all.to_owned()), ("hold", held.to_owned())];
    let [figure, value, interval, result] = words.columns;
    html! {
        section aria-labelledby="list" {
            h2 #list { (words.lists) }
            (choices(PATH, query, "verdict", words.filter, &filters))
            (search(PATH, query, words.search))
            table.ledger.stacks {
                (head(&[figure, value, interval, result]))
                tbody {
                    @for ((title, outcome), (at, low, high)) in words.rows.iter().zip(FIGURES) {
                        tr data-of=(title) {
                            th scope="row" { (title) }
                            td.figure data-label=(value) { (format!("{at:.2}")) }
                            td data-label=(interval) {
                                (format!("{low:.2} – {high:.2}"))
                                (strip_said(words.figure, Some(at), Some((low, high)), (Some(0.8), Some(1.25)), (outcome, true)))
                            }
                            td data-label=(result) { (lab::outcome(outcome)) " " (page::why(title, html! { p { cite { (words.limit) } } })) }
                        }
                    }
                }
            }
            (pager(2, 3, &|page| format!("{PATH}?page={page}")))
        }
    }
}

fn texts() -> Markup {
    let words = &EN.specimen;
    html! {
        section aria-labelledby="type" {
            h2 #type { (words.kinds) }
            h3 { (words.heading) }
            p { (words.drawer_body) " " (page::why(words.drawer, html! { p { (words.drawer_body) } p { cite { (words.limit) } } })) }
            p.note { (words.name_note) " " code { (words.code) } " · " (page::day(date(2027, 1, 18))) }
            blockquote.provision { (words.provision) }
            p.flip { (words.flip) }
            p.quiet { (words.quiet) }
            (page::notice(html! { p { (words.notice) } }))
            (page::empty(words.empty, Some((PATH, words.send))))
            h3 { (words.palette) }
            p.note { (words.palette_note) " " kbd { "/" } }
        }
    }
}

fn colours() -> Markup {
    let words = &EN.specimen;
    let by = |title: &str, class: &str| {
        html! {
            div.(class) {
                h3 { (title) }
                ul.tokens {
                    @for name in COLOURS {
                        li {
                            svg aria-hidden="true" { rect width="100%" height="100%" fill={ "var(--" (name) ")" } stroke="var(--rule)" {} }
                            (name)
                        }
                    }
                }
            }
        }
    };
    html! {
        section aria-labelledby="colours" {
            h2 #colours { (words.colours) }
            p.note { (words.colours_note) }
            (by(words.light, "by-day"))
            (by(words.dark, "by-night"))
            p.note { (words.print_note) }
        }
    }
}

fn sizes() -> Markup {
    let words = &EN.specimen;
    html! {
        section aria-labelledby="space" {
            h2 #space { (words.spaces) }
            ul.tokens {
                @for name in SPACES {
                    li {
                        svg aria-hidden="true" { rect width={ "var(--" (name) ")" } height="100%" fill="var(--accent)" {} }
                        (name)
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use axum::http::{HeaderName, Method};

    use super::*;
    use crate::tests::Street;

    #[tokio::test]
    async fn anybody_sees_every_part_and_no_data() {
        let street = Street::open(&["one"]).await;
        let stranger = street.stranger("one");
        let page = stranger.get("//specimen?name=%3Cb%3E").await.is(200).text();
        for part in [
            "table class=\"ledger stacks\"",
            "class=\"complaint\"",
            "class=\"notice\"",
            "class=\"why\"",
            "class=\"empty\"",
            "class=\"pages\"",
            "class=\"choices\"",
            "class=\"box\"",
            "type=\"date\"",
            "type=\"file\"",
            "<select",
            "<svg class=\"strip",
            "dialog class=\"palette\"",
            "value=\"&lt;b&gt;\"",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("/one/") && !page.contains("Ines"), "{page}");
        // What the style sheet names is shown, all of it.
        let sheet = include_str!("../../assets/style.css");
        let named: Vec<&str> = sheet
            .split("--")
            .skip(1)
            .filter_map(|rest| rest.split_once(": light-dark("))
            .map(|(name, _)| name)
            .filter(|name| !name.contains(' ') && *name != "accent-ink")
            .collect();
        assert_eq!(named, COLOURS);
        let asked = [(HeaderName::from_static(FRAGMENT), "true")];
        let hits = stranger.send(Method::GET, "//specimen?q=a", &asked, Vec::new());
        assert!(hits.await.is(200).text().starts_with("<a role=\"option\""));
    }
}
