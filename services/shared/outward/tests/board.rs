//! The board is rebuilt from events alone, sees what does not fit, and names of persons never reach it.

#![allow(clippy::unwrap_used)]

use fenghuo_api::incident::v1::{GradeDecision, Incident, IncidentState, UpwardReport};
use fenghuo_api::notification::v1::NotificationRecord;
use fenghuo_api::partner::v1::{Acknowledgement, Notification};
use fenghuo_api::snapshot::to_payload;
use fenghuo_durable::{Event, SpaceId, sha256};
use fenghuo_outward::board::Change;
use fenghuo_outward::testing::plain;
use fenghuo_outward::withhold::Withheld;
use fenghuo_outward::{Board, Broken, CloudEvent, Names};
use prost_types::Timestamp;
use serde_json::json;

/// A log as the sequencer would chain it.
#[derive(Default)]
struct Log(Vec<Event>);

impl Log {
    fn add(&mut self, kind: &str, subject: &str, payload: String, text: &str) {
        let (seq, before) = (self.0.len() as u64 + 1, self.0.last().map_or(vec![0; 32], |event| event.chain_hash.clone()));
        let mut event = Event {
            seq,
            event_id: format!("0198c0de-0000-7000-8000-{seq:012}"),
            service: "sample".into(),
            kind: kind.into(),
            subject: subject.into(),
            revision: seq,
            admin_code: "500237".into(),
            actor: "people/1".into(),
            request_id: String::new(),
            space_time: "2026-11-25T06:00:00.000001Z".parse().unwrap(),
            record_time: "2026-11-25T06:00:01Z".parse().unwrap(),
            payload,
            text_zh: text.into(),
            text_en: text.into(),
            record_digest: sha256(subject.as_bytes()).to_vec(),
            private_digest: (seq % 2 == 0).then(|| vec![7; 32]),
            chain_hash: Vec::new(),
            traceparent: String::new(),
        };
        event.chain_hash = event.chain(&before, seq).to_vec();
        self.0.push(event);
    }

    fn incident(&mut self, incident: &Incident, text: &str) {
        self.add("incident.changed", &incident.name, to_payload("incident", incident), text);
    }

    fn notification(&mut self, record: &NotificationRecord, text: &str) {
        self.add("notification.changed", &record.name, to_payload("notification", record), text);
    }

    /// As a reader gets them: through headers and back.
    fn outside(&self) -> Vec<CloudEvent> {
        let names = Names { province_code: "500000".into(), space: SpaceId::Real, generation: 1 };
        let there_and_back = |event: &Event| {
            let (headers, data) = CloudEvent::outgoing(event.clone(), String::new(), &names).to_message();
            CloudEvent::from_message(Some(&headers), &data).unwrap()
        };
        self.0.iter().map(there_and_back).collect()
    }
}

fn incident(name: &str, due: Option<i64>) -> Incident {
    let next_due_time = due.map(|seconds| Timestamp { seconds, nanos: 0 });
    Incident {
        name: name.into(), title: "水库异味 100%".into(), state: IncidentState::Open.into(), next_due_time, ..Incident::default()
    }
}

fn board_of(events: &[CloudEvent]) -> Board {
    let mut board = Board::default();
    for event in events {
        board.apply(event).unwrap();
    }
    board
}

#[test]
fn incidents_stand_by_the_next_due_time_and_the_last_event_counts() {
    let mut log = Log::default();
    log.incident(&incident("incidents/b", None), "");
    log.incident(&incident("incidents/a", None), "");
    log.incident(&incident("incidents/c", Some(90)), "");
    log.incident(&incident("incidents/d", Some(10)), "");
    log.add("report.taken", "reports/1", json!({ "incident": "incidents/d" }).to_string(), "接到报告");
    log.add("partner.link_changed", "links/420000", json!({ "partner": "420000", "state": "down" }).to_string(), "");
    log.add("partner.link_changed", "links/420000", json!({ "partner": "420000", "state": "up" }).to_string(), "");
    log.incident(&Incident { state: IncidentState::Closed.into(), ..incident("incidents/c", None) }, "");
    log.incident(&incident("incidents/a", Some(5)), "");
    let events = log.outside();
    let mut board = board_of(&events[..8]);
    assert_eq!(board.apply(&events[8]).unwrap(), Change::Incident("incidents/a".into()));
    let shown = |closed: bool| board.incidents(closed).into_iter().map(|found| found.name.as_str()).collect::<Vec<_>>();
    assert_eq!(shown(false), ["incidents/a", "incidents/d", "incidents/b"]);
    assert_eq!(shown(true), ["incidents/a", "incidents/d", "incidents/b", "incidents/c"]);
    assert_eq!(board.links().map(|link| link.state.as_str()).collect::<Vec<_>>(), ["up"]);
    assert_eq!((board.sequence(), board.recomputed(), board.withheld(), board.is_whole()), (9, 9, 0, true));
    assert_eq!(board.head_hash(), log.0[8].chain_hash);
}

