//! The calls: a file each. This file only unpacks and wraps.

mod acknowledge_notification;
mod add_letter_partner;
mod approve_notification;
mod begin_new_epoch;
mod discard_notification;
mod draft_notification;
mod enrol_partner;
mod get_notification;
mod get_own_bundle;
mod list_notifications;
mod list_partners;
mod propose_recipients;
mod record_acknowledgement;
mod rotate_signing_key;
mod update_notification;
mod watch_notifications;
mod watch_partners;

use fenghuo_api::notification::v1::notification_service_server::{NotificationService, NotificationServiceServer};
use fenghuo_api::notification::v1::partner_directory_service_server::{PartnerDirectoryService, PartnerDirectoryServiceServer};
use fenghuo_api::notification::v1::*;
use fenghuo_durable::{Result, Tx};
use fenghuo_edge::{Caller, caller, to_status};
use tonic::{Request, Response, Status};

use crate::domain::Notification;
use crate::service::Service;
use crate::store;
use crate::wire::record_with_proof;

macro_rules! calls {
    ($trait:ident, $stream:ident, $watch:ident($watch_request:ty) = $watch_module:ident; $($name:ident($request:ty) -> $response:ty = $module:ident;)+) => {
        #[tonic::async_trait]
        impl $trait for Service {
            type $stream = $watch_module::Stream;

            async fn $watch(&self, request: Request<$watch_request>) -> Result<Response<Self::$stream>, Status> {
                let caller = caller(&request).map_err(to_status)?;
                $watch_module::handle(self, &caller, request.into_inner()).await.map(Response::new).map_err(to_status)
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
    NotificationService, WatchNotificationsStream, watch_notifications(WatchNotificationsRequest) = watch_notifications;
    draft_notification(DraftNotificationRequest) -> DraftNotificationResponse = draft_notification;
    update_notification(UpdateNotificationRequest) -> UpdateNotificationResponse = update_notification;
    approve_notification(ApproveNotificationRequest) -> ApproveNotificationResponse = approve_notification;
    discard_notification(DiscardNotificationRequest) -> DiscardNotificationResponse = discard_notification;
    acknowledge_notification(AcknowledgeNotificationRequest) -> AcknowledgeNotificationResponse = acknowledge_notification;
    record_acknowledgement(RecordAcknowledgementRequest) -> RecordAcknowledgementResponse = record_acknowledgement;
    get_notification(GetNotificationRequest) -> GetNotificationResponse = get_notification;
    list_notifications(ListNotificationsRequest) -> ListNotificationsResponse = list_notifications;
    propose_recipients(ProposeRecipientsRequest) -> ProposeRecipientsResponse = propose_recipients;
}

calls! {
    PartnerDirectoryService, WatchPartnersStream, watch_partners(WatchPartnersRequest) = watch_partners;
    get_own_bundle(GetOwnBundleRequest) -> GetOwnBundleResponse = get_own_bundle;
    enrol_partner(EnrolPartnerRequest) -> EnrolPartnerResponse = enrol_partner;
    add_letter_partner(AddLetterPartnerRequest) -> AddLetterPartnerResponse = add_letter_partner;
    list_partners(ListPartnersRequest) -> ListPartnersResponse = list_partners;
    rotate_signing_key(RotateSigningKeyRequest) -> RotateSigningKeyResponse = rotate_signing_key;
    begin_new_epoch(BeginNewEpochRequest) -> BeginNewEpochResponse = begin_new_epoch;
}

impl Service {
    /// Adds the services to a server.
    pub fn add_routes(&self, routes: &mut tonic::service::RoutesBuilder) {
        routes.add_service(NotificationServiceServer::new(self.clone()));
        routes.add_service(PartnerDirectoryServiceServer::new(self.clone()));
    }
}

/// A notification that this caller may use for this method.
async fn authorised(tx: &mut Tx, caller: &Caller, method: &'static str, name: &str) -> Result<Notification> {
    let found = store::notification::existing(tx, name).await?;
    caller.require_for(method, &found.admin_code, name)?;
    Ok(found)
}

/// A notification with its proof, for the answer.
async fn answer(tx: &mut Tx, service: &Service, caller: &Caller, record: &Notification) -> Result<NotificationRecord> {
    record_with_proof(tx, record, service.province_code(), caller.space()?).await
}

/// The person as records name it.
fn person(caller: &Caller) -> String {
    format!("{} {}", caller.display_name, caller.post).trim().to_owned()
}
