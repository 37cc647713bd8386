//! A node with its people: clients of the public contracts, signed in by name.

use std::time::Duration;

use fenghuo_api::audit::v1::audit_service_client::AuditServiceClient;
use fenghuo_api::exercise::v1::exercise_service_client::ExerciseServiceClient;
use fenghuo_api::identity::v1::people_service_client::PeopleServiceClient;
use fenghuo_api::identity::v1::session_service_client::SessionServiceClient;
use fenghuo_api::identity::v1::{CreatePersonRequest, GetNodeRequest, Grant, Person, RedeemSetupLinkRequest, Role, SignInRequest};
use fenghuo_api::incident::v1::incident_service_client::IncidentServiceClient;
use fenghuo_api::notification::v1::notification_service_client::NotificationServiceClient;
use fenghuo_api::notification::v1::partner_directory_service_client::PartnerDirectoryServiceClient;
use fenghuo_api::notification::v1::{
    EnrolPartnerRequest, GetOwnBundleRequest, GetOwnBundleResponse, LinkState, ListPartnersRequest, Partner, PartnerMode,
};
use fenghuo_api::time::{from_proto, to_proto};
use fenghuo_durable::{SpaceId, new_id, wall};
use fenghuo_edge::{ClientSession, console_channel};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use crate::namespace::channel_inside;
use crate::node::{Process, Spec};

/// A channel with a signed-in person and a space.
pub type Signed = InterceptedService<Channel, ClientSession>;

/// Password of everybody in tests.
pub const PASSWORD: &str = "correct horse battery";

/// A running node, its administrator, and one person with every role of the desk in the whole province.
pub struct Province {
    /// The process.
    pub process: Process,
    /// Token of the administrator.
    pub admin: String,
    /// Token of the officer who does all.
    pub officer: String,
    channel: Channel,
}

impl Province {
    /// Starts a fresh node, sets it up, and signs both people in.
    pub async fn start(spec: &Spec) -> Self {
        let process = Process::start(spec);
        let channel = channel(&process);
        let anonymous = InterceptedService::new(channel.clone(), ClientSession::anonymous());
        let setup = RedeemSetupLinkRequest {
            setup_token: process.ready.setup_token.clone().expect("a fresh node prints a setup token"),
            user_name: "admin".into(),
            display_name: "管理员".into(),
            password: PASSWORD.into(),
        };
        let admin = SessionServiceClient::new(anonymous).redeem_setup_link(setup).await.unwrap().into_inner().session_token;
        let mut province = Self { process, admin, officer: String::new(), channel };
        let roles = [Role::Viewer, Role::DutyOfficer, Role::Commander, Role::Liaison, Role::Administrator];
        province.officer = province.add_person("officer", &roles).await;
        province
    }

    /// A node that was set up before, by an administrator of this name; the officer is added. Gives the process back if there is none.
    pub async fn of(process: Process, admin: &str) -> Result<Self, Process> {
        let channel = channel(&process);
        let anonymous = InterceptedService::new(channel.clone(), ClientSession::anonymous());
        let request = SignInRequest { user_name: admin.into(), password: PASSWORD.into() };
        let Ok(answer) = SessionServiceClient::new(anonymous).sign_in(request).await else { return Err(process) };
        let mut province = Self { process, admin: answer.into_inner().session_token, officer: String::new(), channel };
        let roles = [Role::Viewer, Role::DutyOfficer, Role::Commander, Role::Liaison, Role::Administrator];
        province.officer = province.add_person("officer", &roles).await;
        Ok(province)
    }

    /// Six-digit code.
    pub fn code(&self) -> &str {
        &self.process.spec().code
    }

    /// Adds a person with these roles in the whole province; their session token.
    pub async fn add_person(&self, user: &str, roles: &[Role]) -> String {
        // From long ago: some tests set a node's clock back.
        let start = wall::now() - jiff::SignedDuration::from_hours(24);
        let grants = roles.iter().map(|role| Grant {
            role: (*role).into(),
            jurisdiction: self.code().into(),
            start_time: Some(to_proto(start)),
            end_time: None,
        });
        let person =
            Person { user_name: user.into(), display_name: user.into(), grants: grants.collect(), active: true, ..Person::default() };
        let request = CreatePersonRequest { request_id: new_id().to_string(), person: Some(person), password: PASSWORD.into() };
        PeopleServiceClient::new(self.as_admin()).create_person(request).await.unwrap();
        self.sign_in(user).await
    }

    /// Signs a person in; the session token.
    pub async fn sign_in(&self, user: &str) -> String {
        let anonymous = InterceptedService::new(self.channel.clone(), ClientSession::anonymous());
        let request = SignInRequest { user_name: user.into(), password: PASSWORD.into() };
        SessionServiceClient::new(anonymous).sign_in(request).await.unwrap().into_inner().session_token
    }

    /// The node's own wall time.
    pub async fn wall_time(&self) -> jiff::Timestamp {
        let anonymous = InterceptedService::new(self.channel.clone(), ClientSession::anonymous());
        let told = SessionServiceClient::new(anonymous).get_node(GetNodeRequest {}).await.unwrap().into_inner();
        told.wall_time.as_ref().and_then(from_proto).unwrap()
    }

    /// Starts the process again after its end, in the same place; sessions outlive it.
    pub fn start_again(&mut self) {
        self.process.start_again();
        self.channel = channel(&self.process);
    }

