//! The commands, by what they are about.

mod author;
mod cells;
pub(crate) mod exchange;
pub(crate) mod models;
mod placed;
mod plugin_table;
pub(crate) mod plugins;
pub(crate) mod records;
mod references;
pub(crate) mod reports;
mod reviews;
mod signing;
mod usage_bars;
pub(crate) mod workspaces;
