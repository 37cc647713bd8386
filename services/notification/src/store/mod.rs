//! The queries, a file for each noun.

pub mod incident;
pub mod letter;
pub mod notification;
pub mod partner;
