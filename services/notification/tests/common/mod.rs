//! Two provinces in one process: own databases, own keys, real TLS over loopback, real mailbox workers.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)] // Each test file uses its part.

pub mod foreign;

use std::net::SocketAddr;
use std::sync::Arc;

use fenghuo_api::common::v1::{Place, Substance, Tristate};
use fenghuo_api::incident::v1::{Facts, Incident};
use fenghuo_api::notification::v1::notification_service_server::NotificationService;
use fenghuo_api::notification::v1::partner_directory_service_server::PartnerDirectoryService;
use fenghuo_api::notification::v1::*;
use fenghuo_api::partner::v1::partner_service_client::PartnerServiceClient;
use fenghuo_api::partner::v1::{Notification as Content, NotificationKind};
use fenghuo_api::time::to_proto;
use fenghuo_durable::testing::{On, until};
use fenghuo_durable::{ClockSetting, Fittings, Locations, NewEvent, Space, SpaceId, Spaces, new_id, wall};
use fenghuo_edge::{Caller, Grant, PartnerChannel, PartnerListener, PartnerTrust, ProvinceKeys, Role, partner_channel};
use fenghuo_mailbox::{Links, Mailbox, Parts};
use fenghuo_notification::{Directory, Mail, Needs, Service};
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Request;

/// What outlives a process: folder, databases, address.
#[derive(Clone)]
pub struct Home {
    pub on: On,
    pub code: &'static str,
    pub dir: std::path::PathBuf,
    pub locations: Locations,
    pub address: SocketAddr,
    /// Partners are told where to call.
    pub reachable: bool,
}

/// A running node.
pub struct Node {
    pub home: Home,
    pub keys: Arc<ProvinceKeys>,
    pub trust: Arc<PartnerTrust>,
    pub spaces: Arc<Spaces>,
    pub node_space: Arc<Space>,
    pub directory: Arc<Directory>,
    pub links: Arc<Links>,
    pub service: Service,
    pub mailbox: Mailbox,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

pub struct Pair {
    pub hubei: Node,
    pub chongqing: Node,
    pub dir: tempfile::TempDir,
}

impl Home {
    pub async fn new(on: On, code: &'static str, dir: &std::path::Path) -> Self {
        let dir = dir.join(code);
        let locations = match on {
            On::Sqlite => Locations::Sqlite(dir.join("spaces")),
            On::Postgres => {
                let admin = fenghuo_durable::testing::postgres_admin_url();
                // Short enough that the longest name, that of an exercise, fits into PostgreSQL's 63 characters.
                let base = format!("t_{}", &new_id().simple().to_string()[8..]);
                fenghuo_durable::create_postgres_database(&admin, &base).await.unwrap();
                Locations::Postgres(format!("{}/{base}", admin.rsplit_once('/').unwrap().0))
            }
        };
        Self { on, code, dir, locations, address: "127.0.0.1:0".parse().unwrap(), reachable: true }
    }

    /// Starts the node without its workers and its listener.
    pub async fn open(mut self) -> (Node, PartnerListener) {
        let keys = Arc::new(ProvinceKeys::load_or_create(&self.dir.join("keys"), self.code, &[], wall::now()).unwrap());
        let trust = PartnerTrust::new();
        let mut node_fittings = Fittings::default();
        fenghuo_notification::fit_node(&mut node_fittings);
        let node_space = Space::open(SpaceId::Real, &self.locations.node().await.unwrap(), None, node_fittings).await.unwrap();
        let mut fittings = Fittings::default();
        fenghuo_mailbox::fit(&mut fittings);
        fenghuo_notification::fit(&mut fittings);
        let spaces = Spaces::open(self.locations.clone(), fittings).await.unwrap();
        let directory = Directory::load(&node_space, trust.clone()).await.unwrap();
        let links = Links::new();
        let listener = until("the port to be free", || async { PartnerListener::bind(self.address).await.ok() }).await;
        self.address = listener.local_address();
        let mailbox = Mailbox::new(Parts {
            spaces: spaces.clone(),
            keys: keys.clone(),
            trust: trust.clone(),
            inbox: Arc::new(Mail { province_code: self.code.into(), acknowledge_within_s: 900 }),
            links: links.clone(),
            routes: directory.routes(),
        });
        let service = Service::new(Needs {
            spaces: spaces.clone(),
            node: node_space.clone(),
            keys: keys.clone(),
            directory: directory.clone(),
            mailbox: mailbox.clone(),
            links: links.clone(),
            display_name: if self.code == "420000" { "湖北省" } else { "重庆市" }.into(),
            endpoint: if self.reachable { format!("https://{}", self.address) } else { String::new() },
            duty_telephone: "12369".into(),
            acknowledge_within_s: 900,
        });
        let stop = CancellationToken::new();
        let node = Node { home: self, keys, trust, spaces, node_space, directory, links, service, mailbox, stop, tasks: Vec::new() };
        (node, listener)
    }

