//! The NATS server and how it is spoken to.

use std::path::PathBuf;
use std::time::Duration;

use async_nats::ConnectOptions;
use fenghuo_durable::{Error, Result};

/// Where the server is and how we show who we are.
#[derive(Debug, Clone, Default)]
pub struct Server {
    /// For example `nats://127.0.0.1:4222` or `tls://nats.example.cn:4222`.
    pub url: String,
    /// Credentials (JWT and seed) as `nsc` writes them.
    pub credentials_file: Option<PathBuf>,
    /// Certificate of the authority that the server's certificate must come from (PEM); the system's authorities if not given.
    pub ca_file: Option<PathBuf>,
}

impl Server {
    /// Options for a connection under this name. Errors name the setting.
    pub(crate) fn options(&self, name: &str) -> Result<ConnectOptions> {
        let mut options = ConnectOptions::new().name(name).connection_timeout(Duration::from_secs(5)).max_reconnects(None);
        if let Some(file) = &self.credentials_file {
            let unreadable =
                |error: std::io::Error| Error::invalid("nats_credentials_file", format!("cannot read {}", file.display())).caused_by(error);
            options = options.credentials(&std::fs::read_to_string(file).map_err(unreadable)?).map_err(unreadable)?;
        }
        if let Some(file) = &self.ca_file {
            let unreadable =
                |error: std::io::Error| Error::invalid("nats_ca_file", format!("cannot read {}", file.display())).caused_by(error);
            std::fs::metadata(file).map_err(unreadable)?;
            options = options.add_root_certificates(file.clone());
        }
        Ok(options.require_tls(self.url.starts_with("tls://")))
    }

    /// Connects now or fails.
    pub(crate) async fn connect(&self, name: &str) -> Result<async_nats::Client> {
        let failed = |error: async_nats::ConnectError| {
            Error::unavailable("NATS_UNREACHABLE", format!("NATS at {} cannot be reached", self.url)).caused_by(error)
        };
        self.options(name)?.connect(&self.url).await.map_err(failed)
    }
}
