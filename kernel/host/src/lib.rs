//! Runs plugins: reads and checks them, grants, calls, limits, accounts.
//!
//! [`Package::read`] checks a component without running it, [`Host::replace`] puts a set of plugins
//! in use, and the kernel asks them through [`kjerne_core::Plugins`]. Every call gets an instance of
//! its own, with every limit of [`limits`] set, and is gone afterwards.
//!
//! No other crate knows WebAssembly, and this one knows neither HTTP nor files, apart from the cache
//! of compiled plugins.
#![deny(missing_docs)]

mod active;
mod cache;
mod call;
mod call_state;
mod code;
mod concurrency;
mod cost_ledger;
mod engine;
mod error;
mod fault;
pub mod grants;
mod host;
mod ids;
mod imports;
pub mod limits;
mod logs;
mod manifest;
mod meter;
mod model_calls;
pub mod models;
mod outputs;
mod package;
mod plugin;
mod plugin_calls;
mod resources;
mod settings;
mod stop;
#[cfg(test)]
mod tests;
mod wit;

pub use cost_ledger::{CallStats, Cost};
pub use engine::RUNTIME_VERSION;
pub use error::{AskError, HostError, LoadError};
pub use host::{Host, HostOptions, Installed};
pub use logs::Line;
pub use manifest::{Command, Declared, Manifest, Parameter};
pub use model_calls::STALE_PAGE;
pub use package::{CONTRACT, MANIFEST_SECTION, Package, SETTINGS_SECTION};
pub use settings::{BadSettings, Settings};