    pub async fn start(self) -> Node {
        let (mut node, listener) = self.open().await;
        node.run(listener);
        node
    }
}

impl Node {
    pub fn run(&mut self, listener: PartnerListener) {
        let mut routes = tonic::service::RoutesBuilder::default();
        self.mailbox.add_routes(&mut routes);
        let (keys, trust, stop) = (self.keys.clone(), self.trust.clone(), self.stop.clone());
        self.tasks.push(tokio::spawn(async move { listener.serve(routes.routes(), keys, trust, stop).await.unwrap() }));
        self.tasks.push(self.mailbox.start(self.stop.clone()));
    }

    /// Ends the process; what outlives it.
    pub async fn stop(self) -> Home {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
        self.spaces.stop().await;
        self.node_space.stop().await;
        self.home
    }

    pub fn code(&self) -> &'static str {
        self.home.code
    }

    pub fn caller(&self, space: SpaceId) -> Caller {
        let grants =
            Role::ALL.iter().map(|role| Grant { role: *role, jurisdiction: self.code().into(), start: Timestamp::UNIX_EPOCH, end: None });
        let name = if self.code() == "420000" { "李静" } else { "周敏" };
        Caller {
            identity: format!("provinces/{}/people/{name}", self.code()),
            display_name: name.into(),
            post: "值班员".into(),
            grants: grants.collect(),
            session_id: "s".into(),
            space_id: Some(space),
        }
    }

    pub fn ask<T>(&self, space: SpaceId, message: T) -> Request<T> {
        as_caller(self.caller(space), message)
    }

    pub fn space(&self, id: SpaceId) -> Arc<Space> {
        self.spaces.get(id).unwrap()
    }

    /// Believes the other province, as two officers who compared the fingerprint.
    pub async fn enrol(&self, other: &Node, mode: PartnerMode) {
        let own = other.service.get_own_bundle(other.ask(SpaceId::Real, GetOwnBundleRequest {})).await.unwrap().into_inner();
        let request = EnrolPartnerRequest {
            request_id: new_id().to_string(),
            bundle_json: own.bundle_json,
            fingerprint: own.fingerprint.to_uppercase(),
            mode: mode.into(),
        };
        self.service.enrol_partner(self.ask(SpaceId::Real, request)).await.unwrap();
    }

