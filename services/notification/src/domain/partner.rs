//! A neighbouring province in the directory.

use serde::{Deserialize, Serialize};

/// How a partner is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Both sides can open connections.
    Push,
    /// Only we can: we push and also fetch.
    Pull,
    /// No node: numbered letters.
    Letter,
}

/// A partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partner {
    /// `provinces/{us}/partners/{them}`.
    pub name: String,
    /// Rises with every change.
    pub revision: u64,
    /// Six-digit code.
    pub province_code: String,
    /// Name in Chinese.
    pub display_name: String,
    /// How it is reached.
    pub mode: Mode,
    /// Address of its mailbox; empty if it cannot be called.
    #[serde(default)]
    pub endpoint: String,
    /// Fingerprint as compared by telephone.
    #[serde(default)]
    pub fingerprint: String,
    /// Telephone answered at all hours.
    #[serde(default)]
    pub duty_telephone: String,
    /// The pinned authority, DER, hexadecimal.
    #[serde(default)]
    pub ca_certificate_hex: String,
    /// Pinned signing keys, 32 bytes each, hexadecimal; the present one first, then those before it.
    #[serde(default)]
    pub signing_keys_hex: Vec<String>,
}
