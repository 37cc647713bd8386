//! The composition root: what a node is made of, in the order in which it starts and stops. Wiring only.

use std::sync::Arc;

use crate::served::{Served, Service};
use fenghuo_durable::{
    Fittings, FolderLock, Hold, Locations, Result, Space, SpaceId, Spaces, Verification, lock_folder, wall, watch_clock,
};
use fenghuo_edge::{Console, ConsoleListener, NodeConfig, PartnerListener, PartnerTrust, ProvinceKeys, Sharing};
use fenghuo_incident_intake as intake;
use fenghuo_mailbox::links::LinkState;
use fenghuo_mailbox::{self as mailbox, Links, Mailbox};
use fenghuo_node as node;
use fenghuo_notification::{self as notification, Directory};
use fenghuo_outward::{Outward, Parts as OutwardParts, Server, StreamLimits};
use tokio_util::sync::CancellationToken;
use tonic::service::{Routes, RoutesBuilder};

use crate::conditions;

use crate::measure::Measured;

/// Where a started node is.
#[derive(Debug, Clone)]
pub struct Ready {
    /// Six-digit code.
    pub province_code: String,
    /// Name in Chinese.
    pub display_name: String,
    /// Address of the console.
    pub console_url: String,
    /// Address for partners, as they are told.
    pub partner_url: String,
    /// Token of the one-time link, until the administrator's password is set.
    pub setup_token: Option<String>,
}

/// A node with its databases open and its ports bound, not serving yet.
pub struct Node {
    ready: Ready,
    keys: Arc<ProvinceKeys>,
    trust: Arc<PartnerTrust>,
    spaces: Arc<Spaces>,
    node_space: Arc<Space>,
    intake: intake::Service,
    notification: notification::Service,
    node: node::Service,
    mailbox: Mailbox,
    outward: Option<Outward>,
    console: ConsoleListener,
    /// Where notification is served.
    partners: Option<PartnerListener>,
    served: Served,
    // Held until the databases are closed.
    _lock: FolderLock,
}

/// What every space has, of every service. What this process does not serve has its tables all the same.
pub fn space_fittings(province_code: &str, served: &Served) -> Fittings {
    let mut fittings = Fittings::default();
    let (mut mail, mut reports, mut notices) = (Fittings::default(), Fittings::default(), Fittings::default());
    mailbox::fit(&mut mail);
    intake::fit(&mut reports, province_code);
    notification::fit(&mut notices);
    fittings.add(mail, served.has(Service::Notification));
    fittings.add(reports, served.has(Service::IncidentIntake));
    fittings.add(notices, served.has(Service::Notification));
    fittings
}

/// What the node's own database has.
pub fn node_fittings() -> Fittings {
    let mut fittings = Fittings::default();
    node::fit_node(&mut fittings);
    notification::fit_node(&mut fittings);
    fittings
}

