//! The HTTP interface over an open workspace. A handler reads the request into the model, makes one
//! call, and writes the answer.
#![forbid(unsafe_code)]

mod app;
mod gate;
mod inspect;
pub mod limits;
mod models;
mod plugins;
mod problem;
mod records;
mod request;
mod root;
mod routes;
mod serve;

pub use inspect::{Inspected, listed};
pub use routes::router;
pub use serve::serve;
