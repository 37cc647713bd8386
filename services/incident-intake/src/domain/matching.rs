//! Does a report tell of an incident that is already open? By time, place and matter; likely means all three fit.

use fenghuo_rules::Text;
use fenghuo_rules::divisions::{Divisions, distance_km, province_of};
use jiff::{SignedDuration, Timestamp};

use super::incident::{Incident, IncidentState};
use super::report::Report;

/// Reports further apart than this are not matched, in hours.
const WINDOW_H: f64 = 72.0;
/// Points closer than this are one place, in kilometres.
const NEAR_KM: f64 = 20.0;

/// Only incidents last told of in this time can match.
pub fn window(learned: Timestamp) -> (Timestamp, Timestamp) {
    let hours = SignedDuration::from_secs_f64(WINDOW_H * 3600.0);
    (learned.saturating_sub(hours).unwrap_or(learned), learned.saturating_add(hours).unwrap_or(learned))
}

/// South-west and north-east corner around a point, in degrees, wider than [`NEAR_KM`]; an empty box where there is no point.
pub fn bounds(point: Option<(f64, f64)>) -> ((f64, f64), (f64, f64)) {
    let Some((lon, lat)) = point else { return ((1.0, 1.0), (0.0, 0.0)) };
    let tall = NEAR_KM / 110.0;
    let wide = tall / lat.to_radians().cos().max(0.01);
    ((lon - wide, lat - tall), (lon + wide, lat + tall))
}

/// The division, if two reports from it may be of one place: two "somewhere in the province" are not.
pub fn one_place(admin_code: &str) -> Option<&str> {
    (!admin_code.ends_with("0000")).then_some(admin_code)
}

/// Why a report matches this incident; `None` if it does not.
pub fn reasons(report: &Report, incident: &Incident) -> Option<Vec<Text>> {
    if incident.state != IncidentState::Open {
        return None;
    }
    if !report.remote_incident.is_empty() && incident.remote_incidents.contains(&report.remote_incident) {
        return Some(vec![Text::new("相邻省份的同一事件", "the same incident at the neighbouring province")]);
    }
    let apart_h = (report.learn_time.duration_since(incident.last_told).as_secs_f64() / 3600.0).abs();
    if apart_h > WINDOW_H {
        return None;
    }
    let place = same_place(report, incident)?;
    let matter = same_matter(report, incident)?;
    let time = Text::new(format!("与上次报告相隔 {apart_h:.1} 小时"), format!("{apart_h:.1} hours from the last report"));
    Some(vec![place, matter, time])
}

fn same_place(report: &Report, incident: &Incident) -> Option<Text> {
    if let (Some(a), Some(b)) = (report.place.position(), incident.place.position()) {
        let km = distance_km(a, b);
        return (km <= NEAR_KM).then(|| Text::new(format!("相距 {km:.1} 公里"), format!("{km:.1} km apart")));
    }
    let water = report.place.water_body.trim();
    if !water.is_empty()
        && water == incident.place.water_body.trim()
        && province_of(&report.place.admin_code) == province_of(&incident.place.admin_code)
    {
        return Some(Text::new(format!("同一水体:{water}"), format!("the same water body: {water}")));
    }
    let code = one_place(&report.place.admin_code)?;
    (code == incident.place.admin_code).then(|| {
        let all = Divisions::builtin();
        Text::new(format!("同在{}", all.name_zh(code)), format!("both in {}", all.name_en(code)))
    })
}

fn same_matter(report: &Report, incident: &Incident) -> Option<Text> {
    if report.substances.is_empty() || incident.substances.is_empty() {
        return Some(Text::new("污染物未知,不矛盾", "the pollutant of one is unknown: no contradiction"));
    }
    let common = report.substances.iter().find(|substance| incident.substances.iter().any(|known| known.same_matter(substance)))?;
    Some(Text::new(format!("同一污染物:{}", common.name), format!("the same pollutant: {}", common.name)))
}
