//! What an administrator's act stores beside its journal entry.

use std::ops::ControlFlow;

use kjerne_model::{Actor, Instant};
use kjerne_store::registry::{self, PluginRow};
use kjerne_store::{
    CursorRow, JobRow, Origin, PublisherRow, Read, StoreError, WaitingRow, Write, approvers,
    cursors, jobs, outbox, parked, pending, plugin_state, provenance,
};

use crate::job_rows::{parked_job, parked_role};
use crate::plugins::Role;

/// One row an act of administration stores or removes.
#[derive(Clone, Debug)]
pub enum Administered {
    /// An installed plugin, over the row that was there.
    Plugin(PluginRow),
    /// A plugin is gone, with its bindings, its places in the journal, what it gave up on, its messages,
    /// what it proposed that waits for approval, and its own state.
    PluginRemoved(String),
    /// A version of a plugin is in use while the plugin is switched on.
    InUse {
        /// The plugin.
        plugin: String,
        /// The version.
        version: String,
        /// The digest of its file.
        digest: [u8; 32],
    },
    /// Where the files of a plugin that are kept come from, over what was known of them.
    Origins(String, Vec<Origin>),
    /// A publisher and their keys, over what was known of them.
    Publisher(PublisherRow),
    /// A version of a plugin waits to be looked at, instead of one that did.
    Waits(WaitingRow),
    /// No version of a plugin waits any more.
    WaitsNoMore(String),
    /// A domain interface is bound to a plugin.
    Bound {
        /// The interface.
        role: Role,
        /// The plugin.
        plugin: String,
    },
    /// No domain interface is bound to a plugin any more.
    Unbound(String),
    /// A plugin's reactions begin here.
    Begins {
        /// The plugin.
        plugin: String,
        /// The role it walks the journal in.
        role: Role,
        /// Behind this entry; none: behind the last one there is.
        after: Option<u64>,
    },
    /// A job counts from a time on, unless it does so already.
    JobBegins {
        /// The plugin.
        plugin: String,
        /// The job.
        job: String,
        /// From when on.
        at: Instant,
    },
    /// A job is none of the plugin's any more.
    JobEnds {
        /// The plugin.
        plugin: String,
        /// The job.
        job: String,
    },
    /// A parked entry or run is forgotten.
    Unparked {
        /// The plugin that gave up on it.
        plugin: String,
        /// In which role.
        role: String,
        /// The entry.
        entry: u64,
    },
    /// Somebody may approve in a role.
    Approver {
        /// The role.
        role: String,
        /// Who.
        actor: Actor,
    },
    /// Somebody may approve in a role no longer.
    NoApprover {
        /// The role.
        role: String,
        /// Who.
        actor: Actor,
    },
}

impl Administered {
    /// `last` is the last journal entry, which the transaction may not have noted yet.
    pub(crate) fn store(&self, write: &mut dyn Write, last: u64) -> Result<(), StoreError> {
        match self {
            Self::Plugin(row) => registry::put(write, row),
            Self::PluginRemoved(plugin) => remove(write, plugin),
            Self::InUse {
                plugin,
                version,
                digest,
            } => plugin_state::put(write, &used(plugin), version, digest),
            Self::Origins(plugin, origins) => provenance::put_origins(write, plugin, origins),
            Self::Publisher(row) => provenance::put_publisher(write, row),
            Self::Waits(row) => provenance::put_waiting(write, row),
            Self::WaitsNoMore(plugin) => provenance::remove_waiting(write, plugin),
            Self::Bound { role, plugin } => registry::bind(write, role.name(), plugin),
            Self::Unbound(plugin) => unbind(write, plugin),
            Self::Begins {
                plugin,
                role,
                after,
            } => {
                let row = CursorRow {
                    position: after.unwrap_or(last),
                    ..CursorRow::default()
                };
                cursors::put(write, plugin, role.name(), &row)
            }
            Self::Unparked {
                plugin,
                role,
                entry,
            } => unpark(write, plugin, role, *entry),
            Self::JobBegins { plugin, job, at } => match jobs::get(write, plugin, job)? {
                Some(_) => Ok(()),
                None => {
                    let position = *at;
                    let row = JobRow {
                        position,
                        ..JobRow::default()
                    };
                    jobs::put(write, plugin, job, &row)
                }
            },
            Self::JobEnds { plugin, job } => {
                parked::remove(write, plugin, &parked_role(job), 0)?;
                jobs::remove(write, plugin, job)
            }
            Self::Approver { role, actor } => approvers::put(write, role, actor),
            Self::NoApprover { role, actor } => {
                approvers::remove(write, role, actor)?;
                unapprove(write, role, actor)
            }
        }
    }
}

