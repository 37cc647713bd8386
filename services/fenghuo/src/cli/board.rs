//! `fenghuo board`: a read-only board, rebuilt from the stream on NATS alone. It speaks to no node.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use fenghuo_api::notification::v1::NotificationRecord;
use fenghuo_durable::{Code, Error, SpaceId};
use fenghuo_edge::nats_config::check_nats_url;
use fenghuo_outward::board::{Change, Link};
use fenghuo_outward::{Board, Broken, Reader, Server};
use serde_json::{Value, json};

use super::Outcome;
use super::incident::{as_json, print_line};
use super::output::{Failure, beijing, print_json, rfc3339};

const EXAMPLES: &str = "Examples:
  fenghuo board --nats nats://127.0.0.1:4222 --province 500000
  fenghuo board --nats tls://nats.example.cn:4222 --ca nats-ca.pem --credentials board.creds --province 500000 --follow
  fenghuo board --nats nats://127.0.0.1:4222 --province 500000 --space exercises/0198... --json
With --follow --json: the board in one line, then a line for each change.
Exit codes: 0 rebuilt; 1 the events have a gap, the chain does not hold, or the stream does not begin with event 1; 2 wrong usage;
3 there is no such stream; 4 NATS cannot be reached.";

/// How long to wait before NATS is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Which stream, and how to show it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct BoardArgs {
    /// Address of the NATS server; tls:// beyond this machine
    #[arg(long, env = "FENGHUO_NATS_URL")]
    nats: String,
    /// Six-digit code of the province
    #[arg(long, env = "FENGHUO_PROVINCE_CODE", default_value = "500000")]
    province: String,
    /// The space: real, or exercises/{uuid}
    #[arg(long, default_value = "real")]
    space: String,
    /// Credentials file for NATS
    #[arg(long, env = "FENGHUO_NATS_CREDENTIALS_FILE")]
    credentials: Option<PathBuf>,
    /// Certificate of the authority of the NATS server (PEM)
    #[arg(long, env = "FENGHUO_NATS_CA_FILE")]
    ca: Option<PathBuf>,
    /// Generation of the stream; the newest if not given
    #[arg(long)]
    generation: Option<u32>,
    /// Also closed incidents
    #[arg(long)]
    all: bool,
    /// Keep it up to date until interrupted
    #[arg(long)]
    follow: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub async fn run(args: BoardArgs) -> Outcome {
    if let Err(what) = check_nats_url(&args.nats) {
        return Err(Failure::Input(format!("--nats {what}")));
    }
    let space: SpaceId = args.space.parse()?;
    if args.follow { follow(&args, space).await } else { once(&args, space).await }
}

async fn connect(args: &BoardArgs, space: SpaceId) -> Outcome<Reader> {
    let server = Server { url: args.nats.clone(), credentials_file: args.credentials.clone(), ca_file: args.ca.clone() };
    Reader::connect(&server, &args.province, space, args.generation).await.map_err(from_nats)
}

fn from_nats(error: Error) -> Failure {
    match error.code {
        Code::Unavailable => Failure::Unreachable(fenghuo_edge::status::chain(&error)),
        _ => error.into(),
    }
}

fn does_not_hold(stream: &str, broken: &Broken) -> Failure {
    eprintln!("fenghuo: stream {stream}: {broken}; nothing after it is shown");
    Failure::DoesNotHold
}

/// Takes what the stream has now.
async fn catch_up(reader: &mut Reader, board: &mut Board) -> Outcome {
    let last = reader.last().await.map_err(from_nats)?;
    while board.sequence() < last {
        if let Some(event) = reader.next(board.sequence()).await.map_err(from_nats)? {
            board.apply(&event).map_err(|broken| does_not_hold(&reader.stream(), &broken))?;
        }
    }
    Ok(())
}

async fn once(args: &BoardArgs, space: SpaceId) -> Outcome {
    let mut reader = connect(args, space).await?;
    let mut board = Board::default();
    let caught_up = catch_up(&mut reader, &mut board).await;
    print(args, &reader.stream(), &board);
    caught_up?;
    if board.is_whole() { Ok(()) } else { Err(Failure::DoesNotHold) }
}

/// Shows the board, then every change. A connection that breaks is made again; a newer generation of the stream begins a new board.
async fn follow(args: &BoardArgs, space: SpaceId) -> Outcome {
    let mut reader = connect(args, space).await?;
    let mut board = Board::default();
    let mut shown = false;
    loop {
        let step = if shown { one_more(args, &mut reader, &mut board).await } else { catch_up(&mut reader, &mut board).await };
        match step {
            Ok(()) if !shown => {
                print(args, &reader.stream(), &board);
                shown = true;
            }
            Ok(()) => {}
            Err(Failure::Unreachable(text)) => {
                eprintln!("fenghuo: {text}; trying again");
                tokio::time::sleep(RETRY).await;
            }
            Err(failure) => return Err(failure),
        }
        if shown && args.generation.is_none() && matches!(reader.renewed().await, Ok(true)) {
            eprintln!("fenghuo: stream {} has a successor; the board begins anew", reader.stream());
            (reader, board, shown) = (connect(args, space).await?, Board::default(), false);
        }
    }
}

