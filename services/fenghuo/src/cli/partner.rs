//! `fenghuo partner`: bundles, fingerprints, links.

use std::path::PathBuf;

use clap::Subcommand;
use fenghuo_api::notification::v1::partner_directory_service_client::PartnerDirectoryServiceClient;
use fenghuo_api::notification::v1::*;
use fenghuo_durable::new_id;
use serde_json::{Value, json};

use super::Outcome;
use super::output::{Failure, beijing, print_json, rfc3339};
use super::session::NodeArgs;

const EXAMPLES: &str = "Examples:
  fenghuo partner bundle --out hubei.fenghuo-bundle.json
  fenghuo partner enrol chongqing.fenghuo-bundle.json --fingerprint '1a2b 3c4d ...'
  fenghuo partner add-letter --province 510000 --name 四川省 --telephone 028-00000000
  fenghuo partner list";

/// Exchanges bundles and shows links.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum PartnerCommand {
    /// Writes this province's bundle to a file and prints the fingerprint to read out by telephone
    Bundle {
        #[command(flatten)]
        node: NodeArgs,
        /// File to write
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Enrols a neighbour from its bundle, with the fingerprint compared by telephone
    Enrol {
        #[command(flatten)]
        node: NodeArgs,
        /// The neighbour's bundle file
        bundle: PathBuf,
        /// The fingerprint that the neighbour read out
        #[arg(long)]
        fingerprint: String,
        /// Only we can open connections: fetch from the neighbour as well
        #[arg(long)]
        pull: bool,
    },
    /// Adds a neighbour without a node: it gets numbered letters
    AddLetter {
        #[command(flatten)]
        node: NodeArgs,
        /// Six-digit code
        #[arg(long)]
        province: String,
        /// Name in Chinese
        #[arg(long)]
        name: String,
        /// Telephone answered at all hours
        #[arg(long)]
        telephone: String,
    },
    /// Lists neighbours and their links
    List {
        #[command(flatten)]
        node: NodeArgs,
    },
}

fn as_json(partner: &Partner) -> Value {
    json!({
        "name": partner.name, "province_code": partner.province_code, "display_name": partner.display_name, "mode": partner.mode().as_str_name(),
        "endpoint": partner.endpoint, "link_state": partner.link_state().as_str_name(), "link_since_time": rfc3339(partner.link_since_time.as_ref()),
        "last_contact_time": rfc3339(partner.last_contact_time.as_ref()), "last_error": partner.last_error, "undelivered_count": partner.undelivered_count,
    })
}

fn print(node: &NodeArgs, partner: &Partner) {
    if node.json {
        print_json(&as_json(partner));
    } else {
        let state = partner.link_state().as_str_name().trim_start_matches("LINK_STATE_").to_lowercase();
        println!(
            "{} {}  {state} since {}  {} undelivered  {}",
            partner.province_code,
            partner.display_name,
            beijing(partner.link_since_time.as_ref()),
            partner.undelivered_count,
            partner.last_error
        );
    }
}

/// Runs it.
pub async fn run(command: PartnerCommand) -> Outcome {
    let missing = || Failure::Refused("the node answered without a partner".to_owned());
    match command {
        PartnerCommand::Bundle { node, out } => {
            let answer = PartnerDirectoryServiceClient::new(node.signed()?).get_own_bundle(GetOwnBundleRequest {}).await?.into_inner();
            if let Some(out) = &out {
                std::fs::write(out, &answer.bundle_json)?;
            }
            match (node.json, &out) {
                (true, _) => print_json(
                    &json!({ "fingerprint": answer.fingerprint, "bundle": serde_json::from_str::<Value>(&answer.bundle_json).unwrap_or_default() }),
                ),
                (false, Some(out)) => println!("Wrote {}.\nFingerprint: {}", out.display(), answer.fingerprint),
                (false, None) => println!("{}\nFingerprint: {}", answer.bundle_json, answer.fingerprint),
            }
        }
        PartnerCommand::Enrol { node, bundle, fingerprint, pull } => {
            let bundle_json = std::fs::read_to_string(&bundle).map_err(|error| Failure::Input(format!("{}: {error}", bundle.display())))?;
            let mode = if pull { PartnerMode::Pull } else { PartnerMode::Push };
            let request = EnrolPartnerRequest { request_id: new_id().to_string(), bundle_json, fingerprint, mode: mode.into() };
            let answer = PartnerDirectoryServiceClient::new(node.signed()?).enrol_partner(request).await?.into_inner();
            print(&node, &answer.partner.ok_or_else(missing)?);
        }
        PartnerCommand::AddLetter { node, province, name, telephone } => {
            let request = AddLetterPartnerRequest {
                request_id: new_id().to_string(),
                province_code: province,
                display_name: name,
                duty_telephone: telephone,
            };
            let answer = PartnerDirectoryServiceClient::new(node.signed()?).add_letter_partner(request).await?.into_inner();
            print(&node, &answer.partner.ok_or_else(missing)?);
        }
        PartnerCommand::List { node } => {
            let answer = PartnerDirectoryServiceClient::new(node.signed()?)
                .list_partners(ListPartnersRequest { page_size: 500, page_token: String::new() })
                .await?;
            let partners = answer.into_inner().partners;
            if node.json {
                print_json(&Value::Array(partners.iter().map(as_json).collect()));
            } else {
                partners.iter().for_each(|partner| print(&node, partner));
            }
        }
    }
    Ok(())
}
