//! Runs plugins: reads and checks them, grants, calls, limits, accounts.
//!
//! [`Package::read`] checks a component without running it, [`Host::replace`] puts a set of plugins
//! in use, and the kernel asks them through [`kjerne_core::Plugins`]. Every call gets an instance of
//! its own, with every limit of [`limits`] set, and is gone afterwards.
//!
//! No other crate knows WebAssembly, and this one knows neither HTTP nor files, apart from the cache
//! of compiled plugins, and no other program, apart from the one that compiles them.
//!
//! # Words
//!
//! The core's words mean here what they mean there. Beside them:
//!
//! | | |
//! |---|---|
//! | package | a plugin's file: a component with its manifest and default settings inside |
//! | manifest | what a plugin says about itself: its id, its roles, what it asks for and why |
//! | grant | one thing the administrator lets a plugin do; in effect when it was declared as well |
//! | projection | the fields of a kind a plugin may read; only they cross over to it |
//! | active | of a plugin: in use, with its code linked |
//! | set | the plugins in use at one time; exchanged whole |
//! | slot | room for one call in the runtime's pool; there are as many as calls at a time |
//! | fuel | the runtime's count of work done, the same for the same work on every machine |
//! | budget | what one call may use of fuel, time, memory and calls to the host |
//! | meter | counts what one call uses, against its budget |
//! | purpose | what a call is for, which decides what it may do: verdict, question, work or preparation |
//! | prepared | of a plugin: its calls begin with what `prepare` left in its memory |
//! | stop | why a function of the host gave a plugin no answer |
//! | set aside | of a plugin in a role: its calls broke in a row, and it is not asked for a while |
//! | fault | how a plugin broke, told with the limit it passed |
//! | domain model | a role of which one plugin at a time answers: stages, buying process, service, scoring |
//! | account | what one version of a plugin has cost; all of them are the cost ledger |
#![deny(missing_docs)]

mod active;
mod cache;
mod call;
mod call_state;
mod code;
mod compiler;
mod digest;
mod engine;
mod error;
mod fault;
mod found;
mod given;
mod host;
mod ids;
mod imports;
pub mod knobs;
pub mod limits;
mod meter;
mod model_calls;
pub use kjerne_core::models;
pub use kjerne_ledger::limits as ledger_limits;
pub use kjerne_ledger::{CallStats, Cost, SetAside};
pub use kjerne_package::limits as package_limits;
mod outputs;
mod plugin;
mod plugin_calls;
mod prepare;
mod resources;
mod screen_calls;
mod settings;
mod stop;
#[cfg(test)]
mod tests;
mod trial;
mod watching;
mod wit;

pub use compiler::{ARGUMENT as COMPILE_ARGUMENT, compile_with, serve as compile_and_end};
pub use engine::RUNTIME_VERSION;
pub use error::{AskError, HostError, LoadError, Misfit};
pub use host::{Host, HostOptions, Installed, Loaded};
pub use kjerne_ledger::Line;
pub use kjerne_package::{
    CONTRACT, Change, Command, Declared, Difference, Job, MANIFEST_SECTION, Manifest, Package,
    PackageError, Parameter, SETTINGS_SECTION, Stage, check_publisher, grants, parameters, screens,
    signing,
};
pub use model_calls::STALE_PAGE;
pub use screen_calls::{Asked, SCORE_PAGE};
pub use settings::{BadSettings, Settings};
