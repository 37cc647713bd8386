//! The calls: a file each. This file only unpacks and wraps.

mod close_incident;
mod decide_grade;
mod get_incident;
mod list_incidents;
mod record_body_learned;
mod record_duty_done;
mod record_upward_report;
mod submit_report;
mod update_facts;
mod watch_incidents;

use fenghuo_api::incident::v1::incident_service_server::{IncidentService, IncidentServiceServer};
use fenghuo_api::incident::v1::*;
use fenghuo_durable::{Code, Error, Result, Tx};
use fenghuo_edge::{Caller, caller, to_status};
use tonic::{Request, Response, Status};

use crate::domain::Incident;
use crate::service::Service;
use crate::store;
use crate::wire::incident::{incident_out, timeline_out};
use crate::wire::report::report_out;

macro_rules! calls {
    ($($name:ident($request:ty) -> $response:ty = $module:ident;)+) => {
        #[tonic::async_trait]
        impl IncidentService for Service {
            type WatchIncidentsStream = watch_incidents::Stream;

            async fn watch_incidents(&self, request: Request<WatchIncidentsRequest>) -> Result<Response<Self::WatchIncidentsStream>, Status> {
                let caller = caller(&request).map_err(to_status)?;
                watch_incidents::handle(self, &caller, request.into_inner()).await.map(Response::new).map_err(to_status)
            }

            $(
                async fn $name(&self, request: Request<$request>) -> Result<Response<$response>, Status> {
                    let caller = caller(&request).map_err(to_status)?;
                    $module::handle(self, &caller, request.into_inner()).await.map(Response::new).map_err(to_status)
                }
            )+
        }
    };
}

calls! {
    submit_report(SubmitReportRequest) -> SubmitReportResponse = submit_report;
    get_incident(GetIncidentRequest) -> GetIncidentResponse = get_incident;
    list_incidents(ListIncidentsRequest) -> ListIncidentsResponse = list_incidents;
    update_facts(UpdateFactsRequest) -> UpdateFactsResponse = update_facts;
    decide_grade(DecideGradeRequest) -> DecideGradeResponse = decide_grade;
    record_upward_report(RecordUpwardReportRequest) -> RecordUpwardReportResponse = record_upward_report;
    record_duty_done(RecordDutyDoneRequest) -> RecordDutyDoneResponse = record_duty_done;
    record_body_learned(RecordBodyLearnedRequest) -> RecordBodyLearnedResponse = record_body_learned;
    close_incident(CloseIncidentRequest) -> CloseIncidentResponse = close_incident;
}

impl Service {
    /// Adds the service to a server.
    pub fn add_routes(&self, routes: &mut tonic::service::RoutesBuilder) {
        routes.add_service(IncidentServiceServer::new(self.clone()));
    }
}

/// An incident that this caller may use for this method.
async fn authorised(tx: &mut Tx, caller: &Caller, method: &'static str, name: &str) -> Result<Incident> {
    let found = store::incident::existing(tx, name).await?;
    caller.require_for(method, &found.place.admin_code, name)?;
    Ok(found)
}

/// An incident with its reports and its timeline.
async fn whole(tx: &mut Tx, incident: &Incident) -> Result<fenghuo_api::incident::v1::Incident> {
    let mut whole = incident_out(incident);
    whole.reports = store::report::of_incident(tx, &incident.name).await?.iter().map(report_out).collect();
    whole.timeline = tx.lines_of(&incident.name, 1000).await?.into_iter().map(timeline_out).collect();
    Ok(whole)
}

/// Refuses to act for a department that the caller's grants do not cover: a county does not fulfil the province's duties.
fn acts_for(caller: &Caller, method: &'static str, body_code: &str) -> Result<()> {
    caller.require_for(method, body_code, "department").map_err(|_| {
        let text = format!("your grants do not let you act for the department of {body_code}; its own officer records this");
        Error::new(Code::PermissionDenied, "BODY_NOT_YOURS", text).with("bodyCode", body_code)
    })
}
