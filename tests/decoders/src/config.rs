//! The configuration's TOML.

use fenghuo_edge::NodeConfig;

use crate::{Seed, fixture, refused};

/// Accepted: the node could start with it.
pub fn decode(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let config = match NodeConfig::parse(text) {
        Ok(config) => config,
        Err(error) => return refused(error),
    };
    assert!(config.province_code.len() == 6 && !config.display_name.trim().is_empty() && !config.duty_telephone.is_empty());
    assert!((1..=86_400).contains(&config.acknowledge_within_s));
    // What is accepted here must not fail at the start.
    fixture::keys().issue_leaf(&config.certificate_hosts(), fixture::now()).unwrap();
    let endpoint = config.endpoint(config.partner_listen);
    assert!(endpoint.is_empty() || endpoint.starts_with("https://") || endpoint.parse::<http::Uri>().is_ok(), "{endpoint}");
    if let Some(url) = &config.database_url {
        assert!(!format!("{config:?}").contains(url.expose()), "a database URL shows");
    }
    assert_eq!(NodeConfig::parse(text).unwrap(), config);
    true
}

/// The least, all settings, and some that are wrong.
pub fn seeds() -> Vec<Seed> {
    let least = "province_code = \"420000\"\ndisplay_name = \"湖北省\"\nduty_telephone = \"027-87167480\"\n";
    let all = "display_name_en = \"Hubei\"\ndata_dir = \"fenghuo-data\"\nconsole_listen = \"127.0.0.1:8420\"\n\
               partner_listen = \"[::1]:7420\"\npartner_endpoint = \"https://fenghuo.hb.example:7420\"\n\
               database_url = \"postgres://fenghuo:secret@db.example/fenghuo\"\nacknowledge_within_s = 900\nlog_format = \"json\"\n";
    vec![
        ("least", least.as_bytes().to_vec()),
        ("all", format!("{least}{all}").into_bytes()),
        ("numbers", b"province_code = 420000\ndisplay_name = 1\nduty_telephone = 2787167480\n".to_vec()),
        ("unknown", format!("{least}acknowledge_within = 9\n").into_bytes()),
    ]
}
