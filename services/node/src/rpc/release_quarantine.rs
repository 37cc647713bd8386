//! `ReleaseQuarantine`: a person ends the waiting for partners that cannot be reached.

use fenghuo_api::operation::v1::{ReleaseQuarantineRequest, ReleaseQuarantineResponse};
use fenghuo_durable::faults::Faults;
use fenghuo_durable::{RequestKey, Result, wall};
use fenghuo_edge::Caller;

use crate::domain::quarantine::{REASON_MAX, not_in_quarantine};
use crate::operation::Known;
use crate::service::Service;
use crate::store;
use crate::store::Told;
use crate::wire::operation::quarantine_out;

const METHOD: &str = "/fenghuo.operation.v1.OperationService/ReleaseQuarantine";

pub(super) async fn handle(service: &Service, caller: &Caller, request: ReleaseQuarantineRequest) -> Result<ReleaseQuarantineResponse> {
    service.require(caller, METHOD, "such quarantine")?;
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let reason = checked(&request.reason)?;
    let told = Told {
        kind: "quarantine.released",
        actor: caller.identity.clone(),
        request_id: key.request_id.clone(),
        zh: "解除恢复后的隔离：不再等待未应答的邻省",
        en: "The quarantine after the restore is released: partners that have not answered are not waited for",
    };
    let waiting = service.known().borrow().waiting.clone();
    let context = (service.province_code().to_owned(), reason, told, waiting);
    let answer = service
        .db()
        .write_once(key, context, |(province, reason, told, waiting), tx| {
            Box::pin(async move {
                let mut last = store::quarantine::last(tx).await?.ok_or_else(not_in_quarantine)?;
                last.release(&told.actor, reason, wall::now())?;
                store::quarantine::save(tx, province, &mut last, told.clone()).await?;
                let known = Known { quarantine: Some(last), waiting: waiting.clone() };
                Ok(ReleaseQuarantineResponse { quarantine: quarantine_out(&known, true) })
            })
        })
        .await?;
    tracing::warn!(person = caller.identity, "the quarantine is released: timers fire");
    // The task that watches over the node would do so within a second.
    service.operation().hold.set(false);
    Ok(answer)
}

fn checked(reason: &str) -> Result<String> {
    let reason = reason.trim();
    let mut faults = Faults::default();
    let plain = !reason.chars().any(|c| c.is_control() && c != '\n');
    if reason.is_empty() || reason.chars().count() > REASON_MAX || !plain {
        faults.add("reason", format!("must say in 1 to {REASON_MAX} characters why it is not waited any longer"));
    }
    faults.done()?;
    Ok(reason.to_owned())
}
