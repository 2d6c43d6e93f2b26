//! Reading a state of the workspace: remembered reads, bounds of reading, and pages of the journal, and queries over
//! the records of one kind.
//!
//! A query is planned (`plan`: which index serves it, if any) and then run: every record the plan
//! brings up is held against the whole filter, so that a plan can be wrong about speed and never
//! about the answer. This crate never writes, and knows no plugins and no clock.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod allowance;
mod cursor;
mod feed;
pub mod limits;
mod page;
pub mod plan;
mod reader;
mod run;
mod sort;
pub mod weight;

pub use allowance::Allowance;
pub use feed::Feed;
pub use page::{Order, Page, Query, QueryError};
pub use reader::Reader;
pub use sort::Place;
