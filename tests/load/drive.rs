//! Driving calls: closed (so many in flight, the next when one is answered) and open (at a rate, whether answered or not).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use parking_lot::Mutex;

use crate::args::Args;

/// Connections over which the calls of a scenario are spread.
pub const CONNECTIONS: usize = 4;
/// Longest wait that a histogram keeps, in microseconds.
const LONGEST_US: u64 = 120_000_000;

/// What one run showed.
pub struct Run {
    /// Answers in a second.
    pub per_second: f64,
    /// Waits, in microseconds.
    pub waits: Histogram<u64>,
    /// Calls that were refused or broke.
    pub failed: u64,
}

/// An empty histogram of waits in microseconds, three digits exact.
pub fn waits() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_US, 3).unwrap()
}

/// Adds a wait.
pub fn keep(waits: &mut Histogram<u64>, wait: Duration) {
    waits.saturating_record(u64::try_from(wait.as_micros()).unwrap_or(LONGEST_US).max(1));
}

/// All runs of one figure with so many calls in flight. A wait goes from the sending to the answer.
pub async fn closed<F, Fut>(args: &Args, in_flight: usize, call: F) -> Vec<Run>
where
    F: Fn(usize) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<(), String>> + Send + 'static,
{
    let mut runs = Vec::new();
    for _ in 0..args.runs {
        runs.push(closed_once(args, in_flight, call.clone()).await);
    }
    runs
}

async fn closed_once<F, Fut>(args: &Args, in_flight: usize, call: F) -> Run
where
    F: Fn(usize) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<(), String>> + Send + 'static,
{
    let warm = Instant::now() + args.warm_up_time();
    let end = warm + args.run_time();
    let callers: Vec<_> = (0..in_flight).map(|caller| tokio::spawn(caller_loop(caller % CONNECTIONS, warm, end, call.clone()))).collect();
    let (mut all, mut answered, mut failed) = (waits(), 0, 0);
    for caller in callers {
        let (waits, in_time, refused) = caller.await.unwrap();
        all.add(waits).unwrap();
        answered += in_time;
        failed += refused;
    }
    Run { per_second: answered as f64 / args.run_time().as_secs_f64(), waits: all, failed }
}

async fn caller_loop<F, Fut>(connection: usize, warm: Instant, end: Instant, call: F) -> (Histogram<u64>, u64, u64)
where
    F: Fn(usize) -> Fut,
    Fut: Future<Output = Result<(), String>>,
{
    let (mut waits, mut in_time, mut failed) = (waits(), 0, 0);
    loop {
        let sent = Instant::now();
        if sent >= end {
            return (waits, in_time, failed);
        }
        let outcome = call(connection).await;
        let now = Instant::now();
        match outcome {
            Ok(()) => {
                in_time += u64::from(now >= warm && now < end);
                if sent >= warm {
                    keep(&mut waits, now - sent);
                }
            }
            Err(why) => {
                failed += 1;
                tell_once(&why);
            }
        }
    }
}

fn tell_once(why: &str) {
    static TOLD: AtomicU64 = AtomicU64::new(0);
    if TOLD.fetch_add(1, Ordering::Relaxed) < 3 {
        eprintln!("load: a call failed: {why}");
    }
}

/// All runs of one figure at a steady rate. A wait goes from the time at which the call should have been sent, so that a stall counts
/// for every call that it held up.
pub async fn open<F, Fut>(args: &Args, per_second: f64, call: F) -> Vec<Run>
where
    F: Fn(usize) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<(), String>> + Send + 'static,
{
    let mut runs = Vec::new();
    for _ in 0..args.runs {
        open_for(args.warm_up_time(), per_second, call.clone()).await;
        runs.push(open_for(args.run_time(), per_second, call.clone()).await);
    }
    runs
}

/// One run at a steady rate, until the last call is answered.
pub async fn open_for<F, Fut>(time: Duration, per_second: f64, call: F) -> Run
where
    F: Fn(usize) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<(), String>> + Send + 'static,
{
    let seen = Arc::new(Mutex::new((waits(), 0_u64)));
    let calls = (time.as_secs_f64() * per_second) as u32;
    let began = Instant::now();
    let mut going = tokio::task::JoinSet::new();
    for number in 0..calls {
        let intended = began + Duration::from_secs_f64(f64::from(number) / per_second);
        // The timer is a millisecond coarse; what became due meanwhile goes out together, and its wait counts from when it was due.
        if intended > Instant::now() {
            tokio::time::sleep_until(intended.into()).await;
        }
        let (seen, call) = (seen.clone(), call.clone());
        going.spawn(async move {
            let outcome = call(number as usize % CONNECTIONS).await;
            let mut seen = seen.lock();
            match outcome {
                Ok(()) => keep(&mut seen.0, intended.elapsed()),
                Err(why) => {
                    seen.1 += 1;
                    tell_once(&why);
                }
            }
        });
        while going.try_join_next().is_some() {}
    }
    while going.join_next().await.is_some() {}
    let (waits, failed) = Arc::into_inner(seen).unwrap().into_inner();
    Run { per_second: waits.len() as f64 / began.elapsed().as_secs_f64(), waits, failed }
}
