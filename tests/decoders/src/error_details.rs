//! The status that a partner's node answers with, in headers or trailers.

use std::collections::HashMap;

use fenghuo_edge::testing::read_error;
use http::HeaderMap;
use tonic_types::{ErrorDetails, StatusExt};

use crate::Seed;
use crate::metadata::headers_of;

/// Accepted: there was a status with details of ours.
pub fn decode(bytes: &[u8]) -> bool {
    let Some(error) = read_error(headers_of(bytes)) else { return false };
    let shown = error.to_string();
    assert!(shown.starts_with(fenghuo_edge::status::code_name(error.code)));
    assert!(shown.len() <= 4 * bytes.len() + 256, "{} bytes of text from {}", shown.len(), bytes.len());
    !error.reason.is_empty()
}

/// With details, without, and with details that are none.
pub fn seeds() -> Vec<Seed> {
    let mut details = ErrorDetails::with_error_info("STREAM_DIVERGED", "fenghuo", HashMap::from([("position".into(), "7".into())]));
    details.add_bad_request_violation("envelope.position", "epochs and positions start at 1");
    let status = tonic::Status::with_error_details(tonic::Code::FailedPrecondition, "the streams differ", details);
    let mut headers = HeaderMap::new();
    status.add_header(&mut headers).unwrap();
    vec![
        ("details", written(&headers)),
        ("plain", b"grpc-status: 14\ngrpc-message: down%20for%20a%20while".to_vec()),
        ("not_base64", b"grpc-status: 3\ngrpc-status-details-bin: ***".to_vec()),
    ]
}

fn written(headers: &HeaderMap) -> Vec<u8> {
    let lines: Vec<Vec<u8>> = headers.iter().map(|(name, value)| [name.as_str().as_bytes(), b": ", value.as_bytes()].concat()).collect();
    lines.join(&b'\n')
}
