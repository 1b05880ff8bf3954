//! The launch gate: what stands in the way of a system, who decides, and what was decided.

use alnager_office::decide::Command;
use alnager_office::derived::DerivedBlocker;
use alnager_office::gate::{Gate as Looked, Verdict};
use alnager_office::launch::{LaunchDecision, LaunchStanding, NewLaunch, needs_two};
use alnager_office::system::System;
use axum::extract::{RawForm, RawQuery};
use axum::response::Response;
use maud::{Markup, html};

use crate::access::Action;
use crate::at::At;
use crate::digest::GateRow;
use crate::form::Fields;
use crate::page::{self, Page, Room, complaint, day, form_fields, text_field, verdict};
use crate::pages::shared::{
    self, Paging, answered, choices, day_field, day_of, encoded, entry_link, head, holds,
    requirement_link, searched, system_link, system_name,
};
use crate::pages::views;
use crate::refusal::{Refusal, for_browsers};
use crate::route::{Routes, see_other};
use crate::words::EN;

mod exceptions;
mod notice;

/// The routes of the room.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/{org}/gate", Action::Read, list)
        .get("/{org}/gate/{system}", Action::Read, show)
        .post("/{org}/gate/{system}/decision", Action::Decide, decide)
        .get("/{org}/gate/{system}/notice", Action::Read, notice::notice)
        .get(
            "/{org}/gate/{system}/badge.svg",
            Action::Read,
            notice::badge,
        )
        .get(
            "/{org}/gate/{system}/exceptions",
            Action::Read,
            exceptions::show,
        )
        .post(
            "/{org}/gate/{system}/exceptions",
            Action::Except,
            exceptions::grant,
        )
        .post(
            "/{org}/gate/{system}/exceptions/{exception}/end",
            Action::Except,
            exceptions::end,
        )
}

/// The words of what decisions on a launch come to, as the filter has them.
const STANDINGS: [&str; 8] = [
    "not-decided",
    "needs-second",
    "approved",
    "conditional",
    "refused",
    "withdrawn",
    "lapsed",
    "superseded",
];

/// The word of what decisions come to, as addresses have it.
fn word(standing: &LaunchStanding) -> String {
    standing.word().replace('_', "-")
}

/// What decisions come to, with a mark.
fn standing(of: &LaunchStanding) -> Markup {
    let (class, mark) = match of {
        LaunchStanding::Approved => ("clear", "✓"),
        LaunchStanding::Conditional { .. } => ("clear", "✓*"),
        LaunchStanding::NeedsSecond { .. } => ("undecided", "½"),
        LaunchStanding::Refused | LaunchStanding::Withdrawn => ("hold", "✕"),
        LaunchStanding::Lapsed { .. } => ("hold", "◌"),
        LaunchStanding::Superseded { .. } => ("undecided", "↻"),
        LaunchStanding::NotDecided => ("quiet", "–"),
    };
    let last = match of {
        LaunchStanding::Conditional { expires, .. } => Some(*expires),
        LaunchStanding::Lapsed { expired_on } => Some(*expired_on),
        LaunchStanding::Approved
        | LaunchStanding::NeedsSecond { .. }
        | LaunchStanding::Refused
        | LaunchStanding::Withdrawn
        | LaunchStanding::Superseded { .. }
        | LaunchStanding::NotDecided => None,
    };
    html! {
        (page::tag(class, mark, EN.gate.standing(&word(of))))
        @if let Some(last) = last { " " (EN.gate.until) " " (day(last)) }
    }
}

/// Every system by urgency.
async fn list(at: At, RawQuery(query): RawQuery) -> Result<Page, Refusal> {
    let words = &EN.gate;
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    let rows = filtered(&at, &query);
    let paging = Paging::of(&query, rows.len());
    let path = at.link("/gate");
    let views = views::section(&at, views::List::Gate, &query).await?;
    let body = html! {
        h1 { (Room::Gate.title()) }
        p.lead { (words.lead) }
        @if at.state().systems.is_empty() { (page::empty(words.empty, Some((&at.link("/intake"), words.empty_action)))) }
        @else {
            (filters(&at, &path, &query))
            @if rows.is_empty() { p.quiet { (EN.shared.none_match) } }
            @else {
                table.ledger.stacks {
                    (head(&[words.system, words.verdict, words.standing, words.judged, words.in_the_way]))
                    tbody { @for row in paging.rows(&rows) { (line(&at, row)) } }
                }
                (paging.links(&path, &query))
            }
            (views)
        }
    };
    Ok(page::page(&at, Room::Gate, Room::Gate.title(), body))
}

