//! The node as its users see it: a real console listener with its authorisation, on SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

mod audit;
mod exercises;
mod people;
mod support;
