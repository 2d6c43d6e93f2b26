//! Durable creates by 64 concurrent writers, against a loop that writes the same bytes to redb in
//! the same groups, in the same run.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use kjerne_core::Outcome;
use kjerne_model::{
    Actor, Change, Commit, Currency, Date, Fields, Money, Name, ParseError, RecordId, Value,
};
use redb::{Database, ReadableDatabase as _, TableDefinition};

use crate::built_in;
use crate::measured::{BenchArgs, Measured};
use crate::recording::{Recording, RecordingStore};
use crate::scratch::Scratch;
use kjerne_workspace::runtime::now;
use kjerne_workspace::{Runtime, Workspace};

const WRITERS: usize = 64;

pub fn measure(args: &BenchArgs) -> Result<Vec<Measured>> {
    let mut rows = Vec::new();
    for (plugins, bar) in [(true, 0.4), (false, 0.6)] {
        let run = Run::measure(args, plugins)?;
        let what = if plugins {
            "four plugins on"
        } else {
            "no plugin"
        };
        rows.push(Measured::plain(
            &format!("durable create, {WRITERS} writers, {what}"),
            format!(
                "{:.0} commits/s in groups of {:.1}; redb alone {:.0}/s",
                run.kjerne, run.group, run.raw
            ),
        ));
        let ratio = run.kjerne / run.raw;
        rows.push(Measured::held(
            &format!("  of redb alone, {what}"),
            format!("{ratio:.2}x"),
            &format!(">= {bar}x"),
            ratio >= bar,
        ));
    }
    Ok(rows)
}

/// Commits per second both ways, and the mean size of a group.
struct Run {
    kjerne: f64,
    raw: f64,
    group: f64,
}

impl Run {
    fn measure(args: &BenchArgs, plugins: bool) -> Result<Self> {
        let scratch = Scratch::new(if plugins { "plugins" } else { "bare" })?;
        let dir = scratch.path("workspace");
        let workspace = Workspace::init(&dir, "Bench")?;
        if plugins {
            let runtime = Runtime::open(workspace, "kjerne bench")?;
            built_in::switch_all_on(&runtime, args.plugins.as_deref(), now())?;
            drop(runtime);
        }
        let workspace = Workspace::open(&dir)?;
        let recorder = Arc::new(RecordingStore::new(Arc::new(
            workspace.open_store("kjerne bench")?,
        )));
        let runtime = Runtime::put_together(workspace, recorder.clone())?;
        warm_up(&runtime)?;
        recorder.forget();
        let seconds = write_all(&runtime, args.per_writer)?;
        let written = recorder.take();
        let commits = (WRITERS * args.per_writer) as f64;
        let raw_seconds = write_raw(&scratch.path("raw.redb"), &written)?;
        Ok(Self {
            kjerne: commits / seconds,
            raw: commits / raw_seconds,
            group: commits / written.groups().len().max(1) as f64,
        })
    }
}

fn warm_up(runtime: &Runtime) -> Result<()> {
    for number in 0..20 {
        create(runtime, 1_000, number)?;
    }
    Ok(())
}

/// Every writer creates its records one commit at a time; the seconds until all are stored.
fn write_all(runtime: &Runtime, per_writer: usize) -> Result<f64> {
    let began = Instant::now();
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn(move || (0..per_writer).try_for_each(|n| create(runtime, writer, n)))
            })
            .collect();
        for writer in writers {
            writer
                .join()
                .map_err(|_| anyhow::anyhow!("a writer panicked"))??;
        }
        Ok(began.elapsed().as_secs_f64())
    })
}

fn create(runtime: &Runtime, writer: usize, number: usize) -> Result<()> {
    let commit = Commit {
        changes: vec![Change::Create {
            kind: Name::new("opportunity")?,
            id: None::<RecordId>,
            fields: fields(writer, number)?,
        }],
        actor: Actor::User(format!("writer-{writer}")),
        key: None,
        at: now(),
        cause: None,
    };
    let outcome = runtime.kernel.commit(commit)?;
    ensure!(
        matches!(outcome, Outcome::Accepted(_)),
        "a create was refused: {outcome:?}"
    );
    Ok(())
}

fn fields(writer: usize, number: usize) -> Result<Fields, ParseError> {
    let text = |text: String| Value::Text(text);
    let amount = Money {
        minor: 12_500_000,
        currency: Currency::new("NOK")?,
    };
    let pairs = [
        ("name", text(format!("Opportunity {writer}-{number}"))),
        ("pipeline", text("standard".to_owned())),
        ("stage", text("prospect".to_owned())),
        ("amount", Value::Money(amount)),
        ("closing_date", Value::Date(Date::parse("2026-12-31")?)),
        (
            "next_step",
            text("Call to agree on a first meeting".to_owned()),
        ),
        ("source", text("web".to_owned())),
        (
            "description",
            text("What the customer told us in the first call. ".repeat(4)),
        ),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| Ok((Name::new(name)?, value)))
        .collect()
}

/// The same bytes, in the same tables and groups, by redb alone.
fn write_raw(path: &Path, written: &Recording) -> Result<f64> {
    let database = Database::builder()
        .set_cache_size(32 << 20)
        .create(path)
        .with_context(|| format!("cannot make {}", path.display()))?;
    let began = Instant::now();
    for group in written.groups() {
        let write = database.begin_write()?;
        {
            let mut tables = BTreeMap::new();
            for (space, key, value) in group {
                let table = match tables.entry(space) {
                    Entry::Occupied(table) => table.into_mut(),
                    Entry::Vacant(place) => {
                        let definition = TableDefinition::<&[u8], &[u8]>::new(space.name());
                        place.insert(write.open_table(definition)?)
                    }
                };
                match value {
                    Some(value) => table.insert(key, value)?,
                    None => table.remove(key)?,
                };
            }
        }
        write.commit()?;
    }
    let seconds = began.elapsed().as_secs_f64();
    database.begin_read()?;
    Ok(seconds)
}
