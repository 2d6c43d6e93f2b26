//! What an administrator's act stores beside its journal entry.

use std::ops::ControlFlow;

use kjerne_store::registry::{self, PluginRow};
use kjerne_store::{CursorRow, StoreError, Write, cursors, parked, plugin_state};

use crate::plugins::Role;

/// One row an act of administration stores or removes.
#[derive(Clone, Debug)]
pub enum Administered {
    /// An installed plugin, over the row that was there.
    Plugin(PluginRow),
    /// A plugin is gone, with its bindings, its places in the journal, what it gave up on, and its own
    /// state.
    PluginRemoved(String),
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

fn remove(write: &mut dyn Write, plugin: &str) -> Result<(), StoreError> {
    unbind(write, plugin)?;
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
