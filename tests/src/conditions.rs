//! What a node says is wrong with it.

use std::time::{Duration, Instant};

use fenghuo_api::operation::v1::operation_service_client::OperationServiceClient;
use fenghuo_api::operation::v1::{Condition, ListConditionsRequest, ListConditionsResponse, QuarantineState};

use crate::province::{Province, Signed};

/// The calls about the node itself, as the officer.
pub fn operation(of: &Province) -> OperationServiceClient<Signed> {
    OperationServiceClient::new(of.desk())
}

/// What is wrong now.
pub async fn now(of: &Province) -> ListConditionsResponse {
    operation(of).list_conditions(ListConditionsRequest {}).await.unwrap().into_inner()
}

/// The codes of what is wrong now, the gravest first.
pub async fn codes(of: &Province) -> Vec<String> {
    now(of).await.conditions.into_iter().map(|one| one.code).collect()
}

/// Waits until a condition is told.
pub async fn told(of: &Province, code: &str, within: Duration) -> Condition {
    let began = Instant::now();
    loop {
        if let Some(found) = now(of).await.conditions.into_iter().find(|one| one.code == code) {
            return found;
        }
        assert!(began.elapsed() < within, "{code} is not told after {within:?}; log:\n{}", of.process.log_tail());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until a condition is over.
pub async fn over(of: &Province, code: &str, within: Duration) {
    let began = Instant::now();
    while codes(of).await.iter().any(|found| found == code) {
        assert!(began.elapsed() < within, "{code} is still told after {within:?}; log:\n{}", of.process.log_tail());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// State of the last quarantine; unspecified if there was none.
pub async fn quarantine(of: &Province) -> QuarantineState {
    now(of).await.quarantine.unwrap_or_default().state()
}
