//! Which traces are kept: those whose caller wants them, thinned by the node's own percentage.

use fenghuo_durable::trace::{Context, KeyValue, SpanKind};
use opentelemetry::trace::{Link, TraceContextExt as _, TraceId, TraceState};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

/// A parent of our own decides for its children. A trace that comes from outside, or begins here, is kept by its id, so that every node with
/// the same percentage keeps the same traces; a caller may ask not to be kept, and no caller can make us keep more.
#[derive(Debug, Clone)]
pub(super) struct ByTrace(Sampler);

impl ByTrace {
    pub(super) fn percent(percent: u8) -> Self {
        Self(if percent >= 100 { Sampler::AlwaysOn } else { Sampler::TraceIdRatioBased(f64::from(percent) / 100.0) })
    }
}

impl ShouldSample for ByTrace {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let told = parent.map(|parent| parent.span().span_context().clone()).filter(opentelemetry::trace::SpanContext::is_valid);
        let keep = |keep| SamplingResult {
            decision: if keep { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop },
            attributes: Vec::new(),
            trace_state: TraceState::default(),
        };
        match told {
            Some(told) if !told.is_remote() || !told.is_sampled() => keep(told.is_sampled()),
            _ => self.0.should_sample(None, trace, name, kind, attributes, links),
        }
    }
}

#[cfg(test)]
mod tests {
    use fenghuo_durable::trace::parse;

    use super::*;

    fn kept(percent: u8, traceparent: &str) -> bool {
        let parent = parse(traceparent).unwrap();
        let trace = parent.span().span_context().trace_id();
        let result = ByTrace::percent(percent).should_sample(Some(&parent), trace, "call", &SpanKind::Server, &[], &[]);
        result.decision == SamplingDecision::RecordAndSample
    }

    #[test]
    fn a_caller_may_ask_not_to_be_kept_and_cannot_ask_for_more() {
        let traces: Vec<String> = (1..=1000_u64)
            .map(|n| format!("00-00000000{n:08x}{:016x}-00000000000000aa-0", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
            .collect();
        assert!(traces.iter().all(|trace| kept(100, &format!("{trace}1"))));
        assert!(!traces.iter().any(|trace| kept(100, &format!("{trace}0"))));
        assert!(!traces.iter().any(|trace| kept(0, &format!("{trace}1"))));
        let quarter: Vec<bool> = traces.iter().map(|trace| kept(25, &format!("{trace}1"))).collect();
        let count = quarter.iter().filter(|kept| **kept).count();
        assert!((150..=350).contains(&count), "{count} of 1000 at 25 percent");
        // Every node decides alike.
        assert_eq!(quarter, traces.iter().map(|trace| kept(25, &format!("{trace}1"))).collect::<Vec<_>>());
    }
}
