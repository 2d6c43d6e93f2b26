//! Import and export on the command line.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context as Waker, Poll};

use anyhow::{Context as _, Result};
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Method, header};
use http_body::Frame;
use kjerne_exchange::import::{Mapping, is_rejects};
use kjerne_model::shown;
use kjerne_workspace::stderr::tell;
use serde_json::{Value as Json, json};

use super::cells::{cell, list, text, texts};
use crate::args::{ExportArgs, ImportArgs};
use crate::connection::Needs;
use crate::context::Context;
use crate::destination::{Destination, outside};
use crate::exit::{Exit, Told, not_found, usage};
use crate::output::{Format, Report, is_broken_pipe};
use crate::path::{path, with_words};
use crate::progress::Progress;

/// How much of a file is read at a time.
const PIECE: usize = 64 * 1024;

pub(crate) fn import(context: &Context, args: &ImportArgs) -> Result<Exit> {
    let size = size_of(&args.file)?;
    let file = File::open(&args.file);
    let file = file.with_context(|| format!("cannot open {}", args.file.display()))?;
    let mapping = args.map.as_deref().map(Mapping::text).transpose()?;
    let mut rejects = Rejects::new(args, &context.dir()?)?;
    let name = args.file.display().to_string();
    let line = format!("{}\n", json!({ "mapping": mapping, "name": name }));
    let body = FileBody(io::Cursor::new(line.into_bytes()).chain(file));
    let words = [("dry_run", Some(args.dry_run.to_string()))];
    let place = with_words(path(&["import", &args.kind]), &words);

    let mut connection = context.connect(Needs::Plugins)?;
    let answer = connection.send(Method::POST, &place, &[], Body::new(body))?;
    let (bar, mut seen) = (Progress::new(size, "bytes"), 0);
    let (mut report, mut lines) = (None, Vec::new());
    answer.pieces(&mut |piece| {
        lines.extend_from_slice(piece);
        while let Some(end) = lines.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = lines.drain(..=end).collect();
            let told: Json = serde_json::from_slice(&line).context("a line of the answer")?;
            if let Some(piece) = told["rejects"].as_str() {
                rejects.write(piece)?;
            } else if let Some(bytes) = told["progress"]["bytes"].as_u64() {
                bar.add(bytes.saturating_sub(std::mem::replace(&mut seen, bytes)));
            } else if !told["problem"].is_null() {
                return Err(Told::of_problem(&told["problem"]).into());
            } else {
                report = Some(told["report"].clone());
            }
        }
        Ok(())
    })?;
    drop(bar);
    rejects.finish()?;
    let report = report.context("the import ended without a report")?;
    if !args.dry_run {
        connection.finish()?;
    }
    let exit = if report["rejected"] == 0 {
        Exit::Done
    } else {
        Exit::Refused
    };
    context.print(&import_report(report, args))?;
    Ok(exit)
}