async fn one_more(args: &BoardArgs, reader: &mut Reader, board: &mut Board) -> Outcome {
    // No event for some seconds is a moment to look around, and no fault.
    while let Some(event) = reader.next(board.sequence()).await.map_err(from_nats)? {
        let change = board.apply(&event).map_err(|broken| does_not_hold(&reader.stream(), &broken))?;
        print_change(args, board, &change);
    }
    Ok(())
}

fn print(args: &BoardArgs, stream: &str, board: &Board) {
    if !board.is_whole() {
        eprintln!("fenghuo: stream {stream} begins with event {}; what has not changed since is missing", board.first());
    }
    for (name, seq) in board.stale() {
        eprintln!("fenghuo: {name} changed by event {seq}, which was too large for the stream; an older revision is shown, or none");
    }
    match (args.json, args.follow) {
        (true, false) => print_json(&whole(args, stream, board)),
        (true, true) => println!("{}", whole(args, stream, board)),
        (false, _) => print_people(args, stream, board),
    }
}

fn whole(args: &BoardArgs, stream: &str, board: &Board) -> Value {
    json!({
        "province": args.province, "space": args.space, "stream": stream,
        "sequence": board.sequence(), "as_of": board.as_of().map(|time| time.to_string()), "head_hash": hex::encode(board.head_hash()),
        "whole": board.is_whole(), "recomputed": board.recomputed(), "withheld": board.withheld(), "stale": board.stale(),
        "incidents": board.incidents(args.all).into_iter().map(as_json).collect::<Vec<_>>(),
        "notifications": board.notifications().into_iter().map(notification).collect::<Vec<_>>(),
        "links": board.links().map(link).collect::<Vec<_>>(),
    })
}

fn notification(record: &NotificationRecord) -> Value {
    let content = record.content.clone().unwrap_or_default();
    json!({
        "name": record.name, "etag": record.etag, "direction": record.direction().as_str_name(), "partner_code": record.partner_code,
        "incident": record.incident, "state": record.state().as_str_name(), "kind": content.kind().as_str_name(), "subject": content.subject,
        "create_time": rfc3339(record.create_time.as_ref()), "acknowledged": record.acknowledgement.is_some(),
        "acknowledge_due_time": rfc3339(record.acknowledge_due_time.as_ref()), "acknowledgement_overdue": record.acknowledgement_overdue,
    })
}

fn link(link: &Link) -> Value {
    json!({ "partner": link.partner, "state": link.state, "since": link.since.to_string() })
}

fn print_people(args: &BoardArgs, stream: &str, board: &Board) {
    println!(
        "{stream}: true up to event {} ({} recomputed, {} with something withheld); head {}",
        board.sequence(),
        board.recomputed(),
        board.withheld(),
        hex::encode(board.head_hash())
    );
    board.incidents(args.all).into_iter().for_each(print_line);
    board.notifications().into_iter().for_each(print_notification);
    board.links().for_each(|link| println!("link to {}: {}", link.partner, link.state));
}

fn print_notification(record: &NotificationRecord) {
    let (state, content) = (record.state(), record.content.clone().unwrap_or_default());
    let state = state.as_str_name().trim_start_matches("NOTIFICATION_STATE_");
    println!("{}  {} {state}  {}  {}", beijing(record.create_time.as_ref()), record.partner_code, content.subject, record.name);
}

fn print_change(args: &BoardArgs, board: &Board, change: &Change) {
    let line = match change {
        Change::Nothing => return,
        Change::Incident(name) => board.incident(name).map(|found| ("incident", as_json(found))),
        Change::Notification(name) => board.notification(name).map(|found| ("notification", notification(found))),
        Change::Link(partner) => board.links().find(|link| link.partner == *partner).map(|found| ("link", link(found))),
    };
    let Some((what, value)) = line else { return };
    if args.json {
        println!("{}", json!({ "sequence": board.sequence(), what: value }));
        return;
    }
    match change {
        Change::Incident(name) => board.incident(name).into_iter().for_each(print_line),
        Change::Notification(name) => board.notification(name).into_iter().for_each(print_notification),
        _ => println!("link to {}: {}", value["partner"].as_str().unwrap_or_default(), value["state"].as_str().unwrap_or_default()),
    }
}
