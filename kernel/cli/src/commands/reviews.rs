//! A version of a plugin that waits: what it would change, item by item, and the word for or against it.

use anyhow::Result;
use axum::body::Body;
use axum::http::Method;
use serde_json::{Value as Json, json};

use super::cells::{list as members, text, texts};
use super::placed::{made_by, placed_report};
use crate::connection::Needs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Report;
use crate::path::path;
use crate::plugin_args::AcceptArgs;

pub(super) fn review(context: &Context, plugin: &str) -> Result<Exit> {
    let mut connection = context.connect(Needs::Data)?;
    let answer = connection.get(&path(&["plugins", plugin, "review"]))?;
    let mut rows = vec![
        vec![
            "version".to_owned(),
            format!(
                "{}, in place of {}",
                text(&answer["next"], "version"),
                text(&answer["present"], "version")
            ),
        ],
        vec!["made by".to_owned(), makers(&answer)],
        vec!["hash".to_owned(), hash(&answer["next"]).to_owned()],
        vec!["waits since".to_owned(), text(&answer, "since").to_owned()],
    ];
    let difference = &answer["difference"];
    for (name, show) in SHOWN {
        for (side, sign) in [("added", "new"), ("dropped", "no more")] {
            for item in members(&difference[name][side]) {
                rows.push(vec![format!("{sign}: {name}"), show(item)]);
            }
        }
    }
    for item in texts(&answer["granted"]) {
        rows.push(vec!["stays granted".to_owned(), item.to_owned()]);
    }
    if difference.is_null() {
        let why = "the file in use cannot be read, so that there is nothing to compare with";
        rows.push(vec!["difference".to_owned(), why.to_owned()]);
    }
    let version = text(&answer["next"], "version");
    let note = format!(
        "agree: kjerne plugin accept {plugin} --version {version}, which grants what it needs; or not: kjerne \
         plugin reject {plugin}"
    );
    let report = Report::new(&["what", "about it"], rows, answer.clone());
    context.print(&report.with_whole_cells().with_note(note))
}

/// As much of the file's hash as is compared by eye.
fn hash(next: &Json) -> &str {
    let whole = text(next, "hash");
    whole.get(..16).unwrap_or(whole)
}

/// Who made the new version, and who the one in use where that is somebody else.
fn makers(answer: &Json) -> String {
    let maker = |of: &Json| match of["signature"]["publisher"].as_str() {
        Some(name) => format!("{name}, key {}", text(&of["signature"], "fingerprint")),
        None => "nobody who says so (unsigned)".to_owned(),
    };
    let (new, old) = (maker(&answer["next"]), maker(&answer["present"]));
    if new == old {
        new
    } else {
        format!("{new}; the one in use: {old}")
    }
}

/// How one item is told.
type Telling = fn(&Json) -> String;

/// What of a difference is shown under which name, and how an item of it is.
const SHOWN: [(&str, Telling); 7] = [
    ("grants", grant),
    ("roles", role),
    ("watches", watch),
    ("sources", plain),
    ("jobs", plain),
    ("actions", plain),
    ("settings", plain),
];

fn grant(item: &Json) -> String {
    let optional = if item["optional"] == true {
        " (optional)"
    } else {
        ""
    };
    format!(
        "{}{optional}: {}",
        text(item, "allow"),
        text(item, "reason")
    )
}

fn role(item: &Json) -> String {
    let limits = &item["limits"];
    let memory = limits["memory"].as_u64().unwrap_or_default() >> 20;
    format!(
        "{}; fuel {}, {memory} MiB a call",
        text(item, "role"),
        limits["fuel"]
    )
}

fn watch(item: &Json) -> String {
    let kind = item["kind"].as_str().unwrap_or("every kind");
    format!("{kind} as {}", text(item, "role"))
}

fn plain(item: &Json) -> String {
    item.as_str().unwrap_or_default().to_owned()
}

pub(super) fn accept(context: &Context, args: &AcceptArgs) -> Result<Exit> {
    let place = path(&["plugins", &args.plugin, "accept"]);
    let body = json!({
        "version": args.version,
        "items": args.items,
        "all_declared": args.all_declared,
    });
    let mut connection = context.connect(Needs::Data)?;
    let placed = connection.give(Method::POST, &place, &body)?;
    let headline = format!(
        "{} {} is in use, in place of {}; {}",
        args.plugin,
        text(&placed, "version"),
        text(&placed, "before"),
        made_by(&placed)
    );
    context.print(&placed_report(&placed, headline))
}

pub(super) fn reject(context: &Context, plugin: &str) -> Result<Exit> {
    let place = path(&["plugins", plugin, "reject"]);
    let mut connection = context.connect(Needs::Data)?;
    let placed = connection
        .send(Method::POST, &place, &[], Body::empty())?
        .json()?;
    let note = format!("{plugin} stays at {}", text(&placed, "version"));
    context.print(&Report::of_note(note, placed))
}
