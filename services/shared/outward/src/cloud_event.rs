//! An event of the log as a CloudEvent 1.0 in binary mode: attributes in the headers, the payload as the data.
//!
//! The attributes carry every field of the event, so that who reads the stream can recompute the chain. `time` is the space's time.

use async_nats::HeaderMap;
use bytes::Bytes;
use fenghuo_durable::Event;
use jiff::Timestamp;

use crate::header_text::{decode, encode};
use crate::names::{Names, event_type, kind_of};
use crate::withhold::{Withheld, withhold};

/// An event of the log on its way, with what was taken out of it.
#[derive(Debug, Clone)]
pub struct CloudEvent {
    /// The event; its payload and texts without what was withheld.
    pub event: Event,
    /// The space it comes from, for example `/provinces/500000/spaces/real`.
    pub source: String,
    /// W3C trace context of the call that caused it; may be empty.
    pub traceparent: String,
    /// Why data or texts are not those of the log. Empty: the event is whole, and its place in the chain can be recomputed.
    pub withheld: Vec<Withheld>,
}

impl CloudEvent {
    /// Makes an event ready to go out: names of persons are withheld.
    pub fn outgoing(mut event: Event, traceparent: String, names: &Names) -> Self {
        let withheld = withhold(&mut event).into_iter().collect();
        Self { event, source: names.source(), traceparent, withheld }
    }

    /// The same without data, and without texts if even `bare`: for a server that takes no message of that size.
    #[must_use]
    pub fn without_data(mut self, bare: bool) -> Self {
        self.event.payload.clear();
        if bare {
            self.event.text_zh.clear();
            self.event.text_en.clear();
        }
        if !self.withheld.contains(&Withheld::Size) {
            self.withheld.push(Withheld::Size);
        }
        self
    }

    /// Headers and data of the message.
    pub fn to_message(&self) -> (HeaderMap, Bytes) {
        let event = &self.event;
        let mut headers = HeaderMap::new();
        let mut set = |name: &str, value: &str| {
            if !value.is_empty() {
                headers.insert(format!("ce-{name}").as_str(), encode(value).as_str());
            }
        };
        set("specversion", "1.0");
        set("id", &event.event_id);
        set("source", &self.source);
        set("type", &event_type(&event.kind));
        set("subject", &event.subject);
        set("time", &event.space_time.to_string());
        set("datacontenttype", "application/json");
        // The registered extension `sequence` wants texts that sort as the events do.
        set("sequence", &format!("{:020}", event.seq));
        set("traceparent", &self.traceparent);
        set("recordtime", &event.record_time.to_string());
        set("service", &event.service);
        set("revision", &event.revision.to_string());
        set("admincode", &event.admin_code);
        set("actor", &event.actor);
        set("requestid", &event.request_id);
        set("textzh", &event.text_zh);
        set("texten", &event.text_en);
        set("recorddigest", &hex::encode(&event.record_digest));
        set("privatedigest", &event.private_digest.as_ref().map(hex::encode).unwrap_or_default());
        set("chainhash", &hex::encode(&event.chain_hash));
        set("withheld", &self.withheld.iter().map(|reason| reason.as_str()).collect::<Vec<_>>().join(","));
        (headers, Bytes::from(event.payload.clone()))
    }

    /// Reads a message; an error says which attribute is missing or wrong.
    pub fn from_message(headers: Option<&HeaderMap>, data: &[u8]) -> Result<Self, NotOurs> {
        let attributes = Attributes(headers.ok_or(NotOurs("specversion"))?);
        if attributes.text("specversion")? != "1.0" {
            return Err(NotOurs("specversion"));
        }
        let event = Event {
            seq: attributes.number("sequence")?,
            event_id: attributes.text("id")?,
            service: attributes.text("service")?,
            kind: kind_of(&attributes.text("type")?).ok_or(NotOurs("type"))?.to_owned(),
            subject: attributes.text("subject")?,
            revision: attributes.number("revision")?,
            admin_code: attributes.maybe("admincode")?,
            actor: attributes.maybe("actor")?,
            request_id: attributes.maybe("requestid")?,
            space_time: attributes.time("time")?,
            record_time: attributes.time("recordtime")?,
            payload: String::from_utf8(data.to_vec()).map_err(|_| NotOurs("data"))?,
            text_zh: attributes.maybe("textzh")?,
            text_en: attributes.maybe("texten")?,
            record_digest: attributes.bytes("recorddigest")?.ok_or(NotOurs("recorddigest"))?,
            private_digest: attributes.bytes("privatedigest")?,
            chain_hash: attributes.bytes("chainhash")?.ok_or(NotOurs("chainhash"))?,
            traceparent: attributes.maybe("traceparent")?,
        };
        let withheld = attributes.maybe("withheld")?;
        let withheld = withheld.split(',').filter(|reason| !reason.is_empty());
        let withheld = withheld.map(|reason| Withheld::parse(reason).ok_or(NotOurs("withheld"))).collect::<Result<_, _>>()?;
        Ok(Self { traceparent: event.traceparent.clone(), event, source: attributes.text("source")?, withheld })
    }
}

/// A message that is not an event of ours: this attribute is missing or cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not an event of Fenghuo: its attribute {0} is missing or cannot be read")]
pub struct NotOurs(pub &'static str);

struct Attributes<'a>(&'a HeaderMap);

impl Attributes<'_> {
    fn maybe(&self, name: &'static str) -> Result<String, NotOurs> {
        let value = self.0.get(format!("ce-{name}").as_str());
        value.map_or(Ok(String::new()), |value| decode(value.as_str()).ok_or(NotOurs(name)))
    }

    fn text(&self, name: &'static str) -> Result<String, NotOurs> {
        Some(self.maybe(name)?).filter(|text| !text.is_empty()).ok_or(NotOurs(name))
    }

    fn number(&self, name: &'static str) -> Result<u64, NotOurs> {
        self.text(name)?.parse().map_err(|_| NotOurs(name))
    }

    fn time(&self, name: &'static str) -> Result<Timestamp, NotOurs> {
        self.text(name)?.parse().map_err(|_| NotOurs(name))
    }

    fn bytes(&self, name: &'static str) -> Result<Option<Vec<u8>>, NotOurs> {
        let text = self.maybe(name)?;
        if text.is_empty() { Ok(None) } else { hex::decode(text).map(Some).map_err(|_| NotOurs(name)) }
    }
}
