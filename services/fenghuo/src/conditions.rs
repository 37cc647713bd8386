//! What the mailbox and the directory know to be wrong, put into the words of the desk. Wiring only: neither knows of the other's texts.

use std::sync::Arc;

use fenghuo_durable::{Result, Space, SpaceId, Tx, params};
use fenghuo_edge::Condition;
use fenghuo_edge::conditions::{Severity, Text};
use fenghuo_mailbox::Links;
use fenghuo_mailbox::links::{CLOCK_ALARM, LinkState, LinkStatus};
use fenghuo_node::{NotGivenBack, PartnerName, Source};
use fenghuo_notification::Directory;
use fenghuo_outward::OutwardStatus;
use fenghuo_rules::divisions::Divisions;
use tokio::sync::watch;

/// The links of the real space to the partners with a node.
pub fn links(directory: &Arc<Directory>, links: &Arc<Links>) -> Source {
    let (directory, links) = (directory.clone(), links.clone());
    Arc::new(move || {
        let partners = named(&directory);
        partners.iter().flat_map(|partner| of_link(partner, links.status(SpaceId::Real, &partner.code))).collect()
    })
}

/// The partners with a node that have not given back to a restored node what they had.
pub fn not_given_back(directory: &Arc<Directory>) -> NotGivenBack {
    let directory = directory.clone();
    Arc::new(move |space: Arc<Space>| {
        let partners = named(&directory);
        Box::pin(async move {
            let waiting = space.db().read(partners, |partners, tx| {
                Box::pin(async move {
                    let mut waiting = Vec::new();
                    for partner in partners {
                        if quarantined(tx, &partner.code).await? {
                            waiting.push(partner.clone());
                        }
                    }
                    Ok(waiting)
                })
            });
            waiting.await
        })
    })
}

/// Has the stream to this partner been closed since a restore?
async fn quarantined(tx: &mut Tx, partner: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM mailbox_stream WHERE partner = $1 AND direction = 'out' AND quarantined <> 0";
    Ok(tx.row(sql, params![partner]).await?.is_some())
}

fn named(directory: &Directory) -> Vec<PartnerName> {
    let routes = directory.routes().borrow().clone();
    let name = |code: String| {
        let zh = directory.get(&code).map_or_else(|| code.clone(), |partner| partner.display_name);
        let en = Divisions::builtin().get(&code).map_or_else(|| zh.clone(), |division| division.name_en.clone());
        PartnerName { code, zh, en }
    };
    routes.into_iter().map(|route| name(route.province_code)).collect()
}

fn of_link(partner: &PartnerName, status: LinkStatus) -> Vec<Condition> {
    let mut found = Vec::new();
    let (code, severity, text, next) = match status.state {
        LinkState::Unknown | LinkState::Up => return clocks(partner, &status).into_iter().collect(),
        LinkState::Down => (
            "PARTNER_DOWN",
            Severity::Degraded,
            Text::new(format!("与{}的链路中断", partner.zh), format!("The link to {} is down", partner.en)),
            Text::new(
                "急件用电话通报；已签发的通报在链路恢复后自动补送。",
                "Telephone what is urgent; approved notifications are delivered by themselves when the link is back.",
            ),
        ),
        LinkState::Diverged => (
            "PARTNER_DIVERGED",
            Severity::Critical,
            Text::new(
                format!("与{}的记录不一致，链路已停", partner.zh),
                format!("The records of {} and ours contradict each other; the link is stopped", partner.en),
            ),
            Text::new(
                "通报用电话或函件；联系对方并告知技术人员，不会自行恢复。",
                "Notify by telephone or letter; call the partner and tell the engineers: it does not come right by itself.",
            ),
        ),
    };
    let subject = partner.code.clone();
    found.push(Condition { code, subject, severity, since: status.since, text, next, detail: status.last_error.clone() });
    found.extend(clocks(partner, &status));
    found
}

fn clocks(partner: &PartnerName, status: &LinkStatus) -> Option<Condition> {
    let ms = status.clock_difference_ms?;
    let apart = jiff::SignedDuration::from_millis(ms).abs() > CLOCK_ALARM;
    apart.then(|| {
        // Rounded, so that a breath of the network is no news.
        let seconds = (ms.abs() + 5_000) / 10_000 * 10;
        Condition {
            code: "CLOCK_APART",
            subject: partner.code.clone(),
            severity: Severity::Degraded,
            since: None,
            text: Text::new(
                format!("本机时钟与{}相差约 {seconds} 秒", partner.zh),
                format!("Our clock and that of {} are about {seconds} s apart", partner.en),
            ),
            next: Text::new(
                "时限按本机时钟计，请对照标准时间；告知技术人员校时。",
                "Deadlines go by our clock: compare it with standard time, and tell the engineers to set the clocks.",
            ),
            detail: String::new(),
        }
    })
}

/// Events that the event stream has not taken; with fewer it is only on its way.
const EXPORT_BEHIND: u64 = 1000;

/// The export of the log to NATS.
pub fn export(status: watch::Receiver<OutwardStatus>) -> Source {
    Arc::new(move || {
        let status = status.borrow().clone();
        let real = status.spaces.get(&SpaceId::Real);
        let diverged = real.is_some_and(|real| real.diverged);
        let failing = real.filter(|real| !real.last_error.is_empty());
        // Not tried yet is nothing wrong.
        let cut_off = !status.connected && !status.last_error.is_empty();
        if !(diverged || failing.is_some() || cut_off || real.is_some_and(|real| real.lag() > EXPORT_BEHIND)) {
            return Vec::new();
        }
        let detail = failing.map_or(status.last_error.clone(), |real| real.last_error.clone());
        vec![export_behind(diverged, if cut_off { status.since } else { None }, detail)]
    })
}

fn export_behind(diverged: bool, since: Option<jiff::Timestamp>, detail: String) -> Condition {
    let (text, next) = if diverged {
        (
            Text::new("对外事件流与本日志不符，已停", "The event stream to other departments is not of this log; it is stopped"),
            Text::new(
                "本台工作不受影响；告知技术人员决定如何继续。",
                "The desk's work is not affected; the engineers must decide how to go on.",
            ),
        )
    } else {
        (
            Text::new(
                "对外事件流滞后：其他部门看不到新情况",
                "The event stream to other departments is behind: they do not see what is new",
            ),
            Text::new(
                "本台工作不受影响，恢复后自动补发；告知技术人员。",
                "The desk's work is not affected, and it catches up by itself; tell the engineers.",
            ),
        )
    };
    Condition { code: "EXPORT_BEHIND", subject: String::new(), severity: Severity::Notice, since, text, next, detail }
}
