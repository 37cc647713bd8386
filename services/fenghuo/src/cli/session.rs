//! `fenghuo session`: signing in for the other commands. The token is kept in a file that only its owner can read.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use fenghuo_api::identity::v1::session_service_client::SessionServiceClient;
use fenghuo_api::identity::v1::{GetSessionRequest, RedeemSetupLinkRequest, SignInRequest, SignOutRequest};
use fenghuo_durable::SpaceId;
use fenghuo_edge::{ClientSession, console_channel};
use serde::{Deserialize, Serialize};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use super::Outcome;
use super::output::{Failure, print_json};

/// A channel with the session in every call.
pub type SignedChannel = InterceptedService<Channel, ClientSession>;

/// Which node, as whom, in which space.
#[derive(Debug, Clone, Args)]
pub struct NodeArgs {
    /// Address of the node's console
    #[arg(long, env = "FENGHUO_URL", default_value = "http://127.0.0.1:8420", global = true)]
    pub url: String,
    /// Session token; without it the one that `fenghuo session sign-in` kept
    #[arg(long, env = "FENGHUO_TOKEN", hide_env_values = true, global = true)]
    pub token: Option<String>,
    /// Certificate of the province's authority (PEM), for a node beyond this machine
    #[arg(long, global = true)]
    pub ca: Option<PathBuf>,
    /// The space: real, or exercises/{uuid}
    #[arg(long, default_value = "real", global = true)]
    pub space: String,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// Tokens by the node's address.
    tokens: std::collections::BTreeMap<String, String>,
}

impl NodeArgs {
    fn channel(&self) -> Outcome<Channel> {
        let pem = self.ca.as_ref().map(std::fs::read_to_string).transpose()?;
        Ok(console_channel(&self.url, pem.as_deref())?)
    }

    /// A channel for calls that need a session.
    pub fn signed(&self) -> Outcome<SignedChannel> {
        let token = match &self.token {
            Some(token) => token.clone(),
            None => kept()?.tokens.get(&self.url).cloned().ok_or_else(|| {
                Failure::Input(format!(
                    "nobody is signed in at {}; run `fenghuo session sign-in --url {} --user NAME`, or set FENGHUO_TOKEN",
                    self.url, self.url
                ))
            })?,
        };
        let space: SpaceId = self.space.parse()?;
        let session = ClientSession::anonymous().with_token(&token)?.in_space(space)?;
        Ok(InterceptedService::new(self.channel()?, session))
    }

    fn anonymous(&self) -> Outcome<SignedChannel> {
        Ok(InterceptedService::new(self.channel()?, ClientSession::anonymous()))
    }
}

fn file() -> Outcome<PathBuf> {
    let base = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    base.map(|base| base.join("fenghuo").join("sessions.json")).ok_or_else(|| Failure::Input("set HOME, or give --token".to_owned()))
}

fn kept() -> Outcome<Kept> {
    match std::fs::read_to_string(file()?) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| {
            Failure::Input(format!(
                "{} cannot be read: {error}; remove it and sign in again",
                file().map(|f| f.display().to_string()).unwrap_or_default()
            ))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Kept::default()),
        Err(error) => Err(error.into()),
    }
}

fn keep(kept: &Kept) -> Outcome {
    use std::os::unix::fs::OpenOptionsExt;
    let path = file()?;
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    let new = path.with_extension("new");
    let _ = std::fs::remove_file(&new);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(serde_json::to_string(kept).map_err(|error| Failure::Refused(error.to_string()))?.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(new, path)?;
    Ok(())
}

const EXAMPLES: &str = "Examples:
  fenghuo session setup --setup-token TOKEN --user admin --name 管理员
  fenghuo session sign-in --user lijing
  FENGHUO_PASSWORD=... fenghuo session sign-in --url http://127.0.0.1:8430 --user lijing";

/// Signs in and out.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum SessionCommand {
    /// Sets the administrator's password with the one-time token of the first start
    Setup {
        #[command(flatten)]
        node: NodeArgs,
        /// The token of the setup link
        #[arg(long)]
        setup_token: String,
        /// User name of the administrator
        #[arg(long, default_value = "admin")]
        user: String,
        /// Name as shown
        #[arg(long, default_value = "管理员")]
        name: String,
    },
    /// Signs in; the password comes from FENGHUO_PASSWORD or is asked for
    SignIn {
        #[command(flatten)]
        node: NodeArgs,
        /// User name
        #[arg(long)]
        user: String,
    },
    /// Ends the session
    SignOut {
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Who is signed in
    Show {
        #[command(flatten)]
        node: NodeArgs,
    },
}

fn password() -> Outcome<String> {
    if let Ok(password) = std::env::var("FENGHUO_PASSWORD") {
        return Ok(password);
    }
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    // The terminal itself hides what is typed.
    let quiet = std::process::Command::new("stty").arg("-echo").status();
    eprint!("Password: ");
    std::io::stderr().flush()?;
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    if quiet.is_ok() {
        let _ = std::process::Command::new("stty").arg("echo").status();
    }
    eprintln!();
    read?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn remember(node: &NodeArgs, token: &str, who: &str) -> Outcome {
    let mut kept = kept()?;
    kept.tokens.insert(node.url.clone(), token.to_owned());
    keep(&kept)?;
    if node.json {
        print_json(&serde_json::json!({ "url": node.url, "signed_in_as": who, "session_token": token }));
    } else {
        println!("Signed in at {} as {who}.", node.url);
    }
    Ok(())
}

/// Runs it.
pub async fn run(command: SessionCommand) -> Outcome {
    match command {
        SessionCommand::Setup { node, setup_token, user, name } => {
            let request = RedeemSetupLinkRequest { setup_token, user_name: user, display_name: name, password: password()? };
            let answer = SessionServiceClient::new(node.anonymous()?).redeem_setup_link(request).await?.into_inner();
            remember(&node, &answer.session_token, &answer.person.unwrap_or_default().display_name)
        }
        SessionCommand::SignIn { node, user } => {
            let request = SignInRequest { user_name: user, password: password()? };
            let answer = SessionServiceClient::new(node.anonymous()?).sign_in(request).await?.into_inner();
            remember(&node, &answer.session_token, &answer.person.unwrap_or_default().display_name)
        }
        SessionCommand::SignOut { node } => {
            SessionServiceClient::new(node.signed()?).sign_out(SignOutRequest {}).await?;
            let mut kept = kept()?;
            kept.tokens.remove(&node.url);
            keep(&kept)
        }
        SessionCommand::Show { node } => {
            let answer = SessionServiceClient::new(node.signed()?).get_session(GetSessionRequest {}).await?.into_inner();
            let person = answer.person.unwrap_or_default();
            let grants: Vec<_> =
                person.grants.iter().map(|grant| format!("{} {}", grant.role().as_str_name(), grant.jurisdiction)).collect();
            if node.json {
                print_json(
                    &serde_json::json!({ "user_name": person.user_name, "display_name": person.display_name, "post": person.post, "grants": grants }),
                );
            } else {
                println!("{} ({}) {}\n  {}", person.display_name, person.user_name, person.post, grants.join("\n  "));
            }
            Ok(())
        }
    }
}
