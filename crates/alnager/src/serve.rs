//! `alnager serve` and `alnager demo`: the desk in the browser.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use alnager_server::demo;
use alnager_server::folder::Folder;
use alnager_server::house::{House, Options, Seat};
use alnager_store::Place;
use alnager_work::error::JobError;
use clap::Args;
use jiff::tz::TimeZone;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::settings;
use crate::terminal::say;

/// Where the server listens, and how people reach it.
#[derive(Debug, Args)]
pub(crate) struct Listening {
    /// The address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8420")]
    listen: SocketAddr,
    /// The address people use, such as https://alnager.example.org, where a proxy with TLS stands before the server
    #[arg(long, value_name = "URL")]
    public: Option<String>,
    /// The time zone that says which day it is
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
}

/// What `alnager serve` understands.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Desks of further organisations; nothing is shared between them
    #[arg(value_name = "DIR|URL")]
    further: Vec<String>,
    #[command(flatten)]
    listening: Listening,
}

/// What `alnager demo` understands.
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    #[command(flatten)]
    listening: Listening,
}

/// Serves the desk, and those of further organisations.
pub(crate) async fn serve(desk: &str, arguments: &ServeArguments) -> Result<(), JobError> {
    let desks = std::iter::once(desk).chain(arguments.further.iter().map(String::as_str));
    let places = desks.map(settings::place).collect::<Result<Vec<_>, _>>()?;
    let (listener, options) = arguments.listening.open().await?;
    let house = House::open(places, options).await?;
    let address = address(&listener, &house)?;
    for seat in house.seats.values() {
        say(&greeting(&address, seat));
    }
    until_told(house, listener).await
}

/// What is said of one organisation as the server starts.
fn greeting(address: &str, seat: &Seat) -> String {
    match seat.is_vacant() {
        true => format!(
            "{}: not set up yet; open this once to set it up\n  {address}/{}/setup?key={}",
            seat.place,
            seat.slug,
            seat.setup.reveal()
        ),
        false => format!("{}: {address}/{}", seat.place, seat.slug),
    }
}

/// Opens a desk with a small organisation made of the examples, and serves it.
pub(crate) async fn show(desk: Option<PathBuf>, arguments: &DemoArguments) -> Result<(), JobError> {
    let temporary;
    let folder = match desk {
        Some(folder) => folder,
        None => {
            temporary = Folder::new()?;
            temporary.path().join("example-group")
        }
    };
    let (listener, options) = arguments.listening.open().await?;
    let place = Place::from(folder.as_path());
    demo::fill(&place).await?;
    let house = House::open(vec![place], options).await?;
    let address = address(&listener, &house)?;
    for seat in house.seats.values() {
        for (who, path) in demo::links(seat).await? {
            say(&format!("{who}\n  {address}{path}"));
        }
    }
    until_told(house, listener).await
}

async fn until_told(house: House, listener: TcpListener) -> Result<(), JobError> {
    let (end, ending) = watch::channel(false);
    tokio::spawn(async move {
        told_to_end().await;
        end.send_replace(true);
    });
    alnager_server::run(Arc::new(house), listener, ending).await
}

#[cfg(unix)]
async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}

#[cfg(not(unix))]
async fn told_to_end() {
    let _ = tokio::signal::ctrl_c().await;
}

fn address(listener: &TcpListener, house: &House) -> Result<String, JobError> {
    if let Some(public) = &house.options.public {
        return Ok(public.clone());
    }
    let local = listener.local_addr();
    let local = local.map_err(|error| {
        JobError::Internal(format!("the address listened on is not known: {error}"))
    })?;
    Ok(format!("http://{local}"))
}

impl Listening {
    /// Checks what was said, and listens.
    async fn open(&self) -> Result<(TcpListener, Options), JobError> {
        let zone = TimeZone::get(&self.time_zone).map_err(|_| {
            JobError::Input(format!(
                "`{}` is no time zone; give one such as Europe/Berlin with --time-zone",
                self.time_zone
            ))
        })?;
        let public = self.public.as_deref().map(public).transpose()?;
        let listener = TcpListener::bind(self.listen).await.map_err(|error| {
            JobError::Input(format!(
                "cannot listen on `{}` ({error}); name another address with --listen, or port 0 for a free one",
                self.listen
            ))
        })?;
        let program = std::env::current_exe().map_err(|error| {
            JobError::Internal(format!("the place of this program is not known: {error}"))
        })?;
        let options = Options {
            public,
            zone,
            program,
        };
        Ok((listener, options))
    }
}

/// The address people use: scheme and host, as browsers send them.
fn public(url: &str) -> Result<String, JobError> {
    let url = url.trim_end_matches('/');
    let host = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => {
            Ok(url.to_ascii_lowercase())
        }
        Some(_) | None => Err(JobError::Input(format!(
            "`{url}` is no address of a whole server; give one such as https://alnager.example.org with --public"
        ))),
    }
}
