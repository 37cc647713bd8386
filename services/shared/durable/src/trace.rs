//! Traces: how the context of a call travels through the store, and the spans made on its way.
//!
//! A trace is named by a W3C `traceparent`. It comes with a call, is kept beside each event and in each envelope, and goes on with whoever
//! acts on them. Where this node exports nothing ([`install`] was not called), no span is made and the caller's context goes on unchanged:
//! log lines carry it, and a partner that does export sees it.

use std::borrow::Cow;
use std::sync::OnceLock;

pub use opentelemetry::trace::{FutureExt, SpanKind};
pub use opentelemetry::{Context, KeyValue};

use opentelemetry::Value;
use opentelemetry::global::BoxedTracer;
use opentelemetry::trace::{Link, SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer};

static TRACER: OnceLock<BoxedTracer> = OnceLock::new();

/// Makes spans from now on, with this tracer; once for each process.
pub fn install(tracer: BoxedTracer) {
    let _ = TRACER.set(tracer);
}

/// Are spans made in this process?
pub fn installed() -> bool {
    TRACER.get().is_some()
}

/// The context that a `traceparent` names; `None` if it is not of the form that W3C Trace Context prescribes. It comes from outside:
/// nothing but its form is believed.
pub fn parse(traceparent: &str) -> Option<Context> {
    let bytes = traceparent.as_bytes();
    let version = traceparent.get(..2)?;
    let known = version == "00" && bytes.len() == 55;
    // A later version may append fields after another dash.
    let later = version != "00" && version != "ff" && bytes.len() <= 512 && (bytes.len() == 55 || bytes.get(55) == Some(&b'-'));
    let dashes = [2, 35, 52].iter().all(|&at| bytes.get(at) == Some(&b'-'));
    if !(known || later) || !dashes {
        return None;
    }
    let trace = u128::from_str_radix(lower_hex(traceparent.get(3..35)?)?, 16).ok()?;
    let span = u64::from_str_radix(lower_hex(traceparent.get(36..52)?)?, 16).ok()?;
    let flags = u8::from_str_radix(lower_hex(traceparent.get(53..55)?)?, 16).ok()?;
    lower_hex(version)?;
    let (trace, span) = (TraceId::from(trace), SpanId::from(span));
    let found = SpanContext::new(trace, span, TraceFlags::new(flags) & TraceFlags::SAMPLED, true, TraceState::NONE);
    found.is_valid().then(|| Context::new().with_remote_span_context(found))
}

fn lower_hex(text: &str) -> Option<&str> {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).then_some(text)
}

/// The `traceparent` of a context; empty if it belongs to no trace.
pub fn traceparent(context: &Context) -> String {
    let span = context.span();
    let found = span.span_context();
    if !found.is_valid() {
        return String::new();
    }
    format!("00-{}-{}-{:02x}", found.trace_id(), found.span_id(), found.trace_flags().to_u8() & 1)
}

/// Trace and span of a context, for log lines; `None` if it belongs to no trace.
pub fn ids(context: &Context) -> Option<(TraceId, SpanId)> {
    let span = context.span();
    let found = span.span_context();
    found.is_valid().then(|| (found.trace_id(), found.span_id()))
}

/// Does the context belong to a trace?
pub fn in_trace(context: &Context) -> bool {
    context.span().span_context().is_valid()
}

/// A piece of work in a trace. It ends when it is dropped.
#[derive(Debug)]
pub struct Span {
    context: Context,
    ours: bool,
}