/// The size of a file that is to be imported, which is a plain one: it is read twice, and how far the
/// import is can be told.
fn size_of(file: &Path) -> Result<u64> {
    let name = file.display();
    match fs::metadata(file) {
        Ok(meta) if meta.is_file() => Ok(meta.len()),
        Ok(meta) if meta.is_dir() => Err(usage(format!("{name} is a folder; name a file in it"))),
        Ok(_) => Err(usage(format!(
            "{name} is a pipe or a device, and only files are imported; write what comes from it to a file \
             first"
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(not_found(format!("there is no file {name}")))
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {name}")),
    }
}

/// The file of rows that are not taken. It is opened before anything is imported, so that what cannot
/// be written there is known in time; what it held stays until the first of it comes.
struct Rejects<'a> {
    path: Option<&'a Path>,
    file: Option<BufWriter<File>>,
    was_there: bool,
    begun: bool,
}

impl<'a> Rejects<'a> {
    fn new(args: &'a ImportArgs, workspace: &Path) -> Result<Self> {
        let path = args.rejects.as_deref();
        let same = |path: &Path| {
            let path = path.canonicalize().ok();
            path.is_some() && path == args.file.canonicalize().ok()
        };
        if path.is_some_and(same) {
            return Err(usage(
                "the rejects file is the file to be imported; choose another name",
            ));
        }
        if let Some(path) = path {
            outside(path, workspace)?;
            no_other_file(path)?;
        }
        let was_there = path.is_some_and(Path::exists);
        let open = |path: &Path| {
            let mut options = File::options();
            let file = options.write(true).create(true).truncate(false).open(path);
            file.with_context(|| format!("cannot write the rejects {}", path.display()))
        };
        Ok(Self {
            path,
            file: path.map(open).transpose()?.map(BufWriter::new),
            was_there,
            begun: false,
        })
    }

    fn write(&mut self, piece: &str) -> Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        if !std::mem::replace(&mut self.begun, true) {
            // What is no file, such as a pipe or a device, has no end to cut off.
            let file = file.get_ref();
            if file.metadata().is_ok_and(|meta| meta.is_file()) {
                file.set_len(0).context("cannot write the rejects")?;
            }
        }
        // Each sign stands for a byte, since rows of a foreign file need not be text.
        let bytes: Vec<u8> = piece.chars().map(|sign| sign as u8).collect();
        file.write_all(&bytes).context("cannot write the rejects")
    }

    fn finish(&mut self) -> Result<()> {
        match &mut self.file {
            Some(file) => file.flush().context("cannot write the rejects"),
            None => Ok(()),
        }
    }
}

/// Refuses a file that is there and no rejects file: those are written anew by each import, and a file of
/// other people's would be lost by a slip of the hand.
fn no_other_file(path: &Path) -> Result<()> {
    if !fs::metadata(path).is_ok_and(|meta| meta.is_file()) {
        return Ok(());
    }
    let mut begins = Vec::new();
    let file = File::open(path).and_then(|file| file.take(64).read_to_end(&mut begins));
    file.with_context(|| format!("cannot look at {}", path.display()))?;
    if begins.is_empty() || is_rejects(&begins) {
        return Ok(());
    }
    Err(usage(format!(
        "there is a file {} already, and it holds no rejects; choose another name",
        path.display()
    )))
}

impl Drop for Rejects<'_> {
    fn drop(&mut self) {
        // An import that could not begin leaves no empty file behind.
        if let Some(path) = self.path.filter(|_| !self.begun && !self.was_there) {
            let _ = fs::remove_file(path);
        }
    }
}

/// A line and a file behind it, read from the disk while it is sent.
struct FileBody(io::Chain<io::Cursor<Vec<u8>>, File>);

impl HttpBody for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Waker<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let mut piece = vec![0; PIECE];
        Poll::Ready(match self.0.read(&mut piece) {
            Ok(0) => None,
            Ok(count) => {
                piece.truncate(count);
                Some(Ok(Frame::data(piece.into())))
            }
            Err(error) => Some(Err(error)),
        })
    }
}

fn import_report(report: Json, args: &ImportArgs) -> Report {
    let names = [
        "rows",
        "created",
        "updated",
        "unchanged",
        "skipped",
        "rejected",
        "commits",
    ];
    let pairs = names.map(|name| (name, cell(&report[name])));
    let note = import_note(&report, args);
    Report::of_pairs(&pairs, report).with_note(note)
}

fn import_note(report: &Json, args: &ImportArgs) -> String {
    let mut lines = vec![format!(
        "read as {}, {:?} between columns",
        text(report, "encoding"),
        text(report, "delimiter").chars().next().unwrap_or(',')
    )];
    let unmapped = texts(&report["unmapped"]);
    if !unmapped.is_empty() {
        lines.push(shown::plain(&format!(
            "columns not used: {}",
            unmapped.join(", ")
        )));
    }
    lines.extend(texts(&report["notes"]).into_iter().map(str::to_owned));
    lines.extend(more(report, "more_notes", "notes like these"));
    lines.extend(repeated(report));
    lines.extend(left_empty(report));
    lines.extend(filled_in(report));
    lines.extend(list(&report["advised"]).map(advised));
    lines.extend(list(&report["reasons"]).map(reason));
    lines.extend(more(report, "more_reasons", "faults for further reasons"));
    let rejected = report["rejected"] != 0;
    match &args.rejects {
        Some(file) if rejected => lines.push(format!("all of them: {}", file.display())),
        None if rejected => lines.push("--rejects OUT.csv keeps all of them".to_owned()),
        _ => {}
    }
    if args.dry_run {
        lines.push("nothing was stored: this was a dry run".to_owned());
    }
    lines.join("\n")
}

