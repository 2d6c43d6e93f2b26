//! `kjerne bench`: the numbers of the README, each measured in one run beside what it is compared
//! with, so that a slow machine slows both.

mod durable;
mod guard;
mod real;
mod recording;
mod scratch;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::{Value as Json, json};

use crate::output::{Format, Report};

/// `bench`
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// Only these: guard, durable, import, serve. Otherwise all.
    #[arg(value_name = "WHAT")]
    pub what: Vec<String>,
    /// A folder with the leadforge-5000 files, for import and serve.
    #[arg(long, value_name = "DIR", env = "KJERNE_BENCH_DATA")]
    pub data: Option<PathBuf>,
    /// The mapping files of that data set.
    #[arg(long, value_name = "DIR", default_value = "tests/import/maps")]
    pub maps: PathBuf,
    /// Where the built-in plugins are; otherwise beside the program.
    #[arg(long, value_name = "DIR")]
    pub plugins: Option<PathBuf>,
    /// Records each of the 64 writers creates.
    #[arg(long, default_value_t = 60)]
    pub per_writer: usize,
}

/// One line of the result.
pub struct Measured {
    /// What was measured.
    pub what: String,
    /// The figure, with its unit.
    pub figure: String,
    /// What it is held against.
    pub bar: String,
    /// Whether it holds; none when there is no bar.
    pub met: Option<bool>,
}

impl Measured {
    /// A figure held against a bar.
    pub fn held(what: &str, figure: String, bar: &str, met: bool) -> Self {
        Self {
            what: what.to_owned(),
            figure,
            bar: bar.to_owned(),
            met: Some(met),
        }
    }

    /// A figure that explains another.
    pub fn plain(what: &str, figure: String) -> Self {
        Self {
            what: what.to_owned(),
            figure,
            bar: String::new(),
            met: None,
        }
    }
}

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
