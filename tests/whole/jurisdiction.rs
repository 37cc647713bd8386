//! Every RPC of the console's services, listed from the contracts, is called by somebody who holds every role, in the wrong district.
//! A method without a case here fails the test.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};

use fenghuo_api::common::v1::{Place, Tristate};
use fenghuo_api::exercise::v1 as exercise;
use fenghuo_api::identity::v1::people_service_client::PeopleServiceClient;
use fenghuo_api::identity::v1::session_service_client::SessionServiceClient;
use fenghuo_api::identity::v1::{self as identity, Grant, Person, Role};
use fenghuo_api::incident::v1::incident_service_client::IncidentServiceClient;
use fenghuo_api::incident::v1::{self as incident, Facts, Report, ReportOrigin};
use fenghuo_api::notification::v1::notification_service_client::NotificationServiceClient;
use fenghuo_api::notification::v1::partner_directory_service_client::PartnerDirectoryServiceClient;
use fenghuo_api::notification::v1::{self as notification};
use fenghuo_api::time::to_proto;
use fenghuo_api::{audit::v1 as audit, operation::v1 as operation, partner::v1::NotificationKind};
use fenghuo_durable::{SpaceId, new_id, wall};
use fenghuo_edge::{ClientSession, console_channel};
use prost::Message;
use prost::bytes::{Buf, BufMut};
use std::io::BufRead;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

type Signed = InterceptedService<Channel, ClientSession>;

/// Messages as bytes: the table holds each request already serialised.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Raw;
    type Decoder = Raw;
    fn encoder(&mut self) -> Raw {
        Raw
    }
    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;
    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;
    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut bytes = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut bytes);
        Ok(Some(bytes))
    }
}

struct Node(Child, String, String);

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(dir: &std::path::Path) -> Node {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fenghuo"))
        .args([
            "up",
            "--json",
            "--province",
            "500000",
            "--telephone",
            "023-1",
            "--console",
            "127.0.0.1:0",
            "--partner",
            "127.0.0.1:0",
            "--data",
        ])
        .arg(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let line = std::io::BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    Node(child, ready["console_url"].as_str().unwrap().to_owned(), ready["setup_token"].as_str().unwrap().to_owned())
}

fn signed(url: &str, token: &str) -> Signed {
    let session = ClientSession::anonymous().with_token(token).unwrap().in_space(SpaceId::Real).unwrap();
    InterceptedService::new(console_channel(url, None).unwrap(), session)
}

async fn person(admin: &Signed, url: &str, user: &str, jurisdiction: &str, roles: &[Role]) -> Signed {
    let grants = roles.iter().map(|role| Grant {
        role: (*role).into(),
        jurisdiction: jurisdiction.into(),
        start_time: Some(to_proto(wall::now())),
        end_time: None,
    });
    let new = Person { user_name: user.into(), display_name: user.into(), grants: grants.collect(), active: true, ..Person::default() };
    let request = identity::CreatePersonRequest { request_id: new_id().to_string(), person: Some(new), password: "correct horse".into() };
    PeopleServiceClient::new(admin.clone()).create_person(request).await.unwrap();
    let anonymous = InterceptedService::new(console_channel(url, None).unwrap(), ClientSession::anonymous());
    let sign_in = identity::SignInRequest { user_name: user.into(), password: "correct horse".into() };
    let token = SessionServiceClient::new(anonymous).sign_in(sign_in).await.unwrap().into_inner().session_token;
    signed(url, &token)
}

/// What somebody of the wrong district may see.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Expect {
    /// NOT_FOUND: the record may not even be known of.
    Hidden,
    /// NOT_FOUND or PERMISSION_DENIED: it belongs to the whole province.
    Refused,
    /// An answer without the record's name in it.
    Without,
    /// It concerns only the caller, or everybody.
    Own,
}

