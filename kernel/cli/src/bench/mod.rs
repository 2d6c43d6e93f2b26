//! `kjerne bench`: the numbers of the README, each measured in one run beside what it is compared
//! with, so that a slow machine slows both.

mod durable;
mod guard;
mod measured;
mod real;
mod recording;
mod scratch;

use anyhow::Result;
use serde_json::{Value as Json, json};

use crate::output::{Format, Report};
pub use measured::BenchArgs;
use measured::Measured;

/// Measures and prints.
///
/// # Errors
/// When a workspace for the purpose cannot be made or a plugin is missing.
pub fn run(args: &BenchArgs, format: Format) -> Result<()> {
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
    print(&rows).print(format)
}

fn print(rows: &[Measured]) -> Report {
    let verdict = |met: Option<bool>| match met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "",
    };
    let cells = rows.iter().map(|row| {
        vec![
            row.what.clone(),
            row.figure.clone(),
            row.bar.clone(),
            verdict(row.met).to_owned(),
        ]
    });
    let objects = rows.iter().map(
        |row| json!({ "what": row.what, "figure": row.figure, "bar": row.bar, "met": row.met }),
    );
    let columns = ["What", "Measured", "Bar", ""];
    Report::new(&columns, cells.collect(), Json::Array(objects.collect()))
}
