//! A running node, its clients, and records of a made-up service.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fenghuo_api::audit::v1::audit_service_client::AuditServiceClient;
use fenghuo_api::exercise::v1::exercise_service_client::ExerciseServiceClient;
use fenghuo_api::identity::v1::people_service_client::PeopleServiceClient;
use fenghuo_api::identity::v1::session_service_client::SessionServiceClient;
use fenghuo_api::identity::v1::*;
use fenghuo_api::time::to_proto;
use fenghuo_durable::testing::{Fresh, On, postgres_admin_url};
use fenghuo_durable::*;
use fenghuo_edge::{ClientSession, Console, ConsoleListener, ProvinceKeys, RemoteError, console_channel, from_status};
use fenghuo_node::{Parts, Service, fit_node};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

pub(crate) type Signed = InterceptedService<Channel, ClientSession>;

pub(crate) const PROVINCE: &str = "420000";
pub(crate) const PASSWORD: &str = "烽火戏诸侯一二三四五";

const THINGS: &[Migration] = &[Migration {
    service: "sample",
    version: 1,
    name: "things",
    sqlite: "CREATE TABLE sample_thing (name TEXT PRIMARY KEY, body TEXT NOT NULL);",
    postgres: "CREATE TABLE sample_thing (name TEXT PRIMARY KEY, body TEXT NOT NULL);",
}];

/// Where a node keeps its things; outlives the node.
pub(crate) struct Place {
    fresh: Fresh,
    locations: Locations,
    keys: Arc<ProvinceKeys>,
}

impl Place {
    pub(crate) async fn new(on: On) -> Self {
        let fresh = Fresh::new(on);
        let locations = match on {
            On::Sqlite => Locations::Sqlite(fresh.dir().join("spaces")),
            On::Postgres => {
                let (admin, base) = (postgres_admin_url(), format!("t_{}", &new_id().simple().to_string()[8..]));
                create_postgres_database(&admin, &base).await.unwrap();
                Locations::Postgres(format!("{}/{base}", admin.rsplit_once('/').unwrap().0))
            }
        };
        let keys = ProvinceKeys::load_or_create(&fresh.dir().join("keys"), PROVINCE, &[], wall::now()).unwrap();
        Self { fresh, locations, keys: Arc::new(keys) }
    }

    /// Starts the node; as after every start, exercises go on.
    pub(crate) async fn start(&self) -> Node {
        assert!(self.fresh.dir().is_dir());
        let (mut node_fittings, mut fittings) = (Fittings::default(), Fittings::default());
        fit_node(&mut node_fittings);
        fittings.migrations.push(THINGS);
        let own = Space::open(SpaceId::Real, &self.locations.node().await.unwrap(), None, node_fittings).await.unwrap();
        let spaces = Spaces::open(self.locations.clone(), fittings).await.unwrap();
        let busy = Arc::new(AtomicBool::new(false));
        let waiting = busy.clone();
        let service = Service::new(Parts {
            node: own.clone(),
            spaces: spaces.clone(),
            province_code: PROVINCE.into(),
            display_name: "湖北省".into(),
            display_name_en: "Hubei".into(),
            records: vec!["SELECT name, body FROM sample_thing ORDER BY name"],
            node_records: vec![],
            pending: vec![Arc::new(move |space: Arc<Space>| {
                let waits = waiting.load(Ordering::SeqCst).then(|| format!("1 envelope of {} waits", space.id()));
                Box::pin(async move { Ok(Vec::from_iter(waits)) })
            })],
            verifiers: vec![Arc::new(|_| Box::pin(async { Ok(Verification { receipts: 7, ..Verification::default() }) }))],
            operation: fenghuo_node::OperationParts::default(),
        });
        service.resume_exercises().await.unwrap();
        let listener = ConsoleListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let (url, stop) = (listener.url(), CancellationToken::new());
        let mut routes = RoutesBuilder::default();
        service.add_routes(&mut routes);
        let console = Console {
            routes: routes.routes(),
            static_files: axum::Router::new(),
            sessions: Arc::new(service.clone()),
            keys: self.keys.clone(),
        };
        let stopped = stop.clone();
        let task = tokio::spawn(async move { listener.serve(console, stopped).await.unwrap() });
        Node { url, stop, task, service, spaces, own, busy }
    }
}

/// A running node.
pub(crate) struct Node {
    url: String,
    stop: CancellationToken,
    task: JoinHandle<()>,
    pub(crate) service: Service,
    pub(crate) spaces: Arc<Spaces>,
    pub(crate) own: Arc<Space>,
    /// An envelope waits in every space.
    pub(crate) busy: Arc<AtomicBool>,
}

