//! The HTTP interface over an open workspace. A handler reads the request into the model, makes one
//! call, and writes the answer.
#![forbid(unsafe_code)]

mod administration;
mod answers;
mod app;
mod approvals;
mod body;
mod budgets;
mod chain;
mod coming;
mod connection;
mod exchange;
mod figures;
mod gate;
mod hands;
mod headers;
mod import_body;
mod inspect;
mod jobs;
pub mod limits;
mod listing;
mod memory;
mod models;
mod operations;
mod panels;
mod plugins;
mod problem;
mod publishers;
mod records;
pub mod reports;
mod request;
mod reviews;
mod root;
mod routes;
mod seats;
mod secrets;
mod serve;
#[cfg(unix)]
mod socket;
mod stream;
mod timed;
mod watch;

pub use app::Door;
pub use gate::ACTOR;
pub use inspect::{Inspected, listed};
pub use problem::Problem;
pub use request::{PUBLIC_KEY, SIGNATURE, SUCCESSION};
pub use routes::router;
pub use serve::serve;
#[cfg(unix)]
pub use socket::connect;
pub use stream::PROBLEM;
