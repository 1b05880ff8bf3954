//! Problem documents: how the API says that it does not do something.
//!
//! Source: RFC 9457.

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::refusal::Refusal;

/// The media type of a problem document.
pub const MEDIA: &str = "application/problem+json";

/// Why something is not done.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem it is: `about:blank#` and a word that stays the same.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// What is wrong and what to do, in a sentence.
    pub detail: String,
    /// The field, parameter or header that is wrong, such as `answers[0].value`; left out where it is none in particular.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// A refusal as a problem document.
pub fn document(refusal: &Refusal) -> Response {
    let status = refusal.status();
    let problem = Problem {
        kind: format!("about:blank#{}", refusal.word()),
        title: status.canonical_reason().unwrap_or("Problem").to_owned(),
        status: status.as_u16(),
        detail: refusal.to_string(),
        field: refusal.named_field().map(str::to_owned),
    };
    let mut response = (status, Json(problem)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA));
    if *refusal == Refusal::SignIn {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
