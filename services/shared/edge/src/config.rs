//! The configuration of a node: defaults, then a TOML file, then `FENGHUO_*` variables, then the command line; checked as a whole before
//! any port opens.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use fenghuo_durable::{Error, Result, Violation};
use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use serde::{Deserialize, Deserializer};

use crate::bundle::check_endpoint;
use crate::limits::{Limits, LimitsTexts};
use crate::nats_config::{NatsConfig, NatsTexts};
use crate::province_code::check_province_code;

/// The prefix of our environment variables.
pub const ENV_PREFIX: &str = "FENGHUO_";
/// Names of all settings, as in the file; in the environment in upper case after [`ENV_PREFIX`].
pub const SETTINGS: &[&str] = &[
    "province_code",
    "display_name",
    "display_name_en",
    "data_dir",
    "keys_dir",
    "shared_listen",
    "only",
    "console_listen",
    "partner_listen",
    "partner_endpoint",
    "duty_telephone",
    "database_url",
    "acknowledge_within_s",
    "calls_per_second_per_person",
    "calls_per_second_per_partner",
    "streams_per_person",
    "connections_per_address",
    "log_format",
    "sqlite_group_max",
    "otlp_endpoint",
    "otlp_ca_file",
    "trace_percent",
    "nats_url",
    "nats_credentials_file",
    "nats_ca_file",
    "nats_generation",
    "nats_max_bytes",
];

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// A text that must not appear in logs, such as a database URL with its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
}

/// A node's configuration, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeConfig {
    /// Six-digit code of the province. Required.
    pub province_code: String,
    /// Name in Chinese. Required.
    pub display_name: String,
    /// Name in English; the Chinese one if not given.
    pub display_name_en: String,
    /// Where keys and SQLite databases stand. Default "fenghuo-data".
    pub data_dir: PathBuf,
    /// Where the province's keys stand. Default "keys" in `data_dir`. Replicas of one node share it, and no data folder.
    pub keys_dir: PathBuf,
    /// Whether other replicas on this machine listen on the same addresses (SO_REUSEPORT). Default no; needs `database_url`.
    pub shared_listen: bool,
    /// Names of the services that this process serves, in the setting separated by commas; none: all. Needs `database_url`.
    pub only: Vec<String>,
    /// Where the console listens. Default 127.0.0.1:8420. Any other address than loopback is served with TLS, by the province's own leaf.
    pub console_listen: SocketAddr,
    /// Where partners call. Default 127.0.0.1:7420; mutual TLS always.
    pub partner_listen: SocketAddr,
    /// The URL told to partners, if given. Empty: this province cannot be called, it only pulls. See [`NodeConfig::endpoint`].
    pub partner_endpoint: Option<String>,
    /// Telephone answered at all hours (24小时值班电话). Required.
    pub duty_telephone: String,
    /// PostgreSQL; without it SQLite in `data_dir`.
    pub database_url: Option<Secret>,
    /// Within how many seconds a person of the partner should acknowledge a notification before the desk is reminded. Default 900. The law
    /// gives no figure for this; it is the node's own setting.
    pub acknowledge_within_s: u32,
    /// How log lines are written. Default human.
    pub log_format: LogFormat,
    /// What one caller may ask for. Defaults: see [`Limits`].
    pub limits: Limits,
    /// At most so many writes share one COMMIT on SQLite. For measurements alone: 1 shows what a COMMIT for each call costs; a node that
    /// serves people leaves it out.
    pub sqlite_group_max: Option<usize>,
    /// The OTLP collector (gRPC) that takes spans and metrics, such as "http://127.0.0.1:4317"; https to another machine. Without it nothing
    /// is exported.
    pub otlp_endpoint: Option<String>,
    /// Authorities (PEM) that may sign an https collector's certificate. Default: those of the system.
    pub otlp_ca_file: Option<PathBuf>,
    /// How many of a hundred traces are exported, chosen by their id. Default 100.
    pub trace_percent: u8,
    /// The NATS server to which the event log is published; none: it is not.
    pub nats: Option<NatsConfig>,
}

