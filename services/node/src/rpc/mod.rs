//! The calls: a file each. This file only unpacks and wraps.

mod change_password;
mod create_person;
mod end_exercise;
mod get_exercise_activity;
mod get_node;
mod get_session;
mod list_conditions;
mod list_events;
mod list_exercises;
mod list_people;
mod open_exercise;
mod redeem_setup_link;
mod release_quarantine;
mod set_exercise_clock;
mod set_grants;
mod set_person_active;
mod sign_in;
mod sign_out;
mod verify_log;
mod watch_conditions;
mod watch_events;

use fenghuo_api::audit::v1 as audit;
use fenghuo_api::audit::v1::audit_service_server::{AuditService, AuditServiceServer};
use fenghuo_api::exercise::v1 as exercise;
use fenghuo_api::exercise::v1::exercise_service_server::{ExerciseService, ExerciseServiceServer};
use fenghuo_api::identity::v1 as identity;
use fenghuo_api::identity::v1::people_service_server::{PeopleService, PeopleServiceServer};
use fenghuo_api::identity::v1::session_service_server::{SessionService, SessionServiceServer};
use fenghuo_api::operation::v1 as operation;
use fenghuo_api::operation::v1::operation_service_server::{OperationService, OperationServiceServer};
use fenghuo_durable::{Error, Result};
use fenghuo_edge::{caller, to_status};
use tonic::{Request, Response, Status};

use crate::service::Service;

impl Service {
    /// Adds the five services to a server.
    pub fn add_routes(&self, routes: &mut tonic::service::RoutesBuilder) {
        routes.add_service(SessionServiceServer::new(self.clone()));
        routes.add_service(PeopleServiceServer::new(self.clone()));
        routes.add_service(ExerciseServiceServer::new(self.clone()));
        routes.add_service(AuditServiceServer::new(self.clone()));
        routes.add_service(OperationServiceServer::new(self.clone()));
    }
}

/// A call of a person who is signed in.
macro_rules! signed {
    ($self:ident, $request:ident, $module:ident) => {{
        let caller = caller(&$request).map_err(to_status)?;
        $module::handle($self, &caller, $request.into_inner()).await.map(Response::new).map_err(to_status)
    }};
}

/// A call that needs no session.
macro_rules! open {
    ($self:ident, $request:ident, $module:ident) => {
        $module::handle($self, $request.into_inner()).await.map(Response::new).map_err(to_status)
    };
}

macro_rules! calls {
    ($trait:ident { $($kind:ident $name:ident($request:ty) -> $response:ty;)+ }) => {
        #[tonic::async_trait]
        impl $trait for Service {
            $(
                async fn $name(&self, request: Request<$request>) -> Result<Response<$response>, Status> {
                    $kind!(self, request, $name)
                }
            )+
        }
    };
}

calls! { SessionService {
    open get_node(identity::GetNodeRequest) -> identity::GetNodeResponse;
    open redeem_setup_link(identity::RedeemSetupLinkRequest) -> identity::RedeemSetupLinkResponse;
    open sign_in(identity::SignInRequest) -> identity::SignInResponse;
    signed sign_out(identity::SignOutRequest) -> identity::SignOutResponse;
    signed get_session(identity::GetSessionRequest) -> identity::GetSessionResponse;
    signed change_password(identity::ChangePasswordRequest) -> identity::ChangePasswordResponse;
} }

calls! { PeopleService {
    signed create_person(identity::CreatePersonRequest) -> identity::CreatePersonResponse;
    signed list_people(identity::ListPeopleRequest) -> identity::ListPeopleResponse;
    signed set_grants(identity::SetGrantsRequest) -> identity::SetGrantsResponse;
    signed set_person_active(identity::SetPersonActiveRequest) -> identity::SetPersonActiveResponse;
} }

calls! { ExerciseService {
    signed open_exercise(exercise::OpenExerciseRequest) -> exercise::OpenExerciseResponse;
    signed list_exercises(exercise::ListExercisesRequest) -> exercise::ListExercisesResponse;
    signed set_exercise_clock(exercise::SetExerciseClockRequest) -> exercise::SetExerciseClockResponse;
    signed get_exercise_activity(exercise::GetExerciseActivityRequest) -> exercise::GetExerciseActivityResponse;
    signed end_exercise(exercise::EndExerciseRequest) -> exercise::EndExerciseResponse;
} }

#[tonic::async_trait]
impl AuditService for Service {
    type WatchEventsStream = watch_events::Stream;

    async fn list_events(&self, request: Request<audit::ListEventsRequest>) -> Result<Response<audit::ListEventsResponse>, Status> {
        signed!(self, request, list_events)
    }

    async fn watch_events(&self, request: Request<audit::WatchEventsRequest>) -> Result<Response<Self::WatchEventsStream>, Status> {
        signed!(self, request, watch_events)
    }

    async fn verify_log(&self, request: Request<audit::VerifyLogRequest>) -> Result<Response<audit::VerifyLogResponse>, Status> {
        signed!(self, request, verify_log)
    }
}

#[tonic::async_trait]
impl OperationService for Service {
    type WatchConditionsStream = watch_conditions::Stream;

    async fn list_conditions(
        &self,
        request: Request<operation::ListConditionsRequest>,
    ) -> Result<Response<operation::ListConditionsResponse>, Status> {
        signed!(self, request, list_conditions)
    }

    async fn watch_conditions(
        &self,
        request: Request<operation::WatchConditionsRequest>,
    ) -> Result<Response<Self::WatchConditionsStream>, Status> {
        signed!(self, request, watch_conditions)
    }

    async fn release_quarantine(
        &self,
        request: Request<operation::ReleaseQuarantineRequest>,
    ) -> Result<Response<operation::ReleaseQuarantineResponse>, Status> {
        signed!(self, request, release_quarantine)
    }
}

/// A page token that decodes and yet was not made by this call, or not for this filter.
fn bad_page_token() -> Error {
    Error::invalid("page_token", "is not a token of this call; begin again without one")
}
