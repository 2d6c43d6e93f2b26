//! `kjerne demo`: a workspace full of believable, fictitious data, loaded the way real data is.

pub(crate) mod arguments;
mod summary;

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use kjerne_core::Reader;
use kjerne_model::{Actor, Instant};
use kjerne_store::{costs, outbox, records};

use kjerne_workspace::cost_report::{By, together};
use kjerne_workspace::{Runtime, Workspace};

use crate::exit::Told;
use crate::output::{Format, print_line};
use crate::progress::Progress;
use arguments::DemoArgs;
use kjerne_bench::built_in;
use kjerne_bench::demo::generate::Size;
use kjerne_bench::demo::{generate, load};
use summary::Summary;

/// The last moment of the demo's time, so that the same seed gives the same workspace on any day.
const END: &str = "2026-10-30T15:00:00Z";

/// The file that marks a workspace as the demo's own, which the next demo may replace.
const MARKER: &str = "made-by-demo";

/// Makes the workspace, loads it, prints the summary, and returns the open workspace to be served
/// (none with `--once`).
///
/// # Errors
/// When the folder holds something else, a plugin is missing, or storage failed.
pub fn run(dir: &Path, args: &DemoArgs, format: Format) -> Result<Option<Runtime>> {
    let runtime = prepare(dir, args)?;
    let summary = fill(&runtime, args)?;
    print_line(&match format {
        Format::Json => format!("{:#}", summary.json()),
        Format::Table | Format::Csv => summary.text()?,
    })?;
    Ok((!args.once).then_some(runtime))
}

/// A new workspace with the built-in plugins switched on.
fn prepare(dir: &Path, args: &DemoArgs) -> Result<Runtime> {
    if dir.join(MARKER).exists() {
        fs::remove_dir_all(dir).with_context(|| format!("cannot replace {}", dir.display()))?;
    }
    let empty = !dir.exists() || fs::read_dir(dir)?.next().is_none();
    ensure!(
        empty,
        "{} holds something that is not a demo; name another folder with -w",
        dir.display()
    );
    let workspace = Workspace::init(dir, "Demo")?;
    fs::write(dir.join(MARKER), "kjerne demo replaces this workspace\n")?;
    let runtime = Runtime::open(workspace, "kjerne demo")?;
    built_in::switch_all_on(&runtime, args.plugins.as_deref(), Instant::parse(END)?)?;
    Ok(runtime)
}

fn fill(runtime: &Runtime, args: &DemoArgs) -> Result<Summary> {
    let size = Size {
        accounts: args.accounts,
        contacts: args.contacts,
        opportunities: args.opportunities,
        cases: args.cases,
        activities: args.activities,
        months: args.months,
    };
    let end = Instant::parse(END)?;
    let events = generate::events(args.seed, size, end);
    let bar = Progress::new(events.len() as u64, "loading");
    let began = std::time::Instant::now();
    let mut settle = |now: Instant| -> Result<()> {
        runtime.settle(now)?;
        runtime.kernel.escalate_due(now, usize::MAX)?;
        Ok(())
    };
    let loaded = load::load(&runtime.kernel, &events, &mut settle, &|done| {
        bar.add(done as u64);
    })?;
    drop(bar);
    runtime.flush_costs()?;
    summarise(runtime, loaded, began.elapsed().as_secs_f64(), end)
}

fn summarise(
    runtime: &Runtime,
    loaded: load::Loaded,
    seconds: f64,
    end: Instant,
) -> Result<Summary> {
    let reader = runtime.kernel.reader()?;
    let actor = Actor::System("demo".to_owned());
    let pipeline = kjerne_server::reports::pipeline(runtime, actor, end);
    let service_levels = kjerne_server::reports::service_levels(runtime, end);
    Ok(Summary {
        loaded,
        seconds,
        records: count(runtime, &reader)?,
        pipeline: pipeline.map_err(|problem| Told::of_problem(&problem.json()))?,
        service_levels: service_levels.map_err(|problem| Told::of_problem(&problem.json()))?,
        costs: together(costs::list(&reader, None)?, By::Role),
        outbox: waiting(&reader)?,
        parked: runtime.kernel.parked()?.len(),
    })
}

/// The records there are, by kind.
fn count(runtime: &Runtime, reader: &Reader) -> Result<BTreeMap<String, usize>> {
    let mut counts = BTreeMap::new();
    for kind in runtime.kernel.schema().kinds() {
        let mut count = 0;
        records::scan(reader, &kind.name, None, &mut |_| {
            count += 1;
            ControlFlow::Continue(())
        })?;
        counts.insert(kind.name.to_string(), count);
    }
    Ok(counts)
}

fn waiting(reader: &Reader) -> Result<usize> {
    let mut count = 0;
    outbox::list(reader, 0, &mut |_| {
        count += 1;
        ControlFlow::Continue(())
    })?;
    Ok(count)
}
