//! `fenghuo audit`: what the event log proves.

use clap::Subcommand;
use fenghuo_api::audit::v1::audit_service_client::AuditServiceClient;
use fenghuo_api::audit::v1::{VerifyLogRequest, VerifyLogResponse};
use serde_json::json;

use super::Outcome;
use super::output::{Failure, print_json};
use super::session::NodeArgs;

const EXAMPLES: &str = "Examples:
  fenghuo audit verify
  fenghuo audit verify --space exercises/0198... --json";

/// Checks what the event log proves.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum AuditCommand {
    /// Recomputes the chain, the record digests and the receipts; exit code 1 if something does not hold
    Verify {
        #[command(flatten)]
        node: NodeArgs,
    },
}

/// Runs it.
pub async fn run(command: AuditCommand) -> Outcome {
    let AuditCommand::Verify { node } = command;
    let found = AuditServiceClient::new(node.signed()?).verify_log(VerifyLogRequest {}).await?.into_inner();
    print(&node, &found);
    if found.holds { Ok(()) } else { Err(Failure::DoesNotHold) }
}

fn print(node: &NodeArgs, found: &VerifyLogResponse) {
    let head = hex::encode(&found.head_hash);
    if node.json {
        print_json(&json!({
            "holds": found.holds, "events": found.events, "records": found.records, "receipts": found.receipts, "head_hash": head,
            "faults": found.faults, "remarks": found.remarks,
        }));
        return;
    }
    let word = if found.holds { "holds" } else { "DOES NOT HOLD" };
    println!(
        "The log of {} {word}: {} events, {} records, {} receipts; head {head}",
        node.space, found.events, found.records, found.receipts
    );
    for fault in &found.faults {
        println!("  {fault}");
    }
    for remark in &found.remarks {
        println!("  remark: {remark}");
    }
}