impl NodeConfig {
    /// Reads and checks the configuration. `overrides` are settings of the command line by their name. INVALID_ARGUMENT with every wrong
    /// setting.
    pub fn load(file: Option<&Path>, overrides: &[(&str, String)]) -> Result<Self> {
        Self::load_with(file, std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))), overrides)
    }

    /// The same with the environment given.
    pub fn load_with(file: Option<&Path>, env: impl Iterator<Item = (String, String)>, overrides: &[(&str, String)]) -> Result<Self> {
        let mut figment = Figment::new();
        if let Some(file) = file {
            if !file.is_file() {
                return Err(Error::invalid("config", format!("there is no file {}", file.display())));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        let variables = env.filter_map(|(name, value)| {
            let name = name.strip_prefix(ENV_PREFIX)?.to_ascii_lowercase();
            SETTINGS.contains(&name.as_str()).then_some((name, value))
        });
        let given = overrides.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let figment = figment
            .merge(Texts { source: "environment variables FENGHUO_*", texts: variables.collect() })
            .merge(Texts { source: "command line", texts: given.collect() });
        checked(&figment)
    }

    /// The same from the text of a file alone, without variables and command line.
    pub fn parse(text: &str) -> Result<Self> {
        checked(&Figment::from(Toml::string(text)))
    }

    /// What partners are told: the setting, or https with the address that the partner listener was bound to.
    pub fn endpoint(&self, bound: SocketAddr) -> String {
        self.partner_endpoint.clone().unwrap_or_else(|| format!("https://{bound}"))
    }

    /// Hosts that the TLS leaf should carry beside loopback's: those of the endpoint and of the listening addresses.
    pub fn certificate_hosts(&self) -> Vec<String> {
        let mut hosts = Vec::new();
        if let Some(host) =
            self.partner_endpoint.as_ref().and_then(|url| url.parse::<http::Uri>().ok()).and_then(|uri| uri.host().map(str::to_owned))
        {
            hosts.push(host);
        }
        for address in [self.console_listen, self.partner_listen] {
            if !address.ip().is_unspecified() {
                hosts.push(address.ip().to_string());
            }
        }
        hosts
    }
}

fn checked(figment: &Figment) -> Result<NodeConfig> {
    let raw: Raw = figment.extract().map_err(|e| Error::invalid_fields(e.into_iter().map(|e| as_violation(&e)).collect()))?;
    raw.check()
}

/// Settings as they come: all may be missing, and texts may look like numbers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default, deserialize_with = "text")]
    province_code: Option<String>,
    #[serde(default, deserialize_with = "text")]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    display_name_en: Option<String>,
    #[serde(default, deserialize_with = "text")]
    data_dir: Option<String>,
    #[serde(default, deserialize_with = "text")]
    keys_dir: Option<String>,
    #[serde(default, deserialize_with = "text")]
    shared_listen: Option<String>,
    #[serde(default, deserialize_with = "text")]
    only: Option<String>,
    #[serde(default, deserialize_with = "text")]
    console_listen: Option<String>,
    #[serde(default, deserialize_with = "text")]
    partner_listen: Option<String>,
    #[serde(default, deserialize_with = "text")]
    partner_endpoint: Option<String>,
    #[serde(default, deserialize_with = "text")]
    duty_telephone: Option<String>,
    #[serde(default, deserialize_with = "text")]
    database_url: Option<String>,
    #[serde(default, deserialize_with = "text")]
    acknowledge_within_s: Option<String>,
    #[serde(default, deserialize_with = "text")]
    calls_per_second_per_person: Option<String>,
    #[serde(default, deserialize_with = "text")]
    calls_per_second_per_partner: Option<String>,
    #[serde(default, deserialize_with = "text")]
    streams_per_person: Option<String>,
    #[serde(default, deserialize_with = "text")]
    connections_per_address: Option<String>,
    #[serde(default, deserialize_with = "text")]
    log_format: Option<String>,
    #[serde(default, deserialize_with = "text")]
    sqlite_group_max: Option<String>,
    #[serde(default, deserialize_with = "text")]
    otlp_endpoint: Option<String>,
    #[serde(default, deserialize_with = "text")]
    otlp_ca_file: Option<String>,
    #[serde(default, deserialize_with = "text")]
    trace_percent: Option<String>,
    #[serde(default, deserialize_with = "text")]
    nats_url: Option<String>,
    #[serde(default, deserialize_with = "text")]
    nats_credentials_file: Option<String>,
    #[serde(default, deserialize_with = "text")]
    nats_ca_file: Option<String>,
    #[serde(default, deserialize_with = "text")]
    nats_generation: Option<String>,
    #[serde(default, deserialize_with = "text")]
    nats_max_bytes: Option<String>,
}

