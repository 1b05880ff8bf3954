//! The frame of every page, and the few parts that pages are made of.

use alnager_office::gate::{Status, Verdict};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use maud::{DOCTYPE, Markup, PreEscaped, Render, html};

use crate::access::{Action, Resource};
use crate::at::At;
use crate::refusal::Refusal;
use crate::words::EN;

/// A whole page.
pub struct Page {
    status: StatusCode,
    markup: Markup,
}

/// The rooms of the desk, in the order of the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// What needs me now.
    Today,
    /// Every system.
    Systems,
    /// A new use of AI.
    Intake,
    /// Law in use.
    Law,
    /// Measurements.
    Lab,
    /// Decisions on going live.
    Gate,
    /// Evidence and its review.
    Evidence,
    /// The journal.
    Journal,
    /// People and roles.
    People,
    /// One's own account.
    Account,
}

impl Room {
    /// Those that have a page.
    pub const ALL: [Room; 10] = [
        Room::Today,
        Room::Systems,
        Room::Intake,
        Room::Law,
        Room::Lab,
        Room::Gate,
        Room::Evidence,
        Room::Journal,
        Room::People,
        Room::Account,
    ];

    /// Its path within an organisation.
    pub fn path(self) -> &'static str {
        match self {
            Room::Today => "/today",
            Room::Systems => "/systems",
            Room::Intake => "/intake",
            Room::Law => "/law",
            Room::Lab => "/lab",
            Room::Gate => "/gate",
            Room::Evidence => "/evidence",
            Room::Journal => "/journal",
            Room::People => "/people",
            Room::Account => "/account",
        }
    }

    /// Its name in the menu.
    pub fn title(self) -> &'static str {
        let rooms = &EN.rooms;
        match self {
            Room::Today => rooms.today,
            Room::Systems => rooms.systems,
            Room::Intake => rooms.intake,
            Room::Law => rooms.law,
            Room::Lab => rooms.lab,
            Room::Gate => rooms.gate,
            Room::Evidence => rooms.evidence,
            Room::Journal => rooms.journal,
            Room::People => rooms.people,
            Room::Account => rooms.account,
        }
    }

    /// Those that whoever asks may enter, in the order of the menu.
    pub fn open_to(at: &At) -> impl Iterator<Item = Room> {
        let rooms = Room::ALL.into_iter();
        rooms.filter(|room| at.may(room.needs(), Resource::Organisation))
    }

    /// What one must be allowed to do to enter it.
    fn needs(self) -> Action {
        match self {
            Room::Today | Room::Systems | Room::Law | Room::Lab | Room::Gate | Room::Evidence => {
                Action::Read
            }
            Room::Intake => Action::Declare,
            Room::Journal => Action::Prove,
            Room::People => Action::Administer,
            Room::Account => Action::Account,
        }
    }
}

/// A page of a room.
pub fn page(at: &At, room: Room, title: &str, body: Markup) -> Page {
    let organisation = at.state().organisation.as_ref();
    let organisation = organisation.map_or("", |organisation| organisation.name.as_str());
    let body = html! {
        a.skip href="#content" { (EN.frame.skip) }
        header.masthead {
            p.house { a href=(at.link("/today")) { (organisation) } }
            (menu(at, room))
            p.tools {
                a href=(at.link("/search")) { kbd { "/" } " " (EN.frame.palette) } " "
                a href=(at.link("/account")) aria-current=[(room == Room::Account).then_some("page")] { (at.name(&at.who.person)) }
            }
        }
        main #content tabindex="-1" { (body) }
        footer.foot {
            p { (EN.frame.today) " " (day(at.today())) }
        }
        (palette(&at.link("/search")))
    };
    Page {
        status: StatusCode::OK,
        markup: document(title, organisation, body),
    }
}

fn menu(at: &At, room: Room) -> Markup {
    let seen = Room::open_to(at).filter(|room| *room != Room::Account);
    html! {
        nav.rooms aria-label=(EN.frame.rooms) {
            ul {
                @for other in seen {
                    li { a href=(at.link(other.path())) aria-current=[(other == room).then_some("page")] { (other.title()) } }
                }
            }
        }
    }
}

/// The palette: closed until `/` opens it. Without script the page of the search does the same.
/// `search`: where it asks.
pub fn palette(search: &str) -> Markup {
    let words = &EN.search;
    html! {
        dialog.palette #palette aria-label=(words.title) {
            form method="get" action=(search) role="search" {
                label.unseen for="palette-q" { (words.label) }
                input type="text" id="palette-q" name="q" placeholder=(words.label) autocomplete="off" role="combobox"
                    aria-expanded="false" aria-controls="hits" aria-autocomplete="list" aria-describedby="palette-keys";
            }
            div #hits role="listbox" aria-label=(words.hits) {}
            p.note #palette-keys { (words.keys) }
        }
    }
}

