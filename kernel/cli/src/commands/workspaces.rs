//! The workspace as a whole on the command line: make, serve, verify, its tokens and secrets.

use std::io::Read as _;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use axum::body::Body;
use axum::http::Method;
use kjerne_store::StoreError;
use kjerne_workspace::limits::HELD_WAIT;
use kjerne_workspace::{Error, Runtime, Workspace};
use serde_json::{Value as Json, json};

use super::cells::{cell, text, texts};
use crate::args::{InitArgs, SecretCommand, ServeArgs, TokenCommand};
use crate::connection::{Needs, is_held};
use crate::context::Context;
use crate::exit::{Exit, exit_of, usage};
use crate::output::Report;
use crate::path::path;

pub(crate) fn init(context: &Context, args: &InitArgs) -> Result<Exit> {
    let dir = args.dir.clone().or_else(|| context.workspace.clone());
    let dir: PathBuf = dir.ok_or_else(|| usage("where? Say: kjerne init DIR"))?;
    let named = dir
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = args
        .name
        .clone()
        .or(named)
        .unwrap_or_else(|| "workspace".to_owned());
    Workspace::init(&dir, &name)?;
    let shown = dir.display().to_string();
    let note = format!("made {shown}\nnext: kjerne -w {shown} serve");
    context.print(&Report::of_note(
        note,
        json!({ "workspace": shown, "name": name }),
    ))
}

/// Serves the workspace. Waits for commands that hold it, but not for another server, which does not
/// end by itself.
pub(crate) fn serve(context: &Context, args: &ServeArgs) -> Result<Exit> {
    let until = Instant::now() + Duration::from_millis(HELD_WAIT.value);
    let runtime = loop {
        match Runtime::open(context.workspace()?, &context.who) {
            Err(error) if is_held(&error) && !is_served(&error) && Instant::now() < until => {
                thread::sleep(Duration::from_millis(25));
            }
            other => break other?,
        }
    };
    kjerne_server::serve(runtime, args.listen.as_deref())?;
    Ok(Exit::Done)
}

fn is_served(error: &Error) -> bool {
    matches!(error.root(), Error::Store(StoreError::Held { by }) if by.starts_with("kjerne serve"))
}

pub(crate) fn verify(context: &Context) -> Result<Exit> {
    // A page that is not as it was written does not say whose it is; the rows do, where they can
    // still be read.
    let (mut connection, damage) = match context.connect(Needs::CheckedData) {
        Err(error) if exit_of(&error) == Exit::Damaged => {
            (context.connect(Needs::Data)?, Some(format!("{error:#}")))
        }
        connected => (connected?, None),
    };
    let mut report = connection
        .send(Method::POST, "/v1/verify", &[], Body::empty())?
        .json()?;
    if let Some(damage) = damage {
        report["faults"] = json!(report["faults"].as_u64().unwrap_or_default() + 1);
        if let Some(faults) = report["first_faults"].as_array_mut() {
            faults.insert(0, json!(damage));
        }
    }
    let pages = connection.is_here();
    report["pages_checked"] = json!(pages);
    let names = [
        "records",
        "index_entries",
        "unique_entries",
        "journal_entries",
        "history_rows",
        "faults",
    ];
    let pairs = names.map(|name| (name, cell(&report[name])));
    let mut note = match texts(&report["first_faults"]) {
        none if none.is_empty() => "records, indexes and journal agree".to_owned(),
        faults => faults.join("\n"),
    };
    if !pages {
        note.push_str(
            "\nthe pages of the data file were not checked beside the running server; stop it and \
             verify again for that",
        );
    }
    let sound = report["faults"] == 0;
    context.print(&Report::of_pairs(&pairs, report).with_note(note))?;
    Ok(if sound { Exit::Done } else { Exit::Damaged })
}

pub(crate) fn token(context: &Context, command: &TokenCommand) -> Result<Exit> {
    let mut connection = context.connect(Needs::Data)?;
    match command {
        TokenCommand::Add { name } => {
            let body = json!({ "name": name });
            let made = connection.give(Method::POST, "/v1/tokens", &body)?;
            // One that nobody saw stays: to take back the last would let everybody in. It is made anew
            // by the same command.
            context.print(&Report::of_note(text(&made, "token"), made.clone()))
        }
        TokenCommand::List => names(context, connection.get("/v1/tokens")?, "tokens"),
        TokenCommand::Remove { name } => {
            let place = path(&["tokens", name]);
            connection.send(Method::DELETE, &place, &[], Body::empty())?;
            let note = format!("the token of {name} is refused from now on");
            context.print(&Report::of_note(note, json!({ "name": name })))
        }
    }
}

pub(crate) fn secret(context: &Context, command: &SecretCommand) -> Result<Exit> {
    let mut connection = context.connect(Needs::Data)?;
    match command {
        SecretCommand::Set { name, stdin } => {
            let secret = if *stdin { Some(read_secret()?) } else { None };
            let place = path(&["secrets", name]);
            let kept = connection.give(Method::PUT, &place, &json!({ "secret": secret }))?;
            context.print(&Report::of_note(text(&kept, "secret"), kept.clone()))
        }
        SecretCommand::List => names(context, connection.get("/v1/secrets")?, "secrets"),
        SecretCommand::Remove { name } => {
            let place = path(&["secrets", name]);
            connection.send(Method::DELETE, &place, &[], Body::empty())?;
            let note = format!("the secret {name} is forgotten");
            context.print(&Report::of_note(note, json!({ "name": name })))
        }
    }
}

fn names(context: &Context, answer: Json, list: &str) -> Result<Exit> {
    let rows = texts(&answer[list])
        .iter()
        .map(|name| vec![(*name).to_owned()])
        .collect();
    context.print(&Report::new(&["name"], rows, answer))
}

fn read_secret() -> Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .context("cannot read standard input")?;
    Ok(text.trim().to_owned())
}

pub(crate) fn limits(context: &Context) -> Result<Exit> {
    let limits = kjerne_server::limits::everywhere();
    let rows = limits.iter().map(|(part, limit)| {
        let number = format!("{} {}", limit.value, limit.unit);
        vec![
            (*part).to_owned(),
            limit.name.to_owned(),
            number,
            limit.reason.to_owned(),
        ]
    });
    let json = limits
        .iter()
        .map(|(part, limit)| kjerne_wire::limit(part, limit))
        .collect();
    let columns = ["part", "limit", "number", "reason"];
    context.print(&Report::new(&columns, rows.collect(), json).with_whole_cells())
}
