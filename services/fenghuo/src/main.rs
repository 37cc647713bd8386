//! The one binary of Fenghuo: composition root, command line, drill runner.

#![allow(unreachable_pub)] // A binary exports nothing; `pub` here says what the other files of the crate use.

mod backup;
mod cli;
mod conditions;
mod drill;
mod measure;
mod node;
mod served;

use clap::Parser;

/// A report makes and frees some thousand small pieces of memory; the C library's own allocator took a sixth of the SQLite writer's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let cli = cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("fenghuo: cannot start: {error}");
            return 3.into();
        }
    };
    let code = runtime.block_on(cli::run(cli));
    // What still blocks (a password hash, a last read) may not hold the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    u8::try_from(code).unwrap_or(3).into()
}
