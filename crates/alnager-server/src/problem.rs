//! Problem documents: how the API says that it does not do something.
//!
//! Source: RFC 9457.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::refusal::Refusal;

/// The media type of a problem document.
pub const MEDIA: &str = "application/problem+json";

/// A refusal as a problem document.
pub fn document(refusal: &Refusal) -> Response {
    let status = refusal.status();
    let body = json!({
        "type": format!("about:blank#{}", refusal.word()),
        "title": status.canonical_reason().unwrap_or("Problem"),
        "status": status.as_u16(),
        "detail": refusal.to_string(),
    });
    let mut response = (status, [(header::CONTENT_TYPE, MEDIA)], body.to_string()).into_response();
    if *refusal == Refusal::SignIn {
        let challenge = header::HeaderValue::from_static("Bearer");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
