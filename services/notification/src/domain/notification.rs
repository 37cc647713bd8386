//! A notification in either direction, and what may become of it.

use fenghuo_api::partner::v1::{Acknowledgement, Notification as Content, Outcome};
use fenghuo_durable::{Error, Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::wire::packed;

/// A node's reason for refusing a notification whose name it knows already.
pub const NAME_REUSED: &str = "NAME_REUSED";

/// Which way it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// We send.
    Outgoing,
    /// We received.
    Incoming,
}

/// How far it is. An incoming one begins as delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for an officer.
    Draft,
    /// In the stream, or the letter has its number.
    Approved,
    /// The partner's node has stored it and signed.
    Delivered,
    /// A person over there answers for it.
    Acknowledged,
    /// The partner's node refused it.
    Refused,
    /// Thrown away before approval.
    Discarded,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Draft => "a draft",
            Self::Approved => "approved",
            Self::Delivered => "delivered",
            Self::Acknowledged => "acknowledged",
            Self::Refused => "refused by the partner",
            Self::Discarded => "discarded",
        }
    }
}

/// Where its envelope stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamPlace {
    /// Epoch of the stream.
    pub epoch: u64,
    /// Position in it.
    pub position: u64,
    /// SHA-256 of the envelope, hexadecimal.
    pub digest: String,
}

/// A notification (通报).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// `provinces/{sender}/notifications/{uuid}`.
    pub name: String,
    /// Rises with every change.
    pub revision: u64,
    /// Jurisdiction: that of the incident (outgoing), our province (incoming).
    pub admin_code: String,
    /// Which way it goes.
    pub direction: Direction,
    /// The other province.
    pub partner_code: String,
    /// Our incident; empty while unknown.
    pub incident: String,
    /// How far it is.
    pub state: State,
    /// What it says, as serialised in the contract's form.
    #[serde(with = "packed")]
    pub content: Content,
    /// When it was drafted or stored, in space time.
    pub create_time: Timestamp,
    /// Who drafted it.
    #[serde(default)]
    pub drafted_by: String,
    /// Who approved it.
    #[serde(default)]
    pub approved_by: String,
    /// When it was approved, in space time.
    #[serde(default)]
    pub approve_time: Option<Timestamp>,
    /// Where its envelope stands.
    #[serde(default)]
    pub place: Option<StreamPlace>,
    /// When the partner's receipt was stored (outgoing), in space time.
    #[serde(default)]
    pub deliver_time: Option<Timestamp>,
    /// Why the partner's node refused it or did not understand it.
    #[serde(default)]
    pub refusal: String,
    /// A person's acknowledgement.
    #[serde(default, with = "packed::option")]
    pub acknowledgement: Option<Acknowledgement>,
    /// It was entered by hand.
    #[serde(default)]
    pub acknowledged_by_hand: bool,
    /// When the acknowledgement is missed, in space time.
    #[serde(default)]
    pub acknowledge_due: Option<Timestamp>,
    /// It was not there in time. Stays.
    #[serde(default)]
    pub acknowledgement_overdue: bool,
    /// Number of the letter.
    #[serde(default)]
    pub letter_number: String,
    /// Text of the letter.
    #[serde(default)]
    pub letter_text: String,
    /// Why this partner, in Chinese.
    #[serde(default)]
    pub why_zh: String,
    /// Why this partner, in English.
    #[serde(default)]
    pub why_en: String,
}

/// An officer's approval.
#[derive(Debug, Clone)]
pub struct Approval {
    /// Name and post.
    pub by: String,
    /// Space time.
    pub at: Timestamp,
    /// When the acknowledgement is missed.
    pub acknowledge_due: Timestamp,
}

impl Notification {
    /// Does it still want a person's acknowledgement?
    pub fn wants_acknowledgement(&self) -> bool {
        matches!(self.state, State::Approved | State::Delivered) && self.acknowledgement.is_none()
    }

    /// Replaces what a draft says. FAILED_PRECONDITION, reason NOT_A_DRAFT.
    pub fn revise(&mut self, content: Content) -> Result<()> {
        self.must_be_draft("change")?;
        self.content = Content { name: self.name.clone(), incident: self.content.incident.clone(), approved_by: String::new(), ..content };
        Ok(())
    }

    /// An officer answers for it: it is as good as sent. FAILED_PRECONDITION, reason NOT_A_DRAFT.
    pub fn approve(&mut self, approval: &Approval) -> Result<()> {
        self.must_be_draft("approve")?;
        self.state = State::Approved;
        self.approved_by.clone_from(&approval.by);
        self.content.approved_by.clone_from(&approval.by);
        self.approve_time = Some(approval.at);
        self.acknowledge_due = Some(approval.acknowledge_due);
        Ok(())
    }

