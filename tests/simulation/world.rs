//! One simulated world: nodes, tasks, messages and time. Everything that happens is drawn from one seed.

mod life;
mod people;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;
use std::task::{Context, Waker};

use fenghuo_durable::SpaceId;
use fenghuo_mailbox::core::{Exchange, Failure, Post, serve};
use fenghuo_mailbox::machine;
use futures::future::BoxFuture;
use parking_lot::Mutex;

use crate::keys::{Folder, SimTrust, public_key};
use crate::ledger::{Disk, MemStore, Tables};
use crate::net::{Answer, Request, Response, SimLine, answer_text};
use crate::plan::{Action, Plan};
use crate::shared::{Begun, Counts, Hub, Mutation, Odds, Shared, Truth};

type Traffic = Exchange<MemStore, SimLine>;

/// What a future of the world gives when it is done.
enum Done {
    /// An exchange of a worker.
    Exchanged(Box<Traffic>, Result<(), Failure>),
    /// An answer to a call.
    Served(u64, Answer),
    /// The node is ready to serve.
    Started,
    /// The node could not start, and ends.
    Broken,
    /// The key of the node was rotated, or not for now.
    Rotated,
    /// A new epoch was decided on.
    Decided,
    /// Something of the desk.
    Desk(&'static str, fenghuo_durable::Result<()>),
}

struct Task {
    node: usize,
    /// The node whose call is served, if it is one.
    of: Option<usize>,
    /// Waits for an answer from the network.
    blocked: bool,
    future: BoxFuture<'static, Done>,
}

enum Event {
    Arrive {
        call: u64,
        from: usize,
        to: usize,
        space: SpaceId,
        request: Request,
    },
    Answer {
        call: u64,
        answer: Answer,
    },
    Wake {
        node: usize,
        partner: usize,
        space: SpaceId,
    },
    Restart {
        node: usize,
    },
    Act(Action),
    Mend {
        one: usize,
        other: usize,
    },
    Heal,
    /// An operator looks at what is still stopped.
    Look,
}

struct Worker {
    traffic: Option<Box<Traffic>>,
    running: bool,
    failures: u32,
}

pub struct Node {
    pub code: String,
    pub disk: Arc<Mutex<Disk>>,
    folder: Arc<Mutex<Folder>>,
    pub trust: Arc<SimTrust>,
    snapshots: Vec<BTreeMap<SpaceId, Arc<Tables>>>,
    up: bool,
    /// It is being restored until then.
    down_until_ms: u64,
    /// An older copy was put back, and it has not started since.
    put_back: bool,
    serving: bool,
    posts: BTreeMap<SpaceId, Post<MemStore>>,
    workers: BTreeMap<(usize, SpaceId), Worker>,
}

pub struct World {
    pub hub: Hub,
    pub plan: Plan,
    pub nodes: Vec<Node>,
    tasks: Vec<Task>,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    events: HashMap<u64, Event>,
    next_event: u64,
    open_calls: HashMap<u64, usize>,
    serving_calls: HashMap<u64, (usize, usize)>,
    cut: Vec<(usize, usize)>,
    pub healed: bool,
    /// Restored, and nobody said so.
    pub unmarked: BTreeSet<usize>,
    /// Streams that an administrator began anew: from, to, space.
    pub decided: BTreeSet<(usize, usize, SpaceId)>,
    /// Streams whose exchange has said, since somebody looked, that the two sides differ in what `from` sent.
    diverged: BTreeSet<(usize, usize, SpaceId)>,
    /// Streams begun anew of which the partner said that another key must sign, and which.
    retired: BTreeMap<(usize, usize, SpaceId), String>,
}

/// A caller waits so long for an answer.
const TIMEOUT_MS: u64 = 1500;
/// After the network has healed, everything must be delivered within this time.
pub const PATIENCE_MS: u64 = 60_000;

impl World {
    pub fn new(plan: Plan, seed: u64, mutation: Option<Mutation>, trace: bool) -> Self {
        let shared = Shared {
            rng: fastrand::Rng::with_seed(seed ^ 0x5eed_0001),
            now_ms: 0,
            odds: plan.odds,
            mutation,
            yielded: false,
            crashed: false,
            begun: Vec::new(),
            answers: HashMap::new(),
            next_call: 0,
            next_id: 0,
            truth: Truth::default(),
            counts: Counts::default(),
            violations: Vec::new(),
            trace: trace.then(Vec::new),
        };
        let hub: Hub = Arc::new(Mutex::new(shared));
        let nodes = (0..plan.nodes).map(Node::new).collect();
        let mut world = Self {
            hub,
            nodes,
            tasks: Vec::new(),
            queue: BinaryHeap::new(),
            events: HashMap::new(),
            next_event: 0,
            open_calls: HashMap::new(),
            serving_calls: HashMap::new(),
            cut: Vec::new(),
            healed: false,
            unmarked: BTreeSet::new(),
            decided: BTreeSet::new(),
            diverged: BTreeSet::new(),
            retired: BTreeMap::new(),
            plan,
        };
        for node in 0..world.nodes.len() {
            world.schedule(0, Event::Restart { node });
        }
        for (at_ms, action) in world.plan.actions.clone() {
            world.schedule(at_ms, Event::Act(action));
        }
        world.schedule(world.plan.heal_ms, Event::Heal);
        world
    }

