//! `ListConditions`: what is wrong with the node now.

use fenghuo_api::operation::v1::{ListConditionsRequest, ListConditionsResponse};
use fenghuo_durable::Result;
use fenghuo_edge::{Caller, Role};

use crate::service::Service;
use crate::wire::operation::{condition_out, quarantine_out};

pub(super) async fn handle(service: &Service, caller: &Caller, _request: ListConditionsRequest) -> Result<ListConditionsResponse> {
    let whole = sees_whole(service, caller);
    let conditions = service.operation().conditions.now().into_iter().map(|one| condition_out(one, whole)).collect();
    Ok(ListConditionsResponse { conditions, quarantine: quarantine_out(&service.known().borrow(), whole) })
}

/// Does the caller answer for the whole province?
pub(super) fn sees_whole(service: &Service, caller: &Caller) -> bool {
    [Role::Administrator, Role::Commander].into_iter().any(|role| caller.may(role, service.province_code()))
}
