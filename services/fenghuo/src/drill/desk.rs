//! A node as its people see it: clients of the public contracts, signed in by name.

use std::collections::BTreeMap;

use fenghuo_api::audit::v1::audit_service_client::AuditServiceClient;
use fenghuo_api::exercise::v1::exercise_service_client::ExerciseServiceClient;
use fenghuo_api::identity::v1::people_service_client::PeopleServiceClient;
use fenghuo_api::identity::v1::session_service_client::SessionServiceClient;
use fenghuo_api::identity::v1::{CreatePersonRequest, Grant, Person, RedeemSetupLinkRequest, Role, SignInRequest};
use fenghuo_api::incident::v1::incident_service_client::IncidentServiceClient;
use fenghuo_api::notification::v1::notification_service_client::NotificationServiceClient;
use fenghuo_api::notification::v1::partner_directory_service_client::PartnerDirectoryServiceClient;
use fenghuo_api::notification::v1::{EnrolPartnerRequest, GetOwnBundleRequest, GetOwnBundleResponse, Partner, PartnerMode};
use fenghuo_api::partner::v1::EnrolmentBundle;
use fenghuo_api::time::to_proto;
use fenghuo_durable::{SpaceId, new_id, wall};
use fenghuo_edge::client::{ClientSession, console_channel};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use super::nodes::NodeProcess;
use super::proof;
use super::script::{NodeText, PersonText, Script, TextPair};
use super::{DrillError, NodeTold};

/// A channel with a signed-in person and a space.
pub type Signed = InterceptedService<Channel, ClientSession>;

/// User name of the administrator.
pub const ADMINISTRATOR: &str = "admin";

/// A node with its people.
pub struct Desk {
    /// Six-digit code.
    pub code: String,
    name: TextPair,
    /// The process.
    pub process: NodeProcess,
    /// Its bundle.
    pub bundle: EnrolmentBundle,
    bundle_json: String,
    fingerprint: String,
    channel: Channel,
    space: SpaceId,
    tokens: BTreeMap<String, String>,
    /// Label of the person who speaks with partners and owns the clock here.
    liaison: String,
    /// Label of a person who sees all.
    commander: String,
}

impl Desk {
    /// Sets up a fresh node: the administrator by the one-time link, then the people of the script.
    pub async fn open(node: &NodeText, process: NodeProcess, script: &Script, space: SpaceId, password: &str) -> Result<Self, DrillError> {
        let channel = console_channel(&process.ready.console_url, None).map_err(|error| DrillError::Node(error.message))?;
        let label = |role: &str| {
            let person = script.person_with(&node.code, role).map(|person| person.id.clone());
            person.ok_or_else(|| DrillError::Node(format!("node {} has no {role}", node.code)))
        };
        let mut desk = Self {
            code: node.code.clone(),
            name: TextPair { zh: node.name_zh.clone(), en: node.name_en.clone() },
            liaison: label("liaison")?,
            commander: label("commander")?,
            process,
            bundle: EnrolmentBundle::default(),
            bundle_json: String::new(),
            fingerprint: String::new(),
            channel,
            space,
            tokens: BTreeMap::new(),
        };
        desk.redeem(node, password).await?;
        for person in script.people.iter().map(|person| person.get_ref()).filter(|person| person.node == node.code) {
            desk.add_person(person, password).await?;
        }
        desk.read_own_bundle().await?;
        Ok(desk)
    }

    async fn redeem(&mut self, node: &NodeText, password: &str) -> Result<(), DrillError> {
        let setup_token = self.process.ready.setup_token.clone();
        let setup_token = setup_token.ok_or_else(|| DrillError::Node(format!("node {} printed no setup token", node.code)))?;
        let request = RedeemSetupLinkRequest {
            setup_token,
            user_name: ADMINISTRATOR.to_owned(),
            display_name: node.administrator.clone(),
            password: password.to_owned(),
        };
        let answer = SessionServiceClient::new(self.channel.clone()).redeem_setup_link(request).await?.into_inner();
        self.tokens.insert(ADMINISTRATOR.to_owned(), answer.session_token);
        Ok(())
    }

    async fn add_person(&mut self, person: &PersonText, password: &str) -> Result<(), DrillError> {
        let now = to_proto(wall::now());
        let grant = |role: &String| Grant {
            role: role_of(role).into(),
            jurisdiction: person.jurisdiction.clone(),
            start_time: Some(now),
            end_time: None,
        };
        let request = CreatePersonRequest {
            request_id: new_id().to_string(),
            person: Some(Person {
                user_name: person.id.clone(),
                display_name: person.name.clone(),
                post: person.post.clone(),
                grants: person.roles.iter().map(grant).collect(),
                active: true,
                ..Person::default()
            }),
            password: password.to_owned(),
        };
        PeopleServiceClient::new(self.signed(ADMINISTRATOR)?).create_person(request).await?;
        let request = SignInRequest { user_name: person.id.clone(), password: password.to_owned() };
        let answer = SessionServiceClient::new(self.channel.clone()).sign_in(request).await?.into_inner();
        self.tokens.insert(person.id.clone(), answer.session_token);
        Ok(())
    }

