//! `VerifyLog`: recomputes the chain, the record digests and the receipts of the space; in the real space also the node's own log.

use fenghuo_api::audit::v1::{VerifyLogRequest, VerifyLogResponse};
use fenghuo_durable::{Result, SpaceId, Verification, verify};
use fenghuo_edge::Caller;

use crate::service::{RECORDS, Service};

const METHOD: &str = "/fenghuo.audit.v1.AuditService/VerifyLog";

pub(super) async fn handle(service: &Service, caller: &Caller, _request: VerifyLogRequest) -> Result<VerifyLogResponse> {
    // The whole log, so whoever answers for the whole province.
    service.require(caller, METHOD, "such log")?;
    let space = service.space(caller)?;
    let _held = service.hold_verifying().await;
    let parts = service.parts();
    let mut found = verify(space.db(), parts.records.clone()).await?;
    for verifier in &parts.verifiers {
        add(&mut found, verifier(space.clone()).await?, "");
    }
    if space.id() == SpaceId::Real {
        let records = RECORDS.iter().chain(&parts.node_records).copied().collect();
        add(&mut found, verify(parts.node.db(), records).await?, "node: ");
    }
    Ok(VerifyLogResponse {
        holds: found.faults.is_empty(),
        events: found.events,
        records: found.records,
        receipts: found.receipts,
        head_hash: found.head_hash,
        faults: found.faults,
        remarks: found.remarks,
    })
}

fn add(found: &mut Verification, more: Verification, of: &str) {
    found.events += more.events;
    found.records += more.records;
    found.receipts += more.receipts;
    for fault in more.faults {
        found.fault(format!("{of}{fault}"));
    }
    for remark in more.remarks {
        found.remark(format!("{of}{remark}"));
    }
}
