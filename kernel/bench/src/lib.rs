//! `kjerne bench`: the numbers of the README, each measured in one run beside what it is compared
//! with, so that a slow machine slows both.
#![forbid(unsafe_code)]

pub mod built_in;
pub mod demo;
mod durable;
mod guard;
mod measured;
mod real;
mod recording;
mod scratch;

use anyhow::Result;

pub use measured::{BenchArgs, Measured};

/// Measures what is asked for, or all of it.
///
/// # Errors
/// When a workspace for the purpose cannot be made or a plugin is missing.
pub fn measure(args: &BenchArgs) -> Result<Vec<Measured>> {
    let wanted = |name: &str| args.what.is_empty() || args.what.iter().any(|what| what == name);
    let mut rows = Vec::new();
    if wanted("guard") {
        rows.extend(guard::measure(args)?);
    }
    if wanted("durable") {
        rows.extend(durable::measure(args)?);
    }
    if wanted("import") || wanted("serve") {
        rows.extend(real::measure(args)?);
    }
    Ok(rows)
}
