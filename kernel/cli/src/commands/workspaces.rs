//! The workspace as a whole on the command line: make, serve, import, export, verify.

use std::fs::File;
use std::io::{BufWriter, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value as Json, json};

use crate::args::{ExportArgs, ImportArgs, InitArgs, ServeArgs};
use crate::context::{Context, finish};
use crate::exit::{Exit, usage};
use crate::output::{Format, Report, is_broken_pipe};
use crate::progress::Progress;
use kjerne_exchange::export;
use kjerne_exchange::export::ExportFormat;
use kjerne_exchange::import::{
    self, ImportOptions, ImportProgress, ImportReport, Mapping, RejectsSink,
};
use kjerne_server as http;
use kjerne_server::limits as all_limits;
use kjerne_wire as wire;
use kjerne_workspace::delivery::signing;
use kjerne_workspace::directory::Workspace;
use kjerne_workspace::queries;
use kjerne_workspace::read_only::ReadOnly;
use kjerne_workspace::runtime::{now, seed};
use kjerne_workspace::secrets;

pub(crate) fn init(context: &Context, args: &InitArgs) -> Result<Exit> {
    let dir = args.dir.clone().or_else(|| context.workspace.clone());
    let dir: PathBuf = dir.ok_or_else(|| usage("where? Say: kjerne init DIR"))?;
    let named = dir
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = args
        .name
        .clone()
        .or(named)
        .unwrap_or_else(|| "workspace".to_owned());
    Workspace::init(&dir, &name)?;
    let shown = dir.display().to_string();
    let note = format!("made {shown}\nnext: kjerne -w {shown} serve");
    context.print(&Report::of_note(
        note,
        json!({ "workspace": shown, "name": name }),
    ))
}

pub(crate) fn serve(context: &Context, args: &ServeArgs) -> Result<Exit> {
    http::serve(context.runtime()?, args.listen.as_deref())?;
    Ok(Exit::Done)
}

pub(crate) fn import(context: &Context, args: &ImportArgs) -> Result<Exit> {
    let runtime = context.runtime()?;
    queries::kind(runtime.kernel.schema(), &args.kind)?;
    let mapping = args.map.as_deref().map(Mapping::read).transpose();
    let options = ImportOptions {
        file: args.file.clone(),
        kind: args.kind.clone(),
        mapping: mapping.map_err(|error| usage(format!("{error:#}")))?,
        dry_run: args.dry_run,
        at: now(),
        seed: seed()?,
    };
    let size = std::fs::metadata(&args.file).map_or(0, |meta| meta.len());
    let (bar, seen) = (Progress::new(size, "bytes"), std::cell::Cell::new(0));
    let tell = |progress: ImportProgress| {
        bar.add(progress.bytes.saturating_sub(seen.replace(progress.bytes)));
    };
    let rejects = args.rejects.as_deref().map(open_rejects).transpose()?;
    let report = import::run(&runtime.kernel, &options, rejects, &tell)?;
    drop(bar);
    if !args.dry_run {
        finish(&runtime)?;
    }
    context.print(&import_report(&report, args))?;
    Ok(if report.rejected > 0 {
        Exit::Refused
    } else {
        Exit::Done
    })
}

fn open_rejects(path: &Path) -> Result<RejectsSink> {
    let file = File::create(path);
    let file = file.with_context(|| format!("cannot write the rejects {}", path.display()))?;
    Ok(Box::new(BufWriter::new(file)))
}

fn import_report(report: &ImportReport, args: &ImportArgs) -> Report {
    let counts = &report.counts;
    let rows = [
        ("rows", counts.rows),
        ("created", counts.created),
        ("updated", counts.updated),
        ("unchanged", counts.unchanged),
        ("skipped", counts.skipped),
        ("rejected", report.rejected),
        ("commits", counts.commits),
    ];
    let first: Vec<Json> = report
        .first_rejects
        .iter()
        .map(
            |r| json!({ "line": r.line, "column": r.column, "value": r.value, "reason": r.reason }),
        )
        .collect();
    let mut json: Json = rows
        .iter()
        .map(|(name, count)| ((*name).to_owned(), json!(count)))
        .collect();
    json["encoding"] = json!(report.encoding);
    json["delimiter"] = json!(report.delimiter.to_string());
    json["unmapped"] = json!(report.unmapped);
    json["dry_run"] = json!(report.dry_run);
    json["first_rejects"] = Json::Array(first);
    let pairs: Vec<(&str, String)> = rows
        .iter()
        .map(|(name, count)| (*name, count.to_string()))
        .collect();
    Report::of_pairs(&pairs, json).with_note(import_note(report, args))
}

fn import_note(report: &ImportReport, args: &ImportArgs) -> String {
    let mut lines = vec![format!(
        "read as {}, {:?} between columns",
        report.encoding, report.delimiter
    )];
    if !report.unmapped.is_empty() {
        lines.push(format!("columns not used: {}", report.unmapped.join(", ")));
    }
    for reject in &report.first_rejects {
        let column = if reject.column.is_empty() { "" } else { ", " };
        lines.push(format!(
            "line {}{column}{}: {}",
            reject.line, reject.column, reject.reason
        ));
    }
    match &args.rejects {
        Some(file) if report.rejected > 0 => lines.push(format!("all of them: {}", file.display())),
        None if report.rejected > 0 => lines.push("--rejects OUT.csv keeps all of them".to_owned()),
        _ => {}
    }
    if report.dry_run {
        lines.push("nothing was stored: this was a dry run".to_owned());
    }
    lines.join("\n")
}

