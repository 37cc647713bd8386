//! A node that was restored from a backup: how it learns that, and that nothing is sent before it has recovered.

use std::path::{Path, PathBuf};

use fenghuo_durable::{Error, Result, Tx};

use super::Mailbox;
use crate::core::quarantine;

/// The file in a data folder that says: this was restored from a backup. Who restores one makes it, empty, before the next start.
pub fn restored_flag(data_dir: &Path) -> PathBuf {
    data_dir.join("restored")
}

impl Mailbox {
    /// Puts every stream of every open space in quarantine: nothing is written or sent to a partner until the worker has fetched back what
    /// was sent before. To be called on a node that was restored, before it serves; the mark is kept in the databases.
    pub async fn quarantine(&self) -> Result<()> {
        let partners: Vec<String> = self.parts.routes.borrow().iter().map(|route| route.province_code.clone()).collect();
        for space in self.parts.spaces.all() {
            space
                .db()
                .write(partners.clone(), |partners, tx: &mut Tx| {
                    Box::pin(async move {
                        for partner in partners {
                            quarantine(tx, partner).await?;
                        }
                        Ok(())
                    })
                })
                .await?;
        }
        tracing::warn!("this node was restored from a backup: nothing is sent until each partner has given back what it had");
        Ok(())
    }

    /// Puts the streams in quarantine if the data folder says that it was restored; says whether it did. To be called at each start, when
    /// the spaces are open and before anything is served. The file goes once the mark stands in the databases.
    pub async fn quarantine_if_restored(&self, data_dir: &Path) -> Result<bool> {
        let flag = restored_flag(data_dir);
        if !flag.exists() {
            return Ok(false);
        }
        self.quarantine().await?;
        std::fs::remove_file(&flag).map_err(|error| Error::internal(format!("cannot remove {}", flag.display())).caused_by(error))?;
        Ok(true)
    }
}
