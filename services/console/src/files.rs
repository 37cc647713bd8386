//! The embedded files, and which of them answers a path.

use std::borrow::Cow;

use bytes::Bytes;
use rust_embed::{Embed, EmbeddedFile};

#[derive(Embed)]
#[folder = "web/dist"]
struct Dist;

const INDEX: &str = "index.html";
/// Ending of the packed form of a file, which has no address of its own.
const PACKED: &str = ".gz";

/// A file that can be served.
#[derive(Clone)]
pub(crate) struct File {
    /// Its content.
    pub(crate) content: Bytes,
    /// The same, packed with gzip; files that are small or given from outside have none.
    pub(crate) gzip: Option<Bytes>,
    /// MIME type.
    pub(crate) content_type: String,
    /// Weak entity tag: the packed and the plain form have the same.
    pub(crate) etag: String,
    /// Its name changes with its content, so that it may be kept for ever.
    pub(crate) immutable: bool,
}

impl File {
    /// A file that was not embedded.
    pub(crate) fn given(path: &str, content: Bytes) -> Self {
        // Not for security: it only has to change when the content does.
        let (length, sum) = (content.len(), fnv1a(&content));
        Self { content_type: content_type(path), etag: format!("W/\"{length:x}-{sum:016x}\""), content, gzip: None, immutable: false }
    }

    fn embedded(path: &str, file: EmbeddedFile) -> Self {
        let etag = file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
        let gzip = Dist::get(&format!("{path}{PACKED}")).map(|packed| bytes_of(packed.data));
        Self {
            content: bytes_of(file.data),
            gzip,
            content_type: content_type(path),
            etag: format!("W/\"{etag}\""),
            immutable: path.starts_with("assets/"),
        }
    }
}

/// The file at a path. A path without an ending is a page of the program, and the program's first page answers it.
pub(crate) fn find(path: &str) -> Option<File> {
    let path = if path.is_empty() { INDEX } else { path };
    if path.ends_with(PACKED) {
        return None;
    }
    if let Some(file) = Dist::get(path) {
        return Some(File::embedded(path, file));
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    if last.contains('.') {
        return None;
    }
    Dist::get(INDEX).map(|file| File::embedded(INDEX, file))
}

fn bytes_of(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => Bytes::from(data),
    }
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
