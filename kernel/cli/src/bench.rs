//! `kjerne bench`: prints what was measured.

use anyhow::Result;
use kjerne_bench::{BenchArgs, Measured};
use serde_json::{Value as Json, json};

use crate::output::{Format, Report};

/// Measures and prints.
///
/// # Errors
/// When a workspace for the purpose cannot be made or a plugin is missing.
pub fn run(args: &BenchArgs, format: Format) -> Result<()> {
    table(&kjerne_bench::measure(args)?).print(format)
}

fn table(rows: &[Measured]) -> Report {
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