impl Raw {
    fn check(self) -> Result<NodeConfig> {
        let mut faults = Faults(Vec::new());
        let province_code = self.province_code.unwrap_or_default();
        if province_code.is_empty() {
            faults.add("province_code", "is missing: the six-digit code of the province, for example \"420000\"");
        } else if let Err(error) = check_province_code("province_code", &province_code) {
            faults.0.extend(error.violations);
        }
        let display_name = faults.name("display_name", self.display_name, "the province's name, for example \"湖北省\"");
        let display_name_en = self.display_name_en.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| display_name.clone());
        let duty_telephone = faults.name("duty_telephone", self.duty_telephone, "a telephone that is answered at all hours");
        let console_listen = faults.address("console_listen", self.console_listen, 8420);
        let partner_listen = faults.address("partner_listen", self.partner_listen, 7420);
        if console_listen == partner_listen && console_listen.port() != 0 {
            faults.add("partner_listen", format!("{partner_listen} is the console's address too; each listener needs its own"));
        }
        faults.endpoint(self.partner_endpoint.as_deref(), partner_listen);
        let limits = LimitsTexts {
            calls_per_second_per_person: self.calls_per_second_per_person,
            calls_per_second_per_partner: self.calls_per_second_per_partner,
            streams_per_person: self.streams_per_person,
            connections_per_address: self.connections_per_address,
        };
        let limits = limits.check(&mut faults.0);
        let nats = NatsTexts {
            url: self.nats_url,
            credentials_file: self.nats_credentials_file,
            ca_file: self.nats_ca_file,
            generation: self.nats_generation,
            max_bytes: self.nats_max_bytes,
        };
        let nats = nats.check(&mut faults.0);
        let data_dir = faults.folder("data_dir", self.data_dir, || PathBuf::from("fenghuo-data"));
        let keys_dir = faults.folder("keys_dir", self.keys_dir, || data_dir.join("keys"));
        let database_url = faults.database_url(self.database_url);
        let shared_listen = faults.yes("shared_listen", self.shared_listen);
        if shared_listen && database_url.is_none() {
            faults.add("shared_listen", "is for replicas, which need PostgreSQL: give database_url; SQLite belongs to one process");
        }
        let only: Vec<String> = self
            .only
            .iter()
            .flat_map(|names| names.split(','))
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        if !only.is_empty() && database_url.is_none() {
            faults.add("only", "needs processes beside this one, and so PostgreSQL: give database_url; on SQLite one process serves all");
        }
        let config = NodeConfig {
            province_code,
            display_name,
            display_name_en,
            data_dir,
            keys_dir,
            shared_listen,
            only,
            console_listen,
            partner_listen,
            partner_endpoint: self.partner_endpoint,
            duty_telephone,
            database_url,
            acknowledge_within_s: faults.seconds("acknowledge_within_s", self.acknowledge_within_s, 900),
            log_format: faults.log_format(self.log_format),
            limits,
            sqlite_group_max: faults.group_max(self.sqlite_group_max),
            otlp_endpoint: faults.otlp_endpoint(self.otlp_endpoint),
            otlp_ca_file: self.otlp_ca_file.filter(|file| !file.is_empty()).map(PathBuf::from),
            trace_percent: faults.percent("trace_percent", self.trace_percent),
            nats,
        };
        if faults.0.is_empty() { Ok(config) } else { Err(Error::invalid_fields(faults.0)) }
    }
}

struct Faults(Vec<Violation>);

impl Faults {
    fn add(&mut self, field: &str, description: impl Into<String>) {
        self.0.push(Violation { field: field.to_owned(), description: description.into() });
    }

    fn name(&mut self, field: &str, value: Option<String>, what: &str) -> String {
        let value = value.unwrap_or_default().trim().to_owned();
        if value.is_empty() {
            self.add(field, format!("is missing: {what}"));
        } else if value.chars().any(char::is_control) || value.chars().count() > 200 {
            self.add(field, "must be at most 200 characters without control characters");
        }
        value
    }

    fn address(&mut self, field: &str, value: Option<String>, default_port: u16) -> SocketAddr {
        let default = SocketAddr::from(([127, 0, 0, 1], default_port));
        let Some(value) = value else { return default };
        value.parse().unwrap_or_else(|_| {
            self.add(field, format!("\"{value}\" is not an address with a port, for example \"{default}\" or \"[::1]:{default_port}\""));
            default
        })
    }

