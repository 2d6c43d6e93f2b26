//! Beginning, building and testing a plugin on the command line.

use std::io::{self, IsTerminal as _, Write};
use std::path::Path;

use anyhow::Result;
use kjerne_author::{Beginning, Built, Peak, Usage, Verdict};
use kjerne_workspace::error;
use serde_json::{Value as Json, json};

use super::usage_bars;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Format, Report};
use crate::plugin_args::NewArgs;

pub(super) fn begin(context: &Context, args: NewArgs) -> Result<Exit> {
    let NewArgs {
        id,
        role: roles,
        kind,
        into,
    } = args;
    let folder = kjerne_author::begin(&Beginning {
        id: id.clone(),
        roles,
        kind,
        into,
    })?;
    let shown = folder.display();
    let note = format!(
        "{shown} is there. Next:\n  kjerne plugin build {shown}\n  kjerne plugin test {shown}\n\
         README.md in it says more."
    );
    context.print(&Report::of_note(
        note,
        json!({ "id": id, "folder": folder }),
    ))
}

pub(super) fn build(context: &Context, dir: &Path) -> Result<Exit> {
    let Built { file, package } = kjerne_author::build(dir, None)?;
    let (id, version, size) = (
        &package.manifest.id,
        &package.manifest.version,
        package.bytes().len(),
    );
    let note = format!("{} ({} kB)", file.display(), size.div_ceil(1000));
    let json = json!({ "id": id, "version": version, "file": file, "bytes": size });
    context.print(&Report::of_note(note, json))
}

/// Runs a plugin's cases; each is told as soon as it is over.
pub(super) fn test(context: &Context, dir: &Path) -> Result<Exit> {
    let mut verdicts = Vec::new();
    kjerne_author::test(dir, &mut |verdict| {
        if context.format == Format::Table {
            tell(&verdict, &mut io::stdout().lock())?;
        }
        verdicts.push(verdict);
        Ok(())
    })?;
    let failed = verdicts.iter().filter(|verdict| !verdict.passed()).count();
    let passed = verdicts.len() - failed;
    let mut out = io::stdout().lock();
    match context.format {
        Format::Table => writeln!(out, "{passed} passed, {failed} failed")?,
        Format::Json => writeln!(
            out,
            "{:#}",
            json!({ "passed": passed, "failed": failed, "cases": list(&verdicts) })
        )?,
        Format::Csv => write_csv(&verdicts, &mut out)?,
    }
    Ok(if failed == 0 {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn tell(verdict: &Verdict, out: &mut dyn Write) -> error::Result<()> {
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
    for line in usage_bars::lines(&verdict.usage, colours) {
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
            "usage": usage(&verdict.usage),
            "log": verdict.log,
        })
    };
    verdicts.iter().map(one).collect()
}

/// What was used, and of what the call that came closest to each limit might have used.
fn usage(usage: &Usage) -> Json {
    let peak = |peak: Peak| json!({ "used": peak.used, "limit": peak.limit });
    json!({
        "calls": usage.calls,
        "fuel": peak(usage.fuel),
        "memory": peak(usage.memory),
        "host_calls": peak(usage.host_calls),
        "bytes_out": peak(usage.bytes_out),
        "bytes_in": usage.bytes_in,
    })
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
