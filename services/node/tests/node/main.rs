//! The node as its users see it: a real console listener with its authorisation, on SQLite and on PostgreSQL.

mod audit;
mod exercises;
mod people;
mod support;