impl Node {
    /// Opens keys and databases and binds the ports.
    pub async fn open(config: NodeConfig) -> Result<Self> {
        let served = Served::of(&config.only)?;
        let lock = lock_folder(&config.data_dir)?;
        crate::backup::restore::refuse_unfinished(&config.data_dir)?;
        let code = config.province_code.clone();
        let keys = Arc::new(ProvinceKeys::load_or_create(&config.keys_dir, &code, &config.certificate_hosts(), wall::now())?);
        let sharing = Sharing::with_replicas(config.shared_listen);
        let console = ConsoleListener::bind_among(config.console_listen, sharing)?.with_limits(config.limits.clone());
        let partners = match served.has(Service::Notification) {
            true => Some(PartnerListener::bind_among(config.partner_listen, sharing)?.with_limits(config.limits.clone())),
            false => None,
        };
        let endpoint = partners.as_ref().map(|listener| config.endpoint(listener.local_address())).unwrap_or_default();

        let locations = match &config.database_url {
            None => Locations::Sqlite(config.data_dir.join("spaces")),
            Some(url) => Locations::Postgres(url.expose().to_owned()),
        };
        let node_space = Space::open(SpaceId::Real, &locations.node().await?, None, node_fittings()).await?;
        let hold = Hold::default();
        let restored = mailbox::restored_flag(&config.data_dir).exists();
        // Before any space opens: its clockwork starts with it.
        hold.set(node::operation::quarantine::begin(&node_space, &code, restored).await?);
        let fittings = Fittings { hold: hold.clone(), sqlite_group_max: config.sqlite_group_max, ..space_fittings(&code, &served) };
        let spaces = Spaces::open(locations, fittings).await?;
        let trust = PartnerTrust::new();
        let directory = Directory::load(&node_space, trust.clone()).await?;
        let links = Links::new();

        let mail = notification::Mail { province_code: code.clone(), acknowledge_within_s: config.acknowledge_within_s };
        let mailbox = Mailbox::new(mailbox::Parts {
            spaces: spaces.clone(),
            keys: keys.clone(),
            trust: trust.clone(),
            inbox: Arc::new(mail),
            links: links.clone(),
            routes: directory.routes(),
        });
        let notification = notification::Service::new(notification::Needs {
            spaces: spaces.clone(),
            node: node_space.clone(),
            keys: keys.clone(),
            directory: directory.clone(),
            mailbox: mailbox.clone(),
            links: links.clone(),
            display_name: config.display_name.clone(),
            endpoint: endpoint.clone(),
            duty_telephone: config.duty_telephone.clone(),
            acknowledge_within_s: config.acknowledge_within_s,
        });
        let outward = outward(&config, &spaces)?;
        let operation = operation_parts(&config, &directory, &links, outward.as_ref(), hold);
        let parts = node_parts(&config, &spaces, &node_space, &keys, &trust, &directory, &links);
        let node = node::Service::new(node::Parts { operation, ..parts });
        node.resume_exercises().await?;
        mailbox.quarantine_if_restored(&config.data_dir).await?;
        let ready = Ready {
            province_code: code.clone(),
            display_name: config.display_name.clone(),
            console_url: console.url(),
            partner_url: endpoint,
            setup_token: if served.has(Service::Node) { node.ensure_setup().await? } else { None },
        };
        let intake = intake::Service::new(spaces.clone(), &code);
        Ok(Self {
            ready,
            keys,
            trust,
            spaces,
            node_space,
            intake,
            notification,
            node,
            mailbox,
            outward,
            console,
            partners,
            served,
            _lock: lock,
        })
    }

    /// Where it is.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// What its gauges are read from.
    pub fn measured(&self) -> Measured {
        Measured { spaces: self.spaces.clone(), node: self.node_space.clone(), links: self.mailbox.links().clone() }
    }

    /// Serves until `stop`; then drains, stops the mailbox, and closes the databases last.
    pub async fn serve(self, stop: CancellationToken) -> Result<()> {
        let exercises = self.node.follow_exercises();
        let console = Console {
            routes: self.routes(),
            static_files: if self.served.has(Service::Console) { fenghuo_console::router() } else { Default::default() },
            sessions: Arc::new(self.node.clone()),
            keys: self.keys.clone(),
        };
        let worker = self.served.has(Service::Notification).then(|| self.mailbox.start(stop.clone()));
        let watch = self.node.watch_over(stop.clone());
        let export = self.outward.map(|outward| outward.start(stop.clone()));
        let clock = tokio::spawn(watch_clock());
        // One listener that fails takes the other along: half a node would look like a whole one.
        let together = stop.clone();
        let (console, partners) = tokio::join!(
            ending(self.console.serve(console, stop.clone()), &together),
            ending(serve_partners(self.partners, partner_routes(&self.mailbox), self.keys, self.trust, stop.clone()), &together),
        );
        if let Some(worker) = worker {
            let _ = worker.await;
        }
        let _ = watch.await;
        if let Some(export) = export {
            let _ = export.await;
        }
        clock.abort();
        self.spaces.stop().await;
        self.node_space.stop().await;
        let _ = exercises.await;
        tracing::info!("stopped");
        console.and(partners)
    }

    /// The calls of the services that this process serves.
    fn routes(&self) -> Routes {
        let mut routes = RoutesBuilder::default();
        if self.served.has(Service::IncidentIntake) {
            self.intake.add_routes(&mut routes);
        }
        if self.served.has(Service::Notification) {
            self.notification.add_routes(&mut routes);
        }
        if self.served.has(Service::Node) {
            self.node.add_routes(&mut routes);
        }
        routes.routes()
    }
}

