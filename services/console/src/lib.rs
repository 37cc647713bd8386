//! The web gateway: serves the browser program of the duty desk, which is embedded in the binary.
//!
//! The program itself lives in `web/` and is built by `npm ci && npm run build` there, before this crate is compiled; without
//! it, a page that says so is embedded. Nothing that the page needs comes from anywhere else: no script, font, map tile or
//! style is fetched from another address, and the content security policy holds the browser to that.
//!
//! This crate knows files and HTTP headers. It knows nothing of incidents, sessions or gRPC; the calls of the page go to the
//! services beside it on the same listener.

mod files;
mod headers;

use std::{collections::BTreeMap, io, path::Path, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;

use crate::files::File;

/// Files of the map that may be replaced: see `web/map/README.md`.
const MAP_FILES: [&str; 4] = ["map/areas.geojson", "map/lines.geojson", "map/rivers.geojson", "map/points.geojson"];

/// Files that are served in place of embedded ones, by their path.
type Replaced = Arc<BTreeMap<&'static str, File>>;

/// Serves the embedded browser program; any path that is no file leads to its first page.
pub fn router() -> Router {
    serve(Replaced::default())
}

/// As [`router`], with the map drawn from the files of a folder instead, for example a reviewed map of the province.
///
/// The folder may hold any of `areas.geojson`, `lines.geojson`, `rivers.geojson` and `points.geojson`; what it lacks stays as
/// built. They are read once, here.
///
/// # Errors
///
/// If the folder holds none of the four, or one of them cannot be read.
pub fn router_with_map(folder: &Path) -> io::Result<Router> {
    let mut replaced = BTreeMap::new();
    for path in MAP_FILES {
        let name = path.trim_start_matches("map/");
        match std::fs::read(folder.join(name)) {
            Ok(content) => {
                replaced.insert(path, File::given(path, Bytes::from(content)));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    if replaced.is_empty() {
        let message = format!("{} holds no map file (areas.geojson, lines.geojson, rivers.geojson, points.geojson)", folder.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, message));
    }
    Ok(serve(Arc::new(replaced)))
}

fn serve(replaced: Replaced) -> Router {
    Router::new().fallback(answer).with_state(replaced)
}

async fn answer(State(replaced): State<Replaced>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let file = replaced.get(path).cloned().or_else(|| files::find(path));
    headers::respond(request.method(), request.headers(), file.as_ref())
}
