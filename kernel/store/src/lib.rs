//! Storage: an ordered, transactional key space, and what the kernel keeps in it.
//!
//! The trait [`Store`] is small so that another database can stand behind it; redb and an in-memory
//! twin implement it and pass the same tests. Above it, plain functions over [`Read`] and [`Write`]
//! keep records, their indexes, the journal, plugin rows and the outbox. Bytes are made and read in
//! `codec` and `key` alone.
//!
//! The kernel's own words:
//!
//! - **Space**: one ordered map from bytes to bytes; the store has one for each thing it keeps.
//! - **Snapshot**: the store as of one write, to be read by anybody for as long as it is held.
//! - **Row**: one value in a space, with the key it stands under.
//! - **Journal**: every commit as an entry, numbered without gaps, for ever.
//! - **History**: which entries of the journal changed a record.
//! - **Cursor**: the last entry a plugin has come by in one role, and those before it that were put aside.
//! - **Parked**: an entry a plugin gave up on, kept until somebody decides about it.
//! - **Pending**: of a commit: decided on, not stored, and kept until somebody approves of it.
//! - **Outbox**: messages that are stored and wait to be delivered.
//! - **Idempotency key**: the name a caller gives a commit, so that it is done once.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod approvers;
mod codec;
pub mod costs;
pub mod cursors;
mod data_file;
mod error;
mod guarded;
mod holder;
pub mod idempotency;
pub mod index;
pub mod jobs;
pub mod journal;
mod key;
mod memory;
pub mod meta;
mod names;
pub mod outbox;
pub mod parked;
pub mod pending;
pub mod plugin_state;
pub mod provenance;
pub mod records;
mod redb;
pub mod registry;
pub mod reindex;
mod rows;
mod scan;
mod seal;
mod shield;
mod space;
mod spent;
mod store;
mod verify;

pub use error::{Halt, StoreError};
pub use memory::MemoryStore;
pub use meta::FORMAT;
pub use redb::RedbStore;
pub use rows::{
    Approval, AsideRow, CostRow, CursorRow, DueRun, JobRow, JobRun, KeyRow, KeyStanding, Link,
    Origin, OutboxRow, ParkedRow, PendingRow, PluginRow, PublisherKey, PublisherRow, Signer,
    Waiting, WaitingRow,
};
pub use space::Space;
pub use store::{Range, Read, Snapshot, Store, Visit, VisitDamaged, Write};
pub use verify::{Report, verify};
