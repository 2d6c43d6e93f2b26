//! The `kjerne` program: command line, HTTP, import, delivery, and the wiring of the kernel's parts.
//!
//! This is the only crate with a clock, with JSON and with the network. Every handler, of a command
//! or of a request, reads its input into the model, makes one call, and writes the answer.
#![forbid(unsafe_code)]

pub mod bell;
pub mod bench;
pub mod cli;
pub mod demo;
pub mod exit;
pub mod export;
pub mod http;
pub mod import;
pub mod inspect;
pub mod kept;
pub mod kinds_file;
pub mod limits;
pub mod logbook;
pub mod outbox;
pub mod output;
pub mod plugin_tool;
pub mod progress;
pub mod queries;
pub mod reading;
pub mod runtime;
pub mod secrets;
pub mod shelf;
pub mod signing;
pub mod tasks;
pub mod wire;
pub mod workers;
pub mod workspace;
