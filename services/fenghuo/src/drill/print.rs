//! Tells what a drill came to: a bar while it plays, a readable account at the end, JSON where asked.

use std::io::Write as _;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::outcome::{Beijing, ClockOutcome, GradeEntry, IncidentOutcome, NotificationOutcome};
use super::play::Progress;
use super::script::Script;
use super::{DrillError, Report};

/// The bar. Hidden where standard error is no terminal.
#[derive(Debug)]
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar as long as the script.
    pub fn new(script: &Script) -> Self {
        let approvals =
            script.steps.iter().filter(|step| script.notify(&step.get_ref().id).is_some_and(|notify| notify.approved_at.is_some()));
        let bar = ProgressBar::new((script.steps.len() + approvals.count()) as u64);
        // The template is constant; a wrong one would only cost its looks.
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// What is going on.
    pub fn say(&self, text: &'static str) {
        self.0.set_message(text);
        self.0.tick();
    }

    /// Takes it away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn step(&mut self, done: usize, step: &str, at: Beijing) {
        self.0.set_position(done as u64);
        self.0.set_message(format!("{at} {step}"));
    }

    fn timer(&mut self, at: Beijing) {
        self.0.set_message(format!("{at} timer"));
    }
}

/// Prints the account to standard output (to standard error where the JSON goes there) and writes the JSON.
pub fn report(report: &Report, json: Option<&str>) -> Result<(), DrillError> {
    let account = account(report);
    match json {
        Some("-") => {
            eprint!("{account}");
            let text = serde_json::to_string_pretty(report).map_err(std::io::Error::other)?;
            writeln!(std::io::stdout(), "{text}")?;
        }
        Some(file) => {
            print!("{account}");
            let text = serde_json::to_string_pretty(report).map_err(std::io::Error::other)?;
            std::fs::write(file, text + "\n")?;
        }
        None => print!("{account}"),
    }
    Ok(())
}

/// The account in words.
pub fn account(report: &Report) -> String {
    let mut lines = vec![format!("演习 drill: {} / {}", report.title.zh, report.title.en)];
    lines.push(format!("{}\n{}", report.summary.zh, report.summary.en));
    lines.push("虚构 invented:".to_owned());
    lines.extend(report.invented.iter().map(|line| format!("  {line}")));
    lines.push("来源 sources:".to_owned());
    lines.extend(report.sources.iter().map(|source| format!("  {}: {}", source.id, source.citation)));
    lines.extend(
        report
            .nodes
            .iter()
            .map(|(code, node)| format!("节点 node {code} {} {}: fingerprint {}", node.name.zh, node.name.en, node.fingerprint)),
    );
    lines.push(format!("{} · {} · {}", report.outcome.drill, report.database, report.exercise));
    lines.push(format!(
        "定级标准 grading table: {} ({}…); 对照 what-if: {}",
        report.outcome.grading_table,
        report.grading_table_hash.get(..12).unwrap_or_default(),
        report.outcome.what_if_table
    ));
    for incident in &report.outcome.incidents {
        lines.push(String::new());
        incident_lines(&mut lines, report, incident);
    }
    lines.push(String::new());
    lines.push("通报 notifications".to_owned());
    for notification in &report.outcome.notifications {
        notification_lines(&mut lines, report, notification);
    }
    lines.push(String::new());
    lines.push("事件日志 event logs".to_owned());
    for (node, verdict) in &report.outcome.logs {
        let check = report.evidence.logs.get(node);
        let counts = check.map_or_else(String::new, |c| format!("{} events, {} records, {} receipts", c.events, c.records, c.receipts));
        lines.push(format!("  {node}: {verdict} ({counts})"));
        lines.extend(check.into_iter().flat_map(|check| &check.faults).map(|fault| format!("    {fault}")));
    }
    timing_lines(&mut lines, report);
    verdict_lines(&mut lines, report);
    lines.join("\n") + "\n"
}

fn incident_lines(lines: &mut Vec<String>, report: &Report, incident: &IncidentOutcome) {
    let name = report.evidence.names.get(&incident.incident).map_or("", String::as_str);
    lines.push(format!("事件 incident \"{}\" at {} ({name}): {}", incident.incident, incident.node, incident.state));
    lines.push("  级别 grade over time".to_owned());
    for entry in &incident.grades {
        grade_lines(lines, report, entry);
    }
    if let Some(decided) = &incident.decided {
        lines.push(format!("  判定 decided: {} by {}", grade_words(decided.grade.as_deref()), decided.by));
    }
    lines.extend(incident.missed.iter().map(|at| format!("  超时报警 missed, noted by the node at {at}")));
    lines.push("  法定时限 statutory clocks".to_owned());
    for clock in &incident.clocks {
        clock_lines(lines, report, clock);
    }
}

fn grade_lines(lines: &mut Vec<String>, report: &Report, entry: &GradeEntry) {
    let could = entry.could_reach.as_deref().map_or_else(String::new, |grade| format!("; could still reach {}", grade_words(Some(grade))));
    let cases: Vec<_> = entry.sensitive_cases.iter().map(u32::to_string).collect();
    let cases = if cases.is_empty() { String::new() } else { format!("; 敏感情形 sensitive cases {}", cases.join(", ")) };
    lines.push(format!("    {}  {}{cases}{could}", entry.at, state_words(&entry.state, entry.grade.as_deref())));
    lines.extend(entry.fired.iter().map(|row| format!("        {}", clause_words(report, row))));
    lines.push(format!("        2014预案 plan of 2014: {}", state_words(&entry.what_if.state, entry.what_if.grade.as_deref())));
    lines.extend(entry.what_if.fired.iter().map(|row| format!("          {}", clause_words(report, row))));
}

