//! For tests, here and in other crates: a partner that cheats.

use std::sync::Arc;

use fenghuo_durable::Result;
use jiff::Timestamp;
use rustls::SignatureScheme;
use rustls::sign::CertifiedKey;

use crate::certificate::{self, Leaf};
use crate::keys::ProvinceKeys;
use crate::trust::PartnerTrust;
use crate::{PartnerChannel, partner_channel, tls};

/// A leaf signed by the authority of `keys` that states another province.
pub fn forge_leaf(keys: &ProvinceKeys, stated_province: &str, now: Timestamp) -> Result<Leaf> {
    certificate::issue_leaf(&keys.issuer, stated_province, &["127.0.0.1".to_owned()], now)
}

/// A channel to a partner on which the caller presents this leaf, or none at all.
pub fn channel_presenting(leaf: Option<Leaf>, trust: Arc<PartnerTrust>, partner_code: &str, endpoint: &str) -> Result<PartnerChannel> {
    let presented = Presented(leaf.map(tls::certified).transpose()?);
    partner_channel::channel(tls::client_config(Arc::new(presented), trust, partner_code)?, endpoint)
}

#[derive(Debug)]
struct Presented(Option<Arc<CertifiedKey>>);

impl rustls::client::ResolvesClientCert for Presented {
    fn resolve(&self, _root_hint_subjects: &[&[u8]], _sigschemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}
