//! For tests: a real nats-server of their own, on a free port, its data in a folder of their own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use async_nats::jetstream::stream::Stream;
use tokio::net::TcpStream;

use crate::cloud_event::CloudEvent;
use crate::server::Server;

/// The program that `deploy/test` finds or installs.
pub fn nats_program() -> PathBuf {
    let path = std::env::var_os("FENGHUO_TEST_NATS_SERVER")
        .expect("FENGHUO_TEST_NATS_SERVER names the program nats-server, 2.10 or later; deploy/test installs it and sets this");
    PathBuf::from(path)
}

/// A server with JetStream. Dropped, it is killed.
#[derive(Debug)]
pub struct NatsServer {
    port: u16,
    dir: PathBuf,
    settings: String,
    child: Option<Child>,
}

impl NatsServer {
    /// Not started yet, but with its port.
    pub fn idle(dir: &Path) -> Self {
        // Held for a moment only: the server binds it next.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|held| held.local_addr()).expect("a free port").port();
        std::fs::create_dir_all(dir).expect("a folder for the server");
        Self { port, dir: dir.to_owned(), settings: String::new(), child: None }
    }

    /// Started with its defaults.
    pub async fn start(dir: &Path) -> Self {
        let mut server = Self::idle(dir);
        server.resume().await;
        server
    }

    /// With more lines of configuration, from the next start on.
    #[must_use]
    pub fn with(mut self, settings: &str) -> Self {
        self.settings = settings.to_owned();
        self
    }

    /// Starts it (again) on its port, with the data that it left.
    pub async fn resume(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let (config, port) = (self.dir.join("nats.conf"), self.port);
        let store = self.dir.join("store");
        let text = format!("host: 127.0.0.1\nport: {port}\njetstream {{ store_dir: {:?} }}\n{}\n", store, self.settings);
        std::fs::write(&config, text).expect("a configuration");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.dir.join("nats.log")).expect("a log");
        let mut command = Command::new(nats_program());
        command.arg("-c").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().expect("nats-server starts"));
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(Instant::now() < end, "nats-server did not start: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it can be killed");
            let _ = child.wait();
        }
    }

    /// Throws away everything that it had on disk. It must not run.
    pub fn lose_disk(&self) {
        assert!(self.child.is_none(), "it still runs");
        std::fs::remove_dir_all(self.dir.join("store")).expect("there was something on disk");
    }

    /// How it is reached.
    pub fn server(&self) -> Server {
        Server { url: self.url(), ..Server::default() }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("nats.log")).unwrap_or_default()
    }

    /// A stream, as the server tells; `None` if it is not there.
    pub async fn stream(&self, name: &str) -> Option<Stream> {
        let client = async_nats::connect(self.url()).await.expect("a connection");
        async_nats::jetstream::new(client).get_stream(name).await.ok()
    }

    /// Every message of a stream, read one by one by its number.
    pub async fn messages(&self, name: &str) -> Vec<CloudEvent> {
        let Some(stream) = self.stream(name).await else { return Vec::new() };
        let state = stream.cached_info().state.clone();
        let mut events = Vec::new();
        for seq in state.first_sequence.max(1)..=state.last_sequence {
            let message = stream.get_raw_message(seq).await.expect("a message");
            events.push(CloudEvent::from_message(Some(&message.headers), &message.payload).expect("an event"));
        }
        assert_eq!(events.len() as u64, state.messages, "the stream has holes");
        events
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The payload of an event with its snapshots as plain bytes behind it: what a reader who looks for a word would find.
pub fn plain(payload: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(payload).unwrap_or_default();
    let snapshots = ["incident", "notification"].into_iter().filter_map(|key| value.get(key)?.as_str());
    let bytes = snapshots.filter_map(|text| fenghuo_api::snapshot::to_bytes(text).ok());
    bytes.fold(payload.to_owned(), |all, bytes| all + &String::from_utf8_lossy(&bytes))
}
