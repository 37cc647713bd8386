//! What the whole-system tests and measurements share: nodes as processes, people who act on them, and counting afterwards.
//!
//! [`node::Process`] starts the real binary; [`province::Province`] is a node with its people, as clients of the public contracts see
//! it; [`count`] reads everything back and says what is missing, what is there twice, and what does not verify; [`traffic`] keeps officers at
//! work while something breaks and writes down what they were told, and [`account`] holds that against the logs afterwards.
#![allow(clippy::unwrap_used, clippy::expect_used)] // Tests: a failure here is a failed test.

pub mod account;
pub mod backup;
pub mod conditions;
pub mod count;
pub mod follow;
pub mod namespace;
pub mod node;
pub mod outage;
pub mod province;
pub mod replicas;
pub mod reports;
pub mod traffic;
