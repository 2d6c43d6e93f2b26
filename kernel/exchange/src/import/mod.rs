//! Import of other people's CSV files.
//!
//! A file is read twice, each time in constant memory: first for its digest and encoding, then for
//! its rows. The rows become drafts ([`convert`]), drafts become commits of up to 500 changes
//! ([`batch`]), and every row that is not taken ends in the rejects file with its reason. Rows that
//! refer to rows further on wait in a spool and are tried again when the file has been read.

mod amounts;
mod batch;
mod bind;
mod convert;
mod decode;
mod dialect;
mod fault;
mod form;
mod forms;
mod looks;
mod lookup;
mod mapping;
mod names;
mod numbers;
mod open;
mod order;
mod plain;
mod plan;
mod read;
mod reasons;
mod reject;
mod repeats;
mod resolve;
mod rows;
mod same_file;
mod sense;
mod shape;
mod source;
mod spool;
mod survey;
#[cfg(test)]
mod tests;
mod times;
mod told;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use kjerne_core::Kernel;
use kjerne_model::Instant;
use kjerne_workspace::error::{Context as _, Error, Result};

use batch::{Batches, Known, Settings, importer};
use convert::{Draft, Taken, convert};
use fault::Fault;
use open::Opened;
use order::ordered;
use plan::Plan;
use reject::{Rejects, own_columns};
use rows::Row;
use same_file::SameFile;
use spool::Spool;
use survey::Survey;

use crate::limits::{IMPORT_BATCH, IMPORT_PASSES};

pub use batch::Counts;
pub use mapping::{EmptyCells, FieldSource, Mapping, OnExisting};
pub use reasons::Reason;
pub use reject::{Reject, RejectsSink, is_rejects};
pub use told::{Advised, Filled, Told};

/// The most rows in one commit.
pub const BATCH_ROWS: usize = IMPORT_BATCH.value as usize;
/// The most bytes of drafts in one batch, so that files with long texts stay in constant memory.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

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
    /// Why, by column and reason, the most frequent first.
    pub reasons: Vec<Reason>,
    /// Faults of further reasons.
    pub more_reasons: u64,
    /// What became of the fields, and what looks odd about the file.
    pub told: Told,
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
    if !options.file.is_file() {
        return Err(Error::not_found(format!(
            "there is no file {}",
            options.name
        )));
    }
    let opened = Opened::open(&options.file, &options.name, options.mapping.as_ref())?;
    let identity;
    let mapping = match &opened.mapping {
        Some(mapping) => mapping,
        None => {
            identity = Mapping::identity(own_columns(&opened.header));
            &identity
        }
    };
    let plan = Plan::bind(mapping, &options.kind, &opened.header, kernel.schema())?;
    let known = Known {
        survey: survey(&plan, &opened)?,
        shape: opened.shape(),
        file: same_file(kernel, &plan, &opened, options.at)?,
    };
    let mut rows = opened.rows()?;
    let header = &opened.header;
    let rejects = Rejects::new(rejects, header).context("cannot write the rejects")?;
    let total = opened.source.bytes;
    let ImportOptions {
        at, seed, dry_run, ..
    } = *options;
    let settings = Settings { at, seed, dry_run };
    let mut batches = Batches::new(kernel, &plan, settings, known, rejects);
    batches.spool = Some(Spool::beside(&options.file));
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
    batches.told.finish();
    batches.rejects.first.sort_by_key(|reject| reject.line);
    finished.context("cannot write the rejects")?;
    Ok(ImportReport {
        counts: batches.counts,
        rejected: batches.rejects.count,
        first_rejects: std::mem::take(&mut batches.rejects.first),
        reasons: batches.rejects.reasons.sorted(),
        more_reasons: batches.rejects.reasons.more,
        told: std::mem::take(&mut batches.told),
        encoding: opened.source.encoding.name(),
        delimiter: char::from(opened.dialect.delimiter),
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

/// The file as one without a key; none where there is a key by which records are found again.
fn same_file(
    kernel: &Kernel,
    plan: &Plan,
    opened: &Opened,
    at: Instant,
) -> Result<Option<SameFile>> {
    if plan.key.is_some() {
        return Ok(None);
    }
    let read = kernel.store().snapshot()?;
    let (kind, digest) = (&plan.kind.name, opened.source.digest);
    SameFile::find(&*read, &importer(), kind, digest, at).map(Some)
}

/// What the whole file holds, where rows can be judged only by that.
fn survey(plan: &Plan, opened: &Opened) -> Result<Survey> {
    if !plan.needs_survey() {
        return Ok(Survey::default());
    }
    let mut rows = opened.rows()?;
    Survey::of(plan, &mut |row| rows.read(row)).context("cannot read the file")
}

/// Tries rows again that wait for others, for as long as that takes some of them; what then still
/// waits is rejected.
fn second_passes(
    plan: &Plan,
    batches: &mut Batches<'_>,
    tell: &dyn Fn(&Batches<'_>, u64) -> bool,
) -> Result<()> {
    let mut left = u64::MAX;
    for number in 1..=IMPORT_PASSES.value {
        let Some(spool) = batches.spool.take().filter(|spool| spool.count > 0) else {
            return Ok(());
        };
        let helped = spool.count < left;
        batches.gave_up = helped && number == IMPORT_PASSES.value;
        left = spool.count;
        batches.spool = (helped && !batches.gave_up).then(|| spool.another());
        let Some(mut rows) = ordered(plan, spool)? else {
            return Ok(());
        };
        pass(plan, &mut |row| rows.read(row), batches, false, tell)?;
    }
    Ok(())
}

/// One row on its way from the reading thread to the committing one.
enum Passed {
    Draft(Box<Draft>),
    Skipped,
    Blank(u64),
    Faulty(Row, Vec<Fault>),
}

impl Passed {
    /// How much of a batch's room it takes.
    fn bytes(&self) -> usize {
        match self {
            Self::Draft(draft) => draft.bytes(),
            Self::Faulty(row, faults) => {
                row.bytes() + faults.iter().map(Fault::bytes).sum::<usize>()
            }
            Self::Skipped | Self::Blank(_) => 0,
        }
    }
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
    let (mut batch, mut read_bytes, mut bytes) = (Vec::new(), 0, 0);
    let mut more = true;
    while more {
        more = read(&mut row).context("cannot read the file")?;
        if more {
            let passed = match convert(plan, &row) {
                Taken::Draft(draft) => Passed::Draft(draft),
                Taken::Skipped => Passed::Skipped,
                Taken::Blank => Passed::Blank(row.line),
                Taken::Faulty(faults) => Passed::Faulty(row.clone(), faults),
            };
            read_bytes += row.bytes() as u64;
            bytes += passed.bytes();
            batch.push(passed);
        }
        if batch.len() == BATCH_ROWS || bytes > BATCH_BYTES || !more {
            let full = (std::mem::take(&mut batch), std::mem::take(&mut read_bytes));
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
                Passed::Blank(line) => batches.pass_over(line),
                Passed::Faulty(row, faults) => batches.rejects.add(&row, &faults)?,
                Passed::Draft(draft) if !is_first => drafts.push(*draft),
                Passed::Draft(draft) => {
                    batches.look(&draft.row);
                    if batches.is_wanted(&draft)? {
                        drafts.push(*draft);
                    }
                }
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
