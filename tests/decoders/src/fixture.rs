//! What the decoders need beside the bytes: a time that stands still, and a province's keys.

use std::sync::{Arc, OnceLock};

use fenghuo_edge::ProvinceKeys;
use jiff::Timestamp;

/// The province whose partner the bytes claim to be.
pub(crate) const PARTNER: &str = "420000";
/// The province that reads them.
pub(crate) const HOME: &str = "500000";

/// The corpus must decode the same for ever: 2026-11-25T00:00:00Z.
pub(crate) fn now() -> Timestamp {
    Timestamp::constant(1_795_564_800, 0)
}

/// The partner's keys, made once for each process.
pub(crate) fn keys() -> Arc<ProvinceKeys> {
    static KEYS: OnceLock<Arc<ProvinceKeys>> = OnceLock::new();
    let make = || {
        let dir = tempfile::tempdir().unwrap();
        Arc::new(ProvinceKeys::load_or_create(&dir.path().join("keys"), PARTNER, &[], now()).unwrap())
    };
    KEYS.get_or_init(make).clone()
}
