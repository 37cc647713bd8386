//! `fenghuo incident`: reports and incidents from the command line.

use clap::Subcommand;
use fenghuo_api::common::v1::{Grade, Place, Tristate};
use fenghuo_api::incident::v1::incident_service_client::IncidentServiceClient;
use fenghuo_api::incident::v1::*;
use fenghuo_api::time::to_proto;
use fenghuo_durable::{new_id, wall};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Outcome;
use super::output::{Failure, beijing, print_json, rfc3339};
use super::session::NodeArgs;

const EXAMPLES: &str = "Examples:
  fenghuo incident report --admin-code 500237 --title 水库异味 --confirmed
  fenghuo incident list
  fenghuo incident show provinces/500000/incidents/0198...
  fenghuo incident watch --json";

/// Takes reports, lists and shows incidents.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum IncidentCommand {
    /// Takes a report; it is matched with an open incident or opens one
    Report(Box<ReportArgs>),
    /// Lists incidents by the next statutory deadline
    List {
        #[command(flatten)]
        node: NodeArgs,
        /// Six-digit code of the province
        #[arg(long, env = "FENGHUO_PROVINCE_CODE", default_value = "500000")]
        province: String,
        /// Also closed ones
        #[arg(long)]
        all: bool,
    },
    /// Shows one incident
    Show {
        #[command(flatten)]
        node: NodeArgs,
        /// Its name
        name: String,
    },
    /// Prints incidents as they change, until interrupted
    Watch {
        #[command(flatten)]
        node: NodeArgs,
        /// Six-digit code of the province
        #[arg(long, env = "FENGHUO_PROVINCE_CODE", default_value = "500000")]
        province: String,
    },
}

/// What a report says.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    #[command(flatten)]
    node: NodeArgs,
    /// Administrative code of the place, six digits
    #[arg(long)]
    admin_code: String,
    /// One line: what happened
    #[arg(long)]
    title: String,
    /// In words
    #[arg(long, default_value = "")]
    description: String,
    /// How it reached the desk
    #[arg(long, value_enum, default_value_t = Origin::Hotline)]
    origin: Origin,
    /// When this desk learned (RFC 3339); now if not given
    #[arg(long)]
    learned: Option<Timestamp>,
    /// When it happened (RFC 3339); unknown if not given
    #[arg(long)]
    occurred: Option<Timestamp>,
    /// Code of the reporting environment department
    #[arg(long, default_value = "")]
    body: String,
    /// When that department learned (RFC 3339)
    #[arg(long)]
    body_learned: Option<Timestamp>,
    /// Name and telephone of the reporter
    #[arg(long, default_value = "")]
    reporter: String,
    /// It is an environmental emergency
    #[arg(long)]
    confirmed: bool,
    /// It may have effect across the provincial boundary
    #[arg(long)]
    may_cross_province: bool,
    /// Makes the call repeatable: the same id takes effect once
    #[arg(long)]
    request_id: Option<String>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Origin {
    Hotline,
    Enterprise,
    DistrictBureau,
    OtherAuthority,
    DeviceAlarm,
    FieldOfficer,
    Media,
}

impl From<Origin> for ReportOrigin {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Hotline => Self::Hotline,
            Origin::Enterprise => Self::Enterprise,
            Origin::DistrictBureau => Self::DistrictBureau,
            Origin::OtherAuthority => Self::OtherAuthority,
            Origin::DeviceAlarm => Self::DeviceAlarm,
            Origin::FieldOfficer => Self::FieldOfficer,
            Origin::Media => Self::Media,
        }
    }
}

fn yes_if(said: bool) -> i32 {
    if said { Tristate::Yes.into() } else { Tristate::Unspecified.into() }
}

impl ReportArgs {
    fn request(&self) -> SubmitReportRequest {
        let report = Report {
            origin: ReportOrigin::from(self.origin).into(),
            reporter_name: self.reporter.clone(),
            reporting_body_code: self.body.clone(),
            reporting_body_learn_time: self.body_learned.map(to_proto),
            learn_time: Some(to_proto(self.learned.unwrap_or_else(wall::now))),
            occur_time: self.occurred.map(to_proto),
            title: self.title.clone(),
            description: self.description.clone(),
            place: Some(Place { admin_code: self.admin_code.clone(), ..Place::default() }),
            facts: Some(Facts {
                confirmed_environmental: yes_if(self.confirmed),
                may_cross_province: yes_if(self.may_cross_province),
                ..Facts::default()
            }),
            ..Report::default()
        };
        let request_id = self.request_id.clone().unwrap_or_else(|| new_id().to_string());
        SubmitReportRequest { request_id, report: Some(report), ..SubmitReportRequest::default() }
    }
}

