//! One service alone in a process of its own, the rest in another, on one database: each does its part of the main job through the log.

use std::time::{Duration, Instant};

use fenghuo_api::incident::v1::{GetIncidentRequest, ListIncidentsRequest};
use fenghuo_api::notification::v1::{ListNotificationsRequest, PartnerMode};
use fenghuo_tests::count;
use fenghuo_tests::node::Spec;
use fenghuo_tests::province::Province;
use fenghuo_tests::replicas::Databases;
use fenghuo_tests::reports::{county, notify, report, submit};

const CODE: &str = "420000";

async fn told(of: &Province, incident: &str) -> String {
    let began = Instant::now();
    loop {
        // The copy of the incident comes through the log.
        if let Ok(name) = notify(of, incident, "500000").await {
            return name;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "the copy of the incident did not come");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn intake_alone_and_the_rest_in_another_process() {
    let (dir, databases) = (tempfile::tempdir().unwrap(), Databases::new());
    let spec = Spec::new(CODE, dir.path()).replicated(&databases.url(CODE).await);
    let rest = spec.clone().option(&["--only", "notification", "--only", "node", "--only", "console"]);
    let neighbour = Spec::new("500000", dir.path());
    let (rest, chongqing) = tokio::join!(Province::start(&rest), Province::start(&neighbour));
    let intake = rest.beside(&spec.replica("intake").option(&["--only", "incident-intake"]));
    rest.enrol(&chongqing, PartnerMode::Push, None).await;
    chongqing.enrol(&rest, PartnerMode::Push, None).await;

    // A report at the one, the notification at the other, the receipt's duty at the one again.
    let taken = intake.incidents().submit_report(submit(report(county(CODE)))).await.unwrap().into_inner().incident.unwrap();
    let name = told(&rest, &taken.name).await;
    count::delivered(&rest, &std::collections::BTreeSet::from([name.clone()]), Duration::from_secs(20)).await;
    let began = Instant::now();
    loop {
        let found = intake.incidents().get_incident(GetIncidentRequest { name: taken.name.clone() }).await.unwrap().into_inner();
        if found.incident.unwrap().clocks.iter().any(|clock| clock.kept_by.contains(&name)) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "the duty of Art. 8 was not kept by the delivery");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    // What a process does not serve it says so.
    let listed = ListIncidentsRequest { parent: format!("provinces/{CODE}"), ..ListIncidentsRequest::default() };
    let refused = rest.incidents().list_incidents(listed).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unimplemented);
    assert!(refused.message().contains("fenghuo.incident.v1.IncidentService"), "{}", refused.message());
    let listed = ListNotificationsRequest { parent: format!("provinces/{CODE}"), ..ListNotificationsRequest::default() };
    assert_eq!(intake.notifications().list_notifications(listed).await.unwrap_err().code(), tonic::Code::Unimplemented);
    assert_eq!(intake.process.ready.partner_url, "");
    count::assert_whole(&rest).await;
}