#[test]
fn a_missing_a_repeated_and_a_changed_event_are_seen_and_change_nothing() {
    let mut log = Log::default();
    for n in 0..4 {
        log.incident(&incident(&format!("incidents/{n}"), Some(n)), "x");
    }
    let events = log.outside();
    let mut board = board_of(&events[..2]);
    assert_eq!(board.apply(&events[3]), Err(Broken::Gap { before: 2, found: 4 }));
    assert_eq!(board.apply(&events[1]), Err(Broken::Gap { before: 2, found: 2 }));
    let changes: [fn(&mut Event); 6] = [
        |event| event.payload.push(' '),
        |event| event.text_en.push('!'),
        |event| event.revision += 1,
        |event| event.space_time = event.record_time,
        |event| event.chain_hash[0] ^= 1,
        |event| event.record_digest[31] ^= 1,
    ];
    for change in changes {
        let mut forged = events[2].clone();
        change(&mut forged.event);
        assert_eq!(board.apply(&forged), Err(Broken::Chain(3)));
    }
    assert_eq!((board.sequence(), board.incidents(true).len()), (2, 2));
    board.apply(&events[2]).unwrap();
    // A stream whose beginning was dropped: what comes still hangs together, and the board says that it is not whole.
    let late = board_of(&events[2..]);
    assert_eq!((late.is_whole(), late.first(), late.recomputed()), (false, 3, 1));
}

#[test]
fn names_of_persons_stay_in_the_house_and_the_chain_goes_on_after_them() {
    let decision =
        GradeDecision { decided_by: "李静 值班员".into(), authority: "重庆市生态环境局".into(), ..GradeDecision::default() };
    let upward = UpwardReport {
        receiver: "生态环境部 王强".into(),
        recorded_by: "李静 值班员".into(),
        text: "初报".into(),
        ..UpwardReport::default()
    };
    let decided = Incident { decision: Some(decision), upward_reports: vec![upward], ..incident("incidents/a", Some(1)) };
    let acknowledgement =
        Acknowledgement {
            person: "陈伟".into(), post: "值班员".into(), remark: "陈伟已到场".into(), ..Acknowledgement::default()
        };
    let record = NotificationRecord {
        name: "notifications/1".into(),
        drafted_by: "李静 值班员".into(),
        approved_by: "赵敏 指挥".into(),
        letter_text: "签发:赵敏".into(),
        content: Some(Notification { approved_by: "赵敏 指挥".into(), situation: "江面漂油".into(), ..Notification::default() }),
        acknowledgement: Some(acknowledgement),
        ..NotificationRecord::default()
    };
    let mut log = Log::default();
    log.incident(&incident("incidents/a", Some(1)), "接报");
    log.incident(&decided, "初报:生态环境部 王强");
    log.notification(&record, "值班员 陈伟已确认");
    log.incident(&incident("incidents/b", Some(2)), "接报");
    let events = log.outside();
    let withheld: Vec<_> = events.iter().map(|event| event.withheld.as_slice()).collect();
    assert_eq!(withheld, [&[][..], &[Withheld::Names], &[Withheld::Names], &[]]);
    for name in ["李静", "王强", "陈伟", "赵敏"] {
        assert!(log.0.iter().any(|event| plain(&event.payload).contains(name)), "the log keeps {name}");
        for event in &events {
            assert!(
                !plain(&event.event.payload).contains(name) && !event.event.text_zh.contains(name) && !event.event.text_en.contains(name),
                "{name}"
            );
        }
    }
    let mut board = board_of(&events);
    assert_eq!((board.recomputed(), board.withheld()), (2, 2));
    let found = board.incident("incidents/a").unwrap();
    assert_eq!((found.decision.clone().unwrap().authority.as_str(), found.upward_reports[0].text.as_str()), ("重庆市生态环境局", "初报"));
    let found = board.notification("notifications/1").unwrap();
    assert_eq!(
        (found.content.clone().unwrap().situation.as_str(), found.acknowledgement.clone().unwrap().post.as_str()),
        ("江面漂油", "值班员")
    );
    // Another hash in place of the withheld event's own shows with the next event.
    let mut forged = board_of(&events[..2]);
    let mut third = events[2].clone();
    third.event.chain_hash[0] ^= 1;
    forged.apply(&third).unwrap();
    assert_eq!(forged.apply(&events[3]), Err(Broken::Chain(4)));
    // Too large for the server: the board knows that it shows an older revision.
    log.incident(&decided, "又");
    board.apply(&log.outside()[4].clone().without_data(false)).unwrap();
    assert_eq!(board.stale().iter().collect::<Vec<_>>(), [(&"incidents/a".to_owned(), &5)]);
    log.incident(&incident("incidents/a", None), "又");
    board.apply(&log.outside()[5]).unwrap();
    assert!(board.stale().is_empty());
}
