//! Plugins on the command line.

use std::path::Path;

use anyhow::{Context as _, Result};
use axum::body::Body;
use axum::http::{HeaderName, Method, header};
use base64::Engine as _;
use kjerne_author::{read_text, with_ending};
use kjerne_host::Package;
use kjerne_host::signing::SUFFIX;
use kjerne_model::{Schema, core_kinds};
use kjerne_server::{Inspected, PUBLIC_KEY, SIGNATURE, SUCCESSION};
use kjerne_workspace::Error;
use kjerne_workspace::plugin_registry::read_package;
use kjerne_workspace::stderr::tell;
use serde_json::{Map, Value as Json, json};

use super::cells::{cell, cells, list as members, text, texts};
use super::placed::{made_by, placed_report, signer};
use super::{approvals, author, budgets, costs, jobs, plugin_table, reviews, signing};
use crate::args::ActionArgs;
use crate::connection::Needs;
use crate::context::Context;
use crate::exit::{Exit, not_found};
use crate::output::{Format, Report};
use crate::path::{path, with_words};
use crate::plugin_args::{InstallArgs, ParkedArgs, PluginCommand};

pub(crate) fn run(context: &Context, command: PluginCommand) -> Result<Exit> {
    match command {
        PluginCommand::New(args) => author::begin(context, args),
        PluginCommand::Build { dir } => author::build(context, &dir),
        PluginCommand::Test { dir } => author::test(context, &dir),
        PluginCommand::Keygen(args) => signing::keygen(context, &args),
        PluginCommand::Sign { file, key } => signing::sign(context, &file, &key),
        PluginCommand::Verify {
            file,
            public_key,
            signature,
        } => signing::verify(context, &file, &public_key, signature.as_deref()),
        PluginCommand::Install(args) => install(context, &args),
        PluginCommand::Review { plugin } => reviews::review(context, &plugin),
        PluginCommand::Accept(args) => reviews::accept(context, &args),
        PluginCommand::Reject { plugin } => reviews::reject(context, &plugin),
        PluginCommand::Trust {
            publisher,
            public_key,
        } => signing::trust(context, publisher.as_deref(), public_key.as_deref()),
        PluginCommand::Distrust { publisher } => signing::distrust(context, &publisher),
        PluginCommand::Rollback { plugin, to } => rollback(context, &plugin, to.as_deref()),
        PluginCommand::List => list(context),
        PluginCommand::Inspect { plugin, items } => inspect(context, &plugin, items),
        PluginCommand::Grant {
            plugin,
            items,
            groups,
            all_declared,
        } => {
            let body = json!({ "items": items, "groups": groups, "all_declared": all_declared });
            granted(context, &plugin, "grant", &body)
        }
        PluginCommand::Revoke { plugin, items, all } => {
            let body = json!({ "items": items, "all": all });
            granted(context, &plugin, "revoke", &body)
        }
        PluginCommand::Enable {
            plugin,
            bind,
            from_start,
        } => enable(context, &plugin, bind, from_start),
        PluginCommand::Disable { plugin } => {
            let place = path(&["plugins", &plugin, "disable"]);
            changed(context, Method::POST, &place, "is off")
        }
        PluginCommand::Remove { plugin } => {
            let place = path(&["plugins", &plugin]);
            changed(context, Method::DELETE, &place, "is removed")
        }
        PluginCommand::Settings {
            plugin,
            file,
            default,
        } => settings(context, &plugin, file.as_deref(), default),
        PluginCommand::Cost(args) => costs::cost(context, &args),
        PluginCommand::Top { plugin, once } => costs::top(context, plugin.as_deref(), once),
        PluginCommand::Limits { plugin, set } => budgets::limits(context, &plugin, &set),
        PluginCommand::Resume { plugin } => resume(context, &plugin),
        PluginCommand::Jobs { plugin } => jobs::list(context, plugin.as_deref()),
        PluginCommand::RunJob { plugin, job } => jobs::run(context, &plugin, &job),
        PluginCommand::Parked { plugin } => parked(context, plugin),
        PluginCommand::Retry(args) => unpark(context, &args, "retry"),
        PluginCommand::Skip(args) => unpark(context, &args, "skip"),
        PluginCommand::Outbox => outbox(context),
        PluginCommand::Logs { plugin } => logs(context, &plugin),
    }
}

