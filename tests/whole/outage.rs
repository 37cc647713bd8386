//! The 10,000 test in small: the partner dies early, our node while many are still to be approved, both start again. `play` counts; how
//! long it takes is measured on release binaries: `cargo run --release -p fenghuo-tests --bin ten_thousand`.

use fenghuo_tests::node::Spec;
use fenghuo_tests::outage::{Plan, play};

#[tokio::test(flavor = "multi_thread")]
async fn notifications_outlive_the_death_of_both_ends() {
    let dir = tempfile::tempdir().unwrap();
    let plan = Plan { notifications: 300, partner_dies_at: 30, we_die_at: 120, in_flight: 4 };
    let seen = play(&Spec::new("420000", dir.path()), &Spec::new("500000", dir.path()), plan).await;
    // Both died in the middle: what was not approved or not stored by then came afterwards.
    assert!(seen.stored_there >= 30 && seen.acknowledged_here >= 120, "{seen:?}");
}