async fn ending(serving: impl Future<Output = Result<()>>, stop: &CancellationToken) -> Result<()> {
    let outcome = serving.await;
    stop.cancel();
    outcome
}

/// The export of the log to NATS, if the configuration names a server.
fn outward(config: &NodeConfig, spaces: &Arc<Spaces>) -> Result<Option<Outward>> {
    let Some(nats) = &config.nats else { return Ok(None) };
    let server = Server { url: nats.url.clone(), credentials_file: nats.credentials_file.clone(), ca_file: nats.ca_file.clone() };
    let limits = StreamLimits { max_bytes: nats.max_bytes, ..StreamLimits::default() };
    let (spaces, province_code) = (spaces.clone(), config.province_code.clone());
    Outward::new(OutwardParts { spaces, province_code, server, generation: nats.generation, limits }).map(Some)
}

/// Serves partners, or waits for the end where another process does.
async fn serve_partners(
    listener: Option<PartnerListener>,
    routes: Routes,
    keys: Arc<ProvinceKeys>,
    trust: Arc<PartnerTrust>,
    stop: CancellationToken,
) -> Result<()> {
    match listener {
        Some(listener) => listener.serve(routes, keys, trust, stop).await,
        None => {
            stop.cancelled().await;
            Ok(())
        }
    }
}

fn partner_routes(mailbox: &Mailbox) -> Routes {
    let mut routes = RoutesBuilder::default();
    mailbox.add_routes(&mut routes);
    routes.routes()
}

/// Who knows what may be wrong with this node.
fn operation_parts(
    config: &NodeConfig,
    directory: &Arc<Directory>,
    links: &Arc<Links>,
    outward: Option<&Outward>,
    hold: Hold,
) -> node::OperationParts {
    let mut sources = vec![("links", conditions::links(directory, links))];
    sources.extend(outward.map(|outward| ("export", conditions::export(outward.status()))));
    node::OperationParts {
        hold,
        data_dir: Some(config.data_dir.clone()),
        not_given_back: conditions::not_given_back(directory),
        sources,
        links: links.changes(),
        ..node::OperationParts::default()
    }
}

fn node_parts(
    config: &NodeConfig,
    spaces: &Arc<Spaces>,
    node_space: &Arc<Space>,
    keys: &Arc<ProvinceKeys>,
    trust: &Arc<PartnerTrust>,
    directory: &Arc<Directory>,
    links: &Arc<Links>,
) -> node::Parts {
    let (keys, trust, directory, links) = (keys.clone(), trust.clone(), directory.clone(), links.clone());
    node::Parts {
        spaces: spaces.clone(),
        node: node_space.clone(),
        province_code: config.province_code.clone(),
        display_name: config.display_name.clone(),
        display_name_en: config.display_name_en.clone(),
        node_records: notification::NODE_RECORDS.to_vec(),
        records: [intake::RECORDS, notification::RECORDS, mailbox::RECORDS].concat(),
        verifiers: vec![Arc::new(move |space: Arc<Space>| {
            let (keys, trust) = (keys.clone(), trust.clone());
            Box::pin(async move {
                let checked = mailbox::verify(space.db(), keys, trust).await?;
                Ok(Verification { receipts: checked.receipts, faults: checked.faults, ..Verification::default() })
            })
        })],
        pending: vec![Arc::new(move |space: Arc<Space>| Box::pin(undelivered(space, directory.clone(), links.clone())))],
        operation: node::OperationParts::default(),
    }
}

/// Envelopes that still wait for a partner that can be reached, in words.
async fn undelivered(space: Arc<Space>, directory: Arc<Directory>, links: Arc<Links>) -> Result<Vec<String>> {
    let mut waiting = Vec::new();
    let partners: Vec<String> = directory.routes().borrow().iter().map(|route| route.province_code.clone()).collect();
    for partner in partners {
        let count = space.db().read(partner.clone(), |partner, tx| Box::pin(mailbox::undelivered(tx, partner))).await?;
        let cut_off = matches!(links.status(space.id(), &partner).state, LinkState::Down | LinkState::Diverged);
        if count > 0 && !cut_off {
            waiting.push(format!("{count} envelopes wait for {partner}"));
        }
    }
    Ok(waiting)
}