    /// Thrown away. FAILED_PRECONDITION, reason NOT_A_DRAFT.
    pub fn discard(&mut self) -> Result<()> {
        self.must_be_draft("discard")?;
        self.state = State::Discarded;
        Ok(())
    }

    /// The partner's node has answered; `true` if that is news. A person's acknowledgement that came first stays. A notification that was written
    /// again in a new epoch has more than one receipt: that the partner has it, by whichever, stands.
    pub fn receipted(&mut self, outcome: Outcome, reason: &str, at: Timestamp) -> Result<bool> {
        if self.direction == Direction::Incoming || matches!(self.state, State::Draft | State::Discarded) {
            return Err(Error::precondition("NOT_SENT", format!("{} is {}: no receipt is awaited", self.name, self.state.word())));
        }
        // Our names are never reused: a partner that knows this one has stored the notification before.
        let has_it = outcome == Outcome::Accepted || (outcome == Outcome::Refused && reason == NAME_REUSED);
        let news = match self.state {
            State::Refused => has_it,
            _ => self.deliver_time.is_none(),
        };
        if !news {
            return Ok(false);
        }
        self.deliver_time = Some(at);
        self.refusal = match (has_it, reason) {
            (true, _) => String::new(),
            (false, "") => "NOT_UNDERSTOOD".to_owned(),
            (false, reason) => reason.to_owned(),
        };
        if self.state != State::Acknowledged {
            self.state = if has_it { State::Delivered } else { State::Refused };
        }
        Ok(true)
    }

    /// A person over there (outgoing), or here (incoming), answers for it. `by_hand`: told by telephone or fax; the partner's own signed
    /// envelope takes the place of such an entry, and nothing takes the place of it.
    pub fn acknowledge(&mut self, acknowledgement: Acknowledgement, by_hand: bool) -> Result<()> {
        let replaces = self.acknowledged_by_hand && !by_hand && self.direction == Direction::Outgoing;
        match self.state {
            State::Approved | State::Delivered => {}
            State::Refused if by_hand => {}
            State::Acknowledged if replaces => {}
            State::Acknowledged => {
                return Err(Error::precondition("ALREADY_ACKNOWLEDGED", format!("{} is acknowledged already", self.name)));
            }
            state => {
                let text = format!("{} is {}; only what was sent can be acknowledged", self.name, state.word());
                return Err(Error::precondition("NOT_SENT", text));
            }
        }
        self.state = State::Acknowledged;
        self.acknowledgement = Some(acknowledgement);
        self.acknowledged_by_hand = by_hand;
        Ok(())
    }

    /// The time for the acknowledgement has passed; `true` if that is news.
    pub fn missed(&mut self, due: Timestamp) -> bool {
        let news = self.wants_acknowledgement() && !self.acknowledgement_overdue && self.acknowledge_due == Some(due);
        self.acknowledgement_overdue |= news;
        news
    }

