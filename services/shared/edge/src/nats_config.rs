//! Settings of the NATS server to which the event log is published.

use std::net::IpAddr;
use std::path::PathBuf;

use fenghuo_durable::Violation;

/// The NATS server to which the event log is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsConfig {
    /// `nats://` on loopback, else `tls://`; without user and password, which belong into the credentials file.
    pub url: String,
    /// Credentials as `nsc` writes them.
    pub credentials_file: Option<PathBuf>,
    /// Certificate of the authority of the server's certificate (PEM); the system's authorities if not given.
    pub ca_file: Option<PathBuf>,
    /// Generation of the streams, from 1; raised where a restored database cannot continue the present one. Default 1.
    pub generation: u32,
    /// Bytes that a new stream may hold before it drops its oldest events. None: no limit.
    pub max_bytes: Option<u64>,
}

/// The settings as they come.
#[derive(Default)]
pub(crate) struct NatsTexts {
    pub(crate) url: Option<String>,
    pub(crate) credentials_file: Option<String>,
    pub(crate) ca_file: Option<String>,
    pub(crate) generation: Option<String>,
    pub(crate) max_bytes: Option<String>,
}

impl NatsTexts {
    /// Checks them; wrong ones are added to the faults.
    pub(crate) fn check(self, faults: &mut Vec<Violation>) -> Option<NatsConfig> {
        let url = self.url.filter(|url| !url.is_empty());
        if let Some(Err(what)) = url.as_deref().map(check_nats_url) {
            add(faults, "nats_url", what);
        }
        let credentials_file = file(faults, "nats_credentials_file", self.credentials_file);
        let ca_file = file(faults, "nats_ca_file", self.ca_file);
        let generation = number(faults, "nats_generation", self.generation, u32::MAX.into()).and_then(|number| u32::try_from(number).ok());
        let max_bytes = number(faults, "nats_max_bytes", self.max_bytes, i64::MAX.unsigned_abs());
        Some(NatsConfig { url: url?, credentials_file, ca_file, generation: generation.unwrap_or(1), max_bytes })
    }
}

fn add(faults: &mut Vec<Violation>, field: &str, description: String) {
    faults.push(Violation { field: field.to_owned(), description });
}

fn file(faults: &mut Vec<Violation>, field: &str, path: Option<String>) -> Option<PathBuf> {
    let path = path.filter(|path| !path.is_empty()).map(PathBuf::from)?;
    if !path.is_file() {
        add(faults, field, format!("there is no file {}", path.display()));
    }
    Some(path)
}

fn number(faults: &mut Vec<Violation>, field: &str, text: Option<String>, most: u64) -> Option<u64> {
    let text = text.filter(|text| !text.is_empty())?;
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    if number.is_none() {
        add(faults, field, format!("\"{text}\" is not a whole number from 1 to {most}"));
    }
    number
}

/// Is this an address of NATS that may be used: TLS, unless it is on this machine?
pub fn check_nats_url(url: &str) -> Result<(), String> {
    let uri: http::Uri = url.parse().map_err(|_| "must look like nats://127.0.0.1:4222 or tls://host:4222".to_owned())?;
    let authority = uri.authority().ok_or("must name a host, for example tls://nats.example.cn:4222")?;
    if authority.as_str().contains('@') {
        // Not repeated: it holds a password.
        return Err("must not hold a user or a password; use nats_credentials_file".to_owned());
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match uri.scheme_str() {
        Some("tls") => Ok(()),
        Some("nats") if loopback => Ok(()),
        Some("nats") => Err(format!("\"{url}\" leaves this machine without TLS; use tls://")),
        _ => Err(format!("\"{url}\" must begin with tls:// (or nats:// on this machine)")),
    }
}
