//! Export by OTLP over gRPC, in batches, apart from all calls: a collector that does not answer costs spans, never a call.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fenghuo_durable::trace::{self, KeyValue};
use fenghuo_durable::{Error, Result, new_id};
use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithTonicConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter as ExportsSpans};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use super::sampler::ByTrace;
use crate::config::NodeConfig;
use crate::status::chain;

/// One export takes no longer.
const EXPORT: Duration = Duration::from_secs(5);
/// The last export takes no longer, whether the collector answers or not.
const LAST: Duration = Duration::from_secs(3);
/// Metrics go out this often, unless `OTEL_METRIC_EXPORT_INTERVAL` says otherwise.
const METRICS_EVERY: Duration = Duration::from_secs(10);
/// Where Debian keeps the authorities that the system trusts.
const SYSTEM_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What exports, until [`Telemetry::stop`]. Without `otlp_endpoint`, nothing.
#[derive(Debug)]
pub struct Telemetry(Option<(SdkTracerProvider, SdkMeterProvider)>);

impl Telemetry {
    pub(super) fn start(config: &NodeConfig) -> Result<Self> {
        let Some(channel) = channel_of(config)? else { return Ok(Self(None)) };
        let failed = |e: opentelemetry_otlp::ExporterBuildError| Error::internal("the OTLP exporter cannot be made").caused_by(e);
        let spans = SpanExporter::builder().with_tonic().with_channel(channel.clone()).build().map_err(failed)?;
        let metrics = MetricExporter::builder().with_tonic().with_channel(channel).build().map_err(failed)?;
        let tracers = SdkTracerProvider::builder()
            .with_resource(resource(config))
            .with_sampler(ByTrace::percent(config.trace_percent))
            .with_batch_exporter(Told::new("spans", spans))
            .build();
        let mut reader = PeriodicReader::builder(Told::new("metrics", metrics));
        if std::env::var_os("OTEL_METRIC_EXPORT_INTERVAL").is_none() {
            reader = reader.with_interval(METRICS_EVERY);
        }
        let meters = SdkMeterProvider::builder().with_resource(resource(config)).with_reader(reader.build()).build();
        trace::install(BoxedTracer::new(Box::new(tracers.tracer("fenghuo"))));
        global::set_meter_provider(meters.clone());
        Ok(Self(Some((tracers, meters))))
    }

    /// Is anything exported?
    pub fn exports(&self) -> bool {
        self.0.is_some()
    }

    /// Sends what is left and ends, within about three seconds, whether the collector answers or not.
    pub async fn stop(self) {
        let Some((tracers, meters)) = self.0 else { return };
        let spans = tokio::task::spawn_blocking(move || tracers.shutdown_with_timeout(LAST));
        let metrics = tokio::task::spawn_blocking(move || meters.shutdown_with_timeout(LAST));
        let ended = tokio::time::timeout(LAST + Duration::from_millis(500), async { (spans.await, metrics.await) }).await;
        if !matches!(ended, Ok((Ok(Ok(())), Ok(Ok(()))))) {
            tracing::warn!("the last spans or metrics could not be delivered");
        }
    }
}

fn resource(config: &NodeConfig) -> Resource {
    Resource::builder()
        .with_service_name("fenghuo")
        .with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", new_id().to_string()),
            KeyValue::new("fenghuo.province.code", config.province_code.clone()),
        ])
        .build()
}

/// What is wrong with a collector's address, if anything is: http only on this machine, https elsewhere.
pub(crate) fn check_endpoint(endpoint: &str) -> std::result::Result<(), String> {
    let example = "for example \"http://127.0.0.1:4317\" or \"https://collector.example:4317\"";
    let uri: http::Uri = endpoint.parse().map_err(|e| format!("\"{endpoint}\" is not a URL: {e}; {example}"))?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let bare = uri.path() == "/" && uri.query().is_none() && !uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    match uri.scheme_str() {
        _ if host.is_empty() || !bare => Err(format!("\"{endpoint}\" must be a scheme, a host and a port; {example}")),
        Some("https") => Ok(()),
        Some("http") if here => Ok(()),
        Some("http") => Err(format!("\"{endpoint}\" would send spans without TLS to another machine; use https")),
        _ => Err(format!("\"{endpoint}\" must begin with https:// or, on this machine, http://; {example}")),
    }
}

