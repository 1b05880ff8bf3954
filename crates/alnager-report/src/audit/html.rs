//! A fairness audit as pages: one HTML file each that needs nothing else, in the look of the review.

mod ecoa;
mod eeoc;
mod errors;
mod eu;
mod findings;
mod groups;
mod ll144;
mod parts;
mod public;
mod strata;
#[cfg(test)]
mod tests;
mod theories;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::profile::{Part, ProfileView};
use super::view::FairnessView;
use crate::html::{POLICY, visible};

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its file name.
    pub name: &'static str,
    /// The document.
    pub html: String,
}

/// The pages of a profile, the one to be published first. Pure: the same views give the same bytes.
pub fn pages(view: &FairnessView, profile: &ProfileView) -> Vec<Page> {
    let mut pages = Vec::new();
    match &profile.part {
        Part::Ll144(summary) => {
            pages.push(Page {
                name: "summary.html",
                html: ll144::summary(view, summary, &profile.theories),
            });
            pages.push(Page {
                name: "annex.html",
                html: document("Private annex", private(view, profile)),
            });
            return pages;
        }
        Part::General | Part::Eeoc(_) | Part::Ecoa(_) | Part::Eu(_) => {}
    }
    if profile.is_public {
        pages.push(Page {
            name: "public.html",
            html: public::page(view, profile),
        });
    }
    pages.push(Page {
        name: "report.html",
        html: document(title(profile), private(view, profile)),
    });
    pages
}

fn title(profile: &ProfileView) -> &'static str {
    match &profile.part {
        Part::General => "Fairness audit",
        Part::Ll144(_) => "Private annex to the summary under Local Law 144",
        Part::Eeoc(_) => "Adverse impact by job and stage",
        Part::Ecoa(_) => "Fair lending: raw and controlled disparities",
        Part::Eu(_) => "Bias examination and accuracy (EU AI Act)",
    }
}

/// A whole document.
fn document(title: &str, body: Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(include_str!("../html/style.css"))) (PreEscaped(include_str!("html/audit.css"))) }
            }
            body {
                a.skip href="#main" { "Skip to the figures" }
                main #main { (body) }
            }
        }
    };
    visible(page.into_string())
}

/// Everything there is, for those who may see it.
fn private(view: &FairnessView, profile: &ProfileView) -> Markup {
    let own = match &profile.part {
        Part::General => None,
        Part::Ll144(summary) => Some(("summary", "The published tables", ll144::annex(summary))),
        Part::Eeoc(jobs) => Some(("jobs", "Jobs and stages", eeoc::jobs(view, jobs))),
        Part::Ecoa(part) => Some(("controlled", "Raw and controlled", ecoa::part(view, part))),
        Part::Eu(part) => Some((
            "representative",
            "Who is in the data, and on which ground",
            eu::part(view, part),
        )),
    };
    let details = &profile.details;
    let sections = [
        own,
        Some(("groups", "Groups", groups::part(view))),
        Some(("tests", "Tests", findings::part(view))),
        (!details.errors.is_empty())
            .then(|| ("errors", "Errors by group", errors::rates(view, details))),
        (!details.scores.is_empty())
            .then(|| ("scores", "Scores by group", errors::scores(view, details))),
        (!view.stratified.is_empty()).then(|| ("strata", "Within strata", strata::part(view))),
        Some((
            "serves",
            "What each test serves",
            theories::part(&profile.theories),
        )),
        Some(("mind", "Before you rely on it", parts::cautions(view))),
        Some(("computed", "How it was computed", parts::computed(view))),
    ];
    html! {
        @match &profile.part {
            Part::Ll144(summary) => {
                (ll144::banner(summary.signed_by.as_ref()))
                p.note { "Pass, fail and inconclusive on this page speak of the organisation's own policy. Local Law 144 sets no pass mark: no ratio meets or breaches it." }
            }
            Part::Ecoa(part) => { (ecoa::banner(part, &profile.theories)) }
            Part::General | Part::Eeoc(_) | Part::Eu(_) => {}
        }
        (parts::top(view, title(profile)))
        nav.contents aria-label="Parts of this report" {
            ul { @for (id, title, _) in sections.iter().flatten() { li { a href={ "#" (id) } { (title) } } } }
        }
        (parts::headline(view))
        @for (id, title, body) in sections.iter().flatten() { (parts::part(id, title, body)) }
    }
}
