//! The manifest: what is in a backup, and what proves it.

use fenghuo_durable::{Error, Migration, Result};
use serde::{Deserialize, Serialize};

/// The form of the file that this program writes, and the newest that it reads.
pub const FORMAT: u32 = 1;
/// The manifest's own name in the file; the last entry.
pub const MANIFEST: &str = "manifest.json";

/// What is in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Form of the file.
    pub format: u32,
    /// Version of the program that wrote it.
    pub program: String,
    /// Six-digit code of the province.
    pub province_code: String,
    /// When the pictures were fixed, wall time.
    pub taken_at: jiff::Timestamp,
    /// "sqlite" or "postgres".
    pub databases: String,
    /// Are the province's private keys in it?
    pub with_keys: bool,
    /// The parts, in their order in the file.
    pub parts: Vec<Part>,
}

/// One part of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name in the file.
    pub name: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// Access mode of a key file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    /// What the part is if it is a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabasePart>,
}

/// A database in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabasePart {
    /// Short name: "node", "real", "ex_{uuid}".
    pub name: String,
    /// Last sequence number of its log.
    pub sequence: u64,
    /// SHA-256 of the chain there, hexadecimal.
    pub chain_hash: String,
    /// Steps of the schema.
    pub schema: Vec<Step>,
}

/// A step of one service's schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The service.
    pub service: String,
    /// From 1.
    pub version: i64,
}

impl Manifest {
    /// Reads a manifest; refuses a form that this program does not know, and names that lead out of the backup.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let bad = |text: String| Error::precondition("NOT_A_BACKUP", text);
        let form: Form = serde_json::from_slice(bytes).map_err(|error| bad(format!("the manifest cannot be read: {error}")))?;
        if form.format != FORMAT {
            return Err(bad(format!(
                "the backup has form {}, and this program knows form {FORMAT}; use the program that wrote it",
                form.format
            )));
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| bad(format!("the manifest cannot be read: {error}")))?;
        match manifest.parts.iter().find(|part| !part.is_well_named()) {
            Some(part) => Err(bad(format!("the manifest has a part \"{}\", which no backup has", part.name))),
            None => Ok(manifest),
        }
    }

    /// The databases.
    pub fn databases(&self) -> impl Iterator<Item = (&Part, &DatabasePart)> {
        self.parts.iter().filter_map(|part| part.database.as_ref().map(|database| (part, database)))
    }

    /// Refuses a schema that this program does not know.
    pub fn check_schema(&self, node: &[Migration], space: &[Migration]) -> Result<()> {
        for (part, database) in self.databases() {
            let known = if database.name == "node" { node } else { space };
            let unknown = |step: &&Step| !known.iter().any(|known| known.service == step.service && known.version == step.version);
            if let Some(step) = database.schema.iter().find(unknown) {
                let text = format!(
                    "{} has step {} of {}, which this program does not know; restore with fenghuo {} or newer",
                    part.name, step.version, step.service, self.program
                );
                return Err(Error::precondition("SCHEMA_UNKNOWN", text));
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Form {
    format: u32,
}

impl Part {
    fn is_well_named(&self) -> bool {
        let of_database = self.name.starts_with("databases/");
        let known = self.database.as_ref().is_none_or(|database| fenghuo_durable::picture::is_database_name(&database.name));
        is_part_name(&self.name) && known && of_database == self.database.is_some()
    }
}

/// Is this a name that a part can have: a plain file below `databases` or `keys`?
pub fn is_part_name(name: &str) -> bool {
    let plain = |name: &str| !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    matches!(name.split_once('/'), Some(("databases" | "keys", file)) if plain(file))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let schema = vec![Step { service: "durable".into(), version: 1 }];
        let database = DatabasePart { name: "node".into(), sequence: 3, chain_hash: "00".into(), schema };
        Manifest {
            format: FORMAT,
            program: "0.1.0".into(),
            province_code: "420000".into(),
            taken_at: jiff::Timestamp::UNIX_EPOCH,
            databases: "sqlite".into(),
            with_keys: false,
            parts: vec![Part {
                name: "databases/node.sqlite3".into(),
                bytes: 1,
                sha256: "00".into(),
                mode: None,
                database: Some(database),
            }],
        }
    }

    #[test]
    fn what_is_written_is_read_and_what_leads_out_is_refused() {
        let written = manifest();
        assert_eq!(Manifest::read(&serde_json::to_vec(&written).unwrap()).unwrap(), written);
        for name in ["../node.sqlite3", "databases/../../x", "keys/.ssh", "/etc/passwd", "databases/"] {
            let mut bad = manifest();
            bad.parts[0].name = name.into();
            assert_eq!(Manifest::read(&serde_json::to_vec(&bad).unwrap()).unwrap_err().reason, "NOT_A_BACKUP", "{name}");
        }
        let newer = Manifest { format: FORMAT + 1, ..manifest() };
        assert!(Manifest::read(&serde_json::to_vec(&newer).unwrap()).unwrap_err().message.contains("form 2"));
    }

    #[test]
    fn a_schema_that_is_ahead_is_refused() {
        let known = fenghuo_durable::migrate::MECHANISMS;
        assert!(manifest().check_schema(known, known).is_ok());
        let mut ahead = manifest();
        ahead.parts[0].database.as_mut().unwrap().schema.push(Step { service: "durable".into(), version: 1000 });
        assert_eq!(ahead.check_schema(known, known).unwrap_err().reason, "SCHEMA_UNKNOWN");
    }
}
