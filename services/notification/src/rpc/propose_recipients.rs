//! `ProposeRecipients`: neighbours that should be told, with the clause and the ground.

use fenghuo_api::notification::v1::propose_recipients_response::Recipient;
use fenghuo_api::notification::v1::{ProposeRecipientsRequest, ProposeRecipientsResponse};
use fenghuo_durable::Result;
use fenghuo_edge::Caller;
use fenghuo_rules::divisions::Divisions;

use super::draft_notification::{incident_of, place_code};
use crate::domain::recipients::propose;
use crate::service::Service;

const METHOD: &str = "/fenghuo.notification.v1.NotificationService/ProposeRecipients";

pub(super) async fn handle(service: &Service, caller: &Caller, request: ProposeRecipientsRequest) -> Result<ProposeRecipientsResponse> {
    let space = service.space(caller)?;
    let incident = incident_of(&space, &request.incident).await?;
    caller.require_for(METHOD, &place_code(&incident), &request.incident)?;
    let proposed = propose(&incident).into_iter().map(|recipient| Recipient {
        display_name: Divisions::builtin().name_zh(&recipient.partner_code).to_owned(),
        why_zh: recipient.why_zh,
        why_en: recipient.why_en,
        enrolled: service.0.directory.get(&recipient.partner_code).is_some(),
        partner_code: recipient.partner_code,
    });
    Ok(ProposeRecipientsResponse { recipients: proposed.collect() })
}
