//! Asking witnesses to cosign a checkpoint: all at the same time, each for itself.
//!
//! A witness that hangs, lies or answers nonsense costs its own line and nothing else.

use std::time::Duration;

use alnager_journal::checkpoint::SignedCheckpoint;
use alnager_journal::merkle::Hash;
use alnager_journal::witness::{Cosignature, REPLY_LEN_MAX, Reply, ReplyError, Request};
use tokio::task::JoinHandle;
use ureq::Agent;

use super::Clock;
use super::listed::Listed;
use crate::error::JobError;
use crate::law::watch::http::{WatchError, proxy};

/// The longest wait for one answer.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What came of asking one witness.
#[derive(Debug)]
pub struct Asked {
    /// The witness.
    pub witness: Listed,
    /// Its cosignature, which was checked, or why there is none.
    pub answer: Result<Cosignature, AskError>,
}

/// Why a witness gave no cosignature.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It answered, and there is nothing to keep.
    #[error(transparent)]
    Reply(#[from] ReplyError),
    /// The proxy in the environment cannot be used.
    #[error("it was not asked")]
    Proxy(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nothing was answered.
    #[error("it could not be asked; check network, address and proxy")]
    Connection(#[source] Box<ureq::Error>),
    /// The answer took too long.
    #[error("it did not answer within {} s; ask again later", patience.as_secs_f32())]
    Slow {
        /// The bound.
        patience: Duration,
    },
    /// It named a size twice.
    #[error("it cosigned another checkpoint meanwhile; submit again")]
    Moved,
    /// The machine did not ask.
    #[error("it was not asked: {0}")]
    Internal(String),
}

/// An answer before it is judged: status, media type, body.
type Answer = (u16, String, Vec<u8>);

/// Asks each witness to cosign the checkpoint, whose log proves with `prove(old)` that it continues its first `old` entries.
///
/// First with an old size of 0, which a witness that has cosigned before answers with the size it holds; then with the proof from
/// there. `environment` gives the proxy, by the usual names. An error is one of `prove`.
pub async fn ask(
    checkpoint: &SignedCheckpoint,
    witnesses: &[Listed],
    patience: Duration,
    clock: Clock,
    environment: &dyn Fn(&str) -> Option<String>,
    prove: impl AsyncFn(u64) -> Result<Vec<Hash>, JobError>,
) -> Result<Vec<Asked>, JobError> {
    let read = |answer: Result<Answer, AskError>, witness: &Listed| {
        let (status, media_type, body) = answer?;
        let key = &witness.key;
        Ok(Reply::read(
            status,
            &media_type,
            &body,
            checkpoint,
            key,
            clock(),
        )?)
    };
    let request = |old, proof| Request {
        old,
        proof,
        checkpoint: checkpoint.clone(),
    };
    let mut first = Vec::new();
    for witness in witnesses {
        first.push(post(
            witness,
            &request(0, Vec::new()),
            patience,
            environment,
        ));
    }
    let mut then = Vec::new();
    for (witness, sent) in witnesses.iter().zip(first) {
        then.push(match read(finish(sent).await, witness) {
            Ok(Reply::Cosigned(cosignature)) => Err(Ok(cosignature)),
            Err(error) => Err(Err(error)),
            Ok(Reply::Holds { size }) => {
                let request = request(size, prove(size).await?);
                Ok(post(witness, &request, patience, environment))
            }
        });
    }
    let mut all = Vec::new();
    for (witness, sent) in witnesses.iter().zip(then) {
        let answer = match sent {
            Err(settled) => settled,
            Ok(sent) => match read(finish(sent).await, witness) {
                Ok(Reply::Cosigned(cosignature)) => Ok(cosignature),
                Ok(Reply::Holds { .. }) => Err(AskError::Moved),
                Err(error) => Err(error),
            },
        };
        all.push(Asked {
            witness: witness.clone(),
            answer,
        });
    }
    Ok(all)
}

type Sent = Result<JoinHandle<Result<Answer, AskError>>, AskError>;

/// Sends a request on a thread of its own.
fn post(
    witness: &Listed,
    request: &Request,
    patience: Duration,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Sent {
    let wrong = |error: WatchError| AskError::Proxy(Box::new(error));
    let config = Agent::config_builder()
        .proxy(proxy(&witness.url, environment).map_err(wrong)?)
        .timeout_global(Some(patience))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent(concat!("alnager/", env!("CARGO_PKG_VERSION")))
        .build();
    let agent = Agent::new_with_config(config);
    let url = format!("{}/add-checkpoint", witness.url);
    let body = request.to_string();
    Ok(tokio::task::spawn_blocking(move || {
        let failed = |error: ureq::Error| match error {
            ureq::Error::Timeout(_) => AskError::Slow { patience },
            ureq::Error::BodyExceedsLimit(_) => AskError::Reply(ReplyError::Garbage {
                reason: "it is too long",
            }),
            error => AskError::Connection(Box::new(error)),
        };
        let mut response = agent.post(&url).send(body.as_bytes()).map_err(failed)?;
        let media_type = response.headers().get("content-type");
        let media_type = media_type.and_then(|value| value.to_str().ok());
        let media_type = media_type.unwrap_or_default().to_owned();
        let limited = response.body_mut().with_config();
        let body = limited.limit(REPLY_LEN_MAX as u64).read_to_vec();
        Ok((
            response.status().as_u16(),
            media_type,
            body.map_err(failed)?,
        ))
    }))
}

async fn finish(sent: Sent) -> Result<Answer, AskError> {
    let ended = sent?.await;
    ended.unwrap_or_else(|error| Err(AskError::Internal(error.to_string())))
}
