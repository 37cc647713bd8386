//! The line between the two nodes, with a switch in it: each node reaches the other through a forwarder of the runner, which a step can cut
//! and restore. TLS runs through it from end to end; the forwarder sees only bytes.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::DrillError;

/// A line in both directions.
#[derive(Debug)]
pub struct Line {
    whole: watch::Sender<bool>,
}

impl Line {
    /// A line that is whole.
    pub fn new() -> Self {
        Self { whole: watch::Sender::new(true) }
    }

    /// Breaks all connections and refuses new ones.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Lets connections through again.
    pub fn restore(&self) {
        self.whole.send_replace(true);
    }

    /// Whether it is whole.
    pub fn is_whole(&self) -> bool {
        *self.whole.borrow()
    }

    /// Leads to a node's partner listener; the address by which the other node is told to reach it. Ends with the line.
    pub async fn lead_to(&self, partner_url: &str) -> Result<String, DrillError> {
        let target: SocketAddr = partner_url
            .strip_prefix("https://")
            .and_then(|address| address.trim_end_matches('/').parse().ok())
            .ok_or_else(|| DrillError::Node(format!("\"{partner_url}\" is not https with an address and a port")))?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let here = listener.local_addr()?;
        tokio::spawn(forward(listener, target, self.whole.subscribe()));
        Ok(format!("https://{here}"))
    }
}

/// Until the line is no more.
async fn forward(listener: TcpListener, target: SocketAddr, mut whole: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            changed = whole.changed() => if changed.is_ok() { continue } else { return },
        };
        let Ok((caller, _)) = accepted else { continue };
        // Dropped while the line is cut: the caller sees its connection closed.
        if *whole.borrow() {
            tokio::spawn(carry(caller, target, whole.clone()));
        }
    }
}

async fn carry(mut caller: TcpStream, target: SocketAddr, mut whole: watch::Receiver<bool>) {
    let Ok(mut node) = TcpStream::connect(target).await else { return };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut caller, &mut node) => {}
        _ = whole.wait_for(|whole| !whole) => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// A node that answers each byte with itself; its address.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut caller, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = caller.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        address
    }

    async fn say(to: &mut TcpStream, byte: u8) -> Option<u8> {
        to.write_all(&[byte]).await.ok()?;
        to.read_u8().await.ok()
    }

    #[tokio::test]
    async fn a_cut_line_breaks_what_runs_refuses_what_is_new_and_comes_back() {
        let line = Line::new();
        let url = line.lead_to(&format!("https://{}", echo().await)).await.unwrap();
        let address: SocketAddr = url.strip_prefix("https://").unwrap().parse().unwrap();
        let mut first = TcpStream::connect(address).await.unwrap();
        assert_eq!(say(&mut first, 7).await, Some(7));
        line.cut();
        assert_eq!(first.read_u8().await.ok(), None, "what runs is broken");
        let mut second = TcpStream::connect(address).await.unwrap();
        assert_eq!(say(&mut second, 8).await, None, "what is new is refused");
        assert!(!line.is_whole());
        line.restore();
        let mut third = TcpStream::connect(address).await.unwrap();
        assert_eq!(say(&mut third, 9).await, Some(9));
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_told() {
        let error = Line::new().lead_to("http://127.0.0.1:1").await.unwrap_err();
        assert!(error.to_string().contains("is not https with an address"), "{error}");
    }
}