impl Span {
    /// Work under `parent`; no span where the parent belongs to no trace.
    pub fn child<A>(kind: SpanKind, name: impl Into<Cow<'static, str>>, parent: &Context, attributes: A) -> Self
    where
        A: FnOnce() -> Vec<KeyValue>,
    {
        if !installed() || !in_trace(parent) {
            return Self { context: parent.clone(), ours: false };
        }
        Self::start(kind, name, parent, attributes, Vec::new())
    }

    /// Work under `parent`, or the beginning of a trace where the parent belongs to none.
    pub fn child_or_root<A>(kind: SpanKind, name: impl Into<Cow<'static, str>>, parent: &Context, attributes: A) -> Self
    where
        A: FnOnce() -> Vec<KeyValue>,
    {
        Self::start(kind, name, parent, attributes, Vec::new())
    }

    /// As [`Span::child_or_root`], with a link to other work that it belongs to.
    pub fn linked<A>(kind: SpanKind, name: impl Into<Cow<'static, str>>, parent: &Context, to: &Context, attributes: A) -> Self
    where
        A: FnOnce() -> Vec<KeyValue>,
    {
        let links = if in_trace(to) { vec![Link::with_context(to.span().span_context().clone())] } else { Vec::new() };
        Self::start(kind, name, parent, attributes, links)
    }

    fn start<A>(kind: SpanKind, name: impl Into<Cow<'static, str>>, parent: &Context, attributes: A, links: Vec<Link>) -> Self
    where
        A: FnOnce() -> Vec<KeyValue>,
    {
        let Some(tracer) = TRACER.get() else { return Self { context: parent.clone(), ours: false } };
        let builder = tracer.span_builder(name).with_kind(kind).with_attributes(attributes()).with_links(links);
        Self { context: parent.with_span(tracer.build_with_context(builder, parent)), ours: true }
    }

    /// No span: the work goes on in this context.
    pub fn none(context: Context) -> Self {
        Self { context, ours: false }
    }

    /// For the work inside it.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Adds what became known later.
    pub fn set(&self, key: &'static str, value: impl Into<Value>) {
        if self.ours {
            self.context.span().set_attribute(KeyValue::new(key, value));
        }
    }

    /// The work failed: with a low-cardinality name of the failure, and words.
    pub fn fail(&self, error_type: impl Into<Value>, text: impl Into<Cow<'static, str>>) {
        if self.ours {
            self.context.span().set_attribute(KeyValue::new("error.type", error_type));
            self.context.span().set_status(Status::error(text));
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if self.ours {
            self.context.span().end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_good_traceparent_comes_back_as_it_was() {
        assert_eq!(traceparent(&parse(GOOD).unwrap()), GOOD);
        let unsampled = GOOD.replace("-01", "-00");
        assert_eq!(traceparent(&parse(&unsampled).unwrap()), unsampled);
        // A later version is read by what is known of it, and told on as what we write.
        let later = format!("{}-what-comes", GOOD.replacen("00", "cc", 1));
        assert_eq!(traceparent(&parse(&later).unwrap()), GOOD);
        // Flags that we do not know are not told on.
        assert_eq!(traceparent(&parse(&GOOD.replace("-01", "-ff")).unwrap()), GOOD);
    }

    #[test]
    fn a_bad_traceparent_is_none() {
        let bad = [
            "",
            "00",
            "烽火烽火烽火烽火烽火烽火烽火烽火烽火烽火烽火烽火烽火烽火烽火烽火烽火烽火-",
            &GOOD.to_uppercase(),
            &GOOD[..54],
            &format!("{GOOD}-00"),
            &format!("{GOOD}0"),
            &GOOD.replacen("00", "ff", 1),
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &GOOD.replace("4bf9", "+bf9"),
            &GOOD.replace('-', "_"),
            &GOOD.replacen("00-", "0x-", 1),
        ];
        for text in bad {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn without_a_tracer_the_callers_context_goes_on() {
        let caller = parse(GOOD).unwrap();
        let span = Span::child_or_root(SpanKind::Server, "call", &caller, || unreachable!("nothing is made for a span that is none"));
        span.set("key", 1);
        assert_eq!(traceparent(span.context()), GOOD);
        assert_eq!(traceparent(&Context::new()), "");
        assert_eq!(ids(&Context::new()), None);
    }
}