/// The rows that fit the query.
fn filtered<'a>(at: &'a At, query: &Fields) -> Vec<&'a GateRow> {
    let (verdict, decided) = (query.text("verdict"), query.text("standing"));
    let sought = searched(query);
    let rows = at.moment.digest.gates.iter();
    rows.filter(|row| verdict.is_empty() || row.verdict.word() == verdict)
        .filter(|row| decided.is_empty() || word(&row.launch) == decided)
        .filter(|row| {
            sought.is_empty()
                || holds(
                    &format!("{} {}", row.system, system_name(at, &row.system)),
                    &sought,
                )
        })
        .collect()
}

fn filters(at: &At, path: &str, query: &Fields) -> Markup {
    let tally = at.moment.digest.tally;
    let of = |verdict: Verdict, n: usize| {
        let words = format!("{} ({})", EN.verdict(verdict), EN.number(n as u64));
        (verdict.word(), words)
    };
    let verdicts = [
        ("", EN.shared.all.to_owned()),
        of(Verdict::Hold, tally.hold),
        of(Verdict::Undecided, tally.undecided),
        of(Verdict::Clear, tally.clear),
    ];
    let all = [("", EN.shared.all.to_owned())].into_iter();
    let decided = STANDINGS.map(|word| (word, EN.gate.standing(word).to_owned()));
    let decided: Vec<(&str, String)> = all.chain(decided).collect();
    html! {
        (choices(path, query, "verdict", EN.gate.by_verdict, &verdicts))
        (choices(path, query, "standing", EN.gate.by_standing, &decided))
        (shared::search(path, query, EN.gate.search))
    }
}

fn line(at: &At, row: &GateRow) -> Markup {
    let words = &EN.gate;
    let derived = at.moment.standing(&row.system);
    html! {
        tr data-of=(row.system) {
            th scope="row" { a href=(at.link(&format!("/gate/{}", encoded(&row.system)))) { (system_name(at, &row.system)) } }
            td data-label=(words.verdict) { (verdict(row.verdict)) }
            td data-label=(words.standing) { (standing(&row.launch)) }
            td data-label=(words.judged) { (day(row.on)) }
            td data-label=(words.in_the_way) {
                @match derived.and_then(|derived| derived.blockers.first()) {
                    None => span.quiet { (words.nothing) },
                    Some(first) => {
                        (EN.number(derived.map_or(0, |derived| derived.blockers.len()) as u64)) " · "
                        (page::why(&first.id, blocker_why(at, first)))
                    }
                }
            }
        }
    }
}

fn blocker_why(at: &At, blocker: &DerivedBlocker) -> Markup {
    html! {
        p { strong { (blocker.id) } ": " (blocker.what) }
        p { cite { (blocker.citation) } " · " (at.name(&blocker.owner)) }
        p.flip { (EN.gate.next) ": " (page::worded(&for_browsers(&blocker.next))) }
    }
}

/// One system's gate.
async fn show(at: At) -> Page {
    system_page(&at, None, &Fields::default())
}

/// Enters a decision.
async fn decide(at: At, RawForm(body): RawForm) -> Response {
    let fields = Fields::read(&body);
    match decided(&at, &fields).await {
        Ok(()) => see_other(&at.link(&format!("/gate/{}#history", encoded(at.named("system"))))),
        Err(refusal) => {
            // What stands now is shown beside what was typed.
            let page = system_page(&at.again(), Some(&refusal), &fields);
            answered(page, Some(&refusal))
        }
    }
}

