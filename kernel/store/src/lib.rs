//! Storage: an ordered, transactional key space, and what the kernel keeps in it.
//!
//! The trait [`Store`] is small so that another database can stand behind it; redb and an in-memory
//! twin implement it and pass the same tests. Above it, plain functions over [`Read`] and [`Write`]
//! keep records, their indexes, the journal, plugin rows and the outbox. Bytes are made and read in
//! `codec` and `key` alone.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod codec;
pub mod costs;
pub mod cursors;
mod error;
mod holder;
pub mod index;
pub mod journal;
mod key;
pub mod keys;
mod memory;
pub mod meta;
pub mod outbox;
pub mod parked;
pub mod plugin_state;
pub mod records;
mod redb;
pub mod registry;
mod scan;
mod shield;
mod space;
mod store;
mod verify;

pub use costs::CostRow;
pub use cursors::CursorRow;
pub use error::StoreError;
pub use keys::KeyRow;
pub use memory::MemoryStore;
pub use meta::FORMAT;
pub use outbox::OutboxRow;
pub use parked::ParkedRow;
pub use redb::RedbStore;
pub use registry::PluginRow;
pub use space::Space;
pub use store::{Range, Read, Snapshot, Store, Visit, Write};
pub use verify::{Report, verify};
