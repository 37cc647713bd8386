//! `ListEvents`: the log of the space, in sequence, as far as the caller may see it.

use std::sync::Arc;

use fenghuo_api::audit::v1::{ListEventsRequest, ListEventsResponse};
use fenghuo_durable::page::{PageToken, page_size};
use fenghuo_durable::{Event, Result, Space, SpaceId, Tx};
use fenghuo_edge::{Caller, Role};

use super::bad_page_token;
use crate::domain::Quarantine;
use crate::service::Service;
use crate::wire::event::event_out;

const METHOD: &str = "/fenghuo.audit.v1.AuditService/ListEvents";
/// Events looked at for one answer; who may see few of many gets a short page and a token.
const LOOKED_AT_MAX: usize = 20_000;
/// Events read at a time.
const BATCH: i64 = 1000;

pub(super) async fn handle(service: &Service, caller: &Caller, request: ListEventsRequest) -> Result<ListEventsResponse> {
    let size = usize::try_from(page_size(request.page_size, 100, 1000)?).unwrap_or(100);
    let after = position(&request.page_token, &request.subject)?;
    let context = (caller.clone(), request.subject, after, size);
    let space = log_of(service, caller, &context.1)?;
    let (events, next_page_token) =
        space.db().read(context, |(caller, subject, after, size), tx| Box::pin(visible_page(tx, caller, subject, *after, *size))).await?;
    Ok(ListEventsResponse { events: events.into_iter().map(event_out).collect(), next_page_token })
}

/// The log in which this record is told of. People, their sessions, exercises and the quarantine stand in the node's own; asked for by name in the real
/// space, they are shown to whoever administers the province.
fn log_of(service: &Service, caller: &Caller, subject: &str) -> Result<Arc<Space>> {
    let space = service.space(caller)?;
    let province = service.province_code();
    let of_node = subject.starts_with(&format!("provinces/{province}/people/"))
        || subject.starts_with("exercises/")
        || subject == Quarantine::name_of(province);
    let shown = of_node && space.id() == SpaceId::Real && caller.may(Role::Administrator, province);
    Ok(if shown { service.parts().node.clone() } else { space })
}

/// A token holds for the same subject alone.
fn position(token: &str, subject: &str) -> Result<u64> {
    if token.is_empty() {
        return Ok(0);
    }
    match &PageToken::decode(METHOD, token)?[..] {
        [kept, seq] if kept == subject => seq.parse().map_err(|_| bad_page_token()),
        _ => Err(bad_page_token()),
    }
}

async fn visible_page(tx: &mut Tx, caller: &Caller, subject: &str, after: u64, size: usize) -> Result<(Vec<Event>, String)> {
    let (mut page, mut seq, mut looked_at) = (Vec::new(), after, 0);
    loop {
        let events = match subject {
            "" => tx.events_after(seq, BATCH).await?,
            subject => tx.events_of_after(subject, seq, BATCH).await?,
        };
        if events.is_empty() {
            return Ok((page, String::new()));
        }
        for event in events {
            if caller.can_read(&event.admin_code) {
                // The page is full, and this shows that there is more.
                if page.len() == size {
                    return Ok((page, PageToken::encode(METHOD, &[subject, &seq.to_string()])));
                }
                seq = event.seq;
                page.push(event);
            } else {
                seq = event.seq;
            }
            looked_at += 1;
        }
        if looked_at >= LOOKED_AT_MAX {
            return Ok((page, PageToken::encode(METHOD, &[subject, &seq.to_string()])));
        }
    }
}
