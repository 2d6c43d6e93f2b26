//! The vocabulary of the customer record: values, kinds, records, changes, refusals, filters and
//! journal entries.
//!
//! This crate is pure. It never reads a clock, a file or a random number, it depends on nothing but
//! the values it shares with plugins, and its types are not serializable: bytes, JSON and WIT are
//! made at three edges elsewhere.
//!
//! The kernel's own words:
//!
//! - **Kind**: a type of record with its fields, described as data.
//! - **Commit**: the changes somebody wants made, all of them or none.
//! - **Refusal**: one reason why a commit is not made: data, never an error.
//! - **Entry**: what the journal keeps of one commit, with the verdict of every plugin that was asked.
//! - **Edit**: one changed record in an entry, before and after.
//! - **Cause**: the entry a reaction answers, and how many reactions led there.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod change;
mod check;
mod choices;
mod core_kinds;
mod email;
mod entry;
pub mod filter;
mod id;
mod kind;
mod likeness;
mod message;
pub mod models;
mod name;
mod parse;
mod phone;
mod record;
mod refusal;
pub mod screens;
pub mod shown;
#[cfg(test)]
mod tests;
mod url;
mod value;

pub use change::{Actor, Cause, Change, Commit, Target};
pub use check::{check_fields, check_given, check_new};
pub use core_kinds::core_kinds;
pub use entry::{Act, Asked, Edit, Entry, Remark, Verdict};
pub use id::{RecordId, Reference};
pub use kind::{Choice, Field, FieldType, Kind, PersonalData, Schema, SchemaError};
pub use kjerne_values::{
    Currency, Date, Decimal, Instant, Money, ParseError, is_blank, shifted, trim, without_exponent,
};
pub use likeness::Likeness;
pub use message::Message;
pub use name::Name;
pub use parse::parse_value;
pub use record::{Fields, Patch, Record};
pub use refusal::{Code, Refusal};
pub use value::{Address, Value};