    /// An incident of ours as incident-intake's event tells it.
    pub async fn incident(&self, space: SpaceId) -> String {
        let code = if self.code() == "420000" { "422822" } else { "500237" };
        let incident = Incident {
            name: format!("provinces/{}/incidents/{}", self.code(), new_id()),
            title: "选矿废水渗入岩溶洼地".into(),
            place: Some(Place { admin_code: code.into(), water_body: "岩溶洼地".into(), ..Default::default() }),
            occur_time: Some(to_proto("2014-08-12T08:00:00Z".parse().unwrap())),
            facts: Some(Facts { may_cross_province: Tristate::Yes.into(), ..Default::default() }),
            substances: vec![Substance {
                name: "乙基黄原酸钠".into(),
                value: Some(0.2),
                unit: "mg/L".into(),
                section: "洼地出口".into(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let event = NewEvent {
            service: "incident-intake",
            kind: "incident.opened",
            subject: incident.name.clone(),
            revision: 1,
            admin_code: code.into(),
            payload: fenghuo_api::snapshot::to_payload("incident", &incident),
            ..NewEvent::default()
        };
        let write = self.space(space).db().clone();
        write.write(event, |event, tx| Box::pin(async move { tx.append(event.clone()).await.map(|_| ()) })).await.unwrap();
        incident.name
    }

    pub async fn draft(&self, space: SpaceId, incident: &str, to: &str, kind: NotificationKind, overrides: Content) -> NotificationRecord {
        let request = DraftNotificationRequest {
            request_id: new_id().to_string(),
            incident: incident.into(),
            partner_code: to.into(),
            kind: kind.into(),
            overrides: Some(overrides),
        };
        self.service.draft_notification(self.ask(space, request)).await.unwrap().into_inner().notification.unwrap()
    }

    pub async fn approve(&self, space: SpaceId, name: &str) -> NotificationRecord {
        let request = ApproveNotificationRequest { request_id: new_id().to_string(), name: name.into(), etag: String::new() };
        self.service.approve_notification(self.ask(space, request)).await.unwrap().into_inner().notification.unwrap()
    }

    /// Drafts and approves a warning; its name.
    pub async fn warn(&self, space: SpaceId, incident: &str, to: &str, subject: &str) -> String {
        let overrides = Content { subject: subject.into(), ..Default::default() };
        let draft = self.draft(space, incident, to, NotificationKind::Warning, overrides).await;
        self.approve(space, &draft.name).await.name
    }

    pub async fn acknowledge(&self, space: SpaceId, name: &str) -> NotificationRecord {
        let request = AcknowledgeNotificationRequest { request_id: new_id().to_string(), name: name.into(), remark: "收到".into() };
        self.service.acknowledge_notification(self.ask(space, request)).await.unwrap().into_inner().notification.unwrap()
    }

    pub async fn find(&self, space: SpaceId, name: &str) -> Option<NotificationRecord> {
        let request = GetNotificationRequest { name: name.into() };
        self.service.get_notification(self.ask(space, request)).await.ok().and_then(|found| found.into_inner().notification)
    }

    pub async fn until_state(&self, space: SpaceId, name: &str, state: NotificationState) -> NotificationRecord {
        until(&format!("{name} to be {state:?} at {}", self.code()), || async {
            self.find(space, name).await.filter(|found| found.state() == state)
        })
        .await
    }

    /// Waits for a link's state in the real space.
    pub async fn until_link(&self, other: &str, state: LinkState) -> Partner {
        until(&format!("the link to {other} to be {state:?}"), || async {
            let list = self.service.list_partners(self.ask(SpaceId::Real, ListPartnersRequest::default())).await.unwrap();
            let found = list.into_inner().partners.into_iter().find(|one| one.province_code == other && one.link_state() == state)?;
            // What the desk sees at once is written down a moment later: tests compare what is written.
            let word = format!("state\\\":\\\"{}", state.as_str_name().trim_start_matches("LINK_STATE_").to_lowercase());
            let name = format!("partners/{other}/link");
            let written = self.dump(SpaceId::Real).await.into_iter().any(|row| row.contains(&name) && row.contains(&word));
            written.then_some(found)
        })
        .await
    }

    /// A way to another node as the province that we are.
    pub fn channel_to(&self, other: &Node) -> PartnerServiceClient<PartnerChannel> {
        let endpoint = format!("https://{}", other.home.address);
        PartnerServiceClient::new(partner_channel(self.keys.clone(), self.trust.clone(), other.code(), &endpoint).unwrap())
    }

    /// Every row of the mailbox, of notification, of the log and of the timers.
    pub async fn dump(&self, space: SpaceId) -> Vec<String> {
        const TABLES: &[&str] = &[
            "SELECT * FROM mailbox_stream ORDER BY 1, 2",
            "SELECT * FROM mailbox_outbox ORDER BY 1, 2, 3",
            "SELECT * FROM mailbox_inbox ORDER BY 1, 2, 3",
            "SELECT * FROM mailbox_key ORDER BY 1, 2",
            "SELECT * FROM mailbox_chain_head ORDER BY 1, 2",
            "SELECT * FROM mailbox_link ORDER BY 1",
            "SELECT * FROM notification_notification ORDER BY 1",
            "SELECT * FROM notification_letter ORDER BY 1",
            "SELECT event_id, kind, subject, revision, payload FROM log_event ORDER BY event_id",
            "SELECT timer_id, kind, subject FROM timer_due ORDER BY 1",
        ];
        let open = self.space(space);
        let rows = open.db().read((), |(), tx| {
            Box::pin(async move {
                let mut lines = Vec::new();
                for sql in TABLES {
                    lines.push((*sql).to_owned());
                    lines.extend(tx.rows(sql, &[]).await?.iter().map(|row| format!("{row:?}")));
                }
                Ok(lines)
            })
        });
        rows.await.unwrap()
    }

    /// The chain, the records and the mailbox of a space hold.
    pub async fn assert_holds(&self, space: SpaceId) -> fenghuo_mailbox::verify::Checked {
        let open = self.space(space);
        until("the log to be in sequence", || async { open.activity().await.unwrap().pending.is_empty().then_some(()) }).await;
        let mut records = fenghuo_notification::RECORDS.to_vec();
        records.extend(fenghuo_mailbox::RECORDS);
        let found = fenghuo_durable::verify(open.db(), records).await.unwrap();
        assert_eq!(found.faults, Vec::<String>::new());
        let checked = fenghuo_mailbox::verify(open.db(), self.keys.clone(), self.trust.clone()).await.unwrap();
        assert_eq!(checked.faults, Vec::<String>::new());
        checked
    }

    pub async fn open_exercise(&self, id: SpaceId) {
        let clock = ClockSetting { number: 1, space_time: "2014-08-12T12:00:00Z".parse().unwrap(), rate: 0.0 };
        self.spaces.open_exercise(id, Some(clock)).await.unwrap();
    }
}

pub fn as_caller<T>(caller: Caller, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(caller);
    request
}

/// Hubei and Chongqing, enrolled with each other, links up.
pub async fn pair(on: On) -> Pair {
    let dir = tempfile::tempdir().unwrap();
    let hubei = Home::new(on, "420000", dir.path()).await.start().await;
    let chongqing = Home::new(on, "500000", dir.path()).await.start().await;
    hubei.enrol(&chongqing, PartnerMode::Push).await;
    chongqing.enrol(&hubei, PartnerMode::Push).await;
    hubei.until_link("500000", LinkState::Up).await;
    chongqing.until_link("420000", LinkState::Up).await;
    Pair { hubei, chongqing, dir }
}

impl Pair {
    pub async fn stop(self) {
        tokio::join!(self.hubei.stop(), self.chongqing.stop());
    }
}
