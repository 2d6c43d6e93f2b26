//! How far plugins have come with their jobs: what was done last, and what failed.
//!
//! A plugin's rows lie in a key space of their own, under a name that no plugin can have.

use std::ops::ControlFlow;

use crate::codec::Row;
use crate::error::StoreError;
use crate::plugin_state;
pub use crate::rows::JobRow;
use crate::store::{Read, Write};

/// How far a plugin has come with a job; none when the job has not begun to count.
///
/// # Errors
/// When the store cannot be read or the row is damaged.
pub fn get(read: &dyn Read, plugin: &str, job: &str) -> Result<Option<JobRow>, StoreError> {
    let bytes = plugin_state::get(read, &space(plugin), job)?;
    bytes.map(|bytes| decode(plugin, job, &bytes)).transpose()
}

/// Keeps how far a plugin has come with a job.
///
/// # Errors
/// When the store cannot be written.
pub fn put(write: &mut dyn Write, plugin: &str, job: &str, row: &JobRow) -> Result<(), StoreError> {
    plugin_state::put(write, &space(plugin), job, &row.encode())
}

/// The jobs of a plugin that have begun to count, by name.
///
/// # Errors
/// When the store cannot be read.
pub fn names(read: &dyn Read, plugin: &str) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    plugin_state::keys(read, &space(plugin), "", None, &mut |name| {
        names.push(name.to_owned());
        ControlFlow::Continue(())
    })?;
    Ok(names)
}

/// Forgets a job.
///
/// # Errors
/// When the store cannot be written.
pub fn remove(write: &mut dyn Write, plugin: &str, job: &str) -> Result<(), StoreError> {
    plugin_state::remove(write, &space(plugin), job)
}

/// Forgets all jobs of a plugin.
///
/// # Errors
/// When the store cannot be written.
pub fn clear(write: &mut dyn Write, plugin: &str) -> Result<(), StoreError> {
    plugin_state::clear(write, &space(plugin))
}

fn space(plugin: &str) -> String {
    format!("kernel/jobs/{plugin}")
}

fn decode(plugin: &str, job: &str, bytes: &[u8]) -> Result<JobRow, StoreError> {
    let what = format_args!("the job {job} of {plugin}");
    JobRow::decode(bytes).map_err(|damage| damage.in_(what))
}
