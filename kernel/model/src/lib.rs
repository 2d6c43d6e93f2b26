//! The vocabulary of the customer record: values, kinds, records, changes, refusals, filters and
//! journal entries.
//!
//! This crate is pure. It never reads a clock, a file or a random number, it depends on no other
//! crate, and its types are not serializable: bytes, JSON and WIT are made at three edges elsewhere.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod change;
mod check;
mod decimal;
mod entry;
pub mod filter;
mod id;
mod kind;
mod kinds;
mod message;
mod money;
mod name;
mod parse;
mod record;
mod refusal;
#[cfg(test)]
mod tests;
mod time;
mod value;

pub use change::{Actor, Cause, Change, Commit, Target};
pub use check::check_fields;
pub use decimal::Decimal;
pub use entry::{Act, Edit, Entry, Verdict};
pub use id::{RecordId, Reference};
pub use kind::{Choice, Field, FieldType, Kind, PersonalData, Schema, SchemaError};
pub use kinds::core_kinds;
pub use message::Message;
pub use money::{Currency, Money};
pub use name::Name;
pub use parse::{ParseError, parse_value};
pub use record::{Fields, Patch, Record};
pub use refusal::{Code, Refusal};
pub use time::{Date, Instant};
pub use value::{Address, Value};
