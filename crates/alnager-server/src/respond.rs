//! What holds for every answer: headers that keep a browser from doing more than a page needs, and compression.

use std::io::Write as _;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;

/// What a page may do: style, script and pictures of its own, nothing inline, nobody else's frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Smaller answers are not worth compressing.
const COMPRESS_FROM: usize = 1_024;

/// Larger ones are sent as they are: nobody waits while they are compressed.
const COMPRESS_TO: usize = 4 << 20;

/// Adds the headers that every answer has, and compresses text.
pub async fn finish(request: Request, next: Next) -> Response {
    let accepts = accepts_gzip(request.headers());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=()",
        ),
        ("x-frame-options", "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(POLICY),
        );
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    match accepts && is_text(headers) {
        true => compressed(response).await,
        false => response,
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let value = headers.get(header::ACCEPT_ENCODING);
    let value = value.and_then(|value| value.to_str().ok());
    value.is_some_and(|value| {
        let mut codings = value.split(',').map(str::trim);
        codings.any(|coding| coding == "gzip" || coding.starts_with("gzip;q=1"))
    })
}

fn is_text(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE);
    let media = media
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let is_packed = headers.contains_key(header::CONTENT_ENCODING);
    !is_packed
        && (media.starts_with("text/")
            || media.contains("json")
            || media.contains("javascript")
            || media.contains("svg"))
}

async fn compressed(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let size = axum::body::HttpBody::size_hint(&body).exact();
    let is_worth =
        size.is_some_and(|size| (COMPRESS_FROM as u64..=COMPRESS_TO as u64).contains(&size));
    if !is_worth {
        return Response::from_parts(parts, body);
    }
    let Ok(bytes) = to_bytes(body, COMPRESS_TO).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let mut packer = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    let packed = packer.write_all(&bytes).and_then(|()| packer.finish());
    let Ok(packed) = packed else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    parts
        .headers
        .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts
        .headers
        .insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(packed))
}
