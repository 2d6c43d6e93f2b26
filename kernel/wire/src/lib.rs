//! The JSON shapes of HTTP and of `--output json`, and their only place: the model is not
//! serializable.

mod body;
pub mod json;
pub mod models;
mod read;
mod schema;
pub mod screens;
mod show;
#[cfg(test)]
mod tests;

pub use body::{named_texts, object, optional_flag, optional_text, optional_texts};
pub use read::{
    Batch, arguments, batch, create, fields_of_text, patch, patch_of_text, read_arguments, refuse,
};
pub use schema::{kind, limit};
pub use show::{
    aside, commit_costs, cost, dated_cost, entry, message, outcome_edits, page, parked, pending,
    plugin_row, receipt, record, refusal, refusals, reply, value, waiting, whole,
};
