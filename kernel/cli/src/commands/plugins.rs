//! Plugins on the command line.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context as _, Result};
use kjerne_core::Ask;
use kjerne_host::grants::Grant;
use kjerne_store::registry::PluginRow;
use kjerne_store::{costs, outbox, parked};
use serde_json::{Map, Value as Json, json};

use super::{author, plugin_table};
use crate::args::{ActionArgs, PluginCommand};
use crate::context::{Context, actor, finish};
use crate::exit::{Exit, not_found, usage};
use crate::output::Report;
use kjerne_server::Inspected;
use kjerne_wire as wire;
use kjerne_workspace::Error;
use kjerne_workspace::plugin_log;
use kjerne_workspace::plugin_registry::{Placed, read_package};
use kjerne_workspace::read_only::ReadOnly;
use kjerne_workspace::requests as tasks;
use kjerne_workspace::runtime::{host, now};

/// Items not granted that are listed; inspecting the plugin shows all.
const MISSING_SHOWN: usize = 6;

pub(crate) fn run(context: &Context, command: PluginCommand) -> Result<Exit> {
    match command {
        PluginCommand::New(args) => author::begin(context, args),
        PluginCommand::Build { dir } => author::build(context, &dir),
        PluginCommand::Test { dir } => author::test(context, &dir),
        PluginCommand::Install { file } => install(context, &file),
        PluginCommand::Rollback { plugin, to } => rollback(context, &plugin, to.as_deref()),
        PluginCommand::List => list(context),
        PluginCommand::Inspect { plugin } => inspect(context, &plugin),
        PluginCommand::Grant {
            plugin,
            items,
            all_declared,
        } => grant(context, &plugin, &items, all_declared),
        PluginCommand::Revoke { plugin, items, all } => revoke(context, &plugin, &items, all),
        PluginCommand::Enable {
            plugin,
            bind,
            from_start,
        } => enable(context, &plugin, bind, from_start),
        PluginCommand::Disable { plugin } => changed(
            context,
            |reading| reading.plugins().disable(&plugin),
            "is off",
        ),
        PluginCommand::Remove { plugin } => changed(
            context,
            |reading| reading.plugins().remove(&plugin),
            "is removed",
        ),
        PluginCommand::Settings {
            plugin,
            file,
            default,
        } => settings(context, &plugin, file.as_deref(), default),
        PluginCommand::Cost { plugin } => cost(context, plugin.as_deref()),
        PluginCommand::Parked { plugin } => show_parked(context, plugin.as_deref()),
        PluginCommand::Outbox => show_outbox(context),
        PluginCommand::Logs { plugin } => logs(context, &plugin),
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    match fs::read(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(not_found(format!("there is no file {}", file.display())))
        }
        other => other.with_context(|| format!("cannot read {}", file.display())),
    }
}

fn install(context: &Context, file: &Path) -> Result<Exit> {
    let bytes = read(file)?;
    // Looked at before the workspace is opened, so that a file that is no plugin is told first.
    read_package(&bytes)?;
    let placed = place(&context.reading()?, &bytes)?;
    let (id, version) = (&placed.row.id, &placed.row.version);
    let headline = match &placed.before {
        Some(before) if before != version => format!(
            "installed {id} {version} over {before}, which is kept; go back: kjerne plugin rollback {id}"
        ),
        Some(before) => format!("installed {id} {version} over {before}"),
        None => format!("installed {id} {version}"),
    };
    context.print(&placed_report(&placed, headline))
}

fn rollback(context: &Context, plugin: &str, to: Option<&str>) -> Result<Exit> {
    let reading = context.reading()?;
    let placed = place(&reading, &reading.plugins().earlier(plugin, to)?)?;
    let from = placed.before.clone().unwrap_or_default();
    let headline = format!(
        "{plugin} is back at {}; {from} is kept, its settings stay in use",
        placed.row.version
    );
    context.print(&placed_report(&placed, headline))
}

/// Puts a plugin's file into the workspace. It is compiled before anything is changed: a plugin
/// that cannot run is not installed.
fn place(reading: &ReadOnly, bytes: &[u8]) -> Result<Placed> {
    host(&reading.workspace, &*reading.store)?
        .prepare(&read_package(bytes)?)
        .map_err(|error| Error::refused(error.to_string()))?;
    Ok(reading.plugins().install(bytes, now())?)
}

