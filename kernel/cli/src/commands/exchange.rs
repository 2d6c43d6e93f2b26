//! Import and export on the command line.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context as Waker, Poll};

use anyhow::{Context as _, Result};
use axum::body::{Body, Bytes, HttpBody};
use axum::http::Method;
use http_body::Frame;
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
    let size = match fs::metadata(&args.file) {
        Ok(meta) if meta.is_file() => meta.len(),
        _ => {
            return Err(not_found(format!(
                "there is no file {}",
                args.file.display()
            )));
        }
    };
    let file = File::open(&args.file);
    let file = file.with_context(|| format!("cannot open {}", args.file.display()))?;
    let mapping = args.map.as_deref().map(read_mapping).transpose()?;
    let mut rejects = Rejects::new(args, &context.dir()?)?;
    let line = format!("{}\n", json!({ "mapping": mapping }));
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

fn read_mapping(file: &Path) -> Result<String> {
    fs::read_to_string(file).map_err(|error| {
        usage(format!(
            "cannot read the mapping {}: {error}",
            file.display()
        ))
    })
}

/// The file of rows that are not taken. It is made when the first of it comes, so that an import that
/// cannot begin leaves an earlier one alone.
struct Rejects<'a> {
    path: Option<&'a Path>,
    file: Option<BufWriter<File>>,
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
        }
        Ok(Self { path, file: None })
    }

    fn write(&mut self, piece: &str) -> Result<()> {
        let Some(path) = self.path else {
            return Ok(());
        };
        let failed = || format!("cannot write the rejects {}", path.display());
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let file = File::create(path).with_context(failed)?;
                self.file.insert(BufWriter::new(file))
            }
        };
        // Each sign stands for a byte, since rows of a foreign file need not be text.
        let bytes: Vec<u8> = piece.chars().map(|sign| sign as u8).collect();
        file.write_all(&bytes).with_context(failed)
    }

    fn finish(self) -> Result<()> {
        match self.file {
            Some(mut file) => file.flush().context("cannot write the rejects"),
            None => Ok(()),
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
        lines.push(format!("columns not used: {}", unmapped.join(", ")));
    }
    for reject in list(&report["first_rejects"]) {
        let column = text(reject, "column");
        let comma = if column.is_empty() { "" } else { ", " };
        lines.push(format!(
            "line {}{comma}{column}: {}",
            cell(&reject["line"]),
            text(reject, "reason")
        ));
    }
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

pub(crate) fn export(context: &Context, args: &ExportArgs) -> Result<Exit> {
    let form = match context.format {
        Format::Json => "jsonl",
        Format::Table | Format::Csv => "csv",
    };
    let filter = Some(args.filter.clone()).filter(|filter| !filter.is_empty());
    let words = [("filter", filter), ("form", Some(form.to_owned()))];
    let place = with_words(path(&["export", &args.kind]), &words);
    let begin = |file: &PathBuf| Destination::begin(file, &context.dir()?, args.force);
    let to = args.to.as_ref().map(begin).transpose()?;
    let mut connection = context.connect(Needs::Data)?;
    let answer = connection.send(Method::GET, &place, &[], Body::empty())?;
    match to {
        None => unless_hung_up(answer.write_to(&mut BufWriter::new(io::stdout().lock())))?,
        Some(mut file) => {
            let bytes = answer.write_to(file.out());
            let bytes = bytes.context("nothing was written to the file")?;
            file.finish()?;
            eprintln!(
                "{bytes} bytes in {}",
                args.to.as_deref().unwrap_or(Path::new("")).display()
            );
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
