//! `ListPartners`: the directory with the state of each link in the space of the call.

use fenghuo_api::notification::v1::{ListPartnersRequest, ListPartnersResponse, Partner as WirePartner};
use fenghuo_durable::page::{PageToken, page_size};
use fenghuo_durable::{Error, Result, Space};
use fenghuo_edge::Caller;
use fenghuo_mailbox::undelivered;

use crate::service::Service;
use crate::wire::partner_out;

const METHOD: &str = "/fenghuo.notification.v1.PartnerDirectoryService/ListPartners";

pub(super) async fn handle(service: &Service, caller: &Caller, request: ListPartnersRequest) -> Result<ListPartnersResponse> {
    let size = usize::try_from(page_size(request.page_size, 50, 500)?).unwrap_or(50);
    let after = match request.page_token.as_str() {
        "" => String::new(),
        token => PageToken::decode(METHOD, token)?.pop().ok_or_else(|| Error::invalid("page_token", "is not a token of this call"))?,
    };
    let space = service.space(caller)?;
    if !service.has_grant_here(caller) {
        return Ok(ListPartnersResponse::default());
    }
    let mut partners: Vec<WirePartner> = Vec::new();
    for partner in service.0.directory.all().into_iter().filter(|partner| partner.province_code > after) {
        if partners.len() == size {
            let last = partners.last().map(|partner| partner.province_code.clone()).unwrap_or_default();
            return Ok(ListPartnersResponse { partners, next_page_token: PageToken::encode(METHOD, &[&last]) });
        }
        partners.push(with_link(service, &space, partner).await?);
    }
    Ok(ListPartnersResponse { partners, next_page_token: String::new() })
}

/// A partner with its link in this space.
pub(super) async fn with_link(service: &Service, space: &Space, partner: crate::domain::Partner) -> Result<WirePartner> {
    let waiting = space.db().read(partner.province_code.clone(), |code, tx| Box::pin(undelivered(tx, code))).await?;
    Ok(partner_out(&partner, &service.0.links.status(space.id(), &partner.province_code), waiting))
}
