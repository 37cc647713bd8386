//! `fenghuo restore`: a backup becomes a node again, which starts in quarantine.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::Outcome;
use super::backup::{Bar, PlaceArgs, described};
use super::output::print_json;
use crate::backup::restore::{Restored, restore};

const EXAMPLES: &str = "Examples:
  fenghuo restore hubei-2026-11-25.tar --province 420000 --data hubei
  fenghuo restore chongqing.tar --config /etc/fenghuo/fenghuo.toml --database-url postgres://fenghuo@db:5432/chongqing
The folder must be empty, and no node may run in it. Everything is checked before anything is put in place. The node starts in
quarantine: it sends nothing and no clock fires until each partner has given back what it had, or until a person ends it with
`fenghuo operation release`. On PostgreSQL the database named by the URL must exist, and pg_restore must be installed.";

/// Puts a backup in place, marked as restored.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RestoreArgs {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    place: PlaceArgs,
    /// Folder with the province's keys, for a backup without them
    #[arg(long)]
    keys: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub async fn run(args: RestoreArgs) -> Outcome {
    let place = args.place.place()?;
    let bar = Bar::new();
    let done = restore(&args.file, &place, args.keys.as_deref(), &mut |name, done, all| bar.tell(name, done, all)).await;
    bar.end();
    let Restored { manifest, checked } = done?;
    let data = place.data_dir.display();
    if args.json {
        let restored = manifest.as_ref().map(|manifest| described(&args.file, manifest));
        print_json(&json!({
            "data_dir": data.to_string(), "restored": restored, "events": checked.events, "records": checked.records,
            "completed_interrupted": manifest.is_none(), "starts_in_quarantine": true,
        }));
        return Ok(());
    }
    match &manifest {
        None => println!("An earlier restore into {data} had been interrupted at its last step; it is complete now."),
        Some(manifest) => println!(
            "{data} is province {} as it was at {}: {} events and {} records hold.",
            manifest.province_code, manifest.taken_at, checked.events, checked.records
        ),
    }
    println!(
        "Start the node. It is in quarantine: people can read and take reports; no clock fires and nothing is sent until each partner has
given back what it had. For a partner that cannot be reached, an administrator or commander ends the waiting:
  fenghuo operation release --reason \"...\"
What was recorded here after the backup and sent to nobody is lost; ask those who reported since then."
    );
    Ok(())
}
