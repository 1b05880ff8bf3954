//! The desk in the browser: pages, sign-in, background work, for several organisations that share nothing.
//!
//! A request passes one guard ([`route`]) that knows who asks, whether what the address names exists, and whether they may. A handler then
//! reads one [`moment::Moment`] and renders a page, or enters a command and sends the browser on. Pages are made here; what they say of
//! law, tests and gates is worked out in the crates below.

pub mod access;
pub mod api;
pub mod asset;
pub mod at;
pub mod child;
pub mod demo;
pub mod digest;
pub mod export;
pub mod folder;
pub mod form;
pub mod house;
pub mod import;
pub mod inventory;
pub mod lab;
pub mod limit;
pub mod log;
pub mod metrics;
pub mod moment;
pub mod organisation;
pub mod page;
pub mod pages;
pub mod problem;
pub mod refusal;
pub mod respond;
pub mod route;
pub mod sealing;
pub mod secret;
pub mod serve;
pub mod session;
pub mod texts;
pub mod uploads;
pub mod words;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use alnager_work::error::JobError;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::house::House;

/// Serves a house until told to end.
pub async fn run(
    house: Arc<House>,
    listener: TcpListener,
    ending: watch::Receiver<bool>,
) -> Result<(), JobError> {
    let router = pages::routes(house).into_router();
    let served = serve::serve(listener, router, ending).await;
    served.map_err(|error| JobError::Internal(format!("the server cannot go on: {error}")))
}
