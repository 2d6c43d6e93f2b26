//! What a person or another system has a plugin do: run a command, take a message.

use std::sync::Arc;

use anyhow::Result;
use kjerne_core::{Ask, Outcome, PluginInfo, Plugins as _, Receipt, Reply, Role, Task};
use kjerne_host::Package;
use kjerne_model::FieldType;
use kjerne_store::registry::PluginRow;
use serde_json::{Map, Value as Json};

use crate::exit::{Refused, not_found};
use crate::inspect::Inspected;
use crate::output::Report;
use crate::runtime::Runtime;
use crate::shelf::{INTERFACES, Shelf};
use crate::wire;

/// A message from another system.
pub struct Inbound {
    /// Which of the plugin's sources it came to.
    pub source: String,
    /// Its content type.
    pub content_type: String,
    /// Its headers, names in small letters.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// What a plugin did.
pub struct Done {
    /// What to show whoever asked.
    pub reply: Reply,
    /// The commit it made; none when it changed nothing.
    pub receipt: Option<Receipt>,
}

/// Runs a plugin's command.
///
/// # Errors
/// When the plugin is off, has no such command, or its proposals were refused.
pub fn action(
    runtime: &Runtime,
    plugin: &str,
    command: &str,
    ask: &Ask,
    arguments: &Map<String, Json>,
) -> Result<Done> {
    let info = enabled(runtime, plugin, Role::Action)?;
    let package = package(runtime, plugin)?;
    let actions = &package.manifest.actions;
    let Some(action) = actions.iter().find(|action| action.name == command) else {
        let known: Vec<&str> = actions.iter().map(|action| action.name.as_str()).collect();
        let known = known.join(", ");
        return Err(not_found(format!(
            "plugin {plugin} has no action {command:?}; it has: {known}"
        )));
    };
    let parameters: Vec<(String, FieldType, bool)> = action
        .parameters
        .iter()
        .map(|one| (one.name.clone(), one.field_type.clone(), one.required))
        .collect();
    let arguments = wire::read_arguments(&parameters, arguments).map_err(Refused)?;
    perform(
        runtime,
        &info,
        ask,
        &Task::Action {
            command: command.to_owned(),
            arguments,
        },
    )
}

/// Hands a plugin a message from another system.
///
/// # Errors
/// When the plugin is off, has no such source, or its proposals were refused.
pub fn inbound(runtime: &Runtime, plugin: &str, ask: &Ask, message: Inbound) -> Result<Done> {
    let info = enabled(runtime, plugin, Role::Integration)?;
    let package = package(runtime, plugin)?;
    let Inbound {
        source,
        content_type,
        headers,
        body,
    } = message;
    if !package.manifest.sources.contains(&source) {
        let known = package.manifest.sources.join(", ");
        return Err(not_found(format!(
            "plugin {plugin} has no source {source:?}; it has: {known}"
        )));
    }
    perform(
        runtime,
        &info,
        ask,
        &Task::Inbound {
            source,
            content_type,
            headers,
            body,
        },
    )
}

fn perform(runtime: &Runtime, plugin: &PluginInfo, ask: &Ask, task: &Task) -> Result<Done> {
    let performed = runtime.kernel.perform(plugin, ask, task)?;
    runtime.bell.ring();
    match performed.outcome {
        Outcome::Refused(refusals) => Err(Refused(refusals).into()),
        Outcome::Accepted(receipt) => {
            let receipt = Some(receipt).filter(|receipt| receipt.entry > 0);
            Ok(Done {
                reply: performed.reply,
                receipt,
            })
        }
    }
}

fn enabled(runtime: &Runtime, plugin: &str, role: Role) -> Result<PluginInfo> {
    let with = runtime.host.with_role(role, &Default::default());
    with.into_iter()
        .find(|info| info.id == plugin)
        .ok_or_else(|| {
            not_found(format!(
                "no plugin {plugin:?} with the role {} is switched on",
                role.name()
            ))
        })
}

fn package(runtime: &Runtime, plugin: &str) -> Result<Arc<Package>> {
    runtime
        .package(plugin)
        .ok_or_else(|| not_found(format!("plugin {plugin:?} is not switched on")))
}

/// The installed plugins, each with the versions that are kept beside the one in use.
///
/// # Errors
/// When the store or the folder of the files cannot be read.
pub fn plugins(shelf: Shelf<'_>) -> Result<Vec<(PluginRow, Vec<String>)>> {
    let with_kept = |row: PluginRow| {
        let kept = shelf.kept(&row)?;
        Ok((row, kept))
    };
    shelf.rows()?.into_iter().map(with_kept).collect()
}

/// What an installed plugin is, asks for and may do.
///
/// # Errors
/// When there is no such plugin or its file is gone.
pub fn inspect_installed(shelf: Shelf<'_>, id: &str) -> Result<Report> {
    let row = shelf.row(id)?;
    let package = shelf.package(&row)?;
    let mut bound = Vec::new();
    for role in INTERFACES {
        if shelf.binding(role)?.as_deref() == Some(id) {
            bound.push(role.name().to_owned());
        }
    }
    Ok(Inspected {
        package: &package,
        row: Some(&row),
        bound,
        kept: shelf.kept(&row)?,
    }
    .report())
}
