//! What does not leave the house: names of persons, and the free words of an acknowledgement. The log keeps them as evidence; another
//! department's board has no need of them.

use fenghuo_api::incident::v1::Incident;
use fenghuo_api::notification::v1::NotificationRecord;
use fenghuo_api::snapshot;
use fenghuo_durable::Event;
use prost::Message;
use serde_json::Value;

/// Why something of an event is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Withheld {
    /// Names of persons were taken out of the data, and texts with these names.
    Names,
    /// The data is larger than the server takes.
    Size,
    /// The data cannot be read, so nobody can say whether it names a person.
    Unreadable,
}

impl Withheld {
    /// As the CloudEvents attribute `withheld` says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Names => "names",
            Self::Size => "size",
            Self::Unreadable => "unreadable",
        }
    }

    /// Reads the attribute.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Names, Self::Size, Self::Unreadable].into_iter().find(|reason| reason.as_str() == text)
    }
}

/// Takes names of persons out of an event; `None` if there were none and the event is as it stands in the log.
pub fn withhold(event: &mut Event) -> Option<Withheld> {
    let Ok(mut payload) = serde_json::from_str::<Value>(&event.payload) else {
        return Some(without_data(event));
    };
    let mut names = Names::default();
    let readable =
        changed(&mut payload, "incident", &mut names, incident) && changed(&mut payload, "notification", &mut names, notification);
    if !readable {
        return Some(without_data(event));
    }
    if names.0.is_empty() {
        return None;
    }
    event.payload = payload.to_string();
    for text in [&mut event.text_zh, &mut event.text_en] {
        if names.0.iter().any(|name| text.contains(name.as_str())) {
            text.clear();
        }
    }
    Some(Withheld::Names)
}

fn without_data(event: &mut Event) -> Withheld {
    event.payload.clear();
    event.text_zh.clear();
    event.text_en.clear();
    Withheld::Unreadable
}

/// What was taken out.
#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    fn take(&mut self, field: &mut String) {
        if !field.is_empty() {
            self.0.push(std::mem::take(field));
        }
    }
}

/// Changes the snapshot under this key, if there is one; `false` if it cannot be read. A resource name under the same key is none.
fn changed<M: Message + Default>(payload: &mut Value, key: &str, names: &mut Names, change: fn(&mut M, &mut Names)) -> bool {
    let Some(text) = payload.get(key).and_then(Value::as_str) else { return true };
    if text.is_empty() || text.contains('/') {
        return true;
    }
    let Ok(mut message) = snapshot::from_text::<M>(text) else { return false };
    let before = names.0.len();
    change(&mut message, names);
    if names.0.len() > before {
        payload[key] = Value::String(snapshot::to_text(&message));
    }
    true
}

fn incident(incident: &mut Incident, names: &mut Names) {
    if let Some(decision) = &mut incident.decision {
        names.take(&mut decision.decided_by);
    }
    for report in &mut incident.upward_reports {
        names.take(&mut report.recorded_by);
        names.take(&mut report.receiver);
    }
}

fn notification(record: &mut NotificationRecord, names: &mut Names) {
    names.take(&mut record.drafted_by);
    names.take(&mut record.approved_by);
    // It ends with the name of who signed it.
    names.take(&mut record.letter_text);
    if let Some(content) = &mut record.content {
        names.take(&mut content.approved_by);
    }
    if let Some(acknowledgement) = &mut record.acknowledgement {
        names.take(&mut acknowledgement.person);
        names.take(&mut acknowledgement.remark);
    }
}