/// A page outside every organisation.
pub fn outside(title: &str, body: Markup) -> Page {
    let body = html! { main #content { h1 { (title) } (body) } };
    Page {
        status: StatusCode::OK,
        markup: document(title, EN.frame.product, body),
    }
}

/// A page for somebody who is not signed in.
pub fn bare(title: &str, body: Markup) -> Page {
    let body = html! {
        main.bare #content { h1 { (title) } (body) }
    };
    Page {
        status: StatusCode::OK,
        markup: document(title, EN.frame.product, body),
    }
}

fn document(title: &str, of: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(EN.language) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="htmx-config" content=r#"{"includeIndicatorCSS":false,"history":false}"#;
                title { (title) " · " (of) }
                link rel="icon" href=(asset("seal.svg"));
                link rel="stylesheet" href=(asset("style.css"));
                script src=(asset("htmx.js")) defer {}
                script src=(asset("desk.js")) defer {}
            }
            body { (body) }
        }
    }
}

/// The address of a file that the server carries; it changes with the file, so that browsers keep it.
pub fn asset(name: &str) -> String {
    format!("/static/{}/{name}", crate::asset::version())
}

/// A refusal as a page, within the organisation where there is one.
pub fn refusal(at: Option<&At>, refusal: &Refusal) -> Response {
    let Some(at) = at else {
        return bare_refusal(refusal).into_response();
    };
    let title = refusal_title(refusal);
    let body = html! {
        h1 { (title) }
        p.lead { (sentence(&refusal.to_string())) }
        p { a href=(at.link("/today")) { (EN.refusal.back) } }
    };
    let page = page(at, Room::Account, title, body);
    page.with_status(refusal.status()).into_response()
}

/// A refusal as a page by itself.
pub fn bare_refusal(refusal: &Refusal) -> Page {
    let body = html! {
        p.lead { (sentence(&refusal.to_string())) }
        p { a href="/" { (EN.refusal.back) } }
    };
    bare(refusal_title(refusal), body).with_status(refusal.status())
}

fn refusal_title(refusal: &Refusal) -> &'static str {
    let words = &EN.refusal;
    match refusal {
        Refusal::SignIn => words.sign_in,
        Refusal::NotFound => words.not_found,
        Refusal::Forbidden(_) => words.forbidden,
        Refusal::Invalid(_)
        | Refusal::Field { .. }
        | Refusal::Malformed(_)
        | Refusal::Media(_)
        | Refusal::Method
        | Refusal::Required(_) => words.invalid,
        Refusal::Conflict(_) | Refusal::Stale => words.conflict,
        Refusal::TooLarge(_) => words.too_large,
        Refusal::TooOften { .. } => words.too_often,
        Refusal::Unavailable(_) => words.unavailable,
        Refusal::Internal => words.internal,
    }
}

impl Page {
    /// The same page with another status.
    pub fn with_status(mut self, status: StatusCode) -> Page {
        self.status = status;
        self
    }

    /// Its text.
    pub fn text(self) -> String {
        self.markup.into_string()
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
        (self.status, headers, self.text()).into_response()
    }
}

/// Words in which what stands between backticks is code.
pub fn worded(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    // With one backtick too few nobody knows what is code.
    let is_even = parts.len() % 2 == 1;
    html! {
        @if !is_even { (text) }
        @else {
            @for (at, part) in parts.iter().enumerate() {
                @if at % 2 == 1 { code { (part) } } @else { (part) }
            }
        }
    }
}

/// A text with a capital at its start and a full stop at its end.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let start: String = letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    });
    match start.ends_with(['.', '!', '?']) {
        true => start,
        false => format!("{start}."),
    }
}

/// A day, for people and for programs.
pub fn day(day: Date) -> Markup {
    html! { time datetime=(day) { (EN.day(day)) } }
}

/// How far away a day is, in words.
pub fn days_left(day: Date, today: Date) -> String {
    let days = today.until(day).map_or(0, |span| span.get_days());
    EN.days_left(i64::from(days))
}

/// A verdict with its mark: never by colour alone.
pub fn verdict(verdict: Verdict) -> Markup {
    let (class, mark) = match verdict {
        Verdict::Clear => ("clear", "○"),
        Verdict::Hold => ("hold", "●"),
        Verdict::Undecided => ("undecided", "◐"),
    };
    tag(class, mark, EN.verdict(verdict))
}

