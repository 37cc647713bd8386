//! Is there room on the disk?

use std::path::Path;
use std::sync::Arc;

use fenghuo_durable::{Space, wall};
use fenghuo_edge::Condition;
use fenghuo_edge::conditions::{Severity, Text};
use jiff::SignedDuration;

/// With less the disk is full.
const FULL_BYTES: u64 = 4 << 20;
/// With less than both of these it is nearly full: bytes, and a tenth of the disk.
const LOW_BYTES: u64 = 5 << 30;
/// A write that found the disk full says so for this long; nobody may be writing to find out.
const REMEMBERED: SignedDuration = SignedDuration::from_secs(5);

/// Looks at the disk of the data folder, and at what writes have met: the databases may be on another one.
pub(super) fn look(dir: &Path, spaces: &[Arc<Space>]) -> Vec<Condition> {
    let now = wall::now();
    let met =
        spaces.iter().map(|space| space.db().health()).find(|seen| seen.disk_full.is_some_and(|at| now.duration_since(at) < REMEMBERED));
    let room = rustix::fs::statvfs(dir).ok().map(|found| (found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize));
    let full = room.is_some_and(|(free, _)| free < FULL_BYTES);
    if met.is_some() || full {
        return vec![disk_full(met.map(|seen| seen.last_error).unwrap_or_default())];
    }
    match room {
        Some((free, all)) if free < LOW_BYTES && free < all / 10 => vec![disk_low(free)],
        _ => Vec::new(),
    }
}

fn disk_full(detail: String) -> Condition {
    Condition {
        code: "DISK_FULL",
        subject: String::new(),
        severity: Severity::Critical,
        since: None,
        text: Text::new("服务器磁盘已满：报告和操作都存不下", "The server's disk is full: nothing can be kept"),
        next: Text::new(
            "立即告知技术人员腾出空间；来报先用纸笔记下，恢复后补录。",
            "Tell the engineers at once to free some space; write reports down on paper and enter them afterwards.",
        ),
        detail,
    }
}

fn disk_low(free: u64) -> Condition {
    // In steps, so that each file written is not news.
    let step = 256 << 20;
    let mb = (free / step).max(1) * 256;
    Condition {
        code: "DISK_LOW",
        subject: String::new(),
        severity: Severity::Notice,
        since: None,
        text: Text::new(format!("服务器磁盘将满：约剩 {mb} MB"), format!("The server's disk is nearly full: about {mb} MB are left")),
        next: Text::new("告知技术人员腾出空间。", "Tell the engineers to free some space."),
        detail: String::new(),
    }
}