    fn endpoint(&mut self, endpoint: Option<&str>, partner_listen: SocketAddr) {
        match endpoint {
            Some("") => {}
            Some(endpoint) => {
                if let Err(what) = check_endpoint(endpoint) {
                    self.add("partner_endpoint", what);
                }
            }
            None if partner_listen.ip().is_unspecified() => {
                let what = format!(
                    "is missing: partner_listen is {partner_listen}, so say under which https URL partners reach it (\"\": they do not)"
                );
                self.add("partner_endpoint", what);
            }
            None => {}
        }
    }

    fn folder(&mut self, field: &str, value: Option<String>, default: impl Fn() -> PathBuf) -> PathBuf {
        let dir = value.map_or_else(default, PathBuf::from);
        if dir.as_os_str().is_empty() {
            self.add(field, "must not be empty");
        } else if dir.exists() && !dir.is_dir() {
            self.add(field, format!("{} is not a folder", dir.display()));
        }
        dir
    }

    fn yes(&mut self, field: &str, value: Option<String>) -> bool {
        match value.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                self.add(field, format!("\"{other}\" is not \"true\" or \"false\""));
                false
            }
        }
    }

    fn database_url(&mut self, value: Option<String>) -> Option<Secret> {
        let url = value.filter(|url| !url.is_empty())?;
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            // Not repeated: it may hold a password.
            self.add("database_url", "must begin with postgres:// or postgresql://; leave it out for SQLite in data_dir");
        }
        Some(Secret(url))
    }

    fn seconds(&mut self, field: &str, value: Option<String>, default: u32) -> u32 {
        let Some(value) = value else { return default };
        value.parse().ok().filter(|seconds| (1..=86_400).contains(seconds)).unwrap_or_else(|| {
            self.add(field, format!("\"{value}\" is not a whole number of seconds from 1 to 86400"));
            default
        })
    }

    fn group_max(&mut self, value: Option<String>) -> Option<usize> {
        let value = value?;
        let most = value.parse().ok().filter(|most| (1..=256).contains(most));
        if most.is_none() {
            self.add("sqlite_group_max", format!("\"{value}\" is not a whole number from 1 to 256"));
        }
        most
    }

    fn otlp_endpoint(&mut self, value: Option<String>) -> Option<String> {
        let url = value.filter(|url| !url.is_empty())?;
        if let Err(what) = crate::telemetry::check_endpoint(&url) {
            self.add("otlp_endpoint", what);
        }
        Some(url)
    }

    fn percent(&mut self, field: &str, value: Option<String>) -> u8 {
        let Some(value) = value else { return 100 };
        value.parse().ok().filter(|percent| *percent <= 100).unwrap_or_else(|| {
            self.add(field, format!("\"{value}\" is not a whole number from 0 to 100"));
            100
        })
    }

    fn log_format(&mut self, value: Option<String>) -> LogFormat {
        match value.as_deref() {
            None | Some("human") => LogFormat::Human,
            Some("json") => LogFormat::Json,
            Some(other) => {
                self.add("log_format", format!("\"{other}\" is not \"human\" or \"json\""));
                LogFormat::Human
            }
        }
    }
}

/// Takes texts as they are, and other values as the texts that were meant (`province_code = 420000`, `shared_listen = true`).
fn text<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Scalar {
        Text(String),
        Number(i64),
        Bool(bool),
    }
    Ok(match Option::<Scalar>::deserialize(from)? {
        None => None,
        Some(Scalar::Text(text)) => Some(text),
        Some(Scalar::Number(number)) => Some(number.to_string()),
        Some(Scalar::Bool(yes)) => Some(yes.to_string()),
    })
}

fn as_violation(error: &figment::Error) -> Violation {
    let field = error.path.join(".");
    // A setting may be named "", too.
    Violation { field: if field.is_empty() { "config".to_owned() } else { field }, description: error.to_string() }
}

/// Settings from a source that knows only texts; guessing types there would eat the zero of "027-8716".
struct Texts {
    source: &'static str,
    texts: Vec<(String, String)>,
}

impl Provider for Texts {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source)
    }

    fn data(&self) -> std::result::Result<Map<Profile, Dict>, figment::Error> {
        let dict: Dict = self.texts.iter().map(|(name, value)| (name.clone(), Value::from(value.clone()))).collect();
        Ok(Map::from([(Profile::Default, dict)]))
    }
}