    /// Reads the bundle, and computes its fingerprint as the officer at the telephone would.
    async fn read_own_bundle(&mut self) -> Result<(), DrillError> {
        let answer = self.directory()?.get_own_bundle(GetOwnBundleRequest {}).await?.into_inner();
        let GetOwnBundleResponse { bundle, bundle_json, fingerprint } = answer;
        self.bundle = bundle.unwrap_or_default();
        let computed = proof::fingerprint(&self.bundle);
        if plain(&computed) != plain(&fingerprint) {
            return Err(DrillError::Node(format!("node {} shows the fingerprint {fingerprint}; its bundle gives {computed}", self.code)));
        }
        (self.bundle_json, self.fingerprint) = (bundle_json, computed);
        Ok(())
    }

    /// Enrols the other province by its bundle and the fingerprint that was compared. `endpoint` stands in the bundle for the other's own
    /// address: it leads there, and the fingerprint pins keys, not addresses.
    pub async fn enrol(&self, other: &Desk, endpoint: &str) -> Result<Partner, DrillError> {
        let mut bundle: serde_json::Value = serde_json::from_str(&other.bundle_json)
            .map_err(|error| DrillError::Node(format!("the bundle of {} is not JSON: {error}", other.code)))?;
        bundle["endpoint"] = endpoint.into();
        let request = EnrolPartnerRequest {
            request_id: new_id().to_string(),
            bundle_json: bundle.to_string(),
            fingerprint: other.fingerprint.clone(),
            mode: PartnerMode::Push.into(),
        };
        let partner = self.directory()?.enrol_partner(request).await?.into_inner().partner.unwrap_or_default();
        if plain(&partner.fingerprint) != plain(&other.fingerprint) {
            return Err(DrillError::Node(format!(
                "node {} enrolled {} with the fingerprint {}",
                self.code, other.code, partner.fingerprint
            )));
        }
        Ok(partner)
    }

    /// For the account.
    pub fn told(&self) -> NodeTold {
        let ready = &self.process.ready;
        NodeTold {
            name: self.name.clone(),
            console_url: ready.console_url.clone(),
            partner_url: ready.partner_url.clone(),
            fingerprint: self.fingerprint.clone(),
        }
    }

    fn signed(&self, person: &str) -> Result<Signed, DrillError> {
        let token = self.tokens.get(person).ok_or_else(|| DrillError::Node(format!("{person} is not signed in at {}", self.code)))?;
        let session = ClientSession::anonymous().with_token(token).and_then(|session| session.in_space(self.space));
        let session = session.map_err(|error| DrillError::Node(error.message))?;
        Ok(InterceptedService::new(self.channel.clone(), session))
    }

    /// Incidents, as this person.
    pub fn incidents(&self, person: &str) -> Result<IncidentServiceClient<Signed>, DrillError> {
        Ok(IncidentServiceClient::new(self.signed(person)?))
    }

    /// Notifications, as this person.
    pub fn notifications(&self, person: &str) -> Result<NotificationServiceClient<Signed>, DrillError> {
        Ok(NotificationServiceClient::new(self.signed(person)?))
    }

    /// Incidents, as who sees all.
    pub fn all_incidents(&self) -> Result<IncidentServiceClient<Signed>, DrillError> {
        self.incidents(&self.commander)
    }

    /// Notifications, as who sees all.
    pub fn all_notifications(&self) -> Result<NotificationServiceClient<Signed>, DrillError> {
        self.notifications(&self.commander)
    }

    /// The log, as the commander.
    pub fn audit(&self) -> Result<AuditServiceClient<Signed>, DrillError> {
        Ok(AuditServiceClient::new(self.signed(&self.commander)?))
    }

    /// The exercise, as the liaison.
    pub fn exercises(&self) -> Result<ExerciseServiceClient<Signed>, DrillError> {
        Ok(ExerciseServiceClient::new(self.signed(&self.liaison)?))
    }

    fn directory(&self) -> Result<PartnerDirectoryServiceClient<Signed>, DrillError> {
        Ok(PartnerDirectoryServiceClient::new(self.signed(ADMINISTRATOR)?))
    }
}

fn plain(fingerprint: &str) -> String {
    fingerprint.chars().filter(|digit| digit.is_ascii_hexdigit()).flat_map(char::to_lowercase).collect()
}

/// The script was checked: another name does not come here.
fn role_of(name: &str) -> Role {
    match name {
        "viewer" => Role::Viewer,
        "duty_officer" => Role::DutyOfficer,
        "commander" => Role::Commander,
        "liaison" => Role::Liaison,
        "administrator" => Role::Administrator,
        _ => Role::Unspecified,
    }
}
