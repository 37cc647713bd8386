//! `ListIncidents`: the queue, by the next statutory deadline.

use fenghuo_api::incident::v1::{ListIncidentsRequest, ListIncidentsResponse};
use fenghuo_durable::page::{PageToken, page_size};
use fenghuo_durable::{Error, Result, Tx};
use fenghuo_edge::Caller;

use crate::domain::Incident;
use crate::service::Service;
use crate::store;
use crate::wire::incident::incident_out;

const METHOD: &str = "/fenghuo.incident.v1.IncidentService/ListIncidents";

pub(super) async fn handle(service: &Service, caller: &Caller, request: ListIncidentsRequest) -> Result<ListIncidentsResponse> {
    service.check_parent(&request.parent)?;
    let size = page_size(request.page_size, 50, 500)?;
    let after = position(&request.page_token)?;
    let context = (caller.clone(), request.include_closed, after, size);
    service
        .space(caller)?
        .db()
        .clone()
        .read(context, |(caller, include_closed, after, size), tx| {
            Box::pin(async move {
                let (incidents, next) = visible_page(tx, caller, *include_closed, after.clone(), *size).await?;
                Ok(ListIncidentsResponse { incidents: incidents.iter().map(incident_out).collect(), next_page_token: next })
            })
        })
        .await
}

fn position(token: &str) -> Result<(i64, String)> {
    if token.is_empty() {
        return Ok((i64::MIN, String::new()));
    }
    match &PageToken::decode(METHOD, token)?[..] {
        [due, name] => Ok((due.parse().map_err(|_| bad_token())?, name.clone())),
        _ => Err(bad_token()),
    }
}

fn bad_token() -> Error {
    Error::invalid("page_token", "is not a token of this call; begin again without one")
}

/// A page of what the caller may see. The scope is few prefixes and the queue is short: it is walked, not joined.
async fn visible_page(
    tx: &mut Tx,
    caller: &Caller,
    include_closed: bool,
    mut after: (i64, String),
    size: i64,
) -> Result<(Vec<Incident>, String)> {
    let (mut seen, wanted) = (Vec::new(), usize::try_from(size).unwrap_or(50));
    loop {
        let rows = store::incident::page(tx, include_closed, after.clone(), size + 1).await?;
        let ended = rows.len() <= wanted;
        for (due, incident) in rows {
            if !caller.can_read(&incident.place.admin_code) {
                after = (due, incident.name);
                continue;
            }
            if seen.len() == wanted {
                return Ok((seen, PageToken::encode(METHOD, &[&after.0.to_string(), &after.1])));
            }
            after = (due, incident.name.clone());
            seen.push(incident);
        }
        if ended {
            return Ok((seen, String::new()));
        }
    }
}
