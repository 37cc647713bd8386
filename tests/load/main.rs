//! The load generator: every figure of one run beside the bare echo of the same run, on the release binary.
//!
//!     cargo build --release -p fenghuo && cargo run --release -p fenghuo-tests --bin load -- --help
//!
//! Client and servers share the machine, so the figures are what the whole of it does, callers included. Each scenario is a file of
//! `scenario/` and a row of [`scenario::ALL`].
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub)] // A measurement that fails should say where and stop.

mod args;
mod drive;
mod figure;
mod load_node;
mod scenario;

use args::Args;
use clap::Parser as _;
use figure::Report;

fn main() {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if args.echo_server {
        return runtime.block_on(scenario::echo::serve());
    }
    let chosen = match scenario::chosen(&args.only) {
        Ok(chosen) => chosen,
        Err(unknown) => {
            eprintln!("load: no scenario is called {unknown}; there are: {}", scenario::names());
            std::process::exit(2);
        }
    };
    let report = runtime.block_on(async {
        let mut report = Report::begin(&args);
        for scenario in chosen {
            report.heading(scenario.name, scenario.shows);
            (scenario.run)(&args, &mut report).await;
        }
        report
    });
    if let Some(file) = &args.json {
        std::fs::write(file, report.json()).unwrap();
        println!("\nall figures as JSON: {}", file.display());
    }
}