fn resume(context: &Context, plugin: &str) -> Result<Exit> {
    let place = path(&["plugins", plugin, "resume"]);
    changed(context, Method::POST, &place, "is asked again")
}

fn read(file: &Path) -> Result<Vec<u8>> {
    match Package::bytes_of(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(not_found(format!("there is no file {}", file.display())))
        }
        other => other.with_context(|| format!("cannot read {}", file.display())),
    }
}

/// A file that takes long enough to compile that somebody who waits is told.
const LARGE: usize = 4 << 20;

fn install(context: &Context, args: &InstallArgs) -> Result<Exit> {
    let bytes = read(&args.file)?;
    // Looked at before the workspace is opened, so that a file that is no plugin is told first.
    read_package(&bytes)?;
    let headers = beside(args)?;
    if bytes.len() > LARGE && context.format != Format::Json {
        let size = bytes.len() >> 20;
        tell(format_args!(
            "compiling {size} MiB, which may take a minute; nobody waits for it meanwhile"
        ));
    }
    let unsigned = args.unsigned.then(|| "true".to_owned());
    let place = with_words(path(&["plugins"]), &[("unsigned", unsigned)]);
    let mut connection = context.connect(Needs::Data)?;
    let sent = connection.send(Method::POST, &place, &headers, Body::from(bytes));
    let placed = sent?.json()?;
    let (id, version) = (text(&placed, "id"), text(&placed, "version"));
    if let Some(waits) = placed.get("waits") {
        let note = format!(
            "{id} {} waits to be looked at, since it brings: {}\n{version} stays in use; look: kjerne plugin \
             review {id}; then: kjerne plugin accept {id}, or reject {id}",
            text(waits, "version"),
            texts(&waits["for"]).join(", ")
        );
        return context.print(&Report::of_note(note, placed.clone()));
    }
    let headline = match placed["before"].as_str() {
        Some(before) if before != version => format!(
            "installed {id} {version} over {before}, which is kept; go back: kjerne plugin rollback {id}"
        ),
        Some(before) => format!("installed {id} {version} over {before}"),
        None => format!("installed {id} {version}"),
    };
    let headline = format!("{headline}\n{}", made_by(&placed));
    context.print(&placed_report(&placed, headline))
}

/// What goes beside a plugin's file: its signature, the old key's word for a new one, and the key.
fn beside(args: &InstallArgs) -> Result<Vec<(HeaderName, String)>> {
    let mut headers = vec![(header::CONTENT_TYPE, "application/wasm".to_owned())];
    let found = with_ending(&args.file, SUFFIX);
    let stands = found.is_file();
    if args.unsigned && stands {
        // To look past it would hide whose file it is, and that its key was revoked.
        return Err(Error::refused(format!(
            "{} stands beside the file, its signature; leave --unsigned out, or move the signature away",
            found.display()
        ))
        .into());
    }
    let signature = match &args.signature {
        Some(file) => Some(file.clone()),
        None => stands.then_some(found),
    };
    let pack = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
    if let Some(file) = signature {
        headers.push((SIGNATURE, pack(read_text(&file)?)));
    }
    if let Some(file) = &args.succession {
        headers.push((SUCCESSION, pack(read_text(file)?)));
    }
    if let Some(key) = &args.public_key {
        headers.push((PUBLIC_KEY, signing::public_key(key)?.text()));
    }
    Ok(headers)
}

fn rollback(context: &Context, plugin: &str, to: Option<&str>) -> Result<Exit> {
    let place = path(&["plugins", plugin, "rollback"]);
    let mut connection = context.connect(Needs::Data)?;
    let placed = connection.give(Method::POST, &place, &json!({ "to": to }))?;
    let headline = format!(
        "{plugin} is back at {}; {} is kept, its settings stay in use",
        text(&placed, "version"),
        text(&placed, "before")
    );
    context.print(&placed_report(&placed, headline))
}

fn list(context: &Context) -> Result<Exit> {
    let answer = context.connect(Needs::Data)?.get("/v1/plugins")?;
    let rows = members(&answer["plugins"]).map(|row| {
        let state = match row["enabled"] == true {
            true => budgets::state("on", row),
            false => "off".to_owned(),
        };
        vec![
            text(row, "id").to_owned(),
            text(row, "version").to_owned(),
            state,
            texts(&row["roles"]).join(" "),
            texts(&row["grants"]).len().to_string(),
            texts(&row["kept"]).join(" "),
            signer(row),
            text(row, "waiting").to_owned(),
        ]
    });
    let columns = [
        "plugin",
        "version",
        "state",
        "roles",
        "grants",
        "kept",
        "signed by",
        "waits for review",
    ];
    context.print(&Report::new(&columns, rows.collect(), answer.clone()))
}

