//! The kernel's core: the commit pipeline, queries, reactions and the outbox.
//!
//! [`Kernel::commit`] is the one function that changes a record; `commit.rs` shows the whole path of
//! a change from top to bottom. This crate knows no wasm, no HTTP and no clock: plugins stand behind
//! the trait [`Plugins`], and time is an argument.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod limits;
mod plugins;

pub use plugins::{
    Call, Draft, Effects, FieldSet, Fault, Finding, Guarded, PluginInfo, Plugins, Reply,
    Role, Shaped, Task,
};