/// What was done, what is not granted, and what to do next.
fn placed_report(placed: &Placed, headline: String) -> Report {
    let id = &placed.row.id;
    let missing: Vec<String> = placed.missing.iter().map(Grant::to_string).collect();
    let mut lines = vec![headline];
    if !missing.is_empty() {
        let first = missing
            .iter()
            .take(MISSING_SHOWN)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let more = missing.len().saturating_sub(MISSING_SHOWN);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        lines.push(format!("it asks for, and is not granted: {first}{more}"));
        lines.push(format!(
            "what for: kjerne plugin inspect {id}; grant: kjerne plugin grant {id} ITEM... or --all-declared"
        ));
    }
    if !placed.row.enabled {
        lines.push(format!(
            "it is off; switch it on: kjerne plugin enable {id}"
        ));
    }
    let mut json = wire::plugin_row(&placed.row);
    json["before"] = json!(placed.before);
    json["missing"] = json!(missing);
    Report::of_note(lines.join("\n"), json)
}

fn list(context: &Context) -> Result<Exit> {
    let reading = context.reading()?;
    let listed = kjerne_server::listed(reading.plugins())?;
    let cells = listed.iter().map(|row| {
        let state = if row["enabled"] == true { "on" } else { "off" };
        let words = |name: &str| {
            let list = row[name].as_array().into_iter().flatten();
            list.filter_map(Json::as_str).collect::<Vec<_>>()
        };
        let word = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        vec![
            word("id"),
            word("version"),
            state.to_owned(),
            words("roles").join(" "),
            words("grants").len().to_string(),
            words("kept").join(" "),
        ]
    });
    let columns = ["plugin", "version", "state", "roles", "grants", "kept"];
    let json = json!({ "plugins": &listed });
    context.print(&Report::new(&columns, cells.collect(), json))
}

fn inspect(context: &Context, plugin: &str) -> Result<Exit> {
    let file = Path::new(plugin);
    if file.is_file() || plugin.ends_with(".wasm") {
        let package = read_package(&read(file)?)?;
        let inspected = Inspected::of_file(package);
        return context.print(&plugin_table::report(inspected.json()));
    }
    let reading = context.reading()?;
    context.print(&plugin_table::report(
        Inspected::installed(reading.plugins(), plugin)?.json(),
    ))
}

fn grant(context: &Context, plugin: &str, items: &[String], all_declared: bool) -> Result<Exit> {
    if items.is_empty() && !all_declared {
        return Err(usage(format!(
            "what? Name items, or say --all-declared; kjerne plugin inspect {plugin} shows what it asks for"
        )));
    }
    let placed = context
        .reading()?
        .plugins()
        .grant(plugin, items, all_declared)?;
    let headline = format!("{plugin} is granted: {}", placed.row.grants.join(", "));
    context.print(&placed_report(&placed, headline))
}

fn revoke(context: &Context, plugin: &str, items: &[String], all: bool) -> Result<Exit> {
    if items.is_empty() && !all {
        return Err(usage("what? Name items, or say --all".to_owned()));
    }
    let row = context.reading()?.plugins().revoke(plugin, items, all)?;
    let held = if row.grants.is_empty() {
        "nothing".to_owned()
    } else {
        row.grants.join(", ")
    };
    let note = format!("{plugin} is granted: {held}");
    context.print(&Report::of_note(note, wire::plugin_row(&row)))
}

fn enable(context: &Context, plugin: &str, bind: bool, from_start: bool) -> Result<Exit> {
    let reading = context.reading()?;
    let registry = reading.plugins();
    let package = registry.package(&registry.row(plugin)?)?;
    host(&reading.workspace, &*reading.store)?
        .prepare(&package)
        .map_err(|error| Error::refused(error.to_string()))?;
    let row = registry.enable(plugin, bind, from_start)?;
    let missing = kjerne_workspace::plugin_registry::missing(&package, &row);
    let placed = Placed {
        row,
        before: None,
        missing,
    };
    context.print(&placed_report(&placed, format!("{plugin} is on")))
}

fn changed(
    context: &Context,
    change: impl FnOnce(&ReadOnly) -> kjerne_workspace::Result<PluginRow>,
    done: &str,
) -> Result<Exit> {
    let row = change(&context.reading()?)?;
    context.print(&Report::of_note(
        format!("{} {done}", row.id),
        wire::plugin_row(&row),
    ))
}

fn settings(context: &Context, plugin: &str, file: Option<&Path>, default: bool) -> Result<Exit> {
    let reading = context.reading()?;
    let registry = reading.plugins();
    let row = match file {
        Some(file) => {
            let text = String::from_utf8(read(file)?);
            let text = text.map_err(|_| usage(format!("{} is not UTF-8", file.display())))?;
            registry.set_settings(plugin, Some(text))?
        }
        None if default => registry.set_settings(plugin, None)?,
        None => registry.row(plugin)?,
    };
    let json = json!({ "plugin": row.id, "revision": row.revision, "settings": row.settings });
    context.print(&Report::of_note(row.settings.clone(), json))
}

