//! Files that the server carries: style, script, pictures.

use std::sync::OnceLock;

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::page;
use crate::refusal::Refusal;

/// Name, media type and bytes of every file.
const FILES: &[(&str, &str, &[u8])] = &[
    (
        "style.css",
        "text/css; charset=utf-8",
        include_bytes!("../assets/style.css"),
    ),
    (
        "desk.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../assets/desk.js"),
    ),
    (
        "htmx.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../assets/htmx.min.js"),
    ),
    (
        "seal.svg",
        "image/svg+xml",
        include_bytes!("../assets/seal.svg"),
    ),
];

/// A word that changes with the files, so that a browser may keep each for good.
pub fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let mut hash = Sha256::new();
        for (name, _, bytes) in FILES {
            hash.update(name.as_bytes());
            hash.update(bytes);
        }
        let hash: [u8; 32] = hash.finalize().into();
        alnager_work::library::hex(&hash[..6])
    })
}

/// Sends a file.
pub async fn file(Path((_, name)): Path<(String, String)>) -> Response {
    let Some((_, media, bytes)) = FILES.iter().find(|(known, ..)| *known == name) else {
        return page::bare_refusal(&Refusal::NotFound).into_response();
    };
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    let media = HeaderValue::from_static(media);
    let headers = [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, kept)];
    (headers, *bytes).into_response()
}
