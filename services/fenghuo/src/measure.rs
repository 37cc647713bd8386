//! The gauges of a node: every queue and every partner, read every few seconds by one task. What each means: `deploy/telemetry.md`.

use std::sync::Arc;
use std::time::Duration;

use fenghuo_durable::db::Load;
use fenghuo_durable::measure::KeyValue;
use fenghuo_durable::queues::{Queues, Waiting};
use fenghuo_durable::{Result, Space, Spaces, Tx, wall};
use fenghuo_edge::telemetry::{Board, Gauge, Sample};
use fenghuo_mailbox::links::{LinkState, LinkStatus};
use fenghuo_mailbox::{self as mailbox, Links};
use tokio_util::sync::CancellationToken;

/// How often all is read.
const EVERY: Duration = Duration::from_secs(5);
/// A database that does not answer by then is left out of this reading.
const PATIENCE: Duration = Duration::from_secs(4);

const fn gauge(name: &'static str, unit: &'static str, description: &'static str) -> Gauge {
    Gauge { name, unit, description, adds_up: false }
}

/// Every gauge.
const GAUGES: &[Gauge] = &[
    gauge("fenghuo.log.head", "{event}", "Last sequence number of the log"),
    gauge("fenghuo.log.unsequenced", "{event}", "Events without a sequence number"),
    gauge("fenghuo.log.unsequenced.age", "s", "Age of the oldest event without a sequence number"),
    gauge("fenghuo.consumer.lag", "{event}", "Events that a reader of the log has not read"),
    gauge("fenghuo.consumer.lag.age", "s", "Age of the oldest of them"),
    gauge("fenghuo.consumer.failures", "{failure}", "Failures of a reader in a row; 0 while it runs"),
    gauge("fenghuo.timer.overdue", "{timer}", "Timers that are due and have not fired"),
    gauge("fenghuo.timer.overdue.age", "s", "How long the first of them is overdue, in the space's time"),
    gauge("fenghuo.outbox.waiting", "{envelope}", "Envelopes that wait for a partner's receipt"),
    gauge("fenghuo.outbox.waiting.age", "s", "Age of the oldest of them"),
    gauge("fenghuo.db.write.waiting", "{write}", "Writes that wait for the SQLite writer"),
    Gauge { name: "db.client.connection.count", unit: "{connection}", description: "Connections of the PostgreSQL pool", adds_up: true },
    gauge("fenghuo.link.state", "1", "1 for the state in which the link to a partner is, 0 for the others"),
    gauge("fenghuo.link.contact.age", "s", "Time since the last contact with a partner"),
    gauge("fenghuo.link.clock.difference", "ms", "The partner's wall clock less ours"),
];

/// What is measured.
pub struct Measured {
    /// The spaces.
    pub spaces: Arc<Spaces>,
    /// The node's own.
    pub node: Arc<Space>,
    /// The partners.
    pub links: Arc<Links>,
}

