//! What is asked: queries, bodies and headers, checked before a handler sees them; and how an answer is sent.

use alnager_office::decide::{Command, Review};
use alnager_store::Receipt;
use axum::Json;
use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::api::once::{self, Fingerprint, KEY_BYTES_MAX, Known};
use crate::api::shape::{self, List, Written};
use crate::at::At;
use crate::refusal::Refusal;
use crate::sealing::Sealed;

/// The header that makes the same request twice one entry.
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Most bytes of a body, unless a route says otherwise.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;

/// The media type of a whole declaration.
pub(super) const TOML: &str = "text/toml";

/// A query, read into a type that knows every parameter.
pub(super) struct Ask<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Ask<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(query)) => Ok(Ask(query)),
            Err(rejection) => Err(complaint(&rejection.body_text())),
        }
    }
}

/// A request that changes something.
pub(super) struct Asked<const MAX: usize = BODY_BYTES_MAX> {
    /// Where it stands.
    pub(super) at: At,
    /// The body.
    pub(super) bytes: Bytes,
    /// The body's media type, without parameters.
    pub(super) media: String,
    once: Option<Once>,
    if_match: Option<String>,
}

/// The key of a request.
#[derive(Clone, Copy)]
struct Once {
    id: Uuid,
    is_entered: bool,
}

impl<S: Sync, const MAX: usize> FromRequest<S> for Asked<MAX> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let at = parts.extensions.get::<At>().cloned();
        let at = at.ok_or(Refusal::Internal)?;
        let media = media(&parts.headers);
        let bytes = to_bytes(body, MAX)
            .await
            .map_err(|_| Refusal::TooLarge(format!("the body has more than {MAX} bytes")))?;
        let if_match = text(&parts.headers, &header::IF_MATCH)?;
        let mut asked = Asked {
            at,
            bytes,
            media,
            once: None,
            if_match,
        };
        if let Some(key) = text(&parts.headers, &IDEMPOTENCY_KEY)? {
            asked.once = Some(asked.once(&parts, &key)?);
        }
        Ok(asked)
    }
}

impl<const MAX: usize> Asked<MAX> {
    fn once(&self, parts: &Parts, key: &str) -> Result<Once, Refusal> {
        let is_graphic = key.bytes().all(|byte| byte.is_ascii_graphic());
        if key.is_empty() || key.len() > KEY_BYTES_MAX || !is_graphic {
            return Err(Refusal::field(
                "Idempotency-Key",
                format!("a key has 1 to {KEY_BYTES_MAX} characters of ASCII, without spaces"),
            ));
        }
        let organisation = self.at.state().organisation.as_ref();
        let organisation = organisation.map_or("", |known| known.id.as_str());
        let id = once::id(organisation, &self.at.who.person, key);
        let known = self.at.organisation.onces.ask(id, self.fingerprint(parts));
        match known {
            Known::Other => Err(Refusal::field(
                "Idempotency-Key",
                "something else was asked under this key; give every request a key of its own"
                    .to_owned(),
            )),
            Known::New | Known::Entered => Ok(Once {
                id,
                is_entered: known == Known::Entered,
            }),
        }
    }

    fn fingerprint(&self, parts: &Parts) -> Fingerprint {
        let hash = Sha256::new()
            .chain_update(parts.method.as_str())
            .chain_update([0])
            .chain_update(parts.uri.path())
            .chain_update([0])
            .chain_update(&self.media)
            .chain_update([0])
            .chain_update(&self.bytes);
        hash.finalize().into()
    }

    /// The body as JSON, read into a type that knows every field.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        self.need_media(&["application/json"])?;
        match Json::<T>::from_bytes(&self.bytes) {
            Ok(Json(body)) => Ok(body),
            Err(rejection) => Err(match rejection.status() {
                StatusCode::UNPROCESSABLE_ENTITY => complaint(&rejection.body_text()),
                _ => Refusal::Malformed("the body is no JSON; see where it breaks off".to_owned()),
            }),
        }
    }

    /// Refuses a body of another media type.
    pub(super) fn need_media(&self, known: &[&str]) -> Result<(), Refusal> {
        match known.contains(&self.media.as_str()) {
            true => Ok(()),
            false => Err(Refusal::Media(format!(
                "send the body as `{}`, and say so in `Content-Type`",
                known.join("` or `")
            ))),
        }
    }

    /// Whether the same was asked under the same key before, and entered.
    pub(super) fn is_repeated(&self) -> bool {
        self.once.is_some_and(|once| once.is_entered)
    }

    /// Refuses to change a record that is another one now than `If-Match` says. Without that header nothing is refused; what was entered
    /// under the same key is answered again.
    pub(super) fn check_match(&self, tag: &str) -> Result<(), Refusal> {
        match self.matches(tag) || self.is_repeated() {
            true => Ok(()),
            false => Err(Refusal::Stale),
        }
    }

    /// Whether a record is the one that `If-Match` says; without that header it is.
    pub(super) fn matches(&self, tag: &str) -> bool {
        let wanted = self.if_match.as_deref();
        wanted.is_none_or(|wanted| wanted.trim() == "*" || names(wanted, tag))
    }

    /// Refuses a request without `If-Match`.
    pub(super) fn need_match(&self) -> Result<(), Refusal> {
        match self.if_match {
            Some(_) => Ok(()),
            None => Err(Refusal::Required(
                "say in `If-Match` which version you read: the `ETag` of the record".to_owned(),
            )),
        }
    }

    /// Enters a command for whoever asks.
    pub(super) async fn enter(&self, command: Command) -> Result<Receipt, Refusal> {
        self.enter_with(command, 0).await
    }

    /// The same, for a command that may need more new ids than a few.
    pub(super) async fn enter_with(
        &self,
        command: Command,
        n_ids: usize,
    ) -> Result<Receipt, Refusal> {
        let id = self.once.map(|once| once.id);
        let entered = self.at.enter_with(command, id, n_ids).await;
        if let Some(id) = id {
            let onces = &self.at.organisation.onces;
            match &entered {
                Ok(_) => onces.entered(id),
                Err(_) => onces.refused(id),
            }
        }
        entered
    }

    /// Seals a review for whoever asks.
    pub(super) async fn seal(&self, draft: Review) -> Result<Sealed, Refusal> {
        let id = self.once.map(|once| once.id);
        let organisation = &self.at.organisation;
        let sealed = organisation.seal(draft, &self.at.who.person, id).await;
        if let Some(id) = id {
            match &sealed {
                Ok(_) => organisation.onces.entered(id),
                Err(_) => organisation.onces.refused(id),
            }
        }
        sealed
    }

    /// The answer to what was entered: the receipt, and what was made as it is now.
    pub(super) fn written<T: Serialize>(
        &self,
        status: StatusCode,
        receipt: &Receipt,
        made: T,
    ) -> Result<Response, Refusal> {
        let written = Written {
            receipt: shape::Receipt::of(receipt),
            made,
        };
        Ok((status, Json(written)).into_response())
    }
}

