//! Between the contract's messages and the domain's types.

pub mod event;
pub mod exercise;
pub mod operation;
pub mod person;
