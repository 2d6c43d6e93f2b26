//! Data in and out: a file sent to be imported, records sent as they are read.

use std::io::{self, BufWriter, Write};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use kjerne_core::Allowance;
use kjerne_exchange::export::{self, ExportFormat};
use kjerne_exchange::import::{self, ImportOptions, ImportProgress, ImportReport, Mapping};
use kjerne_exchange::limits::MAPPING;
use kjerne_workspace::queries;
use kjerne_workspace::runtime::{now, seed};
use kjerne_workspace::{Error, Runtime};
use serde_json::{Value as Json, json};
use tempfile::NamedTempFile;

use crate::app::{Answer, App};
use crate::body::Pieces;
use crate::headers::single;
use crate::import_body;
use crate::problem::Problem;
use crate::request::{Path, Words, as_it_is};
use crate::stream::StreamWriter;

const DRY_RUN: &[&str] = &["dry_run"];
const FILTER: &[&str] = &["filter", "$filter"];
const FORM: &[&str] = &["form"];

/// How much of an export is written at a time.
const PIECE: usize = 64 * 1024;

/// Imports a file by the mapping in the line before it. Answers while it works, a line
/// of JSON for each step: `progress`, `rejects` (a piece of the rejects' CSV), and in the end
/// `report`, or `problem`.
pub(crate) async fn import(
    State(app): State<App>,
    Path(kind): Path<String>,
    words: Words,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let mut body = Pieces::long(body);
    if let Err(problem) = as_it_is(&headers) {
        import_body::drain(&mut body).await;
        return Err(problem);
    }
    match begin(&app.runtime, kind, &words, &mut body).await {
        Ok((options, file)) => {
            app.stream("application/x-ndjson", false, move |runtime, _, out| {
                tell_import(runtime, &options, &file, out)
            })
            .await
        }
        Err(problem) => {
            import_body::drain(&mut body).await;
            Err(problem)
        }
    }
}

/// Checks everything that can be checked before the file is there, and puts the file aside.
async fn begin(
    runtime: &Runtime,
    kind: String,
    words: &Words,
    body: &mut Pieces,
) -> Result<(ImportOptions, NamedTempFile), Problem> {
    words.only(&[DRY_RUN])?;
    let dry_run = words.flag(DRY_RUN)?;
    queries::kind(runtime.kernel.schema(), &kind)?;
    let told = import_body::told(body).await?;
    let mapping = told.mapping.as_deref();
    if mapping.is_some_and(|text| text.len() > MAPPING.count()) {
        return Err(Problem::too_large("mapping", &MAPPING));
    }
    let mapping = mapping.map(Mapping::parse).transpose();
    let mapping = mapping.map_err(|error| error.during("in the mapping"))?;
    let file = import_body::put_aside(told.rest(), body, &runtime.workspace).await?;
    let options = ImportOptions {
        file: file.path().to_owned(),
        name: told.name.unwrap_or_else(|| "the file".to_owned()),
        kind,
        mapping,
        dry_run,
        at: now(),
        seed: seed()?,
    };
    Ok((options, file))
}

fn tell_import(
    runtime: &Runtime,
    options: &ImportOptions,
    _kept_until_here: &NamedTempFile,
    out: StreamWriter,
) -> io::Result<()> {
    let lines = Lines(Arc::new(Mutex::new(out)));
    let rejects = BufWriter::with_capacity(PIECE, lines.clone());
    let progress = |progress: ImportProgress| {
        let told = lines.tell(&json!({ "progress": {
            "bytes": progress.bytes,
            "total": progress.total,
            "rows": progress.rows,
            "rejected": progress.rejected,
        }}));
        // Nobody is there any more who wants it.
        told.is_ok()
    };
    let done = import::run(&runtime.kernel, options, Some(Box::new(rejects)), &progress);
    runtime.notifier.notify();
    match done {
        Ok(report) => lines.tell(&json!({ "report": report_json(&report) })),
        Err(error) => lines.tell(&json!({ "problem": Problem::from(error).json() })),
    }
}

/// Writes lines of JSON; what is written to it as bytes becomes lines of rejects.
#[derive(Clone)]
struct Lines(Arc<Mutex<StreamWriter>>);

