//! Every page, one file a room; and the routes that lead to them.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::handler::Handler as _;
use axum::response::{IntoResponse, Response};
use maud::html;

use crate::access::Action;
use crate::api;
use crate::asset;
use crate::house::House;
use crate::metrics;
use crate::page::{self, Room};
use crate::pages::systems::import;
use crate::route::{Routes, see_other};
use crate::session;
use crate::words::EN;

mod account;
mod answer;
mod evidence;
mod gate;
mod intake;
mod journal;
mod lab;
mod law;
mod people;
mod search;
mod setup;
mod shared;
mod sign_in;
mod specimen;
mod system;
mod systems;
mod tasks;
mod today;
mod views;

pub use today::Needs;

/// Every route of the server.
pub fn routes(house: Arc<House>) -> Routes {
    let routes = Routes::new(house)
        .get("/", Action::Enter, front)
        .get("/static/{version}/{name}", Action::Enter, asset::file)
        .get("/healthz", Action::Enter, healthy)
        .get("/readyz", Action::Enter, ready)
        .get("/specimen", Action::Enter, specimen::show)
        .get(metrics::PATH, Action::Enter, metrics::show)
        .get("/{org}", Action::Enter, inside)
        .get(session::SETUP, Action::Enter, setup::form)
        .post(session::SETUP, Action::Enter, setup::open)
        .get("/{org}/sign-in", Action::Enter, sign_in::form)
        .post("/{org}/sign-in", Action::Enter, sign_in::enter)
        .get("/{org}/welcome/{link}", Action::Enter, sign_in::welcome)
        .post("/{org}/welcome/{link}", Action::Enter, sign_in::settle)
        .post("/{org}/sign-out", Action::Account, account::sign_out)
        .get("/{org}/account", Action::Account, account::show)
        .post(
            "/{org}/account/password",
            Action::Account,
            account::change_password,
        )
        .post("/{org}/account/tokens", Action::Account, account::add_token)
        .post(
            "/{org}/account/tokens/{token}/end",
            Action::Account,
            account::end_token,
        )
        .get("/{org}/today", Action::Read, today::show)
        .get("/{org}/search", Action::Read, search::show)
        .get("/{org}/lab", Action::Read, lab::show)
        .upload(
            "/{org}/lab",
            Action::Audit,
            lab::UPLOAD_BYTES_MAX,
            lab::upload,
        )
        .get("/{org}/lab/{upload}", Action::Audit, lab::show_upload)
        .post("/{org}/lab/{upload}/measure", Action::Audit, lab::measure)
        .post("/{org}/lab/{upload}/again", Action::Audit, lab::again)
        .get("/{org}/lab/{upload}/report", Action::Audit, lab::report)
        .post("/{org}/lab/{upload}/seal", Action::Audit, lab::seal)
        .get("/{org}/systems", Action::Read, systems::show)
        .get("/{org}/systems.csv", Action::Read, systems::csv)
        .post("/{org}/views/{list}", Action::Account, views::save)
        .post("/{org}/views/{list}/drop", Action::Account, views::drop)
        .get("/{org}/systems/import", Action::Declare, import::form)
        .post(
            "/{org}/systems/import",
            Action::Declare,
            import::send.layer(DefaultBodyLimit::max(import::FORM_BYTES_MAX)),
        )
        .get(
            "/{org}/systems/import/{import}",
            Action::Declare,
            import::look,
        )
        .post(
            "/{org}/systems/import/{import}",
            Action::Declare,
            import::confirm,
        )
        .get("/{org}/systems/{system}", Action::Read, system::show)
        .get(
            "/{org}/systems/{system}/measures",
            Action::Read,
            system::measures::show,
        )
        .get(
            "/{org}/systems/{system}/facts/{fact}",
            Action::Read,
            system::fact::show,
        )
        .post(
            "/{org}/systems/{system}/facts/{fact}",
            Action::Answer,
            system::fact::answer,
        )
        .post(
            "/{org}/systems/{system}/facts/{fact}/confirm",
            Action::Confirm,
            system::fact::confirm,
        )
        .get(
            "/{org}/systems/{system}/requirements/{requirement}",
            Action::Read,
            system::requirement::show,
        )
        .upload(
            "/{org}/systems/{system}/requirements/{requirement}/evidence",
            Action::Submit,
            system::requirement::FORM_BYTES_MAX,
            system::requirement::submit,
        )
        .get(
            "/{org}/systems/{system}/opinion",
            Action::Opine,
            system::opinion::form,
        )
        .post(
            "/{org}/systems/{system}/opinion",
            Action::Opine,
            system::opinion::give,
        )
        .post(
            "/{org}/opinions/{opinion}/withdraw",
            Action::Opine,
            system::opinion::withdraw,
        )
        .get("/{org}/people", Action::Administer, people::show)
        .post("/{org}/people", Action::Administer, people::invite)
        .post(
            "/{org}/people/{person}/roles",
            Action::Administer,
            people::change_roles,
        )
        .post(
            "/{org}/people/{person}/link",
            Action::Administer,
            people::new_link,
        )
        .post(
            "/{org}/people/{person}/close",
            Action::Administer,
            people::close,
        )
        .post("/{org}/comments", Action::Comment, shared::comment);
    let routes = law::routes(intake::routes(routes));
    let routes = journal::routes(evidence::routes(gate::routes(routes)));
    api::routes(tasks::routes(routes))
}

/// The front door: into the only organisation, or a choice.
async fn front(State(house): State<Arc<House>>) -> Response {
    if let Some(seat) = house.only() {
        return see_other(&format!("/{}", seat.slug));
    }
    let list = html! {
        ul { @for slug in house.seats.keys() { li { a href={ "/" (slug) } { (slug) } } } }
    };
    page::bare(EN.sign_in.choose, list).into_response()
}

/// Into an organisation.
async fn inside(
    axum::extract::Path(org): axum::extract::Path<String>,
    State(house): State<Arc<House>>,
) -> Response {
    match house.seats.get(&org).and_then(|seat| seat.organisation()) {
        Some(_) => see_other(&format!("/{org}{}", Room::Today.path())),
        None => session::not_set_up(),
    }
}

/// The process answers.
async fn healthy() -> &'static str {
    "ok\n"
}

/// Every desk is open and every system worked out.
async fn ready(State(house): State<Arc<House>>) -> Response {
    let mut open = house.seats.values().filter_map(|seat| seat.organisation());
    match open.all(|organisation| organisation.moment().n_behind == 0) {
        true => "ready\n".into_response(),
        false => (axum::http::StatusCode::SERVICE_UNAVAILABLE, "working out\n").into_response(),
    }
}
