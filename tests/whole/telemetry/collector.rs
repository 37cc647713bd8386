//! A collector that keeps what it is sent: the receiving side of OTLP over gRPC.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{MetricsService, MetricsServiceServer};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point};
use tokio::net::TcpListener;
use tonic::{Request, Response, Status};

/// Attributes as texts.
pub(crate) type Attributes = BTreeMap<String, String>;

/// A span as it came.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    /// Province code of the node that sent it.
    pub(crate) province: String,
    /// Trace, in hex.
    pub(crate) trace: String,
    /// Itself, in hex.
    pub(crate) id: String,
    /// Its parent, in hex; empty if none.
    pub(crate) parent: String,
    /// Its name.
    pub(crate) name: String,
    /// 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub(crate) kind: i32,
    /// Its attributes.
    pub(crate) attributes: Attributes,
}

/// The last value of a metric for one set of attributes.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    /// Province code of the node that sent it.
    pub(crate) province: String,
    /// Its name.
    pub(crate) name: String,
    /// Its unit.
    pub(crate) unit: String,
    /// Its attributes.
    pub(crate) attributes: Attributes,
    /// The value; of a histogram, how many it counted.
    pub(crate) value: f64,
}

#[derive(Debug, Default)]
struct Kept {
    spans: Vec<Span>,
    points: BTreeMap<(String, String, Attributes), Point>,
    resources: Vec<Attributes>,
}

/// The running collector. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Collector {
    kept: Arc<Mutex<Kept>>,
    address: SocketAddr,
}

impl Collector {
    /// Listens on a free port of this machine.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let collector = Self { kept: Arc::default(), address: listener.local_addr().unwrap() };
        let served = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(collector.clone()))
            .add_service(MetricsServiceServer::new(collector.clone()))
            .serve_with_incoming(tonic::transport::server::TcpIncoming::from(listener));
        tokio::spawn(served);
        collector
    }

    /// For `otlp_endpoint`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every span of a trace.
    pub(crate) fn trace(&self, trace: &str) -> Vec<Span> {
        self.kept.lock().unwrap().spans.iter().filter(|span| span.trace == trace).cloned().collect()
    }

    /// Every span.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.kept.lock().unwrap().spans.clone()
    }

    /// The last values of a metric of a node.
    pub(crate) fn points(&self, province: &str, name: &str) -> Vec<Point> {
        let kept = self.kept.lock().unwrap();
        kept.points.values().filter(|point| point.province == province && point.name == name).cloned().collect()
    }

    /// Names and units of all metrics that came.
    pub(crate) fn metrics(&self) -> BTreeMap<String, String> {
        self.kept.lock().unwrap().points.values().map(|point| (point.name.clone(), point.unit.clone())).collect()
    }

    /// Attributes of every resource that sent something.
    pub(crate) fn resources(&self) -> Vec<Attributes> {
        self.kept.lock().unwrap().resources.clone()
    }
}

fn texts(attributes: &[KeyValue]) -> Attributes {
    let text = |pair: &KeyValue| match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        Some(Value::BoolValue(truth)) => truth.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|pair| (pair.key.clone(), text(pair))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut kept = self.kept.lock().unwrap();
        for sent in request.into_inner().resource_spans {
            let resource = texts(&sent.resource.unwrap_or_default().attributes);
            for span in sent.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                kept.spans.push(Span {
                    province: resource.get("fenghuo.province.code").cloned().unwrap_or_default(),
                    trace: hex(&span.trace_id),
                    id: hex(&span.span_id),
                    parent: hex(&span.parent_span_id),
                    name: span.name,
                    kind: span.kind,
                    attributes: texts(&span.attributes),
                });
            }
            kept.resources.push(resource);
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(&self, request: Request<ExportMetricsServiceRequest>) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let mut kept = self.kept.lock().unwrap();
        for sent in request.into_inner().resource_metrics {
            let resource = texts(&sent.resource.unwrap_or_default().attributes);
            let province = resource.get("fenghuo.province.code").cloned().unwrap_or_default();
            for metric in sent.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
                for (attributes, value) in values(metric.data) {
                    let point = Point {
                        province: province.clone(),
                        name: metric.name.clone(),
                        unit: metric.unit.clone(),
                        attributes: attributes.clone(),
                        value,
                    };
                    kept.points.insert((province.clone(), metric.name.clone(), attributes), point);
                }
            }
            kept.resources.push(resource);
        }
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

fn values(data: Option<Data>) -> Vec<(Attributes, f64)> {
    let number = |value: Option<number_data_point::Value>| match value {
        Some(number_data_point::Value::AsInt(value)) => value as f64,
        Some(number_data_point::Value::AsDouble(value)) => value,
        None => f64::NAN,
    };
    match data {
        Some(Data::Gauge(gauge)) => gauge.data_points.into_iter().map(|point| (texts(&point.attributes), number(point.value))).collect(),
        Some(Data::Sum(sum)) => sum.data_points.into_iter().map(|point| (texts(&point.attributes), number(point.value))).collect(),
        Some(Data::Histogram(all)) => all.data_points.into_iter().map(|point| (texts(&point.attributes), point.count as f64)).collect(),
        other => panic!("a metric of a kind that nobody sends: {other:?}"),
    }
}
