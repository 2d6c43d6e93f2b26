//! What a plugin's settings document says: TOML, read into a flat list of entries. The host hands
//! this list to plugins, and the SDK makes the same one for a plugin's native tests, so that both
//! understand a document alike.
#![deny(missing_docs)]

mod entry;
mod fault;
mod read;
#[cfg(test)]
mod tests;

pub use entry::{Entry, MOST, Value};
pub use fault::Fault;
pub use read::parse;
