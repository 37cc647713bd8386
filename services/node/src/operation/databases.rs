//! Does each database answer?

use std::sync::Arc;

use fenghuo_durable::{Db, SpaceId, wall};
use fenghuo_edge::Condition;
use fenghuo_edge::conditions::{Severity, Text};
use jiff::SignedDuration;

use super::ANSWER_WITHIN;
use crate::service::Service;

/// A database that answered somebody so lately is there, even if it has no place for this question.
const LATELY: SignedDuration = SignedDuration::from_secs(3);

/// What was found.
pub(super) struct Found {
    /// Every database answers.
    pub(super) all: bool,
    /// What to tell.
    pub(super) conditions: Vec<Condition>,
}

/// Asks the node's own database and that of the real space; those of exercises stand beside them.
pub(super) async fn look(service: &Service) -> Found {
    let mut asked = vec![("node", service.db().clone())];
    if let Ok(real) = service.spaces().get(SpaceId::Real) {
        asked.push(("real", real.db().clone()));
    }
    let answers = futures::future::join_all(asked.into_iter().map(|(name, db)| async move { (name, answers(&db).await, db) })).await;
    let silent: Vec<_> = answers.into_iter().filter(|(_, answers, _)| !answers).collect();
    let since = silent.iter().filter_map(|(_, _, db)| db.health().answered).min();
    let conditions = silent.first().map(|(name, _, db)| Condition {
        code: "DATABASE_UNREACHABLE",
        subject: String::new(),
        severity: Severity::Critical,
        since,
        text: Text::new("数据库不可达：报告和操作都存不下", "The database cannot be reached: nothing can be kept"),
        next: Text::new(
            "来报先用纸笔记下，通报邻省用电话；本页不要关。立即告知技术人员。",
            "Write reports down on paper and telephone the neighbours; keep this page open. Tell the engineers at once.",
        ),
        detail: format!("{name}: {}", db.health().last_error),
    });
    Found { all: silent.is_empty(), conditions: conditions.into_iter().collect() }
}

async fn answers(db: &Arc<Db>) -> bool {
    let question = db.read((), |(), tx| Box::pin(tx.number("SELECT 1", &[])));
    if matches!(tokio::time::timeout(ANSWER_WITHIN, question).await, Ok(Ok(_))) {
        return true;
    }
    db.health().answered.is_some_and(|at| wall::now().duration_since(at) < LATELY)
}