impl Lines {
    fn tell(&self, line: &Json) -> io::Result<()> {
        let text = format!("{line}\n");
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(text.as_bytes())
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Rows of a foreign file need not be text; a line of JSON must be.
        let piece: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        self.tell(&json!({ "rejects": piece }))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn report_json(report: &ImportReport) -> Json {
    let counts = &report.counts;
    let rejects: Vec<Json> = report
        .first_rejects
        .iter()
        .map(
            |r| json!({ "line": r.line, "column": r.column, "value": r.value, "reason": r.reason }),
        )
        .collect();
    json!({
        "rows": counts.rows,
        "created": counts.created,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "skipped": counts.skipped,
        "rejected": report.rejected,
        "commits": counts.commits,
        "encoding": report.encoding,
        "delimiter": report.delimiter.to_string(),
        "unmapped": report.unmapped,
        "dry_run": report.dry_run,
        "first_rejects": rejects,
        "repeated": counts.repeated,
        "reasons": reasons_json(report),
        "more_reasons": report.more_reasons,
        "empty": report.told.empty,
        "filled": filled_json(report),
        "advised": advised_json(report),
        "notes": report.told.notes,
        "more_notes": report.told.more_notes,
    })
}

/// Why rows were not taken, by column and reason.
fn reasons_json(report: &ImportReport) -> Json {
    let reasons = report.reasons.iter();
    reasons
        .map(|r| json!({ "column": r.column, "reason": r.reason, "rows": r.rows, "line": r.line }))
        .collect()
}

/// Fields that plugins filled in or set otherwise.
fn filled_json(report: &ImportReport) -> Json {
    let filled = report.told.filled.iter();
    let fields = filled.map(|(field, one)| {
        let told = json!({ "rows": one.rows, "now": one.now, "otherwise": one.otherwise });
        (field.clone(), told)
    });
    Json::Object(fields.collect())
}

/// What guards advised of rows that were taken, by plugin and rule.
fn advised_json(report: &ImportReport) -> Json {
    let advised = report.told.advised.iter();
    advised
        .map(|(rule, one)| {
            json!({ "rule": rule, "rows": one.rows, "line": one.line, "message": one.message })
        })
        .collect()
}

/// Whether the asker reads what comes behind an answer.
fn reads_trailers(headers: &HeaderMap) -> Result<bool, Problem> {
    let codings = single(headers, &header::TE)?.unwrap_or_default();
    let mut codings = codings.split(',').map(str::trim);
    Ok(codings.any(|coding| coding.eq_ignore_ascii_case("trailers")))
}

/// All records of a kind that meet a filter, as CSV or JSON Lines, as they were at one moment.
pub(crate) async fn export(
    State(app): State<App>,
    Path(kind): Path<String>,
    words: Words,
    headers: HeaderMap,
) -> Answer {
    words.only(&[FILTER, FORM])?;
    let filter = words.get(FILTER).unwrap_or_default().to_owned();
    let (form, content_type) = match words.get(FORM).unwrap_or("csv") {
        "csv" => (ExportFormat::Csv, "text/csv; charset=utf-8"),
        "safe-csv" => (ExportFormat::SafeCsv, "text/csv; charset=utf-8"),
        "jsonl" => (ExportFormat::JsonLines, "application/x-ndjson"),
        other => {
            let detail = format!("form is {other:?}; it may be csv, safe-csv or jsonl");
            return Err(Problem::bad_request(detail));
        }
    };
    queries::filter(queries::kind(app.runtime.kernel.schema(), &kind)?, &filter)?;
    let tells = reads_trailers(&headers)?;
    app.stream(content_type, tells, move |runtime, go_on, out| {
        let reader = runtime.kernel.reader();
        let reader = reader.map_err(|error| io::Error::other(Error::from(error)))?;
        let reader = reader.within(Arc::new(Allowance::new(None, go_on)));
        let mut out = BufWriter::with_capacity(PIECE, out);
        let written = export::write_from(&reader, &kind, &filter, form, &mut out);
        written.map_err(io::Error::other)?;
        out.flush()
    })
    .await
}