/// Whether this file of a plugin was ever in use while the plugin was switched on.
///
/// # Errors
/// When the store cannot be read.
pub fn was_in_use(read: &dyn Read, row: &PluginRow) -> Result<bool, StoreError> {
    let kept = plugin_state::get(read, &used(&row.id), &row.version)?;
    Ok(kept.as_deref() == Some(&row.digest[..]))
}

/// Where it is kept which files of a plugin were in use: a key space of its own, under a name that no
/// plugin can have.
fn used(plugin: &str) -> String {
    format!("kernel/in-use/{plugin}")
}

/// Of a job it is kept with its row, too, that a run of it is parked.
fn unpark(write: &mut dyn Write, plugin: &str, role: &str, entry: u64) -> Result<(), StoreError> {
    if let Some(job) = parked_job(role)
        && let Some(row) = jobs::get(write, plugin, job)?
    {
        let row = JobRow {
            parked: None,
            ..row
        };
        jobs::put(write, plugin, job, &row)?;
    }
    parked::remove(write, plugin, role, entry)
}

fn remove(write: &mut dyn Write, plugin: &str) -> Result<(), StoreError> {
    unbind(write, plugin)?;
    let mut messages = Vec::new();
    outbox::list(write, 0, &mut |row| {
        if row.plugin == plugin {
            messages.push(row.seq);
        }
        ControlFlow::Continue(())
    })?;
    for seq in messages {
        outbox::remove(write, seq)?;
    }
    plugin_state::clear(write, &used(plugin))?;
    provenance::remove_plugin(write, plugin)?;
    for role in [Role::React, Role::Integration] {
        cursors::remove(write, plugin, role.name())?;
    }
    jobs::clear(write, plugin)?;
    plugin_state::clear(write, plugin)?;
    let mut given_up = Vec::new();
    parked::list(write, &mut |row| {
        if row.plugin == plugin {
            given_up.push(row);
        }
        ControlFlow::Continue(())
    })?;
    for row in given_up {
        parked::remove(write, &row.plugin, &row.role, row.entry)?;
    }
    let (actor, mut proposed) = (Actor::Plugin(plugin.to_owned()), Vec::new());
    pending::list(write, &mut |row| {
        if row.actor == actor {
            proposed.push(row.id);
        }
        ControlFlow::Continue(())
    })?;
    for id in proposed {
        pending::remove(write, id)?;
    }
    registry::remove(write, plugin)
}

/// Whoever is taken out of a role has approved nothing in it, also when they come back.
fn unapprove(write: &mut dyn Write, role: &str, actor: &Actor) -> Result<(), StoreError> {
    let mut approved = Vec::new();
    pending::list(write, &mut |row| {
        let before = row.approvals.len();
        let mut row = row;
        row.approvals
            .retain(|one| one.role != role || one.by != *actor);
        if row.approvals.len() < before {
            approved.push(row);
        }
        ControlFlow::Continue(())
    })?;
    approved.iter().try_for_each(|row| pending::put(write, row))
}

fn unbind(write: &mut dyn Write, plugin: &str) -> Result<(), StoreError> {
    for (interface, bound) in registry::bindings(write)? {
        if bound == plugin {
            registry::unbind(write, &interface)?;
        }
    }
    Ok(())
}