/// How many more there are of something that is told up to a limit.
fn more(report: &Json, name: &str, what: &str) -> Option<String> {
    let more = report[name].as_u64().filter(|more| *more > 0)?;
    Some(format!("and {more} more {what}"))
}

fn repeated(report: &Json) -> Option<String> {
    let rows = report["repeated"].as_u64().filter(|rows| *rows > 0)?;
    Some(format!(
        "left out, since another row has the same key: {rows} of the skipped rows"
    ))
}

/// Fields that the mapping fills and that stayed empty in new records.
fn left_empty(report: &Json) -> Option<String> {
    let empty = report["empty"].as_object().filter(|all| !all.is_empty())?;
    let fields: Vec<String> = empty
        .iter()
        .map(|(field, rows)| format!("{field} in {rows}"))
        .collect();
    let created = cell(&report["created"]);
    Some(format!(
        "left empty in the {created} new records: {}",
        fields.join(", ")
    ))
}

/// What plugins filled in or set otherwise, one line for each way of doing so.
fn filled_in(report: &Json) -> Vec<String> {
    let ways = [
        ("rows", "filled in by plugins in new records"),
        (
            "now",
            "of these, set to the time of the import, since the file does not say",
        ),
        ("otherwise", "set by plugins otherwise than the file says"),
    ];
    let fields = |way: &str| -> Vec<String> {
        let filled = report["filled"].as_object().into_iter().flatten();
        let filled = filled.filter(|(_, told)| told[way].as_u64().is_some_and(|rows| rows > 0));
        filled
            .map(|(field, told)| format!("{field} in {}", told[way]))
            .collect()
    };
    let lines = ways.map(|(way, words)| (words, fields(way)));
    let lines = lines.into_iter().filter(|(_, fields)| !fields.is_empty());
    lines
        .map(|(words, fields)| format!("{words}: {}", fields.join(", ")))
        .collect()
}

/// What a guard advised of rows that were taken.
fn advised(told: &Json) -> String {
    let (rows, line) = (cell(&told["rows"]), cell(&told["line"]));
    let (message, rule) = (text(told, "message"), text(told, "rule"));
    format!("advised for {rows} rows, the first in line {line}: {message} [{rule}]")
}

/// Why rows were not taken: one row by its line, several by their number.
fn reason(told: &Json) -> String {
    let (column, line) = (text(told, "column"), cell(&told["line"]));
    let comma = if column.is_empty() { "" } else { ", " };
    let place = match told["rows"].as_u64() {
        Some(rows) if rows > 1 => format!("{rows} rows, the first in line {line}"),
        _ => format!("line {line}"),
    };
    format!("{place}{comma}{column}: {}", text(told, "reason"))
}

pub(crate) fn export(context: &Context, args: &ExportArgs) -> Result<Exit> {
    let form = match (context.format, args.safe_for_spreadsheets) {
        (Format::Json, true) => {
            return Err(usage(
                "--safe-for-spreadsheets is for CSV; JSON is no form of a spreadsheet",
            ));
        }
        (Format::Json, false) => "jsonl",
        (Format::Table | Format::Csv, true) => "safe-csv",
        (Format::Table | Format::Csv, false) => "csv",
    };
    let filter = Some(args.filter.clone()).filter(|filter| !filter.is_empty());
    let words = [("filter", filter), ("form", Some(form.to_owned()))];
    let place = with_words(path(&["export", &args.kind]), &words);
    let begin = |file: &PathBuf| Destination::begin(file, &context.dir()?, args.force);
    let to = args.to.as_ref().map(begin).transpose()?;
    let mut connection = context.connect(Needs::Data)?;
    // An export that ends early is then told why, and not only that it did.
    let headers = [(header::TE, "trailers".to_owned())];
    let answer = connection.send(Method::GET, &place, &headers, Body::empty())?;
    match to {
        None => unless_hung_up(answer.write_to(&mut BufWriter::new(io::stdout().lock())))?,
        Some(mut file) => {
            let bytes = answer.write_to(file.out());
            let bytes = bytes.context("nothing was written to the file")?;
            file.finish()?;
            tell(format_args!(
                "{bytes} bytes in {}",
                args.to.as_deref().unwrap_or(Path::new("")).display()
            ));
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
