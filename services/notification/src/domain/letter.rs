//! The numbered letter (通报函) to a partner without a node.

use fenghuo_api::common::v1::{Grade, Substance};
use fenghuo_api::partner::v1::{Notification as Content, NotificationKind};
use fenghuo_api::time::from_proto;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// Beijing time, for people.
pub fn beijing() -> TimeZone {
    TimeZone::fixed(Offset::constant(8))
}

/// "2014年8月13日9时05分", Beijing time.
pub fn time_zh(time: Timestamp) -> String {
    let local = beijing().to_datetime(time);
    format!("{}年{}月{}日{}时{:02}分", local.year(), local.month(), local.day(), local.hour(), local.minute())
}

/// Year in Beijing time: letters are numbered by it.
pub fn year(time: Timestamp) -> i64 {
    i64::from(beijing().to_datetime(time).year())
}

/// "环应急通〔2014〕1号".
pub fn number(year: i64, count: i64) -> String {
    format!("环应急通〔{year}〕{count}号")
}

/// What kind it is, in Chinese.
pub fn kind_zh(kind: NotificationKind) -> &'static str {
    match kind {
        NotificationKind::Warning => "预警通报",
        NotificationKind::Search => "协查通报",
        NotificationKind::AssistanceRequest => "请求支援",
        NotificationKind::EndOfAlert => "解除通报",
        NotificationKind::Information | NotificationKind::Unspecified => "信息通报",
    }
}

fn grade_zh(grade: Grade) -> Option<&'static str> {
    match grade {
        Grade::I => Some("特别重大(Ⅰ级)"),
        Grade::Ii => Some("重大(Ⅱ级)"),
        Grade::Iii => Some("较大(Ⅲ级)"),
        Grade::Iv => Some("一般(Ⅳ级)"),
        Grade::Unspecified => None,
    }
}

/// One substance in words: name, value, method, sampling time and section, as far as known.
pub fn substance_zh(substance: &Substance) -> String {
    let mut text = substance.name.clone();
    if let Some(value) = substance.value {
        text.push_str(&format!(" {value} {}", substance.unit));
    }
    if let Some(times) = substance.times_over_limit {
        text.push_str(&format!(",超标 {times} 倍"));
    }
    if let Some(mass) = substance.released_mass_kg {
        text.push_str(&format!(",泄漏约 {mass} 千克"));
    }
    let sampled = substance.sampling_time.as_ref().and_then(from_proto).map(|time| format!("{}采样", time_zh(time)));
    let details: Vec<String> = [Some(substance.section.clone()), sampled, Some(substance.method.clone())]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    if !details.is_empty() {
        text.push_str(&format!("({})", details.join(",")));
    }
    text
}

/// The letter's text. `from` and `to` are the provinces' names in Chinese.
pub fn text(number: &str, from: &str, to: &str, content: &Content, now: Timestamp) -> String {
    let mut lines = vec![
        format!("{from}生态环境主管部门突发环境事件通报函"),
        number.to_owned(),
        String::new(),
        format!("{to}生态环境主管部门:"),
        format!("  【{}】{}", kind_zh(content.kind()), content.subject),
    ];
    let time = |time: &Option<prost_types::Timestamp>| time.as_ref().and_then(from_proto).map(time_zh).unwrap_or_default();
    let substances = content.substances.iter().map(substance_zh).collect::<Vec<_>>().join(";");
    let flow = content.flow_m3_per_s.map(|flow| format!("{flow} 立方米/秒")).unwrap_or_default();
    let place = content.place.as_ref().map(|place| format!("{} {}", place.description, place.water_body).trim().to_owned());
    for (label, value) in [
        ("情况", content.situation.clone()),
        ("地点", place.unwrap_or_default()),
        ("发生时间", time(&content.occur_time)),
        ("获知时间", time(&content.learn_time)),
        ("特征污染物", substances),
        ("我方断面", content.section_sender_name.clone()),
        ("贵方断面(点位)", content.section_recipient_name.clone()),
        ("流量", flow),
        ("事件级别", grade_zh(content.grade()).unwrap_or_default().to_owned()),
        ("已采取措施", content.measures_taken.clone()),
        ("请予", content.requested_action.clone()),
        ("下次通报", time(&content.next_update_time)),
        ("24小时值班电话", content.duty_telephone.clone()),
        ("签发", content.approved_by.clone()),
    ] {
        if !value.is_empty() {
            lines.push(format!("  {label}:{value}"));
        }
    }
    lines.push("  收到请以电话或传真确认,并告知接收人姓名、职务和时间。".to_owned());
    lines.push(String::new());
    lines.push(time_zh(now));
    lines.join("\n")
}
