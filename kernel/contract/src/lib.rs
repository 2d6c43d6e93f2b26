//! The contract with plugins as this kernel has it, and the places where another one differs.
//!
//! Two questions are answered with one comparison: what of a plugin's component does not fit the kernel, named so
//! that its author finds it; and whether a new version of the contract only grew, as `wit/README.md` rules. The
//! runtime's own comparison says that types do not match, and rarely where.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod compare;
mod contract;
mod shape;

pub use compare::{Difference, differences, growth};
pub use contract::{FILES, VERSION, first_difference, parse};