fn case(request: impl Message, expect: Expect) -> (Vec<u8>, Expect) {
    (request.encode_to_vec(), expect)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rpc_from_the_wrong_district() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(dir.path());
    let url = node.1.as_str();
    let anonymous = InterceptedService::new(console_channel(url, None).unwrap(), ClientSession::anonymous());
    let setup = identity::RedeemSetupLinkRequest {
        setup_token: node.2.clone(),
        user_name: "admin".into(),
        display_name: "管理员".into(),
        password: "correct horse".into(),
    };
    let admin_token = SessionServiceClient::new(anonymous).redeem_setup_link(setup).await.unwrap().into_inner().session_token;
    let admin = signed(url, &admin_token);
    let all = [Role::Viewer, Role::DutyOfficer, Role::Commander, Role::Liaison, Role::Administrator];
    let desk = person(&admin, url, "desk", "500000", &all).await;
    let stranger = person(&admin, url, "stranger", "500236", &all).await;

    // An incident in Wushan, with a draft to Sichuan, which has no node.
    let report = Report {
        origin: ReportOrigin::Hotline.into(),
        learn_time: Some(to_proto(wall::now())),
        title: "水质异常".into(),
        place: Some(Place { admin_code: "500237".into(), ..Place::default() }),
        facts: Some(Facts { may_cross_province: Tristate::Yes.into(), ..Facts::default() }),
        ..Report::default()
    };
    let submit = incident::SubmitReportRequest { request_id: new_id().to_string(), report: Some(report.clone()), ..Default::default() };
    let opened = IncidentServiceClient::new(desk.clone()).submit_report(submit).await.unwrap().into_inner().incident.unwrap();
    let letter = notification::AddLetterPartnerRequest {
        request_id: new_id().to_string(),
        province_code: "510000".into(),
        display_name: "四川省".into(),
        duty_telephone: "028-1".into(),
    };
    PartnerDirectoryServiceClient::new(desk.clone()).add_letter_partner(letter).await.unwrap();
    let draft = notification::DraftNotificationRequest {
        request_id: new_id().to_string(),
        incident: opened.name.clone(),
        partner_code: "510000".into(),
        kind: NotificationKind::Warning.into(),
        overrides: None,
    };
    let drafted =
        NotificationServiceClient::new(desk.clone()).draft_notification(draft.clone()).await.unwrap().into_inner().notification.unwrap();

    let cases = cases(&opened, &drafted, report, draft);
    let methods = methods();
    let missing: Vec<_> = methods.keys().filter(|method| !cases.contains_key(method.as_str())).collect();
    assert!(missing.is_empty(), "write a case for: {missing:?}");
    // Signing out comes last: it ends the session of all the others.
    let (last, others): (Vec<_>, Vec<_>) = methods.into_iter().partition(|(method, _)| method.ends_with("/SignOut"));
    for (method, streams) in others.into_iter().chain(last) {
        let (bytes, expect) = cases[method.as_str()].clone();
        let answer = call(&stranger, &method, bytes, streams).await;
        let hidden = |text: &[u8]| !contains(text, opened.name.as_bytes()) && !contains(text, drafted.name.as_bytes());
        match (expect, &answer) {
            (Expect::Hidden, Err(status)) => assert_eq!(status.code(), Code::NotFound, "{method}: {status:?}"),
            (Expect::Refused, Err(status)) => {
                assert!(matches!(status.code(), Code::NotFound | Code::PermissionDenied), "{method}: {status:?}")
            }
            (Expect::Without, Ok(bytes)) => assert!(hidden(bytes), "{method} shows a record of another district"),
            (Expect::Own, _) => {}
            _ => panic!("{method}: expected {expect:?}, got {answer:?}"),
        }
    }
    // And nothing was changed by all that.
    let after = IncidentServiceClient::new(desk)
        .get_incident(incident::GetIncidentRequest { name: opened.name.clone() })
        .await
        .unwrap()
        .into_inner()
        .incident
        .unwrap();
    assert_eq!(after.etag, opened.etag);
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Every method of the console's services, and whether it streams.
fn methods() -> BTreeMap<String, bool> {
    let set = prost_types::FileDescriptorSet::decode(fenghuo_api::FILE_DESCRIPTOR_SET).unwrap();
    let mut found = BTreeMap::new();
    for file in set.file.iter().filter(|file| file.package().starts_with("fenghuo.") && file.package() != "fenghuo.partner.v1") {
        for service in &file.service {
            for method in &service.method {
                found.insert(format!("/{}.{}/{}", file.package(), service.name(), method.name()), method.server_streaming());
            }
        }
    }
    assert!(found.len() > 30);
    found
}

/// The answer; of a stream what comes within a second and a half.
async fn call(who: &Signed, method: &str, bytes: Vec<u8>, streams: bool) -> Result<Vec<u8>, Status> {
    let mut grpc = tonic::client::Grpc::new(who.clone());
    grpc.ready().await.unwrap();
    let path = method.parse().unwrap();
    if !streams {
        return grpc.unary(Request::new(bytes), path, Raw).await.map(tonic::Response::into_inner);
    }
    let mut stream = grpc.server_streaming(Request::new(bytes), path, Raw).await?.into_inner();
    let mut seen = Vec::new();
    while let Ok(message) = tokio::time::timeout(std::time::Duration::from_millis(1500), stream.message()).await {
        match message? {
            Some(message) => seen.extend(message),
            None => break,
        }
        if seen.len() > 1 << 20 {
            break;
        }
    }
    Ok(seen)
}

fn cases(
    opened: &incident::Incident,
    drafted: &notification::NotificationRecord,
    report: Report,
    draft: notification::DraftNotificationRequest,
) -> BTreeMap<&'static str, (Vec<u8>, Expect)> {
    use Expect::{Hidden, Own, Refused, Without};
    let id = || new_id().to_string();
    let (name, note) = (opened.name.clone(), drafted.name.clone());
    let parent = "provinces/500000".to_owned();
    let clock = opened.clocks.first().map(|clock| clock.name.clone()).unwrap();
    let exercise_name = format!("exercises/{}", new_id());
    let setting = exercise::ClockSetting { number: 1, space_time: Some(to_proto(wall::now())), rate: 0.0 };
    let upward = incident::UpwardReport {
        kind: incident::UpwardReportKind::Initial.into(),
        body_code: "500237".into(),
        send_time: Some(to_proto(wall::now())),
        receiver: "市局".into(),
        ..Default::default()
    };
    let decision = incident::GradeDecision {
        grade: fenghuo_api::common::v1::Grade::Iv.into(),
        kind: incident::GradeDecisionKind::Preliminary.into(),
        authority: "a".into(),
        reason: "r".into(),
        ..Default::default()
    };
    let acknowledgement = fenghuo_api::partner::v1::Acknowledgement {
        person: "p".into(),
        post: "q".into(),
        acknowledge_time: Some(to_proto(wall::now())),
        ..Default::default()
    };
    let facts = Facts { heavy_metal: Tristate::Yes.into(), ..Facts::default() };
    let stranger = Person { user_name: "another".into(), display_name: "x".into(), grants: vec![], active: true, ..Person::default() };
    BTreeMap::from([
        (
            "/fenghuo.incident.v1.IncidentService/SubmitReport",
            case(incident::SubmitReportRequest { request_id: id(), report: Some(report), ..Default::default() }, Hidden),
        ),
        ("/fenghuo.incident.v1.IncidentService/GetIncident", case(incident::GetIncidentRequest { name: name.clone() }, Hidden)),
        (
            "/fenghuo.incident.v1.IncidentService/ListIncidents",
            case(incident::ListIncidentsRequest { parent: parent.clone(), include_closed: true, ..Default::default() }, Without),
        ),
        ("/fenghuo.incident.v1.IncidentService/WatchIncidents", case(incident::WatchIncidentsRequest { parent: parent.clone() }, Without)),
        (
            "/fenghuo.incident.v1.IncidentService/UpdateFacts",
            case(incident::UpdateFactsRequest { request_id: id(), name: name.clone(), facts: Some(facts), ..Default::default() }, Hidden),
        ),
        (
            "/fenghuo.incident.v1.IncidentService/DecideGrade",
            case(
                incident::DecideGradeRequest { request_id: id(), name: name.clone(), decision: Some(decision), ..Default::default() },
                Hidden,
            ),
        ),
        (
            "/fenghuo.incident.v1.IncidentService/RecordUpwardReport",
            case(incident::RecordUpwardReportRequest { request_id: id(), name: name.clone(), upward_report: Some(upward) }, Hidden),
        ),
        (
            "/fenghuo.incident.v1.IncidentService/RecordDutyDone",
            case(incident::RecordDutyDoneRequest { request_id: id(), clock, remark: "x".into() }, Hidden),
        ),
        (
            "/fenghuo.incident.v1.IncidentService/RecordBodyLearned",
            case(
                incident::RecordBodyLearnedRequest {
                    request_id: id(),
                    name: name.clone(),
                    body_code: "500237".into(),
                    learn_time: Some(to_proto(wall::now())),
                },
                Hidden,
            ),
        ),
        (
            "/fenghuo.incident.v1.IncidentService/CloseIncident",
            case(incident::CloseIncidentRequest { request_id: id(), name: name.clone(), etag: String::new() }, Hidden),
        ),
        (
            "/fenghuo.notification.v1.NotificationService/DraftNotification",
            case(notification::DraftNotificationRequest { request_id: id(), ..draft }, Hidden),
        ),
        (
            "/fenghuo.notification.v1.NotificationService/UpdateNotification",
            case(
                notification::UpdateNotificationRequest {
                    request_id: id(),
                    name: note.clone(),
                    etag: String::new(),
                    content: drafted.content.clone(),
                },
                Hidden,
            ),
        ),
        (
            "/fenghuo.notification.v1.NotificationService/ApproveNotification",
            case(notification::ApproveNotificationRequest { request_id: id(), name: note.clone(), etag: String::new() }, Hidden),
        ),
        (
            "/fenghuo.notification.v1.NotificationService/DiscardNotification",
            case(notification::DiscardNotificationRequest { request_id: id(), name: note.clone() }, Hidden),
        ),
        (
            "/fenghuo.notification.v1.NotificationService/AcknowledgeNotification",
            case(notification::AcknowledgeNotificationRequest { request_id: id(), name: note.clone(), remark: String::new() }, Hidden),
        ),
        (
            "/fenghuo.notification.v1.NotificationService/RecordAcknowledgement",
            case(
                notification::RecordAcknowledgementRequest { request_id: id(), name: note.clone(), acknowledgement: Some(acknowledgement) },
                Hidden,
            ),
        ),
        ("/fenghuo.notification.v1.NotificationService/GetNotification", case(notification::GetNotificationRequest { name: note }, Hidden)),
        (
            "/fenghuo.notification.v1.NotificationService/ListNotifications",
            case(notification::ListNotificationsRequest { parent: parent.clone(), ..Default::default() }, Without),
        ),
        (
            "/fenghuo.notification.v1.NotificationService/WatchNotifications",
            case(notification::WatchNotificationsRequest { parent }, Without),
        ),
        (
            "/fenghuo.notification.v1.NotificationService/ProposeRecipients",
            case(notification::ProposeRecipientsRequest { incident: name.clone() }, Hidden),
        ),
        ("/fenghuo.notification.v1.PartnerDirectoryService/GetOwnBundle", case(notification::GetOwnBundleRequest {}, Refused)),
        (
            "/fenghuo.notification.v1.PartnerDirectoryService/RotateSigningKey",
            case(notification::RotateSigningKeyRequest { request_id: id(), reason: "年度更换".into() }, Refused),
        ),
        (
            "/fenghuo.notification.v1.PartnerDirectoryService/BeginNewEpoch",
            case(
                notification::BeginNewEpochRequest {
                    request_id: id(),
                    province_code: "510000".into(),
                    reason: "双方电话商定".into(),
                    signing_key_id: String::new(),
                },
                Refused,
            ),
        ),
        (
            "/fenghuo.notification.v1.PartnerDirectoryService/EnrolPartner",
            case(notification::EnrolPartnerRequest { request_id: id(), ..Default::default() }, Refused),
        ),
        (
            "/fenghuo.notification.v1.PartnerDirectoryService/AddLetterPartner",
            case(
                notification::AddLetterPartnerRequest {
                    request_id: id(),
                    province_code: "520000".into(),
                    display_name: "贵州省".into(),
                    duty_telephone: "1".into(),
                },
                Refused,
            ),
        ),
        ("/fenghuo.notification.v1.PartnerDirectoryService/ListPartners", case(notification::ListPartnersRequest::default(), Without)),
        ("/fenghuo.notification.v1.PartnerDirectoryService/WatchPartners", case(notification::WatchPartnersRequest {}, Without)),
        ("/fenghuo.audit.v1.AuditService/ListEvents", case(audit::ListEventsRequest { subject: name, ..Default::default() }, Without)),
        ("/fenghuo.audit.v1.AuditService/WatchEvents", case(audit::WatchEventsRequest { after_sequence: 0 }, Without)),
        ("/fenghuo.audit.v1.AuditService/VerifyLog", case(audit::VerifyLogRequest {}, Refused)),
        (
            "/fenghuo.exercise.v1.ExerciseService/OpenExercise",
            case(
                exercise::OpenExerciseRequest {
                    request_id: id(),
                    name: exercise_name.clone(),
                    title: "x".into(),
                    clock: Some(setting),
                    province_codes: vec!["500000".into()],
                },
                Refused,
            ),
        ),
        ("/fenghuo.exercise.v1.ExerciseService/ListExercises", case(exercise::ListExercisesRequest::default(), Without)),
        (
            "/fenghuo.exercise.v1.ExerciseService/SetExerciseClock",
            case(exercise::SetExerciseClockRequest { name: exercise_name.clone(), clock: Some(setting) }, Refused),
        ),
        (
            "/fenghuo.exercise.v1.ExerciseService/GetExerciseActivity",
            case(exercise::GetExerciseActivityRequest { name: exercise_name.clone() }, Refused),
        ),
        (
            "/fenghuo.exercise.v1.ExerciseService/EndExercise",
            case(exercise::EndExerciseRequest { request_id: id(), name: exercise_name }, Refused),
        ),
        (
            "/fenghuo.identity.v1.PeopleService/CreatePerson",
            case(identity::CreatePersonRequest { request_id: id(), person: Some(stranger), password: "correct horse".into() }, Refused),
        ),
        ("/fenghuo.identity.v1.PeopleService/ListPeople", case(identity::ListPeopleRequest::default(), Refused)),
        (
            "/fenghuo.identity.v1.PeopleService/SetGrants",
            case(
                identity::SetGrantsRequest { request_id: id(), name: format!("provinces/500000/people/{}", new_id()), grants: vec![] },
                Refused,
            ),
        ),
        (
            "/fenghuo.identity.v1.PeopleService/SetPersonActive",
            case(
                identity::SetPersonActiveRequest { request_id: id(), name: format!("provinces/500000/people/{}", new_id()), active: false },
                Refused,
            ),
        ),
        ("/fenghuo.operation.v1.OperationService/ListConditions", case(operation::ListConditionsRequest {}, Without)),
        ("/fenghuo.operation.v1.OperationService/WatchConditions", case(operation::WatchConditionsRequest {}, Without)),
        (
            "/fenghuo.operation.v1.OperationService/ReleaseQuarantine",
            case(operation::ReleaseQuarantineRequest { request_id: id(), reason: "x".into() }, Refused),
        ),
        ("/fenghuo.identity.v1.SessionService/GetNode", case(identity::GetNodeRequest {}, Own)),
        ("/fenghuo.identity.v1.SessionService/RedeemSetupLink", case(identity::RedeemSetupLinkRequest::default(), Own)),
        ("/fenghuo.identity.v1.SessionService/SignIn", case(identity::SignInRequest::default(), Own)),
        ("/fenghuo.identity.v1.SessionService/GetSession", case(identity::GetSessionRequest {}, Own)),
        ("/fenghuo.identity.v1.SessionService/ChangePassword", case(identity::ChangePasswordRequest::default(), Own)),
        ("/fenghuo.identity.v1.SessionService/SignOut", case(identity::SignOutRequest {}, Own)),
    ])
}