/// Role and jurisdiction of a grant in force from now on.
pub(crate) fn grant(role: Role, jurisdiction: &str) -> Grant {
    let start_time = Some(to_proto(wall::now()));
    Grant { role: role.into(), jurisdiction: jurisdiction.into(), start_time, end_time: None }
}

pub(crate) fn id() -> String {
    new_id().to_string()
}

pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, tonic::Status>) -> RemoteError {
    from_status(&answer.unwrap_err())
}

pub(crate) fn fields(error: &RemoteError) -> Vec<&str> {
    error.violations.iter().map(|violation| violation.field.as_str()).collect()
}

impl Node {
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
        self.spaces.stop().await;
        self.own.stop().await;
    }

    fn channel(&self, token: &str, space: SpaceId) -> Signed {
        let session = match token {
            "" => ClientSession::anonymous(),
            token => ClientSession::anonymous().with_token(token).unwrap(),
        };
        InterceptedService::new(console_channel(&self.url, None).unwrap(), session.in_space(space).unwrap())
    }

    pub(crate) fn session(&self, token: &str) -> SessionServiceClient<Signed> {
        SessionServiceClient::new(self.channel(token, SpaceId::Real))
    }

    pub(crate) fn people(&self, token: &str) -> PeopleServiceClient<Signed> {
        PeopleServiceClient::new(self.channel(token, SpaceId::Real))
    }

    pub(crate) fn exercises(&self, token: &str) -> ExerciseServiceClient<Signed> {
        ExerciseServiceClient::new(self.channel(token, SpaceId::Real))
    }

    pub(crate) fn audit(&self, token: &str, space: SpaceId) -> AuditServiceClient<Signed> {
        AuditServiceClient::new(self.channel(token, space))
    }

    /// Redeems the setup link: the administrator's token and person.
    pub(crate) async fn administrator(&self) -> (String, Person) {
        let setup_token = self.service.ensure_setup().await.unwrap().unwrap();
        let request =
            RedeemSetupLinkRequest { setup_token, user_name: String::new(), display_name: "管理员".into(), password: PASSWORD.into() };
        let answer = self.session("").redeem_setup_link(request).await.unwrap().into_inner();
        (answer.session_token, answer.person.unwrap())
    }

    /// Adds a person who then signs in: the token and the person.
    pub(crate) async fn person(&self, administrator: &str, user_name: &str, grants: Vec<Grant>) -> (String, Person) {
        let person = Person {
            user_name: user_name.into(),
            display_name: format!("{user_name}某"),
            post: "值班员".into(),
            grants,
            active: true,
            ..Person::default()
        };
        let request = CreatePersonRequest { request_id: id(), person: Some(person), password: PASSWORD.into() };
        let person = self.people(administrator).create_person(request).await.unwrap().into_inner().person.unwrap();
        (self.sign_in(user_name, PASSWORD).await.unwrap().session_token, person)
    }

    pub(crate) async fn sign_in(&self, user_name: &str, password: &str) -> Result<SignInResponse, tonic::Status> {
        let request = SignInRequest { user_name: user_name.into(), password: password.into() };
        self.session("").sign_in(request).await.map(tonic::Response::into_inner)
    }
}

/// Changes a database behind the program's back.
pub(crate) async fn tamper(db: &Db, sql: &'static str) -> u64 {
    db.write(sql, |sql, tx| Box::pin(async move { tx.execute(sql, &[]).await })).await.unwrap()
}

/// Writes a made-up record of this administrative code, with its event.
pub(crate) async fn write_thing(db: &Db, name: &str, admin_code: &str) -> Result<()> {
    let context = (name.to_owned(), admin_code.to_owned());
    db.write(context, |(name, admin_code), tx| {
        Box::pin(async move {
            let revision = tx.events_of(name, 1000).await?.len() as u64 + 1;
            let body = format!("{{\"n\":{revision}}}");
            let sql = "INSERT INTO sample_thing (name, body) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET body = excluded.body";
            tx.execute_one(sql, params![name, &body]).await?;
            tx.append(NewEvent {
                service: "sample",
                kind: "thing.changed",
                subject: name.clone(),
                revision,
                admin_code: admin_code.clone(),
                actor: "test".into(),
                payload: "{}".into(),
                record: body.into_bytes(),
                ..NewEvent::default()
            })
            .await?;
            Ok(())
        })
    })
    .await
}
