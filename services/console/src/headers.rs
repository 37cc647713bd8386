//! What is answered: the file, "not changed", or "not here", with the headers that hold the browser to this server.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::files::File;

/// Scripts come from here alone and never from within a page. Styles in attributes are the map library's; blob workers its too.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Kept, and asked about each time: a new build shows at once.
const ASK_AGAIN: &str = "no-cache";

/// The answer to a request for `file`.
pub(crate) fn respond(method: &Method, asked: &HeaderMap, file: Option<&File>) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    let Some(file) = file else {
        return (StatusCode::NOT_FOUND, "not found\n").into_response();
    };
    // HEAD is answered as GET: the server leaves the body out and keeps its length.
    let mut response = match (&file.gzip, known(asked, &file.etag)) {
        (_, true) => StatusCode::NOT_MODIFIED.into_response(),
        (Some(packed), false) if accepts_gzip(asked) => ([(header::CONTENT_ENCODING, "gzip")], Body::from(packed.clone())).into_response(),
        (_, false) => Response::new(Body::from(file.content.clone())),
    };
    let cache = if file.immutable { FOR_EVER } else { ASK_AGAIN };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, file.content_type.as_str()),
        (header::ETAG, file.etag.as_str()),
        (header::CACHE_CONTROL, cache),
        (header::VARY, "accept-encoding"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    response
}

/// Named, and not ruled out by a quality of zero.
fn accepts_gzip(asked: &HeaderMap) -> bool {
    let codings = asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    codings.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let refused = parts.any(|part| part.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).is_some_and(|q| q == 0.0));
        named && !refused
    })
}

fn known(asked: &HeaderMap, etag: &str) -> bool {
    let tags = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    tags.split(',').any(|tag| tag.trim() == "*" || tag.trim().trim_start_matches("W/") == etag.trim_start_matches("W/"))
}
