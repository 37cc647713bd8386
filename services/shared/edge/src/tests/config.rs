use std::path::PathBuf;

use fenghuo_durable::{Error, Result};

use crate::config::{LogFormat, NodeConfig};
use crate::limits::Limits;

const MINIMAL: &str = "province_code = \"420000\"\ndisplay_name = \"湖北省\"\nduty_telephone = \"027-87167480\"\n";

fn load(file: &str, env: &[(&str, &str)], overrides: &[(&str, &str)]) -> Result<NodeConfig> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("node.toml");
    std::fs::write(&path, file).unwrap();
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let overrides: Vec<(&str, String)> = overrides.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    NodeConfig::load_with(Some(&path), env, &overrides)
}

fn fields(error: &Error) -> Vec<&str> {
    error.violations.iter().map(|v| v.field.as_str()).collect()
}

#[test]
fn the_rest_has_defaults() {
    let config = load(MINIMAL, &[], &[]).unwrap();
    assert_eq!(config.console_listen.to_string(), "127.0.0.1:8420");
    assert_eq!(config.partner_listen.to_string(), "127.0.0.1:7420");
    assert_eq!(config.acknowledge_within_s, 900);
    assert_eq!((config.otlp_endpoint.as_deref(), config.otlp_ca_file.as_deref(), config.trace_percent), (None, None, 100));
    assert_eq!(
        (config.data_dir.clone(), config.log_format, config.database_url.clone()),
        (PathBuf::from("fenghuo-data"), LogFormat::Human, None)
    );
    assert_eq!(config.display_name_en, "湖北省");
    assert_eq!(config.endpoint("127.0.0.1:5555".parse().unwrap()), "https://127.0.0.1:5555");
}

#[test]
fn the_environment_wins_over_the_file_and_the_command_line_over_both() {
    let file = format!("{MINIMAL}acknowledge_within_s = 60\nlog_format = \"json\"\n");
    let env = [("FENGHUO_ACKNOWLEDGE_WITHIN_S", "120"), ("FENGHUO_PARTNER_LISTEN", "127.0.0.1:1"), ("FENGHUO_LOG", "debug"), ("HOME", "/")];
    let config = load(&file, &env, &[("partner_listen", "127.0.0.1:0")]).unwrap();
    assert_eq!(config.acknowledge_within_s, 120);
    assert_eq!(config.partner_listen.port(), 0);
    assert_eq!(config.log_format, LogFormat::Json);
}

#[test]
fn limits_are_whole_numbers_from_one() {
    let config = load(&format!("{MINIMAL}streams_per_person = 7\n"), &[("FENGHUO_CONNECTIONS_PER_ADDRESS", "9")], &[]).unwrap();
    let wanted = Limits { streams_per_person: 7, connections_per_address: 9, ..Limits::default() };
    assert_eq!(config.limits, wanted);
    let error =
        load(&format!("{MINIMAL}calls_per_second_per_person = 0\ncalls_per_second_per_partner = \"many\"\n"), &[], &[]).unwrap_err();
    assert_eq!(fields(&error), ["calls_per_second_per_person", "calls_per_second_per_partner"]);
}

#[test]
fn numbers_in_place_of_texts_keep_their_digits() {
    let file = "province_code = 420000\ndisplay_name = \"湖北省\"\n";
    let config = load(file, &[("FENGHUO_DUTY_TELEPHONE", "02787167480")], &[]).unwrap();
    assert_eq!((config.province_code.as_str(), config.duty_telephone.as_str()), ("420000", "02787167480"));
}

#[test]
fn every_wrong_setting_is_named_at_once() {
    let file = "province_code = \"4200\"\nconsole_listen = \"localhost\"\npartner_endpoint = \"http://x\"\nacknowledge_within_s = 0\n\
                log_format = \"xml\"\ndatabase_url = \"mysql://root:geheim@h\"\n";
    let error = load(file, &[], &[]).unwrap_err();
    let expected = [
        "province_code",
        "display_name",
        "duty_telephone",
        "console_listen",
        "partner_endpoint",
        "database_url",
        "acknowledge_within_s",
        "log_format",
    ];
    assert_eq!(fields(&error), expected);
    assert!(!error.message.contains("geheim"));
}

