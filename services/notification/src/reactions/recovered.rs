//! After a restore: records made anew from what we ourselves had signed, given back by the partner.

use fenghuo_api::partner::v1::{Acknowledgement, Notification as Message};
use fenghuo_api::time::from_proto;
use fenghuo_durable::{Result, Tx};
use fenghuo_mailbox::Outgoing;
use jiff::SignedDuration;

use super::acknowledge_due;
use crate::domain::notification::Approval;
use crate::domain::{Direction, Notification, State, StreamPlace};
use crate::store::notification::{self, Told};

/// Who did it.
const ACTOR: &str = "restore";

/// Brings the record of a notification that we sent to where it was when it was sent: made anew if it is missing, approved if the backup
/// has it as a draft.
pub(super) async fn restore(tx: &mut Tx, outgoing: &Outgoing, content: &Message, acknowledge_within_s: u32) -> Result<()> {
    let sent_at = outgoing.envelope.space_time.as_ref().and_then(from_proto).unwrap_or_else(|| tx.now());
    let mut found = match notification::get(tx, &content.name).await? {
        Some(found) if found.state != State::Draft => return Ok(()),
        Some(found) => found,
        None => draft_of(outgoing, content, sent_at),
    };
    let acknowledge_due = sent_at + SignedDuration::from_secs(i64::from(acknowledge_within_s));
    // What was signed is what counts, whatever the draft of the backup says.
    found.content = content.clone();
    found.approve(&Approval { by: content.approved_by.clone(), at: sent_at, acknowledge_due })?;
    found.place = place_of(outgoing);
    let told = Told {
        kind: "notification.recovered",
        actor: ACTOR.to_owned(),
        request_id: String::new(),
        zh: format!("恢复备份后由{}节点取回:{}", outgoing.partner, content.subject),
        en: format!("Fetched back from {} after a restore: {}", outgoing.partner, content.subject),
    };
    notification::save(tx, &mut found, told).await?;
    acknowledge_due::watch(tx, &found).await
}

/// The person here had acknowledged, and the acknowledgement was sent: the record follows.
pub(super) async fn acknowledged_before(tx: &mut Tx, given: &Acknowledgement) -> Result<()> {
    let found = notification::get(tx, &given.notification).await?;
    let Some(mut found) = found.filter(|found| found.direction == Direction::Incoming && found.wants_acknowledgement()) else {
        return Ok(());
    };
    found.acknowledge(given.clone(), false)?;
    let told = Told {
        kind: "notification.received_acknowledged",
        actor: ACTOR.to_owned(),
        request_id: String::new(),
        zh: format!("{} {}已于备份后确认(取回)", given.post, given.person),
        en: format!("Acknowledged by {} after the backup (fetched back)", given.person),
    };
    notification::save(tx, &mut found, told).await?;
    tx.cancel_timers(acknowledge_due::KIND, &found.name).await.map(|_| ())
}

/// A notification that was not delivered stands in a new epoch now.
pub(super) async fn moved(tx: &mut Tx, outgoing: &Outgoing, content: &Message) -> Result<()> {
    let Some(mut found) = notification::get(tx, &content.name).await? else { return Ok(()) };
    found.place = place_of(outgoing);
    let told = Told {
        kind: "notification.moved",
        actor: ACTOR.to_owned(),
        request_id: String::new(),
        zh: format!("未送达,已重新编入发往{}的新一期信道", outgoing.partner),
        en: format!("Not delivered; written again in a new epoch of the stream to {}", outgoing.partner),
    };
    notification::save(tx, &mut found, told).await
}

fn place_of(outgoing: &Outgoing) -> Option<StreamPlace> {
    outgoing.envelope.stream.as_ref().map(|stream| StreamPlace {
        epoch: stream.epoch,
        position: outgoing.envelope.position,
        digest: hex::encode(outgoing.digest),
    })
}

fn draft_of(outgoing: &Outgoing, content: &Message, sent_at: jiff::Timestamp) -> Notification {
    let home = outgoing.envelope.stream.as_ref().map(|stream| stream.sender.clone()).unwrap_or_default();
    let place = content.place.as_ref().map(|place| place.admin_code.clone()).filter(|code| !code.is_empty());
    Notification {
        name: content.name.clone(),
        revision: 0,
        admin_code: place.unwrap_or(home),
        direction: Direction::Outgoing,
        partner_code: outgoing.partner.clone(),
        incident: content.incident.clone(),
        state: State::Draft,
        content: content.clone(),
        create_time: sent_at,
        drafted_by: String::new(),
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
        why_zh: "恢复备份后取回;选定理由未随函保存".to_owned(),
        why_en: "fetched back after a restore; why this partner was chosen does not travel with the message".to_owned(),
    }
}
