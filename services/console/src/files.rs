//! The embedded files, and which of them answers a path.

use std::borrow::Cow;

use bytes::Bytes;
use rust_embed::{Embed, EmbeddedFile};

#[derive(Embed)]
#[folder = "web/dist"]
struct Dist;

const INDEX: &str = "index.html";

/// A file that can be served.
#[derive(Clone)]
pub(crate) struct File {
    /// Its content.
    pub(crate) content: Bytes,
    /// MIME type.
    pub(crate) content_type: String,
    /// Strong entity tag, in quotes.
    pub(crate) etag: String,
    /// Its name changes with its content, so that it may be kept for ever.
    pub(crate) immutable: bool,
}

impl File {
    /// A file that was not embedded.
    pub(crate) fn given(path: &str, content: Bytes) -> Self {
        // Not for security: it only has to change when the content does.
        let (length, sum) = (content.len(), fnv1a(&content));
        Self { content_type: content_type(path), etag: format!("\"{length:x}-{sum:016x}\""), content, immutable: false }
    }

    fn embedded(path: &str, file: EmbeddedFile) -> Self {
        let etag = file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
        let content = match file.data {
            Cow::Borrowed(data) => Bytes::from_static(data),
            Cow::Owned(data) => Bytes::from(data),
        };
        Self { content, content_type: content_type(path), etag: format!("\"{etag}\""), immutable: path.starts_with("assets/") }
    }
}

/// The file at a path. A path without an ending is a page of the program, and the program's first page answers it.
pub(crate) fn find(path: &str) -> Option<File> {
    let path = if path.is_empty() { INDEX } else { path };
    if let Some(file) = Dist::get(path) {
        return Some(File::embedded(path, file));
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    if last.contains('.') {
        return None;
    }
    Dist::get(INDEX).map(|file| File::embedded(INDEX, file))
}

fn content_type(path: &str) -> String {
    if path.ends_with(".geojson") {
        return "application/geo+json".to_owned();
    }
    let guess = mime_guess::from_path(path).first_or_octet_stream();
    if guess.type_() == "text" { format!("{guess}; charset=utf-8") } else { guess.to_string() }
}

fn fnv1a(content: &[u8]) -> u64 {
    content.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
