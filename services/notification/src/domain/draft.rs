//! A notification drafted from an incident: what is known, in the form that a neighbour needs. An officer completes it.

use fenghuo_api::common::v1::{Grade, Substance, Tristate};
use fenghuo_api::incident::v1::{BoundaryLevel, Facts, GradeState, Incident};
use fenghuo_api::partner::v1::{BoundaryEffect, Notification as Content, NotificationKind};
use fenghuo_api::time::{from_proto, to_proto};
use fenghuo_rules::divisions::Divisions;
use jiff::{SignedDuration, Timestamp};

use super::check::SUBSTANCES;
use super::letter::{substance_zh, time_zh};
use super::recipients::Recipient;

/// When the next message is promised, unless the officer says otherwise. The law gives no figure between neighbours.
const NEXT_UPDATE: SignedDuration = SignedDuration::from_hours(2);

/// What a message continues.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// The last message between the two about this incident.
    pub last: Option<String>,
    /// Our message whose alert an end would end.
    pub alarm: Option<String>,
}

/// Drafts the content.
pub fn draft(
    incident: &Incident,
    kind: NotificationKind,
    recipient: &Recipient,
    duty_telephone: &str,
    links: Links,
    now: Timestamp,
) -> Content {
    let place = incident.place.clone().unwrap_or_default();
    let facts = incident.facts.clone().unwrap_or_default();
    let ends = if kind == NotificationKind::EndOfAlert { links.alarm.unwrap_or_default() } else { String::new() };
    let section = incident.substances.iter().map(|substance| substance.section.clone()).find(|section| !section.is_empty());
    let named = [place.water_body.clone(), place.description.clone()].into_iter().find(|name| !name.is_empty());
    Content {
        incident: incident.name.clone(),
        kind: kind.into(),
        subject: subject(incident, kind),
        situation: situation(incident, &facts),
        occur_time: incident.occur_time,
        learn_time: incident.learn_time,
        substances: newest(&incident.substances),
        section_sender_name: section.or(named).unwrap_or_default(),
        section_recipient_name: recipient.section_zh.clone(),
        measures_taken: measures(incident),
        requested_action: requested(kind).to_owned(),
        next_update_time: (kind != NotificationKind::EndOfAlert).then(|| now.checked_add(NEXT_UPDATE).ok().map(to_proto)).flatten(),
        duty_telephone: duty_telephone.to_owned(),
        grade: grade(incident).into(),
        follows: if ends.is_empty() { links.last.unwrap_or_default() } else { String::new() },
        ends,
        boundary_effect: boundary(&facts).into(),
        place: Some(place),
        ..Content::default()
    }
}

/// What a message has room for: the readings taken last, in the order in which they were told. A long incident has hundreds.
fn newest(substances: &[Substance]) -> Vec<Substance> {
    let mut by_time: Vec<usize> = (0..substances.len()).collect();
    let taken = |at: usize| substances[at].sampling_time.as_ref().and_then(from_proto);
    by_time.sort_by_key(|at| std::cmp::Reverse((taken(*at), *at)));
    by_time.truncate(SUBSTANCES);
    by_time.sort_unstable();
    by_time.into_iter().map(|at| substances[at].clone()).collect()
}

fn subject(incident: &Incident, kind: NotificationKind) -> String {
    let code = incident.place.as_ref().map(|place| place.admin_code.as_str()).unwrap_or_default();
    let place = Divisions::builtin().get(code).map(|division| division.name_zh.as_str()).unwrap_or_default();
    let title = incident.title.replace('\n', " ");
    let title = if title.starts_with(place) { title } else { format!("{place}{title}") };
    let text = match kind {
        NotificationKind::Warning => format!("预警:{title}"),
        NotificationKind::Search => format!("协查:{title}"),
        NotificationKind::AssistanceRequest => format!("请求支援:{title}"),
        NotificationKind::EndOfAlert => format!("解除:{title}"),
        NotificationKind::Information | NotificationKind::Unspecified => title,
    };
    text.chars().take(200).collect()
}

