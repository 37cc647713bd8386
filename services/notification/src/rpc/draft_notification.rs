//! `DraftNotification`: what a neighbour should be told, from what is known of an incident. Nothing is sent.

use fenghuo_api::incident::v1::Incident;
use fenghuo_api::notification::v1::{DraftNotificationRequest, DraftNotificationResponse};
use fenghuo_api::partner::v1::{Notification as Content, NotificationKind};
use fenghuo_durable::{Error, RequestKey, Result, Space, Tx, new_id};
use fenghuo_edge::Caller;

use super::{answer, person};
use crate::domain::check::check_content;
use crate::domain::draft::{Links, draft, overlay};
use crate::domain::recipients::why;
use crate::domain::{Direction, Notification, State};
use crate::service::Service;
use crate::store;
use crate::store::notification::{self, Told};

const METHOD: &str = "/fenghuo.notification.v1.NotificationService/DraftNotification";

pub(super) async fn handle(service: &Service, caller: &Caller, request: DraftNotificationRequest) -> Result<DraftNotificationResponse> {
    let key = RequestKey::new(&caller.identity, METHOD, &request.request_id, &request)?;
    let space = service.space(caller)?;
    if NotificationKind::try_from(request.kind).unwrap_or_default() == NotificationKind::Unspecified {
        return Err(Error::invalid("kind", "is required: warning, information, search, assistance request or end of alert"));
    }
    let incident = incident_of(&space, &request.incident).await?;
    caller.require_for(METHOD, &place_code(&incident), &request.incident)?;
    service.0.directory.found(&request.partner_code).await?;
    let name = format!("provinces/{}/notifications/{}", service.province_code(), new_id());
    let context = (service.clone(), caller.clone(), request, name);
    space.db().write_once(key, context, |(service, caller, request, name), tx| Box::pin(write(tx, service, caller, request, name))).await
}

/// An incident that must be there.
pub(super) async fn incident_of(space: &Space, name: &str) -> Result<Incident> {
    let found = space.db().read(name.to_owned(), |name, tx| Box::pin(store::incident::get(tx, name))).await?;
    found.ok_or_else(|| Error::not_found(name))
}

pub(super) fn place_code(incident: &Incident) -> String {
    incident.place.as_ref().map(|place| place.admin_code.clone()).unwrap_or_default()
}

async fn write(
    tx: &mut Tx,
    service: &Service,
    caller: &Caller,
    request: &DraftNotificationRequest,
    name: &str,
) -> Result<DraftNotificationResponse> {
    let incident = store::incident::get(tx, &request.incident).await?.ok_or_else(|| Error::not_found(&request.incident))?;
    caller.require_for(METHOD, &place_code(&incident), &request.incident)?;
    let recipient = why(&incident, &request.partner_code);
    let links = links(tx, request).await?;
    let drafted = draft(&incident, request.kind(), &recipient, &service.0.duty_telephone, links, tx.now());
    let content = overlay(drafted, request.overrides.clone().unwrap_or_default());
    let content = Content { name: name.to_owned(), approved_by: String::new(), ..content };
    check_content("overrides", &content)?;
    let mut found = Notification {
        name: name.to_owned(),
        revision: 0,
        admin_code: place_code(&incident),
        direction: Direction::Outgoing,
        partner_code: request.partner_code.clone(),
        incident: request.incident.clone(),
        state: State::Draft,
        content,
        create_time: tx.now(),
        drafted_by: person(caller),
        approved_by: String::new(),
        approve_time: None,
        place: None,
        deliver_time: None,
        refusal: String::new(),
        acknowledgement: None,
        acknowledged_by_hand: false,
        acknowledge_due: None,
        acknowledgement_overdue: false,
        letter_number: String::new(),
        letter_text: String::new(),
        why_zh: recipient.why_zh,
        why_en: recipient.why_en,
    };
    let told = Told {
        kind: "notification.drafted",
        actor: caller.identity.clone(),
        request_id: request.request_id.clone(),
        zh: format!("起草通报:{}", found.content.subject),
        en: format!("Notification drafted: {}", found.content.subject),
    };
    notification::save(tx, &mut found, told).await?;
    Ok(DraftNotificationResponse { notification: Some(answer(tx, service, caller, &found).await?) })
}

/// What this message would continue, and which alarm an end would end.
async fn links(tx: &mut Tx, request: &DraftNotificationRequest) -> Result<Links> {
    let earlier = notification::of_incident_and_partner(tx, &request.incident, &request.partner_code).await?;
    let sent = |one: &&Notification| !matches!(one.state, State::Draft | State::Discarded | State::Refused);
    let alarm = earlier.iter().filter(sent).find(|one| {
        let alarming = matches!(one.content.kind(), NotificationKind::Warning | NotificationKind::Search);
        one.direction == Direction::Outgoing && alarming
    });
    Ok(Links { last: earlier.iter().find(sent).map(|one| one.name.clone()), alarm: alarm.map(|one| one.name.clone()) })
}