/// The way to the collector; it connects at the first export and again whenever it must. `None` if none is named.
fn channel_of(config: &NodeConfig) -> Result<Option<Channel>> {
    let Some(url) = &config.otlp_endpoint else { return Ok(None) };
    let invalid = |what: String| Error::invalid("otlp_endpoint", what);
    check_endpoint(url).map_err(invalid)?;
    let mut endpoint = Endpoint::from_shared(url.clone())
        .map_err(|e| invalid(e.to_string()))?
        .connect_timeout(EXPORT)
        .timeout(EXPORT)
        .http2_keep_alive_interval(Duration::from_secs(20));
    if url.starts_with("https://") {
        let file = config.otlp_ca_file.as_deref().unwrap_or(Path::new(SYSTEM_AUTHORITIES));
        let pem = std::fs::read(file).map_err(|e| Error::invalid("otlp_ca_file", format!("{}: {e}", file.display())))?;
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem));
        endpoint = endpoint.tls_config(tls).map_err(|e| Error::invalid("otlp_ca_file", chain(&e)))?;
    }
    Ok(Some(endpoint.connect_lazy()))
}

/// Sends an export without any span, to see whether the collector takes it; what is wrong, in words. `Ok` if none is named.
pub async fn probe(config: &NodeConfig) -> std::result::Result<(), String> {
    let Some(channel) = channel_of(config).map_err(|error| error.to_string())? else { return Ok(()) };
    let exporter = SpanExporter::builder().with_tonic().with_channel(channel).build().map_err(|error| error.to_string())?;
    let answer = tokio::time::timeout(EXPORT * 2, exporter.export(Vec::new())).await;
    let url = config.otlp_endpoint.as_deref().unwrap_or_default();
    match answer {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!("{url}: {error}; start the collector, or take otlp_endpoint out")),
        Err(_) => Err(format!("{url}: no answer; start the collector, or take otlp_endpoint out")),
    }
}

/// Says once in the log that a collector does not take what is sent, and once that it does again.
struct Told<E> {
    inner: E,
    what: &'static str,
    failing: AtomicBool,
}

impl<E> Told<E> {
    fn new(what: &'static str, inner: E) -> Self {
        Self { inner, what, failing: AtomicBool::new(false) }
    }

    fn note(&self, outcome: &OTelSdkResult) {
        match outcome {
            Ok(()) if self.failing.swap(false, Ordering::Relaxed) => {
                tracing::info!(what = self.what, "the OTLP collector takes them again")
            }
            Err(error) if !self.failing.swap(true, Ordering::Relaxed) => {
                tracing::warn!(what = self.what, %error, "the OTLP collector does not take them; what waits too long is dropped");
            }
            _ => {}
        }
    }
}

impl<E> fmt::Debug for Told<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Told({})", self.what)
    }
}

impl<E: ExportsSpans> ExportsSpans for Told<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let outcome = self.inner.export(batch).await;
        self.note(&outcome);
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl<E: PushMetricExporter> PushMetricExporter for Told<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let outcome = self.inner.export(metrics).await;
        self.note(&outcome);
        outcome
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.inner.temporality()
    }
}

#[cfg(test)]
mod tests {
    use super::check_endpoint;

    #[test]
    fn spans_leave_this_machine_over_tls_alone() {
        for good in ["http://127.0.0.1:4317", "http://[::1]:4317/", "http://localhost:4317", "https://collector.example:4317"] {
            assert_eq!(check_endpoint(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "127.0.0.1:4317",
            "http://10.0.0.1:4317",
            "http://collector.example:4317",
            "http://localhost.example:4317",
            "ftp://127.0.0.1:1",
            "https://collector.example/v1/traces",
            "https://user:secret@collector.example:4317",
        ] {
            assert!(check_endpoint(bad).is_err(), "{bad}");
        }
    }
}
