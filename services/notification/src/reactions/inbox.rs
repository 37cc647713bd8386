//! What partners send: taken up in the transaction that stores the envelope. Bad content is refused in the receipt, with its reason.

use fenghuo_api::partner::v1::envelope::Content;
use fenghuo_api::partner::v1::{Acknowledgement, Notification as Message, NotificationKind, Receipt};
use fenghuo_durable::{Result, Tx};
use fenghuo_mailbox::{Inbox, Incoming, Judgement, Outgoing};
use fenghuo_rules::divisions::Divisions;
use futures::future::BoxFuture;
use jiff::SignedDuration;

use super::{acknowledge_due, recovered};
use crate::domain::check::{check_acknowledgement, check_content};
use crate::domain::letter::kind_zh;
use crate::domain::notification::NAME_REUSED;
use crate::domain::{Direction, Notification, State, StreamPlace};
use crate::store::notification::{self, Told};

/// Takes up envelopes for notification.
#[derive(Debug)]
pub struct Mail {
    /// Six-digit code of our province.
    pub province_code: String,
    /// Within so many seconds a person here should acknowledge. The law gives no figure.
    pub acknowledge_within_s: u32,
}

impl Mail {
    async fn notified(&self, tx: &mut Tx, incoming: &Incoming, content: &Message) -> Result<Judgement> {
        if let Some(reason) = refusal(&incoming.partner, content) {
            return Ok(Judgement::Refused(reason));
        }
        if notification::get(tx, &content.name).await?.is_some() {
            return Ok(Judgement::Refused(NAME_REUSED));
        }
        let now = tx.now();
        let mut found = Notification {
            name: content.name.clone(),
            revision: 0,
            admin_code: self.province_code.clone(),
            direction: Direction::Incoming,
            partner_code: incoming.partner.clone(),
            incident: our_incident(tx, incoming, content).await?,
            state: State::Delivered,
            content: content.clone(),
            create_time: now,
            drafted_by: String::new(),
            approved_by: content.approved_by.clone(),
            approve_time: None,
            place: Some(place_of(incoming)),
            deliver_time: Some(now),
            refusal: String::new(),
            acknowledgement: None,
            acknowledged_by_hand: false,
            acknowledge_due: now.checked_add(SignedDuration::from_secs(i64::from(self.acknowledge_within_s))).ok(),
            acknowledgement_overdue: false,
            letter_number: String::new(),
            letter_text: String::new(),
            why_zh: String::new(),
            why_en: String::new(),
        };
        let partner = Divisions::builtin();
        let told = Told {
            kind: "notification.received",
            actor: format!("partners/{}", incoming.partner),
            request_id: String::new(),
            zh: format!("收到{}{}:{}", partner.name_zh(&incoming.partner), kind_zh(content.kind()), content.subject),
            en: format!("Received from {}: {}", partner.name_en(&incoming.partner), content.subject),
        };
        notification::save(tx, &mut found, told).await?;
        acknowledge_due::watch(tx, &found).await?;
        Ok(Judgement::Accepted)
    }

    async fn acknowledged(&self, tx: &mut Tx, incoming: &Incoming, given: &Acknowledgement) -> Result<Judgement> {
        if check_acknowledgement("acknowledgement", given).is_err() {
            return Ok(Judgement::Refused("ACKNOWLEDGEMENT_INVALID"));
        }
        let found = notification::get(tx, &given.notification).await?;
        // What was never sent is as unknown to the partner as what was never written.
        let sent = |state: State| !matches!(state, State::Draft | State::Discarded);
        let ours =
            |found: &Notification| found.direction == Direction::Outgoing && found.partner_code == incoming.partner && sent(found.state);
        let Some(mut found) = found.filter(ours) else {
            return Ok(Judgement::Refused("NOTIFICATION_UNKNOWN"));
        };
        if found.acknowledge(given.clone(), false).is_err() {
            return Ok(Judgement::Refused("ALREADY_ACKNOWLEDGED"));
        }
        let told = Told {
            kind: "notification.acknowledged",
            actor: format!("partners/{}", incoming.partner),
            request_id: String::new(),
            zh: format!("{} {}已确认", given.post, given.person),
            en: format!("Acknowledged by {} {}", given.post, given.person),
        };
        notification::save(tx, &mut found, told).await?;
        tx.cancel_timers(acknowledge_due::KIND, &found.name).await?;
        Ok(Judgement::Accepted)
    }
}

