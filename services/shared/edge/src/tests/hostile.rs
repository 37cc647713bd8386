//! Clients that do not come to the point: each is given up in time, and beside it a well-behaved one is served.

use std::time::{Duration, Instant};

use bytes::Bytes;
use fenghuo_api::audit::v1::ListEventsRequest;
use fenghuo_durable::SpaceId;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use super::console::{client, frame, resident_bytes, web_call};
use super::{Running, console_at, console_with};
use crate::Limits;
use crate::limits::Patience;

/// What an attack may cost in memory, beside what runs anyway.
const MEMORY: usize = 48 * 1024 * 1024;
const SIGNED_IN: &str = "\r\nauthorization: Bearer viewer\r\nfenghuo-space: real";

/// A listener that has little patience in the one point that a test is about; in the others that of every node, because a busy machine
/// makes good clients slow as well.
async fn impatient(of: fn(&mut Patience)) -> Running {
    let mut patience = Patience::default();
    of(&mut patience);
    console_with("127.0.0.1:0", Limits { patience, ..Limits::default() }).await
}

const SHORT: Duration = Duration::from_millis(400);

async fn well_behaved(running: &Running) {
    let mut viewer = client(running, Some("viewer"), Some(SpaceId::Real));
    let started = Instant::now();
    viewer.list_events(ListEventsRequest::default()).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(5), "a good client waited {:?}", started.elapsed());
}

