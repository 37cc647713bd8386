//! For programs that call the console listener: the command line and the drill runner.

use std::time::Duration;

use fenghuo_durable::{Error, Result, SpaceId};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

use crate::auth::SPACE_HEADER;

/// Puts the session token and the space into each call. Clients are made with `XClient::with_interceptor(channel, session)`.
#[derive(Clone, Default)]
pub struct ClientSession {
    authorization: Option<MetadataValue<Ascii>>,
    space: Option<MetadataValue<Ascii>>,
}

impl std::fmt::Debug for ClientSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientSession").field("signed_in", &self.authorization.is_some()).field("space", &self.space).finish()
    }
}

impl ClientSession {
    /// Nobody, nowhere: for the public methods.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// With this token of `SignIn`.
    pub fn with_token(mut self, token: &str) -> Result<Self> {
        let mut value: MetadataValue<Ascii> =
            format!("Bearer {token}").parse().map_err(|_| Error::invalid("session_token", "has characters that no token has"))?;
        value.set_sensitive(true);
        self.authorization = Some(value);
        Ok(self)
    }

    /// In this space.
    pub fn in_space(mut self, space: SpaceId) -> Result<Self> {
        let value = space.to_string().parse().map_err(|_| Error::internal("the name of a space is not ASCII"))?;
        self.space = Some(value);
        Ok(self)
    }
}

impl Interceptor for ClientSession {
    fn call(&mut self, mut request: Request<()>) -> std::result::Result<Request<()>, Status> {
        if let Some(value) = &self.authorization {
            request.metadata_mut().insert("authorization", value.clone());
        }
        if let Some(value) = &self.space {
            request.metadata_mut().insert(SPACE_HEADER, value.clone());
        }
        Ok(request)
    }
}

/// A channel to a console listener; connects at the first call. "http://127.0.0.1:8420" on loopback; elsewhere https, with the certificate
/// authority of that province as PEM (its `ca-certificate.pem`).
pub fn console_channel(url: &str, ca_pem: Option<&str>) -> Result<Channel> {
    let invalid = |what: &dyn std::fmt::Display| Error::invalid("url", format!("\"{url}\": {what}"));
    let mut endpoint = Endpoint::from_shared(url.to_owned())
        .map_err(|e| invalid(&e))?
        .connect_timeout(Duration::from_secs(10))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_while_idle(true);
    match (endpoint.uri().scheme_str(), ca_pem) {
        (Some("http"), _) => {}
        (Some("https"), Some(pem)) => {
            let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem));
            endpoint = endpoint.tls_config(tls).map_err(|e| invalid(&crate::status::chain(&e)))?;
        }
        (Some("https"), None) => return Err(invalid(&"https needs the province's CA certificate (ca-certificate.pem)")),
        _ => return Err(invalid(&"must begin with http:// or https://")),
    }
    Ok(endpoint.connect_lazy())
}
