//! Keeping a restored node quiet: from its start until every partner has answered, across restarts.

use std::sync::Arc;

use fenghuo_durable::{Result, Space, SpaceId, Tx, wall};
use fenghuo_edge::Condition;
use fenghuo_edge::conditions::{Severity, Text};

use super::{Known, PartnerName};
use crate::domain::{Quarantine, QuarantineState};
use crate::service::Service;
use crate::store;
use crate::store::Told;

/// To be called at each start, before any space is opened: begins a quarantine if the node was restored. Says whether timers must wait.
pub async fn begin(node: &Arc<Space>, province_code: &str, restored: bool) -> Result<bool> {
    let held = node.db().write((province_code.to_owned(), restored), |(province, restored), tx: &mut Tx| {
        Box::pin(async move {
            let last = store::quarantine::last(tx).await?;
            if !*restored {
                return Ok(last.is_some_and(|last| last.state == QuarantineState::Held));
            }
            let mut quarantine = Quarantine::begin(last.as_ref(), province, wall::now());
            let (zh, en) = ("本节点由备份恢复，进入隔离", "The node was restored from a backup and is in quarantine");
            store::quarantine::save(tx, province, &mut quarantine, node_told("quarantine.begun", zh, en)).await?;
            Ok(true)
        })
    });
    let held = held.await?;
    if held {
        tracing::warn!("this node is in quarantine: no timer fires until each partner has given back what it had, or a person releases it");
    }
    Ok(held)
}

fn node_told(kind: &'static str, zh: &'static str, en: &'static str) -> Told {
    Told { kind, actor: "node".to_owned(), zh, en, ..Told::default() }
}

/// Looks who has answered; ends what is over, and keeps the hold as it must be. What cannot be read now stays as it was.
pub(super) async fn look(service: &Service) -> Vec<Condition> {
    match state(service).await {
        Ok(known) => {
            let held = known.quarantine.as_ref().is_some_and(|last| last.state == QuarantineState::Held);
            service.operation().hold.set(held);
            service.known().send_if_modified(|before| {
                let moved = *before != known;
                before.clone_from(&known);
                moved
            });
        }
        Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "the quarantine could not be looked at"),
    }
    conditions(&service.known().borrow())
}

async fn state(service: &Service) -> Result<Known> {
    let last = service.db().read((), |(), tx| Box::pin(store::quarantine::last(tx))).await?;
    let Some(quarantine) = last else { return Ok(Known::default()) };
    if quarantine.state == QuarantineState::Over {
        return Ok(Known { quarantine: Some(quarantine), waiting: Vec::new() });
    }
    let waiting = (service.operation().not_given_back)(service.spaces().get(SpaceId::Real)?).await?;
    if !waiting.is_empty() {
        return Ok(Known { quarantine: Some(quarantine), waiting });
    }
    Ok(Known { quarantine: end(service).await?, waiting })
}

async fn end(service: &Service) -> Result<Option<Quarantine>> {
    let ended = service.db().write(service.province_code().to_owned(), |province, tx: &mut Tx| {
        Box::pin(async move {
            let Some(mut last) = store::quarantine::last(tx).await? else { return Ok(None) };
            if last.end(wall::now()) {
                let (zh, en) = ("各邻省节点均已交还记录，隔离结束", "Every partner has given back what it had; the quarantine is over");
                store::quarantine::save(tx, province, &mut last, node_told("quarantine.over", zh, en)).await?;
            }
            Ok(Some(last))
        })
    });
    let ended = ended.await?;
    tracing::info!("the quarantine is over: timers fire");
    Ok(ended)
}

fn conditions(known: &Known) -> Vec<Condition> {
    let Some(quarantine) = &known.quarantine else { return Vec::new() };
    match quarantine.state {
        QuarantineState::Over => Vec::new(),
        QuarantineState::Held => vec![held(quarantine, &known.waiting)],
        QuarantineState::Released => known.waiting.iter().map(|partner| closed(quarantine, partner)).collect(),
    }
}

fn held(quarantine: &Quarantine, waiting: &[PartnerName]) -> Condition {
    let names = |pick: fn(&PartnerName) -> &str, between: &str| waiting.iter().map(pick).collect::<Vec<_>>().join(between);
    let (zh, en) = (names(|one| &one.zh, "、"), names(|one| &one.en, ", "));
    Condition {
        code: "QUARANTINE",
        subject: String::new(),
        severity: Severity::Critical,
        since: Some(quarantine.begun_at),
        text: Text::new(
            format!("由备份恢复，隔离中：时限到期不提醒，不向邻省发送；等待 {zh} 交还记录"),
            format!("Restored from a backup, in quarantine: no clock fires and nothing is sent; waiting for {en} to give back what it had"),
        ),
        next: Text::new(
            "可以查看和接报；自己盯住时限，通报用电话或函件。对方长时间不通时，由管理员或指挥解除隔离：值班台按 x，或 fenghuo operation release。",
            "Reading and taking reports go on; watch the deadlines yourself, and notify by telephone or letter. If a partner stays unreachable, an administrator or commander releases the quarantine: x at the desk, or fenghuo operation release.",
        ),
        detail: String::new(),
    }
}

fn closed(quarantine: &Quarantine, partner: &PartnerName) -> Condition {
    Condition {
        code: "PARTNER_CLOSED",
        subject: partner.code.clone(),
        severity: Severity::Degraded,
        since: Some(quarantine.begun_at),
        text: Text::new(
            format!("恢复后尚未与{}核对：不能向其发通报", partner.zh),
            format!("After the restore {} has not yet given back what it had: nothing can be sent to it", partner.en),
        ),
        next: Text::new(
            "通报用电话或函件；对方节点一通，自动核对并恢复发送。",
            "Notify by telephone or letter; as soon as its node answers, sending begins again by itself.",
        ),
        detail: String::new(),
    }
}