    fn must_be_draft(&self, verb: &str) -> Result<()> {
        if self.direction == Direction::Outgoing && self.state == State::Draft {
            return Ok(());
        }
        let text = match self.direction {
            Direction::Incoming => format!("{} came from {}; you cannot {verb} it", self.name, self.partner_code),
            Direction::Outgoing => {
                format!(
                    "{} is {}; you can {verb} a draft only. To correct what was sent, draft another that corrects it",
                    self.name,
                    self.state.word()
                )
            }
        };
        Err(Error::precondition("NOT_A_DRAFT", text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::UNIX_EPOCH;

    fn at(direction: Direction, state: State) -> Notification {
        let json = serde_json::json!({
            "name": "provinces/420000/notifications/1", "revision": 1, "admin_code": "422822", "direction": direction,
            "partner_code": "500000", "incident": "provinces/420000/incidents/1", "state": state, "content": "",
            "create_time": "2014-08-12T12:00:00Z", "acknowledge_due": NOON,
        });
        serde_json::from_value(json).unwrap()
    }

    fn outgoing(state: State) -> Notification {
        at(Direction::Outgoing, state)
    }

    fn approval() -> Approval {
        Approval { by: "李静 值班员".into(), at: NOON, acknowledge_due: NOON }
    }

    fn given(person: &str) -> Acknowledgement {
        Acknowledgement { person: person.into(), ..Default::default() }
    }

    const ALL: [State; 6] = [State::Draft, State::Approved, State::Delivered, State::Acknowledged, State::Refused, State::Discarded];

    #[test]
    fn only_a_draft_of_ours_is_changed_approved_or_discarded() {
        for state in ALL {
            let fits = state == State::Draft;
            assert_eq!(outgoing(state).revise(Content::default()).is_ok(), fits, "{state:?}");
            assert_eq!(outgoing(state).approve(&approval()).is_ok(), fits, "{state:?}");
            assert_eq!(outgoing(state).discard().is_ok(), fits, "{state:?}");
            assert_eq!(at(Direction::Incoming, state).approve(&approval()).unwrap_err().reason, "NOT_A_DRAFT");
        }
        let mut approved = outgoing(State::Draft);
        approved.approve(&approval()).unwrap();
        assert_eq!((approved.state, approved.content.approved_by.as_str()), (State::Approved, "李静 值班员"));
    }

    #[test]
    fn a_receipt_is_taken_once_and_never_takes_an_acknowledgement_back() {
        for state in ALL {
            let fits = !matches!(state, State::Draft | State::Discarded);
            assert_eq!(outgoing(state).receipted(Outcome::Accepted, "", NOON).is_ok(), fits, "{state:?}");
        }
        assert!(at(Direction::Incoming, State::Approved).receipted(Outcome::Accepted, "", NOON).is_err());
        let mut refused = outgoing(State::Approved);
        refused.receipted(Outcome::NotUnderstood, "", NOON).unwrap();
        assert_eq!((refused.state, refused.refusal.as_str()), (State::Refused, "NOT_UNDERSTOOD"));
        // The acknowledgement overtook the receipt.
        let mut overtaken = outgoing(State::Approved);
        overtaken.acknowledge(given("周敏"), false).unwrap();
        overtaken.receipted(Outcome::Accepted, "", NOON).unwrap();
        assert_eq!((overtaken.state, overtaken.deliver_time), (State::Acknowledged, Some(NOON)));
        assert!(!overtaken.receipted(Outcome::Refused, NAME_REUSED, NOON).unwrap(), "the first one stands");
    }

    #[test]
    fn a_notification_written_twice_is_delivered_when_the_partner_has_it() {
        // Its receipt was lost, and it was written again in a new epoch: the partner knows its name.
        let mut known = outgoing(State::Approved);
        assert!(known.receipted(Outcome::Refused, NAME_REUSED, NOON).unwrap());
        assert_eq!((known.state, known.refusal.as_str(), known.deliver_time), (State::Delivered, "", Some(NOON)));
        for (outcome, reason) in [(Outcome::Accepted, ""), (Outcome::Refused, NAME_REUSED), (Outcome::Refused, "CONTENT_INVALID")] {
            let before = known.clone();
            assert!(!known.receipted(outcome, reason, NOON).unwrap());
            assert_eq!(known, before, "{reason}");
        }
        known.acknowledge(given("周敏"), false).unwrap();
        // The first receipt was a refusal, and the partner has taken the second one.
        let mut refused = outgoing(State::Approved);
        refused.receipted(Outcome::Refused, "CONTENT_INVALID", NOON).unwrap();
        assert!(!refused.receipted(Outcome::Refused, "CONTENT_INVALID", NOON).unwrap());
        assert!(refused.receipted(Outcome::Accepted, "", NOON).unwrap());
        assert_eq!((refused.state, refused.refusal.as_str()), (State::Delivered, ""));
    }

    #[test]
    fn the_partners_own_acknowledgement_replaces_one_entered_by_hand_and_nothing_replaces_it() {
        for state in [State::Draft, State::Discarded] {
            assert_eq!(outgoing(state).acknowledge(given("a"), true).unwrap_err().reason, "NOT_SENT");
        }
        let mut found = outgoing(State::Refused);
        assert!(found.acknowledge(given("a"), false).is_err(), "a node that refused it cannot have shown it to anybody");
        found.acknowledge(given("by telephone"), true).unwrap();
        assert_eq!(found.acknowledge(given("b"), true).unwrap_err().reason, "ALREADY_ACKNOWLEDGED");
        found.acknowledge(given("signed"), false).unwrap();
        assert_eq!((found.acknowledgement.as_ref().unwrap().person.as_str(), found.acknowledged_by_hand), ("signed", false));
        assert!(found.acknowledge(given("c"), false).is_err() && found.acknowledge(given("c"), true).is_err());
    }

    #[test]
    fn a_silence_is_told_once_and_only_for_the_time_that_still_counts() {
        let mut found = outgoing(State::Delivered);
        let earlier = NOON - jiff::SignedDuration::from_secs(1);
        assert!(!found.missed(earlier), "a timer of an earlier approval is void");
        assert!(found.missed(NOON) && !found.missed(NOON) && found.acknowledgement_overdue);
        assert!(!outgoing(State::Acknowledged).missed(NOON) && !outgoing(State::Refused).missed(NOON));
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let mut found = outgoing(State::Delivered);
        found.content.subject = "水质异常".into();
        found.acknowledge(given("周敏"), false).unwrap();
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Notification>(&text).unwrap(), found);
    }
}
