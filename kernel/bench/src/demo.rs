//! The demo's data: what happened in a fictitious workspace, and how it is loaded.

pub mod generate;
pub mod load;
mod names;
mod random;
