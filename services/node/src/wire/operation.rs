//! Conditions and the quarantine.

use fenghuo_api::operation::v1 as pb;
use fenghuo_api::time::to_proto;
use fenghuo_edge::Condition;
use fenghuo_edge::conditions::Severity;

use crate::domain::QuarantineState;
use crate::operation::Known;

/// A condition; `whole` shows what only those see who answer for the whole province.
pub fn condition_out(condition: Condition, whole: bool) -> pb::Condition {
    let severity = match condition.severity {
        Severity::Notice => pb::Severity::Notice,
        Severity::Degraded => pb::Severity::Degraded,
        Severity::Critical => pb::Severity::Critical,
    };
    pb::Condition {
        code: condition.code.to_owned(),
        subject: condition.subject,
        severity: severity.into(),
        since_time: condition.since.map(to_proto),
        text_zh: condition.text.zh,
        text_en: condition.text.en,
        next_zh: condition.next.zh,
        next_en: condition.next.en,
        detail: if whole { condition.detail } else { String::new() },
    }
}

/// The last quarantine; `None` if there never was one.
pub(crate) fn quarantine_out(known: &Known, whole: bool) -> Option<pb::Quarantine> {
    let quarantine = known.quarantine.as_ref()?;
    let state = match quarantine.state {
        QuarantineState::Held => pb::QuarantineState::Held,
        QuarantineState::Released => pb::QuarantineState::Released,
        QuarantineState::Over => pb::QuarantineState::Over,
    };
    Some(pb::Quarantine {
        name: quarantine.name.clone(),
        state: state.into(),
        begin_time: Some(to_proto(quarantine.begun_at)),
        waiting_partner_codes: known.waiting.iter().map(|partner| partner.code.clone()).collect(),
        released_by: quarantine.released_by.clone(),
        release_time: quarantine.released_at.map(to_proto),
        reason: if whole { quarantine.reason.clone() } else { String::new() },
        over_time: quarantine.over_at.map(to_proto),
    })
}
