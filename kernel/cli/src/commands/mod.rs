//! The commands, by what they are about.

pub(crate) mod approvals;
mod author;
mod budgets;
mod cells;
mod costs;
pub(crate) mod exchange;
mod jobs;
pub(crate) mod models;
pub(crate) mod panels;
mod placed;
mod plugin_reports;
mod plugin_table;
pub(crate) mod plugins;
pub(crate) mod records;
mod references;
pub(crate) mod reports;
mod reviews;
mod signing;
mod usage_bars;
pub(crate) mod workspaces;