pub(crate) fn export(context: &Context, args: &ExportArgs) -> Result<Exit> {
    let reading = context.reading()?;
    let kind = queries::kind(reading.kernel.schema(), &args.kind)?;
    queries::filter(kind, &args.filter)?;
    let form = match context.format {
        Format::Json => ExportFormat::JsonLines,
        Format::Table | Format::Csv => ExportFormat::Csv,
    };
    let write = |out: &mut dyn std::io::Write| {
        let count = export::write(&reading.kernel, &args.kind, &args.filter, form, out)?;
        out.flush()?;
        Ok(count)
    };
    match &args.to {
        None => unless_hung_up(write(&mut BufWriter::new(std::io::stdout().lock())))?,
        Some(file) => {
            let out =
                File::create(file).with_context(|| format!("cannot make {}", file.display()))?;
            let count = write(&mut BufWriter::new(out))?;
            eprintln!("{count} records in {}", file.display());
        }
    }
    Ok(Exit::Done)
}

/// A reader that went away, such as `head`, has seen enough.
fn unless_hung_up(written: Result<u64>) -> Result<()> {
    match written {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        other => other.map(drop),
    }
}

pub(crate) fn verify(context: &Context) -> Result<Exit> {
    let reading = ReadOnly::open_checked(context.workspace()?, &context.who)?;
    let snapshot = reading.store.snapshot()?;
    let report = kjerne_store::verify(&*snapshot, reading.kernel.schema())?;
    let exit = if report.is_clean() {
        Exit::Done
    } else {
        Exit::Damaged
    };
    context.print(&verify_report(&report))?;
    Ok(exit)
}

fn verify_report(report: &kjerne_store::Report) -> Report {
    let faults = report.faults.len() as u64 + report.more_faults;
    let counts = [
        ("records", report.records),
        ("index_entries", report.index_entries),
        ("unique_entries", report.unique_entries),
        ("journal_entries", report.entries),
        ("history_rows", report.history_rows),
        ("faults", faults),
    ];
    let pairs: Vec<(&str, String)> = counts
        .iter()
        .map(|(name, count)| (*name, count.to_string()))
        .collect();
    let mut json: Json = counts
        .iter()
        .map(|(name, count)| ((*name).to_owned(), json!(count)))
        .collect();
    json["first_faults"] = json!(report.faults);
    let note = match report.faults.as_slice() {
        [] => "records, indexes and journal agree".to_owned(),
        faults => faults.join("\n"),
    };
    Report::of_pairs(&pairs, json).with_note(note)
}

pub(crate) fn token(context: &Context, name: &str) -> Result<Exit> {
    let workspace = context.workspace()?;
    let mut secrets = workspace.secrets()?;
    let token = secrets::new_token()?;
    secrets.tokens.insert(checked(name)?, token.clone());
    workspace.write_secrets(&secrets)?;
    let note = format!("{token}\na running server takes it when it is started again");
    context.print(&Report::of_note(
        note,
        json!({ "name": name, "token": token }),
    ))
}

pub(crate) fn secret(context: &Context, name: &str, stdin: bool) -> Result<Exit> {
    let workspace = context.workspace()?;
    let mut secrets = workspace.secrets()?;
    let secret = if stdin {
        read_secret()?
    } else {
        secrets::new_signing_secret()?
    };
    secrets.secrets.insert(checked(name)?, secret.clone());
    workspace.write_secrets(&secrets)?;
    let shown = if stdin { "kept".to_owned() } else { secret };
    context.print(&Report::of_note(
        shown.clone(),
        json!({ "name": name, "secret": shown }),
    ))
}

fn read_secret() -> Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .context("cannot read standard input")?;
    let secret = text.trim().to_owned();
    signing::key(&secret).map_err(|error| usage(error.to_string()))?;
    Ok(secret)
}

fn checked(name: &str) -> Result<String> {
    let allowed =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
    if !name.is_empty() && name.len() <= 64 && name.bytes().all(allowed) {
        return Ok(name.to_owned());
    }
    Err(usage(format!(
        "{name:?} is no name: small letters, digits, '-', '_' and '.', at most 64"
    )))
}

pub(crate) fn limits(context: &Context) -> Result<Exit> {
    let limits = all_limits::everywhere();
    let rows = limits.iter().map(|(part, limit)| {
        let number = format!("{} {}", limit.value, limit.unit);
        vec![
            (*part).to_owned(),
            limit.name.to_owned(),
            number,
            limit.reason.to_owned(),
        ]
    });
    let json = limits
        .iter()
        .map(|(part, limit)| wire::limit(part, limit))
        .collect();
    let columns = ["part", "limit", "number", "reason"];
    context.print(&Report::new(&columns, rows.collect(), json).with_whole_cells())
}