async fn decided(at: &At, fields: &Fields) -> Result<(), Refusal> {
    let words = &EN.gate;
    let id = at.named("system");
    let system = at.state().systems.get(id).ok_or(Refusal::NotFound)?;
    let derived = at.moment.standing(id);
    let derived = derived.ok_or_else(|| Refusal::Unavailable(words.working.to_owned()))?;
    let decision = LaunchDecision::of(fields.text("decision"));
    let decision = decision.ok_or_else(|| Refusal::Invalid(words.choose.to_owned()))?;
    let conditions = fields.text("conditions").lines().map(str::trim);
    let conditions = conditions.filter(|line| !line.is_empty());
    let review = system.review.as_ref().map_or(0, |review| review.at);
    let new = NewLaunch {
        system: id.to_owned(),
        decision,
        conditions: conditions.map(str::to_owned).collect(),
        expires: day_of(fields, "expires", words.expires)?,
        reason: fields.text("reason").to_owned(),
        // Whoever decides has looked at this review; the office refuses where there is a later one.
        review: fields.text("seen").parse().unwrap_or(review),
        blockers: derived
            .blockers
            .iter()
            .map(|blocker| blocker.id.to_string())
            .collect(),
        needs_two: two_must_decide(at, system),
    };
    let command = Command::DecideLaunch(Box::new(new));
    at.enter(command, fields.once()).await.map(drop)
}

/// Whether the policy asks for two people's decision on this system.
fn two_must_decide(at: &At, system: &System) -> bool {
    let library = &at.moment.library;
    let facts = system.law_facts(&library.book, &at.state().counsel);
    needs_two(
        &library.policy,
        &library.book,
        &facts,
        at.moment.when(system),
    )
}

/// The page of a system's gate; `typed` is what a form held that was refused.
fn system_page(at: &At, refusal: Option<&Refusal>, typed: &Fields) -> Page {
    let words = &EN.gate;
    let id = at.named("system");
    let Some(system) = at.state().systems.get(id) else {
        return page::bare_refusal(&Refusal::NotFound);
    };
    let launch = at.state().launch_standing(id, at.today());
    let derived = at.moment.standing(id);
    let path = |rest: &str| at.link(&format!("/gate/{}{rest}", encoded(id)));
    let body = html! {
        p.crumbs { a href=(at.link("/gate")) { (Room::Gate.title()) } " · " (system_link(at, id)) }
        h1 { (system.declaration.name) }
        (complaint(refusal))
        dl.facts {
            dt { (words.verdict) }
            dd {
                @match derived {
                    Some(derived) => { (verdict(derived.verdict)) " · " (words.judged) " " (day(derived.key.when.valid)) },
                    None => span.quiet { (words.working) },
                }
            }
            dt { (words.standing) } dd { (standing(&launch)) }
            @if let LaunchStanding::Conditional { conditions, .. } = &launch {
                dt { (words.conditions) } dd { ul { @for condition in conditions { li { (condition) } } } }
            }
            dt { (words.notice) } dd { a href=(path("/notice")) { (words.notice) } " · " a href=(path("/badge.svg")) { (words.badge) } }
        }
        (eyes(at, system, &launch))
        (blockers(at, id))
        (decision_form(at, system, &launch, typed))
        (history(at, id))
        p { a href=(path("/exceptions")) { (words.exceptions) } }
    };
    page::page(at, Room::Gate, &system.declaration.name, body)
}

/// Whether one person decides or two, and what that waits for.
fn eyes(at: &At, system: &System, launch: &LaunchStanding) -> Markup {
    let words = &EN.gate;
    let policy = &at.moment.library.policy;
    html! {
        @if two_must_decide(at, system) {
            p {
                strong { (words.four_eyes) } ". "
                (page::why(words.four_eyes, html! {
                    p { (words.four_eyes_why) }
                    @if let Some(condition) = &policy.four_eyes { p { code { (condition.text) } } }
                    p { cite { (policy.pack.title) } }
                }))
            }
        } @else { p.note { (words.one_person) } }
        @if let LaunchStanding::NeedsSecond { by, decision } = launch {
            (page::notice(html! {
                p { strong { (words.waits_second) } }
                p { (at.name(by)) " " (words.decided(*decision)) ". "
                    @if *by == at.who.person { (words.you_were_first) }
                    @else if at.may_to(Action::Decide, &system.declaration.id) && !system.builders.contains(&at.who.person) { (words.waits_you) }
                }
            }))
        }
    }
}