#[test]
fn unknown_settings_types_and_files_are_refused() {
    let error = load(&format!("{MINIMAL}acknowledge_within = 9\n"), &[], &[]).unwrap_err();
    assert!(error.message.contains("acknowledge_within") && error.message.contains("node.toml"), "{}", error.message);
    assert_eq!(fields(&load(&format!("{MINIMAL}data_dir = [1]\n"), &[], &[]).unwrap_err()), ["data_dir"]);
    assert!(load("province_code = ", &[], &[]).is_err());
    let missing = NodeConfig::load_with(Some("/nowhere/node.toml".as_ref()), std::iter::empty(), &[]).unwrap_err();
    assert!(missing.message.contains("/nowhere/node.toml"));
}

#[test]
fn listeners_that_clash_or_cannot_be_named_are_refused() {
    let clash = load(MINIMAL, &[], &[("partner_listen", "127.0.0.1:8420")]).unwrap_err();
    assert_eq!(fields(&clash), ["partner_listen"]);
    let unnamed = load(MINIMAL, &[], &[("partner_listen", "0.0.0.0:7420")]).unwrap_err();
    assert_eq!(fields(&unnamed), ["partner_endpoint"]);
    load(MINIMAL, &[], &[("partner_listen", "0.0.0.0:7420"), ("partner_endpoint", "https://fenghuo.hb.example:7420")]).unwrap();
    let pulls = load(MINIMAL, &[], &[("partner_endpoint", "")]).unwrap();
    assert_eq!(pulls.endpoint("127.0.0.1:1".parse().unwrap()), "");
    load(MINIMAL, &[], &[("partner_listen", "127.0.0.1:0"), ("console_listen", "127.0.0.1:0")]).unwrap();
}

#[test]
fn spans_are_sent_to_another_machine_over_tls_alone() {
    let good = load(MINIMAL, &[("FENGHUO_TRACE_PERCENT", "5")], &[("otlp_endpoint", "http://127.0.0.1:4317")]).unwrap();
    assert_eq!((good.otlp_endpoint.as_deref(), good.trace_percent), (Some("http://127.0.0.1:4317"), 5));
    load(MINIMAL, &[], &[("otlp_endpoint", "https://collector.example:4317")]).unwrap();
    assert_eq!(load(MINIMAL, &[], &[("otlp_endpoint", "")]).unwrap().otlp_endpoint, None);
    let bad = load(MINIMAL, &[], &[("otlp_endpoint", "http://collector.example:4317"), ("trace_percent", "101")]).unwrap_err();
    assert_eq!(fields(&bad), ["otlp_endpoint", "trace_percent"]);
}

#[test]
fn a_password_does_not_show() {
    let config = load(MINIMAL, &[("FENGHUO_DATABASE_URL", "postgres://u:geheim@h/db")], &[]).unwrap();
    assert!(!format!("{config:?}").contains("geheim"));
    assert_eq!(config.database_url.unwrap().expose(), "postgres://u:geheim@h/db");
}

#[test]
fn nats_beyond_this_machine_needs_tls_and_keeps_its_password_elsewhere() {
    let nats = |url: &str| load(&format!("{MINIMAL}nats_url = \"{url}\"\n"), &[], &[]);
    assert_eq!(load(MINIMAL, &[], &[]).unwrap().nats, None);
    for url in ["nats://127.0.0.1:4222", "nats://localhost:4222", "nats://[::1]:4222", "tls://nats.example.cn:4222", "tls://10.0.0.9"] {
        let found = nats(url).unwrap().nats.unwrap();
        assert_eq!((found.url.as_str(), found.generation, found.max_bytes), (url, 1, None));
    }
    for url in ["nats://10.0.0.9:4222", "nats://nats.example.cn", "http://127.0.0.1:4222", "127.0.0.1:4222", "tls://"] {
        assert_eq!(fields(&nats(url).unwrap_err()), ["nats_url"], "{url}");
    }
    let error = nats("tls://root:geheim@nats.example.cn").unwrap_err();
    assert_eq!(fields(&error), ["nats_url"]);
    assert!(!error.message.contains("geheim"));
    let file = format!("{MINIMAL}nats_ca_file = \"/nowhere\"\nnats_generation = 0\nnats_max_bytes = \"much\"\n");
    assert_eq!(fields(&load(&file, &[], &[]).unwrap_err()), ["nats_ca_file", "nats_generation", "nats_max_bytes"]);
}
