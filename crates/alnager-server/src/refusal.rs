//! Why a request is not served, for a person and for a program.

use alnager_office::decide::Refused;
use alnager_store::{CommitError, StoreError};
use alnager_work::error::JobError;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Why a request is not served. It becomes a page or a problem document, whichever was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody is signed in.
    #[error("sign in first")]
    SignIn,
    /// There is no such thing, or it belongs to somebody else: both look the same.
    #[error("there is nothing here")]
    NotFound,
    /// The person may not.
    #[error("{0}")]
    Forbidden(String),
    /// Something about the input is wrong.
    #[error("{0}")]
    Invalid(String),
    /// A field, a parameter or a header is wrong.
    #[error("{}{words}", named(field))]
    Field {
        /// Which one.
        field: String,
        /// What is wrong with it.
        words: String,
    },
    /// The request cannot be read at all.
    #[error("{0}")]
    Malformed(String),
    /// The body has a media type that is not read here.
    #[error("{0}")]
    Media(String),
    /// The path has other methods.
    #[error("this path has other methods; `Allow` says which")]
    Method,
    /// The request must say which version it is about.
    #[error("{0}")]
    Required(String),
    /// Somebody else changed it meanwhile.
    #[error("{0}")]
    Conflict(String),
    /// The version the request expects is not the one there is.
    #[error("what you read has changed since; read it again, and decide on what it says now")]
    Stale,
    /// Too much at once.
    #[error("{0}")]
    TooLarge(String),
    /// Too often.
    #[error("too many attempts; try again in {minutes} minutes")]
    TooOften {
        /// How long to wait.
        minutes: u64,
    },
    /// The desk cannot be used now.
    #[error("{0}")]
    Unavailable(String),
    /// The machine did not do its part.
    #[error("something went wrong here; it is in the server's log")]
    Internal,
}

impl Refusal {
    /// The status it has in HTTP.
    pub fn status(&self) -> StatusCode {
        match self {
            Refusal::SignIn => StatusCode::UNAUTHORIZED,
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::Forbidden(_) => StatusCode::FORBIDDEN,
            Refusal::Invalid(_) | Refusal::Field { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::Malformed(_) => StatusCode::BAD_REQUEST,
            Refusal::Media(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refusal::Method => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Required(_) => StatusCode::PRECONDITION_REQUIRED,
            Refusal::Conflict(_) => StatusCode::CONFLICT,
            Refusal::Stale => StatusCode::PRECONDITION_FAILED,
            Refusal::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::TooOften { .. } => StatusCode::TOO_MANY_REQUESTS,
            Refusal::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Its word: what a problem document calls it.
    pub fn word(&self) -> &'static str {
        match self {
            Refusal::SignIn => "sign-in",
            Refusal::NotFound => "not-found",
            Refusal::Forbidden(_) => "forbidden",
            Refusal::Invalid(_) | Refusal::Field { .. } => "invalid",
            Refusal::Malformed(_) => "malformed",
            Refusal::Media(_) => "media",
            Refusal::Method => "method",
            Refusal::Required(_) => "required",
            Refusal::Conflict(_) => "conflict",
            Refusal::Stale => "stale",
            Refusal::TooLarge(_) => "too-large",
            Refusal::TooOften { .. } => "too-often",
            Refusal::Unavailable(_) => "unavailable",
            Refusal::Internal => "internal",
        }
    }

    /// A field that is wrong.
    pub fn field(field: &str, words: String) -> Refusal {
        Refusal::Field {
            field: field.to_owned(),
            words,
        }
    }

    /// The field, parameter or header that is wrong, where it is one.
    pub fn named_field(&self) -> Option<&str> {
        match self {
            Refusal::Field { field, .. } => Some(field.as_str()).filter(|field| !field.is_empty()),
            Refusal::SignIn
            | Refusal::NotFound
            | Refusal::Forbidden(_)
            | Refusal::Invalid(_)
            | Refusal::Malformed(_)
            | Refusal::Media(_)
            | Refusal::Method
            | Refusal::Required(_)
            | Refusal::Conflict(_)
            | Refusal::Stale
            | Refusal::TooLarge(_)
            | Refusal::TooOften { .. }
            | Refusal::Unavailable(_)
            | Refusal::Internal => None,
        }
    }
}

fn named(field: &str) -> String {
    match field {
        "" => String::new(),
        field => format!("`{field}`: "),
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let words = for_browsers(&refused.to_string());
        match refused {
            Refused::Changed { .. } | Refused::OtherValue { .. } => Refusal::Conflict(words),
            Refused::NoSystem { .. }
            | Refused::NoEvidence { .. }
            | Refused::NoTask { .. }
            | Refused::NoOpinion { .. } => Refusal::NotFound,
            Refused::NotAuditor => Refusal::Forbidden(words),
            _ => Refusal::Invalid(words),
        }
    }
}

/// The office's words were written for the command line: what they say in brackets about its flags is of no use on a page.
pub fn for_browsers(words: &str) -> String {
    let mut shown = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(start) = rest.find(" (") {
        let (before, bracket) = rest.split_at(start);
        shown.push_str(before);
        let end = bracket.find(')').map_or(bracket.len(), |end| end + 1);
        let (bracket, after) = bracket.split_at(end);
        if !bracket.contains("--") && !bracket.contains("`alnager ") {
            shown.push_str(bracket);
        }
        rest = after;
    }
    shown.push_str(rest);
    shown
}

impl From<CommitError> for Refusal {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Refused(refused) => Refusal::from(*refused),
            CommitError::Conflict { .. } => Refusal::Stale,
            CommitError::Store(error) => Refusal::from(error),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        logged(&error);
        match error {
            StoreError::Busy { .. } | StoreError::ReadOnly { .. } | StoreError::Stopped => {
                Refusal::Unavailable(error.to_string())
            }
            StoreError::Forked { .. } => Refusal::Unavailable(error.to_string()),
            _ => Refusal::Internal,
        }
    }
}

impl From<JobError> for Refusal {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Refused(refused) => Refusal::from(refused),
            JobError::Store(error) => Refusal::from(error),
            JobError::Read(_) | JobError::Probe(_) | JobError::Input(_) => {
                Refusal::Invalid(for_browsers(&error.to_string()))
            }
            JobError::File { .. } | JobError::Internal(_) => {
                logged(&error);
                Refusal::Internal
            }
        }
    }
}

impl From<alnager_store::AccountError> for Refusal {
    fn from(error: alnager_store::AccountError) -> Self {
        match error {
            alnager_store::AccountError::Store(error) => Refusal::from(error),
            other => Refusal::Invalid(other.to_string()),
        }
    }
}

impl IntoResponse for Refusal {
    /// A bare answer; the guard of the route makes a page or a problem document of it.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Tells whoever runs the server, with the causes.
pub fn logged(error: &dyn std::error::Error) {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(&format!(": {error}"));
        cause = error.source();
    }
    crate::log::error("request", &words);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &str, want: &str) {
        assert_eq!(for_browsers(words), want);
    }

    #[test]
    fn what_only_the_command_line_knows_is_left_out() {
        check(
            "`E1` was submitted by the same person; someone else must decide on it (act as another person with --as NAME)",
            "`E1` was submitted by the same person; someone else must decide on it",
        );
        check(
            "it asks (once) for this (`alnager review DIR`), and that",
            "it asks (once) for this, and that",
        );
        check("open (bracket", "open (bracket");
    }
}