/// Reads the gauges every few seconds until `stop`.
pub async fn run(measured: Measured, stop: CancellationToken) {
    let board = Board::new(GAUGES);
    loop {
        board.show(read(&measured).await);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn read(measured: &Measured) -> Vec<Sample> {
    let mut samples = of_space(&measured.node, "node", None).await;
    for space in measured.spaces.all() {
        samples.extend(of_space(&space, &space.id().to_string(), Some(&measured.links)).await);
    }
    samples
}

/// A space's samples; those of its database are left out if that does not answer.
async fn of_space(space: &Arc<Space>, name: &str, links: Option<&Links>) -> Vec<Sample> {
    let mut samples = Samples { space: name.to_owned(), taken: Vec::new() };
    samples.load(space.db().load(), name);
    let partners = links.map(|links| links.of(space.id())).unwrap_or_default();
    for (partner, status) in &partners {
        samples.link(partner, status);
    }
    match tokio::time::timeout(PATIENCE, queues_of(space, links.is_some())).await {
        Ok(Ok((queues, outbox))) => {
            samples.queues(&queues);
            for (partner, _) in &partners {
                let waiting = outbox.iter().find(|(of, _)| of == partner).map(|(_, waiting)| *waiting);
                let partner = KeyValue::new("fenghuo.partner.code", partner.clone());
                samples.waiting("fenghuo.outbox.waiting", "fenghuo.outbox.waiting.age", waiting.unwrap_or_default(), Some(partner));
            }
        }
        Ok(Err(error)) => tracing::debug!(error = &error as &dyn std::error::Error, "the queues of a space could not be read"),
        Err(_) => tracing::debug!("the queues of a space could not be read in time"),
    }
    samples.taken
}

type Outbox = Vec<(String, Waiting)>;

async fn queues_of(space: &Space, with_mail: bool) -> Result<(Queues, Outbox)> {
    let read = space.db().read(with_mail, |with_mail, tx: &mut Tx| {
        Box::pin(async move {
            let queues = tx.queues().await?;
            let outbox = if *with_mail { mailbox::queues::outbox(tx).await? } else { Vec::new() };
            Ok((queues, outbox))
        })
    });
    read.await
}

struct Samples {
    space: String,
    taken: Vec<Sample>,
}

impl Samples {
    fn add(&mut self, name: &'static str, value: f64, more: impl IntoIterator<Item = KeyValue>) {
        let mut attributes = vec![KeyValue::new("fenghuo.space", self.space.clone())];
        attributes.extend(more);
        self.taken.push(Sample { name, value, attributes });
    }

    fn waiting(&mut self, count: &'static str, age: &'static str, waiting: Waiting, of: Option<KeyValue>) {
        self.add(count, waiting.count as f64, of.clone());
        self.add(age, waiting.age_s, of);
    }

    fn queues(&mut self, queues: &Queues) {
        self.add("fenghuo.log.head", queues.head as f64, None);
        self.waiting("fenghuo.log.unsequenced", "fenghuo.log.unsequenced.age", queues.unsequenced, None);
        for lag in &queues.consumers {
            let of = KeyValue::new("fenghuo.consumer", lag.consumer.clone());
            self.waiting("fenghuo.consumer.lag", "fenghuo.consumer.lag.age", lag.waiting, Some(of.clone()));
            self.add("fenghuo.consumer.failures", lag.failures as f64, [of]);
        }
        self.waiting("fenghuo.timer.overdue", "fenghuo.timer.overdue.age", queues.timers_overdue, None);
    }

    fn load(&mut self, load: Load, pool: &str) {
        match load {
            Load::Sqlite { writes_waiting } => self.add("fenghuo.db.write.waiting", writes_waiting as f64, None),
            Load::Postgres { used, idle } => {
                for (state, count) in [("used", used), ("idle", idle)] {
                    let of = [
                        KeyValue::new("db.client.connection.pool.name", pool.to_owned()),
                        KeyValue::new("db.client.connection.state", state),
                    ];
                    self.add("db.client.connection.count", count as f64, of);
                }
            }
        }
    }

    fn link(&mut self, partner: &str, status: &LinkStatus) {
        let of = KeyValue::new("fenghuo.partner.code", partner.to_owned());
        for state in [LinkState::Unknown, LinkState::Up, LinkState::Down, LinkState::Diverged] {
            let named = KeyValue::new("fenghuo.link.state", state.as_str());
            self.add("fenghuo.link.state", f64::from(u8::from(status.state == state)), [of.clone(), named]);
        }
        if let Some(last) = status.last_contact {
            self.add("fenghuo.link.contact.age", wall::now().duration_since(last).as_secs_f64().max(0.0), [of.clone()]);
        }
        if let Some(ms) = status.clock_difference_ms {
            self.add("fenghuo.link.clock.difference", ms as f64, [of]);
        }
    }
}
