//! `kjerne demo`: a workspace full of believable, fictitious data, loaded the way real data is.

mod generate;
mod load;
mod names;
mod random;
mod report;
mod summary;

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use kjerne_core::{Call, Reader};
use kjerne_model::{Actor, Instant};
use kjerne_store::{costs, outbox, parked};

use crate::output::Format;
use crate::progress::Progress;
use generate::Size;
use kjerne_workspace::directory::Workspace;
use kjerne_workspace::runtime::{self, Runtime};
use report::Report;

/// The built-in plugins in the order they are asked.
const PLUGINS: [&str; 4] = ["sales-stages", "buying-process", "service-rules", "webhook"];

/// Where the demo's messages would go, if somebody listened there.
const SINK: &str = "http://127.0.0.1:7381";

/// The last moment of the demo's time, so that the same seed gives the same workspace on any day.
const END: &str = "2026-10-30T15:00:00Z";

/// The file that marks a workspace as the demo's own, which the next demo may replace.
const MARKER: &str = "made-by-demo";

/// `demo`
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// The seed of the data; the same seed gives the same data.
    #[arg(long, default_value_t = 7380)]
    pub seed: u64,
    /// Accounts.
    #[arg(long, default_value_t = Size::default().accounts)]
    pub accounts: usize,
    /// Contacts.
    #[arg(long, default_value_t = Size::default().contacts)]
    pub contacts: usize,
    /// Opportunities, each with stage history and a buying group.
    #[arg(long, default_value_t = Size::default().opportunities)]
    pub opportunities: usize,
    /// Cases.
    #[arg(long, default_value_t = Size::default().cases)]
    pub cases: usize,
    /// Activities.
    #[arg(long, default_value_t = Size::default().activities)]
    pub activities: usize,
    /// Months they are spread over.
    #[arg(long, default_value_t = Size::default().months)]
    pub months: usize,
    /// Print the summary and do not serve.
    #[arg(long)]
    pub once: bool,
    /// Where the built-in plugins are; otherwise beside the program.
    #[arg(long, value_name = "DIR")]
    pub plugins: Option<PathBuf>,
}

/// Makes the workspace, loads it, prints the summary, and returns the open workspace to be served
/// (none with `--once`).
///
/// # Errors
/// When the folder holds something else, a plugin is missing, or storage failed.
pub fn run(dir: &Path, args: &DemoArgs, format: Format) -> Result<Option<Runtime>> {
    let runtime = prepare(dir, args)?;
    let report = fill(&runtime, args)?;
    match format {
        Format::Json => println!("{:#}", report.json()),
        Format::Table | Format::Csv => println!("{}", report.text()),
    }
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
    switch_all_on(&runtime, args.plugins.as_deref())?;
    Ok(runtime)
}

/// Installs the built-in plugins from a folder (otherwise from beside the program), grants what
/// they declare and switches them on.
///
/// # Errors
/// When one of them is not there or cannot be installed.
pub fn switch_all_on(runtime: &Runtime, folder: Option<&Path>) -> Result<()> {
    let folder = match folder {
        Some(folder) => folder.to_path_buf(),
        None => beside_program()?,
    };
    for id in PLUGINS {
        switch_on(runtime, &folder, id)?;
    }
    Ok(runtime.reload()?)
}

fn beside_program() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let found = program
        .ancestors()
        .map(|dir| dir.join("plugins"))
        .find(|dir| dir.is_dir());
    found.context(
        "no built plugins beside the program; run `cargo xtask plugins`, or say --plugins DIR",
    )
}

fn switch_on(runtime: &Runtime, folder: &Path, id: &str) -> Result<()> {
    let file = newest(folder, id)?;
    let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let registry = runtime.plugins();
    registry.install(&bytes, runtime::now())?;
    if id == "webhook" {
        registry.set_settings(id, Some(webhook_settings()))?;
        registry.grant(id, &[format!("send:{SINK}")], true)?;
    } else {
        registry.grant(id, &[], true)?;
    }
    registry.enable(id, true, true)?;
    Ok(())
}

/// The newest built file of a plugin: `sales-stages-0.1.0.wasm`.
fn newest(folder: &Path, id: &str) -> Result<PathBuf> {
    let begins = format!("{id}-");
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .filter_map(|item| Some(item.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.strip_prefix(&begins)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
                && name.ends_with(".wasm")
        })
        .collect();
    found.sort();
    found.pop().with_context(|| {
        format!(
            "no built plugin {id} in {}; run `cargo xtask plugins`",
            folder.display()
        )
    })
}

/// Opportunities that are won go out as events.
fn webhook_settings() -> String {
    format!(
        "source = \"kjerne-demo\"\n\n[[subscription]]\nname = \"won-opportunities\"\n\
         url = \"{SINK}/events\"\nkinds = [\"opportunity\"]\n\
         operations = [\"update\"]\nchanged = [\"stage\"]\n\
         when = {{ stage = \"won\" }}\n"
    )
}

fn fill(runtime: &Runtime, args: &DemoArgs) -> Result<Report> {
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
) -> Result<Report> {
    let reader = Arc::new(runtime.kernel.reader()?);
    let kinds: Vec<String> = runtime
        .kernel
        .schema()
        .kinds()
        .map(|kind| kind.name.to_string())
        .collect();
    Ok(Report {
        loaded,
        seconds,
        figures: summary::figures(&reader, &kinds, end)?,
        stages: stages(runtime, Arc::clone(&reader), end)?,
        costs: by_role(costs::list(&*reader, None)?),
        outbox: waiting(&reader)?,
        parked: given_up(&reader)?,
    })
}

fn waiting(reader: &Reader) -> Result<usize> {
    let mut count = 0;
    outbox::list(reader, 0, &mut |_| {
        count += 1;
        ControlFlow::Continue(())
    })?;
    Ok(count)
}

fn given_up(reader: &Reader) -> Result<usize> {
    let mut count = 0;
    parked::list(reader, &mut |_| {
        count += 1;
        ControlFlow::Continue(())
    })?;
    Ok(count)
}

/// The stages in the order of the bound model's pipelines, each once.
fn stages(runtime: &Runtime, reader: Arc<Reader>, now: Instant) -> Result<Vec<(String, String)>> {
    let actor = Actor::System("demo".to_owned());
    let call = Call {
        now,
        actor,
        depth: 0,
        reader,
    };
    let mut seen = BTreeSet::new();
    let mut stages = Vec::new();
    for pipeline in runtime.host.pipelines(&call)? {
        for stage in pipeline.stages {
            if seen.insert(stage.name.clone()) {
                stages.push((stage.name, stage.label));
            }
        }
    }
    Ok(stages)
}

/// The costs of all days together, by plugin and role.
fn by_role(rows: Vec<costs::CostRow>) -> Vec<costs::CostRow> {
    let mut sums: Vec<costs::CostRow> = Vec::new();
    for row in rows {
        let same = |sum: &&mut costs::CostRow| sum.plugin == row.plugin && sum.role == row.role;
        match sums.iter_mut().find(same) {
            Some(sum) => {
                sum.calls += row.calls;
                sum.fuel += row.fuel;
                sum.micros += row.micros;
                sum.faults += row.faults;
            }
            None => sums.push(row),
        }
    }
    sums
}
