//! The kernel's core: the commit pipeline, queries, reactions and the outbox.
//!
//! [`Kernel::commit`] is the one function that changes a record; `commit.rs` shows the whole path of
//! a change from top to bottom. This crate knows no wasm, no HTTP and no clock: plugins stand behind
//! the trait [`Plugins`], and time is an argument.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod access;
mod apply;
mod check;
mod commit;
mod digest;
mod escalation;
mod group_commit;
mod ids;
mod kernel;
pub mod limits;
mod outbox;
mod outcome;
mod plugin_calls;
mod plugin_table;
mod plugins;
mod prepared;
mod query;
mod react;
mod reader;
mod requests;
mod resolve;
mod rows_beside;
mod sealed;
mod service_clock;
#[cfg(test)]
mod tests;
mod walker;

pub use kernel::Kernel;
pub use outcome::{Outcome, Receipt, Touched};
pub use plugin_table::{TablePlugin, TablePlugins};
pub use plugins::{
    Call, Draft, Effects, Fault, FieldSet, Finding, Guarded, PluginInfo, Plugins, Reply, Role,
    Shaped, Task,
};
pub use query::page::{Order, Page, Query, QueryError};
pub use react::Progress;
pub use reader::Reader;
pub use requests::{Ask, Performed};
pub use service_clock::Escalated;