/// How a requirement fares, with its mark.
pub fn status(status: Status) -> Markup {
    let (class, mark) = match status {
        Status::Met => ("clear", "○"),
        Status::Gap => ("hold", "●"),
        Status::Unknown => ("undecided", "◐"),
        Status::Ahead => ("ahead", "▷"),
        Status::Waiting => ("ahead", "◇"),
        Status::Ended | Status::NotApplicable | Status::Noted => ("quiet", "·"),
    };
    tag(class, mark, EN.status(status))
}

/// A word with a mark before it, since colour alone says nothing to many. `class`: `clear`, `hold`, `undecided`, `ahead` or `quiet`.
pub fn tag(class: &str, mark: &str, words: impl Render) -> Markup {
    html! { span.tag.(class) { span aria-hidden="true" { (mark) } " " (words) } }
}

/// What has just happened, or what waits; a screen reader says it.
pub fn notice(body: Markup) -> Markup {
    html! { div.notice role="status" { (body) } }
}

/// Why something is so: the rule and its citation, or formula, counts and hash. Opens without script.
pub fn why(of: &str, body: Markup) -> Markup {
    html! {
        details.why {
            summary { (EN.frame.why) span.unseen { " " (of) } }
            div { (body) }
        }
    }
}

/// What a room says while it is empty: what will be here, and how to begin.
pub fn empty(words: &str, action: Option<(&str, &str)>) -> Markup {
    html! {
        div.empty {
            p { (words) }
            @if let Some((path, title)) = action { p { a.button href=(path) { (title) } } }
        }
    }
}

/// What a form is answered with where something about it is wrong. It stands above the form and takes the focus.
pub fn complaint(refusal: Option<&Refusal>) -> Markup {
    html! {
        @if let Some(refusal) = refusal {
            div.complaint role="alert" tabindex="-1" autofocus {
                p { strong { (refusal_title(refusal)) } " " (sentence(&refusal.to_string())) }
            }
        }
    }
}

/// The hidden fields of every form: the token that shows it is ours, and a fresh key, so that sending it twice is once.
pub fn form_fields(at: &At) -> Markup {
    // Without random numbers the form cannot be sent, which its answer says.
    let token = at.form_token().unwrap_or_default();
    let once = crate::secret::random::<16>().map(|bytes| {
        uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string()
    });
    html! {
        input type="hidden" name="form" value=(token);
        input type="hidden" name="once" value=(once.unwrap_or_default());
    }
}

/// A labelled field of one line.
pub fn field(name: &str, label: &str, value: &str, note: Option<&str>) -> Markup {
    let described = described(name, note);
    let input = html! { input type="text" id=(name) name=(name) value=(value) aria-describedby=[described]; };
    labelled(name, label, input, note)
}

/// A label over an input of any kind, and a note under it. `name`: the input's id.
pub fn labelled(name: &str, label: &str, input: Markup, note: Option<&str>) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            (input)
            @if let Some(note) = note { p.note id={ (name) "-note" } { (note) } }
        }
    }
}

/// The id of the note that describes an input, where it has one.
pub fn described(name: &str, note: Option<&str>) -> Option<String> {
    note.map(|_| format!("{name}-note"))
}

/// A labelled field for a file.
pub fn file_field(name: &str, label: &str, is_required: bool, note: Option<&str>) -> Markup {
    let described = described(name, note);
    let input = html! { input type="file" id=(name) name=(name) required[is_required] aria-describedby=[described]; };
    labelled(name, label, input, note)
}

/// A labelled choice of one among several: value and words of each.
pub fn select_field<'a>(
    name: &str,
    label: &str,
    choices: impl IntoIterator<Item = (&'a str, &'a str)>,
    chosen: &str,
    note: Option<&str>,
) -> Markup {
    let described = described(name, note);
    let input = html! {
        select id=(name) name=(name) aria-describedby=[described] {
            @for (value, words) in choices { option value=(value) selected[value == chosen] { (words) } }
        }
    };
    labelled(name, label, input, note)
}

/// A box to tick, or one of several answers: `of` is `checkbox` or `radio`. `input`: its id, name and value.
pub fn boxed(
    of: &str,
    (id, name, value): (&str, &str, &str),
    words: impl Render,
    is_chosen: bool,
) -> Markup {
    html! {
        span.box {
            input type=(of) id=(id) name=(name) value=(value) checked[is_chosen];
            label for=(id) { (words) }
        }
    }
}

/// A labelled field of several lines.
pub fn text_field(name: &str, label: &str, value: &str, note: Option<&str>) -> Markup {
    let described = described(name, note);
    let input =
        html! { textarea id=(name) name=(name) rows="4" aria-describedby=[described] { (value) } };
    labelled(name, label, input, note)
}

/// Markup that another part of the program has made, such as a plot.
pub fn raw(markup: &str) -> PreEscaped<&str> {
    PreEscaped(markup)
}
