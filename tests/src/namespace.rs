//! Network namespaces: two provinces joined by one cable, on which packets can be dropped. Root only.

use std::net::TcpStream;
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tonic::transport::{Channel, Endpoint, Uri};

/// Why namespaces cannot be made here, in a line, if they cannot.
pub fn missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("network namespaces are for root".to_owned());
    }
    ["ip", "nft"].into_iter().find(|program| !runs(program)).map(|program| format!("{program} is not installed"))
}

fn runs(program: &str) -> bool {
    Command::new(program).arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Two namespaces and the cable between them; all of it goes when dropped.
#[derive(Debug)]
pub struct Cable {
    names: [String; 2],
}

impl Cable {
    /// Lays one. Addresses are 10.99.0.1 and 10.99.0.2 at its ends: nobody else is in there.
    pub fn lay() -> Self {
        let id = std::process::id();
        let names = [format!("fenghuo-{id}-a"), format!("fenghuo-{id}-b")];
        let cable = Self { names };
        for name in &cable.names {
            run(&["ip", "netns", "add", name]);
            run(&["ip", "-n", name, "link", "set", "lo", "up"]);
        }
        let [a, b] = &cable.names;
        run(&["ip", "-n", a, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", b]);
        for end in 0..2 {
            run(&["ip", "-n", &cable.names[end], "address", "add", &format!("{}/30", cable.address(end)), "dev", "cable"]);
            run(&["ip", "-n", &cable.names[end], "link", "set", "cable", "up"]);
        }
        cable
    }

    /// The address at this end, 0 or 1.
    pub fn address(&self, end: usize) -> String {
        format!("10.99.0.{}", end + 1)
    }

    /// What stands before a command that is to run at this end.
    pub fn before(&self, end: usize) -> Vec<String> {
        ["ip", "netns", "exec", &self.names[end]].map(str::to_owned).to_vec()
    }

    /// From now on so many of a hundred packets that arrive at this end are dropped.
    pub fn drop_arriving(&self, end: usize, percent: u32) {
        self.heal_arriving(end);
        let chance = if percent >= 100 { String::new() } else { format!("numgen random mod 100 < {percent}") };
        let table = "add table inet fault; add counter inet fault dropped;
             add chain inet fault arriving { type filter hook input priority 0; };";
        let rule = format!("add rule inet fault arriving iifname cable {chance} counter name dropped drop");
        self.nft(end, &format!("{table}\n{rule}"));
    }

    /// Lets everything arrive at this end again; how many packets were dropped there.
    pub fn heal_arriving(&self, end: usize) -> u64 {
        let listed = self.nft(end, "list counters");
        self.nft(end, "add table inet fault; delete table inet fault");
        let after = listed.split("packets ").nth(1).unwrap_or("0");
        after.split_whitespace().next().and_then(|count| count.parse().ok()).unwrap_or(0)
    }

    fn nft(&self, end: usize, commands: &str) -> String {
        run(&["ip", "netns", "exec", &self.names[end], "nft", commands])
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = Command::new("ip").args(["netns", "delete", name]).stderr(Stdio::null()).status();
        }
    }
}

fn run(words: &[&str]) -> String {
    let output = Command::new(words[0]).args(&words[1..]).output().unwrap_or_else(|why| panic!("{}: {why}", words.join(" ")));
    assert!(output.status.success(), "{}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A channel to a console on loopback inside a namespace. The socket is made by a thread that has entered it; a socket keeps its namespace.
pub fn channel_inside(namespace: &str, url: &str) -> Channel {
    let (namespace, host) = (namespace.to_owned(), url.rsplit('/').next().unwrap_or(url).to_owned());
    let connector = tower::service_fn(move |_: Uri| {
        let (namespace, host) = (namespace.clone(), host.clone());
        async move {
            let connected = tokio::task::spawn_blocking(move || {
                // A thread of its own: it never comes back from there.
                std::thread::spawn(move || connect_inside(&namespace, &host))
                    .join()
                    .unwrap_or_else(|_| Err(std::io::ErrorKind::Other.into()))
            });
            let stream = tokio::net::TcpStream::from_std(connected.await.map_err(std::io::Error::other)??)?;
            stream.set_nodelay(true)?;
            Ok::<_, std::io::Error>(TokioIo::new(stream))
        }
    });
    let endpoint = Endpoint::from_shared(url.to_owned()).unwrap().connect_timeout(Duration::from_secs(10));
    endpoint.http2_keep_alive_interval(Duration::from_secs(20)).keep_alive_while_idle(true).connect_with_connector_lazy(connector)
}

fn connect_inside(namespace: &str, host: &str) -> std::io::Result<TcpStream> {
    let place = std::fs::File::open(format!("/run/netns/{namespace}"))?;
    move_into_link_name_space(place.as_fd(), Some(LinkNameSpaceType::Network))?;
    let stream = TcpStream::connect(host)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}
