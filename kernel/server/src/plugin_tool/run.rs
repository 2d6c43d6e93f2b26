//! Runs a plugin's cases in the real host under the limits of production.

use std::io::{self, IsTerminal as _, Write};
use std::path::Path;

use anyhow::Result;
use serde_json::{Value as Json, json};

use super::build::component_of;
use super::cases::{self, Case};
use super::meter::Usage;
use super::stage::{Bench, Stage};
use super::{check, play};
use crate::output::Format;

/// What became of one case.
struct Verdict {
    name: String,
    /// What differs from what was expected; nothing when it passed.
    differences: Vec<String>,
    usage: Usage,
    log: Vec<String>,
}

/// Builds the plugin in a folder, runs all its cases and tells how each went. True when all passed.
///
/// # Errors
/// When the plugin cannot be built, a case file cannot be read, or the output cannot be written.
pub fn test(dir: &Path, format: Format) -> Result<bool> {
    let bench = Bench::new(component_of(dir, None)?.package)?;
    let mut verdicts = Vec::new();
    for (_, file) in cases::read_all(dir)? {
        for case in file {
            let verdict = judge(&bench, &case);
            if format == Format::Table {
                tell(&verdict, &mut io::stdout().lock())?;
            }
            verdicts.push(verdict);
        }
    }
    let failed = verdicts.iter().filter(|verdict| !verdict.passed()).count();
    let passed = verdicts.len() - failed;
    let mut out = io::stdout().lock();
    match format {
        Format::Table => writeln!(out, "{passed} passed, {failed} failed")?,
        Format::Json => writeln!(
            out,
            "{:#}",
            json!({ "passed": passed, "failed": failed, "cases": list(&verdicts) })
        )?,
        Format::Csv => write_csv(&verdicts, &mut out)?,
    }
    Ok(failed == 0)
}

impl Verdict {
    fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Plays a case. What is wrong with the case itself counts as a difference, so that the others run.
fn judge(bench: &Bench, case: &Case) -> Verdict {
    let logged = bench.log().len();
    let differences = steps(bench, case).unwrap_or_else(|error| vec![format!("{error:#}")]);
    let log = bench.log().split_off(logged.min(bench.log().len()));
    Verdict {
        name: case.name.clone(),
        differences,
        usage: bench.usage(),
        log,
    }
}

/// Plays the steps up to the first that differs.
fn steps(bench: &Bench, case: &Case) -> Result<Vec<String>> {
    let stage = Stage::set(bench, case)?;
    for (place, step) in case.steps.iter().enumerate() {
        let before = stage.messages(0)?.last().map_or(0, |row| row.seq);
        let happened = play::play(&stage, step)?;
        let found = check::differences(&stage, step, &happened, before)?;
        if !found.is_empty() {
            let several = case.steps.len() > 1;
            let at = if several {
                format!("step {}: ", place + 1)
            } else {
                String::new()
            };
            return Ok(found
                .into_iter()
                .map(|difference| format!("{at}{difference}"))
                .collect());
        }
    }
    Ok(Vec::new())
}

fn tell(verdict: &Verdict, out: &mut dyn Write) -> Result<()> {
    let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let word = match (verdict.passed(), colours) {
        (true, true) => "\x1b[32mok\x1b[0m    ",
        (true, false) => "ok    ",
        (false, true) => "\x1b[31mFAILED\x1b[0m",
        (false, false) => "FAILED",
    };
    writeln!(out, "{word} {}", verdict.name)?;
    for difference in &verdict.differences {
        writeln!(out, "  - {difference}")?;
    }
    if !verdict.passed() {
        for line in &verdict.log {
            writeln!(out, "  log {line}")?;
        }
    }
    for line in verdict.usage.lines(colours) {
        writeln!(out, "         {line}")?;
    }
    Ok(())
}

fn list(verdicts: &[Verdict]) -> Vec<Json> {
    let one = |verdict: &Verdict| {
        json!({
            "name": verdict.name,
            "passed": verdict.passed(),
            "differences": verdict.differences,
            "usage": verdict.usage.lines(false),
            "log": verdict.log,
        })
    };
    verdicts.iter().map(one).collect()
}

fn write_csv(verdicts: &[Verdict], out: &mut dyn Write) -> Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(["name", "passed", "differences"])?;
    for verdict in verdicts {
        let passed = verdict.passed().to_string();
        csv.write_record([&verdict.name, &passed, &verdict.differences.join("; ")])?;
    }
    Ok(csv.flush()?)
}