/// Reads until the other side ends the connection; how long that took, and what came.
async fn until_closed(stream: &mut TcpStream) -> (Duration, Vec<u8>) {
    let (started, mut came) = (Instant::now(), Vec::new());
    // An abrupt end is an end as well.
    let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut came)).await.expect("the connection was not given up");
    (started.elapsed(), came)
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_given_up() {
    let running = impatient(|p| p.head = SHORT).await;
    for first in ["", "PRI * HT", "GET / HTTP/1.1\r\nhost: loc"] {
        let began = Instant::now();
        let mut silent = TcpStream::connect(running.address).await.unwrap();
        silent.write_all(first.as_bytes()).await.unwrap();
        well_behaved(&running).await;
        until_closed(&mut silent).await;
        assert!(began.elapsed() >= SHORT, "{first:?} was given up after {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_header_that_trickles_is_given_up() {
    let running = impatient(|p| p.head = SHORT).await;
    let mut slow = TcpStream::connect(running.address).await.unwrap();
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(10) {
        if slow.write_all(b"x").await.is_err() {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    well_behaved(&running).await;
}

#[tokio::test]
async fn a_body_that_trickles_is_refused_and_one_that_stops_as_well() {
    let running = impatient(|p| (p.next_piece, p.body) = (SHORT, 3 * SHORT)).await;
    let message = frame(&ListEventsRequest { subject: "x".repeat(1000), ..Default::default() }.encode_to_vec());
    for pause in [Duration::from_millis(100), Duration::from_secs(60)] {
        let mut slow = TcpStream::connect(running.address).await.unwrap();
        let head = format!("{}\r\ncontent-length: {}\r\n\r\n", web_call(SIGNED_IN), message.len());
        slow.write_all(head.as_bytes()).await.unwrap();
        let (mut reading, mut writing) = slow.into_split();
        let piece_by_piece = message.clone();
        let sender = tokio::spawn(async move {
            for byte in piece_by_piece {
                if writing.write_all(&[byte]).await.is_err() {
                    break;
                }
                sleep(pause).await;
            }
        });
        well_behaved(&running).await;
        let (started, mut answer) = (Instant::now(), Vec::new());
        let _ = timeout(Duration::from_secs(20), reading.read_to_end(&mut answer)).await.expect("the call was not given up");
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.contains("REQUEST_TOO_SLOW") || answer.contains("did%20not%20arrive%20in%20time"), "{pause:?}: {answer}");
        assert!(started.elapsed() < Duration::from_secs(6), "{pause:?}: {:?}", started.elapsed());
        sender.abort();
    }
}

/// The preface and empty settings of HTTP/2, by hand: nothing answers pings for us.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[tokio::test]
async fn a_client_that_vanished_is_noticed_by_its_silence() {
    let running = impatient(|p| (p.silence, p.pong) = (SHORT, SHORT)).await;
    // A first request, so that only the silence is left to notice: HEADERS with indexed GET, http, /, on stream 1.
    let began = Instant::now();
    let mut gone = TcpStream::connect(running.address).await.unwrap();
    gone.write_all(PREFACE).await.unwrap();
    gone.write_all(b"\0\0\x03\x01\x05\0\0\0\x01\x82\x86\x84").await.unwrap();
    well_behaved(&running).await;
    let (_, came) = until_closed(&mut gone).await;
    // A PING frame (type 6) asked whether we live.
    assert!(came.windows(5).any(|bytes| bytes == [0, 0, 8, 6, 0]), "no ping came");
    assert!(began.elapsed() >= 2 * SHORT, "{:?}", began.elapsed());
}

#[tokio::test]
async fn streams_opened_and_given_up_at_once_end_the_connection() {
    let running = impatient(|_| {}).await;
    let before = resident_bytes();
    let mut ended = 0;
    for _ in 0..20 {
        ended += usize::from(rapid_reset(&running).await);
        well_behaved(&running).await;
    }
    assert_eq!(ended, 20, "so many of 20 connections were ended");
    assert!(resident_bytes().saturating_sub(before) < MEMORY);
}

/// Sends HEADERS and RST_STREAM for up to 2,000 streams in one go; whether the server ended the connection.
async fn rapid_reset(running: &Running) -> bool {
    let mut attacker = TcpStream::connect(running.address).await.unwrap();
    let mut bytes = PREFACE.to_vec();
    for stream in (1..4000_u32).step_by(2) {
        let id = stream.to_be_bytes();
        bytes.extend([&[0, 0, 3, 1, 5], id.as_slice(), &[0x82, 0x86, 0x84], &[0, 0, 4, 3, 0], &id, &[0, 0, 0, 8]].concat());
    }
    let _ = attacker.write_all(&bytes).await;
    let (_, came) = until_closed(&mut attacker).await;
    // A GOAWAY frame (type 7), or nothing any more.
    came.is_empty() || came.windows(2).any(|bytes| bytes == [7, 0])
}

#[tokio::test]
async fn an_answer_that_is_not_read_is_given_up() {
    let running = impatient(|p| p.unread = 3 * SHORT).await;
    let before = resident_bytes();
    let mut greedy = Vec::new();
    for _ in 0..4 {
        greedy.push(unread_answers(&running, 8).await);
    }
    well_behaved(&running).await;
    for connection in greedy {
        let started = Instant::now();
        timeout(Duration::from_secs(20), connection).await.expect("the connection was not given up").unwrap();
        assert!(started.elapsed() < Duration::from_secs(10));
    }
    assert!(resident_bytes().saturating_sub(before) < MEMORY);
}

/// Asks for so many answers of 200 kB over a connection whose windows let nothing through; ends with the connection.
async fn unread_answers(running: &Running, count: usize) -> tokio::task::JoinHandle<()> {
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (mut requests, connection) = h2::client::Builder::new().initial_window_size(100).handshake::<_, Bytes>(stream).await.unwrap();
    let body = frame(&ListEventsRequest { subject: "x".repeat(200_000), ..Default::default() }.encode_to_vec());
    let task = tokio::spawn(async move { drop(connection.await) });
    let mut answers = Vec::new();
    for _ in 0..count {
        let request = http::Request::post("http://127.0.0.1/fenghuo.audit.v1.AuditService/ListEvents")
            .header("content-type", "application/grpc")
            .header("authorization", "Bearer viewer")
            .header("fenghuo-space", "real");
        requests = requests.ready().await.unwrap();
        let (answer, mut sending) = requests.send_request(request.body(()).unwrap(), false).unwrap();
        sending.send_data(Bytes::from(body.clone()), true).unwrap();
        answers.push(answer);
    }
    tokio::spawn(async move {
        let mut unread = Vec::new();
        for answer in answers {
            let answer = answer.await.unwrap();
            assert!(answer.headers().get("grpc-status").is_none(), "refused: {answer:?}");
            unread.push(answer);
        }
        // Held, never read.
        task.await.unwrap();
        drop((unread, requests));
    })
}

#[tokio::test]
async fn one_address_cannot_take_all_connections() {
    let running = console_with("127.0.0.1:0", Limits { connections_per_address: 50, ..Limits::default() }).await;
    let before = resident_bytes();
    let mut held = Vec::new();
    let mut turned_away = 0;
    for _ in 0..400 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let mut stream = socket.connect(running.address).await.unwrap();
        // The end of a connection that was turned away is there at once; an open one has nothing to read.
        match timeout(Duration::from_millis(20), stream.read(&mut [0])).await {
            Ok(Ok(0) | Err(_)) => turned_away += 1,
            Ok(Ok(_)) => panic!("a listener does not speak first"),
            Err(_) => held.push(stream),
        }
    }
    assert_eq!((held.len(), turned_away), (50, 350));
    well_behaved(&running).await;
    assert!(resident_bytes().saturating_sub(before) < MEMORY);
    drop(held);
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let running = impatient(|_| {}).await;
    let before = resident_bytes();
    let mut attacker = TcpStream::connect(running.address).await.unwrap();
    attacker.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n").await.unwrap();
    let line = format!("x-filler: {}\r\n", "y".repeat(1000));
    let mut sent = 0;
    while sent < 8 * 1024 * 1024 && attacker.write_all(line.as_bytes()).await.is_ok() {
        sent += line.len();
    }
    assert!(sent < 8 * 1024 * 1024, "{sent} bytes of headers were taken");
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (requests, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(async move { drop(connection.await) });
    let request = http::Request::get("http://127.0.0.1/").header("x-filler", "y".repeat(60 * 1024)).body(()).unwrap();
    let (answer, _) = requests.ready().await.unwrap().send_request(request, true).unwrap();
    let refused = match answer.await {
        Ok(answer) => answer.status() == http::StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Err(_) => true,
    };
    assert!(refused, "60 KiB of headers were taken");
    well_behaved(&running).await;
    assert!(resident_bytes().saturating_sub(before) < MEMORY);
}

#[tokio::test]
async fn a_handshake_that_is_never_finished_keeps_nobody_out() {
    let patience = Patience { handshake: Duration::from_millis(800), ..Patience::default() };
    let running = console_with("0.0.0.0:0", Limits { patience, ..Limits::default() }).await;
    let address = ("127.0.0.1", running.address.port());
    let mut unfinished = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The beginning of a ClientHello, and no more.
        let _ = stream.write_all(&[22, 3, 1, 1, 0, 1]).await;
        unfinished.push(stream);
    }
    // A good client comes from another address.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.3:0".parse().unwrap()).unwrap();
    let stream = socket.connect(([127, 0, 0, 1], running.address.port()).into()).await.unwrap();
    let mut tls = timeout(Duration::from_secs(5), super::console::tls_connect(&running, stream)).await.unwrap();
    tls.write_all(b"GET / HTTP/1.1\r\nhost: fenghuo.example\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = tls.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    for mut stream in unfinished {
        until_closed(&mut stream).await;
    }
}

#[tokio::test]
async fn the_defaults_are_patient() {
    let running = console_at("127.0.0.1:0").await;
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    assert!(timeout(Duration::from_secs(1), silent.read(&mut [0])).await.is_err(), "given up within a second");
    well_behaved(&running).await;
}
