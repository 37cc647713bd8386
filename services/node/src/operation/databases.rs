//! Does each database answer?

use std::sync::Arc;
use std::time::Duration;

use fenghuo_durable::health::When;
use fenghuo_durable::{Db, SpaceId};
use fenghuo_edge::Condition;
use fenghuo_edge::conditions::{Severity, Text};

use crate::service::Service;

/// A database that does not answer within this is asked again at the next look.
const ASKED: Duration = Duration::from_secs(1);
/// The same while it is known to be lost: a first connection on a busy machine takes its time.
const ASKED_WHILE_LOST: Duration = Duration::from_secs(4);
/// A database that answered somebody so lately is there, even if it has no place for this question.
const LATELY: Duration = Duration::from_secs(3);

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
    let lost = service.operation().conditions.has("DATABASE_UNREACHABLE");
    let within = if lost { ASKED_WHILE_LOST } else { ASKED };
    let ask = |(name, db)| async move { (name, answers(&db, within).await, db) };
    let answers = futures::future::join_all(asked.into_iter().map(ask)).await;
    let silent: Vec<_> = answers.into_iter().filter(|(_, answers, _)| !answers).collect();
    let since = silent.iter().filter_map(|(_, _, db)| db.health().answered).map(|when| when.at).min();
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

async fn answers(db: &Arc<Db>, within: Duration) -> bool {
    let question = db.read((), |(), tx| Box::pin(tx.number("SELECT 1", &[])));
    if matches!(tokio::time::timeout(within, question).await, Ok(Ok(_))) {
        return true;
    }
    let seen = db.health();
    let lost = |answered: &When| seen.unreachable.is_some_and(|unreachable| unreachable.is_after(answered));
    seen.answered.is_some_and(|answered| answered.is_within(LATELY) && !lost(&answered))
}
