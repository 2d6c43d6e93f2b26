//! Import of other people's CSV files.
//!
//! A file is read twice, each time in constant memory: first for its digest and encoding, then for
//! its rows. The rows become drafts ([`convert`]), drafts become commits of up to 500 changes
//! ([`batch`]), and every row that is not taken ends in the rejects file with its reason. Rows that
//! refer to rows further on wait in a spool and are tried again when the file has been read.

mod batch;
mod bind;
mod convert;
mod decode;
mod lookup;
mod mapping;
mod plan;
mod read;
mod reject;
mod resolve;
mod rows;
mod source;
mod spool;
#[cfg(test)]
mod tests;

use std::io::Read;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use kjerne_core::Kernel;
use kjerne_model::Instant;
use kjerne_workspace::error::{Context as _, Error, Result};

use batch::{Batches, Settings};
use convert::{Draft, Fault, Taken, convert};
use plan::Plan;
use reject::Rejects;
use rows::{Row, Rows};
use source::Source;
use spool::{Spool, Spooled};

use crate::limits::IMPORT_BATCH;

pub use batch::Counts;
pub use mapping::{EmptyCells, FieldSource, Mapping, OnExisting};
pub use reject::{Reject, RejectsSink};

/// The most rows in one commit.
pub const BATCH_ROWS: usize = IMPORT_BATCH.value as usize;
/// The most bytes of rows in one batch, so that files with long texts stay in constant memory.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The bytes in which the delimiter is looked for.
const SAMPLE_BYTES: u64 = 64 * 1024;
/// Rows that wait for one another are tried again this often at the most.
const MAX_PASSES: usize = 32;

/// What to import, and how.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The file.
    pub file: PathBuf,
    /// What it is called when something is told of it.
    pub name: String,
    /// The kind its rows become.
    pub kind: String,
    /// The mapping; without one the columns are our own field names.
    pub mapping: Option<Mapping>,
    /// Everything is tried, plugins included, and nothing stored.
    pub dry_run: bool,
    /// When it happens: the time the records get.
    pub at: Instant,
    /// Random bits for the ids of new records.
    pub seed: u128,
}

/// How far an import is.
#[derive(Clone, Copy, Debug)]
pub struct ImportProgress {
    /// Bytes of the file read.
    pub bytes: u64,
    /// Bytes of the file.
    pub total: u64,
    /// Rows done.
    pub rows: u64,
    /// Rows not taken.
    pub rejected: u64,
}

/// What came of an import.
#[derive(Clone, Debug)]
pub struct ImportReport {
    /// What came of the rows.
    pub counts: Counts,
    /// Rows not taken.
    pub rejected: u64,
    /// The first of them.
    pub first_rejects: Vec<Reject>,
    /// The file's encoding, as detected or told.
    pub encoding: &'static str,
    /// The file's delimiter.
    pub delimiter: char,
    /// Columns the mapping neither maps nor ignores.
    pub unmapped: Vec<String>,
    /// Nothing was stored.
    pub dry_run: bool,
}

/// Imports a file. Rows that are not taken go to `rejects`, as CSV with the reason in front.
///
/// `progress` is told after each batch; when it says no, the import ends there.
///
/// # Errors
/// When the file or the mapping cannot be read, when they do not fit each other (nothing is stored
/// then), or when storage fails (what was committed before stays, and the import can be repeated).
pub fn run(
    kernel: &Kernel,
    options: &ImportOptions,
    rejects: Option<RejectsSink>,
    progress: &dyn Fn(ImportProgress) -> bool,
) -> Result<ImportReport> {
    let told = options
        .mapping
        .as_ref()
        .and_then(|mapping| mapping.encoding.as_deref());
    if !options.file.is_file() {
        return Err(Error::not_found(format!(
            "there is no file {}",
            options.name
        )));
    }
    let source = Source::inspect(&options.file, told)?;
    let (mut rows, header, delimiter) = open_rows(&source, options)?;
    let identity;
    let mapping = match &options.mapping {
        Some(mapping) => mapping,
        None => {
            identity = Mapping::identity(header.iter().map(String::as_str));
            &identity
        }
    };
    let plan = Plan::bind(mapping, &options.kind, &header, kernel.schema())?;
    let rejects = Rejects::new(rejects, &header).context("cannot write the rejects")?;
    let Source {
        digest,
        bytes: total,
        ..
    } = source;
    let ImportOptions {
        at, seed, dry_run, ..
    } = *options;
    let settings = Settings {
        digest,
        at,
        seed,
        dry_run,
    };
    let mut batches = Batches::new(kernel, &plan, settings, rejects);
    batches.spool = Some(Spool::create()?);
    let tell = |batches: &Batches<'_>, bytes| {
        let (rows, rejected) = (batches.counts.rows, batches.rejects.count);
        progress(ImportProgress {
            bytes,
            total,
            rows,
            rejected,
        })
    };
    pass(&plan, &mut |row| rows.read(row), &mut batches, true, &tell)
        .and_then(|()| second_passes(&plan, &mut batches, &tell))
        .with_context(|| stopped(&batches.counts))?;
    let finished = batches.rejects.finish();
    finished.context("cannot write the rejects")?;
    Ok(ImportReport {
        counts: batches.counts,
        rejected: batches.rejects.count,
        first_rejects: std::mem::take(&mut batches.rejects.first),
        encoding: source.encoding.name(),
        delimiter: char::from(delimiter),
        unmapped: plan.unmapped.clone(),
        dry_run,
    })
}

