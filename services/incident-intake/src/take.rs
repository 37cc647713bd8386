//! Taking a report: match it or open an incident, ask the rules, start the clocks. Shared by the call and by what neighbours send.

use fenghuo_durable::{Error, NewTimer, Result, Tx};
use fenghuo_rules::{Grade, GradeState, Text};

use crate::domain::incident::Change;
use crate::domain::{Incident, Report, matching};
use crate::reactions::clock_due;
use crate::store::incident::Told;
use crate::store::{incident, report};

/// Which incident a report should go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The one that matches, or a new one.
    Match,
    /// A new one, whatever matches.
    New,
    /// This one.
    Incident(String),
}

/// Where a report went.
#[derive(Debug)]
pub struct Taken {
    /// The incident afterwards.
    pub incident: Incident,
    /// It was opened for this report.
    pub opened: bool,
    /// Why it was matched.
    pub reasons: Vec<Text>,
}

/// Which incidents a report may be matched with, by their administrative code.
pub type Visible<'a> = &'a (dyn Fn(&str) -> bool + Send + Sync);

/// Stores a report and lets its incident follow. Matching decides and writes in one transaction: two reports of one spill find
/// one incident.
pub async fn take(
    tx: &mut Tx,
    province_code: &str,
    mut told: Report,
    target: &Target,
    visible: Visible<'_>,
    actor: &str,
    request_id: &str,
) -> Result<Taken> {
    tx.lock("intake.match").await?;
    let now = tx.now();
    let found = find(tx, &told, target, visible).await?;
    let (mut kept, change, opened, reasons) = match found {
        Some((mut found, reasons)) => {
            let change = found.add_report(&told, now)?;
            (found, change, false, reasons)
        }
        None => {
            let (opened, change) = Incident::open(province_code, &told, now)?;
            (opened, change, true, Vec::new())
        }
    };
    told.incident.clone_from(&kept.name);
    let kind = if opened { "incident.opened" } else { "incident.report_added" };
    let (zh, en) = if opened { ("立案", "Incident opened") } else { ("收到后续报告", "Further report") };
    let line = line(zh, en, &kept, &change);
    save(tx, &mut kept, &change, Told { kind, actor: actor.to_owned(), request_id: request_id.to_owned(), zh: line.zh, en: line.en })
        .await?;
    report::insert(tx, &told, actor, request_id).await?;
    Ok(Taken { incident: kept, opened, reasons })
}

async fn find(tx: &mut Tx, told: &Report, target: &Target, visible: Visible<'_>) -> Result<Option<(Incident, Vec<Text>)>> {
    match target {
        Target::New => Ok(None),
        Target::Incident(name) => {
            let found = incident::get(tx, name).await?.ok_or_else(|| Error::not_found(name))?;
            Ok(Some((found, vec![Text::new("由值班员指定", "named by the officer")])))
        }
        Target::Match => matched(tx, told, visible).await,
    }
}

/// The first open incident that this report tells of.
async fn matched(tx: &mut Tx, told: &Report, visible: Visible<'_>) -> Result<Option<(Incident, Vec<Text>)>> {
    let mut near = Vec::new();
    if !told.remote_incident.is_empty() {
        near = incident::of_remote(tx, &told.remote_incident).await?;
    }
    let mut last = String::new();
    loop {
        let mut seen = near.into_iter().filter(|one| visible(&one.place.admin_code));
        if let Some(found) = seen.find_map(|one| matching::reasons(told, &one).map(|reasons| (one, reasons))) {
            return Ok(Some(found));
        }
        near = incident::candidates(tx, told, &last).await?;
        let Some(end) = near.last() else { return Ok(None) };
        last.clone_from(&end.name);
    }
}

/// Stores an incident after a change, with its event and the timers of the clocks that began to run. A clock that was overdue when it
/// was recorded gets an event of its own: a miss is never only a field.
pub async fn save(tx: &mut Tx, kept: &mut Incident, change: &Change, told: Told) -> Result<()> {
    let (actor, request_id) = (told.actor.clone(), told.request_id.clone());
    incident::save(tx, kept, told).await?;
    for (clock, due_at) in &change.to_watch {
        tx.schedule(NewTimer {
            kind: clock_due::KIND,
            subject: kept.name.clone(),
            generation: kept.revision,
            due_at: *due_at,
            payload: clock.clone(),
        })
        .await?;
    }
    for clock in &change.missed {
        clock_due::count_missed(tx, kept, clock);
        let missed = clock_due::missed(kept, clock, &actor, &request_id);
        incident::save(tx, kept, missed).await?;
    }
    Ok(())
}

/// One line about a change: what was done, and the grade where it moved.
pub fn line(zh: &str, en: &str, incident: &Incident, change: &Change) -> Text {
    if !change.regraded {
        return Text::new(zh, en);
    }
    let grade_zh = incident.assessment.grade.map_or("尚无", Grade::label_zh);
    let grade_en = incident.assessment.grade.map_or("none yet", Grade::label_en);
    let (state_zh, state_en) = match incident.assessment.state {
        GradeState::Graded => ("建议级别", "proposed grade"),
        GradeState::Unclear => ("级别不明,至少", "grade unclear, at least"),
        GradeState::UnclearSensitive => {
            ("级别不明且敏感,按Ⅱ级以上时限上报,至少", "grade unclear and sensitive, reported as Ⅱ or above, at least")
        }
        GradeState::NotAnIncident => ("不属于突发环境事件", "not an environmental emergency"),
    };
    Text::new(format!("{zh}:{state_zh} {grade_zh}"), format!("{en}: {state_en} {grade_en}"))
}
