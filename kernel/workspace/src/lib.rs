//! An open workspace at work: its directory and settings, its secrets, its plugins and their files,
//! the threads that run reactions and keep time, and the delivery of messages.
//!
//! This is where the clock is: everything below takes time as an argument. What comes in here is in
//! the model's terms already; JSON and the network's way in belong to those above.
#![forbid(unsafe_code)]

pub mod administration;
pub mod chain;
pub mod cost_report;
pub mod delivery;
pub mod directory;
pub mod error;
pub mod files;
pub mod grants;
pub mod health;
pub mod jobs;
pub mod kinds_file;
pub mod limits;
pub mod notify;
pub mod plugin_files;
pub mod plugin_log;
pub mod plugin_registry;
mod proposer;
pub mod publishers;
pub mod queries;
mod read_only;
mod report_cursor;
pub mod requests;
pub mod runtime;
pub mod screens;
pub mod secrets;
pub mod stderr;
mod under_way;
pub mod workers;

pub use administration::Administration;
pub use directory::Workspace;
pub use error::{Error, Result};
pub use publishers::Offer;
pub use runtime::Runtime;