fn media(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE);
    let value = value.and_then(|value| value.to_str().ok());
    let media = value.unwrap_or_default().split(';').next();
    media.unwrap_or_default().trim().to_ascii_lowercase()
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(_) => Err(Refusal::Malformed(format!(
            "the header `{name}` is no UTF-8"
        ))),
    }
}

/// Whether a list of tags, as headers have them, names one.
fn names(list: &str, tag: &str) -> bool {
    list.split(',').any(|one| one.trim() == tag)
}

/// What is wrong with a query or a body, with the field's name. `words`: as the reader has them, such as
/// `Failed to deserialize …: facts[0].value: invalid type: …`.
fn complaint(words: &str) -> Refusal {
    let words = words
        .strip_prefix("Failed to deserialize")
        .and_then(|rest| rest.split_once(": "))
        .map_or(words, |(_, rest)| rest);
    let words = words
        .rsplit_once(" at line ")
        .map_or(words, |(before, _)| before);
    let (path, rest) = match words.split_once(": ") {
        Some((path, rest)) if !path.contains([' ', '`']) => (path, rest),
        Some(_) | None => ("", words),
    };
    let named = ["missing field `", "unknown field `"]
        .into_iter()
        .find_map(|start| rest.strip_prefix(start)?.split('`').next());
    // The reader counts a field that is not known to its path already.
    let field = match named.filter(|name| !path.ends_with(name)) {
        Some(name) if path.is_empty() => name.to_owned(),
        Some(name) => format!("{path}.{name}"),
        None => path.to_owned(),
    };
    Refusal::Field {
        field,
        words: rest.to_owned(),
    }
}

/// A list as an answer.
pub(super) fn list<T: Serialize>(
    (items, next): (Vec<T>, Option<String>),
) -> Result<Response, Refusal> {
    Ok(Json(List { items, next }).into_response())
}

/// A record as an answer, with the tag of what it says; nothing where the asker has the same already.
pub(super) fn record<T: Serialize>(headers: &HeaderMap, record: &T) -> Result<Response, Refusal> {
    let tag = tag_of(record)?;
    tagged(headers, &tag, record)
}

/// The same, with a tag of its own.
pub(super) fn tagged<T: Serialize>(
    headers: &HeaderMap,
    tag: &str,
    record: &T,
) -> Result<Response, Refusal> {
    let value = HeaderValue::from_str(tag).map_err(|_| Refusal::Internal)?;
    let known = text(headers, &header::IF_NONE_MATCH)?;
    let mut response = match known.is_some_and(|known| names(&known, tag)) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Json(record).into_response(),
    };
    response.headers_mut().insert(header::ETAG, value);
    Ok(response)
}

/// The tag of what a record says.
pub(super) fn tag_of<T: Serialize>(record: &T) -> Result<String, Refusal> {
    let bytes = serde_json::to_vec(record).map_err(|_| Refusal::Internal)?;
    let hash = alnager_work::library::sha256(&bytes);
    Ok(format!("\"{}\"", &hash[..32]))
}

/// Works something out that takes more than a moment, away from the threads that answer.
pub(super) async fn worked_out<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Refusal::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &str, field: &str, want: &str) {
        let found = complaint(words);
        let want = Refusal::Field {
            field: field.to_owned(),
            words: want.to_owned(),
        };
        assert_eq!(found, want);
    }

    #[test]
    fn a_complaint_names_the_field() {
        check(
            "Failed to deserialize the JSON body into the target type: facts[0].value: invalid type: map, expected a text at line 1 column 20",
            "facts[0].value",
            "invalid type: map, expected a text",
        );
        check(
            "Failed to deserialize the JSON body into the target type: missing field `text` at line 1 column 2",
            "text",
            "missing field `text`",
        );
        check(
            "Failed to deserialize the JSON body into the target type: answers[1]: missing field `basis` at line 1 column 2",
            "answers[1].basis",
            "missing field `basis`",
        );
        check(
            "Failed to deserialize query string: limit: invalid digit found in string",
            "limit",
            "invalid digit found in string",
        );
    }
}