    /// Starts a further replica of this node (see [`Spec::replica`]) at an address of its own; its people are the same.
    pub fn beside(&self, spec: &Spec) -> Self {
        let process = Process::start(spec);
        let channel = channel(&process);
        Self { process, admin: self.admin.clone(), officer: self.officer.clone(), channel }
    }

    /// Starts the process again after its end while others start too; put it in its place with [`Province::replace`].
    pub async fn start_again_beside(&self) -> Process {
        let spec = self.process.spec().clone();
        tokio::task::spawn_blocking(move || Process::start(&spec)).await.unwrap()
    }

    /// Goes on with this process in the place of the one that has ended.
    pub fn replace(&mut self, process: Process) {
        self.process = process;
        self.channel = channel(&self.process);
    }

    /// Kills the process without warning and starts it again.
    pub fn kill_and_restart(&mut self) {
        self.process.kill();
        self.start_again();
    }

    /// The channel that everybody here shares.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// A channel of its own, for a second connection.
    pub fn new_channel(&self) -> Channel {
        channel(&self.process)
    }

    /// This token on the shared channel, in a space.
    pub fn signed(&self, token: &str, space: SpaceId) -> Signed {
        signed(self.channel.clone(), token, space)
    }

    fn as_admin(&self) -> Signed {
        self.signed(&self.admin, SpaceId::Real)
    }

    /// The officer in the real space.
    pub fn desk(&self) -> Signed {
        self.signed(&self.officer, SpaceId::Real)
    }

    /// Incidents, as the officer in the real space.
    pub fn incidents(&self) -> IncidentServiceClient<Signed> {
        IncidentServiceClient::new(self.desk())
    }

    /// Notifications, as the officer in the real space.
    pub fn notifications(&self) -> NotificationServiceClient<Signed> {
        NotificationServiceClient::new(self.desk())
    }

    /// The log of the real space, as the officer.
    pub fn audit(&self) -> AuditServiceClient<Signed> {
        AuditServiceClient::new(self.desk())
    }

    /// Exercises, as the officer.
    pub fn exercises(&self) -> ExerciseServiceClient<Signed> {
        ExerciseServiceClient::new(self.desk())
    }

    /// The partners, as the officer.
    pub fn directory(&self) -> PartnerDirectoryServiceClient<Signed> {
        PartnerDirectoryServiceClient::new(self.desk())
    }

    /// People, as the administrator.
    pub fn people(&self) -> PeopleServiceClient<Signed> {
        PeopleServiceClient::new(self.as_admin())
    }

    /// The partners, as the administrator.
    pub fn directory_as_admin(&self) -> PartnerDirectoryServiceClient<Signed> {
        PartnerDirectoryServiceClient::new(self.as_admin())
    }

    /// Takes another province's bundle into the directory. `endpoint` replaces the one in the bundle where it is given.
    pub async fn enrol(&self, other: &Province, mode: PartnerMode, endpoint: Option<&str>) {
        let told = other.directory().get_own_bundle(GetOwnBundleRequest {}).await.unwrap().into_inner();
        let GetOwnBundleResponse { bundle_json, fingerprint, .. } = told;
        let mut bundle: serde_json::Value = serde_json::from_str(&bundle_json).unwrap();
        if let Some(endpoint) = endpoint {
            bundle["endpoint"] = endpoint.into();
        }
        let request =
            EnrolPartnerRequest { request_id: new_id().to_string(), bundle_json: bundle.to_string(), fingerprint, mode: mode.into() };
        PartnerDirectoryServiceClient::new(self.as_admin()).enrol_partner(request).await.unwrap();
    }

    /// Waits until the link to a partner is up, for at most `within`; how long it took.
    pub async fn link_up(&self, partner: &str, within: Duration) -> Duration {
        let began = std::time::Instant::now();
        loop {
            let listed = self.directory().list_partners(ListPartnersRequest::default()).await;
            let is_up = |one: &Partner| one.province_code == partner && one.link_state() == LinkState::Up;
            let up = listed.is_ok_and(|answer| answer.into_inner().partners.iter().any(is_up));
            if up {
                return began.elapsed();
            }
            assert!(began.elapsed() < within, "the link to {partner} is not up after {within:?}; log:\n{}", self.process.log_tail());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Two provinces, enrolled with each other, the links up.
pub async fn pair(hubei: &Spec, chongqing: &Spec) -> (Province, Province) {
    let (hubei, chongqing) = tokio::join!(Province::start(hubei), Province::start(chongqing));
    hubei.enrol(&chongqing, PartnerMode::Push, None).await;
    chongqing.enrol(&hubei, PartnerMode::Push, None).await;
    hubei.link_up(chongqing.code(), Duration::from_secs(20)).await;
    chongqing.link_up(hubei.code(), Duration::from_secs(20)).await;
    (hubei, chongqing)
}

/// A token on a channel, in a space.
pub fn signed(channel: Channel, token: &str, space: SpaceId) -> Signed {
    let session = ClientSession::anonymous().with_token(token).unwrap().in_space(space).unwrap();
    InterceptedService::new(channel, session)
}

fn channel(process: &Process) -> Channel {
    if let [_, _, _, namespace] = process.spec().before.as_slice() {
        return channel_inside(namespace, &process.ready.console_url);
    }
    let ca = process.spec().dir.join("data/keys/ca-certificate.pem");
    let pem = std::fs::read_to_string(ca).ok();
    console_channel(&process.ready.console_url, pem.as_deref()).unwrap()
}
