//! The kernel's core: the commit pipeline, reactions and the outbox.
//!
//! [`Kernel::commit`] is the one function that changes a record; `commit.rs` shows the whole path of
//! a change from top to bottom. This crate knows no wasm, no HTTP and no clock: plugins stand behind
//! the trait [`Plugins`], and time is an argument.
//!
//! # Words
//!
//! | | |
//! |---|---|
//! | commit | changes of records that are stored together or not at all; also storing them |
//! | snapshot | a state of the store that does not change while a commit is decided on it |
//! | reader | reads a snapshot, and notes what was read, so that it can be looked at again |
//! | shape | a plugin that sets fields of a commit before it is checked |
//! | draft | one change of a commit as a shape or guard sees it: the record before and after |
//! | sealed | of a commit: the last shape is done, and nothing in it is amended any more |
//! | guard | a plugin that allows or refuses a sealed commit, and has no effects |
//! | finding | one thing a guard says: it refuses, it asks for approval, or it advises |
//! | pending | of a commit: a guard has asked for approval, and it waits for it instead of being stored |
//! | verdict | what the journal keeps of a plugin that let a commit pass: who, and for how much fuel |
//! | journal | the list of all commits stored, each one an entry with the edits it made |
//! | reaction | a plugin's answer to journal entries: proposals and messages |
//! | cursor | how far a plugin has come in the journal; of a query, where the next page begins |
//! | aside | of a journal entry: a plugin failed on it, or it waits behind such a one; the others go on |
//! | parked | of a journal entry: a plugin failed on it for the last time, and went on without it |
//! | job | what a plugin does by the clock; a run of it belongs to a time at which it was due |
//! | task | something a plugin is asked to do after a commit or outside of one |
//! | effects | what a plugin wants done by a task: proposals, messages, writes to its own state |
//! | rows beside | rows that are no records, stored in the same transaction as a commit |
//! | outbox | messages that are stored and wait for their delivery |
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod access;
mod administered;
mod administration;
mod apply;
mod approvals;
mod approve;
mod aside;
mod check;
mod commit;
mod digest;
mod escalation;
mod faults;
mod group_commit;
mod ids;
mod job_rows;
mod jobs;
mod kernel;
pub mod limits;
mod outbox;
mod outcome;
mod plugin_calls;
mod plugin_sets;
mod plugin_table;
mod plugins;
mod prepared;
mod progress;
mod react;
mod requests;
mod resolve;
mod rows_beside;
mod sealed;
mod service_clock;
#[cfg(test)]
mod tests;
mod walker;
mod watches;

pub use administered::{Administered, was_in_use};
pub use approve::pending_commit;
pub use faults::Faults;
pub use job_rows::{parked_job, parked_role};
pub use jobs::{JobProgress, Run, Why};
pub use kernel::Kernel;
pub use kjerne_model::models::{self, Reply};
pub use kjerne_model::screens;
pub use kjerne_query::{Allowance, Feed, Order, Page, Query, QueryError, Reader, limit_table};
pub use outbox::{Failed, Undelivered};
pub use outcome::{OpenRole, Outcome, PluginCost, PluginSet, Receipt, Touched, Waiting};
pub use plugin_table::{TablePlugin, TablePlugins};
pub use plugins::{
    Call, Draft, Effects, Fault, FieldSet, Finding, Force, Guarded, PluginInfo, Plugins, Role,
    Shaped, Task,
};
pub use progress::Progress;
pub use requests::{Ask, Performed};
pub use service_clock::Escalated;
pub use watches::{Operations, Watch, Watches};
