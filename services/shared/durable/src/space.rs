//! A space at work: one database, its log, its timers, its clock, and the tasks that drive them.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::{Clock, ClockSetting};
use crate::consumer::{self, Consumer};
use crate::db::{Db, Location};
use crate::error::{Code, Result};
use crate::migrate::{self, Migration};
use crate::space_id::SpaceId;
use crate::sqlite::raise;
use crate::standing::Standing;
use crate::timers::{self, TimerHandler};
use crate::tx::Tx;
use crate::{log, request};

/// How often everything looks by itself, besides being told. Hints may be lost; this may not.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The same where the hints of other replicas are heard: an idle node asks PostgreSQL a quarter as often.
const LOOK_EVERY_HEARING: Duration = Duration::from_secs(1);
/// How often old answers are forgotten.
const TIDY_EVERY: Duration = Duration::from_secs(3600);
/// Longest wait of a consumer that fails.
const CONSUMER_RETRY_MAX: Duration = Duration::from_secs(30);
/// Longest wait of a consumer whose database cannot be reached or has no space: it goes on within seconds when that is over.
const DATABASE_RETRY_MAX: Duration = Duration::from_secs(2);

/// What a space is made of: the tables, readers and timers of every service in it.
#[derive(Clone, Default)]
pub struct Fittings {
    /// Schemas, in the order in which they are applied.
    pub migrations: Vec<&'static [Migration]>,
    /// Readers of the log.
    pub consumers: Vec<Arc<dyn Consumer>>,
    /// Handlers of timers.
    pub timers: Vec<Arc<dyn TimerHandler>>,
    /// At most so many writes share one SQLite COMMIT, where a measurement wants that.
    pub sqlite_group_max: Option<usize>,
    /// While it is held, no timer fires. One for all spaces of a node.
    pub hold: crate::hold::Hold,
    /// Readers that another process of this node runs.
    pub consumers_elsewhere: Vec<&'static str>,
    /// Kinds of timers that another process of this node fires.
    pub timers_elsewhere: Vec<&'static str>,
}

impl Fittings {
    /// Adds what a service has. A service that another process of this node serves has only its tables here.
    pub fn add(&mut self, service: Fittings, here: bool) {
        self.migrations.extend(service.migrations);
        if here {
            self.consumers.extend(service.consumers);
            self.timers.extend(service.timers);
        } else {
            self.consumers_elsewhere.extend(service.consumers.iter().map(|consumer| consumer.name()));
            self.timers_elsewhere.extend(service.timers.iter().map(|timer| timer.kind()));
        }
    }
}

/// What is left to do at the present time of the space.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    /// In words; empty when the space is idle.
    pub pending: Vec<String>,
    /// When the next timer is due.
    pub next_due_at: Option<Timestamp>,
}

/// An open space. Its tasks run until [`Space::stop`].
pub struct Space {
    id: SpaceId,
    db: Arc<Db>,
    fittings: Fittings,
    stop: watch::Sender<bool>,
    tasks: parking_lot::Mutex<Vec<JoinHandle<()>>>,
}

impl std::fmt::Debug for Space {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Space({})", self.id)
    }
}

impl Space {
    /// Opens a space, brings its schema up to date and starts its tasks. `first_clock` is the clock of an exercise that is opened
    /// for the first time; a later setting found in the database wins.
    pub async fn open(id: SpaceId, location: &Location, first_clock: Option<ClockSetting>, fittings: Fittings) -> Result<Arc<Self>> {
        let space = Self::open_idle(id, location, first_clock, fittings).await?;
        space.start();
        Ok(space)
    }

    /// As [`Space::open`], without its tasks: nothing is sequenced, read or fired. For a node in quarantine, and for tests.
    pub async fn open_idle(id: SpaceId, location: &Location, first_clock: Option<ClockSetting>, fittings: Fittings) -> Result<Arc<Self>> {
        let clock = Arc::new(match id {
            SpaceId::Real => Clock::real(),
            // Number 0 gives way to what the database has, or to the first setting.
            SpaceId::Exercise(_) => Clock::exercise(ClockSetting { number: 0, space_time: Timestamp::MIN, rate: 0.0 }),
        });
        let db = Db::open_with(location, clock, fittings.sqlite_group_max).await?;
        migrate::migrate(&db, &fittings.migrations).await?;
        let space = Self { id, db, fittings, stop: watch::Sender::new(false), tasks: parking_lot::Mutex::default() };
        if id != SpaceId::Real {
            space.db.resume_clock(first_clock).await?;
        }
        Ok(Arc::new(space))
    }

