//! Spans and counts of envelopes on their way: each goes on with the trace that it carries.

use std::sync::LazyLock;

use fenghuo_api::partner::v1::{Envelope, Outcome, SignedEnvelope};
use fenghuo_durable::Tx;
use fenghuo_durable::measure::{Counter, KeyValue, counter};
use fenghuo_durable::trace::{self, Context, Span, SpanKind};
use prost::Message as _;

use crate::envelope::{Opened, kind_of};

static SENT: LazyLock<Counter<u64>> =
    LazyLock::new(|| counter("fenghuo.envelope.sent", "{envelope}", "Envelopes handed to a partner, a repeated one each time"));
static RECEIVED: LazyLock<Counter<u64>> =
    LazyLock::new(|| counter("fenghuo.envelope.received", "{envelope}", "Envelopes of partners that were stored, by what became of them"));
static RECEIPTED: LazyLock<Counter<u64>> =
    LazyLock::new(|| counter("fenghuo.envelope.receipted", "{envelope}", "Envelopes of ours whose receipt was stored, by what it says"));

/// Envelopes that are being handed over in one call.
pub(crate) struct Sending(Vec<Span>);

impl Sending {
    /// A span for each, under what wrote the envelope.
    pub(crate) fn begin(partner: &str, envelopes: &[SignedEnvelope]) -> Self {
        SENT.add(envelopes.len() as u64, &[KeyValue::new("fenghuo.partner.code", partner.to_owned())]);
        let decoded = envelopes.iter().filter_map(|signed| Envelope::decode(signed.envelope.as_slice()).ok());
        Self(decoded.map(|envelope| sending(partner, &envelope)).collect())
    }

    /// The trace of the call that hands them over: that of the first.
    pub(crate) fn context(&self) -> Context {
        self.0.first().map(|span| span.context().clone()).unwrap_or_default()
    }

    /// None of them was receipted.
    pub(crate) fn failed(&self, why: &str) {
        self.0.iter().for_each(|span| span.fail("not_delivered", why.to_owned()));
    }
}

fn sending(partner: &str, envelope: &Envelope) -> Span {
    let parent = trace::parse(&envelope.traceparent).unwrap_or_default();
    let kind = kind_of(envelope.content.as_ref());
    Span::child(SpanKind::Producer, format!("send {kind}"), &parent, || attributes("send", "send", partner, envelope))
}

/// Taking in an envelope: under the work that brings it, if that is of the trace that the envelope names; otherwise under what wrote the
/// envelope, with a link to that work.
pub(crate) fn taking_in(opened: &Opened, bringing: &Context) -> Span {
    let told = trace::parse(&opened.envelope.traceparent).unwrap_or_else(|| bringing.clone());
    let same = trace::ids(&told).map(|ids| ids.0) == trace::ids(bringing).map(|ids| ids.0);
    let (parent, link) = if same { (bringing, Context::new()) } else { (&told, bringing.clone()) };
    let kind = kind_of(opened.envelope.content.as_ref());
    Span::linked(SpanKind::Consumer, format!("receive {kind}"), parent, &link, || {
        attributes("receive", "process", &opened.stream.sender, &opened.envelope)
    })
}

fn attributes(operation: &'static str, operation_type: &'static str, partner: &str, envelope: &Envelope) -> Vec<KeyValue> {
    let stream = envelope.stream.as_ref();
    vec![
        KeyValue::new("messaging.system", "fenghuo"),
        KeyValue::new("messaging.operation.name", operation),
        KeyValue::new("messaging.operation.type", operation_type),
        KeyValue::new("messaging.destination.name", stream.map(|stream| stream.recipient.clone()).unwrap_or_default()),
        KeyValue::new("messaging.message.id", envelope.envelope_id.clone()),
        KeyValue::new("fenghuo.partner.code", partner.to_owned()),
        KeyValue::new("fenghuo.space", stream.map(|stream| stream.space.clone()).unwrap_or_default()),
        KeyValue::new("fenghuo.stream.epoch", envelope.stream.as_ref().map_or(0, |stream| stream.epoch) as i64),
        KeyValue::new("fenghuo.stream.position", envelope.position as i64),
    ]
}

/// What is counted of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// One of a partner was stored.
    Received,
    /// The receipt for one of ours was stored.
    Receipted,
}

/// Counts an envelope, if the transaction commits.
pub(crate) fn count(tx: &mut Tx, what: Counted, partner: &str, kind: &'static str, outcome: Outcome) {
    let counter = match what {
        Counted::Received => &RECEIVED,
        Counted::Receipted => &RECEIPTED,
    };
    let outcome = match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Refused => "refused",
        Outcome::NotUnderstood => "not_understood",
        Outcome::Unspecified => "unspecified",
    };
    let space = tx.space_kind();
    tx.count(counter, || {
        vec![
            KeyValue::new("fenghuo.partner.code", partner.to_owned()),
            KeyValue::new("fenghuo.envelope.kind", kind),
            KeyValue::new("fenghuo.receipt.outcome", outcome),
            KeyValue::new("fenghuo.space.kind", space),
        ]
    });
}
