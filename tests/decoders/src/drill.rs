//! The drill script's reader, compiled from the binary's own files: a binary exports nothing.

#![allow(dead_code, unreachable_pub)]

#[path = "../../../services/fenghuo/src/drill/script.rs"]
pub mod script;
#[path = "../../../services/fenghuo/src/drill/script_check.rs"]
pub mod script_check;
#[path = "../../../services/fenghuo/src/drill/script_facts.rs"]
pub mod script_facts;
