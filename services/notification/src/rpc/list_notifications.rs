//! `ListNotifications`: newest first.

use fenghuo_api::notification::v1::{ListNotificationsRequest, ListNotificationsResponse};
use fenghuo_durable::page::{PageToken, page_size};
use fenghuo_durable::{Error, Result, Tx};
use fenghuo_edge::Caller;

use super::answer;
use crate::service::Service;
use crate::store::notification::{self, Filter};

const METHOD: &str = "/fenghuo.notification.v1.NotificationService/ListNotifications";

pub(super) async fn handle(service: &Service, caller: &Caller, request: ListNotificationsRequest) -> Result<ListNotificationsResponse> {
    service.check_parent(&request.parent)?;
    let size = page_size(request.page_size, 50, 500)?;
    let after = position(&request.page_token)?;
    let filter = Filter { incident: request.incident, unacknowledged_only: request.unacknowledged_only };
    let space = service.space(caller)?;
    let context = (service.clone(), caller.clone(), filter, after, size);
    space
        .db()
        .read(context, |(service, caller, filter, after, size), tx| {
            Box::pin(visible_page(tx, service, caller, filter, after.clone(), *size))
        })
        .await
}

fn position(token: &str) -> Result<(i64, String)> {
    if token.is_empty() {
        return Ok((i64::MAX, String::new()));
    }
    match &PageToken::decode(METHOD, token)?[..] {
        [time, name] => Ok((time.parse().map_err(|_| bad_token())?, name.clone())),
        _ => Err(bad_token()),
    }
}

fn bad_token() -> Error {
    Error::invalid("page_token", "is not a token of this call; begin again without one")
}

async fn visible_page(
    tx: &mut Tx,
    service: &Service,
    caller: &Caller,
    filter: &Filter,
    mut after: (i64, String),
    size: i64,
) -> Result<ListNotificationsResponse> {
    let (mut seen, wanted) = (Vec::new(), usize::try_from(size).unwrap_or(50));
    loop {
        let rows = notification::page(tx, filter, after.clone(), size + 1).await?;
        let ended = rows.len() <= wanted;
        for (time, found) in rows {
            let visible = caller.can_read(&found.admin_code);
            if visible && seen.len() == wanted {
                let next_page_token = PageToken::encode(METHOD, &[&after.0.to_string(), &after.1]);
                return Ok(ListNotificationsResponse { notifications: seen, next_page_token });
            }
            after = (time, found.name.clone());
            if visible {
                seen.push(answer(tx, service, caller, &found).await?);
            }
        }
        if ended {
            return Ok(ListNotificationsResponse { notifications: seen, next_page_token: String::new() });
        }
    }
}
