//! Dates, instants, decimals, money, the two rules of text and that of headers: the values that kernel and plugins read and write alike.
//!
//! The kernel takes these types as its own; the SDK wraps them in what a plugin sees. A date or an
//! amount therefore means the same on both sides of the contract. This crate knows no clock, no
//! time zone and no exchange rate, and depends on no other crate.
//!
//! Each type has two readers: `read` gives nothing for a text that is none, which costs a plugin
//! least; `parse` says what was expected instead.
#![no_std]
#![deny(missing_docs)]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod currency;
mod date;
mod decimal;
pub mod header;
mod instant;
mod money;
mod parse_error;
#[cfg(test)]
mod tests;
mod text;

pub use currency::{Currency, minor_digits};
pub use date::{Date, day_number};
pub use decimal::{Decimal, shifted, widened, without_exponent, write_scaled};
pub use instant::Instant;
pub use money::{Money, minor_units};
pub use parse_error::ParseError;
pub use text::{fold_case, is_blank, is_unseen, trim, trim_start};
