//! What a person or another system has a plugin do: run a command, take a message.

use std::sync::Arc;

use kjerne_core::{Ask, Outcome, PluginInfo, Receipt, Reply, Role, Task, Waiting};
use kjerne_host::{Package, Parameter};
use kjerne_model::FieldType;
use serde_json::{Map, Value as Json};

use crate::error::{Error, Result};
use crate::runtime::Runtime;

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
    /// The commit it made, when that waits for approval.
    pub waits: Option<Box<Waiting>>,
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
        return Err(Error::not_found(format!(
            "plugin {plugin} has no action {command:?}; it has: {known}"
        )));
    };
    let arguments = read("action", &action.parameters, arguments)?;
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

/// Reads the arguments of an action or a report.
///
/// # Errors
/// When one is missing, unknown, or of another type.
pub(crate) fn read(
    what: &str,
    parameters: &[Parameter],
    given: &Map<String, Json>,
) -> Result<Reply> {
    let parameters: Vec<(String, FieldType, bool)> = parameters
        .iter()
        .map(|one| (one.name.clone(), one.field_type.clone(), one.required))
        .collect();
    Ok(kjerne_wire::read_arguments(what, &parameters, given)?)
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
        return Err(Error::not_found(format!(
            "plugin {plugin} has no source {source:?}; it has: {known}"
        )));
    }
    // Two sources may give the same id to different messages, and an action have it for its key, in which
    // no such arrow can stand.
    let ask = Ask {
        key: ask.key.as_ref().map(|key| format!("{source}→{key}")),
        ..ask.clone()
    };
    perform(
        runtime,
        &info,
        &ask,
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
    runtime.notifier.notify();
    match performed.outcome {
        Outcome::Refused(refusals) => Err(refusals.into()),
        Outcome::Accepted(receipt) => {
            let receipt = Some(receipt).filter(|receipt| receipt.entry > 0);
            Ok(Done {
                reply: performed.reply,
                receipt,
                waits: None,
            })
        }
        Outcome::Waiting(waiting) => Ok(Done {
            reply: performed.reply,
            receipt: None,
            waits: Some(waiting),
        }),
    }
}

pub(crate) fn enabled(runtime: &Runtime, plugin: &str, role: Role) -> Result<Arc<PluginInfo>> {
    runtime.host.serves(plugin, role).ok_or_else(|| {
        Error::not_found(format!(
            "no plugin {plugin:?} with the role {} is switched on",
            role.name()
        ))
    })
}

pub(crate) fn package(runtime: &Runtime, plugin: &str) -> Result<Arc<Package>> {
    runtime
        .package(plugin)
        .ok_or_else(|| Error::not_found(format!("plugin {plugin:?} is not switched on")))
}