fn situation(incident: &Incident, facts: &Facts) -> String {
    let mut parts = Vec::new();
    let code = incident.place.as_ref().map(|place| place.admin_code.as_str()).unwrap_or_default();
    let when = incident.occur_time.as_ref().and_then(from_proto).map(|time| format!("{},", time_zh(time))).unwrap_or_default();
    parts.push(format!("{when}{}发生{}。", Divisions::builtin().name_zh(code), incident.title));
    if !incident.substances.is_empty() {
        parts.push(format!("特征污染物:{}。", newest(&incident.substances).iter().map(substance_zh).collect::<Vec<_>>().join(";")));
    }
    let figures = [
        ("死亡", &facts.deaths),
        ("中毒或重伤", &facts.poisoned_or_injured),
        ("疏散转移", &facts.evacuated),
        ("饮水受影响", &facts.without_water),
    ];
    for (label, figure) in figures {
        if let Some(value) = figure.as_ref().and_then(|figure| figure.value) {
            parts.push(format!("{label}{value}人。"));
        }
    }
    parts.join("")
}

/// Only what is on record: what was reported upward. What was done on the spot the officer adds.
fn measures(incident: &Incident) -> String {
    let sent = incident.upward_reports.iter().map(|report| {
        let when = report.send_time.as_ref().and_then(from_proto).map(time_zh).unwrap_or_default();
        format!("{when}已向{}报告", report.receiver)
    });
    sent.collect::<Vec<_>>().join(";")
}

fn requested(kind: NotificationKind) -> &'static str {
    match kind {
        NotificationKind::Warning => "请立即监测贵方一侧的断面和饮用水取水口,做好停止取水准备,并反馈情况。",
        NotificationKind::Search => "请排查贵方境内可能的污染来源,并反馈情况。",
        NotificationKind::AssistanceRequest => "请支援应急监测力量和应急物资。",
        NotificationKind::EndOfAlert => "",
        NotificationKind::Information | NotificationKind::Unspecified => "请知悉并确认。",
    }
}

/// A person's decision, else the rules' answer where they give one; nothing while it is unclear.
fn grade(incident: &Incident) -> Grade {
    if let Some(decision) = &incident.decision {
        return decision.grade();
    }
    match &incident.assessment {
        Some(assessment) if assessment.state() == GradeState::Graded => assessment.grade(),
        _ => Grade::Unspecified,
    }
}

fn boundary(facts: &Facts) -> BoundaryEffect {
    match (facts.boundary_effect(), facts.may_cross_province()) {
        (BoundaryLevel::Province | BoundaryLevel::National, _) => BoundaryEffect::Occurred,
        (_, Tristate::Yes) => BoundaryEffect::Forecast,
        (BoundaryLevel::None, Tristate::No) => BoundaryEffect::None,
        _ => BoundaryEffect::Unspecified,
    }
}

/// Fields that are set replace those drafted. Names and the approver do not.
pub fn overlay(mut content: Content, given: Content) -> Content {
    let text = |mine: &mut String, theirs: String| {
        if !theirs.is_empty() {
            *mine = theirs;
        }
    };
    text(&mut content.subject, given.subject);
    text(&mut content.situation, given.situation);
    text(&mut content.section_sender_name, given.section_sender_name);
    text(&mut content.section_recipient_name, given.section_recipient_name);
    text(&mut content.measures_taken, given.measures_taken);
    text(&mut content.requested_action, given.requested_action);
    text(&mut content.duty_telephone, given.duty_telephone);
    let linked = [&given.follows, &given.corrects, &given.revokes, &given.ends].iter().any(|link| !link.is_empty());
    if linked {
        // The officer says how it is linked: nothing is guessed beside that.
        (content.follows, content.corrects, content.revokes, content.ends) = (given.follows, given.corrects, given.revokes, given.ends);
    }
    content.place = given.place.or(content.place);
    content.occur_time = given.occur_time.or(content.occur_time);
    content.learn_time = given.learn_time.or(content.learn_time);
    content.next_update_time = given.next_update_time.or(content.next_update_time);
    content.flow_m3_per_s = given.flow_m3_per_s.or(content.flow_m3_per_s);
    if !given.substances.is_empty() {
        content.substances = given.substances;
    }
    if given.grade != 0 {
        content.grade = given.grade;
    }
    if given.boundary_effect != 0 {
        content.boundary_effect = given.boundary_effect;
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_names_the_newest_readings_when_there_are_more_than_a_message_holds() {
        let reading = |second: i64| Substance {
            name: format!("{second}"),
            sampling_time: Timestamp::from_second(second).ok().map(to_proto),
            ..Substance::default()
        };
        // Told out of order, and the kind of matter first, without a time.
        let told: Vec<Substance> = std::iter::once(Substance::default()).chain((0..60).rev().map(reading)).collect();
        let kept = newest(&told);
        assert_eq!(kept.len(), SUBSTANCES);
        assert_eq!((kept[0].name.as_str(), kept[49].name.as_str()), ("59", "10"));
        assert_eq!(newest(&told[..3]), told[..3]);
    }
}
