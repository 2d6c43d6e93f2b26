//! Runs plugins: reads and checks them, grants, calls, limits, accounts.
//!
//! [`Package::read`] checks a component without running it, [`Host::replace`] puts a set of plugins
//! in use, and the kernel asks them through [`kjerne_core::Plugins`]. Every call gets an instance of
//! its own, with every limit of [`limits`] set, and is gone afterwards.
//!
//! No other crate knows WebAssembly, and this one knows neither HTTP nor files, apart from the cache
//! of compiled plugins.
#![deny(missing_docs)]

mod asking;
mod cache;
mod call;
mod code;
mod engine;
mod error;
mod fault;
mod gate;
pub mod grants;
mod host;
mod imports;
mod ledger;
pub mod limits;
mod logs;
mod manifest;
mod meter;
pub mod models;
mod outputs;
mod package;
mod questions;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod wit;

pub use engine::RUNTIME_VERSION;
pub use error::{AskError, HostError, LoadError};
pub use host::{Host, HostOptions, Installed};
pub use ledger::{CallStats, Cost};
pub use logs::Line;
pub use manifest::{Command, Declared, Manifest, Parameter};
pub use package::{CONTRACT, MANIFEST_SECTION, Package, SETTINGS_SECTION};
pub use questions::STALE_PAGE;
pub use settings::{BadSettings, Settings};
