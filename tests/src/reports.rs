//! What the desk types: reports that match nothing else, or that all tell of one spill.

use std::sync::atomic::{AtomicU64, Ordering};

use fenghuo_api::common::v1::{Place, Substance, Tristate};
use fenghuo_api::incident::v1::{Facts, Report, ReportOrigin, SubmitReportRequest};
use fenghuo_api::notification::v1::{ApproveNotificationRequest, DraftNotificationRequest};
use fenghuo_api::partner::v1::NotificationKind;
use fenghuo_api::time::to_proto;
use fenghuo_durable::{new_id, wall};
use tonic::Status;

use crate::province::Province;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A report of a spill in a river, as an officer would type it: about another water and another substance each time, so that each opens
/// an incident of its own. Another water alone would not do: two reports of one substance from one county match.
pub fn report(admin_code: &str) -> Report {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut report = spill(admin_code);
    if let Some(place) = &mut report.place {
        place.water_body = format!("{number}号支流");
    }
    for substance in &mut report.substances {
        substance.name = format!("{number}号选矿药剂");
        substance.cas = String::new();
    }
    report
}

/// A report of one and the same spill, whoever tells of it.
pub fn spill(admin_code: &str) -> Report {
    let now = Some(to_proto(wall::now()));
    Report {
        origin: ReportOrigin::Hotline.into(),
        reporter_name: "李某".into(),
        reporter_telephone: "13800000000".into(),
        learn_time: now,
        title: "河水变色,有刺激性气味".into(),
        description: "村民电话反映:上游选矿厂附近河水发黄,有刺激性气味,下游有取水口。".into(),
        place: Some(Place {
            admin_code: admin_code.into(),
            description: "大桥下游约两公里".into(),
            water_body: "千丈岩水库".into(),
            ..Place::default()
        }),
        substances: vec![Substance {
            name: "乙基黄原酸钠".into(),
            cas: "140-90-9".into(),
            value: Some(0.02),
            unit: "mg/L".into(),
            sampling_time: now,
            ..Substance::default()
        }],
        facts: Some(Facts { may_cross_province: Tristate::Yes.into(), ..Facts::default() }),
        ..Report::default()
    }
}

/// The call of the desk: a new `request_id`, matching by the node.
pub fn submit(report: Report) -> SubmitReportRequest {
    SubmitReportRequest { request_id: new_id().to_string(), report: Some(report), ..SubmitReportRequest::default() }
}

/// The county in which the tests' reports lie: Jianshi for Hubei, Wushan for Chongqing.
pub fn county(province_code: &str) -> &'static str {
    if province_code == "420000" { "422822" } else { "500237" }
}

/// An officer drafts a warning of this incident to a partner and approves it; the notification's name.
pub async fn notify(from: &Province, incident: &str, partner: &str) -> Result<String, Status> {
    let draft = DraftNotificationRequest {
        request_id: new_id().to_string(),
        incident: incident.to_owned(),
        partner_code: partner.to_owned(),
        kind: NotificationKind::Warning.into(),
        overrides: None,
    };
    let drafted = from.notifications().draft_notification(draft).await?.into_inner().notification.unwrap_or_default();
    let approve = ApproveNotificationRequest { request_id: new_id().to_string(), name: drafted.name, etag: String::new() };
    Ok(from.notifications().approve_notification(approve).await?.into_inner().notification.unwrap_or_default().name)
}
