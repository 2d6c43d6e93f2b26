//! Filters in the grammar of OData's `$filter`: `stage eq 'won' and amount/minor gt 100000`.
//!
//! [`parse`] checks a filter against the kind it is for, so that a wrong field or type is an error
//! with a position and never an empty answer; [`Filter::matches`] decides one record.

mod condition;
mod error;
mod eval;
mod lex;
mod literal;
mod parse;
#[cfg(test)]
mod tests;
mod write;

pub use condition::{Filter, Operator, Own, Path, TextTest};
pub use error::FilterError;
pub use parse::{MAX_BYTES, MAX_CONDITIONS, MAX_DEPTH, parse, parse_path};