fn clock_lines(lines: &mut Vec<String>, report: &Report, clock: &ClockOutcome) {
    let body = report.evidence.bodies.get(&clock.body).map_or("", String::as_str);
    let time = |time: Option<Beijing>| time.map_or_else(|| "—".to_owned(), |time| time.to_string());
    let limit = clock.limit_hours.map_or_else(|| "无数字 no figure".to_owned(), |hours| format!("{hours} h"));
    let state = match clock.state.as_str() {
        "KEPT" => "按时 kept",
        "MISSED" => "超时 MISSED",
        "RUNNING" => "进行中 running",
        "NOT_STARTED" => "未起算 not started",
        "SUPERSEDED" => "已替代 superseded",
        other => other,
    };
    lines.push(format!("    {state:<16} {} {body}", clock.body));
    lines.push(format!("        {}", clause_words(report, &clock.row)));
    lines.push(format!("        {limit}; 起 from {}; 止 due {}; 办 done {}", time(clock.start), time(clock.due), time(clock.done)));
}

fn notification_lines(lines: &mut Vec<String>, report: &Report, notification: &NotificationOutcome) {
    let time = |time: Option<Beijing>| time.map_or_else(|| "—".to_owned(), |time| time.to_string());
    lines.push(format!(
        "  \"{}\" {} {} → {}: {}; 批准 approved by {} {}",
        notification.notification,
        notification.kind,
        notification.from,
        notification.to,
        notification.state,
        notification.approved_by,
        time(notification.approved)
    ));
    match report.evidence.receipts.get(&notification.notification) {
        Some(proof) => lines.push(format!(
            "    回执 receipt: {} at position {}, signatures {} (envelope {} by key {}, receipt by key {})",
            notification.receipt,
            proof.position,
            notification.signatures,
            proof.envelope_digest.get(..16).unwrap_or_default(),
            proof.envelope_key_id,
            proof.receipt_key_id
        )),
        None => {
            let fault = report.evidence.receipt_faults.get(&notification.notification).map_or("", String::as_str);
            lines.push(format!("    回执 receipt: {} {fault}", notification.signatures));
        }
    }
    let by = notification.acknowledged_by.as_deref().unwrap_or("nobody");
    let late = if notification.overdue { "; 逾期 late" } else { "" };
    lines.push(format!("    确认 acknowledged by {by} {}{late}", time(notification.acknowledged)));
}

fn timing_lines(lines: &mut Vec<String>, report: &Report) {
    lines.push(String::new());
    lines.push(format!(
        "用时 took: set-up {:.0} ms, play {:.0} ms; each step (calls / until both nodes settled, real ms):",
        report.setup_ms, report.play_ms
    ));
    lines.extend(
        report
            .steps
            .iter()
            .map(|step| format!("  {}  {:<34} {:<22} {:>8.1} {:>8.1}", step.at, step.step, step.action, step.call_ms, step.settled_ms)),
    );
}

fn verdict_lines(lines: &mut Vec<String>, report: &Report) {
    lines.push(String::new());
    if report.equal {
        lines.push("结果与依法推定的一致 EQUAL: as the law says.".to_owned());
    } else {
        lines.push(format!("结果不一致 DIFFERENT in {} places:", report.differences.len()));
    }
    for difference in &report.differences {
        lines.push(format!(
            "  {}\n    expected {}\n    found    {}",
            difference.path,
            shown(&difference.expected),
            shown(&difference.found)
        ));
    }
    if let Some(kept) = &report.kept {
        lines.push(format!(
            "留存 kept: data in {}; all people of the script and \"admin\" sign in with {}",
            kept.folder.display(),
            kept.password
        ));
        for (code, url) in &kept.consoles {
            let id = kept.processes.get(code).map_or_else(String::new, |id| format!(" (process {id})"));
            lines.push(format!("  {code} {url}{id}"));
        }
    }
}

fn shown(value: &Value) -> String {
    if value.is_null() { "nothing".to_owned() } else { value.to_string() }
}

fn clause_words(report: &Report, row: &str) -> String {
    report.clauses.get(row).map_or_else(|| row.to_owned(), |clause| format!("{row}: {} ({})", clause.zh, clause.en))
}

fn state_words(state: &str, grade: Option<&str>) -> String {
    match state {
        "GRADED" => grade_words(grade),
        "UNCLEAR" => format!("级别不明 unclear, at least {}", grade_words(grade)),
        "UNCLEAR_SENSITIVE" => format!("级别不明且敏感 unclear and sensitive, at least {}", grade_words(grade)),
        "NOT_AN_INCIDENT" => "不属于突发环境事件 not an incident".to_owned(),
        other => other.to_owned(),
    }
}

fn grade_words(grade: Option<&str>) -> String {
    let words = match grade {
        Some("GRADE_I") => "特别重大 especially serious (Ⅰ)",
        Some("GRADE_II") => "重大 serious (Ⅱ)",
        Some("GRADE_III") => "较大 relatively serious (Ⅲ)",
        Some("GRADE_IV") => "一般 ordinary (Ⅳ)",
        Some(other) => other,
        None => "尚无 none yet",
    };
    words.to_owned()
}