    /// Runs to the end: until everything is delivered after the healing, or something is wrong.
    pub fn run(&mut self) {
        let mut looked = 0;
        loop {
            if !self.hub.lock().violations.is_empty() {
                return;
            }
            let now = self.hub.lock().now_ms;
            if self.healed && now >= looked {
                looked = now + 200;
                if crate::check::delivered(self).is_ok() {
                    return;
                }
                if now > self.plan.heal_ms + PATIENCE_MS {
                    return;
                }
            }
            self.step();
        }
    }

    fn schedule(&mut self, in_ms: u64, event: Event) {
        let at = self.hub.lock().now_ms + in_ms;
        self.next_event += 1;
        self.queue.push(Reverse((at, self.next_event)));
        self.events.insert(self.next_event, event);
    }

    fn dice(&self, below: u64) -> u64 {
        self.hub.lock().rng.u64(0..below)
    }

    fn roll(&self, odds: impl Fn(&Odds) -> u32) -> bool {
        let mut shared = self.hub.lock();
        let odds = odds(&shared.odds);
        shared.roll(odds)
    }

    fn trace(&self, line: impl FnOnce() -> String) {
        self.hub.lock().trace(line);
    }

    /// One poll of one task, or the next event.
    fn step(&mut self) {
        let now = self.hub.lock().now_ms;
        let due = self.queue.peek().is_some_and(|Reverse((at, _))| *at <= now);
        let ready: Vec<usize> = (0..self.tasks.len()).filter(|index| !self.tasks[*index].blocked).collect();
        if ready.is_empty() || (due && self.dice(2) == 0) {
            let Some(Reverse((at, id))) = self.queue.pop() else { return };
            let mut shared = self.hub.lock();
            shared.now_ms = shared.now_ms.max(at);
            drop(shared);
            if let Some(event) = self.events.remove(&id) {
                self.happen(event);
            }
            return;
        }
        let index = ready[self.dice(ready.len() as u64) as usize];
        self.poll(index);
    }

    fn poll(&mut self, index: usize) {
        {
            let mut shared = self.hub.lock();
            shared.now_ms += u64::from(shared.rng.bool());
            (shared.yielded, shared.crashed) = (false, false);
        }
        let outcome = self.tasks[index].future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let (begun, yielded, crashed) = {
            let mut shared = self.hub.lock();
            (std::mem::take(&mut shared.begun), shared.yielded, shared.crashed)
        };
        let node = self.tasks[index].node;
        for call in begun {
            self.open_calls.insert(call.call, index);
            self.send(call);
        }
        let polled = match outcome {
            std::task::Poll::Ready(done) => {
                self.remove(index);
                Some(done)
            }
            std::task::Poll::Pending => {
                self.tasks[index].blocked = !yielded;
                None
            }
        };
        // A crash between any two outputs: what was sent is sent, what was committed is committed.
        if crashed || (self.nodes[node].up && self.roll(|odds| odds.crash)) {
            self.crash(node);
            return;
        }
        if let Some(done) = polled {
            self.finish(node, done);
        }
    }

    fn remove(&mut self, index: usize) {
        let last = self.tasks.len() - 1;
        self.tasks.swap_remove(index);
        self.open_calls.retain(|_, task| *task != index);
        for task in self.open_calls.values_mut().filter(|task| **task == last) {
            *task = index;
        }
    }

    fn spawn(&mut self, node: usize, of: Option<usize>, future: BoxFuture<'static, Done>) {
        self.tasks.push(Task { node, of, blocked: false, future });
    }

    // --- the network ---

    fn is_cut(&self, one: usize, other: usize) -> bool {
        self.cut.contains(&(one.min(other), one.max(other)))
    }

    fn delay(&self) -> u64 {
        if self.roll(|odds| odds.late) { 1 + self.dice(4000) } else { 1 + self.dice(30) }
    }

    fn send(&mut self, begun: Begun) {
        let Begun { call, from, to, space, request } = begun;
        self.trace(|| format!("call {call}: {from} -> {to} {space} {}", request.text()));
        self.hub.lock().counts.messages += 1;
        self.schedule(TIMEOUT_MS, Event::Answer { call, answer: Err(Failure::Other("no answer".to_owned())) });
        if self.is_cut(from, to) || self.roll(|odds| odds.loss) {
            self.hub.lock().counts.lost += 1;
            return;
        }
        if self.roll(|odds| odds.repeat) {
            self.hub.lock().counts.repeated += 1;
            let delay = self.delay();
            self.schedule(delay, Event::Arrive { call, from, to, space, request: request.clone() });
        }
        let delay = self.delay();
        self.schedule(delay, Event::Arrive { call, from, to, space, request });
    }

