//! Storage: an ordered, transactional key space, and what the kernel keeps in it.
//!
//! The trait [`Store`] is small so that another database can stand behind it; redb and an in-memory
//! twin implement it and pass the same tests. Above it, plain functions over [`Read`] and [`Write`]
//! keep records, their indexes, the journal, plugin rows and the outbox. Bytes are made and read in
//! `codec` alone.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod space;
mod store;

pub use space::Space;
pub use store::{Range, Read, Snapshot, Store, StoreError, Write};
