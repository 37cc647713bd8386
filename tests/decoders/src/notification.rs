//! The content of an envelope: a notification or an acknowledgement, with the checks behind them and the letter that shows them.

use fenghuo_api::common::v1::{Grade, Place, Substance};
use fenghuo_api::partner::v1::{Acknowledgement, BoundaryEffect, Notification, NotificationKind};
use fenghuo_api::time::to_proto;
use fenghuo_notification::domain::check::{check_acknowledgement, check_content};
use fenghuo_notification::domain::letter;
use fenghuo_notification::reactions::inbox::refusal;
use jiff::SignedDuration;
use prost::Message;

use crate::{Seed, fixture, refused};

/// Reads the bytes as both contents. Accepted: as one of them at least.
pub fn decode(bytes: &[u8]) -> bool {
    let notified = Notification::decode(bytes).is_ok_and(|content| check(&content));
    let acknowledged = Acknowledgement::decode(bytes).is_ok_and(|given| check_given(&given));
    notified || acknowledged
}

pub(crate) fn check(content: &Notification) -> bool {
    let judged = check_content("notification", content);
    if let Some(reason) = refusal(fixture::PARTNER, content) {
        assert!(!reason.is_empty() && reason.len() < 64);
        return judged.map_or_else(refused, |()| false);
    }
    judged.unwrap();
    assert!(content.name.starts_with("provinces/420000/notifications/") && content.name.matches('/').count() == 3, "{:?}", content.name);
    assert!(!content.subject.contains(['\0', '\n', '\u{202e}', '\u{1b}']), "{:?}", content.subject);
    let again = Notification::decode(content.encode_to_vec().as_slice()).unwrap();
    assert_eq!(&again, content);
    let text = letter::text("1", "湖北省", "重庆市", content, fixture::now());
    assert!(text.len() <= 10 * content.encoded_len() + 4096, "a letter of {} bytes", text.len());
    true
}

pub(crate) fn check_given(given: &Acknowledgement) -> bool {
    if let Err(error) = check_acknowledgement("acknowledgement", given) {
        return refused(error);
    }
    assert!(!given.person.trim().is_empty() && !given.remark.contains('\0'));
    assert_eq!(&Acknowledgement::decode(given.encode_to_vec().as_slice()).unwrap(), given);
    true
}

/// A warning, a short one, an acknowledgement, one whose name is not the sender's, and one whose text turns its direction.
pub fn seeds() -> Vec<Seed> {
    let short = Notification { substances: vec![], place: None, flow_m3_per_s: None, ..sample() };
    let foreign = Notification { name: "provinces/500000/notifications/1".into(), ..sample() };
    let given = Acknowledgement {
        notification: sample().name,
        person: "王敏".into(),
        post: "重庆市生态环境局 值班员".into(),
        acknowledge_time: Some(to_proto(fixture::now())),
        remark: String::new(),
    };
    let turned = Notification { subject: "\u{202e}水源安全".into(), ..sample() };
    vec![
        ("warning", sample().encode_to_vec()),
        ("turned", turned.encode_to_vec()),
        ("short", short.encode_to_vec()),
        ("acknowledgement", given.encode_to_vec()),
        ("of_another", foreign.encode_to_vec()),
    ]
}

/// The warning of the Qianzhangyan case.
pub(crate) fn sample() -> Notification {
    let at = |hours: i64| Some(to_proto(fixture::now() + SignedDuration::from_hours(hours)));
    Notification {
        name: "provinces/420000/notifications/0198f0a0-0000-7000-8000-000000000003".into(),
        incident: "provinces/420000/incidents/0198f0a0-0000-7000-8000-000000000004".into(),
        kind: NotificationKind::Warning.into(),
        subject: "建始县磺厂坪尾矿库渗漏,可能影响巫山县千丈岩水库".into(),
        situation: "选矿废水经落水洞进入地下暗河。".into(),
        place: Some(Place {
            admin_code: "422822".into(),
            description: "业州镇".into(),
            longitude_deg: Some(109.72),
            latitude_deg: Some(30.6),
            water_body: "千丈岩水库地下暗河".into(),
        }),
        occur_time: at(-12),
        learn_time: at(-6),
        substances: vec![Substance {
            name: "化学需氧量".into(),
            value: Some(26.0),
            unit: "mg/L".into(),
            method: "HJ 828".into(),
            sampling_time: at(-2),
            section: "磺厂坪".into(),
            times_over_limit: Some(0.3),
            ..Default::default()
        }],
        section_sender_name: "磺厂坪落水洞".into(),
        section_recipient_name: "千丈岩水库".into(),
        flow_m3_per_s: Some(0.4),
        measures_taken: "已停产".into(),
        requested_action: "请停止取水并加密监测".into(),
        next_update_time: at(2),
        duty_telephone: "027-87167480".into(),
        grade: Grade::Ii.into(),
        approved_by: "陈立 湖北省生态环境厅".into(),
        boundary_effect: BoundaryEffect::Forecast.into(),
        ..Default::default()
    }
}