fn stopped(counts: &Counts) -> String {
    format!(
        "the import stopped after {} rows; {} records were created and {} changed, which stays. \
         Import the file again: what is stored already changes nothing",
        counts.rows, counts.created, counts.updated
    )
}

type SourceRows = Rows<std::io::BufReader<Box<dyn Read + Send>>>;

/// Opens a file's rows after its header.
fn open_rows(source: &Source, options: &ImportOptions) -> Result<(SourceRows, Vec<String>, u8)> {
    let mut sample = Vec::new();
    source.open()?.take(SAMPLE_BYTES).read_to_end(&mut sample)?;
    let first_line = rows::told_delimiter(&sample);
    let mapped = options
        .mapping
        .as_ref()
        .and_then(|mapping| mapping.delimiter.as_deref());
    let delimiter = match (mapped, first_line) {
        (Some(text), _) => match text.as_bytes() {
            [byte] if byte.is_ascii() && !b"\"\r\n".contains(byte) => *byte,
            _ => {
                return Err(Error::unreadable(format!(
                    "the delimiter {text:?} is not one ASCII character"
                )));
            }
        },
        (None, Some(told)) => told,
        (None, None) => rows::delimiter(&sample),
    };
    let mut rows = Rows::new(source.open()?, delimiter);
    let mut row = Row::default();
    if first_line.is_some() {
        rows.read(&mut row)?;
    }
    if !rows.read(&mut row)? {
        return Err(Error::unreadable(format!(
            "{} is empty: it has no line with column names",
            options.name
        )));
    }
    let name = |field: &[u8]| {
        String::from_utf8_lossy(field)
            .trim_start_matches('\u{feff}')
            .trim()
            .to_owned()
    };
    let header = row.fields().map(name).collect();
    Ok((rows, header, delimiter))
}

/// Tries rows again that wait for others, for as long as that takes some of them; what then still
/// waits is rejected.
fn second_passes(
    plan: &Plan,
    batches: &mut Batches<'_>,
    tell: &dyn Fn(&Batches<'_>, u64) -> bool,
) -> Result<()> {
    let mut left = u64::MAX;
    for number in 1..=MAX_PASSES {
        let Some(mut spool) = batches.spool.take().filter(|spool| spool.count > 0) else {
            return Ok(());
        };
        let is_last = spool.count == left || number == MAX_PASSES;
        left = spool.count;
        batches.spool = if is_last {
            None
        } else {
            Some(Spool::create()?)
        };
        let mut rows: Spooled = spool.open()?;
        pass(plan, &mut |row| rows.read(row), batches, false, tell)?;
    }
    Ok(())
}

/// One row on its way from the reading thread to the committing one.
enum Passed {
    Draft(Box<Draft>),
    Skipped,
    Faulty(Row, Vec<Fault>),
}

/// Reads rows to their end and commits them. Reading and converting the next batch happens on a
/// thread of its own while one is being committed.
fn pass(
    plan: &Plan,
    read: &mut (dyn FnMut(&mut Row) -> std::io::Result<bool> + Send),
    batches: &mut Batches<'_>,
    is_first: bool,
    tell: &dyn Fn(&Batches<'_>, u64) -> bool,
) -> Result<()> {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(2);
        let reader = scope.spawn(move || read_batches(plan, read, &sender));
        let taken = take_batches(&receiver, batches, is_first, tell);
        // Ends the reader too, when committing failed before the file's end.
        drop(receiver);
        let read = reader
            .join()
            .unwrap_or_else(|_| Err(Error::failed("reading the file stopped in a panic")));
        taken.and(read)
    })
}

fn read_batches(
    plan: &Plan,
    read: &mut dyn FnMut(&mut Row) -> std::io::Result<bool>,
    sender: &SyncSender<(Vec<Passed>, u64)>,
) -> Result<()> {
    let mut row = Row::default();
    let (mut batch, mut bytes) = (Vec::new(), 0);
    let mut more = true;
    while more {
        more = read(&mut row).context("cannot read the file")?;
        if more {
            bytes += row.bytes();
            batch.push(match convert(plan, &row) {
                Taken::Draft(draft) => Passed::Draft(draft),
                Taken::Skipped => Passed::Skipped,
                Taken::Faulty(faults) => Passed::Faulty(row.clone(), faults),
            });
        }
        if batch.len() == BATCH_ROWS || bytes > BATCH_BYTES || !more {
            let full = (std::mem::take(&mut batch), bytes as u64);
            bytes = 0;
            // The receiver is gone when committing failed, which is the error to be told.
            if sender.send(full).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn take_batches(
    receiver: &Receiver<(Vec<Passed>, u64)>,
    batches: &mut Batches<'_>,
    is_first: bool,
    tell: &dyn Fn(&Batches<'_>, u64) -> bool,
) -> Result<()> {
    let mut done = 0;
    for (batch, bytes) in receiver {
        let mut drafts = Vec::with_capacity(batch.len());
        if is_first {
            batches.counts.rows += batch.len() as u64;
        }
        for passed in batch {
            match passed {
                Passed::Skipped => batches.counts.skipped += 1,
                Passed::Faulty(row, faults) => batches.rejects.add(&row, &faults)?,
                Passed::Draft(draft) if is_first && !batches.is_new_key(&draft) => {
                    let reason = "an earlier row of this file has the same key; keep one of them";
                    batches.rejects.add(&draft.row, &[Fault::of_row(reason)])?;
                }
                Passed::Draft(draft) => drafts.push(*draft),
            }
        }
        batches.take(drafts)?;
        if is_first {
            done += bytes;
        }
        if !tell(batches, done) {
            return Err(Error::failed("whoever asked for the import has gone"));
        }
    }
    Ok(())
}
