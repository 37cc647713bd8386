//! Stands between a node and PostgreSQL and cuts connections at the worst instant: when COMMIT was sent and its answer is on the way, or just
//! before COMMIT arrives. Either way the caller cannot know.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The simple query `COMMIT` of PostgreSQL's protocol: its kind, its length, its text.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";
/// The server's answer to it.
const COMMITTED: &[u8] = b"C\0\0\0\x0bCOMMIT\0";

/// What it has done.
#[derive(Debug, Default)]
pub(crate) struct Cuts {
    /// COMMITs that took effect and whose answer was thrown away.
    pub(crate) after_commit: AtomicU64,
    /// COMMITs that never arrived.
    pub(crate) before_commit: AtomicU64,
}

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    /// The port on loopback at which it listens.
    pub(crate) port: u16,
    /// What it has done.
    pub(crate) cuts: Arc<Cuts>,
    chance: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens, and carries everything to this port. It cuts nothing until it is told to.
    pub(crate) async fn to(port: u16, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (cuts, chance) = (Arc::new(Cuts::default()), Arc::new(AtomicU64::new(0)));
        let wire = Wire { cuts: cuts.clone(), chance: chance.clone(), rng: Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))) };
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(wire.clone().carry(client, port));
            }
        });
        Self { port: own, cuts, chance, task }
    }

    /// From now on cuts at one of so many COMMITs; 0: at none.
    pub(crate) fn cut_one_of(&self, commits: u64) {
        self.chance.store(commits, Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Plan {
    Pass,
    CutBefore,
    CutAfter,
}

#[derive(Clone)]
struct Wire {
    cuts: Arc<Cuts>,
    chance: Arc<AtomicU64>,
    rng: Arc<Mutex<fastrand::Rng>>,
}

impl Wire {
    async fn carry(self, client: TcpStream, port: u16) {
        // No server: the client's connection ends at once, as it would without us.
        let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let swallow = Arc::new(Mutex::new(false));
        tokio::select! {
            () = self.requests(from_client, to_server, swallow.clone()) => {}
            () = self.answers(from_server, to_client, swallow) => {}
        }
    }

    fn plan(&self) -> Plan {
        let chance = self.chance.load(Ordering::Relaxed);
        let mut rng = self.rng.lock();
        match chance {
            0 => Plan::Pass,
            _ if rng.u64(0..chance) > 0 => Plan::Pass,
            _ if rng.bool() => Plan::CutBefore,
            _ => Plan::CutAfter,
        }
    }

    async fn requests(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, swallow: Arc<Mutex<bool>>) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let bytes = &buffer[..read];
            if bytes.ends_with(COMMIT) {
                match self.plan() {
                    Plan::Pass => {}
                    Plan::CutBefore => {
                        self.cuts.before_commit.fetch_add(1, Ordering::Relaxed);
                        return;
                    }
                    Plan::CutAfter => *swallow.lock() = true,
                }
            }
            if to.write_all(bytes).await.is_err() {
                return;
            }
        }
    }

    async fn answers(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, swallow: Arc<Mutex<bool>>) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let bytes = &buffer[..read];
            if *swallow.lock() && bytes.windows(COMMITTED.len()).any(|part| part == COMMITTED) {
                self.cuts.after_commit.fetch_add(1, Ordering::Relaxed);
                return;
            }
            if to.write_all(bytes).await.is_err() {
                return;
            }
        }
    }
}
