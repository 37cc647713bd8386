//! A certificate in DER as a partner's bundle and its handshake bring it.

use fenghuo_edge::PartnerTrust;
use fenghuo_edge::certificate::{check_ca, stated_province};
use fenghuo_edge::testing::forge_leaf;
use rustls_pki_types::CertificateDer;

use crate::{Seed, fixture, refused};

/// Accepted: as an authority that could be pinned.
pub fn decode(bytes: &[u8]) -> bool {
    let certificate = CertificateDer::from(bytes);
    match stated_province(&certificate) {
        Ok(code) => assert!(code.len() == 6 && code.ends_with("0000"), "{code}"),
        Err(what) => assert!(!what.is_empty()),
    }
    let trust = PartnerTrust::new();
    let enrolled = trust.enrol(fixture::PARTNER, bytes, &[vec![1; 32]], fixture::now());
    if let Err(what) = check_ca(&certificate, fixture::now()) {
        assert!(!what.is_empty());
        return refused(enrolled.unwrap_err());
    }
    if let Err(error) = enrolled {
        return refused(error);
    }
    assert_eq!(trust.province_codes(), [fixture::PARTNER]);
    // The same authority cannot stand for two provinces.
    assert_eq!(trust.enrol(fixture::HOME, bytes, &[], fixture::now()).unwrap_err().reason, "CA_OF_ANOTHER");
    true
}

/// An authority, a leaf below it, a leaf for another province, and an authority with a byte too many.
pub fn seeds() -> Vec<Seed> {
    let keys = fixture::keys();
    let authority = keys.ca_certificate().to_vec();
    let leaf = keys.issue_leaf(&[], fixture::now()).unwrap().certificate.to_vec();
    let forged = forge_leaf(&keys, fixture::HOME, fixture::now()).unwrap().certificate.to_vec();
    vec![("authority", authority.clone()), ("leaf", leaf), ("forged", forged), ("too_long", [authority, vec![0]].concat())]
}
