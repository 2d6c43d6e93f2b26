//! What is to be measured, and one line of what came of it.

use std::path::PathBuf;

use clap::Args;

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
