//! A witness over HTTP: `POST /add-checkpoint` and `GET /<hex SHA-256 of the origin>/checkpoint`, bounded in everything.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use alnager_journal::witness::{REQUEST_LEN_MAX, Refusal};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;

use super::Clock;
use super::folder::{Cosigned, Witness};
use crate::error::JobError;
use crate::verify::with_causes;

const WORDS: &str = "text/plain; charset=utf-8";

/// What a witness puts up with. The longest request has [`REQUEST_LEN_MAX`] bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most connections at a time; further ones wait.
    pub n_connections_max: usize,
    /// Longest life of a connection, with all its requests.
    pub connection: Duration,
    /// Longest time for one request, from its head to the answer.
    pub request: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            n_connections_max: 64,
            connection: Duration::from_secs(60),
            request: Duration::from_secs(10),
        }
    }
}

/// What happened, for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// A checkpoint was cosigned.
    Cosigned {
        /// The log.
        origin: String,
        /// Its number of entries.
        size: u64,
    },
    /// A log signed what does not continue what was cosigned before, or proved it wrongly.
    Inconsistent {
        /// The request, which may be evidence against the log.
        request: String,
    },
    /// A request could not be answered.
    Failed {
        /// Why, in words.
        why: String,
    },
}

struct Served {
    witness: Witness,
    clock: Clock,
    tell: Box<dyn Fn(Happened) + Send + Sync>,
    limits: Limits,
}

/// Binds an address, such as `127.0.0.1:8731`; port 0 takes a free one.
pub async fn bind(address: &str) -> Result<(TcpListener, SocketAddr), JobError> {
    let bound = match TcpListener::bind(address).await {
        Ok(listener) => listener.local_addr().map(|local| (listener, local)),
        Err(error) => Err(error),
    };
    bound.map_err(|error| {
        JobError::Input(format!(
            "`{address}` cannot be listened at: {error}; give a free address with --listen"
        ))
    })
}

/// Completes when the process is asked to stop: by an interrupt, or, where there is such a signal, a request to terminate.
pub async fn stop_asked() -> Result<(), JobError> {
    let failed = |error| JobError::Internal(format!("no signal can be waited for: {error}"));
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        std::future::poll_fn(|cx| {
            match interrupt.poll_recv(cx).is_ready() || terminate.poll_recv(cx).is_ready() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
        Ok(())
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(failed)
}

/// Serves until `stop` completes; requests under way are answered.
pub async fn serve(
    witness: Witness,
    listener: TcpListener,
    limits: Limits,
    clock: Clock,
    tell: impl Fn(Happened) + Send + Sync + 'static,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), JobError> {
    let served = Arc::new(Served {
        witness,
        clock,
        tell: Box::new(tell),
        limits,
    });
    let router = Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{origin}/checkpoint", get(checkpoint))
        .layer(middleware::from_fn_with_state(Arc::clone(&served), in_time))
        .layer(DefaultBodyLimit::max(REQUEST_LEN_MAX))
        .with_state(served);
    let listener = Bounded {
        listener,
        places: Arc::new(Semaphore::new(limits.n_connections_max)),
        life: limits.connection,
    };
    axum::serve(listener, router)
        .with_graceful_shutdown(stop)
        .await
        .map_err(|error| JobError::Internal(format!("the witness stopped: {error}")))
}

async fn in_time(State(served): State<Arc<Served>>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(served.limits.request, next.run(request)).await {
        Ok(response) => response,
        Err(_) => words(StatusCode::REQUEST_TIMEOUT, "the request took too long"),
    }
}

async fn add_checkpoint(State(served): State<Arc<Served>>, body: Bytes) -> Response {
    let asked = Arc::clone(&served);
    let bytes = body.clone();
    let answered = tokio::task::spawn_blocking(move || {
        let now_s = (asked.clock)();
        asked.witness.add_checkpoint(&bytes, now_s)
    });
    match answered.await {
        Ok(Ok(Ok(Cosigned { origin, size, line }))) => {
            (served.tell)(Happened::Cosigned { origin, size });
            words(StatusCode::OK, &line.to_string())
        }
        Ok(Ok(Err(refusal))) => {
            if matches!(refusal, Refusal::Inconsistent(_)) {
                let request = String::from_utf8_lossy(&body).into_owned();
                (served.tell)(Happened::Inconsistent { request });
            }
            let status = StatusCode::from_u16(refusal.status());
            let (media_type, body) = refusal.body();
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, [(header::CONTENT_TYPE, media_type)], body).into_response()
        }
        Ok(Err(error)) => served.failed(with_causes(&error)),
        Err(error) => served.failed(error.to_string()),
    }
}

async fn checkpoint(State(served): State<Arc<Served>>, Path(origin): Path<String>) -> Response {
    let asked = Arc::clone(&served);
    let found = tokio::task::spawn_blocking(move || asked.witness.checkpoint(&origin));
    match found.await {
        Ok(Ok(Some(text))) => {
            // It changes with every checkpoint.
            let head = [
                (header::CONTENT_TYPE, WORDS),
                (header::CACHE_CONTROL, "no-cache"),
            ];
            (head, text).into_response()
        }
        Ok(Ok(None)) => words(
            StatusCode::NOT_FOUND,
            "this witness has cosigned no checkpoint of such a log",
        ),
        Ok(Err(error)) => served.failed(with_causes(&error)),
        Err(error) => served.failed(error.to_string()),
    }
}

impl Served {
    /// What went wrong here is the operator's to know, not the sender's.
    fn failed(&self, why: String) -> Response {
        (self.tell)(Happened::Failed { why });
        words(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the witness could not answer; its operator is told why",
        )
    }
}

fn words(status: StatusCode, text: &str) -> Response {
    (status, [(header::CONTENT_TYPE, WORDS)], format!("{text}\n")).into_response()
}

/// A listener with a bound on how many connections there are, and how long each lives: a peer that sends nothing, or a byte now and
/// then, takes one place for a while and no more.
struct Bounded {
    listener: TcpListener,
    places: Arc<Semaphore>,
    life: Duration,
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // The semaphore is never closed, so there is always a permit in the end.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let connection = Connection {
            stream,
            end: Box::pin(tokio::time::sleep(self.life)),
            _place: place,
        };
        (connection, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that fails when its time is over.
struct Connection {
    stream: TcpStream,
    end: Pin<Box<Sleep>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Connection {
    fn in_time(&mut self, cx: &mut Context<'_>) -> io::Result<Pin<&mut TcpStream>> {
        match self.end.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(Pin::new(&mut self.stream)),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.in_time(cx)?.poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.in_time(cx)?.poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.in_time(cx)?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.in_time(cx)?.poll_shutdown(cx)
    }
}
