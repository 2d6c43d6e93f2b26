//! What an administrator's act stores beside its journal entry.

use std::ops::ControlFlow;

use kjerne_store::registry::{self, PluginRow};
use kjerne_store::{
    CursorRow, Origin, PublisherRow, Read, StoreError, WaitingRow, Write, cursors, outbox, parked,
    plugin_state, provenance,
};

use crate::plugins::Role;

/// One row an act of administration stores or removes.
#[derive(Clone, Debug)]
pub enum Administered {
    /// An installed plugin, over the row that was there.
    Plugin(PluginRow),
    /// A plugin is gone, with its bindings, its places in the journal, what it gave up on, its messages,
    /// and its own state.
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
    /// A parked entry is forgotten.
    Unparked {
        /// The plugin that gave up on it.
        plugin: String,
        /// In which role.
        role: String,
        /// The entry.
        entry: u64,
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
            } => parked::remove(write, plugin, role, *entry),
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
    registry::remove(write, plugin)
}

fn unbind(write: &mut dyn Write, plugin: &str) -> Result<(), StoreError> {
    for (interface, bound) in registry::bindings(write)? {
        if bound == plugin {
            registry::unbind(write, &interface)?;
        }
    }
    Ok(())
}