    fn arrive(&mut self, call: u64, from: usize, to: usize, space: SpaceId, request: Request) {
        let Some(post) = self.nodes[to].posts.get(&space).filter(|_| self.nodes[to].serving).cloned() else {
            self.schedule(1, Event::Answer { call, answer: Err(Failure::Other("connection refused".to_owned())) });
            return;
        };
        let partner = self.nodes[from].code.clone();
        self.serving_calls.insert(call, (from, to));
        self.spawn(to, Some(from), Box::pin(async move { Done::Served(call, answer(&post, &partner, request).await) }));
    }

    fn served(&mut self, call: u64, answer: Answer) {
        let Some((from, to)) = self.serving_calls.get(&call).copied() else { return };
        self.trace(|| format!("call {call}: answered {}", answer_text(&answer)));
        self.hub.lock().counts.messages += 1;
        if self.is_cut(from, to) || self.roll(|odds| odds.loss) {
            self.hub.lock().counts.lost += 1;
            return;
        }
        let delay = self.delay();
        self.schedule(delay, Event::Answer { call, answer });
    }

    // --- what happens ---

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive { call, from, to, space, request } => self.arrive(call, from, to, space, request),
            Event::Answer { call, answer } => {
                if let Some(task) = self.open_calls.remove(&call) {
                    self.hub.lock().answers.insert(call, answer);
                    self.tasks[task].blocked = false;
                }
            }
            Event::Wake { node, partner, space } => self.wake(node, partner, space),
            Event::Restart { node } => self.restart(node),
            Event::Look => self.look(),
            Event::Act(action) => self.act(action),
            Event::Mend { one, other } => self.cut.retain(|cut| *cut != (one, other)),
            Event::Heal => {
                self.healed = true;
                self.cut.clear();
                self.hub.lock().odds = Odds::default();
                self.trace(|| "the network heals, and nothing crashes any more".to_owned());
                self.schedule(3000, Event::Look);
            }
        }
    }

    fn finish(&mut self, node: usize, done: Done) {
        match done {
            Done::Exchanged(mut traffic, outcome) => {
                let (partner, space) = (traffic.line.to, traffic.line.space);
                if let Err(failure) = &outcome {
                    self.trace(|| format!("exchange {node} -> {partner} {space} failed: {failure:?}"));
                    traffic.reset();
                    crate::check::at_failure(self, failure);
                    if self.healed && matches!(failure, Failure::Diverged(_)) {
                        self.note_diverged(node, partner, space);
                    }
                    if self.healed
                        && let Failure::Other(text) = failure
                    {
                        self.note_retired(node, partner, space, text);
                    }
                }
                let Some(worker) = self.nodes[node].workers.get_mut(&(partner, space)) else { return };
                worker.running = false;
                worker.traffic = Some(traffic);
                worker.failures = if outcome.is_ok() { 0 } else { worker.failures + 1 };
                let wait = match worker.failures {
                    0 => 300,
                    failures => machine::back_off(failures).as_millis() as u64,
                };
                let spread = self.dice(50);
                self.schedule(wait + spread, Event::Wake { node, partner, space });
            }
            Done::Served(call, answer) => self.served(call, answer),
            Done::Started => self.serve(node),
            Done::Broken => self.crash(node),
            Done::Decided => self.trace(|| format!("{node}: a new epoch by decision")),
            Done::Rotated => self.trace(|| format!("{node}: rotation ended")),
            Done::Desk(what, outcome) => self.trace(|| format!("{node}: {what}: {outcome:?}")),
        }
    }

    fn wake(&mut self, node: usize, partner: usize, space: SpaceId) {
        let Some(worker) = self.nodes[node].workers.get_mut(&(partner, space)) else { return };
        let Some(mut traffic) = worker.traffic.take() else { return };
        worker.running = true;
        let run = async move {
            let outcome = traffic.run().await;
            Done::Exchanged(traffic, outcome)
        };
        self.spawn(node, None, Box::pin(run));
    }
}

impl Node {
    fn new(index: usize) -> Self {
        let code = format!("{}0000", 11 + index);
        let folder = Folder { keys: vec![public_key(&code, 0)], next: None };
        Self {
            code,
            disk: Arc::default(),
            folder: Arc::new(Mutex::new(folder)),
            trust: Arc::default(),
            snapshots: Vec::new(),
            up: false,
            down_until_ms: 0,
            put_back: false,
            serving: false,
            posts: BTreeMap::new(),
            workers: BTreeMap::new(),
        }
    }

    pub fn is_serving(&self) -> bool {
        self.serving
    }
}

async fn answer(post: &Post<MemStore>, partner: &str, request: Request) -> Answer {
    let told = match request {
        Request::Open(request) => serve::open_stream(post, partner, request).await.map(Response::Open),
        Request::Deliver(request) => serve::deliver_envelopes(post, partner, request).await.map(Response::Deliver),
        Request::Fetch(request) => serve::fetch_envelopes(post, partner, request).await.map(Response::Fetch),
        Request::Return(request) => serve::return_receipts(post, partner, request).await.map(Response::Return),
        Request::FetchOwn(request) => serve::fetch_own_envelopes(post, partner, request).await.map(Response::FetchOwn),
    };
    told.map_err(|error| match Failure::from(error) {
        Failure::Ours(text) => Failure::Other(text),
        failure => failure,
    })
}