fn cost(context: &Context, plugin: Option<&str>) -> Result<Exit> {
    let reading = context.reading()?;
    let rows = costs::list(&*reading.store.snapshot()?, None)?;
    let rows: Vec<_> = rows
        .into_iter()
        .filter(|row| plugin.is_none_or(|plugin| row.plugin == plugin))
        .collect();
    let cells = rows.iter().map(|row| {
        let calls = row.calls.max(1);
        vec![
            row.day.to_string(),
            format!("{} {}", row.plugin, row.version),
            row.role.clone(),
            row.calls.to_string(),
            row.fuel.to_string(),
            (row.fuel / calls).to_string(),
            row.micros.to_string(),
            (row.micros / calls).to_string(),
            row.faults.to_string(),
        ]
    });
    let columns = [
        "day",
        "plugin",
        "role",
        "calls",
        "fuel",
        "fuel/call",
        "micros",
        "micros/call",
        "faults",
    ];
    let json = json!({ "costs": rows.iter().map(wire::cost).collect::<Vec<_>>() });
    context.print(&Report::new(&columns, cells.collect(), json))
}

fn show_parked(context: &Context, plugin: Option<&str>) -> Result<Exit> {
    let reading = context.reading()?;
    let mut rows = Vec::new();
    parked::list(&*reading.store.snapshot()?, &mut |row| {
        if plugin.is_none_or(|plugin| row.plugin == plugin) {
            rows.push(row);
        }
        ControlFlow::Continue(())
    })?;
    let cells = rows.iter().map(|row| {
        let (entry, tries) = (row.entry.to_string(), row.tries.to_string());
        vec![
            row.plugin.clone(),
            row.role.clone(),
            entry,
            row.at.to_string(),
            tries,
            row.error.clone(),
        ]
    });
    let json: Vec<Json> = rows.iter().map(wire::parked).collect();
    let columns = ["plugin", "role", "entry", "at", "tries", "error"];
    let report = Report::new(&columns, cells.collect(), json!({ "parked": json }));
    context.print(&report.with_whole_cells())
}

fn show_outbox(context: &Context) -> Result<Exit> {
    let reading = context.reading()?;
    let mut rows = Vec::new();
    outbox::list(&*reading.store.snapshot()?, 0, &mut |row| {
        rows.push(row);
        ControlFlow::Continue(())
    })?;
    let cells = rows.iter().map(|row| {
        let state = if row.gave_up {
            "given up".to_owned()
        } else {
            row.not_before.to_string()
        };
        vec![
            row.seq.to_string(),
            row.plugin.clone(),
            row.message.id.clone(),
            row.message.url.clone(),
            row.tries.to_string(),
            state,
            row.error.clone().unwrap_or_default(),
        ]
    });
    let json: Vec<Json> = rows.iter().map(wire::message).collect();
    let columns = [
        "seq", "plugin", "message", "to", "tries", "next try", "error",
    ];
    context.print(&Report::new(
        &columns,
        cells.collect(),
        json!({ "messages": json }),
    ))
}

/// Reads the log file alone, so that it works beside a running server.
fn logs(context: &Context, plugin: &str) -> Result<Exit> {
    let file = plugin_log::file(&context.workspace()?, plugin);
    let text = match fs::read_to_string(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        other => other.with_context(|| format!("cannot read {}", file.display()))?,
    };
    let json = json!({ "plugin": plugin, "lines": text.lines().collect::<Vec<_>>() });
    let shown = if text.is_empty() {
        format!("{plugin} has logged nothing")
    } else {
        text
    };
    context.print(&Report::of_note(shown.trim_end(), json))
}

pub(crate) fn action(context: &Context, args: &ActionArgs) -> Result<Exit> {
    let runtime = context.runtime()?;
    let arguments: Map<String, Json> = args
        .arguments
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.clone(), Json::String(value.clone())))
        .collect();
    let ask = Ask {
        actor: actor(args.actor.as_deref()),
        now: now(),
        key: None,
    };
    let done = tasks::action(&runtime, &args.plugin, &args.command, &ask, &arguments)?;
    finish(&runtime)?;
    let rows = done.reply.iter().map(|(name, value)| {
        vec![
            name.clone(),
            value.as_ref().map(ToString::to_string).unwrap_or_default(),
        ]
    });
    let json = json!({
        "reply": wire::reply(&done.reply),
        "commit": done.receipt.as_ref().map(wire::receipt),
    });
    let note = match &done.receipt {
        Some(receipt) => format!("journal entry {}", receipt.entry),
        None => "nothing changed".to_owned(),
    };
    context.print(&Report::new(&["name", "value"], rows.collect(), json).with_note(note))
}
