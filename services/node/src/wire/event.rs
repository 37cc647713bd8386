//! Events, to the wire.

use fenghuo_api::audit::v1 as pb;
use fenghuo_api::time::to_proto;
use fenghuo_durable::Event;

/// To the wire; payload and private part stay here.
pub fn event_out(event: Event) -> pb::Event {
    pb::Event {
        sequence: event.seq,
        event_id: event.event_id,
        r#type: event.kind,
        subject: event.subject,
        revision: event.revision,
        admin_code: event.admin_code,
        actor: event.actor,
        space_time: Some(to_proto(event.space_time)),
        record_time: Some(to_proto(event.record_time)),
        text_zh: event.text_zh,
        text_en: event.text_en,
        record_digest: event.record_digest,
        chain_hash: event.chain_hash,
    }
}