fn blockers(at: &At, id: &str) -> Markup {
    let words = &EN.gate;
    let Some(derived) = at.moment.standing(id) else {
        return html! {};
    };
    let in_force = at.state().exceptions_of(id, at.today());
    let may_except = exceptions::may_grant(at, id);
    html! {
        section aria-labelledby="blockers" {
            h2 #blockers { (words.blockers) @if !derived.blockers.is_empty() { " (" (derived.blockers.len()) ")" } }
            @if derived.nothing_required { p { (words.nothing_asked) } }
            @else if derived.blockers.is_empty() { p { (words.no_blockers) } }
            @else {
                table.ledger.stacks {
                    (head(&[words.what, words.owner, words.next, words.exception]))
                    tbody {
                        @for blocker in &derived.blockers {
                            @let excepted = in_force.iter().find(|one| *one.granted.subject == *blocker.id);
                            tr data-of={ (id) " " (blocker.id) } {
                                th scope="row" {
                                    (requirement_link(at, &blocker.id)) " "
                                    @if blocker.holds { (page::tag("hold", "●", words.holds)) }
                                    @else { (page::tag("undecided", "◐", words.open)) }
                                    br; (blocker.what) " "
                                    (page::why(&blocker.id, blocker_why(at, blocker)))
                                }
                                td data-label=(words.owner) { (at.name(&blocker.owner)) }
                                td data-label=(words.next) { (page::worded(&for_browsers(&blocker.next))) }
                                td data-label=(words.exception) {
                                    @match excepted {
                                        Some(one) => { (one.granted.exception) " " (words.until) " " (day(one.until())) br; span.note { (one.granted.measures) " · " (at.name(&one.granted.by)) } },
                                        None => {
                                            span.quiet { (words.no_exception) }
                                            @if may_except { br; a href=(at.link(&format!("/gate/{}/exceptions?for={}#grant", encoded(id), encoded(&blocker.id)))) { (words.except) span.unseen { " " (blocker.id) } } }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What a decision is weighed on.
#[derive(Debug, Clone)]
struct Ground {
    /// Whether whoever looks builds the system, or ever did.
    builds: bool,
    /// The latest review: its verdict's word, and what it looked at.
    review: Option<(String, Looked)>,
    /// What stands in the way now.
    blockers: Vec<String>,
    /// Of those, what no exception covers that somebody else granted.
    open: Vec<String>,
    /// Whether an approval stands that could be withdrawn.
    may_withdraw: bool,
}

impl Ground {
    fn of(at: &At, system: &System, launch: &LaunchStanding) -> Ground {
        let id = &system.declaration.id;
        let derived = at.moment.standing(id);
        let blockers = derived.map_or(&[][..], |derived| derived.blockers.as_slice());
        let blockers: Vec<String> = blockers
            .iter()
            .map(|blocker| blocker.id.to_string())
            .collect();
        let in_force = at.state().exceptions_of(id, at.today());
        let is_open = |blocker: &&String| {
            let mut of_others = in_force
                .iter()
                .filter(|one| one.granted.by != at.who.person);
            !of_others.any(|one| one.granted.subject == **blocker)
        };
        Ground {
            builds: system.builders.contains(&at.who.person),
            review: system
                .review
                .as_ref()
                .map(|review| (review.verdict.clone(), review.gate)),
            open: blockers.iter().filter(is_open).cloned().collect(),
            blockers,
            may_withdraw: launch.may_be_live()
                || matches!(launch, LaunchStanding::NeedsSecond { .. }),
        }
    }

    /// Why nobody, or not this person, decides anything now.
    fn obstacle(&self) -> Option<&'static str> {
        match (&self.review, self.builds) {
            (None, _) => Some(EN.gate.no_review),
            (Some(_), true) => Some(EN.gate.builds),
            (Some(_), false) => None,
        }
    }

    /// Why this is not to be decided now; the office has the last word.
    fn obstacle_to(&self, decision: LaunchDecision) -> Option<String> {
        let words = &EN.gate;
        let (verdict, looked) = self.review.as_ref()?;
        let is_tests_only = match looked {
            Looked::Launch => false,
            Looked::Tests => true,
        };
        match decision {
            LaunchDecision::Approve | LaunchDecision::Conditional if is_tests_only => {
                Some(words.tests_only.to_owned())
            }
            LaunchDecision::Approve if verdict != Verdict::Clear.word() => {
                Some(format!("{} `{verdict}`", words.not_clear))
            }
            LaunchDecision::Approve if !self.blockers.is_empty() => Some(format!(
                "{}: {}",
                words.since_review,
                self.blockers.join(", ")
            )),
            LaunchDecision::Conditional if !self.open.is_empty() => {
                Some(format!("{} {}", words.not_excepted, self.open.join(", ")))
            }
            LaunchDecision::Withdraw if !self.may_withdraw => {
                Some(words.nothing_to_withdraw.to_owned())
            }
            LaunchDecision::Approve
            | LaunchDecision::Conditional
            | LaunchDecision::Refuse
            | LaunchDecision::Withdraw => None,
        }
    }
}

fn decision_form(at: &At, system: &System, launch: &LaunchStanding, typed: &Fields) -> Markup {
    let words = &EN.gate;
    let id = &system.declaration.id;
    let ground = Ground::of(at, system, launch);
    html! {
        section aria-labelledby="decide" {
            h2 #decide { (words.decide) }
            @if let Some(obstacle) = ground.obstacle() { p { (page::sentence(obstacle)) } }
            @else if !at.may_to(Action::Decide, id) { p.quiet { (words.may_not) } }
            @else {
                p.note { (words.decide_lead) }
                form method="post" action=(at.link(&format!("/gate/{}/decision", encoded(id)))) {
                    (form_fields(at))
                    @if let Some(review) = &system.review {
                        input type="hidden" name="seen" value=(review.at);
                        p { (words.review) " " (entry_link(at, review.at)) ": " (review.verdict) ", " (words.judged) " " (day(review.judged_on)) }
                    }
                    (decisions(&ground, typed))
                    (text_field("conditions", words.conditions, typed.text("conditions"), Some(words.conditions_note)))
                    (day_field("expires", words.expires, typed.text("expires"), Some(words.expires_note)))
                    (text_field("reason", EN.frame.reason, typed.text("reason"), Some(words.reason_note)))
                    p { button type="submit" { (words.send) } }
                }
            }
        }
    }
}

fn decisions(ground: &Ground, typed: &Fields) -> Markup {
    let words = &EN.gate;
    html! {
        fieldset {
            legend { (words.decision) }
            @for decision in LaunchDecision::ALL {
                @let obstacle = ground.obstacle_to(decision);
                @let id = format!("decision-{}", decision.word());
                p {
                    span.box {
                        input type="radio" id=(id) name="decision" value=(decision.word()) required disabled[obstacle.is_some()]
                            checked[typed.text("decision") == decision.word()] aria-describedby=[obstacle.as_ref().map(|_| format!("{id}-why"))];
                        label for=(id) { (words.decision(decision)) }
                    }
                    @if let Some(obstacle) = obstacle { span.note id={ (id) "-why" } { (obstacle) } }
                }
            }
        }
    }
}

fn history(at: &At, id: &str) -> Markup {
    let words = &EN.gate;
    let launches = at.state().launches.get(id);
    html! {
        section aria-labelledby="history" {
            h2 #history { (words.history) }
            @match launches.filter(|launches| !launches.is_empty()) {
                None => p.quiet { (words.no_history) },
                Some(launches) => table.ledger.stacks {
                    (head(&[words.on, words.who, words.decision, words.reason]))
                    tbody {
                        @for launch in launches.iter().rev() {
                            @let decided = &launch.decided;
                            tr {
                                th scope="row" { (day(decided.on)) br; (entry_link(at, launch.at)) }
                                td data-label=(words.who) { (at.name(&decided.by)) }
                                td data-label=(words.decision) {
                                    (words.decided(decided.decision))
                                    @if let Some(expires) = decided.expires { " " (words.until) " " (day(expires)) }
                                    " · " span.note { (words.review) " " (entry_link(at, decided.review)) ": " (decided.verdict) @if decided.needs_two { " · " (words.four_eyes) } }
                                    @if !decided.conditions.is_empty() { ul { @for condition in &decided.conditions { li { (condition) } } } }
                                    @if !decided.exceptions.is_empty() { p.note { (words.relied_on) " " (decided.exceptions.join(", ")) } }
                                }
                                td data-label=(words.reason) { (decided.reason) }
                            }
                        }
                    }
                },
            }
        }
    }
}

#[cfg(test)]
mod tests;
