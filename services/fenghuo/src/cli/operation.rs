//! `fenghuo operation`: what is wrong with a node now, and the end of its quarantine.

use clap::Subcommand;
use fenghuo_api::operation::v1::operation_service_client::OperationServiceClient;
use fenghuo_api::operation::v1::{Condition, ListConditionsRequest, Quarantine, ReleaseQuarantineRequest};
use fenghuo_durable::new_id;
use serde_json::{Value, json};

use super::Outcome;
use super::output::{beijing, print_json, rfc3339};
use super::session::NodeArgs;

const EXAMPLES: &str = "Examples:
  fenghuo operation conditions
  fenghuo operation release --reason '已与重庆值班室电话核对，对方节点停机检修'
Releasing lets the clocks of a restored node run and fire what came due. It sends nothing to a partner that has not answered: that stream
opens by itself once the partner has given back what it had.";

/// Shows what is wrong with the node, and releases a quarantine.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum OperationCommand {
    /// What is wrong with the node now, the gravest first
    Conditions {
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Ends the quarantine of a restored node whose partner cannot be reached; for administrators and commanders
    Release {
        #[command(flatten)]
        node: NodeArgs,
        /// Why it is not waited any longer; kept in the log with the name
        #[arg(long)]
        reason: String,
    },
}

/// Runs it.
pub async fn run(command: OperationCommand) -> Outcome {
    match command {
        OperationCommand::Conditions { node } => {
            let answer = OperationServiceClient::new(node.signed()?).list_conditions(ListConditionsRequest {}).await?.into_inner();
            if node.json {
                let conditions: Vec<Value> = answer.conditions.iter().map(as_json).collect();
                print_json(&json!({ "conditions": conditions, "quarantine": answer.quarantine.as_ref().map(quarantine_json) }));
                return Ok(());
            }
            if answer.conditions.is_empty() {
                println!("Nothing is wrong.");
            }
            for one in &answer.conditions {
                println!("{} {:<22} {}\n  {}", beijing(one.since_time.as_ref()), one.code, one.text_en, one.next_en);
                if !one.detail.is_empty() {
                    println!("  ({})", one.detail);
                }
            }
            Ok(())
        }
        OperationCommand::Release { node, reason } => {
            let request = ReleaseQuarantineRequest { request_id: new_id().to_string(), reason };
            let answer = OperationServiceClient::new(node.signed()?).release_quarantine(request).await?.into_inner();
            let quarantine = answer.quarantine.unwrap_or_default();
            if node.json {
                print_json(&quarantine_json(&quarantine));
                return Ok(());
            }
            println!("The quarantine is released: the clocks run.");
            for partner in &quarantine.waiting_partner_codes {
                println!("  {partner} has not given back what it had: nothing is sent to it until it does; telephone.");
            }
            Ok(())
        }
    }
}

fn as_json(one: &Condition) -> Value {
    json!({
        "code": one.code, "subject": one.subject, "severity": one.severity().as_str_name(), "since": rfc3339(one.since_time.as_ref()),
        "text_zh": one.text_zh, "text_en": one.text_en, "next_zh": one.next_zh, "next_en": one.next_en, "detail": one.detail,
    })
}

fn quarantine_json(one: &Quarantine) -> Value {
    json!({
        "name": one.name, "state": one.state().as_str_name(), "begun": rfc3339(one.begin_time.as_ref()), "waiting": one.waiting_partner_codes,
        "released_by": one.released_by, "released": rfc3339(one.release_time.as_ref()), "reason": one.reason, "over": rfc3339(one.over_time.as_ref()),
    })
}
