//! What a browser gets: the page, its files, nothing else.

#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use axum::{Router, body::Body};
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

async fn get(router: Router, path: &str, etag: Option<&str>) -> Response<Body> {
    let mut request = Request::get(path);
    if let Some(etag) = etag {
        request = request.header(header::IF_NONE_MATCH, etag);
    }
    router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

fn header_of(response: &Response<Body>, name: header::HeaderName) -> String {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn the_first_page_answers_every_page_of_the_program() {
    let index = text(get(fenghuo_console::router(), "/", None).await).await;
    assert!(index.contains("Fenghuo"));
    for path in ["/index.html", "/desk", "/desk/report"] {
        let response = get(fenghuo_console::router(), path, None).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(header_of(&response, header::CONTENT_TYPE), "text/html; charset=utf-8", "{path}");
        assert_eq!(text(response).await, index, "{path}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_a_page() {
    for path in ["/assets/none.js", "/map/none.geojson", "/../Cargo.toml"] {
        assert_eq!(get(fenghuo_console::router(), path, None).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_page_is_asked_about_each_time_and_not_sent_twice() {
    let first = get(fenghuo_console::router(), "/", None).await;
    assert_eq!(header_of(&first, header::CACHE_CONTROL), "no-cache");
    let etag = header_of(&first, header::ETAG);
    let again = get(fenghuo_console::router(), "/", Some(&etag)).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(text(again).await, "");
    let other = get(fenghuo_console::router(), "/", Some("\"other\"")).await;
    assert_eq!(other.status(), StatusCode::OK);
}

#[tokio::test]
async fn scripts_come_from_here_alone_and_never_from_within_a_page() {
    let response = get(fenghuo_console::router(), "/", None).await;
    let policy = header_of(&response, header::CONTENT_SECURITY_POLICY);
    assert!(policy.contains("script-src 'self';"), "{policy}");
    assert_eq!(header_of(&response, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    let page = text(response).await;
    for script in page.split("<script").skip(1) {
        assert!(script.contains("src=") && script.contains("></script>"), "a script inside the page: {script}");
    }
    for address in ["http://", "https://", "src=\"//"] {
        assert!(!page.contains(address), "the page names another address: {address}");
    }
}

#[tokio::test]
async fn other_methods_are_refused() {
    let request = Request::post("/").body(Body::empty()).unwrap();
    let response = fenghuo_console::router().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_reviewed_map_takes_the_place_of_the_built_one() {
    let folder = tempfile::tempdir().unwrap();
    assert!(fenghuo_console::router_with_map(folder.path()).is_err(), "an empty folder is a mistake in the configuration");
    std::fs::write(folder.path().join("areas.geojson"), r#"{"type":"FeatureCollection","features":[]}"#).unwrap();
    let router = fenghuo_console::router_with_map(folder.path()).unwrap();
    let response = get(router, "/map/areas.geojson", None).await;
    assert_eq!(header_of(&response, header::CONTENT_TYPE), "application/geo+json");
    assert_eq!(text(response).await, r#"{"type":"FeatureCollection","features":[]}"#);
}

#[tokio::test]
async fn a_packed_file_goes_to_who_accepts_it_and_has_no_address_of_its_own() {
    let page = text(get(fenghuo_console::router(), "/", None).await).await;
    // The placeholder of a checkout without the built program names no script.
    let Some(script) = page.split("src=\"./").nth(1).and_then(|rest| rest.split('"').next()) else { return };
    let path = format!("/{script}");
    let ask = async |coding: &'static str| {
        let request = Request::get(path.as_str()).header(header::ACCEPT_ENCODING, coding).body(Body::empty()).unwrap();
        fenghuo_console::router().oneshot(request).await.unwrap()
    };
    let packed = ask("br, gzip").await;
    assert_eq!(header_of(&packed, header::CONTENT_ENCODING), "gzip");
    assert_eq!(header_of(&packed, header::CONTENT_TYPE), "text/javascript; charset=utf-8");
    assert!(header_of(&packed, header::CACHE_CONTROL).contains("immutable"));
    for coding in ["identity", "gzip;q=0", ""] {
        assert_eq!(header_of(&ask(coding).await, header::CONTENT_ENCODING), "", "{coding}");
    }
    let direct = get(fenghuo_console::router(), &format!("{path}.gz"), None).await;
    assert_eq!(direct.status(), StatusCode::NOT_FOUND);
}