    /// Starts the sequencer, the consumers and the timers.
    pub fn start(self: &Arc<Self>) {
        let mut tasks =
            vec![tokio::spawn(sequencer(self.clone())), tokio::spawn(clockwork(self.clone())), tokio::spawn(tidier(self.clone()))];
        if let Some(standing) = self.db.standing() {
            standing.start();
            tasks.push(tokio::spawn(hear(self.clone(), standing.head())));
        }
        for consumer in &self.fittings.consumers {
            tasks.push(tokio::spawn(reader(self.clone(), consumer.clone())));
        }
        self.tasks.lock().extend(tasks);
    }

    /// Its name.
    pub fn id(&self) -> SpaceId {
        self.id
    }

    /// Its database.
    pub fn db(&self) -> &Arc<Db> {
        &self.db
    }

    /// Its clock.
    pub fn clock(&self) -> &Arc<Clock> {
        self.db.clock()
    }

    /// The last sequence number; wakes when it grows. A hint: also look by yourself now and then.
    pub fn head(&self) -> watch::Receiver<u64> {
        self.db.head.subscribe()
    }

    /// Wakes when the space stops.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Puts a clock setting in force, here and for every replica, and keeps it.
    pub async fn set_clock(&self, setting: ClockSetting) -> Result<()> {
        self.db.set_clock(setting).await
    }

    /// What is left to do before the clock may jump.
    pub async fn activity(&self) -> Result<Activity> {
        let here = self.fittings.consumers.iter().map(|consumer| consumer.name());
        let names: Vec<&'static str> = here.chain(self.fittings.consumers_elsewhere.iter().copied()).collect();
        self.db.read(names, |names, tx| Box::pin(activity(tx, names))).await
    }

    /// Ends the tasks, finishes what is queued, closes the database.
    pub async fn stop(&self) {
        self.end_tasks().await;
        self.db.close().await;
    }

    /// Ends an exercise for good, for every replica: the clock stops, every write is refused, what is committed gets its numbers; the data
    /// stays readable. Each replica calls it.
    pub async fn end(&self) -> Result<()> {
        let ended = self.db.end_clock().await;
        self.end_tasks().await;
        self.db.freeze();
        ended.and(sequence_all(self).await)
    }

    fn look_every(&self) -> Duration {
        if self.db.standing().is_some_and(Standing::hears) { LOOK_EVERY_HEARING } else { LOOK_EVERY }
    }

    async fn end_tasks(&self) {
        self.stop.send_replace(true);
        let tasks = std::mem::take(&mut *self.tasks.lock());
        for task in tasks {
            let _ = task.await;
        }
    }
}

async fn activity(tx: &mut Tx, consumers: &[&'static str]) -> Result<Activity> {
    let mut pending = Vec::new();
    let unsequenced = tx.unsequenced().await?;
    if unsequenced > 0 {
        pending.push(format!("{unsequenced} events without a sequence number"));
    }
    let (head, _) = tx.log_head().await?;
    let states = tx.consumers().await?;
    for name in consumers {
        let state = states.iter().find(|state| state.consumer == *name);
        let seq = state.map_or(0, |state| state.seq);
        if seq < head {
            let why = state.map(|state| state.last_error.as_str()).unwrap_or_default();
            pending.push(format!("{name} has read {seq} of {head} events {why}"));
        }
    }
    let next_due_at = tx.next_timer().await?;
    if next_due_at.is_some_and(|due| due <= tx.now()) {
        pending.push("a timer is due".to_owned());
    }
    Ok(Activity { pending, next_due_at })
}

/// Waits for a hint, for the next look, or for the end; `false` at the end.
async fn pause(stop: &mut watch::Receiver<bool>, hint: impl Future<Output = ()>, at_most: Duration) -> bool {
    if *stop.borrow() {
        return false;
    }
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => false,
        () = hint => true,
        () = tokio::time::sleep(at_most) => true,
    }
}