fn inspect(context: &Context, plugin: &str, items: bool) -> Result<Exit> {
    let file = Path::new(plugin);
    let json = if file.is_file() || plugin.ends_with(".wasm") {
        // Of a file it is not known for which workspace; the core kinds are in each.
        let kinds = Schema::new(core_kinds())?;
        Inspected::of_file(read_package(&read(file)?)?).json(&kinds)
    } else {
        let mut connection = context.connect(Needs::Data)?;
        connection.get(&path(&["plugins", plugin]))?
    };
    context.print(&plugin_table::report(json, items))
}

fn granted(context: &Context, plugin: &str, what: &str, body: &Json) -> Result<Exit> {
    let place = path(&["plugins", plugin, what]);
    let mut connection = context.connect(Needs::Data)?;
    let placed = connection.give(Method::POST, &place, body)?;
    let held = match texts(&placed["grants"]) {
        none if none.is_empty() => "nothing".to_owned(),
        held => held.join(", "),
    };
    context.print(&placed_report(
        &placed,
        format!("{plugin} is granted: {held}"),
    ))
}

fn enable(context: &Context, plugin: &str, bind: bool, from_start: bool) -> Result<Exit> {
    let place = path(&["plugins", plugin, "enable"]);
    let body = json!({ "bind": bind, "from_start": from_start });
    let mut connection = context.connect(Needs::Data)?;
    let placed = connection.give(Method::POST, &place, &body)?;
    context.print(&placed_report(&placed, format!("{plugin} is on")))
}

fn changed(context: &Context, method: Method, place: &str, done: &str) -> Result<Exit> {
    let mut connection = context.connect(Needs::Data)?;
    let row = connection.send(method, place, &[], Body::empty())?.json()?;
    let note = format!("{} {done}", text(&row, "id"));
    context.print(&Report::of_note(note, row))
}

fn settings(context: &Context, plugin: &str, file: Option<&Path>, default: bool) -> Result<Exit> {
    let (method, body) = match file {
        Some(file) => (Method::PUT, Body::from(read(file)?)),
        None if default => (Method::DELETE, Body::empty()),
        None => (Method::GET, Body::empty()),
    };
    let place = path(&["plugins", plugin, "settings"]);
    let mut connection = context.connect(Needs::Data)?;
    let json = connection.send(method, &place, &[], body)?.json()?;
    context.print(&Report::of_note(text(&json, "settings"), json.clone()))
}

fn parked(context: &Context, plugin: Option<String>) -> Result<Exit> {
    let place = with_words(path(&["parked"]), &[("plugin", plugin)]);
    let answer = context.connect(Needs::Data)?.get(&place)?;
    let columns = ["plugin", "role", "entry", "at", "tries", "error"];
    let rows = members(&answer["parked"]).map(|row| {
        let mut shown = cells(row, &columns);
        if is_job(text(row, "role")) {
            shown[2] = String::new();
        }
        shown
    });
    let report = Report::new(&columns, rows.collect(), answer.clone()).with_whole_cells();
    let mut notes = Vec::new();
    if !report.rows.is_empty() {
        notes.push(
            "try one again: kjerne plugin retry PLUGIN ENTRY, or --job JOB for schedule:JOB; forget it: kjerne plugin \
             skip"
                .to_owned(),
        );
    }
    let aside: Vec<&Json> = members(&answer["aside"]).collect();
    if !aside.is_empty() {
        let failed = aside.iter().filter(|row| row["tries"] != 0).count();
        let behind = aside.len() - failed;
        notes.push(format!(
            "beside these {failed} failed and are tried again by themselves, and {behind} wait behind them"
        ));
    }
    let report = if notes.is_empty() {
        report
    } else {
        report.with_note(notes.join("\n"))
    };
    context.print(&report)
}

fn is_job(role: &str) -> bool {
    kjerne_core::parked_job(role).is_some()
}