/// An incident for machines.
pub fn as_json(incident: &Incident) -> Value {
    let assessment = incident.assessment.clone().unwrap_or_default();
    let clock = |clock: &Clock| {
        json!({
            "name": clock.name, "row": clock.row, "citation_zh": clock.citation_zh, "citation_en": clock.citation_en,
            "body_code": clock.body_code, "body_name": clock.body_name, "state": clock.state().as_str_name(),
            "start_time": rfc3339(clock.start_time.as_ref()), "due_time": rfc3339(clock.due_time.as_ref()), "keep_time": rfc3339(clock.keep_time.as_ref()),
        })
    };
    json!({
        "name": incident.name, "etag": incident.etag, "title": incident.title, "state": incident.state().as_str_name(),
        "admin_code": incident.place.clone().unwrap_or_default().admin_code,
        "grade_state": assessment.state().as_str_name(), "grade": assessment.grade().as_str_name(), "could_reach": assessment.could_reach().as_str_name(),
        "rule_table": assessment.table_id, "rule_table_hash": assessment.table_hash,
        "fired": assessment.fired.iter().map(|clause| json!({ "row": clause.row, "citation_zh": clause.citation_zh, "citation_en": clause.citation_en })).collect::<Vec<_>>(),
        "clocks": incident.clocks.iter().map(clock).collect::<Vec<_>>(),
        "next_due_time": rfc3339(incident.next_due_time.as_ref()),
    })
}

fn grade_line(assessment: &Assessment) -> String {
    let grade = match assessment.grade() {
        Grade::I => "Ⅰ 特别重大",
        Grade::Ii => "Ⅱ 重大",
        Grade::Iii => "Ⅲ 较大",
        Grade::Iv => "Ⅳ 一般",
        Grade::Unspecified => "-",
    };
    match assessment.state() {
        GradeState::Unclear => format!("级别不明,至少 {grade}"),
        GradeState::UnclearSensitive => format!("级别不明且敏感,至少 {grade}"),
        GradeState::NotAnIncident => "不属于突发环境事件".to_owned(),
        GradeState::Graded | GradeState::Unspecified => grade.to_owned(),
    }
}

/// An incident in one line for people.
pub fn print_line(incident: &Incident) {
    let grade = grade_line(&incident.assessment.clone().unwrap_or_default());
    println!("{}  {}  {grade}  {}", beijing(incident.next_due_time.as_ref()), incident.title, incident.name);
}

fn print_whole(incident: &Incident) {
    let assessment = incident.assessment.clone().unwrap_or_default();
    println!("{}\n  {}\n  {}  ({})", incident.title, incident.name, grade_line(&assessment), assessment.table_title_zh);
    for clause in &assessment.fired {
        println!("    {} {}", clause.citation_zh, clause.explanation_zh);
    }
    for case in &assessment.sensitive_cases {
        println!("    {}", case.citation_zh);
    }
    for question in assessment.open_questions.iter().take(5) {
        println!("    ? {} ({})", question.question_zh, question.could_reach().as_str_name());
    }
    for clock in &incident.clocks {
        println!(
            "  {:<12} {}  {}  {}",
            clock.state().as_str_name().trim_start_matches("CLOCK_STATE_"),
            beijing(clock.due_time.as_ref()),
            clock.body_name,
            clock.citation_zh
        );
    }
    for entry in &incident.timeline {
        println!("  {}  {}", beijing(entry.time.as_ref()), entry.text_zh);
    }
}

fn print(node: &NodeArgs, incident: &Incident, whole: bool) {
    match (node.json, whole) {
        (true, _) => print_json(&as_json(incident)),
        (false, true) => print_whole(incident),
        (false, false) => print_line(incident),
    }
}

fn missing() -> Failure {
    Failure::Refused("the node answered without an incident".to_owned())
}

/// Runs it.
pub async fn run(command: IncidentCommand) -> Outcome {
    match command {
        IncidentCommand::Report(args) => {
            let answer = IncidentServiceClient::new(args.node.signed()?).submit_report(args.request()).await?.into_inner();
            print(&args.node, &answer.incident.ok_or_else(missing)?, true);
        }
        IncidentCommand::Show { node, name } => {
            let answer = IncidentServiceClient::new(node.signed()?).get_incident(GetIncidentRequest { name }).await?.into_inner();
            print(&node, &answer.incident.ok_or_else(missing)?, true);
        }
        IncidentCommand::List { node, province, all } => list(&node, &province, all).await?,
        IncidentCommand::Watch { node, province } => {
            let request = WatchIncidentsRequest { parent: format!("provinces/{province}") };
            let mut stream = IncidentServiceClient::new(node.signed()?).watch_incidents(request).await?.into_inner();
            while let Some(message) = stream.message().await? {
                if let Some(incident) = message.incident {
                    print(&node, &incident, false);
                }
            }
        }
    }
    Ok(())
}

async fn list(node: &NodeArgs, province: &str, all: bool) -> Outcome {
    let mut client = IncidentServiceClient::new(node.signed()?);
    let mut page_token = String::new();
    let mut found = Vec::new();
    loop {
        let request = ListIncidentsRequest { parent: format!("provinces/{province}"), page_size: 0, page_token, include_closed: all };
        let page = client.list_incidents(request).await?.into_inner();
        found.extend(page.incidents);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    if node.json {
        print_json(&Value::Array(found.iter().map(as_json).collect()));
    } else {
        found.iter().for_each(print_line);
    }
    Ok(())
}
