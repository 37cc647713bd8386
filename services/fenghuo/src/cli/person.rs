//! `fenghuo person`: people and what they may do, for an administrator.

use clap::Subcommand;
use fenghuo_api::identity::v1::people_service_client::PeopleServiceClient;
use fenghuo_api::identity::v1::{CreatePersonRequest, Grant, ListPeopleRequest, Person, Role};
use fenghuo_api::time::to_proto;
use fenghuo_durable::{new_id, wall};
use serde_json::{Value, json};

use super::Outcome;
use super::output::{Failure, print_json};
use super::session::NodeArgs;

const EXAMPLES: &str = "Examples:
  FENGHUO_NEW_PASSWORD=... fenghuo person add --user lijing --name 李静 --post '湖北省生态环境厅 值班员' --grant duty-officer:420000
  fenghuo person list --json
Roles do not include each other: viewer, duty-officer, commander, liaison, administrator.";

/// Adds and lists people.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum PersonCommand {
    /// Adds a person; the initial password comes from FENGHUO_NEW_PASSWORD
    Add {
        #[command(flatten)]
        node: NodeArgs,
        /// User name, lower case
        #[arg(long)]
        user: String,
        /// Name as shown
        #[arg(long)]
        name: String,
        /// Post and body
        #[arg(long, default_value = "")]
        post: String,
        /// ROLE:CODE, in force from now; may be given more than once
        #[arg(long = "grant", value_parser = grant, required = true)]
        grants: Vec<(Role, String)>,
        /// Initial password: at least 10 characters
        #[arg(long, env = "FENGHUO_NEW_PASSWORD", hide_env_values = true)]
        password: String,
    },
    /// Lists people and their grants
    List {
        #[command(flatten)]
        node: NodeArgs,
    },
}

fn grant(text: &str) -> Result<(Role, String), String> {
    let (role, code) = text.split_once(':').ok_or("write ROLE:CODE, for example duty-officer:420000")?;
    let role = match role {
        "viewer" => Role::Viewer,
        "duty-officer" => Role::DutyOfficer,
        "commander" => Role::Commander,
        "liaison" => Role::Liaison,
        "administrator" => Role::Administrator,
        other => return Err(format!("{other:?} is no role; there are viewer, duty-officer, commander, liaison and administrator")),
    };
    Ok((role, code.to_owned()))
}

fn role_name(role: Role) -> String {
    role.as_str_name().trim_start_matches("ROLE_").to_lowercase().replace('_', "-")
}

fn grants(person: &Person) -> Vec<String> {
    person.grants.iter().map(|grant| format!("{}:{}", role_name(grant.role()), grant.jurisdiction)).collect()
}

fn as_json(person: &Person) -> Value {
    json!({
        "name": person.name, "user_name": person.user_name, "display_name": person.display_name, "post": person.post,
        "active": person.active, "grants": grants(person),
    })
}

fn print_line(person: &Person) {
    let off = if person.active { "" } else { "  (off)" };
    println!("{}  {} {}  {}{off}", person.user_name, person.display_name, person.post, grants(person).join(" "));
}

/// Runs it.
pub async fn run(command: PersonCommand) -> Outcome {
    match command {
        PersonCommand::Add { node, user, name, post, grants, password } => {
            let start_time = Some(to_proto(wall::now()));
            let grants = grants
                .into_iter()
                .map(|(role, jurisdiction)| Grant { role: role.into(), jurisdiction, start_time, end_time: None })
                .collect();
            let person = Person { user_name: user, display_name: name, post, grants, active: true, ..Person::default() };
            let request = CreatePersonRequest { request_id: new_id().to_string(), person: Some(person), password };
            let answer = PeopleServiceClient::new(node.signed()?).create_person(request).await?.into_inner();
            let person = answer.person.ok_or_else(|| Failure::Refused("the node answered without a person".to_owned()))?;
            if node.json { print_json(&as_json(&person)) } else { print_line(&person) }
        }
        PersonCommand::List { node } => {
            let people = list(&node).await?;
            if node.json {
                print_json(&Value::Array(people.iter().map(as_json).collect()));
            } else {
                people.iter().for_each(print_line);
            }
        }
    }
    Ok(())
}

async fn list(node: &NodeArgs) -> Outcome<Vec<Person>> {
    let mut client = PeopleServiceClient::new(node.signed()?);
    let mut people = Vec::new();
    let mut page_token = String::new();
    loop {
        let page = client.list_people(ListPeopleRequest { page_size: 500, page_token }).await?.into_inner();
        people.extend(page.people);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(people);
        }
    }
}