fn unpark(context: &Context, args: &ParkedArgs, what: &str) -> Result<Exit> {
    let ParkedArgs {
        plugin,
        entry,
        role,
        job,
    } = args;
    let (role, what_it_is) = match job {
        Some(job) => (&kjerne_core::parked_role(job), format!("the run of {job}")),
        None => (role, format!("entry {}", entry.unwrap_or_default())),
    };
    let entry = entry.unwrap_or_default();
    let place = path(&["parked", plugin, role, &entry.to_string(), what]);
    let needs = if what == "retry" {
        Needs::Plugins
    } else {
        Needs::Data
    };
    let mut connection = context.connect(needs)?;
    let answer = connection.send(Method::POST, &place, &[], Body::empty())?;
    let answer = answer.json()?;
    connection.finish()?;
    let (note, exit) = match text(&answer, "became") {
        "done" => (format!("{plugin} has answered {what_it_is}"), Exit::Done),
        "skipped" => (
            format!("{plugin} will never answer {what_it_is}"),
            Exit::Done,
        ),
        "busy" => {
            let why = match text(&answer, "error") {
                "" => "something else changed meanwhile; try again",
                why => why,
            };
            (why.to_owned(), Exit::Failed)
        }
        _ => {
            let why = text(&answer, "error");
            (format!("{what_it_is} stays parked: {why}"), Exit::Refused)
        }
    };
    context.print(&Report::of_note(note, answer.clone()))?;
    Ok(exit)
}

fn outbox(context: &Context) -> Result<Exit> {
    let answer = context.connect(Needs::Data)?.get("/v1/outbox")?;
    let rows = members(&answer["messages"]).map(|row| {
        let mut shown = cells(row, &["seq", "plugin", "id", "url", "tries"]);
        shown.push(if row["gave_up"] == true {
            "given up".to_owned()
        } else if row["plugin_off"] == true {
            "when the plugin is switched on".to_owned()
        } else {
            cell(&row["not_before"])
        });
        shown.push(cell(&row["error"]));
        shown
    });
    let columns = [
        "seq", "plugin", "message", "to", "tries", "next try", "error",
    ];
    context.print(&Report::new(&columns, rows.collect(), answer.clone()).with_whole_cells())
}

fn logs(context: &Context, plugin: &str) -> Result<Exit> {
    let mut connection = context.connect(Needs::Data)?;
    let answer = connection.get(&path(&["plugins", plugin, "logs"]))?;
    let shown = match texts(&answer["lines"]) {
        none if none.is_empty() => format!("{plugin} has logged nothing"),
        lines => lines.join("\n"),
    };
    context.print(&Report::of_note(shown, answer.clone()))
}

pub(crate) fn action(context: &Context, args: &ActionArgs) -> Result<Exit> {
    let given = args.arguments.iter().filter(|(_, value)| !value.is_empty());
    let arguments: Map<String, Json> = given
        .map(|(name, value)| (name.clone(), Json::String(value.clone())))
        .collect();
    let mut connection = context.connect_as(args.actor.as_deref(), Needs::Plugins)?;
    let place = path(&["actions", &args.plugin, &args.command]);
    let body = json!({ "arguments": arguments });
    let answer = connection.give(Method::POST, &place, &body)?;
    connection.finish()?;
    if !answer["waits"].is_null() {
        return approvals::waits(context, &answer, false);
    }
    let reply = answer["reply"].as_object().into_iter().flatten();
    let rows = reply.map(|(name, value)| vec![name.clone(), cell(value)]);
    let note = match answer["commit"]["entry"].as_u64() {
        Some(entry) => format!("journal entry {entry}"),
        None => "nothing changed".to_owned(),
    };
    let note = [vec![note], approvals::advice(&answer["commit"])].concat();
    let report = Report::new(&["name", "value"], rows.collect(), answer.clone());
    context.print(&report.with_note(note.join("\n")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_signature_beside_the_file_is_not_passed_over_as_unsigned() {
        let folder = tempfile::tempdir().unwrap();
        let args = |unsigned| InstallArgs {
            file: folder.path().join("x.wasm"),
            signature: None,
            public_key: None,
            succession: None,
            unsigned,
        };
        assert_eq!(
            beside(&args(true)).unwrap().len(),
            1,
            "no signature stands there"
        );
        std::fs::write(folder.path().join("x.wasm.minisig"), "four lines").unwrap();
        let told = beside(&args(true)).unwrap_err().to_string();
        assert!(told.contains("leave --unsigned out"), "{told}");
        assert_eq!(
            beside(&args(false)).unwrap().len(),
            2,
            "the signature is sent"
        );
    }
}