/// Why a notification of this partner is refused by its content alone, if it is.
pub fn refusal(partner: &str, content: &Message) -> Option<&'static str> {
    let home = format!("provinces/{partner}/");
    let own = |name: &str, kind: &str| {
        name.strip_prefix(&home).and_then(|rest| rest.strip_prefix(kind)).is_some_and(|id| !id.is_empty() && !id.contains('/'))
    };
    if !own(&content.name, "notifications/") {
        return Some("NAME_NOT_OF_SENDER");
    }
    if !content.incident.is_empty() && !own(&content.incident, "incidents/") {
        return Some("INCIDENT_NOT_OF_SENDER");
    }
    if content.kind() == NotificationKind::Unspecified {
        return Some("KIND_UNKNOWN");
    }
    check_content("notification", content).err().map(|_| "CONTENT_INVALID")
}

/// Our incident that a message is about: that of the message which it answers, or of the last one about the same incident over there.
async fn our_incident(tx: &mut Tx, incoming: &Incoming, content: &Message) -> Result<String> {
    for link in [&content.follows, &content.corrects, &content.revokes, &content.ends] {
        if link.is_empty() {
            continue;
        }
        if let Some(linked) = notification::get(tx, link).await?
            && linked.partner_code == incoming.partner
            && !linked.incident.is_empty()
        {
            return Ok(linked.incident);
        }
    }
    notification::incident_of_remote(tx, &incoming.partner, &content.incident).await
}

fn place_of(incoming: &Incoming) -> StreamPlace {
    StreamPlace { epoch: incoming.epoch, position: incoming.envelope.position, digest: hex::encode(incoming.digest) }
}

impl Inbox for Mail {
    fn take<'t>(&'t self, tx: &'t mut Tx, incoming: &'t Incoming) -> BoxFuture<'t, Result<Judgement>> {
        Box::pin(async move {
            match &incoming.envelope.content {
                Some(Content::Notification(content)) => self.notified(tx, incoming, content).await,
                Some(Content::Acknowledgement(given)) => self.acknowledged(tx, incoming, given).await,
                _ => Ok(Judgement::NotUnderstood),
            }
        })
    }

    fn receipted<'t>(&'t self, tx: &'t mut Tx, outgoing: &'t Outgoing, receipt: &'t Receipt) -> BoxFuture<'t, Result<()>> {
        Box::pin(async move {
            let Some(Content::Notification(content)) = &outgoing.envelope.content else { return Ok(()) };
            if outgoing.recovered {
                recovered::restore(tx, outgoing, content, self.acknowledge_within_s).await?;
            }
            let Some(mut found) = notification::get(tx, &content.name).await? else { return Ok(()) };
            if !found.receipted(receipt.outcome(), &receipt.reason, tx.now())? {
                return Ok(());
            }
            let partner = Divisions::builtin();
            let refused = !found.refusal.is_empty();
            let (kind, zh, en) = if refused {
                ("notification.refused", "对方节点拒收", "Refused by the node of")
            } else {
                ("notification.delivered", "已送达", "Delivered to")
            };
            let told = Told {
                kind,
                actor: format!("partners/{}", outgoing.partner),
                request_id: String::new(),
                zh: format!("{zh}({}){}", partner.name_zh(&outgoing.partner), found.refusal),
                en: format!("{en} {} {}", partner.name_en(&outgoing.partner), found.refusal).trim().to_owned(),
            };
            notification::save(tx, &mut found, told).await
        })
    }

    fn moved<'t>(&'t self, tx: &'t mut Tx, outgoing: &'t Outgoing) -> BoxFuture<'t, Result<()>> {
        Box::pin(async move {
            let Some(Content::Notification(content)) = &outgoing.envelope.content else { return Ok(()) };
            recovered::moved(tx, outgoing, content).await
        })
    }

    fn sent_before<'t>(&'t self, tx: &'t mut Tx, outgoing: &'t Outgoing) -> BoxFuture<'t, Result<()>> {
        Box::pin(async move {
            let Some(Content::Acknowledgement(given)) = &outgoing.envelope.content else { return Ok(()) };
            recovered::acknowledged_before(tx, given).await
        })
    }
}
