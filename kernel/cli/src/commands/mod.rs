//! The commands, by what they are about.

mod author;
mod plugin_table;
pub(crate) mod plugins;
pub(crate) mod records;
mod usage_bars;
pub(crate) mod workspaces;
