//! NATS JetStream as the yardstick: a file store that is flushed for every message, the same bytes.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use fenghuo_tests::reports::{report as fresh, submit};
use prost::Message as _;

use super::echo::baseline;
use crate::args::Args;
use crate::drive::{CONNECTIONS, closed};
use crate::figure::Report;

/// Measures it, where there is a server.
pub async fn run(args: &Args, report: &mut Report) {
    let Some(binary) = &args.nats_server else { return println!("  left out: no --nats-server") };
    let dir = args.folder();
    let server = Server::start(binary, dir.path());
    let mut contexts = Vec::new();
    for _ in 0..CONNECTIONS {
        contexts.push(jetstream::new(server.connect().await));
    }
    let config = jetstream::stream::Config { name: "reports".into(), subjects: vec!["reports".into()], ..Default::default() };
    let stream = contexts[0].create_stream(config).await.unwrap();
    let (contexts, acked) = (Arc::new(contexts), Arc::new(std::sync::atomic::AtomicU64::new(0)));
    let counting = acked.clone();
    let publish = move |connection: usize| {
        let (context, acked) = (contexts[connection].clone(), counting.clone());
        async move {
            let body = submit(fresh("422822")).encode_to_vec();
            let sent = context.publish("reports", body.into()).await.map_err(|error| error.to_string())?;
            sent.await.map_err(|error| error.to_string())?;
            acked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok(())
        }
    };
    for in_flight in &args.in_flight {
        let what = "JetStream publish, sync_interval always";
        report.rate(what, *in_flight, &closed(args, *in_flight, publish.clone()).await, baseline(*in_flight));
    }
    let (stored, acked) = (stream.get_info().await.unwrap().state.messages, acked.load(std::sync::atomic::Ordering::Relaxed));
    assert_eq!(stored, acked, "messages stored, and acknowledged");
    println!("  counted afterwards: {stored} messages, as many as were acknowledged");
}

struct Server {
    port: u16,
    child: Child,
}

impl Server {
    fn start(binary: &Path, dir: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let store = dir.display();
        let config = format!("listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{store}/js\", sync_interval: always }}\n");
        std::fs::write(dir.join("nats.conf"), config).unwrap();
        let log = std::fs::File::create(dir.join("nats.log")).unwrap();
        let child = Command::new(binary).arg("-c").arg(dir.join("nats.conf")).stderr(log).stdout(Stdio::null()).spawn().unwrap();
        Self { port, child }
    }

    async fn connect(&self) -> async_nats::Client {
        for _ in 0..100 {
            if let Ok(client) = async_nats::connect(format!("127.0.0.1:{}", self.port)).await {
                return client;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("nats-server did not start on port {}", self.port);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