/// On SQLite events have their numbers when they are committed; there it only finds what another process wrote to the file.
async fn sequencer(space: Arc<Space>) {
    let mut stop = space.stopping();
    loop {
        match sequence_all(&space).await {
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(space.id = %space.id, error = &error as &dyn std::error::Error, "events could not be sequenced; trying again")
            }
        }
        if !pause(&mut stop, space.db.logged.notified(), space.look_every()).await {
            return;
        }
    }
}

async fn sequence_all(space: &Space) -> Result<()> {
    while log::sequence(&space.db).await? > 0 {}
    let (head, _) = space.db.read((), |(), tx| Box::pin(tx.log_head())).await?;
    raise(&space.db.head, head);
    Ok(())
}

/// What other replicas number shows here at once.
async fn hear(space: Arc<Space>, mut head: watch::Receiver<u64>) {
    let mut stop = space.stopping();
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            told = head.changed() => if told.is_err() { return },
        }
        let told = *head.borrow_and_update();
        raise(&space.db.head, told);
    }
}

async fn reader(space: Arc<Space>, consumer: Arc<dyn Consumer>) {
    let (mut stop, mut head) = (space.stopping(), space.head());
    let (mut failures, mut retry_max) = (0_u32, CONSUMER_RETRY_MAX);
    loop {
        // After a failure go one by one, so that what comes before the bad event still takes effect.
        let most = (failures > 0).then_some(1);
        match consumer::advance(&space.db, consumer.clone(), most).await {
            Ok(0) => failures = 0,
            Ok(_) => {
                failures = 0;
                if *stop.borrow() {
                    return;
                }
                continue;
            }
            Err(error) => {
                failures += 1;
                retry_max = if error.code == Code::Unavailable { DATABASE_RETRY_MAX } else { CONSUMER_RETRY_MAX };
                tracing::warn!(space.id = %space.id, consumer = consumer.name(), failures, error = &error as &dyn std::error::Error, "a consumer of the log failed; it waits and tries the same event again");
                let _ = consumer::note_failure(&space.db, consumer.name(), error.to_string()).await;
            }
        }
        let wait = if failures == 0 { space.look_every() } else { (LOOK_EVERY * 2_u32.pow(failures.min(8))).min(retry_max) };
        let hint = async {
            if failures > 0 || head.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        if !pause(&mut stop, hint, wait).await {
            return;
        }
    }
}

async fn clockwork(space: Arc<Space>) {
    let (mut stop, mut head, mut settings) = (space.stopping(), space.head(), space.clock().changes());
    let hands = timers::Hands::new(space.fittings.timers.clone(), &space.fittings.timers_elsewhere);
    let mut in_vain = 0_u32;
    loop {
        if !space.fittings.hold.over(&mut stop).await {
            return;
        }
        match timers::fire_next(&space.db, hands.clone()).await {
            Ok(Some(_)) if !*stop.borrow() => {
                in_vain = 0;
                continue;
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(space.id = %space.id, error = &error as &dyn std::error::Error, "a timer failed; it is tried again")
            }
        }
        let next = space.db.read((), |(), tx| Box::pin(tx.next_timer())).await.ok().flatten();
        let wait = next.and_then(|due| space.clock().real_time_until(due)).unwrap_or(LOOK_EVERY_HEARING);
        // Due, and not ours to fire: another process has it, or it failed and waits. It may also have become due between the two looks.
        in_vain = if wait.is_zero() { in_vain + 1 } else { 0 };
        let wait = if in_vain > 1 { LOOK_EVERY } else { wait.clamp(Duration::from_millis(2), space.look_every()) };
        let hint = async {
            tokio::select! {
                _ = head.changed() => {}
                _ = settings.changed() => {}
            }
        };
        if !pause(&mut stop, hint, wait).await {
            return;
        }
    }
}

async fn tidier(space: Arc<Space>) {
    let mut stop = space.stopping();
    while pause(&mut stop, std::future::pending(), TIDY_EVERY).await {
        if let Err(error) = request::forget_old(&space.db).await {
            tracing::warn!(space.id = %space.id, error = &error as &dyn std::error::Error, "old answers could not be forgotten");
        }
    }
}
