//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Measures a node under load, with the bare echo of the same run beside every figure.
#[derive(Debug, Clone, Parser)]
#[command(name = "load")]
pub struct Args {
    /// Only this scenario; may be given several times. The echo is always measured
    #[arg(long)]
    pub only: Vec<String>,
    /// Seconds of each run, after the warm-up
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// Seconds of warm-up before each run
    #[arg(long, default_value_t = 1)]
    pub warm_up: u64,
    /// Runs of each figure; medians are printed
    #[arg(long, default_value_t = 3)]
    pub runs: usize,
    /// Requests in flight, of the scenarios that vary them
    #[arg(long, value_delimiter = ',', default_value = "1,64,256")]
    pub in_flight: Vec<usize>,
    /// Write all figures to this file as JSON
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// A PostgreSQL server with fsync on, such as postgres://postgres@127.0.0.1:5432/postgres; without it PostgreSQL is left out
    #[arg(long, env = "FENGHUO_TEST_POSTGRES")]
    pub postgres: Option<String>,
    /// nats-server 2.12 or later; without it JetStream is left out
    #[arg(long, env = "FENGHUO_TEST_NATS_SERVER")]
    pub nats_server: Option<PathBuf>,
    /// Where the databases of the run are made; a disk, not memory
    #[arg(long, default_value = "target")]
    pub dir: PathBuf,
    /// Serve the echo: the generator starts itself so
    #[arg(long, hide = true)]
    pub echo_server: bool,
}

impl Args {
    /// Length of one run.
    pub fn run_time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Time before it that is not measured.
    pub fn warm_up_time(&self) -> Duration {
        Duration::from_secs(self.warm_up)
    }

    /// A folder for one scenario, on the disk that is measured.
    pub fn folder(&self) -> tempfile::TempDir {
        tempfile::tempdir_in(&self.dir).unwrap()
    }
}
